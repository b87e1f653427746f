/* lib/group/clients.c -- accepting the clients of a server, and freeing those that have ended. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/group/clients.h"
#include "lib/group/server.h"
#include "lib/os/errno.h"
#include "lib/socket/accepting.h"
#include "lib/socket/failure.h"
#include "lib/socket/framing.h"
#include "lib/socket/interest.h"
#include "lib/socket/object.h"
#include "lib/socket/state.h"
#include "lib/transfer/stream.h"

static plx_server *server_of(struct plx__owner *owner)
{
    return PLX__CONTAINER_OF(owner, plx_server, owner);
}

/* ---- accepting ------------------------------------------------------------------------------- */

/* Whether the maximum allows another client. At most half of the clients may have filters that are
 * not established: peers that never establish theirs must not lock out the others. */
static bool has_room(const plx_server *server)
{
    size_t most = server->maximum < 2 ? 1 : server->maximum / 2;
    return server->maximum == 0 || (server->count < server->maximum && server->entering < most);
}

static void look_for_peers(plx_server *server)
{
    if (server->listener->state == PLX_LISTENING) {
        plx__socket_update(server->listener);
        plx__task_schedule_input(&server->listener->task);
    }
}

/* Accepts again if the maximum allows it. */
static void resume_accepting(plx_server *server)
{
    if (has_room(server) && plx__accepting_resume(server->listener)) {
        look_for_peers(server);
    }
}

void plx_server_pause(plx_server *server, bool paused)
{
    if (server == NULL || server->hold.freed) {
        return;
    }
    if (paused) {
        plx__accepting_hold(server->listener);
        plx__socket_update(server->listener);
    } else if (server->listener->accepting == PLX__HELD) {
        plx__accepting_release(server->listener);
        look_for_peers(server);
    }
}

void plx_server_set_maximum_sockets_connected(plx_server *server, int count)
{
    if (server != NULL && !server->hold.freed) {
        server->maximum = count < 0 ? 0 : (size_t)count;
        resume_accepting(server);
    }
}

static bool is_usable(const plx_server *server, const plx_socket *client)
{
    return plx__socket_is(client, server->listener->kind) && client->state == PLX_UNCONNECTED &&
           client->owner == NULL;
}

/* Sets *ret_client to a new client, or to NULL if the connection must be closed. Returns 0 or
 * -ENOMEM. */
static int make_client(plx_server *server, plx_socket **ret_client)
{
    bool asked = PLX__SERVER_HANDLER(server, add_socket) != NULL;
    plx_socket *client =
        asked ? server->events->add_socket(server, server->user) : server->constructor();
    int result = client == NULL && !asked ? -PLX__ENOMEM : 0;
    if (server->hold.freed) {
        client = plx_socket_free(client);
    } else if (client != NULL && !is_usable(server, client)) {
        plx__socket_fail(server->listener, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, 0,
                         "accept into a socket that is in use or of another kind");
        client = NULL;
    }
    *ret_client = client;
    return result;
}

static const struct plx__equipment *last_of(const struct plx__equipment *equipment)
{
    while (equipment != NULL && equipment->next != NULL) {
        equipment = equipment->next;
    }
    return equipment;
}

/* Calls the functions that push filters, until one refuses the client, or makes the client unfit
 * for the connection. The caller holds the client: each of them may free the client. A function
 * that one of them adds is for later clients: it might add another each time. */
static int push_filters(plx_server *server, plx_socket *client)
{
    int code = 0;
    const struct plx__equipment *each = server->equipment, *last = last_of(each);
    while (code == 0 && each != NULL) {
        code = each->equip(client, each->user);
        bool fits = !server->hold.freed && !client->hold.freed && client->state == PLX_UNCONNECTED;
        code = code == 0 && !fits ? PLX_INVALID_STATE : code;
        each = each == last ? NULL : each->next;
    }
    return code < 0 ? PLX_INVALID_STATE : code;
}

/* Returns the client with its filters, and without what is left of its last connection. If they
 * were refused, or the `forget` of an old filter has freed the client, frees the client and returns
 * NULL; *ret_result is -ENOMEM then if the connection has to wait for memory, else 0. */
static plx_socket *equip(plx_server *server, plx_socket *client, int *ret_result)
{
    plx__hold_enter(&client->hold);
    int code = push_filters(server, client);
    if (code == 0 && (!plx__socket_shed(client) || server->hold.freed)) {
        code = PLX_INVALID_STATE;
    }
    if (code == 0) {
        plx__socket_begin(client);
    }
    if (code != 0 && code != PLX_OUT_OF_MEMORY && !server->hold.freed) {
        plx__socket_fail(server->listener, code, PLX_REASON_OPERATION, -PLX__SENTENCE,
                         "accept: the filters of the client were refused: %s (%s)",
                         plx_code_text(code), plx_code_name(code));
    }
    if (code != 0) {
        plx_socket_free(client);
    }
    plx__socket_leave(client);
    *ret_result = code == PLX_OUT_OF_MEMORY ? -PLX__ENOMEM : 0;
    return code == 0 ? client : NULL;
}

static void count_in(plx_server *server, plx_socket *client, enum plx__client how)
{
    plx__list_append(&server->clients, &client->sibling);
    client->client = (uint8_t)how;
    server->count++;
}

static void count_entering(plx_server *server, plx_socket *client)
{
    if (client->state == PLX_CONNECTING) {
        client->client = PLX__CLIENT_ENTERING;
        server->entering++;
    }
}

static plx_address address_of(const struct plx__sockaddr *remote)
{
    plx_address address = {0};
    plx__sockaddr_to_address(remote, &address);
    return address;
}

static int enter_address(plx_server *server, const plx_address *address)
{
    return server->maximum_per_address == 0 ? 0 : plx__addresses_enter(&server->addresses, address);
}

static int connect_client(plx_server *server, plx_socket *client, plx__fd descriptor,
                          const struct plx__sockaddr *remote)
{
    plx_group *group = plx__group_of(server->listener->task.loop);
    if (group != NULL && plx_group_add(group, client) != 0) {
        return -PLX__ENOMEM;
    }
    client->task.frame = 0; /* serve the client in this frame; the listener's budget limits them */
    plx_address address = address_of(remote);
    int result = enter_address(server, &address);
    if (result < 0) {
        return result;
    }
    result = plx__socket_enter_connected(client, descriptor, false, remote);
    if (result < 0) {
        plx__addresses_leave(&server->addresses, &address);
        return result;
    }
    client->owner = &server->owner;
    count_in(server, client, PLX__CLIENT_COUNTED);
    count_entering(server, client);
    return 0;
}

/* Gives the client what the server has for its clients, before `equip`, which may set other values
 * for this one. Returns 0 or -ENOMEM. */
static int furnish(plx_server *server, plx_socket *client)
{
    client->handlers = server->client_handlers;
    bool done =
        plx__options_copy(client, server->listener) && plx__framing_copy(client, server->listener);
    return done ? 0 : -PLX__ENOMEM;
}

/* Makes a client of a connection, or closes it. Returns 0, or a negative errno; then the caller
 * still owns the descriptor. */
static int admit(plx_server *server, plx__fd descriptor, const struct plx__sockaddr *remote)
{
    plx_socket *client;
    int result = make_client(server, &client);
    if (result == 0 && client != NULL) {
        result = furnish(server, client);
    }
    if (result == 0 && client != NULL) {
        client = equip(server, client, &result);
    }
    if (result == 0 && client == NULL) {
        plx__os_close(descriptor);
        return 0;
    }
    if (result == 0) {
        result = connect_client(server, client, descriptor, remote);
    }
    if (result < 0) {
        plx_socket_free(client);
        return result;
    }
    if (PLX__SERVER_HANDLER(server, accepted) != NULL) {
        /* The handler may free the client, or the server with it. */
        plx__hold_enter(&client->hold);
        plx__socket_announce(client);
        server->events->accepted(server, client, server->user);
        plx__socket_leave(client);
    }
    return 0;
}

/* Admits a peer, or turns it away because its address has its clients already. A reset leaves
 * nothing of it in the kernel, where a flood of orderly ends would wait in FIN_WAIT2 and TIME_WAIT.
 * Nothing is reported: the flood would reach the program. */
static int let_in(plx_server *server, plx__fd descriptor, const struct plx__sockaddr *remote)
{
    plx_address address = address_of(remote);
    if (server->maximum_per_address == 0 ||
        plx__addresses_of(&server->addresses, &address) < server->maximum_per_address) {
        return admit(server, descriptor, remote);
    }
    plx__os_set_reset(descriptor);
    plx__os_close(descriptor);
    return 0;
}

/* Keeps a connection for which there is no memory, to make its client later. The peer notices
 * nothing, as if the connection still waited in the kernel's accept queue. To make the client
 * before accept(2) would not help: adding the descriptor to the group can fail too, and the program
 * would be asked for sockets that are never used. */
static void keep_connection(plx_server *server, plx__fd descriptor)
{
    server->kept = descriptor;
    server->keeps = true;
}

static void drop_kept(plx_server *server)
{
    if (server->keeps) {
        server->keeps = false;
        plx__os_close(server->kept);
    }
}

/* Returns the descriptor of the next connection, or a negative errno. */
static plx__fd next_connection(plx_server *server, struct plx__sockaddr *ret_remote)
{
    if (!server->keeps) {
        return plx__os_accept(server->listener->watch.descriptor, ret_remote);
    }
    server->keeps = false;
    if (plx__os_remote_sockaddr(server->kept, ret_remote) < 0) {
        *ret_remote = (struct plx__sockaddr){0}; /* the peer has reset the connection meanwhile */
    }
    return server->kept;
}

/* Pauses accepting. Connections stay in the kernel's accept queue, so none is lost. */
static void stop_accepting(plx_server *server, int error)
{
    plx_socket *listener = server->listener;
    if (!server->exhausted && error == -PLX__ENOMEM) {
        plx__socket_fail_memory(listener, "accept");
    } else if (!server->exhausted) {
        plx__socket_fail_system(listener, error, "accept");
    }
    server->exhausted = true;
    plx__accepting_pause(listener);
}

static bool accept_one(plx_server *server)
{
    struct plx__sockaddr remote;
    plx_socket *listener = server->listener;
    if (!has_room(server)) {
        plx__accepting_stop(listener);
        return false;
    }
    plx__fd descriptor = next_connection(server, &remote);
    if (descriptor == -PLX__EAGAIN) {
        listener->watch.ready = 0;
        return false;
    }
    int result = descriptor < 0 ? descriptor : let_in(server, descriptor, &remote);
    if (result == 0) {
        server->exhausted = false;
        return true;
    }
    if (descriptor >= 0 && listener->state != PLX_LISTENING) {
        plx__os_close(descriptor); /* add_socket has stopped the server */
        return false;
    }
    if (descriptor >= 0) {
        keep_connection(server, descriptor);
    }
    stop_accepting(server, result);
    return false;
}

/* Handlers may free, stop and pause the server. */
static bool may_accept(const plx_server *server)
{
    return !server->hold.freed && server->listener->state == PLX_LISTENING &&
           server->listener->accepting == PLX__ACCEPTING;
}

static bool incoming(struct plx__owner *owner, plx_socket *listener, struct plx__budget *budget)
{
    plx_server *server = server_of(owner);
    bool more = true;
    if (listener != server->listener) {
        return false; /* a client that the program made listen */
    }
    plx__hold_enter(&server->hold);
    while (more && may_accept(server)) {
        more = accept_one(server);
        plx__budget_spend(budget, 0);
        if (more && plx__budget_is_spent(budget)) {
            listener->more = may_accept(server);
            break;
        }
    }
    plx__server_leave(server);
    return true;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void count_out(plx_server *server, plx_socket *client)
{
    if (server->last == &client->sibling) {
        /* The list begins with those that were not polled yet. */
        struct plx__list *before = client->sibling.previous;
        server->last = before == &server->clients || before == &server->ended ? NULL : before;
    }
    plx__list_remove(&client->sibling);
    if (client->client != PLX__CLIENT_NOT) {
        server->entering -= client->client == PLX__CLIENT_ENTERING ? 1 : 0;
        if (client->client != PLX__CLIENT_RETURNED) {
            plx__addresses_leave(&server->addresses, &client->remote);
        }
        client->client = PLX__CLIENT_NOT;
        server->count--;
        resume_accepting(server);
    }
}

static void schedule_reaper(plx_server *server)
{
    struct plx__loop *loop = server->listener->task.loop;
    if (loop != NULL) {
        plx__loop_reap(loop, &server->reaper);
    }
}

static void established(struct plx__owner *owner, plx_socket *socket)
{
    plx_server *server = server_of(owner);
    if (socket->client == PLX__CLIENT_ENTERING) {
        socket->client = PLX__CLIENT_COUNTED;
        server->entering--;
        resume_accepting(server);
    }
}

static void ended(struct plx__owner *owner, plx_socket *socket)
{
    plx_server *server = server_of(owner);
    if (socket == server->listener) {
        drop_kept(server);
        server->exhausted = false;
        return;
    }
    if (socket->client == PLX__CLIENT_NOT) {
        return;
    }
    count_out(server, socket);
    plx__list_append(&server->ended, &socket->sibling);
    schedule_reaper(server);
}

static void finished(struct plx__owner *owner, plx_socket *socket)
{
    plx_server *server = server_of(owner);
    if (socket != server->listener && socket->client == PLX__CLIENT_NOT) {
        schedule_reaper(server);
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

/* Frees the ended clients. A client with pending events is kept until they are dispatched. A client
 * that a handler has connected again goes back to the list of clients. */
static void reap_ended(struct plx__reaper *reaper)
{
    plx_server *server = PLX__CONTAINER_OF(reaper, plx_server, reaper);
    struct plx__list later;
    struct plx__list *link;
    plx__list_init(&later);
    while ((link = plx__list_take_first(&server->ended)) != NULL) {
        plx_socket *client = plx__clients_of(link);
        if (client->state != PLX_UNCONNECTED) {
            count_in(server, client, PLX__CLIENT_RETURNED);
        } else if (client->hold.count > 0 || client->pending != 0) {
            plx__list_append(&later, link);
        } else {
            plx_socket_free(client);
        }
    }
    plx__list_splice(&server->ended, &later);
}

const struct plx__owner plx__clients_owner = {.incoming = incoming,
                                              .established = established,
                                              .ended = ended,
                                              .finished = finished,
                                              .left = left};

const struct plx__reaper plx__clients_reaper = {.run = reap_ended};

/* ---- the active clients ---------------------------------------------------------------------- */

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
    if (server == NULL ||
        (previous != NULL && (!owns(server, previous) || previous->client == PLX__CLIENT_NOT))) {
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
