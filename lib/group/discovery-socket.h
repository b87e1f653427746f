/* lib/group/discovery-socket.h -- the sockets of a discovery.
 *
 * A discovery is made of UDP sockets, which it uses as a program does: by the calls of their public
 * header. This is the one place that names them. */
#ifndef PLX_LIB_DISCOVERY_SOCKET_H
#define PLX_LIB_DISCOVERY_SOCKET_H

#include "lib/group/discovery-object.h"

#include <pollux/udp.h>

/* plx__discovery_open opens a socket of one family. `port` 0: any. Returns 0, with *ret_socket NULL
 * when this computer lacks the family; or a code, with the error kept. */
int plx__discovery_open(plx_discovery *discovery, int family, int port, plx_socket **ret_socket);

/* plx__discovery_close frees both sockets of a list. */
void plx__discovery_close(plx_socket *sockets[PLX__DISCOVERY_FAMILIES]);

/* plx__discovery_queue returns the most bytes that wait for the next poll in a socket that sends,
 * and plx__discovery_set_queue sets that for the present networks: each takes a copy. */
size_t plx__discovery_queue(const plx_discovery *discovery);
void plx__discovery_set_queue(plx_discovery *discovery);

/* plx__discovery_write queues a datagram, and plx__discovery_read takes one, as plx_udp_write_from
 * and plx_udp_read do. */
int plx__discovery_write(plx_socket *socket, const plx_address *from, const plx_address *to,
                         const void *data, size_t size);
bool plx__discovery_read(plx_socket *socket, plx_datagram *ret_datagram);

#endif
