/* lib/socket/attempt.h -- one attempt to connect to one address.
 *
 * Design: an attempt has a descriptor and a watch of its own, so that several can be under way for
 * one task. The opener opens the descriptor. The race takes the descriptor of the attempt that has
 * connected; freeing the other attempts closes theirs.
 *
 *      UNDER_WAY --+--> WON
 *          ^  |    +--> FAILED
 *          +--+ EAGAIN, the queue of a Unix listener is full: connect again after a pause */
#ifndef PLX_LIB_ATTEMPT_H
#define PLX_LIB_ATTEMPT_H

#include "lib/os/os.h"
#include "lib/poll/loop.h"

/* Opens a descriptor that is to connect to `name`, sets its options and binds it if necessary.
 * Returns the descriptor or a negative errno. */
struct plx__opener {
    plx__fd (*open)(void *user, const struct plx__sockaddr *name);
    void *user;
    bool has_port; /* `open` binds to a port that the program has chosen */
};

enum plx__progress { PLX__UNDER_WAY, PLX__WON, PLX__FAILED };

struct plx__attempt {
    struct plx__attempt *next; /* in the race's list */
    struct plx__task *task;
    const struct plx__opener *opener;
    struct plx__sockaddr name;
    struct plx__watch watch; /* idle while the attempt waits to try again, and when it has failed */
    enum plx__progress progress;
    int error;            /* FAILED: a negative errno; WON: that of a reset, else 0 */
    uint64_t retry_at;    /* when to try again; 0: the attempt does not wait */
    unsigned retry_pause; /* milliseconds from the last try to retry_at; 0: there was one try */
};

/* plx__attempt_new begins to connect to `name`. The opener has to outlive the attempt. NULL when
 * memory ran out. The progress of an attempt that fails at once is PLX__FAILED. */
struct plx__attempt *plx__attempt_new(struct plx__task *task, const struct plx__opener *opener,
                                      const struct plx__sockaddr *name);

/* plx__attempt_continue goes on with what is ready or due of an attempt that is under way, and sets
 * the progress. */
void plx__attempt_continue(struct plx__attempt *attempt);

/* plx__attempt_take returns the descriptor of an attempt that has won: it is the caller's from now
 * on. */
plx__fd plx__attempt_take(struct plx__attempt *attempt);

/* plx__attempt_free closes the descriptor, if there is one, and frees the attempt; NULL is
 * allowed. */
void plx__attempt_free(struct plx__attempt *attempt);

/* plx__attempt_peer returns the address that a descriptor is connected to (getpeername(2)). It
 * differs from `asked` for an address such as 0.0.0.0. */
struct plx__sockaddr plx__attempt_peer(plx__fd descriptor, const struct plx__sockaddr *asked);

#endif
