/* tests/conform/limit.c -- READ_LIMIT and WRITE_LIMIT. */
#include "config.h"

#include <stdlib.h>

#include "tests/conform/conform.h"

SECTION("limit");

/* For streams only: READ_LIMIT cuts no packet. */
STREAM_SOCKET_CASE(read_limit_is_back_pressure)
{
    uint64_t offset = 0, seen = 0;
    int raw, idle = 0;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 4096), 0);
    raw = world_pair(w, socket, log);
    for (int round = 0; idle < 20; round++) {
        ck_assert_int_lt(round, ROUNDS);
        idle = raw_stuff(raw, &offset) == 0 ? idle + 1 : 0;
        world_turn(w, 20);
        ck_assert_uint_le(plx_socket_bytes_available(socket), 4096);
    }
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 4096);
    expect_quiet(w); /* the buffer is full, so the descriptor is not watched */
    /* After half is read, the buffer fills again by itself. */
    ck_assert_uint_eq(plx_socket_skip(socket, 2048), 2048);
    UNTIL(w, plx_socket_bytes_available(socket) == 4096);
    seen = 2048;
    while (seen < offset) {
        size_t size;
        const void *bytes;

        UNTIL(w, plx_socket_bytes_available(socket) > 0);
        bytes = plx_socket_read_all(socket, &size);
        ck_assert(size <= 4096 && pattern_matches(bytes, size, seen));
        seen += size;
    }
    ck_assert_uint_eq(seen, offset);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

static void limited_end(struct world *w, void (*finish)(struct world *, int))
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    unsigned char *bytes = pattern(10000);
    unsigned char got[1000];
    int raw;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 1000), 0);
    raw = world_pair(w, socket, &log);
    raw_send_in(w, raw, 1000, bytes, 10000);
    finish(w, raw);
    UNTIL(w, plx_socket_bytes_available(socket) == 1000);
    world_settle(w);
    ck_assert_msg(log.count[EVENT_ERROR] == 0, "%s: the end was reported too early: \"%s\"",
                  world_name(w), log.text);
    expect_quiet(w); /* a hang-up cannot be masked, so a watch would spin */
    for (size_t seen = 0; seen < 10000; seen += 1000) {
        UNTIL(w, plx_socket_bytes_available(socket) == 1000);
        ck_assert_int_eq(plx_socket_read(socket, got, 1000), 1000);
        ck_assert(pattern_matches(got, 1000, seen));
    }
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log.code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(plx_socket_read(socket, got, 1), -1);
    free(bytes);
}

CASE(read_limit_and_the_end)
{
    limited_end(w, raw_close);
}

CASE(read_limit_and_a_reset)
{
    limited_end(w, raw_reset);
}

/* For streams only: READ_LIMIT cuts no packet. */
STREAM_PAIR_CASE_WITH(read_limit_lifted, PLX_OPTION_READ_LIMIT, 256)
{
    unsigned char *bytes = pattern(512);

    raw_send(raw, bytes, 512);
    UNTIL(w, plx_socket_bytes_available(socket) == 256);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 384), 0);
    UNTIL(w, plx_socket_bytes_available(socket) == 384);
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 384);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 0), 0);
    UNTIL(w, plx_socket_bytes_available(socket) == 512);
    /* A limit below the buffered size loses nothing. */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 10), 0);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 512);
    ck_assert(pattern_matches(plx_socket_lookahead(socket, &(size_t){0}), 512, 0));
    free(bytes);
}

/* For streams only: read_exact refuses packets. */
STREAM_PAIR_CASE_WITH(read_exact_lifts_the_limit, PLX_OPTION_READ_LIMIT, 1000)
{
    unsigned char *bytes = pattern(5000);
    unsigned char got[3000];

    raw_send(raw, bytes, 5000);
    UNTIL(w, plx_socket_bytes_available(socket) == 1000);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, sizeof got), 0);
    UNTIL(w, plx_socket_read_exact(socket, got, sizeof got) == (ptrdiff_t)sizeof got);
    ck_assert(pattern_matches(got, sizeof got, 0));
    free(bytes);
}

/* For streams only: WRITE_LIMIT cuts no packet. */
STREAM_SOCKET_CASE(write_limit_takes_fewer)
{
    unsigned char *bytes = pattern(5000);
    int listener = raw_listen(w, 5, where), raw;
    uint64_t got = 0;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 1000), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, bytes, 600), 600);
    ck_assert_int_eq(plx_socket_write(socket, bytes + 600, 600), 400);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 1000);
    ck_assert_int_eq(plx_socket_write(socket, bytes + 1000, 600), 0);
    raw = raw_accept(w, listener);
    UNTIL(w, raw_drain(raw, &got) && got == 1000);
    world_settle(w);
    ck_assert_int_eq(plx_socket_write(socket, bytes + 1000, 600), 600);
    UNTIL(w, raw_drain(raw, &got) && got == 1600);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    free(bytes);
}

PAIR_CASE_WITH(write_limit_under_pressure, PLX_OPTION_WRITE_LIMIT, 100000)
{
    unsigned char *bytes = pattern(8 * MIB);
    uint64_t got = 0;
    size_t written = 0;

    for (int round = 0; round < 100; round++) { /* the peer does not read, so writes must stop */
        written += (size_t)plx_socket_write(socket, bytes + written, 70000);
        ck_assert_uint_le(plx_socket_bytes_left_to_send(socket), 100000);
        world_poll(w);
    }
    ck_assert_uint_lt(written, 7000000);
    UNTIL(w, (raw_drain(raw, &got), got == written));
    free(bytes);
}

/* ---- PAUSE_READING --------------------------------------------------------------------------- */

static void pause_reading(plx_socket *socket, int value)
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PAUSE_READING, value), 0);
}

PAIR_CASE(reading_pauses)
{
    pause_reading(socket, 1);
    raw_send(raw, "later", 5);
    arrives(socket);
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    ck_assert(!plx_socket_wait_for_data(socket, -1)); /* at once: only the program can go on */
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 0);
    expect_quiet(w);
    ck_assert_int_eq(plx_socket_write(socket, "out", 3), 3); /* the other direction goes on */
    UNTIL(w, log->count[EVENT_SEND_COMPLETE] > 0);
    pause_reading(socket, 0);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] > 0);
    expect_read(socket, "later");
}

/* A pause is no limit that is reached: what was received of a line is no line. */
STREAM_PAIR_CASE(a_pause_cuts_no_line)
{
    char line[100];

    raw_send(raw, "half", 4);
    UNTIL(w, plx_socket_bytes_available(socket) == 4);
    pause_reading(socket, 1);
    ck_assert(!plx_socket_can_read_line(socket));
    ck_assert_int_eq(plx_socket_read_line(socket, line, sizeof line), 0);
    raw_send(raw, " a line\n", 8);
    pause_reading(socket, 0);
    UNTIL(w, plx_socket_can_read_line(socket));
    ck_assert_int_eq(plx_socket_read_line(socket, line, sizeof line), 12);
}

static void paused_end(struct world *w, void (*finish)(struct world *, int))
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log);

    pause_reading(socket, 1);
    raw_send(raw, "last", 4);
    finish(w, raw);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    ck_assert_int_eq(log.count[EVENT_ERROR] + log.count[EVENT_DATA_AVAILABLE], 0);
    expect_quiet(w); /* a hang-up cannot be masked, so a watch would spin */
    pause_reading(socket, 0);
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log.code, PLX_LOST_CONNECTION);
    expect_read(socket, "last");
}

/* A send that has failed ends the connection: what the kernel holds is received, and the end is
 * reported although reading pauses. With filters the end waits, as it does at READ_LIMIT. */
KERNEL_PAIR_CASE(a_pause_and_a_send_that_fails)
{
    pause_reading(socket, 1);
    raw_send(raw, "last", 4);
    arrives(socket);
    raw_end(raw); /* IPC has no reset */
    raw_close(w, raw);
    for (int i = 0; i < 1000 && log->count[EVENT_ERROR] == 0; i++) {
        if (plx_socket_state(socket) == PLX_CONNECTED)
            plx_socket_write(socket, "x", 1);
        world_turn(w, i);
    }
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert(!plx_socket_wait_for_sent(socket, -1));
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
}

CASE(a_pause_and_the_end)
{
    paused_end(w, raw_close);
}

CASE(a_pause_and_a_reset)
{
    paused_end(w, raw_reset);
}

PAIR_CASE(a_paused_socket_disconnects)
{
    pause_reading(socket, 1);
    raw_send(raw, "unread", 6);
    ck_assert_int_eq(plx_socket_write(socket, "goodbye", 7), 7);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_expect(w, raw, "goodbye");
    raw_end(raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

static void act_pause(struct record *log, plx_socket *socket)
{
    (void)log;
    pause_reading(socket, 1);
}

PAIR_CASE(a_handler_pauses_reading)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_pause, NULL);
    raw_send(raw, "one", 3);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 1);
    raw_send(raw, "two", 3);
    arrives(socket);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 1);
    pause_reading(socket, 0);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 2);
}

/* ---- DIRECTION ------------------------------------------------------------------------------- */

static void turn_to(plx_socket *socket, int direction)
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_DIRECTION, direction), 0);
}

PAIR_CASE(receive_only_refuses_writes)
{
    ck_assert_int_eq(plx_socket_write(socket, "before", 6), 6);
    turn_to(socket, 1);
    ck_assert_int_eq(plx_socket_write(socket, "no", 2), -1);
    expect_error(socket, PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
    ck_assert_int_eq(plx_socket_write_text(socket, "no"), -1);
    raw_expect(w, raw, "before"); /* what was queued leaves */
    raw_send(raw, "yes", 3);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] > 0);
    expect_read(socket, "yes");
    turn_to(socket, 0);
    ck_assert_int_eq(plx_socket_write(socket, "again", 5), 5);
    raw_expect(w, raw, "again");
}

PAIR_CASE(send_only_drops_what_arrives)
{
    plx_statistics statistics;

    raw_send(raw, "unread", 6);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 1);
    turn_to(socket, 2);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    ck_assert(!plx_socket_wait_for_data(socket, -1));
    for (int i = 0; i < 100; i++) {
        raw_send(raw, "dropped", 7);
        world_poll(w);
        ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    }
    UNTIL(w, plx_socket_statistics(socket, &statistics) && statistics.bytes_received == 706);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 1);
    ck_assert_int_eq(plx_socket_write(socket, "sent", 4), 4);
    raw_expect(w, raw, "sent");
    turn_to(socket, 0);
    raw_send(raw, "heard", 5);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 2);
    expect_read(socket, "heard");
}

/* A view lives until the next poll, whatever becomes of the bytes behind it. */
STREAM_PAIR_CASE(send_only_spares_a_view)
{
    const char *view;
    size_t size;

    raw_say(raw, "viewed");
    UNTIL(w, plx_socket_bytes_available(socket) == 6);
    view = plx_socket_read_all(socket, &size);
    turn_to(socket, 2);
    ck_assert(size == 6 && memcmp(view, "viewed", 6) == 0);
}

PAIR_CASE(send_only_hears_the_end)
{
    turn_to(socket, 2);
    raw_send(raw, "dropped", 7);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 0);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
}
