/* tests/test-auto-connect.c -- connections that come back by themselves.
 *
 * Time runs twenty times as fast here for the library: the pauses are those of a real program, the
 * test is not. */
#include <errno.h>
#include <stdlib.h>

#include "tests/clocks.h"
#include "tests/sockets.h"
#include "tests/world.h"

enum { HASTE = 20 };

static uint64_t skipped; /* nanoseconds, besides */
static uint64_t stands;  /* the moment at which the clock stands; 0: it runs */

static uint64_t hasty_clock(void *user)
{
    (void)user;
    if (stands != 0)
        return stands + skipped;
    return (uint64_t)clock_ns(CLOCK_MONOTONIC) * HASTE + skipped;
}

static void begin_haste(void)
{
    plx_clock_set(hasty_clock, NULL);
}

/* Six seconds, in which there would be time for many attempts. */
static void live_on(struct world *w)
{
    for (int step = 0; step < 40; step++) {
        skipped += 150000000;
        world_turn(w, step);
    }
}

/* A socket that connects by itself to a place where nobody listens yet; *ret_raw is bound there. */
static plx_socket *refused(struct world *w, struct record *log, int *ret_raw)
{
    plx_socket *socket = world_socket(w, log);
    char where[WHERE_SIZE];

    *ret_raw = raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    return socket;
}

SOCKET_CASE(off_by_default)
{
    int raw = raw_refusing(w, where);

    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_AUTO_CONNECT), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    ck_assert_int_eq(listen(raw, 5), 0);
    live_on(w);
    ck_assert(!is_readable(raw));
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

CASE(refused_and_then_connected)
{
    struct record log;
    int raw;
    plx_socket *socket = refused(w, &log, &raw);

    record_clear(&log);
    UNTIL(w, log.count[EVENT_ERROR] > 0);
    LOGGED(w, &log, "state:CONNECTING state:UNCONNECTED error(111,10)[UNCONNECTED]");
    UNTIL(w, log.count[EVENT_ERROR] > 1);
    ck_assert_int_eq(log.code, ECONNREFUSED);
    ck_assert_int_eq(listen(raw, 5), 0);
    record_clear(&log);
    raw_accept(w, raw);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    LOGGED(w, &log, "state:CONNECTING state:CONNECTED connected[CONNECTED]");
}

CASE(the_pause_is_a_deadline)
{
    struct record log;
    int raw;

    stands = hasty_clock(NULL); /* the pause is 5 ms of the real time, and could be over already */
    refused(w, &log, &raw);
    if (w->group != NULL) {
        ck_assert_int_gt(plx_group_deadline(w->group), 0);
        ck_assert_int_le(plx_group_deadline(w->group), 125);
    }
    stands = 0;
}

/* The pause depends on the clock and on the socket's history, and on nothing that differs between
 * two runs, such as an address in memory. */
CASE(the_pause_is_the_same_in_two_runs)
{
    struct record logs[8];
    int raw, pauses[8];

    stands = hasty_clock(NULL);
    for (int i = 0; i < 8; i++)
        pauses[i] = plx_socket_reconnects_in(refused(w, &logs[i], &raw));
    ck_assert_int_ge(pauses[0], 75);
    for (int i = 1; i < 8; i++)
        ck_assert_int_eq(pauses[i], pauses[0]);
    stands = 0;
}

CASE(asleep_until_the_pause_is_over)
{
    struct record log;
    int raw;
    plx_socket *socket = refused(w, &log, &raw);

    ck_assert_int_eq(listen(raw, 5), 0);
    for (int i = 0; log.count[EVENT_CONNECTED] == 0; i++) {
        ck_assert_int_lt(i, 50);
        if (w->group != NULL)
            plx_group_poll(w->group, -1);
        else
            plx_socket_wait(socket, -1);
    }
}

/* A Unix socket is refused at once, and no readiness reports that: the attempt is over
 * nevertheless, and does not last until CONNECT_TIMEOUT. */
CASE(an_attempt_refused_at_once_ends_at_once)
{
    struct record log;
    int raw;

    stands = hasty_clock(NULL);
    refused(w, &log, &raw);
    skipped += 150000000;
    for (int turn = 0; turn < ROUNDS && log.count[EVENT_ERROR] < 2; turn++)
        world_turn(w, turn);
    stands = 0;
    ck_assert_int_eq(log.count[EVENT_ERROR], 2);
    ck_assert_int_eq(log.code, ECONNREFUSED);
}

CASE(close_ends_it)
{
    struct record log;
    int raw;
    plx_socket *socket = refused(w, &log, &raw);

    plx_socket_close(socket);
    ck_assert_int_eq(listen(raw, 5), 0);
    record_clear(&log);
    live_on(w);
    ck_assert(!is_readable(raw));
    LOGGED(w, &log, "");
}

CASE(disconnect_ends_it)
{
    struct record log;
    int raw;
    plx_socket *socket = refused(w, &log, &raw);

    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_disconnect(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(listen(raw, 5), 0);
    live_on(w);
    ck_assert(!is_readable(raw));
}

/* Nothing is left of the pause: a group is at rest, and a wait has nothing to wait for. */
CASE(turned_off_while_it_waits)
{
    struct record log;
    int raw;
    plx_socket *socket;

    stands = hasty_clock(NULL);
    socket = refused(w, &log, &raw);
    world_settle(w);
    ck_assert_int_ge(plx_socket_reconnects_in(socket), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 0), 0);
    skipped += 200000000;
    world_settle(w);
    if (w->group != NULL)
        ck_assert_int_eq(plx_group_deadline(w->group), -1);
    ck_assert(!plx_socket_wait(socket, -1));
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    stands = 0;
}

static void disconnect_here(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
}

/* Disconnecting means that nobody connects again, not that the connection never was. */
CASE(disconnect_in_the_last_events_takes_none_back)
{
    static const enum event places[] = {EVENT_STATE_CHANGED, EVENT_ERROR, EVENT_NEVER};

    for (int i = 0; i < 3; i++) {
        struct record log;
        char where[WHERE_SIZE];
        plx_socket *socket = world_socket(w, &log);
        int listener = raw_listen(w, 5, where), raw;

        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        raw = raw_accept(w, listener);
        UNTIL(w, log.count[EVENT_CONNECTED] == 1);
        record_clear(&log);
        record_on(&log, places[i], disconnect_here, NULL);
        raw_close(w, raw);
        if (places[i] == EVENT_NEVER) {
            UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
            ck_assert_int_eq(plx_socket_disconnect(socket), 0);
        }
        world_settle(w);
        UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
        LOGGED(w, &log, "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]");
        ck_assert_int_eq(plx_socket_reconnects_in(socket), -1);
        world_free(w, socket);
        raw_close(w, listener);
    }
}

SOCKET_CASE(an_orderly_disconnect_is_no_loss)
{
    int raw = raw_listen(w, 5, where), peer;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    peer = raw_accept(w, raw);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    live_on(w);
    ck_assert(!is_readable(raw));
    raw_close(w, peer);
}

/* The next attempt cannot even begin: its failure is reported, and the pause that follows is
 * twice as long. */
CASE(an_attempt_that_fails_at_once)
{
    struct record log;
    int raw;
    plx_socket *socket;

    stands = hasty_clock(NULL);
    socket = refused(w, &log, &raw);
    record_clear(&log);
    fail_allocation(-1);
    skipped += 125000000;
    UNTIL(w, log.count[EVENT_ERROR] > 0);
    world_settle(w);
    fail_allocation(0);
    LOGGED(w, &log, "error(108,14)[UNCONNECTED]");
    ck_assert_int_ge(plx_socket_reconnects_in(socket), 150);
    ck_assert_int_le(plx_socket_reconnects_in(socket), 250);
    ck_assert_int_eq(listen(raw, 5), 0);
    skipped += 250000000;
    raw_accept(w, raw);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    stands = 0;
}

static void act_free(struct record *record, plx_socket *socket)
{
    world_forget(record->data, socket);
    plx_socket_free(socket);
}

SOCKET_CASE(freed_in_the_error)
{
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    record_on(log, EVENT_ERROR, act_free, w);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->fired);
    world_settle(w);
}

/* A server that is killed and started again twenty times. */
SOCKET_CASE(twenty_times_the_server_is_started_again)
{
    plx_server *server = world_server(w);
    int descriptors = 0;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    world_serve(w, server, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    for (int start = 1; start <= 20; start++) {
        UNTIL(w, log->count[EVENT_CONNECTED] == start && plx_server_active_count(server) == 1);
        plx_server_stop_listening(server);
        plx_socket_free(plx_server_next_active(server, NULL));
        UNTIL(w, log->count[EVENT_DISCONNECTED] == start);
        ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
        log->length = 0;
        if (start == 1)
            descriptors = count_descriptors();
        ck_assert_int_eq(count_descriptors(), descriptors);
        ck_assert_int_eq(plx_server_listen_on(server, where), 0);
    }
}

/* ---- whether it will, and when --------------------------------------------------------------- */

static void note_pause(struct record *record, plx_socket *socket)
{
    int *pause = record->data;

    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    *pause = plx_socket_reconnects_in(socket);
}

SOCKET_CASE(told_when_it_connects_again)
{
    int raw = raw_refusing(w, where), pause = -2;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    ck_assert_int_eq(plx_socket_reconnects_in(socket), -1);
    record_on(log, EVENT_ERROR, note_pause, &pause);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    if (plx_socket_state(socket) == PLX_CONNECTING)
        ck_assert_int_eq(plx_socket_reconnects_in(socket), -1);
    UNTIL(w, log->fired);
    ck_assert_int_ge(pause, 0); /* inside `error`; time is hasty, and may be over */
    ck_assert_int_le(pause, 125);
    ck_assert_int_eq(listen(raw, 5), 0);
    raw_accept(w, raw);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    ck_assert_int_eq(plx_socket_reconnects_in(socket), -1);
}

SOCKET_CASE(told_in_disconnected_too)
{
    int raw = raw_listen(w, 5, where), peer, pause = -2;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    peer = raw_accept(w, raw);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    record_on(log, EVENT_DISCONNECTED, note_pause, &pause);
    raw_close(w, peer);
    UNTIL(w, log->fired);
    ck_assert_int_ge(pause, 0);
    ck_assert_int_le(pause, 125);
}

CASE(the_pause_runs_down)
{
    struct record log;
    int raw, before;
    plx_socket *socket;

    stands = hasty_clock(NULL);
    socket = refused(w, &log, &raw);
    before = plx_socket_reconnects_in(socket);
    ck_assert_int_ge(before, 75);
    ck_assert_int_le(before, 125);
    for (int passed = 1; passed <= before + 50; passed++) { /* without a poll */
        skipped += 1000000;
        ck_assert_int_eq(plx_socket_reconnects_in(socket), before > passed ? before - passed : 0);
    }
    ck_assert_int_eq(plx_socket_reconnects_in(socket), 0); /* due, and stays so until a poll */
    stands = 0;
}

CASE(calls_that_end_it_say_so)
{
    for (int way = 0; way < 4; way++) {
        struct record log;
        int raw;
        plx_socket *socket = refused(w, &log, &raw);

        ck_assert_int_ge(plx_socket_reconnects_in(socket), 0);
        switch (way) {
        case 0: plx_socket_close(socket); break;
        case 1: plx_socket_abort(socket); break;
        case 2: ck_assert_int_eq(plx_socket_disconnect(socket), 0); break;
        default: ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 0), 0);
        }
        ck_assert_int_eq(plx_socket_reconnects_in(socket), -1);
        ck_assert_int_eq(listen(raw, 5), 0);
        live_on(w);
        ck_assert(!is_readable(raw));
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    }
}

SOCKET_CASE(nobody_connects_again_unasked)
{
    ck_assert_int_eq(plx_socket_reconnects_in(NULL), -1);
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    ck_assert_int_eq(plx_socket_reconnects_in(socket), -1);
    ck_assert_int_eq(plx_socket_reconnects_in(world_socket_of(w, plx_udp_new, NULL)), -1);
}

static void give_up_at_the_third(struct record *record, plx_socket *socket)
{
    if (record->count[EVENT_ERROR] == 3)
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
}

/* The loop of pollux.h: it lasts through the pauses, and ends with the socket. */
SOCKET_CASE(a_loop_that_lives_as_long_as_the_socket)
{
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    record_on(log, EVENT_ERROR, give_up_at_the_third, NULL);
    log->always = true;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    for (int round = 0;
         plx_socket_state(socket) != PLX_UNCONNECTED || plx_socket_reconnects_in(socket) >= 0;
         round++) {
        ck_assert_int_lt(round, 100000);
        if (w->group != NULL)
            plx_group_poll(w->group, 100);
        else
            plx_socket_wait(socket, 100);
    }
    ck_assert_int_eq(log->count[EVENT_ERROR], 3);
}

WORLD_MAIN("auto-connect", .packets = true, .setup = begin_haste)
