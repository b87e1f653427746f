/* tests/bench/peer/enet.c -- ENet: enet_host_service(host, event, 0) is a frame.
 *
 * ENet has a protocol of its own over UDP, so both ends are ENet's. Its peers ping each other, and
 * a burst leaves in few large datagrams: it is what a user gets for 64 packets, but not the same
 * on the wire. */
#include "config.h"

#include "tests/bench/peer.h"
#include "tests/bench/wire.h"

#include <enet/enet.h>
#include <stdlib.h>

enum { MAXIMUM = 1000, AT_ONCE = 25, PATIENCE = 100000 };

static void *allocate(size_t size)
{
    void *object = calloc(1, size);

    if (object == NULL || enet_initialize() != 0)
        bench_fail("start ENet");
    return object;
}

static ENetHost *open_host(int port, size_t peers)
{
    ENetAddress address = {.port = (enet_uint16)port};
    ENetHost *host;

    (void)enet_address_set_host_ip(&address, "127.0.0.1");
    host = enet_host_create(&address, peers, 1, 0, 0);
    if (host == NULL)
        bench_fail("enet_host_create");
    return host;
}

/* Returns how many connections came about on one host. */
static size_t serve(ENetHost *host, struct peer_tally *tally)
{
    ENetEvent event;
    size_t connected = 0;

    while (enet_host_service(host, &event, 0) > 0) {
        if (event.type == ENET_EVENT_TYPE_CONNECT)
            connected++;
        if (event.type != ENET_EVENT_TYPE_RECEIVE)
            continue;
        tally->bytes++;
        enet_packet_destroy(event.packet);
    }
    return connected;
}

/* Connects `count` peers of one host to another, and serves both until all are there. */
static void connect_hosts(ENetHost *from, ENetHost *to, size_t count)
{
    struct peer_tally unused = {0};
    ENetAddress address = to->address;
    size_t near = 0;
    size_t far = 0;

    (void)enet_address_set_host_ip(&address, "127.0.0.1");
    for (size_t i = 0; i < count; i++)
        if (enet_host_connect(from, &address, 1, 0) == NULL)
            bench_fail("enet_host_connect");
    for (int i = 0; i < PATIENCE && (near < count || far < count); i++) {
        near += serve(from, &unused);
        far += serve(to, &unused);
    }
    if (near < count || far < count)
        bench_fail("connect by ENet");
}

/* ---- server: for idle frames only ------------------------------------------------------------ */

struct server {
    struct peer_tally *tally;
    ENetHost *host, *clients;
};

static void *server_open(const struct peer *peer, struct peer_tally *tally, const char *path,
                         int *ret_port)
{
    struct server *server;

    (void)peer;
    if (path != NULL)
        return NULL;
    server = allocate(sizeof *server);
    server->tally = tally;
    *ret_port = wire_free_port();
    server->host = open_host(*ret_port, 1);
    server->clients = open_host(wire_free_port(), 1);
    return server;
}

static bool server_poll(void *object)
{
    struct server *server = object;

    (void)serve(server->host, server->tally);
    return false;
}

/* A host walks over all the peers that it was made for, so it is made anew for as many as there are
 * to be. */
static void server_admit(void *object, size_t total)
{
    struct server *server = object;
    size_t connected = 0;

    enet_host_destroy(server->clients);
    enet_host_destroy(server->host);
    server->host = open_host(wire_free_port(), total);
    server->clients = open_host(wire_free_port(), total);
    while (connected < total) {
        size_t more = total - connected < AT_ONCE ? total - connected : AT_ONCE;

        connect_hosts(server->clients, server->host, more);
        connected += more;
    }
    server->tally->accepted = total;
}

static void server_close(void *object)
{
    struct server *server = object;

    enet_host_destroy(server->clients);
    enet_host_destroy(server->host);
    server->tally->ended = server->tally->accepted;
    free(server);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

struct datagrams {
    struct peer_tally *tally;
    ENetHost *host;
    ENetHost *others[PEER_BURST];
    size_t count;
};

static void *datagrams_open(const struct peer *peer, struct peer_tally *tally, const int *ports,
                            size_t count, int *ret_port)
{
    struct datagrams *datagrams = allocate(sizeof *datagrams);

    (void)peer;
    (void)ports;
    datagrams->tally = tally;
    datagrams->count = count;
    *ret_port = wire_free_port();
    datagrams->host = open_host(*ret_port, PEER_BURST);
    for (size_t i = 0; i < count; i++) {
        datagrams->others[i] = open_host(wire_free_port(), 1);
        connect_hosts(datagrams->host, datagrams->others[i], 1);
    }
    return datagrams;
}

static void send_packet(ENetPeer *to)
{
    static const char payload[PEER_PAYLOAD];
    ENetPacket *packet = enet_packet_create(payload, sizeof payload, ENET_PACKET_FLAG_UNSEQUENCED);

    if (packet == NULL || enet_peer_send(to, 0, packet) != 0)
        bench_fail("enet_peer_send");
}

static void datagrams_send(void *object)
{
    struct datagrams *datagrams = object;

    for (size_t i = 0; i < PEER_BURST; i++)
        send_packet(&datagrams->host->peers[i % datagrams->count]);
    enet_host_flush(datagrams->host);
}

static void datagrams_poll(void *object)
{
    struct datagrams *datagrams = object;

    (void)serve(datagrams->host, datagrams->tally);
}

static void datagrams_provoke(void *object)
{
    struct datagrams *datagrams = object;

    for (size_t i = 0; i < PEER_BURST; i++)
        send_packet(&datagrams->others[i % datagrams->count]->peers[0]);
    for (size_t i = 0; i < datagrams->count; i++)
        enet_host_flush(datagrams->others[i]);
}

static size_t datagrams_rest(void *object)
{
    struct datagrams *datagrams = object;
    struct peer_tally tally = {0};

    for (size_t i = 0; i < datagrams->count; i++)
        (void)serve(datagrams->others[i], &tally);
    (void)serve(datagrams->host, &tally);
    return tally.bytes;
}

static void datagrams_close(void *object)
{
    struct datagrams *datagrams = object;

    enet_host_destroy(datagrams->host);
    for (size_t i = 0; i < datagrams->count; i++)
        enet_host_destroy(datagrams->others[i]);
    free(datagrams);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct peer_server server_functions = {server_open, server_poll, NULL, server_close,
                                                    server_admit};
static const struct peer_datagrams datagram_functions = {datagrams_open,    datagrams_send,
                                                         datagrams_poll,    datagrams_close,
                                                         datagrams_provoke, datagrams_rest};

const struct peer peer_enet = {.name = "ENet",
                               .maximum = MAXIMUM,
                               .server = &server_functions,
                               .datagrams = &datagram_functions};
