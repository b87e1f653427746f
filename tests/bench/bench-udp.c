/* tests/bench/bench-udp.c -- a burst of 64 datagrams of 64 bytes: to one peer, to 64, and from one.
 *
 * Raw sockets take what is sent and send what is to be received, outside the time measured; ENet,
 * which has a protocol of its own, speaks to itself. */
#include "config.h"

#include "tests/bench/field.h"
#include "tests/bench/wire.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WARM = 3, ROUNDS = 500 };

/* The raw other side of all, as many sockets as there are receivers. */
static int remotes[PEER_BURST];
static int ports[PEER_BURST];
static size_t lost;

static void open_sides(struct bench *bench, struct field *field, size_t receivers)
{
    const struct peer *const *peers = field_peers();

    memset(field, 0, sizeof *field);
    for (size_t i = 0; peers[i] != NULL; i++) {
        struct side *side = &field->sides[field->count];

        if (peers[i]->datagrams == NULL)
            continue;
        side->peer = peers[i];
        side->object =
            peers[i]->datagrams->open(peers[i], &side->tally, ports, receivers, &side->port);
        if (side->object != NULL)
            field->count++;
        else
            field_name_unable(bench, peers[i]);
    }
}

static void close_sides(struct field *field)
{
    for (size_t i = 0; i < field->count; i++)
        field->sides[i].peer->datagrams->close(field->sides[i].object);
}

/* ---- sending --------------------------------------------------------------------------------- */

static size_t drain(size_t receivers)
{
    char room[2048];
    size_t count = 0;

    for (size_t i = 0; i < receivers; i++)
        while (recv(remotes[i], room, sizeof room, 0) >= 0)
            count++;
    return count;
}

static double send_burst(struct side *side, size_t receivers)
{
    const struct peer_datagrams *functions = side->peer->datagrams;
    double start = bench_now(BENCH_THREAD_CPU);
    double end;
    size_t came;

    functions->send(side->object);
    end = bench_now(BENCH_THREAD_CPU);
    came = functions->rest != NULL ? functions->rest(side->object) : drain(receivers);
    lost += came < PEER_BURST ? PEER_BURST - came : 0;
    return (end - start) / PEER_BURST;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void provoke_raw(const struct side *side)
{
    static const char payload[PEER_PAYLOAD];
    struct sockaddr_in to = wire_loopback(side->port);

    for (int i = 0; i < PEER_BURST; i++)
        if (sendto(remotes[0], payload, sizeof payload, 0, (const struct sockaddr *)&to,
                   sizeof to) != PEER_PAYLOAD)
            bench_fail("send a datagram");
}

/* The burst as one message, of which only Pollux makes use: the others take it apart one by one. */
static void provoke_merged(const struct side *side)
{
    static const char burst[PEER_BURST * PEER_PAYLOAD];

    wire_send_merged(remotes[0], side->port, burst, PEER_BURST, PEER_PAYLOAD);
}

/* Takes what has been sent. */
static double take_burst(struct side *side)
{
    const struct peer_datagrams *functions = side->peer->datagrams;
    double start;
    double end;

    side->tally.bytes = 0;
    start = bench_now(BENCH_THREAD_CPU);
    while (side->tally.bytes < PEER_BURST)
        functions->poll(side->object);
    end = bench_now(BENCH_THREAD_CPU);
    if (functions->rest != NULL)
        (void)functions->rest(side->object);
    return (end - start) / PEER_BURST;
}

/* The number of receivers is unused: all datagrams come from one. */
static double receive_burst(struct side *side, size_t receivers)
{
    (void)receivers;
    if (side->peer->datagrams->provoke != NULL)
        side->peer->datagrams->provoke(side->object);
    else
        provoke_raw(side);
    return take_burst(side);
}

static double receive_merged(struct side *side, size_t receivers)
{
    (void)receivers;
    if (side->peer->datagrams->provoke != NULL)
        side->peer->datagrams->provoke(side->object);
    else
        provoke_merged(side);
    return take_burst(side);
}

/* ---- the rounds ------------------------------------------------------------------------------ */

static void measure(struct bench *bench, struct field *field, const struct bench_goal *goal,
                    size_t receivers, double (*burst)(struct side *side, size_t receivers))
{
    struct bench_samples samples = field_samples(field);
    size_t rounds = bench_rounds(bench, ROUNDS);
    double begun = bench_now(BENCH_MONOTONIC);

    for (size_t round = 0; bench_goes_on(begun, round, rounds + WARM); round++) {
        double times[BENCH_SIDES];

        for (size_t turn = 0; turn < field->count; turn++) {
            size_t i = (turn + round) % field->count;

            times[i] = burst(&field->sides[i], receivers);
        }
        if (round >= WARM) /* the first few warm caches and pools */
            bench_samples_add(&samples, times);
    }
    bench_report(bench, goal, &samples);
}

int main(int argc, char **argv)
{
    const struct bench_goal to_one = {"UDP send 64 x 64 B to one peer, each", "ns", BENCH_AT_MOST,
                                      0.25};
    const struct bench_goal from_one = {"UDP receive 64 x 64 B, each", "ns", BENCH_AT_MOST, 1.1};
    const struct bench_goal merged = {"UDP receive the same of a GSO sender, each", "ns",
                                      BENCH_AT_MOST, 0.3};
    const struct bench_goal to_many = {"UDP send 64 x 64 B to 64 peers, each", "ns",
                                       BENCH_NO_TARGET, 0};
    const struct bench_goal losing = {"UDP datagrams lost on the way", "", BENCH_NO_TARGET, 0};
    struct bench bench;
    struct field field;

    bench_start(&bench, "udp", argc, argv);
    field_name_missing(&bench);
    for (int i = 0; i < PEER_BURST; i++)
        remotes[i] = wire_datagrams(&ports[i]);
    open_sides(&bench, &field, 1);
    measure(&bench, &field, &to_one, 1, send_burst);
    measure(&bench, &field, &from_one, 1, receive_burst);
    measure(&bench, &field, &merged, 1, receive_merged);
    close_sides(&field);
    open_sides(&bench, &field, PEER_BURST);
    measure(&bench, &field, &to_many, PEER_BURST, send_burst);
    close_sides(&field);
    bench_report_value(&bench, &losing, "all", -1, (double)lost);
    for (int i = 0; i < PEER_BURST; i++)
        close(remotes[i]);
    return bench_finish(&bench);
}
