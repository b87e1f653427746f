/* tests/scarce.h -- a process without descriptors. */
#ifndef POLLUX_TESTS_SCARCE_H
#define POLLUX_TESTS_SCARCE_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 300 };

static int taken[MOST_DESCRIPTORS], taken_count;
static struct rlimit usual_limit;

/* take_descriptors leaves no descriptor to this process; give_descriptors gives all back. */
static inline void take_descriptors(void)
{
    struct rlimit few;
    int one;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual_limit), 0);
    few = (struct rlimit){MOST_DESCRIPTORS, usual_limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    while ((one = fcntl(0, F_DUPFD_CLOEXEC, 0)) >= 0)
        taken[taken_count++] = one;
    ck_assert_int_eq(errno, EMFILE);
}

static inline void give_descriptors(void)
{
    while (taken_count > 0)
        close(taken[--taken_count]);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual_limit), 0);
}

#endif
