/* tests/sim/house.c -- the server of a run, which sends back what it receives. */
#include "config.h"

#include "tests/filters.h"
#include "tests/sim/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT = 7000, LARGEST = 70000 };

struct guest {
    struct guest *next;
    plx_socket *socket;
    struct watched watched;
    bool waits;   /* it has left bytes that could not be written */
    bool is_open; /* it ends in `disconnected` */
};

struct setting setting;
static plx_server *server;
static plx_group *group;
static struct guest *guests;
static int number;
static bool calm;

plx_socket *make_socket(void)
{
    return setting.sort == RUN_TCP   ? plx_tcp_new()
           : setting.sort == RUN_IPC ? plx_ipc_new()
                                     : plx_seqpacket_new();
}

const char *house_where(void)
{
    static const char *const places[] = {"127.0.0.1:7000", "[::1]:7000", "server.sim:7000"};
    if (setting.sort != RUN_TCP) {
        return "/run/sim/house";
    }
    return places[setting.by_name ? 2 : sim_chance(2)];
}

int equip(plx_socket *socket, void *user)
{
    (void)user;
    return plx_socket_push_filter(socket, &bits_filter) != NULL &&
                   plx_socket_push_filter(socket, &blocks_filter) != NULL
               ? 0
               : PLX_OUT_OF_MEMORY;
}

/* ---- guests ---------------------------------------------------------------------------------- */

static void forget(struct guest *guest)
{
    struct guest **place = &guests;
    while (*place != guest) {
        place = &(*place)->next;
    }
    *place = guest->next;
    free(guest);
}

/* What was received goes back. When there is no memory, or by chance, only a part; the rest when
 * its turn comes. A packet that cannot be sent back ends the connection: it is read already. */
static void echo(struct guest *guest)
{
    static uint8_t data[LARGEST];
    size_t size;
    guest->waits = false;
    if (plx_socket_state(guest->socket) != PLX_CONNECTED) {
        plx_socket_purge(guest->socket);
        return;
    }
    if (setting.sort == RUN_PACKET) {
        while (plx_socket_bytes_available(guest->socket) > 0) {
            ptrdiff_t count = plx_socket_read(guest->socket, data, sizeof data);
            if (count > 0 && plx_socket_write(guest->socket, data, (size_t)count) != count) {
                plx_socket_abort(guest->socket);
                watch_silent(&guest->watched);
                guest->is_open = false;
                return;
            }
        }
        return;
    }
    const void *bytes = plx_socket_lookahead(guest->socket, &size);
    size = !calm && sim_chance(8) == 0 ? (size_t)sim_chance(size + 1) : size;
    if (size > 0) {
        ptrdiff_t count = plx_socket_write(guest->socket, bytes, size);
        plx_socket_skip(guest->socket, count > 0 ? (size_t)count : 0);
    }
    guest->waits = plx_socket_bytes_available(guest->socket) > 0;
}

static void on_connected(plx_socket *socket, void *user)
{
    struct guest *guest = user;
    watch_event(&guest->watched, socket, LINE_CONNECTED);
    watch_handled(&guest->watched);
}

static void on_data(plx_socket *socket, void *user)
{
    struct guest *guest = user;
    watch_event(&guest->watched, socket, LINE_DATA);
    echo(guest);
    if (!calm && guest->is_open && sim_chance(400) == 0) {
        plx_socket_disconnect(socket);
    }
    watch_handled(&guest->watched);
}

static bool on_progress(plx_socket *socket, size_t sent, size_t left, void *user)
{
    struct guest *guest = user;
    (void)sent;
    (void)left;
    watch_event(&guest->watched, socket, LINE_PROGRESS);
    watch_handled(&guest->watched);
    return false;
}

static void on_complete(plx_socket *socket, bool aborted, void *user)
{
    struct guest *guest = user;
    (void)aborted;
    watch_event(&guest->watched, socket, LINE_COMPLETE);
    watch_handled(&guest->watched);
}

static void on_room(plx_socket *socket, void *user)
{
    struct guest *guest = user;
    watch_event(&guest->watched, socket, LINE_ROOM);
    echo(guest);
    watch_handled(&guest->watched);
}

static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct guest *guest = user;
    bool ends = guest->watched.rank == LINE_UNCONNECTED;
    watch_event(&guest->watched, socket, ends ? LINE_ERROR : LINE_CALL_ERROR);
    run_log("  %s: %s", guest->watched.name, error->message);
    watch_handled(&guest->watched);
}

static void on_disconnected(plx_socket *socket, void *user)
{
    struct guest *guest = user;
    watch_event(&guest->watched, socket, LINE_DISCONNECTED);
    watch_handled(&guest->watched);
    plx_socket_set_user(socket, NULL);
    guest->is_open = false;
}

static void on_state(plx_socket *socket, plx_state state, void *user)
{
    struct guest *guest = user;
    watch_event(&guest->watched, socket,
                state == PLX_UNCONNECTED ? LINE_UNCONNECTED
                : state == PLX_CLOSING   ? LINE_CLOSING
                                         : LINE_STATE);
    watch_handled(&guest->watched);
}

static const plx_events guest_events = {
    .state_changed = on_state,
    .connected = on_connected,
    .data_available = on_data,
    .send_progress = on_progress,
    .send_complete = on_complete,
    .room_available = on_room,
    .error = on_error,
    .disconnected = on_disconnected,
};

/* ---- the server ------------------------------------------------------------------------------ */

static void on_accepted(plx_server *from, plx_socket *client, void *user)
{
    struct guest *guest = calloc(1, sizeof *guest);
    (void)from;
    (void)user;
    snprintf(guest->watched.name, sizeof guest->watched.name, "guest %d", ++number);
    guest->socket = client;
    guest->watched.in_poll = guest->watched.accepted = guest->is_open = true;
    guest->watched.rank = -1;
    guest->next = guests;
    guests = guest;
    plx_socket_set_user(client, guest);
    run_log("%s is accepted", guest->watched.name);
    if (setting.sort == RUN_TCP && sim_chance(3) == 0) {
        plx_socket_set_option(client, PLX_OPTION_IDLE_TIMEOUT, 60000);
    }
}

static void on_server_error(plx_server *from, const plx_error *error, void *user)
{
    (void)from;
    (void)user;
    run_log("server: %s", error->message);
}

static const plx_server_events server_events = {.accepted = on_accepted, .error = on_server_error};

static void open_house(void)
{
    if (!plx_server_is_listening(server)) {
        run_call_begins();
        int result =
            plx_server_listen_on(server, setting.sort == RUN_TCP ? ":7000" : house_where());
        run_call_ends("listen_on", 0);
        run_log("server listens: %d", result);
    }
}

void house_begin(void)
{
    static plx_constructor *const constructors[] = {plx_tcp_new, plx_ipc_new, plx_seqpacket_new};
    number = 0;
    calm = false;
    server = NULL;
    group = NULL;
    while ((server = plx_server_new(constructors[setting.sort])) == NULL) {
    }
    while ((group = plx_group_new()) == NULL) {
    }
    plx_server_set_events(server, &server_events, NULL);
    plx_server_set_client_events(server, &guest_events, NULL);
    while (setting.filtered && plx_server_add_filter(server, equip, NULL, NULL) != 0) {
    }
    while (plx_group_add_server(group, server) != 0) {
    }
    if (sim_chance(3) == 0) {
        plx_group_set_budget(group, (int)sim_chance(200), 1 + (size_t)sim_chance(20000));
    }
    open_house();
}

void house_act(void)
{
    if (!calm && plx_server_is_listening(server) && sim_chance(40) == 0) {
        plx_server_stop_listening(server);
        run_log("server stops listening");
        return;
    }
    open_house();
}

bool house_poll(void)
{
    for (struct guest *guest = guests; guest != NULL; guest = guest->next) {
        if (guest->is_open && guest->waits) {
            echo(guest);
        }
        watch_poll_begins(&guest->watched, false);
    }
    run_call_begins();
    bool more = plx_group_poll(group, 0);
    run_call_ends("poll of the server", 0);
    for (struct guest *guest = guests; guest != NULL;) {
        struct guest *next = guest->next;
        watch_poll_ends(&guest->watched);
        if (!guest->is_open) {
            forget(guest);
        }
        guest = next;
    }
    return more;
}

int house_deadline(void)
{
    for (struct guest *guest = guests; guest != NULL; guest = guest->next) {
        if (guest->waits) {
            return 100;
        }
    }
    return plx_group_deadline(group);
}

void house_calm(void)
{
    calm = true;
}

void house_end(void)
{
    server = plx_server_free(server);
    group = plx_group_free(group);
    while (guests != NULL) {
        forget(guests);
    }
}
