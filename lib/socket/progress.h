/* lib/socket/progress.h -- counting the bytes that came and went, and setting the events of it. */
#ifndef PLX_LIB_PROGRESS_H
#define PLX_LIB_PROGRESS_H

#include "lib/socket/object.h"

/* plx__socket_note_bytes sets the news that there are bytes, and perhaps a line. */
void plx__socket_note_bytes(plx_socket *socket);

/* plx__socket_received counts `size` new bytes of payload in the receive buffer and sets the news. */
void plx__socket_received(plx_socket *socket, size_t size);

/* plx__socket_stop_input ends the input of this poll after the receive that calls it, although more
 * may be there: the program is to be told first. */
static inline void plx__socket_stop_input(plx_socket *socket)
{
    socket->more = true;
}

/* plx__socket_has_sent counts `size` bytes as sent and sets the news of it. */
void plx__socket_has_sent(plx_socket *socket, size_t size);

/* plx__socket_note_room sets the news that there is room to write again, for one that had too
 * little. */
void plx__socket_note_room(plx_socket *socket);

/* plx__socket_has_line says whether a whole line was received. */
bool plx__socket_has_line(plx_socket *socket);

/* plx__socket_make_room lets the message that stands first become whole, where READ_LIMIT is reached. */
void plx__socket_make_room(plx_socket *socket);

/* plx__socket_consumed is called when the program has taken bytes: reading may go on. */
void plx__socket_consumed(plx_socket *socket);

#endif
