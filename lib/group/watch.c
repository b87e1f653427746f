/* lib/group/watch.c -- watches: members of a group with a descriptor of the program.
 *
 * A watch that wants something in a group is *engaged*: its task has a struct plx__watch for a copy
 * of the descriptor. Without the copy a program that closes its descriptor first, while another
 * descriptor of the same open file exists, would leave a registration in the epoll set that no call
 * can remove (epoll(7), questions and answers), which would report a watch that was freed; and the
 * removal by a number that was given to another file would deafen that file. To refuse the second
 * watch of a descriptor, as epoll does by EEXIST, was rejected: poll(2) does not notice it.
 *
 * The copy is a matter of the group: a watch that wants nothing or was removed has none, so that a
 * close of the program's descriptor closes the file. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/group/group.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"

#include <pollux/watch.h>

#define EVERYTHING ((unsigned)PLX_WANT_READ | (unsigned)PLX_WANT_WRITE)

_Static_assert((int)PLX_WANT_READ == PLX__READ && (int)PLX_WANT_WRITE == PLX__WRITE,
               "the bits of plx_want are those of an interest");

struct plx_watch {
    struct plx__guest guest; /* first, so that a task, a guest and a watch have one address */
    struct plx__watch watch; /* idle, or engaged for a copy of the descriptor */
    plx__fd descriptor;
    unsigned want;
    plx_watch_handler *handler;
    void *user;
};

plx_watch *plx_watch_new(plx_handle descriptor, plx_watch_handler *handler, void *user)
{
    plx_watch *watch = plx__guest_new(sizeof *watch, PLX__MEMBER_WATCH);
    if (watch != NULL) {
        watch->descriptor = descriptor;
        watch->handler = handler;
        watch->user = user;
    }
    return watch;
}

/* NULL for NULL; the cast is safe because the guest is the first member. */
static struct plx__guest *guest_of(plx_watch *watch)
{
    return (struct plx__guest *)watch;
}

static bool is_engaged(const plx_watch *watch)
{
    return watch->watch.task != NULL;
}

static void disengage(plx_watch *watch)
{
    if (is_engaged(watch)) {
        plx__watch_stop(&watch->watch);
        if (watch->watch.descriptor != watch->descriptor) {
            plx__os_close(watch->watch.descriptor);
        }
    }
}

/* Returns 0 or a negative errno, with the watch idle. */
static int engage(plx_watch *watch, unsigned want)
{
    int result = plx__os_check_pollable(watch->descriptor);
    if (result < 0) {
        return result;
    }
    plx__fd copy = plx__os_copy_spare(watch->descriptor);
    plx__fd chosen = copy < 0 ? watch->descriptor : copy;
    result = plx__watch_start(&watch->watch, &watch->guest.task, chosen, want);
    if (result < 0 && copy >= 0) {
        plx__os_close(copy);
    }
    return result;
}

/* EEXIST of a second watch for the program's own descriptor: there is no room for a copy. */
static int code_of(int code)
{
    return code == PLX__EEXIST ? PLX_OPEN_DRIVER : code;
}

plx_watch *plx_watch_free(plx_watch *watch)
{
    if (watch != NULL && !watch->guest.hold.freed) {
        disengage(watch);
        plx__guest_free(&watch->guest);
    }
    return NULL;
}

int plx_watch_set(plx_watch *watch, unsigned want)
{
    if (watch == NULL || watch->guest.hold.freed || (want & ~EVERYTHING) != 0) {
        return PLX_INVALID_STATE;
    }
    int result = 0;
    if (want == 0) {
        disengage(watch);
    } else if (is_engaged(watch)) {
        result = plx__watch_set(&watch->watch, want);
    } else if (watch->guest.task.loop != NULL) {
        result = engage(watch, want);
    }
    watch->want = result < 0 ? watch->want : want;
    return code_of(plx__error_code(-result));
}

static void hear_again(plx_watch *watch)
{
    plx__task_set_deadline(&watch->guest.task, plx__guest_hear_again(&watch->guest));
}

/* Before the call the kernel is asked once more: the readiness may be that of a frame whose budget
 * was spent, and handlers may have read the same file since. */
void plx__watch_input(struct plx__task *task, struct plx__budget *budget)
{
    plx_watch *watch = (plx_watch *)task;
    watch->watch.ready = 0;
    if (task->deadline.at != 0) {
        hear_again(watch);
    }
    if (plx__guest_is_busy(&watch->guest) || !is_engaged(watch) || plx__task_sleep(task, 0) == 0) {
        return;
    }
    unsigned ready = watch->watch.ready & watch->want;
    watch->watch.ready = 0;
    plx__budget_spend(budget, 0);
    if (watch->handler != NULL && ready != 0) {
        plx__hold_enter(&watch->guest.hold);
        watch->handler(watch, ready, watch->user);
        plx__guest_release(&watch->guest);
    }
}

/* The group was freed: without it the copy would keep the file open, and the watch would watch that
 * file in its next group, whatever has the number then. */
void plx__watch_leave(struct plx__task *task)
{
    disengage((plx_watch *)task);
}

int plx_group_add_watch(plx_group *group, plx_watch *watch)
{
    bool was_engaged = watch != NULL && is_engaged(watch);
    bool moves = group != NULL && watch != NULL && !group->hold.freed && !watch->guest.hold.freed &&
                 watch->guest.task.loop != &group->loop;
    if (!moves) {
        return plx__group_add_guest(group, guest_of(watch));
    }
    int result = plx__os_check_pollable(watch->descriptor);
    if (result == 0 && watch->want != 0 && !was_engaged) {
        result = engage(watch, watch->want);
    }
    int code = result < 0 ? plx__error_code(-result) : plx__group_add_guest(group, &watch->guest);
    if (code != 0 && !was_engaged) {
        disengage(watch);
    } else if (code != 0 && watch->guest.task.loop != NULL) {
        hear_again(watch);
    }
    return code_of(code);
}

void plx_group_remove_watch(plx_group *group, plx_watch *watch)
{
    if (group != NULL && watch != NULL && watch->guest.task.loop == &group->loop) {
        plx__group_remove_guest(group, &watch->guest);
        disengage(watch);
    }
}
