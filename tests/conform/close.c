/* tests/conform/close.c -- close, abort and free, which end a connection without waiting. */
#include "config.h"

#include "tests/conform/conform.h"

SECTION("close");

/* ---- close ----------------------------------------------------------------------------------- */

PAIR_CASE(close_is_silent_and_keeps_what_came)
{
    raw_say(raw, "polled ");
    UNTIL(w, plx_socket_bytes_available(socket) == 7);
    raw_say(raw, "and not yet");
    arrives(socket);
    record_clear(log);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    raw_expect_end(w, raw);
    SETTLED(w, log, "");
    expect_read(socket, "polled and not yet");
    expect_error(socket, 0);
}

PAIR_CASE(close_sends_what_the_kernel_takes)
{
    ck_assert_int_eq(plx_socket_write(socket, "farewell", 8), 8);
    plx_socket_close(socket);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    raw_expect(w, raw, "farewell");
    raw_expect_end(w, raw);
    LOGGED(w, log, "");
}

/* No budget limits close: there is no later poll. */
PAIR_CASE(close_sends_all_that_the_kernel_takes)
{
    uint64_t got = 0;

    if (!may_deepen()) {
        fprintf(stderr, "SKIP: %s: close with a long queue needs root\n", world_name(w));
        return;
    }
    deepen(raw, plx_socket_handle(socket));
    queue_pattern(socket, MIB);
    plx_socket_close(socket);
    UNTIL(w, !raw_drain(raw, &got));
    ck_assert_uint_eq(got, MIB);
    LOGGED(w, log, "");
}

PAIR_CASE(close_drops_the_rest_at_once)
{
    uint64_t got = 0;

    write_pattern(w, socket, 8 * MIB);
    plx_socket_close(socket);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    UNTIL(w, !raw_drain(raw, &got));
    ck_assert_uint_gt(got, 0);
    ck_assert_uint_lt(got, 8 * MIB);
    LOGGED(w, log, "");
}

SOCKET_CASE(close_keeps_properties)
{
    char address[WHERE_SIZE], path[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);
    int port;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 12345), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    plx_socket_close(socket);
    port = plx_socket_port(socket);
    snprintf(address, sizeof address, "%s", plx_socket_address(socket));
    snprintf(path, sizeof path, "%s", plx_socket_path(socket));
    ck_assert(address[0] != '\0' || path[0] != '\0');
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    LOGGED(w, log, CONNECTS);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_port(socket), port);
    ck_assert_str_eq(plx_socket_address(socket), address);
    ck_assert_str_eq(plx_socket_path(socket), path);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_READ_LIMIT), 12345);
    ck_assert_ptr_eq(plx_socket_user(socket), log);
    raw_close(w, raw_accept(w, listener));
}

PAIR_CASE(connect_starts_with_empty_buffers)
{
    raw_say(raw, "old");
    UNTIL(w, plx_socket_bytes_available(socket) == 3);
    plx_socket_close(socket);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    raw = world_pair(w, socket, log);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    raw_say(raw, "new");
    UNTIL(w, plx_socket_bytes_available(socket) == 3);
    expect_read(socket, "new");
}

CASE(close_tells_the_peer)
{
    struct record log_a, log_b;
    plx_socket *a = world_socket(w, &log_a), *b = world_socket(w, &log_b);

    world_couple(w, a, b);
    record_clear(&log_a);
    record_clear(&log_b);
    plx_socket_close(a);
    UNTIL(w, log_b.count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, &log_a, "");
    LOGGED(w, &log_b, LOST);
}

SOCKET_CASE(close_takes_back_what_was_not_told)
{
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
    plx_socket_close(socket);
    SETTLED(w, log, "");
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    world_pause(5); /* the connect has failed by now, but was not reported */
    plx_socket_close(socket);
    SETTLED(w, log, "");
}

SOCKET_CASE(close_while_listening)
{
    world_listen(w, socket, where);
    world_settle(w);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert(raw_is_refused(w, where));
    world_listen(w, socket, where);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    SETTLED(w, log, "state:LISTENING");
}

/* ---- abort ----------------------------------------------------------------------------------- */

PAIR_CASE(abort_drops_everything)
{
    char got[8];
    ptrdiff_t end = -1;

    raw_say(raw, "received");
    UNTIL(w, plx_socket_bytes_available(socket) == 8);
    record_clear(log);
    ck_assert_int_eq(plx_socket_write(socket, "queued", 6), 6);
    plx_socket_abort(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    UNTIL(w, (end = raw_take(raw, got, sizeof got)) != -1);
    ck_assert_int_eq(end, w->kind->resets ? -2 : 0);
    SETTLED(w, log, "");
}

SOCKET_CASE(abort_while_connecting)
{
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "never", 5), 5);
    plx_socket_abort(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    SETTLED(w, log, "");
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    LOGGED(w, log, CONNECTS);
    (void)listener;
}

/* ---- free, in every state -------------------------------------------------------------------- */

SOCKET_CASE(free_in_every_state)
{
    int raw;

    world_free(w, socket); /* never used */

    raw_listen(w, 5, where);
    socket = world_socket(w, log); /* connecting, with bytes queued */
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    world_free(w, socket);

    socket = world_socket(w, log); /* listening, with a connection in the accept queue */
    world_listen(w, socket, where);
    raw_connect(w, where);
    world_free(w, socket);

    socket = world_socket(w, log); /* closing, with a queue that does not drain */
    world_pair(w, socket, log);
    write_pattern(w, socket, 8 * MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    record_clear(log);
    world_free(w, socket);

    socket = world_socket(w, log); /* connected, with bytes to read and an error to report */
    raw = world_pair(w, socket, log);
    raw_say(raw, "unread");
    UNTIL(w, plx_socket_bytes_available(socket) == 6);
    record_clear(log);
    ck_assert_int_eq(plx_socket_write(socket, NULL, 5), -1);
    world_free(w, socket);
    SETTLED(w, log, "");
}
