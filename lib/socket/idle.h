/* lib/socket/idle.h -- connections on which nothing arrives any more, PLX_OPTION_IDLE_TIMEOUT.
 *
 * Design: `silence`, beside the options, is a patience (lib/base/patience.h), so that a halt of the
 * process is not taken for a silence of the peer. Received bytes begin it anew. Sent bytes do so at
 * once if the local kernel delivers them to the peer. If the peer's kernel acknowledges them (the
 * kind's `unconfirmed`), the socket asks for acknowledgements only at each look, which comes after
 * a quarter of the time. So sending costs no system call. If a peer vanishes while bytes are in
 * flight, the connection ends after once to twice the time:
 *
 *      silence         a look: ask the kernel
 *      |--- quarter ---|  nothing in flight, nothing acknowledged: the silence goes on
 *                      |  acknowledged, nothing in flight: the silence begins at that moment
 *                      |  acknowledged, more in flight: it begins now
 *                      |  in flight, but not when last asked: it begins now
 *                      |  in flight when last asked too, nothing acknowledged: it goes on
 *
 * Bytes in flight are sent and not acknowledged, or still queued. */
#ifndef PLX_LIB_IDLE_H
#define PLX_LIB_IDLE_H

#include "lib/socket/object.h"

/* plx__idle_begin notes that a connection begins, plx__idle_received that bytes were received,
 * plx__idle_sent that the kernel took bytes. They also note the time of the last activity. */
void plx__idle_begin(plx_socket *socket);
void plx__idle_received(plx_socket *socket);
void plx__idle_sent(plx_socket *socket);

/* plx__idle_restart counts from now because the program has set another limit. */
void plx__idle_restart(plx_socket *socket);

/* plx__idle_deadline returns the moment at which to check; 0: never. */
uint64_t plx__idle_deadline(const plx_socket *socket);

/* plx__idle_is_due returns whether that moment has passed. plx__idle_is_over asks for
 * acknowledgements, looks, and returns whether the connection has been silent for too long. */
bool plx__idle_is_due(const plx_socket *socket);
bool plx__idle_is_over(plx_socket *socket);

#endif
