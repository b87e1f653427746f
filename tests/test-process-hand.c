/* tests/test-process-hand.c -- connections, datagrams and listeners that go on in another process,
 * which got their descriptor over a Unix socket (SCM_RIGHTS). test-handles-between.c does so within
 * a process. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/clocks.h"
#include "tests/datagrams.h"
#include "tests/sockets.h"

/* The waits have no limit of their own: a machine that stops for a while fails no case. An end of this
 * process ends the line, and with it the waits of the other one. */
enum { NO_LIMIT = -1, PATIENCE = 300 /* seconds */ };

/* What the other process ends with when a step of it has failed; the log of the test has the step and
 * what the socket says, for the case itself may fail before it sees the status. */
static void fail_at(int step, plx_socket *socket)
{
    fprintf(stderr, "the other process: step %d, state %d, error %d, errno %d, %zu bytes: %s\n", step,
            (int)plx_socket_state(socket), plx_socket_last_error(socket), errno,
            plx_socket_bytes_available(socket), plx_socket_error(socket)->message);
    _exit(step);
}

/* The other process: adopts what comes, answers one question, and ends the connection. */
static void take_over(plx_constructor *create, const char *where)
{
    plx_socket *line = plx_ipc_new(), *socket = create();
    int got;

    alarm(PATIENCE);
    if (plx_socket_set_option(line, PLX_OPTION_RECEIVE_HANDLES, 1) != 0 ||
        plx_socket_connect_to(line, where) != 0 || !plx_socket_wait_for_data(line, NO_LIMIT))
        fail_at(1, line);
    got = plx_ipc_receive_handle(line);
    if (got < 0 || plx_socket_adopt(socket, got) != 0)
        fail_at(2, line);
    while (plx_socket_bytes_available(socket) < 8)
        if (!plx_socket_wait(socket, NO_LIMIT))
            fail_at(3, socket);
    if (plx_socket_write(socket, "answered", 8) != 8 || !plx_socket_wait_for_sent(socket, NO_LIMIT))
        fail_at(4, socket);
    plx_socket_disconnect(socket);
    plx_socket_wait_for_disconnected(socket, NO_LIMIT);
    _exit(0);
}

/* This process closes its descriptor, which ends nothing. */
KERNEL_PAIR_CASE(a_connection_goes_on_in_another_process)
{
    char place[WHERE_SIZE];
    plx_socket *line = world_socket_of(w, plx_ipc_new, NULL);
    int status = 0;
    pid_t child;

    snprintf(place, sizeof place, "%s/line", w->folder);
    ck_assert_int_eq(plx_socket_listen_on(line, place), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        take_over(w->kind->create, place);
    UNTIL(w, plx_socket_is_connected(line));
    ck_assert_int_eq(plx_ipc_send_handle(line, plx_socket_handle(socket)), 0);
    ck_assert_int_eq(plx_socket_write(line, "x", 1), 1);
    ck_assert(plx_socket_wait_for_sent(line, NO_LIMIT));
    plx_socket_close(socket);
    raw_say(raw, "question");
    raw_expect(w, raw, "answered");
    raw_expect_end(w, raw);
    raw_close(w, raw);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status == 0, "%s: the other process: %d", world_name(w), status);
}

/* ---- a line to another process --------------------------------------------------------------- */

/* What the other process does with the descriptor; it exits 0 when all went well. */
typedef void heir(plx_constructor *create, plx_socket *line, plx_handle descriptor);

static plx_handle receive(plx_socket *line)
{
    int got;

    if (!plx_socket_wait_for_data(line, NO_LIMIT))
        fail_at(1, line);
    got = plx_ipc_receive_handle(line);
    if (got < 0)
        fail_at(2, line);
    plx_socket_skip(line, 1);
    return got;
}

/* A second process, which is born before anything is handed over, and the line to it. */
static pid_t begin_heir(struct world *w, heir *inherits, plx_socket *line)
{
    char place[WHERE_SIZE];
    pid_t child;

    snprintf(place, sizeof place, "%s/line", w->folder);
    ck_assert_int_eq(plx_socket_listen_on(line, place), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        plx_socket *own = plx_ipc_new();

        alarm(PATIENCE);
        plx_socket_set_option(own, PLX_OPTION_RECEIVE_HANDLES, 1);
        if (plx_socket_connect_to(own, place) != 0)
            fail_at(1, own);
        inherits(w->kind->create, own, receive(own));
        _exit(0);
    }
    UNTIL(w, plx_socket_is_connected(line));
    return child;
}

static void hand_over(plx_socket *line, plx_handle descriptor)
{
    ck_assert_int_eq(plx_ipc_send_handle(line, descriptor), 0);
    ck_assert_int_eq(plx_socket_write(line, "x", 1), 1);
    ck_assert(plx_socket_wait_for_sent(line, NO_LIMIT));
}

/* The bytes that come with it and behind it: what the socket still had. */
static void hand_over_with(plx_socket *line, plx_socket *socket)
{
    const void *rest;
    size_t size;

    ck_assert_int_eq(plx_ipc_send_handle(line, plx_socket_handle(socket)), 0);
    ck_assert_int_eq(plx_socket_write(line, "x", 1), 1);
    plx_socket_close(socket);
    rest = plx_socket_read_all(socket, &size);
    ck_assert_int_eq(plx_socket_write(line, rest, size), (ptrdiff_t)size);
    ck_assert(plx_socket_wait_for_sent(line, NO_LIMIT));
}

static void end_heir(struct world *w, plx_socket *line, pid_t child)
{
    int status = 0;

    world_free(w, line);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status == 0, "%s: the other process: %d", world_name(w), status);
}

/* The descriptor that this process has closed lives on in the other one, and wakes nobody here. */
static void expect_sleep(struct world *w)
{
    long long begun = now_ms();

    if (w->group == NULL)
        return;
    world_settle(w);
    ck_assert(!plx_group_poll(w->group, 30));
    ck_assert_int_ge(now_ms() - begun, 29);
}

/* ---- bytes that were not read ---------------------------------------------------------------- */

static void take(plx_socket *socket, char *ret_bytes, size_t size)
{
    while (plx_socket_bytes_available(socket) < size)
        if (!plx_socket_wait(socket, NO_LIMIT))
            fail_at(5, socket);
    plx_socket_read(socket, ret_bytes, size);
}

static void say_all_again(plx_constructor *create, plx_socket *line, plx_handle descriptor)
{
    char text[18];
    plx_socket *socket = create();

    take(line, text, 12);
    if (plx_socket_adopt(socket, descriptor) != 0)
        fail_at(3, socket);
    take(socket, text + 12, 6);
    if (plx_socket_write(socket, text, sizeof text) != sizeof text ||
        !plx_socket_wait_for_sent(socket, NO_LIMIT))
        fail_at(4, socket);
    plx_socket_disconnect(socket);
    plx_socket_wait_for_disconnected(socket, NO_LIMIT);
}

/* Close reads what the kernel holds, before the other process has the descriptor. */
STREAM_KERNEL_PAIR_CASE(unread_bytes_go_with_a_connection)
{
    plx_socket *line = world_socket_of(w, plx_ipc_new, NULL);
    pid_t child = begin_heir(w, say_all_again, line);

    (void)log;
    raw_say(raw, "first ");
    UNTIL(w, plx_socket_bytes_available(socket) == 6);
    raw_say(raw, "second");
    world_readable(plx_socket_handle(socket));
    hand_over_with(line, socket);
    raw_say(raw, " third");
    raw_expect(w, raw, "first second third");
    raw_expect_end(w, raw);
    raw_close(w, raw);
    end_heir(w, line, child);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

enum { DATAGRAMS = 40, SIZE = 700 };

/* Answers each datagram by the same bytes, until the line ends. */
static void echo_datagrams(plx_constructor *create, plx_socket *line, plx_handle descriptor)
{
    plx_group *group = plx_group_new();
    plx_socket *socket = plx_udp_new();
    plx_datagram datagram;

    (void)create;
    if (plx_socket_adopt(socket, descriptor) != 0 || plx_socket_port(socket) == 0 ||
        !plx_socket_is_connected(socket))
        fail_at(3, socket);
    plx_group_add(group, socket);
    plx_group_add(group, line);
    while (plx_socket_is_connected(line)) {
        plx_group_poll(group, 1000);
        while (plx_udp_read(socket, &datagram))
            if (plx_udp_write(socket, &datagram.from, datagram.data, datagram.size) != 0)
                fail_at(4, socket);
    }
}

/* The first ones are in the kernel when the socket goes, where abort leaves them, and the second
 * ones follow: all are answered in their order, from the old port. */
static void hand_over_datagrams(struct world *w, plx_socket *socket, int raw)
{
    plx_socket *line = world_socket_of(w, plx_ipc_new, NULL);
    pid_t child = begin_heir(w, echo_datagrams, line);

    for (size_t i = 0; i < DATAGRAMS; i++)
        datagram_send(raw, socket, SIZE, i);
    hand_over(line, plx_socket_handle(socket));
    for (size_t i = DATAGRAMS; i < 2 * DATAGRAMS; i++)
        datagram_send(raw, socket, SIZE, i);
    plx_socket_abort(socket);
    for (size_t i = 0; i < 2 * DATAGRAMS; i++)
        datagram_expect(w, raw, SIZE, i);
    datagram_expect_none(w, raw);
    expect_sleep(w);
    end_heir(w, line, child);
}

MODE_CASE(datagrams_go_on_in_another_process)
{
    struct record log;
    plx_address peer;
    plx_socket *socket = datagrams_bound(w, 0, &log);

    plx_group_remove(w->group, socket); /* a poll of the group would receive them here */
    world_forget(w, socket);
    hand_over_datagrams(w, socket, raw_datagrams(w, &peer));
    plx_socket_free(socket);
}

/* With its peer: the other process adopts a socket that is connected. */
MODE_CASE(datagrams_of_a_peer_go_on_in_another_process)
{
    struct record log;
    plx_address peer;
    int raw = raw_datagrams(w, &peer);
    plx_socket *socket = datagrams_connected(w, &log, &peer);

    plx_group_remove(w->group, socket);
    world_forget(w, socket);
    hand_over_datagrams(w, socket, raw);
    plx_socket_free(socket);
}

/* ---- listeners ------------------------------------------------------------------------------- */

enum { PEERS = 20 };

/* Writes who serves, once for each question. */
static void answer_as(plx_socket *client, void *who)
{
    if (plx_socket_bytes_available(client) >= 8) {
        plx_socket_purge(client);
        plx_socket_write(client, who, 8);
    }
}

static const plx_events of_clients = {.data_available = answer_as};

static void serve_clients(plx_constructor *create, plx_socket *line, plx_handle descriptor)
{
    static char name[] = "the heir";
    plx_group *group = plx_group_new();
    plx_server *server = plx_server_new(create);

    plx_server_set_client_events(server, &of_clients, name);
    plx_group_add_server(group, server);
    plx_group_add(group, line);
    if (plx_server_adopt(server, descriptor) != 0)
        fail_at(3, line);
    while (plx_socket_is_connected(line))
        plx_group_poll(group, 1000);
    plx_server_free(server);
    plx_group_free(group);
}

static void ask_all(const int *raws, int count)
{
    for (int i = 0; i < count; i++)
        raw_say(raws[i], "question");
}

/* A server that listens with a copy of the listener. */
static plx_server *begin_server(struct world *w, int listener)
{
    static char name[] = "the sire";
    plx_server *server = world_server(w);

    plx_server_set_client_events(server, &of_clients, name);
    ck_assert_int_eq(plx_server_adopt(server, raw_copy(listener)), 0);
    return server;
}

/* Peers that wait in the accept queue go over with the listener; the clients stay. */
KERNEL_CASE(a_listener_goes_on_in_another_process)
{
    char where[WHERE_SIZE];
    plx_socket *line = world_socket_of(w, plx_ipc_new, NULL);
    int listener = raw_listen(w, PEERS, where), old = 0, raws[PEERS];
    plx_server *server = begin_server(w, listener);
    pid_t child = begin_heir(w, serve_clients, line);

    old = raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 1);
    plx_server_pause(server, true);
    for (int i = 0; i < PEERS / 2; i++)
        raws[i] = raw_connect(w, where);
    ask_all(raws, PEERS / 2);
    hand_over(line, listener);
    plx_server_stop_listening(server);
    raw_close(w, listener);
    for (int i = PEERS / 2; i < PEERS; i++)
        raws[i] = raw_connect(w, where);
    ask_all(raws + PEERS / 2, PEERS / 2);
    for (int i = 0; i < PEERS; i++)
        raw_expect(w, raws[i], "the heir");
    expect_sleep(w);
    raw_say(old, "question");
    raw_expect(w, old, "the sire");
    ck_assert_uint_eq(plx_server_active_count(server), 1);
    end_heir(w, line, child);
}

/* Both processes accept: each peer is served, and by one of them. */
KERNEL_CASE(two_processes_serve_one_listener)
{
    char where[WHERE_SIZE], answer[17];
    plx_socket *line = world_socket_of(w, plx_ipc_new, NULL);
    int listener = raw_listen(w, PEERS, where);
    plx_server *server = begin_server(w, listener);
    pid_t child = begin_heir(w, serve_clients, line);
    ptrdiff_t count = RAW_NOTHING;
    int ours = 0;

    hand_over(line, listener);
    for (int i = 0; i < 3 * PEERS; i++) {
        int raw = raw_connect(w, where);

        raw_say(raw, "question");
        UNTIL(w, (count = raw_take(raw, answer, sizeof answer)) != RAW_NOTHING);
        ck_assert_int_eq(count, 8);
        ours += memcmp(answer, "the sire", 8) == 0;
        ck_assert(memcmp(answer, "the sire", 8) == 0 || memcmp(answer, "the heir", 8) == 0);
        raw_close(w, raw);
    }
    UNTIL(w, plx_server_active_count(server) == 0);
    ck_assert_int_le(ours, 3 * PEERS);
    end_heir(w, line, child);
}

/* ---- a process that dies --------------------------------------------------------------------- */

/* Listens at the place, sends the listener, and serves nobody. */
static void bequeath(struct world *w, const char *place, const char *line_place)
{
    plx_socket *line = plx_ipc_new(), *socket = w->kind->create();

    alarm(PATIENCE);
    if (plx_socket_listen_on(socket, place) != 0 || plx_socket_connect_to(line, line_place) != 0 ||
        !plx_socket_wait_for_connected(line, NO_LIMIT) ||
        plx_ipc_send_handle(line, plx_socket_handle(socket)) != 0)
        fail_at(1, line);
    plx_socket_write(line, "x", 1);
    plx_socket_wait_for_sent(line, NO_LIMIT);
    for (;;)
        pause();
}

/* The file of an IPC listener stays where it was, and no other process can take the name. */
KERNEL_CASE(a_listener_outlives_its_process)
{
    char place[WHERE_SIZE], line_place[WHERE_SIZE], where[WHERE_SIZE];
    plx_socket *line = world_socket_of(w, plx_ipc_new, NULL);
    plx_socket *socket = world_socket(w, NULL), *other = world_socket(w, NULL);
    plx_handle got;
    pid_t child;
    int raw;

    world_place(w, place);
    snprintf(line_place, sizeof line_place, "%s/line", w->folder);
    ck_assert_int_eq(plx_socket_set_option(line, PLX_OPTION_RECEIVE_HANDLES, 1), 0);
    ck_assert_int_eq(plx_socket_listen_on(line, line_place), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        bequeath(w, place, line_place);
    UNTIL(w, (got = plx_ipc_receive_handle(line)) >= 0);
    ck_assert_int_eq(plx_socket_adopt(socket, got), 0);
    w->kind->reach(place, plx_socket_port(socket), where);
    raw = raw_connect(w, where);
    raw_say(raw, "question");
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    if (plx_socket_port(socket) == 0)
        ck_assert_int_eq(plx_socket_listen_on(other, place), PLX_ADDRESS_IN_USE);
    UNTIL(w, plx_socket_bytes_available(socket) == 8);
    ck_assert_int_eq(plx_socket_write(socket, "answered", 8), 8);
    raw_expect(w, raw, "answered");
}

WORLD_MAIN("process-hand", .packets = true)
