/* lib/os/clock.h -- monotonic time, replaceable in tests.
 *
 * Times are nanoseconds since a moment in the past and never run backwards. The coarse clock is the
 * same clock, cheaper to read and late by up to a tick of the kernel (1 to 10 ms): a deadline that
 * was set by the exact clock and is checked by the coarse one fires late by that, never early.
 *
 * The user's clock decides about time-outs. The kernel's clock measures how long a call lasts,
 * which the limit of a wait and a budget bound: the user's clock may stand still or jump, and each
 * call has to return all the same. */
#ifndef PLX_LIB_OS_CLOCK_H
#define PLX_LIB_OS_CLOCK_H

#include "lib/base/clock.h"

#include <stdint.h>

#include <pollux/clock.h>

/* plx__clock_now returns the exact time in nanoseconds, never 0. */
uint64_t plx__clock_now(void);

/* plx__clock_real returns the kernel's time in nanoseconds, even when the user has set a clock. */
uint64_t plx__clock_real(void);

/* plx__clock_coarse returns the time in nanoseconds at the last tick, never 0. It is plx__clock_now
 * when the kernel has no coarse clock or the user has set a clock. */
uint64_t plx__clock_coarse(void);

#endif
