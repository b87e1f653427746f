/* tests/test-process-storm.c -- a thousand signals a second cost no byte, no event and no wait its
 * time.
 *
 * SIGALRM has a handler without SA_RESTART, so that every call of the kernel that can fail with
 * EINTR does. test-group.c and test-sleep.c have single signals. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/asker.h"
#include "tests/clocks.h"
#include "tests/datagrams.h"

static char much[1000];

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

/* A connect that nobody answers has its whole time in a wait, and its own time too. */
MODE_SOCKET_CASE(a_storm_costs_a_connect_no_time)
{
    long long begun = now_ms(), before;

    raw_silent(w, where);
    begin_storm();
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 200), 0);
    before = now_us();
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert(!plx_socket_wait_for_connected(socket, 60));
    ck_assert_int_ge(now_us() - before, 60000);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    ck_assert(!plx_socket_wait_for_connected(socket, 20000));
    ck_assert_int_ge(now_us() - before, 199000);
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
    end_storm(begun);
}

/* The peer reads nothing: the goodbye has its time, and no more. */
MODE_PAIR_CASE(a_storm_costs_a_goodbye_no_time)
{
    static const char plenty[8 << 20];
    long long begun = now_ms(), before;

    (void)raw;
    begin_storm();
    log->mute = ~0u;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_LINGER_TIMEOUT, 60), 0);
    ck_assert_int_eq(plx_socket_write(socket, plenty, sizeof plenty), sizeof plenty);
    before = now_us();
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert(plx_socket_wait_for_disconnected(socket, 20000));
    ck_assert_int_ge(now_us() - before, 59000);
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
    end_storm(begun);
}

/* ---- lookups in a storm ---------------------------------------------------------------------- */

/* How the answers arrive: at once, after a while, by TCP, by TCP in pieces. */
enum { ANSWERS = 4 };

static void choose_answers(struct nameserver *server, int how)
{
    server->ipv4 = ADDRESSES("127.0.0.1");
    server->ipv6.says = SAYS_NO_DATA;
    server->holds = how == 1;
    if (how >= 2) {
        server->ipv4.says = SAYS_CUT_OFF;
        server->splits = how == 3;
    }
}

/* No question is asked again, and no answer is lost. */
NAMES_CASE(a_storm_costs_no_lookup)
{
    long long begun = now_ms();
    int lookups = 0;

    begin_storm();
    while (lookups < ANSWERS * WAYS * 2 || alarms < 5) {
        struct asker asker;

        choose_answers(server, lookups % ANSWERS);
        asker_begin(w, &asker, (enum way)(lookups / ANSWERS % WAYS), "a.test");
        if (server->holds) {
            UNTIL_ASKED(w, server, server->held_count == 2);
            world_settle(w);
            nameserver_release(server);
        }
        UNTIL_ASKED(w, server, asker_failed(&asker) || asker_reached(&asker));
        ck_assert_msg(!asker_failed(&asker), "%s: %s: %s", world_name(w), way_name(asker.way),
                      asker.log.message);
        world_free(w, asker.socket);
        raw_close(w, asker.raw);
        lookups++;
        ck_assert_int_eq(server->asked6, lookups);
    }
    ck_assert_int_eq(server->asked4 - server->asked_by_tcp, lookups);
    end_storm(begun);
}

/* A process that answers, for this one sleeps; the signals are this one's. */
static pid_t answer_aside(struct nameserver *server)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        nameserver_alone(server, 40000);
        _exit(0);
    }
    return child;
}

static void end_answers(pid_t child)
{
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    while (waitpid(child, NULL, 0) != child)
        ck_assert_int_eq(errno, EINTR);
}

NAMES_SOCKET_CASE(a_storm_costs_a_wait_for_a_name_nothing)
{
    char named[WHERE_SIZE];
    long long begun = now_ms(), before;
    pid_t child;

    raw_listen(w, 5, where);
    where_by_name("a.test", where, named);
    choose_answers(server, 2);
    child = answer_aside(server);
    begin_storm();
    ck_assert_int_eq(plx_socket_connect_to(socket, named), 0);
    ck_assert(plx_socket_wait_for_connected(socket, 20000));
    plx_socket_close(socket);
    end_answers(child);
    before = now_us();
    ck_assert_int_eq(plx_socket_connect_to(socket, named), 0);
    ck_assert(!plx_socket_wait_for_connected(socket, 60));
    ck_assert_int_ge(now_us() - before, 60000);
    ck_assert_int_eq(plx_socket_state(socket), PLX_HOST_LOOKUP);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    end_storm(begun);
}

/* ---- datagrams and descriptors in a storm ---------------------------------------------------- */

MODE_CASE(a_storm_costs_no_datagram)
{
    enum { SIZE = 200 };
    plx_address peer;
    struct record log;
    int raw = raw_datagrams(w, &peer);
    plx_socket *socket = datagrams_bound(w, 0, &log);
    long long begun = now_ms();

    begin_storm();
    log.mute = ~0u;
    for (size_t i = 0; i < 200 || alarms < 20; i++) {
        datagram_put(socket, &peer, SIZE, i);
        datagram_expect(w, raw, SIZE, i);
        datagram_send(raw, socket, SIZE, i);
        datagram_read(w, socket, SIZE, i);
    }
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    end_storm(begun);
}

/* Each with its byte. */
MODE_CASE(a_storm_costs_no_descriptor)
{
    struct record logs[2];
    plx_socket *from = world_socket_of(w, plx_ipc_new, &logs[0]);
    plx_socket *to = world_socket_of(w, plx_ipc_new, &logs[1]);
    long long begun = now_ms();
    int got;

    w->kind = kind_of_name("ipc");
    ck_assert_int_eq(plx_socket_set_option(to, PLX_OPTION_RECEIVE_HANDLES, 1), 0);
    world_couple(w, from, to);
    logs[0].mute = logs[1].mute = ~0u;
    begin_storm();
    for (unsigned i = 1; i <= 200 || alarms < 20; i++) {
        ck_assert_int_eq(plx_ipc_send_handle(from, STDERR_FILENO), 0);
        ck_assert_int_eq(plx_socket_write(from, "x", 1), 1);
        UNTIL(w, (got = plx_ipc_receive_handle(to)) >= 0);
        ck_assert_int_eq(close(got), 0);
        ck_assert_uint_eq(plx_socket_bytes_available(to), i);
    }
    ck_assert_int_eq(logs[0].count[EVENT_ERROR] + logs[1].count[EVENT_ERROR], 0);
    end_storm(begun);
}

WORLD_MAIN("process-storm", .packets = true, .filtered = true)
