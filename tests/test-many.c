/* tests/test-many.c -- ten thousand TCP clients in a process of their own, one server in one group,
 * one message each way; then all of it freed and not a descriptor left.
 *
 * Where the kernel allows fewer descriptors the test takes as many as there are, and prints it. */
#include "config.h"

#include "tests/counting.h"

#include <pollux.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WANTED = 10000, SPARE = 64, WAVE = 500, SECONDS = 120 };

static void fail(const char *who, const char *what, long long number)
{
    fprintf(stderr, "test-many: %s: %s: %lld\n", who, what, number);
    exit(EXIT_FAILURE);
}

/* Raises the limit of descriptors as far as it goes; returns how many clients fit. */
static size_t allowed_clients(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("start", "getrlimit", errno);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("start", "setrlimit", errno);
    if (limit.rlim_cur >= WANTED + SPARE)
        return WANTED;
    fprintf(stderr,
            "test-many: ONLY %llu DESCRIPTORS ARE ALLOWED HERE, SO %llu CLIENTS AND NOT %d\n",
            (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_cur - SPARE, WANTED);
    return (size_t)limit.rlim_cur - SPARE;
}

/* ---- the clients, in the child --------------------------------------------------------------- */

struct crowd {
    size_t count, connected, answered;
    plx_socket **sockets;
};

struct visitor {
    struct crowd *crowd;
    uint64_t number;
    bool answered;
};

static void on_connected(plx_socket *socket, void *user)
{
    struct visitor *visitor = user;

    visitor->crowd->connected++;
    if (plx_socket_write(socket, &visitor->number, sizeof visitor->number) !=
        sizeof visitor->number)
        fail("client", "write", plx_socket_last_error(socket));
}

static void on_answer(plx_socket *socket, void *user)
{
    struct visitor *visitor = user;
    uint64_t number;

    if (plx_socket_read_exact(socket, &number, sizeof number) == 0)
        return;
    if (number != visitor->number || visitor->answered)
        fail("client", "wrong answer", (long long)visitor->number);
    visitor->answered = true;
    visitor->crowd->answered++;
}

static void on_client_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct visitor *visitor = user;

    (void)socket;
    fprintf(stderr, "test-many: client %llu: %s\n", (unsigned long long)visitor->number,
            error->message);
    exit(EXIT_FAILURE);
}

static const plx_events visitor_events = {
    .connected = on_connected, .data_available = on_answer, .error = on_client_error};

/* Connects in waves, so that the queue of the listener never overflows. */
static void connect_crowd(struct crowd *crowd, struct visitor *visitors, plx_group *group,
                          const char *where)
{
    for (size_t i = 0; i < crowd->count; i++) {
        plx_socket *socket = crowd->sockets[i] = plx_tcp_new();

        visitors[i] = (struct visitor){.crowd = crowd, .number = i};
        plx_socket_set_events(socket, &visitor_events, &visitors[i]);
        if (plx_group_add(group, socket) != 0 || plx_socket_connect_to(socket, where) != 0)
            fail("client", "connect", plx_socket_last_error(socket));
        while (i + 1 - crowd->connected >= WAVE)
            plx_group_poll(group, 100);
    }
}

static void clients(size_t count, int port)
{
    int descriptors = count_descriptors();
    struct crowd crowd = {.count = count, .sockets = calloc(count, sizeof(plx_socket *))};
    struct visitor *visitors = calloc(count, sizeof *visitors);
    plx_group *group = plx_group_new();
    char where[64];

    snprintf(where, sizeof where, "127.0.0.1:%d", port);
    connect_crowd(&crowd, visitors, group, where);
    while (crowd.answered < count)
        plx_group_poll(group, 100);
    if (plx_group_count(group) != count)
        fail("client", "members", (long long)plx_group_count(group));
    /* Everybody is here and was answered. Half of them are freed at once, half say goodbye first.
     */
    for (size_t i = 0; i < count; i += 2)
        plx_socket_disconnect(crowd.sockets[i]);
    plx_group_poll(group, 0);
    for (size_t i = 0; i < count; i++)
        plx_socket_free(crowd.sockets[i]);
    plx_group_free(group);
    free(visitors);
    free(crowd.sockets);
    if (count_descriptors() != descriptors || count_blocks() != 0)
        fail("client", "left over", (long long)count_blocks());
    exit(EXIT_SUCCESS);
}

/* ---- the server ------------------------------------------------------------------------------ */

struct house {
    size_t accepted, answered, ended;
};

static void on_question(plx_socket *socket, void *user)
{
    struct house *house = user;
    uint64_t number;

    if (plx_socket_read_exact(socket, &number, sizeof number) == 0)
        return;
    plx_socket_write(socket, &number, sizeof number);
    house->answered++;
}

static void on_end(plx_socket *socket, void *user)
{
    struct house *house = user;

    (void)socket;
    house->ended++;
}

static void on_accepted(plx_server *server, plx_socket *client, void *user)
{
    struct house *house = user;

    (void)server;
    (void)client;
    house->accepted++;
}

static void on_server_error(plx_server *server, const plx_error *error, void *user)
{
    (void)server;
    (void)user;
    fprintf(stderr, "test-many: server: %s\n", error->message);
    exit(EXIT_FAILURE);
}

static const plx_events client_events = {.data_available = on_question, .disconnected = on_end};
static const plx_server_events server_events = {.accepted = on_accepted, .error = on_server_error};

static long long milliseconds(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Serves until everybody is gone again; returns how many were there at once. */
static size_t serve(plx_group *group, plx_server *server, struct house *house, size_t count)
{
    size_t most = 0;

    while (house->ended < count) {
        plx_group_poll(group, 1000);
        if (plx_server_active_count(server) > most)
            most = plx_server_active_count(server);
    }
    return most;
}

int main(void)
{
    size_t count = allowed_clients(), most;
    int descriptors = count_descriptors(), tell[2], port, status = 0;
    long long start = milliseconds(CLOCK_MONOTONIC), cpu = milliseconds(CLOCK_PROCESS_CPUTIME_ID);
    struct house house = {0};
    plx_group *group;
    plx_server *server;
    pid_t child = -1;

    count_memory();
    alarm(SECONDS);
    if (pipe(tell) != 0 || (child = fork()) < 0)
        fail("start", "pipe or fork", errno);
    if (child == 0) { /* before there is a server, so that the child has nothing of it */
        alarm(SECONDS);
        if (read(tell[0], &port, sizeof port) != sizeof port)
            return EXIT_FAILURE;
        close(tell[0]);
        close(tell[1]);
        clients(count, port);
    }
    group = plx_group_new();
    server = plx_server_new(plx_tcp_new);
    plx_server_set_events(server, &server_events, &house);
    plx_server_set_client_events(server, &client_events, &house);
    plx_group_add_server(group, server);
    if (plx_server_listen_on(server, "127.0.0.1:0") != 0)
        fail("server", "listen", plx_server_error(server)->code);
    port = plx_server_port(server);
    if (write(tell[1], &port, sizeof port) != sizeof port)
        fail("server", "pipe", errno);
    close(tell[0]);
    close(tell[1]);
    most = serve(group, server, &house, count);
    if (waitpid(child, &status, 0) != child || status != 0)
        fail("server", "the clients ended with status", status);
    if (house.accepted != count || house.answered != count || most != count)
        fail("server", "clients at once", (long long)most);
    if (plx_server_active_count(server) != 0 || plx_group_count(group) != 0)
        fail("server", "clients that were not freed", (long long)plx_server_active_count(server));
    plx_server_free(server);
    plx_group_free(group);
    if (count_descriptors() != descriptors || count_blocks() != 0)
        fail("server", "left over", (long long)count_blocks());
    printf("%zu clients, one message each way: %lld ms, of which the server worked %lld ms\n",
           count, milliseconds(CLOCK_MONOTONIC) - start,
           milliseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    return EXIT_SUCCESS;
}
