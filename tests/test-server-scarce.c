/* tests/test-server-scarce.c -- a server where memory or descriptors run out: it says so once, turns
 * nobody away and recovers by itself. */
#include "config.h"

#include "tests/world.h"

/* ---- memory ---------------------------------------------------------------------------------- */

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

/* ---- the suite ------------------------------------------------------------------------------- */

int main(void)
{
    Suite *suite = suite_create("server-scarce");
    TCase *memory = tcase_create("memory");

    tcase_set_timeout(memory, 60);
    ADD_CASE(memory, a_client_that_finds_no_memory);
    ADD_CASE(memory, a_client_that_waits_while_the_server_stops);
    ADD_MODE_CASE(memory, a_client_that_is_turned_away);
    suite_add_tcase(suite, memory);
    return world_run(suite);
}
