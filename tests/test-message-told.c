/* tests/test-message-told.c -- messages over a stream: when message_available is reported, what its
 * handler may do, and messages side by side with bytes read by hand. */
#include "config.h"

#include "tests/frames.h"

/* ---- when it is reported --------------------------------------------------------------------- */

LETTERS_CASE(told_once_in_a_poll_in_which_bytes_came, &forms[FORM_SHORT])
{
    SAY(socket, raw, "\0\1a\0\1b");
    LOGGED(w, &letters->log, "data_available[CONNECTED] message_available[CONNECTED]");
    world_settle(w); /* who takes nothing waits for more */
    ck_assert_int_eq(letters->told, 1);
    SAY(socket, raw, "\0\3xy");
    ck_assert_int_eq(letters->told, 2);
    expect_message(socket, "a");
    expect_message(socket, "b");
    expect_no_message(socket);
    world_settle(w);
    ck_assert_int_eq(letters->told, 2);
    SAY(socket, raw, "z");
    ck_assert_int_eq(letters->told, 3);
    expect_message(socket, "xyz");
}

LETTERS_CASE(half_a_message_is_not_told, &forms[FORM_SHORT])
{
    SAY(socket, raw, "\0");
    SAY(socket, raw, "\5");
    SAY(socket, raw, "hell");
    world_settle(w);
    ck_assert_int_eq(letters->told, 0);
    ck_assert_int_eq(letters->log.count[EVENT_DATA_AVAILABLE], 3);
    expect_no_message(socket);
    SAY(socket, raw, "o");
    ck_assert_int_eq(letters->told, 1);
    expect_message(socket, "hello");
}

static void act_take_one(struct letters *letters, plx_socket *socket)
{
    size_t size;

    (void)letters;
    ck_assert_ptr_nonnull(plx_socket_read_message(socket, &size));
}

LETTERS_CASE(told_again_while_some_are_taken_but_not_all, &forms[FORM_SHORT])
{
    letters->act = act_take_one;
    SAY(socket, raw, "\0\1a\0\1b\0\1c\0\2d");
    for (int told = 1; told <= 3; told++) {
        ck_assert_int_eq(letters->told, told);
        world_poll(w);
    }
    world_settle(w);
    ck_assert_int_eq(letters->told, 3);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
}

LETTERS_CASE(told_after_data_and_lines, &forms[FORM_SHORT])
{
    SAY(socket, raw, "\0\2a\n");
    LOGGED(w, &letters->log,
           "data_available[CONNECTED] line_available[CONNECTED] message_available[CONNECTED]");
}

static void act_read_all(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_ptr_nonnull(plx_socket_read_all(socket, NULL));
}

static void act_read_message(struct record *record, plx_socket *socket)
{
    (void)record;
    expect_message(socket, "a\n");
}

/* Leaves what is no whole message, seen from where the reading is now. */
static void act_skip_one(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_uint_eq(plx_socket_skip(socket, 1), 1);
}

CASE(only_what_earlier_handlers_left_is_told)
{
    static const struct {
        enum event when;
        record_act *act;
        int told;
    } rows[] = {
        {EVENT_DATA_AVAILABLE, act_read_all, 0},     {EVENT_LINE_AVAILABLE, act_read_all, 0},
        {EVENT_DATA_AVAILABLE, act_read_message, 1}, {EVENT_LINE_AVAILABLE, act_read_message, 1},
        {EVENT_DATA_AVAILABLE, act_skip_one, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct letters letters;
        int raw;
        plx_socket *socket = letters_open(w, &letters, &forms[FORM_SHORT], &raw);

        record_on(&letters.log, rows[i].when, rows[i].act, NULL);
        SAY(socket, raw, "\0\2a\n\0\2b\n");
        ck_assert_int_eq(letters.told, rows[i].told);
        world_free(w, socket);
    }
}

LETTERS_CASE(an_older_table_is_not_told_of_messages, &forms[FORM_SHORT])
{
    plx_socket_set_events_sized(socket, letters_events(), offsetof(plx_events, message_available),
                                letters);
    SAY(socket, raw, "\0\1a");
    world_settle(w);
    ck_assert_int_eq(letters->told, 0);
    expect_message(socket, "a");
    plx_socket_set_events(socket, letters_events(), letters);
    SAY(socket, raw, "\0\1b");
    ck_assert_int_eq(letters->told, 1);
}

/* No byte comes any more, and the message is there all the same. */
LETTERS_CASE(a_new_frame_tells_of_what_has_come, &forms[FORM_LINE])
{
    SAY(socket, raw, "\0\1a");
    world_settle(w);
    ck_assert_int_eq(letters->told, 0);
    ck_assert_int_eq(plx_socket_set_frame(socket, &forms[FORM_SHORT]), 0);
    ck_assert_int_eq(letters->told, 0); /* a call reports nothing */
    UNTIL(w, letters->told == 1);
    expect_message(socket, "a");
}

/* No event follows the end of a connection; what was received is there to be read. */
LETTERS_CASE(a_new_frame_after_the_end_tells_nothing, &forms[FORM_LINE])
{
    raw_send(raw, "\0\1a", 3);
    raw_close(w, raw);
    UNTIL(w, letters->log.count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(plx_socket_set_frame(socket, &forms[FORM_SHORT]), 0);
    world_settle(w);
    ck_assert_int_eq(letters->told, 0);
    expect_message(socket, "a");
}

static void act_wait(struct letters *letters, plx_socket *socket)
{
    int raw = *(int *)letters->log.data;

    letters->act = NULL;
    expect_message(socket, "a");
    raw_send(raw, "\0\1b", 3);
    ck_assert(plx_socket_wait_for_data(socket, 30000));
    ck_assert(plx_socket_can_read_message(socket));
    ck_assert_int_eq(letters->told, 1);
}

LETTERS_CASE(what_a_wait_in_the_handler_brought_is_told_afterwards, &forms[FORM_SHORT])
{
    letters->act = act_wait;
    letters->log.data = &raw;
    raw_send(raw, "\0\1a", 3);
    UNTIL(w, letters->told == 2);
    expect_message(socket, "b");
}

/* ---- what a handler may do ------------------------------------------------------------------- */

static void act_free(struct letters *letters, plx_socket *socket)
{
    world_free(letters->world, socket);
}

static void act_close(struct letters *letters, plx_socket *socket)
{
    (void)letters;
    plx_socket_close(socket);
    expect_message(socket, "a");
    expect_message(socket, "b");
    expect_no_message(socket);
}

static void act_abort(struct letters *letters, plx_socket *socket)
{
    (void)letters;
    plx_socket_abort(socket);
    expect_no_message(socket);
}

static void act_disconnect(struct letters *letters, plx_socket *socket)
{
    (void)letters;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    expect_message(socket, "a");
}

static void act_frame_none(struct letters *letters, plx_socket *socket)
{
    (void)letters;
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), 0);
    expect_no_message(socket);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 6);
}

static void act_frame_other(struct letters *letters, plx_socket *socket)
{
    const plx_frame other = {.delimiter = "b", .delimiter_size = 1};
    size_t size;

    (void)letters;
    ck_assert_int_eq(plx_socket_set_frame(socket, &other), 0);
    ck_assert_int_eq(memcmp(plx_socket_read_message(socket, &size), "\0\1a\0\1", 5), 0);
    ck_assert_uint_eq(size, 5);
    expect_no_message(socket);
}

static void act_purge(struct letters *letters, plx_socket *socket)
{
    (void)letters;
    plx_socket_purge(socket);
    expect_no_message(socket);
}

static void act_read(struct letters *letters, plx_socket *socket)
{
    char bytes[6];

    (void)letters;
    ck_assert_int_eq(plx_socket_read(socket, bytes, 6), 6);
    expect_no_message(socket);
}

static void act_skip(struct letters *letters, plx_socket *socket)
{
    letters->act = act_take_one;
    ck_assert_uint_eq(plx_socket_skip(socket, 3), 3);
}

static void act_unread(struct letters *letters, plx_socket *socket)
{
    letters->act = act_take_one;
    expect_message(socket, "a");
    ck_assert_int_eq(plx_socket_unread(socket, "\0\1c", 3), 0);
    expect_message(socket, "c");
    ck_assert_int_eq(plx_socket_unread(socket, "\0\1d", 3), 0);
}

static void act_events_none(struct letters *letters, plx_socket *socket)
{
    (void)letters;
    plx_socket_set_events(socket, NULL, NULL);
    expect_message(socket, "a");
}

static void act_write_while_lent(struct letters *letters, plx_socket *socket)
{
    size_t size;
    const char *message;

    (void)letters;
    expect_message(socket, "a");
    message = plx_socket_read_message(socket, &size);
    ck_assert_int_eq(plx_socket_write_message(socket, "other", 5), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, message, size), 0);
    plx_socket_lookahead(socket, NULL);
    ck_assert(size == 1 && *message == 'b');
}

CASE(a_handler_may_do_anything)
{
    static const struct {
        letters_act *act;
        int told;
    } rows[] = {
        {act_free, 1},        {act_close, 1},
        {act_abort, 1},       {act_disconnect, 1},
        {act_frame_none, 1},  {act_frame_other, 1},
        {act_purge, 1},       {act_read, 1},
        {act_skip, 2},        {act_unread, 3}, /* d and b follow in polls of their own */
        {act_events_none, 1}, {act_write_while_lent, 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct letters letters;
        int raw;

        letters_open(w, &letters, &forms[FORM_SHORT], &raw);
        letters.act = rows[i].act;
        raw_send(raw, "\0\1a\0\1b", 6);
        UNTIL(w, letters.told > 0);
        if (rows[i].act == act_disconnect) /* what is left is reported as bytes are */
            continue;
        world_settle(w);
        ck_assert_msg(letters.told == rows[i].told, "%s: row %zu: reported %d times", world_name(w),
                      i, letters.told);
    }
}

/* A protocol that begins with a line and goes on with lengths. */
static void act_upgrade(struct letters *letters, plx_socket *socket)
{
    letters->act = letters->told == 1 ? act_upgrade : NULL;
    if (letters->told == 1) {
        expect_message(socket, "lengths, please");
        ck_assert_int_eq(plx_socket_set_frame(socket, &forms[FORM_SHORT]), 0);
        ck_assert(plx_socket_can_read_message(socket));
    } else {
        expect_message(socket, "yes");
    }
}

LETTERS_CASE(a_handler_may_change_the_protocol, &forms[FORM_LINE])
{
    letters->act = act_upgrade;
    SAY(socket, raw, "lengths, please\r\n\0\3yes\0\4mo");
    UNTIL(w, letters->told == 2);
    SAY(socket, raw, "re");
    expect_message(socket, "more");
    ck_assert_int_eq(plx_socket_write_message(socket, "ok", 2), 0);
    gather(w, raw, "\0\2ok", 4);
}

/* Answers whatever comes, from where it stands. */
static void act_echo(struct letters *letters, plx_socket *socket)
{
    const void *message;
    size_t size;

    while ((message = plx_socket_read_message(socket, &size)) != NULL) {
        ck_assert_int_eq(plx_socket_write_message(socket, message, size), 0);
        letters->taken++;
    }
}

FORMS_CASE(a_handler_may_answer)
{
    size_t size;
    unsigned char *wire = wire_of(frame, 8, &size);

    letters->act = act_echo;
    feed(w, raw, wire, size);
    gather(w, raw, wire, size);
    ck_assert_uint_eq(letters->taken, 8);
    free(wire);
}

/* ---- side by side with bytes ----------------------------------------------------------------- */

LETTERS_CASE(what_was_read_by_hand_is_no_part_of_a_message, &forms[FORM_SHORT])
{
    char bytes[8];

    SAY(socket, raw, "greeting\0\1a\0\1b\0\1c\0\5hello");
    ck_assert_int_eq(plx_socket_read(socket, bytes, 8), 8);
    expect_message(socket, "a");
    ck_assert_uint_eq(plx_socket_skip(socket, 3), 3);
    expect_message(socket, "c");
    ck_assert_int_eq(plx_socket_read_exact(socket, bytes, 4), 4); /* into the midst of it */
    ck_assert_int_eq(plx_socket_unread(socket, "\0\3", 2), 0);
    expect_message(socket, "llo");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
}

/* Where the delimiter was looked for in vain it may stand after that. */
CASE(a_search_begins_anew_when_bytes_were_taken_or_put_back)
{
    static const plx_frame frame = {.delimiter = "aab", .delimiter_size = 3};
    struct letters letters;
    char bytes[8];
    int raw;
    plx_socket *socket = letters_open(w, &letters, &frame, &raw);

    SAY(socket, raw, "xxaa");
    expect_no_message(socket);
    ck_assert_int_eq(plx_socket_read(socket, bytes, 3), 3);
    SAY(socket, raw, "bab");
    expect_no_message(socket);
    ck_assert_int_eq(plx_socket_unread(socket, "a", 1), 0);
    expect_message(socket, "");
    ck_assert_int_eq(plx_socket_unread(socket, "1aab2a", 6), 0);
    expect_message(socket, "1");
    expect_message(socket, "2");
    SAY(socket, raw, "xxaa");
    plx_socket_purge(socket);
    SAY(socket, raw, "aab");
    expect_message(socket, "");
    SAY(socket, raw, "long without an end");
    expect_no_message(socket);
    plx_socket_read_all(socket, NULL);
    SAY(socket, raw, "1aab2");
    expect_message(socket, "1");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 1);
}

LETTERS_CASE(bytes_and_messages_are_written_side_by_side, &forms[FORM_SHORT])
{
    ck_assert_int_eq(plx_socket_write(socket, "bytes", 5), 5);
    ck_assert_int_eq(plx_socket_write_message(socket, "message", 7), 0);
    ck_assert_int_eq(plx_socket_write(socket, "bytes", 5), 5);
    gather(w, raw, "bytes\0\7messagebytes", 19);
}

/* ---- before and after a connection ----------------------------------------------------------- */

CASE(written_while_connecting_is_sent_then)
{
    struct letters letters;
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raw;
    plx_socket *socket = letters_socket(w, &letters, &forms[FORM_SHORT]);

    ck_assert_int_eq(plx_socket_write_message(socket, "early", 5), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, "one", 3), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, "two", 3), 0);
    raw = raw_accept(w, listener);
    gather(w, raw, "\0\3one\0\3two", 10);
}

LETTERS_CASE(written_after_disconnect_is_refused, &forms[FORM_SHORT])
{
    ck_assert_int_eq(plx_socket_write_message(socket, "last", 4), 0);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, "late", 4), PLX_INVALID_STATE);
    raw_expect(w, raw, ""); /* nothing has left yet */
    UNTIL(w, plx_socket_bytes_left_to_send(socket) == 0);
    UNTIL(w, is_readable(raw));
    char got[20];
    ck_assert_int_eq(raw_take(raw, got, sizeof got), 6);
    ck_assert_int_eq(memcmp(got, "\0\4last", 6), 0);
}

/* The frame is a property: it serves the next connection, too, whose first bytes are its own. */
CASE(the_frame_outlives_the_connection)
{
    struct letters letters;
    char where[WHERE_SIZE];
    int raw, listener;
    plx_socket *socket = letters_open(w, &letters, &forms[FORM_LINE], &raw);

    SAY(socket, raw, "whole\r\nhalf of on");
    raw_close(w, raw);
    UNTIL(w, letters.log.count[EVENT_DISCONNECTED] == 1);
    expect_message(socket, "whole");
    expect_no_message(socket);
    listener = raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw = raw_accept(w, listener);
    UNTIL(w, plx_socket_is_connected(socket));
    SAY(socket, raw, "x\r\n");
    expect_message(socket, "x");
}

/* For streams only: packets refuse a frame. */
WORLD_MAIN("message-told")
