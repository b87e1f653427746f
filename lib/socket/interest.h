/* lib/socket/interest.h -- what a socket waits for: the watch of its descriptor and its deadline.
 *
 * Both are computed from the state, the limits and the buffers. Updating them changes nothing else
 * and never ends a socket: reads and options update them, and must not end the connection. */
#ifndef PLX_LIB_INTEREST_H
#define PLX_LIB_INTEREST_H

#include "lib/socket/framing.h"
#include "lib/socket/object.h"
#include "lib/socket/receiving.h"
#include "lib/socket/sending.h"

/* plx__socket_interest returns what to watch the descriptor for in a state. */
unsigned plx__socket_interest(const plx_socket *socket, plx_state state);

/* plx__socket_update updates the watch and the deadline. If the poller refuses the watch,
 * watch_error gets the errno, and plx__socket_settle ends the connection. */
void plx__socket_update(plx_socket *socket);

/* plx__socket_may_receive returns whether the descriptor may have something to receive. */
static inline bool plx__socket_may_receive(const plx_socket *socket)
{
    return plx__socket_is_open(socket) && !plx__receiving_has_ended(socket) &&
           (socket->watch.ready & PLX__READ) != 0;
}

/* plx__socket_has_edge returns whether an edge was reported and not served: the kernel reports an
 * edge once, and a poll of the group inside a handler of this socket cannot serve it. */
static inline bool plx__socket_has_edge(const plx_socket *socket)
{
    return (socket->watch.ready & PLX__READ) != 0 && (socket->watch.interest & PLX__EDGE) != 0 &&
           socket->task.loop != NULL && plx__socket_may_receive(socket);
}

/* plx__socket_has_due_event returns whether a pending event may be reported now: during a wait for a
 * command not commands, nor the end that follows them. */
bool plx__socket_has_due_event(const plx_socket *socket);

/* plx__socket_has_work returns whether there is work that needs no report of the kernel.
 * plx__socket_has_input_work leaves out queued bytes. */
static inline bool plx__socket_has_input_work(const plx_socket *socket)
{
    return (socket->pending != 0 && plx__socket_has_due_event(socket)) ||
           socket->watch_error != 0 || socket->again || socket->more ||
           plx__framing_is_unfit(socket) || plx__socket_has_edge(socket);
}

static inline bool plx__socket_has_work(const plx_socket *socket)
{
    return plx__socket_has_input_work(socket) || plx__socket_can_send(socket);
}

/* plx__socket_drains returns whether a send has failed, and what arrived before can be received at
 * once: there is room, and no filter holds it until a moment. */
bool plx__socket_drains(const plx_socket *socket);

/* plx__socket_has_ending returns whether plx__socket_settle has an end to go on with. No readiness
 * will be reported for such an end: its cause was noticed already. */
bool plx__socket_has_ending(const plx_socket *socket);

/* plx__socket_is_unfinished returns whether a socket that no pass serves at the moment has work
 * that needs no report of the kernel. An end belongs to it: the pass that noticed the end may have
 * been broken off, because a handler removed the socket from its group. */
static inline bool plx__socket_is_unfinished(const plx_socket *socket)
{
    return plx__socket_has_work(socket) || plx__socket_has_ending(socket);
}

#endif
