/* lib/socket/message.h -- messages over a stream. */
#ifndef PLX_LIB_MESSAGE_H
#define PLX_LIB_MESSAGE_H

#include "lib/socket/object.h"

/* plx__message_settle ends the connection if the first message cannot be received. Returns whether
 * it has ended the connection. */
bool plx__message_settle(plx_socket *socket);

/* plx__message_write does what plx_socket_write_message does, for a stream with a frame or for
 * records. With `head`, the number of a command, the message is that and then `data`. `call` names
 * the call in sentences. */
int plx__message_write(plx_socket *socket, const char *call, const uint8_t *head, const void *data,
                       size_t size);

#endif
