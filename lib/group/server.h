/* lib/group/server.h -- a listener and its clients.
 *
 * Design: the listener is a socket like any other, of the constructor's kind, whose owner is told
 * when a connection waits. The clients stand in one list, and in another when they have ended,
 * until the end of the frame, where they are freed: by then every handler that may still look at
 * them has returned.
 *
 *      accept --> clients --ended--> ended --all was reported, end of a frame--> freed
 *                    ^                 |
 *                    +--- connecting --+
 *                         again
 *
 * Invariant: each time a client has ended or, having ended, has nothing pending any more, the reaper is
 * put on the list of the listener's loop. The reaper itself never puts itself there: a client that still
 * has something pending is served by its own loop, whenever that is polled, and rests after that.
 *
 * A server that is in no group makes one of its own when it is first polled. */
#ifndef PLX_LIB_SERVER_H
#define PLX_LIB_SERVER_H

#include "lib/group/group.h"
#include "lib/socket/object.h"

#include <pollux/server.h>

struct plx_server {
    plx_constructor *constructor;
    plx_socket *listener;
    plx_group *own; /* the group of a server that is in none; NULL: not needed yet */
    struct plx__owner owner;
    struct plx__reaper reaper;
    struct plx__hold hold;
    struct plx__list clients, ended;
    size_t count;   /* of clients */
    size_t maximum; /* 0: none */
    bool exhausted; /* descriptors or memory ran out, and that was told */
    bool keeps;     /* an accepted connection waits for memory for its client */
    plx__fd kept;   /* its descriptor */
    bool groupless; /* the own group could not be made, and that was told */
    bool polling;
    const plx_server_events *events;
    size_t events_size;
    void *user;
    struct plx__handlers client_handlers;
};

/* The handler of the program's table, NULL where it has none. */
#define PLX__SERVER_HANDLER(server, member)                                                        \
    ((server)->events != NULL &&                                                                   \
             offsetof(plx_server_events, member) + sizeof(server)->events->member <=               \
                 (server)->events_size                                                             \
         ? (server)->events->member                                                                \
         : NULL)

/* plx__server_leave ends a hold on the server, and destroys it if it was freed meanwhile. */
void plx__server_leave(plx_server *server);

/* ---- how clients come and go (clients.c) ----------------------------------------------------- */

/* What the sockets of a server report to it, and what frees the clients that have ended and have
 * nothing more to report. */
extern const struct plx__owner plx__clients_owner;
extern const struct plx__reaper plx__clients_reaper;

/* plx__clients_of returns the client that a link stands for; NULL for NULL. */
static inline plx_socket *plx__clients_of(struct plx__list *link)
{
    return link == NULL ? NULL : PLX__CONTAINER_OF(link, plx_socket, sibling);
}

#endif
