/* lib/socket/serve.c -- serving a socket: receive, dispatch, send, dispatch. */
#include "config.h"

#include "lib/socket/commands.h"
#include "lib/socket/dispatch.h"
#include "lib/socket/ending.h"
#include "lib/socket/interest.h"
#include "lib/socket/move.h"
#include "lib/socket/object.h"
#include "lib/socket/read-size.h"
#include "lib/socket/receiving.h"
#include "lib/socket/records.h"
#include "lib/socket/sending.h"
#include "lib/socket/serve.h"
#include "lib/socket/state.h"

/* ---- in a group ------------------------------------------------------------------------------ */

/* Whether the second half of a pass has work for the socket. If not, the pass is over. */
static bool wants_output(plx_socket *socket)
{
    bool wants = plx__socket_has_work(socket) || plx__ending_has_turn(socket) ||
                 socket->out.size > 0 || plx__receiving_has_ended(socket) ||
                 socket->state == PLX_CLOSING || socket->tx == PLX__TX_FAILED;
    socket->next_event = wants ? socket->next_event : 0;
    return wants;
}

static void move_in_share(plx_socket *socket, struct plx__budget *budget)
{
    size_t granted = budget->bytes < PLX__LONE_BUDGET ? budget->bytes : PLX__LONE_BUDGET;
    struct plx__budget share = {granted, budget->until, budget->steps};
    plx__socket_move_in(socket, &share);
    plx__budget_spend(budget, granted - share.bytes);
    budget->steps = share.steps;
}

/* The first half of a frame for one socket; the caller holds it. serve_quiet repeats it for a
 * quiet socket: change both. */
static void serve_input(plx_socket *socket, struct plx__budget *budget)
{
    socket->next_event = 0;
    plx__socket_dispatch(socket, PLX__EVENTS_OF_CALLS);
    if (!socket->hold.freed) {
        move_in_share(socket, budget);
        plx__socket_dispatch(socket, PLX__EVENTS_BEFORE_SENDING);
    }
}

void plx__socket_input(struct plx__task *task, struct plx__budget *budget)
{
    plx_socket *socket = plx__socket_of(task);
    if (socket->dispatching) {
        /* The socket is polled alone, and its handler polls the group. The readiness or the
         * deadline found is served when the handler has returned. */
        task->wants_input = true;
        return;
    }
    plx__hold_enter(&socket->hold);
    serve_input(socket, budget);
    if (!socket->hold.freed && wants_output(socket)) {
        plx__task_schedule(task);
    }
    plx__socket_leave(socket);
}

/* Goes on with an ending, but not before CLOSING was reported. If a handler of this pass has called
 * disconnect, the next pass reports it. */
static void settle_in_turn(plx_socket *socket)
{
    if ((socket->pending & PLX__EVENT_BIT(PLX__EVENT_CLOSING)) == 0) {
        plx__socket_settle(socket);
    } else {
        plx__socket_update(socket);
    }
}

bool plx__socket_output(struct plx__task *task, struct plx__budget *budget)
{
    plx_socket *socket = plx__socket_of(task);
    if (socket->dispatching) {
        task->wants_input = true;
        return false;
    }
    plx__hold_enter(&socket->hold);
    if (plx__ending_has_turn(socket)) {
        plx_socket_disconnect(socket);
    }
    plx__socket_dispatch(socket, PLX__EVENT_BIT(PLX__EVENT_CLOSING));
    if (!socket->hold.freed) {
        plx__socket_move_out(socket, budget);
        plx__socket_dispatch(socket, PLX__EVENTS_OF_SENDING);
    }
    if (!socket->hold.freed) {
        settle_in_turn(socket);
        plx__socket_dispatch(socket, ~PLX__EVENTS_BEFORE_SENDING);
    }
    socket->next_event = 0;
    bool more = !socket->hold.freed && (plx__socket_has_work(socket) || task->wants_input);
    plx__socket_leave(socket);
    return more;
}

void plx__socket_release(struct plx__task *task)
{
    plx_socket *socket = plx__socket_of(task);
    socket->view_alive = false;
    plx__buffer_release(&socket->in, plx__socket_pool(socket));
    plx__commands_rest(socket);
}

void plx__socket_flush(struct plx__task *task)
{
    plx_socket_flush(plx__socket_of(task));
}

/* ---- alone ----------------------------------------------------------------------------------- */

/* The second half for a socket served alone. As in a group it has bytes of its own: a flood that
 * arrives would otherwise keep back what is to be sent. */
static bool serve_output(plx_socket *socket)
{
    struct plx__budget budget = plx__socket_budget();
    bool more =
        !socket->hold.freed && wants_output(socket) && plx__socket_output(&socket->task, &budget);
    if (more) {
        plx__task_schedule(&socket->task);
    }
    return more;
}

bool plx__socket_serve(plx_socket *socket, struct plx__budget *budget)
{
    serve_input(socket, budget);
    return serve_output(socket);
}

/* Whether the socket waits for its own descriptor only, and not for those of attempts or a
 * lookup. */
static bool has_one_watch(const plx_socket *socket)
{
    return socket->task.watches == &socket->watch && socket->watch.next == NULL;
}

void plx__socket_probe(plx_socket *socket)
{
    if (plx__task_is_quiet(&socket->task)) {
        return;
    }
    if (has_one_watch(socket) && (socket->watch.interest & PLX__HANG_UP) == 0) {
        /* poll(2) would cost as much as the receive itself. */
        socket->watch.ready |= (uint8_t)(socket->watch.interest & (PLX__READ | PLX__WRITE));
    } else {
        plx__task_sleep(&socket->task, 0);
    }
}

/* Whether large reads go on. */
static bool reads_much(const plx_socket *socket)
{
    return socket->kind->transport->keeps_boundaries ? plx__records_of(socket)->large
                                                     : socket->read_size == PLX__READ_BULK;
}

/* Frees a block larger than usual at once, unless large reads go on; frees a block of the usual
 * size when nothing was received or sent for a while. */
static void release_buffers(plx_socket *socket)
{
    bool idle = socket->idle_polls >= PLX__IDLE_POLLS;
    socket->idle_polls = idle ? 0 : (uint8_t)(socket->idle_polls + 1);
    if (idle) {
        plx__commands_rest(socket);
    }
    if (socket->in.capacity > 0 &&
        (idle || (socket->in.capacity > PLX__BUFFER_BLOCK && !reads_much(socket)))) {
        plx__buffer_release(&socket->in, plx__socket_pool(socket));
    }
    if (socket->out.capacity > 0 && (idle || socket->out.capacity > PLX__BUFFER_BLOCK)) {
        plx__buffer_release(&socket->out, plx__socket_pool(socket));
    }
}

/* Whether the socket has nothing to report, to send or to end. */
static bool is_at_rest(const plx_socket *socket)
{
    return !plx__socket_has_input_work(socket) && !plx__receiving_has_ended(socket) &&
           socket->out.size == 0 && socket->tx != PLX__TX_FAILED;
}

/* Whether only the peer can give the socket work: there are no pending events, deadlines or queued
 * bytes, and no other descriptors. */
static bool is_quiet(const plx_socket *socket)
{
    bool open = socket->state == PLX_CONNECTED || socket->state == PLX_BOUND;
    return open && socket->task.deadline.at == 0 && (socket->watch.interest & PLX__READ) != 0 &&
           has_one_watch(socket) && is_at_rest(socket);
}

/* Most polls find nothing and are over when the kernel has answered. For a quiet socket this does
 * all that serve_input would do: it is a second spelling, kept because it is faster.
 * tests/test-serving.c holds the two equal. */
static bool serve_quiet(plx_socket *socket, struct plx__budget *budget)
{
    plx__hold_enter(&socket->hold); /* a step of a filter may free the socket */
    socket->watch.ready |= PLX__READ;
    socket->kind->transport->input(socket, budget);
    if (is_at_rest(socket) && !socket->hold.freed) {
        plx__hold_leave(&socket->hold);
        return false;
    }
    plx__socket_update(socket);
    socket->next_event = 0;
    plx__socket_dispatch(socket, PLX__EVENTS_BEFORE_SENDING);
    bool more = serve_output(socket);
    plx__socket_leave(socket);
    return more;
}

bool plx__socket_poll(plx_socket *socket, struct plx__budget *budget)
{
    if (socket == NULL || socket->dispatching || socket->hold.freed) {
        return false;
    }
    socket->view_alive = false;
    release_buffers(socket);
    if (is_quiet(socket)) {
        return !plx__task_is_quiet(&socket->task) && serve_quiet(socket, budget);
    }
    plx__socket_probe(socket);
    plx__hold_enter(&socket->hold);
    bool more = plx__socket_serve(socket, budget);
    plx__socket_leave(socket);
    return more;
}

bool plx_socket_poll(plx_socket *socket)
{
    struct plx__budget budget = plx__socket_budget();
    return plx__socket_poll(socket, &budget);
}
