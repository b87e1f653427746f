/* lib/kind/tcp.c -- TCP. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/endpoint/internet.h"
#include "lib/os/errno.h"
#include "lib/socket/chain.h"
#include "lib/socket/failure.h"
#include "lib/socket/options.h"
#include "lib/socket/rare.h"
#include "lib/socket/read.h"
#include "lib/socket/room.h"
#include "lib/socket/sending.h"
#include "lib/socket/state.h"
#include "lib/socket/write.h"
#include "lib/transfer/stream.h"

#include <pollux/tcp.h>

/* Keeps an urgent byte at its place in the stream (SO_OOBINLINE, RFC 6093). By default the kernel
 * takes the byte out of the stream. */
static void tcp_prepare(plx__fd descriptor)
{
    plx__os_set_urgent_inline(descriptor);
}

/* ---- the urgent byte ------------------------------------------------------------------------- */

/* TCP has one urgent byte in each direction: a pointer into the stream, which a later one replaces
 * (RFC 6093, section 2). Both places are counted from 1; 0: there is none. */
struct plx__urgent {
    size_t queued;   /* its place in the send queue */
    uint64_t marked; /* its place in all bytes received since the connection began */
    bool sought;     /* the program asks for the mark: each receive looks for it */
};

static struct plx__urgent *urgent_of(const plx_socket *socket)
{
    return plx__rare_of(socket)->urgent;
}

static struct plx__urgent *make_urgent(plx_socket *socket)
{
    struct plx__rare *rare = plx__rare_make(socket);
    if (rare != NULL && rare->urgent == NULL) {
        rare->urgent = plx__memory_new(sizeof *rare->urgent);
    }
    return rare == NULL ? NULL : rare->urgent;
}

/* The kernel reads up to the mark and stops there, so the byte is the first of a receive. */
static ptrdiff_t tcp_receive(plx_socket *socket, void *data, size_t size)
{
    struct plx__urgent *urgent = urgent_of(socket);
    bool marked = urgent != NULL && urgent->sought && plx__os_is_at_mark(socket->watch.descriptor);
    ptrdiff_t count = plx__stream_receive(socket, data, size);
    if (marked && count > 0) {
        urgent->marked = socket->bytes_received + 1;
    }
    return count;
}

/* Sends the bytes before the urgent one. */
static ptrdiff_t send_before(plx_socket *socket, struct plx__urgent *urgent, const void *data,
                             size_t size)
{
    ptrdiff_t count = size == 0 ? 0 : plx__stream_send(socket, data, size);
    urgent->queued -= count > 0 ? (size_t)count : 0;
    return count;
}

/* Sends the urgent byte, which is the first one, and then the bytes behind it. */
static ptrdiff_t send_from_urgent(plx_socket *socket, struct plx__urgent *urgent,
                                  const uint8_t *data, size_t size)
{
    ptrdiff_t count = plx__os_send_urgent(socket->watch.descriptor, data);
    if (count <= 0) {
        return count;
    }
    urgent->queued = 0;
    ptrdiff_t rest = size == 1 ? 0 : plx__stream_send(socket, data + 1, size - 1);
    return rest > 0 ? rest + 1 : 1;
}

/* The bytes before the urgent one leave first: MSG_OOB marks the last byte of a send (tcp(7)). */
static ptrdiff_t tcp_send(plx_socket *socket, const void *data, size_t size)
{
    struct plx__urgent *urgent = urgent_of(socket);
    if (urgent == NULL || urgent->queued == 0) {
        return plx__stream_send(socket, data, size);
    }
    size_t before = urgent->queued - 1;
    ptrdiff_t sent = send_before(socket, urgent, data, size < before ? size : before);
    if (sent < 0 || (size_t)sent < before || (size_t)sent == size) {
        return sent;
    }
    ptrdiff_t rest =
        send_from_urgent(socket, urgent, (const uint8_t *)data + before, size - before);
    return rest > 0 ? sent + rest : sent > 0 ? sent : rest;
}

static void tcp_drop_sending(plx_socket *socket)
{
    if (urgent_of(socket) != NULL) {
        urgent_of(socket)->queued = 0;
    }
}

static void tcp_drop_received(plx_socket *socket)
{
    if (urgent_of(socket) != NULL) {
        urgent_of(socket)->marked = 0;
    }
}

static void tcp_destroy(plx_socket *socket)
{
    plx__memory_free(urgent_of(socket));
}

/* ---- the kind -------------------------------------------------------------------------------- */

/* After shutdown(SHUT_WR) the kernel counts our FIN as one unacknowledged byte; subtract it. */
static ptrdiff_t tcp_unconfirmed(plx_socket *socket)
{
    ptrdiff_t count = plx__os_bytes_unacknowledged(socket->watch.descriptor);
    return socket->tx == PLX__TX_SHUT && count > 0 ? count - 1 : count;
}

static void tcp_add_statistics(const plx_socket *socket, plx_statistics *statistics)
{
    struct plx__os_connection_facts facts;
    if (plx__os_connection_facts(socket->watch.descriptor, &facts) == 0) {
        statistics->round_trip = facts.round_trip;
        statistics->round_trip_variation = facts.round_trip_variation;
        statistics->retransmissions = facts.retransmissions;
        statistics->congestion_window = facts.congestion_window;
    }
}

static const struct plx_kind tcp = {
    .name = "TCP",
    .endpoint = &plx__internet_endpoint,
    .transport = &plx__stream_transport,
    .unopened = PLX__NOT_CONNECTED,
    .size = sizeof(plx_socket),
    .options = PLX__OPTIONS_OF_SOCKETS | PLX__OPTIONS_OF_INTERNET | PLX__OPTION(KEEP_ALIVE) |
               PLX__OPTION(KEEP_ALIVE_IDLE) | PLX__OPTION(KEEP_ALIVE_INTERVAL) |
               PLX__OPTION(KEEP_ALIVE_COUNT) | PLX__OPTION(LOW_DELAY) | PLX__OPTION(AUTO_CONNECT) |
               PLX__OPTION(UNACKNOWLEDGED_TIMEOUT),
    .defaults = PLX__OPTION(LOW_DELAY),
    .short_is_all = true,
    .is_confirmed = true,
    .prepare = tcp_prepare,
    .receive = tcp_receive,
    .send = tcp_send,
    .unconfirmed = tcp_unconfirmed,
    .add_statistics = tcp_add_statistics,
    .drop_sending = tcp_drop_sending,
    .drop_received = tcp_drop_received,
    .destroy = tcp_destroy,
};

plx_socket *plx_tcp_new(void)
{
    return plx__socket_new(&tcp);
}

/* ---- calls on the urgent byte ---------------------------------------------------------------- */

/* Whether the byte could not keep its place: filters change the stream, or write bytes of their own
 * first. */
static bool is_moved(const plx_socket *socket)
{
    return socket->kind->is_filtered &&
           (socket->state != PLX_CONNECTED || plx__chain_sends(plx__chain_of(socket)));
}

static int queue_urgent(plx_socket *socket, unsigned char byte)
{
    struct plx__urgent *urgent = make_urgent(socket);
    bool has_room = plx__socket_write_room(socket) > 0;
    if (urgent != NULL && (urgent->queued != 0 || !has_room)) {
        socket->wants_room = socket->wants_room || !has_room;
        return PLX__EAGAIN;
    }
    size_t place = socket->out.size + 1;
    if (urgent == NULL || !plx__buffer_append(&socket->out, &byte, 1, plx__socket_pool(socket))) {
        return plx__socket_fail_memory(socket, "write an urgent byte");
    }
    urgent->queued = place;
    plx__task_schedule(&socket->task);
    return 0;
}

int plx_socket_write_urgent(plx_socket *socket, unsigned char byte)
{
    const plx_reason reason = PLX_REASON_UNSUPPORTED_OPERATION;
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (!plx__socket_is(socket, &tcp)) {
        return plx__socket_refuse(socket, reason, "write an urgent byte: %s sockets have none",
                                  socket->kind->name);
    }
    if (plx__socket_refuses_bytes(socket, "write an urgent byte", "send")) {
        return PLX_INVALID_STATE;
    }
    int code = plx__socket_check_write(socket, &byte, 1);
    if (code != 0) {
        return code;
    }
    if (is_moved(socket)) {
        return plx__socket_refuse(socket, reason,
                                  "write an urgent byte: filters change the bytes around it");
    }
    return queue_urgent(socket, byte);
}

ptrdiff_t plx_socket_urgent_mark(const plx_socket *socket)
{
    /* Casts const away: the program cannot see whether receives look for the mark. */
    struct plx__urgent *urgent =
        plx__socket_is(socket, &tcp) ? make_urgent((plx_socket *)socket) : NULL;
    if (urgent == NULL) {
        return -1;
    }
    urgent->sought = true;
    /* Counted from the end: the program may have put back more than was received. */
    uint64_t behind = urgent->marked == 0 ? 0 : socket->bytes_received + 1 - urgent->marked;
    bool ahead = behind > 0 && behind <= socket->in.size;
    return ahead ? (ptrdiff_t)(socket->in.size - behind) : -1;
}
