/* tests/test-time.c -- time in frames, waits and budgets: limits hold whatever a peer or a clock
 * does, and moments are those at which things happened.
 *
 * The clock of the library is the test's own in most cases; how long a call lasts is measured by
 * the kernel's. Upper bounds are wide, for a loaded machine: what they catch is a call that does
 * not end. */
#include "config.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#include "lib/poll/loop.h"
#include "tests/clocks.h"
#include "tests/datagrams.h"
#include "tests/sockets.h"
#include "tests/suite.h"
#include "tests/world.h"

enum { LIMIT = 20, GRACE = 20000 };

typedef bool wait_call(plx_socket *socket, int timeout_ms);

static wait_call *const waits[] = {plx_socket_wait, plx_socket_wait_for_connected,
                                   plx_socket_wait_for_data, plx_socket_wait_for_sent,
                                   plx_socket_wait_for_disconnected};

enum { WAITS = sizeof waits / sizeof waits[0] };

static void expect_within(const struct world *w, wait_call *wait, plx_socket *socket, bool wanted)
{
    long long begin = now_ms();
    bool done = wait(socket, LIMIT);
    long long took = now_ms() - begin;

    ck_assert_msg(took < LIMIT + GRACE, "%s: a wait of %d ms took %lld", world_name(w), LIMIT,
                  took);
    ck_assert_int_eq(done, wanted);
    ck_assert_msg(wanted || took >= LIMIT - 1, "%s: a wait of %d ms took %lld", world_name(w),
                  LIMIT, took);
}

/* ---- clocks ---------------------------------------------------------------------------------- */

static uint64_t moment = 1000000000;

static void pass_time(int milliseconds)
{
    moment += (uint64_t)milliseconds * 1000000u;
}

static uint64_t standing_clock(void *user)
{
    (void)user;
    return moment;
}

/* Runs ahead by an hour with each look, and ends at the end of its range. */
static uint64_t hasty_clock(void *user)
{
    (void)user;
    moment = moment > UINT64_MAX - UINT64_C(3600000000000) ? UINT64_MAX
                                                           : moment + UINT64_C(3600000000000);
    return moment;
}

/* Goes back and forth, which plx_clock_set forbids and a buggy clock does. */
static uint64_t restless_clock(void *user)
{
    static int turn;

    (void)user;
    return 1000000000u + (uint64_t)(++turn % 7) * 1000000000u;
}

static uint64_t ending_clock(void *user)
{
    struct timespec now;

    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return UINT64_MAX - UINT64_C(10000000000) + (uint64_t)now.tv_nsec / 1000u;
}

static uint64_t ended_clock(void *user)
{
    (void)user;
    return UINT64_MAX;
}

static uint64_t (*const clocks[])(void *) = {standing_clock, hasty_clock, restless_clock,
                                             ending_clock, ended_clock};

enum { CLOCKS = sizeof clocks / sizeof clocks[0] };

/* No wait lasts longer than its limit, nor for ever, by any clock. What the time-outs of the socket
 * itself do by such a clock is another matter. */
CASE(waits_keep_their_limit_by_any_clock)
{
    char where[WHERE_SIZE];

    raw_listen(w, 5, where);
    for (int c = 0; c < CLOCKS; c++) {
        for (int i = 0; i < WAITS; i++) {
            plx_socket *socket = world_socket(w, NULL);
            long long begin;

            plx_clock_set(clocks[c], NULL);
            plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 50);
            plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1);
            ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
            begin = now_ms();
            for (int k = 0; k < 2; k++)
                waits[i](socket, LIMIT / 4);
            ck_assert_msg(now_ms() - begin < LIMIT + GRACE, "%s: clock %d, wait %d: %lld ms",
                          world_name(w), c, i, now_ms() - begin);
            world_free(w, socket);
            plx_clock_set(NULL, NULL);
        }
    }
}

CASE(a_standing_clock_ends_no_time_out_and_no_sleep)
{
    plx_socket *socket = world_socket(w, NULL);
    int raw = world_pair(w, socket, NULL);

    plx_clock_set(standing_clock, NULL);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 1), 0);
    expect_within(w, plx_socket_wait_for_data, socket, false);
    expect_within(w, plx_socket_wait, socket, false);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    plx_clock_set(NULL, NULL);
    (void)raw;
}

/* A clock may begin anywhere: near its end no time-out wraps. */
CASE(time_outs_near_the_end_of_the_clock_are_not_over)
{
    struct record log;
    char where[WHERE_SIZE];
    plx_socket *socket;

    moment = UINT64_MAX - 1000;
    plx_clock_set(standing_clock, NULL);
    socket = world_socket(w, &log);
    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 60000), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    plx_clock_set(NULL, NULL);
}

/* ---- peers that never stop ------------------------------------------------------------------- */

static void answers_itself(struct record *record, plx_socket *socket)
{
    plx_socket_purge(socket);
    raw_say(*(int *)record->data, "x");
}

PAIR_CASE(a_peer_that_never_stops_holds_no_wait)
{
    record_on(log, EVENT_DATA_AVAILABLE, answers_itself, &raw);
    log->always = true;
    log->mute = ~0u;
    raw_say(raw, "x");
    for (int i = 0; log->count[EVENT_DATA_AVAILABLE] < 2; i++) {
        ck_assert_int_lt(i, 100);
        expect_within(w, plx_socket_wait_for_disconnected, socket, false);
    }
    record_on(log, EVENT_NEVER, NULL, NULL);
}

struct scene {
    struct world *w;
    plx_socket *socket;
    int raw;
    bool done;
};

static void waits_for_the_end(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;

    plx_socket_purge(socket);
    scene->done = plx_socket_wait_for_disconnected(socket, -1);
}

/* Nothing becomes ready any more that could end the sleep. */
PAIR_CASE(a_wait_in_a_handler_sees_an_end_that_is_there)
{
    struct scene scene = {.w = w};

    record_on(log, EVENT_DATA_AVAILABLE, waits_for_the_end, &scene);
    raw_say(raw, "x");
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert(scene.done);
    LOGGED(w, log,
           "data_available[CONNECTED] state:UNCONNECTED error(102,11)[UNCONNECTED] "
           "disconnected[UNCONNECTED]");
}

static void waits_for_the_hung(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;

    plx_socket_purge(socket);
    expect_within(scene->w, plx_socket_wait_for_connected, scene->socket, false);
    scene->done = true;
}

/* A time-out of the awaited socket passes inside the frame. */
CASE(a_wait_in_a_handler_goes_by_the_real_time)
{
    struct record log, other;
    struct scene scene = {.w = w};
    char where[WHERE_SIZE];
    int raw;

    raw_listen(w, 0, where);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(plx_socket_connect_to(world_socket(w, NULL), where), 0);
        world_settle(w);
    }
    scene.socket = world_socket(w, &other);
    plx_socket_set_option(scene.socket, PLX_OPTION_CONNECT_TIMEOUT, 60000);
    ck_assert_int_eq(plx_socket_connect_to(scene.socket, where), 0);
    raw = world_pair(w, world_socket(w, &log), &log);
    record_on(&log, EVENT_DATA_AVAILABLE, waits_for_the_hung, &scene);
    raw_say(raw, "x");
    UNTIL(w, scene.done);
    ck_assert_int_eq(plx_socket_state(scene.socket), PLX_CONNECTING);
}

static void waits_for_its_next_connection(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;
    long long begin = now_ms();

    scene->done = !plx_socket_wait_for_connected(socket, -1);
    ck_assert_int_lt(now_ms() - begin, GRACE);
}

/* The end has to be reported first, which this very handler holds up. */
SOCKET_CASE(a_wait_for_auto_connect_in_the_last_events_handler_returns)
{
    struct scene scene = {.w = w};

    raw_refusing(w, where);
    plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1);
    record_on(log, EVENT_STATE_CHANGED, waits_for_its_next_connection, &scene);
    log->picky = true;
    log->at = PLX_UNCONNECTED;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, scene.done);
    plx_socket_close(socket);
}

/* ---- moments --------------------------------------------------------------------------------- */

struct slow {
    int raw; /* says something while the handler is busy */
    plx_socket *connects;
    const char *where;
};

/* Busy for 300 ms, in which the other one's peer has said something; and begins to connect after
 * it. */
static void takes_its_time(struct record *record, plx_socket *socket)
{
    struct slow *slow = record->data;

    plx_socket_purge(socket);
    pass_time(300);
    raw_say(slow->raw, "y");
    if (slow->connects != NULL)
        plx_socket_connect_to(slow->connects, slow->where);
}

/* What arrived behind a slow handler of the same frame arrived now, not when the frame began. */
CASE(a_slow_handler_makes_nobody_idle)
{
    struct record first, second;
    struct slow slow = {.connects = NULL};
    plx_socket *b = world_socket(w, &second), *a = world_socket(w, &first);
    int raw_a;

    plx_clock_set(standing_clock, NULL);
    ck_assert_int_eq(plx_socket_set_option(b, PLX_OPTION_IDLE_TIMEOUT, 200), 0);
    raw_a = world_pair(w, a, &first);
    slow.raw = world_pair(w, b, &second);
    record_on(&first, EVENT_DATA_AVAILABLE, takes_its_time, &slow);
    raw_say(raw_a, "x");
    world_readable(plx_socket_handle(a));
    raw_say(slow.raw, "y");
    world_readable(plx_socket_handle(b));
    UNTIL(w, first.count[EVENT_DATA_AVAILABLE] > 0 && second.count[EVENT_DATA_AVAILABLE] > 0);
    world_settle(w);
    ck_assert_int_eq(second.count[EVENT_ERROR], 0);
    ck_assert_int_eq(plx_socket_state(b), PLX_CONNECTED);
    plx_clock_set(NULL, NULL);
}

/* A connect that a slow handler has begun has all of its time. */
CASE(a_slow_handler_shortens_no_time_out)
{
    struct record first, second, third;
    char where[WHERE_SIZE];
    struct slow slow = {.where = where};
    plx_socket *a = world_socket(w, &first), *b = world_socket(w, &second);
    int raw_a;

    plx_clock_set(standing_clock, NULL);
    raw_a = world_pair(w, a, &first);
    slow.raw = world_pair(w, b, &second);
    slow.connects = world_socket(w, &third);
    plx_socket_set_option(slow.connects, PLX_OPTION_CONNECT_TIMEOUT, 200);
    raw_listen(w, 0, where);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(plx_socket_connect_to(world_socket(w, NULL), where), 0);
        world_settle(w);
    }
    record_on(&first, EVENT_DATA_AVAILABLE, takes_its_time, &slow);
    raw_say(raw_a, "x");
    UNTIL(w, first.count[EVENT_DATA_AVAILABLE] > 0);
    for (int i = 0; i < 4; i++) {
        pass_time(i < 3 ? 50 : 49); /* a longer step would be a halt */
        world_settle(w);
        ck_assert_int_eq(plx_socket_state(slow.connects), PLX_CONNECTING);
    }
    pass_time(2);
    UNTIL(w, third.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(third.os_error, ETIMEDOUT);
    plx_clock_set(NULL, NULL);
}

/* ---- deadlines that somebody else takes ------------------------------------------------------ */

struct detour {
    struct world *w;
    plx_group *elsewhere;
    plx_socket *idle;
    enum { POLLS_THE_GROUP, MOVES, LEAVES } how;
};

static void takes_a_detour(struct record *record, plx_socket *socket)
{
    struct detour *detour = record->data;

    plx_socket_purge(socket);
    pass_time(150);
    switch (detour->how) {
    case POLLS_THE_GROUP: plx_group_poll(detour->w->group, 0); break;
    case MOVES: plx_group_add(detour->elsewhere, detour->idle); break;
    case LEAVES: plx_group_remove(detour->w->group, detour->idle); break;
    }
}

/* Time passes in frames: a jump alone ends no connection (test-jump.c). */
static void expect_time_out(struct detour *detour, struct record *log)
{
    UNTIL(detour->w, (pass_time(10), plx_group_poll(detour->elsewhere, 0),
                      plx_socket_poll(detour->idle), log->count[EVENT_ERROR] == 1));
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
}

/* Polled by itself, a member's handler polls the group, which finds the member's own deadline. */
SOCKET_CASE(a_deadline_found_in_the_sockets_own_handler_is_kept)
{
    struct detour detour = {.w = w, .how = POLLS_THE_GROUP};
    int raw;

    plx_clock_set(standing_clock, NULL);
    detour.elsewhere = plx_group_new();
    detour.idle = socket;
    plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 100);
    raw = world_pair(w, socket, log);
    record_on(log, EVENT_DATA_AVAILABLE, takes_a_detour, &detour);
    raw_say(raw, "x");
    world_readable(plx_socket_handle(socket));
    UNTIL(w, (plx_socket_poll(socket), log->fired));
    pass_time(150);
    UNTIL(w, (pass_time(10), log->count[EVENT_ERROR] == 1));
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
    ck_assert_ptr_null(plx_group_free(detour.elsewhere));
    plx_clock_set(NULL, NULL);
}

static void play_detour(struct world *w, int how)
{
    struct record first, second;
    struct detour detour = {.w = w};
    plx_socket *a = world_socket(w, &first);
    int raw;

    detour.how = how == 0 ? MOVES : LEAVES;
    plx_clock_set(standing_clock, NULL);
    detour.elsewhere = plx_group_new();
    detour.idle = world_socket(w, &second);
    raw = world_pair(w, a, &first);
    plx_socket_set_option(detour.idle, PLX_OPTION_IDLE_TIMEOUT, 100);
    world_pair(w, detour.idle, &second);
    record_on(&first, EVENT_DATA_AVAILABLE, takes_a_detour, &detour);
    raw_say(raw, "x");
    world_readable(plx_socket_handle(a));
    pass_time(150); /* both are found in one frame */
    world_poll(w);
    UNTIL(w, first.fired);
    expect_time_out(&detour, &second);
    ck_assert_ptr_null(plx_group_free(detour.elsewhere));
    plx_clock_set(NULL, NULL);
}

CASE(a_deadline_moves_with_its_socket)
{
    play_detour(w, 0);
}

CASE(a_deadline_leaves_with_its_socket)
{
    play_detour(w, 1);
}

/* ---- budgets --------------------------------------------------------------------------------- */

/* Finding out who is ready takes longer than the budget: at least one is served all the same. */
CASE(a_budget_of_a_microsecond_serves_everybody_in_the_end)
{
    struct record logs[8];
    int raws[8];

    if (w->group == NULL)
        return;
    for (int i = 0; i < 8; i++)
        raws[i] = world_pair(w, world_socket(w, &logs[i]), &logs[i]);
    plx_group_set_budget(w->group, 1, 0);
    for (int i = 0; i < 8; i++)
        raw_say(raws[i], "x");
    for (int i = 0; i < 8; i++)
        UNTIL(w, logs[i].count[EVENT_DATA_AVAILABLE] > 0);
}

PAIR_CASE(a_budget_goes_by_the_kernels_clock)
{
    plx_clock_set(standing_clock, NULL);
    if (w->group != NULL)
        plx_group_set_budget(w->group, 1, 0);
    raw_say(raw, "x");
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] > 0);
    plx_clock_set(NULL, NULL);
}

/* ---- a poller that fails --------------------------------------------------------------------- */

/* For good, as where somebody has closed its descriptor. */
static bool break_the_poller(const struct world *w)
{
    long call = -1;

    (void)w;
#ifdef SYS_epoll_wait
    if (w->mode == MODE_EPOLL || w->mode == MODE_URING)
        call = SYS_epoll_wait;
#endif
    return call >= 0 && kernel_denies(call, -1, EBADF);
}

PAIR_CASE(a_group_whose_poller_fails_still_hears)
{
    int polls = 0;
    long long begin;

    if (!break_the_poller(w))
        return;
    raw_say(raw, "x");
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] > 0);
    plx_socket_purge(socket);
    world_settle(w);
    begin = now_ms();
    for (; now_ms() - begin < 40; polls++)
        plx_group_poll(w->group, 1000);
    ck_assert_msg(polls < 400, "%s: %d polls that did not sleep", world_name(w), polls);
}

/* ---- many descriptors of one socket ---------------------------------------------------------- */

enum { MANY = 150 };

/* A task asks about each of its watches, in whatever order they stand. */
PLAIN_CASE(a_task_hears_each_of_many_descriptors)
{
    static struct plx__watch watches[MANY];
    struct plx__task task = {0};
    int ends[MANY][2];

    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
        ck_assert_int_eq(plx__watch_start(&watches[i], &task, ends[i][0], PLX__READ), 0);
    }
    ck_assert_uint_eq(plx__task_sleep(&task, 0), 0);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(write(ends[i][1], "x", 1), 1);
        ck_assert_uint_eq(plx__task_sleep(&task, -1), 1);
        ck_assert_uint_eq(watches[i].ready, PLX__READ);
        ck_assert_int_eq(read(ends[i][0], &(char){0}, 1), 1);
        watches[i].ready = 0;
    }
    for (int i = 0; i < MANY; i++) {
        plx__watch_stop(&watches[i]);
        close(ends[i][0]);
        close(ends[i][1]);
    }
}

/* A program that serves the group in a loop of its own polls when the deadline is 0, and must not
 * have to do so for a tick of the coarse clock. */
CASE(a_deadline_of_zero_is_served_by_the_next_poll)
{
    plx_socket *socket = world_socket(w, NULL);
    int left = 0;

    if (w->group == NULL)
        return;
    world_pair(w, socket, NULL);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 0), 0);
        world_settle(w);
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 3), 0);
        while (plx_group_deadline(w->group) != 0) {
        }
        plx_group_poll(w->group, 0);
        left += plx_group_deadline(w->group) == 0;
        plx_socket_close(socket);
        world_pair(w, socket, NULL);
    }
    /* That which the socket did not expect is a frame's: not each time. */
    ck_assert_msg(left <= 2, "%s: %d of 20 times still due", world_name(w), left);
}

WORLD_MAIN("time", .packets = true)
