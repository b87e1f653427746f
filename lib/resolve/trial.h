/* lib/resolve/trial.h -- which address of a name receives its datagrams.
 *
 * Design: the addresses of a name are tried one after the other, as for a connection, but the
 * kernel acknowledges no datagram: silence may be the only result. So a trial stays at an address
 * until an ICMP error reports that the address is unreachable. Then the trial moves to the next
 * address and sends again the datagrams that it had sent to the address before. The trial keeps
 * copies of those: for three seconds from the first datagram to an address, 64 KiB at most, and
 * only until a datagram is received from that address. Later datagrams are not copied, so that a
 * trial without an answer costs no more.
 *
 *      at an address --+-- received from it: settled, no copies are kept any more
 *            ^         +-- refused: the next address, the copies again --+
 *            +-----------------------------------------------------------+
 *      as many refusals in a row as there are addresses: the failure is reported, the copies are
 *      dropped, and the next datagram begins with the first address again
 *
 * Sending to all addresses at once was rejected: a server that listens in both families would
 * receive each datagram twice. Asking the program for an answer was rejected too: many services
 * never send one.
 *
 * There is a trial for the peer of a socket (owner NULL), whose refusal the kernel reports anyhow,
 * and one for each name and port that datagrams are sent to without a peer, for which the socket
 * sets IP_RECVERR (plx__os_heed_refusals) as long as one of them is not settled. A zeroed list is
 * empty and valid. */
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
    const void *owner; /* NULL: the socket's peer */
    size_t count;      /* the number of addresses */
    size_t current;
    size_t refusals; /* in a row */
    int error;       /* the negative errno of a refusal; 0: stay at this address */
    bool settled;
    uint64_t copies_until; /* 0: no datagram was sent to this address yet */
    struct plx__buffer copies;
    size_t records;          /* the number of copies */
    plx_address addresses[]; /* with the port */
};

struct plx__trials {
    struct plx__trial *first;
    bool heeded; /* the descriptor reports refusals without a peer */
};

/* plx__trials_add begins a trial at addresses[current]. NULL when out of memory, and for a single
 * address, which needs no trial. */
struct plx__trial *plx__trials_add(struct plx__trials *trials, const void *owner,
                                   const plx_address *addresses, size_t count, size_t current,
                                   uint16_t port);

/* plx__trials_find returns the trial of that owner and port, or NULL. */
struct plx__trial *plx__trials_find(const struct plx__trials *trials, const void *owner,
                                    uint16_t port);

/* plx__trials_remove ends the trials of an owner, plx__trials_clear all trials. */
void plx__trials_remove(struct plx__trials *trials, const void *owner);
void plx__trials_clear(struct plx__trials *trials);

/* plx__trials_are_open returns whether the trial of a name is not settled. */
bool plx__trials_are_open(const struct plx__trials *trials);

/* plx__trials_sent keeps a copy of datagrams of `segment` bytes each, except the last, that were
 * sent to an address (family 0: the peer's). Returns whether a trial that is not settled has that
 * address: sending alone does not show that the address is reachable. */
bool plx__trials_sent(struct plx__trials *trials, const plx_address *to, const void *data,
                      size_t size, size_t segment);

/* plx__trials_heard settles the trials that are at this address. */
void plx__trials_heard(struct plx__trials *trials, const plx_address *from);

/* plx__trials_refuse records that an address (family 0: the peer's) refuses datagrams. False when
 * no trial has the address, or when the error is no refusal. */
bool plx__trials_refuse(struct plx__trials *trials, const plx_address *to, int error);

/* plx__trials_refused returns a trial that has to move on, or NULL. */
struct plx__trial *plx__trials_refused(const struct plx__trials *trials);

/* plx__trial_move moves to the next address. False when all addresses have refused; the copies are
 * then dropped. */
bool plx__trial_move(struct plx__trial *trial);

/* plx__trials_end drops the copies whose time is over; plx__trials_deadline returns the moment for
 * the next copies, 0 for never. */
void plx__trials_end(struct plx__trials *trials);
uint64_t plx__trials_deadline(const struct plx__trials *trials);

#endif
