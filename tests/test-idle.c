/* tests/test-idle.c -- PLX_OPTION_IDLE_TIMEOUT while bytes are being sent.
 *
 * Bytes that are sent count once the peer's kernel has acknowledged them, so that a program that
 * writes in every frame finds out that nobody is there; and a peer that lives is never taken for one
 * that does not. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/deaf.h"
#include "tests/world.h"

#define LIMIT 200

/* Where the socket must live, with room for a machine that halts this process for a while. */
#define LONG_LIMIT 900

/* Those that take seconds run alone and in one group: all groups keep deadlines in one way. */
#define ADD_LONG_CASE(tcase, name) tcase_add_loop_test(tcase, name, 0, MODE_EPOLL + 1)

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

static void write_some(plx_socket *socket, const char *text)
{
    ck_assert_int_eq(plx_socket_write(socket, text, strlen(text)), (ptrdiff_t)strlen(text));
}

/* Polls for so many milliseconds, and writes each `pause` of them; -1: never. */
static void play(struct world *w, plx_socket *socket, int milliseconds, int pause)
{
    int64_t begin = now_ms(), next = begin;

    while (now_ms() - begin < milliseconds && plx_socket_state(socket) == PLX_CONNECTED) {
        if (pause >= 0 && now_ms() >= next) {
            write_some(socket, "move\n");
            next = now_ms() + pause;
        }
        world_turn(w, 20);
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

static void expect_idle(struct world *w, const plx_socket *socket, struct record *log)
{
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    LOGGED(w, log, "state:UNCONNECTED error(110,15)[UNCONNECTED] disconnected[UNCONNECTED]");
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
}

/* ---- nobody is there ------------------------------------------------------------------------- */

MODE_CASE(writing_to_nobody_in_each_frame)
{
    struct record log;
    plx_socket *socket = with_limit(w, &log, LIMIT);
    int64_t begin;

    deafen(world_pair(w, socket, &log));
    begin = now_ms();
    play(w, socket, 20 * LIMIT, 16);
    expect_ended(w, socket);
    ck_assert_int_ge(now_ms() - begin, LIMIT - 50);
    expect_idle(w, socket, &log);
}

/* Polled and written to less often than the limit says. */
MODE_CASE(writing_to_nobody_now_and_then)
{
    struct record log;
    plx_socket *socket = with_limit(w, &log, LIMIT);

    deafen(world_pair(w, socket, &log));
    for (int i = 0; i < 10 && plx_socket_state(socket) == PLX_CONNECTED; i++) {
        write_some(socket, "move\n");
        world_poll(w);
        poll(NULL, 0, LIMIT + 50);
    }
    expect_ended(w, socket);
    expect_idle(w, socket, &log);
}

MODE_CASE(writing_once_to_nobody)
{
    struct record log;
    plx_socket *socket = with_limit(w, &log, LIMIT);

    deafen(world_pair(w, socket, &log));
    write_some(socket, "x");
    expect_idle(w, socket, &log);
}

/* More than the kernel takes. */
MODE_CASE(writing_a_lot_to_nobody)
{
    static char much[8 * 1024 * 1024];
    struct record log;
    plx_socket *socket = with_limit(w, &log, LIMIT);

    deafen(world_pair(w, socket, &log));
    ck_assert_int_eq(plx_socket_write(socket, much, sizeof much), sizeof much);
    expect_idle(w, socket, &log);
}

MODE_CASE(a_peer_that_falls_silent_in_play)
{
    struct record log;
    plx_socket *socket = with_limit(w, &log, LIMIT);
    int raw = world_pair(w, socket, &log);

    log.mute |= 1u << EVENT_DATA_AVAILABLE | 1u << EVENT_LINE_AVAILABLE;
    for (int i = 0; i < 10; i++) {
        raw_say(raw, "move\n");
        play(w, socket, 30, 16);
    }
    expect_connected(w, socket, &log);
    deafen(raw);
    play(w, socket, 20 * LIMIT, 16);
    expect_ended(w, socket);
    expect_idle(w, socket, &log);
}

MODE_CASE(waiting_for_an_answer_from_nobody)
{
    struct record log;
    plx_socket *socket = with_limit(w, &log, LIMIT);

    deafen(world_pair(w, socket, &log));
    write_some(socket, "what time is it?\n");
    ck_assert(!plx_socket_wait_for_data(socket, 20000));
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    expect_idle(w, socket, &log);
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
        world_turn(w, 20);
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

/* The time is counted from what was sent last and arrived, as without acknowledgements. */
MODE_CASE(silence_is_counted_from_the_last_byte)
{
    struct record log;
    plx_socket *socket = with_limit(w, &log, LIMIT);
    int64_t written;

    world_pair(w, socket, &log);
    play(w, socket, LIMIT * 2 / 3, -1);
    written = now_ms();
    write_some(socket, "x");
    expect_idle(w, socket, &log);
    ck_assert_int_ge(now_ms() - written, LIMIT - 20);
}

/* A byte that is sent just before the time is over has its own time to arrive: here it is lost and
 * sent again. */
MODE_CASE(a_late_byte_has_time_to_arrive)
{
    struct record log;
    plx_socket *socket = with_limit(w, &log, 1000);
    int raw = world_pair(w, socket, &log);
    int64_t written;

    write_some(socket, "a");
    play(w, socket, 900, -1);
    deafen(raw);
    written = now_ms();
    write_some(socket, "b");
    play(w, socket, 150, -1); /* beyond the end of the first time */
    hear_again(raw);
    raw_expect(w, raw, "ab");
    play(w, socket, 200, -1);
    expect_connected(w, socket, &log);
    expect_idle(w, socket, &log);
    ck_assert_int_ge(now_ms() - written, 1000 - 20);
}

/* Everything is in our kernel, which has room for it, and leaves it slowly. */
MODE_CASE(a_slow_reader_is_a_sign_of_life)
{
    static char piece[64 * 1024];
    struct record log;
    plx_socket *socket = with_limit(w, &log, LONG_LIMIT);
    int raw = world_pair(w, socket, &log), small = 4096;
    int64_t begin = now_ms();

    setsockopt(raw, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    set(socket, PLX_OPTION_SEND_BUFFER_SIZE, 4 * 1024 * 1024);
    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(plx_socket_write(socket, piece, sizeof piece), sizeof piece);
    while (now_ms() - begin < 2 * LONG_LIMIT + 200) {
        for (int i = 0; i < 4; i++)
            raw_take(raw, piece, sizeof piece);
        play(w, socket, 20, -1);
    }
    expect_connected(w, socket, &log);
}

/* What was asked for long after the last frame still leaves. */
MODE_CASE(writing_after_a_long_frame)
{
    struct record log;
    plx_socket *socket = with_limit(w, &log, LIMIT);
    int raw = world_pair(w, socket, &log);

    for (int i = 0; i < 3; i++) {
        poll(NULL, 0, LIMIT + 50);
        write_some(socket, "x");
        world_settle(w);
        expect_connected(w, socket, &log);
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
        begin = now_ms();
        expect_idle(w, socket, &log);
        ck_assert_int_ge(now_ms() - begin, LIMIT - 50);
    }
}

int main(void)
{
    Suite *suite = suite_create("idle");
    TCase *idle = tcase_create("idle");

    ADD_MODE_CASE(idle, writing_to_nobody_in_each_frame);
    ADD_MODE_CASE(idle, writing_to_nobody_now_and_then);
    ADD_MODE_CASE(idle, writing_once_to_nobody);
    ADD_MODE_CASE(idle, writing_a_lot_to_nobody);
    ADD_MODE_CASE(idle, a_peer_that_falls_silent_in_play);
    ADD_MODE_CASE(idle, waiting_for_an_answer_from_nobody);
    ADD_MODE_CASE(idle, a_client_of_a_server_that_is_gone);
    ADD_MODE_CASE(idle, silence_is_counted_from_the_last_byte);
    ADD_MODE_CASE(idle, writing_after_a_long_frame);
    ADD_MODE_CASE(idle, a_local_peer_that_never_reads);
    ADD_LONG_CASE(idle, bytes_acknowledged_in_each_frame_are_a_sign_of_life);
    ADD_LONG_CASE(idle, bytes_acknowledged_now_and_then_are_a_sign_of_life);
    ADD_LONG_CASE(idle, a_late_byte_has_time_to_arrive);
    ADD_LONG_CASE(idle, a_slow_reader_is_a_sign_of_life);
    suite_add_tcase(suite, idle);
    return world_run(suite);
}
