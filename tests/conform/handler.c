/* tests/conform/handler.c -- what handlers may do. */
#include "config.h"

#include "tests/conform/conform.h"
#include "tests/provoke.h"

SECTION("handler");

/* Provokes each event on a new socket, whose handler calls `act`, and then expects no event. */
static void in_each_handler(struct world *w, record_act *act)
{
    for (int how = 0; how < PROVOCATIONS; how++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        size_t length;

        if (!provoke_is_possible(w, (enum provocation)how))
            continue;
        provoke(w, (enum provocation)how, socket, &log, act, w);
        length = log.length;
        world_settle(w);
        ck_assert_msg(log.length == length, "%s: after %s came: \"%s\"", world_name(w),
                      provoke_name((enum provocation)how), log.text);
    }
}

static void act_free(struct record *record, plx_socket *socket)
{
    world_free(record->data, socket);
}

CASE(close_inside_each_handler)
{
    in_each_handler(w, act_close);
}

CASE(abort_inside_each_handler)
{
    in_each_handler(w, act_abort);
}

CASE(free_inside_each_handler)
{
    in_each_handler(w, act_free);
}

static void act_disconnect(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_disconnect(socket);
}

CASE(disconnect_inside_each_handler)
{
    for (int how = 0; how < PROVOCATIONS; how++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);

        if (how == PROVOKE_STATE_CLOSING || !provoke_is_possible(w, (enum provocation)how))
            continue;
        provoke(w, (enum provocation)how, socket, &log, act_disconnect, NULL);
        UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
        world_settle(w);
        ck_assert_int_le(log.count[EVENT_DISCONNECTED], 1);
        if (log.count[EVENT_CONNECTED] > 0)
            ck_assert_msg(log.count[EVENT_DISCONNECTED] == 1, "%s: disconnect in %s gave \"%s\"",
                          world_name(w), provoke_name((enum provocation)how), log.text);
    }
}

struct scene {
    struct world *world;
    int raw;
};

static void act_poll(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;

    raw_say(scene->raw, "more");
    arrives(socket);
    ck_assert(!plx_socket_poll(socket));
    if (scene->world->group != NULL)
        ck_assert(!plx_group_poll(scene->world->group, 0));
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 4);
}

PAIR_CASE(poll_inside_its_own_handler_does_nothing)
{
    struct scene scene = {w, raw};

    record_on(log, EVENT_DATA_AVAILABLE, act_poll, &scene);
    raw_say(raw, "some");
    arrives(socket);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 2);
    SETTLED(w, log, DATA " " DATA);
    expect_read(socket, "somemore");
}

static void act_wait_for_more(struct record *record, plx_socket *socket)
{
    int *raw = record->data;

    ck_assert_uint_eq(plx_socket_skip(socket, SIZE_MAX), 5);
    raw_say(*raw, "second");
    ck_assert(plx_socket_wait_for_data(socket, 30000));
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 6);
}

PAIR_CASE(wait_inside_a_handler_calls_nobody_back)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_wait_for_more, &raw);
    raw_say(raw, "first");
    UNTIL(w, log->fired);
    world_settle(w);
    /* The record fails at a nested event. The pending event is dispatched after the handler. */
    LOGGED(w, log, DATA " " DATA);
    expect_read(socket, "second");
}

static void act_wait_at_the_end(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;

    ck_assert_uint_eq(plx_socket_skip(socket, SIZE_MAX), 4);
    raw_close(scene->world, scene->raw);
    /* The time-out is far longer than the test may take, but no more data can arrive. */
    ck_assert(!plx_socket_wait_for_data(socket, 600000));
    ck_assert(!plx_socket_wait_for_data(socket, -1));
}

PAIR_CASE(wait_inside_a_handler_ends_with_the_connection)
{
    struct scene scene = {w, raw};

    record_on(log, EVENT_DATA_AVAILABLE, act_wait_at_the_end, &scene);
    raw_say(raw, "last");
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, DATA " " LOST);
}

static void act_take_one_and_lose(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;

    ck_assert_uint_eq(plx_socket_skip(socket, 4), 4);
    raw_close(scene->world, scene->raw);
    ck_assert(plx_socket_wait_for_disconnected(socket, 30000));
}

/* Fills `socket` with "one\n" and "two\n" and expects that a handler which takes the first and ends
 * the connection is the last but `disconnected`. */
static void ends_in_handler(struct world *w, plx_socket *socket, struct record *log, int raw,
                            enum event event)
{
    struct scene scene = {w, raw};

    log->mute |= event == EVENT_DATA_AVAILABLE ? 0 : 1u << EVENT_DATA_AVAILABLE;
    record_on(log, event, act_take_one_and_lose, &scene);
    raw_say(raw, "one\n");
    raw_say(raw, "two\n");
    arrives(socket);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    ck_assert_int_eq(log->count[event], 1);
    ck_assert_msg(strcmp(log->text + log->length - strlen(LOST), LOST) == 0,
                  "%s: something followed disconnected: \"%s\"", world_name(w), log->text);
    expect_read(socket, "two\n");
}

PAIR_CASE(bytes_left_by_a_handler_that_ended_the_connection)
{
    ends_in_handler(w, socket, log, raw, EVENT_DATA_AVAILABLE);
}

STREAM_PAIR_CASE(line_left_by_a_handler_that_ended_the_connection)
{
    ends_in_handler(w, socket, log, raw, EVENT_LINE_AVAILABLE);
}

static void act_take_one_and_close(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_uint_eq(plx_socket_skip(socket, 4), 4);
    plx_socket_close(socket);
}

PAIR_CASE(bytes_left_by_a_handler_that_closed)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_take_one_and_close, NULL);
    raw_say(raw, "one\n");
    raw_say(raw, "two\n");
    UNTIL(w, log->fired);
    SETTLED(w, log, DATA);
    expect_read(socket, "two\n");
}

static void act_disconnect_and_wait(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;

    ck_assert_uint_eq(plx_socket_skip(socket, SIZE_MAX), 4);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_close(scene->world, scene->raw);
    ck_assert(plx_socket_wait_for_disconnected(socket, 30000));
}

PAIR_CASE(a_state_left_during_a_wait_is_not_reported)
{
    struct scene scene = {w, raw};

    record_on(log, EVENT_DATA_AVAILABLE, act_disconnect_and_wait, &scene);
    raw_say(raw, "last");
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, DATA " state:UNCONNECTED disconnected[UNCONNECTED]");
}

static void act_connect_and_lose(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;

    ck_assert(plx_socket_wait_for_connected(socket, 30000));
    raw_close(scene->world, raw_accept(scene->world, scene->raw));
    ck_assert(plx_socket_wait_for_disconnected(socket, 30000));
}

PROMPT_SOCKET_CASE(a_connection_lost_during_a_wait_was_not_reported)
{
    struct scene scene = {w, raw_listen(w, 5, where)};

    record_on(log, EVENT_STATE_CHANGED, act_connect_and_lose, &scene);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, "state:CONNECTING " LOST);
}

static void act_wait_for_sent(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_write(socket, "reply", 5), 5);
    ck_assert(plx_socket_wait_for_sent(socket, 30000));
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

PAIR_CASE(wait_for_sent_inside_a_handler)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_wait_for_sent, NULL);
    raw_say(raw, "question");
    raw_expect(w, raw, "reply");
    SETTLED(w, log, DATA " " SENT(5));
}

static struct record second_log;

static void act_other_handlers(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_set_events(socket, &record_events, &second_log);
}

PAIR_CASE(handlers_may_be_exchanged_in_a_handler)
{
    memset(&second_log, 0, sizeof second_log);
    second_log.when = EVENT_NEVER;
    record_on(log, EVENT_DATA_AVAILABLE, act_other_handlers, NULL);
    raw_say(raw, "data");
    raw_close(w, raw);
    UNTIL(w, second_log.count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, log, DATA);
    LOGGED(w, &second_log, LOST);
}

CASE(no_handlers_at_all)
{
    plx_socket *socket = world_socket(w, NULL);
    int raw = world_pair(w, socket, NULL);

    echoes(w, socket, raw);
    plx_socket_set_events(socket, NULL, NULL);
    echoes(w, socket, raw);
    raw_close(w, raw);
    UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
    expect_error(socket, PLX_LOST_CONNECTION);
}

SOCKET_CASE(user_is_handed_back)
{
    ck_assert_ptr_eq(plx_socket_user(socket), log);
    plx_socket_set_user(socket, w);
    ck_assert_ptr_eq(plx_socket_user(socket), w);
    plx_socket_set_user(socket, NULL);
    ck_assert_ptr_null(plx_socket_user(socket));
}
