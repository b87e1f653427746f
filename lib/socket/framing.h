/* lib/socket/framing.h -- what stands first in a stream that is cut into messages.
 *
 * Design: the only state of parsing is how far the front was searched: whether a message is whole
 * is read off the received bytes each time it is asked. So bytes may be read, skipped or put back
 * in between, and what follows is a message again.
 *
 *      received bytes   | length | message ...... | length | mess
 *                       ^ the front: whole
 */
#ifndef PLX_LIB_FRAMING_H
#define PLX_LIB_FRAMING_H

#include "lib/socket/object.h"

#include <pollux/message.h>

#define PLX__DELIMITER_SIZE 8

/* The frame of a socket, made when one is set. */
struct plx__framing {
    size_t maximum;                      /* bytes of a message */
    size_t searched;                     /* so many bytes at the front begin no delimiter */
    uint8_t length_size, delimiter_size; /* one of them 0 */
    bool little_endian;
    bool too_long; /* CONNECTED: a message over the maximum stands first, for settle to end it */
    uint8_t delimiter[PLX__DELIMITER_SIZE];
};

/* The message at the front of what was received. */
struct plx__front {
    enum { PLX__FRONT_PARTIAL, PLX__FRONT_WHOLE, PLX__FRONT_TOO_LONG } is;
    size_t before, size, behind; /* the frame's bytes before it, its own, the frame's behind it */
};

/* plx__framing_is_valid says whether the members of a frame go together and are in range;
 * plx__framing_longest returns the greatest maximum that a frame may name. */
bool plx__framing_is_valid(const plx_frame *frame);
size_t plx__framing_longest(size_t length_size);

/* plx__framing_set gives the socket a valid frame, plx__framing_copy gives `to` the frame of
 * `from`. False when memory ran out. plx__framing_clear takes the frame away. */
bool plx__framing_set(plx_socket *socket, const plx_frame *frame);
bool plx__framing_copy(plx_socket *to, const plx_socket *from);
void plx__framing_clear(plx_socket *socket);

/* These are only for a socket with a frame. plx__framing_front looks at what stands first.
 * plx__framing_note does, and sets the pending events; a message in progress may exceed
 * READ_LIMIT. */
struct plx__front plx__framing_front(const plx_socket *socket);
void plx__framing_note(plx_socket *socket);

/* plx__framing_is_too_long says whether a message over the maximum stands first. For any socket. */
static inline bool plx__framing_is_too_long(const plx_socket *socket)
{
    return socket->framing != NULL && socket->framing->too_long;
}

/* plx__framing_note_too_long notes that a message over the maximum stands first, for
 * plx__message_settle to end the connection. */
void plx__framing_note_too_long(plx_socket *socket);

/* plx__framing_lift lets a message in progress exceed READ_LIMIT. */
void plx__framing_lift(plx_socket *socket);

/* plx__framing_taken is called when `size` bytes were taken from the front; SIZE_MAX: when the
 * front has changed in another way. */
static inline void plx__framing_taken(plx_socket *socket, size_t size)
{
    struct plx__framing *framing = socket->framing;
    framing->searched -= size < framing->searched ? size : framing->searched;
}

/* plx__framing_given_back is called when `size` bytes were put before the front. */
void plx__framing_given_back(plx_socket *socket, size_t size);

/* plx__framing_write_length writes the length that precedes a message, if the frame has one. */
void plx__framing_write_length(const struct plx__framing *framing, uint8_t *bytes, size_t length);

#endif
