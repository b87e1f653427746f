/* tests/conform.c -- what every stream kind must do, on every mechanism of polling.
 *
 * Each case runs for each row of kinds.h, polled alone, in a group with epoll and in one with
 * poll(2). The cases stand in the order of the table "Life of a socket" in the design; the strings
 * they compare are the events in the words of that table, each with the state the handler saw. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "tests/provoke.h"
#include "tests/world.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

#define REFUSED "state:CONNECTING state:UNCONNECTED error(111,10)[UNCONNECTED]"
#define CONNECTS "state:CONNECTING state:CONNECTED connected[CONNECTED]"
#define ACCEPTS "state:LISTENING state:CONNECTED connected[CONNECTED]"
#define LOST "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]"
#define DATA "data_available[CONNECTED]"
#define SENT(n) "send_progress(" #n ",0)[CONNECTED] send_complete(false)[CONNECTED]"

/* ---- small steps ----------------------------------------------------------------------------- */

/* Bytes of the test pattern; you free them. */
static unsigned char *pattern(size_t size)
{
    unsigned char *bytes = malloc(size);

    ck_assert_ptr_nonnull(bytes);
    pattern_fill(bytes, size, 0);
    return bytes;
}

/* Queues so many bytes of the pattern, all of which must be taken. */
static void write_pattern(plx_socket *socket, size_t size)
{
    unsigned char *bytes = pattern(size);

    ck_assert_int_eq(plx_socket_write(socket, bytes, size), (ptrdiff_t)size);
    free(bytes);
}

/* Takes at most `most` bytes of what a raw peer has got, which must continue the pattern; false at
 * its end. */
static bool raw_sip(int raw, uint64_t *got, size_t most)
{
    static unsigned char piece[64 * 1024];
    ptrdiff_t size = raw_take(raw, piece, most < sizeof piece ? most : sizeof piece);

    if (size <= 0)
        return size == -1;
    ck_assert_msg(pattern_matches(piece, (size_t)size, *got), "wrong bytes after %llu",
                  (unsigned long long)*got);
    *got += (uint64_t)size;
    return true;
}

/* Takes all that a raw peer has got; false at its end. */
static bool raw_drain(int raw, uint64_t *got)
{
    uint64_t before;

    do {
        before = *got;
        if (!raw_sip(raw, got, SIZE_MAX))
            return false;
    } while (*got > before);
    return true;
}

/* Lets what a raw peer sent arrive, in the kernel and no further. */
static void arrives(plx_socket *socket)
{
    world_readable(plx_socket_handle(socket));
}

static void expect_read(plx_socket *socket, const char *text)
{
    char got[256] = "";

    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got - 1), (ptrdiff_t)strlen(text));
    ck_assert_str_eq(got, text);
}

static void expect_error(plx_socket *socket, int code)
{
    ck_assert_int_eq(plx_socket_last_error(socket), code);
    ck_assert_int_eq(plx_socket_error(socket)->code, code);
}

static void echoes(struct world *w, plx_socket *socket, int raw)
{
    char got[16] = "";

    raw_say(raw, "still?");
    UNTIL(w, plx_socket_bytes_available(socket) == 6);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 6);
    ck_assert_str_eq(got, "still?");
    ck_assert_int_eq(plx_socket_write(socket, "still.", 6), 6);
    raw_expect(w, raw, "still.");
}

/* A group's descriptor must sleep when nothing is to be done; else an outer loop would spin. */
static void expect_quiet(struct world *w)
{
    if (w->group == NULL)
        return;
    if (plx_group_handle(w->group) >= 0)
        ck_assert_msg(!is_readable(plx_group_handle(w->group)), "%s: the group's handle spins",
                      world_name(w));
    ck_assert_msg(plx_group_deadline(w->group) != 0, "%s: the group wants a poll without cause",
                  world_name(w));
}

static void act_nothing(struct record *record, plx_socket *socket)
{
    (void)record;
    (void)socket;
}

/* ---- connect works --------------------------------------------------------------------------- */

CASE(connect_works)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    raw_accept(w, listener);
    world_settle(w);
    LOGGED(w, &log, CONNECTS);
    ck_assert(plx_socket_is_connected(socket));
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    expect_error(socket, 0);
    expect_quiet(w);
}

CASE(connect_by_properties)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    plx_socket *other = world_socket(w, NULL);
    char where[WHERE_SIZE];

    raw_listen(w, 5, where);
    /* connect_to sets the properties; read them back from one socket and give them to another. */
    ck_assert_int_eq(plx_socket_connect_to(other, where), 0);
    plx_socket_close(other);
    ck_assert_int_eq(plx_socket_set_address(socket, plx_socket_address(other)), 0);
    ck_assert_int_eq(plx_socket_set_port(socket, plx_socket_port(other)), 0);
    if (plx_socket_path(other)[0] != '\0')
        ck_assert_int_eq(plx_socket_set_path(socket, plx_socket_path(other)), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    LOGGED(w, &log, CONNECTS);
}

CASE(accept_works)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int raw;

    world_listen(w, socket, where);
    ck_assert(plx_socket_is_listening(socket));
    ck_assert(!plx_socket_is_connected(socket));
    raw = raw_connect(w, where);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    world_settle(w);
    LOGGED(w, &log, ACCEPTS);
    ck_assert(!plx_socket_is_listening(socket));
    echoes(w, socket, raw);
}

CASE(calls_never_call_back)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    poll(NULL, 0, 5);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    plx_socket_flush(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    LOGGED(w, &log, "");
    UNTIL(w, plx_socket_is_connected(socket));
    world_settle(w);
    record_clear(&log);
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ck_assert_int_eq(plx_socket_write(socket, NULL, 5), -1);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    plx_socket_close(socket);
    plx_socket_abort(socket);
    LOGGED(w, &log, "");
}

CASE(write_straight_after_connect)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 5);
    raw_expect(w, raw_accept(w, listener), "hello");
    world_settle(w);
    LOGGED(w, &log, CONNECTS " " SENT(5));
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

static void act_greet(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_write(socket, "greetings", 9), 9);
}

CASE(write_inside_connected)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int raw;

    record_on(&log, EVENT_CONNECTED, act_greet, NULL);
    world_listen(w, socket, where);
    raw = raw_connect(w, where);
    raw_expect(w, raw, "greetings");
    world_settle(w);
    LOGGED(w, &log, ACCEPTS " " SENT(9));
}

CASE(data_before_accept)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    world_listen(w, socket, where);
    raw_say(raw_connect(w, where), "early");
    UNTIL(w, log.count[EVENT_DATA_AVAILABLE] > 0);
    world_settle(w);
    LOGGED(w, &log, ACCEPTS " " DATA);
    expect_read(socket, "early");
}

CASE(data_and_end_before_accept)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int raw;

    world_listen(w, socket, where);
    raw = raw_connect(w, where);
    raw_say(raw, "hello and goodbye");
    raw_close(w, raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, &log, ACCEPTS " " DATA " " LOST);
    expect_read(socket, "hello and goodbye");
    ck_assert(plx_socket_end_of_file(socket));
}

CASE(listen_takes_one_peer)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE], got[8];
    int first, second;
    ptrdiff_t end = -1;

    world_listen(w, socket, where);
    first = raw_connect(w, where);
    second = raw_connect(w, where);
    raw_say(first, "first");
    UNTIL(w, log.count[EVENT_DATA_AVAILABLE] > 0);
    expect_read(socket, "first");
    /* The one that waited in the queue is sent away, and so is whoever comes later. */
    UNTIL(w, (end = raw_take(second, got, sizeof got)) != -1);
    ck_assert_int_le(end, 0);
    ck_assert_int_eq(w->kind->raw_connect(where), -1);
    echoes(w, socket, first);
    ck_assert_int_eq(log.count[EVENT_CONNECTED], 1);
}

CASE(descriptors_close_on_exec)
{
    plx_socket *listening = world_socket(w, NULL);
    plx_socket *socket = world_socket(w, NULL);
    char where[WHERE_SIZE];

    ck_assert_int_eq(plx_socket_handle(listening), -1);
    world_listen(w, listening, where);
    ck_assert_int_eq(fcntl(plx_socket_handle(listening), F_GETFD), FD_CLOEXEC);
    ck_assert(fcntl(plx_socket_handle(listening), F_GETFL) & O_NONBLOCK);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, plx_socket_is_connected(socket) && plx_socket_is_connected(listening));
    ck_assert_int_eq(fcntl(plx_socket_handle(listening), F_GETFD), FD_CLOEXEC);
    ck_assert(fcntl(plx_socket_handle(listening), F_GETFL) & O_NONBLOCK);
    ck_assert_int_eq(fcntl(plx_socket_handle(socket), F_GETFD), FD_CLOEXEC);
    ck_assert(fcntl(plx_socket_handle(socket), F_GETFL) & O_NONBLOCK);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
}

CASE(adopt_connected)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);
    int raw = raw_connect(w, where);
    int adopted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    ck_assert_int_ge(adopted, 0);
    raw_say(raw, "before");
    ck_assert_int_eq(plx_socket_adopt(socket, adopted), 0);
    ck_assert_int_eq(plx_socket_handle(socket), adopted);
    ck_assert_int_eq(fcntl(adopted, F_GETFD), FD_CLOEXEC);
    UNTIL(w, log.count[EVENT_DATA_AVAILABLE] > 0);
    ck_assert_int_eq(log.count[EVENT_CONNECTED], 1);
    expect_read(socket, "before");
    echoes(w, socket, raw);
    raw_close(w, raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log.code, PLX_LOST_CONNECTION);
}

CASE(adopt_listening)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int adopted = dup(raw_listen(w, 5, where));
    int raw;

    ck_assert_int_eq(plx_socket_adopt(socket, adopted), 0);
    ck_assert(plx_socket_is_listening(socket));
    raw = raw_connect(w, where);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    LOGGED(w, &log, ACCEPTS);
    echoes(w, socket, raw);
}

/* ---- connect fails --------------------------------------------------------------------------- */

CASE(connect_refused)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    UNTIL(w, log.count[EVENT_ERROR] > 0);
    world_settle(w);
    LOGGED(w, &log, REFUSED);
    ck_assert_int_eq(log.os_error, ECONNREFUSED);
    ck_assert_msg(strstr(log.message, "connect") && strstr(log.message, "ECONNREFUSED"),
                  "the sentence does not name the step: \"%s\"", log.message);
    expect_error(socket, ECONNREFUSED);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    expect_quiet(w);
}

CASE(refused_drops_the_queue)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char bad[WHERE_SIZE], good[WHERE_SIZE];
    int listener, raw;

    raw_refusing(w, bad);
    listener = raw_listen(w, 5, good);
    ck_assert_int_eq(plx_socket_connect_to(socket, bad), 0);
    ck_assert_int_eq(plx_socket_write(socket, "lost", 4), 4);
    UNTIL(w, log.count[EVENT_ERROR] > 0);
    LOGGED(w, &log, REFUSED);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, good), 0);
    expect_error(socket, 0);
    ck_assert_int_eq(plx_socket_write(socket, "kept", 4), 4);
    raw = raw_accept(w, listener);
    raw_expect(w, raw, "kept");
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_expect_end(w, raw);
}

static void act_connect(struct record *record, plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_connect_to(socket, record->data), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
}

CASE(connect_inside_error_of_refused)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char bad[WHERE_SIZE], good[WHERE_SIZE];
    int listener;

    raw_refusing(w, bad);
    listener = raw_listen(w, 5, good);
    record_on(&log, EVENT_ERROR, act_connect, good);
    ck_assert_int_eq(plx_socket_connect_to(socket, bad), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    world_settle(w);
    LOGGED(w, &log, REFUSED " " CONNECTS);
    echoes(w, socket, raw_accept(w, listener));
}

CASE(refused_again_and_again)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_refusing(w, where);
    record_on(&log, EVENT_ERROR, act_connect, where);
    log.always = true;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log.count[EVENT_ERROR] >= 20);
    ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 0);
    ck_assert_int_eq(log.count[EVENT_CONNECTED], 0);
}

/* ---- data arrived ---------------------------------------------------------------------------- */

PAIR_CASE(data_once_per_poll)
{
    raw_say(raw, "abc");
    arrives(socket);
    world_poll(w);
    LOGGED(w, log, DATA);
    world_settle(w);
    LOGGED(w, log, DATA);
    raw_say(raw, "def");
    arrives(socket);
    world_poll(w);
    LOGGED(w, log, DATA " " DATA);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 6);
    expect_quiet(w);
}

static void act_take_one(struct record *record, plx_socket *socket)
{
    char byte;

    (void)record;
    ck_assert_int_eq(plx_socket_read(socket, &byte, 1), 1);
}

PAIR_CASE(data_again_while_some_is_taken)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_take_one, NULL);
    log->always = true;
    raw_say(raw, "abc");
    arrives(socket);
    for (int polls = 1; polls <= 3; polls++) {
        world_poll(w);
        ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], polls);
    }
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    world_settle(w);
    LOGGED(w, log, DATA " " DATA " " DATA);
    expect_quiet(w);
}

PAIR_CASE(data_not_again_when_none_is_taken)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_nothing, NULL);
    raw_say(raw, "abc");
    arrives(socket);
    world_settle(w);
    LOGGED(w, log, DATA);
    expect_quiet(w);
    expect_read(socket, "abc");
    world_settle(w);
    LOGGED(w, log, DATA);
}

static void act_pong(struct record *record, plx_socket *socket)
{
    (void)record;
    expect_read(socket, "ping");
    ck_assert_int_eq(plx_socket_write(socket, "pong", 4), 4);
}

PAIR_CASE(replies_leave_in_the_same_poll)
{
    char got[8] = "";

    record_on(log, EVENT_DATA_AVAILABLE, act_pong, NULL);
    raw_say(raw, "ping");
    arrives(socket);
    world_poll(w);
    world_readable(raw);
    ck_assert_int_eq(raw_take(raw, got, sizeof got), 4);
    ck_assert_str_eq(got, "pong");
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

PAIR_CASE(byte_by_byte_in)
{
    log->swallow = true;
    for (uint64_t i = 0; i < 400; i++) {
        unsigned char byte = pattern_byte(i);

        raw_send(raw, &byte, 1);
        UNTIL(w, log->swallowed == i + 1);
    }
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 400);
}

PAIR_CASE(byte_by_byte_out)
{
    uint64_t got = 0;

    for (uint64_t i = 0; i < 400; i++) {
        unsigned char byte = pattern_byte(i);

        ck_assert_int_eq(plx_socket_write(socket, &byte, 1), 1);
        world_poll(w);
    }
    UNTIL(w, raw_drain(raw, &got) && got == 400);
    world_settle(w);
    ck_assert_uint_eq(log->sent, 400);
    ck_assert_uint_eq(log->left, 0);
}

CASE(bulk_both_ways)
{
    struct record log_a, log_b;
    plx_socket *a = world_socket(w, &log_a), *b = world_socket(w, &log_b);

    world_couple(w, a, b);
    log_a.swallow = log_b.swallow = true;
    write_pattern(a, 2 * MIB);
    write_pattern(b, 2 * MIB);
    UNTIL(w, log_a.swallowed == 2 * MIB && log_b.swallowed == 2 * MIB);
    UNTIL(w, log_a.count[EVENT_SEND_COMPLETE] == 1 && log_b.count[EVENT_SEND_COMPLETE] == 1);
    ck_assert_uint_eq(log_a.sent, 2 * MIB);
    ck_assert_uint_eq(log_b.sent, 2 * MIB);
}

/* ---- the ways to read ------------------------------------------------------------------------ */

PAIR_CASE(read_takes_up_to_n)
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

PAIR_CASE(read_exact_all_or_nothing)
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

PAIR_CASE(read_exact_that_cannot_be_met)
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
    world_settle(w);
    LOGGED(w, log, DATA " " LOST);
}

static void expect_line(plx_socket *socket, size_t size, const char *wanted)
{
    char line[64] = "";

    ck_assert_int_eq(plx_socket_read_line(socket, line, size), (ptrdiff_t)strlen(wanted));
    ck_assert_str_eq(line, wanted);
}

PAIR_CASE(read_line_whole)
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

PAIR_CASE(read_line_in_pieces)
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

PAIR_CASE(read_line_last_piece)
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

CASE(read_line_at_the_read_limit)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 8), 0);
    raw = world_pair(w, socket, &log);
    raw_say(raw, "0123456789\n");
    UNTIL(w, plx_socket_bytes_available(socket) == 8);
    ck_assert(plx_socket_can_read_line(socket));
    expect_line(socket, 64, "01234567");
    UNTIL(w, plx_socket_can_read_line(socket));
    expect_line(socket, 64, "89\n");
}

CASE(read_line_of_any_length)
{
    static const size_t lengths[] = {1,    1023, 1024, 4095, 4096,  4097, 8191,
                                     8192, 8193, 0,    5,    16384, 40000};
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log);
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

PAIR_CASE(line_available)
{
    raw_say(raw, "par");
    arrives(socket);
    world_settle(w);
    LOGGED(w, log, DATA);
    raw_say(raw, "tial\n");
    arrives(socket);
    world_settle(w);
    LOGGED(w, log, DATA " " DATA " line_available[CONNECTED]");
    expect_line(socket, 64, "partial\n");
    log->mute = 1u << EVENT_DATA_AVAILABLE;
    record_clear(log);
    record_on(log, EVENT_LINE_AVAILABLE, act_take_line, NULL);
    log->always = true;
    raw_say(raw, "a\na\na\na");
    world_settle(w);
    LOGGED(w, log, "line_available[CONNECTED] line_available[CONNECTED] line_available[CONNECTED]");
    expect_read(socket, "a");
}

PAIR_CASE(lookahead_is_one_pointer)
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

PAIR_CASE(skip_and_past_the_end)
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

PAIR_CASE(unread_puts_back)
{
    char got[8] = "";

    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    ck_assert_int_eq(plx_socket_read(socket, got, 2), 2);
    ck_assert_int_eq(plx_socket_unread(socket, got, 2), 0);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 5);
    expect_read(socket, "hello");
    /* also after everything was read, more than ever came, and last in is first out */
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

/* ---- peer closed or reset -------------------------------------------------------------------- */

static void act_take_one_at_the_end(struct record *record, plx_socket *socket)
{
    char byte = 0;

    (void)record;
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    ck_assert_int_eq(plx_socket_read(socket, &byte, 1), 1);
    ck_assert_int_eq(byte, 'b');
}

PAIR_CASE(peer_closes_after_data)
{
    char got[4];

    record_on(log, EVENT_ERROR, act_take_one_at_the_end, NULL);
    raw_say(raw, "bye");
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, log, DATA " " LOST);
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
    world_settle(w);
    LOGGED(w, log, LOST);
    ck_assert(plx_socket_end_of_file(socket));
}

PAIR_CASE(reset_beside_data)
{
    raw_say(raw, "last words");
    raw_reset(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, log, DATA " " LOST);
    if (w->kind->resets)
        ck_assert_int_eq(log->os_error, ECONNRESET);
    expect_read(socket, "last words");
}

PAIR_CASE(reset_without_data)
{
    raw_reset(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, log, LOST);
}

PAIR_CASE(reset_seen_by_a_write_keeps_what_came)
{
    struct pollfd hang_up = {.fd = plx_socket_handle(socket), .events = POLLRDHUP};

    raw_say(raw, "last words");
    raw_reset(w, raw);
    ck_assert_int_eq(poll(&hang_up, 1, 30000), 1);
    ck_assert_int_eq(plx_socket_write(socket, "hello?", 6), 6);
    plx_socket_flush(socket);
    LOGGED(w, log, "");
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, log, DATA " " LOST);
    expect_read(socket, "last words");
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

CASE(reset_seen_by_a_write_while_the_buffer_is_full)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char got[64] = "";
    size_t size = 0;
    int raw;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 8), 0);
    raw = world_pair(w, socket, &log);
    raw_say(raw, "twenty-five bytes of news");
    raw_reset(w, raw);
    UNTIL(w, plx_socket_bytes_available(socket) == 8);
    ck_assert_int_eq(plx_socket_write(socket, "hello?", 6), 6);
    plx_socket_flush(socket);
    /* All of it comes, above the limit or piece by piece, and then the end, once. */
    for (int round = 0; size < 25; round++) {
        ptrdiff_t piece = plx_socket_read(socket, got + size, 8);

        ck_assert_msg(piece >= 0 && round < ROUNDS, "%s: the end after \"%s\"", world_name(w), got);
        size += (size_t)piece;
        world_turn(w, round);
    }
    ck_assert_str_eq(got, "twenty-five bytes of news");
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(log.code, PLX_LOST_CONNECTION);
}

PAIR_CASE(large_write_after_a_reset_keeps_what_came)
{
    struct pollfd hang_up = {.fd = plx_socket_handle(socket), .events = POLLRDHUP};

    raw_say(raw, "last words");
    raw_reset(w, raw);
    ck_assert_int_eq(poll(&hang_up, 1, 30000), 1);
    write_pattern(socket,
                  MIB); /* may go to the kernel at once; its failure belongs to the next poll */
    LOGGED(w, log, "");
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, log, DATA " " LOST);
    expect_read(socket, "last words");
}

PAIR_CASE(peer_ends_while_bytes_are_queued)
{
    uint64_t got = 0;

    log->mute = 1u << EVENT_SEND_PROGRESS;
    write_pattern(socket, 8 * MIB);
    raw_say(raw, "enough");
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    UNTIL(w, !raw_drain(raw, &got));
    ck_assert_uint_eq(got, 8 * MIB);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, log, DATA " send_complete(false)[CONNECTED] " LOST);
    ck_assert_uint_eq(log->sent, 8 * MIB);
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
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    raw_expect(w, raw, "goodbye");
    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, log, DATA " " SENT(7) " " LOST);
}

/* ---- peer closed its sending side, half-open allowed ----------------------------------------- */

CASE(end_of_input)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_HALF_OPEN, 1), 0);
    raw = world_pair(w, socket, &log);
    raw_say(raw, "all I have");
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    UNTIL(w, log.count[EVENT_END_OF_INPUT] > 0);
    world_settle(w);
    LOGGED(w, &log, DATA " end_of_input[CONNECTED]");
    ck_assert(plx_socket_is_connected(socket));
    ck_assert(!plx_socket_end_of_file(socket));
    expect_read(socket, "all I have");
    ck_assert(plx_socket_end_of_file(socket));
    world_settle(w);
    expect_quiet(w);
    ck_assert_int_eq(plx_socket_write(socket, "and I", 5), 5);
    raw_expect(w, raw, "and I");
    record_clear(&log);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_expect_end(w, raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, &log, "state:CLOSING state:UNCONNECTED disconnected[UNCONNECTED]");
}

CASE(end_of_input_then_the_peer_goes)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_HALF_OPEN, 1), 0);
    raw = world_pair(w, socket, &log);
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    UNTIL(w, log.count[EVENT_END_OF_INPUT] > 0);
    raw_close(w, raw);
    world_settle(w);
    expect_quiet(w); /* the hang-up cannot be masked, and yet nothing may spin */
    /* TCP notices at the first or second write, a Unix socket at the next poll or write. */
    for (int round = 0; log.count[EVENT_DISCONNECTED] == 0; round++) {
        ck_assert_int_lt(round, ROUNDS);
        if (plx_socket_is_connected(socket))
            plx_socket_write(socket, "x", 1);
        world_turn(w, round + 20);
    }
    ck_assert_int_eq(log.count[EVENT_END_OF_INPUT], 1);
    ck_assert_int_eq(log.code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
}

/* ---- queue sent, in part and in whole -------------------------------------------------------- */

PAIR_CASE(send_progress_and_complete)
{
    ck_assert_int_eq(plx_socket_write(socket, "he", 2), 2);
    ck_assert_int_eq(plx_socket_write(socket, "llo", 3), 3);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 5);
    world_settle(w);
    LOGGED(w, log, SENT(5));
    raw_expect(w, raw, "hello");
    expect_quiet(w);
}

/* The system must not take it all at once, which buffers that grow by themselves may do. */
PAIR_CASE(send_progress_adds_up)
{
    uint64_t got = 0;
    int size = 65536;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, size), 0);
    ck_assert_int_eq(setsockopt(raw, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    write_pattern(socket, 8 * MIB);
    UNTIL(w, raw_drain(raw, &got) && log->count[EVENT_SEND_COMPLETE] > 0);
    ck_assert_uint_eq(log->sent, 8 * MIB);
    ck_assert_uint_eq(log->left, 0);
    ck_assert_int_gt(log->count[EVENT_SEND_PROGRESS], 1);
    ck_assert_int_eq(log->count[EVENT_SEND_COMPLETE], 1);
    UNTIL(w, raw_drain(raw, &got) && got == 8 * MIB);
}

static void act_refill(struct record *record, plx_socket *socket)
{
    int *left = record->data;

    if ((*left)-- > 0)
        ck_assert_int_eq(plx_socket_write(socket, "more", 4), 4);
}

PAIR_CASE(send_complete_may_refill)
{
    int left = 5;

    record_on(log, EVENT_SEND_COMPLETE, act_refill, &left);
    log->always = true;
    ck_assert_int_eq(plx_socket_write(socket, "once", 4), 4);
    raw_expect(w, raw, "oncemoremoremoremoremore");
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_SEND_COMPLETE], 6);
    ck_assert_uint_eq(log->sent, 24);
}

PAIR_CASE(cancel_by_true)
{
    char wanted[200];
    uint64_t got = 0, sent;

    log->cancel = true;
    write_pattern(socket, 8 * MIB);
    UNTIL(w, log->count[EVENT_SEND_COMPLETE] > 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_SEND_PROGRESS], 1);
    ck_assert_uint_gt(log->left, 0);
    ck_assert_uint_eq(log->sent + log->left, 8 * MIB);
    snprintf(wanted, sizeof wanted,
             "send_progress(%zu,%zu)[CONNECTED] send_complete(true)[CONNECTED]", log->sent,
             log->left);
    LOGGED(w, log, wanted);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    /* What the kernel had taken arrives, and the connection lives on. */
    sent = log->sent;
    UNTIL(w, raw_drain(raw, &got) && got == sent);
    log->cancel = false;
    record_clear(log);
    ck_assert_int_eq(plx_socket_write(socket, "tail", 4), 4);
    raw_expect(w, raw, "tail");
    world_settle(w);
    LOGGED(w, log, SENT(4));
}

PAIR_CASE(flush_sends_now)
{
    char got[8] = "";

    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ck_assert_int_eq(plx_socket_write(socket, "now", 3), 3);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    world_readable(raw);
    ck_assert_int_eq(raw_take(raw, got, sizeof got), 3);
    ck_assert_str_eq(got, "now");
    LOGGED(w, log, "");
    world_settle(w);
    LOGGED(w, log, SENT(3));
}

PAIR_CASE(write_alone_waits_for_the_poll)
{
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(plx_socket_write(socket, "piece", 5), 5);
    poll(NULL, 0, 5);
    ck_assert(!is_readable(raw));
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 50);
    world_poll(w);
    world_readable(raw);
}

PAIR_CASE(group_flush_ends_the_frame)
{
    if (w->group == NULL)
        return; /* nothing to flush without one; plx_socket_flush has a case of its own */
    ck_assert_int_eq(plx_socket_write(socket, "end of frame", 12), 12);
    ck_assert_int_eq(plx_group_flush(w->group), 0);
    LOGGED(w, log, "");
    world_readable(raw);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

/* ---- disconnect ------------------------------------------------------------------------------ */

PAIR_CASE(disconnect_with_nothing_queued)
{
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    LOGGED(w, log, "");
    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, log, "state:CLOSING state:UNCONNECTED disconnected[UNCONNECTED]");
    expect_error(socket, 0);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
}

PAIR_CASE(disconnect_drains_while_the_peer_keeps_sending)
{
    static const char junk[4096];
    uint64_t got = 0;

    log->mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_DATA_AVAILABLE;
    write_pattern(socket, MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    /* It takes less than there is, so that the kernel has something left that a reset would
     * destroy. */
    for (int round = 0; raw_sip(raw, &got, 16 * KIB); round++) {
        ck_assert_int_lt(round, ROUNDS);
        for (int burst = 0; burst < 4; burst++)
            (void)!send(raw, junk, sizeof junk, MSG_DONTWAIT | MSG_NOSIGNAL);
        world_turn(w, round);
    }
    ck_assert_uint_eq(got, MIB);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, log,
           "state:CLOSING send_complete(false)[CLOSING] state:UNCONNECTED "
           "disconnected[UNCONNECTED]");
    ck_assert_uint_eq(log->sent, MIB);
}

PAIR_CASE(disconnect_tells_the_peer_that_this_was_all)
{
    uint64_t got = 0;

    /* More than a peer that does not read takes at once, and less than the kernel takes from us. */
    write_pattern(socket, 100 * KIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    /* From here on no poll of ours is needed: a peer may read to the end before it does anything. */
    while (raw_drain(raw, &got))
        world_readable(raw);
    ck_assert_uint_eq(got, 100 * KIB);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

PAIR_CASE(disconnect_hears_the_peer_to_its_end)
{
    ck_assert_int_eq(plx_socket_write(socket, "any last words?", 15), 15);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_say(raw, "yes");
    world_poll(w);
    raw_expect(w, raw, "any last words?");
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    expect_read(socket, "yes");
}

PAIR_CASE(disconnect_keeps_what_came)
{
    raw_say(raw, "read me later");
    arrives(socket);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    expect_read(socket, "read me later");
}

PAIR_CASE(disconnect_then_write_is_refused)
{
    uint64_t got = 0;

    write_pattern(socket, 8 * MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_write(socket, "late", 4), -1);
    expect_error(socket, PLX_INVALID_STATE);
    UNTIL(w, !raw_drain(raw, &got));
    ck_assert_uint_eq(got, 8 * MIB);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_INVALID_STATE);
    ck_assert_msg(strncmp(log->text, "error(106,", 10) == 0, "first came \"%.40s\"", log->text);
}

CASE(disconnect_gives_up_after_the_linger_time)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char wanted[200];

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_LINGER_TIMEOUT, 50), 0);
    world_pair(w, socket, &log);
    log.mute = 1u << EVENT_SEND_PROGRESS;
    write_pattern(socket, 8 * MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    snprintf(wanted, sizeof wanted,
             "state:CLOSING state:UNCONNECTED error(102,%d)[UNCONNECTED] disconnected[UNCONNECTED]",
             (int)log.reason);
    LOGGED(w, &log, wanted);
    ck_assert_int_eq(log.os_error, ETIMEDOUT);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

PAIR_CASE(disconnect_and_the_peer_goes_too_early)
{
    char wanted[200];

    log->mute = 1u << EVENT_SEND_PROGRESS;
    write_pattern(socket, 8 * MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    snprintf(wanted, sizeof wanted,
             "state:CLOSING state:UNCONNECTED error(102,%d)[UNCONNECTED] disconnected[UNCONNECTED]",
             (int)log->reason);
    LOGGED(w, log, wanted);
}

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
    world_settle(w);
    LOGGED(w, log, "");
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

PAIR_CASE(close_drops_the_rest_at_once)
{
    uint64_t got = 0;

    write_pattern(socket, 8 * MIB);
    plx_socket_close(socket);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    UNTIL(w, !raw_drain(raw, &got));
    ck_assert_uint_gt(got, 0);
    ck_assert_uint_lt(got, 8 * MIB);
    LOGGED(w, log, "");
}

CASE(close_keeps_properties)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE], address[WHERE_SIZE], path[WHERE_SIZE];
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
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    LOGGED(w, &log, CONNECTS);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_port(socket), port);
    ck_assert_str_eq(plx_socket_address(socket), address);
    ck_assert_str_eq(plx_socket_path(socket), path);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_READ_LIMIT), 12345);
    ck_assert_ptr_eq(plx_socket_user(socket), &log);
    close(accept(listener, NULL, NULL));
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
    world_settle(w);
    LOGGED(w, &log_a, "");
    LOGGED(w, &log_b, LOST);
}

CASE(close_takes_back_what_was_not_told)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
    plx_socket_close(socket);
    world_settle(w);
    LOGGED(w, &log, "");
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    poll(NULL, 0, 5); /* it has failed by now, and nobody was told */
    plx_socket_close(socket);
    world_settle(w);
    LOGGED(w, &log, "");
}

CASE(close_while_listening)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    world_listen(w, socket, where);
    world_settle(w);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(w->kind->raw_connect(where), -1);
    world_listen(w, socket, where);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    world_settle(w);
    LOGGED(w, &log, "state:LISTENING");
}

/* ---- disconnect while still connecting ------------------------------------------------------- */

CASE(disconnect_while_connecting_with_bytes)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raw;

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "just this", 9), 9);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw = raw_accept(w, listener);
    raw_expect(w, raw, "just this");
    raw_expect_end(w, raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, &log,
           CONNECTS " state:CLOSING send_progress(9,0)[CLOSING] "
                    "send_complete(false)[CLOSING] state:UNCONNECTED disconnected[UNCONNECTED]");
}

CASE(disconnect_while_connecting_without_bytes)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    world_settle(w);
    LOGGED(w, &log, "");
}

CASE(disconnect_while_connecting_and_it_fails)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "in vain", 7), 7);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, log.count[EVENT_ERROR] > 0);
    world_settle(w);
    LOGGED(w, &log, REFUSED);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
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
    world_settle(w);
    LOGGED(w, log, "");
}

CASE(abort_while_connecting)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "never", 5), 5);
    plx_socket_abort(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    world_settle(w);
    LOGGED(w, &log, "");
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    LOGGED(w, &log, CONNECTS);
    (void)listener;
}

/* ---- error, disconnected, and starting again ------------------------------------------------- */

PAIR_CASE(connect_inside_error_takes_disconnected_back)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    record_on(log, EVENT_ERROR, act_connect, where);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    world_settle(w);
    LOGGED(w, log, "state:UNCONNECTED error(102,11)[UNCONNECTED] " CONNECTS);
    echoes(w, socket, raw_accept(w, listener));
}

PAIR_CASE(connect_inside_disconnected)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    record_on(log, EVENT_DISCONNECTED, act_connect, where);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    world_settle(w);
    LOGGED(w, log, LOST " " CONNECTS);
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
    world_settle(w);
    LOGGED(w, &log, wanted);
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

static void act_close(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

static void act_abort(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_abort(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

PAIR_CASE(close_inside_error_takes_disconnected_back)
{
    record_on(log, EVENT_ERROR, act_close, NULL);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    world_settle(w);
    LOGGED(w, log, "state:UNCONNECTED error(102,11)[UNCONNECTED]");
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

CASE(disconnected_exactly_once_and_last)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    uint64_t got = 0;
    int raw;

    raw = world_pair(w, socket, &log); /* the peer closes beside data of both sides */
    raw_say(raw, "data");
    ck_assert_int_eq(plx_socket_write(socket, "data", 4), 4);
    raw_close(w, raw);
    expect_one_disconnected_and_last(w, &log);

    raw = world_pair(w, socket, &log); /* a reset */
    raw_say(raw, "data");
    raw_reset(w, raw);
    expect_one_disconnected_and_last(w, &log);

    raw = world_pair(w, socket, &log); /* we disconnect, and the peer closes at the same time */
    write_pattern(socket, MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, !raw_drain(raw, &got));
    raw_close(w, raw);
    expect_one_disconnected_and_last(w, &log);
}

CASE(ten_rounds_on_one_object)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);

    for (int round = 0; round < 10; round++) {
        int raw = world_pair(w, socket, &log);

        echoes(w, socket, raw);
        record_clear(&log);
        if (round % 2 == 0) {
            ck_assert_int_eq(plx_socket_disconnect(socket), 0);
            raw_expect_end(w, raw);
        }
        raw_close(w, raw);
        UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
        if (round % 2 == 0)
            LOGGED(w, &log, "state:CLOSING state:UNCONNECTED disconnected[UNCONNECTED]");
        else
            LOGGED(w, &log, LOST);
    }
}

/* ---- inside handlers ------------------------------------------------------------------------- */

/* Provokes each event on a fresh socket, lets its handler act, and then expects silence. */
static void in_each_handler(struct world *w, record_act *act)
{
    for (int how = 0; how < PROVOCATIONS; how++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        size_t length;

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

        if (how == PROVOKE_STATE_CLOSING)
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
    world_settle(w);
    LOGGED(w, log, DATA " " DATA);
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
    /* The record would have failed at a nested event; what is still true is told afterwards. */
    LOGGED(w, log, DATA " " DATA);
    expect_read(socket, "second");
}

static void act_wait_at_the_end(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;

    ck_assert_uint_eq(plx_socket_skip(socket, SIZE_MAX), 4);
    raw_close(scene->world, scene->raw);
    /* Far longer than the test may take. Nothing more can come. */
    ck_assert(!plx_socket_wait_for_data(socket, 600000));
    ck_assert(!plx_socket_wait_for_data(socket, -1));
}

PAIR_CASE(wait_inside_a_handler_ends_with_the_connection)
{
    struct scene scene = {w, raw};

    record_on(log, EVENT_DATA_AVAILABLE, act_wait_at_the_end, &scene);
    raw_say(raw, "last");
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, log, DATA " " LOST);
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
    world_settle(w);
    LOGGED(w, log, DATA " " SENT(5));
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

CASE(user_is_handed_back)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);

    ck_assert_ptr_eq(plx_socket_user(socket), &log);
    plx_socket_set_user(socket, w);
    ck_assert_ptr_eq(plx_socket_user(socket), w);
    plx_socket_set_user(socket, NULL);
    ck_assert_ptr_null(plx_socket_user(socket));
}

/* ---- waits ----------------------------------------------------------------------------------- */

CASE(wait_for_connected)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert(plx_socket_wait_for_connected(socket, 30000));
    LOGGED(w, &log, CONNECTS);
    ck_assert(plx_socket_wait_for_connected(socket, 0));
    ck_assert(plx_socket_wait_for_connected(socket, -1));
}

CASE(wait_for_connected_fails)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    ck_assert(!plx_socket_wait_for_connected(socket, -1)); /* nothing is under way: at once */
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert(!plx_socket_wait_for_connected(socket, 600000));
    world_settle(w);
    LOGGED(w, &log, REFUSED);
}

CASE(wait_for_connected_while_listening)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    world_listen(w, socket, where);
    ck_assert(!plx_socket_wait_for_connected(socket, 0));
    ck_assert(!plx_socket_wait_for_connected(socket, 20));
    ck_assert_int_eq(plx_socket_state(socket), PLX_LISTENING);
    raw_connect(w, where);
    ck_assert(plx_socket_wait_for_connected(socket, 30000));
    LOGGED(w, &log, ACCEPTS);
}

PAIR_CASE(wait_for_data)
{
    size_t size;

    ck_assert(!plx_socket_wait_for_data(socket, 0));
    ck_assert(!plx_socket_wait_for_data(socket, 20));
    LOGGED(w, log, "");
    expect_error(socket, 0);
    raw_say(raw, "one");
    ck_assert(plx_socket_wait_for_data(socket, 30000));
    LOGGED(w, log, DATA);
    ck_assert(plx_socket_wait_for_data(socket, 0)); /* not looked at yet: at once */
    plx_socket_lookahead(socket, &size);
    ck_assert_uint_eq(size, 3);
    ck_assert(!plx_socket_wait_for_data(socket, 0)); /* looked at: waits for more */
    ck_assert(!plx_socket_wait_for_data(socket, 20));
    raw_say(raw, "two");
    ck_assert(plx_socket_wait_for_data(socket, 30000));
    expect_read(socket, "onetwo");
    ck_assert(!plx_socket_wait_for_data(socket, 0));
}

PAIR_CASE(wait_for_data_at_the_end)
{
    raw_say(raw, "last");
    raw_close(w, raw);
    ck_assert(plx_socket_wait_for_data(socket, 30000));
    expect_read(socket, "last");
    ck_assert(!plx_socket_wait_for_data(socket, 600000));
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, log, DATA " " LOST);
    ck_assert(!plx_socket_wait_for_data(socket, -1));
}

PAIR_CASE(wait_for_sent)
{
    uint64_t got = 0;

    write_pattern(socket, 1000);
    ck_assert(plx_socket_wait_for_sent(socket, 30000));
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    write_pattern(socket, 8 * MIB);
    ck_assert(!plx_socket_wait_for_sent(socket, 0));
    ck_assert(!plx_socket_wait_for_sent(socket, 20)); /* the peer does not read */
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    expect_error(socket, 0);
    ck_assert_int_eq(recv(raw, &(char[1000]){0}, 1000, MSG_WAITALL), 1000);
    UNTIL(w, raw_drain(raw, &got) && got == 8 * MIB);
    ck_assert(plx_socket_wait_for_sent(socket, 30000));
}

PAIR_CASE(wait_for_disconnected)
{
    ck_assert(!plx_socket_wait_for_disconnected(socket, 0));
    ck_assert(!plx_socket_wait_for_disconnected(socket, 20));
    ck_assert(plx_socket_is_connected(socket));
    raw_close(w, raw);
    ck_assert(plx_socket_wait_for_disconnected(socket, 30000));
    world_settle(w);
    LOGGED(w, log, LOST);
}

CASE(wait_for_disconnected_drains)
{
    struct record log;
    char got[16];
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log);

    ck_assert_int_eq(plx_socket_write(socket, "all of it", 9), 9);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    for (int i = 0; i < 100 && !is_readable(raw); i++)
        plx_socket_wait_for_disconnected(socket, 20);
    ck_assert_int_eq(recv(raw, got, sizeof got, MSG_DONTWAIT), 9);
    ck_assert_mem_eq(got, "all of it", 9);
    ck_assert(plx_socket_wait_for_disconnected(socket, 30000));
    ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 1);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
}

PAIR_CASE(wait_for_anything)
{
    ck_assert(!plx_socket_wait(socket, 0));
    ck_assert(!plx_socket_wait(socket, 20));
    raw_say(raw, "x");
    ck_assert(plx_socket_wait(socket, 30000));
    LOGGED(w, log, DATA);
}

CASE(waits_on_an_idle_socket_return_at_once)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);

    ck_assert(!plx_socket_wait_for_connected(socket, -1));
    ck_assert(!plx_socket_wait_for_data(socket, -1));
    ck_assert(plx_socket_wait_for_disconnected(socket, -1));
    ck_assert(!plx_socket_wait(socket, -1));
    plx_socket_wait_for_sent(socket, -1);
    world_settle(w);
    LOGGED(w, &log, "");
}

/* ---- limits ---------------------------------------------------------------------------------- */

CASE(read_limit_is_back_pressure)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    uint64_t offset = 0, seen = 0;
    int raw, idle = 0;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 4096), 0);
    raw = world_pair(w, socket, &log);
    for (int round = 0; idle < 20; round++) {
        ck_assert_int_lt(round, ROUNDS);
        idle = raw_stuff(raw, &offset) == 0 ? idle + 1 : 0;
        world_turn(w, 20);
        ck_assert_uint_le(plx_socket_bytes_available(socket), 4096);
    }
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 4096);
    expect_quiet(w); /* full: the descriptor is not watched */
    /* Half read: it fills up again, by itself. */
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
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
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
    raw_send(raw, bytes, 10000);
    finish(w, raw);
    UNTIL(w, plx_socket_bytes_available(socket) == 1000);
    world_settle(w);
    ck_assert_msg(log.count[EVENT_ERROR] == 0, "%s: the end was told too early: \"%s\"",
                  world_name(w), log.text);
    expect_quiet(w); /* a hang-up cannot be masked, so a watch would spin */
    for (size_t seen = 0; seen < 10000; seen += 1000) {
        UNTIL(w, plx_socket_bytes_available(socket) == 1000);
        ck_assert_int_eq(plx_socket_read_exact(socket, got, 1000), 1000);
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

CASE(read_limit_lifted)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    unsigned char *bytes = pattern(512);
    int raw;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 256), 0);
    raw = world_pair(w, socket, &log);
    raw_send(raw, bytes, 512);
    UNTIL(w, plx_socket_bytes_available(socket) == 256);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 384), 0);
    UNTIL(w, plx_socket_bytes_available(socket) == 384);
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 384);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 0), 0);
    UNTIL(w, plx_socket_bytes_available(socket) == 512);
    /* Lowered below what is there: nothing is lost. */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 10), 0);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 512);
    ck_assert(pattern_matches(plx_socket_lookahead(socket, &(size_t){0}), 512, 0));
    free(bytes);
}

CASE(read_exact_lifts_the_limit)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    unsigned char *bytes = pattern(5000);
    unsigned char got[3000];
    int raw;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 1000), 0);
    raw = world_pair(w, socket, &log);
    raw_send(raw, bytes, 5000);
    UNTIL(w, plx_socket_bytes_available(socket) == 1000);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, sizeof got), 0);
    UNTIL(w, plx_socket_read_exact(socket, got, sizeof got) == (ptrdiff_t)sizeof got);
    ck_assert(pattern_matches(got, sizeof got, 0));
    free(bytes);
}

CASE(write_limit_takes_fewer)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    unsigned char *bytes = pattern(5000);
    char where[WHERE_SIZE];
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
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    free(bytes);
}

CASE(write_limit_under_pressure)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    unsigned char *bytes = pattern(8 * MIB);
    uint64_t got = 0;
    size_t written = 0;
    int raw;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 100000), 0);
    raw = world_pair(w, socket, &log);
    for (int round = 0; round < 100; round++) { /* nobody reads: it must come to a stop */
        written += (size_t)plx_socket_write(socket, bytes + written, 70000);
        ck_assert_uint_le(plx_socket_bytes_left_to_send(socket), 100000);
        world_poll(w);
    }
    ck_assert_uint_lt(written, 7000000);
    UNTIL(w, (raw_drain(raw, &got), got == written));
    free(bytes);
}

/* ---- bad arguments and wrong states ---------------------------------------------------------- */

PAIR_CASE(zero_null_and_huge_sizes)
{
    char got[8] = "";

    ck_assert_int_eq(plx_socket_write(socket, "x", 0), 0);
    ck_assert_int_eq(plx_socket_write(socket, NULL, 0), 0);
    ck_assert_int_eq(plx_socket_read(socket, got, 0), 0);
    ck_assert_int_eq(plx_socket_read(socket, NULL, 0), 0);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, 0), 0);
    ck_assert_int_eq(plx_socket_unread(socket, NULL, 0), 0);
    ck_assert_uint_eq(plx_socket_skip(socket, 0), 0);
    expect_error(socket, 0);
    world_settle(w);
    LOGGED(w, log, "");
    ck_assert_int_eq(plx_socket_write(socket, NULL, 5), -1);
    expect_error(socket, PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
    ck_assert_int_eq(plx_socket_write(socket, got, SIZE_MAX), -1);
    expect_error(socket, PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_socket_read(socket, NULL, 5), -1);
    expect_error(socket, PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_read_exact(socket, NULL, 5), -1);
    ck_assert_int_le(plx_socket_read_exact(socket, got, SIZE_MAX), 0);
    ck_assert_int_eq(plx_socket_unread(socket, NULL, 5), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_unread(socket, got, SIZE_MAX), PLX_OUT_OF_MEMORY);
    ck_assert_int_le(plx_socket_read_line(socket, NULL, 5), 0);
    ck_assert_int_le(plx_socket_read_line(socket, got, 0), 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1); /* of several failed calls the first is told */
    ck_assert_int_eq(log->code, PLX_INVALID_STATE);
    ck_assert(plx_socket_is_connected(socket));
    echoes(w, socket, raw);
}

PAIR_CASE(null_for_out_parameters)
{
    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    ck_assert_mem_eq(plx_socket_lookahead(socket, NULL), "hello", 5);
    ck_assert_mem_eq(plx_socket_read_all(socket, NULL), "hello", 5);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
}

CASE(error_of_a_call_is_told_once)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char wanted[100];

    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
    expect_error(socket, PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_write(socket, "y", 1), -1);
    LOGGED(w, &log, "");
    world_settle(w);
    snprintf(wanted, sizeof wanted, "error(106,%d)[UNCONNECTED]", (int)log.reason);
    LOGGED(w, &log, wanted);
    record_clear(&log);
    ck_assert_int_eq(plx_socket_write(socket, "z", 1), -1);
    world_settle(w);
    LOGGED(w, &log, wanted);
}

CASE(connect_takes_back_an_error_of_a_call)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    expect_error(socket, 0);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    LOGGED(w, &log, CONNECTS);
}

CASE(connect_while_connecting)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE], wanted[200];
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen_on(socket, where), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    world_settle(w);
    snprintf(wanted, sizeof wanted, "error(106,%d)[CONNECTING] " CONNECTS, (int)log.reason);
    LOGGED(w, &log, wanted);
    echoes(w, socket, raw_accept(w, listener));
}

PAIR_CASE(connect_and_listen_while_connected)
{
    char where[WHERE_SIZE], place[WHERE_SIZE];

    raw_listen(w, 5, where);
    world_place(w, place);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen_on(socket, place), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_adopt(socket, raw), PLX_INVALID_STATE);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_INVALID_STATE);
    ck_assert_int_eq(log->count[EVENT_STATE_CHANGED], 0);
    echoes(w, socket, raw);
}

CASE(calls_while_unconnected)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char got[4];
    size_t size = 1;

    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), -1);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, sizeof got), -1);
    plx_socket_read_all(socket, &size);
    ck_assert_uint_eq(size, 0);
    ck_assert(plx_socket_end_of_file(socket));
    ck_assert(!plx_socket_can_read_line(socket));
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    ck_assert(!plx_socket_poll(socket));
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    plx_socket_purge(socket);
    ck_assert_int_eq(plx_socket_disconnect(socket), PLX_INVALID_STATE);
    plx_socket_close(socket);
    plx_socket_abort(socket);
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 0);
    ck_assert_int_eq(log.count[EVENT_STATE_CHANGED], 0);
}

CASE(two_listeners_on_one_name)
{
    struct record log_first, log_second;
    plx_socket *first = world_socket(w, &log_first), *second = world_socket(w, &log_second);
    char where[WHERE_SIZE];

    world_listen(w, first, where);
    ck_assert_int_eq(plx_socket_listen_on(second, where), PLX_ADDRESS_IN_USE);
    expect_error(second, PLX_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_socket_state(second), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_handle(second), -1);
    world_settle(w);
    LOGGED(w, &log_second, "error(105,18)[UNCONNECTED]");
    echoes(w, first, raw_connect(w, where));
    LOGGED(w, &log_first, ACCEPTS " " DATA " " SENT(6));
    /* and the second is usable afterwards */
    record_clear(&log_second);
    world_listen(w, second, where);
    echoes(w, second, raw_connect(w, where));
}

CASE(options_before_and_after)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int size = 0;
    socklen_t length = sizeof size;

    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_CONNECT_TIMEOUT), 30000);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_LINGER_TIMEOUT), 30000);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_READ_LIMIT), 0);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_HALF_OPEN), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 30000), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 777), 0);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_READ_LIMIT), 777);
    world_pair(w, socket, &log);
    /* Linux doubles it for its own book-keeping (socket(7)). */
    ck_assert_int_eq(getsockopt(plx_socket_handle(socket), SOL_SOCKET, SO_SNDBUF, &size, &length),
                     0);
    ck_assert_int_eq(size, 60000);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 40000), 0);
    ck_assert_int_eq(getsockopt(plx_socket_handle(socket), SOL_SOCKET, SO_SNDBUF, &size, &length),
                     0);
    ck_assert_int_eq(size, 80000);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_READ_LIMIT), 777);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_READ_LIMIT), 777);
}

CASE(options_unknown_and_out_of_range)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    static const struct {
        plx_option option;
        int value;
    } bad[] = {{(plx_option)9999, 1},          {(plx_option)-1, 1},
               {PLX_OPTION_READ_LIMIT, -1},    {PLX_OPTION_WRITE_LIMIT, -1},
               {PLX_OPTION_HALF_OPEN, 2},      {PLX_OPTION_HALF_OPEN, -1},
               {PLX_OPTION_PROTOCOL, 3},       {PLX_OPTION_CONNECT_TIMEOUT, -1},
               {PLX_OPTION_ROUTER_HOPS, 1024}, {PLX_OPTION_LINGER_TIMEOUT, -5}};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int before = plx_socket_option(socket, bad[i].option);

        ck_assert_msg(plx_socket_set_option(socket, bad[i].option, bad[i].value) ==
                          PLX_INVALID_STATE,
                      "option %d took %d", (int)bad[i].option, bad[i].value);
        ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
        ck_assert_int_eq(plx_socket_option(socket, bad[i].option), before);
    }
    echoes(w, socket, world_pair(w, socket, &log));
}

/* ---- idle time-out --------------------------------------------------------------------------- */

CASE(idle_timeout_ends_a_quiet_connection)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 400), 0);
    raw = world_pair(w, socket, &log);
    if (w->group != NULL) {
        ck_assert_int_gt(plx_group_deadline(w->group), 0);
        ck_assert_int_le(plx_group_deadline(w->group), 400);
    }
    echoes(w, socket, raw);
    record_clear(&log);
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, &log, "state:UNCONNECTED error(110,15)[UNCONNECTED] disconnected[UNCONNECTED]");
    raw_expect_end(w, raw);
}

/* ---- budget ---------------------------------------------------------------------------------- */

/* Makes the kernel hold more than a poll may do. Without privileges TCP may not get there. */
static void deepen(plx_socket *socket, int raw)
{
    int large = 4 * 1024 * 1024, allowed = 212992;

    setsockopt(plx_socket_handle(socket), SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
    if (setsockopt(raw, SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof large) != 0)
        setsockopt(raw, SOL_SOCKET, SO_SNDBUF, &allowed, sizeof allowed);
}

PAIR_CASE(a_flood_leaves_work)
{
    int times = 0;
    uint64_t offset = 0, budget = w->group != NULL ? 64 * KIB : 256 * KIB;

    if (w->group != NULL)
        plx_group_set_budget(w->group, 0, 64 * KIB);
    deepen(socket, raw);
    log->swallow = true;
    for (int round = 0; round < 100 && times < 5; round++) {
        uint64_t before = log->swallowed, done;
        bool left;

        raw_stuff(raw, &offset);
        left = world_poll(w);
        done = log->swallowed - before;
        ck_assert_uint_le(done, budget); /* a poll does its budget and not the whole flood */
        if (done == budget && offset > log->swallowed)
            ck_assert_msg(left, "%s: a poll did its budget and said that nothing is left",
                          world_name(w));
        times += left;
    }
    if (w->group != NULL || getuid() == 0)
        ck_assert_msg(times > 0, "%s: no poll said that work is left", world_name(w));
    UNTIL(w, log->swallowed == offset);
    world_settle(w);
    ck_assert(!world_poll(w));
    expect_quiet(w);
}

/* ---- free, in every state -------------------------------------------------------------------- */

CASE(free_in_every_state)
{
    struct record log;
    char where[WHERE_SIZE];
    plx_socket *socket = world_socket(w, &log);
    int raw;

    world_free(w, socket); /* never used */

    raw_listen(w, 5, where);
    socket = world_socket(w, &log); /* connecting, with bytes queued */
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    world_free(w, socket);

    socket = world_socket(w, &log); /* listening, with somebody in the queue */
    world_listen(w, socket, where);
    raw_connect(w, where);
    world_free(w, socket);

    socket = world_socket(w, &log); /* closing, with a queue that does not drain */
    world_pair(w, socket, &log);
    write_pattern(socket, 8 * MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    record_clear(&log);
    world_free(w, socket);

    socket = world_socket(w, &log); /* connected, with bytes to read and an error to tell */
    raw = world_pair(w, socket, &log);
    raw_say(raw, "unread");
    UNTIL(w, plx_socket_bytes_available(socket) == 6);
    record_clear(&log);
    ck_assert_int_eq(plx_socket_write(socket, NULL, 5), -1);
    world_free(w, socket);
    world_settle(w);
    LOGGED(w, &log, "");
}

PAIR_CASE(removed_from_the_group_and_polled_alone)
{
    if (w->group != NULL)
        plx_group_remove(w->group, socket);
    raw_say(raw, "hello");
    arrives(socket);
    if (w->group != NULL) {
        world_settle(w);
        LOGGED(w, log, "");
    }
    plx_socket_poll(socket);
    LOGGED(w, log, DATA);
    expect_read(socket, "hello");
}

CASE(a_member_may_be_polled_alone)
{
    struct record log, other_log;
    plx_socket *socket = world_socket(w, &log), *other = world_socket(w, &other_log);
    int raw = world_pair(w, socket, &log), other_raw = world_pair(w, other, &other_log);

    raw_say(raw, "hello");
    raw_say(other_raw, "hello");
    arrives(socket);
    arrives(other);
    plx_socket_poll(socket);
    LOGGED(w, &log, DATA);
    LOGGED(w, &other_log, ""); /* serves that member alone */
    world_settle(w);
    LOGGED(w, &log, DATA);
    LOGGED(w, &other_log, DATA);
}

WORLD_MAIN("conform")
