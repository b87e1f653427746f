/* tests/test-filter-bytes.c -- bytes around a filter that is pushed, waits or says its goodbye. */
#include "config.h"

#include <errno.h>

#include "tests/filters.h"
#include "tests/puppet.h"
#include "tests/world.h"

static void send_text(plx_socket *socket, const char *text)
{
    ck_assert_int_eq(plx_socket_write(socket, text, strlen(text)), (ptrdiff_t)strlen(text));
}

/* ---- the boundary ---------------------------------------------------------------------------- */

SECTION("boundary");

/* Older bytes pass by, later ones wait until the filter is established. */
STREAM_PAIR_CASE(queued_bytes_pass_a_new_filter_by)
{
    struct puppet *first, *second;

    send_text(socket, "old");
    first = puppet_push(socket);
    send_text(socket, "between");
    second = puppet_push(socket);
    send_text(socket, "new");
    first->establish = second->establish = EAGAIN;
    raw_expect(w, raw, "old");
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 10);
    ck_assert_int_eq(first->count[STEP_SEND], 0);
    ck_assert_int_eq(second->count[STEP_BEGIN], 0);
    puppet_answer(first);
    raw_expect(w, raw, "between");
    world_settle(w);
    ck_assert_int_eq(second->count[STEP_SEND], 0);
    puppet_answer(second);
    raw_expect(w, raw, "new");
    ck_assert_int_eq(second->count[STEP_SEND], 1);
}

/* Nothing but the establishing of the lower filter shows that the bytes above it may go on. */
STREAM_PAIR_CASE(bytes_between_two_new_filters_at_once)
{
    struct puppet *first = puppet_push(socket), *second;

    send_text(socket, "between");
    second = puppet_push(socket);
    send_text(socket, "new");
    raw_expect(w, raw, "betweennew");
    ck_assert_int_eq(first->count[STEP_SEND], 2);
    ck_assert_int_eq(second->count[STEP_SEND], 1);
}

static void wait_for_a_byte(struct puppet *puppet)
{
    puppet->establish = EAGAIN;
    puppet->establish_times = 1;
    puppet->sets_want = true;
    puppet->want = PLX_WANT_READ;
}

STREAM_PAIR_CASE(bytes_between_two_new_filters_by_a_byte)
{
    struct puppet *first = puppet_push(socket), *second;

    send_text(socket, "between");
    second = puppet_push(socket);
    send_text(socket, "new");
    wait_for_a_byte(first);
    wait_for_a_byte(second);
    world_settle(w);
    raw_say(raw, "x");
    raw_expect(w, raw, "betweennew");
    ck_assert_int_eq(second->count[STEP_SEND], 1);
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
}

/* Each filter has CONNECT_TIMEOUT from its turn on, and no limit before. */
STREAM_PAIR_CASE_WITH(the_time_of_a_new_filter_begins_with_its_turn, PLX_OPTION_CONNECT_TIMEOUT,
                      1000)
{
    struct puppet *first = puppet_push(socket), *second;

    time_stop();
    send_text(socket, "between");
    second = puppet_push(socket);
    first->establish = second->establish = EAGAIN;
    world_settle(w);
    world_run(w, 900);
    world_settle(w);
    puppet_answer(first);
    raw_expect(w, raw, "between");
    world_settle(w);
    ck_assert_int_eq(second->count[STEP_BEGIN], 1);
    world_run(w, 900);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    world_run(w, 101);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_str_eq(log->message, "filter puppet: not established in time");
    time_run();
}

CASE(a_filter_pushed_while_connecting_is_behind_the_queued_bytes)
{
    for (int queued = 0; queued < 2; queued++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        struct puppet *puppet;
        char where[WHERE_SIZE];
        int listener = raw_listen(w, 5, where), raw;

        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        if (queued)
            send_text(socket, "old");
        puppet = puppet_push(socket);
        puppet->establish = EAGAIN;
        send_text(socket, "new");
        raw = raw_accept(w, listener);
        if (queued)
            raw_expect(w, raw, "old");
        world_settle(w);
        ck_assert_int_eq(plx_socket_state(socket), queued ? PLX_CONNECTED : PLX_CONNECTING);
        ck_assert_int_eq(puppet->count[STEP_SEND], 0);
        puppet_answer(puppet);
        raw_expect(w, raw, "new");
        ck_assert_int_eq(log.count[EVENT_CONNECTED], 1);
    }
}

STREAM_PAIR_CASE(unread_bytes_stay_as_they_are)
{
    struct puppet *puppet;
    char bytes[8];

    raw_say(raw, "old");
    UNTIL(w, plx_socket_bytes_available(socket) == 3);
    puppet = puppet_push(socket);
    puppet->establish = EAGAIN;
    raw_say(raw, "new");
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    puppet_answer(puppet);
    UNTIL(w, plx_socket_bytes_available(socket) == 6);
    ck_assert_int_eq(plx_socket_read(socket, bytes, 8), 6);
    ck_assert_mem_eq(bytes, "oldnew", 6);
}

static size_t take(int raw, char *bytes, size_t size)
{
    ptrdiff_t count = raw_take(raw, bytes, size);

    return count > 0 ? (size_t)count : 0;
}

/* The filter takes 3 bytes and then none, and the program drops what is left: what the filter has
 * seen is offered again and sent before send_complete. Returns how many bytes that are. */
static size_t drop_rest(struct world *w, plx_socket *socket, struct record *log, int raw,
                        size_t size)
{
    struct puppet *puppet = puppet_push(socket);
    size_t kept, got = 0;
    char bytes[4096];

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    log->cancel = true;
    log->mute = 1u << EVENT_SEND_PROGRESS;
    puppet->piece = 3;
    puppet->send = -EAGAIN;
    puppet->send_after = 1;
    write_pattern(w, socket, size);
    UNTIL(w, log->count[EVENT_SEND_PROGRESS] == 1);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_SEND_COMPLETE], 0);
    kept = plx_socket_bytes_left_to_send(socket);
    log->cancel = false;
    puppet->send = PASS;
    puppet->piece = 0;
    puppet_answer(puppet);
    UNTIL(w, (got += take(raw, bytes, sizeof bytes)) == 3 + kept);
    UNTIL(w, log->count[EVENT_SEND_COMPLETE] == 1);
    world_settle(w);
    ck_assert_uint_eq(take(raw, bytes, sizeof bytes), 0);
    return kept;
}

STREAM_PAIR_CASE(offered_bytes_are_sent_although_the_rest_is_dropped)
{
    size_t kept = drop_rest(w, socket, log, raw, 1 << 20);

    ck_assert_uint_gt(kept, 0);
    ck_assert_uint_lt(kept, (1 << 20) - 3);
    LOGGED(w, log, "send_complete(true)[CONNECTED]");
}

/* However often the filter takes none: what it has seen cannot be dropped. */
STREAM_PAIR_CASE(a_filter_that_takes_none_sees_256_KiB)
{
    struct puppet *puppet = puppet_push(socket);

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    puppet->send = -EAGAIN;
    log->swallow = true;
    write_pattern(w, socket, 4 << 20);
    for (int i = 0; i < 20; i++) {
        plx_filter_set_want(puppet->filter, PLX_WANT_WRITE, -1);
        world_poll(w);
    }
    ck_assert_int_ge(puppet->count[STEP_SEND], 20);
    ck_assert_uint_eq(puppet->most, 256 << 10);
    raw_close(w, raw);
}

STREAM_PAIR_CASE(nothing_is_dropped_of_what_a_filter_has_seen)
{
    ck_assert_uint_eq(drop_rest(w, socket, log, raw, 11), 8);
    LOGGED(w, log, "send_complete(false)[CONNECTED]");
}

/* A header filter sends 'h' twice before the bytes, in one call as far as it gets. */
static int headers;

static ptrdiff_t header_send(plx_filter *filter, const void *data, size_t size)
{
    ptrdiff_t count = headers < 2 ? plx_filter_lower_send(filter, "hh", (size_t)(2 - headers)) : 0;

    if (count < 0)
        return count;
    headers += (int)count;
    return headers < 2 ? -EAGAIN : plx_filter_lower_send(filter, data, size);
}

static const plx_filter_kind header_filter = {
    .size = sizeof(plx_filter_kind), .name = "header", .send = header_send};

/* A filter that takes a part has room for the rest: no readiness reports it. */
STREAM_PAIR_CASE(a_lower_filter_takes_a_part)
{
    struct puppet *puppet = puppet_push(socket);

    headers = 0;
    puppet->piece = 1;
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &header_filter));
    send_text(socket, "hello");
    raw_expect(w, raw, "hhhello");
}

/* A filter that takes all at once leaves work for the next poll, as the kernel does. */
static size_t swallowed;

static ptrdiff_t swallow_send(plx_filter *filter, const void *data, size_t size)
{
    (void)filter;
    (void)data;
    swallowed += size;
    return (ptrdiff_t)size;
}

static const plx_filter_kind swallow_filter = {
    .size = sizeof(plx_filter_kind), .name = "swallow", .send = swallow_send};

STREAM_PAIR_CASE(a_filter_that_takes_all_obeys_the_budget)
{
    static const char much[16 << 20];

    (void)raw;
    swallowed = 0;
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &swallow_filter));
    world_settle(w);
    ck_assert_int_eq(plx_socket_write(socket, much, sizeof much), sizeof much);
    world_poll(w);
    ck_assert_uint_le(swallowed, sizeof much / 2);
    ck_assert(plx_socket_wait_for_sent(socket, 5000));
    ck_assert_uint_eq(swallowed, sizeof much);
}

/* ---- room ------------------------------------------------------------------------------------ */

SECTION("room");

/* The kernel has nothing left, so that no readiness helps. */
STREAM_PAIR_CASE(held_bytes_come_as_soon_as_there_is_room)
{
    const struct holder *held = plx_filter_state(plx_socket_push_filter(socket, &holder_filter));
    char bytes[8];

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 3), 0);
    raw_say(raw, "abcdefgh");
    UNTIL(w, plx_socket_bytes_available(socket) == 3);
    world_settle(w);
    ck_assert_uint_eq(held->size, 5);
    ck_assert_int_eq(plx_socket_read(socket, bytes, 8), 3);
    world_poll(w);
    ck_assert_int_eq(plx_socket_read(socket, bytes, 8), 3);
    ck_assert_mem_eq(bytes, "def", 3);
    ck_assert(plx_socket_wait_for_data(socket, 5000));
    ck_assert_int_eq(plx_socket_read(socket, bytes, 8), 2);
    ck_assert_mem_eq(bytes, "gh", 2);
}

/* The filter's end, found behind the last byte for which there was room. */
STREAM_PAIR_CASE(an_end_behind_the_last_room)
{
    struct puppet *puppet = puppet_push(socket);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 3), 0);
    puppet->receive = 0;
    puppet->receive_after = 1;
    raw_say(raw, "abc");
    UNTIL(w, plx_socket_bytes_available(socket) == 3);
    world_settle(w);
    puppet->pending = true;
    plx_socket_purge(socket);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
}

/* A filter that is wrong about `pending` costs no processor. */
STREAM_PAIR_CASE(pending_bytes_that_never_come)
{
    struct puppet *puppet = puppet_push(socket);
    int before;

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    puppet->pending = true;
    puppet->receive = -EAGAIN;
    raw_say(raw, "x");
    world_settle(w);
    before = puppet->count[STEP_RECEIVE];
    ck_assert(!plx_socket_wait_for_data(socket, 30));
    if (w->group != NULL)
        for (int i = 0; i < 3; i++)
            plx_group_poll(w->group, 10);
    ck_assert_int_le(puppet->count[STEP_RECEIVE] - before, 3);
}

/* What waits in the kernel when the last filter is established is received in the same poll. */
STREAM_CASE(bytes_that_wait_come_with_connected)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push(socket);
    int raw;

    puppet->establish = EAGAIN;
    puppet->sets_want = true;
    raw = puppet_meet(w, socket);
    UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
    raw_say(raw, "x");
    UNTIL(w, is_readable(plx_socket_handle(socket)));
    record_clear(&log);
    puppet_answer(puppet);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    LOGGED(w, &log, "state:CONNECTED connected[CONNECTED] data_available[CONNECTED]");
}

/* ---- growth ---------------------------------------------------------------------------------- */

SECTION("growth");

/* A growing filter makes GROWTH bytes of one, and cannot send. */
enum { GROWTH = 1000 };

static size_t grown;

static ptrdiff_t growing_receive(plx_filter *filter, void *data, size_t size)
{
    char byte;
    ptrdiff_t count = grown > 0 ? 1 : plx_filter_lower_receive(filter, &byte, 1);

    if (count <= 0)
        return count;
    grown = grown > 0 ? grown : GROWTH;
    size = size < grown ? size : grown;
    memset(data, 'x', size);
    grown -= size;
    return (ptrdiff_t)size;
}

static ptrdiff_t growing_send(plx_filter *filter, const void *data, size_t size)
{
    (void)filter;
    (void)data;
    (void)size;
    return -EPIPE;
}

static bool growing_pending(const plx_filter *filter)
{
    (void)filter;
    return grown > 0;
}

static const plx_filter_kind growing_filter = {.size = sizeof(plx_filter_kind),
                                               .name = "growing",
                                               .receive = growing_receive,
                                               .send = growing_send,
                                               .pending = growing_pending};

/* The limit holds for what filters make of the last bytes, and none of these is lost. */
STREAM_PAIR_CASE_WITH(a_failed_send_leaves_the_limit_as_it_is, PLX_OPTION_READ_LIMIT, 100)
{
    size_t total = 0, size;

    grown = 0;
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &growing_filter));
    world_settle(w);
    raw_say(raw, "0123456789");
    send_text(socket, "hello");
    while (total < 10 * GROWTH) {
        UNTIL(w, (size = plx_socket_bytes_available(socket)) > 0);
        ck_assert_uint_le(size, 100);
        world_settle(w);
        if (w->group != NULL && size == 100)
            ck_assert_int_ne(plx_group_deadline(w->group), 0);
        ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 0);
        total += plx_socket_skip(socket, 100);
    }
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_uint_eq(total, 10 * GROWTH);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
}

/* ---- the goodbye ----------------------------------------------------------------------------- */

SECTION("goodbye");

/* shutdown waits for an answer: no wait spins, and the linger time ends it. */
STREAM_PAIR_CASE(a_goodbye_that_is_never_said)
{
    struct puppet *puppet = puppet_push(socket);
    int before;

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    time_stop();
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_LINGER_TIMEOUT, 500), 0);
    puppet->shutdown = EAGAIN;
    puppet->sets_want = true;
    send_text(socket, "hello");
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_expect(w, raw, "hello");
    UNTIL(w, puppet->count[STEP_SHUTDOWN] > 0);
    before = puppet->count[STEP_SHUTDOWN];
    ck_assert(!plx_socket_wait_for_disconnected(socket, 30));
    ck_assert_int_eq(puppet->count[STEP_SHUTDOWN], before);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    world_run(w, 550);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
    time_run();
}

STREAM_PAIR_CASE(a_goodbye_that_is_said_later)
{
    struct puppet *puppet = puppet_push(socket);

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    puppet->shutdown = EAGAIN;
    puppet->sets_want = true;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, puppet->count[STEP_SHUTDOWN] > 0);
    world_settle(w);
    ck_assert_int_eq(raw_take(raw, &(char){0}, 1), RAW_NOTHING);
    puppet_answer(puppet);
    raw_expect_end(w, raw);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    ck_assert_int_eq(puppet->count[STEP_SHUTDOWN], 2);
}

/* The filter above has said its own already, and says it once. */
STREAM_PAIR_CASE(a_goodbye_below_one_that_is_said)
{
    struct puppet *below = puppet_push(socket), *above = puppet_push(socket);

    UNTIL(w, above->count[STEP_ESTABLISH] == 1);
    below->shutdown = EAGAIN;
    below->sets_want = true;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, below->count[STEP_SHUTDOWN] > 0);
    puppet_answer(below);
    raw_expect_end(w, raw);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    ck_assert_int_eq(below->count[STEP_SHUTDOWN], 2);
    ck_assert_int_eq(above->count[STEP_SHUTDOWN], 1);
}

STREAM_PAIR_CASE(a_peer_that_goes_before_the_goodbye)
{
    struct puppet *puppet = puppet_push(socket);

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    puppet->shutdown = EAGAIN;
    puppet->sets_want = true;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, puppet->count[STEP_SHUTDOWN] > 0);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* The peer has ended its half only, and the goodbye waits for room at the peer. */
STREAM_PAIR_CASE(a_goodbye_at_a_moment_after_the_end_of_the_peer)
{
    struct puppet *puppet = puppet_push(socket);

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    puppet->shutdown = EAGAIN;
    puppet->shutdown_times = 1;
    puppet->sets_want = true;
    puppet->moment = 20;
    raw_end(raw);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    ck_assert_int_eq(puppet->count[STEP_SHUTDOWN], 2);
}

STREAM_PAIR_CASE(a_goodbye_after_the_end_of_the_peer)
{
    struct puppet *puppet = puppet_push(socket);

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    puppet->shutdown = EAGAIN;
    puppet->shutdown_times = 3;
    puppet->sets_want = true;
    puppet->want = PLX_WANT_WRITE;
    raw_end(raw);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    ck_assert_int_eq(puppet->count[STEP_SHUTDOWN], 4);
}

STREAM_PAIR_CASE(close_says_goodbye_once_and_abort_never)
{
    struct puppet *puppet = puppet_push(socket);

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    puppet->shutdown = EAGAIN;
    plx_socket_close(socket);
    ck_assert_int_eq(puppet->count[STEP_SHUTDOWN], 1);
    world_pair(w, socket, log);
    puppet = puppet_push(socket);
    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    plx_socket_abort(socket);
    ck_assert_int_eq(puppet->count[STEP_SHUTDOWN], 0);
}

CASE(disconnect_while_establishing)
{
    for (int queued = 0; queued < 2; queued++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        struct puppet *puppet = puppet_push(socket);
        char where[WHERE_SIZE];
        int listener = raw_listen(w, 5, where), raw;

        log.mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_SEND_COMPLETE;
        puppet->establish = EAGAIN;
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        raw = raw_accept(w, listener);
        if (queued)
            send_text(socket, "hello");
        UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
        ck_assert_int_eq(plx_socket_state(socket), queued ? PLX_CONNECTING : PLX_UNCONNECTED);
        if (queued) {
            puppet_answer(puppet);
            raw_expect(w, raw, "hello");
            raw_expect_end(w, raw);
            raw_close(w, raw);
            UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
            ck_assert_int_eq(puppet->count[STEP_SHUTDOWN], 1);
        }
        world_settle(w);
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        world_free(w, socket);
    }
}

/* A question that a flush has put is put although the program disconnects meanwhile. */
STREAM_PAIR_CASE(a_question_survives_disconnect)
{
    struct puppet *puppet = puppet_push(socket);

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    puppet->send = -EAGAIN;
    puppet->send_times = 1;
    puppet->sets_want = true;
    send_text(socket, "hello");
    plx_socket_flush(socket);
    ck_assert_int_eq(puppet->count[STEP_SEND], 1);
    plx_filter_ask(puppet->filter);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, puppet->count[STEP_ASK] == 1);
    raw_expect(w, raw, "hello");
    raw_expect_end(w, raw);
}

STREAM_PAIR_CASE(half_open_goes_on_through_a_filter)
{
    struct puppet *puppet = puppet_push(socket), *late;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_HALF_OPEN, 1), 0);
    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    raw_end(raw);
    UNTIL(w, log->count[EVENT_END_OF_INPUT] == 1);
    send_text(socket, "hello");
    raw_expect(w, raw, "hello");
    late = puppet_push(socket);
    late->establish = EAGAIN;
    send_text(socket, "later");
    world_settle(w);
    puppet_answer(late);
    raw_expect(w, raw, "later");
}

WORLD_MAIN("filter-bytes")
