/* tests/model/sights.c -- what a watch may report next, and what it must. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/supply.h"
#include "tests/model/time.h"

#include <string.h>

static struct sight sights[SIGHTS];

void sights_begin(void)
{
    memset(sights, 0, sizeof sights);
}

struct sight *sight_at(int slot)
{
    return &sights[slot];
}

int sight_number(const struct sight *sight)
{
    return (int)(sight - sights);
}

/* A group that was freed has stopped its watches. */
void sights_forget_group(const plx_group *group)
{
    for (int i = 0; i < SIGHTS; i++)
        if (sights[i].group == group) {
            sights[i].group = NULL;
            sights[i].deaf = false;
        }
}

int sights_in(const plx_group *group)
{
    int count = 0;

    for (int i = 0; i < SIGHTS; i++)
        count += sights[i].watch != NULL && sights[i].group == group;
    return count;
}

bool sights_are_deaf(const plx_group *group)
{
    bool deaf = false;

    for (int i = 0; i < SIGHTS; i++)
        deaf |= sights[i].watch != NULL && sights[i].group == group && sights[i].deaf;
    return deaf;
}

void sight_free(struct sight *sight)
{
    plx_watch *gone = sight->watch;

    if (gone == NULL)
        return;
    trace("free of watch %d", sight_number(sight));
    sight->watch = NULL;
    sight->group = NULL;
    if (plx_watch_free(gone) != NULL)
        fault("plx_watch_free did not return NULL");
}

unsigned sight_ready(const struct sight *sight)
{
    int found = sight->blind ? 0 : ground_ready(sight->wire->ends[sight->side]);

    if ((found & GROUND_ENDED) != 0)
        return sight->want;
    return sight->want & (((found & GROUND_READABLE) != 0 ? (unsigned)PLX_WANT_READ : 0) |
                          ((found & GROUND_WRITABLE) != 0 ? (unsigned)PLX_WANT_WRITE : 0));
}

/* A watch in a group that wants something goes on with the file. Descriptors may be short: then that
 * is an error of the program. */
bool sights_keep_end(const struct wire *wire, int side)
{
    bool keep = false;

    for (int i = 0; i < SIGHTS; i++) {
        struct sight *sight = &sights[i];

        if (sight->watch == NULL || sight->wire != wire || sight->side != side || sight->blind)
            continue;
        if (player.program->starves)
            sight_free(sight);
        else
            sight->blind = true;
        keep |= sight->watch != NULL && sight->group != NULL && sight->want != 0;
    }
    return keep;
}

/* A watch that lost its descriptor and is stopped must not begin again: the number may be another
 * file's. */
void sight_forget_lost(struct sight *sight)
{
    if (sight->watch != NULL && sight->blind && (sight->group == NULL || sight->want == 0))
        sight_free(sight);
}

void sights_forget_lost(void)
{
    for (int i = 0; i < SIGHTS; i++)
        sight_forget_lost(&sights[i]);
}

/* ---- calls of the handler -------------------------------------------------------------------- */

/* The kernel was asked right before: nobody else moves bytes meanwhile, but over TCP they arrive by
 * themselves. */
static void look_at_bits(const struct sight *sight, unsigned ready)
{
    unsigned is = sight_ready(sight), more = ready & ~is;

    if (ready == 0 || (ready & ~sight->want) != 0)
        fault("watch %d wants %u, and %u is reported", sight_number(sight), sight->want, ready);
    if (sight->blind || (sight->wire->sort == SORT_TCP && !ground_is_simulated()))
        return;
    if ((is & ~ready) != 0)
        fault("watch %d is ready for %u, and %u is reported", sight_number(sight), is, ready);
    if (more != 0 && (more != PLX_WANT_READ || ground_is_exact()))
        fault("watch %d is ready for %u only, and %u is reported", sight_number(sight), is, ready);
}

static void look_at_call(const struct sight *sight, const plx_watch *watch, unsigned ready)
{
    const struct frame *frame = guest_frame();

    if (sight->watch != watch || sight->inside > 0)
        fault("watch %d is called after free, or in its own handler", sight_number(sight));
    guest_expect_frame("a watch is called", sight->group);
    if (frame == NULL || sight->watch == NULL)
        return;
    if (sight->called == frame->serial)
        fault("watch %d is called twice in one poll", sight_number(sight));
    if (sight->want == 0)
        fault("watch %d is called, and wants nothing", sight_number(sight));
    look_at_bits(sight, ready);
}

/* In a handler the group is polled to which its watch has moved. */
static void follow(const struct sight *sight, const struct frame *frame)
{
    if (sight->watch != NULL && sight->group != NULL && sight->group != frame->group)
        poll_group(sight->group, 0);
}

/* What the handler does besides the calls that every handler makes: mostly it reads. */
static void act(struct sight *sight, unsigned ready)
{
    struct chance chance = guest_chance();

    if (player.settling || ((ready & PLX_WANT_READ) != 0 && chance_in(&chance, 60)))
        wire_hear(sight->wire, sight->side, chance_in(&chance, 50) ? 1 : 1 << 20);
    for (int left = chance_of(&chance, 4); left > 0 && guest_may_act(); left--) {
        if (chance_in(&chance, 30))
            wire_act(&chance, sight->wire);
        else
            sight_act(&chance,
                      chance_in(&chance, 40) ? sight : sight_at(chance_of(&chance, SIGHTS)));
    }
    if (guest_may_act() && chance_in(&chance, 50))
        follow(sight, guest_frame());
}

void sight_see(plx_watch *watch, unsigned ready, void *user)
{
    struct sight *sight = user;

    guest_enter("watch", sight_number(sight));
    trace("  ready for %u", ready);
    look_at_call(sight, watch, ready);
    if (fault_found()) {
        trace_out();
        return;
    }
    sight->called = guest_frame()->serial;
    sight->left = 0;
    sight->deaf = false;
    sight->inside++;
    act(sight, ready);
    guest_leave();
    sight->inside--;
}

/* ---- polls ----------------------------------------------------------------------------------- */

static bool is_member(const struct sight *sight, const struct frame *frame)
{
    return sight->watch != NULL && sight->group == frame->group && frame->group != NULL;
}

void sights_poll_begin(const struct frame *frame)
{
    for (int i = 0; i < SIGHTS && !frame->idle; i++)
        if (is_member(&sights[i], frame) && sight_ready(&sights[i]) != 0)
            sights[i].primed = frame->serial;
}

/* It is ready since before the poll began, and nothing has touched it or its file meanwhile. */
static bool must_be_called(const struct sight *sight, const struct frame *frame)
{
    return is_member(sight, frame) && sight->heard && !sight->blind && sight->inside == 0 &&
           sight->primed == frame->serial && sight->changed < frame->serial &&
           sight->wire->moved < frame->serial && sight->called != frame->serial &&
           sight_ready(sight) != 0;
}

/* A poll that leaves work has served at least one member, and goes on with the others. */
static int most_left(const struct frame *frame)
{
    return 20 + 2 * ((int)plx_group_count(frame->group) + guests_in(frame->group));
}

static bool may_poll_fail(void)
{
    return ground_has_refused() && !ground_is_exact();
}

void sights_poll_end(const struct frame *frame)
{
    for (int i = 0; i < SIGHTS && !frame->idle; i++) {
        struct sight *sight = &sights[i];

        if (!must_be_called(sight, frame))
            continue;
        sight->left++;
        if (frame->more ? sight->left > most_left(frame) : !sight->deaf && !may_poll_fail())
            fault("watch %d was ready, and %d polls did not call it", i, sight->left);
    }
}

/* ---- at rest --------------------------------------------------------------------------------- */

/* What the kernel did not watch is watched again soon, and heard then. */
static void expect_heard_in(plx_group *group)
{
    plx_group_set_budget(group, 0, 0);
    poll_group(group, 0);
    for (int i = 0; i < SIGHTS; i++) {
        if (sights[i].watch == NULL || sights[i].group != group || !sights[i].deaf)
            continue;
        wire_say(sights[i].wire, 1 - sights[i].side, 1);
        sights[i].deaf = false;
    }
    poll_group(group, 0);
}

static void expect_heard(void)
{
    enum { PAUSE = 11 };

    if (time_pass(PAUSE))
        for (int i = 0; i < GROUPS; i++)
            if (player.groups[i] != NULL && sights_are_deaf(player.groups[i]))
                expect_heard_in(player.groups[i]);
}

void sights_stop(void)
{
    expect_heard();
    for (int i = 0; i < SIGHTS; i++)
        if (sights[i].watch != NULL && sights[i].blind)
            sight_free(&sights[i]);
        else if (sights[i].watch != NULL)
            sight_set(&sights[i], sights[i].want & PLX_WANT_READ);
}

/* A watch that is not ready goes on: it must not keep its group from sleep. */
void sights_rest(void)
{
    for (int i = 0; i < SIGHTS; i++) {
        struct sight *sight = &sights[i];

        if (sight->watch == NULL || sight_ready(sight) == 0)
            continue;
        wire_hear(sight->wire, sight->side, 1 << 30);
        player.moved++; /* more may be on its way */
        if (sight_ready(sight) != 0)
            sight_set(sight, PLX_WANT_NOTHING);
    }
}
