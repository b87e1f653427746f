/* tests/test-filter-clients.c -- the clients of a server that have filters: what `accepted` and
 * `disconnected` promise, how many may be establishing, and what the server may do meanwhile. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/greeting.h"
#include "tests/scarce.h"
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
    time_pass(limit - 1);
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
    ck_assert_int_eq(plx_server_set_option(hall->server, PLX_OPTION_CONNECT_TIMEOUT, 250), 0);
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 2);
    expect_timed_out(hall, 1, 250);
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
    time_pass(LIMIT);
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
    time_pass(LIMIT); /* the sixth fate */
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

/* ---- how many may be establishing ------------------------------------------------------------ */

SECTION("limits", .timeout = 240);

/* Greets the first `count` peers, and expects that they are connected. */
static void greet(struct hall *hall, const int *raws, int first, int count)
{
    for (int i = first; i < first + count; i++)
        raw_say(raws[i], "!");
    for (int i = first; i < first + count; i++)
        UNTIL(hall->world, hall->clients[i] != NULL && plx_socket_is_connected(hall->clients[i]));
}

static void expect_accepted(struct hall *hall, int count)
{
    UNTIL(hall->world, hall->accepted >= count);
    world_settle(hall->world);
    ck_assert_int_eq(hall->accepted, count);
}

/* While the maximum has `maximum` clients, `most` may be establishing. */
static void expect_rule(struct world *w, int maximum, int most)
{
    struct hall *hall = hall_open(w);
    int raws[12];

    plx_server_set_maximum_sockets_connected(hall->server, maximum);
    for (int i = 0; i < 12; i++)
        raws[i] = raw_connect(w, hall->where);
    expect_accepted(hall, most);
    for (int i = 0; i < maximum; i++) {
        greet(hall, raws, i, 1);
        expect_accepted(hall, i + 1 + most < maximum ? i + 1 + most : maximum);
    }
    ck_assert_uint_eq(plx_server_active_count(hall->server), (size_t)maximum);
    for (int i = 0; i < maximum; i++)
        hall_expect_echo(hall, i, raws[i]);
    raw_close(w, raws[0]);
    expect_accepted(hall, maximum + 1);
    world_free_server(w, hall->server);
    free(hall);
}

CASE(half_of_the_maximum)
{
    expect_rule(w, 1, 1);
    expect_rule(w, 2, 1);
    expect_rule(w, 3, 1);
    expect_rule(w, 4, 2);
    expect_rule(w, 7, 3);
}

CASE(no_maximum_no_half)
{
    struct hall *hall = hall_open(w);

    for (int i = 0; i < 40; i++)
        raw_connect(w, hall->where);
    expect_accepted(hall, 40);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 40);
    free(hall);
}

/* Each way in which a client may stop establishing makes room for another one. */
CASE(each_end_makes_room)
{
    struct hall *hall = hall_open(w);
    int raws[10];

    time_stop();
    plx_server_set_maximum_sockets_connected(hall->server, 2);
    for (int i = 0; i < 10; i++)
        raws[i] = raw_connect(w, hall->where);
    expect_accepted(hall, 1);
    raw_say(raws[0], "?");
    expect_accepted(hall, 2);
    raw_close(w, raws[1]);
    expect_accepted(hall, 3);
    plx_socket_close(hall->clients[2]);
    expect_accepted(hall, 4);
    plx_socket_abort(hall->clients[3]);
    expect_accepted(hall, 5);
    plx_socket_free(hall->clients[4]);
    expect_accepted(hall, 6);
    world_keep(w, plx_server_take(hall->server, hall->clients[5]));
    expect_accepted(hall, 7);
    plx_socket_disconnect(hall->clients[6]);
    expect_accepted(hall, 8);
    time_pass(LIMIT);
    expect_accepted(hall, 9);
    greet(hall, raws, 8, 1);
    expect_accepted(hall, 10);
    time_run();
    free(hall);
}

CASE(maximum_changed_while_some_establish)
{
    struct hall *hall = hall_open(w);
    int raws[20];

    plx_server_set_maximum_sockets_connected(hall->server, 8);
    for (int i = 0; i < 20; i++)
        raws[i] = raw_connect(w, hall->where);
    expect_accepted(hall, 4);
    plx_server_set_maximum_sockets_connected(hall->server, 12);
    expect_accepted(hall, 6);
    plx_server_set_maximum_sockets_connected(hall->server, 4); /* those that are there stay */
    world_settle(w);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 6);
    greet(hall, raws, 0, 2);
    expect_accepted(hall, 6);
    raw_close(w, raws[0]);
    raw_close(w, raws[1]);
    expect_accepted(hall, 6); /* 4 clients, all establishing */
    greet(hall, raws, 2, 3);
    expect_accepted(hall, 6);
    raw_close(w, raws[2]);
    expect_accepted(hall, 7); /* 4 again, 2 of them are establishing */
    plx_server_set_maximum_sockets_connected(hall->server, 0);
    expect_accepted(hall, 20);
    plx_server_set_maximum_sockets_connected(hall->server, 1);
    greet(hall, raws, 5, 15);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 17);
    free(hall);
}

/* Frames in which nothing arrives run no step, and leave no work. */
CASE(idle_frames_run_no_step)
{
    struct hall *hall = hall_open(w);
    int before;

    time_stop();
    plx_server_set_maximum_sockets_connected(hall->server, 20);
    for (int i = 0; i < 30; i++)
        raw_connect(w, hall->where);
    expect_accepted(hall, 10);
    before = greeting_steps;
    for (int frame = 0; frame < 500; frame++) {
        bool more = world_poll(w);

        ck_assert_msg(!more || w->group == NULL, "%s: work is left", world_name(w));
    }
    if (w->mode != MODE_LONE)
        ck_assert_int_eq(greeting_steps, before);
    ck_assert_int_eq(hall->accepted, 10);
    if (w->group != NULL)
        ck_assert_int_gt(plx_group_deadline(w->group), 0);
    time_run();
    free(hall);
}

static void allow_descriptors(int count)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < (rlim_t)count)
        limit.rlim_cur = (rlim_t)count;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int plain_connect(const struct world *w, const char *where)
{
    struct raw raw = {.kind = w->kind, .descriptor = -1};

    ck_assert_msg(w->kind->connect(&raw, where), "%s: %s", where, strerror(errno));
    return raw.descriptor;
}

/* Lets everybody work once, and then frames pass until no idle buffer is left. */
static void work_and_rest(struct hall *hall, const int *raws, int count)
{
    for (int i = 0; i < count; i++)
        hall_expect_echo(hall, i, raws[i]);
    for (int frame = 0; frame < 100; frame++)
        world_poll(hall->world);
}

/* A thousand peers never greet, and good ones wait behind them, at a server with a maximum of
 * 100. */
CASE(a_thousand_that_never_finish)
{
    enum { SILENT = 1000, GOOD = 30, MAXIMUM = 100 };
    struct hall *hall = hall_open(w);
    static int silent[SILENT];
    int early[GOOD], late[GOOD], descriptors, rounds = 0;
    int count = under_valgrind() ? 200 : SILENT;
    size_t blocks, bytes;

    allow_descriptors(2 * SILENT);
    time_stop();
    plx_server_set_maximum_sockets_connected(hall->server, MAXIMUM);
    for (int i = 0; i < GOOD; i++)
        early[i] = raw_connect(w, hall->where);
    expect_accepted(hall, GOOD);
    greet(hall, early, 0, GOOD);
    work_and_rest(hall, early, GOOD);
    descriptors = count_descriptors();
    blocks = count_blocks();
    bytes = count_bytes();
    for (int i = 0; i < count; i++)
        silent[i] = plain_connect(w, hall->where);
    expect_accepted(hall, GOOD + MAXIMUM / 2);
    for (int i = 0; i < GOOD; i++)
        late[i] = plain_connect(w, hall->where);
    world_settle(w);
    ck_assert_int_eq(hall->accepted, GOOD + MAXIMUM / 2);
    ck_assert_uint_eq(plx_server_active_count(hall->server), GOOD + MAXIMUM / 2);
    for (int i = 0; i < GOOD; i++) {
        hall_expect_echo(hall, i, early[i]); /* those inside are served meanwhile */
        ck_assert_int_eq((int)write(late[i], "!", 1), 1);
    }
    /* Half of the maximum each ten seconds: then the good ones have their turn. */
    for (; hall->accepted < GOOD + count + GOOD; rounds++) {
        int before = hall->accepted;

        ck_assert_int_le(rounds, count / (MAXIMUM / 2));
        time_pass(LIMIT);
        UNTIL(w, hall->accepted >= before + MAXIMUM / 2 || hall->accepted == GOOD + count + GOOD);
        world_settle(w);
        ck_assert_uint_le(plx_server_active_count(hall->server), GOOD + MAXIMUM / 2 + GOOD);
    }
    for (int i = 0; i < GOOD; i++)
        UNTIL(w, plx_socket_is_connected(hall->clients[GOOD + count + i]));
    ck_assert_int_eq(greeting_begins, GOOD + count + GOOD);
    for (int i = 0; i < count; i++)
        close(silent[i]);
    for (int i = 0; i < GOOD; i++)
        close(late[i]);
    time_pass(LIMIT);
    UNTIL(w, plx_server_active_count(hall->server) == GOOD);
    work_and_rest(hall, early, GOOD);
    ck_assert_int_eq(count_descriptors(), descriptors);
    ck_assert_uint_le(count_blocks(), blocks);
    ck_assert_uint_le(count_bytes(), bytes + 16384); /* the group's tables may have grown */
    if (w->kind->resets && w->mode == MODE_EPOLL)
        fprintf(stderr,
                "%d silent peers: %d rounds of %d s, memory %zu -> %zu bytes in %zu -> %zu "
                "blocks\n",
                count, rounds, LIMIT / 1000, bytes, count_bytes(), blocks, count_blocks());
    for (int i = 0; i < GOOD; i++)
        hall_expect_echo(hall, i, early[i]);
    hall_expect_service(hall);
    time_run();
    free(hall);
}

/* Silent ones among good ones: while slots are free, good ones establish at once. */
CASE(good_ones_pass_while_slots_are_free)
{
    struct hall *hall = hall_open(w);

    plx_server_set_maximum_sockets_connected(hall->server, 20);
    for (int i = 0; i < 9; i++)
        raw_connect(w, hall->where);
    expect_accepted(hall, 9);
    for (int i = 0; i < 11; i++)
        hall_expect_service(hall);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 20);
    free(hall);
}

/* ---- life with clients that are establishing ------------------------------------------------- */

SECTION("life");

/* A hall of `count` clients that are establishing, whose raw peers are in `ret_raws`. */
static struct hall *open_busy_hall(struct world *w, int count, int *ret_raws)
{
    struct hall *hall = hall_open(w);

    for (int i = 0; i < count; i++)
        ret_raws[i] = raw_connect(w, hall->where);
    expect_accepted(hall, count);
    return hall;
}

CASE(the_active_ones)
{
    int raws[6], found = 0;
    struct hall *hall = open_busy_hall(w, 6, raws);

    greet(hall, raws, 0, 3);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 6);
    for (plx_socket *client = plx_server_next_active(hall->server, NULL); client != NULL;
         client = plx_server_next_active(hall->server, client))
        found++;
    ck_assert_int_eq(found, 6);
    raw_say(raws[4], "?");
    UNTIL(w, plx_server_active_count(hall->server) == 5);
    found = 0;
    for (plx_socket *client = plx_server_next_active(hall->server, NULL); client != NULL;
         client = plx_server_next_active(hall->server, client))
        found += client != hall->clients[4];
    ck_assert_int_eq(found, 5);
    free(hall);
}

CASE(a_server_that_moves)
{
    int raws[4];
    struct hall *hall = open_busy_hall(w, 4, raws);
    plx_group *group = plx_group_new(), *next = plx_group_new();

    time_stop();
    ck_assert_int_eq(plx_group_add_server(group, hall->server), 0);
    raw_say(raws[0], "!");
    for (int i = 0; !plx_socket_is_connected(hall->clients[0]); i++) {
        ck_assert_int_lt(i, ROUNDS);
        plx_group_poll(group, 1);
    }
    ck_assert_int_eq(plx_group_add_server(next, hall->server), 0);
    plx_group_free(group);
    raw_say(raws[1], "!");
    raw_say(raws[2], "?");
    for (int i = 0;
         !plx_socket_is_connected(hall->clients[1]) || hall->logs[2].count[EVENT_DISCONNECTED] == 0;
         i++) {
        ck_assert_int_lt(i, ROUNDS);
        plx_group_poll(next, 1);
    }
    plx_group_remove_server(next, hall->server);
    if (w->group != NULL)
        ck_assert_int_eq(plx_group_add_server(w->group, hall->server), 0);
    plx_group_free(next);
    world_settle(w);
    LOGGED(w, &hall->logs[3], "state:CONNECTING");
    time_pass(LIMIT); /* the limit goes with the client */
    UNTIL(w, hall->logs[3].count[EVENT_DISCONNECTED] == 1);
    hall_expect_echo(hall, 1, raws[1]);
    hall_expect_service(hall);
    time_run();
    free(hall);
}

CASE(listening_again)
{
    int raws[3];
    struct hall *hall = open_busy_hall(w, 3, raws);
    char where[WHERE_SIZE];

    time_stop();
    plx_server_set_maximum_sockets_connected(hall->server, 6);
    plx_server_stop_listening(hall->server);
    world_settle(w);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 3);
    greet(hall, raws, 0, 1); /* clients live on, and go on establishing */
    raw_say(raws[1], "?");
    UNTIL(w, hall->logs[1].count[EVENT_DISCONNECTED] == 1);
    memcpy(where, hall->where, sizeof where);
    world_serve(w, hall->server, hall->where);
    for (int i = 0; i < 5; i++)
        raw_connect(w, hall->where);
    expect_accepted(hall, 5); /* the third client counts among the three that may establish */
    raw_say(raws[2], "!");
    UNTIL(w, plx_socket_is_connected(hall->clients[2]));
    expect_accepted(hall, 6);
    time_run();
    free(hall);
}

CASE(a_server_that_is_freed)
{
    int raws[5];
    struct hall *hall = open_busy_hall(w, 5, raws);

    greet(hall, raws, 0, 2);
    world_free_server(w, hall->server);
    for (int i = 0; i < 5; i++) {
        raw_expect_end(w, raws[i]);
        ck_assert_int_eq(hall->logs[i].count[EVENT_DISCONNECTED], 0);
    }
    ck_assert_int_eq(greeting_forgotten, 5);
    free(hall);
}

/* ---- without descriptors --------------------------------------------------------------------- */

CASE(no_descriptors_while_some_establish)
{
    int raws[6];
    struct hall *hall = open_busy_hall(w, 4, raws);

    if (under_valgrind()) {
        free(hall);
        return; /* valgrind has its own limit of descriptors */
    }
    time_stop();
    for (int i = 4; i < 6; i++)
        raws[i] = raw_connect(w, hall->where);
    take_descriptors();
    for (int i = 0; i < 5; i++) {
        world_poll(w);
        time_pass(100);
    }
    ck_assert_int_eq(hall->errors, 1);
    ck_assert_int_eq(hall->code, PLX_OPEN_DRIVER);
    greet(hall, raws, 0, 1); /* establishing needs no descriptor */
    ck_assert_int_eq(hall->accepted, 4);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 4);
    raw_say(raws[1], "?"); /* its descriptor is another one's */
    UNTIL(w, (time_pass(100), hall->accepted == 5));
    give_descriptors();
    UNTIL(w, (time_pass(100), hall->accepted == 6));
    greet(hall, raws, 5, 1);
    time_pass(LIMIT);
    UNTIL(w, plx_server_active_count(hall->server) == 2);
    time_run();
    free(hall);
}

WORLD_MAIN("filter-clients", .timeout = 90)
