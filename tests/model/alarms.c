/* tests/model/alarms.c -- what a timer may do next, and what it must. */
#include "config.h"

#include "tests/model/guests.h"
#include "tests/model/supply.h"
#include "tests/model/time.h"

#include <limits.h>
#include <string.h>

#define MS ((uint64_t)1000000)

static struct alarm alarms[ALARMS];
static struct alarm *ringing;

void alarms_begin(void)
{
    memset(alarms, 0, sizeof alarms);
    ringing = NULL;
}

struct alarm *alarm_at(int slot)
{
    return &alarms[slot];
}

struct alarm *alarm_ringing(void)
{
    return ringing;
}

static int number_of(const struct alarm *alarm)
{
    return (int)(alarm - alarms);
}

void alarms_forget_group(const plx_group *group)
{
    for (int i = 0; i < ALARMS; i++)
        if (alarms[i].group == group) {
            alarms[i].group = NULL;
            alarms[i].left = 0;
        }
}

int alarms_in(const plx_group *group)
{
    int count = 0;

    for (int i = 0; i < ALARMS; i++)
        count += alarms[i].timer != NULL && alarms[i].group == group;
    return count;
}

void alarms_stop(void)
{
    for (int i = 0; i < ALARMS; i++)
        if (alarms[i].timer != NULL) {
            plx_timer_set(alarms[i].timer, -1, false);
            alarm_set(&alarms[i], 0, -1, false);
        }
}

void alarm_free(struct alarm *alarm)
{
    plx_timer *gone = alarm->timer;

    if (gone == NULL)
        return;
    trace("free of timer %d", number_of(alarm));
    alarm->timer = NULL;
    alarm->group = NULL;
    plx_timer_free(gone);
}

uint64_t alarms_next(const plx_group *group)
{
    uint64_t next = 0;

    for (int i = 0; i < ALARMS; i++)
        if (alarms[i].timer != NULL && alarms[i].heard && alarms[i].group == group &&
            alarms[i].to != 0 && (next == 0 || alarms[i].to < next))
            next = alarms[i].to;
    return next;
}

/* ---- moments --------------------------------------------------------------------------------- */

void alarm_set(struct alarm *alarm, uint64_t before, int milliseconds, bool repeat)
{
    uint64_t pause = milliseconds < 0 ? 0 : (uint64_t)milliseconds * MS;

    alarm->from = milliseconds < 0 ? 0 : guest_sum(before, pause);
    alarm->to = milliseconds < 0 ? 0 : guest_sum(plx_clock_now(), pause);
    alarm->period = repeat ? pause : 0;
    alarm->order = guest_serial();
    alarm->left = 0;
    alarm->vague = false;
}

static int left_until(uint64_t moment, uint64_t now)
{
    uint64_t left = moment <= now ? 0 : (moment - now + MS - 1) / MS;

    return left > INT_MAX ? INT_MAX : (int)left;
}

void alarm_look(const struct alarm *alarm)
{
    uint64_t before = plx_clock_now();
    int left = plx_timer_left(alarm->timer);
    uint64_t after = plx_clock_now();

    if (!alarm->heard && alarm->from != 0)
        return;
    if (alarm->from == 0
            ? left != -1
            : left < left_until(alarm->from, after) || left > left_until(alarm->to, before))
        fault("timer %d has %d ms left, expected are %d to %d", number_of(alarm), left,
              alarm->from == 0 ? -1 : left_until(alarm->from, after),
              alarm->from == 0 ? -1 : left_until(alarm->to, before));
}

/* The next moment of the beat, where the library has read its clock between two moments. */
static void beat(struct alarm *alarm, uint64_t earliest, uint64_t latest)
{
    uint64_t first = earliest > alarm->to ? (earliest - alarm->to) / alarm->period : 0;
    uint64_t last = latest > alarm->from ? (latest - alarm->from) / alarm->period : 0;

    alarm->from = guest_sum(alarm->from, (first + 1) * alarm->period);
    alarm->to = guest_sum(alarm->to, (last + 1) * alarm->period);
}

static void go_on(struct alarm *alarm, uint64_t earliest, uint64_t latest)
{
    if (alarm->period == 0)
        alarm->from = alarm->to = 0;
    else
        beat(alarm, earliest, latest);
    alarm->order = guest_serial();
    alarm->left = 0;
    alarm->vague = false;
}

/* ---- calls of the handler -------------------------------------------------------------------- */

/* It waits since before the poll began, and was not called in this poll. */
static bool waits_in(const struct alarm *alarm, const struct frame *frame)
{
    return alarm->timer != NULL && alarm->group == frame->group && alarm->from != 0 &&
           alarm->order < frame->serial && alarm->called != frame->serial && alarm->inside == 0;
}

/* Those that a budget left come first, in the order of the polls that left them. */
static unsigned rank_of(const struct alarm *alarm)
{
    return alarm->left == 0 ? UINT_MAX : alarm->left;
}

static bool is_before(const struct alarm *one, const struct alarm *other)
{
    bool known = one->from == one->to && other->from == other->to && !one->vague && !other->vague;

    if (rank_of(one) != rank_of(other))
        return rank_of(one) < rank_of(other);
    if (one->to != other->from || !known)
        return one->to < other->from;
    return one->order < other->order;
}

static void look_at_order(const struct alarm *alarm, const struct frame *frame)
{
    for (int i = 0; i < ALARMS; i++)
        if (&alarms[i] != alarm && alarms[i].heard && waits_in(&alarms[i], frame) &&
            is_before(&alarms[i], alarm))
            fault("timer %d is called before timer %d", number_of(alarm), i);
}

static void look_at_call(const struct alarm *alarm, const plx_timer *timer)
{
    const struct frame *frame = guest_frame();

    if (alarm->timer != timer || alarm->inside > 0)
        fault("timer %d is called after free, or in its own handler", number_of(alarm));
    guest_expect_frame("a timer is called", alarm->group);
    if (frame == NULL || alarm->timer == NULL)
        return;
    if (alarm->from == 0)
        fault("timer %d is called, and is not running", number_of(alarm));
    if (alarm->from > plx_clock_now())
        fault("timer %d is called %llu ns early", number_of(alarm),
              (unsigned long long)(alarm->from - plx_clock_now()));
    if (alarm->called == frame->serial)
        fault("timer %d is called twice in one poll", number_of(alarm));
    if (alarm->order > frame->serial)
        fault("timer %d is called in the poll in which it was set", number_of(alarm));
    look_at_order(alarm, frame);
}

/* What the handler does besides the calls that every handler makes. */
static void act(struct alarm *alarm)
{
    struct chance chance = guest_chance();

    for (int left = chance_of(&chance, 4); left > 0 && guest_may_act(); left--)
        alarm_act(&chance, chance_in(&chance, 40) ? alarm : alarm_at(chance_of(&chance, ALARMS)));
    if (guest_may_act() && chance_in(&chance, 20))
        time_jump(chance_of(&chance, 3));
}

void alarm_ring(plx_timer *timer, void *user)
{
    struct alarm *alarm = user, *outer = ringing;
    uint64_t earliest = time_marked();

    guest_enter("timer", number_of(alarm));
    look_at_call(alarm, timer);
    if (fault_found()) {
        trace_out();
        return;
    }
    alarm->called = guest_frame()->serial;
    go_on(alarm, earliest, plx_clock_now());
    ringing = alarm;
    alarm->inside++;
    alarm_look(alarm);
    act(alarm);
    guest_leave();
    alarm->inside--;
    ringing = outer;
}

/* ---- after a poll ---------------------------------------------------------------------------- */

/* Nothing calls a timer without a handler: only what is left of it shows that it was due. */
static void follow_unheard(struct alarm *alarm, const struct frame *frame)
{
    bool was_due = alarm->to + guest_slack() <= frame->begun && alarm->order < frame->serial;
    uint64_t before = plx_clock_now();
    int left = plx_timer_left(alarm->timer);

    if (alarm->from == 0)
        return;
    if (left < 0 && (alarm->period != 0 || alarm->from > before))
        fault("timer %d has stopped", number_of(alarm));
    if (was_due && alarm->period == 0 && left >= 0 && !frame->more)
        fault("timer %d was due and goes on", number_of(alarm));
    if (left < 0)
        alarm->from = alarm->to = 0;
    else if (alarm->period != 0 && alarm->from <= before)
        alarm->from = guest_sum(before - MS, (uint64_t)left * MS),
        alarm->to = guest_sum(plx_clock_now(), (uint64_t)left * MS);
}

static void follow_heard(struct alarm *alarm, const struct frame *frame)
{
    if (!waits_in(alarm, frame) || alarm->from > plx_clock_now())
        return;
    if (!frame->more && alarm->to <= frame->begun && frame->begun - alarm->to >= guest_slack())
        fault("timer %d was due, and the poll did not call it", number_of(alarm));
    if (frame->more && alarm->left == 0 && alarm->to <= frame->begun)
        alarm->left = frame->serial;
    else if (frame->more && alarm->left == 0)
        alarm->vague = true;
}

void alarms_poll_end(const struct frame *frame)
{
    for (int i = 0; i < ALARMS && !frame->idle; i++) {
        struct alarm *alarm = &alarms[i];

        if (alarm->timer == NULL || alarm->group != frame->group)
            continue;
        if (alarm->inside > 0) {
            alarm->vague = true; /* the poll may have put it behind others of its moment */
            continue;
        }
        if (alarm->heard)
            follow_heard(alarm, frame);
        else
            follow_unheard(alarm, frame);
        alarm_look(alarm);
    }
}
