/* lib/socket/progress.h -- counting received and sent bytes, and setting their events. */
#ifndef PLX_LIB_PROGRESS_H
#define PLX_LIB_PROGRESS_H

#include "lib/socket/object.h"

/* plx__socket_note_bytes sets the pending events for received bytes: data, and a line or a message
 * if there is a whole one. */
void plx__socket_note_bytes(plx_socket *socket);

/* plx__socket_received counts `size` new bytes of payload in the receive buffer, and sets the
 * events. */
void plx__socket_received(plx_socket *socket, size_t size);

/* plx__socket_stop_input ends the input of this poll after the present receive, although there may
 * be more bytes: the handlers are called first. */
static inline void plx__socket_stop_input(plx_socket *socket)
{
    socket->more = true;
}

/* plx__socket_has_sent counts `size` bytes as sent, and sets the events. */
void plx__socket_has_sent(plx_socket *socket, size_t size);

/* plx__socket_note_room sets the event that there is room to write again, if a write was cut
 * short. */
void plx__socket_note_room(plx_socket *socket);

/* plx__socket_make_room lets the message that stands first become whole, where READ_LIMIT is
 * reached. */
void plx__socket_make_room(plx_socket *socket);

/* plx__socket_consumed is called after the program has taken bytes: receiving may go on. */
void plx__socket_consumed(plx_socket *socket);

#endif
