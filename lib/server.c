/* lib/server.c -- floor 6: a listener and its clients.
 *
 * Design: the listener is a socket like any other, of the constructor's kind, whose owner is told
 * when a connection waits. The clients stand in one list, and in another when they have ended,
 * until the end of the frame, where they are freed: by then every handler that may still look at
 * them has returned.
 *
 *      accept --> clients --ended--> ended --end of frame--> freed
 *                    ^                 |
 *                    +--- connecting --+
 *                         again
 *
 * A server that is in no group makes one of its own when it is first polled. */
#include "config.h"

#include "lib/error.h"
#include "lib/group.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/socket.h"
#include "lib/stream.h"

#include <pollux/server.h>

#include <errno.h>

struct plx_server {
    plx_constructor *constructor;
    plx_socket *listener;
    plx_group *own; /* the group of a server that is in none; NULL: not needed yet */
    struct plx__owner owner;
    struct plx__sweep sweep;
    struct plx__hold hold;
    struct plx__list clients, ended;
    size_t count;   /* of clients */
    size_t maximum; /* 0: none */
    bool exhausted; /* descriptors ran out, and that was told */
    bool polling;
    const plx_server_events *events;
    size_t events_size;
    void *user;
    struct plx__handlers client_handlers;
};

#define HANDLER(server, member)                                                                    \
    ((server)->events != NULL &&                                                                   \
             offsetof(plx_server_events, member) + sizeof(server)->events->member <=               \
                 (server)->events_size                                                             \
         ? (server)->events->member                                                                \
         : NULL)

static plx_server *server_of(struct plx__owner *owner)
{
    return PLX__CONTAINER_OF(owner, plx_server, owner);
}

static plx_socket *client_of(struct plx__list *link)
{
    return link == NULL ? NULL : PLX__CONTAINER_OF(link, plx_socket, sibling);
}

static void destroy(plx_server *server)
{
    plx_group_free(server->own);
    plx__memory_free(server);
}

static void leave(plx_server *server)
{
    if (plx__hold_leave(&server->hold)) {
        destroy(server);
    }
}

/* ---- clients come ---------------------------------------------------------------------------- */

static void resume(plx_server *server)
{
    plx_socket *listener = server->listener;
    if (listener->paused && (server->maximum == 0 || server->count < server->maximum)) {
        listener->paused = false;
        listener->retry = 0;
        plx__socket_update(listener);
        /* Alone or in a group: connections may have waited all the while. */
        listener->watch.ready |= PLX__READ;
        plx__task_schedule_input(&listener->task);
    }
}

static plx_socket *make_client(plx_server *server)
{
    plx_socket *client = HANDLER(server, add_socket) != NULL
                             ? server->events->add_socket(server, server->user)
                             : server->constructor();
    if (client == NULL || server->hold.freed) {
        return plx_socket_free(client);
    }
    if (client->kind != server->listener->kind || client->state != PLX_UNCONNECTED ||
        client->owner != NULL) {
        plx__socket_fail(server->listener, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, 0,
                         "accept into a socket that is in use or of another kind");
        return NULL;
    }
    return client;
}

static void count_in(plx_server *server, plx_socket *client)
{
    plx__list_append(&server->clients, &client->sibling);
    client->active = true;
    server->count++;
}

static bool connect_client(plx_server *server, plx_socket *client, int descriptor,
                           const struct plx__os_name *remote)
{
    plx_group *group = plx__group_of(server->listener->task.loop);
    client->handlers = server->client_handlers;
    plx__socket_begin(client);
    if (!plx__options_copy(client, server->listener) ||
        !plx__message_copy_frame(client, server->listener)) {
        return false;
    }
    plx__options_apply(client, descriptor);
    if (group != NULL && plx_group_add(group, client) != 0) {
        return false;
    }
    if (plx__socket_take_descriptor(client, descriptor) < 0) {
        return false;
    }
    client->owner = &server->owner;
    count_in(server, client);
    plx__socket_become_connected(client, remote);
    return true;
}

static void admit(plx_server *server, int descriptor, const struct plx__os_name *remote)
{
    plx_socket *client = make_client(server);
    if (client == NULL) {
        plx__os_close(descriptor);
        return;
    }
    if (!connect_client(server, client, descriptor, remote)) {
        plx__os_close(descriptor);
        plx_socket_free(client);
        plx__socket_fail(server->listener, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0,
                         "accept");
        return;
    }
    if (HANDLER(server, accepted) != NULL) {
        server->events->accepted(server, client, server->user);
    }
}

/* The connection stays in the system's queue and nobody is dropped: that is why accepting is tried
 * before anything is made. */
static void stop_accepting(plx_server *server, int error)
{
    if (!server->exhausted) {
        plx__socket_fail_system(server->listener, error, "accept");
    }
    server->exhausted = true;
    plx__stream_pause(server->listener, false);
}

static bool accept_one(plx_server *server)
{
    struct plx__os_name remote;
    if (server->maximum != 0 && server->count >= server->maximum) {
        plx__stream_pause(server->listener, true);
        return false;
    }
    int descriptor = plx__os_accept(server->listener->watch.descriptor, &remote);
    if (descriptor >= 0) {
        server->exhausted = false;
        admit(server, descriptor, &remote);
    } else if (descriptor == -EAGAIN) {
        server->listener->watch.ready = 0;
        return false;
    } else {
        stop_accepting(server, descriptor);
        return false;
    }
    return true;
}

static void incoming(struct plx__owner *owner, plx_socket *listener, struct plx__budget *budget)
{
    plx_server *server = server_of(owner);
    bool more = true;
    plx__hold_enter(&server->hold);
    while (more && !server->hold.freed && listener->state == PLX_LISTENING) {
        more = accept_one(server);
        plx__budget_spend(budget, 0);
        if (more && plx__budget_is_spent(budget)) {
            listener->more = true;
            break;
        }
    }
    leave(server);
}

/* ---- clients go ------------------------------------------------------------------------------ */

static void count_out(plx_server *server, plx_socket *client)
{
    plx__list_remove(&client->sibling);
    if (client->active) {
        client->active = false;
        server->count--;
        resume(server);
    }
}

static void ended(struct plx__owner *owner, plx_socket *socket)
{
    plx_server *server = server_of(owner);
    struct plx__loop *loop = server->listener->task.loop;
    if (socket == server->listener || !socket->active) {
        return;
    }
    count_out(server, socket);
    plx__list_append(&server->ended, &socket->sibling);
    if (loop != NULL) {
        plx__loop_sweep(loop, &server->sweep);
    }
}

static void left(struct plx__owner *owner, plx_socket *socket)
{
    plx_server *server = server_of(owner);
    socket->owner = NULL;
    if (socket != server->listener) {
        count_out(server, socket);
    }
}

/* A client that has not been told all yet is served first; one that its owner connected again lives
 * on. */
static void sweep(struct plx__sweep *sweep)
{
    plx_server *server = PLX__CONTAINER_OF(sweep, plx_server, sweep);
    struct plx__loop *loop = server->listener->task.loop;
    struct plx__list later;
    struct plx__list *link;
    plx__list_init(&later);
    while ((link = plx__list_take_first(&server->ended)) != NULL) {
        plx_socket *client = client_of(link);
        if (client->state != PLX_UNCONNECTED) {
            count_in(server, client);
        } else if (client->telling || (client->news != 0 && client->task.loop != NULL)) {
            plx__list_append(&later, link);
        } else {
            plx_socket_free(client);
        }
    }
    plx__list_splice(&server->ended, &later);
    if (loop != NULL && !plx__list_is_empty(&server->ended)) {
        plx__loop_sweep(loop, sweep);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static void listener_failed(plx_socket *socket, const plx_error *error, void *user)
{
    plx_server *server = user;
    (void)socket;
    if (HANDLER(server, error) != NULL) {
        plx__hold_enter(&server->hold);
        server->events->error(server, error, server->user);
        leave(server);
    }
}

plx_server *plx_server_new(plx_constructor *constructor)
{
    static const plx_events listener_events = {.error = listener_failed};
    plx_server *server = constructor == NULL ? NULL : plx__memory_new(sizeof *server);
    plx_socket *listener = server == NULL ? NULL : constructor();
    if (listener == NULL) {
        plx__memory_free(server);
        return NULL;
    }
    server->constructor = constructor;
    server->listener = listener;
    server->owner = (struct plx__owner){.incoming = incoming, .ended = ended, .left = left};
    server->sweep.run = sweep;
    plx__list_init(&server->clients);
    plx__list_init(&server->ended);
    listener->owner = &server->owner;
    listener->task.hidden = true;
    plx_socket_set_events(listener, &listener_events, server);
    return server;
}

static void free_all(struct plx__list *list)
{
    struct plx__list *link;
    while ((link = plx__list_first(list)) != NULL) {
        plx_socket_free(client_of(link));
    }
}

plx_server *plx_server_free(plx_server *server)
{
    if (server == NULL || server->hold.freed) {
        return NULL;
    }
    bool idle = plx__hold_free(&server->hold);
    plx_socket_close(server->listener);
    free_all(&server->clients);
    free_all(&server->ended);
    plx__list_remove(&server->sweep.link);
    plx_socket_free(server->listener);
    if (idle) {
        destroy(server);
    }
    return NULL;
}

/* ---- properties ------------------------------------------------------------------------------ */

void plx_server_set_events_sized(plx_server *server, const plx_server_events *events, size_t size,
                                 void *user)
{
    if (server != NULL) {
        server->events = events;
        server->events_size = size;
        server->user = user;
    }
}

void plx_server_set_client_events_sized(plx_server *server, const plx_events *events, size_t size,
                                        void *user)
{
    if (server != NULL) {
        server->client_handlers =
            (struct plx__handlers){.table = events, .size = size, .user = user};
    }
}

/* Nobody hears of the listener's states, so that there is nothing to do until a connection comes. */
static int listens(plx_server *server, int code)
{
    if (code == 0) {
        server->listener->news = 0;
        plx__list_remove(&server->listener->task.work);
    }
    return code;
}

int plx_server_set_frame(plx_server *server, const plx_frame *frame)
{
    return server == NULL || server->hold.freed ? PLX_INVALID_STATE
                                                : plx_socket_set_frame(server->listener, frame);
}

int plx_server_listen_on(plx_server *server, const char *where)
{
    if (server == NULL || server->hold.freed) {
        return PLX_INVALID_STATE;
    }
    return listens(server, plx_socket_listen_on(server->listener, where));
}

int plx_server_adopt(plx_server *server, int descriptor)
{
    struct plx__os_socket_facts facts;
    if (server == NULL || server->hold.freed) {
        return PLX_INVALID_STATE;
    }
    int result = plx__socket_inspect(server->listener, descriptor, &facts);
    if (result == 0 && !facts.listening) {
        return plx__socket_fail_unsupported(server->listener, "adopt what does not listen");
    }
    return listens(server, plx_socket_adopt(server->listener, descriptor));
}

int plx_server_adopt_activated(plx_server *server, const char *name)
{
    if (server == NULL || server->hold.freed) {
        return PLX_INVALID_STATE;
    }
    int descriptor = plx__socket_find_activated(server->listener, name, true);
    return descriptor < 0 ? plx__socket_fail_activation(server->listener, name)
                          : plx_server_adopt(server, descriptor);
}

void plx_server_stop_listening(plx_server *server)
{
    if (server != NULL && !server->hold.freed) {
        plx_socket_close(server->listener);
    }
}

bool plx_server_is_listening(const plx_server *server)
{
    return server != NULL && plx_socket_is_listening(server->listener);
}

int plx_server_port(const plx_server *server)
{
    return plx_server_is_listening(server) ? plx_socket_port(server->listener) : 0;
}

void plx_server_set_maximum_sockets_connected(plx_server *server, int count)
{
    if (server != NULL && !server->hold.freed) {
        server->maximum = count < 0 ? 0 : (size_t)count;
        resume(server);
    }
}

int plx_server_set_option(plx_server *server, plx_option option, int value)
{
    return server == NULL || server->hold.freed
               ? PLX_INVALID_STATE
               : plx_socket_set_option(server->listener, option, value);
}

void *plx_server_user(const plx_server *server)
{
    return server == NULL ? NULL : server->user;
}

const plx_error *plx_server_error(const plx_server *server)
{
    return plx_socket_error(server == NULL ? NULL : server->listener);
}

/* ---- clients --------------------------------------------------------------------------------- */

size_t plx_server_active_count(const plx_server *server)
{
    return server == NULL ? 0 : server->count;
}

static bool owns(const plx_server *server, const plx_socket *socket)
{
    return server != NULL && socket != NULL && socket->owner == &server->owner &&
           socket != server->listener;
}

plx_socket *plx_server_next_active(const plx_server *server, const plx_socket *previous)
{
    if (server == NULL || (previous != NULL && (!owns(server, previous) || !previous->active))) {
        return NULL;
    }
    struct plx__list *next = previous == NULL ? server->clients.next : previous->sibling.next;
    return next == &server->clients ? NULL : client_of(next);
}

plx_socket *plx_server_take(plx_server *server, plx_socket *client)
{
    if (!owns(server, client)) {
        return NULL;
    }
    left(&server->owner, client);
    if (server->own != NULL) {
        plx_group_remove(server->own, client);
    }
    return client;
}

/* ---- serving --------------------------------------------------------------------------------- */

static int add_to(plx_group *group, plx_server *server)
{
    int code = plx_group_add(group, server->listener);
    for (struct plx__list *link = server->clients.next; code == 0 && link != &server->clients;
         link = link->next) {
        code = plx_group_add(group, client_of(link));
    }
    if (code == 0 && !plx__list_is_empty(&server->ended)) {
        plx__list_remove(&server->sweep.link);
        plx__loop_sweep(&group->loop, &server->sweep);
    }
    return code;
}

int plx_group_add_server(plx_group *group, plx_server *server)
{
    if (group == NULL || server == NULL || server->hold.freed) {
        return PLX_INVALID_STATE;
    }
    return add_to(group, server);
}

void plx_group_remove_server(plx_group *group, plx_server *server)
{
    if (group == NULL || server == NULL || server->hold.freed) {
        return;
    }
    plx_group_remove(group, server->listener);
    for (struct plx__list *link = server->clients.next; link != &server->clients;
         link = link->next) {
        plx_group_remove(group, client_of(link));
    }
    plx__list_remove(&server->sweep.link);
}

/* The group of a server that is in none. Clients that came while it was in another, since freed,
 * are alone: taken in as well. */
static plx_group *own_group(plx_server *server)
{
    if (server->own == NULL) {
        server->own = plx_group_new();
    }
    if (server->own != NULL && server->listener->task.loop == NULL &&
        add_to(server->own, server) != 0) {
        return NULL;
    }
    return server->own;
}

/* In somebody's group, its own sockets are served one by one. Each goes to the end of the list
 * first, for handlers may free any of them. */
static bool poll_members(plx_server *server)
{
    bool more = plx_socket_poll(server->listener);
    for (size_t left_to_poll = server->count; left_to_poll > 0 && !server->hold.freed;
         left_to_poll--) {
        struct plx__list *link = plx__list_take_first(&server->clients);
        if (link == NULL) {
            break;
        }
        plx__list_append(&server->clients, link);
        more = plx_socket_poll(client_of(link)) || more;
    }
    if (!server->hold.freed) {
        plx__list_remove(&server->sweep.link);
        sweep(&server->sweep);
    }
    return more;
}

/* One pass, over the server alone unless it is to sleep: that is the whole group's sleep. */
static bool serve(plx_server *server, bool alone, int timeout_ms, bool *ret_found)
{
    struct plx__loop *loop = server->listener->task.loop;
    bool theirs = loop != NULL && (server->own == NULL || loop != &server->own->loop);
    plx_group *group = theirs ? plx__group_of(loop) : own_group(server);
    bool more = false;
    *ret_found = false;
    if (group == NULL || server->polling || group->loop.phase != PLX__RESTING) {
        return false;
    }
    server->polling = true;
    plx__hold_enter(&server->hold);
    if (theirs && alone) {
        more = poll_members(server);
    } else {
        more = plx_group_poll(group, timeout_ms);
        *ret_found = !server->hold.freed && group->loop.found;
    }
    server->polling = false;
    leave(server);
    return more;
}

bool plx_server_poll(plx_server *server)
{
    bool found;
    return server != NULL && !server->hold.freed && serve(server, true, 0, &found);
}

bool plx_server_wait(plx_server *server, int timeout_ms)
{
    bool found = false;
    if (server != NULL && !server->hold.freed) {
        serve(server, false, timeout_ms, &found);
    }
    return found;
}
