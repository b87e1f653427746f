/* tests/clocks.h -- the kernel's clocks, and whether everything is slower than usual. */
#ifndef POLLUX_TESTS_CLOCKS_H
#define POLLUX_TESTS_CLOCKS_H

#include <stdbool.h>
#include <time.h>

#include "tests/sanitized.h"
#include "tests/world.h"

/* is_slow returns whether the program runs under a sanitizer or valgrind, where a measurement of
 * time shows little. */
static inline bool is_slow(void)
{
    return SANITIZED || under_valgrind();
}

static inline long long clock_ns(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* The time that passes (now_), and the processor time of this thread and of this process. */
static inline long long now_us(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000;
}

static inline long long now_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

static inline long long thread_us(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1000;
}

static inline long long process_us(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1000;
}

/* EXPECT_BELOW measures a cost up to five times, until the cost is below the limit: a busy machine
 * rarely disturbs all five measurements. */
#define EXPECT_BELOW(limit, cost)                                                                  \
    do {                                                                                           \
        long long cost_ = (cost);                                                                  \
        for (int again_ = 0; cost_ >= (limit) && again_ < 4; again_++)                             \
            cost_ = (cost);                                                                        \
        ck_assert_int_lt(cost_, limit);                                                            \
    } while (0)

#endif
