/* pollux/group.h -- many sockets and servers, served by one poll.
 *
 * The cost of a poll grows with the work to do, not with the number of members: a frame in which
 * nothing arrived makes one system call, and none with io_uring. A group belongs to one thread at a
 * time, together with its members and their clients. Only plx_group_wake may be called from
 * elsewhere.
 *
 * plx_group_add adds a socket; plx_group_add_server adds a server with its clients. A poll sends
 * what was written before it. A program that polls first and writes then calls plx_group_flush at
 * the end of its frame.
 *
 * To serve a group inside another event loop, let the loop wait until plx_group_handle is readable,
 * but not longer than plx_group_deadline returns, and then call plx_group_poll with 0. */
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

/* plx_group_new makes an empty group with the best mechanism that the kernel has. The environment
 * variable POLLUX_POLLER (uring, epoll or poll) overrides the choice; an unknown name is ignored.
 * The library does not choose io_uring where the kernel, a container or a limit refuses it. You
 * free the group with plx_group_free. Returns NULL when there is no memory or no descriptor, or
 * when the kernel refuses the mechanism that POLLUX_POLLER names. */
PLX_API plx_group *plx_group_new(void);

/* plx_group_free frees the group; its members live on, and each is then polled by itself. Allowed
 * in any handler. Accepts NULL; returns NULL. */
PLX_API plx_group *plx_group_free(plx_group *group);

/* plx_group_add makes a socket a member; a member of another group moves, a member of this group
 * stays. The group borrows the socket: you free the socket, which then leaves the group by itself.
 * Returns 0, PLX_OUT_OF_MEMORY, PLX_INVALID_STATE for NULL, or an errno; unless 0, the socket stays
 * where it was. */
PLX_API int plx_group_add(plx_group *group, plx_socket *socket);

/* plx_group_add_server makes a server, its clients and its later clients members. The group borrows
 * the server. Returns as plx_group_add does; a server that cannot move as a whole does not move. */
PLX_API int plx_group_add_server(plx_group *group, plx_server *server);

/* plx_group_remove takes the socket out of the group; the socket stays connected, and is then
 * polled by itself. Does nothing for a socket that is not a member. */
PLX_API void plx_group_remove(plx_group *group, plx_socket *socket);

/* plx_group_remove_server takes the server and all its clients out of the group. Does nothing for a
 * server that is not a member. */
PLX_API void plx_group_remove_server(plx_group *group, plx_server *server);

/* plx_group_poll serves every member that has work: receives, calls the handlers, sends. With 0 the
 * call never blocks: that is a frame. Otherwise it first sleeps until a member has work, but not
 * longer than `timeout_ms`; -1 sets no limit. plx_group_wake and a signal handler end the sleep, and
 * so does each quarter of a time-out of a member (<pollux/clock.h>), even if no handler follows.
 * Returns true when work is left because the budget ran out: poll again soon; the next poll begins
 * with the members that had to wait. In a handler that this group called, the call does nothing and
 * returns false. */
PLX_API bool plx_group_poll(plx_group *group, int timeout_ms);

/* plx_group_flush sends what is queued in all members now, as much as the kernel takes. It ends a
 * frame that polled first and wrote then. Returns 0, and the next poll reports failures;
 * PLX_INVALID_STATE for NULL. */
PLX_API int plx_group_flush(plx_group *group);

/* plx_group_set_budget limits the work of one poll to `microseconds` and, in each direction, to
 * `bytes`; 0 sets no limit. The time includes handlers, but the library does not interrupt a
 * handler; when the time is over, replies that handlers wrote may wait for the next poll.
 * Accepting, lookups and time-outs count, too. The default is 0 and 1 MiB; a socket that is in no
 * group has 256 KiB. Filters that are being established, as in a TLS handshake, have one step of
 * `establish` for each 128 KiB, at least one and by default 8 in a poll; these steps take nothing
 * from the bytes of the members that are established. */
PLX_API void plx_group_set_budget(plx_group *group, int microseconds, size_t bytes);

/* plx_group_wake ends the sleep of a poll, or the sleep of the next poll. This call alone is
 * allowed from any thread and from a signal handler, as long as no thread frees the group. */
PLX_API void plx_group_wake(plx_group *group);

/* plx_group_handle returns a descriptor that is readable, level-triggered, while the kernel has
 * work for the group. The descriptor belongs to the group and stays the same as long as the group
 * lives: watch it, never read or close it. The descriptor does not show work that waits in memory:
 * ask plx_group_deadline as well. Returns PLX_NO_HANDLE for a group that polls by poll(2): another
 * loop then has nothing to watch and polls the group every few milliseconds. */
PLX_API plx_handle plx_group_handle(const plx_group *group);

/* plx_group_deadline returns in how many milliseconds the program must poll the group even if the
 * handle is not readable: 0 for now, -1 for never. */
PLX_API int plx_group_deadline(const plx_group *group);

/* plx_group_count returns how many sockets are members, including the clients of servers. */
PLX_API size_t plx_group_count(const plx_group *group);

/* plx_group_mechanism returns the name of the mechanism that the group polls with: "io_uring",
 * "epoll" or "poll". Static; "" for NULL. */
PLX_API const char *plx_group_mechanism(const plx_group *group);

PLX_END_DECLS

#endif
