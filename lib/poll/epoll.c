/* lib/poll/epoll.c -- Linux epoll, level-triggered unless a watch sets EDGE.
 *
 * Level-triggered, so that the epoll descriptor may be in the epoll set of another loop and is
 * readable as long as work is left, and so that no watch has to be re-armed after each message. The
 * price is that epoll_wait checks each descriptor that it has reported once more, when the
 * descriptor is no longer in the cache. A watch that remembers what was reported sets EDGE and
 * saves that check. */
#include "config.h"

#ifdef HAVE_SYS_EPOLL_H

#include "lib/base/base.h"
#include "lib/os/clock.h"
#include "lib/os/os.h"
#include "lib/poll/poller.h"

#include <errno.h>
#include <sys/epoll.h>

/* The number of events of one epoll_wait. Further calls of the same wait fetch the others. */
#define BATCH 256

/* EPOLLPRI is only for those watches whose task takes a short read as the end of the bytes that
 * wait. */
#define READING ((unsigned)(EPOLLIN | EPOLLRDHUP))
#define EDGES ((unsigned)(EPOLLET | EPOLLPRI))

struct epoll_poller {
    struct plx__poller base;
    plx__fd descriptor;
    struct epoll_event batch[BATCH];
};

static struct epoll_poller *epoll_of(struct plx__poller *poller)
{
    return PLX__CONTAINER_OF(poller, struct epoll_poller, base);
}

static int epoll_open(struct plx__poller *poller)
{
    plx__fd descriptor = epoll_create1(EPOLL_CLOEXEC);
    epoll_of(poller)->descriptor = descriptor;
    return descriptor < 0 ? -errno : 0;
}

static void epoll_close(struct plx__poller *poller)
{
    plx__os_close(epoll_of(poller)->descriptor);
}

static int epoll_change(struct plx__poller *poller, struct plx__watch *watch, unsigned interest)
{
    struct epoll_event event = {.data.ptr = watch};
    int operation = interest == 0            ? EPOLL_CTL_DEL
                    : watch->registered == 0 ? EPOLL_CTL_ADD
                                             : EPOLL_CTL_MOD;
    event.events = ((interest & PLX__READ) != 0 ? READING : 0u) |
                   ((interest & PLX__WRITE) != 0 ? (unsigned)EPOLLOUT : 0u) |
                   ((interest & PLX__EDGE) != 0 ? EDGES : 0u);
    return epoll_ctl(epoll_of(poller)->descriptor, operation, watch->descriptor, &event) < 0 &&
                   interest != 0
               ? -errno
               : 0;
}

/* Reports the event and returns whether the watch was not ready before. */
static bool report(struct plx__poller *poller, const struct epoll_event *event)
{
    struct plx__watch *watch = event->data.ptr;
    unsigned ready =
        (event->events & EPOLLOUT ? PLX__WRITE : 0u) | (event->events & EPOLLIN ? PLX__READ : 0u);
    bool new = watch->ready == 0;
    if (event->events & (EPOLLRDHUP | EPOLLPRI)) {
        ready |= PLX__READ | PLX__END;
    }
    if (event->events & (EPOLLERR | EPOLLHUP)) {
        ready = PLX__READ | PLX__WRITE | PLX__END;
    }
    plx__poller_found(poller, watch, ready);
    return new;
}

/* Reports a batch of `count` events, and the events beyond the batch. */
static void report_all(struct epoll_poller *self, int count)
{
    bool all = false;
    /* Behind a full batch more events may wait. The kernel moves the events that it reported behind
     * the others, so that the next epoll_wait reports the others first; a watch that was ready
     * before means that all have been reported. */
    while (count > 0 && !all) {
        all = count < BATCH;
        for (int i = 0; i < count; i++) {
            all = !report(&self->base, &self->batch[i]) || all;
        }
        count = all ? 0 : epoll_wait(self->descriptor, self->batch, BATCH, 0);
    }
}

/* Reports all watches that are ready now. Returns 0 when no watch was ready, a positive number or a
 * negative errno. */
static inline int look(struct epoll_poller *self)
{
    int count = epoll_wait(self->descriptor, self->batch, BATCH, 0);
    if (count > 0) {
        report_all(self, count);
    }
    return count < 0 ? -errno : count;
}

/* The kernel's clock, even when the program has set a clock: the two may run differently. */
static int64_t now_us(void)
{
    return (int64_t)(plx__clock_real() / 1000);
}

/* Returns what is left of a time-out that ends at `end`; a negative time-out has no end and is
 * returned unchanged. */
static int left_until(int64_t end, int timeout_ms)
{
    int64_t left = end - now_us();
    return timeout_ms < 0 ? timeout_ms : left <= 0 ? 0 : (int)((left + 999) / 1000);
}

/* Sleeps by poll(2). epoll_wait fails with EINTR whenever the thread is interrupted, and not only
 * by a signal handler: also when a stopped process is continued (signal(7)), or when the kernel
 * frees an io_uring that this thread made, some 20 ms after any thread has closed it (Linux 6.18,
 * io_uring.c, io_ring_exit_work). In these cases the kernel restarts poll with the rest of its
 * time, and poll fails with EINTR only after a signal handler has run. To remember which thread
 * closed a ring was rejected: a note cannot distinguish a handler from a ring, and does not cover
 * the rings of other code. */
static PLX__APART int sleep_until_ready(struct epoll_poller *self, int timeout_ms)
{
    int64_t end = timeout_ms > 0 ? now_us() + (int64_t)timeout_ms * 1000 : 0;
    int result = 0;
    /* The loop runs more than once only when another process that shares a listener was faster. */
    while (result == 0 && timeout_ms != 0) {
        struct plx__os_ready entry = {.descriptor = self->descriptor, .wanted = PLX__OS_READABLE};
        int ready = plx__os_poll(&entry, 1, timeout_ms);
        if (ready <= 0) {
            return ready;
        }
        result = look(self);
        timeout_ms = left_until(end, timeout_ms);
    }
    return result;
}

static int epoll_sleep(struct plx__poller *poller, int timeout_ms)
{
    struct epoll_poller *self = epoll_of(poller);
    int result = look(self);
    return result == 0 && timeout_ms != 0 ? sleep_until_ready(self, timeout_ms) : result;
}

static plx__fd epoll_handle(const struct plx__poller *poller)
{
    return PLX__CONTAINER_OF(poller, const struct epoll_poller, base)->descriptor;
}

const struct plx__mechanism plx__mechanism_epoll = {
    .name = "epoll",
    .choice = "epoll",
    .size = sizeof(struct epoll_poller),
    .open = epoll_open,
    .close = epoll_close,
    .change = epoll_change,
    .wait = epoll_sleep,
    .handle = epoll_handle,
};

#else
typedef int plx__epoll_is_not_here; /* ISO C wants a declaration in each translation unit. */
#endif
