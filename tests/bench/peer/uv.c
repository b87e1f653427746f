/* tests/bench/peer/uv.c -- libuv: uv_run(UV_RUN_NOWAIT) is a frame.
 *
 * Sends by uv_try_write, which calls the kernel at once and allocates nothing, and by uv_write what
 * that leaves. All reads share one block: a handler is done with it before the next read. */
#include "config.h"

#include "tests/bench/peer.h"
#include "tests/bench/wire.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char block[PEER_BLOCK];

union handle {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

static void lend_block(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(block, sizeof block);
}

static void written(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

/* The request and a copy of the rest are one allocation. */
static void write_rest(uv_stream_t *stream, const char *data, size_t size)
{
    uv_write_t *request = malloc(sizeof *request + size);
    uv_buf_t buffer = uv_buf_init((char *)(request + 1), (unsigned)size);

    if (request == NULL)
        bench_fail("memory");
    memcpy(buffer.base, data, size);
    if (uv_write(request, stream, &buffer, 1, written) != 0)
        bench_fail("uv_write");
}

static void send_all(uv_stream_t *stream, const char *data, size_t size)
{
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)data, (unsigned)size);
    int sent = uv_try_write(stream, &buffer, 1);
    size_t taken = sent < 0 ? 0 : (size_t)sent;

    if (taken < size)
        write_rest(stream, data + taken, size - taken);
}

/* Lets the closing handles go, and then the loop itself. */
static void close_loop(uv_loop_t *loop)
{
    (void)uv_run(loop, UV_RUN_NOWAIT);
    (void)uv_run(loop, UV_RUN_NOWAIT);
    (void)uv_loop_close(loop);
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
    uv_loop_t loop;
    union handle listener;
    struct peer_tally *tally;
    bool is_pipe;
};

static void freed(uv_handle_t *handle)
{
    free(handle);
}

static void server_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct server *server = stream->loop->data;
    struct peer_tally *tally = server->tally;

    if (size < 0) {
        tally->ended++;
        uv_close((uv_handle_t *)stream, freed);
        return;
    }
    if (size == 0)
        return;
    if (tally->look != NULL)
        tally->look(tally, buffer->base, (size_t)size);
    tally->bytes += (size_t)size;
    if (!tally->echo)
        return;
    send_all(stream, buffer->base, (size_t)size);
    tally->answered++;
}

static void server_accept(uv_stream_t *listener, int status)
{
    struct server *server = listener->loop->data;
    union handle *client = allocate(server->is_pipe ? sizeof client->pipe : sizeof client->tcp);

    if (server->is_pipe)
        (void)uv_pipe_init(&server->loop, &client->pipe, 0);
    else
        (void)uv_tcp_init(&server->loop, &client->tcp);
    if (status != 0 || uv_accept(listener, &client->stream) != 0)
        bench_fail("uv_accept");
    if (!server->is_pipe)
        (void)uv_tcp_nodelay(&client->tcp, 1);
    (void)uv_read_start(&client->stream, lend_block, server_read);
    server->tally->accepted++;
}

static void bind_listener(struct server *server, const char *path)
{
    struct sockaddr_in address = wire_loopback(0);
    int result;

    if (server->is_pipe) {
        (void)uv_pipe_init(&server->loop, &server->listener.pipe, 0);
        result = uv_pipe_bind(&server->listener.pipe, path);
    } else {
        (void)uv_tcp_init(&server->loop, &server->listener.tcp);
        result = uv_tcp_bind(&server->listener.tcp, (const struct sockaddr *)&address, 0);
    }
    if (result != 0 || uv_listen(&server->listener.stream, PEER_BACKLOG, server_accept) != 0)
        bench_fail("uv_listen");
}

static void *server_open(const struct peer *peer, struct peer_tally *tally, const char *path,
                         int *ret_port)
{
    struct server *server = allocate(sizeof *server);
    uv_os_fd_t descriptor = -1;

    (void)peer;
    server->tally = tally;
    server->is_pipe = path != NULL;
    (void)uv_loop_init(&server->loop);
    server->loop.data = server;
    bind_listener(server, path);
    (void)uv_fileno(&server->listener.handle, &descriptor);
    *ret_port = wire_port(descriptor);
    return server;
}

static bool server_poll(void *object)
{
    struct server *server = object;

    (void)uv_run(&server->loop, UV_RUN_NOWAIT);
    return false;
}

static void server_wait(void *object)
{
    struct server *server = object;

    (void)uv_run(&server->loop, UV_RUN_ONCE);
}

static void server_close(void *object)
{
    struct server *server = object;

    uv_close(&server->listener.handle, NULL);
    close_loop(&server->loop);
    free(server);
}

/* ---- pair ------------------------------------------------------------------------------------ */

struct pair {
    uv_loop_t loop;
    union handle near, far;
    struct peer_tally *tally;
};

static void far_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct pair *pair = stream->loop->data;

    if (size <= 0)
        return;
    pair->tally->bytes += (size_t)size;
    if (pair->tally->echo)
        send_all(stream, buffer->base, (size_t)size);
}

static void near_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct pair *pair = stream->loop->data;

    (void)buffer;
    if (size > 0)
        pair->tally->returned += (size_t)size;
}

static void open_end(struct pair *pair, union handle *end, enum peer_family family, int descriptor,
                     uv_read_cb take)
{
    int result;

    if (family == PEER_TCP) {
        (void)uv_tcp_init(&pair->loop, &end->tcp);
        result = uv_tcp_open(&end->tcp, descriptor);
    } else {
        (void)uv_pipe_init(&pair->loop, &end->pipe, 0);
        result = uv_pipe_open(&end->pipe, descriptor);
    }
    if (result != 0 || uv_read_start(&end->stream, lend_block, take) != 0)
        bench_fail("uv_read_start");
}

static void *pair_open(const struct peer *peer, struct peer_tally *tally, enum peer_family family)
{
    struct pair *pair = allocate(sizeof *pair);
    int ends[2];

    (void)peer;
    pair->tally = tally;
    (void)uv_loop_init(&pair->loop);
    pair->loop.data = pair;
    wire_pair(family, ends);
    open_end(pair, &pair->near, family, ends[0], near_read);
    open_end(pair, &pair->far, family, ends[1], far_read);
    return pair;
}

static void pair_send(void *object, const void *data, size_t size)
{
    struct pair *pair = object;

    send_all(&pair->near.stream, data, size);
}

static void pair_poll(void *object)
{
    struct pair *pair = object;

    (void)uv_run(&pair->loop, UV_RUN_NOWAIT);
}

static void pair_close(void *object)
{
    struct pair *pair = object;

    uv_close(&pair->near.handle, NULL);
    uv_close(&pair->far.handle, NULL);
    close_loop(&pair->loop);
    free(pair);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

struct datagrams {
    uv_loop_t loop;
    uv_udp_t socket;
    struct peer_tally *tally;
    size_t count;
    struct sockaddr_in to[PEER_BURST];
};

static void datagram_read(uv_udp_t *socket, ssize_t size, const uv_buf_t *buffer,
                          const struct sockaddr *from, unsigned flags)
{
    struct datagrams *datagrams = socket->data;

    (void)size;
    (void)buffer;
    (void)flags;
    if (from != NULL)
        datagrams->tally->bytes++;
}

/* UV_UDP_RECVMMSG and a block for twenty datagrams: one call takes many. */
static void *datagrams_open(const struct peer *peer, struct peer_tally *tally, const int *ports,
                            size_t count, int *ret_port)
{
    struct datagrams *datagrams = allocate(sizeof *datagrams);
    struct sockaddr_in address = wire_loopback(0);
    uv_os_fd_t descriptor = -1;

    (void)peer;
    datagrams->tally = tally;
    datagrams->count = count;
    for (size_t i = 0; i < count; i++)
        datagrams->to[i] = wire_loopback(ports[i]);
    (void)uv_loop_init(&datagrams->loop);
    if (uv_udp_init_ex(&datagrams->loop, &datagrams->socket, AF_INET | UV_UDP_RECVMMSG) != 0 ||
        uv_udp_bind(&datagrams->socket, (const struct sockaddr *)&address, 0) != 0 ||
        uv_udp_recv_start(&datagrams->socket, lend_block, datagram_read) != 0)
        bench_fail("bind by libuv");
    datagrams->socket.data = datagrams;
    (void)uv_fileno((uv_handle_t *)&datagrams->socket, &descriptor);
    *ret_port = wire_port(descriptor);
    return datagrams;
}

static void datagrams_send(void *object)
{
    static char payload[PEER_PAYLOAD];
    struct datagrams *datagrams = object;
    uv_buf_t buffer = uv_buf_init(payload, sizeof payload);

    for (size_t i = 0; i < PEER_BURST; i++)
        if (uv_udp_try_send(&datagrams->socket, &buffer, 1,
                            (const struct sockaddr *)&datagrams->to[i % datagrams->count]) < 0)
            bench_fail("uv_udp_try_send");
}

static void datagrams_poll(void *object)
{
    struct datagrams *datagrams = object;

    (void)uv_run(&datagrams->loop, UV_RUN_NOWAIT);
}

static void datagrams_close(void *object)
{
    struct datagrams *datagrams = object;

    uv_close((uv_handle_t *)&datagrams->socket, NULL);
    close_loop(&datagrams->loop);
    free(datagrams);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct peer_server server_functions = {server_open, server_poll, server_wait,
                                                    server_close, NULL};
static const struct peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};
static const struct peer_datagrams datagram_functions = {
    datagrams_open, datagrams_send, datagrams_poll, datagrams_close, NULL, NULL};

const struct peer peer_uv = {.name = "libuv",
                             .server = &server_functions,
                             .pair = &pair_functions,
                             .datagrams = &datagram_functions};
