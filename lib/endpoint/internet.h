/* lib/endpoint/internet.h -- what sockets of the internet share: "host:port", and binding to
 * addresses of this computer.
 *
 * The folder lib/endpoint/ turns what the program gives, such as "host:port" or a path, into the
 * address that a socket connects or binds to. It may use lib/transfer/, lib/socket/, lib/resolve/,
 * lib/poll/, lib/os/ and lib/base/. Only lib/kind/ uses it. */
#ifndef PLX_LIB_INTERNET_H
#define PLX_LIB_INTERNET_H

#include "lib/endpoint/where.h"
#include "lib/resolve/resolver.h"
#include "lib/socket/object.h"

#include <pollux/interface.h>

/* The endpoint of connections. "host:port" sets the address property and the port, or the host to
 * listen at and the port. Connections leave from an address of the interface property, if it is
 * set. */
extern const struct plx__endpoint plx__internet_endpoint;

/* plx__internet_parse reads "host:port" into *place and *ret_port; `call` begins the sentence of a
 * failure, such as "connect to". Returns 0, or a code after plx__socket_fail. */
int plx__internet_parse(plx_socket *socket, const char *call, enum plx__port wanted,
                        const char *where, char **place, uint16_t *ret_port);

/* plx__internet_target sets *ret_target to where host and port lead. Returns 0, or a code after
 * plx__socket_fail. */
int plx__internet_target(plx_socket *socket, const char *host, int port,
                         struct plx__target *ret_target);

/* plx__internet_check checks that `address` may be the address of a peer: it is not NULL, and has a
 * family and a port. Returns 0, or a code after plx__socket_fail; `call` begins the sentence, such
 * as "write to". */
int plx__internet_check(plx_socket *socket, const char *call, const plx_address *address);

/* plx__internet_check_host checks that `host`, which is not an address, may be looked up. Returns
 * 0, or a code after plx__socket_fail. */
int plx__internet_check_host(plx_socket *socket, const char *host);

/* plx__internet_check_source checks that a datagram to `to` may leave from `from`, which has a
 * family. `port` is the socket's port, 0: not known. Returns 0, or a code after
 * plx__socket_fail. */
int plx__internet_check_source(plx_socket *socket, const plx_address *from, const plx_address *to,
                               int port);

/* plx__internet_bind opens a descriptor bound to the socket's interface and port. Without an
 * interface the descriptor serves both families if the kernel has both and PROTOCOL allows both.
 * Returns the descriptor, or after plx__socket_fail the negative code. The slot `bind` of an
 * endpoint. */
plx__fd plx__internet_bind(plx_socket *socket);

/* plx__internet_bind_only makes a datagram socket BOUND. Returns 0, or a code after
 * plx__socket_fail. */
int plx__internet_bind_only(plx_socket *socket);

/* plx__internet_set_place sets what plx__internet_bind binds to, "host:port". Returns 0, or a code
 * after plx__socket_fail. */
int plx__internet_set_place(plx_socket *socket, const char *where);

/* plx__internet_interface finds the interface that was set, with an address of that family (4, 6,
 * 0: any). Returns false if no interface was set, or there is no such interface. */
bool plx__internet_interface(const plx_socket *socket, int family, plx_interface *ret_entry);

/* plx__internet_broadcast returns the broadcast address of the interface that was set, as a string
 * in *text; "255.255.255.255" if no interface was set; "" when out of memory. */
const char *plx__internet_broadcast(const plx_socket *socket, char **text);

/* plx__internet_interface_index returns the index of the interface that was set by name or address;
 * 0 if none was set; -ENODEV if there is no such interface. */
int plx__internet_interface_index(const plx_socket *socket);

#endif
