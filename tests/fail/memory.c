/* tests/fail/memory.c -- each scenario, once for each allocation that it makes, with that one
 * failing and with all from that one on failing. See play.h.
 *
 * c-ares has an allocator of its own, which the library leaves as it is, so its allocations do not
 * fail here. Without memory for an answer c-ares drops the answer and asks again after its
 * time-out: the lookup then ends late, which no scenario waits for. */
#include "config.h"

#include <sys/mman.h>

#include "tests/fail/play.h"

/* In memory that the processes of the cases share. */
static struct counts {
    int scenarios, plays, failed, reported;
} * counts;

__attribute__((constructor)) static void share_counts(void)
{
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static bool is_of_memory(const struct fault *fault)
{
    return fault->code == PLX_OUT_OF_MEMORY;
}

/* Returns whether an allocation has failed. */
static bool play(const struct scenario *scenario, enum mode mode, int number)
{
    static struct play place;
    struct world world;
    struct play *p = &place;
    bool has_failed;

    world_begin_of(&world, scenario->kind, mode);
    play_begin(p, &world, scenario, number);
    play_lenient(p, is_of_memory);
    fail_allocation(number);
    scenario->run(p);
    has_failed = allocation_failed();
    counts->reported += p->failed;
    if (number > 0)
        fail_allocation(0);
    play_judge(p);
    fail_allocation(0);
    play_again(p);
    play_end(p);
    world_end(&world);
    counts->plays++;
    counts->failed += has_failed;
    return has_failed;
}

/* The index is that of a scenario and of a chosen way of polling. */
static int runs(void)
{
    enum mode modes[MODES];

    return scenario_count * world_chosen_modes(modes);
}

LOOP_CASE(each_allocation, 0, runs())
{
    const struct scenario *scenario = &scenarios[_i % scenario_count];
    enum mode modes[MODES];
    int count = world_chosen_modes(modes);
    enum mode mode = modes[_i / scenario_count % count];

    ck_assert_ptr_ne(counts, MAP_FAILED);
    if (!scenario_is_chosen(scenario))
        return;
    for (int number = 1; play(scenario, mode, number); number++) {
        ck_assert_int_lt(number, 1000);
        play(scenario, mode, -number);
    }
    counts->scenarios++;
}

PLAIN_CASE(how_much_has_failed)
{
    printf(
        "# %d times a scenario and a way of polling, %d plays, %d with failed allocations, %d of "
        "these reported, nothing lost\n",
        counts->scenarios, counts->plays, counts->failed, counts->reported);
    ck_assert_int_gt(counts->failed, 0);
    ck_assert_int_gt(counts->reported, 0);
}

WORLD_MAIN("fail-memory", .packets = true, .filtered = true)
