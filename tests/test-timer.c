/* tests/test-timer.c -- timers of a group: when they are due, in which order, and what their handlers
 * may do.
 *
 * Time is the test's own, except where a timed poll sleeps. */
#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include "tests/clocks.h"
#include "tests/idle-frames.h"
#include "tests/world.h"

/* GROUP_CASE runs in each way of polling that has a group. */
#define GROUP_CASE(name)                                                                           \
    WORLD_CASE(name, world_begin_plain(&world_, (enum mode)(_i + MODE_POLL)),                      \
               world_modes() - MODE_POLL, NULL)

enum { MANY = 1000, CROWD = 10000, MILLISECOND = 1000000 };

/* What happened, a character for each call of a handler. */
static struct {
    char text[256];
    int length;
} story;

struct bell {
    plx_timer *timer;
    char name;
    bool inside;
    int count;                      /* calls of the handler */
    void (*act)(struct bell *bell); /* in the handler; NULL: nothing */
    struct bell *other;             /* for the act */
    plx_group *group, *elsewhere;
    plx_socket *socket;
    int left; /* what the act has seen */
};

static void story_clear(void)
{
    memset(&story, 0, sizeof story);
}

static void ring(plx_timer *timer, void *user)
{
    struct bell *bell = user;

    ck_assert_ptr_eq(timer, bell->timer);
    ck_assert_msg(!bell->inside, "the handler of %c inside itself", bell->name);
    bell->inside = true;
    bell->count++;
    if (story.length < (int)sizeof story.text - 1)
        story.text[story.length++] = bell->name;
    if (bell->act != NULL)
        bell->act(bell);
    bell->inside = false;
}

static void bell_make(struct bell *bell, plx_group *group, char name)
{
    memset(bell, 0, sizeof *bell);
    bell->name = name;
    bell->group = group;
    bell->timer = plx_timer_new(ring, bell);
    ck_assert_ptr_nonnull(bell->timer);
    ck_assert_int_eq(plx_timer_left(bell->timer), -1);
    if (group != NULL)
        ck_assert_int_eq(plx_group_add_timer(group, bell->timer), 0);
}

static void bell_set(struct bell *bell, int milliseconds, bool repeat)
{
    ck_assert_int_eq(plx_timer_set(bell->timer, milliseconds, repeat), 0);
}

static void make_all(struct bell *bells, int count, plx_group *group)
{
    for (int i = 0; i < count; i++)
        bell_make(&bells[i], group, (char)('a' + i % 26));
}

static void free_all(struct bell *bells, int count)
{
    for (int i = 0; i < count; i++)
        bells[i].timer = plx_timer_free(bells[i].timer);
}

static bool frame(plx_group *group, int milliseconds)
{
    time_pass(milliseconds);
    return plx_group_poll(group, 0);
}

#define HAPPENED(wanted)                                                                           \
    do {                                                                                           \
        ck_assert_str_eq(story.text, wanted);                                                      \
        story_clear();                                                                             \
    } while (0)

/* BELL_CASE has two timers of a group, and a stopped clock. */
#define BELL_CASE(name)                                                                            \
    static void name##_rung(struct world *w, struct bell *a, struct bell *b);                      \
    GROUP_CASE(name)                                                                               \
    {                                                                                              \
        struct bell a, b;                                                                          \
                                                                                                   \
        story_clear();                                                                             \
        time_stop();                                                                               \
        bell_make(&a, w->group, 'a');                                                              \
        bell_make(&b, w->group, 'b');                                                              \
        name##_rung(w, &a, &b);                                                                    \
        plx_timer_free(a.timer);                                                                   \
        plx_timer_free(b.timer);                                                                   \
        time_run();                                                                                \
    }                                                                                              \
    static void name##_rung(struct world *w CK_ATTRIBUTE_UNUSED,                                   \
                            struct bell *a CK_ATTRIBUTE_UNUSED,                                    \
                            struct bell *b CK_ATTRIBUTE_UNUSED)

/* ---- when ------------------------------------------------------------------------------------ */

BELL_CASE(once)
{
    bell_set(a, 10, false);
    ck_assert_int_eq(plx_timer_left(a->timer), 10);
    ck_assert_int_eq(plx_group_deadline(w->group), 10);
    ck_assert(!frame(w->group, 9));
    ck_assert_int_eq(plx_timer_left(a->timer), 1);
    HAPPENED("");
    ck_assert(!frame(w->group, 1));
    HAPPENED("a");
    ck_assert_int_eq(plx_timer_left(a->timer), -1);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    frame(w->group, 1000);
    HAPPENED("");
}

BELL_CASE(zero_is_the_next_poll)
{
    bell_set(a, 0, false);
    ck_assert_int_eq(plx_timer_left(a->timer), 0);
    ck_assert_int_eq(plx_group_deadline(w->group), 0);
    frame(w->group, 0);
    HAPPENED("a");
    frame(w->group, 0);
    HAPPENED("");
}

static uint64_t late_time;
static bool is_late; /* at the next reading, as the coarse clock is */

static uint64_t read_late(void *user CK_ATTRIBUTE_UNUSED)
{
    uint64_t time = late_time - (is_late ? 20 * MILLISECOND : 0);

    is_late = false;
    return time;
}

/* The host of a virtual machine does not run it, and the first reading in a poll is 20 ms late. */
BELL_CASE(ticks_that_are_missing)
{
    late_time = plx_clock_now() + 100 * MILLISECOND;
    plx_clock_set(read_late, NULL);
    bell_set(a, 0, false);
    is_late = true;
    plx_group_poll(w->group, 0);
    HAPPENED("a");
    bell_set(a, 10, false);
    plx_group_poll(w->group, 0);
    HAPPENED("");
    late_time += 10 * MILLISECOND;
    ck_assert_int_eq(plx_group_deadline(w->group), 0);
    is_late = true;
    plx_group_poll(w->group, 0);
    HAPPENED("a");
}

BELL_CASE(ticks_that_are_missing_when_it_joins)
{
    plx_group_remove_timer(w->group, a->timer);
    late_time = plx_clock_now() + 100 * MILLISECOND;
    plx_clock_set(read_late, NULL);
    bell_set(a, 0, false);
    ck_assert_int_eq(plx_group_add_timer(w->group, a->timer), 0);
    is_late = true;
    plx_group_poll(w->group, 0);
    HAPPENED("a");
}

static void set_again_at_once(struct bell *bell)
{
    ck_assert_int_eq(plx_timer_left(bell->timer), -1);
    bell_set(bell, 0, false);
}

static void set_other_at_once(struct bell *bell)
{
    bell_set(bell->other, 0, false);
}

BELL_CASE(zero_in_a_handler_is_the_next_poll)
{
    a->act = set_again_at_once;
    b->act = set_other_at_once;
    b->other = a;
    bell_set(a, 0, false);
    for (int i = 0; i < 3; i++) {
        frame(w->group, 0);
        HAPPENED("a");
    }
    a->act = NULL;
    bell_set(b, 0, false);
    frame(w->group, 0);
    HAPPENED("ab");
    frame(w->group, 0);
    HAPPENED("a");
    frame(w->group, 0);
    HAPPENED("");
}

BELL_CASE(stopped)
{
    bell_set(a, 10, false);
    bell_set(b, 10, true);
    bell_set(a, -1, false);
    bell_set(b, -1, true);
    ck_assert_int_eq(plx_timer_left(a->timer), -1);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    frame(w->group, 20);
    HAPPENED("");
    bell_set(a, -1, false);
}

BELL_CASE(set_again)
{
    bell_set(a, 10, false);
    bell_set(a, 30, false);
    frame(w->group, 10);
    HAPPENED("");
    bell_set(a, 10, true);
    bell_set(a, 15, false);
    frame(w->group, 15);
    frame(w->group, 15);
    HAPPENED("a");
}

/* The moment is reckoned from the call, not from the last poll or the frame. */
static void pass_and_set_other(struct bell *bell)
{
    time_pass(50);
    bell_set(bell->other, 10, false);
}

BELL_CASE(from_the_clock_at_the_call)
{
    frame(w->group, 5);
    time_pass(100);
    bell_set(a, 10, false);
    frame(w->group, 9);
    HAPPENED("");
    frame(w->group, 1);
    HAPPENED("a");
    a->act = pass_and_set_other;
    a->other = b;
    bell_set(a, 0, false);
    frame(w->group, 0);
    frame(w->group, 9);
    HAPPENED("a");
    frame(w->group, 1);
    HAPPENED("b");
}

BELL_CASE(arguments_that_make_no_sense)
{
    bell_set(a, 10, true);
    ck_assert_int_eq(plx_timer_set(a->timer, -2, false), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_timer_set(a->timer, INT_MIN, true), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_timer_set(a->timer, 0, true), PLX_INVALID_STATE);
    frame(w->group, 10);
    frame(w->group, 10);
    HAPPENED("aa"); /* nothing has changed */
    ck_assert_int_eq(plx_timer_set(NULL, 0, false), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_timer_left(NULL), -1);
    ck_assert_ptr_null(plx_timer_free(NULL));
    ck_assert_int_eq(plx_group_add_timer(NULL, a->timer), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_group_add_timer(w->group, NULL), PLX_INVALID_STATE);
    plx_group_remove_timer(NULL, a->timer);
    plx_group_remove_timer(w->group, NULL);
    frame(w->group, 10);
    HAPPENED("a");
}

BELL_CASE(without_a_handler)
{
    plx_timer *timer = plx_timer_new(NULL, NULL);

    ck_assert_int_eq(plx_group_add_timer(w->group, timer), 0);
    ck_assert_int_eq(plx_timer_set(timer, 10, true), 0);
    frame(w->group, 25);
    ck_assert_int_eq(plx_timer_left(timer), 5);
    ck_assert_int_eq(plx_timer_set(timer, 10, false), 0);
    frame(w->group, 10);
    ck_assert_int_eq(plx_timer_left(timer), -1);
    plx_timer_free(timer);
}

/* ---- again and again ------------------------------------------------------------------------- */

BELL_CASE(a_repeated_one_keeps_its_beat)
{
    bell_set(a, 10, true);
    for (int i = 0; i < 5; i++) {
        frame(w->group, 9);
        HAPPENED("");
        frame(w->group, 1);
        HAPPENED("a");
        ck_assert_int_eq(plx_timer_left(a->timer), 10);
    }
    frame(w->group, 13); /* late by 3 */
    HAPPENED("a");
    ck_assert_int_eq(plx_timer_left(a->timer), 7);
    frame(w->group, 107); /* on a beat again, and ten have been missed */
    HAPPENED("a");
    ck_assert_int_eq(plx_timer_left(a->timer), 10);
    frame(w->group, 9);
    HAPPENED("");
}

static void see_left(struct bell *bell)
{
    bell->left = plx_timer_left(bell->timer);
}

static void stop_after_three(struct bell *bell)
{
    see_left(bell);
    if (bell->count == 3)
        bell_set(bell, -1, false);
}

BELL_CASE(a_repeated_one_is_set_in_its_handler)
{
    a->act = stop_after_three;
    bell_set(a, 10, true);
    frame(w->group, 12);
    ck_assert_int_eq(a->left, 8);
    for (int i = 0; i < 10; i++)
        frame(w->group, 10);
    HAPPENED("aaa");
}

static void take_long(struct bell *bell)
{
    (void)bell;
    time_pass(35);
}

/* The handler is slower than the beat: no poll makes up for what was missed. */
BELL_CASE(a_slow_handler_is_called_once_a_poll)
{
    a->act = take_long;
    bell_set(a, 10, true);
    frame(w->group, 10);
    HAPPENED("a");
    frame(w->group, 0);
    HAPPENED("a");
    a->act = NULL;
    frame(w->group, 0);
    HAPPENED("a");
    ck_assert_int_eq(plx_timer_left(a->timer), 10);
}

static void set_slower(struct bell *bell)
{
    bell_set(bell, 100, true);
}

BELL_CASE(another_beat_in_the_handler)
{
    a->act = set_slower;
    bell_set(a, 10, true);
    frame(w->group, 10);
    frame(w->group, 99);
    HAPPENED("a");
    frame(w->group, 1);
    HAPPENED("a");
}

/* ---- the order ------------------------------------------------------------------------------- */

BELL_CASE(in_the_order_of_the_moments)
{
    struct bell bells[26];
    static const char *const wanted = "zyxwvutsrqponmlkjihgfedcba";

    make_all(bells, 26, w->group);
    for (int i = 0; i < 26; i++)
        bell_set(&bells[i], 30 - i, false);
    frame(w->group, 100);
    HAPPENED(wanted);
    free_all(bells, 26);
}

BELL_CASE(equal_moments_in_the_order_of_setting)
{
    struct bell bells[26];

    make_all(bells, 26, w->group);
    for (int i = 0; i < 26; i++)
        bell_set(&bells[i], 10, i % 3 == 0);
    bell_set(&bells[1], 20, false);
    bell_set(&bells[3], 10, true);
    bell_set(&bells[1], 10, false);
    frame(w->group, 10);
    HAPPENED("acefghijklmnopqrstuvwxyzdb");
    frame(w->group, 10);
    HAPPENED("agjmpsvyd");
    frame(w->group, 5);
    bell_set(&bells[2], 5, false);
    frame(w->group, 5);
    HAPPENED("agjmpsvydc");
    free_all(bells, 26);
}

/* The budget leaves some for the next poll, and the order stays. */
BELL_CASE(the_budget_counts_each_call)
{
    struct bell bells[26];
    int polls = 1;

    make_all(bells, 26, w->group);
    for (int i = 0; i < 26; i++)
        bell_set(&bells[i], i, false);
    plx_group_set_budget(w->group, 0, 640);
    time_pass(1000);
    for (; plx_group_poll(w->group, 0); polls++) {
        ck_assert_int_eq(story.length, 10 * polls);
        ck_assert_int_eq(plx_timer_left(bells[25].timer), 0);
        ck_assert_int_eq(plx_group_deadline(w->group), 0);
    }
    ck_assert_int_eq(polls, 3);
    HAPPENED("abcdefghijklmnopqrstuvwxyz");
    free_all(bells, 26);
}

/* ---- what handlers do ------------------------------------------------------------------------ */

static void free_itself(struct bell *bell)
{
    bell->timer = plx_timer_free(bell->timer);
}

static void free_itself_and_go_on(struct bell *bell)
{
    plx_timer *timer = bell->timer;

    plx_timer_free(timer);
    ck_assert_ptr_null(plx_timer_free(timer));
    ck_assert_int_eq(plx_timer_set(timer, 1, false), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_timer_left(timer), -1);
    ck_assert_int_eq(plx_group_add_timer(bell->group, timer), PLX_INVALID_STATE);
    plx_group_remove_timer(bell->group, timer);
    bell->timer = NULL;
}

BELL_CASE(freeing_itself)
{
    a->act = free_itself;
    b->act = free_itself_and_go_on;
    bell_set(a, 10, true);
    bell_set(b, 10, false);
    frame(w->group, 10);
    frame(w->group, 100);
    HAPPENED("ab");
}

static void free_other(struct bell *bell)
{
    bell->other->timer = plx_timer_free(bell->other->timer);
}

static void stop_other(struct bell *bell)
{
    bell_set(bell->other, -1, false);
}

static void set_other_later(struct bell *bell)
{
    bell_set(bell->other, 5, false);
}

static void remove_other(struct bell *bell)
{
    plx_group_remove_timer(bell->group, bell->other->timer);
}

/* The other one is due in the same poll. */
BELL_CASE(an_other_that_is_due_too)
{
    a->other = b;
    a->act = stop_other;
    bell_set(a, 10, false);
    bell_set(b, 10, false);
    frame(w->group, 10);
    frame(w->group, 10);
    HAPPENED("a");
    a->act = set_other_later;
    bell_set(a, 10, false);
    bell_set(b, 10, false);
    frame(w->group, 12);
    frame(w->group, 4);
    HAPPENED("a");
    frame(w->group, 1);
    HAPPENED("b");
    a->act = remove_other;
    bell_set(a, 10, false);
    bell_set(b, 10, false);
    frame(w->group, 10);
    frame(w->group, 10);
    HAPPENED("a");
    ck_assert_int_eq(plx_timer_left(b->timer), 0);
    ck_assert_int_eq(plx_group_add_timer(w->group, b->timer), 0);
    frame(w->group, 0);
    HAPPENED("b"); /* late */
    a->act = free_other;
    bell_set(a, 10, false);
    bell_set(b, 10, false);
    frame(w->group, 10);
    HAPPENED("a");
}

static void remove_and_add_other(struct bell *bell)
{
    remove_other(bell);
    ck_assert_int_eq(plx_group_add_timer(bell->group, bell->other->timer), 0);
}

static void make_one_more(struct bell *bell)
{
    bell_make(bell->other, bell->group, 'n');
    bell_set(bell->other, 0, false);
}

BELL_CASE(joining_in_a_handler)
{
    struct bell n = {0};

    a->act = remove_and_add_other;
    a->other = b;
    bell_set(a, 10, false);
    bell_set(b, 11, false);
    frame(w->group, 20);
    HAPPENED("a");
    frame(w->group, 0);
    HAPPENED("b");
    a->act = make_one_more;
    a->other = &n;
    bell_set(a, 10, false);
    frame(w->group, 10);
    HAPPENED("a");
    frame(w->group, 0);
    HAPPENED("n");
    plx_timer_free(n.timer);
}

static void poll_inside(struct bell *bell)
{
    bell_set(bell->other, 0, false);
    bell_set(bell, 0, false);
    for (int i = 0; i < 3; i++)
        ck_assert(!plx_group_poll(bell->group, i));
}

BELL_CASE(a_poll_inside_does_nothing)
{
    a->act = poll_inside;
    a->other = b;
    bell_set(a, 0, false);
    frame(w->group, 0);
    HAPPENED("a");
    frame(w->group, 0);
    HAPPENED("ba");
}

/* It moves to another group and polls that group, in which it would be called inside itself. */
static void move_and_poll(struct bell *bell)
{
    bell_set(bell, 0, false);
    ck_assert_int_eq(plx_group_add_timer(bell->elsewhere, bell->timer), 0);
    for (int i = 0; i < 3; i++)
        plx_group_poll(bell->elsewhere, 0);
    plx_group_poll(bell->elsewhere, 1000);
    bell->act = NULL;
}

BELL_CASE(moving_in_its_handler)
{
    plx_group *elsewhere = plx_group_new();

    a->elsewhere = elsewhere;
    a->act = move_and_poll;
    bell_set(a, 0, false);
    frame(w->group, 0);
    HAPPENED("a");
    frame(w->group, 0);
    HAPPENED("");
    ck_assert_int_eq(plx_group_deadline(elsewhere), 0);
    frame(elsewhere, 0);
    HAPPENED("a");
    plx_group_remove_timer(w->group, a->timer); /* a member of another group */
    bell_set(a, 5, false);
    frame(elsewhere, 5);
    HAPPENED("a");
    plx_group_free(elsewhere);
}

static void free_group(struct bell *bell)
{
    bell->group = plx_group_free(bell->group);
}

GROUP_CASE(freeing_the_group)
{
    plx_group *group = plx_group_new();
    struct bell bells[5];

    story_clear();
    time_stop();
    make_all(bells, 5, group);
    for (int i = 0; i < 5; i++)
        bell_set(&bells[i], 10, true);
    bells[1].act = free_group;
    frame(group, 10);
    HAPPENED("ab");
    time_pass(25);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(plx_timer_left(bells[i].timer), 0);
        ck_assert_int_eq(plx_group_add_timer(w->group, bells[i].timer), 0);
    }
    frame(w->group, 0);
    HAPPENED("cdeab"); /* by their moments */
    free_all(bells, 5);
    time_run();
}

static void wait_for_data(struct bell *bell)
{
    bell->left = plx_socket_wait_for_data(bell->socket, 5000);
}

GROUP_CASE(waiting_in_a_handler)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log);
    struct bell bell;

    bell_make(&bell, w->group, 'a');
    bell.act = wait_for_data;
    bell.socket = socket;
    bell_set(&bell, 0, false);
    raw_say(raw, "hello");
    frame(w->group, 0);
    ck_assert_int_eq(bell.left, 1);
    plx_timer_free(bell.timer);
}

/* ---- a thousand ------------------------------------------------------------------------------ */

static struct bell *crowd;

/* Frees the next one and the last one of the crowd that are left. */
static void free_two(struct bell *bell)
{
    struct bell *next = bell + 1, *last = crowd + MANY - 1;

    while (last > bell && last->timer == NULL)
        last--;
    if (next < crowd + MANY)
        next->timer = plx_timer_free(next->timer);
    if (last > bell)
        last->timer = plx_timer_free(last->timer);
}

GROUP_CASE(a_thousand_in_one_poll_free_each_other)
{
    int called = 0;

    time_stop();
    crowd = calloc(MANY, sizeof *crowd);
    make_all(crowd, MANY, w->group);
    for (int i = 0; i < MANY; i++) {
        crowd[i].act = free_two;
        bell_set(&crowd[i], 10, i % 2);
    }
    frame(w->group, 10);
    for (int i = 0; i < MANY; i++)
        called += crowd[i].count;
    ck_assert_int_eq(called, MANY / 3 + 1);
    free_all(crowd, MANY);
    free(crowd);
    time_run();
}

/* Each sets all those with a number that it divides, now or later. */
static void set_some(struct bell *bell)
{
    int number = (int)(bell - crowd);

    for (int i = number; i < MANY; i += number + 1)
        bell_set(&crowd[i], i % 7 == 0 ? 0 : i % 50, false);
}

GROUP_CASE(each_at_most_once_in_a_poll)
{
    time_stop();
    crowd = calloc(MANY, sizeof *crowd);
    make_all(crowd, MANY, w->group);
    for (int i = 0; i < MANY; i++) {
        crowd[i].act = set_some;
        bell_set(&crowd[i], i % 20, false);
    }
    for (int round = 0; round < 40; round++) {
        frame(w->group, 3);
        for (int i = 0; i < MANY; i++) {
            ck_assert_int_le(crowd[i].count, 1);
            crowd[i].count = 0;
        }
    }
    free_all(crowd, MANY);
    free(crowd);
    time_run();
}

/* ---- without a group ------------------------------------------------------------------------- */

BELL_CASE(in_no_group_it_goes_on)
{
    struct bell bell;

    bell_make(&bell, NULL, 'x');
    bell_set(&bell, 10, true);
    frame(w->group, 25);
    HAPPENED("");
    ck_assert_int_eq(plx_timer_left(bell.timer), 0);
    ck_assert_int_eq(plx_group_add_timer(w->group, bell.timer), 0);
    ck_assert_int_eq(plx_group_add_timer(w->group, bell.timer), 0);
    ck_assert_int_eq(plx_group_deadline(w->group), 0);
    ck_assert_uint_eq(plx_group_count(w->group), 0);
    frame(w->group, 0);
    HAPPENED("x");
    plx_group_remove_timer(w->group, bell.timer);
    plx_group_remove_timer(w->group, bell.timer);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    frame(w->group, 100);
    HAPPENED("");
    plx_timer_free(bell.timer);
}

/* ---- clocks ---------------------------------------------------------------------------------- */

static uint64_t moment;

static uint64_t odd_clock(void *user)
{
    (void)user;
    return moment;
}

BELL_CASE(the_end_of_the_clock)
{
    moment = UINT64_MAX - 5;
    plx_clock_set(odd_clock, NULL);
    bell_set(a, INT_MAX, false);
    bell_set(b, INT_MAX, true);
    ck_assert_int_ge(plx_timer_left(a->timer), 0);
    plx_group_poll(w->group, 0);
    HAPPENED("");
    moment = UINT64_MAX;
    plx_group_poll(w->group, 0);
    HAPPENED("ab");
    plx_group_poll(w->group, 0);
    ck_assert_int_le(b->count, 2);
}

BELL_CASE(a_clock_that_begins_at_zero)
{
    moment = 0;
    plx_clock_set(odd_clock, NULL);
    bell_set(a, 1, true);
    bell_set(b, 0, false);
    plx_group_poll(w->group, 0);
    HAPPENED("b");
    moment = 1000001;
    plx_group_poll(w->group, 0);
    HAPPENED("a");
    moment = UINT64_MAX / 2; /* a jump of centuries */
    plx_group_poll(w->group, 0);
    HAPPENED("a");
    ck_assert_int_le(plx_timer_left(a->timer), 1);
}

BELL_CASE(the_longest_time)
{
    bell_set(a, INT_MAX, false);
    ck_assert_int_eq(plx_timer_left(a->timer), INT_MAX);
    ck_assert_int_eq(plx_group_deadline(w->group), INT_MAX);
    frame(w->group, INT_MAX);
    HAPPENED("a");
}

/* A moment between two milliseconds is rounded up. */
BELL_CASE(what_is_left_is_rounded_up)
{
    moment = 1000;
    plx_clock_set(odd_clock, NULL);
    bell_set(a, 2, false);
    moment++;
    ck_assert_int_eq(plx_timer_left(a->timer), 2);
    moment += 1000000;
    ck_assert_int_eq(plx_timer_left(a->timer), 1);
    moment = 2000999;
    ck_assert_int_eq(plx_timer_left(a->timer), 1);
    plx_group_poll(w->group, 0);
    HAPPENED("");
    moment++;
    ck_assert_int_eq(plx_timer_left(a->timer), 0);
    plx_group_poll(w->group, 0);
    HAPPENED("a");
}

/* ---- sleeping -------------------------------------------------------------------------------- */

GROUP_CASE(a_timed_poll_ends_when_a_timer_is_due)
{
    struct bell bell;
    long long begin = now_ms();

    bell_make(&bell, w->group, 'a');
    bell_set(&bell, 30, false);
    while (bell.count == 0)
        plx_group_poll(w->group, 60000);
    ck_assert_int_ge(now_ms() - begin, 30);
    bell_set(&bell, 20, true);
    while (bell.count < 4)
        plx_group_poll(w->group, -1);
    ck_assert_int_ge(now_ms() - begin, 90);
    plx_timer_free(bell.timer);
}

/* By the kernel's clocks: the coarse one, by which the first is due, is up to a tick late. */
GROUP_CASE(zero_beside_one_that_is_late)
{
    struct bell late, zero;

    for (int i = 0; i < 5; i++) {
        bell_make(&late, w->group, 'a');
        bell_make(&zero, w->group, 'b');
        bell_set(&late, 1, false);
        world_pause(25);
        bell_set(&zero, 0, false);
        plx_group_poll(w->group, 0);
        ck_assert_int_eq(late.count, 1);
        ck_assert_int_eq(zero.count, 1);
        plx_timer_free(late.timer);
        plx_timer_free(zero.timer);
    }
}

/* A wait of a server in the group polls the group. */
GROUP_CASE(a_wait_of_a_server_calls_timers)
{
    plx_server *server = world_server(w);
    struct bell bell;
    char where[WHERE_SIZE];

    world_serve(w, server, where);
    bell_make(&bell, w->group, 'a');
    bell_set(&bell, 10, false);
    for (int i = 0; bell.count == 0 && i < ROUNDS; i++)
        plx_server_wait(server, 60000);
    ck_assert_int_eq(bell.count, 1);
    plx_timer_free(bell.timer);
}

/* No other call does. */
GROUP_CASE(nothing_else_calls_timers)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    plx_server *server = world_server(w);
    struct bell bell;
    char where[WHERE_SIZE];

    world_serve(w, server, where);
    world_pair(w, socket, &log);
    bell_make(&bell, w->group, 'a');
    bell_set(&bell, 0, false);
    plx_socket_poll(socket);
    plx_socket_wait(socket, 1);
    plx_server_poll(server);
    plx_group_flush(w->group);
    plx_group_wake(w->group);
    ck_assert_int_eq(bell.count, 0);
    plx_timer_free(bell.timer);
}

/* ---- memory ---------------------------------------------------------------------------------- */

BELL_CASE(only_new_needs_memory)
{
    plx_timer *timer;
    size_t before;

    fail_allocation(1);
    timer = plx_timer_new(ring, NULL);
    ck_assert_ptr_null(timer);
    fail_allocation(0);
    bell_set(a, 1, true);
    frame(w->group, 1);
    before = count_allocations();
    for (int i = 0; i < 100; i++) {
        bell_set(b, i % 3, false);
        plx_group_remove_timer(w->group, b->timer);
        ck_assert_int_eq(plx_group_add_timer(w->group, b->timer), 0);
        frame(w->group, 1);
    }
    ck_assert_uint_eq(count_allocations(), before);
    ck_assert_int_eq(a->count, 101);
}

/* ---- ten thousand that are not due ----------------------------------------------------------- */

GROUP_CASE(an_idle_frame_is_free)
{
    struct bell *bells = calloc(CROWD, sizeof *bells);

    make_all(bells, CROWD, w->group);
    for (int i = 0; i < CROWD; i++)
        bell_set(&bells[i], 3600000 + (i * 7919) % 1000, i % 2 == 0);
    expect_idle_frames(w);
    free_all(bells, CROWD);
    free(bells);
}

WORLD_MAIN("timer")
