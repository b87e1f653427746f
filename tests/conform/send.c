/* tests/conform/send.c -- the write queue is sent, in part or whole. */
#include "config.h"

#include "tests/conform/conform.h"

SECTION("send");

PAIR_CASE(send_progress_and_complete)
{
    ck_assert_int_eq(plx_socket_write(socket, "he", 2), 2);
    ck_assert_int_eq(plx_socket_write(socket, "llo", 3), 3);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 5);
    SETTLED(w, log, SENT(5));
    raw_expect(w, raw, "hello");
    expect_quiet(w);
}

/* SO_SNDBUF keeps the kernel from accepting all bytes at once, which an automatic buffer may do.
 * For streams only: packets have no send_progress. */
STREAM_PAIR_CASE(send_progress_adds_up)
{
    uint64_t got = 0;
    int size = 65536;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, size), 0);
    limit_receiving(raw, size);
    write_pattern(w, socket, 8 * MIB);
    UNTIL(w, raw_drain(raw, &got) && log->count[EVENT_SEND_COMPLETE] > 0);
    ck_assert_uint_eq(log->sent, 8 * MIB);
    ck_assert_uint_eq(log->left, 0);
    ck_assert_int_gt(log->count[EVENT_SEND_PROGRESS], 1);
    ck_assert_int_eq(log->count[EVENT_SEND_COMPLETE], 1);
    UNTIL(w, raw_drain(raw, &got) && got == 8 * MIB);
}

/* What an aborted connection has sent is no progress of the next one.
 * For streams only: packets have no send_progress. */
STREAM_PAIR_CASE(send_progress_begins_anew)
{
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    plx_socket_abort(socket);
    raw = world_pair(w, socket, log);
    world_settle(w);
    record_clear(log);
    ck_assert_int_eq(plx_socket_write(socket, "abc", 3), 3);
    SETTLED(w, log, SENT(3));
    raw_expect(w, raw, "abc");
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
    expect_sent(w, log, 24);
}

/* Exactly the bytes that the kernel had accepted arrive.
 * For streams only: packets have no send_progress. */
STREAM_KERNEL_PAIR_CASE(cancel_by_true)
{
    char wanted[200];
    uint64_t got = 0, sent;

    log->cancel = true;
    write_pattern(w, socket, 8 * MIB);
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
    /* The bytes that the kernel had accepted arrive, and the connection goes on. */
    sent = log->sent;
    UNTIL(w, raw_drain(raw, &got) && got == sent);
    log->cancel = false;
    record_clear(log);
    ck_assert_int_eq(plx_socket_write(socket, "tail", 4), 4);
    raw_expect(w, raw, "tail");
    SETTLED(w, log, SENT(4));
}

PAIR_CASE(flush_sends_now)
{
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ck_assert_int_eq(plx_socket_write(socket, "now", 3), 3);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    raw_expect_soon(raw, "now");
    LOGGED(w, log, "");
    SETTLED(w, log, SENT(3));
}

PAIR_CASE(write_alone_waits_for_the_poll)
{
    char got[8];

    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(plx_socket_write(socket, "piece", 5), 5);
    world_pause(5);
    ck_assert_int_eq(raw_take(raw, got, sizeof got), RAW_NOTHING);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 50);
    world_poll(w);
    raw_expect_soon(raw, "piecepiecepiecepiecepiecepiecepiecepiecepiecepiece");
}

PAIR_CASE(group_flush_ends_the_frame)
{
    if (w->group == NULL)
        return; /* only a group is flushed here; plx_socket_flush has a case of its own */
    ck_assert_int_eq(plx_socket_write(socket, "end of frame", 12), 12);
    ck_assert_int_eq(plx_group_flush(w->group), 0);
    LOGGED(w, log, "");
    raw_expect_soon(raw, "end of frame");
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}
