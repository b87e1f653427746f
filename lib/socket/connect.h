/* lib/socket/connect.h -- connecting a socket to its peer.
 *
 * Design: a socket has a race (lib/socket/race.h) in HOST_LOOKUP and CONNECTING and in no other
 * state. The race does not know the socket; connect.c turns the race's verdict into the state, the
 * descriptor or the error of the socket:
 *
 *      race: LOOKING_UP --> RUNNING --+--> WON              CONNECTED
 *            HOST_LOOKUP   CONNECTING +--> FAILED,          UNCONNECTED with an error, or BOUND
 *                                          LOOKUP_FAILED    with an error for a datagram socket */
#ifndef PLX_LIB_CONNECT_H
#define PLX_LIB_CONNECT_H

#include "lib/socket/object.h"

/* plx__connect_start begins to connect. Returns 0, or a code after plx__socket_fail. Failures of
 * the network are reported later. */
int plx__connect_start(plx_socket *socket);

/* plx__connect_continue goes on with what is ready or due. Afterwards the socket may be connected,
 * or have failed to connect. */
void plx__connect_continue(plx_socket *socket, struct plx__budget *budget);

/* plx__connect_again connects an unconnected socket again if that is due
 * (lib/socket/reconnect.h). */
void plx__connect_again(plx_socket *socket);

#endif
