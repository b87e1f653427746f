/* tests/test-filter-clients.c -- the clients of a server that have filters: what `accepted` and
 * `disconnected` promise. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/greeting.h"
#include "tests/world.h"

#define ENTERED "state:CONNECTING state:CONNECTED connected[CONNECTED]"
#define ENDED "disconnected[UNCONNECTED]"
#define UNGREETED "state:UNCONNECTED error(71,29)[UNCONNECTED]"

enum { LIMIT = 10000 }; /* ms to establish in */

/* ---- accepted and disconnected --------------------------------------------------------------- */

SECTION("accepted");

static void expect_connecting(struct record *record, plx_socket *client)
{
    struct hall *hall = record->data;
    plx_address remote;

    ck_assert_int_eq(plx_socket_state(client), PLX_CONNECTING);
    ck_assert(!plx_socket_is_connected(client));
    ck_assert_ptr_eq(plx_server_next_active(hall->server, NULL), client);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 1);
    if (strcmp(hall->world->kind->name, "tcp") == 0) {
        ck_assert(plx_socket_remote(client, &remote));
        ck_assert_str_eq(plx_socket_remote_address(client), "127.0.0.1");
        ck_assert_int_gt(plx_socket_remote_port(client), 0);
    }
    ck_assert_int_eq(plx_socket_set_option(client, PLX_OPTION_READ_LIMIT, 5), 0);
    ck_assert_int_eq(plx_socket_write(client, "welcome", 7), 7);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(client), 7);
}

CASE(a_client_in_accepted)
{
    struct hall *hall = hall_open(w);
    int raw;
    char byte;

    hall->act = expect_connecting;
    raw = raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1);
    world_settle(w);
    LOGGED(w, &hall->logs[0], "state:CONNECTING");
    ck_assert_int_eq(raw_take(raw, &byte, 1), RAW_NOTHING); /* nothing leaves before */
    raw_say(raw, "!0123456");
    raw_expect(w, raw, "welcome");
    LOGGED(w, &hall->logs[0],
           ENTERED " data_available[CONNECTED] send_progress(7,0)[CONNECTED] "
                   "send_complete(false)[CONNECTED]");
    ck_assert_uint_eq(plx_socket_bytes_available(hall->clients[0]), 5); /* the limit holds */
    free(hall);
}

/* What arrives with the greeting, and the end behind it, are the program's. */
CASE(a_greeting_with_bytes_and_the_end)
{
    struct hall *hall = hall_open(w);
    int raw = raw_connect(w, hall->where);

    raw_say(raw, "!early");
    raw_close(w, raw);
    UNTIL(w, hall->accepted == 1 && hall->logs[0].count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, &hall->logs[0],
           ENTERED
           " data_available[CONNECTED] state:UNCONNECTED error(102,11)[UNCONNECTED] " ENDED);
    free(hall);
}

static void refuse_by_free(struct record *record, plx_socket *client)
{
    (void)record;
    plx_socket_free(client);
}

static void refuse_by_close(struct record *record, plx_socket *client)
{
    (void)record;
    plx_socket_close(client);
}

static void refuse_by_abort(struct record *record, plx_socket *client)
{
    (void)record;
    plx_socket_abort(client);
}

/* These three are silent, as they are for each connection. */
CASE(refusals_in_accepted)
{
    record_act *const acts[] = {refuse_by_free, refuse_by_close, refuse_by_abort};
    struct hall *hall = hall_open(w);

    plx_server_set_maximum_sockets_connected(hall->server, 2);
    for (int i = 0; i < 3; i++) {
        int raw = raw_connect(w, hall->where);
        char byte;

        hall->act = acts[i];
        UNTIL(w, raw_take(raw, &byte, 1) != RAW_NOTHING);
        world_settle(w);
        ck_assert_int_eq(hall->accepted, i + 1);
        LOGGED(w, &hall->logs[i], "");
        ck_assert_uint_eq(plx_server_active_count(hall->server), 0);
        ck_assert_int_eq(greeting_forgotten, i + 1);
    }
    hall->act = NULL;
    ck_assert_int_eq(greeting_steps, 0);
    hall_expect_service(hall);
    free(hall);
}

static void disconnect_client(struct record *record, plx_socket *client)
{
    (void)record;
    ck_assert_int_eq(plx_socket_disconnect(client), 0);
}

/* disconnect is not silent for a client that was reported: in `accepted` and later. */
CASE(disconnect_while_establishing)
{
    struct hall *hall = hall_open(w);
    int raw;

    hall->act = disconnect_client;
    raw_expect_end(w, raw_connect(w, hall->where));
    UNTIL(w, hall->logs[0].count[EVENT_DISCONNECTED] == 1);
    hall->act = NULL;
    raw = raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 2);
    world_settle(w);
    ck_assert_int_eq(plx_socket_disconnect(hall->clients[1]), 0);
    UNTIL(w, hall->logs[1].count[EVENT_DISCONNECTED] == 1);
    world_settle(w);
    raw_expect_end(w, raw);
    LOGGED(w, &hall->logs[0], ENDED);
    LOGGED(w, &hall->logs[1], "state:CONNECTING " ENDED);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 0);
    free(hall);
}

static void say_goodbye(struct record *record, plx_socket *client)
{
    (void)record;
    ck_assert_int_eq(plx_socket_write(client, "full", 4), 4);
    ck_assert_int_eq(plx_socket_disconnect(client), 0);
}

/* With bytes queued the connection works first, and the bytes leave. */
CASE(disconnect_with_bytes_while_establishing)
{
    struct hall *hall = hall_open(w);
    int raw, bad;

    hall->act = say_goodbye;
    raw = raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1);
    world_settle(w);
    LOGGED(w, &hall->logs[0], "state:CONNECTING");
    raw_say(raw, "!");
    raw_expect(w, raw, "full");
    raw_expect_end(w, raw);
    raw_close(w, raw);
    UNTIL(w, hall->logs[0].count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, &hall->logs[0],
           ENTERED " state:CLOSING send_progress(4,0)[CLOSING] send_complete(false)[CLOSING] "
                   "state:UNCONNECTED " ENDED);
    bad = raw_connect(w, hall->where);
    raw_say(bad, "?");
    UNTIL(w, hall->accepted == 2 && hall->logs[1].count[EVENT_DISCONNECTED] == 1);
    raw_expect_end(w, bad);
    free(hall);
}

CASE(establishing_that_fails)
{
    struct hall *hall = hall_open(w);
    int raw = raw_connect(w, hall->where);

    UNTIL(w, hall->accepted == 1);
    world_settle(w);
    raw_say(raw, "?");
    UNTIL(w, hall->logs[0].count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    LOGGED(w, &hall->logs[0], "state:CONNECTING " UNGREETED " " ENDED);
    ck_assert_str_eq(hall->logs[0].message, "greeting: not greeted");
    ck_assert_uint_eq(plx_server_active_count(hall->server), 0);
    ck_assert_int_eq(greeting_forgotten, 1);
    ck_assert_int_eq(hall->errors, 0); /* a client's error is not the server's */
    raw_expect_end(w, raw);
    /* The peer has ended before its client is made. */
    raw = raw_connect(w, hall->where);
    raw_close(w, raw);
    UNTIL(w, hall->accepted == 2 && hall->logs[1].count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, &hall->logs[1],
           "state:CONNECTING state:UNCONNECTED error(102,11)[UNCONNECTED] " ENDED);
    raw = raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 3);
    raw_reset(w, raw);
    UNTIL(w, hall->logs[2].count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(hall->logs[2].count[EVENT_ERROR], 1);
    ck_assert_int_eq(hall->logs[2].count[EVENT_CONNECTED], 0);
    hall_expect_service(hall);
    free(hall);
}

/* Expects that the time of a client is over `limit` milliseconds from now, and not before. */
static void expect_timed_out(struct hall *hall, int client, int limit)
{
    struct world *w = hall->world;

    world_settle(w);
    world_run(w, limit - 1);
    world_settle(w);
    LOGGED(w, &hall->logs[client], "state:CONNECTING");
    time_pass(1);
    UNTIL(w, hall->logs[client].count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    ck_assert_int_eq(hall->logs[client].count[EVENT_DISCONNECTED], 1);
    ck_assert_int_eq(hall->logs[client].count[EVENT_CONNECTED], 0);
    ck_assert_int_eq(hall->logs[client].code, ETIMEDOUT);
    ck_assert_int_eq(hall->logs[client].reason, PLX_REASON_SOCKET_TIMEOUT);
    ck_assert_msg(strstr(hall->logs[client].message, "greeting") != NULL, "%s",
                  hall->logs[client].message);
}

CASE(establishing_that_takes_too_long)
{
    struct hall *hall = hall_open(w);
    int raw;

    time_stop();
    raw = raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1);
    expect_timed_out(hall, 0, LIMIT);
    raw_expect_end(w, raw);
    ck_assert_int_eq(plx_server_set_option(hall->server, PLX_OPTION_CONNECT_TIMEOUT, 240), 0);
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 2);
    expect_timed_out(hall, 1, 240);
    ck_assert_int_eq(plx_server_set_option(hall->server, PLX_OPTION_CONNECT_TIMEOUT, 25000), 0);
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 3);
    expect_timed_out(hall, 2, 25000);
    /* 0 is no limit. */
    ck_assert_int_eq(plx_server_set_option(hall->server, PLX_OPTION_CONNECT_TIMEOUT, 0), 0);
    raw = raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 4);
    world_settle(w);
    for (int hour = 0; hour < 24; hour++) {
        time_pass(3600 * 1000);
        world_settle(w);
    }
    LOGGED(w, &hall->logs[3], "state:CONNECTING");
    raw_say(raw, "!");
    UNTIL(w, plx_socket_is_connected(hall->clients[3]));
    time_run();
    free(hall);
}

/* An established client has no such limit any more. */
CASE(established_in_time)
{
    struct hall *hall = hall_open(w);
    int raw;

    time_stop();
    raw = raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1);
    world_settle(w);
    time_pass(LIMIT - 1);
    raw_say(raw, "!");
    UNTIL(w, plx_socket_is_connected(hall->clients[0]));
    time_pass(100 * LIMIT);
    world_settle(w);
    LOGGED(w, &hall->logs[0], ENTERED);
    hall_expect_echo(hall, 0, raw);
    time_run();
    free(hall);
}

CASE(clients_that_are_taken)
{
    struct hall *hall = hall_open(w);
    int raws[4];

    time_stop();
    for (int i = 0; i < 4; i++)
        raws[i] = raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 4);
    world_settle(w);
    for (int i = 0; i < 4; i++) {
        ck_assert_ptr_eq(plx_server_take(hall->server, hall->clients[i]), hall->clients[i]);
        world_keep(w, hall->clients[i]);
    }
    ck_assert_uint_eq(plx_server_active_count(hall->server), 0);
    raw_say(raws[0], "!");
    raw_say(raws[1], "?");
    raw_close(w, raws[2]);
    UNTIL(w, plx_socket_is_connected(hall->clients[0]));
    UNTIL(w, hall->logs[1].count[EVENT_DISCONNECTED] > 0);
    UNTIL(w, hall->logs[2].count[EVENT_DISCONNECTED] > 0);
    world_run(w, LIMIT);
    UNTIL(w, hall->logs[3].count[EVENT_DISCONNECTED] > 0);
    hall_expect_echo(hall, 0, raws[0]);
    plx_socket_disconnect(hall->clients[0]);
    raw_expect_end(w, raws[0]);
    raw_close(w, raws[0]);
    UNTIL(w, hall->logs[0].count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(hall->logs[i].count[EVENT_DISCONNECTED], 1);
        ck_assert_int_eq(hall->logs[i].count[EVENT_CONNECTED], i == 0);
    }
    time_run();
    free(hall);
}

static void take_client(struct record *record, plx_socket *client)
{
    struct hall *hall = record->data;

    world_keep(hall->world, plx_server_take(hall->server, client));
}

CASE(a_client_that_is_taken_in_accepted)
{
    struct hall *hall = hall_open(w);
    int raw;

    plx_server_set_maximum_sockets_connected(hall->server, 1);
    hall->act = take_client;
    raw = raw_connect(w, hall->where);
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 2); /* the first one takes no room */
    raw_say(raw, "?");
    UNTIL(w, hall->logs[0].count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, &hall->logs[0], "state:CONNECTING " UNGREETED " " ENDED);
    free(hall);
}

/* Without `accepted` no program knows the client: a failure is only an error, as of a connect. */
CASE(clients_that_were_not_reported)
{
    static const plx_server_events none = {.error = NULL};
    struct hall *hall = hall_open(w);
    struct record log = {.when = EVENT_NEVER};
    int raw;

    plx_server_set_events(hall->server, &none, hall);
    plx_server_set_client_events(hall->server, &record_events, &log);
    raw = raw_connect(w, hall->where);
    raw_say(raw, "?");
    raw_expect_end(w, raw);
    world_settle(w);
    LOGGED(w, &log, "state:CONNECTING " UNGREETED);
    record_clear(&log);
    raw = raw_connect(w, hall->where);
    raw_say(raw, "!");
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    raw_close(w, raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    world_settle(w);
    LOGGED(w, &log, ENTERED " state:UNCONNECTED error(102,11)[UNCONNECTED] " ENDED);
    record_clear(&log);
    raw = raw_connect(w, hall->where);
    UNTIL(w, plx_server_active_count(hall->server) == 1);
    world_settle(w);
    plx_socket_disconnect(plx_server_next_active(hall->server, NULL));
    raw_expect_end(w, raw);
    world_settle(w);
    LOGGED(w, &log, "state:CONNECTING");
    free(hall);
}

/* ---- programs that keep something for each client -------------------------------------------- */

static int kept;

static void keeper_disconnected(plx_socket *client, void *user)
{
    ck_assert_ptr_eq(user, plx_socket_user(client));
    ck_assert_int_gt(kept, 0);
    kept--;
    free(user);
}

static void keeper_accepted(plx_server *server, plx_socket *client, void *user)
{
    static const plx_events events = {.disconnected = keeper_disconnected};

    (void)server;
    kept++;
    plx_socket_set_events(client, &events, malloc(64));
    ++*(int *)user;
}

/* One client for each fate: whatever happens to it, what `accepted` made `disconnected` frees. */
CASE(nothing_kept_for_a_client_leaks)
{
    static const plx_server_events events = {.accepted = keeper_accepted};
    enum { EACH = 8, FATES = 6 };
    plx_server *server = world_server(w);
    int accepted = 0, raws[EACH * FATES];
    char where[WHERE_SIZE];

    time_stop();
    ck_assert_int_eq(plx_server_add_filter(server, greeting_equip, NULL, NULL), 0);
    plx_server_set_events(server, &events, &accepted);
    world_serve(w, server, where);
    for (int i = 0; i < EACH * FATES; i++)
        raws[i] = raw_connect(w, where);
    UNTIL(w, accepted == EACH * FATES);
    world_settle(w);
    ck_assert_int_eq(kept, EACH * FATES);
    for (int i = 0; i < EACH * FATES; i++) {
        if (i % FATES <= 1)
            raw_say(raws[i], "!");
        if (i % FATES == 2)
            raw_say(raws[i], "?");
        if (i % FATES == 3)
            raw_close(w, raws[i]);
        if (i % FATES == 4)
            raw_reset(w, raws[i]);
    }
    UNTIL(w, kept == 3 * EACH);
    world_run(w, LIMIT); /* the sixth fate */
    UNTIL(w, kept == 2 * EACH);
    for (int i = 0; i < EACH * FATES; i++)
        if (i % FATES == 0)
            raw_close(w, raws[i]);
    UNTIL(w, kept == EACH);
    for (plx_socket *client = plx_server_next_active(server, NULL), *next; client != NULL;
         client = next) {
        next = plx_server_next_active(server, client);
        plx_socket_disconnect(client);
    }
    for (int i = 0; i < EACH * FATES; i++)
        if (i % FATES == 1)
            raw_close(w, raws[i]);
    UNTIL(w, kept == 0);
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    /* A server that is going down asks its clients to leave: those that establish leave, too. */
    for (int i = 0; i < EACH; i++)
        raw_connect(w, where);
    UNTIL(w, kept == EACH);
    for (plx_socket *client = plx_server_next_active(server, NULL), *next; client != NULL;
         client = next) {
        next = plx_server_next_active(server, client);
        plx_socket_disconnect(client);
    }
    UNTIL(w, kept == 0);
    time_run();
}

WORLD_MAIN("filter-clients", .timeout = 90)
