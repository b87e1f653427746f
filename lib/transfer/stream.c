/* lib/transfer/stream.c -- what byte streams share. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/socket/accepting.h"
#include "lib/socket/chain.h"
#include "lib/socket/commands.h"
#include "lib/socket/ending.h"
#include "lib/socket/failure.h"
#include "lib/socket/interest.h"
#include "lib/socket/message.h"
#include "lib/socket/object.h"
#include "lib/socket/progress.h"
#include "lib/socket/read-size.h"
#include "lib/socket/receiving.h"
#include "lib/socket/room.h"
#include "lib/socket/sending.h"
#include "lib/socket/state.h"
#include "lib/transfer/stream.h"

/* After a read that filled its room, the stream reads into blocks of BULK_BLOCK. No read is larger
 * than LARGEST_PIECE. */
#define BULK_BLOCK ((size_t)128 * 1024)
#define LARGEST_PIECE ((size_t)256 * 1024)

/* ---- listening ------------------------------------------------------------------------------- */

/* Removes what bind(2) left in the file system, and closes the descriptor. */
static int fail_to_listen(plx_socket *socket, plx__fd descriptor, int error)
{
    plx__socket_leave_place(socket);
    plx__os_close(descriptor);
    return plx__socket_fail_system(socket, error, "listen");
}

int plx__stream_listen(plx_socket *socket)
{
    plx__fd descriptor = socket->kind->endpoint->bind(socket);
    if (descriptor < 0) {
        return -descriptor;
    }
    int result = plx__os_listen(descriptor);
    if (result < 0) {
        return fail_to_listen(socket, descriptor, result);
    }
    plx__hold_enter(&socket->hold);
    result = plx__socket_shed(socket)
                 ? plx__socket_take_descriptor(socket, descriptor, PLX_LISTENING)
                 : -PLX__ENOTCONN;
    int code = result < 0 ? fail_to_listen(socket, descriptor, result) : 0;
    if (code == 0) {
        plx__socket_begin(socket);
        plx__socket_enter_listening(socket);
    }
    plx__socket_leave(socket);
    return code;
}

/* Closes the listening descriptor and makes the socket the one connection that it listened for. */
static void become(plx_socket *socket, plx__fd descriptor, const struct plx__sockaddr *remote)
{
    plx__socket_close_descriptor(socket);
    int result = plx__socket_enter_connected(socket, descriptor, false, remote);
    if (result < 0) {
        plx__os_close(descriptor);
        plx__socket_set_end_error_system(socket, result, "accept");
        plx__socket_end(socket);
    }
}

void plx__stream_incoming(plx_socket *socket, struct plx__budget *budget)
{
    struct plx__sockaddr remote;
    struct plx__owner *owner = socket->owner;
    if (owner != NULL && owner->incoming != NULL && owner->incoming(owner, socket, budget)) {
        return;
    }
    plx__fd descriptor = plx__os_accept(socket->watch.descriptor, &remote);
    if (descriptor >= 0) {
        become(socket, descriptor, &remote);
    } else if (descriptor == -PLX__EAGAIN) {
        socket->watch.ready = 0;
    } else {
        /* Most likely EMFILE or ENFILE. The connection stays in the kernel's accept queue. */
        plx__socket_fail_system(socket, descriptor, "accept");
        plx__accepting_pause(socket);
    }
}

/* ---- receiving ------------------------------------------------------------------------------- */

ptrdiff_t plx__stream_receive(plx_socket *socket, void *data, size_t size)
{
    return plx__os_receive(socket->watch.descriptor, data, size);
}

size_t plx__stream_pending(const plx_socket *socket)
{
    ptrdiff_t waiting = plx__os_bytes_waiting(socket->watch.descriptor);
    return waiting > 0 ? (size_t)waiting : 0;
}

/* A socket without a block receives onto the stack, and takes a block of the fitting size once
 * bytes have arrived. A socket that is polled alone is probably idle and needs no block; in a
 * group, a thousand small messages in large blocks would not stay in the processor's cache. */
static ptrdiff_t receive_without_block(plx_socket *socket, size_t most)
{
    uint8_t place[PLX__BUFFER_BLOCK];
    ptrdiff_t count =
        socket->kind->receive(socket, place, most < sizeof place ? most : sizeof place);
    if (count > 0 &&
        !plx__buffer_append(&socket->in, place, (size_t)count, plx__socket_pool(socket))) {
        return -PLX__ENOMEM;
    }
    return count;
}

static ptrdiff_t receive_into_block(plx_socket *socket, size_t most, size_t *ret_asked)
{
    struct plx__pool *pool = plx__socket_pool(socket);
    size_t usual = socket->read_size == PLX__READ_BULK ? BULK_BLOCK : PLX__BUFFER_BLOCK;
    void *place = plx__buffer_reserve(&socket->in, most < usual ? most : usual, pool);
    if (place == NULL) {
        return -PLX__ENOMEM;
    }
    size_t room = plx__buffer_room(&socket->in);
    *ret_asked = room < most ? room : most;
    ptrdiff_t count = socket->kind->receive(socket, place, *ret_asked);
    if (count > 0) {
        plx__buffer_commit(&socket->in, (size_t)count);
    }
    return count;
}

/* A closing socket with a full buffer reads on and drops the bytes: otherwise bytes that nobody
 * reads would hide the end behind them for ever. */
static ptrdiff_t receive_and_drop(plx_socket *socket)
{
    uint8_t place[PLX__BUFFER_BLOCK];
    return socket->kind->receive(socket, place, sizeof place);
}

/* Does one read. Sets *ret_short when the read brought less than it had room for, which shows that
 * the kernel's buffer is empty. */
static ptrdiff_t receive(plx_socket *socket, size_t room, bool *ret_short)
{
    size_t most = room < LARGEST_PIECE ? room : LARGEST_PIECE;
    size_t asked = most < PLX__BUFFER_BLOCK ? most : PLX__BUFFER_BLOCK;
    ptrdiff_t count;
    if (room == 0) {
        asked = PLX__BUFFER_BLOCK;
        count = receive_and_drop(socket);
        if (count > 0) {
            plx__receiving_drop(socket);
        }
    } else if (socket->in.block == NULL && socket->read_size == PLX__READ_SMALL) {
        count = receive_without_block(socket, most);
    } else {
        count = receive_into_block(socket, most, &asked);
    }
    *ret_short = count >= 0 && (size_t)count < asked;
    plx__read_size_note(socket, count, !*ret_short);
    return count;
}

void plx__stream_empty_input(plx_socket *socket)
{
    socket->watch.ready &= (uint8_t) ~(PLX__READ | PLX__END);
    if (socket->tx == PLX__TX_FAILED &&
        !(socket->kind->is_filtered && plx__chain_awaits(plx__chain_of(socket)))) {
        plx__receiving_end(socket, socket->tx_error);
    }
}

/* A short read means that the kernel's buffer is empty, unless EOF is known to follow, a send has
 * failed, or the kind has stopped the input. */
static bool shows_all(const plx_socket *socket)
{
    return (socket->watch.ready & PLX__END) == 0 && socket->tx != PLX__TX_FAILED && !socket->more;
}

/* Receives until a read is short. A further call would only return EAGAIN, and cost as much as the
 * first. */
static void stream_input(plx_socket *socket, struct plx__budget *budget)
{
    for (;;) {
        size_t room = plx__socket_room(socket);
        bool is_short = false;
        if (room == 0 && socket->state != PLX_CLOSING) {
            break;
        }
        ptrdiff_t count = receive(socket, room < budget->bytes ? room : budget->bytes, &is_short);
        if (count == -PLX__EAGAIN) {
            plx__stream_empty_input(socket);
            break;
        }
        if (count <= 0) {
            plx__receiving_end(socket, (int)-count);
            break;
        }
        plx__budget_spend(budget, (size_t)count);
        if (room > 0) {
            plx__socket_received(socket, (size_t)count);
        }
        if (is_short && shows_all(socket)) {
            socket->watch.ready &= (uint8_t)~PLX__READ;
            break;
        }
        if (plx__budget_is_spent(budget)) {
            plx__socket_stop_input(socket);
        }
        if (socket->more) {
            break;
        }
    }
    if (socket->in.size == 0 && socket->task.loop != NULL) {
        plx__buffer_release(&socket->in, plx__socket_pool(socket));
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

ptrdiff_t plx__stream_send(plx_socket *socket, const void *data, size_t size)
{
    return plx__os_send(socket->watch.descriptor, data, size);
}

/* How many of the queued bytes are offered at once. The kernel may have room for many times the
 * budget. */
static size_t piece_to_send(const plx_socket *socket, const struct plx__budget *budget)
{
    size_t size = socket->out.size;
    if (socket->kind->is_filtered) {
        return plx__chain_piece(socket, budget->bytes);
    }
    return size < budget->bytes ? size : budget->bytes;
}

static void stream_output(plx_socket *socket, struct plx__budget *budget)
{
    size_t total = 0;
    while (socket->out.size > 0 && socket->tx != PLX__TX_FAILED) {
        size_t size = piece_to_send(socket, budget);
        ptrdiff_t count = socket->kind->send(socket, plx__buffer_data(&socket->out), size);
        if (count < 0) {
            plx__sending_refused(socket, count);
            break;
        }
        plx__buffer_skip(&socket->out, (size_t)count);
        plx__budget_spend(budget, (size_t)count);
        total += (size_t)count;
        if ((size_t)count < size) {
            plx__sending_block(socket); /* a short write has filled the kernel's buffer */
            break;
        }
        if (plx__budget_is_spent(budget)) {
            break;
        }
    }
    if (total > 0) {
        plx__socket_has_sent(socket, total);
    }
}

/* ---- ending ---------------------------------------------------------------------------------- */

/* Whether an errno reports that we have no memory, and not what the peer or the network did. */
static bool is_ours(int error)
{
    return error != 0 && plx__error_code(error) == PLX_OUT_OF_MEMORY;
}

static void end_lost(plx_socket *socket, int error)
{
    if (plx__chain_report(socket)) {
        plx__socket_end(socket);
        return;
    }
    int code = error == 0 ? PLX_LOST_CONNECTION : plx__error_code(error);
    /* Any errno means that the connection is lost. Only lack of memory keeps its own code. */
    bool ours = is_ours(error);
    plx_reason reason = error == 0 ? PLX_REASON_REMOTE_HOST_CLOSED : plx__error_reason(error);
    plx__socket_set_end_error(socket, ours ? code : PLX_LOST_CONNECTION, reason,
                              error == 0 ? -PLX__SENTENCE : -error, "%s",
                              error == 0 ? "the peer closed the connection" : "connection lost");
    plx__socket_end(socket);
}

int plx__stream_shutdown(plx_socket *socket)
{
    plx__os_shutdown_sending(socket->watch.descriptor);
    return 0;
}

/* The kernel has accepted all bytes: sends the end to the peer, and returns whether the peer has
 * confirmed them all. */
static bool has_all_arrived(plx_socket *socket)
{
    if (socket->tx == PLX__TX_OPEN && socket->kind->transport->shutdown(socket) == PLX__EAGAIN) {
        plx__sending_block(socket); /* until the wants of the filters are met */
    } else if (socket->tx == PLX__TX_OPEN) {
        plx__sending_shut(socket);
    }
    if (socket->tx == PLX__TX_BLOCKED) {
        return false;
    }
    return plx__ending_has_arrived(socket);
}

/* CLOSING because the program disconnected: the connection is over once the peer has confirmed all
 * bytes, or has ended its half too. Without memory for what arrives, bytes that the program could
 * have read are lost, and filters owe their goodbye: that is reported even if all was sent. */
static void settle_closing(plx_socket *socket)
{
    bool sent = socket->out.size == 0;
    bool failed = socket->tx == PLX__TX_FAILED || socket->rx == PLX__RX_FAILED;
    bool arrived = !failed && sent && has_all_arrived(socket);
    if (failed && (!sent || socket->unconfirmed || is_ours(socket->rx_error))) {
        end_lost(socket, plx__sending_reason(socket->rx_error, socket->tx_error));
    } else if (failed || arrived ||
               (sent && plx__receiving_has_ended(socket) && !plx__chain_owes_goodbye(socket))) {
        plx__socket_end(socket);
    } else if (plx__ending_is_late(socket)) {
        end_lost(socket, PLX__ETIMEDOUT);
    } else {
        plx__ending_look_later(socket);
    }
}

/* The peer has ended its half, and ours does not stay open. Queued bytes are still sent, until the
 * ending is late. */
static void settle_ended(plx_socket *socket)
{
    if (socket->out.size == 0 || socket->rx == PLX__RX_FAILED) {
        if (socket->rx == PLX__RX_ENDED) {
            plx__chain_part_once(socket); /* the peer may still wait for it */
        }
        end_lost(socket, socket->rx_error);
    } else if (socket->ending != PLX__END_BY_PEER) {
        plx__ending_by_peer(socket);
    } else if (plx__ending_is_late(socket)) {
        end_lost(socket, PLX__ETIMEDOUT);
    }
}

/* With half-open allowed the connection outlives the end of input until the peer is gone. Only
 * EPOLLHUP or POLLHUP reports that: after a reset, or when the peer of a Unix socket has closed. */
static void check_hang_up(plx_socket *socket)
{
    if (socket->rx == PLX__RX_HALF_CLOSED && (socket->watch.ready & PLX__END) != 0) {
        plx__receiving_hang_up(socket, -plx__os_take_error(socket->watch.descriptor));
    }
}

/* After a failed send, receives what arrived before the failure. Returns whether there may be more,
 * for which the program may have to make room. */
static bool drain(plx_socket *socket)
{
    if (socket->tx != PLX__TX_FAILED || plx__receiving_has_ended(socket)) {
        return false;
    }
    struct plx__chain *chain = plx__chain_of(socket);
    if (plx__socket_drains(socket)) {
        socket->watch.ready |= PLX__READ;
        socket->more = true;
    } else if (chain != NULL && plx__chain_awaits(chain)) {
        plx__chain_await(chain);
    }
    return true;
}

void plx__stream_settle(plx_socket *socket)
{
    plx__ending_look(socket);
    /* A message that cannot be received ends the connection, whatever else may still arrive. */
    if (plx__message_settle(socket) || drain(socket) || plx__commands_are_due(socket)) {
        return;
    }
    check_hang_up(socket);
    if (socket->state == PLX_CLOSING) {
        settle_closing(socket);
    } else if (socket->tx == PLX__TX_FAILED) {
        end_lost(socket, plx__sending_reason(socket->rx_error, socket->tx_error));
    } else if (plx__receiving_is_over(socket)) {
        settle_ended(socket);
    }
}

/* ---- the transport --------------------------------------------------------------------------- */

const struct plx__transport plx__stream_transport = {
    .type = PLX__TYPE_STREAM,
    .listens = true,
    .listen = plx__stream_listen,
    .incoming = plx__stream_incoming,
    .input = stream_input,
    .output = stream_output,
    .settle = plx__stream_settle,
    .shutdown = plx__stream_shutdown,
    .pending = plx__stream_pending,
};
