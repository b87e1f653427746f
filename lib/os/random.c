/* lib/os/random.c -- numbers that nobody can predict. */
#include "config.h"

#include "lib/base/mix.h"
#include "lib/os/clock.h"
#include "lib/os/posix.h"

#ifdef HAVE_GETRANDOM
#include <sys/random.h>
#endif

/* For a kernel that refuses: unlikely to meet again, but predictable. */
static uint64_t guess(void)
{
    uint64_t number = plx__clock_real() ^ ((uint64_t)(unsigned)plx__os_process() << 40) ^
                      (uint64_t)(uintptr_t)&number;
    return plx__mix(number);
}

uint64_t plx__os_random(void)
{
#ifdef HAVE_GETRANDOM
    uint64_t number;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) == (ptrdiff_t)sizeof number) {
        return number;
    }
#endif
    return guess();
}
