/* tests/test-filter-establish.c -- establishing that goes wrong: results that begin and establish
 * must not return, a filter that never goes on, and one that asks for other connections. */
#include "config.h"

#include <errno.h>
#include <limits.h>

#include "tests/counting.h"
#include "tests/puppet.h"
#include "tests/world.h"

/* ---- results of begin and establish ---------------------------------------------------------- */

SECTION("establishing");

/* What establish returns, the code of the end and its sentence. */
static const struct wrong {
    int result, code;
    const char *sentence;
} wrong_establishes[] = {
    {-1, 106, "filter puppet: establish returned -1"},
    {INT_MIN, 106, "filter puppet: establish returned -2147483648"},
    {5000, 106, "filter puppet: establish returned 5000"},
    {PLX_INVALID_STATE, 106,
     "filter puppet: establish: not possible in this state or for this kind of object "
     "(InvalidState)"},
    {PLX_OUT_OF_MEMORY, 108, "filter puppet: establish: out of memory (OutOfMemory)"},
    {EACCES, EACCES, "filter puppet: establish: permission denied (EACCES)"},
};

/* The steps are begin (false) and establish. */
static void refuse(struct world *w, bool establishes, int result, int code, const char *sentence)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push(socket);
    char text[200];

    *(establishes ? &puppet->establish : &puppet->begin) = result;
    puppet_meet(w, socket);
    puppet_expect_error(w, &log, code, sentence);
    snprintf(text, sizeof text, "state:CONNECTING state:UNCONNECTED error(%d,%d)[UNCONNECTED]",
             code, (int)log.reason);
    LOGGED(w, &log, text);
    ck_assert_int_eq(puppet->count[STEP_BEGIN], 1);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], establishes ? 1 : 0);
    ck_assert_int_eq(puppet->count[STEP_SHUTDOWN], 0);
    ck_assert_ptr_nonnull(puppet->filter);
}

CASE(what_establish_must_not_return)
{
    for (size_t i = 0; i < sizeof wrong_establishes / sizeof wrong_establishes[0]; i++)
        refuse(w, true, wrong_establishes[i].result, wrong_establishes[i].code,
               wrong_establishes[i].sentence);
}

CASE(a_begin_that_fails)
{
    refuse(w, false, -7, 106, "filter puppet: begin returned -7");
    refuse(w, false, EAGAIN, 106, "filter puppet: begin returned 11");
    refuse(w, false, ERESTART, 106, "filter puppet: begin returned 85");
    refuse(w, false, PLX_OUT_OF_MEMORY, 108, "filter puppet: begin: out of memory (OutOfMemory)");
}

PAIR_CASE(a_begin_in_the_stream_that_fails)
{
    struct puppet *puppet = puppet_push(socket);

    puppet->begin = EACCES;
    puppet_expect_error(w, log, EACCES, "filter puppet: begin: permission denied (EACCES)");
    ck_assert_int_eq(puppet->count[STEP_BEGIN], 1);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], 0);
}

/* No number from 100 to 108 is reported without its meaning as a class code. */
CASE(an_errno_that_is_no_class_code)
{
    refuse(w, true, ECONNRESET, 102,
           "filter puppet: establish: the connection has ended "
           "(LostConnection)");
    refuse(w, true, ENETUNREACH, 100,
           "filter puppet: establish: the network cannot be used "
           "(OpenDriver)");
}

/* Established never: CONNECT_TIMEOUT ends it, and names the filter. Until then polls call it when
 * what it wants has happened, and no sleep ends early. */
static void never_establish(struct world *w, unsigned want, int moment, int most)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push(socket);
    int before;

    time_stop();
    puppet->establish = EAGAIN;
    puppet->sets_want = true;
    puppet->want = want;
    puppet->moment = moment;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 500), 0);
    puppet_meet(w, socket);
    UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
    world_settle(w);
    before = puppet->count[STEP_ESTABLISH];
    for (int i = 0; i < 3; i++) {
        if (w->group != NULL)
            plx_group_poll(w->group, 15);
        ck_assert(!plx_socket_wait_for_connected(socket, 15));
        ck_assert(!plx_socket_wait_for_data(socket, 15));
    }
    ck_assert_int_le(puppet->count[STEP_ESTABLISH] - before, most);
    world_run(w, 499);
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    time_pass(1);
    puppet_expect_error(w, &log, ETIMEDOUT, "filter puppet: not established in time");
    ck_assert_int_eq(log.reason, PLX_REASON_SOCKET_TIMEOUT);
    LOGGED(w, &log, "state:CONNECTING state:UNCONNECTED error(110,15)[UNCONNECTED]");
    time_run();
}

CASE(a_filter_that_is_never_established)
{
    never_establish(w, PLX_WANT_NOTHING, -1, 0);
    never_establish(w, PLX_WANT_READ, -1, 0);
    never_establish(w, PLX_WANT_NOTHING, 100, 0);
    never_establish(w, 0xfffffff0u, INT_MIN, 0);
    never_establish(w, PLX_WANT_READ | 0xfffffff0u, INT_MAX, 0);
}

static void expect_limit(struct world *w, plx_socket *socket, struct record *log, int limit)
{
    struct puppet *puppet = puppet_push(socket);

    ck_assert_ptr_nonnull(puppet);
    puppet->establish = EAGAIN;
    UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
    world_run(w, limit - 1);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    time_pass(1);
    puppet_expect_error(w, log, ETIMEDOUT, "filter puppet: not established in time");
}

/* The time of a filter pushed in mid-stream is that of the socket's other filters: 10 seconds if
 * the peer has connected and CONNECT_TIMEOUT was not set. */
CASE(a_new_filter_that_is_never_established)
{
    time_stop();
    for (int set = 0; set < 2; set++) {
        struct record logs[3];
        plx_socket *caller = world_socket(w, &logs[0]), *callee = world_socket(w, &logs[1]);
        plx_socket *adopter = world_socket(w, &logs[2]);
        plx_socket *const sockets[] = {caller, callee, adopter};
        char where[WHERE_SIZE];
        int listener;

        world_listen(w, callee, where);
        raw_connect(w, where);
        UNTIL(w, plx_socket_is_connected(callee));
        world_pair(w, caller, &logs[0]);
        listener = raw_listen(w, 5, where);
        raw_connect(w, where);
        ck_assert_int_eq(plx_socket_adopt(adopter, raw_give(w, raw_accept(w, listener))), 0);
        for (int i = 0; i < 3; i++) {
            if (set)
                ck_assert_int_eq(plx_socket_set_option(sockets[i], PLX_OPTION_CONNECT_TIMEOUT, 700),
                                 0);
            expect_limit(w, sockets[i], &logs[i], set ? 700 : i == 0 ? 30000 : 10000);
        }
    }
    time_run();
}

/* An end of the peer is readiness too, and must not make a filter spin that waits for a moment. */
CASE(a_peer_that_has_ended_meanwhile)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push(socket);
    int before;

    time_stop();
    puppet->establish = EAGAIN;
    puppet->sets_want = true;
    puppet->moment = 10000;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 500), 0);
    raw_close(w, puppet_meet(w, socket));
    UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
    world_settle(w);
    before = puppet->count[STEP_ESTABLISH];
    for (int i = 0; i < 3 && w->group != NULL; i++)
        plx_group_poll(w->group, 15);
    ck_assert(!plx_socket_wait_for_connected(socket, 40));
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], before);
    world_run(w, 500);
    puppet_expect_error(w, &log, ETIMEDOUT, "filter puppet: not established in time");
    time_run();
}

/* Accepted and adopted connections have 10 seconds if no time is set. */
CASE(an_accepted_connection_that_is_never_established)
{
    for (int set = 0; set < 2; set++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        struct puppet *puppet = puppet_push(socket);
        int limit = set ? 700 : 10000;
        char where[WHERE_SIZE];

        time_stop();
        puppet->establish = EAGAIN;
        if (set)
            ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, limit), 0);
        world_listen(w, socket, where);
        raw_connect(w, where);
        UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
        world_run(w, limit - 1);
        world_settle(w);
        ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
        time_pass(1);
        puppet_expect_error(w, &log, ETIMEDOUT, "filter puppet: not established in time");
        time_run();
    }
}

/* ---- another connection ---------------------------------------------------------------------- */

SECTION("restart");

/* Accepts what connects, and polls, until the socket has an error. */
static int accept_all(struct world *w, int listener, const struct record *log)
{
    int count = 0;

    for (int round = 0; log->count[EVENT_ERROR] + log->count[EVENT_CONNECTED] == 0; round++) {
        ck_assert_int_lt(round, ROUNDS);
        if (is_readable(listener)) {
            raw_accept(w, listener);
            count++;
        }
        world_turn(w, round);
    }
    while (is_readable(listener)) {
        raw_accept(w, listener);
        count++;
    }
    return count;
}

CASE(a_filter_that_asks_for_connections_for_ever)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push(socket);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 20, where);

    puppet->establish = ERESTART;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(accept_all(w, listener, &log), 9);
    puppet_expect_error(w, &log, 102, "filter puppet: not established by 8 connections");
    LOGGED(w, &log, "state:CONNECTING state:UNCONNECTED error(102,29)[UNCONNECTED]");
    ck_assert_int_eq(puppet->count[STEP_BEGIN], 9);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], 9);
    record_clear(&log); /* the next connect has as many */
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(accept_all(w, listener, &log), 9);
}

/* Queued bytes go to the last connection only. */
CASE(a_filter_that_asks_for_connections_and_is_established)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *below = puppet_push(socket), *puppet = puppet_push(socket);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 20, where);

    puppet->establish = ERESTART;
    puppet->establish_times = 8;
    log.mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_SEND_COMPLETE;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    for (int i = 0; i < 8; i++)
        raw_expect_end(w, raw_accept(w, listener));
    raw_expect(w, raw_accept(w, listener), "hello");
    LOGGED(w, &log, "state:CONNECTING state:CONNECTED connected[CONNECTED]");
    ck_assert_int_eq(below->count[STEP_BEGIN], 9);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], 9);
}

static void run_out_of_memory(struct puppet *puppet)
{
    (void)puppet;
    fail_allocation(-1);
}

/* There is no memory for another connection: the next connect begins all filters anew. */
CASE(another_connection_without_memory)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *below = puppet_push(socket), *puppet = puppet_push(socket);
    struct puppet *above = puppet_push(socket);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 20, where);

    puppet->establish = ERESTART;
    puppet->establish_times = 1;
    puppet->when = STEP_ESTABLISH;
    puppet->act = run_out_of_memory;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    fail_allocation(0);
    ck_assert_int_eq(log.code, PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(below->count[STEP_BEGIN], 1);
    ck_assert_int_eq(above->count[STEP_BEGIN], 1);
    raw_expect_end(w, raw_accept(w, listener));
    puppet->act = NULL;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw_accept(w, listener);
    UNTIL(w, plx_socket_is_connected(socket));
    ck_assert_int_eq(below->count[STEP_BEGIN], 2);
    ck_assert_int_eq(puppet->count[STEP_BEGIN], 2);
    ck_assert_int_eq(above->count[STEP_BEGIN], 2);
    ck_assert_int_eq(above->count[STEP_ESTABLISH], 1);
}

/* What the program changes or does wrong meanwhile is no matter of the connection. */
CASE(another_connection_goes_to_the_same_peer)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push(socket);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 20, where);

    puppet->establish = EAGAIN;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw_accept(w, listener);
    UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
    plx_socket_set_path(socket, "/nowhere/at/all");
    plx_socket_set_port(socket, 1);
    world_settle(w);
    record_clear(&log);
    ck_assert_int_eq(plx_socket_write(socket, NULL, 1), -1);
    puppet->establish = ERESTART;
    puppet->establish_times = 1;
    plx_filter_set_want(puppet->filter, 0, -1);
    raw_accept(w, listener);
    UNTIL(w, plx_socket_is_connected(socket));
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(log.code, PLX_INVALID_STATE);
}

/* The address of a name that has won goes with the connection. */
MODE_CASE(another_connection_by_name_goes_to_the_same_address)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push(socket);
    char where[WHERE_SIZE], name[WHERE_SIZE];
    int listener = raw_listen(w, 20, where);

    puppet->establish = ERESTART;
    puppet->establish_times = 1;
    snprintf(name, sizeof name, "localhost%s", strrchr(where, ':'));
    ck_assert_int_eq(plx_socket_connect_to(socket, name), 0);
    raw_expect_end(w, raw_accept(w, listener));
    raw_accept(w, listener);
    UNTIL(w, plx_socket_is_connected(socket));
    ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
}

static const char *const no_restart =
    "filter puppet: needs another connection, which only connect can make";

CASE(an_accepted_connection_cannot_be_made_again)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    puppet_push(socket)->establish = ERESTART;
    world_listen(w, socket, where);
    raw_connect(w, where);
    puppet_expect_error(w, &log, 102, no_restart);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

CASE(an_adopted_connection_cannot_be_made_again)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raw = raw_connect(w, where);
    int other = raw_give(w, raw_accept(w, listener));

    (void)raw;
    puppet_push(socket)->establish = ERESTART;
    ck_assert_int_eq(plx_socket_adopt(socket, other), 0);
    puppet_expect_error(w, &log, 102, no_restart);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

PAIR_CASE(an_old_connection_cannot_be_made_again)
{
    puppet_push(socket)->establish = ERESTART;
    puppet_expect_error(w, log, 102, no_restart);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
}

/* All connections together have one CONNECT_TIMEOUT. */
CASE(connections_that_filters_ask_for_share_the_time)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push(socket);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 20, where);

    time_stop();
    puppet->establish = EAGAIN;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 500), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
    world_run(w, 300);
    puppet->establish = ERESTART;
    puppet->establish_times = 1;
    plx_filter_set_want(puppet->filter, 0, -1);
    UNTIL(w, puppet->count[STEP_BEGIN] == 2 || puppet->establish_times == 0);
    puppet->establish = EAGAIN;
    puppet->establish_times = -1;
    UNTIL(w, puppet->count[STEP_BEGIN] == 2);
    world_run(w, 199);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    time_pass(1);
    puppet_expect_error(w, &log, ETIMEDOUT, "filter puppet: not established in time");
    raw_close(w, listener);
    time_run();
}

WORLD_MAIN("filter-establish")
