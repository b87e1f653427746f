/* lib/endpoint/where.h -- reads "host:port", or says what is wrong with the string. */
#ifndef PLX_LIB_WHERE_H
#define PLX_LIB_WHERE_H

#include "lib/base/address.h"
#include "lib/socket/object.h"

/* Whether the port is that of a peer, 1 to 65535, or one to bind to, where 0 is allowed. */
enum plx__port { PLX__PORT_OF_A_PEER, PLX__PORT_OF_OURS };

/* plx__where_split splits `where` into a host of at most PLX__ADDRESS_HOST_SIZE bytes and a port.
 * `call` begins the sentence of a failure, such as "connect to". The host of a peer is never "".
 * Returns 0, or a code after plx__socket_fail, whose sentence says how to write "host:port"; then
 * *ret_host and *ret_port are unchanged. */
int plx__where_split(plx_socket *socket, const char *call, enum plx__port wanted, const char *where,
                     char *ret_host, int *ret_port);

#endif
