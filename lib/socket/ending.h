/* lib/socket/ending.h -- how far the ending of a connection has come.
 *
 *           disconnect with bytes queued
 *      NONE ----------------------------> WHEN_CONNECTED   (HOST_LOOKUP, CONNECTING)
 *       |  |                                    | connected
 *       |  |           disconnect               v
 *       |  +---------------------------------> BY_US   (CLOSING) ---all has arrived---> DRAINED
 *       |                                                                         (UNCONNECTED)
 *       +--the peer has ended, bytes are queued--> BY_PEER   (CONNECTED)
 *
 * BY_US and BY_PEER last no longer than LINGER_TIMEOUT. Whether all has arrived is looked at from time to
 * time, since no readiness reports an acknowledgement. NONE is zero, and follows every end but that of
 * DRAINED, which lasts until the socket is used again. */
#ifndef PLX_LIB_ENDING_H
#define PLX_LIB_ENDING_H

#include "lib/socket/object.h"

/* plx__ending_begin returns to NONE. */
void plx__ending_begin(plx_socket *socket);

/* Each enters the state of its name. */
void plx__ending_when_connected(plx_socket *socket);
void plx__ending_by_us(plx_socket *socket);
void plx__ending_by_peer(plx_socket *socket);
void plx__ending_drained(plx_socket *socket);

/* plx__ending_restart counts LINGER_TIMEOUT from now, where an ending is under way;
 * plx__ending_is_late says whether that time is over. */
void plx__ending_restart(plx_socket *socket);
bool plx__ending_is_late(const plx_socket *socket);

/* plx__ending_has_arrived asks the kernel whether the peer has acknowledged all that was sent, and
 * remembers the answer in `unconfirmed`: after a failure the kernel does not know any more. */
bool plx__ending_has_arrived(plx_socket *socket);

/* plx__ending_look_later has that asked again after a pause, which doubles; not while bytes are still
 * queued. */
void plx__ending_look_later(plx_socket *socket);

#endif
