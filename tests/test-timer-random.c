/* tests/test-timer-random.c -- random calls on timers of two groups, between polls and in handlers,
 * against the plainest model of them: which timer is called next, and that none is left out. */
#include "config.h"

#include <stdlib.h>

#include "tests/world.h"

enum { TIMERS = 24, GROUPS = 2, STEPS = 2000, MS = 1000000 };

/* What is known of a timer. */
struct clockwork {
    plx_timer *timer;
    int group;       /* -1: none */
    uint64_t at;     /* 0: not running */
    uint64_t period; /* 0: once */
    unsigned order;  /* of setting and joining */
    bool is_due;     /* has to be called in the poll that runs */
};

static struct {
    struct clockwork works[TIMERS];
    plx_group *groups[GROUPS];
    int polled; /* the group that is being polled; -1: none */
    unsigned order, calls;
} state;

static int chance(int count)
{
    return rand() % count;
}

static void ring(plx_timer *timer, void *user);

static void renew(struct clockwork *work)
{
    work->order = ++state.order;
    work->is_due = false;
}

static void do_new(struct clockwork *work)
{
    *work = (struct clockwork){.group = -1};
    work->timer = plx_timer_new(ring, work);
    ck_assert_ptr_nonnull(work->timer);
}

static void do_set(struct clockwork *work)
{
    bool repeat = chance(2) == 0;
    int time = chance(8) == 0 ? -1 : chance(6) + (repeat ? 1 : 0);

    ck_assert_int_eq(plx_timer_set(work->timer, time, repeat), 0);
    work->at = time < 0 ? 0 : plx_clock_now() + (uint64_t)time * MS;
    work->period = repeat && time > 0 ? (uint64_t)time * MS : 0;
    renew(work);
}

static void do_move(struct clockwork *work)
{
    int group = chance(GROUPS);

    if (chance(4) == 0) {
        plx_group_remove_timer(state.groups[group], work->timer);
        if (work->group == group) {
            work->group = -1;
            work->is_due = false;
        }
        return;
    }
    ck_assert_int_eq(plx_group_add_timer(state.groups[group], work->timer), 0);
    if (work->group != group) {
        work->group = group;
        renew(work);
    }
}

static void do_something(void)
{
    struct clockwork *work = &state.works[chance(TIMERS)];

    if (work->timer == NULL) {
        do_new(work);
    } else if (chance(12) == 0) {
        work->timer = plx_timer_free(work->timer);
        work->is_due = false;
    } else if (chance(3) == 0) {
        do_move(work);
    } else {
        do_set(work);
    }
}

static void expect_left(void)
{
    for (int i = 0; i < TIMERS; i++) {
        const struct clockwork *work = &state.works[i];
        uint64_t now = plx_clock_now();
        int left = work->at == 0 || work->timer == NULL ? -1
                   : work->at <= now                    ? 0
                                                        : (int)((work->at - now + MS - 1) / MS);

        ck_assert_int_eq(plx_timer_left(work->timer), left);
    }
}

static struct clockwork *next_due(void)
{
    struct clockwork *next = NULL;

    for (int i = 0; i < TIMERS; i++) {
        struct clockwork *work = &state.works[i];

        if (work->is_due && (next == NULL || work->at < next->at ||
                             (work->at == next->at && work->order < next->order)))
            next = work;
    }
    return next;
}

static void ring(plx_timer *timer, void *user)
{
    struct clockwork *work = user;
    uint64_t now = plx_clock_now();

    ck_assert_ptr_eq(work->timer, timer);
    ck_assert_int_eq(work->group, state.polled);
    ck_assert_ptr_eq(next_due(), work);
    state.calls++;
    work->at = work->period == 0 ? 0 : now + work->period - (now - work->at) % work->period;
    renew(work);
    if (chance(4) == 0)
        time_pass(chance(3));
    for (int i = chance(4); i > 0; i--)
        do_something();
    expect_left();
}

static void do_poll(int group)
{
    uint64_t now = plx_clock_now();

    for (int i = 0; i < TIMERS; i++) {
        struct clockwork *work = &state.works[i];

        work->is_due =
            work->timer != NULL && work->group == group && work->at != 0 && work->at <= now;
    }
    state.polled = group;
    ck_assert(!plx_group_poll(state.groups[group], 0));
    state.polled = -1;
    ck_assert_ptr_null(next_due());
}

static void do_free_group(int group)
{
    plx_group_free(state.groups[group]);
    state.groups[group] = plx_group_new();
    for (int i = 0; i < TIMERS; i++)
        if (state.works[i].group == group)
            state.works[i].group = -1;
}

LOOP_CASE(timers_do_what_the_model_does, 1, 31)
{
    memset(&state, 0, sizeof state);
    srand((unsigned)_i);
    time_stop();
    for (int i = 0; i < GROUPS; i++)
        state.groups[i] = plx_group_new();
    for (int i = 0; i < STEPS; i++) {
        do_something();
        expect_left();
        if (chance(4) == 0)
            time_pass(chance(chance(10) == 0 ? 100 : 4));
        if (chance(3) == 0)
            do_poll(chance(GROUPS));
        if (chance(200) == 0)
            do_free_group(chance(GROUPS));
    }
    ck_assert_uint_gt(state.calls, 100);
    for (int i = 0; i < TIMERS; i++)
        plx_timer_free(state.works[i].timer);
    for (int i = 0; i < GROUPS; i++)
        plx_group_free(state.groups[i]);
    time_run();
}

SUITE_MAIN("timer-random")
