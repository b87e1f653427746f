/* tests/bench/peer/event.c -- libevent: event_base_loop(EVLOOP_ONCE | EVLOOP_NONBLOCK) is a frame.
 *
 * EVLOOP_NONBLOCK alone goes on as long as anything is ready, so under a flood it never returns.
 * Streams are bufferevents, and an echo moves the bytes from the input to the output without a
 * copy, as its book has it. It has nothing for datagrams but watching a descriptor. */
#include "config.h"

#include "tests/bench/peer.h"
#include "tests/bench/wire.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>

/* ---- server ---------------------------------------------------------------------------------- */

struct server {
    struct peer_tally *tally;
    struct event_base *base;
    struct evconnlistener *listener;
};

static void look(struct peer_tally *tally, struct evbuffer *input)
{
    size_t size = evbuffer_get_length(input);

    tally->look(tally, evbuffer_pullup(input, -1), size);
}

static void server_read(struct bufferevent *client, void *user)
{
    struct peer_tally *tally = user;
    struct evbuffer *input = bufferevent_get_input(client);
    size_t size = evbuffer_get_length(input);

    if (tally->look != NULL)
        look(tally, input);
    tally->bytes += size;
    if (tally->echo)
        (void)evbuffer_add_buffer(bufferevent_get_output(client), input);
    else
        (void)evbuffer_drain(input, size);
}

/* The output is empty: an echo has left. */
static void server_written(struct bufferevent *client, void *user)
{
    struct peer_tally *tally = user;

    (void)client;
    tally->answered++;
}

static void server_ended(struct bufferevent *client, short what, void *user)
{
    struct peer_tally *tally = user;

    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0)
        return;
    bufferevent_free(client);
    tally->ended++;
}

static void server_accept(struct evconnlistener *listener, evutil_socket_t descriptor,
                          struct sockaddr *address, int size, void *user)
{
    struct server *server = user;
    struct bufferevent *client =
        bufferevent_socket_new(server->base, descriptor, BEV_OPT_CLOSE_ON_FREE);

    (void)listener;
    (void)address;
    (void)size;
    if (client == NULL)
        bench_fail("bufferevent_socket_new");
    wire_low_delay(descriptor);
    bufferevent_setcb(client, server_read, server_written, server_ended, server->tally);
    (void)bufferevent_enable(client, EV_READ | EV_WRITE);
    server->tally->accepted++;
}

static void *server_open(const struct peer *peer, struct peer_tally *tally, const char *path,
                         int *ret_port)
{
    struct server *server = calloc(1, sizeof *server);

    (void)peer;
    if (server == NULL)
        bench_fail("memory");
    server->tally = tally;
    server->base = event_base_new();
    server->listener = evconnlistener_new(server->base, server_accept, server,
                                          LEV_OPT_CLOSE_ON_FREE, 0, wire_listen(path, ret_port));
    if (server->listener == NULL)
        bench_fail("evconnlistener_new");
    return server;
}

static bool server_poll(void *object)
{
    struct server *server = object;

    (void)event_base_loop(server->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    return false;
}

static void server_wait(void *object)
{
    struct server *server = object;

    (void)event_base_loop(server->base, EVLOOP_ONCE);
}

static void server_close(void *object)
{
    struct server *server = object;

    evconnlistener_free(server->listener);
    event_base_free(server->base);
    free(server);
}

/* ---- pair ------------------------------------------------------------------------------------ */

struct pair {
    struct peer_tally *tally;
    struct event_base *base;
    struct bufferevent *near, *far;
};

static void near_read(struct bufferevent *near, void *user)
{
    struct peer_tally *tally = user;
    struct evbuffer *input = bufferevent_get_input(near);
    size_t size = evbuffer_get_length(input);

    tally->returned += size;
    (void)evbuffer_drain(input, size);
}

static void *pair_open(const struct peer *peer, struct peer_tally *tally, enum peer_family family)
{
    struct pair *pair = calloc(1, sizeof *pair);
    int ends[2];

    (void)peer;
    if (pair == NULL)
        bench_fail("memory");
    pair->tally = tally;
    pair->base = event_base_new();
    wire_pair(family, ends);
    pair->near = bufferevent_socket_new(pair->base, ends[0], BEV_OPT_CLOSE_ON_FREE);
    pair->far = bufferevent_socket_new(pair->base, ends[1], BEV_OPT_CLOSE_ON_FREE);
    if (pair->near == NULL || pair->far == NULL)
        bench_fail("bufferevent_socket_new");
    bufferevent_setcb(pair->near, near_read, NULL, NULL, tally);
    bufferevent_setcb(pair->far, server_read, NULL, NULL, tally);
    (void)bufferevent_enable(pair->near, EV_READ | EV_WRITE);
    (void)bufferevent_enable(pair->far, EV_READ | EV_WRITE);
    return pair;
}

static void pair_send(void *object, const void *data, size_t size)
{
    struct pair *pair = object;

    (void)bufferevent_write(pair->near, data, size);
}

static void pair_poll(void *object)
{
    struct pair *pair = object;

    (void)event_base_loop(pair->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void pair_close(void *object)
{
    struct pair *pair = object;

    bufferevent_free(pair->near);
    bufferevent_free(pair->far);
    event_base_free(pair->base);
    free(pair);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct peer_server server_functions = {server_open, server_poll, server_wait,
                                                    server_close, NULL};
static const struct peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};

const struct peer peer_event = {
    .name = "libevent", .server = &server_functions, .pair = &pair_functions};
