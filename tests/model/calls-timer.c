/* tests/model/calls-timer.c -- calls on timers. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"
#include "tests/model/time.h"

#include <limits.h>

static int number_of(const struct alarm *alarm)
{
    return (int)(alarm - alarm_at(0));
}

static void make(struct chance *chance, struct alarm *alarm)
{
    bool heard = chance_in(chance, 90);
    long refused = supply_refused();
    plx_timer *timer = plx_timer_new(heard ? alarm_ring : NULL, alarm);

    trace("new timer %d", number_of(alarm));
    if (timer == NULL && supply_refused() == refused)
        fault("plx_timer_new returned NULL with memory");
    *alarm = (struct alarm){.timer = timer, .heard = heard};
}

/* Mostly in some milliseconds; equal moments are common. */
static int draw_pause(struct chance *chance)
{
    int choice = chance_of(chance, 100);

    if (choice < 20)
        return 0;
    if (choice < 28)
        return -1;
    if (choice < 80)
        return 1 + chance_of(chance, 8);
    return choice < 97 ? chance_of(chance, 3000) : INT_MAX - chance_of(chance, 2);
}

static void set(struct alarm *alarm, int pause, bool repeat)
{
    uint64_t before = plx_clock_now();
    bool may = pause >= -1 && !(pause == 0 && repeat);
    int code = plx_timer_set(alarm->timer, pause, repeat);

    trace("timer %d in %d ms%s", number_of(alarm), pause, repeat ? ", again and again" : "");
    if ((code == 0) != may || (code != 0 && code != PLX_INVALID_STATE))
        fault("plx_timer_set returned %d for %d, %d", code, pause, repeat);
    if (code == 0)
        alarm_set(alarm, before, pause, repeat && pause > 0);
    alarm_look(alarm);
}

static void join(struct chance *chance, struct alarm *alarm)
{
    plx_group *group = player.groups[chance_of(chance, GROUPS)];
    int code = plx_group_add_timer(group, alarm->timer);

    trace("timer %d joins a group: %d", number_of(alarm), code);
    if (code != (group == NULL ? PLX_INVALID_STATE : 0))
        fault("plx_group_add_timer returned %d", code);
    if (code != 0 || alarm->group == group)
        return;
    alarm->group = group;
    alarm->order = guest_serial();
    alarm->left = 0;
    alarm->vague = false;
}

static void part(struct chance *chance, struct alarm *alarm)
{
    plx_group *group = player.groups[chance_of(chance, GROUPS)];

    trace("timer %d leaves a group", number_of(alarm));
    plx_group_remove_timer(group, alarm->timer);
    if (group == NULL || alarm->group != group)
        return;
    alarm->group = NULL;
    alarm->left = 0;
}

/* A handler-less call of the table, and what a handler of a timer does. */
void alarm_act(struct chance *chance, struct alarm *alarm)
{
    int choice = chance_of(chance, 100);

    if (alarm->timer == NULL && alarm->inside > 0)
        return;
    if (alarm->timer == NULL)
        make(chance, alarm);
    if (alarm->timer == NULL)
        return;
    if (alarm->group == NULL && choice < 70)
        join(chance, alarm);
    if (choice < 55)
        set(alarm, draw_pause(chance), chance_in(chance, 40));
    else if (choice < 59)
        set(alarm, chance_in(chance, 50) ? -2 - chance_of(chance, 9) : 0, true);
    else if (choice < 75)
        join(chance, alarm);
    else if (choice < 82)
        part(chance, alarm);
    else if (choice < 92)
        alarm_free(alarm);
    else
        alarm_look(alarm);
}

void call_timer(struct turn *turn)
{
    struct alarm *alarm = alarm_at(chance_of(&turn->chance, ALARMS));

    if (chance_in(&turn->chance, 30) && alarm_ringing() != NULL)
        alarm = alarm_ringing();
    alarm_act(&turn->chance, alarm);
}

/* The group sleeps no longer than to the first moment of a timer, and knows it. Timers that the poll
 * that runs will call are no reason for another one. */
void call_timer_ask(struct turn *turn)
{
    const plx_group *group = player.groups[pick_group(turn)];
    uint64_t next = group == NULL ? 0 : alarms_next(group), now = plx_clock_now();
    int left = next == 0 ? -1 : next <= now ? 0 : (int)((next - now) / 1000000u % INT_MAX) + 1;
    int deadline = plx_group_deadline(group);

    if (guests_are_polled(group))
        return;
    trace("the deadline of a group is %d", deadline);
    if (next - now >= (uint64_t)INT_MAX * 1000000u)
        return;
    if (next != 0 && (deadline < 0 || deadline > left))
        fault("a timer is due in %d ms, and the deadline of its group is %d", left, deadline);
}

static bool may_sleep(const plx_group *group)
{
    return group != NULL && polls_running() == 0 && time_runs();
}

/* A timer ends a sleep, and nothing else that takes long does. */
void call_timer_sleep(struct turn *turn)
{
    enum { LONG = 60000 };
    plx_group *group = player.groups[pick_group(turn)];
    struct alarm *alarm = alarm_at(chance_of(&turn->chance, ALARMS));
    int pause = 1 + chance_of(&turn->chance, ground_is_simulated() ? 2000 : 5);
    uint64_t begun = ground_now();
    long before = player.moved;

    if (!may_sleep(group) || alarm->timer == NULL || !alarm->heard || alarm->group != group)
        return;
    set(alarm, pause, false);
    if (alarms_next(group) != alarm->to)
        return;
    poll_group(group, LONG);
    if (player.moved == before && alarm->to < plx_clock_now())
        fault("timer %d did not end a sleep", number_of(alarm));
    if (player.moved <= before + 1 &&
        ground_now() - begun > (uint64_t)(pause + ground_tolerance()) * 1000000u)
        fault("a group slept %llu ms for a timer of %d ms",
              (unsigned long long)((ground_now() - begun) / 1000000u), pause);
}
