/* lib/os/clock.h -- monotonic time, replaceable in tests.
 *
 * Times are nanoseconds since some moment in the past and never run backwards. The coarse clock is
 * the same one, read more cheaply and behind by up to a tick of the kernel (1 to 10 ms): a deadline
 * that was set by the exact one and is judged by the coarse one comes late by that, never early.
 *
 * The user's clock decides about time-outs. How long a call may last, which is what a wait's limit
 * and a budget bound, is measured by the kernel's clock: the user's may stand still or jump, and each
 * call has to return all the same. */
#ifndef PLX_LIB_OS_CLOCK_H
#define PLX_LIB_OS_CLOCK_H

#include "lib/base/clock.h"

#include <stdint.h>

#include <pollux/clock.h>

/* plx__clock_now returns the exact time in nanoseconds, never 0. */
uint64_t plx__clock_now(void);

/* plx__clock_real returns the kernel's time in nanoseconds, whatever clock the user has set. */
uint64_t plx__clock_real(void);

/* plx__clock_coarse returns the time in nanoseconds as of the last tick, never 0; where the system
 * has no such clock, and with a clock of the user's, it is plx__clock_now. */
uint64_t plx__clock_coarse(void);

#endif
