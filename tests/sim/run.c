/* tests/sim/run.c -- tests/sim/run [SEEDS [FIRST]]: seeds of a server, its clients and the others
 * on the simulated kernel, each of them twice, with equal logs.
 *
 * Without arguments 8 seeds from 1 on; POLLUX_SEED=n plays that seed alone, and POLLUX_LOG=1 prints
 * its log. A seed is some hours of simulated time: first faults of all sorts, then calm, in which
 * every client has to get an echo. Then everything is freed, and nothing is left. */
#include "config.h"

#include "tests/sim/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND ((uint64_t)1000000000)

enum { ACTORS = CLIENTS + 2, HOUSE = CLIENTS, OTHERS, MOST_CALLS = 200000, MOST_IDLE = 20000 };

static struct {
    uint64_t call_at, calls_before;
    uint64_t hours_end, wakes[ACTORS]; /* when each actor acts next */
    bool stopped[ACTORS];              /* for an hour: it does not even poll */
    uint64_t restless; /* rounds without an event in which somebody wanted to go on */
} run;

/* c-ares reads the clock itself: it gets the simulated one. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    (void)clock;
    *ret_time = (struct timespec){(time_t)(sim_now() / SECOND), (long)(sim_now() % SECOND)};
    return 0;
}

static double real_seconds(void)
{
    struct timespec now = {0};
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- calls ----------------------------------------------------------------------------------- */

void run_call_begins(void)
{
    run.call_at = sim_now();
    run.calls_before = sim_counts()->calls;
}

void run_call_ends(const char *name, int sleeps)
{
    uint64_t calls = sim_counts()->calls - run.calls_before;
    uint64_t lasted = (sim_now() - run.call_at) / 1000000;
    if (sleeps == 0 && (calls > MOST_CALLS || lasted > 1000)) {
        run_fault("%s made %llu calls of the kernel in %llu ms", name, (unsigned long long)calls,
                  (unsigned long long)lasted);
    }
    if (sleeps > 0 && lasted > (uint64_t)sleeps + 200) {
        run_fault("%s slept %llu ms of %d", name, (unsigned long long)lasted, sleeps);
    }
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static void act(int actor)
{
    if (actor == HOUSE) {
        house_act();
    } else if (actor == OTHERS) {
        others_act();
    } else {
        crowd_act(actor);
    }
}

static bool poll_one(int actor)
{
    return actor == HOUSE ? house_poll() : actor == OTHERS ? others_poll() : crowd_poll(actor);
}

static int deadline_of(int actor)
{
    return actor == HOUSE    ? house_deadline()
           : actor == OTHERS ? others_deadline()
                             : crowd_deadline(actor);
}

/* From milliseconds to minutes; once in a long while an hour, in which the actor stands still. */
static void draw_wake(int actor, bool calm)
{
    static const uint64_t scales[] = {1, 30, 1000, 20000};
    uint64_t most = scales[sim_chance(4)] * 1000000;
    bool stops = !calm && actor != OTHERS && sim_chance(700) == 0;
    run.stopped[actor] = stops;
    run.wakes[actor] = sim_now() + (stops ? 3600 * SECOND : 1 + sim_chance(most));
    if (stops) {
        run_log("actor %d stops for an hour", actor);
    }
}

/* Returns the moment of the next round. */
static uint64_t play_round(bool calm)
{
    uint64_t next = sim_now() + 60 * SECOND;
    for (int i = 0; i < ACTORS; i++) {
        if (sim_now() >= run.wakes[i]) {
            draw_wake(i, calm);
            act(i);
        }
        if (!run.stopped[i]) {
            bool more = poll_one(i);
            int deadline = more ? 0 : deadline_of(i);
            uint64_t at = deadline < 0 ? next : sim_now() + (uint64_t)deadline * 1000000;
            next = at < next ? at : next;
        }
        next = run.wakes[i] < next ? run.wakes[i] : next;
    }
    return sim_next() != 0 && sim_next() < next ? sim_next() : next;
}

static void check_rest(uint64_t next, uint64_t lines_before)
{
    run.restless = run_notes.lines == lines_before && next <= sim_now() ? run.restless + 1 : 0;
    if (run.restless > MOST_IDLE) {
        for (int i = 0; i < ACTORS; i++) {
            printf("actor %d: deadline %d ms, acts in %.3f s%s\n", i, deadline_of(i),
                   ((double)run.wakes[i] - (double)sim_now()) / 1e9,
                   run.stopped[i] ? ", stopped" : "");
        }
        run_fault("%d rounds in which something was left to do, and nothing happened", MOST_IDLE);
    }
}

static void play_until(uint64_t end, bool calm)
{
    while (sim_now() < end) {
        uint64_t lines = run_notes.lines;
        alarm(60);
        uint64_t next = play_round(calm);
        check_rest(next, lines);
        sim_advance(next);
        bool done = calm;
        for (int i = 0; i < CLIENTS && done; i++) {
            done = crowd_has_echo(i);
        }
        if (done) {
            return;
        }
    }
}

/* ---- a seed ---------------------------------------------------------------------------------- */

static void begin(uint64_t seed)
{
    sim_begin(seed);
    run_begin(seed);
    run.restless = 0;
    setting.sort = (enum run_sort)sim_chance(3);
    setting.filtered = setting.sort != RUN_PACKET && sim_chance(2) == 0;
    setting.grouping = (int)sim_chance(3);
    setting.by_name = setting.sort == RUN_TCP && sim_chance(2) == 0;
    memory_begin(sim_chance(4) == 0);
    if (sim_chance(4) == 0) {
        sim_set_limit(20 + (int)sim_chance(40));
    }
    for (int i = 0; i < ACTORS; i++) {
        run.wakes[i] = sim_now() + sim_chance(SECOND);
        run.stopped[i] = false;
    }
    house_begin();
    others_begin();
    crowd_begin();
}

static void be_calm(void)
{
    run_log("calm");
    sim_calm();
    sim_set_limit(1024);
    memory_calm();
    house_calm();
    others_calm();
    crowd_calm();
    for (int i = 0; i < ACTORS; i++) {
        run.stopped[i] = false;
        run.wakes[i] = sim_now();
    }
    play_until(sim_now() + 1800 * SECOND, true);
    for (int i = 0; i < CLIENTS; i++) {
        if (!crowd_has_echo(i)) {
            run_fault("client %d has no echo after half an hour of calm", i);
        }
    }
}

static void end(void)
{
    crowd_end();
    house_end();
    others_end();
    if (memory_live() != 0) {
        run_fault("%d blocks are left", (int)memory_live());
    }
    sim_advance(sim_now() + 600 * SECOND);
    if (sim_open_descriptors() != 0) {
        sim_list_descriptors();
        run_fault("%d descriptors are open, %d of them in no message", sim_open_descriptors(),
                  sim_descriptors_of_table());
    }
}

static struct sim_counts totals;
static uint64_t simulated, total_lines;

static uint64_t play(uint64_t seed)
{
    begin(seed);
    uint64_t start = sim_now();
    play_until(start + 2 * 3600 * SECOND, false);
    be_calm();
    simulated += sim_now() - start;
    end();
    const struct sim_counts *counts = sim_counts();
    totals.calls += counts->calls;
    totals.events += counts->events;
    totals.sockets += counts->sockets;
    totals.connections += counts->connections;
    totals.bytes += counts->bytes;
    totals.datagrams += counts->datagrams;
    totals.descriptors_passed += counts->descriptors_passed;
    for (int i = 0; i < SIM_FAULTS; i++) {
        totals.faults[i] += counts->faults[i];
    }
    total_lines += run_notes.lines;
    sim_end();
    return run_notes.digest;
}

static void report(int seeds, double seconds)
{
    printf("%d seeds twice: %.1f simulated hours in %.1f s, %.0f simulated hours an hour\n", seeds,
           (double)simulated / 3.6e12, seconds, (double)simulated / 3.6e12 / seconds * 3600);
    printf("calls %llu, kernel events %llu, sockets %llu, connections %llu, bytes %llu, datagrams "
           "%llu, descriptors passed %llu, lines %llu\n",
           (unsigned long long)totals.calls, (unsigned long long)totals.events,
           (unsigned long long)totals.sockets, (unsigned long long)totals.connections,
           (unsigned long long)totals.bytes, (unsigned long long)totals.datagrams,
           (unsigned long long)totals.descriptors_passed, (unsigned long long)total_lines);
    printf("faults:");
    for (int i = 0; i < SIM_FAULTS; i++) {
        printf(" %s %llu%s", sim_fault_name((enum sim_fault)i),
               (unsigned long long)totals.faults[i], i + 1 < SIM_FAULTS ? "," : "\n");
    }
    printf("100%%: Checks: %d, Failures: 0, Errors: 0\n", seeds);
}

int main(int count, char **arguments)
{
    const char *one = getenv("POLLUX_SEED");
    int seeds = one != NULL ? 1 : count > 1 ? atoi(arguments[1]) : 8;
    uint64_t first = strtoull(one != NULL ? one : count > 2 ? arguments[2] : "1", NULL, 10);
    double start = real_seconds();
    const char *log = getenv("POLLUX_LOG");
#ifndef HAVE_CARES
    fprintf(stderr, "SKIP: built without c-ares: this kernel has a name server and no threads\n");
    return 77;
#endif
    run_prepare("tests/sim/run");
    if (log != NULL && strcmp(log, "2") == 0) { /* the log of the second time */
        run_notes.prints = false;
        play(first);
        run_notes.prints = true;
    }
    for (uint64_t seed = first; seed < first + (uint64_t)seeds; seed++) {
        uint64_t digest = play(seed);
        if (run_notes.prints) {
            printf("seed %llu: digest %016llx\n", (unsigned long long)seed,
                   (unsigned long long)digest);
            return 0;
        }
        if (play(seed) != digest) {
            run_fault("the second log differs from the first");
        }
        printf("seed %llu: digest %016llx\n", (unsigned long long)seed, (unsigned long long)digest);
    }
    report(seeds, real_seconds() - start);
    return 0;
}
