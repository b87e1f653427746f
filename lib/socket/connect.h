/* lib/socket/connect.h -- from what the program wants to a connected socket.
 *
 * Design: a socket has a race (lib/socket/race.h) in HOST_LOOKUP and CONNECTING and in no other state.
 * The race does not know the socket; here its verdict becomes the state, the descriptor or the error
 * of the socket:
 *
 *      race: LOOKING_UP --> RUNNING --+--> WON              CONNECTED
 *            HOST_LOOKUP   CONNECTING +--> FAILED,          UNCONNECTED with an error; BOUND, a datagram
 *                                          LOOKUP_FAILED    socket that was bound before */
#ifndef PLX_LIB_CONNECT_H
#define PLX_LIB_CONNECT_H

#include "lib/socket/object.h"

/* plx__connect_start begins. Returns 0, or the code of a call that fails at once; failures of the
 * network come later. */
int plx__connect_start(plx_socket *socket);

/* plx__connect_continue goes on with what is ready; the socket may be connected, or unconnected,
 * afterwards. */
void plx__connect_continue(plx_socket *socket);

/* plx__connect_again connects an unconnected socket again where that is due (lib/socket/reconnect.h). */
void plx__connect_again(plx_socket *socket);

#endif
