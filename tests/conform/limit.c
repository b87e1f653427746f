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
