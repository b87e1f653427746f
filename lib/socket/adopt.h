/* lib/socket/adopt.h -- descriptors that somebody else has opened. */
#ifndef PLX_LIB_ADOPT_H
#define PLX_LIB_ADOPT_H

#include "lib/socket/object.h"

/* plx__socket_inspect tells what a descriptor is. -ENOTSUP: not for this kind of socket; or another
 * negative errno. */
int plx__socket_inspect(const plx_socket *socket, plx__fd descriptor,
                        struct plx__os_socket_facts *ret_facts);

/* plx__socket_find_activated returns the first descriptor that a service manager passed by that name
 * (NULL: any) and that fits the socket, and listens if it is to; PLX__NO_FD: there is none. */
plx__fd plx__socket_find_activated(const plx_socket *socket, const char *name, bool to_listen);

/* plx__socket_fail_activation is plx__socket_fail for when there is none. */
int plx__socket_fail_activation(plx_socket *socket, const char *name);

#endif
