/* tests/conform/poll.c -- what one poll does: data that arrived, budgets, members of a group. */
#include "config.h"

#include "tests/clocks.h"
#include "tests/conform/conform.h"

SECTION("poll");

/* ---- data arrived ---------------------------------------------------------------------------- */

PAIR_CASE(data_once_per_poll)
{
    raw_say(raw, "abc");
    arrives(socket);
    world_poll(w);
    LOGGED(w, log, DATA);
    SETTLED(w, log, DATA);
    raw_say(raw, "def");
    arrives(socket);
    world_poll(w);
    LOGGED(w, log, DATA " " DATA);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), w->kind->keeps_boundaries ? 3 : 6);
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
    raw_send_in(w, raw, 1, "abc", 3);
    arrives(socket);
    for (int polls = 1; polls <= 3; polls++) {
        world_poll(w);
        ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], polls);
    }
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    SETTLED(w, log, DATA " " DATA " " DATA);
    expect_quiet(w);
}

static void act_nothing(struct record *record, plx_socket *socket)
{
    (void)record;
    (void)socket;
}

PAIR_CASE(data_not_again_when_none_is_taken)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_nothing, NULL);
    raw_say(raw, "abc");
    arrives(socket);
    SETTLED(w, log, DATA);
    expect_quiet(w);
    expect_read(socket, "abc");
    SETTLED(w, log, DATA);
}

static void act_pong(struct record *record, plx_socket *socket)
{
    (void)record;
    expect_read(socket, "ping");
    ck_assert_int_eq(plx_socket_write(socket, "pong", 4), 4);
}

PAIR_CASE(replies_leave_in_the_same_poll)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_pong, NULL);
    raw_say(raw, "ping");
    arrives(socket);
    world_poll(w);
    raw_expect_soon(raw, "pong");
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
    expect_sent(w, log, 400);
}

CASE(bulk_both_ways)
{
    struct record log_a, log_b;
    plx_socket *a = world_socket(w, &log_a), *b = world_socket(w, &log_b);

    world_couple(w, a, b);
    log_a.swallow = log_b.swallow = true;
    write_pattern(w, a, 2 * MIB);
    write_pattern(w, b, 2 * MIB);
    UNTIL(w, log_a.swallowed == 2 * MIB && log_b.swallowed == 2 * MIB);
    UNTIL(w, log_a.count[EVENT_SEND_COMPLETE] == 1 && log_b.count[EVENT_SEND_COMPLETE] == 1);
    expect_sent(w, &log_a, 2 * MIB);
    expect_sent(w, &log_b, 2 * MIB);
}

/* ---- budget ---------------------------------------------------------------------------------- */

/* The budget is of bytes that the kernel delivers. */
KERNEL_PAIR_CASE(a_flood_leaves_work)
{
    int times = 0;
    uint64_t offset = 0, budget = w->group != NULL ? 64 * KIB : 256 * KIB;

    if (w->group != NULL)
        plx_group_set_budget(w->group, 0, 64 * KIB);
    deepen(plx_socket_handle(socket), raw);
    log->swallow = true;
    for (int round = 0; round < 100 && times < 5; round++) {
        uint64_t before = log->swallowed, done;
        bool left;

        raw_stuff(raw, &offset);
        left = world_poll(w);
        done = log->swallowed - before;
        ck_assert_uint_le(done, budget); /* a poll stops at its budget */
        if (done == budget && offset > log->swallowed)
            ck_assert_msg(left, "%s: a poll did its budget and said that nothing is left",
                          world_name(w));
        times += left;
    }
    if (w->group != NULL || may_deepen())
        ck_assert_msg(times > 0, "%s: no poll said that work is left", world_name(w));
    UNTIL(w, log->swallowed == offset);
    world_settle(w);
    ck_assert(!world_poll(w));
    expect_quiet(w);
}

static uint64_t bytes_sent(const plx_socket *socket)
{
    plx_statistics statistics;

    ck_assert(plx_socket_statistics(socket, &statistics));
    return statistics.bytes_sent;
}

/* The kernel would take the whole queue at once; a packet is sent whole. */
KERNEL_PAIR_CASE(a_queue_leaves_work)
{
    uint64_t budget = w->group != NULL ? 64 * KIB : 256 * KIB, got = 0;
    size_t more = w->kind->keeps_boundaries ? QUEUE_PIECE : 0;
    int times = 0;

    if (w->group != NULL)
        plx_group_set_budget(w->group, 0, 64 * KIB);
    deepen(raw, plx_socket_handle(socket));
    queue_pattern(socket, MIB);
    for (int round = 0; plx_socket_bytes_left_to_send(socket) > 0; round++) {
        uint64_t before = bytes_sent(socket);
        bool left = world_poll(w);

        ck_assert_int_lt(round, ROUNDS);
        ck_assert_uint_le(bytes_sent(socket) - before, budget + more);
        if (may_deepen())
            ck_assert_int_eq(left, plx_socket_bytes_left_to_send(socket) > 0);
        times += left;
        raw_drain(raw, &got);
    }
    if (w->group != NULL || may_deepen())
        ck_assert_int_gt(times, 0);
    UNTIL(w, raw_drain(raw, &got) && got == MIB);
}

static void act_late_pong(struct record *record, plx_socket *socket)
{
    long long until = now_us() + 2000;

    act_pong(record, socket);
    while (now_us() < until)
        ;
}

/* One task is served input and output in each poll, although finding it or its handler has used the
 * whole time. */
PAIR_CASE(a_reply_leaves_although_the_time_is_over)
{
    if (w->group != NULL)
        plx_group_set_budget(w->group, 1000, 0); /* the handler takes 2000 */
    record_on(log, EVENT_DATA_AVAILABLE, act_late_pong, NULL);
    raw_say(raw, "ping");
    arrives(socket);
    world_poll(w);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    raw_expect_soon(raw, "pong");
}

static void act_answer(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_purge(socket);
    ck_assert_int_eq(plx_socket_write(socket, "pong", 4), 4);
}

/* Input and output have a budget each. */
KERNEL_PAIR_CASE(a_flood_keeps_no_reply_back)
{
    uint64_t offset = 0;

    if (w->group != NULL)
        plx_group_set_budget(w->group, 0, 64 * KIB);
    deepen(plx_socket_handle(socket), raw);
    raw_stuff(raw, &offset);
    record_on(log, EVENT_DATA_AVAILABLE, act_answer, NULL);
    world_poll(w);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    raw_expect_soon(raw, "pong");
}

/* ---- members of a group ---------------------------------------------------------------------- */

PAIR_CASE(removed_from_the_group_and_polled_alone)
{
    if (w->group != NULL)
        plx_group_remove(w->group, socket);
    raw_say(raw, "hello");
    arrives(socket);
    if (w->group != NULL) {
        SETTLED(w, log, "");
    }
    plx_socket_poll(socket);
    LOGGED(w, log, DATA);
    expect_read(socket, "hello");
}

SOCKET_CASE(a_member_may_be_polled_alone)
{
    struct record other_log;
    plx_socket *other = world_socket(w, &other_log);
    int raw = world_pair(w, socket, log), other_raw = world_pair(w, other, &other_log);

    raw_say(raw, "hello");
    raw_say(other_raw, "hello");
    arrives(socket);
    arrives(other);
    plx_socket_poll(socket);
    LOGGED(w, log, DATA);
    LOGGED(w, &other_log, ""); /* the poll serves that member alone */
    SETTLED(w, log, DATA);
    LOGGED(w, &other_log, DATA);
}
