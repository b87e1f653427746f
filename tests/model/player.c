/* tests/model/player.c -- plays one program after the other. */
#include "config.h"

#include "tests/model/player.h"

#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/supply.h"
#include "tests/model/time.h"
#include "tests/model/tls.h"

#include <stdlib.h>
#include <string.h>

struct player player;

static void begin(const struct program *program)
{
    bool is_new = ground_begin(program);
    struct chance chance = chance_for(program->seed, LIST_TRAITS, 2);

    player.program = program;
    places_begin(is_new);
    names_begin(is_new);
    names_choose(chance_of(&chance, 100));
    people_forget();
    memset(player.sockets, 0, sizeof player.sockets);
    memset(player.houses, 0, sizeof player.houses);
    memset(player.groups, 0, sizeof player.groups);
    memset(player.budgeted, 0, sizeof player.budgeted);
    player.inner = player.asked = player.wait_limit = 0;
    player.waits = 10;
    player.settling = false;
    player.flood = player.slow = NULL;
    player.ruin = NULL;
    player.woken = NULL;
    desks_begin(is_new);
    routes_begin();
    models_begin();
    guests_begin();
    ends_begin();
    time_begin(program->clock);
    supply_begin(program->seed, program->fenced);
    tls_begin();
}

static void make_groups(void)
{
    struct chance chance = chance_for(player.program->seed, LIST_TRAITS, 1);

    for (int i = 0; i < GROUPS && player.program->way != WAY_LONE; i++)
        if (chance_in(&chance, 70))
            player.groups[i] = plx_group_new();
}

static void expect_nothing_left(int descriptors)
{
    supply_refuse(0);
    ground_feed();
    people_forget();
    people_accept();
    people_forget();
    if (supply_blocks() != 0)
        fault("%ld blocks of memory are left", supply_blocks());
    if (ground_descriptors() != descriptors)
        fault("%d descriptors before, %d after", descriptors, ground_descriptors());
}

static void count_ground(void)
{
    uint64_t nanoseconds, faults;

    ground_counts(&nanoseconds, &faults);
    trace_page()->simulated += nanoseconds;
    trace_page()->played += faults;
}

bool player_play(const struct program *program)
{
    int descriptors;

    begin(program);
    descriptors = ground_descriptors();
    make_groups();
    trace_page()->programs++;
    for (int i = 0; i < program->calls && !fault_found(); i++) {
        struct chance chance = chance_for(program->seed, LIST_PAUSES, i);

        play_call(i);
        ground_pass(&chance);
    }
    if (!fault_found())
        play_settle();
    play_free();
    tls_end();
    if (!fault_found())
        expect_nothing_left(descriptors);
    else
        people_forget();
    models_end();
    trace_page()->refused = supply_refused();
    count_ground();
    return !fault_found();
}
