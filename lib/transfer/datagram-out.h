/* lib/transfer/datagram-out.h -- sending datagrams.
 *
 * Design: the write queue holds runs (lib/transfer/run.h). There are three ways to send a run. When
 * the kernel refuses a way, the next one is used:
 *
 *      one message with UDP_SEGMENT --> several messages with one sendmmsg(2) --> one by one
 *
 * A datagram leaves from the local address at which its receiver was heard. If the kernel refuses
 * that address, because it is gone or is a broadcast address, the kernel chooses one. If the
 * program chose the refused address, the datagram fails.
 *
 * A socket with a peer never uses sendmmsg(2): that call would lose a pending error, which the
 * kernel reports only once (lib/os/os.h). A socket without a peer has no such error (udp(7)).
 *
 * A zeroed struct plx__datagram_out is that of a fresh descriptor. */
#ifndef PLX_LIB_DATAGRAM_OUT_H
#define PLX_LIB_DATAGRAM_OUT_H

#include "lib/os/errno.h"
#include "lib/socket/ending.h"
#include "lib/socket/failure.h"
#include "lib/socket/object.h"
#include "lib/socket/state.h"
#include "lib/socket/write.h"
#include "lib/transfer/packet.h"
#include "lib/transfer/run.h"

struct plx__trials;

struct plx__datagram_out {
    struct plx__runs queue;
    struct plx__trials *trials; /* keep copies of what they sent; NULL: there are none */
    /* What is known about the descriptor. */
    enum plx__family family; /* NONE: not known yet */
    bool asked;              /* whether the kernel has UDP_SEGMENT was asked */
    bool one_by_one;         /* sendmmsg(2) of several messages was refused */
    size_t unsegmented;      /* segments of this size or more were refused; 0: none was */
};

/* The largest payloads: 65535 less the UDP header, and the IP header of IPv4 (RFC 768, RFC 791). */
#define PLX__LARGEST_IPV4 ((size_t)65507)
#define PLX__LARGEST_IPV6 ((size_t)65527)

/* plx__datagram_out_check_size checks whether a datagram of that size may be queued; `waiting` bytes
 * wait elsewhere. Returns 0, EAGAIN at WRITE_LIMIT, or a code after plx__socket_fail. The functions
 * here are inline because each datagram written passes them. */
static inline int plx__datagram_out_check_size(plx_socket *socket, size_t waiting, int family,
                                               size_t size)
{
    if (size > (family == 4 ? PLX__LARGEST_IPV4 : PLX__LARGEST_IPV6)) {
        return plx__socket_fail_system(socket, -PLX__EMSGSIZE, "write %zu bytes", size);
    }
    if (!plx__packet_fits(socket, waiting, size)) {
        socket->wants_room = true;
        return PLX__EAGAIN;
    }
    return 0;
}

/* plx__datagram_out_check checks besides whether the program may write `data` now. */
static inline int plx__datagram_out_check(plx_socket *socket, size_t waiting, int family,
                                          const void *data, size_t size)
{
    /* While the socket connects all datagrams wait, for any address: they keep their order. */
    bool open = socket->state == PLX_BOUND || socket->state == PLX_CONNECTED ||
                (plx__socket_is_connecting(socket) && socket->ending == PLX__END_NONE);
    if (!open || socket->hold.freed) {
        return plx__socket_fail_state(socket, "write");
    }
    return plx__socket_refuses_write(socket, data, size)
               ? PLX_INVALID_STATE
               : plx__datagram_out_check_size(socket, waiting, family, size);
}

/* plx__datagram_out_add queues a datagram as plx__runs_add does. The caller has checked it, and
 * fills the place that is returned. Returns NULL when out of memory, after plx__socket_fail. */
static inline uint8_t *plx__datagram_out_add(plx_socket *socket, struct plx__datagram_out *outgoing,
                                             const plx_address *to, const plx_address *from,
                                             size_t size)
{
    uint8_t *place = plx__runs_add(socket, &outgoing->queue, to, from, size);
    if (place == NULL) {
        plx__socket_fail_memory(socket, "write %zu bytes", size);
        return NULL;
    }
    socket->dropped = false;
    plx__task_schedule(&socket->task);
    return place;
}

/* plx__datagram_out_write queues a datagram with its bytes; the caller has checked it. Returns 0, or
 * PLX_OUT_OF_MEMORY after plx__socket_fail. */
static inline int plx__datagram_out_write(plx_socket *socket, struct plx__datagram_out *outgoing,
                                          const plx_address *to, const plx_address *from,
                                          const void *data, size_t size)
{
    uint8_t *place = plx__datagram_out_add(socket, outgoing, to, from, size);
    if (place == NULL) {
        return PLX_OUT_OF_MEMORY;
    }
    if (size > 0) {
        memcpy(place, data, size);
    }
    return 0;
}

/* plx__datagram_out_send moves the queue to the kernel and sets pending events. */
void plx__datagram_out_send(plx_socket *socket, struct plx__datagram_out *outgoing,
                            struct plx__budget *budget);

/* plx__datagram_out_clear frees what the struct holds and resets it for the next descriptor. */
void plx__datagram_out_clear(struct plx__datagram_out *outgoing);

/* plx__datagram_out_family returns the family of the socket's descriptor, IPv4 or IPv6. */
enum plx__family plx__datagram_out_family(const plx_socket *socket,
                                          struct plx__datagram_out *outgoing);

#endif
