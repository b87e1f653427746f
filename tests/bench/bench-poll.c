/* tests/bench/bench-poll.c -- what a poll costs in which nothing arrived: lone sockets, and groups
 * with each mechanism, also with a time-out on every member. bench-idle has the peers. */
#include "config.h"

#include "tests/bench/bench.h"
#include "tests/bench/crowd.h"
#include "tests/bench/service.h"
#include "tests/bench/wire.h"

#include <errno.h>
#include <poll.h>
#include <pollux.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAXIMUM_MEMBERS = 10000, RAW_EVENTS = 64, HOUR = 3600000, TRIALS = 200 };

/* ---- one socket ------------------------------------------------------------------------------ */

struct one {
    plx_group *group; /* NULL: polled alone */
    plx_socket *socket;
    int peer;
};

static void raw_receive(void *user, size_t iterations)
{
    const struct one *one = user;
    int descriptor = plx_socket_handle(one->socket);
    char byte[64];

    while (iterations-- > 0)
        if (recv(descriptor, byte, sizeof byte, 0) >= 0)
            bench_fail("receive nothing");
}

static void poll_socket(void *user, size_t iterations)
{
    const struct one *one = user;

    while (iterations-- > 0)
        (void)plx_socket_poll(one->socket);
}

static void open_one(struct one *one, plx_group *group)
{
    int ends[2];

    one->group = group;
    one->socket = plx_tcp_new();
    if (one->socket == NULL)
        bench_fail("make a TCP socket");
    wire_pair(PEER_TCP, ends);
    one->peer = ends[0];
    errno = plx_socket_adopt(one->socket, ends[1]);
    if (errno != 0)
        bench_fail("adopt it");
    if (group != NULL)
        (void)plx_group_add(group, one->socket);
    for (int i = 0; i < 100; i++)
        (void)plx_socket_poll(one->socket);
}

static void close_one(struct one *one)
{
    one->socket = plx_socket_free(one->socket);
    one->group = plx_group_free(one->group);
    close(one->peer);
}

/* A member of a group. With io_uring the ring says that nothing came. `target` 0: none. */
static void measure_member(struct bench *bench, const char *mechanism, double target)
{
    char what[80];
    struct bench_goal goal = {what, "ns", target > 0 ? BENCH_AT_MOST : BENCH_NO_TARGET, target};
    struct one one;
    const struct bench_side sides[] = {{"raw", raw_receive, &one, BENCH_THREAD_CPU},
                                       {"Pollux", poll_socket, &one, BENCH_THREAD_CPU}};

    (void)snprintf(what, sizeof what, "idle plx_socket_poll of a member, %s / recv", mechanism);
    open_one(&one, service_group(mechanism));
    bench_compare(bench, &goal, bench_rounds(bench, 51), sides, 2);
    close_one(&one);
}

static void measure_one(struct bench *bench)
{
    const struct bench_goal alone = {"idle plx_socket_poll, TCP / recv", "ns", BENCH_AT_MOST, 1.15};
    const struct bench_goal timed = {"idle plx_socket_poll with an idle time-out / recv", "ns",
                                     BENCH_NO_TARGET, 0};
    struct one one;
    const struct bench_side sides[] = {{"raw", raw_receive, &one, BENCH_THREAD_CPU},
                                       {"Pollux", poll_socket, &one, BENCH_THREAD_CPU}};

    open_one(&one, NULL);
    bench_compare(bench, &alone, bench_rounds(bench, 101), sides, 2);
    (void)plx_socket_set_option(one.socket, PLX_OPTION_IDLE_TIMEOUT, HOUR);
    bench_compare(bench, &timed, bench_rounds(bench, 51), sides, 2);
    close_one(&one);
}

/* ---- a group --------------------------------------------------------------------------------- */

/* The raw side waits on the very descriptors of the group: that many connections twice would be too
 * many. */
struct frame {
    struct service service;
    int set;
    struct pollfd *list;
    size_t count;
    size_t arrived;
};

static void raw_epoll(void *user, size_t iterations)
{
    const struct frame *frame = user;
    struct epoll_event events[RAW_EVENTS];

    while (iterations-- > 0)
        if (epoll_wait(frame->set, events, RAW_EVENTS, 0) != 0)
            bench_fail("wait for nothing");
}

static void raw_poll(void *user, size_t iterations)
{
    const struct frame *frame = user;

    while (iterations-- > 0)
        if (poll(frame->list, (nfds_t)frame->count, 0) != 0)
            bench_fail("wait for nothing");
}

static void poll_group(void *user, size_t iterations)
{
    const struct frame *frame = user;

    while (iterations-- > 0)
        (void)plx_group_poll(frame->service.group, 0);
}

static void watch_raw(struct frame *frame)
{
    plx_socket *client = plx_server_next_active(frame->service.server, NULL);

    close(frame->set);
    frame->set = epoll_create1(EPOLL_CLOEXEC);
    frame->count = 0;
    for (; client != NULL; client = plx_server_next_active(frame->service.server, client)) {
        int descriptor = plx_socket_handle(client);
        struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};

        if (epoll_ctl(frame->set, EPOLL_CTL_ADD, descriptor, &event) != 0)
            bench_fail("watch a client's descriptor");
        frame->list[frame->count].fd = descriptor;
        frame->list[frame->count++].events = POLLIN;
    }
}

static void take_all(plx_socket *socket, void *user)
{
    struct frame *frame = user;

    (void)plx_socket_skip(socket, plx_socket_bytes_available(socket));
    frame->arrived++;
}

static void measure_size(struct bench *bench, struct frame *frame, const char *mechanism,
                         bool timed, double target)
{
    bool is_poll = strcmp(mechanism, "poll") == 0;
    char what[80];
    struct bench_goal goal = {what, "ns", target > 0 ? BENCH_AT_MOST : BENCH_NO_TARGET, target};

    const struct bench_side sides[] = {
        {"raw", is_poll ? raw_poll : raw_epoll, frame, BENCH_THREAD_CPU},
        {"Pollux", poll_group, frame, BENCH_THREAD_CPU}};

    (void)snprintf(what, sizeof what, "idle group, %s, %5zu members%s / %s", mechanism,
                   frame->count, timed ? " timed" : "", is_poll ? "poll" : "epoll_wait");
    bench_compare(bench, &goal, bench_rounds(bench, 101), sides, 2);
}

/* What arrived is delivered by the very next poll, after none to eight idle ones. */
static void measure_delivery(struct bench *bench, struct frame *frame, struct crowd *crowd,
                             const char *mechanism)
{
    char what[80];
    struct bench_goal goal = {what, "of 1", BENCH_AT_LEAST, 1};
    size_t delivered = 0;

    for (unsigned i = 0; i < TRIALS; i++) {
        struct crowd_choice choice = {.total = (unsigned)frame->count, .first = i * 37, .count = 1};

        for (unsigned idle = i % 9; idle > 0; idle--)
            (void)plx_group_poll(frame->service.group, 0);
        crowd_send(crowd, &choice);
        frame->arrived = 0;
        (void)plx_group_poll(frame->service.group, 0);
        delivered += frame->arrived == 1;
        for (int rest = 0; frame->arrived == 0 && rest < 10; rest++)
            (void)plx_group_poll(frame->service.group, 10);
    }
    (void)snprintf(what, sizeof what, "delivered by the next poll, %s, %zu members", mechanism,
                   frame->count);
    bench_report_value(bench, &goal, "Pollux", -1, (double)delivered / TRIALS);
}

/* target: of Pollux / raw; 0: none. */
static void measure_group(struct bench *bench, struct crowd *crowd, const char *mechanism,
                          double target)
{
    static const plx_events events = {.data_available = take_all};
    struct frame frame = {.set = -1, .list = calloc(MAXIMUM_MEMBERS, sizeof *frame.list)};

    if (frame.list == NULL)
        bench_fail("memory for the list");
    service_open(&frame.service, mechanism, &events, &frame);
    for (size_t count = 1; count <= MAXIMUM_MEMBERS; count *= 10) {
        service_admit(&frame.service, crowd, count);
        watch_raw(&frame);
        measure_size(bench, &frame, mechanism, false, target);
        service_set_option(&frame.service, PLX_OPTION_IDLE_TIMEOUT, HOUR);
        (void)plx_group_poll(frame.service.group, 0);
        measure_size(bench, &frame, mechanism, true, target);
        if (count == 1000)
            measure_delivery(bench, &frame, crowd, mechanism);
        service_set_option(&frame.service, PLX_OPTION_IDLE_TIMEOUT, 0);
        (void)plx_group_poll(frame.service.group, 0);
    }
    service_close(&frame.service);
    crowd_close(crowd);
    close(frame.set);
    free(frame.list);
}

static bool has_mechanism(const char *mechanism)
{
    plx_group *group = service_group(mechanism);
    bool found = group != NULL;

    (void)plx_group_free(group);
    return found;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct crowd crowd;

    bench_start(&bench, "poll", argc, argv);
    crowd_start(&crowd);
    measure_one(&bench);
    measure_member(&bench, "epoll", 0);
    measure_group(&bench, &crowd, "epoll", 1.2);
    if (has_mechanism("io_uring")) {
        measure_member(&bench, "io_uring", 0.3);
        measure_group(&bench, &crowd, "io_uring", 0.25);
    }
    measure_group(&bench, &crowd, "poll", 0);
    crowd_end(&crowd);
    return bench_finish(&bench);
}
