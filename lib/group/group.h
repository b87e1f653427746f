/* lib/group/group.h -- many sockets, one poll.
 *
 * Design: a group is a loop (lib/poll/loop.h) whose tasks are sockets. It knows nothing of servers but
 * that their listeners and clients are sockets too. A server that is in no group has a group of its
 * own. */
#ifndef PLX_LIB_GROUP_H
#define PLX_LIB_GROUP_H

#include "lib/base/event.h"
#include "lib/poll/loop.h"

#include <pollux/group.h>

struct plx_group {
    struct plx__loop loop;
    struct plx__hold hold;
};

/* plx__group_new is plx_group_new, and sets *ret_error to a negative errno when that is NULL. */
plx_group *plx__group_new(int *ret_error);

/* plx__group_poll is plx_group_poll, and says whether there was anything to serve: the group may be
 * gone afterwards. */
bool plx__group_poll(plx_group *group, int timeout_ms, bool *ret_found);

/* plx__group_of returns the group that a loop belongs to; NULL for NULL. */
plx_group *plx__group_of(struct plx__loop *loop);

#endif
