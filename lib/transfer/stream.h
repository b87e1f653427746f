/* lib/transfer/stream.h -- what byte streams share: listening, receiving, sending, half-close,
 * draining. All but receiving and sending is as good for packets over a connection.
 *
 * Design: the two halves of a connection end apart from each other (lib/socket/receiving.h,
 * lib/socket/sending.h). Of two errors the first says why the connection is over.
 *
 * After each round of sending, settle looks at both and decides whether the connection goes on,
 * drains, or is over. */
#ifndef PLX_LIB_STREAM_H
#define PLX_LIB_STREAM_H

#include "lib/socket/object.h"

/* The transport of byte streams over one descriptor. A kind names its own `receive` and `send`:
 * plx__stream_receive and plx__stream_send unless it does more. */
extern const struct plx__transport plx__stream_transport;

/* What a socket that only connects and listens is before, in sentences: a kind's `unopened`. */
#define PLX__NOT_CONNECTED "not connected, call plx_socket_connect_to"

/* What packets over a connection have of it. */
int plx__stream_listen(plx_socket *socket);
void plx__stream_incoming(plx_socket *socket, struct plx__budget *budget);
void plx__stream_settle(plx_socket *socket);
int plx__stream_shutdown(plx_socket *socket);

/* plx__stream_pending returns what the kernel holds: of datagrams the size of the first (udp(7)). */
size_t plx__stream_pending(const plx_socket *socket);

/* The `receive` and `send` of a kind that does no more than that. */
ptrdiff_t plx__stream_receive(plx_socket *socket, void *data, size_t size);
ptrdiff_t plx__stream_send(plx_socket *socket, const void *data, size_t size);

/* plx__stream_empty_input notes that no more is there now. After a failed send that is the end: what the
 * peer sent before it has all been received. */
void plx__stream_empty_input(plx_socket *socket);

#endif
