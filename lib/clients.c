/* lib/clients.c -- floor 6: how the clients of a server come and go. */
#include "config.h"

#include "lib/error.h"
#include "lib/message.h"
#include "lib/server.h"
#include "lib/stream.h"

#include <errno.h>

static plx_server *server_of(struct plx__owner *owner)
{
    return PLX__CONTAINER_OF(owner, plx_server, owner);
}

/* ---- clients come ---------------------------------------------------------------------------- */

void plx__clients_resume(plx_server *server)
{
    plx_socket *listener = server->listener;
    if (listener->paused && (server->maximum == 0 || server->count < server->maximum)) {
        listener->paused = false;
        listener->wake_at = 0;
        plx__socket_update(listener);
        /* Alone or in a group: connections may have waited all the while. */
        listener->watch.ready |= PLX__READ;
        plx__task_schedule_input(&listener->task);
    }
}

static plx_socket *make_client(plx_server *server)
{
    plx_socket *client = PLX__SERVER_HANDLER(server, add_socket) != NULL
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
    if (plx__socket_take_descriptor(client, descriptor, PLX_CONNECTED) < 0) {
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
        plx__socket_fail_memory(server->listener, "accept");
        return;
    }
    if (PLX__SERVER_HANDLER(server, accepted) != NULL) {
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
    plx__server_leave(server);
}

/* ---- clients go ------------------------------------------------------------------------------ */

static void count_out(plx_server *server, plx_socket *client)
{
    plx__list_remove(&client->sibling);
    if (client->active) {
        client->active = false;
        server->count--;
        plx__clients_resume(server);
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
void plx__clients_sweep(struct plx__sweep *sweep)
{
    plx_server *server = PLX__CONTAINER_OF(sweep, plx_server, sweep);
    struct plx__loop *loop = server->listener->task.loop;
    struct plx__list later;
    struct plx__list *link;
    plx__list_init(&later);
    while ((link = plx__list_take_first(&server->ended)) != NULL) {
        plx_socket *client = plx__clients_of(link);
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

const struct plx__owner plx__clients_owner = {.incoming = incoming, .ended = ended, .left = left};

/* ---- those that are there ------------------------------------------------------------------- */

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
    return next == &server->clients ? NULL : plx__clients_of(next);
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
