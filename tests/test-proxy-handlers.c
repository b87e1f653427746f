/* tests/test-proxy-handlers.c -- handlers that end or renew a connect through a proxy, and memory
 * that runs out on the way. */
#include "config.h"

#include "tests/counting.h"
#include "tests/proxies.h"

/* ---- handlers -------------------------------------------------------------------------------- */

SECTION("handlers");

static void free_it(struct record *log, plx_socket *socket)
{
    world_forget(log->data, socket);
    plx_socket_free(socket);
}

static void close_it(struct record *log, plx_socket *socket)
{
    (void)log;
    plx_socket_close(socket);
}

static void abort_it(struct record *log, plx_socket *socket)
{
    (void)log;
    plx_socket_abort(socket);
}

static void connect_anew(struct record *log, plx_socket *socket)
{
    (void)log;
    plx_socket_close(socket);
    proxy_set(socket, "http", "", strchr(plx_socket_proxy(socket), ':') + 3);
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
}

/* The connection that the handler has made: one before it may have been closed in silence. */
static int accept_asker(struct world *w, int listener)
{
    char got[1000];
    ptrdiff_t size = RAW_END;
    int proxy = -1;

    while (size == RAW_END || size == RAW_RESET) {
        proxy = raw_accept(w, listener);
        UNTIL(w, (size = raw_take(proxy, got, sizeof got)) != RAW_NOTHING);
    }
    ck_assert_int_eq(size, sizeof CONNECT - 1);
    return proxy;
}

/* In each event on the way, and with a talk that goes on by the same connection or not. */
MODE_CASE(in_handlers)
{
    record_act *const acts[] = {free_it, close_it, abort_it, connect_anew};
    static const enum event events[] = {EVENT_PROXY_ASKS, EVENT_ERROR, EVENT_STATE_CHANGED};

    for (size_t i = 0; i < 4 * 3 * 2; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        bool http = i % 2 == 1;
        char where[WHERE_SIZE];
        int listener = raw_listen(w, 5, where), proxy;

        proxy_set(socket, http ? "http" : "socks5h", "", where);
        record_on(&log, events[i / 8], acts[i / 2 % 4], w);
        ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
        world_poll(w);
        if (!log.fired) {
            proxy = raw_accept(w, listener);
            if (http) {
                HEARS(w, proxy, CONNECT);
                SAYS(proxy, "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n"
                            "Content-Length: 0\r\n\r\n");
            } else {
                HEARS(w, proxy, GREETING);
                SAYS(proxy, METHOD_REFUSED);
            }
        }
        UNTIL(w, log.fired);
        if (acts[i / 2 % 4] == connect_anew) {
            proxy = accept_asker(w, listener);
            SAYS(proxy, ESTABLISHED);
            proxy_talks(w, socket, proxy);
        }
        world_settle(w);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

SECTION("memory");

static void answer(struct record *log, plx_socket *socket)
{
    (void)log;
    plx_socket_set_proxy_credentials(socket, USER, PASSWORD);
}

/* Answers whatever the socket has said, which always is one message. */
static void robot_turn(struct world *w, int listener, int *proxy)
{
    char got[1000] = "";
    ptrdiff_t size;

    if (raw_has_caller(w, listener))
        *proxy = raw_accept(w, listener);
    size = *proxy < 0 ? RAW_NOTHING : raw_take(*proxy, got, sizeof got - 1);
    if (size <= 0)
        return;
    if (got[0] == 'C') {
        const char *says = strstr(got, BASIC) != NULL
                               ? ESTABLISHED
                               : "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n";

        raw_try(*proxy, says, strlen(says));
    } else if (size <= 4) {
        raw_try(*proxy, size == 4 ? METHOD_PASSWORD : METHOD_REFUSED, 2);
    } else if (got[0] == 1) {
        raw_try(*proxy, ACCEPTED, 2);
    } else {
        raw_try(*proxy, GRANTED, sizeof GRANTED - 1);
    }
}

/* Returns whether an allocation failed. */
static bool without_memory(struct world *w, const struct proxy_protocol *p, int number)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE], text[400];
    int listener = raw_listen(w, 5, where), proxy = -1, code;
    bool failed;

    snprintf(text, sizeof text, "%s://%s", p->scheme, where);
    record_on(&log, EVENT_PROXY_ASKS, answer, NULL);
    fail_allocation(number);
    code = plx_socket_set_proxy(socket, text);
    code = code == 0 ? plx_socket_connect_to(socket, TARGET) : code;
    if (code == 0)
        UNTIL(w, (robot_turn(w, listener, &proxy),
                  log.count[EVENT_CONNECTED] + log.count[EVENT_ERROR] > 0));
    failed = allocation_failed();
    fail_allocation(0);
    if (code != 0 || log.count[EVENT_ERROR] > 0) {
        ck_assert(failed);
        ck_assert_int_eq(code != 0 ? code : log.code, PLX_OUT_OF_MEMORY);
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    } else {
        proxy_talks(w, socket, proxy);
    }
    world_free(w, socket);
    raw_close(w, listener);
    return failed;
}

MODE_CASE(no_memory)
{
    FOR_PROTOCOLS(p)
    {
        int number = 1;

        while (without_memory(w, p, number))
            number++;
        ck_assert_int_gt(number, 3);
        for (; number > 0; number--)
            without_memory(w, p, -number);
    }
}

WORLD_MAIN("proxy-handlers")
