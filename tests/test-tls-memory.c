/* tests/test-tls-memory.c -- scenarios of tests/fail over TLS, with allocations of OpenSSL or of
 * ours that fail. See tests/fail/play.h.
 *
 * OpenSSL allocates thousands of blocks for a connection: one in STRIDE fails, with POLLUX_FAIL=all
 * each. */
#include "config.h"

#include <stdlib.h>

#include "tests/fail/play.h"
#include "tests/tls/allocation.h"

enum { STRIDE = 97 };

/* ---- playing them ---------------------------------------------------------------------------- */

/* One side has no memory, and the connection of the other is lost. A handshake without memory may
 * also end as one that fails. */
static bool is_of_memory(const struct fault *fault)
{
    return fault->code == PLX_OUT_OF_MEMORY || fault->code == PLX_LOST_CONNECTION;
}

/* Whose allocations fail. */
struct failing {
    void (*arm)(int number);
    bool (*failed)(void);
};

static bool play(const struct scenario *scenario, const struct failing *failing, int number)
{
    static struct play place;
    struct world world;
    struct play *p = &place;
    bool failed;

    world_begin_of(&world, scenario->kind, MODE_POLL);
    play_begin(p, &world, scenario, number);
    play_lenient(p, is_of_memory);
    failing->arm(number);
    scenario->run(p);
    failed = failing->failed();
    failing->arm(0);
    play_judge(p);
    play_again(p);
    play_end(p);
    world_end(&world);
    return failed;
}

static void play_each(const struct scenario *scenario, const struct failing *failing, int stride)
{
    int number = 1;

    play(scenario, failing, 0); /* OpenSSL keeps what it has loaded */
    for (; play(scenario, failing, number); number += stride)
        play(scenario, failing, -number);
    ck_assert_int_gt(number, 1);
    fprintf(stderr, "# %s, %s: about %d allocations\n", scenario->name, scenario->kind, number);
}

LOOP_CASE(each_allocation_of_ours, 0, scenario_count)
{
    play_each(&scenarios[_i], &(struct failing){fail_allocation, allocation_failed}, 1);
}

LOOP_CASE(allocations_of_openssl, 0, scenario_count)
{
    const char *which = getenv("POLLUX_FAIL");
    bool all = which != NULL && strcmp(which, "all") == 0;

    play_each(&scenarios[_i], &(struct failing){fail_openssl, openssl_failed}, all ? 1 : STRIDE);
}

WORLD_MAIN("tls-memory")
