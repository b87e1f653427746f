/* lib/transfer/datagram-out.h -- datagrams on their way out.
 *
 * Design: the write queue holds runs. A run is what can leave as one message where the system has
 * segmentation offload (udp(7), UDP_SEGMENT): datagrams in a row for one receiver and from one
 * address of ours, all of one size but the last, which may be shorter. Its payloads stand behind each
 * other, so that nothing is copied or gathered to send it.
 *
 *      | run | payload payload payload ... | run | source | payload | run | payload payload ...
 *
 * A source is the address of ours that a run leaves from, where the kernel is not to choose it; one
 * that was refused has family 0. It has the room of a run, and counts as one in socket->out_records,
 * so that what is queued beside payloads is known.
 *
 * How they leave, each way on its own giving in to the next when the system refuses it:
 *
 *      a run as one message with segments --> several messages with one call --> one by one
 *
 * A datagram that cannot leave from where its receiver was heard leaves from where the kernel chooses:
 * that address may be gone, or have been one of broadcast. One that the program chose is an error.
 *
 * A socket with a peer never uses the second: an error that such a socket tells once would be lost
 * (lib/os/os.h). Without a peer there is no such error (udp(7)).
 *
 * Invariants: a run has at most 64 datagrams and PLX__RUN_SIZE bytes, and an empty datagram is one
 * by itself; socket->out_records counts runs and sources. A zeroed departure is one of a fresh descriptor. */
#ifndef PLX_LIB_DATAGRAM_OUT_H
#define PLX_LIB_DATAGRAM_OUT_H

#include "lib/base/origin.h"
#include "lib/socket/object.h"
#include "lib/transfer/run.h"

struct plx__trials;

struct plx__datagram_out {
    struct plx__run last;      /* as it stands in the queue, while `open` */
    struct plx__source source; /* of it, if it has one */
    bool open;                 /* the queue's last run may take another datagram */
    uint8_t count;             /* of its datagrams */
    size_t datagrams;          /* in all of the queue; counts only while it has runs */
    struct plx__origins
        origins;                /* where its receivers were heard, if at one of several addresses */
    struct plx__trials *trials; /* keep copies of what they sent; NULL: there are none */
    /* What was found out about the descriptor. */
    enum plx__family family; /* NONE: not yet */
    bool asked;              /* whether it has segments */
    bool one_by_one;         /* several messages with one call were refused */
    size_t unsegmented;      /* runs of datagrams so long or longer were refused; 0: none */
};

/* plx__datagram_out_add queues a datagram; `to` NULL is the peer, `from` NULL the address at which `to`
 * was heard, or one of the kernel's choice. False when out of memory. */
bool plx__datagram_out_add(plx_socket *socket, struct plx__datagram_out *outgoing,
                           const plx_address *to, const plx_address *from, const void *data,
                           size_t size);

/* plx__datagram_out_lose_peer makes what is queued for the peer the datagrams of an address, or drops it
 * with NULL; the others stay. Returns how many were dropped. */
size_t plx__datagram_out_lose_peer(plx_socket *socket, struct plx__datagram_out *outgoing,
                                   const plx_address *address);

/* plx__datagram_out_redirect has what is queued for one address go to another. */
void plx__datagram_out_redirect(plx_socket *socket, struct plx__datagram_out *outgoing,
                                const plx_address *from, const plx_address *to);

/* plx__datagram_out_send moves the queue to the system and sets news. */
void plx__datagram_out_send(plx_socket *socket, struct plx__datagram_out *outgoing,
                            struct plx__budget *budget);

/* plx__datagram_out_count returns how many datagrams are queued. */
size_t plx__datagram_out_count(const plx_socket *socket, const struct plx__datagram_out *outgoing);

/* plx__datagram_out_clear gives back what it holds, for the next descriptor. */
void plx__datagram_out_clear(struct plx__datagram_out *outgoing);

/* plx__datagram_out_family returns IPv4 or IPv6: what the socket's descriptor is. */
enum plx__family plx__datagram_out_family(const plx_socket *socket,
                                          struct plx__datagram_out *outgoing);

#endif
