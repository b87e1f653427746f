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
enum plx__member {
    PLX__MEMBER_SOCKET,
    PLX__MEMBER_TIMER,
    PLX__MEMBER_WATCH,
    PLX__MEMBER_LOOKUP,
    PLX__MEMBER_DISCOVERY
};

/* The services of the sorts that are no sockets. */
void plx__timer_input(struct plx__task *task, struct plx__budget *budget);
void plx__watch_input(struct plx__task *task, struct plx__budget *budget);
void plx__watch_leave(struct plx__task *task);
void plx__lookup_input(struct plx__task *task, struct plx__budget *budget);
void plx__discovery_input(struct plx__task *task, struct plx__budget *budget);

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

/* ---- guests ---------------------------------------------------------------------------------- */

/* A guest is a member that is no socket: a hidden task, which plx_group_count does not count. It is
 * held while its handler runs, a lookup also while it is polled and while it waits. A guest that is
 * freed meanwhile leaves its group at once, and its memory stays until it is released. */
struct plx__guest {
    struct plx__task task;
    struct plx__hold hold;
};

/* plx__guest_new allocates a zeroed guest of that size, which begins with struct plx__guest. NULL
 * without memory. */
void *plx__guest_new(size_t size, enum plx__member sort);

/* plx__guest_is_busy returns whether the guest is held: its handler must not be called then. */
static inline bool plx__guest_is_busy(const struct plx__guest *guest)
{
    return guest->hold.count > 0;
}

/* plx__guest_release ends a hold of the guest, and frees its memory if it was freed meanwhile. */
void plx__guest_release(struct plx__guest *guest);

/* plx__guest_free takes the guest out of its group, and frees its memory now or when it is
 * released. Does nothing for NULL. */
void plx__guest_free(struct plx__guest *guest);

/* plx__guest_hear_again makes the poller watch what it does not watch: a guest that could not join
 * another group returns to its own one, where the kernel may have no memory for it either. Returns
 * the moment of the next attempt, 0 when all is watched. */
uint64_t plx__guest_hear_again(struct plx__guest *guest);

/* plx__group_add_guest and plx__group_remove_guest do what plx_group_add_timer and
 * plx_group_remove_timer do. */
int plx__group_add_guest(plx_group *group, struct plx__guest *guest);
void plx__group_remove_guest(plx_group *group, struct plx__guest *guest);

#endif
