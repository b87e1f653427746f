/* lib/socket/room.h -- how much the buffers of a socket may still hold. */
#ifndef PLX_LIB_ROOM_H
#define PLX_LIB_ROOM_H

#include "lib/socket/object.h"

#include <stddef.h>

/* plx__socket_room returns how many bytes may be received now, obeying READ_LIMIT and
 * PAUSE_READING. */
size_t plx__socket_room(const plx_socket *socket);

/* plx__socket_is_full returns whether READ_LIMIT is reached: a line that is not whole by then will
 * never be. */
bool plx__socket_is_full(const plx_socket *socket);

/* plx__socket_takes_input returns whether received bytes have room, or are dropped if they have
 * none, as in CLOSING. */
static inline bool plx__socket_takes_input(const plx_socket *socket)
{
    return socket->state == PLX_CLOSING || plx__socket_room(socket) > 0;
}

/* plx__socket_write_room returns how many bytes may be queued now, obeying WRITE_LIMIT. */
size_t plx__socket_write_room(const plx_socket *socket);

#endif
