/* tests/bench/bench-latency.c -- how long after it was sent a message is in the program's hands,
 * for four ways to poll.
 *
 * A process of its own sends messages over a Unix socket, at moments that have nothing to do with
 * the loop; each carries the time it was sent at. The receiver spins, or sleeps a millisecond
 * between polls, or polls 60 times a second, or sleeps in the library's own wait. The loop of 60 Hz
 * polls all peers in each frame, the others one after the other. */
#include "config.h"

#include "tests/bench/field.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_MESSAGES = 1000, PATH = 64 };

/* Messages that each of `count` sides is sent from `first` on, with gaps at random between two
 * bounds. */
struct order {
    unsigned first, count, messages;
    double least, most; /* nanoseconds */
};

static void sleep_for(double nanoseconds)
{
    struct timespec time = {.tv_nsec = (long)nanoseconds};

    (void)nanosleep(&time, NULL);
}

/* ---- the sender ------------------------------------------------------------------------------ */

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        bench_fail("connect the sender");
    return descriptor;
}

static void send_messages(const int *descriptors, const struct order *order)
{
    static unsigned random = 12345;

    for (unsigned i = 0; i < order->messages; i++) {
        random = random * 1103515245u + 12345u;
        sleep_for(order->least + (order->most - order->least) * (random >> 8) / (1 << 24));
        for (unsigned j = 0; j < order->count; j++) {
            double now = bench_now(BENCH_MONOTONIC);

            if (send(descriptors[order->first + j], &now, sizeof now, MSG_NOSIGNAL) < 0)
                bench_fail("send a message");
        }
    }
}

/* Begins with the paths to connect to, of which the empty one is the last. */
static _Noreturn void live(int channel)
{
    int descriptors[BENCH_SIDES];
    unsigned count = 0;
    char path[PATH];
    struct order order;

    while (read(channel, path, sizeof path) == (ssize_t)sizeof path && path[0] != '\0')
        descriptors[count++] = connect_to(path);
    while (read(channel, &order, sizeof order) == (ssize_t)sizeof order)
        send_messages(descriptors, &order);
    _exit(0);
}

static int start_sender(pid_t *ret_process)
{
    int channel[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0)
        bench_fail("make the channel to the sender");
    *ret_process = fork();
    if (*ret_process < 0)
        bench_fail("fork");
    if (*ret_process == 0) {
        close(channel[0]);
        bench_settle(false);
        live(channel[1]);
    }
    bench_settle(true);
    close(channel[1]);
    return channel[0];
}

static void tell(int channel, const void *data, size_t size)
{
    if (write(channel, data, size) != (ssize_t)size)
        bench_fail("write to the sender");
}

/* ---- the receivers --------------------------------------------------------------------------- */

/* What look is given is the tally alone: it comes first. */
struct receiver {
    struct side side;
    double samples[MOST_MESSAGES]; /* microseconds */
    size_t count;
    char path[PATH];
};

static struct receiver receivers[BENCH_SIDES];
static size_t receiver_count;

static struct receiver *receiver_of(const struct peer_tally *tally)
{
    for (size_t i = 0; i < receiver_count; i++)
        if (&receivers[i].side.tally == tally)
            return &receivers[i];
    return NULL;
}

static void look(struct peer_tally *tally, const void *data, size_t size)
{
    double now = bench_now(BENCH_MONOTONIC);
    struct receiver *receiver = receiver_of(tally);
    double sent;

    for (size_t i = 0; i + sizeof sent <= size && receiver->count < MOST_MESSAGES;
         i += sizeof sent) {
        memcpy(&sent, (const char *)data + i, sizeof sent);
        receiver->samples[receiver->count++] = (now - sent) / 1e3;
    }
}

static void open_receivers(struct bench *bench, int channel)
{
    const struct peer *const *peers = field_peers();
    const char end[PATH] = "";

    for (size_t i = 0; peers[i] != NULL; i++) {
        struct receiver *receiver = &receivers[receiver_count];

        (void)snprintf(receiver->path, PATH, "/tmp/pollux-bench-%d-%zu", (int)getpid(), i);
        if (peers[i]->server == NULL || peers[i]->server->wait == NULL)
            continue;
        if (!side_open_server(&receiver->side, peers[i], receiver->path)) {
            field_name_unable(bench, peers[i]);
            continue;
        }
        receiver->side.tally.look = look;
        receiver_count++;
        tell(channel, receiver->path, PATH);
        while (receiver->side.tally.accepted == 0)
            side_poll(&receiver->side);
    }
    tell(channel, end, PATH);
}

static void close_receivers(void)
{
    for (size_t i = 0; i < receiver_count; i++) {
        receivers[i].side.peer->server->close(receivers[i].side.object);
        (void)unlink(receivers[i].path);
    }
}

/* ---- the ways to poll ------------------------------------------------------------------------ */

static void spin(struct side *side)
{
    (void)side->peer->server->poll(side->object);
}

static void rest_a_millisecond(struct side *side)
{
    sleep_for(1e6);
    (void)side->peer->server->poll(side->object);
}

static void wait_for_it(struct side *side)
{
    side->peer->server->wait(side->object);
}

static void each_in_turn(struct bench *bench, int channel, const struct order *model,
                         void (*pass)(struct side *side))
{
    enum { PARTS = 20 };
    struct order order = *model;

    order.messages = (unsigned)bench_rounds(bench, order.messages) / PARTS;
    order.count = 1;
    for (unsigned part = 0; part < PARTS; part++)
        for (size_t i = 0; i < receiver_count; i++) {
            order.first = (unsigned)i;
            tell(channel, &order, sizeof order);
            while (receivers[i].count < (part + 1) * order.messages)
                pass(&receivers[i].side);
        }
}

static void all_in_a_frame(struct bench *bench, int channel, const struct order *model)
{
    struct order order = *model;
    bool waiting = true;

    order.messages = (unsigned)bench_rounds(bench, order.messages);
    order.count = (unsigned)receiver_count;
    tell(channel, &order, sizeof order);
    for (size_t frame = 0; waiting; frame++) {
        sleep_for(1e9 / 60);
        waiting = false;
        for (size_t turn = 0; turn < receiver_count; turn++) {
            struct receiver *receiver = &receivers[(turn + frame) % receiver_count];

            spin(&receiver->side);
            waiting = waiting || receiver->count < order.messages;
        }
    }
}

/* ---- reporting ------------------------------------------------------------------------------- */

/* The receivers are empty afterwards. */
static void report(struct bench *bench, const char *way, const char *file)
{
    static const struct {
        const char *name;
        double share;
    } rows[] = {{"p50", 0.5}, {"p99", 0.99}, {"longest", 1}};
    char text[100];
    const struct bench_goal goal = {.what = text, .unit = "us"};

    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        double reference = -1;

        (void)snprintf(text, sizeof text, "latency, %s: %s", way, rows[row].name);
        for (size_t i = 0; i < receiver_count; i++) {
            double value =
                bench_quantile(receivers[i].samples, receivers[i].count, rows[row].share);

            reference = i == 0 ? value : reference;
            bench_report_value(bench, &goal, receivers[i].side.peer->name, reference, value);
        }
    }
    for (size_t i = 0; i < receiver_count; i++) {
        bench_write_quantiles(bench, file, i == 0, receivers[i].side.peer->name,
                              receivers[i].samples, receivers[i].count);
        receivers[i].count = 0;
    }
}

int main(int argc, char **argv)
{
    const struct order soon = {.messages = 1000, .least = 0.2e6, .most = 1.2e6};
    const struct order later = {.messages = 600, .least = 1.5e6, .most = 4e6};
    const struct order rarely = {.messages = 300, .least = 17e6, .most = 50e6};
    struct bench bench;
    pid_t process;
    int channel;

    bench_start(&bench, "latency", argc, argv);
    (void)signal(SIGPIPE, SIG_IGN);
    channel = start_sender(&process);
    field_name_missing(&bench);
    open_receivers(&bench, channel);
    each_in_turn(&bench, channel, &soon, spin);
    report(&bench, "spinning poll", "latency-spin");
    each_in_turn(&bench, channel, &soon, wait_for_it);
    report(&bench, "blocking wait", "latency-wait");
    each_in_turn(&bench, channel, &later, rest_a_millisecond);
    report(&bench, "1 ms loop", "latency-loop");
    all_in_a_frame(&bench, channel, &rarely);
    report(&bench, "60 Hz frame", "latency-frame");
    close_receivers();
    close(channel);
    (void)waitpid(process, NULL, 0);
    return bench_finish(&bench);
}
