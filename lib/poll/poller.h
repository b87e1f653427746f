/* lib/poll/poller.h -- which descriptors are ready.
 *
 * lib/poll finds the descriptors that are ready, and serves the tasks that wait for them. It may
 * use lib/base and lib/os, and also epoll and io_uring directly. lib/resolve, lib/socket and
 * lib/group use it.
 *
 * Design: the poller watches *watches*, never sockets, because a socket is not one descriptor (a
 * lookup has its own descriptors, and connection attempts that race have several). A watch belongs
 * to the task that is served when the watch is ready. The watch is in the task's list with or
 * without a poller: a task that is polled alone asks poll(2) about its own watches.
 *
 * Contract of a mechanism: it is level-triggered, because a frame may leave work behind. A task
 * that adds EDGE to the interest of a watch asks for new readiness only. It remembers what was
 * reported (in `ready`, and by a place in its loop's work) until a system call has reported that
 * nothing is left. Setting another interest, with or without EDGE, makes the mechanism report again
 * what is ready. A mechanism may ignore EDGE. A watch without interest is not watched at all: a
 * hang-up cannot be masked (epoll_ctl(2)), so that a level-triggered poller would spin on it. */
#ifndef PLX_LIB_POLLER_H
#define PLX_LIB_POLLER_H

#include "lib/os/fd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__task;
struct plx__poller;

/* Interest and readiness. On a hang-up or an error the mechanism reports every requested event, and
 * END. END means that a read may stop early, at the end of the stream or at an urgent byte
 * (tcp(7)); END is never requested, and not every mechanism reports END before the hang-up. EDGE is
 * no readiness: see above. HANG_UP requests nothing but the events that cannot be masked
 * (epoll_ctl(2)), which are reported as END. */
enum { PLX__READ = 1, PLX__WRITE = 2, PLX__END = 4, PLX__EDGE = 8, PLX__HANG_UP = 16 };

/* A zeroed watch is idle and valid. */
struct plx__watch {
    struct plx__watch *next; /* in the task's list */
    struct plx__task *task;  /* NULL: idle */
    plx__fd descriptor;
    uint32_t place;     /* for the mechanism alone */
    uint8_t interest;   /* the events that the task asks for */
    uint8_t registered; /* the interest that the mechanism has set */
    uint8_t ready;      /* the events that were reported; the task clears them */
};

struct plx__mechanism {
    const char *name;
    const char *choice; /* its name in POLLUX_POLLER */
    size_t size;        /* of the mechanism's poller, which begins with struct plx__poller */
    /* Returns 0 or a negative errno. */
    int (*open)(struct plx__poller *poller);
    void (*close)(struct plx__poller *poller);
    /* Changes the interest in the kernel from watch->registered to `interest`. Removing a watch
     * (interest 0) always succeeds. */
    int (*change)(struct plx__poller *poller, struct plx__watch *watch, unsigned interest);
    /* Waits up to timeout_ms (-1: for ever) and reports each ready watch by plx__poller_found.
     * Returns 0 when no watch was ready, a positive number or a negative errno. */
    int (*wait)(struct plx__poller *poller, int timeout_ms);
    /* Returns true when a wait would report nothing, without reporting and, most of the time,
     * without a system call. False: a watch may be ready. NULL: the mechanism has no such function.
     */
    bool (*is_quiet)(struct plx__poller *poller);
    /* Returns a level-triggered descriptor that is readable while a watch is ready; NULL: the
     * mechanism has no such descriptor. */
    plx__fd (*handle)(const struct plx__poller *poller);
};

struct plx__poller {
    const struct plx__mechanism *mechanism;
    /* The poller's owner sets this function, which is called for each ready watch. */
    void (*found)(struct plx__poller *poller, struct plx__watch *watch);
    int process; /* the process that opened it: a forked child shares the kernel's object */
};

extern const struct plx__mechanism plx__mechanism_uring;
extern const struct plx__mechanism plx__mechanism_epoll;
extern const struct plx__mechanism plx__mechanism_poll;

/* plx__poller_new opens the best mechanism of this kernel, or the one that the environment variable
 * POLLUX_POLLER names; an unknown name is ignored. Returns NULL and *ret_error (negative errno)
 * when no mechanism can be opened. */
struct plx__poller *plx__poller_new(void (*found)(struct plx__poller *poller,
                                                  struct plx__watch *watch),
                                    int *ret_error);
/* plx__poller_open opens this mechanism only, and otherwise works as plx__poller_new does. */
struct plx__poller *plx__poller_open(const struct plx__mechanism *mechanism,
                                     void (*found)(struct plx__poller *poller,
                                                   struct plx__watch *watch),
                                     int *ret_error);
void plx__poller_free(struct plx__poller *poller);

/* plx__poller_change sets the interest of a watch in the mechanism. In a forked child it does
 * nothing in the kernel. */
int plx__poller_change(struct plx__poller *poller, struct plx__watch *watch, unsigned interest);

/* plx__poller_wait sleeps up to timeout_ms and reports the ready watches. Returns 0 when no watch
 * was ready, a positive number or a negative errno. */
int plx__poller_wait(struct plx__poller *poller, int timeout_ms);

/* plx__poller_is_quiet returns true when a wait would report nothing; false: a watch may be ready.
 */
static inline bool plx__poller_is_quiet(struct plx__poller *poller)
{
    return poller->mechanism->is_quiet != NULL && poller->mechanism->is_quiet(poller);
}

/* plx__poller_handle returns PLX__NO_FD where the mechanism has no descriptor. */
plx__fd plx__poller_handle(const struct plx__poller *poller);

/* plx__poll_wanted and plx__poll_ready translate interest and readiness for plx__os_poll; a hang-up
 * or an error means all three events. */
short plx__poll_wanted(unsigned interest);
unsigned plx__poll_ready(int found);

/* plx__poller_found is for mechanisms: `ready` has the events that the mechanism found, all three
 * for a hang-up or an error. */
static inline void plx__poller_found(struct plx__poller *poller, struct plx__watch *watch,
                                     unsigned ready)
{
    watch->ready |= (uint8_t)(ready & (watch->interest | PLX__END));
    poller->found(poller, watch);
}

#endif
