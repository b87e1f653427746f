/* tests/test-proxy-steps.c -- a proxy that fails in each step of the way: it closes, it is silent, or
 * it cannot be reached at all. */
#include "config.h"

#include "tests/proxies.h"

#define ASKS "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno"

/* What both say in turn; the client begins. A proxy fails in its own lines, after any byte. */
static const struct dialogue {
    const char *scheme, *secrets;
    struct proxy_line lines[8]; /* up to one without bytes */
} dialogues[] = {
    {"socks5h",
     "",
     {PROXY_LINE(GREETING), PROXY_LINE(METHOD_NONE), PROXY_LINE(REQUEST), PROXY_LINE(GRANTED)}},
    {"socks5h",
     SECRETS,
     {PROXY_LINE(GREETING_WITH), PROXY_LINE(METHOD_PASSWORD), PROXY_LINE(PROOF),
      PROXY_LINE(ACCEPTED), PROXY_LINE(REQUEST), PROXY_LINE(GRANTED)}},
    {"http",
     "",
     {PROXY_LINE(CONNECT), PROXY_LINE(ASKS), PROXY_LINE(CONNECT_WITH), PROXY_LINE(ESTABLISHED)}},
};

#define FOR_DIALOGUES(d) for (const struct dialogue *d = dialogues; d < dialogues + 3; d++)

static void answer(struct record *log, plx_socket *socket)
{
    (void)log;
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, PASSWORD), 0);
}

static int begin(struct world *w, const struct dialogue *d, plx_socket *socket, struct record *log)
{
    record_on(log, EVENT_PROXY_ASKS, answer, NULL);
    return proxy_meets(w, socket, d->scheme, d->secrets);
}

/* Plays the lines up to the first `cut` bytes of line `last`. */
static void play(struct world *w, const struct dialogue *d, int proxy, int last, size_t cut)
{
    for (int i = 0; i <= last; i++) {
        if (i % 2 == 0)
            proxy_hears(w, proxy, d->lines[i].bytes, d->lines[i].size);
        else
            raw_send(proxy, d->lines[i].bytes, i == last ? cut : d->lines[i].size);
    }
}

/* Where another connection takes the place of one that has ended (tests/test-proxy-http.c): in the
 * body of the question, and before the next answer. */
static bool goes_on(const struct dialogue *d, int line, size_t cut)
{
    bool asks = d->scheme[0] == 'h';

    return asks && ((line == 1 && cut + 2 >= d->lines[1].size) || (line == 3 && cut == 0));
}

MODE_CASE(closes)
{
    FOR_DIALOGUES(d)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);

        for (int i = 1; d->lines[i].size > 0; i += 2) {
            for (size_t cut = 0; cut < d->lines[i].size; cut += 1 + cut / 8) {
                int proxy;

                if (goes_on(d, i, cut))
                    continue;
                record_clear(&log);
                proxy = begin(w, d, socket, &log);
                play(w, d, proxy, i, cut);
                if (cut % 2 == 0)
                    raw_end(proxy);
                else
                    raw_reset(w, proxy);
                proxy_fails(w, socket, &log, PLX_LOST_CONNECTION,
                            PLX_REASON_PROXY_CONNECTION_CLOSED, "the proxy closed the connection");
            }
        }
    }
}

MODE_CASE(is_silent)
{
    FOR_DIALOGUES(d)
    {
        for (int i = 1; d->lines[i].size > 0; i += 2) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            int proxy;

            time_stop();
            ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 500), 0);
            proxy = begin(w, d, socket, &log);
            play(w, d, proxy, i, d->lines[i].size - 1);
            world_run(w, 499);
            ck_assert_int_eq(log.count[EVENT_ERROR], 0);
            time_pass(1);
            proxy_fails(w, socket, &log, ETIMEDOUT, PLX_REASON_PROXY_CONNECTION_TIMEOUT, "proxy");
            time_run();
            world_free(w, socket);
        }
    }
}

/* No address for TCP: the kernel refuses it with ENETUNREACH. The failure is that of a connect
 * without a proxy, and its sentence names the proxy. */
MODE_CASE(cannot_be_reached)
{
    static const char *const wheres[] = {"224.0.0.1:1080", "255.255.255.255:1080"};

    FOR_PROTOCOLS(p)
    {
        for (size_t i = 0; i < sizeof wheres / sizeof wheres[0]; i++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            char words[100];

            proxy_set(socket, p->scheme, SECRETS, wheres[i]);
            ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
            snprintf(words, sizeof words,
                     "connect to proxy %.*s port 1080: ", (int)strcspn(wheres[i], ":"), wheres[i]);
            proxy_fails(w, socket, &log, PLX_OPEN_DRIVER, PLX_REASON_NETWORK, words);
            ck_assert_int_eq(log.os_error, ENETUNREACH);
        }
    }
}

/* Of a status line 80 bytes are shown. */
TCP_SOCKET_CASE(a_long_status_line)
{
    int proxy = proxy_meets(w, socket, "http", SECRETS);
    char line[200], words[100];

    memset(line, 'x', sizeof line);
    memcpy(line, "HTTP/1.1 418 ", 13);
    memcpy(line + sizeof line - 4, "\r\n\r\n", 4);
    HEARS(w, proxy, CONNECT_WITH);
    raw_send(proxy, line, sizeof line);
    snprintf(words, sizeof words, "\"%.80s\"", line);
    proxy_fails(w, socket, log, EPROTO, PLX_REASON_PROXY_PROTOCOL, words);
}

WORLD_MAIN("proxy-steps")
