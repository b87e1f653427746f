/* lib/filter/http-connect.c -- asking an HTTP proxy for a tunnel by CONNECT: RFC 9110, 9.3.6.
 *
 * The answer is received byte by byte: its end is known only by its last byte, and the next one
 * belongs to the tunnel. After a 407 the connection may be kept for the next request. The proxy may
 * end it at any time until the first byte of the next answer (RFC 9112, 9.5), also because a person
 * takes long to answer; then the request goes by a new connection. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/filter/talk.h"
#include "lib/os/errno.h"
#include "lib/wire/base64.h"
#include "lib/wire/part.h"

#include <stdio.h>
#include <string.h>

enum step { REQUEST, ANSWER, BODY, ASK, ASK_ANEW };

/* Where a proxy may repeat what it was sent: behind "HTTP/1.1 400" in the status line. */
enum { PHRASE_AT = 12 };

/* Credentials that are known are sent at once, which saves a round trip. */
static size_t write_request(struct plx__talk *talk)
{
    const struct plx__way *way = talk->way;
    const struct plx__proxy_text *proxy = plx__talk_credentials(talk);
    char host[PLX__ADDRESS_TEXT_SIZE];
    const char *name = way->host;
    if (!plx__way_sends_name(way)) {
        plx__address_format_host(&way->addresses[0], host, sizeof host);
        name = host;
    }
    const char *user = proxy == NULL ? NULL : proxy->user;
    return plx__http_connect_write(name, way->port, user, way->proxy.password, (char *)talk->out);
}

/* Written once: the program may set other credentials while the rest waits. */
static int request(struct plx__talk *talk)
{
    if (talk->size == 0) {
        talk->size = write_request(talk);
        memset(&talk->answer, 0, sizeof talk->answer);
    }
    return plx__talk_say(talk, PLX__PROXY_BAD_TARGET, ANSWER);
}

static int hear_byte(struct plx__talk *talk)
{
    talk->taken = 0;
    return plx__talk_receive(talk, 1);
}

/* ---- secrets --------------------------------------------------------------------------------- */

/* Whether a byte of a string, in which '?' stands for what is not printable, may be that of a
 * secret. */
static bool may_be(char c, char secret)
{
    bool printable = secret >= ' ' && secret <= '~';
    return printable ? plx__part_lower(c) == plx__part_lower(secret) : c == '?';
}

/* Whether a string has a secret in it, or was cut where one may have begun. Less than three bytes
 * are in many strings by chance. */
static bool has_secret(const char *text, bool is_cut, const char *secret)
{
    for (; strlen(secret) > 2 && text[0] != '\0'; text++) {
        size_t i = 0;
        while (text[i] != '\0' && secret[i] != '\0' && may_be(text[i], secret[i])) {
            i++;
        }
        if (secret[i] == '\0' || (is_cut && text[i] == '\0')) {
            return true;
        }
    }
    return false;
}

/* The text of the proxy, in an array of `size` bytes, is for messages and events, which have
 * neither user nor password. */
static void hide_secrets(const struct plx__proxy_text *proxy, char *text, size_t size)
{
    bool is_cut = strlen(text) + 1 == size;
    char plain[sizeof proxy->user + sizeof proxy->password];
    char encoded[PLX__BASE64_SIZE(sizeof plain) + 1];
    int length = snprintf(plain, sizeof plain, "%s:%s", proxy->user, proxy->password);
    plx__base64_write(plain, (size_t)length, encoded);
    if (proxy->has_credentials &&
        (has_secret(text, is_cut, proxy->user) || has_secret(text, is_cut, proxy->password) ||
         has_secret(text, is_cut, encoded))) {
        text[0] = '\0';
    }
}

static void hide_secrets_of(const struct plx__proxy_text *proxy, struct plx__http_answer *answer)
{
    hide_secrets(proxy, answer->status_line + PHRASE_AT, sizeof answer->status_line - PHRASE_AT);
    hide_secrets(proxy, answer->schemes, sizeof answer->schemes);
    hide_secrets(proxy, answer->realm, sizeof answer->realm);
}

/* A proxy can repeat what it was sent. That the program has set others meanwhile changes nothing. */
static void hide_all_secrets(struct plx__talk *talk)
{
    hide_secrets_of(&talk->said, &talk->answer);
    hide_secrets_of(&talk->way->proxy, &talk->answer);
}

/* ---- answers --------------------------------------------------------------------------------- */

static int judge(struct plx__talk *talk, bool *ret_done)
{
    int status = talk->answer.status;
    *ret_done = status >= 200 && status < 300;
    if (*ret_done) {
        return 0;
    }
    hide_all_secrets(talk);
    if (status != 407 || !talk->answer.offers_basic) {
        return plx__talk_fail(talk, plx__http_connect_failure(&talk->answer));
    }
    talk->is_expendable = plx__http_answer_keeps(&talk->answer);
    plx__talk_enter(talk, talk->is_expendable ? BODY : ASK_ANEW);
    return 0;
}

static int read_answer(struct plx__talk *talk, bool *ret_done)
{
    size_t used;
    int code = hear_byte(talk);
    if (code != 0) {
        return code;
    }
    talk->is_expendable = false;
    switch (plx__http_answer_read(&talk->answer, talk->in, 1, &used)) {
    case PLX__HTTP_DONE: return judge(talk, ret_done);
    case PLX__HTTP_MALFORMED: return plx__talk_fail_by(talk, PLX__PROXY_PROTOCOL);
    default: return 0;
    }
}

static int skip_body(struct plx__talk *talk)
{
    size_t used;
    enum plx__http_progress progress =
        plx__http_body_skip(&talk->answer, talk->in, talk->taken, &used);
    int code = progress == PLX__HTTP_MORE ? hear_byte(talk) : 0;
    if (code == PLX__ERESTART) {
        plx__talk_enter(talk, ASK_ANEW); /* the end came before that of the body */
        return 0;
    }
    if (progress != PLX__HTTP_MORE) {
        plx__talk_enter(talk, progress == PLX__HTTP_DONE ? ASK : ASK_ANEW);
    }
    return code;
}

static int ask(struct plx__talk *talk, bool anew)
{
    int code = plx__talk_ask(talk, plx__http_connect_failure(&talk->answer));
    if (code != 0 || anew) {
        return code == 0 ? PLX__ERESTART : code;
    }
    plx__talk_enter(talk, REQUEST);
    return 0;
}

int plx__http_establish(struct plx__talk *talk)
{
    int code = 0;
    bool done = false;
    while (code == 0 && !done) {
        switch (talk->step) {
        case REQUEST: code = request(talk); break;
        case ANSWER: code = read_answer(talk, &done); break;
        case BODY: code = skip_body(talk); break;
        default: code = ask(talk, talk->step == ASK_ANEW); break;
        }
    }
    return code;
}
