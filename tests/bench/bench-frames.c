/* tests/bench/bench-frames.c -- a loop of 60 frames a second under a flood: how long its polls
 * take, by every peer.
 *
 * Fifty clients send all they can. Each peer has a second or less of the flood at a time, in turn,
 * and polls once a frame. bench-flood shows what a budget of microseconds is worth. */
#include "config.h"

#include "tests/bench/field.h"

#include <stdlib.h>
#include <time.h>

enum { SENDERS = 50, FRAMES = 60, TURNS = 4, FRAME = 16666667 };

/* The polls of one side, in milliseconds of its thread's time. */
struct polls {
    double times[FRAMES * TURNS];
    size_t count;
    size_t bytes;
};

static struct polls polls[BENCH_SIDES];

static void sleep_until(double moment)
{
    struct timespec time = {.tv_sec = (time_t)(moment / 1e9)};

    time.tv_nsec = (long)(moment - (double)time.tv_sec * 1e9);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0)
        continue;
}

static void timed_poll(struct side *side, struct polls *taken)
{
    double start = bench_now(BENCH_THREAD_CPU);

    (void)side->peer->server->poll(side->object);
    taken->times[taken->count++] = (bench_now(BENCH_THREAD_CPU) - start) / 1e6;
}

/* A peer that misses frames has fewer of them, so that a run ends in time. */
static void turn(struct side *side, struct crowd *crowd, struct polls *taken, size_t frames)
{
    const struct crowd_choice choice = {.base = side->base, .total = SENDERS, .count = SENDERS};
    double next = bench_now(BENCH_MONOTONIC);
    double end = next + 1.5 * FRAME * (double)frames;
    size_t before = side->tally.bytes;

    crowd_flood(crowd, &choice);
    for (size_t i = 0; i < frames && next < end; i++) {
        next += FRAME;
        sleep_until(next);
        timed_poll(side, taken);
        if (bench_now(BENCH_MONOTONIC) > next + FRAME)
            next = bench_now(BENCH_MONOTONIC); /* the frame was missed: no two at once */
    }
    taken->bytes += side->tally.bytes - before;
    crowd_calm(crowd);
}

static void report(struct bench *bench, const struct side *first, const struct side *side,
                   struct polls *taken)
{
    static const struct {
        const char *what;
        double share;
    } rows[] = {{"60 Hz under a flood, a poll: p50", 0.5},
                {"60 Hz under a flood, a poll: p99", 0.99},
                {"60 Hz under a flood, a poll: longest", 1}};
    const struct bench_goal received = {.what = "60 Hz under a flood, received in a poll",
                                        .unit = "KiB"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct bench_goal goal = {.what = rows[i].what, .unit = "ms"};

        bench_report_value(bench, &goal, side->peer->name, -1,
                           bench_quantile(taken->times, taken->count, rows[i].share));
    }
    bench_report_value(bench, &received, side->peer->name, -1,
                       (double)taken->bytes / 1024 / (double)taken->count);
    bench_write_quantiles(bench, "frames", side == first, side->peer->name, taken->times,
                          taken->count);
}

int main(int argc, char **argv)
{
    static struct field field;
    struct bench bench;
    struct crowd crowd;
    size_t turns;
    size_t frames;

    bench_start(&bench, "frames", argc, argv);
    turns = bench.quick ? 1 : TURNS;
    frames = bench.quick ? FRAMES / 4 : FRAMES;
    crowd_start(&crowd);
    field_name_missing(&bench);
    field_open_servers(&bench, &field, &crowd, SENDERS, false);
    field_add_server(&field, &peer_pollux_budget, &crowd, SENDERS);
    for (size_t round = 0; round < turns; round++)
        for (size_t i = 0; i < field.count; i++)
            turn(&field.sides[i], &crowd, &polls[i], frames);
    for (size_t i = 0; i < field.count; i++)
        report(&bench, &field.sides[0], &field.sides[i], &polls[i]);
    crowd_end(&crowd);
    return bench_finish(&bench);
}
