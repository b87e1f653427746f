/* tests/proxies.h -- a proxy of the test's own, which says byte for byte what a case wants.
 *
 * The proxy is a raw peer. Connections to this computer never use a proxy, so the target is
 * "tunnel.test:99", a name that only the proxy gets to see. The text of the proxy has a user and a
 * password, which no message, event or getter may have: secrets_are_kept looks for them. */
#ifndef POLLUX_TESTS_PROXIES_H
#define POLLUX_TESTS_PROXIES_H

#include <errno.h>

#include "tests/sockets.h"
#include "tests/world.h"

#define TARGET "tunnel.test:99"
#define USER "sesame"
#define PASSWORD "abracadabra"
#define SECRETS USER ":" PASSWORD "@"
#define BASIC "c2VzYW1lOmFicmFjYWRhYnJh" /* base64 of both */

/* SOCKS5 (RFC 1928), RFC 1929. */
#define GREETING "\5\1\0"
#define GREETING_WITH "\5\2\0\2"
#define METHOD_NONE "\5\0"
#define METHOD_PASSWORD "\5\2"
#define METHOD_REFUSED "\5\377"
#define PROOF "\1\6" USER "\13" PASSWORD
#define ACCEPTED "\1\0"
#define REJECTED "\1\1"
#define REQUEST "\5\1\0\3\13tunnel.test\0\143"
#define REPLY(code) "\5" code "\0\1\300\0\2\1\4\1"
#define GRANTED REPLY("\0")

/* HTTP (RFC 9110, 9.3.6). */
#define CONNECT_LINES "CONNECT " TARGET " HTTP/1.1\r\nHost: " TARGET "\r\n"
#define CONNECT_END "Proxy-Connection: keep-alive\r\n\r\n"
#define CONNECT CONNECT_LINES CONNECT_END
#define CONNECT_WITH CONNECT_LINES "Proxy-Authorization: Basic " BASIC "\r\n" CONNECT_END
#define ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"

/* A line of a dialogue with a proxy, from a literal that may have zero bytes. */
struct proxy_line {
    const char *bytes;
    size_t size;
};

#define PROXY_LINE(literal)                                                                        \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* SAYS sends a literal, which may have zero bytes; HEARS polls until exactly that has arrived. */
#define SAYS(proxy, literal) raw_send(proxy, literal, sizeof(literal) - 1)
#define HEARS(world, proxy, literal) proxy_hears(world, proxy, literal, sizeof(literal) - 1)

static inline void proxy_hears(struct world *w, int proxy, const void *bytes, size_t size)
{
    unsigned char got[2048];
    size_t length = 0;
    ptrdiff_t piece = 0;

    ck_assert_uint_lt(size, sizeof got);
    UNTIL(w, (piece = raw_take(proxy, got + length, size - length)) == RAW_END ||
                 piece == RAW_RESET || (length += piece > 0 ? (size_t)piece : 0) == size);
    ck_assert_msg(length == size && memcmp(got, bytes, size) == 0,
                  "%s: the proxy heard %zu bytes, not the %zu expected: \"%.*s\"", world_name(w),
                  length, size, (int)length, (const char *)got);
    ck_assert_int_eq(raw_take(proxy, got, sizeof got), RAW_NOTHING);
}

/* ---- protocols ------------------------------------------------------------------------------- */

/* What is said with credentials in the text that the proxy does not ask for, up to the request, and
 * the reply to the request. */
static const struct proxy_protocol {
    const char *scheme, *reply;
    size_t reply_size;
} proxy_protocols[] = {
    {"socks5h", GRANTED, sizeof GRANTED - 1},
    {"http", ESTABLISHED, sizeof ESTABLISHED - 1},
};

#define FOR_PROTOCOLS(protocol)                                                                    \
    for (const struct proxy_protocol *protocol = proxy_protocols; protocol < proxy_protocols + 2;  \
         protocol++)

/* Hears everything before the reply to the request. */
static inline void proxy_hears_request(struct world *w, int proxy,
                                       const struct proxy_protocol *protocol)
{
    if (protocol->scheme[0] == 'h') {
        HEARS(w, proxy, CONNECT_WITH);
        return;
    }
    HEARS(w, proxy, GREETING_WITH);
    SAYS(proxy, METHOD_NONE);
    HEARS(w, proxy, REQUEST);
}

/* ---- connects -------------------------------------------------------------------------------- */

/* Sets a proxy that is at `where`; `secrets` is "" or ends with '@'. */
static inline void proxy_set(plx_socket *socket, const char *scheme, const char *secrets,
                             const char *where)
{
    char text[400];

    snprintf(text, sizeof text, "%s://%s%s", scheme, secrets, where);
    ck_assert_int_eq(plx_socket_set_proxy(socket, text), 0);
}

/* Connects through a proxy that listens from now on, and returns the proxy's descriptor. */
static inline int proxy_listens(struct world *w, plx_socket *socket, const char *scheme,
                                const char *secrets)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 20, where);

    proxy_set(socket, scheme, secrets, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    return listener;
}

/* The same, and accepts the connection. */
static inline int proxy_meets(struct world *w, plx_socket *socket, const char *scheme,
                              const char *secrets)
{
    return raw_accept(w, proxy_listens(w, socket, scheme, secrets));
}

/* Expects that both ends reach each other. */
static inline void proxy_talks(struct world *w, plx_socket *socket, int proxy)
{
    char got[8] = "";

    UNTIL(w, plx_socket_state(socket) != PLX_CONNECTING);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    ck_assert_int_eq(plx_socket_write(socket, "ping", 4), 4);
    HEARS(w, proxy, "ping");
    SAYS(proxy, "pong");
    UNTIL(w, plx_socket_bytes_available(socket) == 4);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 4);
    ck_assert_str_eq(got, "pong");
}

/* ---- failures -------------------------------------------------------------------------------- */

static inline void has_no_secret(const char *text)
{
    ck_assert_msg(strstr(text, USER) == NULL && strstr(text, PASSWORD) == NULL &&
                      strstr(text, BASIC) == NULL,
                  "a secret is in \"%s\"", text);
}

static inline void secrets_are_kept(const plx_socket *socket, const struct record *log)
{
    has_no_secret(log->text);
    has_no_secret(log->message);
    has_no_secret(plx_socket_proxy(socket));
    has_no_secret(plx_socket_error(socket)->message);
    has_no_secret(plx_socket_address(socket));
    has_no_secret(plx_socket_remote_address(socket));
}

/* Expects that the connect ends with that error, after no other event. */
static inline void proxy_fails(struct world *w, const plx_socket *socket, const struct record *log,
                               int code, plx_reason reason, const char *words)
{
    UNTIL(w, log->count[EVENT_ERROR] + log->count[EVENT_CONNECTED] > 0);
    ck_assert_msg(log->count[EVENT_CONNECTED] == 0 && log->code == code && log->reason == reason &&
                      strstr(log->message, words) != NULL,
                  "%s: code %d, reason %s, \"%s\", not %d, %s, \"%s\"", world_name(w), log->code,
                  plx_reason_name(log->reason), log->message, code, plx_reason_name(reason), words);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 0);
    secrets_are_kept(socket, log);
}

#endif
