/* tests/fail/proxies.c -- scenarios of connections through proxies. A says what a proxy hears, and
 * the proxy is a socket of ours too. */
#include "config.h"

#include "tests/fail/bodies.h"
#include "tests/proxies.h"

#define ASKS                                                                                       \
    "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"gate\"\r\nContent-Length: 0\r\n\r\n"

/* Opens A, with a proxy that is at a host with this port, and connects. */
static void connect_by(struct play *p, const char *scheme, const char *host, int port)
{
    char proxy[100];

    OPEN(p, A, plx_tcp_new);
    snprintf(proxy, sizeof proxy, "%s://%s:%d", scheme, host, port);
    TRY(p, A, plx_socket_set_proxy(p->sockets[A], proxy));
    TRY(p, A, plx_socket_connect_to(p->sockets[A], TARGET));
}

/* B is the proxy, and says everything at once. */
static void grant(struct play *p, const char *bytes, size_t size)
{
    ptrdiff_t written;

    AWAIT(p, COUNT(p, B, CONNECTED) == 1);
    written = plx_socket_write(p->sockets[B], bytes, size);
    TRY(p, B, written == (ptrdiff_t)size ? 0 : plx_socket_last_error(p->sockets[B]));
    AWAIT(p, COUNT(p, A, CONNECTED) == 1);
    HOLDS(p, strcmp(plx_socket_remote_address(p->sockets[A]), "tunnel.test") == 0);
}

static void listen_as_proxy(struct play *p)
{
    OPEN(p, B, plx_tcp_new);
    TRY(p, B, plx_socket_listen_on(p->sockets[B], "127.0.0.1:0"));
}

/* The proxy's name is looked up. */
void run_proxy(struct play *p)
{
    static const char says[] = METHOD_NONE GRANTED;

    STEP(p, listen_as_proxy(p));
    STEP(p, connect_by(p, "socks5h", "far.test", plx_socket_port(p->sockets[B])));
    STEP(p, grant(p, says, sizeof says - 1));
}

static void act_answer(struct record *record, plx_socket *socket)
{
    struct part_log *log = (struct part_log *)record;

    log->refused += plx_socket_set_proxy_credentials(socket, USER, PASSWORD) != 0;
}

void run_proxy_that_asks(struct play *p)
{
    static const char says[] = ASKS ESTABLISHED;

    record_on(LOG(p, A), EVENT_PROXY_ASKS, act_answer, NULL);
    STEP(p, listen_as_proxy(p));
    STEP(p, connect_by(p, "http", "127.0.0.1", plx_socket_port(p->sockets[B])));
    STEP(p, grant(p, says, sizeof says - 1));
    HOLDS(p, COUNT(p, A, PROXY_ASKS) == 1);
}

/* Refuses the first client's address. */
static void act_refuse_one(struct record *record, plx_socket *socket)
{
    struct part_log *log = (struct part_log *)record;
    const char *says = log->play->found++ == 0 ? METHOD_NONE REPLY("\5") : METHOD_NONE GRANTED;
    ptrdiff_t size = sizeof METHOD_NONE GRANTED - 1;

    log->refused += plx_socket_write(socket, says, (size_t)size) != size;
}

/* The target's name is looked up here, and its addresses are tried one after another. */
void run_proxy_with_addresses(struct play *p)
{
    STEP(p, play_open_server(p));
    record_on(LOG(p, GUESTS), EVENT_CONNECTED, act_refuse_one, NULL);
    LOG(p, GUESTS)->always = true;
    p->names.ipv4 = ADDRESSES("192.0.2.1", "192.0.2.2");
    if (!play_try_server(p, plx_server_listen_on(p->server, "127.0.0.1:0"), "listen"))
        return;
    STEP(p, connect_by(p, "socks5", "127.0.0.1", plx_server_port(p->server)));
    AWAIT(p, COUNT(p, A, CONNECTED) == 1);
    HOLDS(p, p->found == 2);
    /* Without a failure: one may have changed the order of the addresses, or left no memory for the
     * text of one. */
    HOLDS(p, p->expected != NULL ||
                 strcmp(plx_socket_remote_address(p->sockets[A]), "192.0.2.2") == 0);
}
