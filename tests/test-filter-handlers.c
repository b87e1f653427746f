/* tests/test-filter-handlers.c -- what handlers and `ask` may do to a socket with filters, while
 * these are established and afterwards. */
#include "config.h"

#include <errno.h>

#include "tests/provoke.h"
#include "tests/puppet.h"
#include "tests/world.h"

/* ---- deeds ----------------------------------------------------------------------------------- */

static char again[WHERE_SIZE]; /* where `connect again` connects to */
static plx_group *other_group;
static struct world *the_world;

static void do_free(plx_socket *socket)
{
    world_forget(the_world, socket);
    plx_socket_free(socket);
}

static void do_disconnect(plx_socket *socket)
{
    plx_socket_disconnect(socket);
}

static void do_connect_again(plx_socket *socket)
{
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect_to(socket, again), 0);
}

static void do_wait(plx_socket *socket)
{
    plx_socket_wait(socket, 1);
    plx_socket_wait_for_connected(socket, 1);
    plx_socket_wait_for_data(socket, 1);
    plx_socket_wait_for_sent(socket, 1);
    plx_socket_wait_for_disconnected(socket, 1);
}

static void do_poll_another_group(plx_socket *socket)
{
    (void)socket;
    plx_group_poll(other_group, 0);
    ck_assert(!plx_socket_poll(socket));
}

static void do_push(plx_socket *socket)
{
    puppet_push(socket);
}

static void (*const deeds[])(plx_socket *) = {
    do_free,          plx_socket_close, plx_socket_abort,      do_disconnect,
    do_connect_again, do_wait,          do_poll_another_group, do_push};

enum { FREES, CLOSES, ABORTS, DISCONNECTS, CONNECTS, WAITS, POLLS, PUSHES, DEEDS };

static void act(struct record *record, plx_socket *socket)
{
    deeds[*(int *)record->data](socket);
}

static int begin_deeds(struct world *w)
{
    the_world = w;
    other_group = plx_group_new();
    return raw_listen(w, 50, again);
}

/* What the deed leaves when everything is settled. Ends the socket. */
static void expect_done(struct world *w, const char *what, int deed, plx_socket *socket,
                        int listener, struct puppet *puppet)
{
    world_settle(w);
    if (deed == FREES) {
        ck_assert_msg(puppet->filter == NULL, "%s: %s", world_name(w), what);
        return;
    }
    ck_assert_msg(puppet->filter != NULL, "%s: %s", world_name(w), what);
    if (deed == CLOSES || deed == ABORTS)
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    if (deed == CONNECTS) {
        int begun = puppet->count[STEP_ESTABLISH];

        puppet->establish = 0;
        plx_filter_set_want(puppet->filter, 0, -1);
        raw_accept(w, listener);
        UNTIL(w, plx_socket_is_connected(socket));
        ck_assert_int_ge(puppet->count[STEP_ESTABLISH], begun > 0);
    }
    world_free(w, socket);
}

static void end_deeds(struct world *w)
{
    w->sockets_used = 0;
    plx_group_free(other_group);
}

/* ---- the end --------------------------------------------------------------------------------- */

SECTION("the end");

static void push_and_wait(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_purge(socket);
    ck_assert_ptr_nonnull(puppet_push_kind(socket, &puppet_encrypting));
    ck_assert(plx_socket_wait_for_disconnected(socket, 5000));
}

/* `encrypted` is for CONNECTED: the wait sees that the filter is established, and then the end. */
STREAM_PAIR_CASE(no_encrypted_after_the_end)
{
    record_on(log, EVENT_DATA_AVAILABLE, push_and_wait, NULL);
    raw_say(raw, "x");
    raw_end(raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert(log->fired);
    ck_assert_int_eq(log->count[EVENT_ENCRYPTED], 0);
}

static void disconnect_only(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
}

CASE(no_encrypted_after_a_disconnect_in_connected)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push_kind(socket, &puppet_encrypting);

    record_on(&log, EVENT_CONNECTED, disconnect_only, NULL);
    puppet_meet(w, socket);
    puppet->establish = 0;
    plx_filter_set_want(puppet->filter, 0, -1);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    world_settle(w);
    ck_assert(log.fired);
    ck_assert_int_eq(log.count[EVENT_ENCRYPTED], 0);
}

/* The filter is established in CLOSING, because queued bytes wait for it. */
STREAM_PAIR_CASE(no_encrypted_in_closing)
{
    struct puppet *puppet = puppet_push_kind(socket, &puppet_encrypting);

    puppet->establish = EAGAIN;
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    puppet->establish = 0;
    plx_filter_set_want(puppet->filter, 0, -1);
    raw_end(raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ENCRYPTED], 0);
}

/* ---- events ---------------------------------------------------------------------------------- */

SECTION("events", .timeout = 120);

CASE(every_event_of_an_established_socket)
{
    int listener = begin_deeds(w);

    for (enum provocation how = 0; how < PROVOCATIONS; how++)
        for (int deed = 0; deed < DEEDS; deed++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            struct puppet *puppet = puppet_push(socket);

            provoke(w, how, socket, &log, act, &deed);
            ck_assert(log.fired);
            expect_done(w, provoke_name(how), deed, socket, listener, puppet);
            w->sockets_used = 0;
        }
    end_deeds(w);
}

/* The events that there are while filters are established; the last one is caused by time. */
static void cause(enum event event, plx_socket *socket)
{
    if (event == EVENT_ERROR)
        ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
}

CASE(every_event_while_establishing)
{
    static const enum event events[] = {EVENT_STATE_CHANGED, EVENT_ERROR};
    int listener = begin_deeds(w);

    for (size_t i = 0; i < 2; i++)
        for (int deed = 0; deed < DEEDS; deed++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            struct puppet *puppet = puppet_push(socket);
            char where[WHERE_SIZE];
            int first = raw_listen(w, 5, where);

            puppet->establish = EAGAIN;
            if (events[i] == EVENT_STATE_CHANGED)
                record_on(&log, events[i], act, &deed);
            ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
            if (events[i] != EVENT_STATE_CHANGED) {
                UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
                record_on(&log, events[i], act, &deed);
                cause(events[i], socket);
            }
            UNTIL(w, log.fired);
            expect_done(w, "establishing", deed, socket, listener, puppet);
            raw_close(w, first);
            w->sockets_used = 0;
        }
    end_deeds(w);
}

/* ---- ask ------------------------------------------------------------------------------------- */

SECTION("ask", .timeout = 120);

static int ask_deed;

static void ask_and_wait(struct puppet *puppet)
{
    if (puppet->count[STEP_ESTABLISH] == 1)
        plx_filter_ask(puppet->filter);
}

static void do_in_ask(plx_filter *filter)
{
    plx_socket *socket = plx_filter_socket(filter);
    char byte;

    ck_assert_int_eq(plx_filter_lower_receive(filter, NULL, 1), -EINVAL);
    ck_assert_int_eq(plx_filter_lower_receive(filter, &byte, 0), -EINVAL);
    ck_assert_int_eq(plx_filter_lower_receive(filter, &byte, SIZE_MAX), -EINVAL);
    ck_assert_int_eq(plx_filter_lower_send(filter, NULL, 1), -EINVAL);
    ck_assert_int_eq(plx_filter_lower_receive(filter, &byte, 1), -EAGAIN);
    (*(struct puppet **)plx_filter_state(filter))->count[STEP_ASK]++;
    deeds[ask_deed](socket);
    if (ask_deed != FREES && plx_socket_state(socket) == PLX_UNCONNECTED)
        ck_assert_int_eq(plx_filter_lower_send(filter, "x", 1), -ENOTCONN);
}

CASE(a_filter_does_anything_in_ask)
{
    int listener = begin_deeds(w);

    for (ask_deed = 0; ask_deed < DEEDS; ask_deed++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        plx_filter_kind kind = puppet_filter;
        struct puppet *puppet;
        char where[WHERE_SIZE];
        int first = raw_listen(w, 5, where);

        kind.ask = do_in_ask;
        puppet = puppet_push_kind(socket, &kind);
        puppet->establish = EAGAIN;
        puppet->sets_want = true;
        puppet->when = STEP_ESTABLISH;
        puppet->act = ask_and_wait;
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        UNTIL(w, puppet->count[STEP_ASK] == 1);
        expect_done(w, "ask", ask_deed, socket, listener, puppet);
        ck_assert_int_eq(puppet->count[STEP_ASK], 1);
        raw_close(w, first);
        w->sockets_used = 0;
    }
    end_deeds(w);
}

/* The filter is freed when its `ask` has returned. */
static void remove_itself(struct puppet *puppet)
{
    plx_socket *socket = puppet->socket;

    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_remove_filter(socket, puppet->filter), 0);
    ck_assert_int_eq(puppet->count[STEP_FORGET], 0);
    ck_assert_ptr_null(plx_filter_socket(puppet->filter));
    ck_assert_int_eq(plx_filter_lower_send(puppet->filter, "x", 1), -ENOTCONN);
    ck_assert_int_eq(plx_filter_fail(puppet->filter, 0, PLX_REASON_OPERATION, "x"), 102);
    plx_filter_set_want(puppet->filter, 3, 0);
    plx_filter_ask(puppet->filter);
}

STREAM_PAIR_CASE(a_filter_removes_itself_in_ask)
{
    struct puppet *puppet = puppet_push(socket);

    puppet->when = STEP_ASK;
    puppet->act = remove_itself;
    puppet->establish = EAGAIN;
    puppet->sets_want = true;
    UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
    plx_filter_ask(puppet->filter);
    UNTIL(w, puppet->count[STEP_ASK] == 1);
    ck_assert_int_eq(puppet->count[STEP_FORGET], 1);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

STREAM_PAIR_CASE(two_filters_ask)
{
    struct puppet *first = puppet_push(socket), *second = puppet_push(socket);

    UNTIL(w, second->count[STEP_ESTABLISH] == 1);
    plx_filter_ask(second->filter);
    plx_filter_ask(first->filter);
    plx_filter_ask(first->filter);
    UNTIL(w, first->count[STEP_ASK] > 0 && second->count[STEP_ASK] > 0);
    world_settle(w);
    ck_assert_int_eq(first->count[STEP_ASK], 1);
    ck_assert_int_eq(second->count[STEP_ASK], 1);
}

static void change_group(struct puppet *puppet)
{
    if (the_world->group != NULL)
        plx_group_remove(the_world->group, puppet->socket);
    ck_assert_int_eq(plx_group_add(other_group, puppet->socket), 0);
}

/* Takes what arrives until the bytes end with the given one, and polls only the other group. */
static uint64_t take_until(int raw, char last)
{
    static char bytes[65536];
    uint64_t total = 0;
    ptrdiff_t size = 0;

    for (int round = 0; size <= 0 || bytes[size - 1] != last; round++) {
        ck_assert_int_lt(round, 100000);
        plx_group_poll(other_group, 1);
        size = raw_take(raw, bytes, sizeof bytes);
        total += size > 0 ? (uint64_t)size : 0;
    }
    return total;
}

/* The older bytes go on in the other group, and the filter has its turn there. */
STREAM_PAIR_CASE(a_socket_changes_its_group_in_ask_while_older_bytes_wait)
{
    enum { MUCH = 8 << 20 };
    static const char older[MUCH];
    struct puppet *puppet;

    the_world = w;
    other_group = plx_group_new();
    log->mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_SEND_COMPLETE;
    ck_assert_int_eq(plx_socket_write(socket, older, MUCH), MUCH);
    puppet = puppet_push_kind(socket, &puppet_encrypting);
    ck_assert_int_eq(plx_socket_write(socket, "newer!", 6), 6);
    world_settle(w);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 6);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], 0);
    puppet->when = STEP_ASK;
    puppet->act = change_group;
    plx_filter_ask(puppet->filter);
    UNTIL(w, puppet->count[STEP_ASK] == 1);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], 0);
    ck_assert_uint_eq(take_until(raw, '!'), MUCH + 6);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], 1);
    ck_assert(plx_socket_is_encrypted(socket));
    world_free(w, socket);
    plx_group_free(other_group);
}

/* ---- plx_filter_fail ------------------------------------------------------------------------- */

SECTION("fail");

static void fail_twice(struct puppet *puppet)
{
    plx_filter *filter = puppet->filter;

    ck_assert_int_eq(plx_filter_fail(NULL, -5, PLX_REASON_OPERATION, "x"), 102);
    ck_assert_int_eq(plx_filter_fail(filter, 7, PLX_REASON_OPERATION, NULL), 7);
    ck_assert_int_eq(plx_filter_fail(filter, 65536, PLX_REASON_OPERATION, NULL), 102);
    ck_assert_int_eq(plx_filter_fail(filter, EPROTO, PLX_REASON_NETWORK, "first %d", 1), EPROTO);
    ck_assert_int_eq(plx_filter_fail(filter, 106, PLX_REASON_OPERATION, "second"), 106);
}

CASE(the_first_failure_counts)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push(socket);
    char where[WHERE_SIZE];

    raw_listen(w, 5, where);
    puppet->when = STEP_ESTABLISH;
    puppet->act = fail_twice;
    puppet->establish = 106;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log.code, EPROTO);
    ck_assert_int_eq(log.reason, PLX_REASON_NETWORK);
    ck_assert_str_eq(log.message, "first 1");
    plx_filter_fail(puppet->filter, EPROTO, PLX_REASON_NETWORK, "after the end");
    puppet->act = NULL;
    puppet->establish = 0;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, plx_socket_is_connected(socket));
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
}

WORLD_MAIN("filter-handlers")
