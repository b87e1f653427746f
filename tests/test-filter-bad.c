/* tests/test-filter-bad.c -- filters that break their contract: what the library makes of each
 * result that a step must not return, and of a filter that never goes on. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

#include "tests/puppet.h"
#include "tests/world.h"

/* ---- what the cases share -------------------------------------------------------------------- */

static void expect_error(struct world *w, const struct record *log, int code, const char *sentence)
{
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, code);
    ck_assert_str_eq(log->message, sentence);
}

/* A connected socket with a puppet, and its raw peer. */
static struct puppet *pair(struct world *w, plx_socket **ret_socket, struct record *log,
                           int *ret_raw)
{
    struct puppet *puppet;

    *ret_socket = world_socket(w, log);
    puppet = puppet_push(*ret_socket);
    ck_assert_ptr_nonnull(puppet);
    *ret_raw = world_pair(w, *ret_socket, log);
    return puppet;
}

/* ---- results of receive and send ------------------------------------------------------------- */

SECTION("results");

/* What a step returns, the code of the end, its sentence behind "filter puppet: receive". */
struct wrong {
    ptrdiff_t result;
    int code;
    const char *sentence;
};

static const struct wrong wrong_receives[] = {
    {PTRDIFF_MAX, 106, "filter puppet: receive returned 9223372036854775807"},
    {-5000, 106, "filter puppet: receive returned -5000"},
    {PTRDIFF_MIN + 1, 106, "filter puppet: receive returned -9223372036854775807"},
    {-EPROTO, 102, "filter puppet: receive: protocol error (EPROTO)"},
    {-ENOMEM, 108, "filter puppet: receive: out of memory (ENOMEM)"},
    {0, 102, "the peer closed the connection"},
};

CASE(what_receive_must_not_return)
{
    for (size_t i = 0; i < sizeof wrong_receives / sizeof wrong_receives[0]; i++) {
        struct record log;
        plx_socket *socket;
        int raw;
        struct puppet *puppet = pair(w, &socket, &log, &raw);

        puppet->receive = wrong_receives[i].result;
        raw_say(raw, "x");
        expect_error(w, &log, wrong_receives[i].code, wrong_receives[i].sentence);
        ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 1);
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
        ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    }
}

static const struct wrong wrong_sends[] = {
    {6, 106, "filter puppet: send returned 6"},
    {PTRDIFF_MAX, 106, "filter puppet: send returned 9223372036854775807"},
    {0, 106, "filter puppet: send returned 0"},
    {-5000, 106, "filter puppet: send returned -5000"},
    {EAGAIN, 106, "filter puppet: send returned 11"},
    {-EPROTO, 102, "filter puppet: send: protocol error (EPROTO)"},
    {-ENOBUFS, 108, "filter puppet: send: out of memory (ENOMEM)"},
};

CASE(what_send_must_not_return)
{
    for (size_t i = 0; i < sizeof wrong_sends / sizeof wrong_sends[0]; i++) {
        struct record log;
        plx_socket *socket;
        int raw;
        struct puppet *puppet = pair(w, &socket, &log, &raw);

        puppet->send = wrong_sends[i].result;
        ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
        expect_error(w, &log, wrong_sends[i].code, wrong_sends[i].sentence);
        ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 1);
        ck_assert_int_eq(puppet->count[STEP_SEND], 1);
        raw_expect_end(w, raw);
    }
}

/* A lower filter that breaks the contract is named, whatever the upper one makes of it. */
CASE(the_filter_named_is_the_one_that_failed)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *lower = puppet_push_kind(socket, &puppet_encrypting);
    struct puppet *upper = puppet_push(socket);

    world_pair(w, socket, &log);
    lower->send = 0;
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    expect_error(w, &log, 106, "filter secret: send returned 0");
    ck_assert_int_eq(upper->count[STEP_SEND], 1);
}

/* What the kernel reports is no failure of the filter that passes it on. */
CASE(an_errno_of_the_kernel_names_no_filter)
{
    struct record log;
    plx_socket *socket;
    int raw;

    pair(w, &socket, &log, &raw);
    if (w->kind->resets) {
        raw_reset(w, raw);
        expect_error(w, &log, 102, "connection lost: connection reset by the peer (ECONNRESET)");
    }
}

/* Bytes that a receive or a send has moved do not hide the failure that follows them, even if the
 * step returns it once. */
CASE(a_failure_behind_some_bytes_is_returned_once)
{
    struct record log;
    plx_socket *socket;
    int raw;
    struct puppet *puppet = pair(w, &socket, &log, &raw);
    char bytes[8];

    puppet->piece = 3;
    puppet->receive = -EPROTO;
    puppet->receive_after = puppet->receive_times = 1;
    raw_say(raw, "hello!");
    expect_error(w, &log, 102, "filter puppet: receive: protocol error (EPROTO)");
    ck_assert_int_eq(log.os_error, EPROTO);
    ck_assert_int_eq(plx_socket_read(socket, bytes, sizeof bytes), 3);
    ck_assert_mem_eq(bytes, "hel", 3);
}

CASE(an_end_behind_some_bytes_is_returned_once)
{
    struct record log;
    plx_socket *socket;
    int raw;
    struct puppet *puppet = pair(w, &socket, &log, &raw);

    puppet->piece = 3;
    puppet->receive = 0;
    puppet->receive_after = puppet->receive_times = 1;
    raw_say(raw, "hello!");
    expect_error(w, &log, 102, "the peer closed the connection");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
}

CASE(a_failure_behind_sent_bytes_is_returned_once)
{
    struct record log;
    plx_socket *socket;
    int raw;
    struct puppet *puppet = pair(w, &socket, &log, &raw);

    puppet->piece = 3;
    puppet->send = -EPROTO;
    puppet->send_after = puppet->send_times = 1;
    ck_assert_int_eq(plx_socket_write(socket, "hello!", 6), 6);
    expect_error(w, &log, 102, "filter puppet: send: protocol error (EPROTO)");
    raw_expect(w, raw, "hel");
}

static void say_more(struct puppet *puppet)
{
    static const char bytes[4096];

    raw_try(*(int *)puppet->data, bytes, sizeof bytes);
}

/* The peer goes on sending, so that "until nothing is left" would never end. */
CASE(a_send_fails_while_bytes_arrive_for_ever)
{
    struct record log;
    plx_socket *socket;
    int raw, polls = 0;
    struct puppet *puppet = pair(w, &socket, &log, &raw);

    log.mute = 1u << EVENT_DATA_AVAILABLE;
    puppet->send = -EPROTO;
    puppet->when = STEP_RECEIVE;
    puppet->act = say_more;
    puppet->data = &raw;
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    for (; log.count[EVENT_ERROR] == 0 && polls < 200; polls++)
        world_poll(w);
    expect_error(w, &log, 102, "filter puppet: send: protocol error (EPROTO)");
    ck_assert_int_lt(polls, 200);
}

/* ---- calls inside a step --------------------------------------------------------------------- */

SECTION("inside", .timeout = 120);

static struct world *inside_world;
static bool inside_freed;

static void in_poll(plx_socket *socket)
{
    ck_assert(!plx_socket_poll(socket));
}

static void in_group_poll(plx_socket *socket)
{
    (void)socket;
    if (inside_world->group != NULL)
        plx_group_poll(inside_world->group, 0);
}

static void in_wait(plx_socket *socket)
{
    ck_assert(!plx_socket_wait(socket, 1000));
    ck_assert(!plx_socket_wait_for_connected(socket, 1000));
    ck_assert(!plx_socket_wait_for_data(socket, 1000));
    ck_assert(!plx_socket_wait_for_sent(socket, 1000));
    ck_assert(!plx_socket_wait_for_disconnected(socket, 1000));
}

static void in_flush(plx_socket *socket)
{
    plx_socket_flush(socket);
}

static void in_disconnect(plx_socket *socket)
{
    plx_socket_disconnect(socket);
}

static void in_connect(plx_socket *socket)
{
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_adopt(socket, 0), PLX_INVALID_STATE);
}

static void in_free(plx_socket *socket)
{
    world_forget(inside_world, socket);
    plx_socket_free(socket);
    inside_freed = true;
}

static void in_read(plx_socket *socket)
{
    char bytes[8];

    plx_socket_read(socket, bytes, sizeof bytes);
    plx_socket_skip(socket, 1);
    plx_socket_read_all(socket, NULL);
    plx_socket_lookahead(socket, NULL);
    plx_socket_purge(socket);
}

static void (*const inside[])(plx_socket *) = {
    in_poll,    in_group_poll,    in_wait,          in_flush, in_disconnect,
    in_connect, plx_socket_close, plx_socket_abort, in_free,  in_read};

enum { INSIDE = sizeof inside / sizeof inside[0] };

static void call_inside(struct puppet *puppet)
{
    puppet->act = NULL;
    inside[puppet->result](puppet->socket);
}

/* Connects, receives, sends and ends, with one call inside one step. */
static void play_inside(struct world *w, enum step step, int call, bool in_stream)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = in_stream ? NULL : puppet_push(socket);
    int raw = puppet_meet(w, socket);

    if (in_stream) {
        UNTIL(w, plx_socket_is_connected(socket));
        puppet = puppet_push(socket);
    }
    inside_freed = false;
    puppet->when = step;
    puppet->act = call_inside;
    puppet->result = call;
    raw_try(raw, "hello", 5);
    for (int i = 0; i < 20 && !inside_freed; i++) {
        if (i == 10 && plx_socket_is_connected(socket))
            plx_socket_write(socket, "world", 5);
        if (i == 15)
            plx_socket_disconnect(socket);
        world_poll(w);
    }
    ck_assert_msg(puppet->act == NULL, "%s: step %d was not called", world_name(w), (int)step);
    if (!inside_freed)
        world_free(w, socket);
    raw_close(w, raw);
    w->sockets_used = 0;
}

/* None of these calls is allowed there. None may crash or hang, or run another step inside. */
CASE(calls_inside_a_step)
{
    inside_world = w;
    for (enum step step = STEP_BEGIN; step <= STEP_SHUTDOWN; step++)
        for (int call = 0; call < INSIDE; call++)
            for (int in_stream = 0; in_stream < 2; in_stream++)
                play_inside(w, step, call, in_stream);
}

/* ---- results of begin and establish ---------------------------------------------------------- */

SECTION("establishing");

static const struct wrong wrong_establishes[] = {
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
    expect_error(w, &log, code, sentence);
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
        refuse(w, true, (int)wrong_establishes[i].result, wrong_establishes[i].code,
               wrong_establishes[i].sentence);
}

CASE(a_begin_that_fails)
{
    refuse(w, false, -7, 106, "filter puppet: begin returned -7");
    refuse(w, false, EAGAIN, 106, "filter puppet: begin returned 11");
    refuse(w, false, ERESTART, 106, "filter puppet: begin returned 85");
    refuse(w, false, PLX_OUT_OF_MEMORY, 108, "filter puppet: begin: out of memory (OutOfMemory)");
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
    time_pass(499);
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    time_pass(1);
    expect_error(w, &log, ETIMEDOUT, "filter puppet: not established in time");
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
    time_pass(limit - 1);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    time_pass(1);
    expect_error(w, log, ETIMEDOUT, "filter puppet: not established in time");
}

/* The time of a filter pushed in mid-stream is that of the socket's other filters: 10 seconds if the
 * peer has connected and CONNECT_TIMEOUT was not set. */
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
    time_pass(500);
    expect_error(w, &log, ETIMEDOUT, "filter puppet: not established in time");
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
        time_pass(limit - 1);
        world_settle(w);
        ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
        time_pass(1);
        expect_error(w, &log, ETIMEDOUT, "filter puppet: not established in time");
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
    expect_error(w, &log, 102, "filter puppet: not established by 8 connections");
    LOGGED(w, &log, "state:CONNECTING state:UNCONNECTED error(102,29)[UNCONNECTED]");
    ck_assert_int_eq(puppet->count[STEP_BEGIN], 9);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], 9);
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
    expect_error(w, &log, 102, no_restart);
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
    expect_error(w, &log, 102, no_restart);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

PAIR_CASE(an_old_connection_cannot_be_made_again)
{
    puppet_push(socket)->establish = ERESTART;
    expect_error(w, log, 102, no_restart);
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
    time_pass(300);
    puppet->establish = ERESTART;
    puppet->establish_times = 1;
    plx_filter_set_want(puppet->filter, 0, -1);
    UNTIL(w, puppet->count[STEP_BEGIN] == 2 || puppet->establish_times == 0);
    puppet->establish = EAGAIN;
    puppet->establish_times = -1;
    UNTIL(w, puppet->count[STEP_BEGIN] == 2);
    time_pass(199);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    time_pass(1);
    expect_error(w, &log, ETIMEDOUT, "filter puppet: not established in time");
    raw_close(w, listener);
    time_run();
}

WORLD_MAIN("filter-bad")
