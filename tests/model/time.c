/* tests/model/time.c -- the clock of a program. */
#include "config.h"

#include "tests/model/time.h"

#include "tests/model/ground.h"

#include <pollux.h>

static struct {
    enum clock_kind kind;
    uint64_t begun, ahead;
} own;

static uint64_t own_time(void *user)
{
    uint64_t passed = ground_now() - own.begun;

    (void)user;
    switch (own.kind) {
    case CLOCK_STANDS: return 5000000000u + own.ahead;
    case CLOCK_ENDS: return UINT64_MAX - 40000000000u + passed / 1000 + own.ahead;
    default: return 1000000000u + passed + own.ahead;
    }
}

void time_begin(enum clock_kind kind)
{
    own.kind = kind;
    own.begun = ground_now();
    own.ahead = 0;
    plx_clock_set(kind == CLOCK_REAL ? NULL : own_time, NULL);
}

/* The clock that ends has 40 seconds left. */
void time_jump(int milliseconds)
{
    if (own.kind != CLOCK_ENDS || own.ahead < 30000000000u)
        own.ahead += (uint64_t)milliseconds * 1000000u;
}
