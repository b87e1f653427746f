/* tests/greeting.c -- see greeting.h. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/greeting.h"

/* ---- the filter ------------------------------------------------------------------------------ */

int greeting_begins, greeting_steps, greeting_forgotten;
char greeting_text[64];

struct greeting {
    char letter; /* for the text; 0: none */
};

void greeting_trace(char letter)
{
    size_t length = strlen(greeting_text);

    if (letter != '\0' && length + 1 < sizeof greeting_text)
        greeting_text[length] = letter;
}

static int begin(plx_filter *filter)
{
    greeting_begins++;
    greeting_trace(((struct greeting *)plx_filter_state(filter))->letter);
    return 0;
}

/* Receives one byte and no more: those behind it are the program's. */
static int establish(plx_filter *filter)
{
    char byte;
    ptrdiff_t count = plx_filter_lower_receive(filter, &byte, 1);

    greeting_steps++;
    if (count == -EAGAIN)
        return EAGAIN;
    if (count == 1 && byte == '!')
        return 0;
    return plx_filter_fail(filter, count == 1 ? EPROTO : PLX_LOST_CONNECTION,
                           count == 1 ? PLX_REASON_OPERATION : PLX_REASON_REMOTE_HOST_CLOSED,
                           "greeting: not greeted");
}

static void forget(plx_filter *filter)
{
    (void)filter;
    greeting_forgotten++;
}

const plx_filter_kind greeting_filter = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct greeting),
    .name = "greeting",
    .begin = begin,
    .establish = establish,
    .forget = forget,
};

int greeting_push(plx_socket *client, char letter)
{
    plx_filter *filter = plx_socket_push_filter(client, &greeting_filter);

    if (filter == NULL)
        return plx_socket_error(client)->code;
    ((struct greeting *)plx_filter_state(filter))->letter = letter;
    return 0;
}

int greeting_equip(plx_socket *client, void *user)
{
    (void)user;
    ck_assert_int_eq(plx_socket_state(client), PLX_UNCONNECTED);
    return greeting_push(client, '\0');
}

int greeting_equip_letter(plx_socket *client, void *user)
{
    greeting_trace((char)(*(const char *)user - 'a' + 'A'));
    return greeting_push(client, *(const char *)user);
}

/* ---- a server and its clients ---------------------------------------------------------------- */

void hall_accepted(plx_server *server, plx_socket *client, void *user)
{
    struct hall *hall = user;
    int number = hall->accepted++;
    struct record unused = {.data = hall};

    (void)server;
    ck_assert_int_lt(number, HALL);
    hall->clients[number] = client;
    if (number < HALL_LOGS)
        record_begin(&hall->logs[number], client);
    if (hall->act != NULL)
        hall->act(&unused, client);
}

static void on_error(plx_server *server, const plx_error *error, void *user)
{
    struct hall *hall = user;

    (void)server;
    hall->errors++;
    hall->code = error->code;
    snprintf(hall->message, sizeof hall->message, "%s", error->message);
}

const plx_server_events hall_events = {.accepted = hall_accepted, .error = on_error};

struct hall *hall_open_plain(struct world *w)
{
    struct hall *hall = calloc(1, sizeof *hall);

    hall->world = w;
    hall->server = world_server(w);
    plx_server_set_events(hall->server, &hall_events, hall);
    world_serve(w, hall->server, hall->where);
    world_settle(w);
    return hall;
}

struct hall *hall_open(struct world *w)
{
    struct hall *hall = hall_open_plain(w);

    ck_assert_int_eq(plx_server_add_filter(hall->server, greeting_equip, NULL, NULL), 0);
    return hall;
}

void hall_expect_echo(struct hall *hall, int client, int raw)
{
    plx_socket *socket = hall->clients[client];
    char got[8] = "";

    raw_say(raw, "ping");
    UNTIL(hall->world, plx_socket_bytes_available(socket) == 4);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 4);
    ck_assert_str_eq(got, "ping");
    ck_assert_int_eq(plx_socket_write(socket, "pong", 4), 4);
    raw_expect(hall->world, raw, "pong");
}

/* The peer may greet more often than the filters want. */
void hall_expect_service(struct hall *hall)
{
    int client = hall->accepted, raw = raw_connect(hall->world, hall->where);

    raw_say(raw, "!!!");
    UNTIL(hall->world,
          hall->accepted == client + 1 && plx_socket_is_connected(hall->clients[client]));
    world_settle(hall->world);
    plx_socket_purge(hall->clients[client]);
    hall_expect_echo(hall, client, raw);
}
