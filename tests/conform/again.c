/* tests/conform/again.c -- a socket that has ended is used again. */
#include "config.h"

#include "tests/conform/conform.h"

SECTION("again");

PAIR_CASE(connect_inside_error_takes_disconnected_back)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    record_on(log, EVENT_ERROR, act_connect, where);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    SETTLED(w, log, "state:UNCONNECTED error(102,11)[UNCONNECTED] " CONNECTS);
    echoes(w, socket, raw_accept(w, listener));
}

PAIR_CASE(connect_inside_disconnected)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    record_on(log, EVENT_DISCONNECTED, act_connect, where);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    SETTLED(w, log, LOST " " CONNECTS);
    echoes(w, socket, raw_accept(w, listener));
}

static void act_listen(struct record *record, plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_listen_on(socket, record->data), 0);
    ck_assert(plx_socket_is_listening(socket));
}

static void listen_again(struct world *w, enum event inside, const char *wanted)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char place[WHERE_SIZE], where[WHERE_SIZE];
    int raw;

    world_listen(w, socket, where);
    raw = raw_connect(w, where);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    world_settle(w);
    record_clear(&log);
    world_place(w, place);
    record_on(&log, inside, act_listen, place);
    raw_close(w, raw);
    UNTIL(w, log.fired);
    w->kind->reach(place, plx_socket_port(socket), where);
    raw = raw_connect(w, where);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    SETTLED(w, &log, wanted);
    echoes(w, socket, raw);
}

CASE(listen_inside_error)
{
    listen_again(w, EVENT_ERROR, "state:UNCONNECTED error(102,11)[UNCONNECTED] " ACCEPTS);
}

CASE(listen_inside_disconnected)
{
    listen_again(w, EVENT_DISCONNECTED, LOST " " ACCEPTS);
}

PAIR_CASE(close_inside_error_takes_disconnected_back)
{
    record_on(log, EVENT_ERROR, act_close, NULL);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    SETTLED(w, log, "state:UNCONNECTED error(102,11)[UNCONNECTED]");
}

static void expect_one_disconnected_and_last(struct world *w, const struct record *log)
{
    static const char last[] = "disconnected[UNCONNECTED]";

    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
    ck_assert_msg(log->length >= sizeof last - 1 &&
                      strcmp(log->text + log->length - (sizeof last - 1), last) == 0,
                  "%s: something followed disconnected: \"%s\"", world_name(w), log->text);
}

SOCKET_CASE(disconnected_exactly_once_and_last)
{
    uint64_t got = 0;
    int raw;

    raw = world_pair(w, socket, log); /* the peer closes while both sides have data */
    raw_say(raw, "data");
    ck_assert_int_eq(plx_socket_write(socket, "data", 4), 4);
    raw_close(w, raw);
    expect_one_disconnected_and_last(w, log);

    raw = world_pair(w, socket, log); /* a reset */
    raw_say(raw, "data");
    raw_reset(w, raw);
    expect_one_disconnected_and_last(w, log);

    raw = world_pair(w, socket, log); /* we disconnect, and the peer closes at the same time */
    write_pattern(w, socket, MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, !raw_drain(raw, &got));
    raw_close(w, raw);
    expect_one_disconnected_and_last(w, log);
}

SOCKET_CASE(ten_rounds_on_one_object)
{
    for (int round = 0; round < 10; round++) {
        int raw = world_pair(w, socket, log);

        echoes(w, socket, raw);
        record_clear(log);
        if (round % 2 == 0) {
            ck_assert_int_eq(plx_socket_disconnect(socket), 0);
            raw_expect_end(w, raw);
        }
        raw_close(w, raw);
        UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
        if (round % 2 == 0)
            LOGGED(w, log, "state:CLOSING state:UNCONNECTED disconnected[UNCONNECTED]");
        else
            LOGGED(w, log, LOST);
    }
}
