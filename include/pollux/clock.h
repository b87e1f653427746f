/* pollux/clock.h -- the time the library goes by. */
#ifndef POLLUX_CLOCK_H
#define POLLUX_CLOCK_H

#include <stdint.h>

#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_clock_set makes every time-out of the library go by `nanoseconds`, which returns a time that
 * never runs backwards; where it begins does not matter. `user` is handed on. NULL goes back to the
 * system's monotonic clock. It is meant for tests, and for debuggers that stop the time. Call it
 * before the first object is made. How long a wait sleeps is still measured by the system. */
PLX_API void plx_clock_set(uint64_t (*nanoseconds)(void *user), void *user);

PLX_END_DECLS

#endif
