/* lib/socket/interest.h -- what a socket waits for: the watch of its descriptor and its deadline.
 *
 * Both follow from the state, the limits and the buffers. Bringing them in line changes nothing else and
 * never ends a socket: a read or an option must not see the connection end under it. */
#ifndef PLX_LIB_INTEREST_H
#define PLX_LIB_INTEREST_H

#include "lib/socket/framing.h"
#include "lib/socket/object.h"
#include "lib/socket/receiving.h"

/* plx__socket_room returns how many bytes may be received now, obeying READ_LIMIT. */
size_t plx__socket_room(const plx_socket *socket);

/* plx__socket_write_room returns how many bytes may be queued now, obeying WRITE_LIMIT. */
size_t plx__socket_write_room(const plx_socket *socket);

/* plx__socket_interest returns what the descriptor is to be watched for in that state. */
unsigned plx__socket_interest(const plx_socket *socket, plx_state state);

/* plx__socket_update brings watch and deadline in line with state, limits and buffers, and changes
 * nothing else. A watch that the poller refuses is noted in watch_error, for plx__socket_settle. */
void plx__socket_update(plx_socket *socket);

/* plx__socket_may_receive says whether the descriptor may have something to receive. */
static inline bool plx__socket_may_receive(const plx_socket *socket)
{
    return plx__socket_is_open(socket) && !plx__receiving_has_ended(socket) &&
           (socket->watch.ready & PLX__READ) != 0;
}

/* plx__socket_has_edge says whether an edge is still to be served, which the kernel reports once: one
 * that was found while a handler of this socket polled the group could not be served there. */
static inline bool plx__socket_has_edge(const plx_socket *socket)
{
    return (socket->watch.ready & PLX__READ) != 0 && (socket->watch.interest & PLX__EDGE) != 0 &&
           socket->task.loop != NULL && plx__socket_may_receive(socket);
}

/* plx__socket_has_work says whether something waits in memory that needs no report of the kernel;
 * plx__socket_has_input_work leaves out what waits to be sent. */
static inline bool plx__socket_has_input_work(const plx_socket *socket)
{
    return socket->pending != 0 || socket->watch_error != 0 || socket->again || socket->more ||
           plx__framing_is_too_long(socket) || plx__socket_has_edge(socket);
}

static inline bool plx__socket_has_work(const plx_socket *socket)
{
    return plx__socket_has_input_work(socket) || plx__socket_can_send(socket);
}

/* plx__socket_has_ending says whether settling goes on with an end at once, of which no readiness will
 * be reported: what ended the connection was noticed already. */
bool plx__socket_has_ending(const plx_socket *socket);

#endif
