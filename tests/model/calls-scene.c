/* tests/model/calls-scene.c -- several calls in one, which follow each other too seldom by chance:
 * what arrives together, what never stops, and what lasts too long. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"
#include "tests/model/time.h"
#include "tests/model/timeouts.h"

#include <string.h>

/* ---- the raw peer of a socket ---------------------------------------------------------------- */

struct person *person_of(const struct model *model)
{
    const struct end *end = model->end;

    for (int i = 0; i < PEERS && end != NULL; i++) {
        struct person *person = &player.people[i];

        if (person->used && person->peer >= 0 && person->end == end->from)
            return person;
    }
    return NULL;
}

void person_meet(struct person *person, struct model *model)
{
    if (person == NULL || person->end->noise || model->end->from != NULL)
        return;
    model->end->from = person->end;
    person->end->from = model->end;
}

static struct person *pick_talker(struct turn *turn)
{
    struct person *person = NULL;

    for (int i = 0; i < 3 && person == NULL; i++) {
        const struct model *model = pick_socket(turn);

        person = model == NULL ? NULL : person_of(model);
    }
    return person != NULL ? person : pick_person(turn);
}

/* ---- what arrives together ------------------------------------------------------------------- */

static size_t pick_little(struct turn *turn)
{
    return 1 + (size_t)chance_of(&turn->chance, 400);
}

/* The peer sends, and ends before anybody has polled. */
void call_burst(struct turn *turn)
{
    struct person *person = pick_talker(turn);
    int pieces = 1 + chance_of(&turn->chance, 3);

    if (person == NULL || person->sort == SORT_UDP)
        return;
    for (int i = 0; i < pieces; i++)
        person_say(person, pick_little(turn));
    switch (chance_of(&turn->chance, 5)) {
    case 0: break;
    case 1: person_close(person, chance_in(&turn->chance, 60)); break;
    default: person_end(person);
    }
}

/* ---- what never stops ------------------------------------------------------------------------ */

/* A peer that sends again whenever its socket reports bytes. */
void call_flood(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    struct person *person = model == NULL ? NULL : person_of(model);

    if (person == NULL || polls_running() > 0 || model->owner != NULL || !may_wait())
        return;
    trace("end %u sends without an end", person->end->number);
    person_say(person, RECORD_HEAD);
    player.flood = model;
    wait_on(model, chance_in(&turn->chance, 70) ? WAIT_DISCONNECTED : WAIT_CONNECTED, 3);
    player.flood = NULL;
}

void flood(struct model *model)
{
    struct person *person = person_of(model);

    take_all(model);
    if (person != NULL && !waits_too_long())
        person_say(person, RECORD_HEAD);
}

/* ---- what lasts too long --------------------------------------------------------------------- */

/* One of the program's sockets that can connect, from a slot drawn by chance on. */
static struct model *pick_unconnected(struct turn *turn)
{
    int first = chance_of(&turn->chance, SOCKETS);

    for (int i = 0; i < SOCKETS; i++) {
        struct model *model = player.sockets[(first + i) % SOCKETS];

        if (model != NULL && model->sort != SORT_UDP && model->inside == 0 &&
            plx_socket_state(model->socket) == PLX_UNCONNECTED)
            return model;
    }
    return NULL;
}

/* A wait for a listener that does not answer, mostly in the handler of another socket. */
void call_slow_connect(struct turn *turn)
{
    struct model *model = pick_unconnected(turn);

    if (model == NULL || !may_wait())
        return;
    set_option(model, PLX_OPTION_CONNECT_TIMEOUT, 1 + chance_of(&turn->chance, 5));
    connect_model(model, place_silent(model->sort));
    if (model->socket != NULL)
        wait_on(model, WAIT_CONNECTED, 8 + chance_of(&turn->chance, 6));
}

/* A handler that takes its time, and polls. */
void call_dawdle(struct turn *turn)
{
    plx_group *group = player.groups[pick_group(turn)];
    bool polls = chance_in(&turn->chance, 70);
    uint64_t begin = ground_now();

    if (turn->self == NULL)
        return;
    trace("time passes");
    if (time_is_real())
        time_pass(4);
    else
        time_jump(5 + chance_of(&turn->chance, 40));
    player.wait_limit += (int)((ground_now() - begin) / 1000000u);
    if (polls && group != NULL)
        poll_group(group, 0);
}

/* ---- time-outs that pass in a handler -------------------------------------------------------- */

enum { IDLE_MS = 20, SLOW_MS = 15 };

/* A handler of player.slow has the bytes, and is slow. */
void take_time(struct model *model)
{
    plx_group *group = model->group;
    uint64_t begin = ground_now();

    take_all(model);
    time_pass(player.slow_polls ? IDLE_MS + 1 : SLOW_MS);
    player.wait_limit += (int)((ground_now() - begin) / 1000000u);
    player.slow = NULL;
    if (player.slow_polls && group != NULL)
        poll_group(group, 0);
}

/* A member of a group of the program, with a raw peer that can send to it. */
static bool may_be_idle(const struct model *model)
{
    const struct person *person = model == NULL ? NULL : person_of(model);

    return person != NULL && !person->ended && model->group != NULL && model->owner == NULL &&
           !model->was_taken && model->sort != SORT_UDP && model->flavour == FLAVOUR_PLAIN &&
           plx_socket_state(model->socket) == PLX_CONNECTED && !model->has_input_end &&
           !model->closing && !model->reconnects && model_option(model, PLX_OPTION_READ_LIMIT) == 0;
}

static bool may_pass_time(void)
{
    return polls_running() == 0 && !supply_has_refused() && !player.program->starves &&
           player.program->clock != CLOCK_ENDS;
}

static struct model *pick_idle(struct turn *turn, const plx_group *group,
                               const struct model *not_this)
{
    int first = chance_of(&turn->chance, SOCKETS);

    for (int i = 0; i < SOCKETS; i++) {
        struct model *model = player.sockets[(first + i) % SOCKETS];

        if (model != not_this && may_be_idle(model) && model->group == group)
            return model;
    }
    return NULL;
}

/* A member that may be idle, which is made if there is none: its connection is reported before
 * anything else happens. */
static struct model *member_of(struct turn *turn, plx_group *group, const struct model *not_this)
{
    enum sort sort = chance_in(&turn->chance, 50) ? SORT_TCP : SORT_IPC;
    struct model *model = pick_idle(turn, group, not_this);

    if (model != NULL)
        return model;
    model = connected_model(sort, group);
    player.settling = true;
    poll_group(group, 0);
    player.settling = false;
    return may_be_idle(model) ? model : NULL;
}

/* The bytes are there before the poll, and the slow handler is called in it. Returns whether it
 * was. */
static bool poll_slowly(struct model *slow, bool alone)
{
    bool was_slow;

    player.settling = true;
    plx_group_set_budget(slow->group, 0, 0);
    ground_spare(true);
    ground_pause(1);
    player.slow = slow;
    player.slow_polls = alone;
    if (alone)
        poll_socket(slow);
    else
        poll_group(slow->group, 0);
    was_slow = player.slow == NULL;
    player.slow = NULL;
    return was_slow;
}

/* Polls the group alone for a while, until the socket has ended. */
static void poll_on(const struct model *model, int times, int pause)
{
    plx_group *group = model->group;

    for (int i = 0; i < times && plx_socket_state(model->socket) == PLX_CONNECTED; i++) {
        time_pass(pause);
        poll_group(group, 0);
    }
    ground_spare(false);
    player.settling = false;
}

static uint64_t received_by(const struct model *model)
{
    plx_statistics counts;

    plx_socket_statistics(model->socket, &counts);
    return counts.bytes_received;
}

/* A member is polled by itself, and its handler polls the group after the time-out: later polls of
 * the group alone still end it, if nothing more arrives. */
void call_lapse(struct turn *turn)
{
    plx_group *group = player.groups[pick_group(turn)];
    struct model *model = NULL;
    uint64_t before;
    bool lapsed;

    if (group != NULL && may_pass_time())
        model = member_of(turn, group, NULL);
    if (model == NULL)
        return;
    trace("a time-out passes in a handler of %u", model->end->number);
    set_option(model, PLX_OPTION_IDLE_TIMEOUT, IDLE_MS);
    person_say(person_of(model), RECORD_HEAD);
    lapsed = poll_slowly(model, true) && !ground_is_busy();
    before = received_by(model);
    poll_on(model, 20, IDLE_MS / 4 + 1);
    if (lapsed && received_by(model) == before)
        timeouts_expect_over(model);
}

/* A member receives behind the slow handler of another one: its time-out begins then. */
void call_stale(struct turn *turn)
{
    plx_group *group = player.groups[pick_group(turn)];
    struct model *slow = NULL, *model = NULL;

    if (group != NULL && may_pass_time())
        slow = member_of(turn, group, NULL);
    if (slow != NULL)
        model = member_of(turn, group, slow);
    if (model == NULL || !may_be_idle(slow))
        return;
    trace("end %u receives behind a slow handler of %u", model->end->number, slow->end->number);
    set_option(model, PLX_OPTION_IDLE_TIMEOUT, IDLE_MS);
    person_say(person_of(slow), RECORD_HEAD);
    person_say(person_of(model), RECORD_HEAD);
    (void)poll_slowly(slow, false);
    poll_on(model, 2 * IDLE_MS, 1);
}

/* ---- groups that go -------------------------------------------------------------------------- */

void ruin(void)
{
    for (int i = 0; i < GROUPS && player.ruin != NULL; i++)
        if (player.groups[i] == player.ruin) {
            player.ruin = NULL;
            forget_group(i);
        }
}

/* The first handler of a poll or a wait frees the group that is polled. */
void call_ruin(struct turn *turn)
{
    struct house *house = pick_house(turn);
    struct model *model = pick_socket(turn);
    plx_group *group = house->server != NULL ? house->group : model != NULL ? model->group : NULL;
    int way = chance_of(&turn->chance, 3);

    if (group == NULL || polls_running() > 0 || chance_in(&turn->chance, 50))
        return;
    trace("the next handler frees a group");
    player.ruin = group;
    if (house->server == NULL) {
        poll_group(group, 0);
    } else {
        if (plx_server_is_listening(house->server))
            person_visit(house);
        poll_begin(way == 0);
        guests_poll_begin(way == 1 ? NULL : group);
        if (way == 0)
            plx_server_wait(house->server, 2);
        else if (way == 1)
            plx_server_poll(house->server);
        else
            plx_group_poll(group, 0);
        guests_poll_end(true);
        poll_end();
    }
    player.ruin = NULL;
}
