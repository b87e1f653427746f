/* tests/test-pass.c -- a poll is one pass: each event at most once, in the order of
 * <pollux/events.h>, whatever handlers cause, and nobody has a second turn in it. */
#include "config.h"

#include "tests/suite.h"
#include "tests/world.h"

/* More than a write into an empty queue leaves to the next poll. */
enum { AT_ONCE = 20000, MOST = 100 };

static const char much[AT_ONCE];

/* ---- once ------------------------------------------------------------------------------------ */

static void fail_a_call(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_write(socket, NULL, 1);
}

static void write_much(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_write(socket, much, sizeof much);
}

static void write_and_flush(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_write(socket, "x", 1);
    plx_socket_flush(socket);
}

static void read_half_and_wait(struct record *record, plx_socket *socket)
{
    char byte;

    (void)record;
    plx_socket_read(socket, &byte, 1);
    plx_socket_wait(socket, 0);
}

static const struct {
    enum event event;
    record_act *causes; /* in the event's own handler */
    record_act *begin;
} again[] = {
    {EVENT_ERROR, fail_a_call, fail_a_call},
    {EVENT_SEND_PROGRESS, write_much, write_much},
    {EVENT_SEND_PROGRESS, write_and_flush, write_much},
    {EVENT_SEND_COMPLETE, write_much, write_much},
    {EVENT_SEND_COMPLETE, write_and_flush, write_and_flush},
    {EVENT_DATA_AVAILABLE, read_half_and_wait, NULL},
    {EVENT_LINE_AVAILABLE, read_half_and_wait, NULL},
};

enum { AGAIN = sizeof again / sizeof again[0] };

/* For streams only: packets have no lines and no send_progress. */
STREAM_CASE(an_event_comes_once_in_a_poll)
{
    static char drain[4 * AT_ONCE];

    for (int i = 0; i < AGAIN; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int raw = world_pair(w, socket, &log);

        record_on(&log, again[i].event, again[i].causes, NULL);
        log.always = true;
        if (again[i].begin != NULL)
            again[i].begin(&log, socket);
        else
            raw_say(raw, "one\ntwo\nthree\n");
        for (int round = 0; round < 8 || log.count[again[i].event] < 2; round++) {
            int before = log.count[again[i].event];

            ck_assert_int_lt(round, ROUNDS);
            world_turn(w, round);
            ck_assert_msg(log.count[again[i].event] <= before + 1, "%s: %d: %d times in one poll",
                          world_name(w), i, log.count[again[i].event] - before);
            raw_take(raw, drain, sizeof drain);
        }
        record_on(&log, EVENT_NEVER, NULL, NULL);
        world_free(w, socket);
        raw_close(w, raw);
    }
}

/* ---- in order -------------------------------------------------------------------------------- */

static void disconnect_here(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
}

/* CLOSING stands before the events of sending. For streams only: packets have no send_progress. */
STREAM_CASE(what_stands_earlier_comes_in_the_next_poll)
{
    static const struct {
        enum event event;
        const char *poll;
    } cases[] = {{EVENT_SEND_PROGRESS, "send_progress(1,0) send_complete(false)"},
                 {EVENT_SEND_COMPLETE, "send_progress(1,0) send_complete(false)"}};

    for (int i = 0; i < 2; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int raw = world_pair(w, socket, &log);

        record_on(&log, cases[i].event, disconnect_here, NULL);
        ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
        world_poll(w);
        ck_assert_msg(strstr(log.text, "state:") == NULL, "%s: %s", world_name(w), log.text);
        record_clear(&log);
        UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
        LOGGED(w, &log, "state:CLOSING state:UNCONNECTED disconnected[UNCONNECTED]");
        world_free(w, socket);
        raw_close(w, raw);
    }
}

/* ---- nobody has a second turn ---------------------------------------------------------------- */

static void go_and_come_back(struct record *record, plx_socket *socket)
{
    struct world *w = record->data;

    if (record->count[EVENT_ERROR] >= MOST)
        return;
    plx_socket_write(socket, NULL, 1);
    plx_group_remove(w->group, socket);
    ck_assert_int_eq(plx_group_add(w->group, socket), 0);
}

SOCKET_CASE(a_member_that_goes_and_comes_back_is_served_once)
{
    if (w->group == NULL)
        return;
    record_on(log, EVENT_ERROR, go_and_come_back, w);
    log->always = true;
    plx_socket_write(socket, NULL, 1);
    for (int round = 1; round < 6; round++) {
        plx_group_poll(w->group, 0);
        ck_assert_int_eq(log->count[EVENT_ERROR], round);
    }
}

struct two {
    struct world *w;
    plx_socket *sockets[2];
};

static void move_the_other(struct record *record, plx_socket *socket)
{
    struct two *two = record->data;
    plx_socket *other = two->sockets[socket == two->sockets[0]];

    if (record->count[EVENT_ERROR] >= MOST)
        return;
    plx_socket_write(other, NULL, 1);
    plx_group_remove(two->w->group, other);
    ck_assert_int_eq(plx_group_add(two->w->group, other), 0);
}

CASE(two_that_move_each_other_are_served_once)
{
    struct record logs[2];
    struct two two = {.w = w};

    for (int i = 0; i < 2; i++) {
        two.sockets[i] = world_socket(w, &logs[i]);
        record_on(&logs[i], EVENT_ERROR, move_the_other, &two);
        logs[i].always = true;
    }
    if (w->group == NULL)
        return;
    plx_socket_write(two.sockets[0], NULL, 1);
    for (int round = 1; round < 6; round++) {
        plx_group_poll(w->group, 0);
        ck_assert_int_le(logs[0].count[EVENT_ERROR], round);
        ck_assert_int_le(logs[1].count[EVENT_ERROR], round);
    }
    ck_assert_int_ge(logs[0].count[EVENT_ERROR], 2);
}

WORLD_MAIN("pass", .packets = true)
