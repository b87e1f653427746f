/* pollux/timer.h -- a moment at which a group calls the program, once or again and again.
 *
 * Make a timer, add it to a group and set it. When its moment has passed, a poll of the group calls
 * its handler:
 *
 *     static void save(plx_timer *timer, void *user) { ... }
 *
 *     plx_timer *timer = plx_timer_new(save, game);
 *     plx_group_add_timer(group, timer);
 *     plx_timer_set(timer, 60000, true);
 *
 * A timed poll of the group (plx_group_poll) sleeps no longer than until the next timer is due, and
 * plx_group_deadline knows it. In one poll each timer is handled once at most. Those that are due
 * are handled in the order of their moments, and equal moments in the order in which the timers were
 * set or added to the group.
 *
 * A timer may be set, stopped, moved and freed in any handler, also in its own; its own handler is
 * never called inside itself. A timer that is in no group goes on, and is handled late, once it has
 * joined one. Time is that of <pollux/clock.h>: a timer whose moment passed while the process was
 * halted is handled in the next poll. */
#ifndef POLLUX_TIMER_H
#define POLLUX_TIMER_H

#include <stdbool.h>

#include <pollux/export.h>
#include <pollux/group.h>

PLX_BEGIN_DECLS

/* A timer. Opaque. */
typedef struct plx_timer plx_timer;

/* plx_timer_handler is called when the timer is due, from a poll of its group and nowhere else. It
 * may make any call, and may free the timer. */
typedef void plx_timer_handler(plx_timer *timer, void *user);

/* plx_timer_new makes a timer that is not running and in no group. `handler` NULL: the timer only
 * ends the sleep of its group. `user` is passed to the handler. You free the timer with
 * plx_timer_free. Returns NULL without memory. */
PLX_API plx_timer *plx_timer_new(plx_timer_handler *handler, void *user);

/* plx_timer_free stops the timer, takes it out of its group and frees it. Accepts NULL; returns
 * NULL. */
PLX_API plx_timer *plx_timer_free(plx_timer *timer);

/* plx_timer_set makes the timer due in that number of milliseconds from now, instead of what was
 * set before. 0: in the next poll, never in the present one. -1 stops the timer, which is then never
 * due. With `repeat` the timer is due again and again with that pause, until it is set again; its
 * moments are fixed by this call: a late poll handles it once, without those that were missed, and
 * does not delay the next one. In the handler a repeated timer has been set for its next moment
 * already, and another one is stopped. Returns 0, or PLX_INVALID_STATE for NULL, for a number below
 * -1, and for 0 with `repeat`: nothing has changed then. */
PLX_API int plx_timer_set(plx_timer *timer, int milliseconds, bool repeat);

/* plx_timer_left returns in how many milliseconds the timer is due, rounded up: 0 when it is due
 * now. -1 when it is not running, and for NULL. */
PLX_API int plx_timer_left(const plx_timer *timer);

/* plx_group_add_timer makes a timer a member; a member of another group moves, a member of this
 * group stays. What is set stays set. The group borrows the timer: you free the timer, which then
 * leaves the group by itself. plx_group_free leaves its timers in no group. plx_group_count does not
 * count timers. Returns 0, or PLX_INVALID_STATE for NULL. */
PLX_API int plx_group_add_timer(plx_group *group, plx_timer *timer);

/* plx_group_remove_timer takes the timer out of the group; the timer goes on. Does nothing for a
 * timer that is not a member, and for NULL. */
PLX_API void plx_group_remove_timer(plx_group *group, plx_timer *timer);

PLX_END_DECLS

#endif
