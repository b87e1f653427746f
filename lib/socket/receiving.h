/* lib/socket/receiving.h -- the receiving half of a connection.
 *
 *               no room in CLOSING                    half-open is not allowed
 *      OPEN ------------------------> DROPPING --+--> ENDED   the peer has ended
 *       |                                        |
 *       +----------------------------------------+--> HALF_CLOSED --hang-up--> ENDED or FAILED
 *                                                |      `end_of_input` is reported
 *                                                +--> FAILED  a receive failed, by rx_error
 *
 * The half ends only when the kernel holds no more. ENDED and FAILED end the connection, as soon as
 * what is queued was sent (lib/transfer/stream.h); in HALF_CLOSED it goes on. OPEN is zero and the state
 * in which each connection begins. */
#ifndef PLX_LIB_RECEIVING_H
#define PLX_LIB_RECEIVING_H

#include "lib/socket/object.h"

/* plx__receiving_has_ended says whether no more will be received; plx__receiving_is_over whether the
 * connection has to end therefore. */
static inline bool plx__receiving_has_ended(const plx_socket *socket)
{
    return socket->rx >= PLX__RX_ENDED;
}

static inline bool plx__receiving_is_over(const plx_socket *socket)
{
    return socket->rx == PLX__RX_ENDED || socket->rx == PLX__RX_FAILED;
}

/* plx__receiving_end notes that no more will be received, for an errno or 0. */
void plx__receiving_end(plx_socket *socket, int error);

/* plx__receiving_hang_up notes in HALF_CLOSED that the peer has gone altogether, for an errno or 0. */
void plx__receiving_hang_up(plx_socket *socket, int error);

/* plx__receiving_drop notes in CLOSING that received bytes had no room: nothing behind them is kept, or
 * the stream would have a hole. */
void plx__receiving_drop(plx_socket *socket);

/* plx__receiving_begin makes the half as it is for a new connection. */
void plx__receiving_begin(plx_socket *socket);

#endif
