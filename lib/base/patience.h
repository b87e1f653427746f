/* lib/base/patience.h -- a time-out that a halt of the process does not use up.
 *
 * A debugger, SIGSTOP or a clock that jumps may keep a process from running for an hour, and its
 * peers too, if they are halted with it. What they would have sent meanwhile is not in the kernel
 * when the process goes on, so that they must not be judged by that hour. A process cannot ask how
 * long it was halted. So a time-out looks at the clock in each quarter of its time, and what passes
 * between two looks counts as a quarter at most:
 *
 *      begin     look      look      look      look: it is over
 *      |---------|---------|---------|---------|
 *
 *      begin     look                      look      look      look: it is over
 *      |---------|---- halted: a quarter --|---------|---------|
 *
 * A program that polls less often than that gets a longer time-out, which still ends after four
 * polls. One look at the end was rejected: it cannot distinguish silence from a halt. To count no
 * long gap at all was rejected too: a program that polls once a minute would wait for ever.
 *
 * Moments are those of lib/base/clock.h. A zeroed patience is valid and never over. */
#ifndef PLX_LIB_PATIENCE_H
#define PLX_LIB_PATIENCE_H

#include "lib/base/clock.h"

#include <stdbool.h>

struct plx__patience {
    uint64_t until;   /* when it is over if the process runs on; 0: never */
    uint64_t look;    /* a quarter after the last look */
    uint64_t quarter; /* in nanoseconds */
};

/* plx__patience_begin returns one that begins at `now` and lasts `milliseconds`; 0: for ever. */
static inline struct plx__patience plx__patience_begin(uint64_t now, int milliseconds)
{
    uint64_t quarter = (uint64_t)milliseconds * PLX__MILLISECOND / 4;
    struct plx__patience patience = {plx__clock_after(now, milliseconds),
                                     plx__clock_add(now, quarter), quarter};
    return milliseconds == 0 ? (struct plx__patience){0, 0, 0} : patience;
}

/* plx__patience_deadline returns the moment at which to look; 0: never. */
static inline uint64_t plx__patience_deadline(const struct plx__patience *patience)
{
    return plx__clock_earlier(patience->until, patience->look);
}

/* plx__patience_is_due returns whether that moment has passed. */
static inline bool plx__patience_is_due(const struct plx__patience *patience, uint64_t now)
{
    return patience->until != 0 && now >= plx__patience_deadline(patience);
}

/* plx__patience_is_over returns whether the time is over: what has passed since the last look
 * counts as a quarter at most. */
static inline bool plx__patience_is_over(const struct plx__patience *patience, uint64_t now)
{
    return patience->until != 0 && plx__clock_earlier(now, patience->look) >= patience->until;
}

/* plx__patience_look looks if it is due. That changes nothing about whether the time is over. */
static inline void plx__patience_look(struct plx__patience *patience, uint64_t now)
{
    if (plx__patience_is_due(patience, now)) {
        uint64_t excess = now > patience->look ? now - patience->look : 0;
        patience->until = plx__clock_add(patience->until, excess);
        patience->look = plx__clock_add(now, patience->quarter);
    }
}

#endif
