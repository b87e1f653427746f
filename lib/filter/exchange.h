/* lib/filter/exchange.h -- the filter that asks a proxy for a tunnel and then lets bytes pass. */
#ifndef PLX_LIB_EXCHANGE_H
#define PLX_LIB_EXCHANGE_H

#include "lib/socket/object.h"

/* plx__exchange_put gives the socket the filter, nearest the kernel, unless it has it.
 * plx__exchange_take takes it away. Both for an unconnected socket. False when memory ran out. */
bool plx__exchange_put(plx_socket *socket);
void plx__exchange_take(plx_socket *socket);

/* plx__exchange_wake lets a talk with the proxy go on that waits for the program. */
void plx__exchange_wake(plx_socket *socket);

#endif
