/* tests/bench/bench-flood.c -- the longest poll under a flood, with a budget of microseconds.
 *
 * Every poll is timed by itself, in thread CPU time: what other programs take away is not the
 * library's. The ratio is the time of a poll divided by the budget. */
#include "config.h"

#include "tests/bench/bench.h"
#include "tests/bench/crowd.h"
#include "tests/bench/service.h"

#include <pollux.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { BUDGET = 500, POLLS = 3000, FRAME = 1000000, RAW_BLOCK = 65536 };
enum { CONNECTIONS = 1000, BYSTANDERS = 100, NEWCOMERS = 1000 };

struct flood {
    struct service service;
    struct crowd flooders, others;
    size_t bytes, answered;
    double *times; /* microseconds of each poll */
    size_t count, room;
    double raw_times[POLLS]; /* of each turn of the raw loop */
    size_t raw_count;
};

static void take_bytes(plx_socket *socket, void *user)
{
    struct flood *flood = user;

    flood->bytes += plx_socket_skip(socket, plx_socket_bytes_available(socket));
}

static void echo_message(plx_socket *socket, void *user)
{
    size_t size;
    const void *data = plx_socket_read_all(socket, &size);

    (void)user;
    (void)plx_socket_write(socket, data, size);
}

/* The budget may run out between the handler and the sending, so a message counts as answered here
 * only. */
static void count_answer(plx_socket *socket, bool user_aborted, void *user)
{
    struct flood *flood = user;

    (void)socket;
    (void)user_aborted;
    flood->answered++;
}

static const plx_events taking = {.data_available = take_bytes};
static const plx_events echoing = {.data_available = echo_message, .send_complete = count_answer};

static void timed_poll(struct flood *flood)
{
    double start = bench_now(BENCH_THREAD_CPU);

    (void)plx_group_poll(flood->service.group, 0);
    if (flood->count < flood->room)
        flood->times[flood->count++] = (bench_now(BENCH_THREAD_CPU) - start) / 1e3;
}

static bool raw_pass(struct flood *flood, double end)
{
    static char block[RAW_BLOCK];
    plx_socket *client = plx_server_next_active(flood->service.server, NULL);
    bool more = false;

    for (; client != NULL; client = plx_server_next_active(flood->service.server, client)) {
        if (bench_now(BENCH_MONOTONIC) >= end)
            return false;
        if (recv(plx_socket_handle(client), block, sizeof block, MSG_DONTWAIT) > 0)
            more = true;
    }
    return more;
}

/* A bare loop over the same descriptors with the same budget. It shows what no library can help:
 * one call that takes long, and the time that interrupts and the hypervisor take from this thread.
 */
static void raw_turn(struct flood *flood)
{
    double start = bench_now(BENCH_THREAD_CPU);
    double end = bench_now(BENCH_MONOTONIC) + 1e3 * BUDGET;

    while (raw_pass(flood, end))
        continue;
    flood->raw_times[flood->raw_count++] = (bench_now(BENCH_THREAD_CPU) - start) / 1e3;
}

static void rest(void)
{
    struct timespec frame = {.tv_nsec = FRAME};

    (void)nanosleep(&frame, NULL);
}

static void report_times(struct bench *bench, const char *name, double *times, size_t count,
                         bool aimed)
{
    static const struct {
        const char *text;
        double share;
        bool aimed;
    } rows[] = {
        {"p50", 0.5, false}, {"p99", 0.99, false}, {"p99.9", 0.999, true}, {"longest", 1, true}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char what[80];
        struct bench_goal goal = {what, "us", BENCH_NO_TARGET, 1.1};

        if (aimed && rows[i].aimed)
            goal.bound = BENCH_AT_MOST;
        (void)snprintf(what, sizeof what, "%s / budget: %s", name, rows[i].text);
        bench_report_value(bench, &goal, aimed ? "Pollux" : "raw", BUDGET,
                           bench_quantile(times, count, rows[i].share));
    }
}

static void report(struct bench *bench, struct flood *flood, const char *name)
{
    report_times(bench, name, flood->times, flood->count, true);
    flood->count = 0;
}

static void open_service(struct flood *flood, const plx_events *events)
{
    service_open(&flood->service, NULL, events, flood);
    flood->bytes = 0;
    flood->answered = 0;
    flood->raw_count = 0;
}

/* ---- floods ---------------------------------------------------------------------------------- */

/* Some clients send all they can; nobody else is there. */
static void bulk(struct bench *bench, struct flood *flood, unsigned senders, const char *name)
{
    const struct bench_goal rate = {"  received meanwhile, per poll", "KiB", BENCH_NO_TARGET, 0};
    struct crowd_choice choice = {.total = senders, .count = senders};

    open_service(flood, &taking);
    service_admit(&flood->service, &flood->flooders, senders);
    plx_group_set_budget(flood->service.group, BUDGET, 0);
    crowd_flood(&flood->flooders, &choice);
    for (size_t i = 0; i < bench_rounds(bench, POLLS); i++) {
        rest();
        timed_poll(flood);
        rest();
        raw_turn(flood);
    }
    bench_report_value(bench, &rate, "Pollux", -1,
                       (double)flood->bytes / 1024 / (double)flood->count);
    report(bench, flood, name);
    report_times(bench, "  (a raw loop instead)", flood->raw_times, flood->raw_count, false);
    crowd_calm(&flood->flooders);
    service_close(&flood->service);
    crowd_close(&flood->flooders);
}

/* All of 1 000 clients send one message in each frame, more than the budget allows to answer in one
 * poll. */
static void messages(struct bench *bench, struct flood *flood)
{
    const struct crowd_choice all = {.total = CONNECTIONS, .count = CONNECTIONS};

    open_service(flood, &echoing);
    service_admit(&flood->service, &flood->others, CONNECTIONS);
    plx_group_set_budget(flood->service.group, BUDGET, 0);
    for (size_t frame = 0; frame < bench_rounds(bench, 200); frame++) {
        crowd_send(&flood->others, &all);
        for (flood->answered = 0; flood->answered < CONNECTIONS;)
            timed_poll(flood);
        crowd_receive(&flood->others, &all);
    }
    report(bench, flood, "1000 messages at once");
    service_close(&flood->service);
    crowd_close(&flood->others);
}

/* 1 000 clients wait in the kernel's queue when the frame begins. */
static void newcomers(struct bench *bench, struct flood *flood)
{
    for (size_t round = 0; round < bench_rounds(bench, 20); round++) {
        plx_server *server;

        open_service(flood, &taking);
        server = flood->service.server;
        plx_group_set_budget(flood->service.group, BUDGET, 0);
        crowd_connect(&flood->others, plx_server_port(server), NEWCOMERS);
        while (plx_server_active_count(server) < NEWCOMERS)
            timed_poll(flood);
        service_close(&flood->service);
        crowd_close(&flood->others);
    }
    report(bench, flood, "1000 newcomers at once");
}

/* One floods, a hundred others send a message each frame: in how many polls are all of them
 * answered? */
static void bystanders(struct bench *bench, struct flood *flood)
{
    const struct bench_goal most = {"polls until 100 bystanders are answered, most", "",
                                    BENCH_AT_MOST, 3};
    const struct bench_goal median = {"polls until 100 bystanders are answered, median", "",
                                      BENCH_NO_TARGET, 0};
    const struct crowd_choice flooder = {.total = 1, .count = 1};
    const struct crowd_choice others = {.total = BYSTANDERS, .count = BYSTANDERS};
    static double polls[POLLS];
    size_t frames = bench_rounds(bench, 500);

    open_service(flood, &taking);
    service_admit(&flood->service, &flood->flooders, 1);
    plx_server_set_client_events(flood->service.server, &echoing, flood);
    service_admit(&flood->service, &flood->others, 1 + BYSTANDERS);
    plx_group_set_budget(flood->service.group, BUDGET, 0);
    crowd_flood(&flood->flooders, &flooder);
    for (size_t frame = 0; frame < frames; frame++) {
        size_t first = flood->count;

        rest();
        crowd_send(&flood->others, &others);
        for (flood->answered = 0; flood->answered < BYSTANDERS;)
            timed_poll(flood);
        polls[frame] = (double)(flood->count - first);
        crowd_receive(&flood->others, &others);
    }
    bench_report_value(bench, &median, "Pollux", -1, bench_quantile(polls, frames, 0.5));
    bench_report_value(bench, &most, "Pollux", -1, bench_quantile(polls, frames, 1));
    report(bench, flood, "1 sender among 100 bystanders");
    crowd_calm(&flood->flooders);
    service_close(&flood->service);
    crowd_close(&flood->flooders);
    crowd_close(&flood->others);
}

int main(int argc, char **argv)
{
    static struct flood flood = {.room = 1000000};
    struct bench bench;

    bench_start(&bench, "flood", argc, argv);
    flood.times = calloc(flood.room, sizeof *flood.times);
    if (flood.times == NULL)
        bench_fail("memory for the times");
    crowd_start(&flood.flooders);
    crowd_start(&flood.others);
    bulk(&bench, &flood, 1, "1 sender");
    bulk(&bench, &flood, 50, "50 senders");
    messages(&bench, &flood);
    newcomers(&bench, &flood);
    bystanders(&bench, &flood);
    crowd_end(&flood.flooders);
    crowd_end(&flood.others);
    free(flood.times);
    return bench_finish(&bench);
}
