/* tests/bench/bench-tls.c -- TLS 1.3 with both ends in one thread, over a pair of Unix sockets:
 * Pollux beside a loop by hand of non-blocking SSL objects, and beside other libraries.
 *
 * All use the OpenSSL of this computer with the same settings (tls.h). */
#include "config.h"

#include "tests/bench/field.h"
#include "tests/bench/service.h"
#include "tests/bench/tls.h"
#include "tests/bench/wire.h"

#include <pollux.h>
#include <pollux/tls.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 101, IDLE = 1000, REST = 50 };

static const struct peer *const peers[] = {
    &peer_tls_raw,
    &peer_tls_pollux,
#ifdef HAVE_LIBEVENT_OPENSSL
    &peer_tls_event,
#endif
#ifdef HAVE_QT5
    &peer_tls_qt,
#endif
};

enum { PEERS = sizeof peers / sizeof peers[0] };

static struct side fields[PEERS];

static void name_missing(struct bench *bench)
{
#ifndef HAVE_LIBEVENT_OPENSSL
    field_name_left_out(bench, "libevent", "libevent-dev");
#endif
#ifndef HAVE_QT5
    field_name_left_out(bench, "Qt 5", "qtbase5-dev");
#endif
    (void)bench;
}

/* ---- speed ----------------------------------------------------------------------------------- */

static void *open_pair(struct side *side)
{
    return side->peer->pair->open(side->peer, &side->tally, PEER_UNIX);
}

static void handshakes(void *user, size_t iterations)
{
    struct side *side = user;

    while (iterations-- > 0)
        side->peer->pair->close(open_pair(side));
}

static struct bench_samples sample(struct bench *bench, void (*run)(void *, size_t))
{
    struct bench_side sides[PEERS];

    for (size_t i = 0; i < PEERS; i++)
        sides[i] = (struct bench_side){peers[i]->name, run, &fields[i], BENCH_THREAD_CPU};
    return bench_sample(bench_rounds(bench, ROUNDS), sides, PEERS);
}

static void compare_speed(struct bench *bench)
{
    static const struct bench_goal bulk = {"TLS: bulk, blocks of 64 KiB", "MB/s", BENCH_AT_LEAST,
                                           0.95};
    static const struct bench_goal trip = {"TLS: round trip, 64 B", "ns", BENCH_NO_TARGET, 0};
    static const struct bench_goal handshake = {"TLS: handshakes, both ends", "/s", BENCH_AT_LEAST,
                                                0.95};
    struct bench_samples samples;

    for (size_t i = 0; i < PEERS; i++)
        fields[i].object = open_pair(&fields[i]);
    samples = sample(bench, side_blocks);
    bench_samples_turn(&samples, 1e3 * PEER_BLOCK);
    bench_report(bench, &bulk, &samples);
    samples = sample(bench, side_trips);
    bench_report(bench, &trip, &samples);
    for (size_t i = 0; i < PEERS; i++)
        peers[i]->pair->close(fields[i].object);
    samples = sample(bench, handshakes);
    bench_samples_turn(&samples, 1e9);
    bench_report(bench, &handshake, &samples);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* What the first pair of a peer has made stays: its settings, and its loop. */
static double memory_of(struct side *side)
{
    static void *pairs[IDLE];
    double before, more;

    side->peer->pair->close(open_pair(side));
    before = bench_memory();
    for (int i = 0; i < IDLE; i++)
        pairs[i] = open_pair(side);
    for (int i = 0; i < IDLE; i++)
        side->peer->pair->poll(pairs[i]);
    more = bench_memory() - before;
    for (int i = 0; i < IDLE; i++)
        side->peer->pair->close(pairs[i]);
    return more / IDLE;
}

static void compare_memory(struct bench *bench)
{
    static const struct bench_goal goal = {"TLS: user memory of an idle connection, both ends", "B",
                                           BENCH_NO_TARGET, 0};
    double raw = memory_of(&fields[0]);

    bench_report_value(bench, &goal, peers[0]->name, -1, raw);
    for (size_t i = 1; i < PEERS; i++)
        bench_report_value(bench, &goal, peers[i]->name, raw, memory_of(&fields[i]));
}

/* ---- idle frames ----------------------------------------------------------------------------- */

/* A group of IDLE sockets, each connected with another one of them. */
struct idle {
    plx_group *group;
    plx_socket *members[IDLE];
};

static plx_socket *open_member(const struct idle *idle, bool by_tls, bool is_server, int descriptor)
{
    plx_socket *socket = plx_ipc_new();
    int code = by_tls ? plx_socket_set_tls(socket, tls_pollux_settings(is_server)) : 0;

    if (code == 0 && by_tls && !is_server)
        code = plx_socket_set_tls_name(socket, TLS_HOST);
    tls_check(code == 0 && plx_socket_adopt(socket, descriptor) == 0 &&
                  plx_group_add(idle->group, socket) == 0,
              "make a member");
    return socket;
}

static bool idle_open(struct idle *idle, const char *mechanism, bool by_tls)
{
    idle->group = service_group(mechanism);
    if (idle->group == NULL)
        return false;
    for (int i = 0; i < IDLE; i += 2) {
        int ends[2];

        wire_pair(PEER_UNIX, ends);
        idle->members[i] = open_member(idle, by_tls, false, ends[0]);
        idle->members[i + 1] = open_member(idle, by_tls, true, ends[1]);
    }
    for (int i = 0; i < IDLE; i++)
        while (!plx_socket_is_connected(idle->members[i])) {
            tls_check(plx_socket_state(idle->members[i]) != PLX_UNCONNECTED, "connect a member");
            (void)plx_group_poll(idle->group, 0);
        }
    for (int i = 0; i < REST; i++)
        (void)plx_group_poll(idle->group, 0);
    return true;
}

static void idle_close(struct idle *idle)
{
    for (int i = 0; i < IDLE; i++)
        (void)plx_socket_free(idle->members[i]);
    (void)plx_group_free(idle->group);
}

static void idle_frames(void *user, size_t iterations)
{
    const struct idle *idle = user;

    while (iterations-- > 0)
        (void)plx_group_poll(idle->group, 0);
}

static void compare_idle(struct bench *bench, const struct peer *peer)
{
    static struct idle plain, encrypted;
    const struct bench_goal goal = {"TLS: idle frame, 1000 members", "ns", BENCH_AT_MOST, 1.05};
    const struct bench_side sides[] = {{"no TLS", idle_frames, &plain, BENCH_THREAD_CPU},
                                       {peer->name, idle_frames, &encrypted, BENCH_THREAD_CPU}};

    if (!idle_open(&plain, peer->mechanism, false)) {
        field_name_unable(bench, peer);
        return;
    }
    tls_check(idle_open(&encrypted, peer->mechanism, true), "make a group");
    bench_compare(bench, &goal, bench_rounds(bench, ROUNDS), sides, 2);
    idle_close(&plain);
    idle_close(&encrypted);
}

/* ---- all ------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    struct bench bench;

    bench_start(&bench, "tls", argc, argv);
    bench_raise_limit();
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL's own BIO uses write(2) */
    name_missing(&bench);
    for (size_t i = 0; i < PEERS; i++)
        fields[i].peer = peers[i];
    compare_speed(&bench);
    if (bench_memory() >= 0)
        compare_memory(&bench);
    compare_idle(&bench, &peer_pollux_epoll);
    compare_idle(&bench, &peer_pollux_uring);
    return bench_finish(&bench);
}
