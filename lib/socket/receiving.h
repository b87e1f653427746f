/* lib/socket/receiving.h -- the receiving half of a connection.
 *
 *           the peer has ended, HALF_OPEN is 1 and the state is CONNECTED
 *      OPEN -------------------------------------------------> HALF_CLOSED
 *       |                                                           | the peer has hung up
 *       |  no room in CLOSING                                       v
 *       +---------------------> DROPPING ----+                 ENDED or FAILED
 *       |                                    |
 *       +------------------------------------+--> ENDED    the peer has ended
 *                                            +--> FAILED   recv(2), or a send before, failed
 *
 * FAILED keeps the errno in rx_error. recv(2) gives the bytes that the kernel holds before it gives
 * the end or the error. FAILED ends the connection at once, ENDED as soon as the queued bytes were
 * sent (lib/transfer/stream.h). In HALF_CLOSED the connection goes on, and the program gets
 * `end_of_input`. Each connection begins in OPEN, which is zero. */
#ifndef PLX_LIB_RECEIVING_H
#define PLX_LIB_RECEIVING_H

#include "lib/socket/object.h"

enum plx__rx { PLX__RX_OPEN, PLX__RX_DROPPING, PLX__RX_ENDED, PLX__RX_HALF_CLOSED, PLX__RX_FAILED };

/* plx__receiving_has_ended returns whether no more will be received, plx__receiving_is_over whether
 * the connection has to end for that reason. */
static inline bool plx__receiving_has_ended(const plx_socket *socket)
{
    return socket->rx >= PLX__RX_ENDED;
}

static inline bool plx__receiving_is_over(const plx_socket *socket)
{
    return socket->rx == PLX__RX_ENDED || socket->rx == PLX__RX_FAILED;
}

/* plx__receiving_end notes that no more will be received: because of an errno, or with 0 because
 * the peer has ended. */
void plx__receiving_end(plx_socket *socket, int error);

/* plx__receiving_hang_up notes in HALF_CLOSED that the peer has closed the connection (0) or reset
 * it (an errno). */
void plx__receiving_hang_up(plx_socket *socket, int error);

/* plx__receiving_drop notes in CLOSING that received bytes had no room. All later bytes are dropped
 * too, or the stream would have a hole. */
void plx__receiving_drop(plx_socket *socket);

/* plx__receiving_begin resets the half for a new connection. Inline, as the same function of the
 * other machines: each connection begins and ends with all of them. */
static inline void plx__receiving_begin(plx_socket *socket)
{
    socket->rx = PLX__RX_OPEN;
    socket->rx_error = 0;
}

#endif
