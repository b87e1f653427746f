/* lib/transfer/datagram-in.h -- receiving datagrams.
 *
 * Design: recvmmsg(2) receives into places of 64 KiB each, because a datagram may have 64 KiB, and
 * the kernel may merge several datagrams into one message of that size (udp(7), UDP_GRO). Each
 * datagram is then copied into the receive buffer as a record (lib/base/record.h). The first call
 * has one place, on the stack. After a call that filled all its places, the next one has more:
 * blocks of four places, which belong to the group's pool between two frames. A socket that is
 * polled alone keeps its blocks until as many polls have found nothing as for its other buffers.
 * Small datagrams touch only the first page of a place.
 *
 * A frame probably receives as many datagrams as the last one. So it begins with one place more
 * than that: the call that receives them also shows that there are no more.
 *
 * A datagram larger than READ_LIMIT is cut; reading stops once READ_LIMIT bytes are buffered. All
 * that one call receives is kept: a call has as many places as READ_LIMIT leaves room for, but at
 * least one, whose 64 KiB may exceed the room.
 *
 * When calls fail again and again the socket pauses (lib/socket/accepting.h), and one call after
 * each pause finds out whether they work again.
 *
 * A zeroed struct plx__datagram_in is that of a fresh descriptor and holds nothing. */
#ifndef PLX_LIB_DATAGRAM_IN_H
#define PLX_LIB_DATAGRAM_IN_H

#include "lib/socket/object.h"

struct plx__trials;

/* How the local address of a received datagram is known. A descriptor that is bound to one address,
 * or has a peer, receives at one local address only. Then IP_PKTINFO is off, as it costs time with
 * each datagram:
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

#define PLX__DATAGRAM_IN_PLACES 4 /* of one block, the largest size that a pool keeps */
#define PLX__DATAGRAM_IN_BLOCKS (PLX__OS_ARRIVALS / PLX__DATAGRAM_IN_PLACES)

struct plx__datagram_in {
    struct plx__buffer blocks[PLX__DATAGRAM_IN_BLOCKS]; /* filled from the front, maybe none */
    uint8_t places;                                     /* for the next call; 0: the fewest */
    uint8_t idle;                                       /* polls in a row that received nothing */
    uint32_t reported;   /* the kernel's last count of dropped datagrams, modulo 2^32 */
    uint64_t dropped;    /* the same count in 64 bits */
    bool one_by_one;     /* recvmmsg(2) was refused */
    bool lasts;          /* calls failed until the socket paused, and none has worked since */
    int failing;         /* the negative errno of the last call; 0: it has worked */
    uint8_t destination; /* enum plx__destination */
    plx_address local;   /* what the descriptor is bound to; not known in UNKNOWN */
};

/* plx__datagram_in_receive moves datagrams from the kernel into the receive buffer and sets pending
 * events. It passes each sender to `trials`, and each refusal before the program learns of it;
 * NULL: there are no trials. */
void plx__datagram_in_receive(plx_socket *socket, struct plx__datagram_in *incoming,
                              struct plx__trials *trials, struct plx__budget *budget);

/* plx__datagram_in_dropped returns how many datagrams the kernel has dropped for lack of room since
 * the descriptor was opened; -1 where the kernel does not report the number (SO_MEMINFO,
 * SO_RXQ_OVFL). */
int64_t plx__datagram_in_dropped(const plx_socket *socket, struct plx__datagram_in *incoming);

/* Call plx__datagram_in_connected after connect(2) has given the descriptor a peer, and
 * plx__datagram_in_disconnected before the peer is removed. */
void plx__datagram_in_connected(const plx_socket *socket, struct plx__datagram_in *incoming);
void plx__datagram_in_disconnected(const plx_socket *socket, struct plx__datagram_in *incoming);

/* plx__datagram_in_port returns the port that the descriptor is bound to, 0: not known. */
int plx__datagram_in_port(const plx_socket *socket, struct plx__datagram_in *incoming);

/* plx__datagram_in_target returns the target of the first received datagram (lib/base/record.h). In
 * the buffer the scope of a multicast or broadcast address is the interface that the datagram
 * arrived by; *ret_interface is set to it, or to 0 when it is not known. */
plx_address plx__datagram_in_target(const plx_socket *socket, uint32_t *ret_interface);

/* plx__datagram_in_clear releases the blocks and resets the struct for the next descriptor. */
void plx__datagram_in_clear(plx_socket *socket, struct plx__datagram_in *incoming);

#endif
