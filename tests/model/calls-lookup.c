/* tests/model/calls-lookup.c -- calls on lookups. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 40 };

/* A host whose addresses are known; NULL: none was given. */
static const char *draw_host(struct chance *chance, struct query *query, char name[NAME])
{
    static const char *const wrong[] = {"a b", "127.1", "x:1", "fe80::zz"};
    static const enum host_sort sorts[] = {HOST_EMPTY, HOST_WRONG, HOST_NUMERIC, HOST_LOCAL,
                                           HOST_FOUND, HOST_BOTH,  HOST_BOTH,    HOST_FAR,
                                           HOST_FAR,   HOST_NOBODY};
    int choice = chance_of(chance, 4), number = chance_of(chance, 250);

    query->sort = sorts[chance_of(chance, 10)];
    query->number = query->sort != HOST_NUMERIC ? number : number % 2 == 0 ? 4 : 6;
    switch (query->sort) {
    case HOST_EMPTY: return choice < 2 ? "" : NULL;
    case HOST_WRONG: return wrong[choice];
    case HOST_NUMERIC: return query->number == 4 ? "127.0.0.1" : "::1";
    case HOST_LOCAL: return choice < 2 ? "localhost" : "x.localhost";
    case HOST_FOUND: return "somebody.example";
    case HOST_BOTH: return "both.example";
    case HOST_NOBODY: return "nobody.example";
    default: snprintf(name, NAME, "e%d.far", number); return name;
    }
}

static void make(struct chance *chance, struct query *query)
{
    static const int protocols[] = {0, 0, 1, 2, 2, 2, 2, 2, 2, 3};
    char name[NAME];
    struct query drawn = {.heard = chance_in(chance, 90), .protocol = 2};
    const char *host = draw_host(chance, &drawn, name);
    long refused = supply_refused();

    drawn.protocol = protocols[chance_of(chance, 10)];
    drawn.asked = plx_clock_now();
    drawn.ground_begun = ground_now();
    query->lookup = plx_lookup_new(host, drawn.protocol, drawn.heard ? query_finish : NULL, query);
    trace("new lookup %d of %s, protocol %d", query_number(query), host == NULL ? "NULL" : host,
          drawn.protocol);
    if (query->lookup == NULL && supply_refused() == refused)
        fault("plx_lookup_new returned NULL with memory");
    drawn.lookup = query->lookup;
    drawn.begun = plx_clock_now();
    *query = drawn;
    if (query->lookup != NULL)
        query_look(query);
}

static void join(struct query *query, plx_group *group)
{
    size_t count = plx_group_count(group);
    long refused = supply_refused();
    int code = plx_group_add_lookup(group, query->lookup);
    bool lacks = code == PLX_OUT_OF_MEMORY && (supply_refused() != refused || ground_has_refused());

    trace("lookup %d joins a group: %d", query_number(query), code);
    if (plx_group_count(group) != count)
        fault("a group counts a lookup");
    if (group == NULL ? code != PLX_INVALID_STATE : code != 0 && !lacks)
        fault("plx_group_add_lookup returned %d", code);
    if (group == NULL || query->group == group)
        return;
    query->group = code == 0 ? group : query->group;
    query->order = guest_serial();
    query->left = 0;
}

static void part(struct query *query, plx_group *group)
{
    int code = plx_group_remove_lookup(group, query->lookup);
    bool is_member = group != NULL && query->group == group;

    trace("lookup %d leaves a group: %d", query_number(query), code);
    if (code != (is_member ? 0 : PLX_INVALID_STATE))
        fault("plx_group_remove_lookup returned %d", code);
    if (is_member)
        query->group = NULL;
}

/* A handler-less call of the table, and what a handler of a lookup does. */
void query_act(struct chance *chance, struct query *query)
{
    plx_group *group = player.groups[chance_of(chance, GROUPS)];
    int choice = chance_of(chance, 100);

    if (query->lookup == NULL && query->inside > 0)
        return;
    if (query->lookup == NULL || (query->reported && query->inside == 0 && choice < 60)) {
        query_free(query);
        make(chance, query);
    }
    if (query->lookup == NULL)
        return;
    if (choice < 50 && query->group == NULL)
        join(query, group);
    else if (choice < 65)
        join(query, group);
    else if (choice < 74)
        part(query, group);
    else if (choice < 84)
        query_free(query);
    else if (choice < 94)
        (void)query_poll(query);
    else
        query_look(query);
}

void call_lookup(struct turn *turn)
{
    query_act(&turn->chance, query_at(chance_of(&turn->chance, QUERIES)));
}

/* All that are free begin at once, mostly in one group. */
void call_lookup_many(struct turn *turn)
{
    plx_group *group = player.groups[pick_group(turn)];

    for (int i = 0; i < QUERIES; i++) {
        struct query *query = query_at(i);

        if (query->lookup != NULL || query->inside > 0 || chance_in(&turn->chance, 20))
            continue;
        make(&turn->chance, query);
        if (query->lookup != NULL && chance_in(&turn->chance, 80))
            join(query, group);
    }
}

/* A wait without a limit is for what is known at once. */
void call_lookup_wait(struct turn *turn)
{
    struct query *query = query_at(chance_of(&turn->chance, QUERIES));
    int timeout = chance_of(&turn->chance, 10);
    bool endless = chance_in(&turn->chance, 30);

    if (query->lookup == NULL || !may_wait())
        return;
    query_wait(query, endless && query_is_finished(query) ? -1 : timeout);
}

/* ---- the name server answers ----------------------------------------------------------------- */

static bool goes_on(const struct query *query)
{
    return query->lookup != NULL && query->heard && !query->reported;
}

static void poll_once(struct query *query)
{
    if (query->group == NULL)
        (void)query_poll(query);
    else if (poll_group(query->group, 0))
        query->left = 0;
}

/* What the name server has answered is reported in the second poll: the first one may have been of
 * the group that the lookup has left. What is lost on the way is asked for again. */
void call_lookup_find(struct turn *turn)
{
    enum { ROUNDS = 60, ROUNDS_SIMULATED = 120, MICROSECONDS = 1000 };
    struct query *query = query_at(chance_of(&turn->chance, QUERIES));
    int rounds = ground_is_simulated() ? ROUNDS_SIMULATED : ROUNDS;
    bool one_by_one = chance_in(&turn->chance, 50);

    if (!names_are_known() || polls_running() > 0 || !goes_on(query))
        return;
    trace("lookup %d is answered", query_number(query));
    for (int i = 0; i < rounds && goes_on(query); i++) {
        if (one_by_one)
            (void)names_serve_one();
        else
            names_serve();
        poll_once(query);
        if (ground_is_simulated() && goes_on(query))
            ground_pause(MICROSECONDS);
    }
    if (goes_on(query))
        fault("lookup %d was answered, and goes on", query_number(query));
}
