/* tests/test-filter-equip.c -- what the `equip` of a server's filter may do. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/greeting.h"
#include "tests/world.h"

#define ENTERED "state:CONNECTING state:CONNECTED connected[CONNECTED]"

/* ---- equip ----------------------------------------------------------------------------------- */

SECTION("equip");

CASE(several_equips_in_order)
{
    struct hall *hall = hall_open_plain(w);
    int raw;

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(
            plx_server_add_filter(hall->server, greeting_equip_letter, NULL, &"abc"[i]), 0);
    raw = raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1);
    for (int i = 0; i < 3; i++) {
        world_settle(w);
        ck_assert_int_eq(greeting_begins, 3);
        ck_assert_int_eq(plx_socket_state(hall->clients[0]), PLX_CONNECTING);
        raw_say(raw, "!");
    }
    UNTIL(w, plx_socket_is_connected(hall->clients[0]));
    ck_assert_str_eq(greeting_text, "ABCabc");
    hall_expect_echo(hall, 0, raw);
    LOGGED(w, &hall->logs[0],
           ENTERED " data_available[CONNECTED] send_progress(4,0)[CONNECTED] "
                   "send_complete(false)[CONNECTED]");
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 2);
    world_settle(w);
    ck_assert_str_eq(greeting_text, "ABCabcABCabc");
    ck_assert_int_eq(hall->errors, 0);
    free(hall);
}

/* Only later clients get the filters that are added. */
CASE(clients_before_the_filter)
{
    struct hall *hall = hall_open_plain(w);
    int raw = raw_connect(w, hall->where);

    UNTIL(w, hall->accepted == 1);
    ck_assert_int_eq(plx_server_add_filter(hall->server, greeting_equip, NULL, NULL), 0);
    hall_expect_echo(hall, 0, raw);
    ck_assert_ptr_null(plx_socket_filter(hall->clients[0], &greeting_filter));
    hall_expect_service(hall);
    ck_assert_ptr_nonnull(plx_socket_filter(hall->clients[1], &greeting_filter));
    free(hall);
}

/* What equip does with its client, and the code that it returns. */
struct misuse {
    struct hall *hall;
    void (*act)(struct misuse *misuse, plx_socket *client);
    int code, calls;
    bool over; /* equip behaves */
};

static int equip_badly(plx_socket *client, void *user)
{
    struct misuse *misuse = user;

    misuse->calls++;
    if (misuse->over)
        return greeting_equip(client, NULL);
    if (misuse->act != NULL)
        misuse->act(misuse, client);
    return misuse->code;
}

static int equip_never(plx_socket *client, void *user)
{
    struct misuse *misuse = user;

    (void)client;
    ck_assert_msg(misuse->over, "equip called after one that has failed");
    return 0;
}

static struct misuse *open_misuse(struct hall *hall, struct misuse *misuse)
{
    misuse->hall = hall;
    ck_assert_int_eq(plx_server_add_filter(hall->server, equip_badly, NULL, misuse), 0);
    ck_assert_int_eq(plx_server_add_filter(hall->server, equip_never, NULL, misuse), 0);
    return misuse;
}

/* The peer is turned away, `error` reports the code, and the server goes on. */
static void expect_turned_away(struct hall *hall, struct misuse *misuse, int code)
{
    int raw = raw_connect(hall->world, hall->where);

    raw_expect_end(hall->world, raw);
    world_settle(hall->world);
    ck_assert_int_eq(hall->errors, 1);
    ck_assert_int_eq(hall->code, code);
    ck_assert_int_eq(plx_server_error(hall->server)->code, code);
    ck_assert_msg(strstr(hall->message, "filter") != NULL, "%s", hall->message);
    ck_assert_int_eq(misuse->calls, 1);
    ck_assert_int_eq(hall->accepted, 0);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 0);
    ck_assert(plx_server_is_listening(hall->server));
    misuse->over = true;
    hall_expect_service(hall);
    ck_assert_int_eq(hall->errors, 1);
    free(hall);
}

CASE(equip_that_refuses)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.code = EACCES};

    expect_turned_away(hall, open_misuse(hall, &misuse), EACCES);
}

CASE(equip_that_returns_a_negative_number)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.code = -EACCES};

    expect_turned_away(hall, open_misuse(hall, &misuse), PLX_INVALID_STATE);
}

/* A filter that was pushed before the refusal goes with the client. */
static void push_one(struct misuse *misuse, plx_socket *client)
{
    (void)misuse;
    ck_assert_int_eq(greeting_push(client, 'x'), 0);
}

CASE(equip_that_pushes_and_refuses)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.act = push_one, .code = EPERM};

    expect_turned_away(hall, open_misuse(hall, &misuse), EPERM);
    ck_assert_int_eq(greeting_forgotten, 1);
    ck_assert_str_eq(greeting_text, "");
}

static void connect_client(struct misuse *misuse, plx_socket *client)
{
    ck_assert_int_eq(plx_socket_connect_to(client, misuse->hall->where), 0);
}

/* The connection that equip begins ends with its client, so the server may see one peer more. */
CASE(equip_that_connects)
{
    struct hall *hall = hall_open_plain(w), *other = hall_open_plain(w);
    struct misuse misuse = {.act = connect_client};

    open_misuse(hall, &misuse);
    misuse.hall = other;
    expect_turned_away(hall, &misuse, PLX_INVALID_STATE);
    free(other);
}

static void listen_client(struct misuse *misuse, plx_socket *client)
{
    char place[WHERE_SIZE];

    world_place(misuse->hall->world, place);
    ck_assert_int_eq(plx_socket_listen_on(client, place), 0);
}

CASE(equip_that_listens)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.act = listen_client};

    expect_turned_away(hall, open_misuse(hall, &misuse), PLX_INVALID_STATE);
}

static void free_client(struct misuse *misuse, plx_socket *client)
{
    (void)misuse;
    plx_socket_free(client);
}

/* A client that equip frees is one that it refuses. */
CASE(equip_that_frees_the_client)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.act = free_client};

    expect_turned_away(hall, open_misuse(hall, &misuse), PLX_INVALID_STATE);
}

CASE(equip_that_frees_the_client_and_refuses)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.act = free_client, .code = EACCES};

    expect_turned_away(hall, open_misuse(hall, &misuse), EACCES);
}

static void close_client(struct misuse *misuse, plx_socket *client)
{
    (void)misuse;
    plx_socket_close(client);
    plx_socket_abort(client);
    ck_assert_int_eq(plx_socket_disconnect(client), PLX_INVALID_STATE);
}

/* These calls do nothing to a socket that is not connected, so the client is accepted. */
CASE(equip_that_closes_the_client)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.hall = hall, .act = close_client};

    ck_assert_int_eq(plx_server_add_filter(hall->server, equip_badly, NULL, &misuse), 0);
    ck_assert_int_eq(plx_server_add_filter(hall->server, greeting_equip, NULL, NULL), 0);
    raw_say(raw_connect(w, hall->where), "!");
    UNTIL(w, hall->accepted == 1 && plx_socket_is_connected(hall->clients[0]));
    world_settle(w);
    LOGGED(w, &hall->logs[0], ENTERED);
    ck_assert_int_eq(hall->errors, 0);
    free(hall);
}

static void free_server(struct misuse *misuse, plx_socket *client)
{
    (void)client;
    world_free_server(misuse->hall->world, misuse->hall->server);
}

static void free_both(struct misuse *misuse, plx_socket *client)
{
    plx_socket_free(client);
    free_server(misuse, client);
}

static void free_in_equip(struct world *w, void (*act)(struct misuse *, plx_socket *), int code)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.act = act, .code = code};
    int raw;

    open_misuse(hall, &misuse); /* equip_never: nobody is asked for a server that is gone */
    raw = raw_connect(w, hall->where);
    raw_expect_end(w, raw);
    world_settle(w);
    ck_assert_int_eq(hall->errors, 0);
    ck_assert_int_eq(hall->accepted, 0);
    ck_assert_int_eq(misuse.calls, 1);
    free(hall);
}

CASE(equip_that_frees_the_server)
{
    static const int codes[] = {0, EACCES, PLX_OUT_OF_MEMORY, -1};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        free_in_equip(w, free_server, codes[i]);
        free_in_equip(w, free_both, codes[i]);
    }
}

static void stop_server(struct misuse *misuse, plx_socket *client)
{
    (void)client;
    plx_server_stop_listening(misuse->hall->server);
}

/* A server that was stopped has no use for the peer that did not fit: it does not keep it. */
CASE(equip_that_stops_the_server)
{
    static const int codes[] = {EACCES, PLX_OUT_OF_MEMORY};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct hall *hall = hall_open_plain(w);
        struct misuse misuse = {.act = stop_server, .code = codes[i]};
        int raw;

        open_misuse(hall, &misuse);
        raw = raw_connect(w, hall->where);
        raw_expect_end(w, raw);
        ck_assert_int_eq(hall->accepted, 0);
        misuse.over = true;
        world_serve(w, hall->server, hall->where);
        hall_expect_service(hall);
        free(hall);
    }
}

static void add_equip(struct misuse *misuse, plx_socket *client)
{
    (void)client;
    ck_assert_int_eq(plx_server_add_filter(misuse->hall->server, greeting_equip_letter, NULL, "z"),
                     0);
    misuse->act = NULL;
    misuse->over = true;
}

CASE(equip_that_adds_another)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.act = add_equip};

    open_misuse(hall, &misuse);
    hall_expect_service(hall);
    hall_expect_service(hall);
    ck_assert_msg(strchr(greeting_text, 'Z') != NULL, "%s", greeting_text);
    free(hall);
}

static int equip_one_more(plx_socket *client, void *user)
{
    struct misuse *misuse = user;

    (void)client;
    ck_assert_int_lt(misuse->calls++, 100);
    return plx_server_add_filter(misuse->hall->server, equip_one_more, NULL, misuse);
}

/* What an equip adds is for the clients after this one: else the first would never be equipped. */
CASE(equip_that_always_adds_another)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.hall = hall};

    ck_assert_int_eq(plx_server_add_filter(hall->server, equip_one_more, NULL, &misuse), 0);
    for (int i = 0, calls = 1; i < 4; i++, calls += 1 << i) {
        hall_expect_service(hall);
        ck_assert_int_eq(misuse.calls, calls);
    }
    free(hall);
}

static const plx_frame frames[] = {{.delimiter = ",", .delimiter_size = 1},
                                   {.delimiter = ";", .delimiter_size = 1}};

static void set_client(struct misuse *misuse, plx_socket *client)
{
    ck_assert_int_eq(plx_socket_option(client, PLX_OPTION_READ_LIMIT), 100); /* the server's */
    ck_assert_ptr_eq(plx_socket_user(client), misuse->hall);
    ck_assert_int_eq(plx_socket_set_option(client, PLX_OPTION_CONNECT_TIMEOUT, 250), 0);
    ck_assert_int_eq(plx_socket_set_frame(client, &frames[1]), 0);
    plx_socket_set_events(client, NULL, misuse);
    push_one(misuse, client);
}

static void accept_set(plx_server *server, plx_socket *client, void *user)
{
    struct hall *hall = user;

    (void)server;
    ck_assert_ptr_ne(plx_socket_user(client), hall); /* what equip has set */
    ck_assert_int_eq(plx_socket_option(client, PLX_OPTION_CONNECT_TIMEOUT), 250);
    ck_assert_int_eq(plx_socket_option(client, PLX_OPTION_READ_LIMIT), 100);
    hall_accepted(server, client, user);
}

/* A client begins with the options, the frame and the handlers of its server, and equip may set
 * others. */
CASE(equip_that_sets_the_client)
{
    static const plx_server_events events = {.accepted = accept_set};
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.hall = hall, .act = set_client};
    int raw;

    time_stop();
    plx_server_set_events(hall->server, &events, hall);
    plx_server_set_client_events(hall->server, NULL, hall);
    ck_assert_int_eq(plx_server_set_frame(hall->server, &frames[0]), 0);
    ck_assert_int_eq(plx_server_set_option(hall->server, PLX_OPTION_READ_LIMIT, 100), 0);
    ck_assert_int_eq(plx_server_set_option(hall->server, PLX_OPTION_CONNECT_TIMEOUT, 60000), 0);
    ck_assert_int_eq(plx_server_add_filter(hall->server, equip_badly, NULL, &misuse), 0);
    raw = raw_connect(w, hall->where);
    raw_say(raw, "!one;");
    UNTIL(w, hall->accepted == 1 && plx_socket_can_read_message(hall->clients[0]));
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 2);
    world_run(w, 300);
    UNTIL(w, hall->logs[1].count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(hall->logs[1].code, ETIMEDOUT);
    time_run();
    free(hall);
}

/* The peer waits, is not turned away, and is a client when there is memory. */
CASE(equip_that_finds_no_memory)
{
    struct hall *hall = hall_open_plain(w);
    struct misuse misuse = {.code = PLX_OUT_OF_MEMORY};
    int raw;
    char byte;

    time_stop();
    open_misuse(hall, &misuse);
    raw = raw_connect(w, hall->where);
    raw_say(raw, "!");
    UNTIL(w, hall->errors == 1);
    ck_assert_int_eq(hall->code, PLX_OUT_OF_MEMORY);
    for (int i = 0; i < 3; i++) {
        time_pass(100);
        world_settle(w);
        ck_assert_int_eq(misuse.calls, i + 2); /* asked again for the same peer, after a pause */
    }
    ck_assert_int_eq(hall->errors, 1); /* reported once */
    ck_assert_int_eq(raw_take(raw, &byte, 1), RAW_NOTHING);
    misuse.over = true;
    time_pass(100);
    UNTIL(w, hall->accepted == 1 && plx_socket_is_connected(hall->clients[0]));
    hall_expect_echo(hall, 0, raw);
    time_run();
    free(hall);
}

WORLD_MAIN("filter-equip")
