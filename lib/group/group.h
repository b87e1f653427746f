/* lib/group/group.h -- many sockets, one poll.
 *
 * The folder lib/group/ serves many sockets together: a group polls them with one call, and a
 * server accepts clients. It may use every other folder of lib/. No folder uses it.
 *
 * Design: a group is a loop (lib/poll/loop.h) whose tasks are its members. A group does not know
 * servers: a server's listener and clients are sockets like any other. A server that is in no group
 * makes a group of its own. */
#ifndef PLX_LIB_GROUP_H
#define PLX_LIB_GROUP_H

#include "lib/base/hold.h"
#include "lib/poll/loop.h"

#include <pollux/group.h>

/* The bytes for one poll of a group, unless the program has set others. */
#define PLX__GROUP_BYTES ((size_t)1024 * 1024)

/* The sorts of members: the numbers of their services (lib/poll/loop.h). A zeroed task is a
 * socket's. */
enum plx__member { PLX__MEMBER_SOCKET };

struct plx_group {
    struct plx__loop loop;
    struct plx__hold hold;
};

/* plx__group_new does what plx_group_new does; if it returns NULL it sets *ret_error to a negative
 * errno. */
plx_group *plx__group_new(int *ret_error);

/* plx__group_poll does what plx_group_poll does, and sets *ret_found to whether it served anything.
 * A handler may free the group during the call. */
bool plx__group_poll(plx_group *group, int timeout_ms, bool *ret_found);

/* plx__group_of returns the group that a loop belongs to; NULL for NULL. */
plx_group *plx__group_of(struct plx__loop *loop);

/* plx__group_return makes a socket that could not join another group a member of the group that it
 * has left, by that group's loop; NULL: of none. A socket that the kernel does not watch again
 * either ends with that error, which is better than a member that never hears anything. */
void plx__group_return(struct plx__loop *loop, plx_socket *socket);

#endif
