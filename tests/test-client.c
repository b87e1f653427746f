/* tests/test-client.c -- what becomes of a server's clients that end, are freed, or begin again. */
#include "config.h"

#include "tests/sockets.h"
#include "tests/suite.h"
#include "tests/world.h"

struct guest {
    struct record log;
    plx_socket *client;
    plx_server *server;
};

static void guest_accepted(plx_server *server, plx_socket *client, void *user)
{
    struct guest *guest = user;

    (void)server;
    guest->client = client;
    record_begin(&guest->log, client);
}

static void fail_a_call(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_write(socket, NULL, 1);
}

/* One that has ended is on another list of its server than before, and has had its turn. */
CASE(a_client_that_ends_has_one_turn)
{
    static const plx_server_events events = {.accepted = guest_accepted};
    struct guest guest = {.client = NULL};
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];
    int raw;

    plx_server_set_events(server, &events, &guest);
    world_serve(w, server, where);
    raw = raw_connect(w, where);
    UNTIL(w, guest.log.count[EVENT_CONNECTED] == 1);
    record_on(&guest.log, EVENT_DISCONNECTED, fail_a_call, NULL);
    raw_close(w, raw);
    for (int round = 0; guest.log.count[EVENT_DISCONNECTED] == 0; round++) {
        ck_assert_int_lt(round, ROUNDS);
        plx_server_poll(server);
        poll(NULL, 0, round < 20 ? 0 : 1);
    }
    ck_assert_int_eq(guest.log.count[EVENT_ERROR], 1);
    plx_server_poll(server);
    ck_assert_int_eq(guest.log.count[EVENT_ERROR], 2);
}

static void free_the_client(plx_server *server, plx_socket *client, void *user)
{
    struct guest *guest = user;

    (void)server;
    guest->client = client;
    plx_socket_free(client);
    ck_assert_int_eq(plx_socket_state(client), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_write(client, "x", 1), -1);
}

static void free_the_server(plx_server *server, plx_socket *client, void *user)
{
    struct guest *guest = user;

    guest->client = client;
    plx_server_free(server);
    guest->server = NULL;
    ck_assert_int_eq(plx_socket_state(client), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_write(client, "x", 1), -1);
}

/* What a handler is given stays valid until it has returned. ASan sees it where it does not. */
CASE(a_client_freed_in_accepted_lasts_as_long_as_the_handler)
{
    static const plx_server_events events[] = {{.accepted = free_the_client},
                                               {.accepted = free_the_server}};

    for (int i = 0; i < 2; i++) {
        struct guest guest = {.client = NULL};
        plx_server *server = guest.server = plx_server_new(w->kind->create);
        char where[WHERE_SIZE];
        int raw;

        plx_server_set_events(server, &events[i], &guest);
        world_place(w, where);
        ck_assert_int_eq(plx_server_listen_on(server, where), 0);
        if (plx_server_port(server) > 0)
            snprintf(where, sizeof where, "127.0.0.1:%d", plx_server_port(server));
        if (w->group != NULL)
            plx_group_add_server(w->group, server);
        raw = raw_connect(w, where);
        for (int round = 0; guest.client == NULL; round++) {
            ck_assert_int_lt(round, ROUNDS);
            plx_server_poll(server);
            poll(NULL, 0, round < 20 ? 0 : 1);
        }
        plx_server_free(guest.server);
        raw_close(w, raw);
    }
}

static void listen_here(struct record *record, plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_listen_on(socket, record->data), 0);
}

/* It is still the server's client, and yet what arrives there is its own, not the server's. */
CASE(a_client_that_listens_again_accepts_for_itself)
{
    static const plx_server_events events = {.accepted = guest_accepted};
    struct guest guest = {.client = NULL};
    plx_server *server = world_server(w);
    char where[WHERE_SIZE], place[WHERE_SIZE];
    plx_socket *client;
    int raw;

    world_place(w, place);
    plx_server_set_events(server, &events, &guest);
    world_serve(w, server, where);
    raw = raw_connect(w, where);
    UNTIL(w, guest.log.count[EVENT_CONNECTED] == 1);
    client = guest.client;
    record_clear(&guest.log);
    record_on(&guest.log, EVENT_DISCONNECTED, listen_here, place);
    raw_close(w, raw);
    UNTIL(w, plx_socket_is_listening(client) && plx_server_active_count(server) == 1);
    if (plx_socket_port(client) > 0)
        snprintf(place, sizeof place, "127.0.0.1:%d", plx_socket_port(client));
    raw = raw_connect(w, place);
    UNTIL(w, guest.log.count[EVENT_CONNECTED] == 1);
    ck_assert_ptr_eq(guest.client, client);
    ck_assert_uint_eq(plx_server_active_count(server), 1);
    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(client) == 5);
}

WORLD_MAIN("client", .packets = true)
