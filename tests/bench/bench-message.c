/* tests/bench/bench-message.c -- many small messages in a frame, over one stream in one thread.
 *
 * Pollux: 64 framed messages are written, flushed, and read in one poll of the other end. Raw: a
 * send and a recv for each, on a pair of the same kind, which is what a program pays that sends
 * each message when it has one. Both are reported per message. */
#include "config.h"

#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pollux.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, LARGEST = 1024 };

static const plx_frame length_frame = {.length_size = 4};
static const plx_frame line_frame = {.delimiter = "\r\n", .delimiter_size = 2};

struct link {
    int raw[2];
    plx_socket *near, *far;
    plx_group *group; /* of both; NULL: each is polled alone */
    size_t size;      /* of a message */
    size_t taken;     /* messages that came */
    size_t bytes;     /* in them */
};

static char message[LARGEST];
static char received[LARGEST];

/* ---- pairs ----------------------------------------------------------------------------------- */

static void unix_pair(int ret_ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_ends) != 0)
        bench_fail("make a pair of Unix sockets");
}

static void tcp_pair(int ret_ends[2])
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    ret_ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || ret_ends[0] < 0 || bind(listener, (struct sockaddr *)&name, size) != 0 ||
        listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&name, &size) != 0 ||
        connect(ret_ends[0], (struct sockaddr *)&name, size) != 0)
        bench_fail("connect a pair of TCP sockets");
    ret_ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (ret_ends[1] < 0)
        bench_fail("accept a TCP socket");
    for (int i = 0; i < 2; i++)
        (void)setsockopt(ret_ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    close(listener);
}

/* ---- Pollux ---------------------------------------------------------------------------------- */

static void message_available(plx_socket *socket, void *user)
{
    struct link *link = user;
    size_t size;

    while (plx_socket_read_message(socket, &size) != NULL) {
        link->taken++;
        link->bytes += size;
    }
}

static plx_socket *open_end(struct link *link, plx_constructor *create, const plx_frame *frame,
                            int descriptor)
{
    static const plx_events events = {.message_available = message_available};
    plx_socket *socket = create();

    if (socket == NULL || plx_socket_set_frame(socket, frame) != 0)
        bench_fail("make a socket");
    plx_socket_set_events(socket, &events, link);
    errno = plx_socket_adopt(socket, descriptor);
    if (errno != 0)
        bench_fail("adopt a socket");
    if (link->group != NULL && plx_group_add(link->group, socket) != 0)
        bench_fail("add a socket to the group");
    for (int i = 0; i < 10; i++)
        (void)plx_socket_poll(socket);
    return socket;
}

static void link_open(struct link *link, plx_constructor *create, void (*pair)(int ret_ends[2]),
                      const plx_frame *frame)
{
    int ends[2];

    pair(link->raw);
    pair(ends);
    link->near = open_end(link, create, frame, ends[0]);
    link->far = open_end(link, create, frame, ends[1]);
}

static void link_close(struct link *link)
{
    close(link->raw[0]);
    close(link->raw[1]);
    link->near = plx_socket_free(link->near);
    link->far = plx_socket_free(link->far);
    link->group = plx_group_free(link->group);
}

static void pollux_messages(void *user, size_t iterations)
{
    struct link *link = user;

    while (iterations > 0) {
        size_t batch = iterations < BATCH ? iterations : BATCH;

        for (size_t i = 0; i < batch; i++)
            if (plx_socket_write_message(link->near, message, link->size) != 0)
                bench_fail("write a message");
        if (link->group == NULL)
            (void)plx_socket_flush(link->near);
        for (link->taken = 0; link->taken < batch;)
            (void)(link->group != NULL ? plx_group_poll(link->group, 0)
                                       : plx_socket_poll(link->far));
        iterations -= batch;
    }
}

/* ---- raw ------------------------------------------------------------------------------------- */

static void raw_messages(void *user, size_t iterations)
{
    struct link *link = user;

    while (iterations-- > 0) {
        size_t left = link->size;

        if (send(link->raw[0], message, left, MSG_NOSIGNAL) != (ssize_t)left)
            bench_fail("send");
        while (left > 0) {
            ssize_t count = recv(link->raw[1], received, left, 0);

            if (count > 0)
                left -= (size_t)count;
            else if (count == 0 || (errno != EAGAIN && errno != EINTR))
                bench_fail("receive");
        }
    }
}

/* ---- the figures ----------------------------------------------------------------------------- */

static void compare(struct bench *bench, struct link *link, size_t size,
                    const struct bench_goal *goal)
{
    const struct bench_side sides[] = {{"raw", raw_messages, link, BENCH_THREAD_CPU},
                                       {"Pollux", pollux_messages, link, BENCH_THREAD_CPU}};

    link->size = size;
    bench_compare(bench, goal, bench_rounds(bench, 201), sides, 2);
}

static void measure_ipc(struct bench *bench)
{
    const struct bench_goal goal = {"IPC 64 framed 64 B messages, each", "ns", BENCH_AT_MOST,
                                    1.0 / 15};
    const struct bench_goal small = {"IPC 64 framed 16 B messages, each", "ns", BENCH_NO_TARGET, 0};
    const struct bench_goal large = {"IPC 64 framed 1024 B messages, each", "ns", BENCH_NO_TARGET,
                                     0};
    struct link link = {.near = NULL};

    link_open(&link, plx_ipc_new, unix_pair, &length_frame);
    compare(bench, &link, 64, &goal);
    compare(bench, &link, 16, &small);
    compare(bench, &link, LARGEST, &large);
    link_close(&link);
}

static void measure_lines(struct bench *bench)
{
    const struct bench_goal goal = {"IPC 64 delimited 64 B messages, each", "ns", BENCH_NO_TARGET,
                                    0};
    struct link link = {.near = NULL};

    link_open(&link, plx_ipc_new, unix_pair, &line_frame);
    compare(bench, &link, 64, &goal);
    link_close(&link);
}

static void measure_group(struct bench *bench)
{
    const struct bench_goal goal = {"IPC 64 framed 64 B messages, in a group, each", "ns",
                                    BENCH_NO_TARGET, 0};
    struct link link = {.group = plx_group_new()};

    if (link.group == NULL)
        bench_fail("make a group");
    link_open(&link, plx_ipc_new, unix_pair, &length_frame);
    compare(bench, &link, 64, &goal);
    link_close(&link);
}

static void measure_tcp(struct bench *bench)
{
    const struct bench_goal goal = {"TCP 64 framed 64 B messages, each", "ns", BENCH_AT_MOST,
                                    1.0 / 15};
    const struct bench_goal small = {"TCP 64 framed 16 B messages, each", "ns", BENCH_NO_TARGET, 0};
    const struct bench_goal large = {"TCP 64 framed 1024 B messages, each", "ns", BENCH_NO_TARGET,
                                     0};
    struct link link = {.near = NULL};

    link_open(&link, plx_tcp_new, tcp_pair, &length_frame);
    compare(bench, &link, 64, &goal);
    compare(bench, &link, 16, &small);
    compare(bench, &link, LARGEST, &large);
    link_close(&link);
}

int main(int argc, char **argv)
{
    struct bench bench;

    bench_start(&bench, "message", argc, argv);
    memset(message, 'm', sizeof message);
    measure_ipc(&bench);
    measure_lines(&bench);
    measure_group(&bench);
    measure_tcp(&bench);
    return bench_finish(&bench);
}
