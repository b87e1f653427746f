/* tests/bench/bench-echo.c -- an echo server of 1 000 connections: thread CPU time per message,
 * beside epoll + recv + send.
 *
 * The clients have sent before the measured frame begins and take their replies after it, so a
 * frame of either side has exactly the same to do; the frames alternate. */
#include "config.h"

#include "tests/bench/bench.h"
#include "tests/bench/crowd.h"
#include "tests/bench/service.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pollux.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 1000, AT_ONCE = 100, RAW_EVENTS = 256, RAW_BUFFER = 65536 };

struct echo {
    struct service service;
    struct crowd crowd;
    int set;        /* the raw side's epoll */
    size_t replied; /* in this frame */
};

/* ---- the raw side ---------------------------------------------------------------------------- */

static int raw_listen(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, 1000) != 0)
        bench_fail("listen");
    (void)getsockname(listener, (struct sockaddr *)&address, &size);
    *ret_port = ntohs(address.sin_port);
    return listener;
}

static void raw_accept(struct echo *echo, int listener)
{
    int on = 1;
    int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};

    if (descriptor < 0 || epoll_ctl(echo->set, EPOLL_CTL_ADD, descriptor, &event) != 0)
        bench_fail("accept");
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void raw_open(struct echo *echo)
{
    int port;
    int listener = raw_listen(&port);

    echo->set = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < CONNECTIONS; i += AT_ONCE) {
        crowd_connect(&echo->crowd, port, AT_ONCE);
        for (int j = 0; j < AT_ONCE; j++)
            raw_accept(echo, listener);
    }
    close(listener);
}

static void raw_frame(struct echo *echo, size_t active)
{
    static char buffer[RAW_BUFFER];
    struct epoll_event events[RAW_EVENTS];

    while (echo->replied < active) {
        int count = epoll_wait(echo->set, events, RAW_EVENTS, 0);

        for (int i = 0; i < count; i++) {
            ssize_t size = recv(events[i].data.fd, buffer, sizeof buffer, 0);

            if (size <= 0 || send(events[i].data.fd, buffer, (size_t)size, MSG_NOSIGNAL) != size)
                bench_fail("echo");
            echo->replied++;
        }
    }
}

/* ---- Pollux's side --------------------------------------------------------------------------- */

static void echo_read_all(plx_socket *socket, void *user)
{
    struct echo *echo = user;
    size_t size;
    const void *data = plx_socket_read_all(socket, &size);

    (void)plx_socket_write(socket, data, size);
    echo->replied++;
}

static void echo_read(plx_socket *socket, void *user)
{
    struct echo *echo = user;
    char buffer[4096];
    ptrdiff_t size = plx_socket_read(socket, buffer, sizeof buffer);

    if (size > 0)
        (void)plx_socket_write(socket, buffer, (size_t)size);
    echo->replied++;
}

static void pollux_frame(struct echo *echo, size_t active)
{
    while (plx_group_poll(echo->service.group, 0) || echo->replied < active)
        continue;
}

/* ---- the frames ------------------------------------------------------------------------------ */

/* The first thousand of the crowd are the raw side's, the second Pollux's. */
static double measured_frame(struct echo *echo, bool raw, unsigned round, unsigned active)
{
    struct crowd_choice choice = {
        .base = raw ? 0 : CONNECTIONS, .total = CONNECTIONS, .first = round * 331, .count = active};
    double start;
    double end;

    crowd_send(&echo->crowd, &choice);
    echo->replied = 0;
    start = bench_now(BENCH_THREAD_CPU);
    if (raw)
        raw_frame(echo, active);
    else
        pollux_frame(echo, active);
    end = bench_now(BENCH_THREAD_CPU);
    crowd_receive(&echo->crowd, &choice);
    return (end - start) / active;
}

static void measure(struct bench *bench, struct echo *echo, unsigned active, size_t rounds,
                    const char *how)
{
    char what[80];
    struct bench_goal goal = {what, "ns", BENCH_AT_MOST, 1.10};
    struct bench_pair pair = {0};

    for (unsigned round = 0; round < rounds + 5; round++) {
        double first = measured_frame(echo, round % 2 == 0, round, active);
        double second = measured_frame(echo, round % 2 != 0, round, active);

        if (round >= 5) /* the first few warm caches and pools */
            bench_pair_add(&pair, round % 2 == 0 ? first : second, round % 2 == 0 ? second : first);
    }
    (void)snprintf(what, sizeof what, "echo 64 B, %4u of %d, %s, per message", active, CONNECTIONS,
                   how);
    bench_report(bench, &goal, &pair);
}

static void measure_all(struct bench *bench, struct echo *echo, const char *how)
{
    measure(bench, echo, 10, bench_rounds(bench, 2000), how);
    measure(bench, echo, 100, bench_rounds(bench, 600), how);
    measure(bench, echo, 1000, bench_rounds(bench, 100), how);
}

static void measure_mechanism(struct bench *bench, const char *mechanism)
{
    static const plx_events all = {.data_available = echo_read_all};
    static const plx_events some = {.data_available = echo_read};
    struct echo echo = {.set = -1};
    plx_socket *client = NULL;
    char how[40];

    crowd_start(&echo.crowd);
    raw_open(&echo);
    service_open(&echo.service, mechanism, &all, &echo);
    service_admit(&echo.service, &echo.crowd, CONNECTIONS);
    (void)snprintf(how, sizeof how, "%s, read_all", mechanism);
    measure_all(bench, &echo, how);
    while ((client = plx_server_next_active(echo.service.server, client)) != NULL)
        plx_socket_set_events(client, &some, &echo);
    (void)snprintf(how, sizeof how, "%s, read", mechanism);
    measure_all(bench, &echo, how);
    service_close(&echo.service);
    crowd_end(&echo.crowd);
    close(echo.set);
}

int main(int argc, char **argv)
{
    struct bench bench;

    bench_start(&bench, "echo", argc, argv);
    measure_mechanism(&bench, "epoll");
    if (service_has_uring())
        measure_mechanism(&bench, "uring");
    return bench_finish(&bench);
}
