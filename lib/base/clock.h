/* lib/base/clock.h -- arithmetic of moments. A moment is a number of nanoseconds since a moment in
 * the past that lib/os/clock.h defines; 0 means never. */
#ifndef PLX_LIB_CLOCK_H
#define PLX_LIB_CLOCK_H

#include <stdint.h>

#define PLX__MILLISECOND ((uint64_t)1000000) /* in nanoseconds */

/* A moment that has passed: no clock returns 0. */
#define PLX__PAST_MOMENT ((uint64_t)1)

/* plx__clock_add returns the moment `nanoseconds` after `start`. Beyond the clock's range it
 * returns the last moment there is: a clock may begin anywhere, also shortly before its end. */
static inline uint64_t plx__clock_add(uint64_t start, uint64_t nanoseconds)
{
    return start > UINT64_MAX - nanoseconds ? UINT64_MAX : start + nanoseconds;
}

/* plx__clock_after returns the moment `milliseconds` after `start`; 0, which is never, for 0
 * milliseconds. */
static inline uint64_t plx__clock_after(uint64_t start, int milliseconds)
{
    return milliseconds == 0 ? 0 : plx__clock_add(start, (uint64_t)milliseconds * PLX__MILLISECOND);
}

/* plx__clock_earlier returns the earlier of two moments, each of which may be 0, never. */
static inline uint64_t plx__clock_earlier(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* plx__clock_back_off returns the pause that follows `pause`: `first` after 0, which is no pause,
 * and else twice as long, up to `last`. */
static inline unsigned plx__clock_back_off(unsigned pause, unsigned first, unsigned last)
{
    unsigned next = pause == 0 ? first : pause * 2;
    return next < last ? next : last;
}

#endif
