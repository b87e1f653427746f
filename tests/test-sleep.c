/* tests/test-sleep.c -- a sleep lasts its time: what interrupts a thread and is no signal handler
 * does not end it.
 *
 * The kernel takes a ring of io_uring apart some 20 ms after it was closed, and interrupts the
 * thread that made it (Linux 6.18, io_uring.c, io_ring_exit_work); a process that was stopped and
 * goes on is interrupted, too (signal(7)). epoll_wait(2) fails by either with EINTR. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/clocks.h"
#include "tests/sockets.h"
#include "tests/world.h"

enum { SLEEP = 120, LONG = 20000 }; /* milliseconds; the long one is never slept to its end */

/* ---- sleeping -------------------------------------------------------------------------------- */

/* All that can sleep in a world: a group and its server, or a server that has its group to itself;
 * and a socket by itself. */
struct sleepers {
    plx_server *server;
    plx_socket *socket;
};

static void begin_sleepers(struct world *w, struct sleepers *sleepers)
{
    char where[WHERE_SIZE];

    sleepers->server = world_server(w);
    world_serve(w, sleepers->server, where);
    sleepers->socket = world_socket_of(w, plx_udp_new, NULL);
    ck_assert_int_eq(plx_socket_set_interface(sleepers->socket, "127.0.0.1"), 0);
    ck_assert_int_eq(plx_socket_connect(sleepers->socket), 0);
    world_settle(w);
}

/* A lone world has no group. */
static int sleepers_of(const struct world *w)
{
    return w->group == NULL ? 2 : 3;
}

static bool sleep_by(struct world *w, struct sleepers *sleepers, int which, int milliseconds)
{
    if (which == 0)
        return plx_server_wait(sleepers->server, milliseconds);
    if (which == 1)
        return plx_socket_wait(sleepers->socket, milliseconds);
    return plx_group_poll(w->group, milliseconds);
}

static void expect_full_sleep(struct world *w, struct sleepers *sleepers, int which)
{
    long long begun = now_us();

    ck_assert(!sleep_by(w, sleepers, which, SLEEP));
    ck_assert_msg(now_us() - begun >= SLEEP * 1000, "%s: sleeper %d woke after %lld us",
                  world_name(w), which, now_us() - begun);
}

/* ---- rings ----------------------------------------------------------------------------------- */

/* A group as it comes, with a ring where there are any. */
static plx_group *any_group(void)
{
    plx_group *group;

    unsetenv("POLLUX_POLLER");
    group = plx_group_new();
    ck_assert_ptr_nonnull(group);
    plx_group_poll(group, 0);
    return group;
}

MODE_CASE(freeing_a_group_ends_no_sleep)
{
    struct sleepers sleepers;

    begin_sleepers(w, &sleepers);
    for (int i = 0; i < sleepers_of(w); i++) {
        plx_group_free(any_group());
        expect_full_sleep(w, &sleepers, i);
    }
}

static void *free_group(void *group)
{
    plx_group_free(group);
    return NULL;
}

/* The thread that made the ring is interrupted, even if another one closes it. */
MODE_CASE(another_thread_freeing_a_group_ends_no_sleep)
{
    struct sleepers sleepers;

    begin_sleepers(w, &sleepers);
    for (int i = 0; i < sleepers_of(w); i++) {
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, free_group, any_group()), 0);
        expect_full_sleep(w, &sleepers, i);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
}

static void *poll_group(void *group)
{
    plx_group_poll(group, 1);
    return NULL;
}

/* A group that goes on in another thread leaves a ring of this one's behind. */
MODE_CASE(a_group_that_moves_to_another_thread_ends_no_sleep)
{
    struct sleepers sleepers;

    begin_sleepers(w, &sleepers);
    for (int i = 0; i < sleepers_of(w); i++) {
        plx_group *group = any_group();
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, poll_group, group), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        expect_full_sleep(w, &sleepers, i);
        plx_group_free(group);
    }
}

/* ---- stopped --------------------------------------------------------------------------------- */

/* As by ^Z and fg, or by a debugger that looks in. */
static pid_t stop_soon(pid_t process)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child != 0)
        return child;
    for (int i = 0; i < 3; i++) {
        poll(NULL, 0, SLEEP / 8);
        kill(process, SIGSTOP);
        poll(NULL, 0, 2);
        kill(process, SIGCONT);
    }
    _exit(0);
}

MODE_CASE(a_stop_ends_no_sleep)
{
    struct sleepers sleepers;

    begin_sleepers(w, &sleepers);
    for (int i = 0; i < sleepers_of(w); i++) {
        pid_t child = stop_soon(getpid());
        int status;

        expect_full_sleep(w, &sleepers, i);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
}

/* ---- what does end one ----------------------------------------------------------------------- */

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
    (void)number;
    alarms = alarms + 1;
}

static void count_alarms(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

    alarms = 0;
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
}

/* Also while a ring is being taken apart. A socket's wait goes on, as its header says. */
MODE_CASE(a_signal_handler_does)
{
    struct sleepers sleepers;

    begin_sleepers(w, &sleepers);
    for (int i = 0; i < sleepers_of(w); i += 2) {
        long long begun = now_us();
        pid_t child;

        plx_group_free(any_group());
        count_alarms();
        child = alarm_once_asleep();
        ck_assert(!sleep_by(w, &sleepers, i, LONG));
        ck_assert_int_lt(now_us() - begun, LONG * 1000);
        ck_assert_int_eq(alarms, 1);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
    }
}

/* Something that is there ends it at once, and what comes meanwhile as soon as it comes. */
MODE_CASE(what_arrives_does)
{
    struct sleepers sleepers;

    begin_sleepers(w, &sleepers);
    for (int i = 0; i < 40; i++) {
        int which = w->group == NULL ? 1 : i % sleepers_of(w);
        struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)plx_socket_port(sleepers.socket)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int raw = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        pid_t child = i % 4 == 0 ? fork() : -1;
        long long begun = now_us();

        if (child <= 0) {
            poll(NULL, 0, child == 0 ? 10 : 0);
            ck_assert_int_eq(sendto(raw, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
        }
        if (child == 0)
            _exit(0);
        sleep_by(w, &sleepers, which, LONG);
        ck_assert_int_lt(now_us() - begun, LONG * 1000);
        ck_assert_uint_eq(plx_udp_packets_available(sleepers.socket), 1);
        plx_socket_purge(sleepers.socket);
        if (child > 0)
            ck_assert_int_eq(waitpid(child, NULL, 0), child);
        close(raw);
    }
}

/* ---- the calls of poll(2) -------------------------------------------------------------------- */

/* The library's calls arrive here, for a program's own functions come before those of the C
 * library.
 *
 * false_alarms: how often a poll(2) of one descriptor still says after 10 ms that it is ready,
 * although nothing is there: another process that shares a listener was faster.
 * failure: with this errno a sleep fails, once, and `late` happens meanwhile: for EINTR within the
 * sleep that a signal handler ends; else in the nap that follows, until which all polls fail. */
static int false_alarms, failure;
static void (*late)(void);

static bool has_failed(nfds_t count, int timeout)
{
    bool ends = failure == EINTR ? timeout != 0 : count == 0;

    if (failure == 0 || (failure == EINTR && timeout == 0))
        return false;
    errno = failure;
    failure = ends ? 0 : failure;
    if (ends)
        late();
    return true;
}

int poll(struct pollfd *entries, nfds_t count, int timeout)
{
    struct timespec pause = {0, 10000000}, limit = {timeout / 1000, timeout % 1000 * 1000000L};
    int error = failure;

    if (has_failed(count, timeout)) {
        errno = error;
        return count == 0 ? 0 : -1;
    }
    if (count == 1 && timeout > 0 && false_alarms > 0) {
        false_alarms--;
        nanosleep(&pause, NULL);
        entries[0].revents = POLLIN;
        return 1;
    }
    return ppoll(entries, count, timeout < 0 ? NULL : &limit, NULL);
}

/* ---- false alarms ---------------------------------------------------------------------------- */

/* Each costs the time that it took, so that the sleep ends as if there was none. */
MODE_CASE(false_alarms_make_no_sleep_longer)
{
    long long before = now_ms(), took;

    if (w->mode != MODE_EPOLL)
        return; /* the others sleep by one call */
    world_settle(w);
    false_alarms = 2000;
    ck_assert(!plx_group_poll(w->group, SLEEP));
    took = now_ms() - before;
    ck_assert_int_gt(false_alarms, 0);
    ck_assert_int_ge(took, SLEEP - 1);
    false_alarms = 0;
}

/* ---- failures -------------------------------------------------------------------------------- */

static const int failures[] = {ENOMEM, EINTR};
enum { FAILURES = sizeof failures / sizeof failures[0] };

static int speaker;

/* A byte arrives, and then the process is halted until the sleep's time is over. */
static void speak_late(void)
{
    raw_say(speaker, "x");
    ppoll(&(struct pollfd){.fd = speaker, .events = POLLOUT}, 1, NULL, NULL);
    nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static void fail_next_sleep(int how, int raw)
{
    failure = failures[how];
    speaker = raw;
    late = speak_late;
}

/* What came while the sleep failed is received by the poll that slept. */
MODE_PAIR_CASE(a_sleep_that_fails_looks_again)
{
    for (int i = 0; i < FAILURES; i++) {
        fail_next_sleep(i, raw);
        if (w->group == NULL)
            ck_assert(plx_socket_wait(socket, 5));
        else
            plx_group_poll(w->group, 5);
        ck_assert_int_eq(failure, 0);
        ck_assert_msg(plx_socket_bytes_available(socket) == 1, "%s: %s", world_name(w),
                      strerror(failures[i]));
        plx_socket_purge(socket);
    }
}

/* ---- time-outs that go on -------------------------------------------------------------------- */

/* The library looks at them in each quarter, which no event follows. */
static void expect_full_wait(struct world *w, plx_socket *socket, const char *what)
{
    long long begun = now_us();

    ck_assert_msg(!plx_socket_wait(socket, SLEEP), "%s: %s: a wait ended", world_name(w), what);
    ck_assert_msg(now_us() - begun >= SLEEP * 1000, "%s: %s: a wait was over after %lld us",
                  world_name(w), what, now_us() - begun);
}

MODE_PAIR_CASE(a_look_at_the_silence_ends_no_wait)
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 2 * SLEEP), 0);
    expect_full_wait(w, socket, "idle");
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, SLEEP), 0);
    ck_assert(plx_socket_wait(socket, LONG));
    LOGGED(w, log, "state:UNCONNECTED error(110,15)[UNCONNECTED] disconnected[UNCONNECTED]");
}

MODE_SOCKET_CASE(a_look_at_a_connect_ends_no_wait)
{
    raw_silent(w, where);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 2 * SLEEP), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    world_settle(w);
    expect_full_wait(w, socket, "connect");
    ck_assert(plx_socket_wait(socket, LONG));
    LOGGED(w, log, "state:CONNECTING state:UNCONNECTED error(110,15)[UNCONNECTED]");
}

WORLD_MAIN("sleep")
