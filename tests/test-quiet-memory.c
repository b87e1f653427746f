/* tests/test-quiet-memory.c -- a steady frame allocates nothing: with an allocator that ends the
 * program, a thousand frames of TCP, UDP, IPC and messages go on. */
#include "config.h"

#include <pollux.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/suite.h"

enum { WARM = 300, STEADY = 1000, DATAGRAMS = 10, LARGEST = 8000 };

static bool forbidden;

static void *resize_unless_forbidden(void *block, size_t size, void *user)
{
    (void)user;
    if (forbidden)
        abort();
    if (size > 0)
        return realloc(block, size);
    free(block);
    return NULL;
}

/* Two ends of each kind, and how often something arrived at either. */
struct traffic {
    plx_group *group;
    plx_server *servers[2];
    plx_socket *callers[2], *throwers[2];
    plx_address to;
    size_t answers, datagrams;
};

static const plx_frame frame = {.length_size = 2, .maximum = LARGEST};

static void answer(plx_socket *client, void *user)
{
    const void *message;
    size_t size;
    (void)user;

    while ((message = plx_socket_read_message(client, &size)) != NULL)
        plx_socket_write_message(client, message, size);
}

static void take_answers(plx_socket *caller, void *user)
{
    struct traffic *traffic = user;
    size_t size;

    while (plx_socket_read_message(caller, &size) != NULL)
        traffic->answers++;
}

static void take_datagrams(plx_socket *socket, void *user)
{
    struct traffic *traffic = user;
    plx_datagram datagram;

    while (plx_udp_read(socket, &datagram))
        traffic->datagrams++;
}

static const plx_events of_clients = {.message_available = answer};
static const plx_events of_callers = {.message_available = take_answers};
static const plx_events of_throwers = {.data_available = take_datagrams};

static void open_connection(struct traffic *traffic, int number, plx_constructor *create,
                            const char *where)
{
    plx_server *server = traffic->servers[number] = plx_server_new(create);
    plx_socket *caller = traffic->callers[number] = create();
    char text[64];

    plx_server_set_client_events(server, &of_clients, NULL);
    plx_server_set_frame(server, &frame);
    plx_socket_set_frame(caller, &frame);
    plx_socket_set_events(caller, &of_callers, traffic);
    ck_assert_int_eq(plx_group_add_server(traffic->group, server), 0);
    ck_assert_int_eq(plx_group_add(traffic->group, caller), 0);
    ck_assert_int_eq(plx_server_listen_on(server, where), 0);
    snprintf(text, sizeof text, "127.0.0.1:%d", plx_server_port(server));
    ck_assert_int_eq(plx_socket_connect_to(caller, plx_server_port(server) > 0 ? text : where), 0);
}

static void open_datagrams(struct traffic *traffic)
{
    for (int i = 0; i < 2; i++) {
        traffic->throwers[i] = plx_udp_new();
        plx_socket_set_events(traffic->throwers[i], &of_throwers, traffic);
        ck_assert_int_eq(plx_group_add(traffic->group, traffic->throwers[i]), 0);
        ck_assert_int_eq(plx_socket_connect(traffic->throwers[i]), 0);
    }
    ck_assert(plx_address_parse("127.0.0.1:1", &traffic->to) == 0);
    traffic->to.port = (uint16_t)plx_socket_port(traffic->throwers[1]);
}

/* One frame's traffic, of sizes that change, there and back: each sort of block is wanted again
 * before the pool lets it go. */
static void pass_frame(struct traffic *traffic, size_t number)
{
    static const char bytes[LARGEST];
    size_t size = 1 + number * 2731 % (LARGEST - 1);

    traffic->answers = traffic->datagrams = 0;
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(plx_socket_write_message(traffic->callers[i], bytes, size), 0);
    for (int i = 0; i < DATAGRAMS; i++)
        ck_assert_int_eq(plx_udp_write(traffic->throwers[0], &traffic->to, bytes, 1 + number % 100),
                         0);
    for (int i = 0; i < 10000 && (traffic->answers < 2 || traffic->datagrams < DATAGRAMS); i++)
        plx_group_poll(traffic->group, 10);
    ck_assert_uint_eq(traffic->answers, 2);
    ck_assert_uint_eq(traffic->datagrams, DATAGRAMS);
}

LOOP_CASE(a_thousand_frames, 0, 3)
{
    static const char *const mechanisms[] = {"epoll", "poll", "uring"};
    struct traffic traffic = {.answers = 0};
    char where[64];

    plx_memory_set(resize_unless_forbidden, NULL);
    setenv("POLLUX_POLLER", mechanisms[_i], 1);
    traffic.group = plx_group_new();
    if (traffic.group == NULL) {
        fprintf(stderr, "SKIP: %s is not built in or refused here\n", mechanisms[_i]);
        return;
    }
    snprintf(where, sizeof where, "@pollux-quiet-%d", (int)getpid());
    open_connection(&traffic, 0, plx_tcp_new, "127.0.0.1:0");
    open_connection(&traffic, 1, plx_ipc_new, where);
    open_datagrams(&traffic);
    for (size_t i = 0; i < WARM; i++)
        pass_frame(&traffic, i);
    forbidden = true;
    for (size_t i = 0; i < STEADY; i++)
        pass_frame(&traffic, i);
    forbidden = false;
    for (int i = 0; i < 2; i++) {
        plx_socket_free(traffic.callers[i]);
        plx_socket_free(traffic.throwers[i]);
        plx_server_free(traffic.servers[i]);
    }
    plx_group_free(traffic.group);
}

/* A large write that the kernel takes at once leaves the block of the small ones. */
PLAIN_CASE(large_and_small_writes_of_a_socket_alone)
{
    static char bytes[20000];
    int ends[2];
    plx_socket *socket;

    plx_memory_set(resize_unless_forbidden, NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket = plx_ipc_new();
    ck_assert_int_eq(plx_socket_adopt(socket, ends[0]), 0);
    for (int i = 0; i < WARM + STEADY; i++) {
        forbidden = i >= WARM;
        ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), sizeof bytes);
        ck_assert_int_eq(plx_socket_write(socket, "small", 5), 5);
        plx_socket_poll(socket);
        ck_assert_int_eq(recv(ends[1], bytes, sizeof bytes, MSG_WAITALL), sizeof bytes);
        ck_assert_int_eq(recv(ends[1], bytes, 5, MSG_WAITALL), 5);
    }
    forbidden = false;
    plx_socket_free(socket);
    close(ends[1]);
}

SUITE_MAIN("quiet memory", .timeout = 180)
