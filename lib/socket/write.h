/* lib/socket/write.h -- what the calls that write share. */
#ifndef PLX_LIB_WRITE_H
#define PLX_LIB_WRITE_H

#include "lib/socket/object.h"

/* plx__socket_check_write checks whether the program may write `size` bytes now. Returns 0, or a
 * code after plx__socket_fail. */
int plx__socket_check_write(plx_socket *socket, const void *data, size_t size);

/* plx__socket_write is plx_socket_write, but returns the negative of the failure's code instead of
 * -1. `head` is the number of a command that precedes the data, for records only; NULL: none. */
ptrdiff_t plx__socket_write(plx_socket *socket, const uint8_t *head, const void *data, size_t size);

/* plx__socket_refuses_write returns whether PLX_OPTION_DIRECTION forbids writing, or there are no
 * bytes at `data`, after plx__socket_fail. */
bool plx__socket_refuses_write(plx_socket *socket, const void *data, size_t size);

#endif
