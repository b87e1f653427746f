/* tests/bench/bench-idle.c -- what a frame costs in which nothing arrived, for every peer, over 1
 * to 10 000 connections.
 *
 * That number of connections of all peers at once would be more descriptors than a process may
 * have. The peers come one after the other, each in turn with a bare epoll_wait on the very
 * descriptors that the peer's listener has accepted. */
#include "config.h"

#include "tests/bench/field.h"
#include "tests/bench/wire.h"

#include <pollux.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAXIMUM = 10000, RAW_EVENTS = 64, SHARE = 60 };

struct frame {
    struct side side;
    int set; /* the raw side's */
};

static void raw_frames(void *user, size_t iterations)
{
    const struct frame *frame = user;
    struct epoll_event events[RAW_EVENTS];

    while (iterations-- > 0)
        if (epoll_wait(frame->set, events, RAW_EVENTS, 0) != 0)
            bench_fail("wait for nothing");
}

static void peer_frames(void *user, size_t iterations)
{
    const struct frame *frame = user;

    while (iterations-- > 0)
        (void)frame->side.peer->server->poll(frame->side.object);
}

/* A connection of the server is a descriptor of this process that has a peer and the server's
 * port. What lives in other ways (ENet's peers, what belongs to a thread) is not found or just as
 * cheap: the cost of an empty epoll_wait does not depend on it. */
static bool belongs(int descriptor, int port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    return getpeername(descriptor, (struct sockaddr *)&address, &size) == 0 &&
           wire_port(descriptor) == port;
}

static void watch_raw(struct frame *frame)
{
    struct rlimit limit = {0};

    close(frame->set);
    frame->set = epoll_create1(EPOLL_CLOEXEC);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < (int)limit.rlim_cur && i < 2 * MAXIMUM; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.fd = i}};

        if (belongs(i, frame->side.port) && epoll_ctl(frame->set, EPOLL_CTL_ADD, i, &event) != 0)
            bench_fail("watch a connection");
    }
}

static double target(const struct peer *peer)
{
    return peer->mechanism != NULL && strcmp(peer->mechanism, "io_uring") == 0 ? 0.25 : 1.2;
}

static void measure(struct bench *bench, struct frame *frame, size_t count)
{
    char what[80];
    const struct bench_goal goal = {what, "ns", BENCH_AT_MOST, target(frame->side.peer)};
    const struct bench_side sides[] = {
        {"raw", raw_frames, frame, BENCH_THREAD_CPU},
        {frame->side.peer->name, peer_frames, frame, BENCH_THREAD_CPU}};

    (void)snprintf(what, sizeof what, "idle frame, %zu connections", count);
    bench_compare(bench, &goal, bench_rounds(bench, SHARE), sides, 2);
}

static void measure_peer(struct bench *bench, struct crowd *crowd, const struct peer *peer)
{
    struct frame frame = {.set = -1};
    size_t most = peer->maximum == 0 ? MAXIMUM : peer->maximum;

    if (!side_open_server(&frame.side, peer, NULL)) {
        field_name_unable(bench, peer);
        return;
    }
    for (size_t count = 1; count <= most; count *= 10) {
        side_admit(&frame.side, crowd, count);
        watch_raw(&frame);
        measure(bench, &frame, count);
    }
    close(frame.set);
    side_dismiss(&frame.side, crowd);
    peer->server->close(frame.side.object);
}

static void group_frames(void *user, size_t iterations)
{
    while (iterations-- > 0)
        (void)plx_group_poll(user, 0);
}

/* What timers that are not due add to the frame of a group. */
static void measure_timers(struct bench *bench)
{
    static plx_timer *timers[MAXIMUM];
    struct frame frame = {.set = epoll_create1(EPOLL_CLOEXEC)};
    plx_group *none = plx_group_new(), *many = plx_group_new();
    bool ring = strcmp(plx_group_mechanism(many), "io_uring") == 0;
    const struct bench_goal goal = {"idle frame, 10000 timers", "ns", BENCH_AT_MOST,
                                    ring ? 0.25 : 1.2};
    const struct bench_side sides[] = {{"raw", raw_frames, &frame, BENCH_THREAD_CPU},
                                       {"no timers", group_frames, none, BENCH_THREAD_CPU},
                                       {"timers", group_frames, many, BENCH_THREAD_CPU}};

    for (int i = 0; i < MAXIMUM; i++) {
        timers[i] = plx_timer_new(NULL, NULL);
        if (plx_group_add_timer(many, timers[i]) != 0 ||
            plx_timer_set(timers[i], 3600000 + i, i % 2 == 0) != 0)
            bench_fail("set a timer");
    }
    bench_compare(bench, &goal, bench_rounds(bench, SHARE), sides, 3);
    for (int i = 0; i < MAXIMUM; i++)
        plx_timer_free(timers[i]);
    plx_group_free(none);
    plx_group_free(many);
    close(frame.set);
}

int main(int argc, char **argv)
{
    const struct peer *const *peers = field_peers();
    struct bench bench;
    struct crowd crowd;

    bench_start(&bench, "idle", argc, argv);
    crowd_start(&crowd);
    field_name_missing(&bench);
    for (size_t i = 0; peers[i] != NULL; i++)
        if (peers[i]->server != NULL && peers[i] != &peer_raw)
            measure_peer(&bench, &crowd, peers[i]);
    crowd_end(&crowd);
    measure_timers(&bench);
    return bench_finish(&bench);
}
