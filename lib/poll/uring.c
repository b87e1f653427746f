/* lib/poll/uring.c -- Linux io_uring in front of epoll: no system call while no watch is ready.
 *
 * The watches are in an epoll set, as those of the epoll mechanism. A ring holds one request, a
 * multishot poll on the set's descriptor. When a watch becomes ready the kernel marks the ring, in
 * memory that the kernel shares with the process:
 *
 *     watch ready --> epoll set --> poll request --> IORING_SQ_TASKRUN --enter--> completion
 *                         |                          \_______ two words of memory _______/
 *                         +--> epoll_wait
 *
 * Invariant: while `busy` is false and both words are unmarked, no watch of the set is ready.
 * `busy` becomes false only when epoll_wait found no ready watch after the words had been cleared,
 * with the request armed; a watch that becomes ready after that marks the ring, and the mark stays
 * until the poller clears it. So the poller first clears the words and then asks the set, never the
 * other way round.
 *
 * While `busy` is true the poller does not read the words: each frame calls epoll_wait, as with
 * epoll alone, and does not use the ring. A level-triggered watch that is still ready keeps the
 * poller busy.
 *
 * DEFER_TASKRUN leaves the work of the request with the ring until the process enters the kernel
 * for that work. COOP_TASKRUN was rejected: it queues the work for the thread, and marks only the
 * first ring of a thread (Linux 6.18, io_uring.c, io_req_normal_work_add), so that a second group
 * in one thread would never see a mark; and it wakes the thread from sleeps that have nothing to do
 * with the ring. The price of DEFER_TASKRUN is SINGLE_ISSUER: another thread may read the words,
 * but may not enter the kernel for the ring (EEXIST), and opens a ring of its own.
 *
 * The descriptor for other loops is that of the epoll set. A poll on a ring with DEFER_TASKRUN
 * would not wake up. */
#include "config.h"

#ifdef HAVE_LIBURING

#include "lib/base/base.h"
#include "lib/os/os.h"
#include "lib/poll/poller.h"

#include <liburing.h>

/* One request, and completions of it that are taken whenever we enter. */
#define ENTRIES 4

/* A group that moves between threads all the time is faster without a ring: after it has opened
 * this number of rings, the poller stays busy and works as the epoll mechanism does. */
#define MOST_RINGS 16

/* When a socket is polled by itself while others are ready, the poller asks the set only once in
 * this number of polls; in between the socket asks the kernel for its bytes at once. */
#define PATIENCE 8

struct uring_poller {
    struct plx__poller base;
    struct plx__poller *set; /* an epoll poller, which reports to the owner of this poller */
    struct io_uring ring;
    bool has_ring;
    bool armed;       /* the multishot poll request is armed */
    bool busy;        /* a watch may be ready, whatever the two words are */
    uint8_t patience; /* how many calls of is_quiet return false before the set is asked */
    uint8_t rings;    /* how many rings were opened */
};

static struct uring_poller *uring_of(struct plx__poller *poller)
{
    return PLX__CONTAINER_OF(poller, struct uring_poller, base);
}

/* ---- the ring -------------------------------------------------------------------------------- */

static int open_ring(struct uring_poller *self)
{
    struct io_uring_params parameters = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                                  IORING_SETUP_DEFER_TASKRUN |
                                                  IORING_SETUP_TASKRUN_FLAG};
    int result = io_uring_queue_init_params(ENTRIES, &self->ring, &parameters);
    self->has_ring = result == 0;
    self->armed = false;
    self->rings++;
    return result;
}

static void close_ring(struct uring_poller *self)
{
    if (self->has_ring) {
        io_uring_queue_exit(&self->ring);
        self->has_ring = false;
        self->armed = false;
    }
}

/* Returns whether the kernel has marked the ring. */
static inline bool is_marked(const struct uring_poller *self)
{
    const unsigned marks = IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW;
    return (IO_URING_READ_ONCE(*self->ring.sq.kflags) & marks) != 0 ||
           io_uring_cq_ready(&self->ring) != 0;
}

static inline bool is_silent(const struct uring_poller *self)
{
    return !self->busy && !is_marked(self);
}

/* A completion without IORING_CQE_F_MORE is the last one of its request: the kernel ran out of
 * memory or of room for completions. */
static void take_completions(struct uring_poller *self)
{
    struct io_uring_cqe *completion;
    unsigned head;
    unsigned count = 0;
    io_uring_for_each_cqe(&self->ring, head, completion)
    {
        self->armed = self->armed && (completion->flags & IORING_CQE_F_MORE) != 0;
        count++;
    }
    io_uring_cq_advance(&self->ring, count);
}

/* Clears the marks, and arms the request if it is not armed. Returns 0 or a negative errno. */
static int enter_ring(struct uring_poller *self)
{
    struct io_uring_sqe *request = self->armed ? NULL : io_uring_get_sqe(&self->ring);
    if (request != NULL) {
        io_uring_prep_poll_multishot(request, plx__poller_handle(self->set), PLX__OS_READABLE);
        self->armed = true;
    }
    int result = io_uring_submit_and_get_events(&self->ring);
    if (result >= 0) {
        take_completions(self);
    }
    return result < 0 ? result : 0;
}

/* Clears the marks, with a new ring if the kernel refuses to enter this one. */
static void clear(struct uring_poller *self)
{
    while (self->has_ring && enter_ring(self) < 0) {
        close_ring(self);
        if (self->rings < MOST_RINGS) {
            open_ring(self);
        }
    }
}

static bool has_ready(const struct uring_poller *self)
{
    struct plx__os_ready entry = {.descriptor = plx__poller_handle(self->set),
                                  .wanted = PLX__OS_READABLE};
    return plx__os_poll(&entry, 1, 0) != 0;
}

/* Takes `busy` back after the set had no ready watch. */
static void settle_watches(struct uring_poller *self)
{
    self->busy = !self->has_ring;
    if (self->has_ring && (!self->armed || is_marked(self))) {
        clear(self);
        self->busy = !self->armed || has_ready(self);
    }
}

/* ---- the mechanism --------------------------------------------------------------------------- */

static int uring_open(struct plx__poller *poller)
{
    struct uring_poller *self = uring_of(poller);
    int result;
    self->set = plx__poller_open(&plx__mechanism_epoll, poller->found, &result);
    if (self->set == NULL) {
        return result;
    }
    self->busy = true;
    result = open_ring(self);
    if (result < 0) {
        plx__poller_free(self->set);
    }
    return result;
}

/* In a forked child this unmaps and closes the ring for the child alone. */
static void uring_close(struct plx__poller *poller)
{
    close_ring(uring_of(poller));
    plx__poller_free(uring_of(poller)->set);
}

static int uring_change(struct plx__poller *poller, struct plx__watch *watch, unsigned interest)
{
    struct plx__poller *set = uring_of(poller)->set;
    return set->mechanism->change(set, watch, interest);
}

static int uring_sleep(struct plx__poller *poller, int timeout_ms)
{
    struct uring_poller *self = uring_of(poller);
    if (timeout_ms == 0 && is_silent(self)) {
        return 0;
    }
    int result = plx__poller_wait(self->set, timeout_ms);
    self->busy = true;
    if (result == 0) {
        settle_watches(self);
    }
    return result;
}

static bool uring_is_quiet(struct plx__poller *poller)
{
    struct uring_poller *self = uring_of(poller);
    if (is_silent(self)) {
        return true;
    }
    if (self->patience > 0) {
        self->patience--;
        return false;
    }
    self->busy = true;
    if (has_ready(self)) {
        self->patience = PATIENCE;
    } else {
        settle_watches(self);
    }
    return !self->busy;
}

static plx__fd uring_handle(const struct plx__poller *poller)
{
    return plx__poller_handle(PLX__CONTAINER_OF(poller, const struct uring_poller, base)->set);
}

const struct plx__mechanism plx__mechanism_uring = {
    .name = "io_uring",
    .choice = "uring",
    .size = sizeof(struct uring_poller),
    .open = uring_open,
    .close = uring_close,
    .change = uring_change,
    .wait = uring_sleep,
    .is_quiet = uring_is_quiet,
    .handle = uring_handle,
};

#else
typedef int plx__uring_is_not_here; /* ISO C wants a declaration in each translation unit. */
#endif
