/* tests/test-filter-waits.c -- what a step of a filter waits for, and for how long. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/clocks.h"
#include "tests/filters.h"
#include "tests/puppet.h"
#include "tests/world.h"

static void send_text(plx_socket *socket, const char *text)
{
    ck_assert_int_eq(plx_socket_write(socket, text, strlen(text)), (ptrdiff_t)strlen(text));
}

/* ---- moments --------------------------------------------------------------------------------- */

SECTION("moments");

/* A late filter hands up what it has received one byte at a time, LATE ms apart. It holds the bytes
 * itself, so that only its moments show when to go on. */
enum { LATE = 20 };

static struct {
    char bytes[8];
    size_t size;
    uint64_t next; /* when the first byte is due */
    bool eager;    /* the first byte is due at once */
} lateness;

static void late_want(plx_filter *filter)
{
    uint64_t now = plx_clock_now();
    int left = lateness.next > now ? (int)((lateness.next - now) / 1000000) + 1 : 0;

    plx_filter_set_want(filter, PLX_WANT_READ, lateness.size > 0 ? left : -1);
}

static ptrdiff_t late_receive(plx_filter *filter, void *data, size_t size)
{
    ptrdiff_t count = plx_filter_lower_receive(filter, lateness.bytes + lateness.size,
                                               sizeof lateness.bytes - lateness.size);
    uint64_t pause = LATE * UINT64_C(1000000);

    (void)size;
    if (count > 0) {
        lateness.next = plx_clock_now() + (lateness.eager ? 0 : pause);
        lateness.size += (size_t)count;
    }
    if (lateness.size > 0 && plx_clock_now() >= lateness.next) {
        *(char *)data = lateness.bytes[0];
        memmove(lateness.bytes, lateness.bytes + 1, --lateness.size);
        lateness.next = plx_clock_now() + pause;
        late_want(filter);
        return 1;
    }
    late_want(filter);
    return count > 0 ? -EAGAIN : count;
}

static const plx_filter_kind late_filter = {
    .size = sizeof(plx_filter_kind), .name = "late", .receive = late_receive};

/* Both polls are of a socket that waits for its peer only: the second one must not lose the moment
 * that the first one has set. */
static void expect_late_bytes(struct world *w, plx_socket *socket, int raw)
{
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &late_filter));
    world_settle(w);
    raw_say(raw, "ab");
    world_poll(w);
    ck_assert(plx_socket_wait_for_data(socket, 5000));
    plx_socket_purge(socket);
    ck_assert(plx_socket_wait_for_data(socket, 5000));
    ck_assert_uint_eq(lateness.size, 0);
}

STREAM_PAIR_CASE(a_moment_behind_no_bytes)
{
    lateness.size = 0;
    lateness.eager = false;
    expect_late_bytes(w, socket, raw);
}

STREAM_PAIR_CASE(a_moment_behind_some_bytes)
{
    lateness.size = 0;
    lateness.eager = true;
    expect_late_bytes(w, socket, raw);
}

/* A moment of receiving keeps nobody awake while there is no room to receive. */
STREAM_PAIR_CASE_WITH(a_moment_without_room, PLX_OPTION_READ_LIMIT, 1)
{
    lateness.size = 0;
    lateness.eager = true;
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &late_filter));
    raw_say(raw, "ab");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
    world_settle(w);
    ck_assert(!plx_socket_wait_for_disconnected(socket, 2 * LATE));
    if (w->group != NULL)
        ck_assert_int_ne(plx_group_deadline(w->group), 0);
    plx_socket_purge(socket);
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
}

/* A filter that waits for the program keeps nobody awake, whatever those below it hold. */
STREAM_PAIR_CASE(pending_bytes_below_a_filter_that_waits)
{
    struct puppet *lower = puppet_push(socket), *upper;
    int before;

    UNTIL(w, lower->count[STEP_ESTABLISH] == 1);
    world_settle(w);
    before = lower->count[STEP_RECEIVE];
    lower->pending = true;
    upper = puppet_push(socket);
    upper->establish = EAGAIN;
    upper->sets_want = true;
    UNTIL(w, upper->count[STEP_ESTABLISH] > 0);
    world_settle(w);
    if (w->group != NULL)
        ck_assert_int_ne(plx_group_deadline(w->group), 0);
    ck_assert_int_eq(lower->count[STEP_RECEIVE], before);
    lower->pending = false;
    puppet_answer(upper);
    raw_say(raw, "x");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
}

/* ---- wants ----------------------------------------------------------------------------------- */

SECTION("wants");

/* An asking filter passes bytes on and, while `asks`, does what its part says when it establishes:
 * it wants to read without having tried, or receives one byte and wants to read. */
static struct {
    bool tries; /* to receive in each step, also in the first */
    int steps;
    char got;
} asking;

static int asking_establish(plx_filter *filter)
{
    bool receives = asking.tries || asking.steps > 0;
    ptrdiff_t count = receives ? plx_filter_lower_receive(filter, &asking.got, 1) : -EAGAIN;

    asking.steps++;
    if (count == -EAGAIN)
        plx_filter_set_want(filter, PLX_WANT_READ, -1);
    return count > 0 ? 0 : (int)-count;
}

static const plx_filter_kind asking_filter = {
    .size = sizeof(plx_filter_kind), .name = "asking", .establish = asking_establish};

static void expect_established(struct world *w, plx_socket *socket, char got)
{
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &asking_filter));
    send_text(socket, "new"); /* leaves once the filter is established */
    ck_assert(plx_socket_wait_for_sent(socket, 5000));
    ck_assert_int_eq(asking.got, got);
    ck_assert_int_le(asking.steps, 4);
    world_settle(w);
}

/* The filter below holds the byte, and no readiness of the kernel will report it. */
STREAM_PAIR_CASE(a_want_to_read_what_the_filter_below_holds)
{
    const struct holder *held = plx_filter_state(plx_socket_push_filter(socket, &holder_filter));

    asking.tries = false;
    asking.steps = 0;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 1), 0);
    raw_say(raw, "ab");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
    world_settle(w);
    ck_assert_uint_eq(held->size, 1);
    expect_established(w, socket, 'b');
}

/* The filter below gives the byte at a moment that it has set. */
STREAM_PAIR_CASE(a_want_to_read_at_the_moment_of_the_filter_below)
{
    asking.tries = true;
    asking.steps = 0;
    lateness.size = 0;
    lateness.eager = false;
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &late_filter));
    world_settle(w);
    raw_say(raw, "b");
    expect_established(w, socket, 'b');
}

/* A turning filter receives only when the kernel has room to send. */
static bool turned;

static ptrdiff_t turning_receive(plx_filter *filter, void *data, size_t size)
{
    turned = !turned;
    if (!turned)
        return plx_filter_lower_receive(filter, data, size);
    plx_filter_set_want(filter, PLX_WANT_WRITE, -1);
    return -EAGAIN;
}

static const plx_filter_kind turning_filter = {
    .size = sizeof(plx_filter_kind), .name = "turning", .receive = turning_receive};

STREAM_PAIR_CASE(a_want_to_read_where_the_filter_below_wants_to_write)
{
    asking.tries = true;
    asking.steps = 0;
    turned = false;
    raw_say(raw, "b");
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &turning_filter));
    expect_established(w, socket, 'b');
}

/* A hearing filter sends only when it has received something. */
static bool heard;

static ptrdiff_t hearing_receive(plx_filter *filter, void *data, size_t size)
{
    ptrdiff_t count = plx_filter_lower_receive(filter, data, size);

    heard = heard || count > 0;
    return count;
}

static ptrdiff_t hearing_send(plx_filter *filter, const void *data, size_t size)
{
    if (heard)
        return plx_filter_lower_send(filter, data, size);
    plx_filter_set_want(filter, PLX_WANT_READ, -1);
    return -EAGAIN;
}

static const plx_filter_kind hearing_filter = {.size = sizeof(plx_filter_kind),
                                               .name = "hearing",
                                               .receive = hearing_receive,
                                               .send = hearing_send};

static int writes;

static ptrdiff_t writing_send(plx_filter *filter, const void *data, size_t size)
{
    ptrdiff_t count = plx_filter_lower_send(filter, data, size);

    writes++;
    if (count == -EAGAIN)
        plx_filter_set_want(filter, PLX_WANT_WRITE, -1);
    return count;
}

static const plx_filter_kind writing_filter = {
    .size = sizeof(plx_filter_kind), .name = "writing", .send = writing_send};

/* The kernel has room all the time, so that a wait for its room would spin. */
STREAM_PAIR_CASE(a_want_to_write_where_the_filter_below_wants_to_read)
{
    heard = false;
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &hearing_filter));
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &writing_filter));
    send_text(socket, "new");
    world_settle(w);
    writes = 0;
    ck_assert(!plx_socket_wait_for_sent(socket, 30));
    ck_assert_int_le(writes, 1);
    raw_say(raw, "x");
    ck_assert(plx_socket_wait_for_sent(socket, 5000));
    raw_expect(w, raw, "new");
}

static int waits;

static ptrdiff_t waiting_receive(plx_filter *filter, void *data, size_t size)
{
    (void)data;
    (void)size;
    waits++;
    plx_filter_set_want(filter, PLX_WANT_WRITE, -1);
    return -EAGAIN;
}

static const plx_filter_kind waiting_filter = {
    .size = sizeof(plx_filter_kind), .name = "waiting", .receive = waiting_receive};

/* It has not tried to send, so that nothing but the kernel shows when to go on. */
STREAM_PAIR_CASE(a_want_to_write_where_the_kernel_has_no_room)
{
    enum { MUCH = 16000000 };
    char *bytes = calloc(MUCH, 1);

    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &waiting_filter));
    ck_assert_int_eq(plx_socket_write(socket, bytes, MUCH), MUCH);
    free(bytes);
    world_settle(w);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0);
    raw_say(raw, "x");
    world_settle(w);
    waits = 0;
    ck_assert(!plx_socket_wait_for_sent(socket, 30));
    ck_assert_int_le(waits, 1);
}

/* The half that receives has ended, and the moment and the limit count all the same. */
STREAM_PAIR_CASE_WITH(a_moment_of_establishing_after_the_end_of_input, PLX_OPTION_HALF_OPEN, 1)
{
    struct puppet *puppet;

    raw_end(raw);
    UNTIL(w, log->count[EVENT_END_OF_INPUT] == 1);
    puppet = puppet_push(socket);
    puppet->establish = EAGAIN;
    puppet->establish_times = 1;
    puppet->sets_want = true;
    puppet->moment = LATE;
    send_text(socket, "new");
    ck_assert(plx_socket_wait_for_sent(socket, 5000));
    raw_expect(w, raw, "new");
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, LATE), 0);
    puppet = puppet_push(socket);
    puppet->establish = EAGAIN;
    puppet->sets_want = true;
    puppet->moment = -1;
    send_text(socket, "never");
    ck_assert(plx_socket_wait_for_disconnected(socket, 5000));
    ck_assert_str_eq(log->message, "filter puppet: not established in time");
}

/* ---- older bytes ----------------------------------------------------------------------------- */

SECTION("older bytes");

enum { MUCH = 8 << 20 };

/* Queues more than the kernel takes while the peer receives nothing. */
static void fill(struct world *w, plx_socket *socket)
{
    write_pattern(w, socket, MUCH);
    world_settle(w);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0);
}

/* Filters that send nothing of their own receive at once, whatever the peer does not receive. */
STREAM_PAIR_CASE(a_filter_that_does_not_establish_receives_at_once)
{
    static const plx_filter_kind *const pushed[] = {&through_filter, &bits_filter, &through_filter,
                                                    &late_filter};

    lateness.size = 0;
    lateness.eager = true;
    fill(w, socket);
    for (size_t i = 0; i < sizeof pushed / sizeof pushed[0]; i++) {
        ck_assert_ptr_nonnull(plx_socket_push_filter(socket, pushed[i]));
        raw_say(raw, "x");
        UNTIL(w, plx_socket_bytes_available(socket) == 1);
        plx_socket_purge(socket);
    }
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 0);
}

/* Older bytes pass by, and later ones do not, as if the filter had waited. */
STREAM_PAIR_CASE(later_bytes_pass_a_filter_that_did_not_wait)
{
    unsigned char *wanted = pattern(MUCH), *got = malloc(MUCH + 1);
    size_t size = 0;

    fill(w, socket);
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &bits_filter));
    world_settle(w);
    ck_assert_int_eq(plx_socket_write(socket, "\x5a", 1), 1);
    while (size < MUCH + 1) {
        ptrdiff_t count = raw_take(raw, got + size, MUCH + 1 - size);

        ck_assert(count > 0 || count == RAW_NOTHING);
        size += count > 0 ? (size_t)count : 0;
        world_poll(w);
    }
    ck_assert_mem_eq(got, wanted, MUCH);
    ck_assert_uint_eq(got[MUCH], 0xa5);
    free(wanted);
    free(got);
}

/* Both peers push behind queued bytes: each receives what the other has queued. */
CASE(two_peers_push_behind_queued_bytes)
{
    plx_socket *sockets[2] = {world_socket(w, NULL), world_socket(w, NULL)};
    unsigned char *wanted = pattern(MUCH), *got = malloc(MUCH);
    size_t size[2] = {0, 0};

    world_couple(w, sockets[0], sockets[1]);
    fill(w, sockets[0]);
    fill(w, sockets[1]);
    for (int i = 0; i < 2; i++)
        ck_assert_ptr_nonnull(plx_socket_push_filter(sockets[i], &through_filter));
    for (int round = 0; round < 100000 && size[0] + size[1] < 2 * (size_t)MUCH; round++) {
        world_poll(w);
        for (int i = 0; i < 2; i++) {
            ptrdiff_t count = plx_socket_read(sockets[i], got, MUCH);

            ck_assert_int_ge(count, 0);
            ck_assert_mem_eq(got, wanted + size[i], (size_t)count);
            size[i] += (size_t)count;
        }
    }
    ck_assert_uint_eq(size[0], MUCH);
    ck_assert_uint_eq(size[1], MUCH);
    free(wanted);
    free(got);
}

#define NOT_SENT "filter puppet: the peer did not receive the bytes queued before it in time"

/* Without its turn a filter has the same time, as long as none of the older bytes leaves. */
STREAM_PAIR_CASE_WITH(older_bytes_that_the_peer_never_receives, PLX_OPTION_CONNECT_TIMEOUT, 1000)
{
    struct puppet *puppet;
    unsigned char place[16 << 10];
    size_t left;

    fill(w, socket);
    time_stop();
    puppet = puppet_push(socket);
    world_settle(w);
    for (int i = 0; i < 2; i++) {
        world_run(w, 900);
        world_settle(w);
        left = plx_socket_bytes_left_to_send(socket);
        while (plx_socket_bytes_left_to_send(socket) == left) {
            raw_take(raw, place, sizeof place);
            world_poll(w);
        }
        world_settle(w);
    }
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 0);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0);
    /* TCP's window may still open, which gives another second. */
    UNTIL(w, (world_run(w, 1001), log->count[EVENT_DISCONNECTED] == 1));
    ck_assert_int_eq(log->code, ETIMEDOUT);
    ck_assert_str_eq(log->message, NOT_SENT);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], 0);
    time_run();
}

/* Both peers wait until the other receives, which the push forbids. */
CASE(two_peers_that_never_have_their_turn)
{
    struct record logs[2];
    plx_socket *sockets[2] = {world_socket(w, &logs[0]), world_socket(w, &logs[1])};

    world_couple(w, sockets[0], sockets[1]);
    for (int i = 0; i < 2; i++) {
        plx_socket_set_option(sockets[i], PLX_OPTION_CONNECT_TIMEOUT, 1000);
        plx_socket_set_option(sockets[i], PLX_OPTION_READ_LIMIT, 1);
    }
    for (int i = 0; i < 2; i++)
        fill(w, sockets[i]);
    time_stop();
    for (int i = 0; i < 2; i++)
        ck_assert_ptr_nonnull(puppet_push(sockets[i]));
    world_settle(w);
    ck_assert(!plx_socket_wait_for_disconnected(sockets[0], 10));
    UNTIL(w, (world_run(w, 1001),
              logs[0].count[EVENT_DISCONNECTED] == 1 && logs[1].count[EVENT_DISCONNECTED] == 1));
    ck_assert(strcmp(logs[0].message, NOT_SENT) == 0 || strcmp(logs[1].message, NOT_SENT) == 0);
    time_run();
}

/* ---- a failed send --------------------------------------------------------------------------- */

SECTION("failed send");

static ptrdiff_t failing_send(plx_filter *filter, const void *data, size_t size)
{
    (void)filter;
    (void)data;
    (void)size;
    return -EPIPE;
}

static const plx_filter_kind late_and_failing = {
    .size = sizeof(plx_filter_kind), .name = "late", .receive = late_receive, .send = failing_send};

static const plx_filter_kind passing_and_failing = {
    .size = sizeof(plx_filter_kind), .name = "failing", .send = failing_send};

static int lazy_receives;

/* Sets one moment after the other, and gives nothing. */
static ptrdiff_t lazy_receive(plx_filter *filter, void *data, size_t size)
{
    ptrdiff_t count = plx_filter_lower_receive(filter, data, size);

    lazy_receives++;
    plx_filter_set_want(filter, PLX_WANT_READ, 50);
    return count > 0 ? -EAGAIN : count;
}

static const plx_filter_kind lazy_filter = {
    .size = sizeof(plx_filter_kind), .name = "lazy", .receive = lazy_receive, .send = failing_send};

static void fail_to_send(struct world *w, plx_socket *socket, int raw)
{
    lateness.size = 0;
    lateness.eager = false;
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &late_and_failing));
    world_settle(w);
    raw_say(raw, "abc");
    UNTIL(w, lateness.size == 3 || plx_socket_bytes_available(socket) > 0);
    send_text(socket, "x");
    plx_socket_flush(socket);
}

/* What the filter holds until a moment arrived before the failure, and is not lost. */
STREAM_PAIR_CASE(bytes_held_until_a_moment_come_before_the_end)
{
    fail_to_send(w, socket, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
}

STREAM_PAIR_CASE(bytes_held_until_a_moment_come_before_the_end_of_a_disconnect)
{
    fail_to_send(w, socket, raw);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert(plx_socket_wait_for_disconnected(socket, 5000));
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
}

/* What arrives after the failure stays in the kernel, and its readiness wakes nobody. */
STREAM_PAIR_CASE(bytes_that_arrive_after_a_failed_send_wake_nothing)
{
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &lazy_filter));
    world_settle(w);
    raw_say(raw, "a");
    UNTIL(w, lazy_receives > 0);
    send_text(socket, "x");
    plx_socket_flush(socket);
    world_settle(w);
    raw_say(raw, "b");
    world_settle(w);
    raw_say(raw, "c");
    world_settle(w);
    lazy_receives = 0;
    ck_assert(!plx_socket_wait_for_disconnected(socket, 200));
    ck_assert_int_le(lazy_receives, 10);
}

/* In CLOSING bytes without room are dropped, so that the moment counts. */
STREAM_PAIR_CASE_WITH(a_disconnect_without_room_and_a_failed_send, PLX_OPTION_READ_LIMIT, 1)
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_LINGER_TIMEOUT, 0), 0);
    fail_to_send(w, socket, raw);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert(plx_socket_wait_for_disconnected(socket, 5000));
}

/* A filter that waits for older bytes takes the peer's end at once, room or not. */
STREAM_PAIR_CASE_WITH(a_failed_send_of_older_bytes_without_room, PLX_OPTION_READ_LIMIT, 1)
{
    raw_say(raw, "ab");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
    fill(w, socket);
    puppet_push(socket);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 0), 0);
    world_settle(w);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
}

static void wait_in_vain(struct world *w, plx_socket *socket, const struct record *log,
                         bool disconnects)
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_LINGER_TIMEOUT, 500), 0);
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &lazy_filter));
    world_settle(w);
    time_stop();
    send_text(socket, "x");
    plx_socket_flush(socket);
    if (disconnects)
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    for (int i = 0; i < 9; i++) {
        lazy_receives = 0;
        time_pass(51);
        world_settle(w);
        ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 0);
        ck_assert_int_ge(lazy_receives, 1);
        if (w->group != NULL)
            ck_assert_int_ne(plx_group_deadline(w->group), 0);
    }
    lazy_receives = 0;
    ck_assert(!plx_socket_wait_for_disconnected(socket, 30));
    ck_assert_int_le(lazy_receives, 2);
    world_run(w, 125);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    time_run();
}

STREAM_PAIR_CASE(moments_without_end_end_with_the_linger_time)
{
    wait_in_vain(w, socket, log, false);
}

STREAM_PAIR_CASE(moments_without_end_end_with_the_linger_time_of_a_disconnect)
{
    wait_in_vain(w, socket, log, true);
}

static void act_fail_and_wait(struct record *record, plx_socket *socket)
{
    long long begun;

    (void)record;
    send_text(socket, "x");
    plx_socket_flush(socket);
    begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    ck_assert(!plx_socket_wait_for_disconnected(socket, 300));
    ck_assert_int_lt(clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun, 50 * 1000000LL);
}

/* The end waits until the program has made room for what arrived before, and the wait sleeps. */
STREAM_PAIR_CASE_WITH(a_wait_in_a_handler_without_room_sleeps, PLX_OPTION_READ_LIMIT, 4)
{
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &passing_and_failing));
    record_on(log, EVENT_DATA_AVAILABLE, act_fail_and_wait, NULL);
    raw_say(raw, "12345678");
    UNTIL(w, log->fired);
    UNTIL(w, (plx_socket_purge(socket), log->count[EVENT_DISCONNECTED] == 1));
}

/* ---- what one step takes and another waits for ----------------------------------------------- */

SECTION("one for another");

static struct {
    bool taken; /* a step has received the byte */
    bool armed;
    int raw, establishes;
} credit;

/* Sends when a receive has taken a byte, and waits to read until then. */
static ptrdiff_t credit_send(plx_filter *filter, const void *data, size_t size)
{
    if (credit.taken)
        return plx_filter_lower_send(filter, data, size);
    plx_filter_set_want(filter, PLX_WANT_READ, -1);
    return -EAGAIN;
}

/* Wakes by a moment, and takes a byte that arrives meanwhile: no readiness has reported it. */
static ptrdiff_t credit_receive(plx_filter *filter, void *data, size_t size)
{
    char byte;

    (void)data;
    (void)size;
    if (credit.armed)
        raw_say(credit.raw, "x");
    for (int i = 0; credit.armed && i < 1000; i++) {
        credit.taken = plx_filter_lower_receive(filter, &byte, 1) == 1;
        credit.armed = !credit.taken;
        world_pause(1);
    }
    plx_filter_set_want(filter, PLX_WANT_NOTHING, credit.taken ? -1 : 1);
    return -EAGAIN;
}

static const plx_filter_kind credit_filter = {.size = sizeof(plx_filter_kind),
                                              .name = "credit",
                                              .receive = credit_receive,
                                              .send = credit_send};

STREAM_PAIR_CASE(a_receive_takes_what_a_send_waits_for)
{
    memset(&credit, 0, sizeof credit);
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &credit_filter));
    send_text(socket, "new");
    world_settle(w);
    credit.raw = raw;
    credit.armed = true;
    ck_assert(plx_socket_wait_for_sent(socket, 5000));
    raw_expect(w, raw, "new");
}

/* Receives in its send, and holds what it has received. */
static char swapped;

static ptrdiff_t swap_send(plx_filter *filter, const void *data, size_t size)
{
    for (int i = 0; swapped == 0 && i < 1000; i++) {
        world_pause(1);
        plx_filter_lower_receive(filter, &swapped, 1);
    }
    return plx_filter_lower_send(filter, data, size);
}

static ptrdiff_t swap_receive(plx_filter *filter, void *data, size_t size)
{
    if (swapped == 0)
        return plx_filter_lower_receive(filter, data, size);
    *(char *)data = swapped;
    swapped = 0;
    return 1;
}

static bool swap_pending(const plx_filter *filter)
{
    (void)filter;
    return swapped != 0;
}

static const plx_filter_kind swap_filter = {.size = sizeof(plx_filter_kind),
                                            .name = "swap",
                                            .receive = swap_receive,
                                            .send = swap_send,
                                            .pending = swap_pending};
static int swap_raw;

/* Receives in vain, and then sends; meanwhile the byte arrives. */
static int eager_establish(plx_filter *filter)
{
    char byte;
    ptrdiff_t count = plx_filter_lower_receive(filter, &byte, 1);

    if (count < 0 && credit.establishes++ == 0) {
        raw_say(swap_raw, "x");
        ck_assert_int_eq(plx_filter_lower_send(filter, "?", 1), 1);
        ck_assert_int_eq(swapped, 'x');
    }
    return count < 0 ? EAGAIN : 0;
}

static const plx_filter_kind eager_filter = {
    .size = sizeof(plx_filter_kind), .name = "eager", .establish = eager_establish};

STREAM_PAIR_CASE(a_send_takes_what_establishing_waits_for)
{
    memset(&credit, 0, sizeof credit);
    swapped = 0;
    swap_raw = raw;
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &swap_filter));
    world_settle(w);
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &eager_filter));
    swapped = 0;
    ck_assert_int_eq(plx_socket_write(socket, "", 0), 0);
    UNTIL(w, credit.establishes == 1);
    send_text(socket, "new");
    ck_assert(plx_socket_wait_for_sent(socket, 5000));
    raw_expect(w, raw, "?new");
}

WORLD_MAIN("filter-waits")
