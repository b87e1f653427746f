/* tests/sim/crowd.c -- the clients of a run: each sends bytes and checks that they come back. */
#include "config.h"

#include "tests/sim/run.h"

#include <stdio.h>
#include <string.h>

enum { LARGEST = 40000, LAST = 5000 };

enum phase { IDLE, TRYING, UP };

struct client {
    struct watched watched;
    int number;
    plx_socket *socket;
    enum phase phase;
    int connection;      /* its bytes depend on it */
    uint64_t sent, back; /* of this connection */
    uint64_t wanted;     /* calm: send up to this */
    bool was_connected;  /* since `connect` */
    bool lossy;          /* what it wrote may be lost: it has ended its side */
};

static struct client clients[CLIENTS];
static plx_group *groups[CLIENTS];
static bool calm;
static plx_group *shared;

static plx_group *group_of(int index)
{
    return setting.grouping == 0 ? shared : groups[index];
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static uint8_t byte_of(const struct client *client, uint64_t at)
{
    return (uint8_t)(at * 7 + (at >> 8) + (uint64_t)client->number * 31 +
                     (uint64_t)client->connection * 17);
}

static void check(struct client *client, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++, client->back++) {
        if (client->back >= client->sent) {
            run_fault("%s: a byte more than it sent: %llu", client->watched.name,
                      (unsigned long long)client->sent);
        }
        if (data[i] != byte_of(client, client->back)) {
            run_fault("%s: byte %llu is wrong", client->watched.name,
                      (unsigned long long)client->back);
        }
    }
}

static void take(struct client *client)
{
    static uint8_t data[2 * LARGEST];
    size_t size = plx_socket_bytes_available(client->socket);
    if (setting.sort == RUN_PACKET) {
        size = sizeof data;
    } else if (!calm && sim_chance(4) == 0) {
        size = (size_t)sim_chance(size + 1);
    }
    ptrdiff_t count =
        plx_socket_read(client->socket, data, size < sizeof data ? size : sizeof data);
    if (count > 0) {
        check(client, data, (size_t)count);
    }
}

static void put(struct client *client, size_t size)
{
    static uint8_t data[LARGEST];
    for (size_t i = 0; i < size; i++) {
        data[i] = byte_of(client, client->sent + i);
    }
    run_call_begins();
    ptrdiff_t count = plx_socket_write(client->socket, data, size);
    run_call_ends("write", 0);
    run_log("%s writes %d: %d", client->watched.name, (int)size, (int)count);
    client->sent += count > 0 ? (uint64_t)count : 0;
}

/* ---- connections ----------------------------------------------------------------------------- */

static void begin_connection(struct client *client)
{
    client->connection++;
    client->sent = client->back = 0;
    client->lossy = false;
}

static void end_connection(struct client *client)
{
    client->phase = plx_socket_reconnects_in(client->socket) >= 0 ? TRYING : IDLE;
    begin_connection(client);
}

static void start(struct client *client)
{
    begin_connection(client);
    watch_silent(&client->watched);
    run_call_begins();
    int result = plx_socket_connect_to(client->socket, house_where());
    run_call_ends("connect_to", 0);
    run_log("%s connects: %d", client->watched.name, result);
    client->phase = result == 0 ? TRYING : IDLE;
}

/* ---- events ---------------------------------------------------------------------------------- */

static void on_state(plx_socket *socket, plx_state state, void *user)
{
    struct client *client = user;
    watch_event(&client->watched, socket,
                state == PLX_UNCONNECTED ? LINE_UNCONNECTED
                : state == PLX_CLOSING   ? LINE_CLOSING
                                         : LINE_STATE);
    if (state == PLX_CONNECTING || state == PLX_HOST_LOOKUP) {
        client->phase = TRYING;
    }
    watch_handled(&client->watched);
}

static void on_connected(plx_socket *socket, void *user)
{
    struct client *client = user;
    watch_event(&client->watched, socket, LINE_CONNECTED);
    client->phase = UP;
    watch_handled(&client->watched);
}

static void on_data(plx_socket *socket, void *user)
{
    struct client *client = user;
    watch_event(&client->watched, socket, LINE_DATA);
    take(client);
    watch_handled(&client->watched);
}

static bool on_progress(plx_socket *socket, size_t sent, size_t left, void *user)
{
    struct client *client = user;
    watch_event(&client->watched, socket, LINE_PROGRESS);
    run_log("  sent %d, left %d", (int)sent, (int)left);
    watch_handled(&client->watched);
    return false;
}

static void on_complete(plx_socket *socket, bool aborted, void *user)
{
    struct client *client = user;
    (void)aborted;
    watch_event(&client->watched, socket, LINE_COMPLETE);
    watch_handled(&client->watched);
}

static void on_room(plx_socket *socket, void *user)
{
    struct client *client = user;
    watch_event(&client->watched, socket, LINE_ROOM);
    watch_handled(&client->watched);
}

/* What arrived before the end is still readable, and is checked too. */
static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct client *client = user;
    bool ends = client->watched.rank == LINE_UNCONNECTED;
    watch_event(&client->watched, socket, ends ? LINE_ERROR : LINE_CALL_ERROR);
    run_log("  %s: %s", client->watched.name, error->message);
    if (ends && client->watched.up) {
        while (plx_socket_bytes_available(socket) > 0) {
            take(client);
        }
    }
    if (ends && sim_chance(3) == 0 && plx_socket_reconnects_in(socket) < 0) {
        start(client);
    } else if (ends && !client->watched.up) {
        end_connection(client);
    }
    watch_handled(&client->watched);
}

static void on_end_of_input(plx_socket *socket, void *user)
{
    struct client *client = user;
    watch_event(&client->watched, socket, LINE_END_OF_INPUT);
    watch_handled(&client->watched);
}

static void on_disconnected(plx_socket *socket, void *user)
{
    struct client *client = user;
    watch_event(&client->watched, socket, LINE_DISCONNECTED);
    while (plx_socket_bytes_available(socket) > 0) {
        take(client);
    }
    end_connection(client);
    if (sim_chance(3) == 0 && client->phase == IDLE) {
        start(client);
    }
    watch_handled(&client->watched);
}

static const plx_events client_events = {
    .connected = on_connected,
    .data_available = on_data,
    .send_progress = on_progress,
    .send_complete = on_complete,
    .room_available = on_room,
    .error = on_error,
    .end_of_input = on_end_of_input,
    .disconnected = on_disconnected,
    .state_changed = on_state,
};

/* ---- life ------------------------------------------------------------------------------------ */

static void make(int index)
{
    struct client *client = &clients[index];
    while ((client->socket = make_socket()) == NULL) {
    }
    while (setting.filtered && plx_socket_filter(client->socket, NULL) == NULL &&
           equip(client->socket, NULL) != 0) {
        plx_socket_free(client->socket);
        while ((client->socket = make_socket()) == NULL) {
        }
    }
    plx_socket_set_events(client->socket, &client_events, client);
    while (group_of(index) != NULL && plx_group_add(group_of(index), client->socket) != 0) {
    }
    if (sim_chance(2) == 0) {
        plx_socket_set_option(client->socket, PLX_OPTION_AUTO_CONNECT, 1);
    }
    if (sim_chance(3) == 0) {
        plx_socket_set_option(client->socket, PLX_OPTION_READ_LIMIT, 1 + (int)sim_chance(5000));
    }
    if (sim_chance(3) == 0) {
        plx_socket_set_option(client->socket, PLX_OPTION_WRITE_LIMIT, 1 + (int)sim_chance(50000));
    }
    if (sim_chance(4) == 0) {
        plx_socket_set_option(client->socket, PLX_OPTION_HALF_OPEN, 1);
    }
    if (sim_chance(4) == 0) {
        plx_socket_set_option(client->socket, PLX_OPTION_IDLE_TIMEOUT, 30000);
    }
}

void crowd_begin(void)
{
    calm = false;
    shared = NULL;
    memset(clients, 0, sizeof clients);
    memset(groups, 0, sizeof groups);
    while (setting.grouping == 0 && (shared = plx_group_new()) == NULL) {
    }
    for (int i = 0; i < CLIENTS; i++) {
        while (setting.grouping == 1 && (groups[i] = plx_group_new()) == NULL) {
        }
        clients[i].number = i;
        snprintf(clients[i].watched.name, sizeof clients[i].watched.name, "client %d", i);
        make(i);
    }
}

static void wait_for_something(struct client *client)
{
    int limit = (int)sim_chance(5000);
    bool result = false;
    watch_poll_begins(&client->watched, true);
    run_call_begins();
    switch (sim_chance(4)) {
    case 0: result = plx_socket_wait_for_data(client->socket, limit); break;
    case 1: result = plx_socket_wait_for_sent(client->socket, limit); break;
    case 2: result = plx_socket_wait_for_connected(client->socket, limit); break;
    default: result = plx_socket_wait(client->socket, limit); break;
    }
    run_call_ends("wait", limit);
    watch_poll_ends(&client->watched);
    run_log("%s has waited: %d", client->watched.name, result);
}

static void leave(struct client *client, int index)
{
    uint64_t way = sim_chance(4);
    run_log("%s leaves, way %d", client->watched.name, (int)way);
    run_call_begins();
    if (way == 0) {
        plx_socket_disconnect(client->socket);
        client->lossy = true;
        client->phase = client->watched.up ? client->phase : IDLE;
    } else if (way == 1) {
        plx_socket_close(client->socket);
    } else if (way == 2) {
        plx_socket_abort(client->socket);
    } else {
        plx_socket_free(client->socket);
        make(index);
    }
    run_call_ends("an end", 0);
    if (way != 0) {
        watch_silent(&client->watched);
        client->phase = IDLE;
        begin_connection(client);
    }
}

/* In the end each client sends a last piece, and all of it comes back. */
static void act_calmly(struct client *client)
{
    plx_state state = plx_socket_state(client->socket);
    if (state == PLX_UNCONNECTED && plx_socket_reconnects_in(client->socket) < 0) {
        start(client);
    } else if (client->phase == UP && state == PLX_CONNECTED && client->sent < client->wanted) {
        put(client, 1 + (size_t)sim_chance(1000));
    }
}

void crowd_act(int index)
{
    struct client *client = &clients[index];
    uint64_t choice = sim_chance(100);
    if (calm) {
        act_calmly(client);
    } else if (client->phase == IDLE && plx_socket_state(client->socket) == PLX_UNCONNECTED) {
        start(client);
    } else if (choice < 60 && client->phase != IDLE && !client->lossy &&
               (client->phase == UP || sim_chance(4) == 0)) {
        size_t size = (size_t)sim_chance(sim_chance(5) == 0 ? LARGEST : 300);
        put(client, 1 + size);
    } else if (choice < 65) {
        run_call_begins();
        plx_socket_flush(client->socket);
        run_call_ends("flush", 0);
    } else if (choice < 75 && setting.grouping != 0) {
        wait_for_something(client);
    } else if (choice < 78) {
        leave(client, index);
    } else {
        take(client);
    }
}

bool crowd_poll(int index)
{
    struct client *client = &clients[index];
    bool more = false;
    if (group_of(index) == NULL || setting.grouping != 0) {
        watch_poll_begins(&client->watched, false);
    }
    run_call_begins();
    if (setting.grouping == 2) {
        more = plx_socket_poll(client->socket);
    } else if (setting.grouping == 1) {
        more = plx_group_poll(groups[index], 0);
    } else if (index == 0) {
        for (int i = 0; i < CLIENTS; i++) {
            watch_poll_begins(&clients[i].watched, false);
        }
        more = plx_group_poll(shared, 0);
        for (int i = 0; i < CLIENTS; i++) {
            watch_poll_ends(&clients[i].watched);
        }
    }
    run_call_ends("poll of a client", 0);
    watch_poll_ends(&client->watched);
    if (calm && plx_socket_bytes_available(client->socket) > 0) {
        take(client);
    }
    return more;
}

int crowd_deadline(int index)
{
    int limit = plx_socket_bytes_available(clients[index].socket) > 0 && calm ? 0 : 2000;
    int deadline = setting.grouping == 2                 ? 500
                   : setting.grouping == 0 && index != 0 ? -1
                                                         : plx_group_deadline(group_of(index));
    return calm && (deadline < 0 || deadline > limit) ? limit : deadline;
}

void crowd_calm(void)
{
    calm = true;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].wanted = LAST;
    }
}

bool crowd_has_echo(int index)
{
    const struct client *client = &clients[index];
    return client->phase == UP && client->sent >= LAST && client->back == client->sent;
}

void crowd_end(void)
{
    for (int i = 0; i < CLIENTS; i++) {
        plx_socket_free(clients[i].socket);
        plx_group_free(groups[i]);
    }
    plx_group_free(shared);
}
