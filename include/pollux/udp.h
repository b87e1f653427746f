/* pollux/udp.h -- UDP: datagrams, that are delivered whole or not at all.
 *
 *     start                     state      tells        write                   read
 *     plx_udp_bind(":7777")     BOUND      no event     plx_udp_write, to       plx_udp_read, with
 *                               (at once)  but state    anyone                  its sender
 *     plx_socket_connect_to     CONNECTED  `connected`  plx_socket_write, or    plx_socket_read, or
 *     ("host:7777")                                     write_message           read_message
 *
 * A BOUND socket sends to and receives from anyone. plx_socket_connect binds it too, to the port and
 * interface that were set, as in Xojo. plx_socket_connect_to binds, if need be, and chooses one peer:
 * only that peer's datagrams arrive, plx_socket_write sends one datagram to it and plx_socket_read
 * takes one from it (what does not fit is lost); plx_udp_read and plx_udp_write work there as well.
 * What is written while the peer is looked up or connected waits, and keeps its order; if the peer is
 * not found the socket is BOUND, and what was written for the peer is dropped, but not what has an
 * address of its own (plx_udp_write).
 * Without a peer the stream calls are refused with PLX_INVALID_STATE: datagrams never merge and never
 * split. `data_available` tells of datagrams in both states, `message_available` in CONNECTED.
 *
 * That somebody cannot be reached (refused, no route) is told by `error`, with the address, once until
 * that somebody is heard again; the socket goes on. Without a peer it is told once until a datagram
 * leaves for that address. UDP itself promises nothing: a datagram may be lost without an error.
 *
 * The datagrams of a frame leave together, at the end of its poll or in flush. Those that follow each
 * other, go to one receiver and are of one size (the last may be shorter) cost far less than others:
 * where there is a choice, write what one receiver gets in a row. On the way they are plain datagrams
 * all the same.
 *
 * A computer may have several addresses. A socket that is bound to none of them hears at all, and an
 * answer to plx_datagram.from leaves from the address at which that sender's datagram that was read
 * last had come: clients take nothing from another one. This is remembered for about 4000 senders, in
 * 192 KiB at most, as long as the socket is open; for all others, and where that address has gone or
 * was one of a group or of broadcast, the kernel chooses. plx_udp_write_from chooses for a single
 * datagram. That the kernel says where each datagram came costs a tenth of receiving it: bind to an
 * address (plx_udp_bind, plx_socket_set_interface) where one is enough.
 *
 * A socket that is bound to an interface by its name, or has joined a group on one, hears nothing more
 * when that interface goes, not even when it comes back under its name. `error` reports it (ENODEV)
 * within some seconds, once, for up to 8 interfaces of a socket; then close the socket, connect and
 * join again.
 *
 * PLX_OPTION_READ_LIMIT cuts longer datagrams, and no more are taken once it is reached; those that
 * the system hands over together, up to 64 KiB of them, are all kept even so. An adopted descriptor
 * is told to merge datagrams (UDP_GRO, udp(7)): nobody else should go on receiving from it. */
#ifndef POLLUX_UDP_H
#define POLLUX_UDP_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/address.h>
#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* A datagram that arrived. Grows at its end in later versions. */
typedef struct plx_datagram {
    plx_address from; /* who sent it */
    const void *data; /* belongs to the socket; not NULL even when size is 0 */
    size_t size;      /* bytes; 0 is a valid datagram */
    bool truncated;   /* it was larger than PLX_OPTION_READ_LIMIT allows; the rest is lost */
    plx_address to;   /* the address it came to: one of this computer, or of a group or of broadcast,
                         with the socket's port; family 0: unknown */
} plx_datagram;

/* plx_udp_new makes an unbound UDP socket. You free it with plx_socket_free. NULL only for want of
 * memory. */
PLX_API plx_socket *plx_udp_new(void);

/* plx_udp_bind binds the socket to what `where` says, and it is BOUND: at ":7777" (every address of
 * both families), "127.0.0.1:0" (the system chooses the port, plx_socket_port tells which) or
 * "[::1]:5". The host is a numeric address or an interface of this computer. Both buffers are emptied,
 * the last error is cleared. The port property and the place are kept for later binds, until
 * plx_socket_set_interface sets another place. Returns 0 or at once why it cannot, and `error` tells
 * the same: PLX_ADDRESS_IN_USE, PLX_INVALID_PORT (missing, out of range or reserved),
 * PLX_INVALID_STATE (open already, another kind, NULL, nonsense), EADDRNOTAVAIL for what is no address
 * of this computer, or another error of the system. */
PLX_API int plx_udp_bind(plx_socket *socket, const char *where);

/* plx_udp_read takes the oldest datagram. Its data is valid until the next poll or wait that serves
 * this socket (its group's too) or the next read, purge, connect, close, abort or free of it, as
 * with plx_socket_read_all. False: there is none, or NULL; then *ret_datagram is untouched.
 * plx_udp_read_sized writes the first `size` bytes of a plx_datagram only. */
PLX_API bool plx_udp_read_sized(plx_socket *socket, plx_datagram *ret_datagram, size_t size);
static inline bool plx_udp_read(plx_socket *socket, plx_datagram *ret_datagram)
{
    return plx_udp_read_sized(socket, ret_datagram, sizeof *ret_datagram);
}

/* plx_udp_write queues one datagram for an address (for a host and a port see plx_udp_write_to); it
 * leaves in the next poll or flush. A size of 0 is a valid datagram; the largest has 65507 bytes,
 * over IPv6 65527. Returns 0 when it was queued whole, EAGAIN when the write limit is reached (no
 * error; nothing was queued), PLX_INVALID_STATE when the socket is not open or an argument is NULL,
 * PLX_INVALID_PORT for port 0, EMSGSIZE with reason DATAGRAM_TOO_LARGE. */
PLX_API int plx_udp_write(plx_socket *socket, const plx_address *to, const void *data, size_t size);

/* plx_udp_write_from is plx_udp_write that leaves from the address `from` of this computer, such as
 * plx_datagram.to. Its port is 0 or the socket's. NULL and family 0 leave the choice as plx_udp_write
 * does, and so does an address of a group or of broadcast. Besides what plx_udp_write returns:
 * EAFNOSUPPORT when the two addresses are not of one family, PLX_INVALID_PORT when the port is
 * another. An address that is not this computer's is reported by `error` in a later poll
 * (EADDRNOTAVAIL), and the datagram is dropped. */
PLX_API int plx_udp_write_from(plx_socket *socket, const plx_address *from, const plx_address *to,
                               const void *data, size_t size);

/* plx_udp_write_to is plx_udp_write to a host name or address and a port. A name is looked up
 * first and remembered for 60 seconds; datagrams to others are not held up meanwhile. At most 32
 * names are looked up at once, the others wait for their turn. Where the kernel reports that
 * nobody is at an address of the name, the next one gets all later datagrams to that port and,
 * within 3 seconds of the first one, what was sent there, up to 64 KiB; that all have refused is
 * reported by `error`, once. A name that is not found is reported by `error` (PLX_NAME_RESOLUTION)
 * in a later poll, and so is a datagram of more than 65507 bytes whose name leads to IPv4
 * (EMSGSIZE). Names are what plx_socket_set_address says. Returns as plx_udp_write does, and
 * PLX_NAME_RESOLUTION with reason EMPTY_HOST_NAME for no host, or HOST_NOT_FOUND for one that can
 * be no name. */
PLX_API int plx_udp_write_to(plx_socket *socket, const char *host, int port, const void *data,
                             size_t size);

/* plx_udp_packets_available returns how many datagrams can be read; 0 for NULL. */
PLX_API size_t plx_udp_packets_available(const plx_socket *socket);

/* plx_udp_packets_left_to_send returns how many datagrams are queued; 0 for NULL. */
PLX_API size_t plx_udp_packets_left_to_send(const plx_socket *socket);

/* plx_udp_join_multicast_group makes the bound socket receive what is sent to a group, an IP address
 * such as "239.1.2.3" or "ff02::1", on one interface: the one that stands behind it, by name or number,
 * as in "239.1.2.3%eth0" and "ff02::1%2"; or the one that was set; or the one that a route leads to
 * (none does: ENODEV, with a sentence that says so). To hear a group on several networks join it on
 * each. Set an interface by its name: a socket that was bound to one address hears no group (ip(7)).
 * Returns 0, PLX_INVALID_STATE when not bound or no group's address, ENODEV for an interface that is
 * not there, PLX_OPEN_DRIVER (EAFNOSUPPORT) for a group of a family that PLX_OPTION_PROTOCOL excludes,
 * or the kernel's error. */
PLX_API int plx_udp_join_multicast_group(plx_socket *socket, const char *group);

/* plx_udp_leave_multicast_group undoes plx_udp_join_multicast_group; closing does so, too. Returns
 * as that does. */
PLX_API int plx_udp_leave_multicast_group(plx_socket *socket, const char *group);

/* plx_udp_broadcast_address returns the address that reaches everybody on the network of the
 * interface that was set, or "255.255.255.255", which the kernel sends to one network: that of the
 * default route, and without one nowhere (ENETUNREACH). "" for NULL or another kind. Valid until the
 * next call of it. One socket reaches every network so:
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
