/* lib/socket/idle.h -- connections on which nothing arrives any more, PLX_OPTION_IDLE_TIMEOUT.
 *
 * Design: `idle_from` in the options is the moment from which silence is counted. What is received
 * moves it. What is sent does so at once where the kernel hands it to the peer itself; where the peer's
 * kernel acknowledges (the kind's `unconfirmed`) a send only means that something may be
 * acknowledged, and whether it was is looked at when the time is over. So sending costs no system
 * call, and a peer that has vanished while something was sent ends after once to twice the time:
 *
 *      idle_from                     time is over: a look
 *      |---------- limit ------------|  nothing on its way, nothing acknowledged: the end
 *                                    |  acknowledged meanwhile, nothing on its way: from that moment on
 *                                    |  acknowledged meanwhile, more on its way; or all of it was sent
 *                                    |  after the last look, perhaps just now: once more, from now on
 *                                    |  on its way since the last look, nothing acknowledged: the end */
#ifndef PLX_LIB_IDLE_H
#define PLX_LIB_IDLE_H

#include "lib/socket/object.h"

/* plx__idle_begin notes that a connection begins, plx__idle_received that bytes came, plx__idle_sent
 * that the kernel took some. They note the time of the last activity, too. */
void plx__idle_begin(plx_socket *socket);
void plx__idle_received(plx_socket *socket);
void plx__idle_sent(plx_socket *socket);

/* plx__idle_deadline returns the moment at which to check; 0: never. */
uint64_t plx__idle_deadline(const plx_socket *socket);

/* plx__idle_is_due says whether that moment has passed, plx__idle_is_over whether the connection has been
 * silent for too long, after a look at what the peer's kernel has acknowledged meanwhile. */
bool plx__idle_is_due(const plx_socket *socket);
bool plx__idle_is_over(plx_socket *socket);

#endif
