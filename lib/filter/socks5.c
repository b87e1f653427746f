/* lib/filter/socks5.c -- asking a SOCKS5 proxy for a tunnel: RFC 1928, and RFC 1929 for
 * credentials. lib/wire/socks5.h draws the messages. Each is written once, before its first byte is
 * sent: the program may set other credentials while the rest waits. */
#include "config.h"

#include "lib/filter/talk.h"
#include "lib/os/errno.h"

#include <string.h>

enum step { GREET, GREETED, PROVE, PROVEN, REQUEST, REQUESTED, ASK };

static int greet(struct plx__talk *talk)
{
    if (talk->size == 0) {
        talk->size = plx__socks5_write_greeting(plx__talk_credentials(talk) != NULL, talk->out);
    }
    return plx__talk_say(talk, PLX__PROXY_PROTOCOL, GREETED);
}

static int prove(struct plx__talk *talk)
{
    if (talk->size == 0) {
        const struct plx__proxy_text *proxy = plx__talk_credentials(talk);
        talk->size = plx__socks5_write_credentials(proxy->user, proxy->password, talk->out);
    }
    return plx__talk_say(talk, PLX__PROXY_BAD_CREDENTIALS, PROVEN);
}

static int request(struct plx__talk *talk)
{
    const struct plx__way *way = talk->way;
    if (talk->size == 0) {
        talk->size = plx__way_sends_name(way)
                         ? plx__socks5_write_name(way->host, way->port, talk->out)
                         : plx__socks5_write_address(&way->addresses[way->next], talk->out);
    }
    return plx__talk_say(talk, PLX__PROXY_BAD_TARGET, REQUESTED);
}

/* Receives what `missing` says is missing. Returns 0 to look again. */
static int hear(struct plx__talk *talk, int missing)
{
    return missing < 0 ? plx__talk_fail_by(talk, PLX__PROXY_PROTOCOL)
                       : plx__talk_receive(talk, (size_t)missing);
}

/* The program may have set credentials since the greeting, which is still in `out`, or taken them
 * away. */
static int choose_password(struct plx__talk *talk)
{
    uint8_t greeting[PLX__SOCKS5_GREETING_SIZE];
    plx__socks5_write_greeting(true, greeting);
    if (memcmp(talk->out, greeting, sizeof greeting) != 0) {
        return plx__talk_fail_by(talk, PLX__PROXY_PROTOCOL);
    }
    plx__talk_enter(talk, talk->way->proxy.has_credentials ? PROVE : ASK);
    return 0;
}

static int choose_method(struct plx__talk *talk)
{
    int method = 0;
    int missing = plx__socks5_read_method(talk->in, talk->taken, &method);
    if (missing != 0) {
        return hear(talk, missing);
    }
    switch (method) {
    case PLX__SOCKS5_NO_AUTHENTICATION: plx__talk_enter(talk, REQUEST); return 0;
    case PLX__SOCKS5_PASSWORD: return choose_password(talk);
    case PLX__SOCKS5_NO_METHOD: plx__talk_enter(talk, ASK); return 0;
    default: return plx__talk_fail_by(talk, PLX__PROXY_PROTOCOL);
    }
}

static int read_verdict(struct plx__talk *talk)
{
    bool accepted = false;
    int missing = plx__socks5_read_verdict(talk->in, talk->taken, &accepted);
    if (missing != 0) {
        return hear(talk, missing);
    }
    plx__talk_enter(talk, accepted ? REQUEST : ASK);
    return 0;
}

/* Whether another address of the target may work where this one did not. */
static bool may_go_on(const struct plx__talk *talk, int reply)
{
    return talk->way->next + 1 < talk->way->count && (reply == 1 || (reply >= 3 && reply <= 6));
}

static int read_reply(struct plx__talk *talk, bool *ret_done)
{
    struct plx__socks5_reply reply;
    int missing = plx__socks5_read_reply(talk->in, talk->taken, &reply);
    if (missing != 0) {
        return hear(talk, missing);
    }
    *ret_done = reply.code == 0;
    if (reply.code == 0) {
        return 0;
    }
    if (may_go_on(talk, reply.code)) {
        talk->way->next++;
        return PLX__ERESTART;
    }
    return plx__talk_fail(talk, plx__socks5_failure(reply.code, plx__way_sends_name(talk->way)));
}

/* The proxy closes the connection after it has refused somebody (RFC 1929, 2). */
static int ask(struct plx__talk *talk)
{
    int code = plx__talk_ask(talk, plx__proxy_failure(PLX__PROXY_AUTHENTICATION));
    return code == 0 ? PLX__ERESTART : code;
}

int plx__socks5_establish(struct plx__talk *talk)
{
    int code = 0;
    bool done = false;
    while (code == 0 && !done) {
        switch (talk->step) {
        case GREET: code = greet(talk); break;
        case GREETED: code = choose_method(talk); break;
        case PROVE: code = prove(talk); break;
        case PROVEN: code = read_verdict(talk); break;
        case REQUEST: code = request(talk); break;
        case REQUESTED: code = read_reply(talk, &done); break;
        default: code = ask(talk); break;
        }
    }
    return code;
}
