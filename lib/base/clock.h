/* lib/base/clock.h -- arithmetic of moments: nanoseconds since some moment in the past, of which 0 is
 * never. What moment it is lib/os/clock.h says. */
#ifndef PLX_LIB_CLOCK_H
#define PLX_LIB_CLOCK_H

#include <stdint.h>

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

/* plx__clock_back_off returns the pause after `pause`: `first` after none, which is 0, and else twice
 * as long, up to `last`. */
static inline unsigned plx__clock_back_off(unsigned pause, unsigned first, unsigned last)
{
    unsigned next = pause == 0 ? first : pause * 2;
    return next < last ? next : last;
}

#endif
