/* tests/bench/bench-accept.c -- connections that come and go, by every peer: how many a second, and
 * what memory an idle one takes. */
#include "config.h"

#include "tests/bench/field.h"

enum { CONNECTIONS = 1000, BATCH = 100, ROUNDS = 60, WARM = 2 };

/* ---- the rate -------------------------------------------------------------------------------- */

static double clocked_until(struct side *side, const size_t *counter, size_t wanted)
{
    enum bench_clock clock = side->peer->threads ? BENCH_PROCESS_CPU : BENCH_THREAD_CPU;
    double start = bench_now(clock);

    while (side->peer->server->poll(side->object) || *counter < wanted)
        continue;
    return bench_now(clock) - start;
}

/* The clients wait in the listener's queue before the time begins, and have all gone before it goes
 * on. A listener with a short queue takes fewer at once. Returns connections a second. */
static double come_and_go(struct side *side, struct crowd *crowd)
{
    unsigned batch = side->peer->backlog != 0 ? side->peer->backlog : BATCH;
    double time = 0;

    for (unsigned done = 0; done < BATCH; done += batch) {
        crowd_connect(crowd, side->port, batch);
        time += clocked_until(side, &side->tally.accepted, side->tally.accepted + batch);
        crowd_close(crowd);
        time += clocked_until(side, &side->tally.ended, side->tally.ended + batch);
    }
    return 1e9 * BATCH / time;
}

static void measure_rate(struct bench *bench, struct crowd *crowd)
{
    const struct bench_goal goal = {.what = "connect, accept, close: of the server's CPU time",
                                    .unit = "1/s"};
    size_t rounds = bench_rounds(bench, ROUNDS);
    double begun = bench_now(BENCH_MONOTONIC);
    struct field field;
    struct bench_samples samples;

    field_open_servers(bench, &field, crowd, 0, false);
    samples = field_samples(&field);
    for (size_t round = 0; bench_goes_on(begun, round, rounds + WARM); round++) {
        double rates[BENCH_SIDES];

        for (size_t turn = 0; turn < field.count; turn++) {
            size_t i = (turn + round) % field.count;

            rates[i] = come_and_go(&field.sides[i], crowd);
        }
        if (round >= WARM)
            bench_samples_add(&samples, rates);
    }
    bench_report(bench, &goal, &samples);
    field_close_servers(&field);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* What the server had before does not count, so its pools do that its clients fill. Of a peer that
 * makes both ends the clients cannot be distinguished: it is left out. */
static void measure_memory(struct bench *bench, struct crowd *crowd, const struct peer *peer)
{
    const struct bench_goal goal = {"user memory of an idle connection, of 1000", "B",
                                    BENCH_NO_TARGET, 0};
    struct side side;
    double before;

    if (peer->server == NULL || peer->server->admit != NULL || !side_open_server(&side, peer, NULL))
        return;
    for (int i = 0; i < 10; i++)
        side_poll(&side);
    before = bench_memory();
    side_admit(&side, crowd, CONNECTIONS);
    bench_report_value(bench, &goal, peer->name, -1, (bench_memory() - before) / CONNECTIONS);
    side_dismiss(&side, crowd);
    peer->server->close(side.object);
}

int main(int argc, char **argv)
{
    const struct peer *const *peers = field_peers();
    struct bench bench;
    struct crowd crowd;

    bench_start(&bench, "accept", argc, argv);
    crowd_start(&crowd);
    field_name_missing(&bench);
    for (size_t i = 0; bench_memory() >= 0 && peers[i] != NULL; i++)
        measure_memory(&bench, &crowd, peers[i]);
    measure_rate(&bench, &crowd);
    crowd_end(&crowd);
    return bench_finish(&bench);
}
