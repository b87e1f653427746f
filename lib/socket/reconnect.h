/* lib/socket/reconnect.h -- when to connect again after the end, PLX_OPTION_AUTO_CONNECT.
 *
 * Design: a connection that was made by connect arms the machine. Where it ends, or cannot be made, and
 * the option is 1, the socket waits in UNCONNECTED for a pause, which is doubled each time until a
 * connection works. Here is only the waiting: lib/socket/connect.h starts the connection.
 *
 *               connect            ended, or failed, and AUTO_CONNECT is 1
 *      OFF ------------> ARMED <------------------------------------------> WAITING
 *       ^                  |        the pause is over: connect                 |
 *       +------------------+---------------------------------------------------+
 *         disconnect, close, abort;                 AUTO_CONNECT set to 0
 *         the end while AUTO_CONNECT is 0
 *
 * WAITING uses the socket's `wake_at`: the other waits that do are those of open and listening sockets.
 * Only reconnect.c writes the socket's `reconnect`. */
#ifndef PLX_LIB_RECONNECT_H
#define PLX_LIB_RECONNECT_H

#include "lib/socket/object.h"

enum plx__reconnect { PLX__RECONNECT_OFF, PLX__RECONNECT_ARMED, PLX__RECONNECT_WAITING };

/* plx__reconnect_arm notes that connect begins, by the program or after a pause. */
void plx__reconnect_arm(plx_socket *socket);

/* plx__reconnect_stop turns it off. Returns whether the socket was waiting. */
bool plx__reconnect_stop(plx_socket *socket);

/* plx__reconnect_is_wanted says whether the end of the present connection begins a pause. */
bool plx__reconnect_is_wanted(const plx_socket *socket);

/* plx__reconnect_wait begins the next pause. */
void plx__reconnect_wait(plx_socket *socket);

/* plx__reconnect_forget_pauses makes the next pause the first one again. */
void plx__reconnect_forget_pauses(plx_socket *socket);

/* plx__reconnect_is_due says whether to connect now: the pause is over, and the end of the last
 * connection has been reported. */
bool plx__reconnect_is_due(const plx_socket *socket);

#endif
