/* lib/group/group.c -- many sockets, one poll. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/group/group.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/socket/interest.h"
#include "lib/socket/object.h"
#include "lib/socket/serve.h"

/* Milliseconds between two attempts of plx__guest_hear_again. */
#define DEAF_PAUSE 10

static const struct plx__service services[] = {
    [PLX__MEMBER_SOCKET] = {.input = plx__socket_input,
                            .output = plx__socket_output,
                            .release = plx__socket_release,
                            .flush = plx__socket_flush},
    [PLX__MEMBER_TIMER] = {.input = plx__timer_input},
    [PLX__MEMBER_WATCH] = {.input = plx__watch_input, .leave = plx__watch_leave},
    [PLX__MEMBER_LOOKUP] = {.input = plx__lookup_input},
    [PLX__MEMBER_DISCOVERY] = {.input = plx__discovery_input},
};

plx_group *plx__group_new(int *ret_error)
{
    plx_group *group = plx__memory_new(sizeof *group);
    if (group == NULL) {
        *ret_error = -PLX__ENOMEM;
        return NULL;
    }
    group->loop.services = services;
    group->loop.budget_bytes = PLX__GROUP_BYTES;
    int result = plx__loop_open(&group->loop);
    if (result < 0) {
        plx__memory_free(group);
        *ret_error = result;
        return NULL;
    }
    return group;
}

plx_group *plx_group_new(void)
{
    int error;
    return plx__group_new(&error);
}

static void destroy_group(plx_group *group)
{
    plx__loop_close(&group->loop);
    plx__memory_free(group);
}

plx_group *plx_group_free(plx_group *group)
{
    if (group == NULL || group->hold.freed) {
        return NULL;
    }
    plx__loop_release(&group->loop);
    if (plx__hold_free(&group->hold)) {
        destroy_group(group);
    }
    return NULL;
}

plx_group *plx__group_of(struct plx__loop *loop)
{
    return loop == NULL ? NULL : PLX__CONTAINER_OF(loop, plx_group, loop);
}

/* ---- members --------------------------------------------------------------------------------- */

void plx__group_return(struct plx__loop *loop, plx_socket *socket)
{
    plx__loop_remove(&socket->task);
    int result = loop == NULL ? 0 : plx__loop_rejoin(loop, &socket->task);
    if (result < 0) {
        socket->watch_error = (int16_t)result;
    }
    if (plx__socket_is_unfinished(socket)) {
        plx__task_schedule_input(&socket->task);
    }
}

int plx_group_add(plx_group *group, plx_socket *socket)
{
    if (group == NULL || socket == NULL || group->hold.freed || socket->hold.freed) {
        return PLX_INVALID_STATE;
    }
    if (socket->task.loop == &group->loop) {
        return 0;
    }
    /* The socket keeps its blocks: any pool can take a block, whichever pool it is from. */
    struct plx__loop *before = socket->task.loop;
    plx__loop_remove(&socket->task);
    int result = plx__loop_add(&group->loop, &socket->task);
    if (result < 0) {
        plx__group_return(before, socket);
        return plx__error_code(-result);
    }
    if (plx__socket_is_unfinished(socket)) {
        plx__task_schedule_input(&socket->task);
    }
    return 0;
}

void plx_group_remove(plx_group *group, plx_socket *socket)
{
    if (group != NULL && socket != NULL && socket->task.loop == &group->loop) {
        plx__loop_remove(&socket->task);
    }
}

size_t plx_group_count(const plx_group *group)
{
    return group == NULL ? 0 : group->loop.count;
}

/* ---- guests ---------------------------------------------------------------------------------- */

void *plx__guest_new(size_t size, enum plx__member sort)
{
    struct plx__guest *guest = plx__memory_new(size);
    if (guest != NULL) {
        guest->task.service = (uint8_t)sort;
        guest->task.hidden = true;
    }
    return guest;
}

void plx__guest_release(struct plx__guest *guest)
{
    if (plx__hold_leave(&guest->hold)) {
        plx__memory_free(guest);
    }
}

void plx__guest_free(struct plx__guest *guest)
{
    if (guest != NULL) {
        plx__loop_remove(&guest->task);
        if (plx__hold_free(&guest->hold)) {
            plx__memory_free(guest);
        }
    }
}

uint64_t plx__guest_hear_again(struct plx__guest *guest)
{
    bool is_deaf = false;
    for (struct plx__watch *watch = guest->task.watches; watch != NULL; watch = watch->next) {
        is_deaf |=
            watch->registered != watch->interest && plx__watch_set(watch, watch->interest) < 0;
    }
    return is_deaf ? plx__clock_after(plx__clock_now(), DEAF_PAUSE) : 0;
}

int plx__group_add_guest(plx_group *group, struct plx__guest *guest)
{
    if (group == NULL || guest == NULL || group->hold.freed || guest->hold.freed) {
        return PLX_INVALID_STATE;
    }
    if (guest->task.loop == &group->loop) {
        return 0;
    }
    struct plx__loop *before = guest->task.loop;
    plx__loop_remove(&guest->task);
    int result = plx__loop_add(&group->loop, &guest->task);
    if (result < 0 && before != NULL) {
        plx__loop_rejoin(before, &guest->task);
    }
    return plx__error_code(-result);
}

void plx__group_remove_guest(plx_group *group, struct plx__guest *guest)
{
    if (group != NULL && guest != NULL && guest->task.loop == &group->loop) {
        plx__loop_remove(&guest->task);
    }
}

/* ---- polling --------------------------------------------------------------------------------- */

bool plx__group_poll(plx_group *group, int timeout_ms, bool *ret_found)
{
    *ret_found = false;
    if (group->hold.freed) {
        return false;
    }
    plx__hold_enter(&group->hold);
    bool more = plx__loop_frame(&group->loop, timeout_ms);
    *ret_found = group->loop.found;
    if (plx__hold_leave(&group->hold)) {
        destroy_group(group);
        return false;
    }
    return more;
}

bool plx_group_poll(plx_group *group, int timeout_ms)
{
    bool found;
    return group != NULL && plx__group_poll(group, timeout_ms, &found);
}

int plx_group_flush(plx_group *group)
{
    if (group == NULL) {
        return PLX_INVALID_STATE;
    }
    plx__loop_flush(&group->loop);
    return 0;
}

void plx_group_set_budget(plx_group *group, int microseconds, size_t bytes)
{
    if (group != NULL) {
        group->loop.budget_time = microseconds < 0 ? 0 : (uint64_t)microseconds * 1000u;
        group->loop.budget_bytes = bytes;
    }
}

void plx_group_wake(plx_group *group)
{
    if (group != NULL) {
        plx__loop_wake(&group->loop);
    }
}

/* ---- in another loop ------------------------------------------------------------------------- */

plx_handle plx_group_handle(const plx_group *group)
{
    return group == NULL ? PLX_NO_HANDLE : plx__poller_handle(group->loop.poller);
}

int plx_group_deadline(const plx_group *group)
{
    /* plx__loop_timeout corrects the lazy heap of deadlines, which the program cannot observe. */
    return group == NULL ? -1 : plx__loop_timeout(&((plx_group *)group)->loop);
}

const char *plx_group_mechanism(const plx_group *group)
{
    return group == NULL ? "" : group->loop.poller->mechanism->name;
}
