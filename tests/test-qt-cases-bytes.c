/* tests/test-qt-cases-bytes.c -- what Qt's tests check of sockets, asked of Pollux: bytes.
 *
 * The cases C (reading) and D (writing and ending). See test-qt-cases.c for where they come from
 * and which of them stand elsewhere or do not apply. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/sockets.h"
#include "tests/world.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

#define LOST "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]"
#define DATA "data_available[CONNECTED]"

static void expect_read(plx_socket *socket, const char *text)
{
    char got[256] = "";

    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got - 1), (ptrdiff_t)strlen(text));
    ck_assert_str_eq(got, text);
}

static void expect_seen(plx_socket *socket, const char *text)
{
    size_t size;
    const char *bytes = plx_socket_lookahead(socket, &size);

    ck_assert_uint_eq(size, strlen(text));
    ck_assert_mem_eq(bytes, text, size);
}

static void expect_line(plx_socket *socket, size_t room, const char *text)
{
    char line[128];

    ck_assert_uint_le(room, sizeof line);
    memset(line, 'x', sizeof line);
    ck_assert_int_eq(plx_socket_read_line(socket, line, room), (ptrdiff_t)strlen(text));
    ck_assert_str_eq(line, text);
}

static void until_available(struct world *w, plx_socket *socket, size_t size)
{
    UNTIL(w, plx_socket_bytes_available(socket) == size);
}

/* ---- C: reading ------------------------------------------------------------------------------ */

/* C1: two bytes at a time, and not a byte beyond them is touched.
 * For streams only: a read takes a packet, the rest of which is dropped. */
STREAM_PAIR_CASE(two_bytes_at_a_time)
{
    static const char text[] = "what came is read in pieces";
    char got[8];

    raw_say(raw, text);
    until_available(w, socket, sizeof text - 1);
    for (size_t at = 0; at < sizeof text - 1; at += 2) {
        size_t left = sizeof text - 1 - at, piece = left < 2 ? left : 2;

        memset(got, '#', sizeof got);
        ck_assert_int_eq(plx_socket_read(socket, got, 2), (ptrdiff_t)piece);
        ck_assert_mem_eq(got, text + at, piece);
        ck_assert_mem_eq(got + piece, "########", sizeof got - piece);
    }
    ck_assert_int_eq(plx_socket_read(socket, got, 2), 0);
}

/* C2: bytes put back one by one, the last one first; after everything was read; seen again.
 * For streams only: unread refuses packets. */
STREAM_PAIR_CASE(put_back_one_by_one)
{
    char got[32];

    raw_say(raw, "hello world\n");
    until_available(w, socket, 12);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(plx_socket_read(socket, got, 2), 2);
        ck_assert_int_eq(plx_socket_unread(socket, got + 1, 1), 0);
        ck_assert_int_eq(plx_socket_unread(socket, got, 1), 0);
        ck_assert_uint_eq(plx_socket_bytes_available(socket), 12);
    }
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 12);
    for (int i = 11; i >= 0; i--)
        ck_assert_int_eq(plx_socket_unread(socket, got + i, 1), 0);
    expect_seen(socket, "hello world\n");
    ck_assert(plx_socket_can_read_line(socket));
    expect_line(socket, 64, "hello world\n");
    ck_assert_int_eq(plx_socket_unread(socket, "!", 1), 0);
    expect_seen(socket, "!");
    expect_read(socket, "!");
}

/* C3: each look shows all that arrived so far, with blocking calls.
 * For streams only: lookahead shows one packet. */
STREAM_PAIR_CASE(each_look_shows_all_while_waiting)
{
    raw_say(raw, "abc");
    ck_assert(plx_socket_wait_for_data(socket, -1));
    expect_seen(socket, "abc");
    raw_say(raw, "def");
    ck_assert(plx_socket_wait_for_data(socket, -1));
    expect_seen(socket, "abcdef");
    raw_say(raw, "ghi");
    ck_assert(plx_socket_wait_for_data(socket, -1));
    expect_seen(socket, "abcdefghi");
    expect_read(socket, "abcdefghi");
    ck_assert(!plx_socket_wait_for_data(socket, 0));
}

static void act_look(struct record *record, plx_socket *socket)
{
    static const char *const seen[] = {"abc", "abcdef", "abcdefghi"};
    int number = record->count[EVENT_DATA_AVAILABLE];

    ck_assert_int_le(number, 3);
    expect_seen(socket, seen[number - 1]);
}

/* C3: and the same by events; looking is not taking, so each arrival is reported once.
 * For streams only: lookahead shows one packet. */
STREAM_PAIR_CASE(each_look_shows_all_in_events)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_look, NULL);
    log->always = true;
    raw_say(raw, "abc");
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 1);
    raw_say(raw, "def");
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 2);
    raw_say(raw, "ghi");
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 3);
    SETTLED(w, log, DATA " " DATA " " DATA);
    expect_read(socket, "abcdefghi");
}

/* C4: a greeting by lines: its length, its zero byte, in two pieces, nothing, the end.
 * For streams only: packets have no lines. */
STREAM_PAIR_CASE(greeting_by_lines)
{
    char line[64];

    raw_say(raw, "* OK ready for you\r\n");
    until_available(w, socket, 20);
    expect_line(socket, 64, "* OK ready for you\r\n");
    ck_assert_int_eq(plx_socket_read_line(socket, line, sizeof line), 0);
    ck_assert(!plx_socket_wait_for_data(socket, 10));
    ck_assert_int_eq(plx_socket_read_line(socket, line, sizeof line), 0);
    raw_say(raw, "* OK ready for you\r\n");
    until_available(w, socket, 20);
    expect_line(socket, 11, "* OK ready");
    expect_line(socket, 64, " for you\r\n");
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_read_line(socket, line, sizeof line), -1);
}

/* How long the lines are, each with its end: around the sizes that blocks have. */
static const size_t line_sizes[] = {
    4094,  4095,  4096,  4097,  6000,  8190,  8191,  8192,  8193,  1020,  1021,  1022,  1023,
    1024,  1025,  1026,  4092,  4093,  4098,  8188,  8189,  8194,  16380, 16381, 16382, 16383,
    16384, 16385, 16386, 32764, 32765, 32766, 32767, 32768, 32769, 32770, 40000, 1,     2};
enum { LINES = sizeof line_sizes / sizeof line_sizes[0], LONGEST_LINE = 40000 };

static size_t make_lines(char *text)
{
    size_t at = 0;

    for (size_t i = 0; i < LINES; i++) {
        memset(text + at, 'a' + (int)(i % 26), line_sizes[i]);
        at += line_sizes[i];
        text[at - 1] = '\n';
    }
    memcpy(text + at, "the last one has no end", 23);
    return at + 23;
}

/* C6: lines whose ends fall on, before and behind every border of a block; all at once and piece
 * by piece; the last one has no end. For streams only: packets have no lines. */
STREAM_CASE(lines_across_borders)
{
    static char text[800 * KIB], line[LONGEST_LINE + 2];
    size_t size = make_lines(text);

    for (size_t piece = size; piece > 1000; piece = piece == size ? 4096 : piece / 4) {
        plx_socket *socket = world_socket(w, NULL);
        int raw = world_pair(w, socket, NULL);
        size_t sent = 0, at = 0;
        ptrdiff_t length = 0;

        for (size_t i = 0; i <= LINES; i++) {
            size_t wanted = i < LINES ? line_sizes[i] : 23;

            while ((length = plx_socket_read_line(socket, line, sizeof line)) == 0) {
                size_t more = size - sent < piece ? size - sent : piece;
                ssize_t count = send(raw, text + sent, more, MSG_DONTWAIT | MSG_NOSIGNAL);

                sent += count > 0 ? (size_t)count : 0;
                if (sent == size)
                    shutdown(raw, SHUT_WR);
                world_poll(w);
            }
            ck_assert_int_eq(length, (ptrdiff_t)wanted);
            ck_assert_mem_eq(line, text + at, wanted);
            at += wanted;
        }
        UNTIL(w, plx_socket_read_line(socket, line, sizeof line) == -1);
        world_free(w, socket);
    }
}

/* C7: half of it, then more than there is. For streams only: skip drops whole packets. */
STREAM_PAIR_CASE(skip_half_and_too_much)
{
    unsigned char bytes[20000];
    size_t size;

    pattern_fill(bytes, sizeof bytes, 0);
    raw_send(raw, bytes, sizeof bytes);
    until_available(w, socket, 20000);
    ck_assert_uint_eq(plx_socket_skip(socket, 10000), 10000);
    ck_assert(pattern_matches(plx_socket_lookahead(socket, &size), 10000, 10000));
    ck_assert_uint_eq(size, 10000);
    ck_assert_int_eq(plx_socket_read(socket, bytes, 1), 1);
    ck_assert_uint_eq(plx_socket_skip(socket, 50000), 9999);
    ck_assert_uint_eq(plx_socket_skip(socket, 1), 0);
    ck_assert_uint_eq(plx_socket_skip(socket, SIZE_MAX), 0);
}

/* C7: doubling skips, with a look before each. For streams only: skip drops whole packets. */
STREAM_PAIR_CASE(skip_twice_as_much_each_time)
{
    unsigned char bytes[16 * 1024];
    size_t at = 0, size = 0;

    pattern_fill(bytes, sizeof bytes, 0);
    raw_send(raw, bytes, sizeof bytes);
    until_available(w, socket, sizeof bytes);
    for (size_t step = 1; at < sizeof bytes; step *= 2) {
        ck_assert(pattern_matches(plx_socket_lookahead(socket, &size), sizeof bytes - at, at));
        ck_assert_uint_eq(size, sizeof bytes - at);
        ck_assert_uint_eq(plx_socket_skip(socket, step), step < size ? step : size);
        at += step;
    }
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
}

static void act_raise(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 256);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 384), 0);
}

/* C11: the limit is raised in the handler, outside, and taken away; each time more comes, reported
 * by an event. For streams only: READ_LIMIT cuts no packet. */
STREAM_SOCKET_CASE(limit_raised_step_by_step)
{
    unsigned char bytes[1024];
    int raw;

    pattern_fill(bytes, sizeof bytes, 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 256), 0);
    raw = world_pair(w, socket, log);
    record_on(log, EVENT_DATA_AVAILABLE, act_raise, NULL);
    raw_send(raw, bytes, 512);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 2);
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 384);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 2);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 1024), 0);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 3);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 512);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 256), 0);
    raw_send(raw, bytes + 512, 512);
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 512); /* full, more than full */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 0), 0);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 4);
    until_available(w, socket, 1024);
    ck_assert(pattern_matches(plx_socket_lookahead(socket, NULL), 1024, 0));
}

/* C13: a limit of 128, and twice as much sent, by blocking calls.
 * For streams only: READ_LIMIT cuts no packet. */
STREAM_CASE(twice_the_limit)
{
    plx_socket *socket = world_socket(w, NULL);
    unsigned char bytes[256], got[256];
    int raw;

    pattern_fill(bytes, sizeof bytes, 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 128), 0);
    raw = world_pair(w, socket, NULL);
    raw_send(raw, bytes, sizeof bytes);
    for (size_t at = 0; at < 256; at += 128) {
        ck_assert(plx_socket_wait_for_data(socket, -1));
        ck_assert_uint_eq(plx_socket_bytes_available(socket), 128);
        ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 128);
        ck_assert(pattern_matches(got, 128, at));
    }
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    ck_assert(!plx_socket_wait_for_data(socket, 0));
}

static void act_purge(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_purge(socket);
}

/* C16: who throws away all that comes still sees the end, and can be waited for */
PAIR_CASE(purge_all_and_see_the_end)
{
    unsigned char bytes[100 * 1024];

    record_on(log, EVENT_DATA_AVAILABLE, act_purge, NULL);
    log->always = true;
    pattern_fill(bytes, sizeof bytes, 0);
    raw_send(raw, bytes, sizeof bytes);
    raw_close(w, raw);
    ck_assert(plx_socket_wait_for_disconnected(socket, -1));
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    world_settle(w);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
}

static bool raw_push(int raw, const char *text, size_t size, size_t *at)
{
    ssize_t count =
        *at == size ? 0 : send(raw, text + *at, size - *at, MSG_DONTWAIT | MSG_NOSIGNAL);

    *at += count > 0 ? (size_t)count : 0;
    return *at == size;
}

/* C17: some lines, and then ten megabytes that are anything: to the byte.
 * For streams only: packets have no lines. */
STREAM_PAIR_CASE(head_and_body)
{
    static const char *const head[] = {"HTTP/1.0 200 OK\r\n", "Content-Type: anything\r\n", "\r\n"};
    size_t sent = 0, got = 0, size = 10 * MIB;
    char *body = malloc(size);

    log->mute = 1u << EVENT_DATA_AVAILABLE;
    pattern_fill(body, size, 0);
    for (int i = 0; i < 3; i++)
        raw_say(raw, head[i]);
    for (int i = 0; i < 3; i++) {
        UNTIL(w, (raw_push(raw, body, size, &sent), plx_socket_can_read_line(socket)));
        expect_line(socket, 100, head[i]);
    }
    while (got < size) {
        size_t count;
        const void *bytes;

        UNTIL(w,
              (raw_push(raw, body, size, &sent), plx_socket_lookahead(socket, &count), count > 0));
        bytes = plx_socket_read_all(socket, &count);
        ck_assert(pattern_matches(bytes, count, got));
        got += count;
    }
    free(body);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
}

/* C18: a farewell, and the end while waiting for nothing but the end: what came before it is there.
 * For streams only: packets have no lines. */
STREAM_PAIR_CASE(farewell)
{
    ck_assert_int_eq(plx_socket_write(socket, "QUIT\r\n", 6), 6);
    ck_assert(plx_socket_wait_for_sent(socket, -1));
    raw_expect(w, raw, "QUIT\r\n");
    raw_say(raw, "BYE\r\n");
    raw_close(w, raw);
    ck_assert(plx_socket_wait_for_disconnected(socket, -1));
    ck_assert(plx_socket_can_read_line(socket));
    expect_line(socket, 64, "BYE\r\n");
    ck_assert_int_eq(plx_socket_read(socket, &(char){0}, 1), -1);
}

/* C19: a byte that was sent as urgent stands where it was sent (RFC 6093, section 4) */
MODE_PAIR_CASE(urgent_byte_in_line)
{
    raw_say(raw, "ab");
    ck_assert_int_eq(send(raw, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
    raw_say(raw, "cd");
    UNTIL(w, plx_socket_bytes_available(socket) >= 4);
    world_settle(w);
    expect_read(socket, "ab!cd");
}

/* C20: when the only line was read there is nothing, which is not the end.
 * For streams only: packets have no lines. */
STREAM_PAIR_CASE(nothing_is_not_the_end)
{
    raw_say(raw, "the only line\n");
    UNTIL(w, plx_socket_can_read_line(socket));
    expect_line(socket, 64, "the only line\n");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    ck_assert(!plx_socket_end_of_file(socket));
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert(plx_socket_end_of_file(socket));
}

/* ---- D: writing and ending ------------------------------------------------------------------- */

/* D1: flush on a new socket, and flush that sends all */
SOCKET_CASE(flush_new_and_connected)
{
    int raw;

    ck_assert_int_eq(plx_socket_flush(socket), 0);
    SETTLED(w, log, "");
    raw = world_pair(w, socket, log);
    ck_assert_int_eq(plx_socket_write(socket, "0123456789", 10), 10);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 10);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    raw_expect(w, raw, "0123456789");
}

/* D2: waiting until it is sent, for ever if need be */
PAIR_CASE(wait_for_sent_for_ever)
{
    unsigned char bytes[10 * 1024];

    pattern_fill(bytes, sizeof bytes, 0);
    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), (ptrdiff_t)sizeof bytes);
    ck_assert(plx_socket_wait_for_sent(socket, -1));
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(plx_socket_write(socket, bytes, 100), 100);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 100);
    ck_assert(plx_socket_wait_for_sent(socket, -1));
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

/* D3: disconnect with bytes that the peer does not want; it goes first, and nothing hangs */
PAIR_CASE(the_peer_goes_first)
{
    unsigned char bytes[100 * 1000];
    char got[6];

    pattern_fill(bytes, sizeof bytes, 0);
    ck_assert_int_eq(plx_socket_write(socket, "LOGOUT", 6), 6);
    UNTIL(w, raw_take(raw, got, sizeof got) == 6);
    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), (ptrdiff_t)sizeof bytes);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
    ck_assert_int_le(log->count[EVENT_ERROR], 1);
}

static void one_byte_before_the_first_poll(struct world *w, void (*finish)(struct world *, int))
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raw;

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw = world_raw(w, accept_closing(listener, 0));
    raw_say(raw, "1");
    finish(w, raw);
    poll(NULL, 0, 2);
    UNTIL(w, log.count[EVENT_ERROR] > 0);
    SETTLED(w, &log, "state:CONNECTING state:CONNECTED connected[CONNECTED] " DATA " " LOST);
    expect_read(socket, "1");
}

/* D5: the peer says one byte and goes, before the first poll */
CASE(one_byte_and_gone_before_the_first_poll)
{
    one_byte_before_the_first_poll(w, raw_close);
}

/* D5: and the same with a reset, which takes nothing away from what came before it */
CASE(one_byte_and_reset_before_the_first_poll)
{
    one_byte_before_the_first_poll(w, raw_reset);
}

/* The other process of D8: answers each number with the next one, and the last one with a word. */
static void count_up(const struct world *w, const char *where)
{
    plx_socket *socket = w->kind->create();
    char line[32];
    int number = 0;

    if (plx_socket_connect_to(socket, where) != 0 || !plx_socket_wait_for_connected(socket, 30000))
        _exit(1);
    while (number < 500) {
        ptrdiff_t length = plx_socket_read_line(socket, line, sizeof line);

        if (length < 0 || (length == 0 && !plx_socket_wait_for_data(socket, 30000)))
            _exit(2);
        if (length == 0)
            continue;
        number = atoi(line);
        length = snprintf(line, sizeof line, number < 500 ? "%d\n" : "42 is all\n", number + 1);
        plx_socket_write(socket, line, (size_t)length);
    }
    if (!plx_socket_wait_for_sent(socket, 30000))
        _exit(3);
    _exit(0); /* without a word to the library */
}

/* D8: two processes count together, and one of them dies right after its last word.
 * For streams only: packets have no lines. */
STREAM_SOCKET_CASE(last_word_of_a_process)
{
    char line[32] = "0\n";
    int status;
    pid_t child;

    world_listen(w, socket, where);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        count_up(w, where);
    UNTIL(w, plx_socket_is_connected(socket));
    while (strchr(line, ' ') == NULL) {
        int length = snprintf(line, sizeof line, "%d\n", atoi(line) + 1);

        ck_assert_int_eq(plx_socket_write(socket, line, (size_t)length), length);
        UNTIL(w, plx_socket_read_line(socket, line, sizeof line) > 0);
    }
    ck_assert_str_eq(line, "42 is all\n");
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
}

/* D11: the peer is gone and we do not know: the write is taken, the wait fails, one error */
PAIR_CASE(written_to_one_who_is_gone)
{
    raw_reset(w, raw);
    poll(NULL, 0, 2);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 1);
    ck_assert(!plx_socket_wait_for_sent(socket, -1));
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    SETTLED(w, log, LOST);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

/* A message: its number and size, four bytes each, and that many of the pattern. */
enum { HEAD = 8 };

static size_t message_size(uint32_t number)
{
    return number * 37 % 3000;
}

static void write_message(plx_socket *socket, uint32_t number)
{
    unsigned char bytes[HEAD + 3000];
    uint32_t head[2] = {number, (uint32_t)message_size(number)};

    memcpy(bytes, head, HEAD);
    pattern_fill(bytes + HEAD, head[1], number);
    ck_assert_int_eq(plx_socket_write(socket, bytes, HEAD + head[1]), (ptrdiff_t)(HEAD + head[1]));
}

struct messages {
    uint32_t count; /* whole ones that came */
};

/* Takes whole messages; record->data counts them. */
static void act_parse(struct record *record, plx_socket *socket)
{
    struct messages *messages = record->data;

    for (;;) {
        size_t size;
        const unsigned char *bytes = plx_socket_lookahead(socket, &size);
        uint32_t head[2];

        if (size < HEAD)
            return;
        memcpy(head, bytes, HEAD);
        ck_assert_uint_eq(head[0], messages->count);
        ck_assert_uint_eq(head[1], message_size(head[0]));
        if (size < HEAD + head[1])
            return;
        ck_assert(pattern_matches(bytes + HEAD, head[1], head[0]));
        plx_socket_skip(socket, HEAD + head[1]);
        messages->count++;
    }
}

/* D12: the writer is aborted with messages queued: the reader has whole ones, in order, and the end
 */
CASE(messages_and_then_an_abort)
{
    struct record writer, reader;
    plx_socket *a = world_socket(w, &writer), *b = world_socket(w, &reader);
    struct messages messages = {0};

    record_on(&reader, EVENT_DATA_AVAILABLE, act_parse, &messages);
    reader.always = true;
    world_couple(w, a, b);
    for (uint32_t number = 0; number < 500; number++)
        write_message(a, number);
    UNTIL(w, messages.count > 20);
    for (uint32_t number = 500; number < 5000; number++)
        write_message(a, number);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(a), 0);
    record_clear(&writer);
    plx_socket_abort(a);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(a), 0);
    ck_assert_int_eq(plx_socket_handle(a), -1);
    UNTIL(w, reader.count[EVENT_DISCONNECTED] == 1);
    ck_assert_uint_lt(messages.count, 5000);
    ck_assert_int_eq(reader.count[EVENT_ERROR], 1);
    SETTLED(w, &writer, "");
}

/* D13: two thousand messages, one by one */
CASE(messages_one_by_one)
{
    struct record log;
    plx_socket *a = world_socket(w, NULL), *b = world_socket(w, &log);
    struct messages messages = {0};

    record_on(&log, EVENT_DATA_AVAILABLE, act_parse, &messages);
    log.always = true;
    world_couple(w, a, b);
    for (uint32_t number = 0; number < 2000; number++) {
        write_message(a, number);
        world_poll(w);
    }
    UNTIL(w, messages.count == 2000);
    ck_assert_uint_eq(plx_socket_bytes_available(b), 0);
}

/* D14, D15: waits that time out end nothing and are no error; what ends it later has its own */
PAIR_CASE(time_outs_end_nothing)
{
    ck_assert(!plx_socket_wait_for_data(socket, 20));
    ck_assert(!plx_socket_wait_for_disconnected(socket, 20));
    ck_assert(!plx_socket_wait(socket, 20));
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
    LOGGED(w, log, "");
    raw_say(raw, "still here");
    until_available(w, socket, 10);
    expect_read(socket, "still here");
    raw_close(w, raw);
    ck_assert(!plx_socket_wait_for_data(socket, -1));
    ck_assert_int_eq(plx_socket_error(socket)->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_REMOTE_HOST_CLOSED);
    SETTLED(w, log, DATA " " LOST);
}

WORLD_MAIN("qt-cases-bytes", .packets = true)
