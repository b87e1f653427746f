/* tests/model/queries.c -- when a lookup may report its result, and when it must. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/supply.h"
#include "tests/model/time.h"

#include <string.h>

/* A lookup lasts no longer, by the clock of the program. */
#define LIMIT ((uint64_t)30000000000)

static struct query queries[QUERIES];

/* The innermost poll or wait of a lookup by itself. */
static struct {
    const struct query *query; /* NULL: none runs */
    int depth;                 /* the polls that ran then, with this one */
} asked;

void queries_begin(void)
{
    memset(queries, 0, sizeof queries);
    memset(&asked, 0, sizeof asked);
}

struct query *query_at(int slot)
{
    return &queries[slot];
}

int query_number(const struct query *query)
{
    return (int)(query - queries);
}

void queries_forget_group(const plx_group *group)
{
    for (int i = 0; i < QUERIES; i++)
        if (queries[i].group == group)
            queries[i].group = NULL;
}

int queries_in(const plx_group *group)
{
    int count = 0;

    for (int i = 0; i < QUERIES; i++)
        count += queries[i].lookup != NULL && queries[i].group == group;
    return count;
}

void query_free(struct query *query)
{
    plx_lookup *gone = query->lookup;

    if (gone == NULL)
        return;
    trace("free of lookup %d", query_number(query));
    query->lookup = NULL;
    query->group = NULL;
    if (plx_lookup_free(gone) != NULL)
        fault("plx_lookup_free did not return NULL");
}

bool query_is_finished(const struct query *query)
{
    return plx_lookup_addresses(query->lookup, NULL) != NULL ||
           plx_lookup_error(query->lookup)->code != 0;
}

bool query_is_instant(const struct query *query)
{
    return query->sort <= HOST_LOCAL || query->protocol < 0 || query->protocol > 2;
}

/* ---- the result ------------------------------------------------------------------------------ */

void query_look(struct query *query)
{
    size_t count = 77;
    const plx_address *addresses = plx_lookup_addresses(query->lookup, &count);
    const plx_error *error = plx_lookup_error(query->lookup);

    if ((addresses == NULL) != (count == 0) || (count > 0 && error->code != 0))
        fault("lookup %d has %zu addresses and the error %d", query_number(query), count,
              error->code);
    if (query->reported ? addresses != query->addresses || count != query->count
                        : !query_is_finished(query) && query_is_instant(query))
        fault("lookup %d has another result than before", query_number(query));
    if (!fault_found() && query_is_finished(query))
        query_judge(query);
}

/* ---- calls of the handler -------------------------------------------------------------------- */

/* A poll of its group or of itself, and none of itself in one of its group. */
static void look_at_poll(const struct query *query)
{
    if (asked.query == query && asked.depth == polls_running()) {
        if (query->group != NULL && guests_are_polled(query->group))
            fault("lookup %d reports in a poll of its own, and its group is polled",
                  query_number(query));
        return;
    }
    guest_expect_frame("a lookup reports", query->group);
}

static void act(struct query *query)
{
    struct chance chance = guest_chance();

    for (int left = chance_of(&chance, 4); left > 0 && guest_may_act(); left--) {
        struct query *other =
            chance_in(&chance, 50) ? query : query_at(chance_of(&chance, QUERIES));

        query_act(&chance, other);
    }
}

void query_finish(plx_lookup *lookup, void *user)
{
    struct query *query = user;

    guest_enter("lookup", query_number(query));
    if (query->lookup != lookup || query->inside > 0 || query->reported)
        fault("lookup %d reports after free, or a second time", query_number(query));
    look_at_poll(query);
    if (!fault_found() && !query_is_finished(query))
        fault("lookup %d reports, and has no result", query_number(query));
    if (fault_found()) {
        trace_out();
        return;
    }
    query->addresses = plx_lookup_addresses(lookup, &query->count);
    query->reported = true;
    trace("  %zu addresses, error %d", query->count, plx_lookup_error(lookup)->code);
    query_look(query);
    query->inside++;
    act(query);
    guest_leave();
    query->inside--;
}

/* ---- by itself ------------------------------------------------------------------------------- */

/* Whether a poll of the lookup by itself reports what is known. */
static bool may_report(const struct query *query)
{
    return query->heard && query->inside == 0 &&
           (query->group == NULL || !guests_are_polled(query->group));
}

/* After a poll or a wait, with what it said of the end. */
static void look_at_end(struct query *query, bool over, bool must)
{
    if (query->lookup == NULL)
        return;
    if (over != query_is_finished(query))
        fault("lookup %d: its poll says that it is %sover", query_number(query),
              over ? "" : "not ");
    if (over && must && !query->reported)
        fault("lookup %d is over, and its poll did not report it", query_number(query));
    if (!fault_found())
        query_look(query);
}

bool query_poll(struct query *query)
{
    const struct query *outer = asked.query;
    int depth = asked.depth;
    bool must = may_report(query), more;

    poll_begin(false);
    asked.query = query;
    asked.depth = polls_running();
    more = plx_lookup_poll(query->lookup);
    asked.query = outer;
    asked.depth = depth;
    poll_end();
    look_at_end(query, !more, must);
    return more;
}

void query_wait(struct query *query, int timeout)
{
    const struct query *outer = asked.query;
    int depth = asked.depth, before = player.wait_limit;
    bool must = may_report(query), over;
    uint64_t begun = ground_now();
    int most;

    poll_begin(true);
    asked.query = query;
    asked.depth = polls_running();
    over = plx_lookup_wait(query->lookup, timeout);
    asked.query = outer;
    asked.depth = depth;
    poll_end();
    trace("wait for lookup %d: %d", query_number(query), over);
    look_at_end(query, over, must);
    timeout = timeout < 0 ? 0 : timeout;
    most = timeout + player.wait_limit - before + ground_tolerance();
    if (ground_now() - begun > (uint64_t)most * 1000000u)
        fault("a wait of %d ms for lookup %d lasted too long", timeout, query_number(query));
    player.wait_limit += timeout;
}

void queries_poll_alone(void)
{
    for (int i = 0; i < QUERIES; i++)
        if (queries[i].lookup != NULL && queries[i].group == NULL)
            query_poll(&queries[i]);
}

/* ---- polls of groups ------------------------------------------------------------------------- */

static bool waits_in(const struct query *query, const struct frame *frame)
{
    return query->lookup != NULL && query->heard && !query->reported && query->inside == 0 &&
           frame->group != NULL && query->group == frame->group;
}

/* A result that is there, or whose time is over. */
static bool is_ripe(const struct query *query, const struct frame *frame)
{
    return query_is_finished(query) ||
           guest_sum(query->begun, LIMIT + guest_slack()) <= frame->begun;
}

void queries_poll_begin(const struct frame *frame)
{
    for (int i = 0; i < QUERIES && !frame->idle; i++)
        if (waits_in(&queries[i], frame) && is_ripe(&queries[i], frame))
            queries[i].ripe = frame->serial;
}

static int most_left(const struct frame *frame)
{
    return 20 + 2 * ((int)plx_group_count(frame->group) + guests_in(frame->group));
}

void queries_poll_end(const struct frame *frame)
{
    for (int i = 0; i < QUERIES && !frame->idle; i++) {
        struct query *query = &queries[i];

        if (!waits_in(query, frame) || query->ripe != frame->serial || query->order > frame->serial)
            continue;
        query->left++;
        if (!frame->more || query->left > most_left(frame))
            fault("lookup %d is over, and %d polls did not report it", i, query->left);
    }
}

/* ---- at rest --------------------------------------------------------------------------------- */

void queries_expect_found(void)
{
    for (int i = 0; i < QUERIES && names_are_known(); i++)
        if (queries[i].lookup != NULL && queries[i].heard && !queries[i].reported)
            fault("lookup %d goes on, and the name server has answered", i);
}
