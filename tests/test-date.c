/* tests/test-date.c -- the date is set to another year, again and again: no time-out of the library
 * moves, and a lookup goes on.
 *
 * Every reading of the date arrives here, for a program's own functions come before those of the C
 * library: the readings of Pollux and of c-ares. Between two steps the date runs on as the
 * monotonic clock does. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "lib/os/clock.h"
#include "lib/resolve/resolver.h"
#include "tests/asker.h"
#include "tests/clocks.h"
#include "tests/netns.h"

enum { LIMIT = 120, GRACE = 20000 }; /* milliseconds */

/* ---- the date -------------------------------------------------------------------------------- */

enum { YEAR = 365 * 24 * 3600, STEP = 7 }; /* in seconds; in milliseconds */

static bool changes;
static long long steps; /* that a case has made, besides those every STEP milliseconds */

static int read_kernel(clockid_t clock, struct timespec *ret_time)
{
#ifdef SYS_clock_gettime64
    if (sizeof(time_t) > sizeof(long))
        return (int)syscall(SYS_clock_gettime64, clock, ret_time);
#endif
    return (int)syscall(SYS_clock_gettime, clock, ret_time);
}

/* By how many seconds the date is ahead: a year more with each step, and less from five years on. */
static time_t error_of_date(void)
{
    struct timespec now;
    long long turn;

    if (!changes)
        return 0;
    read_kernel(CLOCK_MONOTONIC, &now);
    turn = (now.tv_nsec / (STEP * 1000000) + steps) % 20;
    return (time_t)(turn < 10 ? turn - 5 : 15 - turn) * YEAR;
}

static bool is_date(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    int result = read_kernel(clock, ret_time);

    if (result == 0 && is_date(clock))
        ret_time->tv_sec += error_of_date();
    return result;
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
    struct timespec time;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &time);
    *ret_time =
        (struct timeval){.tv_sec = time.tv_sec, .tv_usec = (suseconds_t)(time.tv_nsec / 1000)};
    return 0;
}

time_t time(time_t *ret_time)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (ret_time != NULL)
        *ret_time = now.tv_sec;
    return now.tv_sec;
}

static void begin_changes(void)
{
    changes = true;
}

static void end_changes(void)
{
    changes = false;
}

/* UNTIL, with a step of the date before each poll. */
#define STEPPING_UNTIL(world, condition) UNTIL(world, (steps++, (condition)))

static void expect_time(const struct world *w, const char *what, long long begun, long long least)
{
    long long took = now_ms() - begun;

    ck_assert_msg(took >= least - 1, "%s: %s was over after %lld ms of %lld", world_name(w), what,
                  took, least);
    ck_assert_msg(took < least + GRACE, "%s: %s lasted %lld ms, not %lld", world_name(w), what,
                  took, least);
}

static void set(plx_socket *socket, plx_option option, int value)
{
    ck_assert_int_eq(plx_socket_set_option(socket, option, value), 0);
}

/* Both ways of the test to read the date, and that the steps are there. */
PLAIN_CASE(the_clock_of_the_library_is_not_the_date)
{
    uint64_t last = plx_clock_now();
    time_t least = time(NULL), most = least;

    for (int i = 0; i < 3000; i++) {
        struct timeval now;
        uint64_t moment = i % 2 == 0 ? plx_clock_now() : plx__clock_real();

        steps++;
        gettimeofday(&now, NULL);
        least = now.tv_sec < least ? now.tv_sec : least;
        most = now.tv_sec > most ? now.tv_sec : most;
        ck_assert_uint_ge(moment, last);
        ck_assert_uint_lt(moment - last, (uint64_t)GRACE * 1000000);
        last = moment;
    }
    ck_assert_int_ge(most - least, 9 * YEAR);
}

/* ---- time-outs ------------------------------------------------------------------------------- */

/* Each has plenty of time, by the clock that counts. */
CASE(connections_come_and_go)
{
    plx_server *server = world_server(w);
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];

    log.mute = ~0u;
    set(socket, PLX_OPTION_CONNECT_TIMEOUT, GRACE);
    set(socket, PLX_OPTION_IDLE_TIMEOUT, GRACE);
    set(socket, PLX_OPTION_LINGER_TIMEOUT, GRACE);
    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_IDLE_TIMEOUT, GRACE), 0);
    world_serve(w, server, where);
    for (int i = 1; i <= 10; i++) {
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        STEPPING_UNTIL(w, log.count[EVENT_CONNECTED] == i);
        for (int frame = 0; frame < 20; frame++) {
            steps++;
            world_poll(w);
        }
        ck_assert_uint_eq(plx_server_active_count(server), 1);
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
        STEPPING_UNTIL(w, log.count[EVENT_DISCONNECTED] == i);
        STEPPING_UNTIL(w, plx_server_active_count(server) == 0);
    }
    ck_assert_msg(log.count[EVENT_ERROR] == 0, "%s: %s", world_name(w), log.message);
}

MODE_SOCKET_CASE(a_connect_has_its_time)
{
    long long begun = now_ms();

    raw_silent(w, where);
    set(socket, PLX_OPTION_CONNECT_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    STEPPING_UNTIL(w, log->count[EVENT_ERROR] == 1);
    expect_time(w, "a connect", begun, LIMIT);
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
}

PAIR_CASE(silence_has_its_time)
{
    long long begun;

    set(socket, PLX_OPTION_IDLE_TIMEOUT, LIMIT);
    raw_say(raw, "x");
    begun = now_ms();
    STEPPING_UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    expect_time(w, "silence", begun, LIMIT);
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
}

MODE_PAIR_CASE(lingering_has_its_time)
{
    static const char much[8 << 20];
    long long begun;

    (void)raw;
    log->mute = ~0u;
    set(socket, PLX_OPTION_LINGER_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_write(socket, much, sizeof much), sizeof much);
    begun = now_ms();
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    STEPPING_UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    expect_time(w, "lingering", begun, LIMIT);
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
}

/* What is left of a pause is never more than the pause, and never more than it was. */
static void expect_pause(struct world *w, plx_socket *socket, const struct record *log, int most)
{
    long long begun = now_ms();
    int left = plx_socket_reconnects_in(socket), failures = log->count[EVENT_ERROR];
    int least = left;

    ck_assert_int_gt(left, 0);
    ck_assert_int_le(left, most * 5 / 4);
    while (log->count[EVENT_ERROR] == failures) {
        int now = plx_socket_reconnects_in(socket);

        steps++;
        ck_assert_msg(now <= left, "%s: from %d to %d ms", world_name(w), left, now);
        left = now;
        world_turn(w, 20);
        ck_assert_int_lt(now_ms() - begun, GRACE);
    }
    expect_time(w, "a pause", begun, least);
}

MODE_SOCKET_CASE(pauses_have_their_time)
{
    raw_refusing(w, where);
    set(socket, PLX_OPTION_AUTO_CONNECT, 1);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    STEPPING_UNTIL(w, log->count[EVENT_ERROR] == 1);
    for (int pause = 100; pause <= 200; pause *= 2)
        expect_pause(w, socket, log, pause);
    plx_socket_close(socket);
}

/* ---- waits ----------------------------------------------------------------------------------- */

typedef bool wait_call(plx_socket *socket, int timeout_ms);

PAIR_CASE(waits_have_their_time)
{
    static wait_call *const waits[] = {plx_socket_wait, plx_socket_wait_for_data,
                                       plx_socket_wait_for_disconnected};
    long long begun;

    set(socket, PLX_OPTION_IDLE_TIMEOUT, GRACE);
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        steps++;
        begun = now_ms();
        ck_assert(!waits[i](socket, 40));
        expect_time(w, "a wait", begun, 40);
    }
    raw_say(raw, "x");
    ck_assert(plx_socket_wait_for_data(socket, GRACE));
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

MODE_CASE(sleeps_have_their_time)
{
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];
    long long begun = now_ms();

    world_serve(w, server, where);
    ck_assert(!plx_server_wait(server, 40));
    expect_time(w, "a server's wait", begun, 40);
    begun = now_ms();
    if (w->group != NULL) {
        ck_assert(!plx_group_poll(w->group, 40));
        expect_time(w, "a group's sleep", begun, 40);
    }
}

/* ---- lookups --------------------------------------------------------------------------------- */

#define STEPPING_UNTIL_ASKED(world, server, condition)                                             \
    STEPPING_UNTIL(world, (nameserver_serve(server), (condition)))

NAMES_CASE(names_are_found)
{
    for (int i = 0; i < 10; i++) {
        struct asker asker;

        server->holds = i % 2 == 1;
        server->ipv4 = ADDRESSES("127.0.0.1");
        asker_begin(w, &asker, (enum way)(i % WAYS), "a.test");
        if (server->holds) {
            STEPPING_UNTIL_ASKED(w, server, server->held_count == 2);
            for (int frame = 0; frame < 20; frame++) {
                steps++;
                world_turn(w, frame);
            }
            nameserver_release(server);
        }
        STEPPING_UNTIL_ASKED(w, server, asker_failed(&asker) || asker_reached(&asker));
        ck_assert_msg(!asker_failed(&asker), "%s: %s", world_name(w), asker.log.message);
    }
    ck_assert_int_eq(server->asked4, 10); /* none was repeated */
    ck_assert_int_eq(server->asked6, 10);
}

/* c-ares waits for its answers by a clock of its own. */
NAMES_CASE(a_lookup_has_its_time)
{
    struct asker askers[WAYS];
    long long begun = now_ms();

    setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
    nameserver_says(server, SAYS_NOTHING);
    for (int way = 0; way < WAYS; way++)
        asker_begin(w, &askers[way], (enum way)way, "a.test");
    for (int way = 0; way < WAYS; way++) {
        STEPPING_UNTIL_ASKED(w, server, asker_failed(&askers[way]));
        expect_time(w, "a lookup", begun, 900);
        ck_assert_int_eq(askers[way].log.os_error, ETIMEDOUT);
    }
}

NAMES_CASE(a_connect_by_name_has_its_time)
{
    struct asker asker;
    long long begun = now_ms();

    nameserver_says(server, SAYS_NOTHING);
    asker_prepare(w, &asker, WAY_TCP);
    set(asker.socket, PLX_OPTION_CONNECT_TIMEOUT, LIMIT);
    asker_ask(&asker, "a.test");
    STEPPING_UNTIL_ASKED(w, server, asker_failed(&asker));
    expect_time(w, "a connect by name", begun, LIMIT);
}

/* The second address has its turn 250 ms after the first one. */
NAMES_SOCKET_CASE(the_next_address_has_its_time)
{
    char named[WHERE_SIZE];
    long long begun;

    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.1");
    raw_listen(w, 5, where);
    raw_silent_at(w, "127.0.0.2", where);
    where_by_name("a.test", where, named);
    begun = now_ms();
    ck_assert_int_eq(plx_socket_connect_to(socket, named), 0);
    STEPPING_UNTIL_ASKED(w, server, log->count[EVENT_CONNECTED] + log->count[EVENT_ERROR] > 0);
    ck_assert_int_eq(log->count[EVENT_CONNECTED], 1);
    expect_time(w, "the turn of an address", begun, 250);
}

/* For 60 seconds, of which none is over. */
NAMES_CASE(a_name_is_remembered)
{
    struct asker asker;

    server->ipv4 = ADDRESSES("127.0.0.1");
    asker_begin(w, &asker, WAY_UDP_WRITE, "a.test");
    STEPPING_UNTIL_ASKED(w, server, asker_reached(&asker));
    for (int i = 0; i < 20; i++) {
        steps++;
        asker_ask(&asker, "a.test");
        UNTIL_ASKED(w, server, asker_reached(&asker));
    }
    ck_assert_int_eq(server->asked4, 1);
}

/* ---- the hosts file -------------------------------------------------------------------------- */

enum { LINES = 12000 }; /* of which the library makes a filter */

/* Writes a file of always the same size, whose change the kernel distinguishes from the one before. */
static void write_hosts(const char *path, int last)
{
    struct stat before = {0}, after;

    (void)!stat(path, &before);
    do {
        FILE *file = fopen(path, "w");

        ck_assert_ptr_nonnull(file);
        fprintf(file, "127.0.0.1 localhost\n");
        for (int i = 0; i < LINES; i++)
            fprintf(file, "0.0.0.0 advert%05d.tracker.example\n", i);
        fprintf(file, "10.0.0.%d game%d.lan\n", last, last);
        fclose(file);
        ck_assert_int_eq(stat(path, &after), 0);
    } while (after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
             after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
}

static bool is_listed(const char *host, const char *address)
{
    struct plx__query query = {.family = 4};
    char text[80] = "";

    plx__hosts_find(&query, host);
    if (query.count == 1)
        plx_address_format(&query.addresses[0], text, sizeof text);
    return query.count == 1 && strncmp(text, address, strlen(address)) == 0;
}

/* The library keeps what it knows of a long file as long as the file is the same. Its times are in
 * the future, now, or long ago. */
PLAIN_CASE(a_change_of_the_hosts_file_is_seen)
{
    char path[] = "/tmp/pollux-date-XXXXXX", name[32], address[32];
    int descriptor = mkstemp(path);

    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    if (!netns_enter("a hosts file")) {
        unlink(path);
        return;
    }
    netns_run("mount --bind %s /etc/hosts", path);
    for (int last = 1; last < 10; last++) {
        write_hosts(path, last);
        snprintf(name, sizeof name, "game%d.lan", last);
        snprintf(address, sizeof address, "10.0.0.%d:", last);
        for (int i = 0; i < 6; i++) {
            steps++;
            ck_assert_msg(is_listed(name, address), "change %d, lookup %d", last, i);
            ck_assert(is_listed("advert00007.tracker.example", "0.0.0.0:"));
            ck_assert(!is_listed("elsewhere.lan", ""));
        }
        snprintf(name, sizeof name, "game%d.lan", last - 1);
        ck_assert(!is_listed(name, ""));
    }
    netns_run("umount /etc/hosts");
    unlink(path);
}

WORLD_MAIN("date", .packets = true, .filtered = true, .setup = begin_changes,
           .teardown = end_changes)
