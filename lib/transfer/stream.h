/* lib/transfer/stream.h -- what byte streams share: listening, receiving, sending, half-close,
 * draining.
 *
 * The folder lib/transfer/ moves bytes between the kernel and a socket's buffers: as a stream, as
 * packets, as datagrams, with descriptors. It may use lib/socket/, lib/resolve/, lib/poll/, lib/os/
 * and lib/base/. lib/endpoint/, lib/kind/ and lib/group/ use it.
 *
 * Design: the two halves of a connection end independently (lib/socket/receiving.h,
 * lib/socket/sending.h). If both fail, the first error says why the connection is over.
 *
 * After each round of sending, plx__stream_settle looks at both halves and decides whether the
 * connection goes on, drains, or is over. Packets over a connection use everything here except
 * receiving and sending. */
#ifndef PLX_LIB_STREAM_H
#define PLX_LIB_STREAM_H

#include "lib/socket/object.h"

/* The transport of byte streams over one descriptor. A kind names its own `receive` and `send`:
 * plx__stream_receive and plx__stream_send unless it does more. */
extern const struct plx__transport plx__stream_transport;

/* How sentences describe a socket that has neither connected nor listened: a kind's `unopened`. */
#define PLX__NOT_CONNECTED "not connected, call plx_socket_connect_to"

/* The functions that packets over a connection use too. */
int plx__stream_listen(plx_socket *socket);
void plx__stream_incoming(plx_socket *socket, struct plx__budget *budget);
void plx__stream_settle(plx_socket *socket);
int plx__stream_shutdown(plx_socket *socket);

/* plx__stream_pending returns how many bytes the kernel holds (FIONREAD); for datagrams, the size
 * of the first one (udp(7)). */
size_t plx__stream_pending(const plx_socket *socket);

/* The `receive` and `send` of a kind that only calls recv(2) and send(2). */
ptrdiff_t plx__stream_receive(plx_socket *socket, void *data, size_t size);
ptrdiff_t plx__stream_send(plx_socket *socket, const void *data, size_t size);

/* plx__stream_empty_input notes that the kernel's receive buffer is empty. After a failed send this
 * is the end of input: everything that the peer sent before the failure has been received. */
void plx__stream_empty_input(plx_socket *socket);

#endif
