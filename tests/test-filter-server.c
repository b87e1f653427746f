/* tests/test-filter-server.c -- the filters of a server: what adding one takes, which sockets bring
 * filters of their own, and when `release` is called. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/greeting.h"
#include "tests/world.h"

/* ---- without memory -------------------------------------------------------------------------- */

SECTION("memory");

/* Each allocation on the way to a client with filters fails once, and all of them at once. */
static void accept_later(struct world *w, int number)
{
    struct hall *hall = hall_open(w);
    int raw;
    char byte;

    ck_assert_int_eq(plx_server_add_filter(hall->server, greeting_equip, NULL, NULL), 0);
    raw = raw_connect(w, hall->where);
    if (number < 0)
        raw_say(raw, "!!");
    time_stop();
    fail_allocation(number);
    for (int i = 0; i < 5; i++) {
        world_settle(w);
        time_pass(100);
    }
    ck_assert_int_le(hall->errors, 1);
    if (hall->errors > 0)
        ck_assert_int_eq(hall->code, PLX_OUT_OF_MEMORY);
    if (number < 0)
        ck_assert_int_eq(hall->accepted, 0);
    ck_assert_int_eq(raw_take(raw, &byte, 1), RAW_NOTHING);
    fail_allocation(0);
    UNTIL(w, (time_pass(100), hall->accepted == 1));
    time_run();
    if (number > 0)
        raw_say(raw, "!!");
    UNTIL(w, plx_socket_is_connected(hall->clients[0]));
    hall_expect_echo(hall, 0, raw);
    world_free_server(w, hall->server);
    free(hall);
}

CASE(a_client_with_filters_that_finds_no_memory)
{
    for (int number = 1; number < 8; number++)
        accept_later(w, number);
    accept_later(w, -1);
}

static int released;
static char release_trace[32];

static void note_release(void *user)
{
    ck_assert_uint_lt((size_t)released + 1, sizeof release_trace);
    release_trace[released++] = *(const char *)user;
}

CASE(add_filter_without_memory)
{
    struct hall *hall = hall_open_plain(w);

    fail_allocation(-1);
    ck_assert_int_eq(plx_server_add_filter(hall->server, greeting_equip, note_release, "x"),
                     PLX_OUT_OF_MEMORY);
    fail_allocation(0);
    world_settle(w);
    ck_assert_int_eq(hall->errors, 1);
    ck_assert_int_eq(hall->code, PLX_OUT_OF_MEMORY);
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1 && plx_socket_is_connected(hall->clients[0]));
    world_free_server(w, hall->server);
    ck_assert_int_eq(released, 0);
    free(hall);
}

/* ---- arguments, add_socket and release ------------------------------------------------------- */

SECTION("arguments");

CASE(add_filter_without_arguments)
{
    struct hall *hall = hall_open_plain(w);
    plx_server *packets = plx_server_new(plx_seqpacket_new);

    ck_assert_int_eq(plx_server_add_filter(NULL, greeting_equip, note_release, "x"),
                     PLX_INVALID_STATE);
    ck_assert_int_eq(plx_server_add_filter(hall->server, NULL, note_release, "x"),
                     PLX_INVALID_STATE);
    world_settle(w);
    ck_assert_int_eq(hall->errors, 1);
    ck_assert_int_eq(hall->code, PLX_INVALID_STATE);
    /* Packets have no filters. */
    ck_assert_int_eq(plx_server_add_filter(packets, greeting_equip, note_release, "x"),
                     PLX_INVALID_STATE);
    ck_assert_int_eq(plx_server_error(packets)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
    plx_server_free(packets);
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1 && plx_socket_is_connected(hall->clients[0]));
    world_free_server(w, hall->server);
    ck_assert_int_eq(released, 0);
    free(hall);
}

static plx_socket *on_add_greeting(plx_server *server, void *user)
{
    struct hall *hall = user;
    plx_socket *socket = hall->code == 0 ? hall->world->kind->create() : NULL;

    (void)server;
    greeting_trace('+');
    if (socket != NULL)
        ck_assert_int_eq(greeting_push(socket, 'o'), 0);
    return socket;
}

/* A socket of add_socket may bring filters of its own, which are nearer the kernel. */
CASE(add_socket_and_equip)
{
    static const plx_server_events events = {.add_socket = on_add_greeting,
                                             .accepted = hall_accepted};
    struct hall *hall = hall_open_plain(w);
    int raw;

    plx_server_set_events(hall->server, &events, hall);
    ck_assert_int_eq(plx_server_add_filter(hall->server, greeting_equip_letter, NULL, "e"), 0);
    raw = raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1);
    raw_say(raw, "!!");
    UNTIL(w, plx_socket_is_connected(hall->clients[0]));
    ck_assert_str_eq(greeting_text, "+Eoe");
    hall_expect_echo(hall, 0, raw);
    hall->code = 1; /* from now on add_socket turns peers away: nobody to equip */
    raw = raw_connect(w, hall->where);
    raw_expect_end(w, raw);
    ck_assert_str_eq(greeting_text, "+Eoe+");
    free(hall);
}

static plx_socket *old_socket; /* NULL: forgotten */

static void forget_old(plx_filter *filter)
{
    (void)filter;
    if (old_socket != NULL) {
        plx_socket *socket = old_socket;

        old_socket = NULL;
        plx_socket_free(socket);
    }
}

static plx_socket *on_add_old(plx_server *server, void *user)
{
    (void)server;
    (void)user;
    return old_socket;
}

/* A filter of the last connection of a socket of add_socket may free the socket in its `forget`. */
MODE_CASE(add_socket_that_a_filter_frees)
{
    static const plx_filter_kind kind = {
        .size = sizeof(plx_filter_kind), .name = "old", .forget = forget_old};
    static const plx_server_events events = {.add_socket = on_add_old, .accepted = hall_accepted};
    struct hall *hall = hall_open_plain(w);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    old_socket = w->kind->create();
    ck_assert_int_eq(plx_socket_connect_to(old_socket, where), 0);
    raw_accept(w, listener);
    ck_assert(plx_socket_wait_for_connected(old_socket, -1));
    ck_assert_ptr_nonnull(plx_socket_push_filter(old_socket, &kind));
    plx_socket_close(old_socket);
    plx_server_set_events(hall->server, &events, hall);
    raw_expect_end(w, raw_connect(w, hall->where));
    ck_assert_ptr_null(old_socket);
    ck_assert_int_eq(hall->accepted, 0);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 0);
    free(hall);
}

static plx_socket *add_with_options(plx_server *server, void *user)
{
    struct hall *hall = user;
    plx_socket *socket = hall->world->kind->create();

    (void)server;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 300), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 200), 0);
    return socket;
}

/* The server's options replace those of a socket of add_socket, and no others. */
CASE(options_of_add_socket)
{
    static const plx_server_events events = {.add_socket = add_with_options,
                                             .accepted = hall_accepted};
    struct hall *hall = hall_open_plain(w);

    plx_server_set_events(hall->server, &events, hall);
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1);
    ck_assert_int_eq(plx_socket_option(hall->clients[0], PLX_OPTION_READ_LIMIT), 300);
    ck_assert_int_eq(plx_server_set_option(hall->server, PLX_OPTION_READ_LIMIT, 100), 0);
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 2);
    ck_assert_int_eq(plx_socket_option(hall->clients[1], PLX_OPTION_READ_LIMIT), 100);
    ck_assert_int_eq(plx_socket_option(hall->clients[1], PLX_OPTION_WRITE_LIMIT), 200);
    free(hall);
}

static const struct kind *kind_here;

static plx_socket *new_with_greeting(void)
{
    plx_socket *socket = kind_here->create();

    if (socket != NULL && greeting_push(socket, 'c') != 0)
        socket = plx_socket_free(socket);
    return socket;
}

/* A constructor may push filters, too: the listener has them, and does not use them. */
CASE(constructor_that_pushes)
{
    struct hall hall = {.world = w};
    plx_server *server;
    int raw;

    kind_here = w->kind;
    server = hall.server = plx_server_new(new_with_greeting);
    plx_server_set_events(server, &hall_events, &hall);
    ck_assert_int_eq(plx_server_add_filter(server, greeting_equip_letter, NULL, "e"), 0);
    if (w->group != NULL)
        ck_assert_int_eq(plx_group_add_server(w->group, server), 0);
    world_serve(w, server, hall.where);
    raw = raw_connect(w, hall.where);
    for (int i = 0; hall.accepted == 0; i++) {
        ck_assert_int_lt(i, ROUNDS);
        plx_server_poll(server);
        world_turn(w, i);
    }
    ck_assert_int_eq(plx_socket_state(hall.clients[0]), PLX_CONNECTING);
    raw_say(raw, "!!");
    for (int i = 0; !plx_socket_is_connected(hall.clients[0]); i++) {
        ck_assert_int_lt(i, ROUNDS);
        plx_server_poll(server);
        world_turn(w, i);
    }
    ck_assert_str_eq(greeting_text, "Ece");
    plx_server_free(server);
}

CASE(release_in_order_and_once)
{
    struct hall *hall = hall_open_plain(w);

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(plx_server_add_filter(hall->server, greeting_equip_letter,
                                               i == 1 ? NULL : note_release, &"abc"[i]),
                         0);
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1);
    plx_server_stop_listening(hall->server);
    world_settle(w);
    ck_assert_int_eq(released, 0);
    world_free_server(w, hall->server);
    ck_assert_str_eq(release_trace, "ac");
    ck_assert_int_eq(greeting_forgotten, 3);
    world_settle(w);
    ck_assert_int_eq(released, 2);
    free(hall);
}

static void free_its_server(struct record *record, plx_socket *client)
{
    struct hall *hall = record->data;

    (void)client;
    world_free_server(hall->world, hall->server);
}

/* The server is freed in `accepted`, in a client's handlers, and in its own `error`. */
CASE(release_when_freed_in_accepted)
{
    struct hall *hall = hall_open(w);
    int raw;

    ck_assert_int_eq(plx_server_add_filter(hall->server, greeting_equip, note_release, "a"), 0);
    ck_assert_int_eq(plx_server_add_filter(hall->server, greeting_equip, note_release, "b"), 0);
    hall->act = free_its_server;
    raw = raw_connect(w, hall->where);
    raw_expect_end(w, raw);
    ck_assert_str_eq(release_trace, "ab");
    ck_assert_int_eq(greeting_forgotten, 3);
    LOGGED(w, &hall->logs[0], "");
    free(hall);
}

static void free_in_event(struct world *w, enum event when, const char *says)
{
    struct hall *hall = hall_open(w);
    int raw;

    released = 0;
    ck_assert_int_eq(plx_server_add_filter(hall->server, greeting_equip, note_release, "a"), 0);
    raw = raw_connect(w, hall->where);
    raw_connect(w, hall->where); /* another one that is establishing */
    UNTIL(w, hall->accepted == 2);
    record_on(&hall->logs[0], when, free_its_server, hall);
    raw_say(raw, says);
    UNTIL(w, hall->logs[0].fired);
    raw_expect_end(w, raw);
    ck_assert_int_eq(released, 1);
    free(hall);
}

CASE(release_when_freed_in_a_client)
{
    time_stop(); /* so that no time-out helps */
    free_in_event(w, EVENT_CONNECTED, "!!");
    free_in_event(w, EVENT_STATE_CHANGED, "!!");
    free_in_event(w, EVENT_ERROR, "!?");
    free_in_event(w, EVENT_DISCONNECTED, "?");
    time_run();
}

static int equip_nobody(plx_socket *client, void *user)
{
    (void)client;
    (void)user;
    return EACCES;
}

static void on_error_free(plx_server *server, const plx_error *error, void *user)
{
    struct hall *hall = user;

    (void)server;
    ck_assert_int_eq(error->code, EACCES);
    hall->errors++;
    world_free_server(hall->world, hall->server);
}

CASE(release_when_freed_in_error)
{
    static const plx_server_events events = {.accepted = hall_accepted, .error = on_error_free};
    struct hall *hall = hall_open_plain(w);

    plx_server_set_events(hall->server, &events, hall);
    ck_assert_int_eq(plx_server_add_filter(hall->server, equip_nobody, note_release, "x"), 0);
    raw_expect_end(w, raw_connect(w, hall->where));
    UNTIL(w, hall->errors == 1);
    ck_assert_int_eq(released, 1);
    free(hall);
}

WORLD_MAIN("filter-server")
