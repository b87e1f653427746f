/* lib/socket/sending.h -- the sending half of a connection.
 *
 *           the kernel's buffer is full      it may have room, or the queue was dropped
 *      OPEN --------------------------> BLOCKED ---------------------------------------> OPEN
 *       |  |                              |
 *       |  | CLOSING, all was sent        |
 *       |  +------------------------------|---> SHUT
 *       |                                 |
 *       +---------------------------------+---> FAILED   send(2) failed, or a receive of packets:
 *                                                        tx_error
 *
 * SHUT: shutdown(SHUT_WR) was called, no bytes are queued and none will be. FAILED ends the
 * connection as soon as all bytes that the kernel holds were received: after a reset recv(2) gives
 * these bytes and then a plain end, so that the errno has to be kept from the send. Each connection
 * begins in OPEN, which is zero. */
#ifndef PLX_LIB_SENDING_H
#define PLX_LIB_SENDING_H

#include "lib/os/errno.h"
#include "lib/socket/object.h"

enum plx__tx { PLX__TX_OPEN, PLX__TX_BLOCKED, PLX__TX_SHUT, PLX__TX_FAILED };

/* plx__socket_can_send returns whether bytes are queued that the kernel may take now. */
static inline bool plx__socket_can_send(const plx_socket *socket)
{
    return socket->out.size > 0 && socket->tx == PLX__TX_OPEN && plx__socket_is_open(socket);
}

/* plx__sending_reason returns the one of two errnos that says why the connection is over; `first`
 * is the earlier one, and 0 is no errno. The kernel gives the reason to one call only and fails
 * every later send with EPIPE, so EPIPE is the reason only if there is no other. */
static inline int plx__sending_reason(int first, int later)
{
    return first == 0 || (first == PLX__EPIPE && later != 0) ? later : first;
}

/* plx__sending_unblock notes that the kernel may have room again. */
static inline void plx__sending_unblock(plx_socket *socket)
{
    socket->tx = socket->tx == PLX__TX_BLOCKED ? PLX__TX_OPEN : socket->tx;
}

/* plx__sending_block notes that the kernel's buffer is full. */
static inline void plx__sending_block(plx_socket *socket)
{
    socket->tx = PLX__TX_BLOCKED;
}

/* plx__sending_refused notes that send(2) failed with a negative errno: BLOCKED if the kernel's
 * buffer is full, FAILED otherwise. */
void plx__sending_refused(plx_socket *socket, ptrdiff_t error);

/* plx__sending_fail enters FAILED because of an errno. */
void plx__sending_fail(plx_socket *socket, int error);

/* plx__sending_shut notes that shutdown(SHUT_WR) was called. */
void plx__sending_shut(plx_socket *socket);

/* plx__sending_begin resets the half for a new connection. */
static inline void plx__sending_begin(plx_socket *socket)
{
    socket->tx = PLX__TX_OPEN;
    socket->tx_error = 0;
}

#endif
