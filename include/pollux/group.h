/* pollux/group.h -- many sockets and servers, served by one poll.
 *
 * A poll costs as much as there is to do, never as many members as there are: a frame in which
 * nothing arrived is one system call, and none with io_uring. A group belongs to one thread at a
 * time, and its members and their clients go with it. Only plx_group_wake may be called from
 * elsewhere.
 *
 * Sockets are added by plx_group_add, servers with their clients by plx_group_add_server. What is
 * written before a poll leaves in that poll; a program that polls first and writes then ends its
 * frame by plx_group_flush.
 *
 * To serve a group inside another event loop, let that wait for plx_group_handle to become
 * readable, but no longer than plx_group_deadline says, and then call plx_group_poll with 0. */
#ifndef POLLUX_GROUP_H
#define POLLUX_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/events.h>
#include <pollux/export.h>
#include <pollux/server.h>

PLX_BEGIN_DECLS

/* A group. Opaque. */
typedef struct plx_group plx_group;

/* plx_group_new makes an empty group with the best mechanism that this system has. The environment
 * variable POLLUX_POLLER (uring, epoll or poll) overrides the choice; a name that is unknown here is
 * ignored. io_uring is passed over where the kernel, a container or a limit refuses it. You free the
 * group with plx_group_free. NULL for want of memory or descriptors, or where what POLLUX_POLLER
 * names is refused. */
PLX_API plx_group *plx_group_new(void);

/* plx_group_free frees the group; its members live on and are polled one by one. Allowed in any
 * handler. Takes NULL; returns NULL. */
PLX_API plx_group *plx_group_free(plx_group *group);

/* plx_group_add makes a socket a member; one of another group moves, one of this group stays. The
 * group borrows it: you free it, and it leaves by itself then. Returns 0, PLX_OUT_OF_MEMORY,
 * PLX_INVALID_STATE for NULL, or the system's error; then the socket is where it was. */
PLX_API int plx_group_add(plx_group *group, plx_socket *socket);

/* plx_group_add_server makes a server and all its clients, now and later, members. The group
 * borrows the server. Returns as plx_group_add does; a server that could not move as a whole has not
 * moved. */
PLX_API int plx_group_add_server(plx_group *group, plx_server *server);

/* plx_group_remove makes the socket a lone one again, connected as it is. Nothing for one that is
 * no member. */
PLX_API void plx_group_remove(plx_group *group, plx_socket *socket);

/* plx_group_remove_server makes the server and all its clients leave. Nothing for one that is no
 * member. */
PLX_API void plx_group_remove_server(plx_group *group, plx_server *server);

/* plx_group_poll serves every member that has something: receives, calls the handlers, sends. With
 * 0 it never blocks: that is a frame. Else it first sleeps until there is something, but no longer
 * than `timeout_ms`; -1 is for ever. plx_group_wake ends the sleep, and so does a signal handler.
 * Returns true when work is left because the budget ran out: poll again soon, and those who had to
 * wait come first. False in a handler that it called, where it does nothing. */
PLX_API bool plx_group_poll(plx_group *group, int timeout_ms);

/* plx_group_flush sends now what is queued in all members, as much as the system takes: the end of
 * a frame that polled first and wrote then. Returns 0; failures are told by the next poll.
 * PLX_INVALID_STATE for NULL. */
PLX_API int plx_group_flush(plx_group *group);

/* plx_group_set_budget sets what one poll may do at most: so many microseconds, and so many bytes
 * in each direction; 0 is no bound. Handlers count in the time, but are not interrupted; when it is
 * over, replies that they wrote may have to wait for the next poll. Accepting, look-ups and
 * time-outs count, too. The default is 0 and 1 MiB; a socket that is in no group has 256 KiB. */
PLX_API void plx_group_set_budget(plx_group *group, int microseconds, size_t bytes);

/* plx_group_wake ends a sleeping poll, or the next one's sleep. The only call that is allowed from
 * any thread and from a signal handler, as long as the group is not being freed. */
PLX_API void plx_group_wake(plx_group *group);

/* plx_group_handle returns a descriptor that is readable, level-triggered, while the system has
 * work for the group; -1 where the mechanism has none. It belongs to the group and is the same as
 * long as the group lives: watch it, never read or close it. Work that waits in memory does not show
 * in it: ask plx_group_deadline as well. */
PLX_API int plx_group_handle(const plx_group *group);

/* plx_group_deadline returns after how many milliseconds the group must be polled even if its
 * handle is not readable: 0 for now, -1 for never. */
PLX_API int plx_group_deadline(const plx_group *group);

/* plx_group_count returns how many sockets are members, servers' clients included. */
PLX_API size_t plx_group_count(const plx_group *group);

/* plx_group_mechanism returns the name of what the group polls with: "io_uring", "epoll" or "poll".
 * Static; "" for NULL. */
PLX_API const char *plx_group_mechanism(const plx_group *group);

PLX_END_DECLS

#endif
