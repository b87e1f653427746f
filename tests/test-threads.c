/* tests/test-threads.c -- two threads may use two sockets: groups, servers and sockets of every
 * kind in several threads at once, and groups and sockets that go from thread to thread.
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

/* ---- sockets handed from thread to thread ---------------------------------------------------- */

enum { TRAVELLERS = 6, TRIPS = 5, HOPS = 40 };

/* A socket on its way: it asks its peer, and after some answers it goes to the other thread. */
struct traveller {
    plx_socket *socket, *peer;
    unsigned asked, answered, hops;
    struct traveller *next; /* in a box */
};

/* Where one thread leaves a socket for the other: all that the two threads share. */
struct box {
    pthread_mutex_t lock;
    struct traveller *first;
    unsigned left_to_come; /* 0: no socket will be left here any more */
};

struct carrier {
    struct box *own, *others;
    const char *failed;
    unsigned carried;
};

static void leave(struct box *box, struct traveller *traveller)
{
    pthread_mutex_lock(&box->lock);
    traveller->next = box->first;
    box->first = traveller;
    pthread_mutex_unlock(&box->lock);
}

/* Returns NULL if the box is empty. */
static struct traveller *take(struct box *box, bool *ret_more)
{
    struct traveller *traveller;

    pthread_mutex_lock(&box->lock);
    traveller = box->first;
    if (traveller != NULL) {
        box->first = traveller->next;
        box->left_to_come--;
    }
    *ret_more = box->left_to_come > 0;
    pthread_mutex_unlock(&box->lock);
    return traveller;
}

static void ask(struct traveller *traveller)
{
    unsigned number = ++traveller->asked;

    plx_socket_write_message(traveller->socket, &number, sizeof number);
}

static void note_answer(plx_socket *socket, void *user)
{
    struct traveller *traveller = user;
    const unsigned *number;
    size_t size;

    while ((number = plx_socket_read_message(socket, &size)) != NULL) {
        unsigned got;

        memcpy(&got, number, sizeof got);
        traveller->answered += size == sizeof got && got == traveller->asked;
        if (traveller->asked % TRIPS != 0)
            ask(traveller);
    }
}

static const plx_events of_travellers = {.message_available = note_answer};

/* Carries the socket until it has its answers, and then hands it on with a question under way: the
 * answer reaches the other thread. */
static void carry(struct carrier *carrier, plx_group *group, struct traveller *traveller)
{
    STEP(carrier, "add a socket", plx_group_add(group, traveller->socket) == 0);
    FRAMES_UNTIL(group, traveller->asked == traveller->answered && traveller->asked % TRIPS == 0);
    STEP(carrier, "get all answers", traveller->asked == traveller->answered);
    ask(traveller);
    plx_socket_flush(traveller->socket);
    plx_group_remove(group, traveller->socket);
    carrier->carried++;
    if (++traveller->hops < HOPS)
        leave(carrier->others, traveller);
    else
        plx_socket_free(traveller->socket);
}

static void *run_carrier(void *user)
{
    struct carrier *carrier = user;
    plx_group *group = plx_group_new();
    bool more = true;

    while (more && carrier->failed == NULL) {
        struct traveller *traveller = take(carrier->own, &more);

        if (traveller != NULL)
            carry(carrier, group, traveller);
        else
            plx_group_poll(group, 1);
    }
    plx_group_free(group);
    return NULL;
}

/* The two ends of a connection; the peer stays in the main thread's group. */
static void pair_up(plx_group *group, struct traveller *traveller, plx_constructor *create,
                    const char *where)
{
    char text[64];
    int frames = 0;

    traveller->socket = create();
    traveller->peer = create();
    plx_socket_set_frame(traveller->socket, &frame);
    plx_socket_set_frame(traveller->peer, &frame);
    plx_socket_set_events(traveller->socket, &of_travellers, traveller);
    plx_socket_set_events(traveller->peer, &of_clients, NULL);
    ck_assert_int_eq(plx_group_add(group, traveller->socket), 0);
    ck_assert_int_eq(plx_group_add(group, traveller->peer), 0);
    ck_assert_int_eq(plx_socket_listen_on(traveller->peer, where), 0);
    snprintf(text, sizeof text, "127.0.0.1:%d", plx_socket_port(traveller->peer));
    ck_assert_int_eq(plx_socket_connect_to(traveller->socket, where[0] == '@' ? where : text), 0);
    while (!plx_socket_is_connected(traveller->peer) ||
           !plx_socket_is_connected(traveller->socket)) {
        ck_assert_int_lt(frames++, FRAMES);
        plx_group_poll(group, 1);
    }
    ask(traveller);
    plx_socket_flush(traveller->socket);
    plx_group_remove(group, traveller->socket);
}

static bool all_have_ended(const struct traveller *travellers)
{
    bool ended = true;

    for (int i = 0; i < TRAVELLERS; i++)
        ended = ended && plx_socket_state(travellers[i].peer) == PLX_UNCONNECTED;
    return ended;
}

/* Removed from one group and added to another, back and forth, with bytes under way. */
PLAIN_CASE(sockets_from_thread_to_thread)
{
    plx_group *group = plx_group_new();
    struct traveller travellers[TRAVELLERS] = {{.socket = NULL}};
    struct box boxes[2] = {{.lock = PTHREAD_MUTEX_INITIALIZER},
                           {.lock = PTHREAD_MUTEX_INITIALIZER}};
    struct carrier carriers[2] = {{&boxes[0], &boxes[1], NULL, 0}, {&boxes[1], &boxes[0], NULL, 0}};
    pthread_t threads[2];

    boxes[0].left_to_come = boxes[1].left_to_come = TRAVELLERS * HOPS / 2;
    for (int i = 0; i < TRAVELLERS; i++) {
        char where[64];

        snprintf(where, sizeof where, "@pollux-traveller-%d-%d", (int)getpid(), i);
        pair_up(group, &travellers[i], i % 2 == 0 ? plx_tcp_new : plx_ipc_new,
                i % 2 == 0 ? "127.0.0.1:0" : where);
        leave(&boxes[0], &travellers[i]);
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_carrier, &carriers[i]), 0);
    for (int frames = 0; frames < FRAMES && !all_have_ended(travellers); frames++)
        plx_group_poll(group, 1);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_msg(carriers[i].failed == NULL, "thread %d could not %s", i, carriers[i].failed);
        ck_assert_uint_eq(carriers[i].carried, TRAVELLERS * HOPS / 2);
    }
    for (int i = 0; i < TRAVELLERS; i++) {
        ck_assert_uint_eq(travellers[i].answered, HOPS * TRIPS);
        plx_socket_free(travellers[i].peer);
    }
    plx_group_free(group);
}

SUITE_MAIN("threads", .timeout = 180)
