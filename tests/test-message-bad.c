/* tests/test-message-bad.c -- messages over a stream: limits, and peers that go beyond them. */
#include "config.h"

#include <stdint.h>

#include "tests/frames.h"

/* ---- a message that is too long in an ending ------------------------------------------------- */

static void act_write_and_disconnect(struct record *record, plx_socket *socket)
{
    static char bytes[8 << 20];

    (void)record;
    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), (ptrdiff_t)sizeof bytes);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
}

/* The message ends a connection that is CONNECTED. A socket that is on its way out has no work from
 * it. */
PAIR_CASE(a_closing_socket_sleeps_behind_a_message_that_is_too_long)
{
    static const plx_frame frame = {.length_size = 1, .maximum = 10};

    ck_assert_int_eq(plx_socket_set_frame(socket, &frame), 0);
    record_on(log, EVENT_DATA_AVAILABLE, act_write_and_disconnect, NULL);
    raw_say(raw, "\x7ftoo long");
    UNTIL(w, plx_socket_state(socket) == PLX_CLOSING);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    for (int i = 0; i < 5; i++)
        ck_assert_msg(!world_poll(w), "%s: work is left", world_name(w));
    if (w->group != NULL)
        ck_assert_int_ne(plx_group_deadline(w->group), 0);
}

/* ---- limits of what is written --------------------------------------------------------------- */

/* A refusal: nothing is queued, and the error is reported exactly once. */
static void expect_refused(struct letters *letters, plx_socket *socket, int code, plx_reason reason)
{
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(plx_socket_last_error(socket), code);
    ck_assert_int_eq((int)plx_socket_error(socket)->reason, (int)reason);
    record_clear(&letters->log);
    world_settle(letters->world);
    ck_assert_int_eq(letters->log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(letters->log.code, code);
    ck_assert(plx_socket_is_connected(socket));
}

CASE(writing_over_the_maximum_is_refused)
{
    static const plx_frame rows[] = {
        {.length_size = 1},
        {.length_size = 2},
        {.length_size = 4},
        {.delimiter = "\n", .delimiter_size = 1},
        {.length_size = 1, .maximum = 10},
        {.length_size = 4, .maximum = 10},
        {.delimiter = "\r\n", .delimiter_size = 2, .maximum = 10},
    };
    char *message = calloc(1, 1048577);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct letters letters;
        int raw;
        plx_socket *socket = letters_open(w, &letters, &rows[i], &raw);
        size_t most = maximum_of(&rows[i]);

        ck_assert_int_eq(plx_socket_write_message(socket, message, most + 1), EMSGSIZE);
        expect_refused(&letters, socket, EMSGSIZE, PLX_REASON_DATAGRAM_TOO_LARGE);
        ck_assert_int_eq(plx_socket_write_message(socket, message, SIZE_MAX), EMSGSIZE);
        expect_refused(&letters, socket, EMSGSIZE, PLX_REASON_DATAGRAM_TOO_LARGE);
        ck_assert_int_eq(plx_socket_write_message(socket, message, most), 0);
        world_free(w, socket);
    }
    free(message);
}

CASE(a_delimiter_within_a_message_is_refused)
{
    static const struct {
        const char *delimiter, *message;
        bool fine;
    } rows[] = {
        {"\r\n", "\r\n", false},
        {"\r\n", "a\r\nb", false},
        {"\r\n", "ab\r\n", false},
        {"\r\n", "\r\nab", false},
        {"\r\n", "ab\r", true},
        {"\r\n", "\n", true},
        {"\r\n", "\n\r", true},
        {"\n", "a\n", false},
        {"\n", "a\r", true},
        /* together with the delimiter behind it these would end too early */
        {"aa", "a", false},
        {"aa", "ba", false},
        {"aa", "ab", true},
        {"aba", "ab", false},
        {"aba", "cab", false},
        {"aba", "a", true},
        {"aba", "b", true},
        {"aab", "aaa", true},
        {"abcabcab", "abc", false},
        {"abcabcab", "c", true},
        {"abababab", "ab", false},
        {"abababab", "bab", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *delimiter = rows[i].delimiter, *message = rows[i].message;
        const plx_frame frame = {.delimiter = delimiter, .delimiter_size = strlen(delimiter)};
        struct letters letters;
        int raw, result;
        plx_socket *socket = letters_open(w, &letters, &frame, &raw);
        char wire[40];

        result = plx_socket_write_message(socket, message, strlen(message));
        ck_assert_msg(result == (rows[i].fine ? 0 : PLX_INVALID_STATE), "\"%s\" with \"%s\": %d",
                      message, delimiter, result);
        if (rows[i].fine) {
            snprintf(wire, sizeof wire, "%s%s", message, delimiter);
            gather(w, raw, wire, strlen(wire));
            arrive(w, socket, raw, wire, strlen(wire));
            expect_message(socket, message);
        } else {
            expect_refused(&letters, socket, PLX_INVALID_STATE, plx_socket_error(socket)->reason);
        }
        world_free(w, socket);
    }
}

LETTERS_CASE(at_the_write_limit_it_is_all_or_nothing, &forms[FORM_LONG])
{
    char message[1000] = {0};

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 100), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, message, 60), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, message, 33),
                     EAGAIN); /* with its length 101 */
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 64);
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, message, 32), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, message, 0), EAGAIN);
    ck_assert_int_eq(plx_socket_write_message(socket, message, sizeof message), EAGAIN);
    UNTIL(w, letters->rooms > 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, message, sizeof message), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), sizeof message + 4);
    ck_assert_int_eq(plx_socket_write_message(socket, message, 0), EAGAIN);
    UNTIL(w, letters->rooms > 1);
    world_settle(w);
    ck_assert_int_eq(letters->rooms, 2);
    ck_assert_int_eq(letters->log.count[EVENT_ERROR], 0);
}

/* The larger one still waits for room. */
LETTERS_CASE(a_smaller_message_does_not_take_the_promise_back, &forms[FORM_LONG])
{
    char message[100] = {0};

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 100), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, message, 60), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, message, 60), EAGAIN);
    ck_assert_int_eq(plx_socket_write_message(socket, message, 10), 0);
    UNTIL(w, letters->rooms == 1);
    ck_assert_int_eq(plx_socket_write_message(socket, message, 60), 0);
    world_settle(w);
    ck_assert_int_eq(letters->rooms, 1);
}

enum { FLOOD = 600, FLOOD_SIZE = 3000 };

/* Writes messages until one is not taken; every fifth is larger than the limit. */
static void act_flood(struct letters *letters, plx_socket *socket)
{
    static char message[4 * FLOOD_SIZE];
    int result = 0;

    while (letters->taken < FLOOD && result == 0) {
        size_t size = letters->taken % 5 == 4 ? sizeof message : FLOOD_SIZE;

        memset(message, (int)letters->taken, size);
        result = plx_socket_write_message(socket, message, size);
        ck_assert(result == 0 || result == EAGAIN);
        letters->taken += result == 0;
    }
}

static size_t take_some(int raw, void *place, size_t size)
{
    ptrdiff_t count = raw_take(raw, place, size);

    return count > 0 ? (size_t)count : 0;
}

LETTERS_CASE(room_comes_whenever_a_message_was_not_taken, &forms[FORM_LONG])
{
    unsigned char *got = malloc(4 * FLOOD_SIZE + 4);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 10000), 0);
    letters->act_room = act_flood;
    act_flood(letters, socket);
    for (size_t i = 0; i < FLOOD; i++) {
        size_t size = i % 5 == 4 ? 4 * FLOOD_SIZE : FLOOD_SIZE, have = 0;

        UNTIL(w, (have += take_some(raw, got + have, size + 4 - have)) == size + 4);
        ck_assert_uint_eq((size_t)got[2] << 8 | got[3], size);
        ck_assert_uint_eq(got[4], i % 256);
        ck_assert_uint_eq(got[size + 3], i % 256);
    }
    ck_assert_uint_eq(letters->taken, FLOOD);
    free(got);
}

/* ---- limits of what is received -------------------------------------------------------------- */

static void expect_too_large(struct letters *letters, plx_socket *socket, const char *size,
                             const char *maximum)
{
    ck_assert_int_eq(letters->log.code, EMSGSIZE);
    ck_assert_int_eq((int)letters->log.reason, (int)PLX_REASON_DATAGRAM_TOO_LARGE);
    ck_assert_msg(strstr(letters->log.message, size) != NULL &&
                      strstr(letters->log.message, maximum) != NULL,
                  "neither %s nor %s: \"%s\"", size, maximum, letters->log.message);
    ck_assert_int_eq(plx_socket_last_error(socket), EMSGSIZE);
    ck_assert_int_eq((int)plx_socket_state(socket), (int)PLX_UNCONNECTED);
}

static void act_take_all(struct letters *letters, plx_socket *socket)
{
    size_t size;

    while (plx_socket_read_message(socket, &size) != NULL)
        letters->taken++;
}

static void act_take_one(struct letters *letters, plx_socket *socket)
{
    size_t size;

    ck_assert_ptr_nonnull(plx_socket_read_message(socket, &size));
    letters->taken++;
}

static void connect_again(struct letters *letters, plx_socket *socket)
{
    struct world *w = letters->world;
    int raw;

    letters->act = NULL;
    raw = world_pair(w, socket, &letters->log);
    SAY(socket, raw, "\0\0\0\4more");
    expect_message(socket, "more");
    ck_assert_int_eq(plx_socket_write_message(socket, "ok", 2), 0);
    gather(w, raw, "\0\0\0\2ok", 6);
}

CASE(a_length_over_the_maximum_ends_the_connection)
{
    static const plx_frame frame = {.length_size = 4, .maximum = 1000};
    static const struct {
        const char *prefix, *size;
        letters_act *act;
    } rows[] = {
        {"\xff\xff\xff\xff", "4294967295", act_take_all},
        {"\0\0\3\xe9", "1001", act_take_all},
        {"\x80\0\0\0", "2147483648", act_take_one},
        {"\x7f\xff\xff\xff", "2147483647", act_take_one},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct letters letters;
        int raw;
        plx_socket *socket = letters_open(w, &letters, &frame, &raw);
        char wire[5000] = "\0\0\0\1a\0\0\0\1b\0\0\0\1c";
        size_t before = count_bytes();

        memcpy(wire + 15, rows[i].prefix, 4);
        letters.act = rows[i].act;
        letters.log.mute |= 1u << EVENT_DATA_AVAILABLE;
        raw_send(raw, wire, sizeof wire);
        UNTIL(w, letters.log.count[EVENT_ERROR] > 0);
        ck_assert_uint_eq(letters.taken, 3);
        ck_assert_uint_lt(count_bytes(), before + 200000);
        expect_too_large(&letters, socket, rows[i].size, "1000");
        ck_assert_ptr_nonnull(strstr(letters.log.text, "message_available[CONNECTED] "
                                                       "state:UNCONNECTED error(90,"));
        ck_assert_ptr_nonnull(strstr(letters.log.text, ")[UNCONNECTED] disconnected[UNCONNECTED]"));
        ck_assert_int_eq(letters.log.count[EVENT_ERROR], 1);
        expect_no_message(socket);
        connect_again(&letters, socket);
        world_free(w, socket);
    }
}

/* Nobody takes the messages before it: they can be read all the same, and then it ends. */
CASE(messages_before_the_end_are_not_lost)
{
    static const plx_frame frame = {.length_size = 4, .maximum = 1000};
    struct letters letters;
    int raw;
    plx_socket *socket = letters_open(w, &letters, &frame, &raw);

    SAY(socket, raw, "\0\0\0\1a\0\0\0\1b\xff\xff\xff\xff");
    world_settle(w);
    expect_message(socket, "a");
    expect_message(socket, "b");
    expect_no_message(socket);
    UNTIL(w, letters.log.count[EVENT_DISCONNECTED] > 0);
    expect_too_large(&letters, socket, "4294967295", "1000");
    raw_expect_end(w, raw);
}

CASE(a_delimiter_that_never_comes_ends_the_connection)
{
    static const plx_frame frame = {.delimiter = "\r\n", .delimiter_size = 2, .maximum = 1000};
    struct letters letters;
    int raw;
    plx_socket *socket = letters_open(w, &letters, &frame, &raw);
    char wire[1010];

    /* Exactly the maximum, with half a delimiter behind it: it may still end in time. */
    memset(wire, 'x', sizeof wire);
    memcpy(wire + 1000, "\r\na\r\n", 5);
    arrive(w, socket, raw, wire, 1000);
    world_settle(w);
    arrive(w, socket, raw, wire + 1000, 1);
    world_settle(w);
    ck_assert(plx_socket_is_connected(socket));
    letters.act = act_take_all;
    arrive(w, socket, raw, wire + 1001, 4);
    ck_assert_uint_eq(letters.taken, 2);
    /* One more, ended and not. */
    memset(wire, 'x', sizeof wire);
    raw_send(raw, wire, 1002);
    UNTIL(w, letters.log.count[EVENT_DISCONNECTED] > 0);
    expect_too_large(&letters, socket, "1000", "1000");
    world_free(w, socket);

    socket = letters_open(w, &letters, &frame, &raw);
    memcpy(wire + 1001, "\r\n", 2);
    raw_send(raw, wire, 1003);
    UNTIL(w, letters.log.count[EVENT_DISCONNECTED] > 0);
    expect_too_large(&letters, socket, "1001", "1000");
    ck_assert_int_eq(letters.told, 0);
}

/* A stream without an end takes no more memory than the maximum asks for. */
CASE(a_flood_without_delimiter_is_held_back)
{
    static const plx_frame frame = {.delimiter = "\n", .delimiter_size = 1, .maximum = 100000};
    struct letters letters;
    int raw;
    plx_socket *socket = letters_open(w, &letters, &frame, &raw);
    size_t before = count_bytes(), most = 0;
    uint64_t offset = 0;
    static const char piece[16384];

    while (letters.log.count[EVENT_ERROR] == 0 && offset < 100000000) {
        ssize_t sent = send(raw, piece, sizeof piece, MSG_DONTWAIT | MSG_NOSIGNAL);

        offset += sent > 0 ? (uint64_t)sent : 0;
        world_poll(w);
        most = count_bytes() > most ? count_bytes() : most;
    }
    expect_too_large(&letters, socket, "100000", "100000");
    ck_assert_uint_lt(most, before + 1500000);
}

/* What arrived already is judged by the frame that holds now, although no byte comes any more. */
CASE(a_smaller_maximum_holds_for_what_has_come)
{
    static const plx_frame smaller = {.length_size = 2, .maximum = 4};
    struct letters letters;
    int raw;
    plx_socket *socket = letters_open(w, &letters, &forms[FORM_SHORT], &raw);

    SAY(socket, raw, "\0\1a\0\5hello");
    ck_assert_int_eq(plx_socket_set_frame(socket, &smaller), 0);
    expect_message(socket, "a");
    expect_no_message(socket);
    UNTIL(w, letters.log.count[EVENT_DISCONNECTED] > 0);
    expect_too_large(&letters, socket, "5", "4");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 7);
    world_free(w, socket);

    /* Also where nobody reads. */
    socket = letters_open(w, &letters, &forms[FORM_SHORT], &raw);
    SAY(socket, raw, "\0\5hello");
    ck_assert_int_eq(plx_socket_set_frame(socket, &smaller), 0);
    UNTIL(w, letters.log.count[EVENT_DISCONNECTED] > 0);
    expect_too_large(&letters, socket, "5", "4");
}

/* ---- limits of the socket -------------------------------------------------------------------- */

static void lift(struct world *w, int limit)
{
    for (size_t i = 0; i < FORMS; i++) {
        struct letters letters;
        int raw;
        plx_socket *socket = letters_open(w, &letters, &forms[i], &raw);
        size_t size;
        unsigned char *wire = wire_of(&forms[i], 40, &size);

        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, limit), 0);
        letters.act = letters_take;
        feed(w, raw, wire, size);
        UNTIL(w, letters.taken == 40);
        ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
        free(wire);
        world_free(w, socket);
    }
}

CASE(a_message_lifts_a_read_limit_below_its_frame)
{
    lift(w, 1);
}

CASE(a_message_lifts_a_read_limit_within_its_frame)
{
    lift(w, 3);
}

CASE(a_message_lifts_a_read_limit)
{
    lift(w, 1000);
}

/* Whichever call took the message before it: no handler has to see the half of one. */
CASE(the_read_limit_is_lifted_after_every_way_of_taking)
{
    enum { SIZE = 5000, HALF = 2500 };

    for (int i = 0; i < 3 * FORMS; i++) {
        const plx_frame *frame = &forms[i % FORMS];
        struct letters letters;
        plx_socket *socket;
        char *message, *wire;
        size_t whole, size;
        int raw;

        if (maximum_of(frame) < SIZE ||
            (i / FORMS > 0 && i % FORMS != FORM_LONG && i % FORMS != FORM_LINE))
            continue;
        message = calloc(1, SIZE);
        wire = malloc(SIZE + 8);
        socket = letters_open(w, &letters, frame, &raw);
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 1000), 0);
        message_fill(frame, 0, message, SIZE);
        whole = wire_put(frame, wire, message, SIZE);
        feed(w, raw, wire, whole);
        feed(w, raw, wire, HALF);
        UNTIL(w, plx_socket_can_read_message(socket));
        world_settle(w);
        if (i / FORMS == 0) {
            ck_assert_ptr_nonnull(plx_socket_read_message(socket, &size));
            expect_no_message(socket);
        } else if (i / FORMS == 1) {
            ck_assert_ptr_nonnull(plx_socket_read_message(socket, &size));
        } else {
            ck_assert_uint_eq(plx_socket_skip(socket, whole), whole);
        }
        letters.told = 0;
        feed(w, raw, wire + HALF, whole - HALF);
        UNTIL(w, letters.told > 0);
        free(message);
        free(wire);
        world_free(w, socket);
    }
}

LETTERS_CASE(the_read_limit_holds_behind_a_message, &forms[FORM_SHORT])
{
    char wire[6002] = {0};

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 1000), 0);
    memcpy(wire, "\x13\x88", 2); /* 5000 */
    raw_send(raw, wire, sizeof wire);
    raw_send(raw, wire + 2, 6000);
    UNTIL(w, plx_socket_can_read_message(socket));
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 5002);
    ck_assert_ptr_nonnull(plx_socket_read_message(socket, &(size_t){0}));
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 1000); /* of empty messages */
    for (int i = 0; i < 500; i++)
        expect_message(socket, "");
    UNTIL(w, plx_socket_bytes_available(socket) == 1000);
}

/* For streams only: packets refuse a frame. */
WORLD_MAIN("message-bad")
