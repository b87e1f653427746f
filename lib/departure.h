/* lib/departure.h -- floor 4: datagrams on their way out. */
#ifndef PLX_LIB_DEPARTURE_H
#define PLX_LIB_DEPARTURE_H

#include "lib/socket.h"

/* plx__departure_add queues a datagram; `to` NULL is the peer. False for want of memory. */
bool plx__departure_add(plx_socket *socket, const plx_address *to, const void *data, size_t size);

/* plx__departure_send moves the queue to the system and sets news: the slot `send_queue` of a kind.
 */
void plx__departure_send(plx_socket *socket, struct plx__budget *budget);

/* plx__departure_family returns AF_INET or AF_INET6: what the socket's descriptor is. */
int plx__departure_family(const plx_socket *socket);

#endif
