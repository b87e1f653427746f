/* tests/test-server-scarce.c -- a server where memory or descriptors run out: it reports it once,
 * turns nobody away and recovers by itself. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/scarce.h"
#include "tests/world.h"

/* ---- memory ---------------------------------------------------------------------------------- */

SECTION("memory");

struct host {
    int errors, code, accepted;
};

static void host_accepted(plx_server *server, plx_socket *client, void *user)
{
    struct host *host = user;

    (void)server;
    (void)client;
    host->accepted++;
}

static void host_failed(plx_server *server, const plx_error *error, void *user)
{
    struct host *host = user;

    (void)server;
    host->errors++;
    host->code = error->code;
}

static const plx_server_events host_events = {.accepted = host_accepted, .error = host_failed};

/* A server with as much to copy into each client as there can be. */
static plx_server *start_server(struct world *w, struct host *host, char *ret_where)
{
    plx_server *server = world_server(w);

    *host = (struct host){0};
    plx_server_set_events(server, &host_events, host);
    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_READ_LIMIT, 1000), 0);
    if (!w->kind->keeps_boundaries) /* frames are for streams */
        ck_assert_int_eq(plx_server_set_frame(server, &(plx_frame){.length_size = 2}), 0);
    world_serve(w, server, ret_where);
    world_settle(w);
    return server;
}

static void turn_many(struct world *w)
{
    for (int round = 0; round < 30; round++)
        world_turn(w, round);
}

/* The peer is neither turned away nor forgotten, whichever allocation fails. */
static void accept_later(struct world *w, int number)
{
    struct host host;
    char where[WHERE_SIZE];
    plx_server *server = start_server(w, &host, where);
    int raw = raw_connect(w, where), another;

    if (number < 0) /* else a client that is there may be the one that finds no memory */
        raw_send(raw, "\0\5hello", 7);
    fail_allocation(number);
    turn_many(w);
    ck_assert_int_le(host.errors, 1);
    if (number < 0) {
        ck_assert_int_eq(host.errors, 1);
        ck_assert_int_eq(host.accepted, 0);
    }
    if (host.errors > 0) {
        ck_assert_int_eq(host.code, PLX_OUT_OF_MEMORY);
        ck_assert_int_eq(plx_server_error(server)->code, PLX_OUT_OF_MEMORY);
    }
    ck_assert_int_eq(raw_take(raw, where + sizeof where - 1, 1), -1);
    fail_allocation(0);
    UNTIL(w, host.accepted == 1);
    if (number > 0)
        raw_send(raw, "\0\5hello", 7);
    UNTIL(w, plx_socket_can_read_message(plx_server_next_active(server, NULL)));
    another = raw_connect(w, where);
    UNTIL(w, host.accepted == 2);
    raw_close(w, another);
    world_free_server(w, server);
}

CASE(a_client_that_finds_no_memory)
{
    for (int number = 1; number < 6; number++)
        accept_later(w, number);
    accept_later(w, -1);
}

/* A connection that waits for memory goes with the listener, as those in the kernel's queue do. */
CASE(a_client_that_waits_while_the_server_stops)
{
    struct host host;
    char where[WHERE_SIZE];
    plx_server *server = start_server(w, &host, where);
    int raw = raw_connect(w, where), another;

    fail_allocation(-1);
    UNTIL(w, host.errors == 1);
    fail_allocation(0);
    plx_server_stop_listening(server);
    raw_expect_end(w, raw);
    ck_assert_int_eq(host.accepted, 0);
    world_serve(w, server, where);
    another = raw_connect(w, where);
    fail_allocation(-1);
    UNTIL(w, host.errors == 2);
    fail_allocation(0);
    world_free_server(w, server);
    raw_expect_end(w, another);
}

static plx_socket *host_add(plx_server *server, void *user)
{
    struct host *host = user;

    (void)server;
    host->code++;
    return host->code < 3 ? NULL : plx_tcp_new();
}

/* NULL of add_socket turns away, with memory or without. */
MODE_CASE(a_client_that_is_turned_away)
{
    static const plx_server_events events = {.add_socket = host_add, .accepted = host_accepted};
    struct host host;
    char where[WHERE_SIZE];
    plx_server *server = start_server(w, &host, where);
    int raw;

    plx_server_set_events(server, &events, &host);
    raw = raw_connect(w, where);
    raw_expect_end(w, raw);
    raw = raw_connect(w, where);
    fail_allocation(-1);
    raw_expect_end(w, raw);
    fail_allocation(0);
    raw_connect(w, where);
    UNTIL(w, host.accepted == 1);
    ck_assert_int_eq(host.code, 3);
}

/* A peer that resets its connection while the server keeps it harms nobody. */
CASE(a_client_that_goes_while_it_waits)
{
    struct host host;
    char where[WHERE_SIZE];
    plx_server *server = start_server(w, &host, where);
    int raw = raw_connect(w, where);

    fail_allocation(-1);
    turn_many(w);
    ck_assert_int_eq(host.errors, 1);
    raw_reset(w, raw);
    fail_allocation(0);
    raw_connect(w, where);
    UNTIL(w, host.accepted == 2 && plx_server_active_count(server) == 1);
    ck_assert_int_eq(host.errors, 1);
}

/* ---- a group of its own ---------------------------------------------------------------------- */

SECTION("groups");

/* LONE_CASE runs for each kind, with a server that is polled alone. */
#define LONE_CASE(name) WORLD_CASE(name, world_begin(&world_, _i), world_kinds(), NULL)

LONE_CASE(a_group_that_finds_no_memory)
{
    struct host host;
    char where[WHERE_SIZE];
    plx_server *server = world_server(w);

    host = (struct host){0};
    plx_server_set_events(server, &host_events, &host);
    world_serve(w, server, where);
    raw_connect(w, where);
    fail_allocation(-1);
    for (int i = 0; i < 10; i++)
        plx_server_poll(server);
    ck_assert_int_ge(host.errors, 1);
    ck_assert_int_le(host.errors, 2); /* for the group, and for the client */
    ck_assert_int_eq(host.code, PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_server_error(server)->code, PLX_OUT_OF_MEMORY);
    fail_allocation(0);
    UNTIL(w, host.accepted == 1);
}

LONE_CASE(a_group_that_finds_no_descriptor)
{
    struct host host;
    char where[WHERE_SIZE];
    plx_server *server;

    if (under_valgrind())
        return;
    server = world_server(w);
    host = (struct host){0};
    plx_server_set_events(server, &host_events, &host);
    world_serve(w, server, where);
    raw_connect(w, where);
    take_descriptors();
    for (int i = 0; i < 10; i++)
        plx_server_wait(server, 1);
    ck_assert_int_ge(host.errors, 1);
    ck_assert_int_le(host.errors, 2); /* for the group, and for the accept */
    ck_assert_int_eq(host.code, PLX_OPEN_DRIVER);
    ck_assert_int_eq(plx_server_error(server)->os_error, EMFILE);
    give_descriptors();
    UNTIL(w, host.accepted == 1);
    /* The next shortage is another one. */
    host.errors = 0;
    plx_server_stop_listening(server);
    world_serve(w, server, where);
    raw_connect(w, where);
    take_descriptors();
    for (int i = 0; i < 10; i++)
        plx_server_poll(server);
    ck_assert_int_eq(host.errors, 1);
    give_descriptors();
    UNTIL(w, host.accepted == 2);
}

/* Those that are there already are served one by one. */
LONE_CASE(clients_without_a_group)
{
    struct host host;
    char where[WHERE_SIZE];
    plx_group *group = plx_group_new();
    plx_server *server = world_server(w);
    plx_socket *client;
    int raw;

    if (under_valgrind()) {
        plx_group_free(group);
        return;
    }
    host = (struct host){0};
    plx_server_set_events(server, &host_events, &host);
    ck_assert_int_eq(plx_group_add_server(group, server), 0);
    world_serve(w, server, where);
    raw = raw_connect(w, where);
    while (host.accepted == 0)
        plx_group_poll(group, 10);
    plx_group_free(group);
    take_descriptors();
    client = plx_server_next_active(server, NULL);
    raw_say(raw, "ping");
    while (plx_socket_bytes_available(client) < 4)
        plx_server_wait(server, 10);
    ck_assert_int_ge(host.errors, 1); /* accept wants a descriptor even if nobody waits: another */
    ck_assert_int_le(host.errors, 2);
    ck_assert_int_eq(host.code, PLX_OPEN_DRIVER);
    ck_assert_int_eq(plx_socket_write(client, "pong", 4), 4);
    plx_server_poll(server);
    raw_expect(w, raw, "pong");
    raw_close(w, raw);
    while (plx_server_active_count(server) > 0)
        plx_server_poll(server);
    give_descriptors();
    raw_connect(w, where);
    UNTIL(w, host.accepted == 2);
}

static void free_all(plx_socket *socket, void *user)
{
    plx_server *server = *(plx_server **)user;
    plx_socket *client;

    (void)socket;
    while ((client = plx_server_next_active(server, NULL)) != NULL)
        plx_socket_free(client);
}

/* One by one, and the first one's handler ends them all. */
LONE_CASE(clients_without_a_group_that_are_freed)
{
    static const plx_events events = {.data_available = free_all};
    char where[WHERE_SIZE], byte;
    plx_group *group = plx_group_new();
    plx_server *server = world_server(w);
    int raws[3];

    if (under_valgrind()) {
        plx_group_free(group);
        return;
    }
    plx_server_set_client_events(server, &events, &server);
    ck_assert_int_eq(plx_group_add_server(group, server), 0);
    world_serve(w, server, where);
    for (int i = 0; i < 3; i++)
        raws[i] = raw_connect(w, where);
    while (plx_server_active_count(server) < 3)
        plx_group_poll(group, 10);
    plx_group_free(group);
    take_descriptors();
    raw_say(raws[1], "go");
    while (plx_server_active_count(server) > 0)
        plx_server_wait(server, 10);
    give_descriptors();
    for (int i = 0; i < 3; i++)
        UNTIL(w, raw_take(raws[i], &byte, 1) != -1);
}

/* ---- moving ---------------------------------------------------------------------------------- */

/* A server moves as a whole or not at all: with poll(2) each member takes memory in its group. */
static void move(int number)
{
    enum { CLIENTS = 40 };
    struct world world, *w = &world;
    struct host host;
    char where[WHERE_SIZE], byte;
    int raws[CLIENTS], code;
    plx_group *old, *new;
    plx_server *server;

    world_begin_plain(w, MODE_LONE);
    setenv("POLLUX_POLLER", "poll", 1);
    old = plx_group_new();
    new = plx_group_new();
    server = world_server(w);
    host = (struct host){0};
    plx_server_set_events(server, &host_events, &host);
    ck_assert_int_eq(plx_group_add_server(old, server), 0);
    world_serve(w, server, where);
    for (int i = 0; i < CLIENTS; i++)
        raws[i] = raw_connect(w, where);
    while (host.accepted < CLIENTS)
        plx_group_poll(old, 10);
    /* What is queued is work for the group in which the client is then. */
    for (plx_socket *client = plx_server_next_active(server, NULL); client != NULL;
         client = plx_server_next_active(server, client))
        ck_assert_int_eq(plx_socket_write(client, "y", 1), 1);
    fail_allocation(number);
    code = plx_group_add_server(new, server);
    fail_allocation(0);
    ck_assert(code == 0 || code == PLX_OUT_OF_MEMORY);
    ck_assert_uint_eq(plx_group_count(old), code == 0 ? 0 : CLIENTS);
    ck_assert_uint_eq(plx_group_count(new), code == 0 ? CLIENTS : 0);
    for (int i = 0; i < CLIENTS; i++)
        raw_say(raws[i], "x");
    for (plx_socket *client = plx_server_next_active(server, NULL); client != NULL;
         client = plx_server_next_active(server, client)) {
        while (plx_socket_bytes_available(client) == 0)
            plx_group_poll(code == 0 ? new : old, 10);
        ck_assert_int_eq(plx_socket_read(client, &byte, 1), 1);
    }
    for (int i = 0; i < CLIENTS; i++)
        raw_expect(w, raws[i], "y");
    world_free_server(w, server);
    plx_group_free(old);
    plx_group_free(new);
    unsetenv("POLLUX_POLLER");
    world_end(w);
}

PLAIN_CASE(a_server_that_cannot_move)
{
    for (int number = 1; number < 8; number++) {
        move(number);
        move(-number);
    }
}

WORLD_MAIN("server-scarce", .packets = true)
