/* lib/group/timer.c -- timers: members of a group with a deadline and nothing else.
 *
 * The deadline of the task is the moment at which the timer is due, 0 while it is not running. */
#include "config.h"

#include "lib/group/group.h"
#include "lib/os/clock.h"

#include <pollux/error.h>
#include <pollux/timer.h>

struct plx_timer {
    struct plx__guest guest; /* first, so that a task, a guest and a timer have one address */
    plx_timer_handler *handler;
    void *user;
    uint64_t period; /* nanoseconds; 0: the timer does not repeat */
};

plx_timer *plx_timer_new(plx_timer_handler *handler, void *user)
{
    plx_timer *timer = plx__guest_new(sizeof *timer, PLX__MEMBER_TIMER);
    if (timer != NULL) {
        timer->handler = handler;
        timer->user = user;
    }
    return timer;
}

/* NULL for NULL; the cast is safe because the guest is the first member. */
static struct plx__guest *guest_of(plx_timer *timer)
{
    return (struct plx__guest *)timer;
}

plx_timer *plx_timer_free(plx_timer *timer)
{
    plx__guest_free(guest_of(timer));
    return NULL;
}

int plx_timer_set(plx_timer *timer, int milliseconds, bool repeat)
{
    if (timer == NULL || timer->guest.hold.freed || milliseconds < -1 ||
        (milliseconds == 0 && repeat)) {
        return PLX_INVALID_STATE;
    }
    uint64_t pause = milliseconds < 0 ? 0 : (uint64_t)milliseconds * PLX__MILLISECOND;
    uint64_t at = milliseconds < 0 ? 0 : plx__clock_add(plx__clock_now(), pause);
    timer->period = repeat ? pause : 0;
    plx__task_renew_deadline(&timer->guest.task, at);
    return 0;
}

int plx_timer_left(const plx_timer *timer)
{
    uint64_t at = timer == NULL ? 0 : timer->guest.task.deadline.at;
    return at == 0 ? -1 : plx__milliseconds_until(at, plx__clock_now());
}

/* The first moment of the beat after `now`, for a timer that was due at `at`. */
static uint64_t next_beat(uint64_t at, uint64_t now, uint64_t period)
{
    uint64_t late = now > at ? (now - at) % period : 0;
    return plx__clock_add(now > at ? now : at, period - late);
}

void plx__timer_input(struct plx__task *task, struct plx__budget *budget)
{
    plx_timer *timer = (plx_timer *)task;
    uint64_t at = task->deadline.at;
    if (plx__guest_is_busy(&timer->guest)) {
        /* Its handler polls another group, to which it has moved the timer: the timer stays due. */
        plx__task_renew_deadline(task, at);
        return;
    }
    plx__budget_spend(budget, 0);
    uint64_t next = timer->period == 0 ? 0 : next_beat(at, plx__clock_now(), timer->period);
    plx__task_renew_deadline(task, next);
    if (timer->handler != NULL) {
        plx__hold_enter(&timer->guest.hold);
        timer->handler(timer, timer->user);
        plx__guest_release(&timer->guest);
    }
}

int plx_group_add_timer(plx_group *group, plx_timer *timer)
{
    return plx__group_add_guest(group, guest_of(timer));
}

void plx_group_remove_timer(plx_group *group, plx_timer *timer)
{
    plx__group_remove_guest(group, guest_of(timer));
}
