/* lib/poll/poller.h -- which descriptors are ready.
 *
 * Design: the poller watches *watches*, never sockets: a socket is not one descriptor (a look-up
 * has its own, racing connection attempts have several). A watch belongs to a task, the somebody
 * who is served when it is ready, and stands in that task's list whether a poller watches it or
 * not: a task that is polled alone asks poll(2) about its own few.
 *
 * Contract of a mechanism: level-triggered, for a frame may leave work behind. Whoever adds EDGE to
 * its interest wants to be told only of what is new; it remembers what it was told (`ready`, and a
 * place in its loop's work) until a call of the system has said that no more is there. Setting
 * another interest, EDGE or not, tells anew of what is there. A mechanism may ignore EDGE. A watch
 * without interest is not watched at all: a hang-up cannot be masked (epoll_ctl(2)), so that a level
 * trigger would spin on it. */
#ifndef PLX_LIB_POLLER_H
#define PLX_LIB_POLLER_H

#include "lib/os/fd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__task;
struct plx__poller;

/* Interest and readiness. On a hang-up or an error every requested event is reported, and END. END
 * says that a read may stop early, at the end or at an urgent byte (tcp(7)); it is never requested, and
 * not every mechanism reports it before the hang-up. EDGE is no readiness: see above. HANG_UP requests
 * nothing but what cannot be masked (epoll_ctl(2)), which is reported as END. */
enum { PLX__READ = 1, PLX__WRITE = 2, PLX__END = 4, PLX__EDGE = 8, PLX__HANG_UP = 16 };

/* A zeroed watch is idle and valid. */
struct plx__watch {
    struct plx__watch *next; /* in the task's list */
    struct plx__task *task;  /* NULL: idle */
    plx__fd descriptor;
    uint32_t place;     /* the mechanism's own */
    uint8_t interest;   /* what the task wants to hear of */
    uint8_t registered; /* what the mechanism was told */
    uint8_t ready;      /* what was found ready; the task clears it */
};

struct plx__mechanism {
    const char *name;
    const char *choice; /* what POLLUX_POLLER calls it */
    size_t size;        /* of the mechanism's poller, which begins with struct plx__poller */
    /* Returns 0 or a negative errno. */
    int (*open)(struct plx__poller *poller);
    void (*close)(struct plx__poller *poller);
    /* Brings what the kernel watches from watch->registered to `interest`. Removing (interest 0)
     * always succeeds. */
    int (*change)(struct plx__poller *poller, struct plx__watch *watch, unsigned interest);
    /* Waits up to timeout_ms (-1: for ever) and reports each ready watch by plx__poller_found.
     * Returns 0 when none was ready, a positive number or a negative errno. */
    int (*wait)(struct plx__poller *poller, int timeout_ms);
    /* Whether a wait would report nothing, found out without reporting and, most of the time,
     * without asking the system. False: perhaps it would. NULL: always perhaps. */
    bool (*is_quiet)(struct plx__poller *poller);
    /* A level-triggered descriptor that is readable while a watch is ready; NULL: there is none. */
    plx__fd (*handle)(const struct plx__poller *poller);
};

struct plx__poller {
    const struct plx__mechanism *mechanism;
    /* Called for each ready watch; set by the poller's owner. */
    void (*found)(struct plx__poller *poller, struct plx__watch *watch);
    int process; /* who opened it: a forked child must not touch what it shares with its parent */
};

extern const struct plx__mechanism plx__mechanism_uring;
extern const struct plx__mechanism plx__mechanism_epoll;
extern const struct plx__mechanism plx__mechanism_poll;

/* plx__poller_new opens the best mechanism there is, or the one that the environment's
 * POLLUX_POLLER names; a name that is unknown here counts as none. Returns NULL and *ret_error
 * (negative errno) when none can be opened. */
struct plx__poller *plx__poller_new(void (*found)(struct plx__poller *poller,
                                                  struct plx__watch *watch),
                                    int *ret_error);
/* plx__poller_open is the same with this mechanism and no other. */
struct plx__poller *plx__poller_open(const struct plx__mechanism *mechanism,
                                     void (*found)(struct plx__poller *poller,
                                                   struct plx__watch *watch),
                                     int *ret_error);
void plx__poller_free(struct plx__poller *poller);

/* plx__poller_change tells the mechanism that a watch has this interest now. In a forked child
 * nothing is told. */
int plx__poller_change(struct plx__poller *poller, struct plx__watch *watch, unsigned interest);

/* plx__poller_wait sleeps up to timeout_ms and reports what is ready. Returns 0 when
 * nothing was, a positive number or a negative errno. */
int plx__poller_wait(struct plx__poller *poller, int timeout_ms);

/* plx__poller_is_quiet says that a wait would report nothing; false: perhaps it would. */
static inline bool plx__poller_is_quiet(struct plx__poller *poller)
{
    return poller->mechanism->is_quiet != NULL && poller->mechanism->is_quiet(poller);
}

/* plx__poller_handle returns PLX__NO_FD where the mechanism has no descriptor. */
plx__fd plx__poller_handle(const struct plx__poller *poller);

/* plx__poll_wanted and plx__poll_ready translate interest and readiness for plx__os_poll, a hang-up or
 * an error being all three. */
short plx__poll_wanted(unsigned interest);
unsigned plx__poll_ready(int found);

/* plx__poller_found is for mechanisms: `ready` is what they saw, a hang-up or an error as all
 * three. */
static inline void plx__poller_found(struct plx__poller *poller, struct plx__watch *watch,
                                     unsigned ready)
{
    watch->ready |= (uint8_t)(ready & (watch->interest | PLX__END));
    poller->found(poller, watch);
}

#endif
