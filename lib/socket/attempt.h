/* lib/socket/attempt.h -- one attempt to connect to one name.
 *
 * Design: an attempt has a descriptor and a watch of its own, so that several can be under way for
 * one socket. The one that works gives its descriptor to the socket; the others are freed.
 *
 *      under way --+--> won
 *          ^       +--> failed
 *          +-- a full Unix listener: again in a while */
#ifndef PLX_LIB_ATTEMPT_H
#define PLX_LIB_ATTEMPT_H

#include "lib/socket/object.h"

enum plx__progress { PLX__UNDER_WAY, PLX__WON, PLX__FAILED };

struct plx__attempt {
    struct plx__attempt *next; /* in its owner's list */
    plx_socket *socket;
    struct plx__sockaddr name;
    struct plx__watch watch; /* idle while it waits to try again, and when it is over */
    enum plx__progress progress;
    int error;            /* of one that failed, a negative errno */
    uint64_t retry_at;    /* 0: it does not wait to try again */
    unsigned retry_pause; /* milliseconds from the last try to that one; 0: there was one try */
};

/* plx__attempt_new begins to connect to `name` with the options and the interface of the socket.
 * NULL for want of memory; one that fails at once says so by its progress. */
struct plx__attempt *plx__attempt_new(plx_socket *socket, const struct plx__sockaddr *name);

/* plx__attempt_continue goes on with what is ready or due, and sets the progress. */
void plx__attempt_continue(struct plx__attempt *attempt);

/* plx__attempt_take gives away the descriptor of one that has won. */
int plx__attempt_take(struct plx__attempt *attempt);

/* plx__attempt_free gives it up; takes NULL. */
void plx__attempt_free(struct plx__attempt *attempt);

/* plx__attempt_peer returns whom a descriptor is connected to, which for an address such as 0.0.0.0
 * is not whom we asked for. */
struct plx__sockaddr plx__attempt_peer(int descriptor, const struct plx__sockaddr *asked);

#endif
