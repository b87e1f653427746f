/* pollux/clock.h -- the clock of the library's time-outs.
 *
 * It is the kernel's monotonic clock (CLOCK_MONOTONIC): a change of the date moves no time-out, and
 * with Linux the clock stands still while the computer is suspended.
 *
 * A debugger, SIGSTOP or a busy machine may halt the process for longer than a time-out. Then:
 *
 * - A poll receives and connects with what the kernel has before it judges a time-out.
 * - No halt is taken for silence: of PLX_OPTION_IDLE_TIMEOUT the time between two polls uses up a
 *   quarter at most, however long it was. So a peer that speaks twice within the time-out, and was
 *   halted too, is still connected after up to two halts between two of its words. A program that
 *   polls less often than four times in that time notices an idle peer in its fourth poll.
 * - The other time-outs (connect, linger, the pause of PLX_OPTION_AUTO_CONNECT) are over after a
 *   halt that is longer. What they end is reported once, and one attempt to connect follows.
 * - The limit of a wait is over after a halt that is longer, but not before the wait has looked for
 *   what it waits for. */
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
