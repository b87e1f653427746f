/* tests/test-threads.c -- two threads may use two sockets: groups, servers and sockets of every
 * kind in several threads at once, and a group that goes from thread to thread.
 *
 * Nothing here is shared by design, so that whatever ThreadSanitizer finds is shared by mistake
 * (configure --enable-sanitizers=thread). */
#include "config.h"

#include <errno.h>
#include <pollux.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/suite.h"

enum { THREADS = 4, MESSAGES = 200, FRAMES = 200000 };

/* What one thread does; an assertion of Check belongs into the main thread, so that a step is noted
 * that went wrong. */
struct work {
    unsigned number;
    const char *failed;
    size_t answered, ended, failures, datagrams;
};

static const plx_frame frame = {.length_size = 2, .maximum = 1000};

static void answer(plx_socket *client, void *user)
{
    size_t size;
    const void *message;
    (void)user;

    while ((message = plx_socket_read_message(client, &size)) != NULL)
        plx_socket_write_message(client, message, size);
}

static void count_answers(plx_socket *client, void *user)
{
    struct work *work = user;
    size_t size;

    while (plx_socket_read_message(client, &size) != NULL)
        work->answered++;
}

static void count_end(plx_socket *client, void *user)
{
    struct work *work = user;
    (void)client;

    work->ended++;
}

static void count_error(plx_socket *client, const plx_error *error, void *user)
{
    struct work *work = user;
    (void)client;

    work->failures += strlen(error->message) > 0;
}

static void count_datagrams(plx_socket *socket, void *user)
{
    struct work *work = user;
    plx_datagram datagram;

    while (plx_udp_read(socket, &datagram))
        work->datagrams++;
}

static const plx_events of_clients = {.message_available = answer};
static const plx_events of_callers = {
    .message_available = count_answers, .error = count_error, .disconnected = count_end};
static const plx_events of_datagrams = {.data_available = count_datagrams};

/* ---- one conversation of each kind ----------------------------------------------------------- */

#define STEP(work, name, condition)                                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (work)->failed = name;                                                                 \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define FRAMES_UNTIL(group, condition)                                                             \
    for (int frame_ = 0; frame_ < FRAMES && !(condition); frame_++)                                \
    plx_group_poll(group, 1)

static void talk(struct work *work, plx_group *group, plx_constructor *create, const char *where)
{
    plx_server *server = plx_server_new(create);
    plx_socket *caller = create();
    char text[64];

    plx_server_set_client_events(server, &of_clients, NULL);
    plx_server_set_frame(server, &frame);
    plx_socket_set_frame(caller, &frame);
    plx_socket_set_events(caller, &of_callers, work);
    STEP(work, "join a group",
         plx_group_add_server(group, server) == 0 && plx_group_add(group, caller) == 0);
    STEP(work, "listen", plx_server_listen_on(server, where) == 0);
    if (plx_server_port(server) > 0)
        snprintf(text, sizeof text, "127.0.0.1:%d", plx_server_port(server));
    else
        snprintf(text, sizeof text, "%s", where);
    STEP(work, "connect", plx_socket_connect_to(caller, text) == 0);
    work->answered = work->ended = 0;
    for (int i = 0; i < MESSAGES; i++)
        STEP(work, "write", plx_socket_write_message(caller, text, sizeof text) == 0);
    FRAMES_UNTIL(group, work->answered == MESSAGES);
    STEP(work, "be answered", work->answered == MESSAGES);
    plx_socket_disconnect(caller);
    FRAMES_UNTIL(group, work->ended == 1);
    STEP(work, "disconnect", work->ended == 1);
    plx_socket_free(caller);
    plx_server_free(server);
}

static void connect_in_vain(struct work *work, plx_group *group)
{
    plx_socket *caller = plx_tcp_new();

    plx_socket_set_events(caller, &of_callers, work);
    plx_group_add(group, caller);
    work->failures = 0;
    STEP(work, "look up", plx_socket_connect_to(caller, "localhost:1") == 0);
    FRAMES_UNTIL(group, work->failures == 1);
    STEP(work, "get the error of a failure",
         work->failures == 1 && plx_socket_last_error(caller) == ECONNREFUSED);
    plx_socket_free(caller);
}

static void send_datagrams(struct work *work, plx_group *group)
{
    plx_socket *one = plx_udp_new(), *other = plx_udp_new();
    plx_address to = {0};

    plx_socket_set_events(other, &of_datagrams, work);
    plx_group_add(group, one);
    plx_group_add(group, other);
    STEP(work, "bind", plx_socket_connect(one) == 0 && plx_socket_connect(other) == 0);
    plx_address_parse("127.0.0.1:1", &to);
    to.port = (uint16_t)plx_socket_port(other);
    work->datagrams = 0;
    for (int i = 0; i < 50; i++)
        STEP(work, "write a datagram", plx_udp_write(one, &to, "datagram", 8) == 0);
    FRAMES_UNTIL(group, work->datagrams == 50);
    STEP(work, "receive datagrams", work->datagrams == 50);
    plx_socket_free(one);
    plx_socket_free(other);
}

static void do_all(struct work *work, plx_group *group)
{
    char where[64];

    snprintf(where, sizeof where, "@pollux-threads-%d-%u", (int)getpid(), work->number);
    talk(work, group, plx_tcp_new, "127.0.0.1:0");
    if (work->failed == NULL)
        talk(work, group, plx_ipc_new, where);
    if (work->failed == NULL)
        send_datagrams(work, group);
    if (work->failed == NULL)
        connect_in_vain(work, group);
}

/* ---- several threads, each with all of its own ----------------------------------------------- */

static void *run_alone(void *user)
{
    struct work *work = user;
    plx_group *group = plx_group_new();

    if (group == NULL)
        work->failed = "make a group";
    else
        do_all(work, group);
    plx_group_free(group);
    return NULL;
}

PLAIN_CASE(threads_of_their_own)
{
    pthread_t threads[THREADS];
    struct work works[THREADS] = {{.number = 0}};

    for (unsigned i = 0; i < THREADS; i++) {
        works[i].number = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_alone, &works[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_msg(works[i].failed == NULL, "thread %u could not %s", i, works[i].failed);
    }
}

/* ---- one group, one thread after the other --------------------------------------------------- */

struct handed {
    struct work work;
    plx_group *group;
};

static void *run_in_turn(void *user)
{
    struct handed *handed = user;

    do_all(&handed->work, handed->group);
    return NULL;
}

/* A ring of io_uring belongs to the thread that made it: each further thread opens its own, up to a
 * number of them. */
PLAIN_CASE(a_group_from_thread_to_thread)
{
    struct handed handed = {.group = plx_group_new()};

    ck_assert_ptr_nonnull(handed.group);
    for (unsigned i = 0; i < 20; i++) {
        pthread_t thread;

        handed.work.number = i;
        ck_assert_int_eq(pthread_create(&thread, NULL, run_in_turn, &handed), 0);
        pthread_join(thread, NULL);
        ck_assert_msg(handed.work.failed == NULL, "thread %u could not %s", i, handed.work.failed);
    }
    plx_group_free(handed.group);
}

SUITE_MAIN("threads", .timeout = 180)
