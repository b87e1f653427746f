/* tests/bench/bench-ipc.c -- two programs on one computer: round trips and bulk over Unix sockets.
 *
 * Measured twice. In one thread both ends take turns: that is steady and shows what Pollux itself
 * costs. Between two processes both sides poll without sleeping, as two programs would: that is
 * what a user sees, and it needs two free processors. */
#include "config.h"

#include "tests/bench/bench.h"

#include <errno.h>
#include <pollux.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MESSAGE = 64,
    BLOCK = 65536,
    TRIPS = 400,
    UNTIMED_TRIPS = 20,
    BULK_BLOCKS = 256,
    UNTIMED_BLOCKS = 8,
    RATE_BLOCKS = 64
};

static char block[BLOCK];
static char received[BLOCK];

/* ---- an end of a connection, either way ------------------------------------------------------ */

/* One end of a raw connection and of one by Pollux. `wanted` is what `reply` waits for before it
 * answers. */
struct end {
    int raw;
    plx_socket *socket;
    size_t taken;   /* bytes received by the handler */
    bool echo;      /* the handler sends back what came */
    bool lookahead; /* the handler takes bytes by lookahead and skip, else by read */
};

static void data_available(plx_socket *socket, void *user)
{
    struct end *end = user;
    ptrdiff_t size;

    if (end->lookahead) {
        size_t all;

        (void)plx_socket_lookahead(socket, &all);
        end->taken += plx_socket_skip(socket, all);
        return;
    }
    while ((size = plx_socket_read(socket, received, sizeof received)) > 0) {
        end->taken += (size_t)size;
        if (end->echo)
            (void)plx_socket_write(socket, received, (size_t)size);
    }
}

static void open_end(struct end *end, int raw, int descriptor)
{
    static const plx_events events = {.data_available = data_available};

    memset(end, 0, sizeof *end);
    end->raw = raw;
    end->socket = plx_ipc_new();
    if (end->socket == NULL)
        bench_fail("make an IPC socket");
    plx_socket_set_events(end->socket, &events, end);
    errno = plx_socket_adopt(end->socket, descriptor);
    if (errno != 0)
        bench_fail("adopt a Unix socket");
    for (int i = 0; i < 10; i++)
        (void)plx_socket_poll(end->socket);
}

static void close_end(struct end *end)
{
    close(end->raw);
    end->socket = plx_socket_free(end->socket);
}

static void raw_pair(int ret_ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_ends) != 0)
        bench_fail("make a pair of Unix sockets");
}

/* ---- raw: spin until all is done ------------------------------------------------------------- */

static void raw_take(int descriptor, size_t size)
{
    while (size > 0) {
        ssize_t count = recv(descriptor, received, size < BLOCK ? size : BLOCK, 0);

        if (count > 0)
            size -= (size_t)count;
        else if (count == 0 || (errno != EAGAIN && errno != EINTR))
            bench_fail("receive");
    }
}

static void raw_give(int descriptor, size_t size)
{
    while (size > 0) {
        ssize_t count = send(descriptor, block, size < BLOCK ? size : BLOCK, MSG_NOSIGNAL);

        if (count > 0)
            size -= (size_t)count;
        else if (errno != EAGAIN && errno != EINTR)
            bench_fail("send");
    }
}

/* ---- Pollux: poll until all is done ---------------------------------------------------------- */

static void pollux_take(struct end *end, size_t size)
{
    while (end->taken < size)
        if (plx_socket_state(end->socket) == PLX_UNCONNECTED)
            bench_fail("receive by Pollux");
        else
            (void)plx_socket_poll(end->socket);
    end->taken = 0;
}

static void pollux_give(struct end *end, size_t size)
{
    while (size > 0) {
        ptrdiff_t count = plx_socket_write(end->socket, block, size < BLOCK ? size : BLOCK);

        if (count < 0)
            bench_fail("send by Pollux");
        size -= (size_t)count;
        if (plx_socket_bytes_left_to_send(end->socket) > 0)
            (void)plx_socket_flush(end->socket);
        while (plx_socket_bytes_left_to_send(end->socket) > 0)
            (void)plx_socket_poll(end->socket);
    }
}

/* ---- one thread: the ends take turns --------------------------------------------------------- */

struct ends {
    struct end near, far;
};

static void raw_turns(void *user, size_t iterations)
{
    struct ends *ends = user;

    while (iterations-- > 0) {
        raw_give(ends->near.raw, MESSAGE);
        raw_take(ends->far.raw, MESSAGE);
        raw_give(ends->far.raw, MESSAGE);
        raw_take(ends->near.raw, MESSAGE);
    }
}

static void pollux_turns(void *user, size_t iterations)
{
    struct ends *ends = user;

    while (iterations-- > 0) {
        (void)plx_socket_write(ends->near.socket, block, MESSAGE);
        (void)plx_socket_flush(ends->near.socket);
        pollux_take(&ends->far, MESSAGE);
        pollux_take(&ends->near, MESSAGE);
    }
}

/* The same with a failing receive before each reply: what a raw program that polls both its ends
 * would do. */
static void raw_polled_turns(void *user, size_t iterations)
{
    struct ends *ends = user;

    while (iterations-- > 0) {
        (void)recv(ends->near.raw, received, MESSAGE, 0);
        raw_give(ends->near.raw, MESSAGE);
        raw_take(ends->far.raw, MESSAGE);
        raw_give(ends->far.raw, MESSAGE);
        raw_take(ends->near.raw, MESSAGE);
    }
}

static void pollux_polled_turns(void *user, size_t iterations)
{
    struct ends *ends = user;

    while (iterations-- > 0) {
        (void)plx_socket_write(ends->near.socket, block, MESSAGE);
        (void)plx_socket_poll(ends->near.socket);
        pollux_take(&ends->far, MESSAGE);
        pollux_take(&ends->near, MESSAGE);
    }
}

static void raw_blocks(void *user, size_t iterations)
{
    struct ends *ends = user;

    while (iterations-- > 0) {
        raw_give(ends->near.raw, BLOCK);
        raw_take(ends->far.raw, BLOCK);
    }
}

static void pollux_blocks(void *user, size_t iterations)
{
    struct ends *ends = user;

    while (iterations-- > 0) {
        pollux_give(&ends->near, BLOCK);
        pollux_take(&ends->far, BLOCK);
    }
}

/* A rate where the harness measures times: the ratio is turned over in the figures of a block. */
static void compare_rates(struct bench *bench, const struct bench_goal *goal, struct ends *ends)
{
    struct bench_samples samples = bench_of_two();
    const double bytes = 1e3 * BLOCK * RATE_BLOCKS; /* with nanoseconds: MB/s */

    for (size_t round = 0; round < bench_rounds(bench, 201); round++) {
        double start[2];
        double end[2];

        for (size_t half = 0; half < 2; half++) {
            size_t side = (half + round) % 2;

            start[side] = bench_now(BENCH_THREAD_CPU);
            (side == 0 ? raw_blocks : pollux_blocks)(ends, RATE_BLOCKS);
            end[side] = bench_now(BENCH_THREAD_CPU);
        }
        bench_samples_add(&samples,
                          (double[]){bytes / (end[0] - start[0]), bytes / (end[1] - start[1])});
    }
    bench_report(bench, goal, &samples);
}

static void measure_turns(struct bench *bench)
{
    const struct bench_goal trip = {"IPC 64 B round trip, one thread, write + flush", "ns",
                                    BENCH_AT_MOST, 1.15};
    const struct bench_goal polled = {"IPC 64 B round trip, one thread, write + poll", "ns",
                                      BENCH_AT_MOST, 1.15};
    const struct bench_goal ahead = {"IPC bulk, one thread, lookahead + skip", "MB/s",
                                     BENCH_AT_LEAST, 0.9};
    const struct bench_goal read = {"IPC bulk, one thread, read", "MB/s", BENCH_AT_LEAST, 0.85};
    struct ends ends;
    const struct bench_side turns[] = {{"raw", raw_turns, &ends, BENCH_THREAD_CPU},
                                       {"Pollux", pollux_turns, &ends, BENCH_THREAD_CPU}};
    const struct bench_side polled_turns[] = {
        {"raw", raw_polled_turns, &ends, BENCH_THREAD_CPU},
        {"Pollux", pollux_polled_turns, &ends, BENCH_THREAD_CPU}};
    int raw[2];
    int pollux[2];

    raw_pair(raw);
    raw_pair(pollux);
    open_end(&ends.near, raw[0], pollux[0]);
    open_end(&ends.far, raw[1], pollux[1]);
    ends.far.echo = true;
    bench_compare(bench, &trip, bench_rounds(bench, 201), turns, 2);
    bench_compare(bench, &polled, bench_rounds(bench, 201), polled_turns, 2);
    ends.far.echo = false;
    ends.far.lookahead = true;
    compare_rates(bench, &ahead, &ends);
    ends.far.lookahead = false;
    compare_rates(bench, &read, &ends);
    close_end(&ends.near);
    close_end(&ends.far);
}

/* ---- two processes: both spin ---------------------------------------------------------------- */

enum verb { RAW_ECHO, POLLUX_ECHO, RAW_BULK, POLLUX_BULK };

/* What the far process does next, and how often; meanwhile it sleeps. */
struct order {
    enum verb verb;
    size_t count;
};

static void obey(struct end *end, const struct order *order)
{
    switch (order->verb) {
    case RAW_ECHO:
        for (size_t i = 0; i < order->count; i++) {
            raw_take(end->raw, MESSAGE);
            raw_give(end->raw, MESSAGE);
        }
        break;
    case POLLUX_ECHO:
        end->echo = true;
        pollux_take(end, order->count * MESSAGE);
        break;
    case RAW_BULK: raw_give(end->raw, order->count * BLOCK); break;
    case POLLUX_BULK: pollux_give(end, order->count * BLOCK); break;
    }
}

static _Noreturn void live(int channel, int raw, int descriptor)
{
    struct end end;
    struct order order;

    open_end(&end, raw, descriptor);
    while (read(channel, &order, sizeof order) == (ssize_t)sizeof order)
        obey(&end, &order);
    _exit(0);
}

struct far {
    pid_t process;
    int channel;
    struct end end; /* ours */
};

/* Forks before this process makes any object of the library. */
static void far_start(struct far *far)
{
    int channel[2];
    int raw[2];
    int pollux[2];

    raw_pair(raw);
    raw_pair(pollux);
    if (pipe(channel) != 0 || (far->process = fork()) < 0)
        bench_fail("fork");
    if (far->process == 0) {
        close(channel[1]);
        close(raw[0]);
        close(pollux[0]);
        bench_settle(false);
        live(channel[0], raw[1], pollux[1]);
    }
    bench_settle(true);
    close(channel[0]);
    close(raw[1]);
    close(pollux[1]);
    far->channel = channel[1];
    open_end(&far->end, raw[0], pollux[0]);
}

static void far_end(struct far *far)
{
    close(far->channel);
    close_end(&far->end);
    (void)waitpid(far->process, NULL, 0);
}

static void tell(const struct far *far, enum verb verb, size_t count)
{
    struct order order = {verb, count};

    if (write(far->channel, &order, sizeof order) != (ssize_t)sizeof order)
        bench_fail("write to the far process");
}

static void trip(struct far *far, bool raw)
{
    if (raw) {
        raw_give(far->end.raw, MESSAGE);
        raw_take(far->end.raw, MESSAGE);
    } else {
        (void)plx_socket_write(far->end.socket, block, MESSAGE);
        (void)plx_socket_flush(far->end.socket);
        pollux_take(&far->end, MESSAGE);
    }
}

/* The first trips wake the other side and are not timed. */
static double time_trips(struct far *far, bool raw)
{
    double start = 0;

    tell(far, raw ? RAW_ECHO : POLLUX_ECHO, UNTIMED_TRIPS + TRIPS);
    for (int i = 0; i < UNTIMED_TRIPS + TRIPS; i++) {
        if (i == UNTIMED_TRIPS)
            start = bench_now(BENCH_MONOTONIC);
        trip(far, raw);
    }
    return (bench_now(BENCH_MONOTONIC) - start) / TRIPS;
}

static void bulk(struct far *far, bool raw, size_t blocks)
{
    if (raw)
        raw_take(far->end.raw, blocks * BLOCK);
    else
        pollux_take(&far->end, blocks * BLOCK);
}

/* Pollux may take more than asked for in one poll: what is over counts for the rest. */
static double time_bulk(struct far *far, bool raw)
{
    double start;
    size_t over;

    tell(far, raw ? RAW_BULK : POLLUX_BULK, UNTIMED_BLOCKS + BULK_BLOCKS);
    while (!raw && far->end.taken < UNTIMED_BLOCKS * BLOCK)
        (void)plx_socket_poll(far->end.socket);
    if (raw)
        bulk(far, raw, UNTIMED_BLOCKS);
    over = raw ? 0 : far->end.taken - UNTIMED_BLOCKS * BLOCK;
    far->end.taken = over;
    start = bench_now(BENCH_MONOTONIC);
    bulk(far, raw, BULK_BLOCKS);
    return 1e3 * (double)(BULK_BLOCKS * BLOCK - over) / (bench_now(BENCH_MONOTONIC) - start);
}

static void compare_far(struct bench *bench, const struct bench_goal *goal, struct far *far,
                        size_t rounds, double (*measure)(struct far *far, bool raw))
{
    struct bench_samples samples = bench_of_two();
    double begun = bench_now(BENCH_MONOTONIC);

    for (size_t round = 0; bench_goes_on(begun, round, rounds); round++) {
        double times[2];

        for (size_t turn = 0; turn < 2; turn++) {
            size_t side = (turn + round) % 2;

            times[side] = measure(far, side == 0);
        }
        bench_samples_add(&samples, times);
    }
    bench_report(bench, goal, &samples);
}

static void measure_far(struct bench *bench)
{
    const struct bench_goal trips = {"IPC 64 B round trip, two processes spinning", "ns",
                                     BENCH_AT_MOST, 1.15};
    const struct bench_goal ahead = {"IPC bulk, two processes spinning, lookahead + skip", "MB/s",
                                     BENCH_AT_LEAST, 0.9};
    const struct bench_goal read = {"IPC bulk, two processes spinning, read", "MB/s",
                                    BENCH_AT_LEAST, 0.85};
    struct far far;

    far_start(&far);
    compare_far(bench, &trips, &far, bench_rounds(bench, 301), time_trips);
    far.end.lookahead = true;
    compare_far(bench, &ahead, &far, bench_rounds(bench, 101), time_bulk);
    far.end.lookahead = false;
    compare_far(bench, &read, &far, bench_rounds(bench, 101), time_bulk);
    far_end(&far);
}

int main(int argc, char **argv)
{
    struct bench bench;

    bench_start(&bench, "ipc", argc, argv);
    (void)signal(SIGPIPE, SIG_IGN);
    measure_far(&bench);
    measure_turns(&bench);
    return bench_finish(&bench);
}
