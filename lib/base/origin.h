/* lib/base/origin.h -- at which of our addresses others were heard.
 *
 * Design: a table from the address of a peer to the address of ours that its last datagram came to,
 * for datagram sockets that hear at several: an answer should leave from where the question came, or
 * the peer does not take it for one. A peer may stand in one of a few places that follow each other
 * from its hash on; when those are taken the table grows, up to PLX__ORIGINS peers, and then the
 * new one replaces one of them. So neither memory nor the time of a call depends on how many peers
 * there are, or on what they send.
 *
 * Invariants: an entry is never removed alone, so that a free place ends a search; `local` has no
 * port, and family 0 where the kernel is to choose. A zeroed table is empty and valid. */
#ifndef PLX_LIB_ORIGIN_H
#define PLX_LIB_ORIGIN_H

#include <pollux/address.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most peers that are remembered: 192 KiB. */
#define PLX__ORIGINS 4096

struct plx__origin {
    plx_address peer, local;
};

struct plx__origins {
    struct plx__origin *list;
    uint16_t size; /* a power of two; 0: none yet */
    uint16_t last; /* where the last search ended: often the next one's peer is the same */
    uint8_t turn;  /* which of the peers that share their places is replaced next */
};

/* plx__origins_note remembers that `peer` was heard at `local`, without a port. An address that many
 * have, of a group or of broadcast, is none of ours to answer from: the kernel is to choose, as it
 * is with family 0. False when out of memory. */
bool plx__origins_note(struct plx__origins *origins, const plx_address *peer,
                       const plx_address *local);

/* plx__origins_search is plx__origins_find in a table that is not empty. */
const plx_address *plx__origins_search(struct plx__origins *origins, const plx_address *peer);

/* plx__origins_find returns the address to answer `peer` from, valid until the next note; NULL: the
 * kernel is to choose. Inline, as for each datagram that is written. */
static inline const plx_address *plx__origins_find(struct plx__origins *origins,
                                                   const plx_address *peer)
{
    return origins->list == NULL ? NULL : plx__origins_search(origins, peer);
}

/* plx__origins_clear forgets all. */
void plx__origins_clear(struct plx__origins *origins);

#endif
