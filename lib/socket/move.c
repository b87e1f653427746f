/* lib/socket/move.c -- the steps of serving a socket that call no handler. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/socket/accepting.h"
#include "lib/socket/connect.h"
#include "lib/socket/failure.h"
#include "lib/socket/idle.h"
#include "lib/socket/interest.h"
#include "lib/socket/move.h"
#include "lib/socket/object.h"
#include "lib/socket/progress.h"
#include "lib/socket/receiving.h"
#include "lib/socket/reconnect.h"
#include "lib/socket/room.h"
#include "lib/socket/sending.h"
#include "lib/socket/state.h"

static void listener_input(plx_socket *socket, struct plx__budget *budget)
{
    plx__accepting_continue(socket);
    if (socket->accepting == PLX__ACCEPTING && (socket->watch.ready & PLX__READ) != 0) {
        socket->kind->transport->incoming(socket, budget);
    }
}

/* Work of the input counts as a sign of the peer. Queued bytes count only if the peer's kernel
 * acknowledges nothing. */
static bool has_sign_of_peer(const plx_socket *socket)
{
    return plx__socket_has_input_work(socket) ||
           (!socket->kind->is_confirmed && plx__socket_can_send(socket));
}

/* Receives once more, whatever the poller has found: bytes that came behind its back, or while the
 * process was halted between its answer and this moment, end the silence. Returns whether nothing
 * was heard. */
static bool listens_in_vain(plx_socket *socket, struct plx__budget *budget)
{
    uint64_t before = socket->bytes_received;
    socket->watch.ready |= PLX__READ;
    if (plx__socket_may_receive(socket)) {
        socket->kind->transport->input(socket, budget);
    }
    return socket->bytes_received == before && !plx__receiving_is_over(socket) &&
           !has_sign_of_peer(socket);
}

/* Whether bytes have arrived in the kernel since the last look, which the program does not receive.
 * Once the kernel is full, or the peer waits, they are silence: else a peer that never reads would
 * keep its connection for ever. */
static bool holds_back_more(plx_socket *socket)
{
    size_t *held = &socket->options->notes.held, before = *held;
    *held = plx__socket_room(socket) == 0 ? socket->kind->transport->pending(socket) : 0;
    return *held > before;
}

static PLX__APART void end_idle(plx_socket *socket, struct plx__budget *budget)
{
    if (holds_back_more(socket)) {
        plx__idle_restart(socket);
        return;
    }
    if (has_sign_of_peer(socket) || !plx__idle_is_over(socket) ||
        !listens_in_vain(socket, budget)) {
        return;
    }
    plx__socket_set_end_error_system(socket, -PLX__ETIMEDOUT,
                                     "nothing arrived at either end for %d ms",
                                     plx__option_value(socket->options, PLX_OPTION_IDLE_TIMEOUT));
    plx__socket_end(socket);
}

void plx__socket_move_in(plx_socket *socket, struct plx__budget *budget)
{
    socket->more = false; /* first, because each of these steps may leave some of its work */
    if (socket->again) {
        socket->again = false;
        plx__socket_note_bytes(socket);
    }
    if (plx__socket_is_connecting(socket)) {
        plx__connect_continue(socket, budget);
    } else if (socket->state == PLX_LISTENING) {
        listener_input(socket, budget);
    } else if (socket->reconnect == PLX__RECONNECT_WAITING) {
        /* The next pass continues: this one reports the state. */
        plx__connect_again(socket);
    }
    if (plx__socket_is_open(socket) && socket->kind->has_own_work) {
        socket->kind->advance(socket, budget);
    }
    uint64_t before = socket->bytes_received;
    if (plx__socket_may_receive(socket)) {
        socket->kind->transport->input(socket, budget);
    }
    /* Without options there is no IDLE_TIMEOUT, and bytes just received ended the silence. */
    if (socket->options != NULL && socket->bytes_received == before && plx__idle_is_due(socket)) {
        end_idle(socket, budget);
    }
    plx__socket_update(socket);
}

void plx__socket_move_out(plx_socket *socket, struct plx__budget *budget)
{
    if ((socket->watch.ready & PLX__WRITE) != 0) {
        socket->watch.ready &= (uint8_t)~PLX__WRITE;
        plx__sending_unblock(socket);
    }
    if (plx__socket_can_send(socket)) {
        socket->kind->transport->output(socket, budget);
    }
}

/* If nothing watches a connection, no readiness will be reported: better to end it with the
 * reason. */
static PLX__APART void end_unwatched(plx_socket *socket)
{
    int error = socket->watch_error;
    plx__socket_set_end_error_system(socket, error, "watch the descriptor");
    plx__socket_end(socket);
}

void plx__socket_settle(plx_socket *socket)
{
    if (socket->watch_error != 0) {
        end_unwatched(socket);
    }
    if (plx__socket_is_open(socket) && socket->kind->transport->settle != NULL) {
        socket->kind->transport->settle(socket);
    }
    plx__socket_update(socket);
}
