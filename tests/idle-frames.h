/* tests/idle-frames.h -- frames of a group in which nothing happens: no allocation, and no system
 * call but the one by which the mechanism looks, with io_uring not even that. */
#ifndef POLLUX_TESTS_IDLE_FRAMES_H
#define POLLUX_TESTS_IDLE_FRAMES_H

#include "tests/quiet.h"
#include "tests/sanitized.h"
#include "tests/world.h"

/* C libraries make epoll_wait and poll of either of two calls, and some kernels have one only. */
#ifdef SYS_epoll_wait
#define CALL_EPOLL SYS_epoll_wait
#else
#define CALL_EPOLL SYS_epoll_pwait
#endif
#ifdef SYS_poll
#define CALL_POLL SYS_poll
#else
#define CALL_POLL SYS_ppoll
#endif

static inline void idle_frames(void *argument)
{
    struct world *w = argument;
    size_t before = count_allocations();

    if (w->mode == MODE_URING)
        allow_nothing();
    else if (w->mode == MODE_EPOLL)
        allow_either(CALL_EPOLL, SYS_epoll_pwait);
    else
        allow_either(CALL_POLL, SYS_ppoll);
    for (int i = 0; i < 100; i++)
        if (plx_group_poll(w->group, 0) || count_allocations() != before)
            syscall(SYS_exit_group, 1);
}

/* expect_idle_frames plays 100 such frames in a child. */
static inline void expect_idle_frames(struct world *w)
{
    world_settle(w);
    if (SANITIZED || under_valgrind())
        fprintf(stderr, "LEFT OUT: sanitizers and valgrind make system calls\n");
    else
        expect_well(status_of(idle_frames, w));
}

#endif
