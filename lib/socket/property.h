/* lib/socket/property.h -- what a socket is set to. */
#ifndef PLX_LIB_PROPERTY_H
#define PLX_LIB_PROPERTY_H

#include "lib/socket/object.h"

/* plx__socket_keep_path replaces the path by a copy of these bytes, a size of 0 being none. False
 * for want of memory, with the path unchanged. */
bool plx__socket_keep_path(plx_socket *socket, const char *path, size_t size);

/* plx__socket_set_path is plx_socket_set_path for bytes, none of which ends them. */
int plx__socket_set_path(plx_socket *socket, const char *path, size_t size);

/* plx__text_set replaces *text by a copy; "" and NULL are none. False for want of memory, with
 * *text unchanged. */
bool plx__text_set(char **text, const char *value);

#endif
