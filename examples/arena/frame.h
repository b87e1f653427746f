/* arena/frame.h -- the time of a game: when frames are due, and how long things take. */
#ifndef ARENA_FRAME_H
#define ARENA_FRAME_H

#include <stdint.h>

/* now_ns returns the monotonic time in nanoseconds. */
uint64_t now_ns(void);

/* A frame clock knows when the next frame is due. A frame is missed when its work could begin only
 * later than one frame time after it was due; a missed frame is omitted, not made up for. */
struct frame_clock {
    uint64_t period; /* nanoseconds from frame to frame */
    uint64_t due;    /* when the current frame was due */
    unsigned long long run, missed;
};

/* frame_clock_start makes the first frame due one period from now. */
void frame_clock_start(struct frame_clock *clock, int frames_per_second);

/* frame_clock_wait sleeps until the next frame is due, and counts it and the missed frames. */
void frame_clock_wait(struct frame_clock *clock);

/* A distribution of times, in steps of one microsecond; a time beyond the last step counts as the
 * last step, but `longest` is exact. */
#define TIMES_STEPS 20000

struct times {
    uint32_t counts[TIMES_STEPS];
    unsigned long long count;
    uint64_t longest; /* microseconds */
};

/* times_add counts one time, given in nanoseconds. */
void times_add(struct times *times, uint64_t nanoseconds);

/* times_part returns the microseconds that `percent` of all times do not exceed. */
unsigned times_part(const struct times *times, double percent);

#endif
