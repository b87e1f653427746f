/* lib/transfer/datagram-out.h -- datagrams on their way out.
 *
 * Design: the write queue holds runs (lib/transfer/run.h).
 *
 * How they leave, each way on its own giving in to the next when the kernel refuses it:
 *
 *      a run as one message with segments --> several messages with one call --> one by one
 *
 * A datagram that cannot leave from where its receiver was heard leaves from where the kernel chooses:
 * that address may be gone, or have been one of broadcast. One that the program chose is an error.
 *
 * A socket with a peer never uses the second: an error that such a socket tells once would be lost
 * (lib/os/os.h). Without a peer there is no such error (udp(7)).
 *
 * A zeroed one is that of a fresh descriptor. */
#ifndef PLX_LIB_DATAGRAM_OUT_H
#define PLX_LIB_DATAGRAM_OUT_H

#include "lib/socket/object.h"
#include "lib/transfer/run.h"

struct plx__trials;

struct plx__datagram_out {
    struct plx__runs queue;
    struct plx__trials *trials; /* keep copies of what they sent; NULL: there are none */
    /* What was found out about the descriptor. */
    enum plx__family family; /* NONE: not yet */
    bool asked;              /* whether it has segments */
    bool one_by_one;         /* several messages with one call were refused */
    size_t unsegmented;      /* runs of datagrams so long or longer were refused; 0: none */
};

/* plx__datagram_out_send moves the queue to the kernel and sets pending events. */
void plx__datagram_out_send(plx_socket *socket, struct plx__datagram_out *outgoing,
                            struct plx__budget *budget);

/* plx__datagram_out_clear gives back what it holds, for the next descriptor. */
void plx__datagram_out_clear(struct plx__datagram_out *outgoing);

/* plx__datagram_out_family returns IPv4 or IPv6: what the socket's descriptor is. */
enum plx__family plx__datagram_out_family(const plx_socket *socket,
                                          struct plx__datagram_out *outgoing);

#endif
