/* pollux/watch.h -- a descriptor of the program that a group watches.
 *
 * For what is no socket of Pollux: standard input, pipes, signalfd(2), timerfd(2), inotify(7), the
 * sockets of other libraries. The group only reports that the descriptor is ready; the program reads
 * and writes it:
 *
 *     static void typed(plx_watch *watch, unsigned ready, void *user) { ... read(0, ...) ... }
 *
 *     plx_watch *watch = plx_watch_new(0, typed, game);
 *     plx_watch_set(watch, PLX_WANT_READ);
 *     plx_group_add_watch(group, watch);
 *
 * Watches are level-triggered: each poll of the group calls the handler once, as long as the
 * descriptor is ready for what is wanted. The library asks the kernel again right before the call:
 * a handler that has emptied a pipe spares other watches of the pipe the call. A watch may be set,
 * moved and freed in any handler, also in its own; its own handler is never called inside itself.
 *
 * A watch in a group that wants something keeps a second descriptor of the same open file (dup(2)),
 * so that several watches may have one descriptor. Stop the watch before you close the descriptor:
 * set PLX_WANT_NOTHING, take it out of its group, or free the watch or the group. If you close the
 * descriptor first, the file stays open, and is reported, until the watch is stopped.
 *
 * The library leaves the last descriptors that RLIMIT_NOFILE allows to the program: a quarter, at
 * most 256. A watch that would need one of them has no second descriptor. Then another watch of the
 * descriptor is refused with PLX_OPEN_DRIVER, unless the group polls with poll(2); and to close the
 * descriptor before the watch is stopped is an error that the library cannot make harmless. */
#ifndef POLLUX_WATCH_H
#define POLLUX_WATCH_H

#include <pollux/export.h>
#include <pollux/filter.h>
#include <pollux/group.h>

PLX_BEGIN_DECLS

/* A watch. Opaque. */
typedef struct plx_watch plx_watch;

/* plx_watch_handler is called while the descriptor is ready, from a poll of the group and nowhere
 * else. `ready` has those bits of plx_want that are wanted and ready now, at least one. It may make
 * any call, and may free the watch. */
typedef void plx_watch_handler(plx_watch *watch, unsigned ready, void *user);

/* plx_watch_new makes a watch that wants nothing and is in no group. The descriptor stays yours: the
 * library neither reads nor closes it, nor makes it non-blocking. `handler` NULL: the watch only
 * ends the sleep of its group. `user` is passed to the handler. You free the watch with
 * plx_watch_free. Returns NULL without memory. */
PLX_API plx_watch *plx_watch_new(plx_handle descriptor, plx_watch_handler *handler, void *user);

/* plx_watch_free stops the watch, takes it out of its group and frees it. Accepts NULL; returns
 * NULL. */
PLX_API plx_watch *plx_watch_free(plx_watch *watch);

/* plx_watch_set sets what the watch wants: PLX_WANT_NOTHING, or PLX_WANT_READ, PLX_WANT_WRITE or
 * both. A hang-up or an error of the descriptor sets every wanted bit of `ready`; a watch that wants
 * nothing reports nothing. Returns 0; PLX_INVALID_STATE for NULL and for other bits; in a group also
 * as plx_group_add_watch does. Unless 0, the watch wants what it wanted before. */
PLX_API int plx_watch_set(plx_watch *watch, unsigned want);

/* plx_group_add_watch makes a watch a member; a member of another group moves, a member of this
 * group stays. The group borrows the watch: you free the watch, which then leaves the group by
 * itself. plx_group_count does not count watches. Returns 0; EPERM for a regular file, a directory
 * and a block device, which are always ready; EBADF for what is no descriptor; PLX_INVALID_STATE for
 * NULL; PLX_OUT_OF_MEMORY, PLX_OPEN_DRIVER when there are no descriptors left, or another errno, such
 * as EPERM of epoll_ctl(2) for a device that has nothing to wait for (/dev/null). Unless 0, the watch
 * stays where it was. */
PLX_API int plx_group_add_watch(plx_group *group, plx_watch *watch);

/* plx_group_remove_watch takes the watch out of the group; what it wants stays set. Does nothing for
 * a watch that is not a member, and for NULL. */
PLX_API void plx_group_remove_watch(plx_group *group, plx_watch *watch);

PLX_END_DECLS

#endif
