/* tests/test-filters.c -- the filters of the tests, byte by byte: plain raw peers speak them
 * here. */
#include "config.h"

#include <errno.h>

#include "tests/filters.h"
#include "tests/puppet.h"
#include "tests/world.h"

/* Makes a socket with a filter, and begins to connect it to a raw listener, which is returned. */
static int connect_with(struct world *w, const plx_filter_kind *kind, plx_socket **ret_socket,
                        struct record *log)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);
    plx_socket *socket = world_socket(w, log);

    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, kind));
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    *ret_socket = socket;
    return listener;
}

/* The same with a connection: returns the peer. */
static int pair_with(struct world *w, const plx_filter_kind *kind, plx_socket **ret_socket,
                     struct record *log)
{
    int raw = raw_accept(w, connect_with(w, kind, ret_socket, log));

    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    return raw;
}

static void expect_text(plx_socket *socket, const char *text)
{
    char got[64] = "";

    plx_socket_read(socket, got, sizeof got - 1);
    ck_assert_str_eq(got, text);
}

/* Receives what there is; returns how many bytes. */
static size_t raw_sip_into(int raw, void *data, size_t size)
{
    ptrdiff_t count = raw_take(raw, data, size);

    return count > 0 ? (size_t)count : 0;
}

static void expect_lost(struct world *w, const struct record *log, int code, const char *sentence)
{
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_msg(log->code == code, "%d: %s", log->code, log->message);
    ck_assert_msg(strstr(log->message, sentence) != NULL, "\"%s\" is not in \"%s\"", sentence,
                  log->message);
}

/* ---- records --------------------------------------------------------------------------------- */

SECTION("records");

static const char record_hi[] = {'D', 0, 2, (char)('h' + 'i'), 'h', 'i'};

CASE(an_end_behind_a_goodbye_is_orderly)
{
    struct record log;
    plx_socket *socket;
    int raw = pair_with(w, &records_filter, &socket, &log);

    raw_send(raw, record_hi, sizeof record_hi);
    raw_send(raw, "B\0\0\0", 4);
    raw_end(raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log.code, PLX_LOST_CONNECTION);
    ck_assert_ptr_null(strstr(log.message, "goodbye"));
    expect_text(socket, "hi");
}

CASE(an_end_without_a_goodbye_is_reported)
{
    struct record log;
    plx_socket *socket;
    int raw = pair_with(w, &records_filter, &socket, &log);

    raw_send(raw, record_hi, sizeof record_hi);
    raw_send(raw, record_hi, 5);
    raw_end(raw);
    expect_lost(w, &log, PLX_LOST_CONNECTION, "records: the end came without a goodbye");
    ck_assert_int_eq(log.os_error, EPIPE);
    expect_text(socket, "hi");
}

CASE(a_damaged_record_is_reported)
{
    struct record log;
    plx_socket *socket;
    int raw = pair_with(w, &records_filter, &socket, &log);

    raw_send(raw, "D\0\1xy", 5);
    expect_lost(w, &log, EPROTO, "records: a record is damaged");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
}

CASE(a_disconnect_says_goodbye)
{
    struct record log;
    plx_socket *socket;
    int raw = pair_with(w, &records_filter, &socket, &log);
    char got[16];
    size_t size = 0;

    ck_assert_int_eq(plx_socket_write(socket, "hi", 2), 2);
    plx_socket_disconnect(socket);
    UNTIL(w, (size += raw_sip_into(raw, got + size, sizeof got - size)) == 10);
    ck_assert_mem_eq(got, record_hi, sizeof record_hi);
    ck_assert_mem_eq(got + sizeof record_hi, "B\0\0\0", 4);
    raw_expect_end(w, raw);
}

/* A peer that has said its goodbye may wait for ours. */
CASE(the_end_of_the_peer_is_answered_by_a_goodbye)
{
    struct record log;
    plx_socket *socket;
    int raw = pair_with(w, &records_filter, &socket, &log);
    char got[16];
    size_t size = 0;

    raw_send(raw, "B\0\0", 4);
    raw_end(raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_str_eq(log.message, "the peer closed the connection");
    UNTIL(w, (size += raw_sip_into(raw, got + size, sizeof got - size)) == 4);
    ck_assert_mem_eq(got, "B\0\0\0", 4);
    raw_expect_end(w, raw);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

SECTION("blocks");

CASE(a_part_of_a_block_is_kept)
{
    struct record log;
    plx_socket *socket;
    int raw = pair_with(w, &blocks_filter, &socket, &log);

    raw_send(raw, "\3ab", 3);
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_DATA_AVAILABLE], 0);
    raw_send(raw, "c\0\0\0", 4);
    UNTIL(w, plx_socket_bytes_available(socket) == 3);
    expect_text(socket, "abc");
}

/* The kernel has nothing more when there is room again. */
CASE(a_block_is_handed_up_in_pieces)
{
    struct record log;
    plx_socket *socket;
    int raw = pair_with(w, &blocks_filter, &socket, &log);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 4), 0);
    raw_send(raw, "\6abcdef", 7);
    UNTIL(w, plx_socket_bytes_available(socket) == 4);
    expect_text(socket, "abcd");
    UNTIL(w, plx_socket_bytes_available(socket) == 2);
    expect_text(socket, "ef");
}

/* ---- order ----------------------------------------------------------------------------------- */

SECTION("order");

CASE(a_send_waits_for_permission)
{
    static char bytes[ORDER_WINDOW + 10];
    static unsigned char got[2 * ORDER_WINDOW];
    struct record log;
    plx_socket *socket;
    int raw = pair_with(w, &order_filter, &socket, &log);
    size_t size = 0;

    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), (ptrdiff_t)sizeof bytes);
    UNTIL(w, (size += raw_sip_into(raw, got + size, sizeof got - size)) > ORDER_WINDOW &&
                 plx_socket_bytes_left_to_send(socket) == 10);
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 10);
    raw_send(raw, "C\0\0\12", 4);
    UNTIL(w, plx_socket_bytes_left_to_send(socket) == 0);
}

/* ---- steps ----------------------------------------------------------------------------------- */

SECTION("steps");

CASE(five_steps_establish)
{
    struct record log;
    plx_socket *socket;
    int raw = raw_accept(w, connect_with(w, &steps_filter, &socket, &log));

    raw_expect(w, raw, "hel");
    raw_say(raw, "he");
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    raw_say(raw, "l");
    raw_expect(w, raw, "lo");
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    raw_say(raw, "lothe first bytes");
    UNTIL(w, plx_socket_bytes_available(socket) > 0);
    LOGGED(w, &log,
           "state:CONNECTING state:CONNECTED connected[CONNECTED] data_available[CONNECTED]");
    expect_text(socket, "the first bytes");
}

/* The second connection is a part of the same connect. */
CASE(a_step_asks_for_another_connection)
{
    struct record log;
    plx_socket *socket;
    int listener = connect_with(w, &steps_filter, &socket, &log);
    int first = raw_accept(w, listener), second;

    raw_say(first, "aga");
    second = raw_accept(w, listener);
    raw_expect(w, first, "hel");
    raw_expect_end(w, first);
    raw_say(second, "hello");
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    raw_expect(w, second, "hello");
    LOGGED(w, &log, "state:CONNECTING state:CONNECTED connected[CONNECTED]");
}

/* ---- failures -------------------------------------------------------------------------------- */

SECTION("failing");

static int fail_in(struct world *w, enum failing_step step, bool records, struct record *log)
{
    plx_socket *socket;
    int raw, listener = connect_with(w, &failing_filter, &socket, log);
    struct failing *failing = plx_filter_state(plx_socket_filter(socket, &failing_filter));

    failing->step = step;
    failing->records = records;
    raw = raw_accept(w, listener);
    if (step > FAILS_IN_ESTABLISH)
        UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    if (step == FAILS_IN_RECEIVE)
        raw_say(raw, "x");
    if (step == FAILS_IN_SEND)
        ck_assert_int_eq(plx_socket_write(socket, "y", 1), 1);
    if (step == FAILS_IN_SHUTDOWN)
        plx_socket_disconnect(socket);
    return raw;
}

CASE(a_step_fails_with_a_sentence)
{
    for (enum failing_step step = FAILS_IN_BEGIN; step < FAILS_IN_SHUTDOWN; step++) {
        struct record log;
        char sentence[32];

        snprintf(sentence, sizeof sentence, "failing: step %d", (int)step);
        fail_in(w, step, true, &log);
        expect_lost(w, &log, PLX_LOST_CONNECTION, sentence);
        ck_assert_int_eq(log.reason, PLX_REASON_TLS_INTERNAL);
        ck_assert_str_eq(log.message, sentence);
        ck_assert_int_eq(log.os_error, step > FAILS_IN_ESTABLISH ? EPROTO : 0);
        world_settle(w);
        ck_assert_int_eq(log.count[EVENT_ERROR], 1);
        ck_assert_int_eq(log.count[EVENT_DISCONNECTED], step > FAILS_IN_ESTABLISH);
    }
}

static void send_below(struct puppet *puppet)
{
    puppet->result = (int)plx_filter_lower_send(puppet->filter, "z", 1);
}

CASE(a_step_fails_without_a_sentence)
{
    for (enum failing_step step = FAILS_IN_BEGIN; step < FAILS_IN_SHUTDOWN; step++) {
        struct record log;

        fail_in(w, step, false, &log);
        /* An errno of a connection means that the connection is lost. */
        expect_lost(w, &log, step > FAILS_IN_ESTABLISH ? PLX_LOST_CONNECTION : EPROTO, "(EPROTO)");
        ck_assert_int_eq(log.os_error, step > FAILS_IN_ESTABLISH ? EPROTO : 0);
        world_settle(w);
        ck_assert_int_eq(log.count[EVENT_ERROR], 1);
        ck_assert_int_eq(log.count[EVENT_DISCONNECTED], step > FAILS_IN_ESTABLISH);
    }
}

/* The filter above makes another errno of the one below: the first one counts, with its
 * sentence. */
CASE(an_errno_belongs_to_the_filter_with_the_sentence)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct failing *failing;
    struct puppet *above;
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    failing = plx_filter_state(plx_socket_push_filter(socket, &failing_filter));
    failing->step = FAILS_IN_SEND;
    failing->records = true;
    above = puppet_push(socket);
    above->when = STEP_SEND;
    above->act = send_below;
    above->send = -EIO;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw_accept(w, listener);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    ck_assert_int_eq(plx_socket_write(socket, "y", 1), 1);
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(above->result, -EPROTO);
    ck_assert_int_eq(log.code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log.os_error, EPROTO);
}

/* The end follows in any case. */
CASE(a_goodbye_that_fails_is_given_up)
{
    for (int records = 0; records < 2; records++) {
        struct record log;
        int raw = fail_in(w, FAILS_IN_SHUTDOWN, records == 1, &log);
        raw_expect_end(w, raw);
        raw_close(w, raw);
        UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    }
}

WORLD_MAIN("filters")
