/* lib/socket/sending.h -- the sending half of a connection.
 *
 *           the kernel takes no more        the kernel has room
 *      OPEN -------------------------> BLOCKED ----------------> OPEN
 *       |                                |
 *       | CLOSING, all was sent          | a send failed, by tx_error; or the socket failed otherwise
 *       +--------> SHUT -----------------+--------> FAILED
 *
 * SHUT: shutdown(SHUT_WR) was called. FAILED ends the connection, but only when everything received was
 * taken from the kernel: the kernel gives the bytes that came before a reset first, and then a plain
 * end, so that the number of the error has to be remembered from the send. OPEN is zero and the state in
 * which each connection begins. */
#ifndef PLX_LIB_SENDING_H
#define PLX_LIB_SENDING_H

#include "lib/os/errno.h"
#include "lib/socket/object.h"

/* plx__sending_reason returns which of two errnos says why the connection is over, `first` having come
 * first; 0 is none. The kernel gives the reason once, to the call that asks first, and answers every
 * send after it by EPIPE, so that EPIPE is a reason only where there is no other. */
static inline int plx__sending_reason(int first, int later)
{
    return first == 0 || (first == PLX__EPIPE && later != 0) ? later : first;
}

/* plx__sending_unblock notes that the kernel may have room again. */
static inline void plx__sending_unblock(plx_socket *socket)
{
    socket->tx = socket->tx == PLX__TX_BLOCKED ? PLX__TX_OPEN : socket->tx;
}

/* plx__sending_block notes that the kernel takes no more for now. */
static inline void plx__sending_block(plx_socket *socket)
{
    socket->tx = PLX__TX_BLOCKED;
}

/* plx__sending_refused notes that the kernel has taken nothing, for the negative errno of a send: it is
 * full, or the half has failed. */
void plx__sending_refused(plx_socket *socket, ptrdiff_t error);

/* plx__sending_fail notes an errno that ends the half. */
void plx__sending_fail(plx_socket *socket, int error);

/* plx__sending_shut notes that the peer was sent our end. */
void plx__sending_shut(plx_socket *socket);

/* plx__sending_begin makes the half as it is for a new connection. */
void plx__sending_begin(plx_socket *socket);

#endif
