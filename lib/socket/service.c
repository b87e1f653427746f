/* lib/socket/service.c -- serving a socket: receive, tell, send, tell. */
#include "config.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/socket/connect.h"
#include "lib/socket/idle.h"
#include "lib/socket/socket.h"

#include <errno.h>

/* One poll of a socket alone, and one socket's share of a group's poll. */
#define LONE_BUDGET ((size_t)256 * 1024)

/* So many polls that found nothing, and a socket that is polled alone gives its buffers back. */
#define IDLE_POLLS 64

struct plx__budget plx__socket_budget(void)
{
    return (struct plx__budget){LONE_BUDGET, 0};
}

/* ---- keeping watch and deadline in line ------------------------------------------------------ */

static inline unsigned interest_in(const plx_socket *socket, plx_state state)
{
    unsigned interest = socket->stuck ? PLX__WRITE : 0u;
    /* While the program disconnects, reading goes on in any case: bytes left unread would make TCP
     * send a reset. */
    bool room = state == PLX_CLOSING || plx__socket_room(socket) > 0;
    bool wanted = state == PLX_LISTENING
                      ? !socket->paused
                      : plx__state_is_open(state) && !socket->input_ended && room;
    interest |= wanted ? PLX__READ : 0u;
    /* Nothing more will be received, but the peer's reset has to be heard of. */
    interest |= state == PLX_CONNECTED && socket->end_told ? PLX__HANG_UP : 0u;
    /* We read a stream until a read comes back short, or keep the socket scheduled, so that an edge
     * suffices. Writing needs the level: whether there is room now is asked each time. */
    bool remembers = socket->kind->short_is_all && state != PLX_LISTENING;
    return interest == PLX__READ && remembers ? interest | PLX__EDGE : interest;
}

unsigned plx__socket_interest(const plx_socket *socket, plx_state state)
{
    return interest_in(socket, state);
}

static uint64_t deadline_of_state(const plx_socket *socket)
{
    uint64_t look = 0;
    switch ((plx_state)socket->state) {
    case PLX_HOST_LOOKUP:
    case PLX_CONNECTING: return plx__connect_deadline(socket);
    case PLX_CONNECTED: return plx__clock_earlier(socket->wake_at, plx__idle_deadline(socket));
    case PLX_CLOSING:
        look = plx__clock_after(plx__clock_now(), socket->look_pause);
        return plx__clock_earlier(socket->wake_at, look);
    case PLX_UNCONNECTED: return socket->will_connect ? socket->wake_at : 0;
    default: return socket->wake_at;
    }
}

static uint64_t deadline_of(const plx_socket *socket)
{
    /* The usual case, for which there is nothing to look up. */
    if (socket->state == PLX_CONNECTED && socket->options == NULL && !socket->peer_ended &&
        socket->kind->deadline == NULL) {
        return 0;
    }
    bool asked = plx__socket_is_open(socket) && socket->kind->deadline != NULL;
    uint64_t states = deadline_of_state(socket);
    uint64_t kinds = asked ? socket->kind->deadline(socket) : 0;
    return plx__clock_earlier(states, kinds);
}

static void bring_in_line(plx_socket *socket)
{
    if (socket->watch.task != NULL) {
        unsigned interest = interest_in(socket, (plx_state)socket->state);
        int result =
            interest == socket->watch.interest ? 0 : plx__watch_set(&socket->watch, interest);
        if (result < 0) {
            /* Only noted: update is called by reads and options too, and whoever reads must not see
             * the connection end under the read. */
            socket->watch_error = (int16_t)result;
            plx__task_schedule(&socket->task);
        }
    }
    uint64_t deadline = deadline_of(socket);
    if (!plx__task_has_deadline(&socket->task, deadline)) {
        plx__task_set_deadline(&socket->task, deadline);
    }
}

/* Whether the socket is as most are most of the time: an open stream without options that is read, with
 * nothing else to wait for. Watch and deadline are in line then. */
static bool is_in_line(const plx_socket *socket)
{
    return socket->state == PLX_CONNECTED && socket->options == NULL &&
           (socket->watch.interest & (PLX__READ | PLX__WRITE | PLX__HANG_UP)) == PLX__READ &&
           !(socket->stuck || socket->input_ended || socket->end_told || socket->peer_ended) &&
           socket->task.deadline.at == 0 && socket->kind->deadline == NULL;
}

void plx__socket_update(plx_socket *socket)
{
    if (!is_in_line(socket)) {
        bring_in_line(socket);
    }
}

static bool may_receive(const plx_socket *socket)
{
    return plx__socket_is_open(socket) && !socket->input_ended &&
           (socket->watch.ready & PLX__READ) != 0;
}

/* An edge is told once. One that was found while a handler of this socket polled the group could not
 * be served there. */
static bool has_edge(const plx_socket *socket)
{
    return (socket->watch.ready & PLX__READ) != 0 && (socket->watch.interest & PLX__EDGE) != 0 &&
           socket->task.loop != NULL && may_receive(socket);
}

static inline bool has_input_work(const plx_socket *socket)
{
    return socket->pending != 0 || socket->watch_error != 0 ||
           (socket->again || socket->more || socket->too_long) || has_edge(socket);
}

static inline bool has_work(const plx_socket *socket)
{
    return has_input_work(socket) || plx__socket_can_send(socket);
}

bool plx__socket_has_input_work(const plx_socket *socket)
{
    return has_input_work(socket);
}

bool plx__socket_has_work(const plx_socket *socket)
{
    return has_work(socket);
}

bool plx__socket_has_ending(const plx_socket *socket)
{
    bool failed = socket->send_error != 0 || socket->input_error != 0 || socket->watch_error != 0;
    bool sent = socket->out.size == 0;
    switch (socket->state) {
    case PLX_CLOSING: return failed || (sent && (!socket->sending_ended || socket->input_ended));
    case PLX_CONNECTED:
        return failed || socket->too_long ||
               (socket->input_ended && !socket->end_told && (sent || !socket->peer_ended));
    default: return socket->watch_error != 0;
    }
}

/* ---- moving bytes ---------------------------------------------------------------------------- */

static void listener_input(plx_socket *socket, struct plx__budget *budget)
{
    if (socket->paused && socket->wake_at != 0 && plx__clock_now() >= socket->wake_at) {
        socket->paused = false;
        socket->wake_at = 0;
        /* A connection may wait that no readiness tells of: its owner has it already. */
        socket->watch.ready |= PLX__READ;
    }
    if (!socket->paused && (socket->watch.ready & PLX__READ) != 0) {
        socket->kind->incoming(socket, budget);
    }
}

void plx__socket_take_in(plx_socket *socket, struct plx__budget *budget)
{
    if (socket->again) {
        socket->again = false;
        plx__socket_note_bytes(socket);
    }
    if (socket->will_connect) {
        plx__connect_again(socket);
    }
    if (plx__socket_is_connecting(socket)) {
        plx__connect_continue(socket);
    } else if (socket->state == PLX_LISTENING) {
        listener_input(socket, budget);
    }
    if (plx__socket_is_open(socket) && socket->kind->advance != NULL) {
        socket->kind->advance(socket);
    }
    socket->more = false;
    uint64_t before = socket->bytes_received;
    if (may_receive(socket)) {
        socket->kind->input(socket, budget);
    }
    /* Without options there is no idle time-out, and what has just come was no silence. */
    if (socket->options != NULL && socket->bytes_received == before) {
        plx__idle_check(socket);
    }
    plx__socket_update(socket);
}

void plx__socket_send_out(plx_socket *socket, struct plx__budget *budget)
{
    if ((socket->watch.ready & PLX__WRITE) != 0) {
        socket->watch.ready &= (uint8_t)~PLX__WRITE;
        socket->stuck = false;
    }
    if (plx__socket_can_send(socket)) {
        socket->kind->send_queue(socket, budget);
    }
}

/* A connection that nothing watches would be silent for ever: better to end it with the reason. */
static PLX__APART void end_unwatched(plx_socket *socket)
{
    int error = socket->watch_error;
    plx__socket_set_end_error(socket, plx__error_code(-error), plx__error_reason(-error), error,
                              "watch");
    plx__socket_end(socket);
}

void plx__socket_settle(plx_socket *socket)
{
    if (socket->watch_error != 0) {
        end_unwatched(socket);
    }
    if (plx__socket_is_open(socket) && socket->kind->settle != NULL) {
        socket->kind->settle(socket);
    }
    plx__socket_update(socket);
}

/* ---- in a group ------------------------------------------------------------------------------ */

/* Whether the second half of a pass has anything to do for the socket; if not, the pass is over. */
static bool wants_output(plx_socket *socket)
{
    bool wants = has_work(socket) || socket->out.size > 0 || socket->input_ended ||
                 socket->state == PLX_CLOSING || socket->send_error != 0;
    socket->next_event = wants ? socket->next_event : 0;
    return wants;
}

static void take_in_share(plx_socket *socket, struct plx__budget *budget)
{
    size_t granted = budget->bytes < LONE_BUDGET ? budget->bytes : LONE_BUDGET;
    struct plx__budget share = {granted, budget->until};
    plx__socket_take_in(socket, &share);
    plx__budget_spend(budget, granted - share.bytes);
}

/* The first half of a frame for one socket; the caller holds it. */
static void serve_input(plx_socket *socket, struct plx__budget *budget)
{
    socket->next_event = 0;
    plx__socket_dispatch(socket, PLX__EVENTS_OF_CALLS);
    if (!socket->hold.freed) {
        take_in_share(socket, budget);
        plx__socket_dispatch(socket, PLX__EVENTS_BEFORE_SENDING);
    }
}

void plx__socket_input(struct plx__task *task, struct plx__budget *budget)
{
    plx_socket *socket = plx__socket_of(task);
    if (socket->dispatching) {
        /* A handler of a socket that is polled by itself polls the group: what was found, perhaps a
         * deadline, is served when that handler has returned. */
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

/* Goes on with an ending, but not before CLOSING was told, which is for the next pass where a handler
 * of this one has disconnected. */
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
    if (socket->disconnecting && socket->state == PLX_CONNECTED) {
        plx_socket_disconnect(socket);
    }
    plx__socket_dispatch(socket, PLX__EVENT_BIT(PLX__EVENT_CLOSING));
    if (!socket->hold.freed) {
        plx__socket_send_out(socket, budget);
        plx__socket_dispatch(socket, PLX__EVENTS_OF_SENDING);
    }
    if (!socket->hold.freed) {
        settle_in_turn(socket);
        plx__socket_dispatch(socket, ~PLX__EVENTS_BEFORE_SENDING);
    }
    socket->next_event = 0;
    bool more = !socket->hold.freed && (has_work(socket) || task->wants_input);
    plx__socket_leave(socket);
    return more;
}

void plx__socket_release(struct plx__task *task)
{
    plx_socket *socket = plx__socket_of(task);
    socket->view_alive = false;
    plx__buffer_release(&socket->in, plx__socket_pool(socket));
}

/* ---- alone ----------------------------------------------------------------------------------- */

/* The second half for a socket served alone. */
static bool serve_output(plx_socket *socket, struct plx__budget *budget)
{
    bool more =
        !socket->hold.freed && wants_output(socket) && plx__socket_output(&socket->task, budget);
    if (more) {
        plx__task_schedule(&socket->task);
    }
    return more;
}

bool plx__socket_serve(plx_socket *socket, struct plx__budget *budget)
{
    serve_input(socket, budget);
    return serve_output(socket, budget);
}

/* Whether the socket waits for its own descriptor alone: no attempt and no lookup has one too. */
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
        /* Asking the kernel whether it has something costs as much as asking for it. */
        socket->watch.ready |= (uint8_t)(socket->watch.interest & (PLX__READ | PLX__WRITE));
    } else {
        plx__task_sleep(&socket->task, 0);
    }
}

/* A block larger than usual goes at once unless it is in use all the time, the usual one when nothing
 * has come or gone for a while. */
static void release_buffers(plx_socket *socket)
{
    bool idle = socket->idle_polls >= IDLE_POLLS;
    socket->idle_polls = idle ? 0 : (uint8_t)(socket->idle_polls + 1);
    if (socket->in.capacity > 0 &&
        (idle || (socket->in.capacity > PLX__BUFFER_BLOCK && !socket->bulk))) {
        plx__buffer_release(&socket->in, plx__socket_pool(socket));
    }
    if (socket->out.capacity > 0 && (idle || socket->out.capacity > PLX__BUFFER_BLOCK)) {
        plx__buffer_release(&socket->out, plx__socket_pool(socket));
    }
}

/* Whether nobody but the peer can have anything for the socket to do: no call, no clock, no queue, no
 * other descriptor. */
static bool is_quiet(const plx_socket *socket)
{
    bool open = socket->state == PLX_CONNECTED || socket->state == PLX_BOUND;
    return open && socket->task.deadline.at == 0 && (socket->watch.interest & PLX__READ) != 0 &&
           !has_input_work(socket) && !socket->input_ended && socket->out.size == 0 &&
           socket->send_error == 0 && has_one_watch(socket);
}

/* Most polls of most sockets find nothing, and are over when the system has said so. What a quiet
 * socket finds is all that the first half of serving would have done. */
static bool serve_quiet(plx_socket *socket, struct plx__budget *budget)
{
    socket->watch.ready |= PLX__READ;
    socket->kind->input(socket, budget);
    if (is_quiet(socket)) {
        return false;
    }
    plx__socket_update(socket);
    plx__hold_enter(&socket->hold);
    socket->next_event = 0;
    plx__socket_dispatch(socket, PLX__EVENTS_BEFORE_SENDING);
    bool more = serve_output(socket, budget);
    plx__socket_leave(socket);
    return more;
}

bool plx_socket_poll(plx_socket *socket)
{
    if (socket == NULL || socket->dispatching || socket->hold.freed) {
        return false;
    }
    struct plx__budget budget = plx__socket_budget();
    socket->view_alive = false;
    release_buffers(socket);
    if (is_quiet(socket)) {
        return !plx__task_is_quiet(&socket->task) && serve_quiet(socket, &budget);
    }
    plx__socket_probe(socket);
    plx__hold_enter(&socket->hold);
    bool more = plx__socket_serve(socket, &budget);
    plx__socket_leave(socket);
    return more;
}
