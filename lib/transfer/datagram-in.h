/* lib/transfer/datagram-in.h -- datagrams as they come in.
 *
 * Design: each may have 64 KiB, and several come as one where the system merges them (udp(7),
 * UDP_GRO), so that each needs a place of that size to come to. From there they go into the receive
 * buffer as records (lib/base/record.h), one for each datagram. To begin with there is one place, on the
 * stack. Where one call filled all its places, the next has more of them: blocks of four, which
 * belong to the group's pool between two frames. A socket that is polled alone keeps its blocks until
 * so many polls found nothing that a lone socket gives its buffers back. Little of them is ever
 * touched but by large datagrams.
 *
 * How many there were is how many will be: a frame begins with places for one more than the last
 * one had, so that the call that brings them also says that there are no more.
 *
 * READ_LIMIT cuts a datagram, and stops reading when it is reached. What one call brings is kept
 * whole: a call has places for as much as there is room, but always one, whose 64 KiB may be more.
 *
 * A zeroed arrival is one of a fresh descriptor and holds nothing. */
#ifndef PLX_LIB_DATAGRAM_IN_H
#define PLX_LIB_DATAGRAM_IN_H

#include "lib/socket/object.h"

struct plx__trials;

/* Which address of ours a datagram came to. A descriptor that is bound to one address, or has a peer,
 * hears at no other, and the kernel need not say it with each datagram, which costs:
 *
 *      UNKNOWN --something arrives--> EACH: bound to any address --connected--> LEAVING
 *       ^  |                                                                       |
 *       |  +--------------------------> ONE <--all from before has been received---+
 *       +---------disconnected----------+
 */
enum plx__destination {
    PLX__DESTINATION_UNKNOWN,
    PLX__DESTINATION_EACH,
    PLX__DESTINATION_LEAVING,
    PLX__DESTINATION_ONE
};

#define PLX__DATAGRAM_IN_PLACES 4 /* in a block, the largest that a pool keeps */
#define PLX__DATAGRAM_IN_BLOCKS (PLX__OS_ARRIVALS / PLX__DATAGRAM_IN_PLACES)

struct plx__datagram_in {
    struct plx__buffer blocks[PLX__DATAGRAM_IN_BLOCKS]; /* the first ones may have their block */
    uint8_t places;                                     /* for the next call; 0: as few as may be */
    uint8_t idle;                                       /* so many times nothing had come */
    uint32_t told;       /* of those dropped, as the system last told: modulo 2^32 */
    uint64_t dropped;    /* the same with all its digits */
    bool one_by_one;     /* several with one call were refused */
    uint8_t destination; /* plx__target */
    plx_address local;   /* what the descriptor is bound to; not known in UNKNOWN */
};

/* plx__datagram_in_receive moves datagrams from the kernel into the receive buffer and sets events. Trials
 * hear of each sender, and of each refusal before the program does; NULL: there are none. */
void plx__datagram_in_receive(plx_socket *socket, struct plx__datagram_in *incoming,
                              struct plx__trials *trials, struct plx__budget *budget);

/* plx__datagram_in_dropped returns how many datagrams the kernel has dropped since it opened the descriptor,
 * because it had no room; -1 where it does not say so. */
int64_t plx__datagram_in_dropped(const plx_socket *socket, struct plx__datagram_in *incoming);

/* plx__datagram_in_connected is called when the descriptor has got a peer, plx__datagram_in_disconnected before
 * the peer is taken away. */
void plx__datagram_in_connected(const plx_socket *socket, struct plx__datagram_in *incoming);
void plx__datagram_in_disconnected(const plx_socket *socket, struct plx__datagram_in *incoming);

/* plx__datagram_in_port returns the port that the descriptor is bound to, 0: not known. */
int plx__datagram_in_port(const plx_socket *socket, struct plx__datagram_in *incoming);

/* plx__datagram_in_clear gives back what it holds, for the next descriptor. */
void plx__datagram_in_clear(plx_socket *socket, struct plx__datagram_in *incoming);

#endif
