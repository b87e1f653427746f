/* lib/socket/reconnect.h -- when to connect again after the end, PLX_OPTION_AUTO_CONNECT.
 *
 * Design: connect arms the machine. If the connection ends or fails while the option is 1, the
 * socket waits in UNCONNECTED for a pause. The pause doubles each time until a connection is
 * established. This file only waits: lib/socket/connect.h starts the connection.
 *
 *          connect          ended or failed, AUTO_CONNECT is 1
 *      OFF --------> ARMED ------------------------------------> WAITING <-+ connect failed
 *       ^              |  <------------------------------------   |    |   | at once
 *       |              |   the pause is over, or connect called   |    +---+
 *       +--------------+------------------------------------------+
 *         disconnect, close, abort;         disconnect, close, abort, listen, adopt;
 *         ended, AUTO_CONNECT is 0          AUTO_CONNECT set to 0
 *
 * WAITING uses the socket's `wake_at`, which serves open and listening sockets for other waits.
 * Only this header and reconnect.c write the socket's `reconnect`. */
#ifndef PLX_LIB_RECONNECT_H
#define PLX_LIB_RECONNECT_H

#include "lib/socket/object.h"
#include "lib/socket/options.h"

enum plx__reconnect { PLX__RECONNECT_OFF, PLX__RECONNECT_ARMED, PLX__RECONNECT_WAITING };

/* plx__reconnect_arm notes that a connect begins: the program's, or the one after a pause. */
void plx__reconnect_arm(plx_socket *socket);

/* plx__reconnect_stop enters OFF. Returns whether the socket was waiting. */
static inline bool plx__reconnect_stop(plx_socket *socket)
{
    bool waited = socket->reconnect == PLX__RECONNECT_WAITING;
    socket->reconnect = PLX__RECONNECT_OFF;
    if (waited) {
        socket->wake_at = 0;
    }
    return waited;
}

/* plx__reconnect_is_wanted returns whether the end of the present connection begins a pause. */
static inline bool plx__reconnect_is_wanted(const plx_socket *socket)
{
    return socket->reconnect == PLX__RECONNECT_ARMED &&
           plx__option_value(socket->options, PLX_OPTION_AUTO_CONNECT) != 0;
}

/* plx__reconnect_wait begins the next pause. */
void plx__reconnect_wait(plx_socket *socket);

/* plx__reconnect_forget_pauses makes the next pause the first one again. */
static inline void plx__reconnect_forget_pauses(plx_socket *socket)
{
    if (socket->options != NULL) {
        socket->options->notes.last_pause = 0;
    }
}

/* plx__reconnect_is_due returns whether to connect now: the pause is over, and the end of the last
 * connection was reported. */
bool plx__reconnect_is_due(const plx_socket *socket);

#endif
