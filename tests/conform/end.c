/* tests/conform/end.c -- the peer ends the connection or its half, or falls silent. */
#include "config.h"

#include "tests/conform/conform.h"

SECTION("end");

/* ---- peer closed or reset -------------------------------------------------------------------- */

static void act_take_one_at_the_end(struct record *record, plx_socket *socket)
{
    const struct world *w = record->data;
    char byte = 0;

    ck_assert_uint_eq(plx_socket_bytes_available(socket), w->kind->keeps_boundaries ? 1 : 3);
    ck_assert_int_eq(plx_socket_read(socket, &byte, 1), 1);
    ck_assert_int_eq(byte, 'b');
}

PAIR_CASE(peer_closes_after_data)
{
    char got[4];

    record_on(log, EVENT_ERROR, act_take_one_at_the_end, w);
    raw_send_in(w, raw, 1, "bye", 3);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, DATA " " LOST);
    ck_assert(!plx_socket_is_connected(socket));
    ck_assert(!plx_socket_end_of_file(socket));
    expect_read(socket, "ye");
    ck_assert(plx_socket_end_of_file(socket));
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), -1);
    expect_error(socket, PLX_LOST_CONNECTION);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
}

PAIR_CASE(peer_closes_without_data)
{
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, LOST);
    ck_assert(plx_socket_end_of_file(socket));
}

PAIR_CASE(reset_beside_data)
{
    raw_say(raw, "last words");
    raw_reset(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, DATA " " LOST);
    if (w->kind->resets)
        ck_assert_int_eq(log->os_error, errno_of("ECONNRESET"));
    expect_read(socket, "last words");
}

PAIR_CASE(reset_without_data)
{
    raw_reset(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, LOST);
}

PAIR_CASE(reset_seen_by_a_write_keeps_what_came)
{
    raw_say(raw, "last words");
    raw_reset(w, raw);
    world_hung_up(plx_socket_handle(socket));
    ck_assert_int_eq(plx_socket_write(socket, "hello?", 6), 6);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    LOGGED(w, log, "");
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, DATA " " LOST);
    expect_read(socket, "last words");
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

PAIR_CASE_WITH(reset_seen_by_a_write_while_the_buffer_is_full, PLX_OPTION_READ_LIMIT, 8)
{
    char got[64] = "";
    size_t size = 0;

    raw_send_in(w, raw, 8, "twenty-five bytes of data", 25);
    raw_reset(w, raw);
    UNTIL(w, plx_socket_bytes_available(socket) == 8);
    ck_assert_int_eq(plx_socket_write(socket, "hello?", 6), 6);
    plx_socket_flush(socket);
    /* All bytes arrive, above the limit or piece by piece, and then the end, once. */
    for (int round = 0; size < 25; round++) {
        ptrdiff_t piece = plx_socket_read(socket, got + size, 8);

        ck_assert_msg(piece >= 0 && round < ROUNDS, "%s: the end after \"%s\"", world_name(w), got);
        size += (size_t)piece;
        world_turn(w, round);
    }
    ck_assert_str_eq(got, "twenty-five bytes of data");
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
}

PAIR_CASE(large_write_after_a_reset_keeps_what_came)
{
    raw_say(raw, "last words");
    raw_reset(w, raw);
    world_hung_up(plx_socket_handle(socket));
    write_pattern(w, socket,
                  MIB); /* may call send(2) at once, whose failure the next poll reports */
    LOGGED(w, log, "");
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, log, DATA " " LOST);
    expect_read(socket, "last words");
}

PAIR_CASE(peer_ends_while_bytes_are_queued)
{
    uint64_t got = 0;

    log->mute = 1u << EVENT_SEND_PROGRESS;
    write_pattern(w, socket, 8 * MIB);
    raw_say(raw, "enough");
    raw_end(raw);
    UNTIL(w, !raw_drain(raw, &got));
    ck_assert_uint_eq(got, 8 * MIB);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, DATA " send_complete(false)[CONNECTED] " LOST);
    expect_sent(w, log, 8 * MIB);
    expect_read(socket, "enough");
}

static void act_goodbye(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_write(socket, "goodbye", 7), 7);
}

PAIR_CASE(reply_to_data_that_came_with_the_end)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_goodbye, NULL);
    raw_say(raw, "hello");
    raw_end(raw);
    raw_expect(w, raw, "goodbye");
    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, log, DATA " " SENT(7) " " LOST);
}

/* ---- peer closed its sending side, half-open allowed ----------------------------------------- */

HALF_OPEN_PAIR_CASE(end_of_input)
{
    raw_say(raw, "all I have");
    raw_end(raw);
    UNTIL(w, log->count[EVENT_END_OF_INPUT] > 0);
    SETTLED(w, log, DATA " end_of_input[CONNECTED]");
    ck_assert(plx_socket_is_connected(socket));
    ck_assert(!plx_socket_end_of_file(socket));
    expect_read(socket, "all I have");
    ck_assert(plx_socket_end_of_file(socket));
    world_settle(w);
    expect_quiet(w);
    ck_assert_int_eq(plx_socket_write(socket, "and I", 5), 5);
    raw_expect(w, raw, "and I");
    record_clear(log);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, "state:CLOSING state:UNCONNECTED disconnected[UNCONNECTED]");
}

HALF_OPEN_PAIR_CASE(end_of_input_then_the_peer_goes)
{
    raw_end(raw);
    UNTIL(w, log->count[EVENT_END_OF_INPUT] > 0);
    raw_close(w, raw);
    world_settle(w);
    expect_quiet(w); /* a hang-up cannot be masked (epoll_ctl(2)), but must not make a poll spin */
    /* TCP reports the end at the first or second write, a Unix socket at the next poll or write. */
    for (int round = 0; log->count[EVENT_DISCONNECTED] == 0; round++) {
        ck_assert_int_lt(round, ROUNDS);
        if (plx_socket_is_connected(socket))
            plx_socket_write(socket, "x", 1);
        world_turn(w, round + 20);
    }
    ck_assert_int_eq(log->count[EVENT_END_OF_INPUT], 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
}

/* ---- idle time-out --------------------------------------------------------------------------- */

SOCKET_CASE(idle_timeout_ends_a_quiet_connection)
{
    int raw;

    time_stop();
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 400), 0);
    raw = world_pair(w, socket, log);
    if (w->group != NULL) {
        ck_assert_int_gt(plx_group_deadline(w->group), 0);
        ck_assert_int_le(plx_group_deadline(w->group), 400);
    }
    echoes(w, socket, raw);
    record_clear(log);
    time_pass(399);
    SETTLED(w, log, "");
    UNTIL(w, (time_pass(1), log->count[EVENT_DISCONNECTED] > 0));
    LOGGED(w, log, "state:UNCONNECTED error(110,15)[UNCONNECTED] disconnected[UNCONNECTED]");
    raw_expect_end(w, raw);
    time_run();
}
