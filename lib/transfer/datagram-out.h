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

#include "lib/socket/object.h"
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

/* plx__datagram_out_send moves the queue to the kernel and sets pending events. */
void plx__datagram_out_send(plx_socket *socket, struct plx__datagram_out *outgoing,
                            struct plx__budget *budget);

/* plx__datagram_out_clear frees what the struct holds and resets it for the next descriptor. */
void plx__datagram_out_clear(struct plx__datagram_out *outgoing);

/* plx__datagram_out_family returns the family of the socket's descriptor, IPv4 or IPv6. */
enum plx__family plx__datagram_out_family(const plx_socket *socket,
                                          struct plx__datagram_out *outgoing);

#endif
