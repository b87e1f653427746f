/* lib/socket/ending.h -- the steps in which a connection ends.
 *
 *           disconnect with bytes queued
 *      NONE ----------------------------> WHEN_CONNECTED   (HOST_LOOKUP, CONNECTING)
 *       |  |                                    | connected
 *       |  |           disconnect               v       ended without an error
 *       |  +---------------------------------> BY_US ---------------------------> DRAINED
 *       |                                       ^  (CLOSING)                      (UNCONNECTED)
 *       |                            disconnect |
 *       +--the peer has ended, bytes are queued--> BY_PEER   (CONNECTED)
 *
 * BY_US and BY_PEER last for LINGER_TIMEOUT at most, which a halt of the process does not use up:
 * the rule of lib/base/patience.h, kept in one word because each socket has it: `wake_at` is the end
 * of a quarter, and its two lowest bits, nanoseconds that do not matter, say how many quarters are to
 * follow. BY_US ends without an error when the peer has
 * acknowledged all bytes, or has ended too after all were sent. No readiness reports an
 * acknowledgement, so the socket asks the kernel from time to time. NONE is zero. Every other end
 * leads to NONE, and so does a datagram socket's return to BOUND. DRAINED lasts until the socket is
 * used again. */
#ifndef PLX_LIB_ENDING_H
#define PLX_LIB_ENDING_H

#include "lib/socket/object.h"

enum plx__ending {
    PLX__END_NONE,
    PLX__END_WHEN_CONNECTED,
    PLX__END_BY_US,
    PLX__END_BY_PEER,
    PLX__END_DRAINED
};

/* plx__ending_begin returns to NONE. */
static inline void plx__ending_begin(plx_socket *socket)
{
    socket->ending = PLX__END_NONE;
    socket->unconfirmed = false;
    socket->look_pause = 0;
}

/* Each enters the state of its name. */
void plx__ending_when_connected(plx_socket *socket);
void plx__ending_by_us(plx_socket *socket);
void plx__ending_by_peer(plx_socket *socket);
void plx__ending_drained(plx_socket *socket);

/* plx__ending_has_turn returns whether a disconnect that waited for the connection is due now. */
static inline bool plx__ending_has_turn(const plx_socket *socket)
{
    return socket->ending == PLX__END_WHEN_CONNECTED && socket->state == PLX_CONNECTED;
}

/* plx__ending_restart counts LINGER_TIMEOUT from now in BY_US and BY_PEER. plx__ending_is_late
 * returns whether that time is over. plx__ending_look begins the next quarter if one is over. */
void plx__ending_restart(plx_socket *socket);
bool plx__ending_is_late(const plx_socket *socket);
void plx__ending_look(plx_socket *socket);

/* plx__ending_has_arrived asks the kernel whether the peer has acknowledged all bytes sent, and
 * keeps the answer in `unconfirmed`: after a failure the kernel has no answer. */
bool plx__ending_has_arrived(plx_socket *socket);

/* plx__ending_look_later sets the pause before the kernel is asked again: it doubles each time, and
 * is 0 while bytes are queued. */
void plx__ending_look_later(plx_socket *socket);

#endif
