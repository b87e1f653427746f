/* lib/group/server.h -- a listener and its clients.
 *
 * Design: the listener is a socket like any other, of the constructor's kind. When a connection
 * waits, the listener calls its owner, which is the server. The server has a list of its clients
 * and a list of those that have ended. The ended ones are freed at the end of the frame: by then
 * every handler that may still use them has returned.
 *
 *      accept --> clients --ended--> ended --all was reported, end of a frame--> freed
 *                    ^                 |
 *                    +--- connecting --+
 *                         again
 *
 * Invariant: whenever a client ends, and whenever an ended client has no pending events any more,
 * the reaper is put on the list of the listener's loop. The reaper never puts itself there: the
 * loop of a client with pending events serves the client first, and that puts the reaper on the
 * list again.
 *
 * A server that is in no group makes one of its own when it is first polled. */
#ifndef PLX_LIB_SERVER_H
#define PLX_LIB_SERVER_H

#include "lib/group/addresses.h"
#include "lib/group/group.h"
#include "lib/socket/object.h"

#include <pollux/filter.h>
#include <pollux/server.h>

/* One call of plx_server_add_filter. */
struct plx__equipment {
    struct plx__equipment *next;
    int (*equip)(plx_socket *client, void *user);
    void (*release)(void *user);
    void *user;
};

struct plx_server {
    plx_constructor *constructor;
    plx_socket *listener;
    plx_group *own; /* the server's own group; NULL: not needed yet */
    struct plx__owner owner;
    struct plx__reaper reaper;
    struct plx__hold hold;
    struct plx__list clients, ended;
    size_t count;    /* of clients */
    size_t entering; /* of those whose filters are not established yet */
    size_t maximum;  /* 0: none */
    size_t maximum_per_address;      /* 0: none, and `addresses` is empty */
    struct plx__addresses addresses; /* of the clients that were accepted */
    bool exhausted;  /* the process has no descriptors or memory left, and that was reported */
    bool keeps;      /* an accepted connection waits for memory for its client */
    plx__fd kept;    /* its descriptor */
    bool groupless;  /* making `own` has failed, and that was reported */
    bool polling;
    struct plx__list *last; /* of clients or ended, while these are polled one by one */
    const plx_server_events *events;
    size_t events_size;
    void *user;
    struct plx__handlers client_handlers;
    struct plx__equipment *equipment; /* for later clients; NULL: they have no filters */
};

/* A handler of the program's table; NULL: the table has none. */
#define PLX__SERVER_HANDLER(server, member)                                                        \
    ((server)->events != NULL &&                                                                   \
             offsetof(plx_server_events, member) + sizeof(server)->events->member <=               \
                 (server)->events_size                                                             \
         ? (server)->events->member                                                                \
         : NULL)

/* plx__server_leave ends a hold on the server, and destroys the server if it was freed
 * meanwhile. */
void plx__server_leave(plx_server *server);

/* ---- clients (clients.c) --------------------------------------------------------------------- */

/* The functions that the sockets of a server call, and the reaper that frees the clients that have
 * ended and have no pending events. */
extern const struct plx__owner plx__clients_owner;
extern const struct plx__reaper plx__clients_reaper;

/* plx__clients_of returns the client that a link is part of; NULL for NULL. */
static inline plx_socket *plx__clients_of(struct plx__list *link)
{
    return link == NULL ? NULL : PLX__CONTAINER_OF(link, plx_socket, sibling);
}

#endif
