/* tests/bench/field.c -- all the peers that are installed, each with an object for one work. */
#include "config.h"

#include "tests/bench/field.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { AT_ONCE = 100, BUSY = 100, REST = 20, MOST_PASSES = 50000000 };
static const double PATIENCE = 10e9; /* nanoseconds */

/* ---- who is there ---------------------------------------------------------------------------- */

struct entry {
    const struct peer *peer; /* NULL: not built in */
    const char *name, *package;
};

static const struct entry entries[] = {
    {&peer_raw, "raw", ""},
    {&peer_pollux, "Pollux", ""},
    {&peer_pollux_epoll, "Pollux (epoll)", ""},
    {&peer_pollux_uring, "Pollux (io_uring)", ""},
#ifdef HAVE_LIBUV
    {&peer_uv, "libuv", ""},
#else
    {NULL, "libuv", "libuv1-dev"},
#endif
#ifdef HAVE_LIBEVENT
    {&peer_event, "libevent", ""},
#else
    {NULL, "libevent", "libevent-dev"},
#endif
#ifdef HAVE_QT5
    {&peer_qt, "Qt 5", ""},
#else
    {NULL, "Qt 5", "qtbase5-dev"},
#endif
#ifdef HAVE_SDL2_NET
    {&peer_sdl, "SDL2_net", ""},
#else
    {NULL, "SDL2_net", "libsdl2-net-dev"},
#endif
#ifdef HAVE_ENET
    {&peer_enet, "ENet", ""},
#else
    {NULL, "ENet", "libenet-dev"},
#endif
#ifdef HAVE_NNG
    {&peer_nng, "nng", ""},
#else
    {NULL, "nng", "libnng-dev"},
#endif
#ifdef HAVE_ZMQ
    {&peer_zmq, "ZeroMQ", ""},
#else
    {NULL, "ZeroMQ", "libzmq3-dev"},
#endif
};

enum { ENTRIES = sizeof entries / sizeof entries[0] };

const struct peer *const *field_peers(void)
{
    static const struct peer *peers[ENTRIES + 1];
    size_t count = 0;

    for (size_t i = 0; i < ENTRIES; i++)
        if (entries[i].peer != NULL)
            peers[count++] = entries[i].peer;
    peers[count] = NULL;
    return peers;
}

void field_name_left_out(struct bench *bench, const char *what, const char *why)
{
    if (bench->json != NULL)
        fprintf(bench->json, "{\"program\":\"%s\",\"missing\":\"%s\",\"why\":\"%s\"}\n",
                bench->program, what, why);
    if (!bench->quiet)
        printf("left out: %s (%s)\n", what, why);
}

void field_name_missing(struct bench *bench)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (entries[i].peer == NULL)
            field_name_left_out(bench, entries[i].name, entries[i].package);
}

/* That SDL2_net has no Unix sockets is known. */
void field_name_unable(struct bench *bench, const struct peer *peer)
{
    if (peer->mechanism != NULL)
        field_name_left_out(bench, peer->name, "this system or this build does not have it");
}

/* ---- one side -------------------------------------------------------------------------------- */

bool side_open_server(struct side *side, const struct peer *peer, const char *path)
{
    memset(side, 0, sizeof *side);
    side->peer = peer;
    if (peer->server != NULL)
        side->object = peer->server->open(peer, &side->tally, path, &side->port);
    return side->object != NULL;
}

void side_poll(struct side *side)
{
    while (side->peer->server->poll(side->object))
        continue;
}

/* The network may be late: its interrupts share the processors with whatever else runs. */
static void poll_until(struct side *side, const size_t *counter, size_t wanted, const char *step)
{
    const struct timespec moment = {.tv_nsec = 100000};
    double end = bench_now(BENCH_MONOTONIC) + PATIENCE;

    side_poll(side);
    for (int i = 0; *counter < wanted && bench_now(BENCH_MONOTONIC) < end; i++) {
        if (i >= BUSY)
            (void)nanosleep(&moment, NULL);
        side_poll(side);
    }
    if (*counter >= wanted)
        return;
    fprintf(stderr, "bench: %s: %zu of %zu\n", side->peer->name, *counter, wanted);
    errno = ETIMEDOUT;
    bench_fail(step);
}

static void admit_raw(struct side *side, struct crowd *crowd, size_t total)
{
    size_t most = side->peer->backlog != 0 ? side->peer->backlog : AT_ONCE;

    while (side->tally.accepted < total) {
        size_t more = total - side->tally.accepted;

        if (more > most)
            more = most;
        crowd_connect(crowd, side->port, (unsigned)more);
        poll_until(side, &side->tally.accepted, side->tally.accepted + more, "accept");
    }
}

void side_admit(struct side *side, struct crowd *crowd, size_t total)
{
    const struct peer_server *server = side->peer->server;

    if (server->admit != NULL)
        server->admit(side->object, total);
    else
        admit_raw(side, crowd, total);
    for (int i = 0; i < REST; i++) /* until no work is left */
        side_poll(side);
}

void side_dismiss(struct side *side, struct crowd *crowd)
{
    crowd_close(crowd);
    if (side->peer->server->admit == NULL)
        poll_until(side, &side->tally.ended, side->tally.accepted, "see the end");
}

/* ---- all sides ------------------------------------------------------------------------------- */

/* Tried beforehand: the tally stays where the peer knows it to be, so a side that could not be
 * opened would leave a gap. */
static bool can_serve(struct bench *bench, const struct peer *peer, size_t total, bool threads)
{
    struct side trial;

    if (peer->server == NULL || peer->server->admit != NULL || (peer->threads && !threads) ||
        (peer->maximum != 0 && total > peer->maximum))
        return false;
    if (!side_open_server(&trial, peer, NULL)) {
        field_name_unable(bench, peer);
        return false;
    }
    peer->server->close(trial.object);
    return true;
}

static void open_and_fill(struct field *field, struct side *side, struct crowd *crowd, size_t total)
{
    if (!side_open_server(side, side->peer, NULL))
        bench_fail("open a server again");
    side->base = field->clients;
    side_admit(side, crowd, total);
    field->clients += (unsigned)total;
}

void field_add_server(struct field *field, const struct peer *peer, struct crowd *crowd,
                      size_t total)
{
    struct side *side = &field->sides[field->count++];

    side->peer = peer;
    open_and_fill(field, side, crowd, total);
}

void field_open_servers(struct bench *bench, struct field *field, struct crowd *crowd, size_t total,
                        bool threads)
{
    const struct peer *const *peers = field_peers();

    memset(field, 0, sizeof *field);
    for (size_t i = 0; peers[i] != NULL; i++)
        if (can_serve(bench, peers[i], total, threads))
            field->sides[field->count++].peer = peers[i];
    /* Those with a limit first: SDL2_net can hold only low descriptors. */
    for (int limited = 1; limited >= 0; limited--)
        for (size_t i = 0; i < field->count; i++)
            if ((field->sides[i].peer->maximum != 0) == (limited == 1))
                open_and_fill(field, &field->sides[i], crowd, total);
}

void field_open_pairs(struct bench *bench, struct field *field, enum peer_family family)
{
    const struct peer *const *peers = field_peers();

    memset(field, 0, sizeof *field);
    for (size_t i = 0; peers[i] != NULL; i++) {
        struct side *side = &field->sides[field->count];

        if (peers[i]->pair == NULL)
            continue;
        side->peer = peers[i];
        side->object = peers[i]->pair->open(peers[i], &side->tally, family);
        if (side->object != NULL)
            field->count++;
        else
            field_name_unable(bench, peers[i]);
    }
}

void field_close_servers(struct field *field)
{
    for (size_t i = 0; i < field->count; i++)
        field->sides[i].peer->server->close(field->sides[i].object);
    field->count = 0;
}

void field_close_pairs(struct field *field)
{
    for (size_t i = 0; i < field->count; i++)
        field->sides[i].peer->pair->close(field->sides[i].object);
    field->count = 0;
}

struct bench_samples field_samples(const struct field *field)
{
    struct bench_samples samples = {.sides = field->count};

    for (size_t i = 0; i < field->count; i++)
        samples.names[i] = field->sides[i].peer->name;
    return samples;
}

/* ---- the works of a pair --------------------------------------------------------------------- */

static char block[PEER_BLOCK];

static void reach(struct side *side, const size_t *counter, size_t wanted)
{
    for (int i = 0; *counter < wanted; i++) {
        if (i == MOST_PASSES) {
            errno = ETIMEDOUT;
            bench_fail(side->peer->name);
        }
        side->peer->pair->poll(side->object);
    }
}

void side_trips(void *user, size_t iterations)
{
    struct side *side = user;

    side->tally.echo = true;
    while (iterations-- > 0) {
        side->tally.returned = 0;
        side->peer->pair->send(side->object, block, PEER_PAYLOAD);
        reach(side, &side->tally.returned, PEER_PAYLOAD);
    }
}

void side_blocks(void *user, size_t iterations)
{
    struct side *side = user;

    side->tally.echo = false;
    while (iterations-- > 0) {
        side->tally.bytes = 0;
        side->peer->pair->send(side->object, block, PEER_BLOCK);
        reach(side, &side->tally.bytes, PEER_BLOCK);
    }
}
