/* tests/model/guests.c -- members of groups that are no sockets, and the polls that serve them. */
#include "config.h"

#include "tests/model/guests.h"

#include "tests/model/ground.h"
#include "tests/model/time.h"

#include <string.h>

enum { DEEPEST = 64 };

static struct {
    struct frame frames[DEEPEST];
    int depth, handled;
    unsigned serial;
} guests;

void guests_begin(void)
{
    memset(&guests, 0, sizeof guests);
    alarms_begin();
    wires_begin();
    sights_begin();
    queries_begin();
}

/* ---- polls ----------------------------------------------------------------------------------- */

unsigned guest_serial(void)
{
    return ++guests.serial;
}

bool guests_are_polled(const plx_group *group)
{
    for (int i = 0; i < guests.depth; i++)
        if (guests.frames[i].group == group)
            return true;
    return false;
}

void guests_poll_begin(plx_group *group)
{
    struct frame *frame = &guests.frames[guests.depth];

    *frame = (struct frame){.group = group,
                            .serial = guest_serial(),
                            .begun = plx_clock_now(),
                            .depth = polls_running(),
                            .idle = group != NULL && guests_are_polled(group)};
    guests.depth++;
    sights_poll_begin(frame);
    queries_poll_begin(frame);
}

void guests_poll_end(bool more)
{
    struct frame *frame = &guests.frames[--guests.depth];

    frame->more = more;
    if (frame->group == NULL)
        return;
    if (frame->idle && more)
        fault("a poll in a handler of its group returned true");
    alarms_poll_end(frame);
    sights_poll_end(frame);
    queries_poll_end(frame);
}

const struct frame *guest_frame(void)
{
    const struct frame *frame = guests.depth == 0 ? NULL : &guests.frames[guests.depth - 1];

    return frame != NULL && frame->depth == polls_running() && !frame->idle ? frame : NULL;
}

void guests_forget_group(const plx_group *group)
{
    for (int i = 0; i < guests.depth; i++)
        if (guests.frames[i].group == group)
            guests.frames[i].group = NULL;
    alarms_forget_group(group);
    sights_forget_group(group);
    queries_forget_group(group);
}

int guests_in(const plx_group *group)
{
    return alarms_in(group) + sights_in(group) + queries_in(group);
}

/* ---- the end --------------------------------------------------------------------------------- */

void guests_stop(void)
{
    alarms_stop();
    sights_stop();
}

void guests_rest(void)
{
    sights_rest();
}

void guests_poll_alone(void)
{
    queries_poll_alone();
}

void guests_free(struct chance *chance)
{
    int slot = chance_of(chance, 1000);

    alarm_free(alarm_at(slot % ALARMS));
    sight_free(sight_at(slot % SIGHTS));
    query_free(query_at(slot % QUERIES));
}

void guests_end(void)
{
    for (int i = 0; i < ALARMS; i++)
        alarm_free(alarm_at(i));
    for (int i = 0; i < SIGHTS; i++)
        sight_free(sight_at(i));
    for (int i = 0; i < QUERIES; i++)
        query_free(query_at(i));
    wires_end();
}

/* ---- handlers -------------------------------------------------------------------------------- */

void guest_enter(const char *name, int number)
{
    player.moved++;
    trace_page()->events++;
    trace("> %s %d", name, number);
    if (polls_running() == 0)
        fault("%s %d outside a poll", name, number);
    trace_in();
}

void guest_leave(void)
{
    ruin();
    play_inner(NULL);
    trace_out();
    time_mark();
}

void guest_expect_frame(const char *name, const plx_group *group)
{
    const struct frame *frame = guest_frame();

    if (frame == NULL || group == NULL || frame->group != group)
        fault("%s, and its group is not polled", name);
}

struct chance guest_chance(void)
{
    return chance_for(player.program->seed, LIST_GUESTS, guests.handled++);
}

bool guest_may_act(void)
{
    enum { DEEPEST_CALLS = 5 };

    return !player.settling && trace_depth() <= DEEPEST_CALLS;
}

/* The library looks at the exact clock near a deadline, but a tick of the real one may be missing
 * (lib/poll/loop.c). */
uint64_t guest_slack(void)
{
    return time_is_real() && !ground_is_simulated() ? 1000000000u : 0;
}

uint64_t guest_sum(uint64_t moment, uint64_t nanoseconds)
{
    return moment > UINT64_MAX - nanoseconds ? UINT64_MAX : moment + nanoseconds;
}
