/* tests/test-filter-through.c -- filters that hand everything through, alone and under others. */
#include "config.h"

#include <errno.h>

#include "tests/filters.h"
#include "tests/puppet.h"
#include "tests/world.h"

static plx_filter *push(plx_socket *socket)
{
    plx_filter *filter = plx_socket_push_filter(socket, &through_filter);

    ck_assert_ptr_nonnull(filter);
    return filter;
}

/* Bytes both ways. */
static void talk(struct world *w, plx_socket *socket, int raw, const char *text)
{
    char received[100] = "";
    size_t size = strlen(text);

    ck_assert_int_eq(plx_socket_write(socket, text, size), (ptrdiff_t)size);
    raw_expect(w, raw, text);
    raw_say(raw, text);
    UNTIL(w, plx_socket_bytes_available(socket) == size);
    ck_assert_int_eq(plx_socket_read(socket, received, sizeof received), (ptrdiff_t)size);
    ck_assert_str_eq(received, text);
}

/* ---- a filter above -------------------------------------------------------------------------- */

SECTION("above");

STREAM_PAIR_CASE(a_filter_above_in_mid_stream)
{
    struct puppet *puppet;

    push(socket);
    talk(w, socket, raw, "alone");
    ck_assert_int_eq(plx_socket_write(socket, "old", 3), 3);
    puppet = puppet_push(socket);
    puppet->piece = 1;
    ck_assert_int_eq(plx_socket_write(socket, "new", 3), 3);
    raw_expect(w, raw, "oldnew");
    ck_assert_int_eq(puppet->count[STEP_SEND], 3);
    talk(w, socket, raw, "above");
    ck_assert_int_eq(puppet->count[STEP_SEND], 8);
    ck_assert_int_ge(puppet->count[STEP_RECEIVE], 5);
    plx_socket_disconnect(socket);
    UNTIL(w, puppet->count[STEP_SHUTDOWN] == 1);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
}

STREAM_PAIR_CASE(a_filter_above_behind_a_full_kernel)
{
    static char block[4 * 1024 * 1024], taken[65536];
    struct puppet *puppet;
    size_t total = 0;

    push(socket);
    talk(w, socket, raw, "alone");
    ck_assert_int_eq(plx_socket_write(socket, block, sizeof block), (ptrdiff_t)sizeof block);
    world_settle(w);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0);
    puppet = puppet_push(socket);
    ck_assert_int_eq(plx_socket_write(socket, "new", 3), 3);
    world_settle(w);
    ck_assert_int_eq(puppet->count[STEP_BEGIN], 0);
    while (total < sizeof block) {
        size_t rest = sizeof block - total;
        ptrdiff_t count = raw_take(raw, taken, rest < sizeof taken ? rest : sizeof taken);

        ck_assert_int_ne(count, RAW_END);
        total += count > 0 ? (size_t)count : 0;
        world_poll(w);
    }
    raw_expect(w, raw, "new");
    ck_assert_int_ge(puppet->count[STEP_SEND], 1);
}

/* The filters that only establish pass from then on, in each connection. */
STREAM_PAIR_CASE(a_filter_above_that_waits)
{
    struct puppet *puppet;

    push(socket);
    talk(w, socket, raw, "alone");
    puppet = puppet_push(socket);
    puppet->establish = EAGAIN;
    push(socket);
    ck_assert_int_eq(plx_socket_write(socket, "later", 5), 5);
    raw_say(raw, "early");
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 5);
    puppet->establish = 0;
    plx_filter_set_want(puppet->filter, 0, -1);
    raw_expect(w, raw, "later");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
}

/* ---- other connections ----------------------------------------------------------------------- */

SECTION("connections");

CASE(a_second_connection)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet;
    int raw;

    push(socket);
    for (int i = 0; i < 2; i++) {
        raw = puppet_meet(w, socket);
        UNTIL(w, plx_socket_is_connected(socket));
        talk(w, socket, raw, "through");
        puppet = puppet_push(socket);
        talk(w, socket, raw, "above");
        ck_assert_int_eq(puppet->count[STEP_SEND], 1);
        plx_socket_close(socket);
        raw_close(w, raw);
    }
}

CASE(a_filter_pushed_and_one_removed_between_connections)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    plx_filter *filter = push(socket);
    struct puppet *puppet;
    int raw = puppet_meet(w, socket);

    UNTIL(w, plx_socket_is_connected(socket));
    talk(w, socket, raw, "through");
    plx_socket_close(socket);
    raw_close(w, raw);
    puppet = puppet_push(socket);
    puppet->piece = 2;
    raw = puppet_meet(w, socket);
    UNTIL(w, plx_socket_is_connected(socket));
    talk(w, socket, raw, "above");
    ck_assert_int_eq(puppet->count[STEP_SEND], 3);
    plx_socket_close(socket);
    raw_close(w, raw);
    ck_assert_int_eq(plx_socket_remove_filter(socket, puppet->filter), 0);
    raw = puppet_meet(w, socket);
    UNTIL(w, plx_socket_is_connected(socket));
    talk(w, socket, raw, "through");
    plx_socket_close(socket);
    raw_close(w, raw);
    ck_assert_int_eq(plx_socket_remove_filter(socket, filter), 0);
    raw = puppet_meet(w, socket);
    UNTIL(w, plx_socket_is_connected(socket));
    talk(w, socket, raw, "without");
}

WORLD_MAIN("filter-through")
