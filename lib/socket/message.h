/* lib/socket/message.h -- messages over a stream: the frame, and what stands first in the buffer.
 *
 * Design: nothing is kept of a message that has begun but where it was searched already: whether one
 * is whole is read off the received bytes each time it is asked. So bytes may be read, skipped or
 * put back in between, and what follows is a message again.
 *
 *      received bytes   | length | message ...... | length | mess
 *                       ^ the front: whole
 *
 * Invariant: too_long stands in the socket only while it is CONNECTED, until settle has ended it. */
#ifndef PLX_LIB_MESSAGE_H
#define PLX_LIB_MESSAGE_H

#include "lib/socket/socket.h"

#include <pollux/message.h>

#define PLX__DELIMITER_SIZE 8

/* The frame of a socket, made when one is set. */
struct plx__framing {
    size_t maximum;                      /* bytes of a message */
    size_t searched;                     /* so many bytes at the front begin no delimiter */
    uint8_t length_size, delimiter_size; /* one of them 0 */
    bool little_endian;
    uint8_t delimiter[PLX__DELIMITER_SIZE];
};

/* plx__message_note looks whether a whole message stands first and sets the news of it; one that is
 * to come whole may be received, whatever READ_LIMIT. Only for a socket with a frame. */
void plx__message_note(plx_socket *socket);

/* plx__message_make_room lets a message that has begun come whole, where READ_LIMIT is reached. */
void plx__message_make_room(plx_socket *socket);

/* plx__message_taken is called when `size` bytes were taken from the front; SIZE_MAX: when the front
 * has changed in another way. */
static inline void plx__message_taken(plx_socket *socket, size_t size)
{
    struct plx__framing *framing = socket->framing;
    framing->searched -= size < framing->searched ? size : framing->searched;
}

/* plx__message_given_back is called when `size` bytes were put before the front. */
void plx__message_given_back(plx_socket *socket, size_t size);

/* plx__message_settle ends the connection if a message over the maximum stands first, and returns
 * whether it did. */
bool plx__message_settle(plx_socket *socket);

/* plx__message_copy_frame gives `to` the frame of `from`. False for want of memory. */
bool plx__message_copy_frame(plx_socket *to, const plx_socket *from);

#endif
