/* tests/test-local.c -- the local end of connections: the port and the address that they come from.
 *
 * Each case has a network of its own, in which there are a handful of ports or addresses to share. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "tests/netns.h"
#include "tests/world.h"

static const char *const families[] = {"127.0.0.1", "[::1]"};

static void place(char *ret_where, const char *host, int port)
{
    snprintf(ret_where, WHERE_SIZE, "%s:%d", host, port);
}

/* ---- a connection to itself ------------------------------------------------------------------ */

/* The range of the kernel's choice holds one even and one odd port: connect(2) takes the even one
 * first, so that a client of that port meets itself. */
#define PORT 40002

static void few_ports(void)
{
    netns_run("sysctl -qw net.ipv4.ip_local_port_range='%d %d'", PORT, PORT + 1);
}

/* Connects until the client has met itself. */
static void meet(struct world *w, plx_socket *client, struct record *log, const char *host)
{
    char where[WHERE_SIZE];

    place(where, host, PORT);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(plx_socket_connect_to(client, where), 0);
        UNTIL(w, plx_socket_state(client) == PLX_UNCONNECTED);
        UNTIL(w, log->count[EVENT_ERROR] == i + 1);
        ck_assert_int_eq(log->os_error, ECONNREFUSED);
        ck_assert_int_eq(log->count[EVENT_CONNECTED], 0);
    }
}

static void expect_port_free(struct world *w, const char *host)
{
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];

    place(where, host, PORT);
    ck_assert_msg(plx_server_listen_on(server, where) == 0, "%s: %s: %s", world_name(w), where,
                  plx_server_error(server)->message);
    world_free_server(w, server);
}

MODE_CASE(meeting_oneself_leaves_the_port_free)
{
    if (!netns_enter("a connection to itself leaves no TIME_WAIT"))
        return;
    few_ports();
    for (size_t i = 0; i < 2; i++) {
        struct record log;
        plx_socket *client = world_socket(w, &log);

        meet(w, client, &log, families[i]);
        world_free(w, client);
        expect_port_free(w, families[i]);
    }
}

/* The same where nobody has looked at the attempt before it is given up. */
MODE_CASE(meeting_oneself_unseen_leaves_the_port_free)
{
    if (!netns_enter("a connection to itself that is given up leaves no TIME_WAIT"))
        return;
    few_ports();
    for (size_t i = 0; i < 8; i++) {
        plx_socket *client = world_socket(w, NULL);
        char where[WHERE_SIZE];

        place(where, families[i % 2], PORT);
        ck_assert_int_eq(plx_socket_connect_to(client, where), 0);
        if (i < 2)
            plx_socket_close(client);
        else if (i < 4)
            plx_socket_abort(client);
        else if (i < 6)
            plx_socket_disconnect(client);
        world_free(w, client);
        expect_port_free(w, families[i % 2]);
    }
}

/* ---- many connections from one address ------------------------------------------------------- */

/* Four ports are enough for any number of connections from one address, as long as no two of them
 * lead to the same place. */
static void connect_from(struct world *w, const char *host, const char *from)
{
    plx_server *servers[3];
    int connected = 0;

    for (int i = 0; i < 3; i++) {
        char where[WHERE_SIZE];

        servers[i] = world_server(w);
        place(where, host, 9201 + i);
        ck_assert_int_eq(plx_server_listen_on(servers[i], where), 0);
    }
    for (int i = 0; i < 12; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE];

        place(where, host, 9201 + i % 3);
        ck_assert_int_eq(plx_socket_set_interface(socket, from), 0);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        UNTIL(w, plx_socket_state(socket) != PLX_CONNECTING);
        connected += plx_socket_state(socket) == PLX_CONNECTED &&
                     strcmp(plx_socket_local_address(socket), from) == 0;
        plx_socket_set_events(socket, NULL, NULL);
    }
    ck_assert_msg(connected == 12, "%s: %d of 12 from %s", world_name(w), connected, from);
    for (int i = 0; i < 3; i++)
        world_free_server(w, servers[i]);
}

MODE_CASE(ports_are_shared_by_destinations)
{
    if (!netns_enter("an interface that was set does not use up the ports"))
        return;
    netns_run("sysctl -qw net.ipv4.ip_local_port_range='40000 40003'");
    connect_from(w, "127.0.0.1", "127.0.0.2");
    connect_from(w, "[::1]", "::1");
}

int main(void)
{
    Suite *suite = suite_create("local");
    TCase *local = tcase_create("local");

    ADD_MODE_CASE(local, meeting_oneself_leaves_the_port_free);
    ADD_MODE_CASE(local, meeting_oneself_unseen_leaves_the_port_free);
    ADD_MODE_CASE(local, ports_are_shared_by_destinations);
    suite_add_tcase(suite, local);
    return world_run(suite);
}
