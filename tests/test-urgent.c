/* tests/test-urgent.c -- the urgent byte of TCP, at both ends. */
#include "config.h"

#include <errno.h>

#include <pollux/filter.h>

#include "tests/filters.h"
#include "tests/sockets.h"
#include "tests/world.h"

/* ---- sending --------------------------------------------------------------------------------- */

/* Reads up to the mark of a raw peer, and returns what preceded the urgent byte as a string. */
static const char *until_mark(struct world *w, int raw)
{
    static char got[64];
    size_t count = 0;

    for (int round = 0; sockatmark(raw) != 1; round++) {
        ssize_t size = recv(raw, got + count, 1, MSG_DONTWAIT);

        ck_assert_int_lt(round, ROUNDS);
        count += size > 0 ? (size_t)size : 0;
        ck_assert_uint_lt(count, sizeof got - 1);
        world_turn(w, round);
    }
    got[count] = '\0';
    return got;
}

static void inline_urgent(int raw)
{
    int on = 1;

    ck_assert_int_eq(setsockopt(raw, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on), 0);
}

MODE_PAIR_CASE(the_byte_keeps_its_place)
{
    inline_urgent(raw);
    ck_assert_int_eq(plx_socket_write(socket, "before", 6), 6);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '!'), 0);
    ck_assert_int_eq(plx_socket_write(socket, "behind", 6), 6);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 13);
    ck_assert_str_eq(until_mark(w, raw), "before");
    raw_expect(w, raw, "!behind");
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

MODE_PAIR_CASE(one_at_a_time)
{
    inline_urgent(raw);
    ck_assert_int_eq(plx_socket_write_text(socket, "a"), 1);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '1'), 0);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '2'), EAGAIN);
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
    ck_assert_str_eq(until_mark(w, raw), "a");
    raw_expect(w, raw, "1");
    UNTIL(w, plx_socket_bytes_left_to_send(socket) == 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "b"), 1);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '2'), 0);
    ck_assert_str_eq(until_mark(w, raw), "b");
    raw_expect(w, raw, "2");
}

/* Bytes queued for a connection that failed are dropped, and with them the mark. */
MODE_SOCKET_CASE(the_mark_ends_with_the_connection)
{
    int raw = raw_refusing(w, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '1'), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(listen(raw, 1), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "plain"), 5);
    raw = raw_accept(w, raw);
    inline_urgent(raw);
    raw_expect(w, raw, "plain");
    ck_assert_int_eq(sockatmark(raw), 0);
}

static bool drop(plx_socket *socket, size_t sent, size_t left, void *user)
{
    (void)socket;
    (void)sent;
    (void)left;
    (void)user;
    return true;
}

/* send_progress may drop the urgent byte before its turn: then another one may be queued. */
MODE_PAIR_CASE(a_dropped_byte_is_not_queued_any_more)
{
    static const plx_events dropping = {.send_progress = drop};
    static const char much[1024 * 1024];

    while (plx_socket_bytes_left_to_send(socket) == 0) {
        plx_socket_write(socket, much, sizeof much);
        world_poll(w);
    }
    ck_assert_int_eq(plx_socket_write_urgent(socket, '1'), 0);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '2'), EAGAIN);
    plx_socket_set_events(socket, &dropping, NULL);
    for (int round = 0; plx_socket_bytes_left_to_send(socket) > 0; round++) {
        char some[65536];
        (void)!recv(raw, some, sizeof some, MSG_DONTWAIT);

        ck_assert_int_lt(round, ROUNDS);
        world_turn(w, round);
    }
    ck_assert_int_eq(plx_socket_write_urgent(socket, '2'), 0);
}

/* At WRITE_LIMIT the byte has to wait, and room_available reports when it can be queued. */
static void count_room(plx_socket *socket, void *user)
{
    (void)socket;
    ++*(int *)user;
}

MODE_PAIR_CASE(room_for_the_byte)
{
    static const plx_events events = {.room_available = count_room};
    int rooms[1] = {0};

    inline_urgent(raw);
    plx_socket_set_events(socket, &events, rooms);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 4), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "full"), 4);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '!'), EAGAIN);
    raw_expect(w, raw, "full");
    UNTIL(w, rooms[0] == 1);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '!'), 0);
    raw_expect(w, raw, "!");
}

/* What is older than a filter passes it by, also the urgent byte; what is behind is filtered. */
MODE_PAIR_CASE(a_filter_is_pushed_behind_it)
{
    inline_urgent(raw);
    ck_assert_int_eq(plx_socket_write_text(socket, "before"), 6);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '!'), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "plain"), 5);
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &bits_filter));
    ck_assert_int_eq(plx_socket_write_text(socket, "\x9e\x9d"), 2);
    ck_assert_str_eq(until_mark(w, raw), "before");
    raw_expect(w, raw, "!plainab");
    ck_assert_int_eq(plx_socket_write_urgent(socket, '2'), PLX_INVALID_STATE);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* The queue with the urgent byte is dropped before the filter has its turn. */
MODE_PAIR_CASE(a_dropped_byte_is_none_of_a_filter)
{
    static const plx_events dropping = {.send_progress = drop};
    static const char much[1024 * 1024];
    char some[65536], last[8] = "";
    size_t count = 0;

    inline_urgent(raw);
    while (plx_socket_bytes_left_to_send(socket) == 0) {
        plx_socket_write(socket, much, sizeof much);
        world_poll(w);
    }
    for (int i = 0; i < 8; i++) /* more than the kernel takes when it has room again */
        ck_assert_int_eq(plx_socket_write(socket, much, sizeof much), sizeof much);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '1'), 0);
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &bits_filter));
    plx_socket_set_events(socket, &dropping, NULL);
    for (int round = 0; plx_socket_bytes_left_to_send(socket) > 0; round++) {
        (void)!recv(raw, some, sizeof some, MSG_DONTWAIT);
        ck_assert_int_lt(round, ROUNDS);
        world_turn(w, round);
    }
    plx_socket_set_events(socket, &record_events, log);
    ck_assert_int_eq(plx_socket_write_text(socket, "\x9e\x9d"), 2);
    for (int round = 0; strcmp(last, "ab") != 0; round++) {
        ssize_t size = recv(raw, some, sizeof some, MSG_DONTWAIT);

        ck_assert_int_eq(sockatmark(raw), 0);
        ck_assert_int_lt(round, ROUNDS);
        for (ssize_t i = 0; i < size && count < sizeof last; i++)
            if (some[i] != 0)
                last[count++] = some[i];
        world_turn(w, round);
    }
}

/* What the kernel takes now is sent by close and flush, also behind the urgent byte. */
MODE_PAIR_CASE(close_sends_what_is_behind)
{
    inline_urgent(raw);
    ck_assert_int_eq(plx_socket_write_text(socket, "before"), 6);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '!'), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "behind"), 6);
    plx_socket_close(socket);
    ck_assert_str_eq(until_mark(w, raw), "before");
    raw_expect_soon(raw, "!behind");
    raw_expect_end(w, raw);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void raw_urge(int raw, const char *before, const char *behind)
{
    ck_assert_int_eq(send(raw, before, strlen(before), MSG_OOB), (ssize_t)strlen(before));
    raw_say(raw, behind);
}

MODE_PAIR_CASE(the_mark_is_found)
{
    char got[4];

    ck_assert_int_eq(plx_socket_urgent_mark(socket), -1);
    raw_urge(raw, "before!", "behind");
    UNTIL(w, plx_socket_bytes_available(socket) == 13);
    ck_assert_int_eq(plx_socket_urgent_mark(socket), 6);
    ck_assert_int_eq(plx_socket_read(socket, got, 4), 4);
    ck_assert_int_eq(plx_socket_urgent_mark(socket), 2);
    ck_assert_int_eq(plx_socket_unread(socket, got, 4), 0);
    ck_assert_uint_eq(plx_socket_skip(socket, 6), 6);
    ck_assert_int_eq(plx_socket_read(socket, got, 1), 1);
    ck_assert_int_eq(got[0], '!');
    ck_assert_int_eq(plx_socket_urgent_mark(socket), -1);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 6);
}

/* Nothing precedes the byte, which arrives between two polls. */
MODE_PAIR_CASE(the_mark_is_the_first_byte)
{
    ck_assert_int_eq(plx_socket_urgent_mark(socket), -1);
    world_settle(w);
    raw_urge(raw, "!", "behind");
    UNTIL(w, plx_socket_bytes_available(socket) == 7);
    ck_assert_int_eq(plx_socket_urgent_mark(socket), 0);
    ck_assert_int_eq(plx_socket_unread(socket, "more than was received", 22), 0);
    ck_assert_int_eq(plx_socket_urgent_mark(socket), 22);
}

MODE_PAIR_CASE(a_purge_forgets_the_mark)
{
    ck_assert_int_eq(plx_socket_urgent_mark(socket), -1);
    raw_urge(raw, "a!", "b");
    UNTIL(w, plx_socket_bytes_available(socket) == 3);
    plx_socket_purge(socket);
    ck_assert_int_eq(plx_socket_urgent_mark(socket), -1);
    raw_say(raw, "plain");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    ck_assert_int_eq(plx_socket_urgent_mark(socket), -1);
    raw_urge(raw, "c!", "d");
    UNTIL(w, plx_socket_bytes_available(socket) == 8);
    ck_assert_int_eq(plx_socket_urgent_mark(socket), 6);
}

/* ---- refused --------------------------------------------------------------------------------- */

static ptrdiff_t pass_on(plx_filter *filter, const void *data, size_t size)
{
    return plx_filter_lower_send(filter, data, size);
}

MODE_SOCKET_CASE(filters_that_send_have_none)
{
    static const plx_filter_kind kind = {.size = sizeof kind, .name = "through", .send = pass_on};

    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &kind));
    world_pair(w, socket, log);
    ck_assert_int_eq(plx_socket_write_urgent(socket, '!'), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
}

MODE_CASE(others_have_none)
{
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *udp = world_socket_of(w, plx_udp_new, NULL);
    plx_socket *ipc = world_socket_of(w, plx_ipc_new, NULL);

    ck_assert_int_eq(plx_socket_write_urgent(tcp, '!'), PLX_INVALID_STATE); /* not connected */
    ck_assert_int_eq(plx_socket_write_urgent(udp, '!'), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_write_urgent(ipc, '!'), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_error(ipc)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
    ck_assert_int_eq(plx_socket_write_urgent(NULL, '!'), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_urgent_mark(tcp), -1);
    ck_assert_int_eq(plx_socket_urgent_mark(ipc), -1);
    ck_assert_int_eq(plx_socket_urgent_mark(NULL), -1);
}

WORLD_MAIN("urgent")
