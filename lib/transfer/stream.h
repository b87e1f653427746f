/* lib/transfer/stream.h -- what byte streams share: listening, receiving, sending, half-close,
 * draining. All but receiving and sending is as good for packets over a connection.
 *
 * Design: a connection has two directions that end apart from each other.
 *
 *      receiving  ends with the peer's end or an error (input_ended, input_error), and only when
 *                 the system holds no more
 *      sending    ends with an error (send_error), or when we say so in the course of disconnect
 *                 (sending_ended)
 *
 * Of two errors the first says why the connection is over. The kernel gives the reason once, to
 * whichever call asks first, and answers every send after it by EPIPE, so that EPIPE is a reason only
 * where there is no other.
 *
 * After each round of sending, settle looks at both and decides whether the connection goes on,
 * drains, or is over. An error in sending is told only when everything received was taken in: the
 * system gives the bytes before a reset first, and then a plain end, so that the number of the
 * error has to be remembered from the send. */
#ifndef PLX_LIB_STREAM_H
#define PLX_LIB_STREAM_H

#include "lib/socket/object.h"

#include <errno.h>

/* The slots of struct plx_kind that every byte stream over one descriptor has alike. `receive` and
 * `send` it names itself: plx__stream_receive and plx__stream_send unless it does more. */
#define PLX__STREAM_SLOTS                                                                          \
    .type = PLX__TYPE_STREAM, .listen = plx__stream_listen, .incoming = plx__stream_incoming,      \
    .input = plx__stream_input, .send_queue = plx__stream_send_queue, .settle = plx__stream_settle

/* What a socket that only connects and listens is before, in sentences: a kind's `unopened`. */
#define PLX__NOT_CONNECTED "not connected, call plx_socket_connect_to"

int plx__stream_listen(plx_socket *socket);
void plx__stream_incoming(plx_socket *socket, struct plx__budget *budget);
void plx__stream_input(plx_socket *socket, struct plx__budget *budget);
void plx__stream_send_queue(plx_socket *socket, struct plx__budget *budget);
void plx__stream_settle(plx_socket *socket);
ptrdiff_t plx__stream_receive(plx_socket *socket, void *data, size_t size);
ptrdiff_t plx__stream_send(plx_socket *socket, const void *data, size_t size);

/* plx__stream_reason returns which of two errnos says why the connection is over, `first` having come
 * first; 0 is none. */
static inline uint16_t plx__stream_reason(int first, int later)
{
    return (uint16_t)(first == 0 || (first == EPIPE && later != 0) ? later : first);
}

/* plx__stream_end_input notes that no more will come, for an errno or 0; plx__stream_empty_input that
 * no more is there now. After a failed send that is the end: what the peer sent before it has all been
 * taken in. */
void plx__stream_end_input(plx_socket *socket, int error);
void plx__stream_empty_input(plx_socket *socket);

/* plx__stream_pause has a listening socket accept nothing for a while, or until somebody clears
 * `paused`; connections wait in the system's queue meanwhile. */
void plx__stream_pause(plx_socket *socket, bool for_ever);

#endif
