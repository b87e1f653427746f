/* arena/frame.c -- see frame.h. */
#define _POSIX_C_SOURCE 200809L

#include "frame.h"

#include <time.h>

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* A signal may end the sleep early, so the sleep is repeated for the time that is left. */
static void sleep_until(uint64_t moment)
{
    for (uint64_t now = now_ns(); now < moment; now = now_ns()) {
        struct timespec rest = {
            .tv_sec = (time_t)((moment - now) / 1000000000U),
            .tv_nsec = (long)((moment - now) % 1000000000U),
        };
        nanosleep(&rest, NULL);
    }
}

void frame_clock_start(struct frame_clock *clock, int frames_per_second)
{
    clock->period = 1000000000U / (uint64_t)frames_per_second;
    clock->due = now_ns();
    clock->run = 0;
    clock->missed = 0;
}

void frame_clock_wait(struct frame_clock *clock)
{
    /* Counting from the last due time, not from now, keeps the pace: no frame inherits the delay
     * of the one before. */
    clock->due += clock->period;
    sleep_until(clock->due);
    uint64_t late = now_ns() - clock->due;
    if (late > clock->period) {
        clock->missed += late / clock->period;
        clock->due += late - late % clock->period;
    }
    clock->run++;
}

void times_add(struct times *times, uint64_t nanoseconds)
{
    uint64_t step = nanoseconds / 1000;
    times->counts[step < TIMES_STEPS ? step : TIMES_STEPS - 1]++;
    times->count++;
    if (step > times->longest) {
        times->longest = step;
    }
}

unsigned times_part(const struct times *times, double percent)
{
    double wanted = (double)times->count * percent / 100;
    double found = 0;
    for (unsigned step = 0; step < TIMES_STEPS; step++) {
        found += times->counts[step];
        if (found >= wanted) {
            return step;
        }
    }
    return TIMES_STEPS - 1;
}
