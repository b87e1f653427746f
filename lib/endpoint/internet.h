/* lib/endpoint/internet.h -- what sockets of the internet share: "host:port", and binding to
 * addresses of this computer. */
#ifndef PLX_LIB_INTERNET_H
#define PLX_LIB_INTERNET_H

#include "lib/endpoint/where.h"
#include "lib/resolve/resolver.h"
#include "lib/socket/object.h"

#include <pollux/interface.h>

/* The endpoint of connections: "host:port" is the address property and the port, or the host to listen
 * at and the port; connections leave from the interface that was set, if any. */
extern const struct plx__endpoint plx__internet_endpoint;

/* plx__internet_parse reads "host:port" into *place and *ret_port, for a call such as "connect to".
 * Returns 0, or a code after plx__socket_fail. */
int plx__internet_parse(plx_socket *socket, const char *call, enum plx__port wanted,
                        const char *where, char **place, uint16_t *ret_port);

/* plx__internet_target says where host and port lead. Returns 0, or a code after plx__socket_fail. */
int plx__internet_target(plx_socket *socket, const char *host, int port,
                         struct plx__target *ret_target);

/* plx__internet_check says whether somebody may be reached at `address`: not NULL, of a family, with a
 * port. Returns 0, or a code after plx__socket_fail; `call` is such as "write to". */
int plx__internet_check(plx_socket *socket, const char *call, const plx_address *address);

/* plx__internet_check_host says whether `host`, which is no address, may be looked up. Returns 0, or a
 * code after plx__socket_fail. */
int plx__internet_check_host(plx_socket *socket, const char *host);

/* plx__internet_fail_look_up is plx__socket_fail for a look-up that found nothing. */
int plx__internet_fail_look_up(plx_socket *socket, const struct plx__failure *failure,
                               const char *host);

/* plx__internet_check_source says whether `from`, which has a family, may be what a datagram to `to`
 * leaves from by a socket of that port, 0: not known. Returns 0, or a code after plx__socket_fail. */
int plx__internet_check_source(plx_socket *socket, const plx_address *from, const plx_address *to,
                               int port);

/* plx__internet_bind opens a descriptor bound to the socket's interface and port; without an
 * interface it serves both families where the system has both and PROTOCOL allows. Returns it, or
 * after plx__socket_fail its code, negative. The slot `bind` of an endpoint. */
plx__fd plx__internet_bind(plx_socket *socket);

/* plx__internet_bind_only makes a datagram socket BOUND. Returns 0, or a code after
 * plx__socket_fail. */
int plx__internet_bind_only(plx_socket *socket);

/* plx__internet_set_place sets where bind is to bind to, "host:port". Returns 0, or a code after
 * plx__socket_fail. */
int plx__internet_set_place(plx_socket *socket, const char *where);

/* plx__internet_lose_peer takes the peer of a datagram socket away. Its port stays, and the address
 * that connect(2) chose for that peer does not: it would make the socket deaf at all others. Returns
 * 0, or a code after plx__socket_fail. */
int plx__internet_lose_peer(plx_socket *socket);

/* plx__internet_interface finds the interface that was set, with an address of that family (4, 6, 0:
 * any). False: none was set, or there is none such. */
bool plx__internet_interface(const plx_socket *socket, int family, plx_interface *ret_entry);

/* plx__internet_broadcast returns the broadcast address of the interface that was set, kept in *text,
 * "255.255.255.255" without one, "" when out of memory. */
const char *plx__internet_broadcast(const plx_socket *socket, char **text);

/* plx__internet_interface_index returns the index of the interface that was set by name or address,
 * 0 when none was, -ENODEV when there is none of that name. */
int plx__internet_interface_index(const plx_socket *socket);

#endif
