/* tests/test-group.c -- many sockets, one poll: mechanisms, budgets, fairness, membership, sleeping
 * and being woken, outer event loops and forks. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/clocks.h"
#include "tests/datagrams.h"
#include "tests/nameserver.h"
#include "tests/sockets.h"
#include "tests/world.h"

#define DATA "data_available[CONNECTED]"

/* GROUP_CASE runs in the worlds with a group, which are all but those of the first mode. */
#define GROUP_CASE(name)                                                                           \
    WORLD_CASE(name, world_begin(&world_, _i + world_kinds()), world_count() - world_kinds(), NULL)
#define STREAM_GROUP_CASE(name)                                                                    \
    WORLD_CASE(name, world_begin(&world_, _i + world_kinds()), world_count() - world_kinds(),      \
               world_is_of_streams)
#define GROUP_SOCKET_CASE(name) WORLD_SOCKET_CASE(GROUP_CASE, name, world_socket(w, log))
#define GROUP_PAIR_CASE(name) WORLD_PAIR_CASE(GROUP_CASE, name, world_socket(w, log))

static void arrives(plx_socket *socket)
{
    world_readable(plx_socket_handle(socket));
}

/* ---- mechanisms ------------------------------------------------------------------------------ */

GROUP_CASE(mechanism_and_its_name)
{
    static const char *const names[] = {"", "poll", "epoll", "io_uring"};

    ck_assert_str_eq(plx_group_mechanism(w->group), names[w->mode]);
    if (w->mode != MODE_POLL) {
        ck_assert_int_ge(plx_group_handle(w->group), 0);
        ck_assert_int_eq(fcntl(plx_group_handle(w->group), F_GETFD), FD_CLOEXEC);
    } else {
        ck_assert_int_eq(plx_group_handle(w->group), -1);
    }
}

PLAIN_CASE(mechanism_by_default)
{
    plx_group *group;

    unsetenv("POLLUX_POLLER");
    group = plx_group_new();
    ck_assert_ptr_nonnull(group);
    ck_assert_str_ne(plx_group_mechanism(group), "");
    if (world_modes() > MODE_EPOLL)
        ck_assert_str_ne(plx_group_mechanism(group), "poll"); /* there is better */
    plx_group_free(group);
}

PLAIN_CASE(mechanism_that_is_unknown_or_not_there)
{
    static const char *const names[] = {"nonsense", "", "kqueue"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        plx_group *group, *standard;

        unsetenv("POLLUX_POLLER");
        standard = plx_group_new();
        setenv("POLLUX_POLLER", names[i], 1);
        group = plx_group_new();
        ck_assert_ptr_nonnull(group);
        ck_assert_str_eq(plx_group_mechanism(group), plx_group_mechanism(standard));
        plx_group_free(group);
        plx_group_free(standard);
    }
}

/* Looks at every descriptor of this process, so it counts those nobody can ask for, too. */
GROUP_CASE(every_descriptor_closes_on_exec)
{
    plx_server *server = world_server(w);
    plx_socket *socket = world_socket(w, NULL);
    plx_socket *udp = world_socket_of(w, plx_udp_new, NULL);
    plx_socket *looking = world_socket_of(w, plx_tcp_new, NULL);
    char where[WHERE_SIZE];
    bool before[1024];

    for (int i = 0; i < 1024; i++)
        before[i] = fcntl(i, F_GETFD) >= 0;
    world_serve(w, server, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_connect(udp), 0);
    nameserver_is_needed("descriptors of a lookup");
    setenv("POLLUX_NAMESERVERS", "127.0.0.1:1", 1);
    ck_assert_int_eq(plx_socket_connect_to(looking, "name.test:80"), 0);
    for (int round = 0; round < 5; round++) {
        world_poll(w);
        for (int i = 0; i < 1024; i++)
            if (!before[i] && fcntl(i, F_GETFD) >= 0)
                ck_assert_msg(fcntl(i, F_GETFD) == FD_CLOEXEC, "descriptor %d survives exec", i);
    }
    UNTIL(w, plx_socket_is_connected(socket) && plx_server_active_count(server) == 1);
}

/* ---- members --------------------------------------------------------------------------------- */

GROUP_CASE(count_of_members)
{
    plx_socket *a = world_socket(w, NULL), *b = world_socket(w, NULL);
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];

    ck_assert_uint_eq(plx_group_count(w->group), 2);
    ck_assert_int_eq(plx_group_add(w->group, a), 0); /* twice is once */
    ck_assert_uint_eq(plx_group_count(w->group), 2);
    world_serve(w, server, where);
    raw_connect(w, where);
    raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 2);
    ck_assert_uint_eq(plx_group_count(w->group), 4);
    plx_group_remove(w->group, a);
    ck_assert_uint_eq(plx_group_count(w->group), 3);
    plx_group_remove(w->group, a); /* no member any more */
    ck_assert_uint_eq(plx_group_count(w->group), 3);
    world_free(w, b);
    ck_assert_uint_eq(plx_group_count(w->group), 2);
    world_free_server(w, server);
    ck_assert_uint_eq(plx_group_count(w->group), 0);
}

/* A socket of packets counts and drops them one by one. */
static size_t skip_all(plx_socket *socket)
{
    size_t total = 0, size;

    while ((size = plx_socket_skip(socket, SIZE_MAX)) > 0)
        total += size;
    return total;
}

GROUP_CASE(members_added_at_any_time)
{
    struct record log;
    plx_socket *socket = w->kind->create();
    int raw;

    /* A connected socket with bytes in its buffer, bytes in the kernel and bytes to send. */
    record_begin(&log, socket);
    world_keep(w, socket);
    {
        plx_group *group = w->group;

        w->group = NULL;
        raw = world_pair(w, socket, &log);
        w->group = group;
    }
    raw_say(raw, "buffered");
    arrives(socket);
    plx_socket_poll(socket);
    ck_assert_int_eq(log.count[EVENT_DATA_AVAILABLE], 1);
    raw_say(raw, " and more");
    arrives(socket);
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    ck_assert_int_eq(plx_group_add(w->group, socket), 0);
    world_poll(w);
    ck_assert_uint_eq(skip_all(socket), 17);
    raw_expect(w, raw, "hello");
}

GROUP_PAIR_CASE(moves_between_groups)
{
    plx_group *other = plx_group_new();

    for (int round = 0; round < 4; round++) {
        plx_group *into = round % 2 == 0 ? other : w->group,
                  *from = round % 2 == 0 ? w->group : other;

        raw_say(raw, "x");
        arrives(socket);
        ck_assert_int_eq(plx_group_add(into, socket), 0);
        ck_assert_uint_eq(plx_group_count(from), 0);
        ck_assert_uint_eq(plx_group_count(into), 1);
        record_clear(log);
        plx_group_poll(from, 0);
        LOGGED(w, log, "");
        plx_group_poll(into, 0);
        LOGGED(w, log, DATA);
    }
    plx_group_free(other);
    ck_assert_uint_eq(plx_group_count(w->group), 1);
}

GROUP_SOCKET_CASE(moves_while_connecting)
{
    plx_group *other = plx_group_new();

    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    ck_assert_int_eq(plx_group_add(other, socket), 0);
    for (int i = 0; log->count[EVENT_SEND_COMPLETE] == 0; i++) {
        ck_assert_int_lt(i, ROUNDS);
        plx_group_poll(other, 1);
    }
    plx_group_free(other);
    ck_assert_int_eq(log->count[EVENT_CONNECTED], 1);
}

static void act_remove(struct record *record, plx_socket *socket)
{
    struct world *w = record->data;

    plx_group_remove(w->group, socket);
    for (int i = 0; i < w->sockets_used; i++) /* and everybody else */
        plx_group_remove(w->group, w->sockets[i]);
    ck_assert_uint_eq(plx_group_count(w->group), 0);
}

GROUP_CASE(removed_in_a_handler)
{
    struct record logs[4];
    plx_socket *sockets[4];
    int raws[4], told = 0;

    for (int i = 0; i < 4; i++) {
        sockets[i] = world_socket(w, &logs[i]);
        raws[i] = world_pair(w, sockets[i], &logs[i]);
    }
    for (int i = 0; i < 4; i++) {
        record_on(&logs[i], EVENT_DATA_AVAILABLE, act_remove, w);
        raw_say(raws[i], "x");
        arrives(sockets[i]);
    }
    world_settle(w);
    for (int i = 0; i < 4; i++)
        told += logs[i].count[EVENT_DATA_AVAILABLE];
    ck_assert_int_eq(told, 1); /* the first one removed them all */
    for (int i = 0; i < 4; i++) {
        plx_socket_poll(sockets[i]);
        plx_socket_poll(sockets[i]);
        ck_assert_int_eq(logs[i].count[EVENT_DATA_AVAILABLE], 1); /* polled alone they are fine */
    }
}

/* The pass that received the end was broken off, and no readiness reports that end again. */
static void end_and_remove(struct world *w, plx_socket *socket, struct record *log, int raw)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_remove, w);
    raw_say(raw, "x");
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    arrives(socket);
    UNTIL(w, log->fired);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 0);
}

GROUP_PAIR_CASE(removed_with_an_end_that_was_received)
{
    end_and_remove(w, socket, log, raw);
    ck_assert_int_eq(plx_group_add(w->group, socket), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
}

GROUP_PAIR_CASE(removed_and_waits_for_an_end_that_was_received)
{
    end_and_remove(w, socket, log, raw);
    ck_assert(plx_socket_wait_for_disconnected(socket, 5000));
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
}

static void act_leave_and_return_and_leave(struct record *record, plx_socket *socket)
{
    struct world *w = record->data;

    plx_group_remove(w->group, socket);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    ck_assert_int_eq(plx_group_add(w->group, socket), 0);
    plx_group_remove(w->group, socket);
}

/* A group owes the socket a turn when the socket leaves. Alone, the socket has no such turn: a poll
 * that returned true for it, while the peer reads nothing, would make the program's loop spin. */
GROUP_PAIR_CASE(no_turn_is_owed_to_one_that_left)
{
    static const char bytes[65536];
    int polls = 0;

    record_on(log, EVENT_DATA_AVAILABLE, act_leave_and_return_and_leave, w);
    log->mute = 1u << EVENT_SEND_PROGRESS;
    raw_say(raw, "go");
    UNTIL(w, log->fired);
    for (int i = 0; i < 128; i++)
        ck_assert_int_eq(plx_socket_write(socket, bytes, 65536), 65536);
    while (plx_socket_poll(socket))
        ck_assert_int_lt(++polls, 1000);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0);
}

static void act_add(struct record *record, plx_socket *socket)
{
    struct world *w = record->data;

    (void)socket;
    world_socket(w, NULL);
    ck_assert_uint_eq(plx_group_count(w->group), (size_t)w->sockets_used);
}

GROUP_PAIR_CASE(added_in_a_handler)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_add, w);
    log->always = true;
    for (int i = 0; i < 20; i++) {
        raw_say(raw, "x");
        UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == i + 1);
    }
    ck_assert_uint_eq(plx_group_count(w->group), 21);
}

GROUP_PAIR_CASE(free_with_members_alive)
{
    ck_assert_int_eq(plx_socket_write(socket, "queued", 6), 6);
    raw_say(raw, "hello");
    world_free_group(w);
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    raw_expect(w, raw, "queued");
}

/* ---- budget and fairness --------------------------------------------------------------------- */

GROUP_CASE(budget_in_bytes_goes_round)
{
    enum { COUNT = 8 };
    struct record logs[COUNT];
    plx_socket *sockets[COUNT];
    int raws[COUNT], polls = 0;
    uint64_t offsets[COUNT] = {0}, least;

    for (int i = 0; i < COUNT; i++) {
        sockets[i] = world_socket(w, &logs[i]);
        raws[i] = world_pair(w, sockets[i], &logs[i]);
        logs[i].swallow = true;
    }
    plx_group_set_budget(w->group, 0, 65536);
    /* Everybody floods all the time. After some polls nobody may have been passed over. */
    do {
        uint64_t before = 0, after = 0;
        bool left;

        least = UINT64_MAX;
        for (int i = 0; i < COUNT; i++) {
            raw_stuff(raws[i], &offsets[i]);
            before += logs[i].swallowed;
        }
        left = plx_group_poll(w->group, 0);
        for (int i = 0; i < COUNT; i++) {
            after += logs[i].swallowed;
            least = logs[i].swallowed < least ? logs[i].swallowed : least;
        }
        ck_assert(left);
        ck_assert_uint_gt(after, before);
        ck_assert_uint_le(after - before, 65536 + 262144); /* one read more is rounding */
        ck_assert_msg(++polls < 100, "%s: somebody starves: %llu", world_name(w),
                      (unsigned long long)least);
    } while (least == 0);
    /* Each poll has room for one of them, and those who had to wait come first. */
    ck_assert_int_le(polls, COUNT + 1);
    for (int i = 0; i < COUNT; i++)
        UNTIL(w, logs[i].swallowed == offsets[i]);
}

GROUP_CASE(budget_leaves_a_quiet_one_its_turn)
{
    struct record flood_log, quiet_log;
    plx_socket *flood = world_socket(w, &flood_log), *quiet = world_socket(w, &quiet_log);
    int flood_raw = world_pair(w, flood, &flood_log), quiet_raw = world_pair(w, quiet, &quiet_log);
    uint64_t offset = 0;
    int polls = 0;

    plx_group_set_budget(w->group, 0, 4096);
    flood_log.swallow = true;
    for (int i = 0; i < 5; i++) {
        raw_stuff(flood_raw, &offset);
        plx_group_poll(w->group, 0);
    }
    raw_say(quiet_raw, "x");
    arrives(quiet);
    while (quiet_log.count[EVENT_DATA_AVAILABLE] == 0) {
        ck_assert_int_lt(++polls, 10);
        raw_stuff(flood_raw, &offset);
        plx_group_poll(w->group, 0);
    }
}

/* What is sent counts too, and those that had to wait have their turn in the next polls. */
GROUP_CASE(budget_ends_sending)
{
    enum { COUNT = 8, EACH = 4000 };
    static const char bytes[EACH];
    plx_socket *sockets[COUNT];
    struct record logs[COUNT];
    int done = 0;

    for (int i = 0; i < COUNT; i++) {
        sockets[i] = world_socket(w, &logs[i]);
        world_pair(w, sockets[i], &logs[i]);
    }
    world_settle(w);
    plx_group_set_budget(w->group, 0, 2 * EACH);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(plx_socket_write(sockets[i], bytes, EACH), EACH);
    ck_assert(plx_group_poll(w->group, 0)); /* work is left */
    for (int i = 0; i < COUNT; i++)
        done += plx_socket_bytes_left_to_send(sockets[i]) == 0;
    ck_assert_int_ge(done, 1);
    ck_assert_int_le(done, 3);
    for (int i = 0; i < COUNT; i++)
        UNTIL(w, plx_socket_bytes_left_to_send(sockets[i]) == 0);
}

static void act_burn(struct record *record, plx_socket *socket)
{
    long long until = thread_us() + 5000;

    (void)record;
    (void)socket;
    while (thread_us() < until)
        ;
}

GROUP_CASE(budget_in_time)
{
    enum { COUNT = 10 };
    struct record logs[COUNT];
    plx_socket *sockets[COUNT];
    int raws[COUNT], told = 0;
    bool left;

    for (int i = 0; i < COUNT; i++) {
        sockets[i] = world_socket(w, &logs[i]);
        raws[i] = world_pair(w, sockets[i], &logs[i]);
        record_on(&logs[i], EVENT_DATA_AVAILABLE, act_burn, NULL);
    }
    for (int i = 0; i < COUNT; i++) {
        raw_say(raws[i], "x");
        arrives(sockets[i]);
    }
    plx_group_set_budget(w->group, 7000, 0); /* each handler takes 5000 */
    left = plx_group_poll(w->group, 0);
    for (int i = 0; i < COUNT; i++)
        told += logs[i].count[EVENT_DATA_AVAILABLE];
    ck_assert(left);
    ck_assert_int_ge(told, 1);
    ck_assert_int_lt(told, COUNT);
    ck_assert_int_eq(plx_group_deadline(w->group), 0); /* work waits in memory */
    for (int i = 0; i < COUNT; i++)
        UNTIL(w, logs[i].count[EVENT_DATA_AVAILABLE] == 1);
}

/* ---- sleeping and being woken ---------------------------------------------------------------- */

GROUP_PAIR_CASE(sleeps_until_something_comes)
{
    pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        poll(NULL, 0, 50);
        raw_say(raw, "wake up");
        _exit(0);
    }
    for (int i = 0; i < 10 && log->count[EVENT_DATA_AVAILABLE] == 0; i++)
        plx_group_poll(w->group, -1);
    LOGGED(w, log, DATA);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
}

/* What it costs the processor, in microseconds. */
static long long sleep_sixty(struct world *w)
{
    long long before = now_ms(), cpu = thread_us();

    ck_assert(!plx_group_poll(w->group, 60));
    ck_assert_int_ge(now_ms() - before, 55);
    return thread_us() - cpu;
}

GROUP_PAIR_CASE(time_over_is_false)
{
    EXPECT_BELOW(30000, sleep_sixty(w)); /* asleep, not spinning */
    ck_assert(!plx_group_poll(w->group, 0));
    LOGGED(w, log, "");
}

GROUP_CASE(an_empty_group_sleeps_too)
{
    long long before = now_ms();

    ck_assert(!plx_group_poll(w->group, 0));
    ck_assert(!plx_group_poll(w->group, 40));
    ck_assert_int_ge(now_ms() - before, 35);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
}

static void *wake_later(void *group)
{
    poll(NULL, 0, 50);
    plx_group_wake(group);
    return NULL;
}

GROUP_CASE(woken_by_a_thread)
{
    pthread_t thread;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, wake_later, w->group), 0);
        ck_assert(!plx_group_poll(w->group, -1)); /* for ever, but for the wake */
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
}

GROUP_CASE(woken_in_advance)
{
    long long before;

    for (int i = 0; i < 5; i++)
        plx_group_wake(w->group); /* many are one */
    plx_group_poll(w->group, -1);
    before = now_ms();
    plx_group_poll(w->group, 40); /* and it is used up */
    ck_assert_int_ge(now_ms() - before, 35);
}

GROUP_CASE(woken_shows_in_the_handle)
{
    if (plx_group_handle(w->group) < 0)
        return;
    ck_assert(!is_readable(plx_group_handle(w->group)));
    plx_group_wake(w->group);
    ck_assert(is_readable(plx_group_handle(w->group)));
    plx_group_poll(w->group, 0);
    ck_assert(!is_readable(plx_group_handle(w->group)));
}

static plx_group *alarmed;
static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
    (void)number;
    alarms = alarms + 1;
    if (alarmed != NULL)
        plx_group_wake(alarmed);
}

static void count_alarms(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

    alarms = 0;
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
}

static void alarm_in_fifty(void)
{
    struct itimerval timer = {.it_value = {.tv_usec = 50000}};

    count_alarms();
    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

GROUP_CASE(woken_by_a_signal_handler)
{
    alarmed = w->group;
    alarm_in_fifty();
    ck_assert(!plx_group_poll(w->group, -1));
    ck_assert_int_eq(alarms, 1);
}

GROUP_CASE(a_signal_handler_ends_the_sleep)
{
    pid_t child;

    alarmed = NULL;
    count_alarms();
    child = alarm_once_asleep();
    ck_assert(!plx_group_poll(w->group, 600000)); /* longer than the test may take */
    ck_assert_int_eq(alarms, 1);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

GROUP_PAIR_CASE(a_signal_handler_does_not_end_a_wait)
{
    long long before;

    alarmed = NULL;
    alarm_in_fifty();
    before = now_ms();
    ck_assert(!plx_socket_wait_for_data(socket, 120));
    ck_assert_int_eq(alarms, 1);
    ck_assert_int_ge(now_ms() - before, 115);
}

/* ---- inside another loop --------------------------------------------------------------------- */

/* Sleeps as a foreign event loop does: on the handle, no longer than the deadline, with a guard. */
static bool outer_sleep(plx_group *group)
{
    struct pollfd watch = {.fd = plx_group_handle(group), .events = POLLIN};
    int deadline = plx_group_deadline(group);
    bool guarded = deadline < 0 || deadline > 3000;

    return poll(&watch, 1, guarded ? 3000 : deadline) == 1 || !guarded;
}

GROUP_CASE(served_inside_another_loop)
{
    struct record log_a, log_b;
    plx_socket *a = world_socket(w, &log_a), *b = world_socket(w, &log_b);
    unsigned char bytes[16384];
    char where[WHERE_SIZE];

    if (plx_group_handle(w->group) < 0)
        return;
    log_a.swallow = log_b.swallow = true;
    plx_group_set_budget(w->group, 0, 65536);
    world_listen(w, b, where);
    ck_assert_int_eq(plx_socket_connect_to(a, where), 0);
    for (uint64_t done = 0; done < 4 << 20; done += sizeof bytes) {
        pattern_fill(bytes, sizeof bytes, done);
        ck_assert_int_eq(plx_socket_write(a, bytes, sizeof bytes), sizeof bytes);
    }
    for (int round = 0; log_b.swallowed < 4 << 20; round++) {
        ck_assert_int_lt(round, 20000);
        ck_assert_msg(outer_sleep(w->group),
                      "%s: neither handle nor deadline woke the loop after %llu", world_name(w),
                      (unsigned long long)log_b.swallowed);
        plx_group_poll(w->group, 0);
    }
    ck_assert_int_eq(plx_socket_disconnect(a), 0);
    for (int round = 0;
         log_a.count[EVENT_DISCONNECTED] == 0 || log_b.count[EVENT_DISCONNECTED] == 0; round++) {
        ck_assert_int_lt(round, 1000);
        ck_assert(outer_sleep(w->group));
        plx_group_poll(w->group, 0);
    }
    /* Nothing is left to do, and the loop sleeps. */
    plx_group_poll(w->group, 0);
    ck_assert(!is_readable(plx_group_handle(w->group)));
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
}

GROUP_SOCKET_CASE(deadline_of_what_waits_in_memory)
{
    world_settle(w); /* a new member is looked at once */
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1); /* an error to report */
    ck_assert_int_eq(plx_group_deadline(w->group), 0);
    world_poll(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0); /* a state to report */
    ck_assert_int_eq(plx_group_deadline(w->group), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    world_settle(w);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1); /* a byte to send */
    ck_assert_int_eq(plx_group_deadline(w->group), 0);
    world_settle(w);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_group_deadline(w->group), 0);
}

GROUP_PAIR_CASE(a_sleeping_poll_sees_what_waits_in_memory)
{
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    for (int i = 0; log->count[EVENT_SEND_COMPLETE] == 0; i++) {
        ck_assert_int_lt(i, 3);
        plx_group_poll(w->group, 600000); /* must not sleep */
    }
    ck_assert_int_eq(plx_socket_write(socket, NULL, 1), -1);
    plx_group_poll(w->group, 600000);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
}

/* ---- fork ------------------------------------------------------------------------------------ */

GROUP_CASE(a_child_frees_all_and_the_parent_goes_on)
{
    struct record logs[3];
    plx_socket *sockets[3], *listening;
    plx_server *server = world_server(w);
    char where[WHERE_SIZE], server_where[WHERE_SIZE];
    int raws[3], client, status = 0;
    pid_t child;

    for (int i = 0; i < 3; i++) {
        sockets[i] = world_socket(w, &logs[i]);
        raws[i] = world_pair(w, sockets[i], &logs[i]);
    }
    listening = world_socket(w, NULL);
    world_listen(w, listening, where);
    world_serve(w, server, server_where);
    client = raw_connect(w, server_where);
    UNTIL(w, plx_server_active_count(server) == 1);
    world_settle(w);
    ck_assert_int_eq(plx_socket_write(sockets[2], "queued", 6), 6);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        plx_server_free(server);
        for (int i = 0; i < 3; i++)
            plx_socket_free(sockets[i]);
        plx_socket_free(listening);
        plx_group_free(w->group);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    /* Neither was anything shut down, nor is the poller deaf, nor was anything sent twice. */
    for (int i = 0; i < 3; i++) {
        raw_say(raws[i], "hello");
        UNTIL(w, logs[i].count[EVENT_DATA_AVAILABLE] == 1);
        ck_assert_uint_eq(plx_socket_bytes_available(sockets[i]), 5);
        ck_assert_int_eq(plx_socket_write(sockets[i], " reply", 6), 6);
        raw_expect(w, raws[i], i == 2 ? "queued reply" : " reply");
        ck_assert_int_eq(logs[i].count[EVENT_ERROR], 0);
    }
    raw_say(client, "hello");
    UNTIL(w, plx_socket_bytes_available(plx_server_next_active(server, NULL)) == 5);
    raw_connect(w, server_where);
    UNTIL(w, plx_server_active_count(server) == 2);
    raw_connect(w, where);
    UNTIL(w, plx_socket_is_connected(listening));
}

GROUP_PAIR_CASE(a_child_frees_the_group_first)
{
    int status = 0;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        plx_group_free(w->group);
        plx_socket_free(socket);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    raw_say(raw, "hello");
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 1);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
}

/* ---- signals --------------------------------------------------------------------------------- */

GROUP_SOCKET_CASE(never_a_broken_pipe_signal)
{
    static char bytes[65536];

    ck_assert(signal(SIGPIPE, SIG_DFL) == SIG_DFL); /* it would kill this test */
    for (int round = 0; round < 10; round++) {
        int raw = world_pair(w, socket, log);

        raw_reset(w, raw);
        poll(NULL, 0, 1);
        plx_socket_write(socket, bytes, round % 2 == 0 ? sizeof bytes : 5);
        plx_socket_flush(socket);
        plx_socket_write(socket, bytes, sizeof bytes);
        plx_socket_flush(socket);
        if (round % 3 == 0)
            plx_socket_close(socket);
        UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
        world_settle(w);
    }
}

/* ---- many members ---------------------------------------------------------------------------- */

GROUP_CASE(many_members_and_few_are_told)
{
    enum { COUNT = 60 };
    struct record *logs = calloc(COUNT, sizeof *logs);
    plx_socket *sockets[COUNT];
    int raws[COUNT];
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < COUNT; i++) {
        char where[WHERE_SIZE];
        int listener = raw_listen(w, 1, where);

        sockets[i] = world_socket(w, &logs[i]);
        ck_assert_int_eq(plx_socket_connect_to(sockets[i], where), 0);
        raws[i] = raw_accept(w, listener);
        raw_close(w, listener);
        UNTIL(w, logs[i].count[EVENT_CONNECTED] == 1);
    }
    for (int i = 0; i < COUNT; i++) {
        raw_say(raws[i], "x");
        arrives(sockets[i]);
        plx_group_poll(w->group, 0); /* a single poll delivers it, to that one and nobody else */
        for (int k = 0; k < COUNT; k++)
            ck_assert_int_eq(logs[k].count[EVENT_DATA_AVAILABLE], k <= i);
    }
    free(logs);
}

/* ---- the very next poll ---------------------------------------------------------------------- */

static size_t take_all(plx_socket *socket)
{
    size_t size;

    plx_socket_read_all(socket, &size);
    return size;
}

/* Whatever the mechanism knows of a quiet frame, a poll reports what arrived before. */
GROUP_CASE(what_has_come_is_told_by_the_very_next_poll)
{
    enum { MEMBERS = 3, TRIALS = 200 };
    struct record logs[MEMBERS];
    plx_socket *sockets[MEMBERS];
    int raws[MEMBERS];

    for (int i = 0; i < MEMBERS; i++) {
        sockets[i] = world_socket(w, &logs[i]);
        raws[i] = world_pair(w, sockets[i], &logs[i]);
    }
    for (int i = 0; i < TRIALS; i++) {
        int which = i % MEMBERS;

        for (int idle = 0; idle < i % 9; idle++)
            ck_assert(!plx_group_poll(w->group, 0));
        raw_say(raws[which], "x");
        arrives(sockets[which]);
        plx_group_poll(w->group, 0);
        for (int k = 0; k < MEMBERS; k++)
            ck_assert_uint_eq(take_all(sockets[k]), k == which);
    }
}

/* The same for a program that polls its members one by one and never the group. */
GROUP_CASE(what_has_come_is_told_by_the_next_poll_of_a_member)
{
    enum { MEMBERS = 3, TRIALS = 200 };
    plx_socket *sockets[MEMBERS];
    int raws[MEMBERS];

    for (int i = 0; i < MEMBERS; i++) {
        sockets[i] = world_socket(w, NULL);
        raws[i] = world_pair(w, sockets[i], NULL);
    }
    for (int i = 0; i < TRIALS; i++) {
        int first = i % MEMBERS, second = (i + 1 + i % 2) % MEMBERS;

        for (int idle = 0; idle < i % 9; idle++)
            plx_socket_poll(sockets[idle % MEMBERS]);
        raw_say(raws[first], "x");
        raw_say(raws[second], "yz");
        arrives(sockets[first]);
        arrives(sockets[second]);
        plx_socket_poll(sockets[first]);
        ck_assert_uint_eq(take_all(sockets[first]), 1);
        ck_assert_uint_eq(take_all(sockets[second]), 0);
        plx_socket_poll(sockets[second]);
        ck_assert_uint_eq(take_all(sockets[second]), 2);
    }
}

static void act_poll_other(struct record *record, plx_socket *socket)
{
    (void)socket;
    plx_socket_poll(record->data);
}

/* A handler polls another member in the middle of the group's frame: both are served, and what
 * comes for a third one meanwhile as well. */
GROUP_CASE(a_member_is_polled_inside_a_frame)
{
    struct record logs[3];
    plx_socket *sockets[3];
    int raws[3];

    for (int i = 0; i < 3; i++) {
        sockets[i] = world_socket(w, &logs[i]);
        raws[i] = world_pair(w, sockets[i], &logs[i]);
    }
    for (int i = 0; i < 50; i++) {
        record_clear(&logs[0]);
        record_on(&logs[0], EVENT_DATA_AVAILABLE, act_poll_other, sockets[1]);
        for (int idle = 0; idle < i % 5; idle++)
            world_poll(w);
        for (int k = 0; k < 3; k++)
            if (k == 0 || (i >> k) % 2 == 0) {
                raw_say(raws[k], "x");
                arrives(sockets[k]);
            }
        world_poll(w);
        for (int k = 0; k < 3; k++)
            ck_assert_uint_eq(take_all(sockets[k]), k == 0 || (i >> k) % 2 == 0);
    }
}

struct inner_poll {
    struct world *world;
    int raw;
};

static void act_poll_group(struct record *record, plx_socket *socket)
{
    struct inner_poll *inner = record->data;

    raw_say(inner->raw, "yz");
    arrives(socket);
    plx_group_poll(inner->world->group, 0);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 1);
}

/* The other way round: what the group finds for the very socket whose handler polls it has to wait,
 * and is not forgotten. */
GROUP_SOCKET_CASE(a_group_is_polled_inside_the_poll_of_a_member)
{
    struct inner_poll inner = {w, world_pair(w, socket, log)};

    record_on(log, EVENT_DATA_AVAILABLE, act_poll_group, &inner);
    raw_say(inner.raw, "x");
    arrives(socket);
    plx_socket_poll(socket);
    ck_assert(log->fired);
    plx_group_poll(w->group, 0);
    ck_assert_uint_eq(skip_all(socket), 3);
}

/* A Unix socket ends a read behind a byte that carries a descriptor (unix(7)), TCP ends it before
 * an urgent one. */
static void raw_say_apart(int descriptor, char byte)
{
    int family = 0;
    socklen_t family_size = sizeof family;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &family_size);
    if (family == AF_UNIX) {
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        ck_assert_int_eq(sendmsg(descriptor, &message, MSG_NOSIGNAL), 1);
    } else {
        ck_assert_int_eq(send(descriptor, &byte, 1, MSG_OOB | MSG_NOSIGNAL), 1);
    }
}

/* Reads come back short although more is there, and nothing further ever comes. */
STREAM_GROUP_CASE(a_short_read_that_was_not_all)
{
    plx_socket *socket = world_socket(w, NULL);
    int raw = world_pair(w, socket, NULL);
    const char *bytes;
    size_t size;

    world_settle(w);
    for (int i = 0; i < 5; i++) {
        raw_say(raw, "x");
        raw_say_apart(raw, 'y');
    }
    raw_say(raw, "z");
    for (int i = 0; i < 20; i++)
        plx_group_poll(w->group, 0);
    bytes = plx_socket_lookahead(socket, &size);
    ck_assert_msg(size == 11 && memcmp(bytes, "xyxyxyxyxyz", 11) == 0, "%s: %.*s", world_name(w),
                  (int)size, bytes);
}

/* Asking for one member's sake does not use up what was meant for the group's sleep. */
/* A container or an old sandbox refuses eventfd2(2) with one of these: a pipe is left. */
#ifdef SYS_eventfd2
static void expect_woken_without_eventfd(int error)
{
    plx_group *group;
    long long before;

    if (!kernel_denies(SYS_eventfd2, -1, error))
        return;
    group = plx_group_new();
    ck_assert_ptr_nonnull(group);
    for (int i = 0; i < 3; i++) {
        for (int wakes = 0; wakes < 200; wakes++)
            plx_group_wake(group);             /* many are one */
        ck_assert(!plx_group_poll(group, -1)); /* for ever, but for the wake */
    }
    before = now_ms();
    plx_group_poll(group, 40); /* and they are used up */
    ck_assert_int_ge(now_ms() - before, 35);
    plx_group_free(group);
}

GROUP_CASE(a_kernel_without_eventfd)
{
    (void)w;
    expect_woken_without_eventfd(ENOSYS);
}

GROUP_CASE(a_sandbox_that_forbids_eventfd)
{
    (void)w;
    expect_woken_without_eventfd(EPERM);
}
#endif

GROUP_CASE(a_wake_outlives_polls_of_members)
{
    plx_socket *socket = world_socket(w, NULL);

    world_pair(w, socket, NULL);
    for (int i = 0; i < 5; i++) {
        world_settle(w);
        plx_group_wake(w->group);
        for (int k = 0; k < 20; k++)
            plx_socket_poll(socket);
        plx_group_poll(w->group, -1); /* for ever, but for the wake */
    }
}

/* Two groups in one thread, and the one with events that is polled is not the one that had them
 * first. */
static void act_free_group(struct record *record, plx_socket *socket)
{
    plx_group *group = record->data;

    (void)socket;
    plx_group_free(group);
    ck_assert(!plx_group_poll(group, 100)); /* it lives as long as its handlers run, and rests */
}

GROUP_SOCKET_CASE(a_group_that_was_freed_is_not_polled)
{
    plx_group *group = plx_group_new();
    int raw = world_pair(w, socket, log);

    ck_assert_int_eq(plx_group_add(group, socket), 0);
    record_on(log, EVENT_DATA_AVAILABLE, act_free_group, group);
    raw_say(raw, "x");
    arrives(socket);
    while (!log->fired)
        plx_group_poll(group, 10);
    ck_assert_int_eq(plx_group_add(w->group, socket), 0);
    raw_say(raw, "y");
    UNTIL(w, skip_all(socket) > 0);
}

GROUP_CASE(two_groups_in_one_thread)
{
    plx_group *groups[2] = {w->group, plx_group_new()};
    plx_socket *sockets[2];
    int raws[2];

    for (int i = 0; i < 2; i++) {
        sockets[i] = world_socket(w, NULL);
        raws[i] = world_pair(w, sockets[i], NULL);
    }
    ck_assert_int_eq(plx_group_add(groups[1], sockets[1]), 0);
    for (int i = 0; i < 100; i++) {
        for (int idle = 0; idle < 4; idle++) {
            plx_group_poll(groups[0], 0);
            plx_group_poll(groups[1], 0);
        }
        raw_say(raws[i % 2], "x");
        raw_say(raws[1 - i % 2], "x");
        arrives(sockets[0]);
        arrives(sockets[1]);
        plx_group_poll(groups[1 - i % 2], 0);
        ck_assert_uint_eq(take_all(sockets[1 - i % 2]), 1);
        plx_group_poll(groups[i % 2], 0);
        ck_assert_uint_eq(take_all(sockets[i % 2]), 1);
    }
    plx_group_free(groups[1]);
}

struct relay {
    struct world *world;
    plx_socket *socket;
    int raw;
    int delivered;
};

static void *poll_elsewhere(void *argument)
{
    struct relay *relay = argument;

    for (int i = 0; i < 10; i++) {
        for (int idle = 0; idle < i % 4; idle++)
            plx_group_poll(relay->world->group, 0);
        raw_say(relay->raw, "x");
        arrives(relay->socket);
        plx_group_poll(relay->world->group, 0);
        relay->delivered += take_all(relay->socket) == 1;
    }
    return NULL;
}

/* A group belongs to one thread at a time, but not for ever to the same. */
GROUP_CASE(polled_by_one_thread_after_another)
{
    struct relay relay = {w, world_socket(w, NULL), 0, 0};

    relay.raw = world_pair(w, relay.socket, NULL);
    for (int i = 0; i < 40; i++) {
        pthread_t thread;

        relay.delivered = 0;
        ck_assert_int_eq(pthread_create(&thread, NULL, poll_elsewhere, &relay), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_int_eq(relay.delivered, 10);
        relay.delivered = 0;
        if (i % 3 == 0)
            poll_elsewhere(&relay);
        ck_assert(relay.delivered == 10 || i % 3 != 0);
    }
}

WORLD_MAIN("group", .packets = true)
