/* tests/fail/kernel.c -- each scenario, once for each system call that it makes, with that one
 * failing, or that one and those of its kind that follow. See play.h and calls.h.
 *
 * `make check` takes one way of polling and every fifth call. With POLLUX_TEST_WORLDS=all every
 * call in every way of polling fails with one of its errnos, each with another; with
 * POLLUX_FAIL=all, as in `make fail`, with each of its errnos, once and again and again. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/fail/calls.h"
#include "tests/fail/play.h"

enum { STRIDE = 5, STORMS = 4, CHANCE = 200 /* in a thousand */ };

/* In memory that the processes of the cases share. */
static struct counts {
    int scenarios, plays, failed, reported, soft;
    long stormed;
} * counts;

__attribute__((constructor)) static void share_counts(void)
{
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* The errno or the class code that stands for it: EADDRINUSE for a file that is locked, and so
 * on. */
static bool is_of_call(const struct fault *fault)
{
    struct failed_call call = calls_failed();
    bool is_class = fault->code >= PLX_OPEN_DRIVER && fault->code <= PLX_OUT_OF_MEMORY;

    if (call.count == 0 || (fault->reason == PLX_REASON_REMOTE_HOST_CLOSED && fault->os_error == 0))
        return false;
    return fault->os_error == call.error || fault->code == call.error || is_class;
}

static const char *describe(void)
{
    static char text[100];
    struct failed_call call = calls_failed();

    snprintf(text, sizeof text, ": %s failed %d times with errno %d", call.name, call.count,
             call.error);
    return call.name == NULL ? "" : text;
}

static bool is_of_calls(const struct scenario *scenario)
{
    if (scenario->of_memory)
        fprintf(stderr, "# %s: left out, only allocations fail there\n", scenario->name);
    return !scenario->of_memory && scenario_is_chosen(scenario);
}

/* A lookup asks each name server three times (lib/resolve/ares.c), each time at once if a query cannot
 * be sent: it has to report that none left. */
enum { TRIES = 3 };

static bool may_report(const struct scenario *scenario, const struct failed_call *call)
{
    bool is_send = call->name != NULL && strcmp(call->name, "send") == 0;

    return !call->is_soft || (scenario->asks_names && is_send && call->count >= TRIES);
}

static struct failed_call play(const struct scenario *scenario, enum mode mode, int number,
                               int choice, int length)
{
    static struct play place;
    struct world world;
    struct play *p = &place;
    struct failed_call call;

    world_begin_of(&world, scenario->kind, mode);
    play_begin(p, &world, scenario, number);
    play_lenient(p, is_of_call);
    p->describe = describe;
    calls_fail(number, choice, length);
    scenario->run(p);
    call = calls_failed();
    HOLDS(p, !p->failed || may_report(scenario, &call));
    counts->reported += p->failed;
    if (length == 1)
        calls_stop();
    play_judge(p);
    calls_stop();
    play_again(p);
    play_end(p);
    world_end(&world);
    counts->plays++;
    counts->failed += call.count;
    counts->soft += call.is_soft;
    return call;
}

/* Whether each errno is tried, and not one of them. */
static bool wants_all(void)
{
    const char *choice = getenv("POLLUX_FAIL");

    return choice != NULL && strcmp(choice, "all") == 0;
}

static bool play_each_errno(const struct scenario *scenario, enum mode mode, int number)
{
    struct failed_call call = {.error = 1};

    for (int choice = 0; call.error != 0; choice++) {
        call = play(scenario, mode, number, choice, 1);
        if (call.error != 0)
            play(scenario, mode, number, choice, INT_MAX);
    }
    return call.name != NULL;
}

/* The errno is another one for each call: the choice of a number beyond those that the call has is
 * halved. */
static bool play_one_errno(const struct scenario *scenario, enum mode mode, int number)
{
    int choice = number * 7 % 9, length = number % 2 == 0 ? 1 : INT_MAX;
    struct failed_call call = play(scenario, mode, number, choice, length);

    while (call.name != NULL && call.error == 0) {
        choice /= 2;
        call = play(scenario, mode, number, choice, length);
    }
    return call.name != NULL;
}

/* Every call fails where the ways of polling are chosen, as in a whole test run, and every fifth
 * where a short one has to do. */
static int stride(void)
{
    const char *choice = getenv("POLLUX_TEST_WORLDS");

    return wants_all() || (choice != NULL && choice[0] != '\0') ? 1 : STRIDE;
}

/* The index is that of a scenario and of a chosen way of polling. */
static int runs(void)
{
    enum mode modes[MODES];

    return scenario_count * world_chosen_modes(modes);
}

LOOP_CASE(each_call, 0, runs())
{
    const struct scenario *scenario = &scenarios[_i % scenario_count];
    enum mode modes[MODES];
    int count = world_chosen_modes(modes);
    enum mode mode = modes[_i / scenario_count % count];
    bool on = true;

    ck_assert_ptr_ne(counts, MAP_FAILED);
    if (!is_of_calls(scenario) || !calls_are_ours())
        return;
    for (int number = 1 + _i % stride(); on && number < 2000; number += stride())
        on = wants_all() ? play_each_errno(scenario, mode, number)
                         : play_one_errno(scenario, mode, number);
    counts->scenarios++;
}

/* Nothing may fail in a rough storm, and everything arrives. Where names are asked for the storm is a
 * gentle one: a rough one may leave each of the few queries without room, which ends the lookup. */
static void play_in_storm(const struct scenario *scenario, enum mode mode, unsigned long long seed)
{
    static struct play place;
    struct world world;
    struct play *p = &place;
    long before = calls_stormed();

    world_begin_of(&world, scenario->kind, mode);
    play_begin(p, &world, scenario, (int)seed);
    calls_storm(seed, CHANCE, !scenario->asks_names);
    scenario->run(p);
    HOLDS(p, !p->failed);
    counts->stormed += calls_stormed() - before;
    calls_stop();
    play_judge(p);
    play_end(p);
    world_end(&world);
}

/* POLLUX_SEED chooses the storms, and the number in a message is the seed of that storm. */
LOOP_CASE(storms, 0, runs())
{
    const struct scenario *scenario = &scenarios[_i % scenario_count];
    enum mode modes[MODES];
    int count = world_chosen_modes(modes);
    enum mode mode = modes[_i / scenario_count % count];
    const char *choice = getenv("POLLUX_SEED");
    unsigned long long seed = choice == NULL ? 1 : strtoull(choice, NULL, 0);

    if (!is_of_calls(scenario) || !calls_are_ours())
        return;
    for (int i = 0; i < (wants_all() ? 1000 : STORMS); i++)
        play_in_storm(scenario, mode, seed + (unsigned long long)i);
}

PLAIN_CASE(how_much_has_failed)
{
    if (!calls_are_ours()) {
        fprintf(stderr, "SKIP: no shared library, so no call of the library can be made to fail\n");
        return;
    }
    printf(
        "# %d times a scenario and a way of polling, %d plays, %d calls failed, %d failures "
        "reported, %d plays as if nothing had failed, %ld calls failed in storms, nothing lost\n",
        counts->scenarios, counts->plays, counts->failed, counts->reported, counts->soft,
        counts->stormed);
    ck_assert_int_gt(counts->failed, 0);
    ck_assert_int_gt(counts->reported, 0);
}

WORLD_MAIN("fail-calls", .packets = true, .filtered = true)
