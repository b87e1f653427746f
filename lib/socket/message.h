/* lib/socket/message.h -- messages over a stream. */
#ifndef PLX_LIB_MESSAGE_H
#define PLX_LIB_MESSAGE_H

#include "lib/socket/object.h"

/* plx__message_settle ends the connection if the first message exceeds the maximum. Returns whether
 * it has ended the connection. */
bool plx__message_settle(plx_socket *socket);

#endif
