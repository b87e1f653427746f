/* tests/test-proxy-http.c -- HTTP proxies: CONNECT, RFC 9110 sections 9.3.6 and 11.7. */
#include "config.h"

#include <stdlib.h>

#include "tests/proxies.h"

static int meets(struct world *w, plx_socket *socket, const char *secrets)
{
    int proxy = proxy_meets(w, socket, "http", secrets);

    if (secrets[0] == '\0')
        HEARS(w, proxy, CONNECT);
    else
        HEARS(w, proxy, CONNECT_WITH);
    return proxy;
}

/* ---- answers --------------------------------------------------------------------------------- */

SECTION("answers");

static const struct row {
    int status, code;
    plx_reason reason;
} rows[] = {
    {301, EPROTO, PLX_REASON_PROXY_PROTOCOL},
    {400, EPROTO, PLX_REASON_PROXY_PROTOCOL},
    {401, EPROTO, PLX_REASON_PROXY_PROTOCOL},
    {403, EACCES, PLX_REASON_SOCKET_ACCESS},
    {404, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND},
    {405, EACCES, PLX_REASON_SOCKET_ACCESS},
    {500, EPROTO, PLX_REASON_PROXY_PROTOCOL},
    {502, EHOSTUNREACH, PLX_REASON_NETWORK},
    {503, ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED},
    {504, ETIMEDOUT, PLX_REASON_NETWORK},
    {999, EPROTO, PLX_REASON_PROXY_PROTOCOL},
};

MODE_CASE(each_status)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = meets(w, socket, SECRETS);
        char answer[200], line[60];

        snprintf(line, sizeof line, "HTTP/1.1 %d So it\033[1m is", rows[i].status);
        snprintf(answer, sizeof answer, "%s\r\nContent-Length: 3\r\n\r\nno\n", line);
        raw_say(proxy, answer);
        snprintf(line, sizeof line, "\"HTTP/1.1 %d So it?[1m is\"", rows[i].status);
        proxy_fails(w, socket, &log, rows[i].code, rows[i].reason, line);
    }
}

/* The headers of a body mean nothing in a 2xx, and 1xx come before the answer. */
MODE_CASE(each_success)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n",
        "HTTP/1.1 299 Well\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\nServer: bare\n\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Wait\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = meets(w, socket, SECRETS);

        raw_say(proxy, answers[i]);
        proxy_talks(w, socket, proxy);
    }
}

/* As much as a proxy is ready to send: the socket gives up after 16 KiB, whatever a line has. */
MODE_CASE(headers_without_an_end)
{
    static const char *const lines[] = {"X: y\r\n", "x", "HTTP/1.1 100 Continue\r\n\r\n"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = meets(w, socket, SECRETS);
        char block[1200] = "";
        size_t sent = 0, size;

        while (strlen(block) + strlen(lines[i]) < sizeof block)
            strcat(block, lines[i]);
        size = strlen(block);
        if (i < 2)
            raw_say(proxy, "HTTP/1.1 200 OK\r\n");
        for (int round = 0; log.count[EVENT_ERROR] == 0; round++) {
            size_t piece = sent < (1u << 30) ? raw_try(proxy, block, size) : 0;

            sent += piece;
            ck_assert_int_lt(round, ROUNDS);
            world_turn(w, round);
        }
        proxy_fails(w, socket, &log, EPROTO, PLX_REASON_PROXY_PROTOCOL, "not understood");
    }
}

/* A byte a second: CONNECT_TIMEOUT is for all of it. */
MODE_CASE(a_byte_a_second)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int proxy, seconds = 0;

    time_stop();
    proxy = meets(w, socket, SECRETS);
    while (log.count[EVENT_ERROR] == 0 && seconds < 100) {
        raw_send(proxy, &"HTTP/1.1 200 OK"[seconds % 15], 1);
        world_run(w, 1000);
        seconds++;
    }
    ck_assert_int_le(seconds, 31);
    time_run();
}

/* ---- credentials ----------------------------------------------------------------------------- */

SECTION("credentials");

static void answer(struct record *log, plx_socket *socket)
{
    const char *password = log->data;

    if (password != NULL)
        ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, password), 0);
}

MODE_CASE(by_call)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), proxy;

    proxy_set(socket, "http", "", where);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, "a:b", ""), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, PASSWORD), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    proxy = raw_accept(w, listener);
    HEARS(w, proxy, CONNECT_WITH);
    SAYS(proxy, ESTABLISHED);
    proxy_talks(w, socket, proxy);
    secrets_are_kept(socket, &log);
}

#define REQUIRED "HTTP/1.1 407 Proxy Authentication Required\r\n"
#define ASKS                                                                                       \
    "Proxy-Authenticate: Digest realm=\"a\"\r\nproxy-authenticate: BASIC realm=\"The gate\"\r\n"

/* The answers after which the next request is on the same connection, and those after which it is
 * on another one. */
static const struct keeping {
    bool keeps;
    const char *answer;
} keepings[] = {
    {true, REQUIRED ASKS "Content-Length: 0\r\n\r\n"},
    {true, REQUIRED ASKS "Content-Length: 5\r\n\r\nHTTP/"},
    {true,
     REQUIRED ASKS "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;a=b\r\nyou\r\n0\r\n\r\n"},
    {true, REQUIRED "Content-Length: 3\r\nConnection: keep-alive\r\n" ASKS "\r\nno\n"},
    {false, REQUIRED ASKS "Content-Length: 2\r\nConnection: close\r\n\r\nno"},
    {false, REQUIRED ASKS "Content-Length: 0\r\nProxy-Connection: Close\r\n\r\n"},
    {false, REQUIRED ASKS "Content-Length: 100000\r\n\r\nno"},
    {false, REQUIRED ASKS "\r\nuntil the end"},
    {false, REQUIRED ASKS "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"},
    {false, "HTTP/1.0 407 No\r\n" ASKS "Content-Length: 0\r\n\r\n"},
};

static void ask(struct world *w, const struct keeping *keeping, bool slow)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int listener = proxy_listens(w, socket, "http", "");
    int proxy = raw_accept(w, listener);

    record_on(&log, EVENT_PROXY_ASKS, answer, (void *)(uintptr_t)PASSWORD);
    HEARS(w, proxy, CONNECT);
    for (const char *at = keeping->answer; slow && *at != '\0'; at++) {
        raw_try(proxy, at, 1); /* the other side may have closed the connection already */
        world_poll(w);
    }
    if (!slow)
        raw_say(proxy, keeping->answer);
    UNTIL(w, log.count[EVENT_PROXY_ASKS] == 1);
    ck_assert(!keeping->keeps || !raw_has_caller(w, listener));
    proxy = keeping->keeps ? proxy : raw_accept(w, listener);
    HEARS(w, proxy, CONNECT_WITH);
    SAYS(proxy, ESTABLISHED);
    proxy_talks(w, socket, proxy);
    LOGGED(w, &log,
           "state:CONNECTING proxy_asks(The gate)[CONNECTING] state:CONNECTED connected[CONNECTED] "
           "send_progress(4,0)[CONNECTED] send_complete(false)[CONNECTED] "
           "data_available[CONNECTED]");
    secrets_are_kept(socket, &log);
    world_free(w, socket);
}

MODE_CASE(by_event)
{
    for (size_t i = 0; i < sizeof keepings / sizeof keepings[0]; i++) {
        ask(w, &keepings[i], false);
        ask(w, &keepings[i], true);
    }
}

/* The proxy ends a connection that it promised to keep: the next request goes by another one. */
MODE_CASE(kept_and_ended)
{
    static const char *const answers[] = {
        REQUIRED ASKS "Content-Length: 0\r\n\r\n",
        REQUIRED ASKS "Content-Length: 500\r\n\r\nno",
        REQUIRED ASKS "Transfer-Encoding: chunked\r\n\r\n5\r\nno",
    };

    for (size_t i = 0; i <= sizeof answers / sizeof answers[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int listener = proxy_listens(w, socket, "http", "");
        int proxy = raw_accept(w, listener);

        record_on(&log, EVENT_PROXY_ASKS, answer, (void *)(uintptr_t)PASSWORD);
        HEARS(w, proxy, CONNECT);
        raw_say(proxy, answers[i % 3]);
        if (i == 3) /* later, while somebody thinks */
            UNTIL(w, log.count[EVENT_PROXY_ASKS] == 1);
        raw_close(w, proxy);
        proxy = raw_accept(w, listener);
        HEARS(w, proxy, CONNECT_WITH);
        ck_assert_int_eq(log.count[EVENT_PROXY_ASKS], 1);
        SAYS(proxy, ESTABLISHED);
        proxy_talks(w, socket, proxy);
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    }
}

/* Behind the first byte of the second answer it is too late for another connection. */
MODE_CASE(ended_in_the_second_answer)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int listener = proxy_listens(w, socket, "http", "");
    int proxy = raw_accept(w, listener);

    record_on(&log, EVENT_PROXY_ASKS, answer, (void *)(uintptr_t)PASSWORD);
    HEARS(w, proxy, CONNECT);
    SAYS(proxy, REQUIRED ASKS "Content-Length: 0\r\n\r\n");
    HEARS(w, proxy, CONNECT_WITH);
    SAYS(proxy, "H");
    raw_close(w, proxy);
    proxy_fails(w, socket, &log, PLX_LOST_CONNECTION, PLX_REASON_PROXY_CONNECTION_CLOSED, "closed");
}

/* The proxy repeats what it was sent, whole or cut by the length that is kept. */
MODE_CASE(secrets_in_the_answer)
{
    static const char *const answers[] = {
        "HTTP/1.1 400 Who is " USER "?\r\n\r\n",
        "HTTP/1.1 400 Not ABRACADABRA\r\n\r\n",
        "HTTP/1.1 400 Not Basic " BASIC "\r\n\r\n",
        "HTTP/1.1 400 It takes quite a long way to the end of what is kept of this: " PASSWORD
        "\r\n\r\n",
        REQUIRED "Proxy-Authenticate: " PASSWORD "\r\n\r\n",
        REQUIRED "Proxy-Authenticate: Basic realm=\"for " USER "\"\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = meets(w, socket, SECRETS);

        raw_say(proxy, answers[i]);
        proxy_fails(w, socket, &log, i < 4 ? EPROTO : EACCES,
                    i < 4 ? PLX_REASON_PROXY_PROTOCOL : PLX_REASON_PROXY_AUTHENTICATION_REQUIRED,
                    i < 4 ? "\"HTTP/1.1 400\"" : "the proxy requires");
    }
}

/* It repeats what it was sent, and not what the program has set since. */
MODE_CASE(former_secrets_in_the_answer)
{
    static const char *const answers[] = {
        "HTTP/1.1 400 Who is " USER "?\r\n\r\n",
        "HTTP/1.1 400 Not Basic " BASIC "\r\n\r\n",
        REQUIRED "Proxy-Authenticate: " PASSWORD "\r\n\r\n",
    };
    static const char *const users[] = {"another", ""};

    for (size_t i = 0; i < 3 * 2; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = meets(w, socket, SECRETS);

        ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, users[i / 3], "x"), 0);
        raw_say(proxy, answers[i % 3]);
        proxy_fails(w, socket, &log, i % 3 < 2 ? EPROTO : EACCES,
                    i % 3 < 2 ? PLX_REASON_PROXY_PROTOCOL
                              : PLX_REASON_PROXY_AUTHENTICATION_REQUIRED,
                    i % 3 < 2 ? "\"HTTP/1.1 400\"" : "the proxy requires");
    }
}

/* No answer, or the credentials that were refused: the connect ends, and nothing is sent again. */
MODE_CASE(unanswered)
{
    static const char *const answers[] = {NULL, PASSWORD};

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = meets(w, socket, SECRETS);

        record_on(&log, EVENT_PROXY_ASKS, answer, (void *)(uintptr_t)answers[i]);
        SAYS(proxy, REQUIRED ASKS "Content-Length: 0\r\n\r\n");
        proxy_fails(w, socket, &log, EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED,
                    "other credentials");
        ck_assert_int_eq(log.count[EVENT_PROXY_ASKS], 1);
        raw_expect_end(w, proxy);
    }
}

MODE_CASE(schemes_that_are_not_known)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int proxy = meets(w, socket, SECRETS);

    SAYS(proxy, REQUIRED "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n\r\n");
    proxy_fails(w, socket, &log, EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED,
                "NTLM, Negotiate");
    ck_assert_int_eq(log.count[EVENT_PROXY_ASKS], 0);
}

static void guess(struct record *log, plx_socket *socket)
{
    char password[16];

    snprintf(password, sizeof password, "guess%d", log->count[EVENT_PROXY_ASKS]);
    if (log->count[EVENT_PROXY_ASKS] < 20)
        ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, password), 0);
}

/* On one connection the program may guess as long as it has time and ideas. */
MODE_CASE(guessed_on_one_connection)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int proxy = meets(w, socket, "");
    char heard[1000];

    record_on(&log, EVENT_PROXY_ASKS, guess, NULL);
    log.always = true;
    SAYS(proxy, REQUIRED ASKS "Content-Length: 0\r\n\r\n");
    for (int i = 1; i < 20; i++) {
        UNTIL(w, raw_take(proxy, heard, sizeof heard) > 0);
        SAYS(proxy, REQUIRED ASKS "Content-Length: 0\r\n\r\n");
    }
    proxy_fails(w, socket, &log, EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED, "credentials");
    ck_assert_int_eq(log.count[EVENT_PROXY_ASKS], 20);
}

/* ---- targets --------------------------------------------------------------------------------- */

SECTION("targets");

MODE_CASE(addresses)
{
    static const struct {
        const char *target, *line;
    } targets[] = {
        {"192.0.2.7:99", "192.0.2.7:99"},
        {"[2001:db8::7]:99", "[2001:db8::7]:99"},
    };

    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE], request[400];
        int listener = raw_listen(w, 5, where), proxy;
        const char *line = targets[i].line;

        proxy_set(socket, "http", "", where);
        ck_assert_int_eq(plx_socket_connect_to(socket, targets[i].target), 0);
        proxy = raw_accept(w, listener);
        snprintf(request, sizeof request, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n" CONNECT_END, line,
                 line);
        proxy_hears(w, proxy, request, strlen(request));
        SAYS(proxy, ESTABLISHED);
        proxy_talks(w, socket, proxy);
        ck_assert_str_eq(plx_socket_remote_address(socket), i == 0 ? "192.0.2.7" : "2001:db8::7");
    }
}

WORLD_MAIN("proxy-http")
