/* tests/model/calls-poll.c -- calls that poll and wait. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"
#include "tests/model/time.h"
#include "tests/model/timeouts.h"

static long ms_since(uint64_t begin)
{
    return (long)((ground_now() - begin) / 1000000u);
}

/* ---- polls ----------------------------------------------------------------------------------- */

void poll_socket(struct model *model)
{
    bool in_own_handler = model->inside > 0, more;

    poll_begin(false);
    more = plx_socket_poll(model->socket);
    poll_end();
    if (in_own_handler && more)
        fault("a poll in the socket's own handler returned true");
}

bool poll_group(plx_group *group, int timeout)
{
    uint64_t begin = ground_now();
    int before = player.wait_limit;
    bool more;

    poll_begin(false);
    guests_poll_begin(group);
    more = plx_group_poll(group, timeout);
    guests_poll_end(more);
    poll_end();
    if (ms_since(begin) > timeout + player.wait_limit - before + ground_tolerance())
        fault("a group's poll of %d ms took %ld ms", timeout, ms_since(begin));
    player.wait_limit += timeout;
    return more;
}

void poll_house(struct house *house)
{
    poll_begin(false);
    plx_server_poll(house->server);
    poll_end();
}

/* A client that was taken out of its group is polled by itself; `all`: each one is. */
static void poll_clients(const struct house *house, bool all)
{
    plx_socket *client = plx_server_next_active(house->server, NULL), *next;

    for (; client != NULL; client = next) {
        struct model *model = model_of(client);

        next = plx_server_next_active(house->server, client);
        if (model != NULL && (all || model->is_alone))
            poll_socket(model);
    }
}

void poll_members(void)
{
    for (int i = 0; i < GROUPS; i++)
        if (player.groups[i] != NULL)
            poll_group(player.groups[i], 0);
    for (int i = 0; i < SERVERS; i++) {
        if (player.houses[i].server != NULL && player.houses[i].group == NULL)
            poll_house(&player.houses[i]);
        if (player.houses[i].server != NULL)
            poll_clients(&player.houses[i], false);
    }
    for (int i = 0; i < SOCKETS; i++)
        if (player.sockets[i] != NULL &&
            (player.sockets[i]->group == NULL || player.sockets[i]->was_taken))
            poll_socket(player.sockets[i]);
    guests_poll_alone();
}

void poll_all(void)
{
    for (int i = 0; i < GROUPS; i++)
        if (player.groups[i] != NULL)
            poll_group(player.groups[i], 0);
    for (int i = 0; i < SERVERS; i++)
        if (player.houses[i].server != NULL) {
            poll_house(&player.houses[i]);
            poll_clients(&player.houses[i], true);
        }
    for (int i = 0; i < SOCKETS; i++)
        if (player.sockets[i] != NULL)
            poll_socket(player.sockets[i]);
    guests_poll_alone();
}

void call_poll(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model == NULL)
        return;
    trace("poll of %u", model->end == NULL ? 0 : model->end->number);
    poll_socket(model);
}

void call_poll_group(struct turn *turn)
{
    plx_group *group = player.groups[pick_group(turn)];
    int timeout =
        polls_running() > 0 || chance_in(&turn->chance, 80) ? 0 : chance_of(&turn->chance, 4);

    if (group == NULL)
        return;
    trace("group poll, %d ms", timeout);
    poll_group(group, timeout);
}

/* Another thread wakes the group, before it sleeps or while it does. No handler frees the group
 * before that thread is over. */
void call_wake(struct turn *turn)
{
    enum { LONG = 8000, MOST = 7000 };
    plx_group *group = player.groups[pick_group(turn)];
    int pause = chance_of(&turn->chance, 3) * 300;
    uint64_t begin = ground_now();

    if (group == NULL || polls_running() > 0)
        return;
    trace("a thread wakes a group in %d us", pause);
    player.woken = group;
    ground_wake_soon(group, pause);
    poll_group(group, LONG);
    ground_wake_over();
    player.woken = NULL;
    if (ms_since(begin) > MOST)
        fault("a group that was woken slept for %ld ms", ms_since(begin));
}

void call_poll_house(struct turn *turn)
{
    struct house *house = pick_house(turn);

    if (house->server == NULL)
        return;
    trace("server poll");
    poll_house(house);
}

/* ---- waits ----------------------------------------------------------------------------------- */

static uint64_t wait_is_late; /* when the wait that runs is far too long; 0: none runs */

bool waits_too_long(void)
{
    return wait_is_late != 0 && ground_now() > wait_is_late;
}

bool may_wait(void)
{
    if (polls_running() > 0 && !player.program->waits_in_handlers)
        return false;
    return !player.settling && player.waits-- > 0;
}

static bool wait_for(plx_socket *socket, int what, int timeout)
{
    switch (what) {
    case WAIT: return plx_socket_wait(socket, timeout);
    case WAIT_CONNECTED: return plx_socket_wait_for_connected(socket, timeout);
    case WAIT_DATA: return plx_socket_wait_for_data(socket, timeout);
    case WAIT_SENT: return plx_socket_wait_for_sent(socket, timeout);
    default: return plx_socket_wait_for_disconnected(socket, timeout);
    }
}

/* What a wait has promised holds when it returns, if no handler has changed it since. */
static void look_at_result(const struct model *model, int what, bool done)
{
    const plx_socket *socket = model->socket;

    if (socket == NULL || model->owner != NULL)
        return;
    if (what == WAIT_CONNECTED && done != plx_socket_is_connected(socket))
        fault("wait_for_connected returned %d in state %s", done,
              plx_state_name(plx_socket_state(socket)));
    if (what == WAIT_DISCONNECTED && done != (plx_socket_state(socket) == PLX_UNCONNECTED))
        fault("wait_for_disconnected returned %d in state %s", done,
              plx_state_name(plx_socket_state(socket)));
    if (what == WAIT_SENT && done && plx_socket_bytes_left_to_send(socket) > 0)
        fault("wait_for_sent returned true and %zu bytes are left",
              plx_socket_bytes_left_to_send(socket));
}

/* The kernel holds the end of the peer, and nothing keeps it from the socket. */
bool end_is_here(const struct model *model)
{
    const plx_socket *socket = model->socket;

    return plx_socket_state(socket) == PLX_CONNECTED && model->sort <= SORT_IPC &&
           model->flavour == FLAVOUR_PLAIN && !model->reconnects &&
           (ground_ready(plx_socket_handle(socket)) & GROUND_PEER_ENDED) != 0 &&
           model_option(model, PLX_OPTION_READ_LIMIT) == 0 &&
           model_option(model, PLX_OPTION_HALF_OPEN) == 0 &&
           plx_socket_bytes_left_to_send(socket) == 0 && !supply_refuses() &&
           !player.program->starves;
}

void wait_on(struct model *model, int what, int timeout)
{
    bool must = what == WAIT_DISCONNECTED && timeout > 2 && end_is_here(model), done;
    uint64_t begin = ground_now();
    uint64_t outer = wait_is_late;
    int before = player.wait_limit, inner = player.inner;

    if (model->inside > 0)
        model_wait(model);
    wait_is_late = begin + (uint64_t)(timeout + 2 * ground_tolerance()) * 1000000u;
    poll_begin(true);
    done = wait_for(model->socket, what, timeout);
    poll_end();
    wait_is_late = outer;
    trace("wait %d returned %d", what, done);
    if (!done && ms_since(begin) >= timeout && player.inner == inner && model->socket != NULL &&
        (what == WAIT_CONNECTED || what == WAIT_DISCONNECTED))
        timeouts_expect_ended(model, timeout);
    if (must && !done && player.inner == inner && !supply_has_refused())
        fault("the end is here, and wait_for_disconnected of %d ms returned false", timeout);
    if (player.inner == inner)
        look_at_result(model, what, done);
    if (ms_since(begin) > timeout + player.wait_limit - before + ground_tolerance())
        fault("wait %d of %d ms took %ld ms", what, timeout, ms_since(begin));
    player.wait_limit += timeout;
}

void call_wait(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    int what = chance_of(&turn->chance, WAIT_SORTS), timeout = chance_of(&turn->chance, 12);

    if (model == NULL || !may_wait())
        return;
    trace("wait %d of %u for %d ms", what, model->end == NULL ? 0 : model->end->number, timeout);
    wait_on(model, what, timeout);
}

/* In the handler that has the last bytes: it reads some of them, or none, and waits for the end. */
void wait_for_end(struct turn *turn)
{
    struct model *model = turn->self;

    if (!may_wait())
        return;
    trace("wait for the end of %u", model->end->number);
    if (chance_in(&turn->chance, 60))
        take(turn, model);
    if (model->socket != NULL)
        wait_on(model, WAIT_DISCONNECTED, 3 + chance_of(&turn->chance, 10));
}

void call_wait_house(struct turn *turn)
{
    struct house *house = pick_house(turn);
    int timeout = chance_of(&turn->chance, 5), before = player.wait_limit;
    bool idle = house->group != NULL && guests_are_polled(house->group), found;
    uint64_t begin = ground_now();

    if (house->server == NULL || !may_wait())
        return;
    trace("server wait of %d ms", timeout);
    poll_begin(true);
    guests_poll_begin(house->group);
    found = plx_server_wait(house->server, timeout);
    guests_poll_end(found || !idle);
    poll_end();
    if (ms_since(begin) > timeout + player.wait_limit - before + ground_tolerance())
        fault("a server's wait of %d ms took %ld ms", timeout, ms_since(begin));
    player.wait_limit += timeout;
}
