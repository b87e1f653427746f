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

/* A client of the server says a line to A, the first one another than those behind it. */
static void say(struct record *record, plx_socket *socket, const struct proxy_line *first,
                const struct proxy_line *later)
{
    struct part_log *log = (struct part_log *)record;
    const struct proxy_line *line = log->play->found++ == 0 ? first : later;
    ptrdiff_t written = plx_socket_write(socket, line->bytes, line->size);

    log->refused += written != (ptrdiff_t)line->size;
}

/* Connects by a server that is the proxy. */
static void connect_by_server(struct play *p, const char *scheme, record_act *act)
{
    STEP(p, play_open_server(p));
    record_on(LOG(p, GUESTS), EVENT_CONNECTED, act, NULL);
    LOG(p, GUESTS)->always = true;
    if (!play_try_server(p, plx_server_listen_on(p->server, "127.0.0.1:0"), "listen"))
        return;
    STEP(p, connect_by(p, scheme, "127.0.0.1", plx_server_port(p->server)));
    AWAIT(p, COUNT(p, A, CONNECTED) == 1);
}

/* A connection that ends behind the question is replaced by another. */
static void act_ask_one(struct record *record, plx_socket *socket)
{
    static const struct proxy_line asks = PROXY_LINE(ASKS ESTABLISHED);
    static const struct proxy_line grants = PROXY_LINE(ESTABLISHED);

    say(record, socket, &asks, &grants);
}

void run_proxy_that_asks(struct play *p)
{
    record_on(LOG(p, A), EVENT_PROXY_ASKS, act_answer, NULL);
    STEP(p, connect_by_server(p, "http", act_ask_one));
    HOLDS(p, COUNT(p, A, PROXY_ASKS) == 1);
    HOLDS(p, p->found == 1 || p->expected != NULL);
}

static void act_refuse_one(struct record *record, plx_socket *socket)
{
    static const struct proxy_line refuses = PROXY_LINE(METHOD_NONE REPLY("\5"));
    static const struct proxy_line grants = PROXY_LINE(METHOD_NONE GRANTED);

    say(record, socket, &refuses, &grants);
}

/* The target's name is looked up here, and its addresses are tried one after another. */
void run_proxy_with_addresses(struct play *p)
{
    p->names.ipv4 = ADDRESSES("192.0.2.1", "192.0.2.2");
    STEP(p, connect_by_server(p, "socks5", act_refuse_one));
    HOLDS(p, p->found == 2);
    /* Without a failure: one may have changed the order of the addresses, or left no memory for the
     * text of one. */
    HOLDS(p, p->expected != NULL ||
                 strcmp(plx_socket_remote_address(p->sockets[A]), "192.0.2.2") == 0);
}
