/* lib/socket/property.h -- the properties of a socket. */
#ifndef PLX_LIB_PROPERTY_H
#define PLX_LIB_PROPERTY_H

#include "lib/socket/object.h"

/* plx__socket_keep_path replaces the path by a copy of `size` bytes; 0: no path. False when memory
 * ran out; the path is unchanged then. */
bool plx__socket_keep_path(plx_socket *socket, const char *path, size_t size);

/* plx__socket_set_path is plx_socket_set_path for `size` bytes without a terminating zero byte. */
int plx__socket_set_path(plx_socket *socket, const char *path, size_t size);

/* plx__text_set replaces *text by a copy; "" and NULL: by NULL. False when memory ran out; *text is
 * unchanged then. */
bool plx__text_set(char **text, const char *value);

#endif
