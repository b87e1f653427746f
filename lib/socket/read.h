/* lib/socket/read.h -- what the calls that read share. */
#ifndef PLX_LIB_READ_H
#define PLX_LIB_READ_H

#include "lib/socket/object.h"

/* plx__socket_take_as_view takes `size` bytes of a stream, or the first record. The program may
 * look at them until the socket is served again. */
void plx__socket_take_as_view(plx_socket *socket, size_t size);

/* plx__socket_drop_unread drops all that was received, with the descriptors that came with it, and
 * its events. The program may still look at the bytes that a read has returned. */
void plx__socket_drop_unread(plx_socket *socket);

/* plx__socket_refuse_peerless is plx__socket_refuses_peerless for a socket without a peer. */
bool plx__socket_refuse_peerless(plx_socket *socket, const char *call);

/* plx__socket_refuses_peerless refuses a call that reads or writes on a datagram socket without a
 * peer, because such a call names no sender or receiver. Returns whether the call was refused. */
static inline bool plx__socket_refuses_peerless(plx_socket *socket, const char *call)
{
    return socket->kind->transport->keeps_boundaries && !plx__socket_has_packets(socket) &&
           plx__socket_refuse_peerless(socket, call);
}

/* plx__socket_refuses_bytes refuses a call that reads or writes bytes or messages on a socket with
 * commands: the program would lose where they begin. `instead` is "read" or "send". Returns whether
 * the call was refused. */
bool plx__socket_refuses_bytes(plx_socket *socket, const char *call, const char *instead);

#endif
