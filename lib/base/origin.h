/* lib/base/origin.h -- the local address that each peer sent to.
 *
 * Design: a table from the address of a peer to the local address that the peer's last datagram was
 * sent to, for datagram sockets that receive at several addresses: a reply should leave from the
 * address that the request was sent to, or the peer does not accept the reply. A peer stands in one
 * of eight places that follow its hash. When other peers have all these places, the table grows,
 * up to PLX__ORIGINS places, and after that the new peer replaces one of those others. So neither
 * the memory nor the time of a call depends on the number of peers or on what they send.
 *
 * Invariants: an entry is never removed alone, so that a free place ends a search; `local` has no
 * port, and has family 0 where the kernel chooses the address. A zeroed table is empty and valid.
 */
#ifndef PLX_LIB_ORIGIN_H
#define PLX_LIB_ORIGIN_H

#include <pollux/address.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The greatest size of the table: 192 KiB. */
#define PLX__ORIGINS 4096

struct plx__origin {
    plx_address peer, local;
};

struct plx__origins {
    struct plx__origin *list;
    uint16_t size; /* a power of two; 0: none yet */
    uint16_t last; /* where the last search ended: the next search is often for the same peer */
    uint8_t turn;  /* which of the peers that share places is replaced next */
};

/* plx__origins_note remembers that `peer` sent to `local`, without a port. A multicast or broadcast
 * address cannot be the source of a reply: for it, as for family 0, the kernel chooses. False when
 * out of memory. */
bool plx__origins_note(struct plx__origins *origins, const plx_address *peer,
                       const plx_address *local);

/* plx__origins_search is plx__origins_find for a table that is not empty. */
const plx_address *plx__origins_search(struct plx__origins *origins, const plx_address *peer);

/* plx__origins_find returns the local address to reply to `peer` from, valid until the next note;
 * NULL: the kernel chooses. Inline, because it runs for each datagram that is written. */
static inline const plx_address *plx__origins_find(struct plx__origins *origins,
                                                   const plx_address *peer)
{
    return origins->list == NULL ? NULL : plx__origins_search(origins, peer);
}

/* plx__origins_clear removes all entries and frees the table. */
void plx__origins_clear(struct plx__origins *origins);

#endif
