/* pollux/message.h -- messages over a stream: where one ends and the next begins.
 *
 * A stream has no boundaries: what was written in one piece may arrive in five, and five pieces in
 * one. A frame marks them, either by the length before each message or by a delimiter behind it.
 * Both sides set the same one; the other side need not be Pollux.
 *
 *     length_size 2                   +--------+---------------+--------+-----
 *                                     | 00 0b  | hello, world  | 00 03  | ...
 *                                     +--------+---------------+--------+-----
 *     delimiter "\r\n"                | hello, world \r\n ... \r\n ...
 *
 * Set the frame before connect or listen. The handler `message_available` is told when a whole
 * message has come; data_available is told too, as for any bytes. A datagram socket with a peer has
 * boundaries of its own: there a message is a datagram, and no frame is needed or possible. */
#ifndef POLLUX_MESSAGE_H
#define POLLUX_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* How a stream is cut into messages: name the members of one of the two groups, the others being
 * 0. */
typedef struct plx_frame {
    size_t length_size;    /* bytes of the length before each message: 1, 2 or 4 */
    bool little_endian;    /* the length's least byte comes first; false: the network's order */
    const void *delimiter; /* bytes that end each message and stand in none; copied */
    size_t delimiter_size; /* 1 to 8 */
    size_t maximum; /* the longest message, in bytes without its frame, up to half of what an object
                       of the machine may have: PTRDIFF_MAX / 2, 1 GiB on 32 bit; 0: 1 MiB, or what
                       the length can say where that is less */
} plx_frame;

/* plx_socket_set_frame sets how the stream is cut into messages; NULL: it is not. The frame is
 * copied. Changing it while connected holds for the bytes that have not been read. Returns 0, or
 * PLX_INVALID_STATE for a frame that is none and for a datagram socket, or PLX_OUT_OF_MEMORY;
 * unless 0, nothing changed. */
PLX_API int plx_socket_set_frame(plx_socket *socket, const plx_frame *frame);

/* plx_socket_write_message queues one message (copied), to be sent by the next poll or flush with
 * whatever else was written. It is taken whole or not at all: whole, too, where it alone is over
 * PLX_OPTION_WRITE_LIMIT and nothing is queued. Returns 0; EAGAIN at the write limit, which is no
 * failure and is followed by room_available; EMSGSIZE (reason DATAGRAM_TOO_LARGE) for one over the
 * frame's maximum; PLX_INVALID_STATE where write would say so, without a frame, for NULL data with
 * a size, and for a message in which the delimiter stands; PLX_OUT_OF_MEMORY. */
PLX_API int plx_socket_write_message(plx_socket *socket, const void *data, size_t size);

/* plx_socket_read_message takes the oldest whole message and returns where it is, without copying
 * and without its frame; *ret_size is its size, which may be 0. NULL and 0 while none is whole. The
 * bytes belong to the socket and are valid as long as those of plx_socket_read_all, which may be
 * called too and takes what is left, frames and all. Without a frame, and for a datagram socket
 * without a peer, it fails with PLX_INVALID_STATE. A message that has begun lifts
 * PLX_OPTION_READ_LIMIT to its size, a delimited one to the maximum. One that is over the maximum is
 * never taken in: the connection ends with EMSGSIZE (reason DATAGRAM_TOO_LARGE), told in a sentence
 * that names its size, after all messages before it could be read. */
PLX_API const void *plx_socket_read_message(plx_socket *socket, size_t *ret_size);

/* plx_socket_can_read_message returns whether read_message would give a message. */
PLX_API bool plx_socket_can_read_message(const plx_socket *socket);

PLX_END_DECLS

#endif
