/* tests/bench/peer/pollux.c -- Pollux: lone sockets, and groups with each mechanism. */
#include "config.h"

#include "tests/bench/peer.h"
#include "tests/bench/service.h"
#include "tests/bench/wire.h"

#include <errno.h>
#include <pollux.h>
#include <stdlib.h>

enum { BUDGET = 500 }; /* microseconds */

/* What every object begins with. */
struct base {
    struct peer_tally *tally;
    plx_group *group; /* NULL: its sockets are polled one by one */
};

/* Returns false when the mechanism is not available. */
static bool begin(struct base *base, const struct peer *peer, struct peer_tally *tally)
{
    base->tally = tally;
    if (peer->mechanism == NULL)
        return true;
    base->group = service_group(peer->mechanism);
    return base->group != NULL;
}

static void *allocate(size_t size)
{
    void *object = calloc(1, size);

    if (object == NULL)
        bench_fail("memory");
    return object;
}

/* ---- server ---------------------------------------------------------------------------------- */

struct server {
    struct base base;
    plx_server *server;
};

static void arrived(plx_socket *socket, void *user)
{
    struct peer_tally *tally = user;
    size_t size;
    const void *data = plx_socket_read_all(socket, &size);

    if (tally->look != NULL)
        tally->look(tally, data, size);
    tally->bytes += size;
    if (tally->echo && plx_socket_write(socket, data, size) == (ptrdiff_t)size)
        tally->answered++;
}

static void ended(plx_socket *socket, void *user)
{
    struct peer_tally *tally = user;

    (void)socket;
    tally->ended++;
}

static void accepted(plx_server *server, plx_socket *client, void *user)
{
    struct peer_tally *tally = user;

    (void)server;
    (void)client;
    tally->accepted++;
}

/* The other way to take bytes: into a buffer of one's own. */
static void arrived_to_be_read(plx_socket *socket, void *user)
{
    struct peer_tally *tally = user;
    char buffer[4096];
    ptrdiff_t size = plx_socket_read(socket, buffer, sizeof buffer);

    if (size > 0 && tally->echo && plx_socket_write(socket, buffer, (size_t)size) == size)
        tally->answered++;
}

static struct server *open_with(const struct peer *peer, struct peer_tally *tally, const char *path,
                                int *ret_port, const plx_events *client_events)
{
    static const plx_server_events server_events = {.accepted = accepted};
    struct server *server = allocate(sizeof *server);

    if (!begin(&server->base, peer, tally)) {
        free(server);
        return NULL;
    }
    server->server = plx_server_new(path == NULL ? plx_tcp_new : plx_ipc_new);
    plx_server_set_events(server->server, &server_events, tally);
    plx_server_set_client_events(server->server, client_events, tally);
    errno = plx_server_listen_on(server->server, path == NULL ? "127.0.0.1:0" : path);
    if (errno != 0)
        bench_fail("listen by Pollux");
    errno = plx_group_add_server(server->base.group, server->server);
    if (errno != 0)
        bench_fail("add the server to the group");
    *ret_port = plx_server_port(server->server);
    return server;
}

static void *server_open(const struct peer *peer, struct peer_tally *tally, const char *path,
                         int *ret_port)
{
    static const plx_events events = {.data_available = arrived, .disconnected = ended};

    return open_with(peer, tally, path, ret_port, &events);
}

static void *open_to_read(const struct peer *peer, struct peer_tally *tally, const char *path,
                          int *ret_port)
{
    static const plx_events events = {.data_available = arrived_to_be_read, .disconnected = ended};

    return open_with(peer, tally, path, ret_port, &events);
}

static void *open_with_budget(const struct peer *peer, struct peer_tally *tally, const char *path,
                              int *ret_port)
{
    struct server *server = server_open(peer, tally, path, ret_port);

    plx_group_set_budget(server->base.group, BUDGET, 0);
    return server;
}

static bool server_poll(void *object)
{
    struct server *server = object;

    return plx_group_poll(server->base.group, 0);
}

static void server_wait(void *object)
{
    struct server *server = object;

    (void)plx_group_poll(server->base.group, -1);
}

static void server_close(void *object)
{
    struct server *server = object;

    server->server = plx_server_free(server->server);
    (void)plx_group_free(server->base.group);
    free(server);
}

/* ---- pair ------------------------------------------------------------------------------------ */

struct pair {
    struct base base;
    plx_socket *near, *far;
};

static void near_arrived(plx_socket *socket, void *user)
{
    struct peer_tally *tally = user;

    tally->returned += plx_socket_skip(socket, plx_socket_bytes_available(socket));
}

static plx_socket *open_end(struct pair *pair, enum peer_family family, const plx_events *events,
                            int descriptor)
{
    plx_socket *socket = family == PEER_TCP ? plx_tcp_new() : plx_ipc_new();

    if (socket == NULL)
        bench_fail("make a socket");
    plx_socket_set_events(socket, events, pair->base.tally);
    errno = plx_socket_adopt(socket, descriptor);
    if (errno != 0)
        bench_fail("adopt a descriptor");
    if (pair->base.group != NULL)
        (void)plx_group_add(pair->base.group, socket);
    return socket;
}

static void *pair_open(const struct peer *peer, struct peer_tally *tally, enum peer_family family)
{
    static const plx_events near = {.data_available = near_arrived};
    static const plx_events far = {.data_available = arrived};
    struct pair *pair = allocate(sizeof *pair);
    int ends[2];

    if (!begin(&pair->base, peer, tally)) {
        free(pair);
        return NULL;
    }
    wire_pair(family, ends);
    pair->near = open_end(pair, family, &near, ends[0]);
    pair->far = open_end(pair, family, &far, ends[1]);
    return pair;
}

/* What a write leaves in the queue is sent now: that is how one asks for an answer at once. */
static void pair_send(void *object, const void *data, size_t size)
{
    struct pair *pair = object;

    if (plx_socket_write(pair->near, data, size) != (ptrdiff_t)size)
        bench_fail("write by Pollux");
    if (plx_socket_bytes_left_to_send(pair->near) > 0)
        (void)plx_socket_flush(pair->near);
}

static void pair_poll(void *object)
{
    struct pair *pair = object;

    if (pair->base.group != NULL) {
        (void)plx_group_poll(pair->base.group, 0);
        return;
    }
    if (plx_socket_bytes_left_to_send(pair->near) > 0)
        (void)plx_socket_poll(pair->near);
    (void)plx_socket_poll(pair->far);
    if (pair->base.tally->echo)
        (void)plx_socket_poll(pair->near);
}

static void pair_close(void *object)
{
    struct pair *pair = object;

    pair->near = plx_socket_free(pair->near);
    pair->far = plx_socket_free(pair->far);
    (void)plx_group_free(pair->base.group);
    free(pair);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

struct datagrams {
    struct base base;
    plx_socket *socket;
    size_t count;
    plx_address to[PEER_BURST];
};

static void datagrams_arrived(plx_socket *socket, void *user)
{
    struct peer_tally *tally = user;
    plx_datagram datagram;

    while (plx_udp_read(socket, &datagram))
        tally->bytes++;
}

static void *datagrams_open(const struct peer *peer, struct peer_tally *tally, const int *ports,
                            size_t count, int *ret_port)
{
    static const plx_events events = {.data_available = datagrams_arrived};
    struct datagrams *datagrams = allocate(sizeof *datagrams);

    if (!begin(&datagrams->base, peer, tally)) {
        free(datagrams);
        return NULL;
    }
    datagrams->count = count;
    for (size_t i = 0; i < count; i++)
        datagrams->to[i] =
            (plx_address){.family = 4, .port = (uint16_t)ports[i], .bytes = {127, 0, 0, 1}};
    datagrams->socket = plx_udp_new();
    plx_socket_set_events(datagrams->socket, &events, tally);
    (void)plx_socket_set_option(datagrams->socket, PLX_OPTION_PROTOCOL, 0);
    (void)plx_socket_set_interface(datagrams->socket, "127.0.0.1");
    errno = plx_socket_connect(datagrams->socket);
    if (errno != 0)
        bench_fail("bind by Pollux");
    if (datagrams->base.group != NULL)
        (void)plx_group_add(datagrams->base.group, datagrams->socket);
    *ret_port = plx_socket_port(datagrams->socket);
    return datagrams;
}

static void datagrams_send(void *object)
{
    static const char payload[PEER_PAYLOAD];
    struct datagrams *datagrams = object;

    for (size_t i = 0; i < PEER_BURST; i++)
        (void)plx_udp_write(datagrams->socket, &datagrams->to[i % datagrams->count], payload,
                            sizeof payload);
    (void)plx_socket_flush(datagrams->socket);
}

static void datagrams_poll(void *object)
{
    struct datagrams *datagrams = object;

    if (datagrams->base.group != NULL)
        (void)plx_group_poll(datagrams->base.group, 0);
    else
        (void)plx_socket_poll(datagrams->socket);
}

static void datagrams_close(void *object)
{
    struct datagrams *datagrams = object;

    datagrams->socket = plx_socket_free(datagrams->socket);
    (void)plx_group_free(datagrams->base.group);
    free(datagrams);
}

/* ---- the tables ------------------------------------------------------------------------------ */

static const struct peer_server server_functions = {server_open, server_poll, server_wait,
                                                    server_close, NULL};
static const struct peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};
static const struct peer_datagrams datagram_functions = {
    datagrams_open, datagrams_send, datagrams_poll, datagrams_close, NULL, NULL};

const struct peer peer_pollux = {
    .name = "Pollux", .pair = &pair_functions, .datagrams = &datagram_functions};
const struct peer peer_pollux_epoll = {.name = "Pollux (epoll)",
                                       .mechanism = "epoll",
                                       .server = &server_functions,
                                       .pair = &pair_functions};
const struct peer peer_pollux_uring = {.name = "Pollux (io_uring)",
                                       .mechanism = "io_uring",
                                       .server = &server_functions,
                                       .pair = &pair_functions,
                                       .datagrams = &datagram_functions};

static const struct peer_server read_functions = {open_to_read, server_poll, server_wait,
                                                  server_close, NULL};
static const struct peer_server budget_functions = {open_with_budget, server_poll, server_wait,
                                                    server_close, NULL};

const struct peer peer_pollux_read = {
    .name = "Pollux (epoll, read)", .mechanism = "epoll", .server = &read_functions};
const struct peer peer_pollux_budget = {
    .name = "Pollux (0.5 ms budget)", .mechanism = "epoll", .server = &budget_functions};
