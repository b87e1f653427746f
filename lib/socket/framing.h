/* lib/socket/framing.h -- the message at the front of a stream.
 *
 * Design: the only state of parsing is how far the front was searched. Whether a message is whole
 * is computed from the received bytes each time. So the program may read, skip or put back bytes
 * between messages, and the bytes that follow are parsed as a message again.
 *
 *      received bytes   | length | message ...... | length | mess
 *                       ^ the front: whole
 */
#ifndef PLX_LIB_FRAMING_H
#define PLX_LIB_FRAMING_H

#include "lib/socket/object.h"
#include "lib/socket/rare.h"

#include <pollux/message.h>

#define PLX__DELIMITER_SIZE 8

/* The frame of a socket, made when one is set. */
struct plx__framing {
    size_t maximum;                      /* bytes of a message */
    size_t searched;                     /* no delimiter begins in this many bytes at the front */
    uint8_t length_size, delimiter_size; /* one of the two is 0 */
    bool little_endian;
    bool
        too_long; /* CONNECTED: the first message exceeds the maximum, settle ends the connection */
    uint8_t delimiter[PLX__DELIMITER_SIZE];
};

/* The message at the front of the received bytes. */
struct plx__front {
    enum { PLX__FRONT_PARTIAL, PLX__FRONT_WHOLE, PLX__FRONT_TOO_LONG } is;
    size_t before, size, behind; /* bytes: the length, the message, the delimiter */
};

/* plx__framing_of returns the frame of a socket, NULL: the stream is not cut into messages. Inline
 * and without plx__no_rare, because each poll asks. */
static inline struct plx__framing *plx__framing_of(const plx_socket *socket)
{
    return socket->rare == NULL ? NULL : socket->rare->framing;
}

/* plx__framing_is_valid returns whether the members of a frame fit together and are in range.
 * plx__framing_longest returns the greatest maximum of a frame with a length of that size. */
bool plx__framing_is_valid(const plx_frame *frame);
size_t plx__framing_longest(size_t length_size);

/* plx__framing_set gives the socket a valid frame, plx__framing_copy gives `to` the frame of
 * `from`. False when memory ran out. plx__framing_clear removes the frame. */
bool plx__framing_set(plx_socket *socket, const plx_frame *frame);
bool plx__framing_copy(plx_socket *to, const plx_socket *from);
void plx__framing_clear(plx_socket *socket);

/* These two are only for a socket with a frame. plx__framing_front parses the front.
 * plx__framing_note parses it and sets the pending events. A message in progress may exceed
 * READ_LIMIT. */
struct plx__front plx__framing_front(const plx_socket *socket);
void plx__framing_note(plx_socket *socket);

/* plx__framing_is_too_long returns whether the first message exceeds the maximum. For any
 * socket. */
static inline bool plx__framing_is_too_long(const plx_socket *socket)
{
    const struct plx__framing *framing = plx__framing_of(socket);
    return framing != NULL && framing->too_long;
}

/* plx__framing_note_too_long notes that the first message exceeds the maximum: plx__message_settle
 * ends the connection. */
void plx__framing_note_too_long(plx_socket *socket);

/* plx__framing_lift lets a message in progress exceed READ_LIMIT. */
void plx__framing_lift(plx_socket *socket);

/* plx__framing_taken is called after `size` bytes were taken from the front, or with SIZE_MAX after
 * all were dropped. */
static inline void plx__framing_taken(plx_socket *socket, size_t size)
{
    struct plx__framing *framing = plx__framing_of(socket);
    framing->searched -= size < framing->searched ? size : framing->searched;
}

/* plx__framing_given_back is called after `size` bytes were put before the front. */
void plx__framing_given_back(plx_socket *socket, size_t size);

/* plx__framing_write_length writes the length before a message, if the frame has one. */
void plx__framing_write_length(const struct plx__framing *framing, uint8_t *bytes, size_t length);

#endif
