/* tests/test-proxy-lost.c -- connections to a proxy that the network or the kernel ends, and not
 * the proxy. */
#include "config.h"

#include "lib/os/os.h"

#include "tests/proxies.h"

/* The program is linked so that the library calls these. */
ptrdiff_t __real_plx__os_receive(plx__fd descriptor, void *data, size_t size);
ptrdiff_t __wrap_plx__os_receive(plx__fd descriptor, void *data, size_t size);
ptrdiff_t __real_plx__os_send(plx__fd descriptor, const void *data, size_t size);
ptrdiff_t __wrap_plx__os_send(plx__fd descriptor, const void *data, size_t size);

static int receive_fails, send_fails; /* with that errno; 0: it works */
static int receives;

ptrdiff_t __wrap_plx__os_receive(plx__fd descriptor, void *data, size_t size)
{
    receives++;
    return receive_fails != 0 ? -receive_fails : __real_plx__os_receive(descriptor, data, size);
}

ptrdiff_t __wrap_plx__os_send(plx__fd descriptor, const void *data, size_t size)
{
    return send_fails != 0 ? -send_fails : __real_plx__os_send(descriptor, data, size);
}

static const struct row {
    int error, code;
    plx_reason reason;
    const char *words;
} rows[] = {
    {ECONNRESET, PLX_LOST_CONNECTION, PLX_REASON_PROXY_CONNECTION_CLOSED, "closed the connection"},
    {EPIPE, PLX_LOST_CONNECTION, PLX_REASON_PROXY_CONNECTION_CLOSED, "closed the connection"},
    {ETIMEDOUT, PLX_LOST_CONNECTION, PLX_REASON_PROXY_CONNECTION_TIMEOUT, "lost: timed out"},
    {EHOSTUNREACH, PLX_LOST_CONNECTION, PLX_REASON_NETWORK, "lost: host cannot be reached"},
    {ENOMEM, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, "lost: out of memory"},
};

static void loses(struct world *w, const struct row *row, bool sending)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int proxy;

    send_fails = sending ? row->error : 0;
    proxy = proxy_meets(w, socket, "socks5h", SECRETS);
    if (!sending)
        HEARS(w, proxy, GREETING_WITH);
    receive_fails = row->error;
    SAYS(proxy, METHOD_NONE);
    proxy_fails(w, socket, &log, row->code, row->reason, row->words);
    ck_assert_int_eq(log.os_error, row->error);
    send_fails = receive_fails = 0;
    world_free(w, socket);
}

MODE_CASE(each_errno)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        loses(w, &rows[i], false);
        loses(w, &rows[i], true);
    }
}

/* While the socket still connects to the proxy. */
MODE_CASE(reset_at_once)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int proxy = proxy_meets(w, socket, "socks5h", SECRETS);

    raw_end(proxy); /* the reset is EPIPE then */
    raw_reset(w, proxy);
    proxy_fails(w, socket, &log, PLX_LOST_CONNECTION, PLX_REASON_PROXY_CONNECTION_CLOSED, "proxy");
}

/* A proxy that answers with headers without end is read in pieces: a poll stays short. */
MODE_CASE(an_answer_without_end)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int proxy = proxy_meets(w, socket, "http", SECRETS);
    char lines[16384];

    UNTIL(w, raw_take(proxy, lines, sizeof lines) > 0);
    raw_say(proxy, "HTTP/1.1 200 OK\r\n");
    for (size_t i = 0; i < sizeof lines; i++)
        lines[i] = "X: y\r\n"[i % 6];
    for (int round = 0; round < 40 && log.count[EVENT_ERROR] == 0; round++) {
        raw_try(proxy, lines, sizeof lines);
        receives = 0;
        world_turn(w, round);
        ck_assert_int_le(receives, 1100); /* byte by byte, at most 1 KiB */
    }
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_int_ne(log.code, 0);
}

/* Before a poll has seen that the connection to the proxy works. */
MODE_CASE(reset_before_the_first_poll)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int listener = proxy_listens(w, socket, "socks5h", SECRETS);

    world_readable(listener);
    raw_reset(w, world_raw(w, accept(listener, NULL, NULL)));
    proxy_fails(w, socket, &log, PLX_LOST_CONNECTION, PLX_REASON_PROXY_CONNECTION_CLOSED, "proxy");
}

WORLD_MAIN("proxy-lost")
