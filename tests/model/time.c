/* tests/model/time.c -- the clock of a program. */
#include "config.h"

#include "tests/model/time.h"

#include "tests/model/ground.h"

#include <pollux.h>

static struct {
    enum clock_kind kind;
    uint64_t begun, ahead, marked;
} own;

/* What is left of the clock that ends, and how much of that the jumps may use. */
#define SECOND ((uint64_t)1000000000)
#define LEFT (10 * SECOND)
#define MOST_AHEAD (8 * SECOND)

/* The simulated kernel passes hours: the clock stops before its end, and never begins again. */
static uint64_t slowly(uint64_t passed)
{
    const uint64_t most = LEFT - MOST_AHEAD - 1;

    return passed / 1000 < most ? passed / 1000 : most;
}

static uint64_t own_time(void *user)
{
    uint64_t passed = ground_now() - own.begun;

    (void)user;
    switch (own.kind) {
    case CLOCK_STANDS: return 5 * SECOND + own.ahead;
    case CLOCK_ENDS: return UINT64_MAX - LEFT + slowly(passed) + own.ahead;
    default: return SECOND + passed + own.ahead;
    }
}

void time_begin(enum clock_kind kind)
{
    own.kind = kind;
    own.begun = ground_now();
    own.ahead = 0;
    plx_clock_set(kind == CLOCK_REAL ? NULL : own_time, NULL);
    time_mark();
}

void time_jump(int milliseconds)
{
    uint64_t jump = (uint64_t)milliseconds * 1000000u;

    if (own.kind != CLOCK_ENDS || own.ahead + jump <= MOST_AHEAD)
        own.ahead += jump;
    time_mark();
}

void time_mark(void)
{
    own.marked = plx_clock_now();
}

uint64_t time_marked(void)
{
    return own.marked;
}

bool time_pass(int milliseconds)
{
    uint64_t before = plx_clock_now();

    if (own.kind == CLOCK_REAL)
        ground_pause(milliseconds * 1000);
    else
        time_jump(milliseconds);
    return plx_clock_now() - before >= (uint64_t)milliseconds * 1000000u;
}

bool time_runs(void)
{
    return own.kind == CLOCK_REAL || own.kind == CLOCK_JUMPS;
}

bool time_is_real(void)
{
    return own.kind == CLOCK_REAL;
}
