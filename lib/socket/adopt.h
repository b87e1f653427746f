/* lib/socket/adopt.h -- descriptors that the program or a service manager has opened. */
#ifndef PLX_LIB_ADOPT_H
#define PLX_LIB_ADOPT_H

#include "lib/socket/object.h"

/* plx__socket_inspect finds out what a descriptor is. Returns 0, -ENOTSUP if it does not fit the
 * socket's kind, or another negative errno. */
int plx__socket_inspect(const plx_socket *socket, plx__fd descriptor,
                        struct plx__os_socket_facts *ret_facts);

/* plx__socket_find_activated returns the first descriptor that a service manager passed by a name
 * (NULL: any) and that fits the socket. With `to_listen` it has to listen. PLX__NO_FD: there is
 * none. */
plx__fd plx__socket_find_activated(const plx_socket *socket, const char *name, bool to_listen);

/* plx__socket_fail_activation is plx__socket_refuse for the case that there is none. */
int plx__socket_fail_activation(plx_socket *socket, const char *name);

#endif
