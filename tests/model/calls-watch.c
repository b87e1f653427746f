/* tests/model/calls-watch.c -- calls on watches, and on what they watch. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"

#include <errno.h>

static const char *const wants[] = {"nothing", "to read", "to write", "both"};

/* A call may fail for what the program has let run out. */
static bool may_fail(int code, long refused)
{
    return (code == PLX_OUT_OF_MEMORY && (supply_refused() != refused || ground_has_refused())) ||
           (code == PLX_OPEN_DRIVER && player.program->starves);
}

/* ---- watches --------------------------------------------------------------------------------- */

static void make(struct chance *chance, struct sight *sight)
{
    static const enum sort sorts[] = {SORT_IPC, SORT_IPC, SORT_SEQPACKET, SORT_TCP};
    struct wire *wire = wire_at(chance_of(chance, WIRES));
    int side = chance_of(chance, 2);
    bool heard = chance_in(chance, 85);
    long refused = supply_refused();
    plx_watch *watch;

    if (!wire_open(wire, sorts[chance_of(chance, 4)]))
        return;
    side = wire->ends[side] < 0 ? 1 - side : side;
    watch = plx_watch_new(wire->ends[side], heard ? sight_see : NULL, sight);
    trace("new watch %d of wire %d, end %d", sight_number(sight), (int)(wire - wire_at(0)), side);
    if (watch == NULL && supply_refused() == refused)
        fault("plx_watch_new returned NULL with memory");
    *sight = (struct sight){.watch = watch, .heard = heard, .wire = wire, .side = side};
}

void sight_set(struct sight *sight, unsigned want)
{
    long refused = supply_refused();
    bool known = want <= (PLX_WANT_READ | PLX_WANT_WRITE);
    int code = plx_watch_set(sight->watch, want);

    trace("watch %d wants %s: %d", sight_number(sight), known ? wants[want] : "more", code);
    if (known ? code != 0 && (want == 0 || !may_fail(code, refused)) : code != PLX_INVALID_STATE)
        fault("plx_watch_set returned %d for %u", code, want);
    if (code != 0)
        return;
    sight->want = want;
    sight->deaf = false;
    sight->changed = guest_serial();
    sight->left = 0;
    sight_forget_lost(sight);
}

static void join(struct sight *sight, plx_group *group)
{
    size_t count = plx_group_count(group);
    long refused = supply_refused();
    int code = plx_group_add_watch(group, sight->watch);
    bool lost = sight->blind && (code == EBADF || code == EPERM);

    trace("watch %d joins a group: %d", sight_number(sight), code);
    if (plx_group_count(group) != count)
        fault("a group counts a watch");
    if (group == NULL ? code != PLX_INVALID_STATE : code != 0 && !lost && !may_fail(code, refused))
        fault("plx_group_add_watch returned %d", code);
    if (code == 0 && sight->group != group) {
        sight->group = group;
        sight->deaf = false;
    } else if (code != 0 && group != NULL && sight->group != NULL && !lost) {
        sight->deaf = true;
    }
    sight->changed = guest_serial();
    sight->left = 0;
}

static void part(struct sight *sight, plx_group *group)
{
    trace("watch %d leaves a group", sight_number(sight));
    plx_group_remove_watch(group, sight->watch);
    if (group == NULL || sight->group != group)
        return;
    sight->group = NULL;
    sight->deaf = false;
    sight_forget_lost(sight);
}

/* Without a watch the descriptor of the program is the last one of the file. */
static void close_stopped(struct sight *sight)
{
    if (sight->group != NULL)
        part(sight, sight->group);
    if (sight->watch != NULL)
        wire_close(sight->wire, sight->side);
}

/* A handler-less call of the table, and what a handler of a watch does. */
void sight_act(struct chance *chance, struct sight *sight)
{
    static const unsigned drawn[] = {1, 1, 1, 1, 1, 2, 3, 3, 0, 0};
    plx_group *group = player.groups[chance_of(chance, GROUPS)];
    int choice = chance_of(chance, 100);

    sight_forget_lost(sight);
    if (sight->watch == NULL && sight->inside > 0)
        return;
    if (sight->watch == NULL)
        make(chance, sight);
    if (sight->watch == NULL)
        return;
    if (sight->group == NULL && choice < 70)
        join(sight, group);
    if (choice < 50)
        sight_set(sight, drawn[chance_of(chance, 10)]);
    else if (choice < 53)
        sight_set(sight, 4u << chance_of(chance, 8));
    else if (choice < 75)
        join(sight, group);
    else if (choice < 80)
        part(sight, group);
    else if (choice < 86)
        close_stopped(sight);
    else
        sight_free(sight);
}

void call_watch(struct turn *turn)
{
    sight_act(&turn->chance, sight_at(chance_of(&turn->chance, SIGHTS)));
}

/* ---- what they watch ------------------------------------------------------------------------- */

void wire_act(struct chance *chance, struct wire *wire)
{
    int choice = chance_of(chance, 100), side = chance_of(chance, 2);
    int size = 1 + chance_of(chance, chance_in(chance, 50) ? 8 : 4000);

    if (choice < 45)
        wire_say(wire, side, size);
    else if (choice < 60)
        wire_hear(wire, side, size);
    else if (choice < 80)
        wire_hear(wire, side, 1 << 20);
    else if (choice < 92)
        wire_fill(wire, side);
    else if (choice < 96)
        wire_end(wire, side);
    else
        wire_close(wire, side);
}

void call_wire(struct turn *turn)
{
    wire_act(&turn->chance, wire_at(chance_of(&turn->chance, WIRES)));
}

/* Watches join one group, where the list of those that are asked may lack memory to grow, and become
 * ready. */
static void gather(struct chance *chance, plx_group *group, int first, int count)
{
    for (int i = 0; i < count && group != NULL; i++) {
        struct sight *sight = sight_at((first + i) % SIGHTS);

        sight_forget_lost(sight);
        if (sight->watch == NULL && sight->inside == 0)
            make(chance, sight);
        if (sight->watch == NULL || sight->blind)
            continue;
        if (player.program->refused > 0 && chance_in(chance, 30))
            supply_refuse_one(0);
        join(sight, group);
        if (sight->want == 0)
            sight_set(sight, PLX_WANT_READ);
        wire_say(sight->wire, 1 - sight->side, 1 + chance_of(chance, 20));
    }
}

/* Several watches are ready in one poll, by chance after they have moved. */
void call_watch_meet(struct turn *turn)
{
    plx_group *group = player.groups[pick_group(turn)];
    plx_group *before = player.groups[chance_of(&turn->chance, GROUPS)];
    int first = chance_of(&turn->chance, SIGHTS);
    bool crowd = chance_in(&turn->chance, player.program->refused > 0 ? 40 : 10);
    int count = crowd ? SIGHTS : 1 + chance_of(&turn->chance, 4);

    if (chance_in(&turn->chance, 30))
        gather(&turn->chance, before, first, count);
    gather(&turn->chance, group, first, count);
    if (group != NULL && polls_running() == 0)
        poll_group(group, 0);
}

/* ---- sleep ----------------------------------------------------------------------------------- */

static bool may_end_sleep(const struct sight *sight)
{
    return sight->watch != NULL && sight->group != NULL && sight->want != 0 && !sight->deaf &&
           !sight->blind && !ground_has_refused();
}

/* A watch that is ready ends a sleep before it begins, also one without a handler. */
void call_watch_sleep(struct turn *turn)
{
    enum { LONG = 60000 };
    struct sight *sight = sight_at(chance_of(&turn->chance, SIGHTS));
    uint64_t begun = ground_now();
    int before = player.wait_limit;
    long most;

    if (polls_running() > 0 || !may_end_sleep(sight))
        return;
    wire_say(sight->wire, 1 - sight->side, 1);
    if (sight_ready(sight) == 0)
        return;
    trace("watch %d ends a sleep", sight_number(sight));
    poll_group(sight->group, LONG);
    most = player.wait_limit - before - LONG + ground_tolerance();
    if (ground_now() - begun > (uint64_t)most * 1000000u)
        fault("watch %d was ready, and its group slept", sight_number(sight));
}

/* ---- the deadline of a group ----------------------------------------------------------------- */

static bool has_timer(const plx_group *group)
{
    for (int i = 0; i < ALARMS; i++)
        if (alarm_at(i)->timer != NULL && alarm_at(i)->group == group && alarm_at(i)->from != 0)
            return true;
    return false;
}

static bool has_server(const plx_group *group)
{
    for (int i = 0; i < SERVERS; i++)
        if (player.houses[i].server != NULL && player.houses[i].group == group)
            return true;
    return false;
}

static bool is_here(const plx_group *group)
{
    bool here = false;

    for (int i = 0; i < GROUPS; i++)
        here |= player.groups[i] == group;
    return here;
}

/* How the lookups of a group are, which decide its deadline. */
struct looks {
    bool go_on, are_over; /* over, and not reported */
    bool are_unknown;     /* over, and nobody hears the report */
};

static struct looks looks_of(const plx_group *group)
{
    struct looks looks = {0};

    for (int i = 0; i < QUERIES; i++) {
        const struct query *query = query_at(i);

        if (query->lookup == NULL || query->group != group)
            continue;
        looks.go_on |= !query_is_finished(query);
        looks.are_over |= query->heard && !query->reported && query_is_finished(query);
        looks.are_unknown |= !query->heard && query_is_finished(query);
    }
    return looks;
}

static bool has_deadline(const plx_group *group)
{
    return plx_group_count(group) > 0 || has_timer(group) || has_server(group) ||
           sights_are_deaf(group);
}

/* Watches have no deadline: readiness ends a sleep. A lookup that is over is a reason for a poll,
 * and one that goes on ends within half a minute. */
void call_deadline(struct turn *turn)
{
    enum { LIMIT = 30000 };
    plx_group *group = player.groups[pick_group(turn)];
    struct looks looks;
    int deadline;

    if (group == NULL || guests_are_polled(group) || poll_group(group, 0) || !is_here(group))
        return;
    looks = looks_of(group);
    deadline = plx_group_deadline(group);
    trace("the deadline of a group is %d", deadline);
    if (looks.are_over && deadline != 0)
        fault("a lookup has finished, and the deadline of its group is %d", deadline);
    if (looks.go_on && (deadline < 0 || deadline > LIMIT))
        fault("a lookup goes on, and the deadline of its group is %d", deadline);
    if (!looks.go_on && !looks.are_over && !looks.are_unknown && !has_deadline(group) &&
        deadline != -1)
        fault("a group has only watches, and its deadline is %d", deadline);
}

/* ---- misuse ---------------------------------------------------------------------------------- */

static void expect_code(const char *call, int code, int wanted)
{
    if (code != wanted && !(code == PLX_OUT_OF_MEMORY && supply_has_refused()))
        fault("misuse of %s returned %d", call, code);
}

/* A file is always ready, and what is no descriptor never is. */
static void watch_wrong(plx_group *group, int descriptor, int wanted)
{
    plx_watch *watch = plx_watch_new(descriptor, NULL, NULL);

    expect_code("plx_watch_set", plx_watch_set(watch, PLX_WANT_READ),
                watch == NULL ? PLX_INVALID_STATE : 0);
    expect_code("plx_group_add_watch", plx_group_add_watch(group, watch),
                watch == NULL || group == NULL ? PLX_INVALID_STATE : wanted);
    plx_watch_free(watch);
}

void call_guest_misuse(struct turn *turn)
{
    plx_group *group = player.groups[pick_group(turn)];
    int token = peer_token(7);

    trace("misuse of watches and lookups");
    if (token >= 0)
        watch_wrong(group, token, EPERM);
    peer_close(token);
    watch_wrong(group, -1, EBADF);
    expect_code("plx_watch_set", plx_watch_set(NULL, 0), PLX_INVALID_STATE);
    plx_group_remove_watch(group, NULL);
    expect_code("plx_group_remove_lookup", plx_group_remove_lookup(group, NULL), PLX_INVALID_STATE);
    expect_code("plx_group_add_lookup", plx_group_add_lookup(group, NULL), PLX_INVALID_STATE);
    if (plx_lookup_poll(NULL) || plx_lookup_wait(NULL, -1) ||
        plx_lookup_addresses(NULL, NULL) != NULL || plx_lookup_error(NULL) == NULL)
        fault("there is a lookup that is none");
}
