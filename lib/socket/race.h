/* lib/socket/race.h -- the race between the addresses of a peer (RFC 8305, "happy eyeballs").
 *
 * Design: a race looks up the host, if there is one, and tries its addresses. An address gets a
 * head start, then the race tries the next one beside it; the families take turns. After an attempt
 * that fails the race tries the next address at once. Addresses that the lookup finds later join
 * those not tried yet. The first attempt (lib/socket/attempt.h) that connects wins, and the race
 * frees the others.
 *
 *      LOOKING_UP --+--> RUNNING --+--> WON            an attempt has connected
 *                   |              +--> FAILED         all have failed, or the time is over
 *                   +--> FOUND                         addresses, of a race that only looks up:
 *                   |                                  RUNNING, if it goes on
 *                   +--> LOOKUP_FAILED                 no address was found, or the time is over
 *
 * PLX_OPTION_CONNECT_TIMEOUT limits the whole race, including the lookup, by a patience
 * (lib/base/patience.h). When that is over the kernel is asked once more for a connection.
 *
 * A race knows no socket: it has watches and a query in a task, and reports its state. The task's
 * owner continues the race when a watch is ready, and at plx__race_deadline at the latest.
 *
 * Invariants: a race without a host begins in RUNNING; WON, FAILED and LOOKUP_FAILED are final;
 * only race.c writes the state. */
#ifndef PLX_LIB_RACE_H
#define PLX_LIB_RACE_H

#include "lib/base/patience.h"
#include "lib/os/os.h"
#include "lib/poll/loop.h"
#include "lib/resolve/resolver.h"
#include "lib/socket/attempt.h"
#include "lib/socket/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where to connect to: an address of the kernel's, or a host to look up first. */
struct plx__target {
    struct plx__sockaddr name;
    const char *host; /* NULL: connect to the name */
    uint16_t port;    /* for the addresses found */
};

enum plx__race_state {
    PLX__RACE_LOOKING_UP,
    PLX__RACE_FOUND,
    PLX__RACE_RUNNING,
    PLX__RACE_WON,
    PLX__RACE_FAILED,
    PLX__RACE_LOOKUP_FAILED
};

/* What a race reports. A member that names a state is valid in that state only. */
struct plx__verdict {
    enum plx__race_state state;
    plx__fd descriptor; /* WON: connected, and the caller's from now on */
    int error; /* FAILED: the most specific errno of all attempts, negative; WON: that of a reset
                * since, -ECONNRESET or -EPIPE, else 0 */
    struct plx__sockaddr name;   /* WON: the peer; FAILED: what the error is about */
    struct plx__failure failure; /* LOOKUP_FAILED */
};

struct plx__race;

/* plx__race_new prepares a race, and starts the lookup of the target's host. The race keeps copies
 * of the target's strings, and reads the options (NULL: the defaults) only now. NULL when memory
 * ran out. */
struct plx__race *plx__race_new(struct plx__task *task, const struct plx__target *target,
                                const struct plx__options *options,
                                const struct plx__opener *opener);

/* plx__race_only_looks_up makes a race with a host end when it has found addresses.
 * plx__race_go_on lets such a race, in FOUND, connect to the first `count` of them after all. */
void plx__race_only_looks_up(struct plx__race *race);
void plx__race_go_on(struct plx__race *race, size_t count);

/* plx__race_begin begins the first attempt, if there is no host to look up. From now on the race
 * calls the opener. */
void plx__race_begin(struct plx__race *race);

/* plx__race_begin_by begins with the caller's descriptor, which stays the caller's: that of a bound
 * datagram socket, to which connect(2) gives a peer at once. plx__race_continue tries one address
 * after the other. */
void plx__race_begin_by(struct plx__race *race, plx__fd descriptor);

/* plx__race_continue goes on with what is ready or due. Returns the verdict so far, which is valid
 * until the race is freed. In a final state the call does nothing. */
const struct plx__verdict *plx__race_continue(struct plx__race *race);

/* plx__race_is_looking_up returns whether the race is in LOOKING_UP. */
bool plx__race_is_looking_up(const struct plx__race *race);

/* plx__race_is_idle returns whether plx__race_continue has something to do although no attempt is
 * under way: none has begun, or all have failed. False for NULL. */
bool plx__race_is_idle(const struct plx__race *race);

/* plx__race_deadline returns the moment at which to continue a race at the latest; 0: never. 0 for
 * NULL. */
uint64_t plx__race_deadline(const struct plx__race *race);

/* plx__race_limit returns what is left of the time within which the race has to be over.
 * plx__race_set_limit sets it. */
struct plx__patience plx__race_limit(const struct plx__race *race);
void plx__race_set_limit(struct plx__race *race, struct plx__patience limit);

/* plx__race_set_option sets an option of the kernel's for the attempts under way. If the kernel
 * refuses the value, the option stays as it is. */
void plx__race_set_option(const struct plx__race *race, plx_option option, int value);

/* plx__race_addresses returns the addresses that the lookup has found, without a port, and the
 * index of the one tried last. NULL if there was no lookup. */
const plx_address *plx__race_addresses(const struct plx__race *race, size_t *ret_count,
                                       size_t *ret_last);

/* plx__race_host returns the host of the target, NULL if there is none; plx__race_port its port. */
const char *plx__race_host(const struct plx__race *race);
uint16_t plx__race_port(const struct plx__race *race);

/* plx__race_take_name moves the name that a race without a host was for to *ret_name, whose
 * long_path is then the caller's to free. Returns false and sets nothing if there is a host. */
bool plx__race_take_name(struct plx__race *race, struct plx__sockaddr *ret_name);

/* plx__race_free frees the race with its attempts and its lookup. NULL is allowed. Returns NULL. */
struct plx__race *plx__race_free(struct plx__race *race);

#endif
