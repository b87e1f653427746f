/* lib/base/clock.h -- monotonic time, replaceable in tests.
 *
 * Times are nanoseconds since some moment in the past and never run backwards. The coarse clock is
 * the same one, read more cheaply and behind by up to a tick of the kernel (1 to 10 ms): a deadline
 * that was set by the exact one and is judged by the coarse one comes late by that, never early.
 *
 * The user's clock decides about time-outs. How long a call may last, which is what a wait's limit
 * and a budget bound, is measured by the kernel's clock: the user's may stand still or jump, and each
 * call has to return all the same. */
#ifndef PLX_LIB_CLOCK_H
#define PLX_LIB_CLOCK_H

#include <stdint.h>

#include <pollux/clock.h>

/* plx__clock_now returns the exact time in nanoseconds, never 0. */
uint64_t plx__clock_now(void);

/* plx__clock_real returns the kernel's time in nanoseconds, whatever clock the user has set. */
uint64_t plx__clock_real(void);

/* plx__clock_coarse returns the time in nanoseconds as of the last tick, never 0; where the system
 * has no such clock, and with a clock of the user's, it is plx__clock_now. */
uint64_t plx__clock_coarse(void);

#define PLX__MILLISECOND ((uint64_t)1000000) /* in nanoseconds */

/* plx__clock_add returns the moment so many nanoseconds after `start`, the last one there is where
 * that would be beyond the clock's range: a clock may begin anywhere, also shortly before its end. */
static inline uint64_t plx__clock_add(uint64_t start, uint64_t nanoseconds)
{
    return start > UINT64_MAX - nanoseconds ? UINT64_MAX : start + nanoseconds;
}

/* plx__clock_after returns the moment so many milliseconds after `start`; 0, which is never, for a
 * limit of 0 milliseconds. */
static inline uint64_t plx__clock_after(uint64_t start, int milliseconds)
{
    return milliseconds == 0 ? 0 : plx__clock_add(start, (uint64_t)milliseconds * PLX__MILLISECOND);
}

/* plx__clock_earlier returns the earlier of two moments, of which 0 is never. */
static inline uint64_t plx__clock_earlier(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

#endif
