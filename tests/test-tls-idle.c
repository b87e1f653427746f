/* tests/test-tls-idle.c -- a group of a thousand connections by TLS on which nothing arrives, and
 * frames in which the same happens again and again.
 *
 * This program's epoll_wait counts its calls. */
#include "config.h"

#include "tests/quiet.h"
#include "tests/sanitized.h"
#include "tests/tls/must.h"
#include "tests/tls/scene.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { MEMBERS = 1000, FRAMES = 100, SETTLING = 20 };

static size_t waits;

int epoll_wait(int set, struct epoll_event *events, int most, int timeout)
{
    waits++;
    return (int)syscall(SYS_epoll_pwait, set, events, most, timeout, NULL, (size_t)8);
}

/* ---- a quiet group --------------------------------------------------------------------------- */

/* In a child, where an assertion of Check could not be reported. */
struct crowd {
    plx_tls *client, *server;
    plx_group *group;
    plx_socket *members[MEMBERS];
    int count;
};

static void make_settings(struct crowd *crowd)
{
    struct certificate *root = certificate_new(&(struct paper){.is_ca = true}, NULL);
    struct certificate *own = certificate_new(&(struct paper){.names = "DNS:localhost"}, root);
    char trusted[4096], certificate[4096], key[4096];

    certificate_pem(root, trusted, sizeof trusted);
    certificate_pem(own, certificate, sizeof certificate);
    certificate_key_pem(own, key, sizeof key);
    crowd->client = plx_tls_new_client();
    crowd->server = plx_tls_new_server();
    MUST(plx_tls_trust_memory(crowd->client, trusted, strlen(trusted)) == 0);
    MUST(plx_tls_use_memory(crowd->server, certificate, strlen(certificate), key, strlen(key),
                            NULL) == 0);
    certificate_free(own);
    certificate_free(root);
}

static void add_member(struct crowd *crowd, plx_tls *tls, int descriptor)
{
    plx_socket *socket = plx_ipc_new();

    MUST(plx_socket_set_tls(socket, tls) == 0);
    MUST(plx_socket_set_tls_name(socket, "localhost") == 0);
    MUST(plx_socket_adopt(socket, descriptor) == 0);
    MUST(plx_group_add(crowd->group, socket) == 0);
    crowd->members[crowd->count++] = socket;
}

static void make_crowd(struct crowd *crowd, int count)
{
    int ends[2];

    make_settings(crowd);
    while (crowd->count < count) {
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        add_member(crowd, crowd->client, ends[0]);
        add_member(crowd, crowd->server, ends[1]);
        for (int i = 1; i <= 2; i++)
            while (!plx_socket_is_encrypted(crowd->members[crowd->count - i])) {
                MUST(plx_socket_state(crowd->members[crowd->count - i]) != PLX_UNCONNECTED);
                (void)plx_group_poll(crowd->group, 0);
            }
    }
    for (int i = 0; i < SETTLING; i++)
        (void)plx_group_poll(crowd->group, 0);
}

static void play_quiet_frames(void *mechanism)
{
    static struct crowd crowd;
    bool rings = strcmp(mechanism, "io_uring") == 0;

    setenv("POLLUX_POLLER", rings ? "uring" : mechanism, 1);
    crowd.group = plx_group_new();
    if (strcmp(plx_group_mechanism(crowd.group), mechanism) != 0) {
        fprintf(stderr, "SKIP: %s is not built in or refused here\n",
                (const char *)mechanism);
        _exit(0);
    }
    make_crowd(&crowd, SANITIZED ? MEMBERS / 10 : MEMBERS);
    waits = 0;
    allow_only(rings ? SYS_exit_group : SYS_epoll_pwait);
    for (int i = 0; i < FRAMES; i++)
        (void)plx_group_poll(crowd.group, 0);
    if (waits != (rings ? 0 : FRAMES))
        syscall(SYS_exit_group, 1);
}

LOOP_CASE(a_quiet_frame_of_a_thousand, 0, under_valgrind() ? 0 : 2)
{
    static char mechanisms[][16] = {"epoll", "io_uring"};
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    expect_well(status_of(play_quiet_frames, mechanisms[_i]));
}

/* ---- steady frames --------------------------------------------------------------------------- */

/* OpenSSL has an allocator of its own, which is not counted. */
SCENE_MODE_CASE(a_steady_frame_allocates_nothing)
{
    size_t before = 0;

    scene_meet(s);
    scene_expect_encrypted(s);
    for (int i = 0; i < 300; i++) {
        if (i == 100)
            before = count_allocations();
        record_clear(&s->client_log);
        record_clear(&s->server_log);
        scene_talk(s);
    }
    ck_assert_uint_eq(count_allocations(), before);
}

WORLD_MAIN("tls idle")
