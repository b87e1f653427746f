/* tests/test-filter-server.c -- how the clients of a server get their filters: what `equip` may do,
 * and when `release` is called. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/greeting.h"
#include "tests/world.h"

#define ENTERED "state:CONNECTING state:CONNECTED connected[CONNECTED]"

/* ---- equip ----------------------------------------------------------------------------------- */

SECTION("equip");

static int equip_letter(plx_socket *client, void *user)
{
    greeting_trace((char)(*(const char *)user - 'a' + 'A'));
    return greeting_push(client, *(const char *)user);
}

CASE(several_equips_in_order)
{
    struct hall *hall = hall_open_plain(w);
    int raw;

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(plx_server_add_filter(hall->server, equip_letter, NULL, &"abc"[i]), 0);
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
    ck_assert_int_eq(plx_server_add_filter(misuse->hall->server, equip_letter, NULL, "z"), 0);
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
    time_pass(250);
    UNTIL(w, hall->logs[1].count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(hall->logs[1].code, ETIMEDOUT);
    time_run();
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

/* ---- equip without memory -------------------------------------------------------------------- */

SECTION("memory");

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
    ck_assert_int_eq(plx_server_add_filter(hall->server, equip_letter, NULL, "e"), 0);
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
    ck_assert_int_eq(plx_server_add_filter(server, equip_letter, NULL, "e"), 0);
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
        ck_assert_int_eq(plx_server_add_filter(hall->server, equip_letter,
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
    struct misuse misuse = {.code = EACCES};

    plx_server_set_events(hall->server, &events, hall);
    ck_assert_int_eq(plx_server_add_filter(hall->server, equip_badly, note_release, &misuse), 0);
    raw_expect_end(w, raw_connect(w, hall->where));
    UNTIL(w, hall->errors == 1);
    ck_assert_int_eq(released, 1);
    free(hall);
}

WORLD_MAIN("filter-server")
