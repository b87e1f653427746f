/* lib/group/server.c -- the life of a server, its properties, and serving it. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/group/server.h"
#include "lib/os/errno.h"
#include "lib/socket/adopt.h"
#include "lib/socket/failure.h"
#include "lib/socket/move.h"
#include "lib/socket/serve.h"

#include <pollux/command.h>

/* The longest sleep of a server without a group, in milliseconds. */
#define GROUPLESS_SLEEP 100

static void release_equipment(struct plx__equipment *equipment)
{
    while (equipment != NULL) {
        struct plx__equipment *next = equipment->next;
        if (equipment->release != NULL) {
            equipment->release(equipment->user);
        }
        plx__memory_free(equipment);
        equipment = next;
    }
}

static void destroy_server(plx_server *server)
{
    plx_group_free(server->own);
    release_equipment(server->equipment);
    plx__addresses_clear(&server->addresses);
    plx__memory_free(server);
}

void plx__server_leave(plx_server *server)
{
    if (plx__hold_leave(&server->hold)) {
        destroy_server(server);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static void listener_failed(plx_socket *socket, const plx_error *error, void *user)
{
    plx_server *server = user;
    (void)socket;
    if (PLX__SERVER_HANDLER(server, error) != NULL) {
        plx__hold_enter(&server->hold);
        server->events->error(server, error, server->user);
        plx__server_leave(server);
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
    server->owner = plx__clients_owner;
    server->reaper = plx__clients_reaper;
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
    while ((link = plx__list_take_first(list)) != NULL) {
        plx_socket_free(plx__clients_of(link));
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
    plx__list_remove(&server->reaper.link);
    plx_socket_free(server->listener);
    if (idle) {
        destroy_server(server);
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

/* Drops the listener's pending events: no handler receives the listener's states, so there is
 * nothing to do until a connection arrives. */
static int listens(plx_server *server, int code)
{
    if (code == 0) {
        server->listener->pending = 0;
        plx__list_remove(&server->listener->task.work);
    }
    return code;
}

int plx_server_set_frame(plx_server *server, const plx_frame *frame)
{
    return server == NULL || server->hold.freed ? PLX_INVALID_STATE
                                                : plx_socket_set_frame(server->listener, frame);
}

int plx_server_set_commands(plx_server *server, unsigned flags)
{
    return server == NULL || server->hold.freed ? PLX_INVALID_STATE
                                                : plx_socket_set_commands(server->listener, flags);
}

int plx_server_add_filter(plx_server *server, int (*equip)(plx_socket *client, void *user),
                          void (*release)(void *user), void *user)
{
    if (server == NULL || server->hold.freed) {
        return PLX_INVALID_STATE;
    }
    if (equip == NULL || server->listener->kind->transport->keeps_boundaries) {
        return plx__socket_refuse(
            server->listener, PLX_REASON_UNSUPPORTED_OPERATION, "add a filter to a server: %s",
            equip == NULL ? "no function given" : "only streams have filters");
    }
    struct plx__equipment *equipment = plx__memory_new(sizeof *equipment);
    if (equipment == NULL) {
        return plx__socket_fail_memory(server->listener, "add a filter to a server");
    }
    struct plx__equipment **last = &server->equipment;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    equipment->equip = equip;
    equipment->release = release;
    equipment->user = user;
    *last = equipment;
    return 0;
}

int plx_server_listen_on(plx_server *server, const char *where)
{
    if (server == NULL || server->hold.freed) {
        return PLX_INVALID_STATE;
    }
    if (plx_socket_is_listening(server->listener)) {
        return plx__socket_refuse(
            server->listener, PLX_REASON_OPERATION,
            "listen: the server is listening already, call plx_server_stop_listening first");
    }
    return listens(server, plx_socket_listen_on(server->listener, where));
}

int plx_server_adopt(plx_server *server, plx_handle descriptor)
{
    struct plx__os_socket_facts facts;
    if (server == NULL || server->hold.freed) {
        return PLX_INVALID_STATE;
    }
    int result = plx__socket_inspect(server->listener, descriptor, &facts);
    if (result == 0 && !facts.listening) {
        return plx__socket_refuse(server->listener, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "adopt descriptor %d: it does not listen", descriptor);
    }
    return listens(server, plx_socket_adopt(server->listener, descriptor));
}

int plx_server_adopt_activated(plx_server *server, const char *name)
{
    if (server == NULL || server->hold.freed) {
        return PLX_INVALID_STATE;
    }
    plx__fd descriptor = plx__socket_find_activated(server->listener, name, true);
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

/* ---- serving --------------------------------------------------------------------------------- */

/* Adds the clients of a list, none after the first failure; returns that, `code` if it is one. */
static int add_list(plx_group *group, const struct plx__list *list, int code)
{
    for (struct plx__list *link = list->next; code == 0 && link != list; link = link->next) {
        code = plx_group_add(group, plx__clients_of(link));
    }
    return code;
}

static int add_to(plx_group *group, plx_server *server)
{
    int code = plx_group_add(group, server->listener);
    code = add_list(group, &server->clients, code);
    /* Clients that have ended may still have pending events. */
    code = add_list(group, &server->ended, code);
    if (code == 0 && !plx__list_is_empty(&server->ended)) {
        plx__list_remove(&server->reaper.link);
        plx__loop_reap(&group->loop, &server->reaper);
    }
    return code;
}

static void return_list(struct plx__loop *loop, const struct plx__list *list)
{
    for (struct plx__list *link = list->next; link != list; link = link->next) {
        plx__group_return(loop, plx__clients_of(link));
    }
}

/* Returns a server to where it was, as a whole. NULL: it was in no group. */
static void return_to(struct plx__loop *loop, plx_server *server)
{
    plx__group_return(loop, server->listener);
    return_list(loop, &server->clients);
    return_list(loop, &server->ended);
    plx__list_remove(&server->reaper.link);
    if (loop != NULL && !plx__list_is_empty(&server->ended)) {
        plx__loop_reap(loop, &server->reaper);
    }
}

int plx_group_add_server(plx_group *group, plx_server *server)
{
    if (group == NULL || server == NULL || server->hold.freed) {
        return PLX_INVALID_STATE;
    }
    struct plx__loop *before = server->listener->task.loop;
    int code = add_to(group, server);
    if (code != 0) {
        return_to(before, server);
    }
    return code;
}

static void remove_list(plx_group *group, const struct plx__list *list)
{
    for (struct plx__list *link = list->next; link != list; link = link->next) {
        plx_group_remove(group, plx__clients_of(link));
    }
}

void plx_group_remove_server(plx_group *group, plx_server *server)
{
    if (group == NULL || server == NULL || server->hold.freed ||
        server->listener->task.loop != &group->loop) {
        return;
    }
    plx_group_remove(group, server->listener);
    remove_list(group, &server->clients);
    remove_list(group, &server->ended);
    plx__list_remove(&server->reaper.link);
}

/* Returns the server's own group. Clients that were accepted in a program's group, which has been
 * freed since, are in no group; they join the own group too. */
static plx_group *own_group(plx_server *server)
{
    plx_socket *listener = server->listener;
    int result = 0, code = 0;
    if (server->own == NULL) {
        server->own = plx__group_new(&result);
    }
    if (server->own != NULL && listener->task.loop == NULL) {
        code = plx_group_add_server(server->own, server);
    }
    if (result == 0 && code == 0) {
        server->groupless = false;
        return server->own;
    }
    if (!server->groupless && result < 0 && result != -PLX__ENOMEM) {
        plx__socket_fail_system(listener, result, "make the group of a server");
    } else if (!server->groupless) {
        plx__socket_fail_memory(listener, "make the group of a server");
    }
    server->groupless = true;
    return NULL;
}

/* All clients together have the steps of one poll of a group. */
static size_t steps_of(const plx_server *server)
{
    const struct plx__loop *loop = server->listener->task.loop;
    return loop == NULL ? plx__budget_steps(PLX__GROUP_BYTES) : plx__loop_steps(loop);
}

/* The steps left for one poll, and how many of the list polled last were polled while there were
 * any. */
struct shared_steps {
    size_t left, polled;
};

static bool poll_client(plx_socket *client, struct shared_steps *steps)
{
    struct plx__budget budget = plx__socket_budget();
    budget.steps = steps->left;
    bool more = plx__socket_poll(client, &budget);
    steps->left = budget.steps;
    return more;
}

/* Polls each socket of the list once. Each is moved to the end of the list first, because handlers
 * may free any of them, and end others: so a number of sockets to poll would be wrong. */
static bool poll_list(plx_server *server, struct plx__list *list, struct shared_steps *steps)
{
    bool more = false;
    steps->polled = 0;
    server->last = plx__list_is_empty(list) ? NULL : list->previous;
    while (server->last != NULL && !server->hold.freed) {
        struct plx__list *link = plx__list_take_first(list);
        server->last = server->last == link ? NULL : server->last;
        plx__list_append(list, link);
        bool had_steps = steps->left > 0;
        more = poll_client(plx__clients_of(link), steps) || more;
        bool stays = list->previous == link;
        steps->polled += had_steps && stays;
    }
    server->last = NULL;
    return more;
}

/* The next poll begins with the first client for which no step was left: those before it might take
 * the steps each time. */
static void rotate(struct plx__list *list, size_t count)
{
    for (size_t i = 0; i < count && !plx__list_is_empty(list); i++) {
        plx__list_append(list, plx__list_take_first(list));
    }
}

/* Polls the server's sockets one by one, when they are in a group of the program. */
static bool poll_members(plx_server *server)
{
    struct shared_steps steps = {steps_of(server), 0};
    bool more = plx_socket_poll(server->listener);
    /* The ended ones go first: a client that ends now moves to that list, and was polled
     * already. */
    more = poll_list(server, &server->ended, &steps) || more;
    more = poll_list(server, &server->clients, &steps) || more;
    if (!server->hold.freed) {
        rotate(&server->clients, steps.left == 0 ? steps.polled : 0);
        plx__list_remove(&server->reaper.link);
        server->reaper.run(&server->reaper);
    }
    return more;
}

/* Serves a server whose own group could not be made. Only a group can wait for all sockets, so this
 * waits a short time for the listener alone. */
static bool serve_without_group(plx_server *server, int timeout_ms, bool *ret_found)
{
    bool over = timeout_ms >= 0 && timeout_ms <= GROUPLESS_SLEEP;
    int sleep = over ? timeout_ms : GROUPLESS_SLEEP;
    size_t ready = sleep == 0 ? 0 : plx__task_sleep(&server->listener->task, sleep);
    *ret_found = ready > 0 || !over;
    return poll_members(server);
}

/* Whether anything can happen to a server that nobody else polls. */
static bool can_follow(const plx_server *server)
{
    return server->count > 0 || server->keeps ||
           plx_socket_state(server->listener) != PLX_UNCONNECTED;
}

/* Serves once. In a group of the program, and with `alone`, only the server's sockets are polled;
 * otherwise the whole group, which can sleep. */
static bool serve_server(plx_server *server, bool alone, int timeout_ms, bool *ret_found)
{
    struct plx__loop *loop = server->listener->task.loop;
    bool theirs = loop != NULL && (server->own == NULL || loop != &server->own->loop);
    timeout_ms = theirs || can_follow(server) ? timeout_ms : 0;
    plx_group *group = theirs ? plx__group_of(loop) : own_group(server);
    bool more = false;
    *ret_found = false;
    if (server->polling || (group != NULL && group->loop.phase != PLX__RESTING)) {
        return false;
    }
    server->polling = true;
    plx__hold_enter(&server->hold);
    if (group == NULL) {
        more = serve_without_group(server, timeout_ms, ret_found);
    } else if (theirs && alone) {
        more = poll_members(server);
    } else {
        more = plx__group_poll(group, timeout_ms, ret_found);
    }
    server->polling = false;
    plx__server_leave(server);
    return more;
}

bool plx_server_poll(plx_server *server)
{
    bool found;
    return server != NULL && !server->hold.freed && serve_server(server, true, 0, &found);
}

bool plx_server_wait(plx_server *server, int timeout_ms)
{
    bool found = false;
    if (server != NULL && !server->hold.freed) {
        serve_server(server, false, timeout_ms, &found);
    }
    return found;
}
