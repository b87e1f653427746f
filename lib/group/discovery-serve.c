/* lib/group/discovery-serve.c -- serving a discovery, in a group or alone. */
#include "config.h"

#include "lib/group/discovery-object.h"
#include "lib/os/clock.h"
#include "lib/socket/move.h"

/* The longest sleep of a discovery without a group, in milliseconds. */
#define GROUPLESS_SLEEP 20

/* One pass. The caller holds the discovery. Returns whether work is left. */
static bool serve(plx_discovery *discovery, struct plx__budget *budget)
{
    discovery->serving = true;
    bool is_all = plx__discovery_hear(discovery, budget);
    uint64_t now = plx__clock_now();
    plx__discovery_report_left(discovery, now);
    discovery->serving = false;
    if (discovery->guest.hold.freed) {
        return false;
    }
    if (discovery->look_at != 0 && discovery->look_at <= now) {
        (void)plx__discovery_look(discovery, now); /* after a failure the next look tries again */
    }
    plx__discovery_say_due(discovery, now);
    plx__discovery_reap(discovery);
    plx__task_set_deadline(&discovery->guest.task, plx__discovery_next(discovery));
    if (!is_all) {
        plx__task_schedule_input(&discovery->guest.task);
    }
    return !is_all;
}

void plx__discovery_input(struct plx__task *task, struct plx__budget *budget)
{
    plx_discovery *discovery = (plx_discovery *)task;
    if (discovery->serving) {
        /* Its handler polls another group, to which it has moved the discovery. */
        plx__task_set_deadline(task, PLX__PAST_MOMENT);
        return;
    }
    plx__budget_spend(budget, 0);
    plx__hold_enter(&discovery->guest.hold);
    serve(discovery, budget);
    plx__discovery_release(discovery);
}

static int visit_receivers(struct plx__discovery_group *group,
                           int (*visit)(plx_socket *socket, void *user), void *user)
{
    int code = 0;
    struct plx__list *head = &group->receivers;
    for (struct plx__list *link = head->next; code == 0 && link != head; link = link->next) {
        plx_socket *socket = plx__discovery_receiver_at(link)->socket;
        code = socket == NULL ? 0 : visit(socket, user);
    }
    return code;
}

/* Calls `visit` for each socket until it returns a code. */
static int visit_sockets(plx_discovery *discovery, int (*visit)(plx_socket *socket, void *user),
                         void *user)
{
    int code = 0;
    struct plx__list *head = &discovery->groups;
    for (int i = 0; code == 0 && i < PLX__DISCOVERY_FAMILIES; i++) {
        code = discovery->sockets[i] == NULL ? 0 : visit(discovery->sockets[i], user);
    }
    for (struct plx__list *link = head->next; code == 0 && link != head; link = link->next) {
        code = visit_receivers(plx__discovery_group_at(link), visit, user);
    }
    return code;
}

static int poll_socket(plx_socket *socket, void *user)
{
    bool *more = user;
    *more = plx_socket_poll(socket) || *more;
    return 0;
}

static int flush_socket(plx_socket *socket, void *user)
{
    (void)user;
    plx_socket_flush(socket);
    return 0;
}

/* Polls the sockets one by one, without a group or in a group of the program. Their handlers, which
 * are this library's, free nothing. */
static bool poll_alone(plx_discovery *discovery)
{
    bool more = false;
    struct plx__budget budget = plx__socket_budget();
    plx__hold_enter(&discovery->guest.hold);
    visit_sockets(discovery, poll_socket, &more);
    more = serve(discovery, &budget) || more;
    visit_sockets(discovery, flush_socket, NULL);
    bool is_freed = discovery->guest.hold.freed;
    plx__discovery_release(discovery);
    return more && !is_freed;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static int add_socket(plx_socket *socket, void *user)
{
    return plx_group_add(user, socket);
}

static int return_socket(plx_socket *socket, void *user)
{
    plx__group_return(user, socket);
    return 0;
}

static int remove_socket(plx_socket *socket, void *user)
{
    plx_group_remove(user, socket);
    return 0;
}

int plx_group_add_discovery(plx_group *group, plx_discovery *discovery)
{
    if (group == NULL || !plx__discovery_is_usable(discovery)) {
        return PLX_INVALID_STATE;
    }
    struct plx__loop *before = discovery->guest.task.loop;
    int code = plx__group_add_guest(group, &discovery->guest);
    if (code != 0) {
        return code;
    }
    code = visit_sockets(discovery, add_socket, group);
    if (code != 0) {
        plx__loop_remove(&discovery->guest.task);
        if (before != NULL) {
            plx__loop_rejoin(before, &discovery->guest.task);
        }
        visit_sockets(discovery, return_socket, before);
    }
    /* Its sockets may hold datagrams that the poll before has received. */
    plx__task_schedule_input(&discovery->guest.task);
    return code;
}

void plx_group_remove_discovery(plx_group *group, plx_discovery *discovery)
{
    if (group != NULL && plx__discovery_is_usable(discovery) &&
        discovery->guest.task.loop == &group->loop) {
        plx__group_remove_guest(group, &discovery->guest);
        visit_sockets(discovery, remove_socket, group);
    }
}

/* The group to sleep in: that of the program, else the own one. NULL: there is no memory, or no
 * descriptor, for an own one. */
static plx_group *group_of(plx_discovery *discovery)
{
    int error;
    struct plx__loop *loop = discovery->guest.task.loop;
    if (loop != NULL) {
        return plx__group_of(loop);
    }
    if (discovery->own == NULL) {
        discovery->own = plx__group_new(&error);
    }
    return discovery->own != NULL && plx_group_add_discovery(discovery->own, discovery) == 0
               ? discovery->own
               : NULL;
}

/* Whether a poll of the discovery may call the program now. */
static bool may_serve(const plx_discovery *discovery)
{
    const struct plx__loop *loop = discovery->guest.task.loop;
    return plx__discovery_is_usable(discovery) && !discovery->serving &&
           (loop == NULL || loop->phase == PLX__RESTING);
}

bool plx_discovery_poll(plx_discovery *discovery)
{
    if (discovery == NULL || !may_serve(discovery)) {
        return false;
    }
    plx_group *group = group_of(discovery);
    bool found;
    return group != NULL && group == discovery->own ? plx__group_poll(group, 0, &found)
                                                    : poll_alone(discovery);
}

/* Serves once, and sleeps no longer than timeout_ms. */
static void serve_once(plx_discovery *discovery, int timeout_ms)
{
    bool found;
    plx_group *group = group_of(discovery);
    if (group != NULL) {
        plx__group_poll(group, timeout_ms, &found);
    } else if (!poll_alone(discovery)) {
        plx__nap(timeout_ms >= 0 && timeout_ms < GROUPLESS_SLEEP ? timeout_ms : GROUPLESS_SLEEP);
    }
}

bool plx_discovery_wait(plx_discovery *discovery, int timeout_ms)
{
    if (discovery == NULL || !may_serve(discovery) || discovery->port == 0) {
        return false;
    }
    uint64_t wait = timeout_ms < 0 ? UINT64_MAX : (uint64_t)timeout_ms * PLX__MILLISECOND;
    uint64_t end = plx__clock_add(plx__clock_real(), wait);
    int left = timeout_ms < 0 ? -1 : timeout_ms;
    bool is_over = false;
    discovery->reported = false;
    plx__hold_enter(&discovery->guest.hold);
    while (!discovery->reported && !discovery->guest.hold.freed && !is_over) {
        is_over = left == 0;
        serve_once(discovery, left);
        left = timeout_ms < 0 ? -1 : plx__milliseconds_until(end, plx__clock_real());
    }
    bool reported = discovery->reported;
    plx__discovery_release(discovery);
    return reported;
}
