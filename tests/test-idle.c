/* tests/test-idle.c -- PLX_OPTION_IDLE_TIMEOUT while bytes are being sent.
 *
 * Bytes that are sent count once the peer's kernel has acknowledged them, so that a program that
 * writes in every frame finds out that nobody is there; and a peer that lives is never taken for
 * one that does not.
 *
 * Time is the test's own and passes in frames, so that a machine that halts this process for a
 * while changes nothing. Two cases measure by the kernel's clock, which is also that of its answer
 * when the last acknowledgement came. */
#include "config.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "tests/clocks.h"
#include "tests/deaf.h"
#include "tests/sockets.h"
#include "tests/world.h"

#define LIMIT 200

/* Where the socket must live: some 125 frames, for the peer's kernel takes 40 real milliseconds
 * over an acknowledgement. */
#define LONG_LIMIT 2000

enum { FRAME = 16 }; /* milliseconds */

static uint64_t moment;

static uint64_t game_clock(void *user)
{
    (void)user;
    return moment;
}

static void pass_time(int milliseconds)
{
    moment += (uint64_t)milliseconds * 1000000u;
}

static int64_t game_ms(void)
{
    return (int64_t)(moment / 1000000u);
}

/* From the kernel's time on, so that a case can go back to that. */
static void begin_time(void)
{
    moment = (uint64_t)clock_ns(CLOCK_MONOTONIC);
    plx_clock_set(game_clock, NULL);
}

static void end_time(void)
{
    plx_clock_set(NULL, NULL);
}

static void set(plx_socket *socket, plx_option option, int value)
{
    ck_assert_int_eq(plx_socket_set_option(socket, option, value), 0);
}

static plx_socket *with_limit(struct world *w, struct record *log, int limit)
{
    plx_socket *socket = world_socket(w, log);

    log->mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_SEND_COMPLETE;
    set(socket, PLX_OPTION_IDLE_TIMEOUT, limit);
    return socket;
}

static plx_socket *limited(struct world *w, struct record *log)
{
    return with_limit(w, log, LIMIT);
}

/* LIMITED_CASE begins with a connection that may be idle for LIMIT. */
#define LIMITED_CASE(name) WORLD_PAIR_CASE(MODE_CASE, name, limited(w, log))

static void write_some(plx_socket *socket, const char *text)
{
    ck_assert_int_eq(plx_socket_write(socket, text, strlen(text)), (ptrdiff_t)strlen(text));
}

/* One frame of `milliseconds`, of which the kernel has at least one to do its part. */
static void frame(struct world *w, int milliseconds)
{
    world_turn(w, 20);
    pass_time(milliseconds);
}

/* Polls for `milliseconds`, and writes each `pause` of them; -1: never. */
static void play(struct world *w, plx_socket *socket, int milliseconds, int pause)
{
    int64_t end = game_ms() + milliseconds, next = game_ms();

    while (game_ms() < end && plx_socket_state(socket) == PLX_CONNECTED) {
        int64_t left = end - game_ms();

        if (pause >= 0 && game_ms() >= next) {
            write_some(socket, "move\n");
            next = game_ms() + pause;
        }
        frame(w, left < FRAME ? (int)left : FRAME);
    }
}

static void expect_connected(struct world *w, const plx_socket *socket, const struct record *log)
{
    ck_assert_msg(plx_socket_state(socket) == PLX_CONNECTED, "%s: %s", world_name(w), log->text);
}

/* It has ended although the program went on writing. */
static void expect_ended(struct world *w, const plx_socket *socket)
{
    ck_assert_msg(plx_socket_state(socket) == PLX_UNCONNECTED, "%s: still connected",
                  world_name(w));
}

/* Time passes with each turn. */
static void expect_idle(struct world *w, const plx_socket *socket, struct record *log)
{
    UNTIL(w, (pass_time(5), log->count[EVENT_DISCONNECTED] == 1));
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    LOGGED(w, log, "state:UNCONNECTED error(110,15)[UNCONNECTED] disconnected[UNCONNECTED]");
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
}

/* ---- nobody is there ------------------------------------------------------------------------- */

LIMITED_CASE(writing_to_nobody_in_each_frame)
{
    int64_t begin;

    deafen(raw);
    begin = game_ms();
    play(w, socket, 20 * LIMIT, 16);
    expect_ended(w, socket);
    ck_assert_int_ge(game_ms() - begin, LIMIT);
    expect_idle(w, socket, log);
}

/* Polled and written to less often than the limit says. */
LIMITED_CASE(writing_to_nobody_now_and_then)
{
    deafen(raw);
    for (int i = 0; i < 10 && plx_socket_state(socket) == PLX_CONNECTED; i++) {
        write_some(socket, "move\n");
        frame(w, LIMIT + 50);
    }
    expect_ended(w, socket);
    expect_idle(w, socket, log);
}

LIMITED_CASE(writing_once_to_nobody)
{
    deafen(raw);
    write_some(socket, "x");
    expect_idle(w, socket, log);
}

/* More than the kernel takes. */
LIMITED_CASE(writing_a_lot_to_nobody)
{
    static char much[8 * 1024 * 1024];

    deafen(raw);
    ck_assert_int_eq(plx_socket_write(socket, much, sizeof much), sizeof much);
    expect_idle(w, socket, log);
}

LIMITED_CASE(a_peer_that_falls_silent_in_play)
{
    log->mute |= 1u << EVENT_DATA_AVAILABLE | 1u << EVENT_LINE_AVAILABLE;
    for (int i = 0; i < 10; i++) {
        raw_say(raw, "move\n");
        UNTIL(w, plx_socket_bytes_available(socket) == 5 * (size_t)(i + 1));
        play(w, socket, 30, 16);
    }
    expect_connected(w, socket, log);
    deafen(raw);
    play(w, socket, 20 * LIMIT, 16);
    expect_ended(w, socket);
    expect_idle(w, socket, log);
}

LIMITED_CASE(waiting_for_an_answer_from_nobody)
{
    deafen(raw);
    end_time(); /* a wait sleeps, and nobody would let the time pass */
    write_some(socket, "what time is it?\n");
    ck_assert(!plx_socket_wait_for_data(socket, 20000));
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    expect_idle(w, socket, log);
}

MODE_CASE(a_client_of_a_server_that_is_gone)
{
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];
    int raw, frames = 0;

    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_IDLE_TIMEOUT, LIMIT), 0);
    world_serve(w, server, where);
    raw = raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 1);
    deafen(raw);
    for (; frames < ROUNDS && plx_server_active_count(server) == 1; frames++) {
        write_some(plx_server_next_active(server, NULL), "move\n");
        frame(w, FRAME);
    }
    ck_assert_int_lt(frames, ROUNDS);
}

/* ---- somebody is there ----------------------------------------------------------------------- */

/* The peer reads nothing and its kernel acknowledges. */
static void live(struct world *w, int pause)
{
    struct record log;
    plx_socket *socket = with_limit(w, &log, LONG_LIMIT);

    world_pair(w, socket, &log);
    play(w, socket, 2 * LONG_LIMIT + 200, pause);
    expect_connected(w, socket, &log);
    plx_socket_set_events(socket, NULL, NULL);
}

MODE_CASE(bytes_acknowledged_in_each_frame_are_a_sign_of_life)
{
    live(w, 16);
}

MODE_CASE(bytes_acknowledged_now_and_then_are_a_sign_of_life)
{
    live(w, LONG_LIMIT / 3);
}

/* Returns false if the machine was halted so long that the time was over before the byte was
 * written. */
static bool silence_is_counted(struct world *w, int limit)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    long long begin, written;

    world_pair(w, socket, &log);
    log.mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_SEND_COMPLETE;
    begin = now_ms();
    set(socket, PLX_OPTION_IDLE_TIMEOUT, limit);
    while (now_ms() - begin < limit * 2 / 3)
        world_turn(w, 20);
    if (plx_socket_state(socket) != PLX_CONNECTED) {
        ck_assert_int_ge(now_ms() - begin, limit);
        return false;
    }
    written = now_ms();
    write_some(socket, "x");
    expect_idle(w, socket, &log);
    ck_assert_int_ge(now_ms() - written, limit - 20);
    return true;
}

/* What reaches the kernel while the program receives nothing is no silence; what stays there is. */
static void hold_back(struct world *w, plx_socket *socket, struct record *log, int raw,
                      plx_option option)
{
    set(socket, option, 1);
    for (int i = 0; i < 9; i++) {
        raw_say(raw, "x");
        play(w, socket, LIMIT / 2, -1);
    }
    expect_connected(w, socket, log);
    set(socket, option, 0);
    UNTIL(w, plx_socket_bytes_available(socket) == 9);
    set(socket, option, 1);
    raw_say(raw, "y");
    record_clear(log);
    expect_idle(w, socket, log);
}

LIMITED_CASE(bytes_held_back_by_a_pause)
{
    hold_back(w, socket, log, raw, PLX_OPTION_PAUSE_READING);
}

LIMITED_CASE(bytes_held_back_by_a_limit)
{
    hold_back(w, socket, log, raw, PLX_OPTION_READ_LIMIT);
}

/* The time is counted from what was sent last and arrived, as without acknowledgements. */
MODE_CASE(silence_is_counted_from_the_last_byte)
{
    int limit = LIMIT;

    end_time();
    while (!silence_is_counted(w, limit)) {
        ck_assert_int_lt(limit, 10000);
        limit *= 2;
    }
}

/* A byte that is sent just before the time is over has its own time to arrive: here it is lost and
 * sent again. */
LIMITED_CASE(a_late_byte_has_time_to_arrive)
{
    int64_t written;

    write_some(socket, "a");
    play(w, socket, LIMIT - 20, -1);
    deafen(raw);
    written = game_ms();
    write_some(socket, "b");
    play(w, socket, 30, -1); /* beyond the end of the first time */
    hear_again(raw);
    raw_expect(w, raw, "ab");
    play(w, socket, 40, -1);
    expect_connected(w, socket, log);
    expect_idle(w, socket, log);
    ck_assert_int_ge(game_ms() - written, LIMIT);
}

static int unacknowledged(const plx_socket *socket)
{
    int size = -1;

    ck_assert_int_eq(ioctl(plx_socket_handle(socket), SIOCOUTQ, &size), 0);
    return size;
}

/* How many of that many bytes the peer's kernel has acknowledged. */
static size_t arrived(const plx_socket *socket, size_t written)
{
    return written - plx_socket_bytes_left_to_send(socket) - (size_t)unacknowledged(socket);
}

/* Everything is in our kernel, which has room for it, and leaves it slowly: in small segments,
 * which a small window lets through one after another. Time passes once some have arrived, for the
 * kernel may take its time over a window that was shut. */
MODE_CASE(a_slow_reader_is_a_sign_of_life)
{
    static char piece[64 * 1024];
    struct record log;
    plx_socket *socket = with_limit(w, &log, LIMIT);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raw, small = 4096, segment = 1000;

    ck_assert_int_eq(setsockopt(listener, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw = raw_accept(w, listener);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    setsockopt(raw, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    set(socket, PLX_OPTION_SEND_BUFFER_SIZE, 4 * 1024 * 1024);
    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(plx_socket_write(socket, piece, sizeof piece), sizeof piece);
    for (int i = 0; i < 12; i++) {
        size_t before = arrived(socket, 64 * sizeof piece);

        UNTIL(w, (raw_take(raw, piece, sizeof piece),
                  arrived(socket, 64 * sizeof piece) > before));
        expect_connected(w, socket, &log);
        pass_time(LIMIT - 1);
    }
    expect_connected(w, socket, &log);
    ck_assert_int_gt(unacknowledged(socket), 0);
}

/* What was asked for long after the last frame still leaves. */
LIMITED_CASE(writing_after_a_long_frame)
{
    for (int i = 0; i < 3; i++) {
        pass_time(LIMIT + 50);
        write_some(socket, "x");
        UNTIL(w, plx_socket_bytes_left_to_send(socket) == 0 && unacknowledged(socket) == 0);
        expect_connected(w, socket, log);
    }
    raw_expect(w, raw, "xxx");
}

/* ---- kinds without acknowledgements ---------------------------------------------------------- */

/* What our kernel takes is in the peer's queue. Once that is full, nothing moves any more. */
MODE_CASE(a_local_peer_that_never_reads)
{
    plx_constructor *const local[] = {plx_ipc_new, plx_seqpacket_new};

    for (size_t i = 0; i < 2; i++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, local[i], &log);
        plx_socket *peer = world_socket_of(w, local[i], NULL);
        char where[WHERE_SIZE];
        int64_t begin;

        snprintf(where, sizeof where, "%s/peer%zu", w->folder, i);
        log.mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_SEND_COMPLETE;
        set(socket, PLX_OPTION_IDLE_TIMEOUT, LIMIT);
        set(peer, PLX_OPTION_READ_LIMIT, 100);
        ck_assert_int_eq(plx_socket_listen_on(peer, where), 0);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        UNTIL(w, plx_socket_is_connected(socket) && plx_socket_is_connected(peer));
        UNTIL(w, log.count[EVENT_CONNECTED] == 1);
        record_clear(&log);
        play(w, socket, 3 * LIMIT, 16);
        expect_connected(w, socket, &log);
        begin = game_ms();
        expect_idle(w, socket, &log);
        ck_assert_int_ge(game_ms() - begin, LIMIT - 50);
    }
}

WORLD_MAIN("idle", .setup = begin_time, .teardown = end_time)
