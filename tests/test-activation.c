/* tests/test-activation.c -- descriptors from a service manager, passed as systemd does. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/sockets.h"
#include "tests/world.h"

enum { FIRST = 3 };

/* The descriptors from 3 on belong to the test runner here, so that each case runs in a child, and
 * says by its exit status and on standard error what went wrong. */
#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)
#define NEED_EQUAL(is, wanted) NEED((is) == (wanted))

#define CHILD_CASE(name)                                                                           \
    static void name##_child(void);                                                                \
    PLAIN_CASE(name)                                                                               \
    {                                                                                              \
        int status = -1;                                                                           \
        pid_t child = fork();                                                                      \
                                                                                                   \
        if (child == 0) {                                                                          \
            name##_child();                                                                        \
            exit(0); /* not _exit, for gcov */                                                     \
        }                                                                                          \
        ck_assert_int_eq(waitpid(child, &status, 0), child);                                       \
        ck_assert_int_eq(status, 0);                                                               \
    }                                                                                              \
    static void name##_child(void)

/* Puts descriptors at 3, 4, ... of this process, which has nothing there that it still needs. */
static void pass(int *descriptors, int count, const char *names)
{
    char text[32];
    int high[8];

    for (int i = 0; i < count; i++)
        high[i] = fcntl(descriptors[i], F_DUPFD, 100);
    for (int i = 0; i < count; i++)
        NEED_EQUAL(dup2(high[i], FIRST + i), FIRST + i);
    snprintf(text, sizeof text, "%d", count);
    setenv("LISTEN_FDS", text, 1);
    snprintf(text, sizeof text, "%d", (int)getpid());
    setenv("LISTEN_PID", text, 1);
    if (names != NULL)
        setenv("LISTEN_FDNAMES", names, 1);
}

static int listener(int family, int *ret_port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    sa_family_t local = AF_UNIX; /* a family alone: the kernel chooses a name, unix(7) */
    int raw = socket(family, SOCK_STREAM, 0);

    NEED(raw >= 0);
    if (family == AF_INET) {
        NEED_EQUAL(bind(raw, (struct sockaddr *)&name, size), 0);
        NEED_EQUAL(getsockname(raw, (struct sockaddr *)&name, &size), 0);
        *ret_port = ntohs(name.sin_port);
    } else {
        NEED_EQUAL(bind(raw, (struct sockaddr *)(void *)&local, sizeof local), 0);
    }
    NEED_EQUAL(listen(raw, 5), 0);
    return raw;
}

CHILD_CASE(by_name_and_each_once)
{
    int ports[2], unused;
    int passed[] = {listener(AF_INET, &ports[0]), listener(AF_UNIX, &unused),
                    listener(AF_INET, &ports[1])};
    plx_server *one = plx_server_new(plx_tcp_new), *other = plx_server_new(plx_tcp_new);
    plx_server *local = plx_server_new(plx_ipc_new);

    pass(passed, 3, "web:local:admin");
    NEED_EQUAL(plx_server_adopt_activated(one, "nobody"), PLX_INVALID_STATE);
    NEED_EQUAL(plx_server_adopt_activated(one, "we"), PLX_INVALID_STATE);
    NEED_EQUAL(plx_server_adopt_activated(one, "local"), PLX_INVALID_STATE); /* another kind */
    NEED_EQUAL(plx_server_adopt_activated(one, "admin"), 0);
    NEED_EQUAL(plx_server_port(one), ports[1]);
    NEED_EQUAL(plx_server_adopt_activated(other, "admin"), PLX_INVALID_STATE); /* taken */
    NEED_EQUAL(plx_server_adopt_activated(other, NULL), 0);
    NEED_EQUAL(plx_server_port(other), ports[0]);
    NEED_EQUAL(plx_server_adopt_activated(local, NULL), 0);
    NEED(plx_server_is_listening(local));
    NEED_EQUAL(fcntl(FIRST, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    plx_server_free(one);
    plx_server_free(other);
    plx_server_free(local);
}

CHILD_CASE(meant_for_another_process)
{
    int port, passed[] = {listener(AF_INET, &port)};
    plx_server *server = plx_server_new(plx_tcp_new);

    pass(passed, 1, NULL);
    setenv("LISTEN_PID", "1", 1);
    NEED_EQUAL(plx_server_adopt_activated(server, NULL), PLX_INVALID_STATE);
    setenv("LISTEN_PID", "nonsense", 1);
    NEED_EQUAL(plx_server_adopt_activated(server, NULL), PLX_INVALID_STATE);
    unsetenv("LISTEN_PID");
    NEED_EQUAL(plx_server_adopt_activated(server, NULL), PLX_INVALID_STATE);
    NEED_EQUAL(plx_server_adopt_activated(NULL, NULL), PLX_INVALID_STATE);
    plx_server_free(server);
}

CHILD_CASE(a_number_that_is_too_large)
{
    static const char *const none[] = {"2147483645", "2147483647", "2147483648", "4294967297",
                                       "99999999999999999999", "-1", "", " 1", "1 ", "+1", "0x1"};
    int port, passed[] = {listener(AF_INET, &port)};
    plx_server *server = plx_server_new(plx_tcp_new);

    pass(passed, 1, "here");
    setenv("LISTEN_FDS", "50", 1);
    NEED_EQUAL(plx_server_adopt_activated(server, "there"), PLX_INVALID_STATE);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        setenv("LISTEN_FDS", none[i], 1);
        NEED_EQUAL(plx_server_adopt_activated(server, "here"), PLX_INVALID_STATE);
    }
    setenv("LISTEN_FDS", "1", 1);
    NEED_EQUAL(plx_server_adopt_activated(server, "here"), 0);
    plx_server_free(server);
}

/* Each number costs a call of the kernel, and what is beyond the descriptors there are costs none:
 * two thousand million of them took minutes. */
CHILD_CASE(a_number_far_beyond_what_was_passed)
{
    static const char *const far[] = {"100000000", "2147483644"};
    int port, passed[] = {listener(AF_INET, &port)};
    plx_server *server = plx_server_new(plx_tcp_new);

    pass(passed, 1, "here");
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        setenv("LISTEN_FDS", far[i], 1);
        NEED_EQUAL(plx_server_adopt_activated(server, "there"), PLX_INVALID_STATE);
    }
    NEED_EQUAL(plx_server_adopt_activated(server, "here"), 0);
    plx_server_free(server);
}

/* The longest gap that is searched is 1 023 numbers behind one that is taken. */
CHILD_CASE(behind_a_gap_of_numbers)
{
    enum { GAP = 1024 };
    struct rlimit limit;
    int ports[2];
    int passed[] = {listener(AF_INET, &ports[0])}, far = listener(AF_INET, &ports[1]);
    plx_server *near = plx_server_new(plx_tcp_new), *other = plx_server_new(plx_tcp_new);

    NEED_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < 4 * GAP) {
        fprintf(stderr, "SKIP: fewer than 4096 descriptors here: behind_a_gap_of_numbers\n");
        exit(0);
    }
    limit.rlim_cur = 4 * GAP;
    NEED_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    far = fcntl(far, F_DUPFD, 2 * GAP);
    pass(passed, 1, NULL);
    NEED_EQUAL(plx_server_adopt_activated(near, NULL), 0);
    for (int number = FIRST + 1; number < 2 * GAP; number++)
        close(number);
    setenv("LISTEN_FDS", "1026", 1);
    NEED_EQUAL(dup2(far, FIRST + GAP + 1), FIRST + GAP + 1);
    NEED_EQUAL(plx_server_adopt_activated(other, NULL), PLX_INVALID_STATE);
    NEED_EQUAL(dup2(far, FIRST + GAP), FIRST + GAP);
    NEED_EQUAL(plx_server_adopt_activated(other, NULL), 0);
    NEED_EQUAL(plx_server_port(other), ports[1]);
    plx_server_free(near);
    plx_server_free(other);
}

/* The descriptors of servers that are gone leave numbers that are none. */
CHILD_CASE(behind_some_that_are_closed_again)
{
    int ports[4], passed[4];

    for (int i = 0; i < 4; i++)
        passed[i] = listener(AF_INET, &ports[i]);
    pass(passed, 4, NULL);
    for (int i = 0; i < 4; i++) {
        plx_server *server = plx_server_new(plx_tcp_new);

        NEED_EQUAL(plx_server_adopt_activated(server, NULL), 0);
        NEED_EQUAL(plx_server_port(server), ports[i]);
        plx_server_free(server);
        NEED_EQUAL(fcntl(FIRST + i, F_GETFD), -1);
    }
}

CHILD_CASE(a_socket_takes_what_fits_it)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int port, udp = socket(AF_INET, SOCK_DGRAM, 0);
    int passed[] = {listener(AF_INET, &port), udp};
    plx_socket *datagrams = plx_udp_new(), *stream = plx_tcp_new();

    NEED_EQUAL(bind(udp, (struct sockaddr *)&name, sizeof name), 0);
    pass(passed, 2, NULL);
    NEED_EQUAL(plx_socket_adopt_activated(datagrams, NULL), 0);
    NEED_EQUAL(plx_socket_state(datagrams), PLX_BOUND);
    NEED_EQUAL(plx_socket_adopt_activated(stream, NULL), 0);
    NEED_EQUAL(plx_socket_state(stream), PLX_LISTENING);
    NEED_EQUAL(plx_socket_port(stream), port);
    NEED_EQUAL(plx_socket_adopt_activated(NULL, NULL), PLX_INVALID_STATE);
    plx_socket_free(datagrams);
    plx_socket_free(stream);
}

#ifdef HAVE_SECURE_GETENV

/* What the C library answers in a program that has more rights than its caller. The library's calls
 * arrive here, for a program's own functions come before those of the C library. */
static bool has_more_rights;

char *secure_getenv(const char *name)
{
    return has_more_rights ? NULL : getenv(name);
}

static void expect_poller(const char *name)
{
    plx_group *group = plx_group_new();

    NEED(group != NULL);
    NEED(strcmp(plx_group_mechanism(group), name) == 0);
    plx_group_free(group);
}

/* Returns the name of the mechanism that nobody has chosen. */
static const char *usual_poller(void)
{
    plx_group *group = plx_group_new();
    const char *name = plx_group_mechanism(group); /* static */

    plx_group_free(group);
    return name;
}

/* A caller with fewer rights chooses neither descriptors nor a poller. */
CHILD_CASE(the_environment_of_a_caller_with_fewer_rights)
{
    int port, passed[] = {listener(AF_INET, &port)};
    const char *usual;

    unsetenv("POLLUX_POLLER");
    usual = usual_poller();
    pass(passed, 1, "here");
    setenv("POLLUX_POLLER", "poll", 1);
    for (int i = 1; i >= 0; i--) {
        plx_server *server = plx_server_new(plx_tcp_new);

        has_more_rights = i == 1;
        NEED_EQUAL(plx_server_adopt_activated(server, "here"), i == 1 ? PLX_INVALID_STATE : 0);
        expect_poller(i == 1 ? usual : "poll");
        plx_server_free(server);
    }
}

#endif

/* A server serves with a listener that was made elsewhere; one that does not listen is left
 * alone. */
CASE(server_adopts_a_listener)
{
    char where[WHERE_SIZE];
    plx_server *server = world_server(w);
    int raw = raw_listen(w, 5, where), idle = raw_refusing(w, where);

    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_server_adopt(server, idle), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_server_adopt(server, raw_connect(w, where)), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_server_adopt(server, -1), EBADF);
    ck_assert_int_ge(fcntl(idle, F_GETFD), 0);
    ck_assert_int_eq(plx_server_adopt(server, dup(raw)), 0);
    ck_assert_int_eq(plx_server_adopt(server, raw), PLX_INVALID_STATE); /* listening already */
    ck_assert(plx_server_is_listening(server));
    ck_assert_int_eq(plx_server_adopt(NULL, raw), PLX_INVALID_STATE);
    plx_server_stop_listening(server);
    ck_assert_int_ge(fcntl(raw, F_GETFD), 0);
}

WORLD_MAIN("activation", .packets = true)
