/* lib/socket/race.h -- the race between the addresses of a peer (RFC 8305, "happy eyeballs").
 *
 * Design: a race looks the host up, if there is one, and tries its addresses. An address gets a head
 * start, then the next one is tried beside it, families taking turns; one that fails hands its turn on
 * at once. Addresses that the lookup finds later join those not tried yet. The first attempt
 * (lib/socket/attempt.h) that connects wins, and the others are given up.
 *
 *      LOOKING_UP --+--> RUNNING --+--> WON            an attempt has connected
 *                   |              +--> FAILED         all have failed, or the time is over
 *                   +--> LOOKUP_FAILED                 the host has no address, or the time is over
 *
 * The whole, lookup included, has PLX_OPTION_CONNECT_TIMEOUT.
 *
 * A race knows no socket: it has watches and a query in a task, reports its state, and whoever owns
 * the task continues it, when a watch is ready and at plx__race_deadline at the latest.
 *
 * Invariants: a race without a host begins in RUNNING; WON, FAILED and LOOKUP_FAILED are never left;
 * only race.c writes the state. */
#ifndef PLX_LIB_RACE_H
#define PLX_LIB_RACE_H

#include "lib/os/os.h"
#include "lib/poll/loop.h"
#include "lib/resolve/resolver.h"
#include "lib/socket/attempt.h"
#include "lib/socket/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a connection is to go: an address of the kernel's, or a host that has to be looked up first. */
struct plx__target {
    struct plx__sockaddr name;
    const char *host; /* NULL: the name is it */
    uint16_t port;    /* for the addresses found */
};

enum plx__race_state {
    PLX__RACE_LOOKING_UP,
    PLX__RACE_RUNNING,
    PLX__RACE_WON,
    PLX__RACE_FAILED,
    PLX__RACE_LOOKUP_FAILED
};

/* What a race reports. Members of another state than the present one say nothing. */
struct plx__verdict {
    enum plx__race_state state;
    plx__fd descriptor; /* WON: connected, and the caller's from now on */
    int error;          /* FAILED: the most telling error of all attempts, a negative errno */
    struct plx__sockaddr name;   /* WON: the peer; FAILED: what the error is about */
    struct plx__failure failure; /* LOOKUP_FAILED */
};

struct plx__race;

/* plx__race_new prepares a race, and starts the lookup of the target's host. It keeps copies of the
 * target's strings, and reads the options (NULL: the defaults) only now. NULL where there is no
 * memory. */
struct plx__race *plx__race_new(struct plx__task *task, const struct plx__target *target,
                                const struct plx__options *options,
                                const struct plx__opener *opener);

/* plx__race_begin begins with the first attempt, if there is no host to look up. The opener given before
 * is called from now on. */
void plx__race_begin(struct plx__race *race);

/* plx__race_begin_by begins too, but with a descriptor that exists and that stays the caller's: a bound
 * datagram socket, which connect(2) only gives a peer, at once. plx__race_continue tries one address after the other. */
void plx__race_begin_by(struct plx__race *race, plx__fd descriptor);

/* plx__race_continue goes on with what is ready or due. Returns the verdict so far, which is valid
 * until the race is freed. Once it is no longer LOOKING_UP or RUNNING there is nothing to continue. */
const struct plx__verdict *plx__race_continue(struct plx__race *race);

/* plx__race_is_looking_up says whether no attempt has begun because the lookup goes on. */
bool plx__race_is_looking_up(const struct plx__race *race);

/* plx__race_is_idle says whether a race has to go on although nothing is under way: to begin with, or
 * because all that was tried has failed. False for NULL. */
bool plx__race_is_idle(const struct plx__race *race);

/* plx__race_deadline returns the moment at which to continue a race at the latest; 0 for never, and for
 * NULL. */
uint64_t plx__race_deadline(const struct plx__race *race);

/* plx__race_set_option sets an option of the kernel's for the attempts under way; one that the kernel
 * refuses stays as it is. */
void plx__race_set_option(const struct plx__race *race, plx_option option, int value);

/* plx__race_addresses returns the addresses that the lookup has found, without a port, and which of them
 * was tried last; NULL where there was no lookup. */
const plx_address *plx__race_addresses(const struct plx__race *race, size_t *ret_count,
                                       size_t *ret_last);

/* plx__race_host returns the host of the target, NULL where it has none; plx__race_port its port. */
const char *plx__race_host(const struct plx__race *race);
uint16_t plx__race_port(const struct plx__race *race);

/* plx__race_free gives up whatever is under way; NULL is allowed; returns NULL. */
struct plx__race *plx__race_free(struct plx__race *race);

#endif
