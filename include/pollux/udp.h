/* pollux/udp.h -- UDP: datagrams, which are delivered whole or not at all.
 *
 *     start                     state      event        write                   read
 *     plx_udp_bind(":7777")     BOUND      only state   plx_udp_write, to       plx_udp_read, with
 *                               (at once)  changes      any address             its sender
 *     plx_socket_connect_to     CONNECTED  `connected`  plx_socket_write, or    plx_socket_read, or
 *     ("host:7777")                                     write_message           read_message
 *
 * A BOUND socket sends to and receives from any address. plx_socket_connect binds it too, to the
 * port and interface that were set, as in Xojo. plx_socket_connect_to binds the socket if it is not
 * bound, and chooses one peer: only datagrams from that peer arrive, plx_socket_write sends one
 * datagram to the peer, and plx_socket_read takes one datagram from the peer (bytes that do not fit
 * are lost); plx_udp_read and plx_udp_write work there as well. While the peer is looked up or
 * connected, written datagrams wait and keep their order. If the peer is not found, the socket is
 * BOUND; datagrams written for the peer are dropped, and datagrams with an address of their own
 * (plx_udp_write) are sent.
 * Without a peer the stream calls are refused with PLX_INVALID_STATE: datagrams never merge and
 * never split. `data_available` reports datagrams in both states, `message_available` in CONNECTED.
 *
 * `error` reports that a receiver cannot be reached (refused, no route), with its address. With a
 * peer the report is made once until the peer is heard again; without a peer it is made once until
 * a datagram leaves for that address. The socket goes on. UDP itself promises nothing: a datagram
 * may be lost without an error.
 *
 * The datagrams of a frame leave together, at the end of its poll or in flush. Datagrams in a row
 * that go to one receiver and have one size (the last may be shorter) cost far less than others:
 * where there is a choice, write the datagrams of one receiver in a row. They still travel as plain
 * datagrams.
 *
 * A computer may have several addresses. A socket that is not bound to one of them receives at all
 * of them. An answer to plx_datagram.from leaves from the address at which the last datagram read
 * from that sender arrived, because clients do not accept an answer from another address. The
 * socket remembers this for about 4000 senders, in 192 KiB at most, as long as it is open. The
 * kernel chooses the address for all other receivers, and where the remembered address is gone or
 * was a multicast or broadcast address. plx_udp_write_from chooses the address of a single
 * datagram. Receiving costs a tenth more because the kernel reports the address of each datagram:
 * bind to an address (plx_udp_bind, plx_socket_set_interface) where one is enough.
 *
 * A socket that is bound to an interface by its name, or has joined a multicast group on one,
 * receives nothing more when that interface disappears, not even when it returns under its name.
 * `error` reports this (ENODEV) within some seconds, once, for up to 8 interfaces of a socket; then
 * close the socket, connect and join again.
 *
 * PLX_OPTION_READ_LIMIT cuts longer datagrams, and once the limit is reached no more are received;
 * datagrams that the kernel merged (up to 64 KiB) are kept in full. The library sets UDP_GRO
 * (udp(7)) on an adopted descriptor, so the kernel may merge datagrams: no other process should
 * receive from that descriptor. */
#ifndef POLLUX_UDP_H
#define POLLUX_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pollux/address.h>
#include <pollux/events.h>
#include <pollux/export.h>
#include <pollux/piece.h>

PLX_BEGIN_DECLS

/* A datagram that arrived. Later versions add members at the end. */
typedef struct plx_datagram {
    plx_address from; /* the sender */
    const void *data; /* belongs to the socket; not NULL even when size is 0 */
    size_t size;      /* bytes; 0 is a valid datagram */
    bool truncated;   /* it was larger than PLX_OPTION_READ_LIMIT allows; the rest is lost */
    plx_address to;   /* the address it was sent to: one of this computer, or a multicast or
                         broadcast address, with the socket's port; family 0: unknown */
    uint32_t interface; /* index of the interface by which a multicast or broadcast datagram
                           arrived; 0: unknown, as for most datagrams to one address */
} plx_datagram;

/* plx_udp_new makes an unbound UDP socket. You free it with plx_socket_free. Returns NULL only when
 * there is no memory. */
PLX_API plx_socket *plx_udp_new(void);

/* plx_udp_bind binds the socket to `where`, and the state is BOUND: ":7777" (every address of both
 * families), "127.0.0.1:0" (the kernel chooses the port, which plx_socket_port returns) or
 * "[::1]:5". The host is a numeric address or the name of an interface of this computer. The call
 * empties both buffers and clears the last error. The port property and the place are kept for
 * later binds, until plx_socket_set_interface sets another place. Returns 0 or at once the error,
 * which `error` reports as well: PLX_ADDRESS_IN_USE, PLX_INVALID_PORT (missing, out of range or
 * privileged), PLX_INVALID_STATE (open already, another kind, NULL, or a malformed string),
 * EADDRNOTAVAIL for an address that is not of this computer, PLX_OPEN_DRIVER without a descriptor
 * (EMFILE), PLX_OUT_OF_MEMORY, or another errno. */
PLX_API int plx_udp_bind(plx_socket *socket, const char *where);

/* plx_udp_read takes the oldest datagram. Its data is valid until the next poll or wait that serves
 * this socket (including a poll of its group) or the next read, purge, connect, close, abort or
 * free of it, as with plx_socket_read_all. Returns false, and *ret_datagram is untouched, when
 * there is no datagram, and for NULL. plx_udp_read_sized writes only the first `size` bytes of a
 * plx_datagram. */
PLX_API bool plx_udp_read_sized(plx_socket *socket, plx_datagram *ret_datagram, size_t size);
static inline bool plx_udp_read(plx_socket *socket, plx_datagram *ret_datagram)
{
    return plx_udp_read_sized(socket, ret_datagram, sizeof *ret_datagram);
}

/* plx_udp_write queues one datagram for an address (for a host and a port see plx_udp_write_to);
 * the next poll or flush sends it. A size of 0 is a valid datagram; the largest has 65507 bytes,
 * over IPv6 65527. Returns 0 when the datagram was queued whole; EAGAIN when the write limit is
 * reached (not an error; nothing was queued); PLX_INVALID_STATE when the socket is not open or an
 * argument is NULL; PLX_INVALID_PORT for port 0; EMSGSIZE with reason DATAGRAM_TOO_LARGE; or
 * PLX_OUT_OF_MEMORY. */
PLX_API int plx_udp_write(plx_socket *socket, const plx_address *to, const void *data, size_t size);

/* plx_udp_write_from is plx_udp_write with a local address: the datagram leaves from the address
 * `from` of this computer, such as plx_datagram.to. The port of `from` is 0 or the socket's port.
 * With NULL, family 0, and a multicast or broadcast address, the choice is left as in
 * plx_udp_write. Besides what plx_udp_write returns: PLX_OPEN_DRIVER (EAFNOSUPPORT) when the two
 * addresses are not of one family, PLX_INVALID_PORT when `from` has another port. If `from` is not
 * an address of this computer, a later poll reports `error` (EADDRNOTAVAIL) and drops the
 * datagram. */
PLX_API int plx_udp_write_from(plx_socket *socket, const plx_address *from, const plx_address *to,
                               const void *data, size_t size);

/* plx_udp_write_pieces is plx_udp_write for a datagram that lies in several pieces, such as a header
 * and a body. Returns as plx_udp_write does, and PLX_INVALID_STATE for NULL pieces with a
 * count, a NULL piece with a size, and a sum of the sizes over SIZE_MAX; a count of 0 is a datagram
 * of 0 bytes. */
PLX_API int plx_udp_write_pieces(plx_socket *socket, const plx_address *to, const plx_piece *pieces,
                                 size_t count);

/* plx_udp_write_to is plx_udp_write to a host name or address and a port. A name is looked up first
 * and remembered for 60 seconds; datagrams to other hosts do not wait meanwhile. At most 32 names
 * are looked up at once; further names wait for their turn. Where the kernel reports that nobody
 * listens at an address of the name, later datagrams to that port go to the next address, and so do
 * the datagrams that were sent within 3 seconds after the first one, up to 64 KiB. `error` reports
 * once that all addresses have refused. A later poll reports `error` for a name that is not found
 * (PLX_NAME_RESOLUTION) and for a datagram of more than 65507 bytes whose name leads to IPv4
 * (EMSGSIZE). Names are those of plx_socket_set_address. Returns as plx_udp_write does, and
 * PLX_NAME_RESOLUTION with reason EMPTY_HOST_NAME for no host, or HOST_NOT_FOUND for a host that
 * cannot be a name. */
PLX_API int plx_udp_write_to(plx_socket *socket, const char *host, int port, const void *data,
                             size_t size);

/* plx_udp_packets_available returns how many datagrams can be read; 0 for NULL. */
PLX_API size_t plx_udp_packets_available(const plx_socket *socket);

/* plx_udp_packets_left_to_send returns how many datagrams are queued; 0 for NULL. */
PLX_API size_t plx_udp_packets_left_to_send(const plx_socket *socket);

/* plx_udp_join_multicast_group makes the bound socket receive what is sent to a multicast group, an
 * IP address such as "239.1.2.3" or "ff02::1", on one interface: the one after the "%", by name or
 * number, as in "239.1.2.3%eth0" and "ff02::1%2"; else the one that was set; else the one that a
 * route leads to (ENODEV, with a message of its own, when there is no route). To receive a group on
 * several networks, join it on each. Set an interface by its name: a socket that is bound to one
 * address receives no multicast (ip(7)). Returns 0; PLX_INVALID_STATE when the socket is not bound
 * or the address is not a multicast address; ENODEV for an interface that does not exist;
 * PLX_OPEN_DRIVER (EAFNOSUPPORT) for a group of a family that PLX_OPTION_PROTOCOL excludes;
 * PLX_ADDRESS_IN_USE for a group that is joined already; PLX_OUT_OF_MEMORY (ENOBUFS) for more groups
 * than the kernel allows one socket, by default 20 (ip(7)); or another errno. */
PLX_API int plx_udp_join_multicast_group(plx_socket *socket, const char *group);

/* plx_udp_leave_multicast_group undoes plx_udp_join_multicast_group; closing the socket does so,
 * too. Returns as plx_udp_join_multicast_group does, and EADDRNOTAVAIL for a group that is not
 * joined. */
PLX_API int plx_udp_leave_multicast_group(plx_socket *socket, const char *group);

/* plx_udp_broadcast_address returns the address that reaches every computer on the network of the
 * interface that was set; without an interface "255.255.255.255", which the kernel sends to one
 * network: that of the default route, and without a default route nowhere: a poll reports `error`,
 * PLX_OPEN_DRIVER with os_error ENETUNREACH. "" for NULL or another kind. Valid until the next call
 * of this function. One socket reaches every network as follows:
 *
 *     plx_interface list[32];
 *     size_t count = plx_interface_list(list, 32);
 *     for (size_t i = 0; i < count && i < 32; i++)
 *         if (list[i].is_up && list[i].broadcast_address[0] != '\0')
 *             plx_udp_write_to(socket, list[i].broadcast_address, port, data, size);
 */
PLX_API const char *plx_udp_broadcast_address(const plx_socket *socket);

PLX_END_DECLS

#endif
