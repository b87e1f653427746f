/* lib/socket/command.h -- what the calls of <pollux/command.h> share. */
#ifndef PLX_LIB_COMMAND_H
#define PLX_LIB_COMMAND_H

#include "lib/socket/object.h"

/* plx__command_is_refused refuses a call on a socket without commands, and with a number that no
 * command has. Returns whether the call was refused. */
bool plx__command_is_refused(plx_socket *socket, const char *call, int32_t command);

/* plx__command_begin begins with what is received already, after commands were set. */
void plx__command_begin(plx_socket *socket);

#endif
