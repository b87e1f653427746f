/* tests/test-jump.c -- time-outs after the process did not run: a debugger, SIGSTOP, a clock that
 * jumps.
 *
 * A jump of the injected clock is to the library what a halt is. The rule is that of
 * <pollux/clock.h>: a poll first receives what the kernel holds and then judges, and what passes
 * between two polls uses up a quarter of a time-out at most. What a time-out ends is reported
 * once. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "tests/sockets.h"
#include "tests/world.h"

enum { HOUR = 3600 * 1000, LIMIT = 1000, FRAME = 10 }; /* milliseconds */

static void set(plx_socket *socket, plx_option option, int value)
{
    ck_assert_int_eq(plx_socket_set_option(socket, option, value), 0);
}

static void expect_lives(struct world *w, const plx_socket *socket, const struct record *log)
{
    ck_assert_msg(plx_socket_state(socket) == PLX_CONNECTED && log->count[EVENT_ERROR] == 0,
                  "%s: %s", world_name(w), log->text);
}

static void expect_idle_end(struct world *w, const struct record *log)
{
    LOGGED(w, log, "state:UNCONNECTED error(110,15)[UNCONNECTED] disconnected[UNCONNECTED]");
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
}

static plx_socket *limited(struct world *w, struct record *log)
{
    plx_socket *socket = world_socket(w, log);

    set(socket, PLX_OPTION_IDLE_TIMEOUT, LIMIT);
    return socket;
}

/* IDLE_CASE begins with a connection that may be idle for LIMIT. */
#define IDLE_CASE(name) WORLD_PAIR_CASE(CASE, name, limited(w, log))

/* ---- idle connections ------------------------------------------------------------------------ */

/* Both sides were halted, so that the peer could say nothing: it gets the rest of the time. */
IDLE_CASE(an_hour_in_which_nobody_ran_disconnects_nobody)
{
    world_run(w, LIMIT / 2);
    time_pass(HOUR);
    world_settle(w);
    expect_lives(w, socket, log);
    world_run(w, LIMIT / 5);
    expect_lives(w, socket, log);
    raw_say(raw, "x");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
    world_run(w, LIMIT - 5 * FRAME);
    expect_lives(w, socket, log);
}

/* As in a debugger that stops at each step. Three times a quarter leave a quarter. */
IDLE_CASE(three_hours_in_a_row_disconnect_nobody)
{
    for (int i = 0; i < 3; i++) {
        time_pass(HOUR);
        world_settle(w);
    }
    world_run(w, LIMIT / 4 - 5 * FRAME);
    expect_lives(w, socket, log);
    raw_say(raw, "x");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
}

/* A halt postpones the end, and does not cancel it. */
IDLE_CASE(silence_after_an_hour_still_ends)
{
    time_pass(HOUR);
    world_settle(w);
    world_run(w, LIMIT * 3 / 4 - 5 * FRAME);
    expect_lives(w, socket, log);
    world_run(w, 10 * FRAME);
    expect_idle_end(w, log);
}

/* Without halts the limit is the limit, up to a frame for each look. */
IDLE_CASE(the_limit_is_exact_for_a_program_that_runs)
{
    world_run(w, LIMIT - FRAME);
    expect_lives(w, socket, log);
    world_run(w, 5 * FRAME);
    expect_idle_end(w, log);
}

IDLE_CASE(a_program_that_seldom_polls_notices_after_four_polls)
{
    int polls = 0;

    for (; log->count[EVENT_ERROR] == 0 && polls < 20; polls++) {
        time_pass(HOUR);
        world_poll(w);
    }
    ck_assert_int_eq(polls, 4);
    expect_idle_end(w, log);
}

/* The peer has confirmed bytes meanwhile, or may just do so: it has its whole time from then on,
 * once or twice, and not the hour too. */
IDLE_CASE(confirmed_bytes_add_no_hour)
{
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    UNTIL(w, plx_socket_bytes_left_to_send(socket) == 0);
    time_pass(HOUR);
    world_settle(w);
    expect_lives(w, socket, log);
    world_run(w, 4 * LIMIT);
    ck_assert_msg(plx_socket_state(socket) == PLX_UNCONNECTED, "%s: %s", world_name(w), log->text);
}

/* What arrived while only this process was halted. */
IDLE_CASE(bytes_of_the_last_hour_are_a_sign_of_life)
{
    for (int i = 1; i <= 10; i++) {
        raw_say(raw, "x");
        world_readable(plx_socket_handle(socket));
        time_pass(HOUR);
        world_poll(w);
        UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == i);
        plx_socket_purge(socket);
        expect_lives(w, socket, log);
    }
}

static struct {
    int raw; /* says a byte when the clock is read next; -1: says nothing */
    uint64_t moment;
} late = {.raw = -1};

static uint64_t late_clock(void *user)
{
    int raw = late.raw;

    (void)user;
    late.raw = -1;
    if (raw >= 0) {
        raw_say(raw, "x");
        poll(&(struct pollfd){.fd = raw, .events = POLLOUT}, 1, 0);
    }
    return late.moment;
}

/* The process is halted between the poller's answer and the look at the clock: the byte is in the
 * kernel when the time is found to be over, and no readiness was reported. */
IDLE_CASE(bytes_behind_the_pollers_back_are_a_sign_of_life)
{
    late.moment = plx_clock_now();
    plx_clock_set(late_clock, NULL);
    for (int i = 0; i < 3; i++) {
        late.moment += UINT64_C(1000000) * LIMIT / 4;
        world_settle(w);
    }
    expect_lives(w, socket, log);
    late.moment += UINT64_C(1000000) * LIMIT / 4;
    late.raw = raw;
    UNTIL(w, log->count[EVENT_ERROR] > 0 || plx_socket_bytes_available(socket) > 0);
    expect_lives(w, socket, log);
}

static uint64_t ended_clock(void *user)
{
    (void)user;
    return UINT64_MAX;
}

IDLE_CASE(the_end_of_the_clock_ends_an_idle_connection)
{
    plx_clock_set(ended_clock, NULL);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    expect_idle_end(w, log);
}

static int reads;

/* Jumps by an hour in the midst of a wait. */
static uint64_t jumping_clock(void *user)
{
    (void)user;
    return late.moment + (reads++ < 1 ? 0 : UINT64_C(1000000) * HOUR);
}

IDLE_CASE(an_hour_within_a_wait_disconnects_nobody)
{
    late.moment = plx_clock_now();
    reads = 0;
    plx_clock_set(jumping_clock, NULL);
    ck_assert(!plx_socket_wait_for_data(socket, 30));
    ck_assert_int_gt(reads, 1);
    expect_lives(w, socket, log);
    raw_say(raw, "x");
    ck_assert(plx_socket_wait_for_data(socket, 20000));
}

/* A server judges its clients by the same rule. */
CASE(an_hour_disconnects_no_client)
{
    enum { CLIENTS = 5 };
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];
    int raws[CLIENTS];

    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_IDLE_TIMEOUT, LIMIT), 0);
    world_serve(w, server, where);
    for (int i = 0; i < CLIENTS; i++)
        raws[i] = raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == CLIENTS);
    world_settle(w);
    for (int hour = 0; hour < 5; hour++) {
        time_pass(HOUR);
        world_settle(w);
        ck_assert_uint_eq(plx_server_active_count(server), CLIENTS);
        for (int i = 0; i < CLIENTS; i++)
            raw_say(raws[i], "x");
        world_settle(w);
        world_run(w, LIMIT / 2);
        ck_assert_uint_eq(plx_server_active_count(server), CLIENTS);
    }
    for (int i = 0; i < 4; i++) {
        time_pass(HOUR);
        world_settle(w);
    }
    UNTIL(w, plx_server_active_count(server) == 0);
}

/* ---- the other time-outs --------------------------------------------------------------------- */

/* The kernel connects while the process is halted. */
KERNEL_CASE(an_hour_while_the_kernel_connects)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_listen(w, 5, where);
    set(socket, PLX_OPTION_CONNECT_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    time_pass(HOUR);
    UNTIL(w, log.count[EVENT_CONNECTED] + log.count[EVENT_ERROR] > 0);
    expect_lives(w, socket, &log);
}

/* Each hour is a quarter of the limit, and the fourth one ends it. */
static void pass_hours(struct world *w, const struct record *log)
{
    for (int hour = 1; hour <= 4; hour++) {
        ck_assert_msg(log->count[EVENT_ERROR] == 0, "%s: %s", world_name(w), log->text);
        time_pass(HOUR);
        world_settle(w);
    }
}

static void never_connects(struct world *w, bool ends)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_silent(w, where);
    set(socket, PLX_OPTION_CONNECT_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    if (ends)
        plx_clock_set(ended_clock, NULL);
    else
        pass_hours(w, &log);
    SETTLED(w, &log, "state:CONNECTING state:UNCONNECTED error(110,15)[UNCONNECTED]");
    ck_assert_int_eq(log.os_error, ETIMEDOUT);
}

MODE_CASE(four_hours_end_a_connect_once)
{
    never_connects(w, false);
}

MODE_CASE(the_end_of_the_clock_ends_a_connect_once)
{
    never_connects(w, true);
}

/* The listener was halted too, and has the rest of the time to make room. */
MODE_CASE(a_connect_goes_on_after_an_hour)
{
    struct record log;
    plx_socket *socket = world_socket_of(w, plx_ipc_new, &log);
    char where[WHERE_SIZE];
    int listener;

    snprintf(where, sizeof where, "%s/full", w->folder);
    listener = world_raw(w, unix_raw_bind_at(where));
    ck_assert_int_eq(listen(listener, 0), 0);
    world_raw(w, unix_raw_connect(where));
    set(socket, PLX_OPTION_CONNECT_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    world_run(w, LIMIT / 2);
    time_pass(HOUR);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    world_raw(w, accept(listener, NULL, NULL));
    world_run(w, LIMIT / 10);
    expect_lives(w, socket, &log);
}

/* While `blind` the library is not shown what is ready: it was about to be, when the process was
 * halted. The first look at the clock ends that. The library's calls arrive here, for a program's own
 * functions come before those of the C library. */
static bool blind;

int epoll_wait(int set, struct epoll_event *events, int most, int timeout)
{
    return blind ? 0 : epoll_pwait(set, events, most, timeout, NULL);
}

int poll(struct pollfd *entries, nfds_t count, int timeout)
{
    struct timespec limit = {timeout / 1000, timeout % 1000 * 1000000L};

    return blind ? 0 : ppoll(entries, count, timeout < 0 ? NULL : &limit, NULL);
}

static uint64_t revealing_clock(void *user)
{
    (void)user;
    blind = false;
    return late.moment;
}

/* The kernel has connected, and the last quarter is over before the library could know. */
KERNEL_CASE(a_connect_behind_the_pollers_back_is_found)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_listen(w, 5, where);
    set(socket, PLX_OPTION_CONNECT_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    late.moment = plx_clock_now();
    for (int quarter = 1; quarter <= 4; quarter++) {
        late.moment += UINT64_C(1000000) * HOUR;
        plx_clock_set(revealing_clock, NULL);
        blind = true;
        world_poll(w);
        blind = false;
    }
    UNTIL(w, log.count[EVENT_CONNECTED] + log.count[EVENT_ERROR] > 0);
    expect_lives(w, socket, &log);
}

/* A peer that reads nothing, and more than the kernel takes. */
static void never_drains(struct world *w, bool ends)
{
    static char much[8 << 20];
    struct record log;
    plx_socket *socket = world_socket(w, &log);

    world_pair(w, socket, &log);
    log.mute = 1u << EVENT_SEND_PROGRESS;
    set(socket, PLX_OPTION_LINGER_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_write(socket, much, sizeof much), sizeof much);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    if (ends)
        plx_clock_set(ended_clock, NULL);
    else
        pass_hours(w, &log);
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    SETTLED(w, &log,
            "state:CLOSING state:UNCONNECTED error(102,15)[UNCONNECTED] "
            "disconnected[UNCONNECTED]");
    ck_assert_int_eq(log.os_error, ETIMEDOUT);
}

MODE_CASE(four_hours_end_lingering_once)
{
    never_drains(w, false);
}

MODE_CASE(the_end_of_the_clock_ends_lingering_once)
{
    never_drains(w, true);
}

/* The bytes leave in the poll after the halt, before that poll judges. */
MODE_CASE(an_hour_in_closing_loses_nothing_that_the_kernel_takes)
{
    static const char text[] = "the last words";
    struct record log;
    plx_socket *socket = world_socket_of(w, plx_ipc_new, &log);
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(plx_socket_adopt(socket, ends[0]), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    set(socket, PLX_OPTION_LINGER_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_write(socket, text, sizeof text), sizeof text);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    time_pass(HOUR);
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    ck_assert_int_eq(recv(ends[1], (char[64]){0}, 64, 0), sizeof text);
    close(ends[1]);
}

/* One attempt, however many pauses an hour has room for. */
CASE(an_hour_of_pauses_is_one_attempt)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    raw_refusing(w, where);
    set(socket, PLX_OPTION_AUTO_CONNECT, 1);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    for (int attempt = 2; attempt < 6; attempt++) {
        world_settle(w);
        ck_assert_int_eq(log.count[EVENT_ERROR], attempt - 1);
        ck_assert_int_gt(plx_socket_reconnects_in(socket), 0);
        time_pass(HOUR);
        ck_assert_int_eq(plx_socket_reconnects_in(socket), 0);
        UNTIL(w, log.count[EVENT_ERROR] == attempt);
    }
    plx_socket_close(socket);
}

/* ---- processes that are stopped -------------------------------------------------------------- */

enum { STOPPED_LIMIT = 1500 };

/* Reports each poll by a byte, and exits 0 when it was asked to and the client is still there. */
static void serve(int ear, int mouth)
{
    plx_group *group = plx_group_new();
    plx_server *server = plx_server_new(plx_tcp_new);
    char port[16];

    time_run();
    plx_server_set_option(server, PLX_OPTION_IDLE_TIMEOUT, STOPPED_LIMIT);
    if (plx_group_add_server(group, server) != 0 ||
        plx_server_listen_on(server, "127.0.0.1:0") != 0)
        _exit(2);
    snprintf(port, sizeof port, "%-15d", plx_server_port(server));
    if (write(mouth, port, 15) != 15)
        _exit(3);
    for (bool met = false;;) {
        plx_group_poll(group, 20);
        met = met || plx_server_active_count(server) == 1;
        if (met && write(mouth, ".", 1) != 1)
            _exit(4);
        if (met && plx_server_active_count(server) == 0)
            _exit(1);
        if (recv(ear, (char[1]){0}, 1, MSG_DONTWAIT) == 1)
            _exit(0);
    }
}

/* Says a byte in each frame of 20 ms. */
static void play(int port)
{
    plx_socket *socket = plx_tcp_new();
    char where[40];

    time_run();
    snprintf(where, sizeof where, "127.0.0.1:%d", port);
    plx_socket_connect_to(socket, where);
    if (!plx_socket_wait_for_connected(socket, 20000))
        _exit(1);
    while (plx_socket_is_connected(socket)) {
        plx_socket_write(socket, "x", 1);
        plx_socket_wait_for_data(socket, 20);
    }
    _exit(0);
}

/* The next byte is one that was written after this call. */
static void expect_polls(int ear, int count)
{
    char bytes[4096];

    while (recv(ear, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(recv(ear, bytes, 1, 0), 1);
}

static void stop(pid_t process)
{
    int status;

    ck_assert_int_eq(kill(process, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(process, &status, WUNTRACED), process);
    ck_assert_msg(WIFSTOPPED(status), "a process has ended, not stopped: %d", status);
}

/* Real processes, stopped for longer than the limit, as a debugger does. The server goes on first
 * and has polled before its client goes on. */
PLAIN_CASE(two_processes_that_are_stopped_stay_connected)
{
    int ends[2], status;
    char port[16] = "";
    pid_t server, client;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    server = fork();
    if (server == 0)
        serve(ends[1], ends[1]);
    ck_assert_int_eq(recv(ends[0], port, 15, MSG_WAITALL), 15);
    client = fork();
    if (client == 0)
        play(atoi(port));
    expect_polls(ends[0], 3);
    stop(client);
    stop(server);
    poll(NULL, 0, STOPPED_LIMIT + 300);
    ck_assert_int_eq(kill(server, SIGCONT), 0);
    expect_polls(ends[0], 3);
    ck_assert_int_eq(kill(client, SIGCONT), 0);
    expect_polls(ends[0], 10);
    ck_assert_int_eq(send(ends[0], "e", 1, 0), 1);
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the server: %d", status);
    ck_assert_int_eq(waitpid(client, &status, 0), client);
    close(ends[0]);
    close(ends[1]);
}

WORLD_MAIN("jump", .packets = true, .setup = time_stop, .teardown = time_run)
