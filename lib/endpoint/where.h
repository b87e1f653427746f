/* lib/endpoint/where.h -- "host:port", and what is wrong with a text that is not. */
#ifndef PLX_LIB_WHERE_H
#define PLX_LIB_WHERE_H

#include "lib/base/address.h"
#include "lib/socket/object.h"

/* Whether a port is needed that somebody listens at. */
enum plx__port { PLX__PORT_OF_A_PEER, PLX__PORT_OF_OURS };

/* plx__where_split splits `where` for a call such as "connect to" into a host of at most
 * PLX__ADDRESS_HOST_SIZE bytes and a port. The host of a peer is never "". Returns 0, or a code after
 * plx__socket_fail with a sentence that says how to write it; then *ret_host and *ret_port are
 * untouched. */
int plx__where_split(plx_socket *socket, const char *call, enum plx__port wanted, const char *where,
                     char *ret_host, int *ret_port);

#endif
