/* tests/test-qt-cases-waits.c -- what Qt's tests check of sockets, asked of Pollux: waiting inside
 * handlers, and being used from several threads and processes.
 *
 * The cases E. See test-qt-cases.c for where they come from and which of them stand elsewhere or do
 * not apply. A record fails by itself when a handler is entered while another one of its socket
 * runs. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/provoke.h"
#include "tests/sockets.h"
#include "tests/world.h"

#define LOST "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]"
#define DATA "data_available[CONNECTED]"

/* What a handler needs to know. */
struct scene {
    struct world *world;
    int raw;
    plx_socket *other;
    const char *where;
};

/* ---- E: handlers and what they may call ------------------------------------------------------ */

static void act_ask_for_more(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;

    raw_say(scene->raw, "more");
    for (int i = 0; i < 100; i++) {
        ck_assert(!plx_socket_poll(socket));
        world_poll(scene->world);
    }
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 4);
}

/* E1: a handler that stirs up more of the same and polls a hundred times is entered once */
PAIR_CASE(polled_a_hundred_times_inside)
{
    struct scene scene = {w, raw, NULL, NULL};

    record_on(log, EVENT_DATA_AVAILABLE, act_ask_for_more, &scene);
    raw_say(raw, "some");
    UNTIL(w, log->fired);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 2);
    SETTLED(w, log, DATA " " DATA);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), w->kind->keeps_boundaries ? 4 : 8);
}

static void act_wait_for_data(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert(plx_socket_wait_for_data(socket, -1));
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 5);
}

/* E2: waiting for data in the handler of `connected` */
SOCKET_CASE(wait_in_connected)
{
    record_on(log, EVENT_CONNECTED, act_wait_for_data, NULL);
    world_listen(w, socket, where);
    raw_say(raw_connect(w, where), "hello");
    UNTIL(w, log->fired);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_CONNECTED], 1);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 1); /* nobody has taken it yet */
}

/* E3: waited, read, reported once, and never again */
PAIR_CASE(told_once_when_waited_for)
{
    char got[8];

    raw_say(raw, "hello");
    ck_assert(plx_socket_wait_for_data(socket, -1));
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 5);
    LOGGED(w, log, DATA);
    for (int i = 0; i < 10; i++)
        world_settle(w);
    LOGGED(w, log, DATA);
}

static void act_free_and_linger(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;
    const char *message = plx_socket_error(socket)->message;
    char copy[300];

    snprintf(copy, sizeof copy, "%s", message);
    world_free(scene->world, socket);
    for (int i = 0; i < 20; i++)
        world_poll(scene->world);
    ck_assert(!plx_socket_poll(socket));
    ck_assert(!plx_socket_wait(socket, -1));
    ck_assert(!plx_socket_wait_for_connected(socket, -1));
    ck_assert(!plx_socket_wait_for_data(socket, -1));
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    ck_assert_str_eq(message, copy); /* what it lent out is still there */
}

/* E5: freed in the handler of `error`, and everything polled for a while before that returns */
SOCKET_CASE(freed_and_polled_in_error)
{
    struct scene scene = {w, -1, NULL, NULL};

    raw_refusing(w, where);
    record_on(log, EVENT_ERROR, act_free_and_linger, &scene);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->fired);
    SETTLED(w, log, "state:CONNECTING state:UNCONNECTED error(111,10)[UNCONNECTED]");
}

/* ---- waits in every handler ------------------------------------------------------------------ */

/* All waits with 0: none of them may sleep, or report anything. */
static void act_wait_zero(struct record *record, plx_socket *socket)
{
    int told = 0, again = 0;

    for (int event = 0; event < EVENT_COUNT_; event++)
        told += record->count[event];
    plx_socket_wait(socket, 0);
    plx_socket_wait_for_connected(socket, 0);
    plx_socket_wait_for_data(socket, 0);
    plx_socket_wait_for_sent(socket, 0);
    plx_socket_wait_for_disconnected(socket, 0);
    for (int event = 0; event < EVENT_COUNT_; event++)
        again += record->count[event];
    ck_assert_int_eq(told, again);
}

/* E2, E3: waits with 0 in every handler; afterwards the connection is as it would be without */
CASE(wait_zero_in_every_handler)
{
    for (int how = 0; how < PROVOCATIONS; how++) {
        struct record log, plain;
        plx_socket *socket = world_socket(w, &log), *other = world_socket(w, &plain);
        bool connected;

        if (!provoke_is_possible(w, (enum provocation)how))
            continue;
        provoke(w, (enum provocation)how, socket, &log, act_wait_zero, NULL);
        provoke(w, (enum provocation)how, other, &plain, act_wait_zero, NULL);
        plain.when = EVENT_NEVER;
        world_settle(w);
        connected = plx_socket_state(socket) == PLX_CONNECTED;
        ck_assert_int_eq(connected, plx_socket_state(other) == PLX_CONNECTED);
        ck_assert_int_le(log.count[EVENT_CONNECTED], 1);
        ck_assert_int_le(log.count[EVENT_DISCONNECTED], 1);
        ck_assert_int_le(log.count[EVENT_ERROR], 1);
        world_free(w, socket);
        world_free(w, other);
    }
}

/* All waits with -1 whose answer is known at once in this state, or is sure to come. */
static void act_wait_for_ever(struct record *record, plx_socket *socket)
{
    bool ended = plx_socket_state(socket) == PLX_UNCONNECTED;

    (void)record;
    if (ended) {
        ck_assert(!plx_socket_wait(socket, -1));
        ck_assert(!plx_socket_wait_for_data(socket, -1));
        ck_assert(plx_socket_wait_for_disconnected(socket, -1));
        ck_assert(!plx_socket_wait_for_sent(socket, -1));
    }
    ck_assert_int_eq(plx_socket_wait_for_connected(socket, -1), !ended);
    if (!ended && plx_socket_state(socket) == PLX_CONNECTED) {
        ck_assert_int_eq(plx_socket_write(socket, "bye", 3), 3);
        ck_assert(plx_socket_wait_for_sent(socket, -1));
    }
}

/* E2: waits with -1 in every handler, for what is there already, is sure to come, or never will */
CASE(wait_for_ever_in_every_handler)
{
    for (int how = 0; how < PROVOCATIONS; how++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);

        if (how == PROVOKE_STATE_CLOSING) /* nothing connects any more: see the next case */
            continue;
        if (!provoke_is_possible(w, (enum provocation)how))
            continue;
        provoke(w, (enum provocation)how, socket, &log, act_wait_for_ever, NULL);
        world_settle(w);
        ck_assert_int_le(log.count[EVENT_CONNECTED], 1);
        ck_assert_int_le(log.count[EVENT_DISCONNECTED], 1);
        world_free(w, socket);
    }
}

static void act_wait_for_the_end(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert(plx_socket_wait_for_disconnected(socket, -1));
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

/* E2: for ever in the handler of CLOSING, which ends when everything has arrived */
SOCKET_CASE(wait_for_ever_in_closing)
{
    int raw = provoke(w, PROVOKE_STATE_CLOSING, socket, log, act_wait_for_the_end, NULL);

    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
}

static void act_disconnect_and_wait(struct record *record, plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    act_wait_for_the_end(record, socket);
}

/* E2: the same where it is the handler of data that disconnects, with nothing queued */
SOCKET_CASE(disconnect_and_wait_for_ever)
{
    int raw = provoke(w, PROVOKE_DATA, socket, log, act_disconnect_and_wait, NULL);

    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
}

static void act_connect_and_wait(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;
    bool well = scene->raw >= 0;

    ck_assert_int_eq(plx_socket_connect_to(socket, scene->where), 0);
    ck_assert_int_eq(plx_socket_wait_for_connected(socket, -1), well);
    ck_assert_int_eq(plx_socket_state(socket), well ? PLX_CONNECTED : PLX_UNCONNECTED);
}

static void connect_in_error(struct world *w, const char *where, int listener)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct scene scene = {w, listener, NULL, where};

    provoke(w, PROVOKE_REFUSED, socket, &log, act_connect_and_wait, &scene);
    if (listener < 0)
        UNTIL(w, log.count[EVENT_ERROR] == 2);
    else
        UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_ERROR], listener < 0 ? 2 : 1);
    ck_assert_int_eq(log.count[EVENT_CONNECTED], listener >= 0);
}

/* E2: connecting again in the handler of `error`, and waiting there: it works */
CASE(connect_in_error_and_wait)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    connect_in_error(w, where, listener);
}

/* E2: the same, and it is refused again */
CASE(connect_in_error_and_be_refused)
{
    char where[WHERE_SIZE];

    raw_refusing(w, where);
    connect_in_error(w, where, -1);
}

/* E2: the same, to where the kernel knows at once that it cannot go */
MODE_CASE(connect_in_error_to_nowhere)
{
    connect_in_error(w, "255.255.255.255:80", -1);
}

/* E2: the same by a name that is known at once */
MODE_CASE(connect_in_error_by_name)
{
    char where[WHERE_SIZE], name[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    snprintf(name, sizeof name, "localhost%s", strrchr(where, ':'));
    connect_in_error(w, name, listener);
}

/* Lets another process say something at the raw end in a while, when we are asleep. */
static pid_t say_later(int raw, const char *text)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        poll(NULL, 0, 30);
        _exit(send(raw, text, strlen(text), MSG_NOSIGNAL) < 0);
    }
    return child;
}

static void act_sleep_for_data(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;
    char got[8];
    int status;
    pid_t child;

    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 5);
    child = say_later(scene->raw, "later");
    ck_assert(plx_socket_wait_for_data(socket, -1)); /* asleep in the handler */
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 5);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

/* E2: asleep for ever in the handler of data, until another process sends some */
PAIR_CASE(sleep_in_a_handler)
{
    struct scene scene = {w, raw, NULL, NULL};

    record_on(log, EVENT_DATA_AVAILABLE, act_sleep_for_data, &scene);
    raw_say(raw, "first");
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 2);
    SETTLED(w, log, DATA " " DATA);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 5);
}

static void act_wait_for_another(struct record *record, plx_socket *socket)
{
    struct scene *scene = record->data;

    (void)socket;
    ck_assert(plx_socket_wait_for_data(scene->other, -1));
    ck_assert_uint_eq(plx_socket_bytes_available(scene->other), 6);
}

/* E2: in the handler of one socket waiting for another one, whose own handlers are called then */
SOCKET_CASE(wait_for_another_socket)
{
    struct record other;
    plx_socket *second = world_socket(w, &other);
    int raw = world_pair(w, socket, log), raw_second = world_pair(w, second, &other);
    struct scene scene = {w, raw, second, NULL};

    record_on(log, EVENT_DATA_AVAILABLE, act_wait_for_another, &scene);
    raw_say(raw, "first");
    raw_say(raw_second, "second");
    UNTIL(w, log->fired);
    SETTLED(w, log, DATA);
    LOGGED(w, &other, DATA);
}

/* ---- E8: threads and processes --------------------------------------------------------------- */

enum { CLIENTS = 20 };

static void greet(plx_socket *socket, void *user)
{
    (void)user;
    plx_socket_write(socket, "one line for you\n", 17);
}

static void count_end(plx_socket *socket, void *user)
{
    (void)socket;
    ++*(int *)user;
}

static const plx_events greeting = {.connected = greet, .disconnected = count_end};

/* One client by blocking calls; returns whether it got its line. */
static bool fetch_line(plx_constructor *create, const char *where)
{
    plx_socket *socket = create();
    char line[64];
    ptrdiff_t length = 0;
    bool well =
        plx_socket_connect_to(socket, where) == 0 && plx_socket_wait_for_connected(socket, 30000);

    while (well && (length = plx_socket_read_line(socket, line, sizeof line)) == 0)
        well = plx_socket_wait_for_data(socket, 30000);
    well = well && length == 17 && strcmp(line, "one line for you\n") == 0;
    plx_socket_free(socket);
    return well;
}

struct client {
    pthread_t thread;
    const char *where;
    bool well;
};

static void *run_client(void *user)
{
    struct client *client = user;

    client->well = fetch_line(plx_tcp_new, client->where);
    return NULL;
}

/* E8: twenty threads with a socket each, one server */
PLAIN_CASE(clients_in_threads)
{
    struct client clients[CLIENTS];
    plx_server *server;
    char where[WHERE_SIZE];
    int ended = 0;

    plx_memory_set(NULL, NULL); /* the counting one is for one thread */
    server = plx_server_new(plx_tcp_new);
    plx_server_set_client_events(server, &greeting, &ended);
    ck_assert_int_eq(plx_server_listen_on(server, "127.0.0.1:0"), 0);
    snprintf(where, sizeof where, "127.0.0.1:%d", plx_server_port(server));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.where = where};
        ck_assert_int_eq(pthread_create(&clients[i].thread, NULL, run_client, &clients[i]), 0);
    }
    for (int i = 0; ended < CLIENTS; i++) {
        ck_assert_int_lt(i, 2000);
        plx_server_wait(server, 5);
    }
    for (int i = 0; i < CLIENTS; i++) {
        ck_assert_int_eq(pthread_join(clients[i].thread, NULL), 0);
        ck_assert(clients[i].well);
    }
    plx_server_free(server);
}

/* E8: and twenty processes. For streams only: the clients fetch a line. */
STREAM_CASE(clients_in_processes)
{
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];
    int ended = 0, status;

    plx_server_set_client_events(server, &greeting, &ended);
    world_serve(w, server, where);
    for (int i = 0; i < CLIENTS; i++) {
        pid_t child = fork();

        ck_assert_int_ge(child, 0);
        if (child == 0)
            _exit(!fetch_line(w->kind->create, where));
    }
    UNTIL(w, ended == CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
}

WORLD_MAIN("qt-cases-waits", .packets = true)
