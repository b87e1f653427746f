/* lib/socket/property.h -- the properties of a socket. */
#ifndef PLX_LIB_PROPERTY_H
#define PLX_LIB_PROPERTY_H

#include "lib/socket/object.h"

/* plx__socket_keep_path replaces the path by a copy of `size` bytes; 0: no path. False when memory
 * ran out; the path is unchanged then. */
bool plx__socket_keep_path(plx_socket *socket, const char *path, size_t size);

/* plx__socket_set_path is plx_socket_set_path for `size` bytes without a terminating zero byte. */
int plx__socket_set_path(plx_socket *socket, const char *path, size_t size);

/* plx__properties_make returns the properties for writing, NULL when memory ran out;
 * plx__properties_free frees them. */
struct plx__properties *plx__properties_make(plx_socket *socket);
void plx__properties_free(plx_socket *socket);

/* plx__text_set replaces *text by a copy; "" and NULL: by NULL. False when memory ran out; *text is
 * unchanged then. */
bool plx__text_set(char **text, const char *value);

#endif
