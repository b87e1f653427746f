/* lib/transfer/datagram-peer.h -- the peer that connect(2) gives to a datagram socket. */
#ifndef PLX_LIB_DATAGRAM_PEER_H
#define PLX_LIB_DATAGRAM_PEER_H

#include "lib/socket/object.h"

/* plx__datagram_peer_remove removes the peer of the socket's descriptor (connect(2), AF_UNSPEC).
 * The socket keeps its local port, but not the local address that connect(2) chose for the peer:
 * with that address the socket would receive at no other one. Returns 0, or a code after
 * plx__socket_fail. */
int plx__datagram_peer_remove(plx_socket *socket);

#endif
