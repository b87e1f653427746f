/* lib/os/clock.c -- monotonic time, replaceable in tests.
 *
 * The vDSO answers clock_gettime without a system call (vdso(7)). clock_gettime needs no descriptor
 * and cannot fail for these clocks. */
#include "config.h"

#include "lib/os/clock.h"

#include <stddef.h>
#include <time.h>

#ifdef CLOCK_MONOTONIC_COARSE
/* Since Linux 2.6.32, clock_gettime(2). Reading this clock does not read the hardware. */
#define COARSE CLOCK_MONOTONIC_COARSE
#else
#define COARSE CLOCK_MONOTONIC
#endif

/* One of the globals of the library, with the allocator (lib/base/memory.c), the filter of a long
 * hosts file (lib/resolve/hosts.c) and the choice of a resolver (lib/resolve/resolver.c). NULL means
 * the kernel's clock, so that the usual case is a direct call. */
static struct {
    uint64_t (*nanoseconds)(void *user);
    void *user;
} user_clock;

void plx_clock_set(uint64_t (*nanoseconds)(void *user), void *user)
{
    user_clock.nanoseconds = nanoseconds;
    user_clock.user = user;
}

static uint64_t read_kernel(clockid_t which)
{
    struct timespec time = {0};
    (void)clock_gettime(which, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t read_clock(clockid_t which)
{
    uint64_t now = user_clock.nanoseconds != NULL ? user_clock.nanoseconds(user_clock.user)
                                                  : read_kernel(which);
    /* A deadline of 0 means never, and the clock of a test may begin at 0. */
    return now != 0 ? now : 1;
}

uint64_t plx__clock_real(void)
{
    return read_kernel(CLOCK_MONOTONIC);
}

uint64_t plx__clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t plx_clock_now(void)
{
    return plx__clock_now();
}

uint64_t plx__clock_coarse(void)
{
    return read_clock(COARSE);
}
