/* lib/socket/message.h -- messages over a stream. */
#ifndef PLX_LIB_MESSAGE_H
#define PLX_LIB_MESSAGE_H

#include "lib/socket/object.h"

/* plx__message_settle ends the connection if a message over the maximum stands first, and returns
 * whether it did. */
bool plx__message_settle(plx_socket *socket);

#endif
