/* tests/test-process-signal.c -- signals: SIGPIPE never comes, and a thousand signals a second cost
 * no byte, no event and no wait its time.
 *
 * The library blocks and ignores no signal. Here SIGPIPE has its default action, which would end
 * the test, and SIGALRM a handler without SA_RESTART, so that every call of the kernel that can
 * fail with EINTR does. test-group.c and test-sleep.c have single signals. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "tests/clocks.h"
#include "tests/sockets.h"
#include "tests/world.h"

/* ---- SIGPIPE --------------------------------------------------------------------------------- */

static void expect_default(void)
{
    struct sigaction action;
    sigset_t blocked;

    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &blocked), 0);
    ck_assert_int_eq(sigismember(&blocked, SIGPIPE), 0);
}

/* Check may have inherited another action. */
static void begin_default(void)
{
    sigset_t pipes;

    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &pipes, NULL), 0);
    ck_assert(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    plx_socket_free(plx_tcp_new());
    plx_group_free(plx_group_new());
    expect_default();
}

static char much[256 * 1024];

static void write_and_flush(struct world *w, plx_socket *socket)
{
    (void)w;
    for (int i = 0; i < 3; i++) {
        plx_socket_write(socket, much, 5);
        plx_socket_flush(socket);
    }
}

static void write_and_poll(struct world *w, plx_socket *socket)
{
    for (int i = 0; i < 3; i++) {
        plx_socket_write(socket, much, 5);
        world_poll(w);
    }
}

static void write_much(struct world *w, plx_socket *socket)
{
    size_t size = w->kind->keeps_boundaries ? PACKET : sizeof much;

    for (int i = 0; i < 3; i++)
        plx_socket_write(socket, much, size);
}

static void write_and_close(struct world *w, plx_socket *socket)
{
    write_much(w, socket);
    plx_socket_write(socket, much, 5);
    plx_socket_close(socket);
}

static void write_and_disconnect(struct world *w, plx_socket *socket)
{
    write_much(w, socket);
    plx_socket_disconnect(socket);
    world_settle(w);
}

/* What filters send is their goodbye. */
static void only_disconnect(struct world *w, plx_socket *socket)
{
    plx_socket_disconnect(socket);
    world_settle(w);
}

static void write_and_wait(struct world *w, plx_socket *socket)
{
    write_much(w, socket);
    plx_socket_wait_for_sent(socket, 20);
}

static void write_and_abort(struct world *w, plx_socket *socket)
{
    write_much(w, socket);
    plx_socket_abort(socket);
}

typedef void farewell(struct world *w, plx_socket *socket);

static farewell *const farewells[] = {write_and_flush, write_and_poll,       write_much,
                                      write_and_close, write_and_disconnect, only_disconnect,
                                      write_and_wait,  write_and_abort};

static void vanish(struct world *w, int raw, int how)
{
    switch (how) {
    case 0: raw_close(w, raw); break;
    case 1: raw_reset(w, raw); break;
    default: ck_assert_int_eq(shutdown(raw, SHUT_RDWR), 0); break;
    }
}

/* By each call that sends, to a peer that closed, reset or shut down: noticed before or not. */
CASE(no_call_raises_sigpipe)
{
    begin_default();
    for (size_t i = 0; i < sizeof farewells / sizeof farewells[0]; i++)
        for (int how = 0; how < 6; how++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            int raw = world_pair(w, socket, &log);

            log.mute = ~0u;
            vanish(w, raw, how % 3);
            if (how >= 3)
                world_poll(w);
            farewells[i](w, socket);
            expect_default();
            if (how % 3 == 2)
                raw_close(w, raw);
            UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
            world_free(w, socket);
        }
}

/* A client's bytes, and those of a socket that nobody polls any more. */
CASE(no_client_raises_sigpipe)
{
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];

    begin_default();
    world_serve(w, server, where);
    for (int how = 0; how < 2; how++) {
        int raw = raw_connect(w, where);
        plx_socket *client;

        UNTIL(w, (client = plx_server_next_active(server, NULL)) != NULL &&
                     plx_socket_is_connected(client));
        vanish(w, raw, how);
        write_much(w, client);
        plx_socket_flush(client);
        if (w->group != NULL)
            plx_group_flush(w->group);
        UNTIL(w, plx_server_active_count(server) == 0);
    }
    expect_default();
}

/* sendmsg(2) with descriptors is another path than send(2). */
MODE_CASE(no_descriptor_raises_sigpipe)
{
    begin_default();
    w->kind = &kinds[1];
    for (int how = 0; how < 6; how++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, plx_ipc_new, &log);
        int raw = world_pair(w, socket, &log), file = open("/dev/null", O_RDONLY | O_CLOEXEC);

        log.mute = ~0u;
        vanish(w, raw, how % 3);
        if (how >= 3)
            world_poll(w);
        plx_ipc_send_handle(socket, file);
        plx_socket_write(socket, "x", 1);
        plx_socket_flush(socket);
        close(file);
        if (how % 3 == 2)
            raw_close(w, raw);
        UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
        world_free(w, socket);
    }
    expect_default();
}

/* ---- storms ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
    (void)number;
    alarms = alarms + 1;
}

static void set_timer(int microseconds)
{
    struct itimerval timer = {.it_interval = {.tv_usec = microseconds},
                              .it_value = {.tv_usec = microseconds}};

    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void begin_storm(void)
{
    struct sigaction action = {.sa_handler = on_alarm};

    alarms = 0;
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    set_timer(1000);
}

/* It was one. On a busy machine many signals become one. */
static void end_storm(long long begun)
{
    long long passed = now_ms() - begun;

    set_timer(0);
    ck_assert_msg(alarms > passed / 20, "%d signals in %lld ms are no storm", (int)alarms, passed);
}

static bool has_all(struct record *log, size_t size)
{
    return log->swallowed == size;
}

/* Both ways at once between two sockets of ours. */
CASE(a_storm_costs_a_transfer_nothing)
{
    enum { SIZE = 2 << 20 };
    struct record logs[2];
    plx_socket *ends[2];
    long long begun = now_ms();

    begin_storm();
    for (int i = 0; i < 2; i++)
        ends[i] = world_socket(w, &logs[i]);
    world_couple(w, ends[0], ends[1]);
    for (int i = 0; i < 2; i++) {
        logs[i].mute = ~0u;
        logs[i].swallow = true;
        write_pattern(w, ends[i], SIZE);
    }
    UNTIL(w, has_all(&logs[0], SIZE) && has_all(&logs[1], SIZE));
    for (int i = 0; i < 2; i++)
        ck_assert_msg(logs[i].count[EVENT_ERROR] == 0, "%s: %s", world_name(w), logs[i].message);
    plx_socket_disconnect(ends[0]);
    UNTIL(w, logs[0].count[EVENT_DISCONNECTED] == 1 && logs[1].count[EVENT_DISCONNECTED] == 1);
    while (alarms < 5)
        world_turn(w, 20);
    end_storm(begun);
}

/* Each wait sleeps and is interrupted each millisecond. */
CASE(a_storm_costs_a_wait_nothing)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log);
    long long begun = now_ms(), before;

    begin_storm();
    before = now_us();
    ck_assert(!plx_socket_wait_for_data(socket, 60));
    ck_assert_int_ge(now_us() - before, 60000);
    before = now_us();
    ck_assert(!plx_socket_wait(socket, 60));
    ck_assert_int_ge(now_us() - before, 60000);
    raw_say(raw, "x");
    ck_assert(plx_socket_wait_for_data(socket, 20000));
    ck_assert_int_eq(plx_socket_write(socket, much, 1000), 1000);
    ck_assert(plx_socket_wait_for_sent(socket, 20000));
    raw_close(w, raw);
    ck_assert(plx_socket_wait_for_disconnected(socket, 20000));
    end_storm(begun);
}

/* A poll of a group ends with the first signal, and what it had found is not lost. */
MODE_CASE(a_storm_ends_each_sleep_of_a_group)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log);
    long long begun = now_ms();

    if (w->group == NULL)
        return;
    begin_storm();
    for (int i = 0; i < 50; i++)
        ck_assert(!plx_group_poll(w->group, 20000));
    ck_assert_int_lt(now_ms() - begun, 20000);
    ck_assert_int_ge(alarms, 10);
    for (int i = 1; i <= 50; i++) {
        raw_say(raw, "x");
        while (log.count[EVENT_DATA_AVAILABLE] < i)
            plx_group_poll(w->group, 20000);
    }
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 50);
    end_storm(begun);
}

/* Connections come and go, with the calls of all of their life. */
CASE(a_storm_costs_no_connection)
{
    plx_server *server = world_server(w);
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    long long begun = now_ms();

    begin_storm();
    world_serve(w, server, where);
    for (int i = 0; i < 40 || alarms < 5; i++) {
        record_begin(&log, socket);
        log.mute = ~0u;
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        UNTIL(w, log.count[EVENT_CONNECTED] == 1 && plx_server_active_count(server) == 1);
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
        UNTIL(w, log.count[EVENT_DISCONNECTED] == 1 && plx_server_active_count(server) == 0);
    }
    end_storm(begun);
}

WORLD_MAIN("process-signal", .packets = true, .filtered = true)
