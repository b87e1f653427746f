/* tests/bench/peer/sdl.c -- SDL2_net: SDLNet_CheckSockets(set, 0) and a walk over what is ready.
 *
 * It waits with select(2), so it holds a thousand sockets at most, and only descriptors below
 * FD_SETSIZE; its listener's queue has five places (SDLnetTCP.c). It has no Unix sockets, and its
 * sends block. */
#include "config.h"

#include "tests/bench/peer.h"
#include "tests/bench/wire.h"

#include <SDL_net.h>
#include <stdlib.h>

enum { MAXIMUM = 1000, HOUR = 3600000 };

static char block[PEER_BLOCK];

static void *allocate(size_t size)
{
    void *object = calloc(1, size);

    if (object == NULL || SDLNet_Init() != 0)
        bench_fail("start SDL2_net");
    return object;
}

/* SDL2_net does not report the port that the kernel chose: it is given one. */
static TCPsocket listen_at(int port)
{
    IPaddress address = {.host = INADDR_ANY};
    TCPsocket listener;

    SDLNet_Write16((Uint16)port, &address.port);
    listener = SDLNet_TCP_Open(&address);
    if (listener == NULL)
        bench_fail("SDLNet_TCP_Open");
    return listener;
}

/* ---- server ---------------------------------------------------------------------------------- */

struct server {
    struct peer_tally *tally;
    SDLNet_SocketSet set;
    TCPsocket listener;
    TCPsocket clients[MAXIMUM];
    size_t count;
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
    server->listener = listen_at(*ret_port);
    server->set = SDLNet_AllocSocketSet(MAXIMUM + 1);
    (void)SDLNet_TCP_AddSocket(server->set, server->listener);
    return server;
}

static void accept_one(struct server *server)
{
    TCPsocket client = SDLNet_TCP_Accept(server->listener);

    if (client == NULL || server->count == MAXIMUM)
        bench_fail("SDLNet_TCP_Accept");
    (void)SDLNet_TCP_AddSocket(server->set, client);
    server->clients[server->count++] = client;
    server->tally->accepted++;
}

/* Returns false when the client is gone. */
static bool serve(struct server *server, TCPsocket client)
{
    struct peer_tally *tally = server->tally;
    int size = SDLNet_TCP_Recv(client, block, sizeof block);

    if (size <= 0)
        return false;
    if (tally->look != NULL)
        tally->look(tally, block, (size_t)size);
    tally->bytes += (size_t)size;
    if (tally->echo && SDLNet_TCP_Send(client, block, size) == size)
        tally->answered++;
    return true;
}

static void forget(struct server *server, size_t i)
{
    (void)SDLNet_TCP_DelSocket(server->set, server->clients[i]);
    SDLNet_TCP_Close(server->clients[i]);
    server->clients[i] = server->clients[--server->count];
    server->tally->ended++;
}

static void pass(struct server *server, Uint32 timeout)
{
    int ready = SDLNet_CheckSockets(server->set, timeout);

    if (ready <= 0)
        return;
    if (SDLNet_SocketReady(server->listener))
        accept_one(server);
    for (size_t i = server->count; i-- > 0;)
        if (SDLNet_SocketReady(server->clients[i]) && !serve(server, server->clients[i]))
            forget(server, i);
}

static bool server_poll(void *object)
{
    pass(object, 0);
    return false;
}

static void server_wait(void *object)
{
    pass(object, HOUR);
}

static void server_close(void *object)
{
    struct server *server = object;

    while (server->count > 0)
        forget(server, 0);
    SDLNet_FreeSocketSet(server->set);
    SDLNet_TCP_Close(server->listener);
    free(server);
}

/* ---- pair ------------------------------------------------------------------------------------ */

struct pair {
    struct peer_tally *tally;
    SDLNet_SocketSet set;
    TCPsocket near, far;
};

static TCPsocket connect_to(int port)
{
    IPaddress address;

    (void)SDLNet_ResolveHost(&address, "127.0.0.1", (Uint16)port);
    return SDLNet_TCP_Open(&address);
}

static void *pair_open(const struct peer *peer, struct peer_tally *tally, enum peer_family family)
{
    struct pair *pair;
    TCPsocket listener;
    int port = wire_free_port();

    (void)peer;
    if (family != PEER_TCP)
        return NULL;
    pair = allocate(sizeof *pair);
    pair->tally = tally;
    listener = listen_at(port);
    pair->near = connect_to(port);
    while ((pair->far = SDLNet_TCP_Accept(listener)) == NULL)
        continue;
    SDLNet_TCP_Close(listener);
    pair->set = SDLNet_AllocSocketSet(2);
    (void)SDLNet_TCP_AddSocket(pair->set, pair->near);
    (void)SDLNet_TCP_AddSocket(pair->set, pair->far);
    return pair;
}

static void pair_send(void *object, const void *data, size_t size)
{
    struct pair *pair = object;

    (void)SDLNet_TCP_Send(pair->near, data, (int)size);
}

static void pair_poll(void *object)
{
    struct pair *pair = object;
    int size;

    if (SDLNet_CheckSockets(pair->set, 0) <= 0)
        return;
    if (SDLNet_SocketReady(pair->far) &&
        (size = SDLNet_TCP_Recv(pair->far, block, sizeof block)) > 0) {
        pair->tally->bytes += (size_t)size;
        if (pair->tally->echo)
            (void)SDLNet_TCP_Send(pair->far, block, size);
    }
    if (SDLNet_SocketReady(pair->near) &&
        (size = SDLNet_TCP_Recv(pair->near, block, sizeof block)) > 0)
        pair->tally->returned += (size_t)size;
}

static void pair_close(void *object)
{
    struct pair *pair = object;

    SDLNet_FreeSocketSet(pair->set);
    SDLNet_TCP_Close(pair->near);
    SDLNet_TCP_Close(pair->far);
    free(pair);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

struct datagrams {
    struct peer_tally *tally;
    UDPsocket socket;
    UDPpacket *packet;
    size_t count;
    IPaddress to[PEER_BURST];
};

static void *datagrams_open(const struct peer *peer, struct peer_tally *tally, const int *ports,
                            size_t count, int *ret_port)
{
    struct datagrams *datagrams = allocate(sizeof *datagrams);

    (void)peer;
    datagrams->tally = tally;
    datagrams->count = count;
    for (size_t i = 0; i < count; i++)
        (void)SDLNet_ResolveHost(&datagrams->to[i], "127.0.0.1", (Uint16)ports[i]);
    *ret_port = wire_free_port();
    datagrams->socket = SDLNet_UDP_Open((Uint16)*ret_port);
    datagrams->packet = SDLNet_AllocPacket(2048);
    if (datagrams->socket == NULL || datagrams->packet == NULL)
        bench_fail("SDLNet_UDP_Open");
    return datagrams;
}

static void datagrams_send(void *object)
{
    struct datagrams *datagrams = object;

    datagrams->packet->len = PEER_PAYLOAD;
    for (size_t i = 0; i < PEER_BURST; i++) {
        datagrams->packet->address = datagrams->to[i % datagrams->count];
        if (SDLNet_UDP_Send(datagrams->socket, -1, datagrams->packet) == 0)
            bench_fail("SDLNet_UDP_Send");
    }
}

static void datagrams_poll(void *object)
{
    struct datagrams *datagrams = object;

    while (SDLNet_UDP_Recv(datagrams->socket, datagrams->packet) > 0)
        datagrams->tally->bytes++;
}

static void datagrams_close(void *object)
{
    struct datagrams *datagrams = object;

    SDLNet_FreePacket(datagrams->packet);
    SDLNet_UDP_Close(datagrams->socket);
    free(datagrams);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct peer_server server_functions = {server_open, server_poll, server_wait,
                                                    server_close, NULL};
static const struct peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};
static const struct peer_datagrams datagram_functions = {
    datagrams_open, datagrams_send, datagrams_poll, datagrams_close, NULL, NULL};

const struct peer peer_sdl = {.name = "SDL2_net",
                              .maximum = MAXIMUM,
                              .backlog = 4,
                              .server = &server_functions,
                              .pair = &pair_functions,
                              .datagrams = &datagram_functions};
