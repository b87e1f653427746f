/* tests/test-hostile.c -- a server among peers that mean harm: it stays within its memory and its
 * descriptors, and answers a good client all the while.
 *
 * Peers that send descriptors are test-hostile-handles.c's. */
#include "config.h"

#include <errno.h>
#include <sys/resource.h>

#include "tests/fort.h"

/* ---- the peers ------------------------------------------------------------------------------- */

/* `count` peers, which are all let in. */
static void crowd(struct fort *fort, int count)
{
    for (int i = 0; i < count; i++) {
        peer(fort);
        if (i % 8 == 7)
            turn(fort);
    }
    TURNS_UNTIL(fort, plx_server_active_count(fort->server) == (size_t)count + 1);
}

/* Sends what fits; returns how much, or -1 where the server has ended the connection. */
static ptrdiff_t push(int raw, const void *data, size_t size)
{
    ssize_t sent = send(raw, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent >= 0 || errno == EAGAIN)
        return sent < 0 ? 0 : sent;
    ck_assert_msg(errno == EPIPE || errno == ECONNRESET, "a peer cannot send: %s", strerror(errno));
    return -1;
}

static void put_length(uint32_t length, unsigned char *ret_bytes)
{
    for (int i = 0; i < 4; i++)
        ret_bytes[i] = (unsigned char)(length >> (24 - 8 * i));
}

/* ---- frames ---------------------------------------------------------------------------------- */

CASE(lengths_of_four_gib)
{
    static const uint32_t lengths[] = {UINT32_MAX, 0x80000000u, 0x7fffffffu, LONGEST + 1};
    struct fort *fort = open_fort(w);
    int count = times(200);

    crowd(fort, count);
    for (int i = 0; i < count; i++) {
        unsigned char bytes[104] = {0};

        put_length(lengths[i % 4], bytes);
        raw_send(fort->peers[i], bytes, i % 8 < 4 ? sizeof bytes : 4);
        if (i % 10 == 9)
            turn(fort);
    }
    TURNS_UNTIL(fort, plx_server_active_count(fort->server) == 1);
    ck_assert_uint_eq(fort->too_long, (size_t)count);
    /* Never was there room made for what was announced: a block for each that had come and not
     * been looked at yet. */
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + (size_t)count * 20 * KIB);
    expect_calm(fort);
}

CASE(messages_before_one_that_is_too_long_count)
{
    static const unsigned char bytes[] = "\0\0\0\1x\0\0\0\2yz\0\1\0\1nothing";
    struct fort *fort = open_fort(w);

    for (int i = 0; i < 20; i++) {
        int raw = peer(fort);
        size_t before = fort->messages - (size_t)fort->answered;

        raw_send(raw, bytes, sizeof bytes);
        TURNS_UNTIL(fort, fort->too_long == (size_t)i + 1);
        turns(fort, 5);
        ck_assert_uint_ge(fort->messages - (size_t)fort->answered, before + 2);
    }
    expect_calm(fort);
}

/* How many peers there may be: each takes two descriptors of this process. */
static int crowd_size(void)
{
    struct rlimit limit;
    int most;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    most = limit.rlim_cur > 4 * CROWD ? CROWD : (int)limit.rlim_cur / 2 - 100;
    return times(CROWD) < most ? times(CROWD) : most;
}

CASE(half_a_frame_and_silence)
{
    struct fort *fort = open_fort(w);
    int count = crowd_size();
    unsigned char bytes[104] = {0};

    crowd(fort, count);
    put_length(LONGEST, bytes);
    for (int i = 0; i < count; i++) {
        raw_send(fort->peers[i], bytes, i % 3 == 0 ? 2 : i % 3 == 1 ? 4 : sizeof bytes);
        if (i % 20 == 19)
            turn(fort);
    }
    turns(fort, 100);
    ck_assert_uint_eq(plx_server_active_count(fort->server), (size_t)count + 1);
    ck_assert_uint_eq(fort->too_long, 0);
    /* A block each, and not the 64 KiB that they have announced. */
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + (size_t)count * 20 * KIB + 256 * KIB);
    expect_calm(fort);
}

CASE(a_byte_now_and_then)
{
    struct fort *fort = open_fort(w);
    int count = times(100), rounds = times(200);
    unsigned char bytes[204] = {0};

    crowd(fort, count);
    put_length(LONGEST, bytes);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < count; i++)
            raw_send(fort->peers[i], bytes + round, 1);
        turn(fort);
    }
    ck_assert_uint_eq(plx_server_active_count(fort->server), (size_t)count + 1);
    /* The block with what arrived, and room for another block behind it. */
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + (size_t)count * 40 * KIB + 256 * KIB);
    expect_calm(fort);
}

CASE(empty_messages_for_ever)
{
    static const unsigned char zeros[32 * 1024];
    struct fort *fort = open_fort(w);
    int raw = peer(fort), rounds = times(100);

    for (int i = 0; i < rounds; i++) { /* 8 192 messages each time, at most */
        ck_assert_int_ge(push(raw, zeros, sizeof zeros), 0);
        turn(fort);
    }
    ck_assert_uint_gt(fort->messages, (size_t)rounds * 1000);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + 512 * KIB);
    expect_calm(fort);
}

/* ---- coming and going ------------------------------------------------------------------------ */

enum { STAYING = 100 };

/* The i-th peer comes: it goes at once, is reset, says half a thing and goes, or stays a while. */
static void come_and_go(struct fort *fort, int i)
{
    int *place = &fort->peers[i / 4 % STAYING], raw = raw_connect(fort->w, fort->where);

    if (i % 4 == 3) {
        if (i / 4 >= STAYING)
            raw_close(fort->w, *place);
        *place = raw;
        fort->count = i / 4 < STAYING ? i / 4 + 1 : STAYING;
        return;
    }
    if (i % 4 == 2)
        push(raw, "\0\0\0\5half", 8);
    if (i % 4 == 1)
        raw_reset(fort->w, raw);
    else
        raw_close(fort->w, raw);
}

CASE(ten_thousand_come_and_go)
{
    struct fort *fort = open_fort(w);
    int count = times(10000);

    for (int i = 0; i < count; i++) {
        come_and_go(fort, i);
        if (i % 8 == 7)
            turn(fort);
    }
    ck_assert_int_lt(fort->most_descriptors, fort->descriptors + 2 * STAYING + 200);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + 2 * STAYING * 20 * KIB + 256 * KIB);
    expect_calm(fort);
}

/* ---- those who do not read ------------------------------------------------------------------- */

CASE(asking_for_ever_and_never_reading)
{
    enum { PEERS = 10 };
    struct fort *fort = open_fort(w);
    int rounds = times(1000);

    crowd(fort, PEERS);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < PEERS; i++)
            ck_assert_int_ge(push(fort->peers[i], "\0\0\0\4much", 8), 0);
        turn(fort);
    }
    ck_assert_uint_eq(plx_server_active_count(fort->server), PEERS + 1);
    /* Twice the limit, for a buffer grows by doubling. */
    ck_assert_uint_lt(fort->most_bytes,
                      fort->bytes + PEERS * (2 * WRITE_LIMIT + 2 * READ_LIMIT) + 256 * KIB);
    ck_assert_uint_gt(fort->most_bytes, fort->bytes + PEERS * WRITE_LIMIT / 2);
    expect_calm(fort);
}

CASE(ending_and_never_reading)
{
    enum { PEERS = 10 };
    struct fort *fort = open_fort(w);

    /* They end their side with answers under way: the linger time gets rid of them. */
    crowd(fort, PEERS);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < PEERS; i++)
            push(fort->peers[i], "\0\0\0\4much", 8);
        turn(fort);
    }
    for (int i = 0; i < PEERS; i++)
        ck_assert_int_eq(shutdown(fort->peers[i], SHUT_WR), 0);
    TURNS_UNTIL(fort, plx_server_active_count(fort->server) == 1);
    expect_calm(fort);
}

/* ---- nonsense -------------------------------------------------------------------------------- */

/* A piece of nonsense. Every other one begins with a length that the server takes, so that it gets
 * further. Returns whether the connection lives. */
static bool babble(int raw, uint32_t *seed)
{
    unsigned char bytes[600];
    size_t size = 1 + chance(seed) % sizeof bytes;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)chance(seed);
    if (chance(seed) % 2 == 0 && size >= 4)
        put_length(chance(seed) % 500, bytes);
    return push(raw, bytes, size) >= 0;
}

CASE(random_bytes)
{
    struct fort *fort = open_fort(w);
    int count = times(1000);
    uint32_t seed = 2463534242u;

    for (int i = 0; i < count; i++) {
        int raw = peer(fort);

        for (uint32_t left = 1 + chance(&seed) % 8; left > 0 && babble(raw, &seed); left--)
            if (chance(&seed) % 4 == 0)
                turn(fort);
        if (chance(&seed) % 4 != 0) { /* others stay until the end */
            fort->count--;
            close(raw);
        }
    }
    turns(fort, 50);
    ck_assert_uint_gt(fort->too_long, 0);
    ck_assert_uint_gt(fort->messages, (size_t)fort->answered);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + (size_t)count * 20 * KIB + 256 * KIB);
    expect_calm(fort);
}

/* For streams only: packets refuse a frame. */
WORLD_MAIN("hostile", .timeout = 180, .setup = raise_limit)
