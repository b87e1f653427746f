/* tests/test-uring.c -- groups on io_uring: frames without a system call, and what happens where
 * the kernel refuses it. Skipped as a whole where io_uring is not available. */
#include "config.h"

#include <stdio.h>

enum { SKIPPED = 77 };

#ifdef HAVE_LIBURING

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/denial.h"
#include "tests/quiet.h"
#include "tests/sockets.h"
#include "tests/world.h"

enum { FRAMES = 1000, HAIL = 50000, PAIRS = 500 };

/* ---- children under a filter ----------------------------------------------------------------- */

/* FILTER_CASE runs once, and not in valgrind, which makes system calls of its own. */
#define FILTER_CASE(name) LOOP_CASE(name, 0, !under_valgrind())

/* As container managers do it. */
static void refuse_io_uring(int error)
{
    if (!deny_call(SYS_io_uring_setup, DENIAL_ANY, DENIAL_ANY, error))
        _exit(SKIPPED);
}

/* For the other end of a socketpair, which is no raw peer of a world. */
static void say(int descriptor, const char *text)
{
    ck_assert_int_eq(send(descriptor, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* ---- quiet frames ---------------------------------------------------------------------------- */

/* Two members and a listener, all at rest. */
struct crew {
    plx_group *group;
    plx_socket *sockets[2];
    plx_server *server;
    int raws[2];
};

static bool adopt_one_end(struct crew *crew, int which)
{
    int pair[2];

    crew->sockets[which] = plx_ipc_new();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 ||
        plx_socket_adopt(crew->sockets[which], pair[0]) != 0)
        return false;
    crew->raws[which] = pair[1];
    return plx_group_add(crew->group, crew->sockets[which]) == 0;
}

static void make_crew(struct crew *crew)
{
    crew->group = plx_group_new();
    crew->server = plx_server_new(plx_tcp_new);
    if (strcmp(plx_group_mechanism(crew->group), "io_uring") != 0 || !adopt_one_end(crew, 0) ||
        !adopt_one_end(crew, 1) || plx_server_listen_on(crew->server, "127.0.0.1:0") != 0 ||
        plx_group_add_server(crew->group, crew->server) != 0)
        _exit(1);
}

static void free_crew(struct crew *crew)
{
    for (int i = 0; i < 2; i++) {
        plx_socket_free(crew->sockets[i]);
        close(crew->raws[i]);
    }
    plx_server_free(crew->server);
    plx_group_free(crew->group);
}

static void poll_quiet_group(void *timed)
{
    struct crew crew;

    make_crew(&crew);
    for (int i = 0; i < 2 && timed != NULL; i++)
        plx_socket_set_option(crew.sockets[i], PLX_OPTION_IDLE_TIMEOUT, 3600000);
    for (int i = 0; i < 10; i++)
        plx_group_poll(crew.group, 0);
    allow_nothing();
    for (int i = 0; i < FRAMES; i++)
        plx_group_poll(crew.group, 0);
}

static void poll_quiet_members(void *unused)
{
    struct crew crew;

    (void)unused;
    make_crew(&crew);
    for (int i = 0; i < 40; i++)
        plx_socket_poll(crew.sockets[i % 2]);
    allow_nothing();
    for (int i = 0; i < FRAMES; i++)
        plx_socket_poll(crew.sockets[i % 2]);
}

/* After bytes arrived and were read, three frames bring the group to rest: one that finds them, one
 * that finds no more, and that is all. */
static void poll_after_news(void *unused)
{
    struct crew crew;

    (void)unused;
    make_crew(&crew);
    for (int i = 0; i < 10; i++) {
        for (int frame = 0; frame < 5; frame++)
            plx_group_poll(crew.group, 0);
        say(crew.raws[i % 2], "hello");
        plx_group_poll(crew.group, 0);
        if (plx_socket_skip(crew.sockets[i % 2], 100) != 5)
            _exit(1);
    }
    plx_group_poll(crew.group, 0);
    allow_nothing();
    for (int i = 0; i < FRAMES; i++)
        plx_group_poll(crew.group, 0);
}

/* So that the tests above can be believed: with epoll the filter strikes. */
static void poll_with_epoll(void *unused)
{
    plx_group *group;

    (void)unused;
    setenv("POLLUX_POLLER", "epoll", 1);
    group = plx_group_new();
    allow_nothing();
    plx_group_poll(group, 0);
}

FILTER_CASE(a_quiet_frame_makes_no_system_call)
{
    int timed = 1;

    expect_well(status_of(poll_quiet_group, NULL));
    expect_well(status_of(poll_quiet_group, &timed));
    expect_well(status_of(poll_after_news, NULL));
}

FILTER_CASE(a_quiet_member_makes_no_system_call)
{
    expect_well(status_of(poll_quiet_members, NULL));
}

FILTER_CASE(the_filter_would_strike)
{
    int status = status_of(poll_with_epoll, NULL);

    ck_assert(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED));
}

/* ---- while others send ----------------------------------------------------------------------- */

struct hail {
    int raws[2];
    atomic_int sent;
};

static void *send_bytes(void *argument)
{
    struct hail *hail = argument;

    for (int i = 0; i < HAIL; i++) {
        say(hail->raws[i / 3 % 2], "x");
        atomic_fetch_add(&hail->sent, 1);
        for (volatile int pause = 0; pause < i % 7 * 300; pause++)
            ;
    }
    return NULL;
}

/* A thread sends at any moment, also while the group is coming to rest: what it says it has sent
 * before a poll has been taken in after it. */
PLAIN_CASE(nothing_slips_through_between_two_questions)
{
    struct crew crew;
    struct hail hail;
    pthread_t thread;
    int got = 0, quiet = 0;

    make_crew(&crew);
    hail.raws[0] = crew.raws[0];
    hail.raws[1] = crew.raws[1];
    atomic_init(&hail.sent, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, send_bytes, &hail), 0);
    while (got < HAIL) {
        int sent = atomic_load(&hail.sent), before = got;

        plx_group_poll(crew.group, 0);
        for (int i = 0; i < 2; i++)
            got += (int)plx_socket_skip(crew.sockets[i], 1 << 20);
        if (got < sent)
            ck_abort_msg("%d bytes were sent before the poll, and %d came in", sent, got);
        quiet += got == before;
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_gt(quiet, 0); /* else nothing was tried */
    free_crew(&crew);
}

/* ---- two groups in one thread ---------------------------------------------------------------- */

struct pair_of_crews {
    struct crew crews[2];
    atomic_int asked, answered;
};

/* To the one that is not polled first. */
static void *send_to_both(void *argument)
{
    struct pair_of_crews *both = argument;

    for (int i = 1; i <= PAIRS; i++) {
        while (atomic_load(&both->asked) != i)
            sched_yield();
        say(both->crews[i % 2].raws[0], "x");
        say(both->crews[1 - i % 2].raws[0], "x");
        atomic_store(&both->answered, i);
    }
    return NULL;
}

/* This thread makes no system call while the bytes come, which would let the kernel go on. */
PLAIN_CASE(two_groups_in_one_thread)
{
    struct pair_of_crews both;
    pthread_t thread;

    for (int i = 0; i < 2; i++)
        make_crew(&both.crews[i]);
    atomic_init(&both.asked, 0);
    atomic_init(&both.answered, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, send_to_both, &both), 0);
    for (int i = 1; i <= PAIRS; i++) {
        for (int idle = 0; idle < 3; idle++)
            for (int k = 0; k < 2; k++)
                plx_group_poll(both.crews[k].group, 0);
        atomic_store(&both.asked, i);
        while (atomic_load(&both.answered) != i)
            ;
        for (int k = 0; k < 2; k++) {
            struct crew *crew = &both.crews[(i + k + 1) % 2];

            plx_group_poll(crew->group, 0);
            ck_assert_uint_eq(plx_socket_skip(crew->sockets[0], 100), 1);
        }
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 2; i++)
        free_crew(&both.crews[i]);
}

/* ---- refused --------------------------------------------------------------------------------- */

static void expect_fall_back(void *error)
{
    plx_group *group;

    refuse_io_uring(*(int *)error);
    unsetenv("POLLUX_POLLER");
    group = plx_group_new();
    if (strcmp(plx_group_mechanism(group), "epoll") != 0 || plx_group_poll(group, 1))
        _exit(1);
    plx_group_free(group);
    /* Asked for by its name it is that or nothing, as the others are. */
    setenv("POLLUX_POLLER", "uring", 1);
    if (plx_group_new() != NULL)
        _exit(2);
}

FILTER_CASE(a_refusal_falls_back_to_epoll)
{
    static const int errors[] = {EPERM, ENOSYS, EINVAL, ENOMEM};

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        int error = errors[i];

        expect_well(status_of(expect_fall_back, &error));
    }
}

/* A ring more than descriptors there are. */
PLAIN_CASE(no_descriptor_left_falls_back_to_epoll)
{
    struct rlimit limit, before;
    plx_group *group;
    int descriptors = count_descriptors();
    int used;

    unsetenv("POLLUX_POLLER");
    group = plx_group_new();
    ck_assert_str_eq(plx_group_mechanism(group), "io_uring");
    used = count_descriptors() - descriptors;
    plx_group_free(group);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)(dup(0) + used - 1); /* the lowest that is free, and what follows */
    close((int)limit.rlim_cur - used + 1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    group = plx_group_new();
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_ptr_nonnull(group);
    ck_assert_str_eq(plx_group_mechanism(group), "epoll");
    plx_group_free(group);
    ck_assert_int_eq(count_descriptors(), descriptors);
}

/* A ring is refused when another thread goes on with the group and needs one of its own. */
static void *poll_refused(void *argument)
{
    struct crew *crew = argument;

    for (int i = 0; i < 20; i++) {
        say(crew->raws[0], "x");
        plx_group_poll(crew->group, 0);
        if (plx_socket_skip(crew->sockets[0], 100) != 1)
            _exit(3);
        plx_group_poll(crew->group, 0);
    }
    return NULL;
}

static void lose_the_ring(void *unused)
{
    struct crew crew;
    pthread_t thread;

    (void)unused;
    make_crew(&crew);
    for (int i = 0; i < 10; i++)
        plx_group_poll(crew.group, 0);
    refuse_io_uring(EPERM);
    if (pthread_create(&thread, NULL, poll_refused, &crew) != 0)
        _exit(2);
    pthread_join(thread, NULL);
    poll_refused(&crew);
    free_crew(&crew);
}

FILTER_CASE(a_refusal_later_goes_on_with_epoll)
{
    expect_well(status_of(lose_the_ring, NULL));
}

/* ---- the suite ------------------------------------------------------------------------------- */

int main(void)
{
    if (world_modes() <= MODE_URING)
        return SKIPPED;
    return world_main(&(struct suite_program){.name = "uring", .timeout = 180});
}

#else

int main(void)
{
    fprintf(stderr, "SKIP: Pollux was built without io_uring\n");
    return SKIPPED;
}

#endif
