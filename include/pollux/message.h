/* pollux/message.h -- messages over a stream: where one message ends and the next begins.
 *
 * A stream has no boundaries: bytes written in one piece may arrive in five, and five pieces may
 * arrive in one. A frame marks the boundaries, either by a length before each message or by a
 * delimiter after it. Both sides set the same frame; the other side need not use Pollux.
 *
 *     length_size 2                   +--------+---------------+--------+-----
 *                                     | 00 0b  | hello, world  | 00 03  | ...
 *                                     +--------+---------------+--------+-----
 *     delimiter "\r\n"                | hello, world \r\n ... \r\n ...
 *
 * Set the frame before connect or listen. `message_available` is called when a whole message has
 * arrived; `data_available` is called too, as for any bytes. A datagram socket with a peer has
 * boundaries of its own: there a message is a datagram, and a frame is neither needed nor
 * possible. */
#ifndef POLLUX_MESSAGE_H
#define POLLUX_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/events.h>
#include <pollux/export.h>
#include <pollux/piece.h>

PLX_BEGIN_DECLS

/* How a stream is cut into messages. Set the members of one of the two groups, and leave the others
 * 0. */
typedef struct plx_frame {
    size_t length_size;    /* bytes of the length before each message: 1, 2 or 4 */
    bool little_endian;    /* the length's least byte is first; false: network byte order */
    const void *delimiter; /* bytes that end each message and occur in none; copied */
    size_t delimiter_size; /* 1 to 8 */
    size_t maximum; /* the longest message, in bytes without its frame, up to PTRDIFF_MAX / 2, which
                       is 1 GiB on 32 bit; 0: 1 MiB, or the largest number that the length can hold
                       where that is less */
} plx_frame;

/* plx_socket_set_frame sets how the stream is cut into messages; NULL: it is not cut. The frame is
 * copied. A change while connected applies to the bytes that have not been read. Returns 0;
 * PLX_INVALID_STATE for an invalid frame and for a datagram socket; or PLX_OUT_OF_MEMORY. Unless 0,
 * nothing changed. */
PLX_API int plx_socket_set_frame(plx_socket *socket, const plx_frame *frame);

/* plx_socket_write_message queues one message (copied); the next poll or flush sends it with
 * everything else that was written. The message is queued whole or not at all. A message that alone
 * exceeds PLX_OPTION_WRITE_LIMIT is queued whole when the queue is empty. Returns 0; EAGAIN at the
 * write limit, which is not a failure and is followed by room_available; EMSGSIZE (reason
 * DATAGRAM_TOO_LARGE) for a message over the frame's maximum; PLX_INVALID_STATE where write would
 * return it, without a frame, for NULL data with a size, and for a message that contains the
 * delimiter; PLX_OUT_OF_MEMORY. */
PLX_API int plx_socket_write_message(plx_socket *socket, const void *data, size_t size);

/* plx_socket_write_message_pieces is plx_socket_write_message for a message that lies in several
 * pieces, such as a header and a body. Returns as plx_socket_write_message does, and
 * PLX_INVALID_STATE for NULL pieces with a count, a NULL piece with a size, and a sum of the sizes
 * over SIZE_MAX; a count of 0 is a message of 0 bytes. */
PLX_API int plx_socket_write_message_pieces(plx_socket *socket, const plx_piece *pieces,
                                            size_t count);

/* plx_socket_read_message takes the oldest whole message and returns a pointer to it, without
 * copying and without its frame; *ret_size is its size, which may be 0. Returns NULL and size 0
 * while no message is whole. The bytes belong to the socket and are valid as long as those of
 * plx_socket_read_all. plx_socket_read_all may be called too, and takes what is left, including
 * frames. Without a frame, and for a datagram socket without a peer, the call fails with
 * PLX_INVALID_STATE.
 * A message that has begun raises PLX_OPTION_READ_LIMIT to its size, a delimited message to the
 * maximum. A message over the maximum is never received: the connection ends with EMSGSIZE (reason
 * DATAGRAM_TOO_LARGE), whose message names the size, after the program could read all messages
 * before it. */
PLX_API const void *plx_socket_read_message(plx_socket *socket, size_t *ret_size);

/* plx_socket_can_read_message returns whether plx_socket_read_message would return a message. */
PLX_API bool plx_socket_can_read_message(const plx_socket *socket);

PLX_END_DECLS

#endif
