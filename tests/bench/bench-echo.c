/* tests/bench/bench-echo.c -- an echo server of 1 000 connections by every peer: CPU time per
 * message in the server's thread.
 *
 * All servers are in one thread. The clients have sent before the measured frame begins and take
 * their replies after it, so a frame of any side has exactly the same to do; the frames alternate.
 * A peer with threads of its own is charged for them, from the sending to the taking of the
 * replies. */
#include "config.h"

#include "tests/bench/field.h"

#include <string.h>

enum { CONNECTIONS = 1000, WARM = 3 };

static struct field field;

static void frame(struct side *side, unsigned active)
{
    while (side->peer->server->poll(side->object) || side->tally.answered < active)
        continue;
}

static double measured_frame(struct side *side, struct crowd *crowd, unsigned round,
                             unsigned active)
{
    struct crowd_choice choice = {
        .base = side->base, .total = CONNECTIONS, .first = round * 331, .count = active};
    enum bench_clock clock = side->peer->threads ? BENCH_PROCESS_CPU : BENCH_THREAD_CPU;
    double start = bench_now(clock);
    double end;

    side->tally.answered = 0;
    crowd_send(crowd, &choice);
    if (!side->peer->threads)
        start = bench_now(clock);
    frame(side, active);
    end = bench_now(clock);
    crowd_receive(crowd, &choice);
    if (side->peer->threads)
        end = bench_now(clock);
    return (end - start) / active;
}

static size_t find(const char *name)
{
    for (size_t i = 0; i < field.count; i++)
        if (strcmp(field.sides[i].peer->name, name) == 0)
            return i;
    return 0;
}

static bool is_pollux(const struct side *side)
{
    return strncmp(side->peer->name, "Pollux", 6) == 0;
}

/* Pollux's own mechanisms beside another peer: how the messages compare with that one. */
static void report_beside(struct bench *bench, const struct bench_samples *samples,
                          const char *what, const char *other)
{
    char text[100];
    const struct bench_goal goal = {text, "", BENCH_AT_MOST, 1};
    size_t reference = find(other);

    (void)snprintf(text, sizeof text, "%s / %s", what, other);
    for (size_t i = 0; i < field.count && reference != 0; i++)
        if (is_pollux(&field.sides[i]))
            bench_report_value(bench, &goal, samples->names[i], -1,
                               bench_ratio(samples, i, reference));
}

/* Some of the sides, the first of which is the reference. */
struct choice {
    size_t sides[BENCH_SIDES];
    size_t count;
};

static struct bench_samples sample(const struct choice *choice, struct crowd *crowd,
                                   unsigned active, size_t rounds)
{
    struct bench_samples samples = {.sides = choice->count};
    double begun = bench_now(BENCH_MONOTONIC);

    for (size_t i = 0; i < choice->count; i++)
        samples.names[i] = field.sides[choice->sides[i]].peer->name;
    for (unsigned round = 0; bench_goes_on(begun, round, rounds + WARM); round++) {
        double times[BENCH_SIDES];

        for (size_t turn = 0; turn < choice->count; turn++) {
            size_t i = (turn + round) % choice->count;

            times[i] = measured_frame(&field.sides[choice->sides[i]], crowd, round, active);
        }
        if (round >= WARM) /* the first few warm caches and pools */
            bench_samples_add(&samples, times);
    }
    return samples;
}

/* Pollux beside raw alone: with all the peers between two frames of a side, its memory has left the
 * caches, and that costs most where there is most of it. */
static void measure_closely(struct bench *bench, struct crowd *crowd, unsigned active,
                            size_t rounds, const char *where)
{
    char what[100];
    const struct bench_goal goal = {what, "ns", BENCH_AT_MOST, 1.10};

    (void)snprintf(what, sizeof what, "echo 64 B, %u of %d active, alone with raw%s", active,
                   CONNECTIONS, where);
    for (size_t i = 1; i < field.count; i++) {
        const struct choice two = {{0, i}, 2};
        struct bench_samples samples;

        if (!is_pollux(&field.sides[i]))
            continue;
        samples = sample(&two, crowd, active, rounds);
        bench_report(bench, &goal, &samples);
    }
}

/* The clients' processor is the first. What they send is in its cache then, which makes the
 * kernel's part of a message cheap and that of a library show. */
static void measure_on_one_processor(struct bench *bench, struct crowd *crowd, unsigned active,
                                     size_t rounds)
{
    bench_settle(false);
    measure_closely(bench, crowd, active, rounds, ", one processor");
    bench_settle(true);
}

static void measure_all(struct bench *bench, struct crowd *crowd, unsigned active, size_t rounds)
{
    char what[80];
    const struct bench_goal goal = {what, "ns", BENCH_NO_TARGET, 0};
    struct choice all = {.count = field.count};
    struct bench_samples samples;

    for (size_t i = 0; i < field.count; i++)
        all.sides[i] = i;
    samples = sample(&all, crowd, active, rounds);
    (void)snprintf(what, sizeof what, "echo 64 B, %u of %d active", active, CONNECTIONS);
    report_beside(bench, &samples, what, "libuv");
    report_beside(bench, &samples, what, "libevent");
    bench_report(bench, &goal, &samples);
}

int main(int argc, char **argv)
{
    static const struct {
        unsigned active;
        size_t rounds, rounds_of_all;
    } works[] = {{10, 1000, 600}, {100, 400, 200}, {1000, 80, 50}};
    struct bench bench;
    struct crowd crowd;

    bench_start(&bench, "echo", argc, argv);
    crowd_start(&crowd);
    field_name_missing(&bench);
    field_open_servers(&bench, &field, &crowd, CONNECTIONS, true);
    field_add_server(&field, &peer_pollux_read, &crowd, CONNECTIONS);
    for (size_t i = 0; i < field.count; i++)
        field.sides[i].tally.echo = true;
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        measure_closely(&bench, &crowd, works[i].active, bench_rounds(&bench, works[i].rounds), "");
        measure_on_one_processor(&bench, &crowd, works[i].active,
                                 bench_rounds(&bench, works[i].rounds));
        measure_all(&bench, &crowd, works[i].active, bench_rounds(&bench, works[i].rounds_of_all));
    }
    crowd_end(&crowd);
    return bench_finish(&bench);
}
