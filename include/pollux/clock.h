/* pollux/clock.h -- the clock of the library's time-outs. */
#ifndef POLLUX_CLOCK_H
#define POLLUX_CLOCK_H

#include <stdint.h>

#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_clock_set makes every time-out of the library use `nanoseconds`, which returns a time that
 * never runs backwards and may begin anywhere. The library passes `user` to `nanoseconds`. NULL
 * restores the kernel's monotonic clock. The call is meant for tests, and for debuggers that stop
 * the time. Call it before you make the first object. The kernel still measures how long a wait
 * sleeps. */
PLX_API void plx_clock_set(uint64_t (*nanoseconds)(void *user), void *user);

/* plx_clock_now returns the time of the library's time-outs in nanoseconds: that of the function
 * that plx_clock_set has set, else of the kernel's monotonic clock. Never 0. */
PLX_API uint64_t plx_clock_now(void);

PLX_END_DECLS

#endif
