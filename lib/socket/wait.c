/* lib/socket/wait.c -- the calls that sleep. */
#include "config.h"

#include "lib/os/clock.h"
#include "lib/socket/chain.h"
#include "lib/socket/command.h"
#include "lib/socket/commands.h"
#include "lib/socket/ending.h"
#include "lib/socket/interest.h"
#include "lib/socket/move.h"
#include "lib/socket/object.h"
#include "lib/socket/race.h"
#include "lib/socket/rare.h"
#include "lib/socket/receiving.h"
#include "lib/socket/reconnect.h"
#include "lib/socket/room.h"
#include "lib/socket/sending.h"
#include "lib/socket/serve.h"
#include "lib/socket/state.h"

#include <pollux/command.h>

/* How long a wait goes on: until a moment of the kernel's clock, or for ever. */
struct limit {
    bool forever;
    uint64_t moment;
    uint64_t stale; /* a deadline that has passed and that serving has not moved; 0: none */
};

/* Milliseconds to sleep if serving does not move a deadline that has passed: saves the processor a
 * busy loop. */
#define STALE_NAP 10

static struct limit limit_after(int timeout_ms)
{
    uint64_t wait = timeout_ms <= 0 ? 0 : (uint64_t)timeout_ms * PLX__MILLISECOND;
    return (struct limit){.forever = timeout_ms < 0,
                          .moment = plx__clock_add(plx__clock_real(), wait)};
}

static int time_left(const struct limit *limit)
{
    return limit->forever ? -1 : plx__milliseconds_until(limit->moment, plx__clock_real());
}

static bool is_over(const struct limit *limit)
{
    return time_left(limit) == 0;
}

/* How long to sleep at most: until the limit or the socket's deadline, whichever is earlier. */
static int time_to_sleep(const plx_socket *socket, const struct limit *limit)
{
    int left = time_left(limit);
    uint64_t deadline = socket->task.deadline.at;
    if (deadline == 0) {
        return left;
    }
    int until =
        deadline == limit->stale ? STALE_NAP : plx__milliseconds_until(deadline, plx__clock_now());
    return left < 0 || until < left ? until : left;
}

static bool is_due(const plx_socket *socket, const struct limit *limit)
{
    uint64_t deadline = socket->task.deadline.at;
    return deadline != 0 && deadline != limit->stale && plx__clock_now() >= deadline;
}

/* A disconnect that waits for the connection has its turn in the output of a pass, which a wait
 * inside a handler does not reach. Without a turn in the wait, a wait for what the peer does at our
 * end would last for ever. */
static void take_turn(plx_socket *socket)
{
    if (plx__ending_has_turn(socket)) {
        plx_socket_disconnect(socket);
    }
}

/* The turn comes with the serve after the one that connected, because wait_for_connected returns
 * true in between. But it comes before the peer's end: settling would report that end as a lost
 * connection. */
static void serve_in_handler(plx_socket *socket)
{
    struct plx__budget in = plx__socket_budget(), out = plx__socket_budget();
    take_turn(socket);
    plx__socket_move_in(socket, &in);
    plx__socket_move_out(socket, &out);
    if (plx__receiving_is_over(socket)) {
        take_turn(socket);
    }
    plx__socket_settle(socket);
}

/* Moves bytes, and dispatches unless a handler of this socket runs. The caller holds the socket. */
static void serve(plx_socket *socket)
{
    struct plx__budget budget = plx__socket_budget();
    if (socket->dispatching) {
        serve_in_handler(socket);
        return;
    }
    socket->view_alive = false;
    plx__socket_serve(socket, &budget);
}

/* Whether an end goes on now: one that waits for commands does when their handlers have returned. */
static bool has_ending(const plx_socket *socket)
{
    bool goes_on = !plx__commands_are_due(socket) || plx__socket_drains(socket) ||
                   socket->watch_error != 0;
    return goes_on && plx__socket_has_ending(socket);
}

/* Whether a wait inside a handler has work without sleeping. Pending events do not count: they are
 * not dispatched there. The first step of a disconnect or of a connect counts, and so does an end
 * that was noticed already: no readiness reports them. */
static bool has_step(const plx_socket *socket)
{
    return socket->more || plx__socket_can_send(socket) || has_ending(socket) ||
           plx__ending_has_turn(socket) || plx__race_is_idle(plx__rare_of(socket)->race);
}

static bool has_work(const plx_socket *socket)
{
    return socket->dispatching ? has_step(socket) : plx__socket_is_unfinished(socket);
}

/* Sleeps until there is something to serve; false: there is nothing yet. */
static bool sleep_once(plx_socket *socket, const struct limit *limit)
{
    bool found = has_work(socket);
    size_t ready = plx__task_sleep(&socket->task, found ? 0 : time_to_sleep(socket, limit));
    return ready > 0 || found || is_due(socket, limit);
}

/* Serves, and notes a deadline that this has not moved. Returns whether an event was reported or, in
 * a handler, has become pending. */
static bool serve_in_time(plx_socket *socket, struct limit *limit)
{
    uint64_t before = socket->task.deadline.at;
    plx__event_set pending = socket->pending;
    bool due = is_due(socket, limit);
    socket->reported = false;
    serve(socket);
    limit->stale = due && socket->task.deadline.at == before ? before : 0;
    return socket->reported || socket->pending != pending;
}

/* Sleeps once and serves. False: the time is over. Checks the time even if there was something to
 * serve, or a peer that never stops sending would keep the wait for ever. */
static bool wait_once(plx_socket *socket, struct limit *limit)
{
    if (sleep_once(socket, limit)) {
        serve_in_time(socket, limit);
    }
    return !is_over(limit);
}

/* Waits until `reached` returns true, or `possible` returns false. */
static bool wait_until(plx_socket *socket, int timeout_ms, bool (*reached)(const plx_socket *),
                       bool (*possible)(const plx_socket *))
{
    if (socket == NULL || socket->hold.freed || plx__chain_is_stepping(socket)) {
        return false;
    }
    struct limit limit = limit_after(timeout_ms);
    bool done = reached(socket);
    bool on = true;
    plx__hold_enter(&socket->hold);
    while (!done && on && !socket->hold.freed && possible(socket)) {
        on = wait_once(socket, &limit);
        done = !socket->hold.freed && reached(socket);
    }
    plx__socket_leave(socket);
    return done;
}

/* ---- what is waited for ---------------------------------------------------------------------- */

static bool is_connected(const plx_socket *socket)
{
    bool reported =
        (socket->pending & PLX__EVENT_BIT(PLX__EVENT_CONNECTED)) == 0 || socket->dispatching;
    return plx_socket_is_connected(socket) && reported;
}

/* Auto-connect goes on when the end of the last attempt was reported: not during a wait in a
 * handler of the same socket. */
static bool may_connect(const plx_socket *socket)
{
    bool waits = socket->reconnect == PLX__RECONNECT_WAITING;
    bool again = waits && !(socket->dispatching && socket->pending != 0);
    return plx__socket_is_connecting(socket) || again || socket->state == PLX_LISTENING ||
           is_connected(socket) || socket->state == PLX_CONNECTED;
}

static bool has_fresh_data(const plx_socket *socket)
{
    return socket->fresh && socket->in.size > 0;
}

/* Whether more bytes can be received: not while READ_LIMIT is reached or reading pauses, since
 * only the program can change that. */
static bool may_receive(const plx_socket *socket)
{
    return socket->state != PLX_UNCONNECTED && !plx__receiving_has_ended(socket) &&
           plx__socket_room(socket) > 0 &&
           plx__option_value(socket->options, PLX_OPTION_DIRECTION) != PLX__SEND_ONLY;
}

static bool is_all_sent(const plx_socket *socket)
{
    if (socket->ending == PLX__END_DRAINED) {
        return true;
    }
    size_t bytes;
    bool held = plx__socket_held_back(socket, &bytes) > 0;
    return socket->out.size == 0 && !held && socket->state != PLX_UNCONNECTED &&
           socket->tx != PLX__TX_FAILED && !socket->dropped;
}

/* Inside a handler, other commands keep the end of the connection waiting. */
static bool may_disconnect(const plx_socket *socket)
{
    return socket->state != PLX_UNCONNECTED &&
           !(socket->dispatching && plx__commands_are_due(socket));
}

static bool may_send(const plx_socket *socket)
{
    return socket->state != PLX_UNCONNECTED && socket->tx != PLX__TX_FAILED &&
           !(socket->dropped && socket->out.size == 0);
}

static bool is_unconnected(const plx_socket *socket)
{
    return socket->state == PLX_UNCONNECTED;
}

bool plx_socket_wait(plx_socket *socket, int timeout_ms)
{
    if (socket == NULL || socket->hold.freed || plx__chain_is_stepping(socket) ||
        (is_unconnected(socket) && socket->reconnect != PLX__RECONNECT_WAITING &&
         !has_work(socket))) {
        return false;
    }
    struct limit limit = limit_after(timeout_ms);
    bool found = false;
    plx__hold_enter(&socket->hold);
    /* A deadline alone may be a look at a time-out that goes on, of which the caller has nothing. */
    do {
        bool work = has_work(socket);
        int sleep = work ? 0 : time_to_sleep(socket, &limit);
        found = plx__task_sleep(&socket->task, sleep) > 0 || work;
        if (found || is_due(socket, &limit)) {
            found = serve_in_time(socket, &limit) || found;
        }
    } while (!found && !is_over(&limit));
    plx__socket_leave(socket);
    return found;
}

bool plx_socket_wait_for_connected(plx_socket *socket, int timeout_ms)
{
    return wait_until(socket, timeout_ms, is_connected, may_connect);
}

bool plx_socket_wait_for_data(plx_socket *socket, int timeout_ms)
{
    return wait_until(socket, timeout_ms, has_fresh_data, may_receive);
}

bool plx_socket_wait_for_sent(plx_socket *socket, int timeout_ms)
{
    return wait_until(socket, timeout_ms, is_all_sent, may_send);
}

bool plx_socket_wait_for_disconnected(plx_socket *socket, int timeout_ms)
{
    return wait_until(socket, timeout_ms, is_unconnected, may_disconnect);
}

/* ---- a command ------------------------------------------------------------------------------- */

static bool has_command(const plx_socket *socket)
{
    return plx__framing_has_commands(socket) && plx__commands_find(socket);
}

static bool may_find_command(const plx_socket *socket)
{
    return plx__framing_has_commands(socket) && may_receive(socket) &&
           !plx__commands_are_blocked(socket);
}

/* Holds the socket beyond the wait: the server of a client that has ended, or a handler, frees it. */
static const void *wait_for_command(plx_socket *socket, int32_t command, int timeout_ms,
                                    size_t *ret_size)
{
    const void *data = NULL;
    plx__hold_enter(&socket->hold);
    struct plx__await before = plx__commands_await(socket, command);
    if (wait_until(socket, timeout_ms, has_command, may_find_command)) {
        data = plx__commands_take_found(socket, ret_size);
    }
    plx__commands_end_await(socket, before);
    plx__socket_leave(socket);
    return data;
}

const void *plx_socket_wait_for_command(plx_socket *socket, int32_t command, int timeout_ms,
                                        size_t *ret_size)
{
    size_t size = 0;
    const void *data = NULL;
    if (socket != NULL && !plx__command_is_refused(socket, "wait for a command", command)) {
        data = wait_for_command(socket, command, timeout_ms, &size);
    }
    if (ret_size != NULL) {
        *ret_size = size;
    }
    return data;
}
