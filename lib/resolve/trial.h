/* lib/resolve/trial.h -- which address of a name gets its datagrams.
 *
 * Design: a name with several addresses is tried at one after the other, as a connection is, but no
 * datagram is answered by the kernel: silence may be all there ever is. So a trial stays at an address
 * until word comes that nobody can be reached there, then moves on to the next one, and sends again
 * what had been sent to the one before. Of that it keeps a copy: for three seconds from the first
 * datagram to an address, 64 KiB at most, and no longer than until something is heard from there.
 * What comes later is not copied, so that a trial that is never answered costs nothing more.
 *
 *      at an address --+-- heard from it: settled, nothing is kept any more
 *            ^         +-- refused: the next address, the copies again --+
 *            +-----------------------------------------------------------+
 *      as many refusals in a row as there are addresses: that is reported, the copies are dropped, and
 *      the next datagram begins with the first address again
 *
 * Sending to all addresses at once lost: a server that listens in both families would get each
 * datagram twice. Asking the sender for an answer lost too: many services never give one.
 *
 * There is a trial for the peer of a socket (owner NULL), of whose refusal the kernel reports anyhow,
 * and one for each name and port that is written to without a peer, for which the socket heeds
 * refusals (plx__os_heed_refusals) as long as one is not settled. A zeroed list is empty and valid. */
#ifndef PLX_LIB_TRIAL_H
#define PLX_LIB_TRIAL_H

#include "lib/base/buffer.h"
#include "lib/base/record.h"

#include <pollux/address.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__trial {
    struct plx__trial *next;
    const void *owner; /* NULL: the peer */
    size_t count;      /* of addresses */
    size_t current;
    size_t refusals; /* in a row */
    int error;       /* why to move on, a negative errno; 0: there is no reason */
    bool settled;
    uint64_t copies_until; /* 0: nothing was sent to this address yet */
    struct plx__buffer copies;
    size_t records;          /* in the copies */
    plx_address addresses[]; /* with the port */
};

struct plx__trials {
    struct plx__trial *first;
    bool heeded; /* the descriptor reports refusals without a peer */
};

/* plx__trials_add begins a trial at addresses[current]. NULL when memory ran out, and for one address
 * that nothing has to be tried. */
struct plx__trial *plx__trials_add(struct plx__trials *trials, const void *owner,
                                   const plx_address *addresses, size_t count, size_t current,
                                   uint16_t port);

/* plx__trials_find returns the trial of that owner and port, or NULL. */
struct plx__trial *plx__trials_find(const struct plx__trials *trials, const void *owner,
                                    uint16_t port);

/* plx__trials_remove ends those of an owner, plx__trials_clear all. */
void plx__trials_remove(struct plx__trials *trials, const void *owner);
void plx__trials_clear(struct plx__trials *trials);

/* plx__trials_are_open says whether some name's is not settled. */
bool plx__trials_are_open(const struct plx__trials *trials);

/* plx__trials_sent keeps a copy of datagrams of `segment` bytes each but the last, which went to an
 * address (family 0: the peer's). Returns whether one that is not settled is there: that they left says
 * nothing about who reads them. */
bool plx__trials_sent(struct plx__trials *trials, const plx_address *to, const void *data,
                      size_t size, size_t segment);

/* plx__trials_heard settles those that are at this address. */
void plx__trials_heard(struct plx__trials *trials, const plx_address *from);

/* plx__trials_refuse notes that nobody can be reached at an address (family 0: the peer's). False: it
 * is no trial's, or the error says something else. */
bool plx__trials_refuse(struct plx__trials *trials, const plx_address *to, int error);

/* plx__trials_refused returns one that has to move on, or NULL. */
struct plx__trial *plx__trials_refused(const struct plx__trials *trials);

/* plx__trial_move goes to the next address. False: all have refused, and the copies are dropped. */
bool plx__trial_move(struct plx__trial *trial);

/* plx__trials_rest drops copies whose time is over; plx__trials_deadline returns when it is for the
 * next ones, 0 for never. */
void plx__trials_end(struct plx__trials *trials);
uint64_t plx__trials_deadline(const struct plx__trials *trials);

#endif
