/* lib/wait.c -- floor 4: the calls that sleep. */
#include "config.h"

#include "lib/clock.h"
#include "lib/connect.h"
#include "lib/socket.h"

#include <errno.h>

/* A wait goes on until this moment; for ever with `forever`. */
struct limit {
    bool forever;
    uint64_t moment;
};

static struct limit limit_after(int timeout_ms)
{
    uint64_t wait = timeout_ms <= 0 ? 0 : (uint64_t)timeout_ms * PLX__MILLISECOND;
    return (struct limit){.forever = timeout_ms < 0, .moment = plx__clock_now() + wait};
}

static int time_left(const struct limit *limit)
{
    return limit->forever ? -1 : plx__milliseconds_until(limit->moment, plx__clock_now());
}

/* How long to sleep at most: until the limit, or the socket's own deadline if that comes first. */
static int time_to_sleep(const plx_socket *socket, const struct limit *limit)
{
    int left = time_left(limit);
    uint64_t deadline = socket->task.deadline.at;
    if (deadline == 0) {
        return left;
    }
    int until = plx__milliseconds_until(deadline, plx__clock_now());
    return left < 0 || until < left ? until : left;
}

static bool is_due(const plx_socket *socket)
{
    return socket->task.deadline.at != 0 && plx__clock_now() >= socket->task.deadline.at;
}

/* Moves bytes, and tells unless a handler of this socket runs. The caller holds the socket. */
static void serve(plx_socket *socket)
{
    struct plx__budget budget = plx__socket_budget();
    if (socket->telling) {
        plx__socket_take_in(socket, &budget);
        plx__socket_send_out(socket, &budget);
        plx__socket_settle(socket);
        return;
    }
    socket->lent = false;
    plx__socket_serve(socket, &budget);
}

/* What a wait inside a handler can go on with at once: news do not count there, for they are not
 * told, but the first step of an ending or of a connect does, which no readiness will ever tell. */
static bool has_step(const plx_socket *socket)
{
    bool ending = socket->state == PLX_CLOSING && socket->out.size == 0 && !socket->sending_ended;
    return socket->more || ending || plx__socket_can_send(socket) || plx__connect_is_idle(socket);
}

static bool has_work(const plx_socket *socket)
{
    return socket->telling ? has_step(socket) : plx__socket_has_work(socket);
}

/* Sleeps until there is something to serve, and serves it. False: the time is over, or the socket
 * was freed. */
static bool wait_once(plx_socket *socket, const struct limit *limit)
{
    bool found = has_work(socket);
    int ready = plx__task_sleep(&socket->task, found ? 0 : time_to_sleep(socket, limit));
    if (ready > 0 || found || is_due(socket)) {
        serve(socket);
        return true;
    }
    return ready == -EINTR || limit->forever || time_left(limit) > 0;
}

/* Waits until `reached` says so or `possible` says that it never will. */
static bool wait_until(plx_socket *socket, int timeout_ms, bool (*reached)(const plx_socket *),
                       bool (*possible)(const plx_socket *))
{
    if (socket == NULL || socket->hold.freed) {
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
    bool told = (socket->news & PLX__NEWS(PLX__EVENT_CONNECTED)) == 0 || socket->telling;
    return plx_socket_is_connected(socket) && told;
}

static bool may_connect(const plx_socket *socket)
{
    return plx__socket_is_connecting(socket) || socket->will_connect ||
           socket->state == PLX_LISTENING || is_connected(socket) || socket->state == PLX_CONNECTED;
}

static bool has_fresh_data(const plx_socket *socket)
{
    return socket->fresh && (socket->in.size > 0 || socket->in_records > 0);
}

/* Whether anything can still arrive. Unconnected it cannot, but for what the next telling may
 * begin. */
static bool may_receive(const plx_socket *socket)
{
    return socket->state != PLX_UNCONNECTED && !socket->input_ended;
}

static bool is_all_sent(const plx_socket *socket)
{
    return socket->out.size == 0 && socket->state != PLX_UNCONNECTED && socket->send_error == 0 &&
           !socket->dropped;
}

static bool is_open_at_all(const plx_socket *socket)
{
    return socket->state != PLX_UNCONNECTED;
}

static bool may_send(const plx_socket *socket)
{
    return socket->state != PLX_UNCONNECTED && !(socket->dropped && socket->out.size == 0);
}

static bool is_unconnected(const plx_socket *socket)
{
    return socket->state == PLX_UNCONNECTED;
}

bool plx_socket_wait(plx_socket *socket, int timeout_ms)
{
    if (socket == NULL || socket->hold.freed ||
        (is_unconnected(socket) && !socket->will_connect && !has_work(socket))) {
        return false;
    }
    struct limit limit = limit_after(timeout_ms);
    bool found = false;
    plx__hold_enter(&socket->hold);
    do {
        bool work = has_work(socket);
        int ready = plx__task_sleep(&socket->task, work ? 0 : time_to_sleep(socket, &limit));
        found = ready > 0 || work || is_due(socket);
    } while (!found && (limit.forever || time_left(&limit) > 0));
    if (found) {
        serve(socket);
    }
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
    return wait_until(socket, timeout_ms, is_unconnected, is_open_at_all);
}
