/* tests/conform/connect.c -- the beginning of a connection: connect, listen, adopt, and
 * failures. */
#include "config.h"

#include "tests/conform/conform.h"

SECTION("connect");

/* ---- connect works --------------------------------------------------------------------------- */

SOCKET_CASE(connect_works)
{
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    raw_accept(w, listener);
    SETTLED(w, log, CONNECTS);
    ck_assert(plx_socket_is_connected(socket));
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    expect_error(socket, 0);
    expect_quiet(w);
}

SOCKET_CASE(connect_by_properties)
{
    plx_socket *other = world_socket(w, NULL);

    raw_listen(w, 5, where);
    /* connect_to sets the properties: reads them from one socket and sets them on another. */
    ck_assert_int_eq(plx_socket_connect_to(other, where), 0);
    plx_socket_close(other);
    ck_assert_int_eq(plx_socket_set_address(socket, plx_socket_address(other)), 0);
    ck_assert_int_eq(plx_socket_set_port(socket, plx_socket_port(other)), 0);
    if (plx_socket_path(other)[0] != '\0')
        ck_assert_int_eq(plx_socket_set_path(socket, plx_socket_path(other)), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    LOGGED(w, log, CONNECTS);
}

SOCKET_CASE(accept_works)
{
    int raw;

    world_listen(w, socket, where);
    ck_assert(plx_socket_is_listening(socket));
    ck_assert(!plx_socket_is_connected(socket));
    raw = raw_connect(w, where);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    SETTLED(w, log, ACCEPTS);
    ck_assert(!plx_socket_is_listening(socket));
    echoes(w, socket, raw);
}

SOCKET_CASE(calls_never_call_back)
{
    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    world_pause(5);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    plx_socket_flush(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    LOGGED(w, log, "");
    UNTIL(w, plx_socket_is_connected(socket));
    world_settle(w);
    record_clear(log);
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ck_assert_int_eq(plx_socket_write(socket, NULL, 5), -1);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    plx_socket_close(socket);
    plx_socket_abort(socket);
    LOGGED(w, log, "");
}

SOCKET_CASE(write_straight_after_connect)
{
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 5);
    raw_expect(w, raw_accept(w, listener), "hello");
    SETTLED(w, log, CONNECTS " " SENT(5));
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

static void act_greet(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_write(socket, "greetings", 9), 9);
}

SOCKET_CASE(write_inside_connected)
{
    int raw;

    record_on(log, EVENT_CONNECTED, act_greet, NULL);
    world_listen(w, socket, where);
    raw = raw_connect(w, where);
    raw_expect(w, raw, "greetings");
    SETTLED(w, log, ACCEPTS " " SENT(9));
}

SOCKET_CASE(data_before_accept)
{
    world_listen(w, socket, where);
    raw_say(raw_connect(w, where), "early");
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] > 0);
    SETTLED(w, log, ACCEPTS " " DATA);
    expect_read(socket, "early");
}

SOCKET_CASE(data_and_end_of_sending_before_accept)
{
    int raw;

    world_listen(w, socket, where);
    raw = raw_connect(w, where);
    raw_say(raw, "hello and goodbye");
    raw_end(raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, ACCEPTS " " DATA " " LOST);
    expect_read(socket, "hello and goodbye");
    ck_assert(plx_socket_end_of_file(socket));
    raw_expect_end(w, raw);
}

PROMPT_SOCKET_CASE(data_and_end_before_accept)
{
    int raw;

    world_listen(w, socket, where);
    raw = raw_connect(w, where);
    raw_say(raw, "hello and goodbye");
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, ACCEPTS " " DATA " " LOST);
    expect_read(socket, "hello and goodbye");
    ck_assert(plx_socket_end_of_file(socket));
}

SOCKET_CASE(listen_takes_one_peer)
{
    char got[8];
    int first, second;
    ptrdiff_t end = -1;

    world_listen(w, socket, where);
    first = raw_connect(w, where);
    second = raw_connect(w, where);
    raw_say(first, "first");
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] > 0);
    expect_read(socket, "first");
    /* The connection in the accept queue is closed, and later ones are refused. */
    UNTIL(w, (end = raw_take(second, got, sizeof got)) != -1);
    ck_assert_int_le(end, 0);
    ck_assert(raw_is_refused(w, where));
    echoes(w, socket, first);
    ck_assert_int_eq(log->count[EVENT_CONNECTED], 1);
}

CASE(descriptors_close_on_exec)
{
    plx_socket *listening = world_socket(w, NULL);
    plx_socket *socket = world_socket(w, NULL);
    char where[WHERE_SIZE];

    ck_assert_int_eq(plx_socket_handle(listening), -1);
    world_listen(w, listening, where);
    ck_assert(closes_on_exec(plx_socket_handle(listening)));
    ck_assert(never_waits(plx_socket_handle(listening)));
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, plx_socket_is_connected(socket) && plx_socket_is_connected(listening));
    ck_assert(closes_on_exec(plx_socket_handle(listening)));
    ck_assert(never_waits(plx_socket_handle(listening)));
    ck_assert(closes_on_exec(plx_socket_handle(socket)));
    ck_assert(never_waits(plx_socket_handle(socket)));
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
}

SOCKET_CASE(adopt_connected)
{
    int listener = raw_listen(w, 5, where);
    int raw = raw_connect(w, where);
    int adopted = raw_give(w, raw_accept(w, listener));

    ck_assert_int_ge(adopted, 0);
    raw_say(raw, "before");
    ck_assert_int_eq(plx_socket_adopt(socket, adopted), 0);
    ck_assert_int_eq(plx_socket_handle(socket), adopted);
    ck_assert(closes_on_exec(adopted));
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] > 0);
    ck_assert_int_eq(log->count[EVENT_CONNECTED], 1);
    expect_read(socket, "before");
    echoes(w, socket, raw);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
}

SOCKET_CASE(adopt_listening)
{
    int adopted = raw_copy(raw_listen(w, 5, where));
    int raw;

    ck_assert_int_eq(plx_socket_adopt(socket, adopted), 0);
    ck_assert(plx_socket_is_listening(socket));
    raw = raw_connect(w, where);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    LOGGED(w, log, ACCEPTS);
    echoes(w, socket, raw);
}

/* ---- connect fails --------------------------------------------------------------------------- */

SOCKET_CASE(connect_refused)
{
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    SETTLED(w, log, REFUSED);
    ck_assert_int_eq(log->os_error, errno_of("ECONNREFUSED"));
    ck_assert_msg(strstr(log->message, "connect") && strstr(log->message, "ECONNREFUSED"),
                  "the sentence does not name the step: \"%s\"", log->message);
    expect_error(socket, errno_of("ECONNREFUSED"));
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    expect_quiet(w);
}

SOCKET_CASE(refused_drops_the_queue)
{
    char bad[WHERE_SIZE], good[WHERE_SIZE];
    int listener, raw;

    raw_refusing(w, bad);
    listener = raw_listen(w, 5, good);
    ck_assert_int_eq(plx_socket_connect_to(socket, bad), 0);
    ck_assert_int_eq(plx_socket_write(socket, "lost", 4), 4);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    LOGGED(w, log, REFUSED);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, good), 0);
    expect_error(socket, 0);
    ck_assert_int_eq(plx_socket_write(socket, "kept", 4), 4);
    raw = raw_accept(w, listener);
    raw_expect(w, raw, "kept");
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_expect_end(w, raw);
}

SOCKET_CASE(connect_inside_error_of_refused)
{
    char bad[WHERE_SIZE], good[WHERE_SIZE];
    int listener;

    raw_refusing(w, bad);
    listener = raw_listen(w, 5, good);
    record_on(log, EVENT_ERROR, act_connect, good);
    ck_assert_int_eq(plx_socket_connect_to(socket, bad), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    SETTLED(w, log, REFUSED " " CONNECTS);
    echoes(w, socket, raw_accept(w, listener));
}

SOCKET_CASE(refused_again_and_again)
{
    raw_refusing(w, where);
    record_on(log, EVENT_ERROR, act_connect, where);
    log->always = true;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] >= 20);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 0);
    ck_assert_int_eq(log->count[EVENT_CONNECTED], 0);
}
