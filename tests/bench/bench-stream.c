/* tests/bench/bench-stream.c -- two connected ends, both by the same peer and in the same thread:
 * round trips and bulk over Unix sockets and TCP.
 *
 * One thread that never sleeps: its CPU time is the time it takes. For peers with threads of their
 * own it is the time on the clock. bench-ipc measures Pollux alone, and between two processes. */
#include "config.h"

#include "tests/bench/field.h"

enum { ROUNDS = 101 };

static struct bench_samples sample(struct bench *bench, struct field *field,
                                   void (*run)(void *user, size_t iterations))
{
    struct bench_side sides[BENCH_SIDES];

    for (size_t i = 0; i < field->count; i++) {
        const struct peer *peer = field->sides[i].peer;

        sides[i] = (struct bench_side){peer->name, run, &field->sides[i],
                                       peer->threads ? BENCH_MONOTONIC : BENCH_THREAD_CPU};
    }
    return bench_sample(bench_rounds(bench, ROUNDS), sides, field->count);
}

static void measure(struct bench *bench, enum peer_family family, const struct bench_goal *trip,
                    const struct bench_goal *bulk)
{
    struct field field;
    struct bench_samples samples; /* of blocks: nanoseconds, then MB/s */

    field_open_pairs(bench, &field, family);
    samples = sample(bench, &field, side_trips);
    bench_report(bench, trip, &samples);
    samples = sample(bench, &field, side_blocks);
    bench_samples_turn(&samples, 1e3 * PEER_BLOCK);
    bench_report(bench, bulk, &samples);
    field_close_pairs(&field);
}

int main(int argc, char **argv)
{
    const struct bench_goal goals[] = {
        {.what = "IPC round trip, 64 B", .unit = "ns"},
        {.what = "IPC bulk, blocks of 64 KiB", .unit = "MB/s"},
        {.what = "TCP round trip, 64 B", .unit = "ns"},
        {.what = "TCP bulk, blocks of 64 KiB", .unit = "MB/s"},
    };
    struct bench bench;

    bench_start(&bench, "stream", argc, argv);
    field_name_missing(&bench);
    measure(&bench, PEER_UNIX, &goals[0], &goals[1]);
    measure(&bench, PEER_TCP, &goals[2], &goals[3]);
    return bench_finish(&bench);
}
