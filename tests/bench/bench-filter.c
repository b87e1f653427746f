/* tests/bench/bench-filter.c -- what filters cost, over one stream with both ends in one thread.
 *
 * A filter whose functions are all NULL hands everything through: beside the same sockets without a
 * filter. A filter that turns the bits of each byte: beside a loop by hand that turns them, too. */
#include "config.h"

#include "tests/bench/bench.h"

#include <errno.h>
#include <pollux.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 64, BLOCK = 65536 };

static uint8_t block[BLOCK];
static uint8_t turned[BLOCK];
static uint8_t received[BLOCK];

/* ---- the filters ----------------------------------------------------------------------------- */

/* Never inlined, so that both sides run the same instructions. */
__attribute__((noinline)) static void turn(uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)~from[i];
}

static ptrdiff_t bits_receive(plx_filter *filter, void *data, size_t size)
{
    ptrdiff_t count = plx_filter_lower_receive(filter, data, size);

    if (count > 0)
        turn(data, data, (size_t)count);
    return count;
}

static ptrdiff_t bits_send(plx_filter *filter, const void *data, size_t size)
{
    size_t most = size < sizeof turned ? size : sizeof turned;

    turn(turned, data, most);
    return plx_filter_lower_send(filter, turned, most);
}

static const plx_filter_kind bits = {
    .size = sizeof bits, .name = "bits", .receive = bits_receive, .send = bits_send};
static const plx_filter_kind through = {.size = sizeof through, .name = "through"};

/* ---- two ends -------------------------------------------------------------------------------- */

struct ends {
    int raw[2];
    bool turns; /* the raw ends turn the bits */
    plx_socket *near, *far;
    size_t taken;
};

static void data_available(plx_socket *socket, void *user)
{
    struct ends *ends = user;

    ends->taken += plx_socket_skip(socket, plx_socket_bytes_available(socket));
}

static plx_socket *open_end(struct ends *ends, const plx_filter_kind *filter, int descriptor)
{
    static const plx_events events = {.data_available = data_available};
    plx_socket *socket = plx_ipc_new();

    if (socket == NULL || (filter != NULL && plx_socket_push_filter(socket, filter) == NULL))
        bench_fail("make a socket");
    plx_socket_set_events(socket, &events, ends);
    errno = plx_socket_adopt(socket, descriptor);
    if (errno != 0)
        bench_fail("adopt a socket");
    for (int i = 0; i < 10; i++)
        (void)plx_socket_poll(socket);
    return socket;
}

static void pair(int ret_ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_ends) != 0)
        bench_fail("make a pair of Unix sockets");
}

static struct ends *open_ends(struct ends *ends, const plx_filter_kind *filter)
{
    int descriptors[2];

    memset(ends, 0, sizeof *ends);
    ends->turns = filter == &bits;
    pair(ends->raw);
    pair(descriptors);
    ends->near = open_end(ends, filter, descriptors[0]);
    ends->far = open_end(ends, filter, descriptors[1]);
    return ends;
}

static void close_ends(struct ends *ends)
{
    close(ends->raw[0]);
    close(ends->raw[1]);
    plx_socket_free(ends->near);
    plx_socket_free(ends->far);
}

/* ---- raw ------------------------------------------------------------------------------------- */

/* One way: what the kernel takes is received before the rest is sent. */
static void raw_move(const struct ends *ends, int from, int to, size_t size)
{
    const uint8_t *data = block;
    size_t sent = 0, taken = 0;

    if (ends->turns) {
        turn(turned, block, size);
        data = turned;
    }
    while (taken < size) {
        ssize_t count = sent < size ? send(from, data + sent, size - sent, MSG_NOSIGNAL) : 0;

        if (count < 0 && errno != EAGAIN)
            bench_fail("send");
        sent += count > 0 ? (size_t)count : 0;
        count = recv(to, received, sizeof received, 0);
        if (count == 0 || (count < 0 && errno != EAGAIN))
            bench_fail("receive");
        if (count > 0 && ends->turns)
            turn(received, received, (size_t)count);
        taken += count > 0 ? (size_t)count : 0;
    }
}

static void raw_trips(void *user, size_t iterations)
{
    struct ends *ends = user;

    while (iterations-- > 0) {
        raw_move(ends, ends->raw[0], ends->raw[1], MESSAGE);
        raw_move(ends, ends->raw[1], ends->raw[0], MESSAGE);
    }
}

static void raw_blocks(void *user, size_t iterations)
{
    struct ends *ends = user;

    while (iterations-- > 0)
        raw_move(ends, ends->raw[0], ends->raw[1], BLOCK);
}

/* ---- Pollux ---------------------------------------------------------------------------------- */

static void pollux_move(struct ends *ends, plx_socket *from, plx_socket *to, size_t size)
{
    ends->taken = 0;
    if (plx_socket_write(from, block, size) != (ptrdiff_t)size)
        bench_fail("write");
    while (ends->taken < size) {
        if (plx_socket_bytes_left_to_send(from) > 0)
            (void)plx_socket_flush(from);
        (void)plx_socket_poll(to);
        if (plx_socket_state(to) == PLX_UNCONNECTED)
            bench_fail("receive by Pollux");
        if (plx_socket_bytes_left_to_send(from) > 0)
            (void)plx_socket_poll(from);
    }
}

static void pollux_trips(void *user, size_t iterations)
{
    struct ends *ends = user;

    while (iterations-- > 0) {
        pollux_move(ends, ends->near, ends->far, MESSAGE);
        pollux_move(ends, ends->far, ends->near, MESSAGE);
    }
}

static void pollux_blocks(void *user, size_t iterations)
{
    struct ends *ends = user;

    while (iterations-- > 0)
        pollux_move(ends, ends->near, ends->far, BLOCK);
}

/* ---- both ------------------------------------------------------------------------------------ */

static void compare_through(struct bench *bench, struct ends *plain, struct ends *filtered)
{
    const struct bench_goal trip = {"filter: IPC round trip, 64 B, handed through", "ns",
                                    BENCH_AT_MOST, 1.02};
    const struct bench_goal bulk = {"filter: IPC blocks of 64 KiB, handed through", "ns",
                                    BENCH_AT_MOST, 1.02};
    const struct bench_side trips[] = {
        {"no filter", pollux_trips, plain, BENCH_THREAD_CPU},
        {"Pollux", pollux_trips, filtered, BENCH_THREAD_CPU},
    };
    const struct bench_side blocks[] = {
        {"no filter", pollux_blocks, plain, BENCH_THREAD_CPU},
        {"Pollux", pollux_blocks, filtered, BENCH_THREAD_CPU},
    };

    bench_compare(bench, &trip, bench_rounds(bench, 400), trips, 2);
    bench_compare(bench, &bulk, bench_rounds(bench, 400), blocks, 2);
}

static void compare_bits(struct bench *bench, const char *trip_name, const char *bulk_name,
                         struct ends *ends)
{
    const struct bench_goal trip = {trip_name, "ns", BENCH_NO_TARGET, 0};
    const struct bench_goal bulk = {bulk_name, "ns", BENCH_NO_TARGET, 0};
    const struct bench_side trips[] = {
        {"raw", raw_trips, ends, BENCH_THREAD_CPU},
        {"Pollux", pollux_trips, ends, BENCH_THREAD_CPU},
    };
    const struct bench_side blocks[] = {
        {"raw", raw_blocks, ends, BENCH_THREAD_CPU},
        {"Pollux", pollux_blocks, ends, BENCH_THREAD_CPU},
    };

    bench_compare(bench, &trip, bench_rounds(bench, 400), trips, 2);
    bench_compare(bench, &bulk, bench_rounds(bench, 400), blocks, 2);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct ends plain, handed, turning;

    bench_start(&bench, "filter", argc, argv);
    open_ends(&plain, NULL);
    open_ends(&handed, &through);
    open_ends(&turning, &bits);
    compare_through(&bench, &plain, &handed);
    compare_bits(&bench, "filter: IPC round trip, 64 B, no filter",
                 "filter: IPC blocks of 64 KiB, no filter", &plain);
    compare_bits(&bench, "filter: IPC round trip, 64 B, bits turned",
                 "filter: IPC blocks of 64 KiB, bits turned", &turning);
    close_ends(&plain);
    close_ends(&handed);
    close_ends(&turning);
    return bench_finish(&bench);
}
