/* tests/conform/read.c -- the ways to read. */
#include "config.h"

#include <stdlib.h>

#include "tests/conform/conform.h"

SECTION("read");

/* For streams only: a read takes a packet whole. */
STREAM_PAIR_CASE(read_takes_up_to_n)
{
    char got[32];

    memset(got, '#', sizeof got);
    ck_assert_int_eq(plx_socket_read(socket, got, 5), 0);
    raw_say(raw, "hello world");
    UNTIL(w, plx_socket_bytes_available(socket) == 11);
    ck_assert_int_eq(plx_socket_read(socket, got, 5), 5);
    ck_assert_mem_eq(got, "hello#######", 12);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 6);
    ck_assert_mem_eq(got, " world######", 12);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 0);
    ck_assert(!plx_socket_end_of_file(socket));
}

/* For streams only: read_exact refuses packets. */
STREAM_PAIR_CASE(read_exact_all_or_nothing)
{
    char got[8] = "####";

    raw_say(raw, "abc");
    UNTIL(w, plx_socket_bytes_available(socket) == 3);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, 4), 0);
    ck_assert_str_eq(got, "####");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    raw_say(raw, "de");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, 4), 4);
    ck_assert_str_eq(got, "abcd");
    expect_read(socket, "e");
}

/* For streams only: read_exact refuses packets. */
STREAM_PAIR_CASE(read_exact_that_cannot_be_met)
{
    char got[8];

    raw_say(raw, "abc");
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, 4), -1);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, 3), 3);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, 1), -1);
    ck_assert_int_eq(plx_socket_read(socket, got, 1), -1);
    SETTLED(w, log, DATA " " LOST);
}

static void expect_line(plx_socket *socket, size_t size, const char *wanted)
{
    char line[64] = "";

    ck_assert_int_eq(plx_socket_read_line(socket, line, size), (ptrdiff_t)strlen(wanted));
    ck_assert_str_eq(line, wanted);
}

/* For streams only: packets have no lines. */
STREAM_PAIR_CASE(read_line_whole)
{
    ck_assert(!plx_socket_can_read_line(socket));
    raw_say(raw, "one\r\ntwo\n\nthr");
    UNTIL(w, plx_socket_bytes_available(socket) == 13);
    ck_assert(plx_socket_can_read_line(socket));
    expect_line(socket, 64, "one\r\n");
    expect_line(socket, 64, "two\n");
    expect_line(socket, 64, "\n");
    ck_assert(!plx_socket_can_read_line(socket));
    expect_line(socket, 64, "");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    raw_say(raw, "ee\n");
    UNTIL(w, plx_socket_can_read_line(socket));
    expect_line(socket, 64, "three\n");
}

/* For streams only: packets have no lines. */
STREAM_PAIR_CASE(read_line_in_pieces)
{
    char line[2];

    raw_say(raw, "abcdefgh\nxyz\n");
    UNTIL(w, plx_socket_bytes_available(socket) == 13);
    expect_line(socket, 4, "abc");
    expect_line(socket, 4, "def");
    expect_line(socket, 4, "gh\n");
    expect_line(socket, 5, "xyz\n");
    ck_assert_int_eq(plx_socket_read_line(socket, line, 1), -1);
    expect_error(socket, PLX_INVALID_STATE);
}

/* For streams only: packets have no lines. */
STREAM_PAIR_CASE(read_line_last_piece)
{
    char line[8];

    raw_say(raw, "whole\nlast");
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    expect_line(socket, 64, "whole\n");
    ck_assert(plx_socket_can_read_line(socket));
    expect_line(socket, 64, "last");
    ck_assert(!plx_socket_can_read_line(socket));
    ck_assert_int_eq(plx_socket_read_line(socket, line, sizeof line), -1);
}

/* For streams only: packets have no lines. */
STREAM_PAIR_CASE_WITH(read_line_at_the_read_limit, PLX_OPTION_READ_LIMIT, 8)
{
    raw_say(raw, "0123456789\n");
    UNTIL(w, plx_socket_bytes_available(socket) == 8);
    ck_assert(plx_socket_can_read_line(socket));
    expect_line(socket, 64, "01234567");
    UNTIL(w, plx_socket_can_read_line(socket));
    expect_line(socket, 64, "89\n");
}

/* For streams only: packets have no lines. */
STREAM_SOCKET_CASE(read_line_of_any_length)
{
    static const size_t lengths[] = {1,    1023, 1024, 4095, 4096,  4097, 8191,
                                     8192, 8193, 0,    5,    16384, 40000};
    int raw = world_pair(w, socket, log);
    char *text = malloc(40002), *line = malloc(40002);

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t length = lengths[i];

        memset(text, 'a' + (int)i, length);
        if (length > 3)
            text[length / 2] = '\0'; /* a zero byte counts like others */
        text[length] = '\n';
        raw_send(raw, text, length + 1);
        UNTIL(w, plx_socket_can_read_line(socket));
        ck_assert_int_eq(plx_socket_read_line(socket, line, 40002), (ptrdiff_t)length + 1);
        ck_assert_mem_eq(line, text, length + 1);
        ck_assert_int_eq(line[length + 1], 0);
    }
    free(text);
    free(line);
}

static void act_take_line(struct record *record, plx_socket *socket)
{
    (void)record;
    expect_line(socket, 64, "a\n");
}

/* For streams only: packets have no lines. */
STREAM_PAIR_CASE(line_available)
{
    raw_say(raw, "par");
    arrives(socket);
    SETTLED(w, log, DATA);
    raw_say(raw, "tial\n");
    arrives(socket);
    SETTLED(w, log, DATA " " DATA " line_available[CONNECTED]");
    expect_line(socket, 64, "partial\n");
    log->mute = 1u << EVENT_DATA_AVAILABLE;
    record_clear(log);
    record_on(log, EVENT_LINE_AVAILABLE, act_take_line, NULL);
    log->always = true;
    raw_say(raw, "a\na\na\na");
    SETTLED(w, log,
            "line_available[CONNECTED] line_available[CONNECTED] line_available[CONNECTED]");
    expect_read(socket, "a");
}

/* For streams only: lookahead shows one packet. */
STREAM_PAIR_CASE(lookahead_is_one_pointer)
{
    unsigned char *bytes = pattern(120000);
    const void *seen;
    size_t size = 1;

    plx_socket_lookahead(socket, &size);
    ck_assert_uint_eq(size, 0);
    for (size_t piece = 1; piece <= 3; piece++) {
        raw_send(raw, bytes + (piece - 1) * 40000, 40000);
        UNTIL(w, plx_socket_bytes_available(socket) == piece * 40000);
        seen = plx_socket_lookahead(socket, &size);
        ck_assert_uint_eq(size, piece * 40000);
        ck_assert_mem_eq(seen, bytes, size);
    }
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 120000);
    ck_assert_uint_eq(plx_socket_skip(socket, 7), 7);
    seen = plx_socket_lookahead(socket, &size);
    ck_assert_uint_eq(size, 120000 - 7);
    ck_assert_mem_eq(seen, bytes + 7, size);
    free(bytes);
}

PAIR_CASE(read_all_lives_until_the_next_poll)
{
    const void *all;
    size_t size;

    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    all = plx_socket_read_all(socket, &size);
    ck_assert_uint_eq(size, 5);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    raw_say(raw, "other");
    arrives(socket);
    ck_assert_int_eq(plx_socket_write(socket, all, size), 5);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ck_assert_mem_eq(all, "hello", 5);
    raw_expect(w, raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    expect_read(socket, "other");
    plx_socket_read_all(socket, &size);
    ck_assert_uint_eq(size, 0);
}

static void act_echo_all(struct record *record, plx_socket *socket)
{
    size_t size;
    const void *all = plx_socket_read_all(socket, &size);

    (void)record;
    ck_assert_int_eq(plx_socket_write(socket, all, size), (ptrdiff_t)size);
}

PAIR_CASE(write_may_be_given_read_all)
{
    uint64_t offset = 0, got = 0;

    record_on(log, EVENT_DATA_AVAILABLE, act_echo_all, NULL);
    log->always = true;
    for (int round = 0; round < 30; round++) {
        raw_stuff(raw, &offset);
        world_turn(w, round);
        raw_drain(raw, &got);
    }
    UNTIL(w, raw_drain(raw, &got) && got == offset);
    ck_assert_uint_gt(got, 100 * KIB);
}

/* For streams only: skip drops a packet whole. */
STREAM_PAIR_CASE(skip_and_past_the_end)
{
    ck_assert_uint_eq(plx_socket_skip(socket, 3), 0);
    raw_say(raw, "abcdef");
    UNTIL(w, plx_socket_bytes_available(socket) == 6);
    ck_assert_uint_eq(plx_socket_skip(socket, 0), 0);
    ck_assert_uint_eq(plx_socket_skip(socket, 2), 2);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 4);
    ck_assert_uint_eq(plx_socket_skip(socket, SIZE_MAX), 4);
    ck_assert_uint_eq(plx_socket_skip(socket, 1), 0);
    echoes(w, socket, raw);
}

/* For streams only: unread refuses packets. */
STREAM_PAIR_CASE(unread_puts_back)
{
    char got[8] = "";

    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    ck_assert_int_eq(plx_socket_read(socket, got, 2), 2);
    ck_assert_int_eq(plx_socket_unread(socket, got, 2), 0);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 5);
    expect_read(socket, "hello");
    /* unread also works when everything was read, with more than was received, and last in, first
     * out */
    ck_assert_int_eq(plx_socket_unread(socket, "second ", 7), 0);
    ck_assert_int_eq(plx_socket_unread(socket, "first ", 6), 0);
    raw_say(raw, "third");
    UNTIL(w, plx_socket_bytes_available(socket) == 18);
    expect_read(socket, "first second third");
}

PAIR_CASE(purge_only_what_was_received)
{
    raw_say(raw, "junk");
    UNTIL(w, plx_socket_bytes_available(socket) == 4);
    ck_assert_int_eq(plx_socket_write(socket, "kept", 4), 4);
    plx_socket_purge(socket);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 4);
    raw_expect(w, raw, "kept");
    echoes(w, socket, raw);
}
