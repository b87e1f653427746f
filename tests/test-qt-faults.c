/* tests/test-qt-faults.c -- what Qt does wrong, done right: one test for each fault that was seen.
 *
 * DEF1 to DEF22 are the faults that were reproduced with Qt's sockets; the comment before each test
 * names the fault. The numbers 5, 13, 15 and 17 are not given. At the end stand measurements: of
 * time by the processor's, so that a busy machine does not matter, and of memory by the counting
 * allocator.
 *
 * Faults that another program tests already:
 *   DEF1   ended, and answered             conform/         end_of_input
 *   DEF7   events after a nested wait      conform/         wait_inside_a_handler_calls_nobody_back
 *   DEF11  one order of events             conform/         connect_refused, for every kind
 *   DEF12  /dev/null adopted as TCP        test-qt-cases.c  adopt_what_is_wrong
 *   DEF14  deaf after EMFILE               test-server.c    out_of_descriptors
 *   DEF16  two more than the limit         test-server.c    maximum_lets_others_wait
 *   DEF20  full queue, by an option        test-ipc.c       connect_gives_up_a_full_queue
 *   DEF22  paths of 107 bytes              test-ipc.c       path_lengths
 *
 * All of them apply. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tests/clocks.h"
#include "tests/sockets.h"
#include "tests/world.h"

#define MIB ((size_t)1024 * 1024)

#define DATA "data_available[CONNECTED]"

/* ---- a clock of our own ---------------------------------------------------------------------- */

static uint64_t time_now;

static uint64_t read_time(void *user)
{
    (void)user;
    return time_now;
}

static void pass(struct world *w, uint64_t milliseconds)
{
    time_now += milliseconds * 1000000;
    world_settle(w);
}

static void begin_timed(struct world *world, int index)
{
    time_now = 1000000000;
    plx_clock_set(read_time, NULL);
    world_begin(world, index);
}

static void end_timed(void)
{
    plx_clock_set(NULL, NULL);
}

/* TIMED_CASE is CASE in a world whose time stands still unless it is passed. */
#define TIMED_CASE(name) WORLD_CASE(name, begin_timed(&world_, _i), world_count(), NULL)
#define TIMED_SOCKET_CASE(name) WORLD_SOCKET_CASE(TIMED_CASE, name, world_socket(w, log))

/* ---- small steps ----------------------------------------------------------------------------- */

/* Takes what a raw peer has got, which must continue the pattern; -1: nothing now, 0: the end, -2:
 * a reset. */
static ptrdiff_t raw_drain(int raw, uint64_t *got)
{
    static unsigned char piece[64 * 1024];
    ptrdiff_t size;

    while ((size = raw_take(raw, piece, sizeof piece)) > 0) {
        ck_assert(pattern_matches(piece, (size_t)size, *got));
        *got += (uint64_t)size;
    }
    return size;
}

/* ---- the faults ------------------------------------------------------------------------------ */

/* DEF1: the peer says it will send no more while twenty megabytes are queued for it: it gets all */
PAIR_CASE(the_peer_ends_its_side_and_gets_all)
{
    uint64_t got = 0;

    write_pattern(w, socket, 20 * MIB);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    world_settle(w);
    UNTIL(w, raw_drain(raw, &got) == 0);
    ck_assert_uint_eq(got, 20 * MIB);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_uint_eq(log->sent, 20 * MIB);
}

/* DEF2, DEF20: where nobody answers, connecting ends after its one limit, with an error */
TIMED_SOCKET_CASE(nobody_answers_for_thirty_seconds)
{
    raw_silent(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    for (int second = 0; second < 29; second++)
        pass(w, 1000);
    LOGGED(w, log, "state:CONNECTING");
    pass(w, 900);
    LOGGED(w, log, "state:CONNECTING");
    for (int quarter = 0; quarter < 4; quarter++) /* each may end a frame late */
        pass(w, 1000);
    LOGGED(w, log, "state:CONNECTING state:UNCONNECTED error(110,15)[UNCONNECTED]");
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
    pass(w, 60000); /* and no second try */
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
}

/* DEF2: one connect is one connection */
SOCKET_CASE(one_try_each)
{
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw_close(w, raw_accept(w, listener));
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    world_settle(w);
    ck_assert(!is_readable(listener));
}

/* DEF3: at a limit of 100 with 150 sent, 60 are read: the other 50 come by themselves, and are
 * reported
 */
SOCKET_CASE(room_is_filled_again)
{
    unsigned char bytes[150], got[150];
    int raw;

    pattern_fill(bytes, sizeof bytes, 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 100), 0);
    raw = world_pair(w, socket, log);
    raw_send(raw, bytes, sizeof bytes);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 1);
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 100);
    ck_assert_int_eq(plx_socket_read(socket, got, 60), 60);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 2);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 90);
    ck_assert_int_eq(plx_socket_read(socket, got + 60, 90), 90);
    ck_assert(pattern_matches(got, 150, 0));
}

/* Sleeps in every way there is, in vain; returns the microseconds that it cost. */
static long long sleep_in_vain(struct world *w, plx_socket *socket)
{
    long long before = process_us();

    plx_socket_lookahead(socket, NULL); /* what arrived is no event */
    ck_assert(!plx_socket_wait_for_data(socket, 50));
    ck_assert(!plx_socket_wait_for_disconnected(socket, 50));
    ck_assert(!plx_socket_wait(socket, 50));
    if (w->group != NULL)
        ck_assert(!plx_group_poll(w->group, 50));
    return process_us() - before;
}

/* DEF4: waiting for what never comes is sleep: with nothing received, with a full buffer and more
 * in the kernel, and when the peer is gone behind that. A spin would cost all of the time, which is
 * 150 ms at least. */
CASE(waiting_is_sleep)
{
    enum { LIMIT = 30 * 1000 };
    plx_socket *socket = world_socket(w, NULL);
    unsigned char bytes[5000];
    int raw;

    pattern_fill(bytes, sizeof bytes, 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 1000), 0);
    raw = world_pair(w, socket, NULL);
    world_settle(w);
    EXPECT_BELOW(LIMIT, sleep_in_vain(w, socket));
    raw_send(raw, bytes, sizeof bytes);
    UNTIL(w, plx_socket_bytes_available(socket) == 1000);
    world_settle(w);
    EXPECT_BELOW(LIMIT, sleep_in_vain(w, socket));
    raw_close(w, raw);
    world_settle(w);
    EXPECT_BELOW(LIMIT, sleep_in_vain(w, socket));
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 1000);
}

enum { CHUNK = 1000, CHUNKS = 5 };

static void act_write_and_flush(struct record *record, plx_socket *socket)
{
    unsigned char bytes[CHUNK];
    int *written = record->data;

    if (*written == CHUNKS)
        return;
    pattern_fill(bytes, CHUNK, (uint64_t)*written * CHUNK);
    ck_assert_int_eq(plx_socket_write(socket, bytes, CHUNK), CHUNK);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ++*written;
}

/* Writes and flushes in a handler of sending until five chunks are gone: all of it is reported. */
static void flush_inside(struct world *w, enum event event)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log), written = 0;
    uint64_t got = 0;

    record_on(&log, event, act_write_and_flush, &written);
    log.always = true;
    act_write_and_flush(&log, socket);
    UNTIL(w, log.sent == CHUNK * CHUNKS);
    UNTIL(w, raw_drain(raw, &got) == -1 && got == CHUNK * CHUNKS);
    world_settle(w);
    ck_assert_uint_eq(log.sent, CHUNK * CHUNKS);
    ck_assert_uint_eq(log.left, 0);
    ck_assert_int_gt(log.count[EVENT_SEND_COMPLETE], 0);
}

/* DEF6: writing and flushing while hearing of what was sent */
CASE(flush_inside_progress)
{
    flush_inside(w, EVENT_SEND_PROGRESS);
}

/* DEF6: and while hearing that all was sent */
CASE(flush_inside_complete)
{
    flush_inside(w, EVENT_SEND_COMPLETE);
}

/* DEF8: twenty megabytes and an abort: the peer can see that it did not get all */
CASE(abort_shows)
{
    plx_socket *socket = world_socket(w, NULL);
    int raw = world_pair(w, socket, NULL);
    uint64_t got = 0;
    ptrdiff_t end = -1;

    write_pattern(w, socket, 20 * MIB);
    plx_socket_abort(socket);
    UNTIL(w, (end = raw_drain(raw, &got)) != -1);
    ck_assert_uint_lt(got, 20 * MIB);
    ck_assert_int_eq(end, w->kind->resets ? -2 : 0);
}

/* DEF8: and free, which sends what the kernel takes, and not nothing */
CASE(free_sends_what_it_can)
{
    plx_socket *socket = world_socket(w, NULL);
    int raw = world_pair(w, socket, NULL);
    uint64_t got = 0;
    ptrdiff_t end = -1;

    write_pattern(w, socket, 10000);
    world_free(w, socket);
    UNTIL(w, (end = raw_drain(raw, &got)) != -1);
    ck_assert_int_eq(end, 0);
    ck_assert_uint_eq(got, 10000);
    socket = world_socket(w, NULL);
    raw = world_pair(w, socket, NULL);
    got = 0;
    write_pattern(w, socket, 20 * MIB);
    world_free(w, socket);
    UNTIL(w, raw_drain(raw, &got) == 0);
    ck_assert_uint_gt(got, 0);
}

static void call_off(struct world *w, bool by_disconnect)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_silent(w, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    world_settle(w);
    if (by_disconnect)
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    else
        plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    raw_accept(w, listener); /* now there would be room */
    world_settle(w);
    SETTLED(w, &log, "state:CONNECTING");
}

/* DEF9: disconnect while nobody answers: over at once, and never `connected` */
CASE(disconnect_calls_off)
{
    call_off(w, true);
}

/* DEF9: close, too */
CASE(close_calls_off)
{
    call_off(w, false);
}

/* DEF10: a peer that never reads holds a closing socket for its one limit, and no longer */
TIMED_SOCKET_CASE(closing_for_thirty_seconds)
{
    world_pair(w, socket, log);
    log->mute = 1u << EVENT_SEND_PROGRESS;
    write_pattern(w, socket, 20 * MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    for (int second = 0; second < 29; second++)
        pass(w, 1000);
    LOGGED(w, log, "state:CLOSING");
    pass(w, 900);
    LOGGED(w, log, "state:CLOSING");
    for (int quarter = 0; quarter < 4; quarter++)
        pass(w, 1000);
    LOGGED(w, log,
           "state:CLOSING state:UNCONNECTED error(102,15)[UNCONNECTED] disconnected[UNCONNECTED]");
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
}

/* DEF11: a wait that times out is no error, whichever wait and whatever the kind */
SOCKET_CASE(no_wait_raises_an_error)
{
    plx_socket *other = world_socket(w, log);

    raw_silent(w, where);
    ck_assert_int_eq(plx_socket_connect_to(other, where), 0);
    ck_assert(!plx_socket_wait_for_connected(other, 10));
    ck_assert(!plx_socket_wait_for_data(other, 10));
    plx_socket_close(other);
    record_clear(log);
    world_pair(w, socket, NULL);
    write_pattern(w, socket, 20 * MIB);
    ck_assert(!plx_socket_wait_for_sent(socket, 10));
    ck_assert(!plx_socket_wait_for_data(socket, 10));
    ck_assert(!plx_socket_wait_for_disconnected(socket, 10));
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* DEF18: datagrams to a peer that is not there: reported as an error, once, and the socket is as
 * before */
MODE_CASE(datagram_to_nobody)
{
    struct record log;
    plx_socket *udp = world_socket_of(w, plx_udp_new, &log);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    int raw = world_raw(w, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    char where[WHERE_SIZE], got[8];

    ck_assert_int_eq(bind(raw, (struct sockaddr *)&name, size), 0);
    ck_assert_int_eq(getsockname(raw, (struct sockaddr *)&name, &size), 0);
    raw_close(w, raw);
    snprintf(where, sizeof where, "127.0.0.1:%d", ntohs(name.sin_port));
    ck_assert_int_eq(plx_socket_connect_to(udp, where), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    record_clear(&log);
    for (int round = 1; round <= 3; round++) {
        ck_assert_int_eq(plx_socket_write(udp, "anybody?", 8), 8);
        UNTIL(w, log.count[EVENT_ERROR] == 1);
        world_settle(w);
        ck_assert_int_eq(log.count[EVENT_ERROR], 1);
        ck_assert_int_eq(log.code, ECONNREFUSED);
        ck_assert_int_eq(log.reason, PLX_REASON_CONNECTION_REFUSED);
        ck_assert_int_eq(plx_socket_read(udp, got, sizeof got), 0);
        ck_assert_int_eq(plx_socket_state(udp), PLX_CONNECTED);
    }
    ck_assert_int_eq(log.count[EVENT_STATE_CHANGED], 0);
    ck_assert_int_eq(log.count[EVENT_DATA_AVAILABLE], 0);
    raw = world_raw(w, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ck_assert_int_eq(bind(raw, (struct sockaddr *)&name, size), 0);
    ck_assert_int_eq(plx_socket_write(udp, "at last", 7), 7);
    raw_expect(w, raw, "at last");
}

/* DEF19: hundreds that connected before the server's first poll: all of them are taken */
CASE(hundreds_before_the_first_poll)
{
    enum { COUNT = 400 };
    plx_server *server = world_server(w);
    int raws[COUNT];
    char where[WHERE_SIZE];
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 2 * COUNT + 50) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    world_serve(w, server, where);
    for (int i = 0; i < COUNT; i++)
        raws[i] = raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == COUNT);
    for (int i = 0; i < COUNT; i++)
        raw_close(w, raws[i]);
    UNTIL(w, plx_server_active_count(server) == 0);
}

/* DEF21: options that were set before there was a descriptor */
CASE(options_before_the_descriptor)
{
    plx_socket *socket = world_socket(w, NULL);
    int value = 0;
    socklen_t size = sizeof value;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_BUFFER_SIZE, 10000), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 12000), 0);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_RECEIVE_BUFFER_SIZE), 10000);
    world_pair(w, socket, NULL);
    ck_assert_int_eq(getsockopt(plx_socket_handle(socket), SOL_SOCKET, SO_RCVBUF, &value, &size),
                     0);
    ck_assert_int_eq(value, 20000); /* Linux doubles it, socket(7) */
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_RECEIVE_BUFFER_SIZE), value);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_SEND_BUFFER_SIZE), 24000);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_RECEIVE_BUFFER_SIZE), 10000);
    world_pair(w, socket, NULL);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_RECEIVE_BUFFER_SIZE), 20000);
}

/* ---- measurements ---------------------------------------------------------------------------- */

/* Two sockets that hold the ends of one pair. */
static void pair_of_ours(struct world *w, plx_socket **ret_a, plx_socket **ret_b)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    *ret_a = world_socket_of(w, plx_ipc_new, NULL);
    *ret_b = world_socket_of(w, plx_ipc_new, NULL);
    ck_assert_int_eq(plx_socket_adopt(*ret_a, pair[0]), 0);
    ck_assert_int_eq(plx_socket_adopt(*ret_b, pair[1]), 0);
    world_settle(w);
}

enum { PERIOD = 1 << 24, PIECE = 1000 };

/* The pattern repeats itself after PERIOD; a table of it is faster than asking for each byte. */
static unsigned char *pattern_table(void)
{
    unsigned char *table = malloc(PERIOD + PIECE);

    ck_assert_ptr_nonnull(table);
    pattern_fill(table, PERIOD + PIECE, 0);
    return table;
}

/* 200 megabytes through a pair that holds a thousand bytes on each side: to the byte, and in the
 * memory that the first megabyte took. */
MODE_CASE(much_through_little)
{
    uint64_t total = (is_slow() ? 20 : 200) * 1000000ull, written = 0, got = 0;
    unsigned char *table = pattern_table();
    size_t most = 0, most_of_first = 0, size;
    int vain = 0;
    plx_socket *a, *b;

    if ((int)w->mode != world_modes() - 1)
        total /= 10;
    pair_of_ours(w, &a, &b);
    ck_assert_int_eq(plx_socket_set_option(a, PLX_OPTION_WRITE_LIMIT, PIECE), 0);
    ck_assert_int_eq(plx_socket_set_option(b, PLX_OPTION_READ_LIMIT, PIECE), 0);
    while (got < total) {
        uint64_t left = total - written;
        ptrdiff_t count =
            plx_socket_write(a, table + written % PERIOD, left < PIECE ? (size_t)left : PIECE);
        const void *bytes;

        ck_assert_int_ge(count, 0);
        written += (uint64_t)count;
        ck_assert_uint_le(plx_socket_bytes_left_to_send(a), PIECE);
        world_poll(w);
        bytes = plx_socket_read_all(b, &size);
        ck_assert_uint_le(size, PIECE);
        ck_assert(memcmp(bytes, table + got % PERIOD, size) == 0);
        got += size;
        vain = size > 0 ? 0 : vain + 1;
        ck_assert_int_lt(vain, 1000);
        most = count_bytes() > most ? count_bytes() : most;
        if (got < 1000000)
            most_of_first = most;
    }
    ck_assert_uint_eq(most, most_of_first);
    free(table);
}

/* Ways to find out, after each byte, whether a line is there. */
enum { BY_READING, BY_ASKING, BY_EVENT, WAYS };

static bool look_for_line(plx_socket *socket, int way, const struct record *log, char *line,
                          size_t size)
{
    if (way == BY_ASKING && !plx_socket_can_read_line(socket))
        return false;
    if (way == BY_EVENT && log->count[EVENT_LINE_AVAILABLE] == 0)
        return false;
    return plx_socket_read_line(socket, line, size + 2) == (ptrdiff_t)size;
}

/* What a line of that number of bytes costs that arrives byte by byte, in microseconds. */
static long long cost_of_line(struct world *w, size_t size, int way)
{
    struct record log;
    plx_socket *socket = world_socket_of(w, plx_ipc_new, NULL);
    char *line = malloc(size + 2);
    int pair[2];
    long long before;

    memset(&log, 0, sizeof log);
    log.when = EVENT_NEVER;
    log.mute = ~0u;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(plx_socket_adopt(socket, pair[0]), 0);
    world_settle(w);
    if (way == BY_EVENT)
        plx_socket_set_events(socket, &record_events, &log);
    before = process_us();
    for (size_t i = 1; i <= size; i++) {
        ck_assert(send(pair[1], i == size ? "\n" : "x", 1, MSG_NOSIGNAL) == 1);
        world_poll(w);
        if (look_for_line(socket, way, &log, line, size) != (i == size))
            ck_abort_msg("a line after %zu of %zu bytes", i, size);
    }
    before = process_us() - before;
    free(line);
    close(pair[1]);
    world_free(w, socket);
    return before;
}

/* Ten times the bytes at most twelve times the cost. What disturbs a measurement does not disturb
 * three of them; a search that begins anew each time would come out far above. */
static void line_in_linear_time(size_t large, int way)
{
    struct world world;
    double ratio = 0;

    world_begin_plain(&world, (enum mode)(world_modes() - 1));
    for (int try = 0; try < 3; try++) {
        long long small = cost_of_line(&world, large / 10, way);
        long long whole = cost_of_line(&world, large, way);

        small = (small + cost_of_line(&world, large / 10, way)) / 2; /* before it and after it */
        ratio = (double)whole / (double)small;
        printf("# line of %zu bytes, byte by byte: %.1f times one of %zu\n", large, ratio,
               large / 10);
        if (ratio <= 12)
            break;
    }
    ck_assert_double_le(ratio, 12);
    world_end(&world);
}

/* A line byte by byte, read as soon as it is there. */
PLAIN_CASE(line_byte_by_byte_read)
{
    line_in_linear_time(is_slow() ? 200000 : 1000000, BY_READING);
}

/* And reported by an event. */
PLAIN_CASE(line_byte_by_byte_told)
{
    line_in_linear_time(is_slow() ? 200000 : 1000000, BY_EVENT);
}

/* And asked for by plx_socket_can_read_line. */
PLAIN_CASE(line_byte_by_byte_asked_for)
{
    line_in_linear_time(200000, BY_ASKING);
}

WORLD_MAIN("qt-faults", .timeout = 240, .teardown = end_timed)
