/* lib/socket/attempt.h -- one attempt to connect to one address.
 *
 * Design: an attempt has a descriptor and a watch of its own, so that several can be under way for
 * one task. How a descriptor is opened is the business of the opener. The descriptor of the attempt
 * that has connected is taken from it; the others are closed as the attempts are freed.
 *
 *      under way --+--> won
 *          ^       +--> failed
 *          +-- a full Unix listener: again in a while */
#ifndef PLX_LIB_ATTEMPT_H
#define PLX_LIB_ATTEMPT_H

#include "lib/os/os.h"
#include "lib/poll/loop.h"

/* How a descriptor is opened that is to connect to `name`: with its options set, and bound where it has
 * to be. Returns the descriptor or a negative errno. */
struct plx__opener {
    plx__fd (*open)(void *user, const struct plx__sockaddr *name);
    void *user;
};

enum plx__progress { PLX__UNDER_WAY, PLX__WON, PLX__FAILED };

struct plx__attempt {
    struct plx__attempt *next; /* in its owner's list */
    struct plx__task *task;
    const struct plx__opener *opener;
    struct plx__sockaddr name;
    struct plx__watch watch; /* idle while it waits to try again, and when it is over */
    enum plx__progress progress;
    int error;            /* of one that failed, a negative errno */
    uint64_t retry_at;    /* 0: it does not wait to try again */
    unsigned retry_pause; /* milliseconds from the last try to that one; 0: there was one try */
};

/* plx__attempt_new begins to connect to `name`. The opener has to outlive the attempt. NULL where there
 * is no memory; the progress of one that fails at once is PLX__FAILED. */
struct plx__attempt *plx__attempt_new(struct plx__task *task, const struct plx__opener *opener,
                                      const struct plx__sockaddr *name);

/* plx__attempt_continue goes on with what is ready or due, and sets the progress. */
void plx__attempt_continue(struct plx__attempt *attempt);

/* plx__attempt_take returns the descriptor of one that has won, which is the caller's from now on. */
plx__fd plx__attempt_take(struct plx__attempt *attempt);

/* plx__attempt_free closes the descriptor, if there is one, and frees the attempt; NULL is allowed. */
void plx__attempt_free(struct plx__attempt *attempt);

/* plx__attempt_peer returns the address that a descriptor is connected to, which for an address such
 * as 0.0.0.0 is not the one that was asked for. */
struct plx__sockaddr plx__attempt_peer(plx__fd descriptor, const struct plx__sockaddr *asked);

#endif
