/* tests/bench/peer/zmq.c -- ZeroMQ: messages, and a thread of its own that moves them.
 *
 * As a server it is one ZMQ_STREAM socket, which speaks plain TCP; a frame takes what its thread
 * has put into the queue. Between two ends there are two PAIR sockets. */
#include "config.h"

#include "tests/bench/peer.h"
#include "tests/bench/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { IDENTITIES = 65536 };

static void check(int result, const char *step)
{
    if (result < 0)
        bench_fail(step);
}

static void *allocate(size_t size)
{
    void *object = calloc(1, size);

    if (object == NULL)
        bench_fail("memory");
    return object;
}

/* Sends what is left at the end nowhere: a context would else wait for it. */
static void *open_socket(void *context, int type)
{
    int nothing = 0;
    void *socket = zmq_socket(context, type);

    if (socket == NULL)
        bench_fail("zmq_socket");
    check(zmq_setsockopt(socket, ZMQ_LINGER, &nothing, sizeof nothing), "zmq_setsockopt");
    return socket;
}

/* ---- server ---------------------------------------------------------------------------------- */

struct server {
    struct peer_tally *tally;
    void *context, *socket;
    bool known[IDENTITIES]; /* by number: it is connected */
};

static void *server_open(const struct peer *peer, struct peer_tally *tally, const char *path,
                         int *ret_port)
{
    struct server *server;
    int backlog = PEER_BACKLOG;
    int unlimited = 0;
    char where[64];

    (void)peer;
    if (path != NULL)
        return NULL;
    server = allocate(sizeof *server);
    server->tally = tally;
    server->context = zmq_ctx_new();
    check(zmq_ctx_set(server->context, ZMQ_MAX_SOCKETS, 2), "zmq_ctx_set");
    server->socket = open_socket(server->context, ZMQ_STREAM);
    *ret_port = wire_free_port();
    (void)snprintf(where, sizeof where, "tcp://127.0.0.1:%d", *ret_port);
    check(zmq_setsockopt(server->socket, ZMQ_BACKLOG, &backlog, sizeof backlog), "backlog");
    check(zmq_setsockopt(server->socket, ZMQ_RCVHWM, &unlimited, sizeof unlimited), "limit");
    check(zmq_setsockopt(server->socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited), "limit");
    check(zmq_bind(server->socket, where), "zmq_bind");
    return server;
}

/* An empty message reports a new connection, the next one that it is gone. Identities are
 * a zero byte and a number that grows by one. */
static void note(struct server *server, const unsigned char *identity)
{
    size_t number = ((size_t)identity[3] << 8 | identity[4]) % IDENTITIES;

    if (server->known[number])
        server->tally->ended++;
    else
        server->tally->accepted++;
    server->known[number] = !server->known[number];
}

static void serve(struct server *server, zmq_msg_t *identity, zmq_msg_t *data)
{
    struct peer_tally *tally = server->tally;

    tally->bytes += zmq_msg_size(data);
    if (zmq_msg_size(data) == 0)
        note(server, zmq_msg_data(identity));
    else if (tally->echo && zmq_msg_send(identity, server->socket, ZMQ_SNDMORE) >= 0 &&
             zmq_msg_send(data, server->socket, 0) >= 0)
        tally->answered++;
}

static bool server_poll(void *object)
{
    struct server *server = object;
    zmq_msg_t identity, data;

    (void)zmq_msg_init(&identity);
    (void)zmq_msg_init(&data);
    while (zmq_msg_recv(&identity, server->socket, ZMQ_DONTWAIT) >= 0) {
        check(zmq_msg_recv(&data, server->socket, 0), "zmq_msg_recv");
        serve(server, &identity, &data);
    }
    (void)zmq_msg_close(&identity);
    (void)zmq_msg_close(&data);
    return false;
}

static void server_close(void *object)
{
    struct server *server = object;

    (void)zmq_close(server->socket);
    (void)zmq_ctx_term(server->context);
    free(server);
}

/* ---- pair ------------------------------------------------------------------------------------ */

struct pair {
    struct peer_tally *tally;
    void *context, *near, *far;
};

static void *pair_open(const struct peer *peer, struct peer_tally *tally, enum peer_family family)
{
    struct pair *pair = allocate(sizeof *pair);
    char where[64];

    (void)peer;
    pair->tally = tally;
    pair->context = zmq_ctx_new();
    pair->near = open_socket(pair->context, ZMQ_PAIR);
    pair->far = open_socket(pair->context, ZMQ_PAIR);
    if (family == PEER_TCP)
        (void)snprintf(where, sizeof where, "tcp://127.0.0.1:%d", wire_free_port());
    else
        (void)snprintf(where, sizeof where, "ipc://@pollux-bench-zmq-%d", (int)getpid());
    check(zmq_bind(pair->far, where), "zmq_bind");
    check(zmq_connect(pair->near, where), "zmq_connect");
    return pair;
}

static void pair_send(void *object, const void *data, size_t size)
{
    struct pair *pair = object;

    check(zmq_send(pair->near, data, size, 0), "zmq_send");
}

static void pair_poll(void *object)
{
    struct pair *pair = object;
    struct peer_tally *tally = pair->tally;
    zmq_msg_t message;

    (void)zmq_msg_init(&message);
    if (zmq_msg_recv(&message, pair->far, ZMQ_DONTWAIT) >= 0) {
        tally->bytes += zmq_msg_size(&message);
        if (tally->echo)
            check(zmq_msg_send(&message, pair->far, 0), "zmq_msg_send");
    }
    if (tally->echo && zmq_msg_recv(&message, pair->near, ZMQ_DONTWAIT) >= 0)
        tally->returned += zmq_msg_size(&message);
    (void)zmq_msg_close(&message);
}

static void pair_close(void *object)
{
    struct pair *pair = object;

    (void)zmq_close(pair->near);
    (void)zmq_close(pair->far);
    (void)zmq_ctx_term(pair->context);
    free(pair);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct peer_server server_functions = {server_open, server_poll, NULL, server_close,
                                                    NULL};
static const struct peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};

const struct peer peer_zmq = {
    .name = "ZeroMQ", .threads = true, .server = &server_functions, .pair = &pair_functions};
