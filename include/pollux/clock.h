/* pollux/clock.h -- the clock of the library's time-outs.
 *
 * It is the kernel's monotonic clock (CLOCK_MONOTONIC): a change of the date moves no time-out, and
 * with Linux the clock stands still while the computer is suspended.
 *
 * A debugger, SIGSTOP or a busy machine may halt the process for longer than a time-out. Then:
 *
 * - A poll receives and connects with what the kernel has before it judges a time-out.
 * - No halt is taken for silence: of PLX_OPTION_IDLE_TIMEOUT, PLX_OPTION_CONNECT_TIMEOUT,
 *   PLX_OPTION_LINGER_TIMEOUT and the time in which filters have to be established, the time between
 *   two polls uses up a quarter at most, however long it was. So a peer that was halted too still has
 *   time after up to two halts in a row. A program that polls less often than four times in that
 *   time notices the end in its fourth poll; one that polls in frames, up to four frames late. To
 *   look at the clock often enough, the library wakes timed polls in each quarter.
 * - What only makes the library wait is over after a halt that is longer: the pause of
 *   PLX_OPTION_AUTO_CONNECT, of a server without descriptors, and between the addresses of a host.
 *   One attempt follows, however many pauses the halt had room for. Also over are the moments that
 *   a filter has asked for (plx_filter_set_want).
 * - A lookup counts the answers of name servers by the kernel's clock: a halt costs it one of its
 *   attempts to ask.
 * - The kernel's own limits (KEEP_ALIVE, UNACKNOWLEDGED_TIMEOUT) go on while the process is halted,
 *   because its peers' kernels answer for halted processes.
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
