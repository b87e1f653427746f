/* lib/socket/write.h -- what all calls that write share. */
#ifndef PLX_LIB_WRITE_H
#define PLX_LIB_WRITE_H

#include "lib/socket/object.h"

/* plx__socket_check_write says whether so much may be written now. Returns 0, or a code after
 * plx__socket_fail. */
int plx__socket_check_write(plx_socket *socket, const void *data, size_t size);

/* plx__socket_write is plx_socket_write, but instead of -1 it returns the code of the failure,
 * negative. */
ptrdiff_t plx__socket_write(plx_socket *socket, const void *data, size_t size);

#endif
