/* tests/model/ground-sim.c -- the time and the descriptors of the simulated kernel.
 *
 * Each program has a kernel of its own, whose distances and faults follow from the program's
 * seed. */
#include "config.h"

#include "tests/model/ground.h"

#include "tests/sim/extra.h"
#include "tests/sim/kernel.h"

#include <string.h>
#include <time.h>

#define MILLISECOND ((uint64_t)1000000)

/* c-ares reads the clock itself: it gets the simulated one. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    (void)clock;
    *ret_time = (struct timespec){(time_t)(sim_now() / SIM_SECOND), (long)(sim_now() % SIM_SECOND)};
    return 0;
}

/* What only some programs expect; every other fault belongs to each. */
static const enum sim_fault cutting[] = {SIM_RESET, SIM_UNREACHABLE, SIM_ABORTED};
static const enum sim_fault starving[] = {SIM_MFILE, SIM_NFILE};
static const enum sim_fault refusing[] = {SIM_NOBUFS, SIM_NOMEM};

static struct {
    const struct program *program;
    uint64_t begun;
} ground;

/* A program makes few calls of the kernel: what happens at all happens often. */
static void be_frequent(void)
{
    enum { TIMES = 10 };

    for (int i = 0; i < SIM_FAULTS; i++)
        sim_set_rate((enum sim_fault)i, sim.rates[i] * TIMES);
}

static void leave_out(const enum sim_fault *faults, size_t count, bool wanted)
{
    for (size_t i = 0; i < count && !wanted; i++)
        sim_set_rate(faults[i], 0);
}

/* The kernel of seed 0 has no distances. */
bool ground_begin(const struct program *program)
{
    sim_begin(program->seed + 1);
    be_frequent();
    leave_out(cutting, sizeof cutting / sizeof *cutting, program->cuts);
    leave_out(starving, sizeof starving / sizeof *starving, program->starves);
    leave_out(refusing, sizeof refusing / sizeof *refusing, program->refused > 0);
    ground.program = program;
    ground.begun = sim_now();
    return true;
}

bool ground_cuts(void)
{
    return ground.program->cuts;
}

bool ground_has_refused(void)
{
    return sim_counts()->faults[SIM_NOBUFS] + sim_counts()->faults[SIM_NOMEM] > 0;
}

bool ground_is_simulated(void)
{
    return true;
}

uint64_t ground_now(void)
{
    return sim_now();
}

/* Nothing delays a wait here but the calls of its last poll. */
int ground_tolerance(void)
{
    return 5;
}

/* The next event of the network is at most a minute away, that of a stalled connection two. */
static bool is_something_on_its_way(void)
{
    return sim_next() != 0 && sim_next() < sim_now() + 200 * SIM_SECOND;
}

/* Much longer than on a real computer, because time costs nothing; and to the next event, and a
 * millisecond further. */
void ground_pause(int microseconds)
{
    enum { TIMES = 300 };

    sim_advance(sim_now() + (uint64_t)microseconds * 1000 * TIMES);
    if (is_something_on_its_way())
        sim_advance(sim_next() + MILLISECOND);
}

bool ground_is_busy(void)
{
    return is_something_on_its_way();
}

/* Mostly nothing; else the next event, some milliseconds, a minute, once in a while an hour. */
void ground_pass(struct chance *chance)
{
    int choice = chance_of(chance, 100);
    uint64_t now = sim_now();

    if (choice < 50)
        return;
    if (choice < 80)
        sim_advance(sim_next() > now && sim_next() < now + SIM_SECOND ? sim_next() : now);
    else if (choice < 96)
        sim_advance(now + (uint64_t)chance_of(chance, 60) * MILLISECOND);
    else if (choice < 99)
        sim_advance(now + (uint64_t)chance_of(chance, 3000) * MILLISECOND);
    else
        sim_advance(now + (chance_in(chance, 80) ? 60 : 3600) * SIM_SECOND);
}

void ground_spare(bool on)
{
    sim_spare(on);
}

void ground_calm(void)
{
    sim_calm();
}

/* What is on its way between two sockets is let arrive first. */
int ground_descriptors(void)
{
    while (is_something_on_its_way())
        sim_advance(sim_next());
    return sim_open_descriptors();
}

void ground_starve(void)
{
    int next = 3;

    while (sim_of(next) != NULL)
        next++;
    sim_set_limit(next);
}

void ground_feed(void)
{
    sim_set_limit(1024);
}

void ground_wake_soon(plx_group *group, int microseconds)
{
    (void)microseconds;
    plx_group_wake(group);
}

void ground_wake_over(void)
{
}

int ground_ready(plx_handle descriptor)
{
    const struct sim_open *open = sim_of(descriptor);
    int found = open == NULL ? 0 : sim_ready(open);

    return (found & SIM_IN ? GROUND_READABLE : 0) | (found & SIM_OUT ? GROUND_WRITABLE : 0) |
           (found & (SIM_HUP | SIM_ERR) ? GROUND_ENDED : 0) |
           (found & SIM_RDHUP ? GROUND_PEER_ENDED : 0);
}

/* SIM_SPURIOUS */
bool ground_is_exact(void)
{
    return sim.calm || sim.spares;
}

/* This kernel has poll(2) alone. */
bool ground_mechanism(const char *name)
{
    return strcmp(name, "poll") == 0;
}

void ground_set_variable(const char *name, const char *value)
{
    sim_set_variable(name, value);
}

void ground_counts(uint64_t *ret_nanoseconds, uint64_t *ret_faults)
{
    *ret_nanoseconds = sim_now() - ground.begun;
    *ret_faults = 0;
    for (int i = 0; i < SIM_FAULTS; i++)
        *ret_faults += sim_counts()->faults[i];
}
