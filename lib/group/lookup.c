/* lib/group/lookup.c -- lookups of host names without a socket.
 *
 *      LOOKING --> FINISHED --> REPORTED
 *
 * A lookup that fails at once, and one of a numeric address, begins in FINISHED. Its deadline is
 * then a moment that has passed, so that the next poll reports the result. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/group/group.h"
#include "lib/os/address.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/resolve/resolver.h"

#include <pollux/lookup.h>

#include <stdio.h>
#include <string.h>

/* The room for the name in a sentence. */
#define STEP_SIZE 320

struct plx_lookup {
    struct plx__guest guest; /* first, so that a task, a guest and a lookup have one address */
    enum { LOOKING, FINISHED, REPORTED } stage;
    struct plx__query *query;     /* NULL: there is nothing to look up */
    char *host;                   /* for the sentence; NULL: none was given */
    plx_address numeric;          /* of a host that is an address */
    const plx_address *addresses; /* the result */
    size_t count;
    plx_error error;
    plx_lookup_handler *finished;
    void *user;
};

/* ---- the result ------------------------------------------------------------------------------ */

static void fail(plx_lookup *lookup, const struct plx__failure *failure)
{
    char step[STEP_SIZE];
    plx__failure_describe(failure, lookup->host == NULL ? "" : lookup->host, step, sizeof step);
    plx__error_set(&lookup->error, failure->code, failure->reason, -failure->error, "%s", step);
}

/* Takes what the query has found so far. */
static void finish(plx_lookup *lookup)
{
    struct plx__query *query = lookup->query;
    lookup->stage = FINISHED;
    plx__query_stop(query);
    if (query->count == 0) {
        fail(lookup, &query->failure);
        return;
    }
    plx__query_order(query, 0);
    lookup->addresses = query->addresses;
    lookup->count = query->count;
}

static uint64_t next_moment(plx_lookup *lookup)
{
    switch (lookup->stage) {
    case LOOKING:
        return plx__clock_earlier(plx__query_next(lookup->query),
                                  plx__guest_hear_again(&lookup->guest));
    case FINISHED: return PLX__PAST_MOMENT;
    default: return 0;
    }
}

static void process(plx_lookup *lookup)
{
    if (lookup->stage == LOOKING && plx__query_process(lookup->query)) {
        finish(lookup);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Begins with arguments that are in order. Returns false without memory. */
static bool begin_query(plx_lookup *lookup, const char *host, int family)
{
    lookup->query = plx__query_start(&lookup->guest.task, host, family);
    if (lookup->query == NULL) {
        return false;
    }
    /* A socket goes on at once, because it can try later addresses later; this result is final. */
    lookup->query->is_patient = true;
    if (lookup->query->done) {
        finish(lookup);
    }
    return true;
}

/* Returns false without memory. */
static bool begin(plx_lookup *lookup, const char *host, int protocol)
{
    static const int families[] = {4, 6, 0};
    static const struct plx__failure no_protocol = {PLX_INVALID_STATE, PLX_REASON_OPERATION,
                                                    -PLX__SENTENCE, "the protocol is not 0 to 2"};
    static const struct plx__failure no_host = {PLX_NAME_RESOLUTION, PLX_REASON_EMPTY_HOST_NAME,
                                                -PLX__SENTENCE, "no host name given"};
    bool is_known = protocol >= 0 && protocol <= 2;
    lookup->stage = FINISHED;
    if (!is_known || lookup->host == NULL || host[0] == '\0') {
        fail(lookup, is_known ? &no_host : &no_protocol);
        return true;
    }
    int family = families[protocol];
    if (!plx__address_parse_host(host, strlen(host), &lookup->numeric)) {
        lookup->stage = LOOKING;
        return begin_query(lookup, host, family);
    }
    if (family == 0 || family == lookup->numeric.family) {
        lookup->addresses = &lookup->numeric;
        lookup->count = 1;
    } else {
        plx__error_set(&lookup->error, plx__error_code(PLX__EAFNOSUPPORT),
                       plx__error_reason(PLX__EAFNOSUPPORT), PLX__EAFNOSUPPORT, "look up %s", host);
    }
    return true;
}

plx_lookup *plx_lookup_new(const char *host, int protocol, plx_lookup_handler *finished, void *user)
{
    plx_lookup *lookup = plx__guest_new(sizeof *lookup, PLX__MEMBER_LOOKUP);
    if (lookup == NULL) {
        return NULL;
    }
    plx__error_clear(&lookup->error);
    lookup->finished = finished;
    lookup->user = user;
    lookup->host = plx__memory_copy_text(host);
    if ((host != NULL && lookup->host == NULL) || !begin(lookup, host, protocol)) {
        return plx_lookup_free(lookup);
    }
    plx__task_set_deadline(&lookup->guest.task, next_moment(lookup));
    return lookup;
}

/* NULL for NULL; the cast is safe because the guest is the first member. */
static struct plx__guest *guest_of(plx_lookup *lookup)
{
    return (struct plx__guest *)lookup;
}

plx_lookup *plx_lookup_free(plx_lookup *lookup)
{
    if (lookup != NULL && !lookup->guest.hold.freed) {
        lookup->stage = REPORTED;
        lookup->addresses = NULL;
        lookup->count = 0;
        lookup->query = plx__query_free(lookup->query);
        plx__memory_free(lookup->host);
        plx__error_clear(&lookup->error);
        plx__guest_free(&lookup->guest);
    }
    return NULL;
}

/* ---- serving --------------------------------------------------------------------------------- */

/* Goes on, and reports the result if `may_report`. The caller holds the lookup. */
static void serve(plx_lookup *lookup, bool may_report)
{
    process(lookup);
    bool reports = may_report && lookup->stage == FINISHED;
    lookup->stage = reports ? REPORTED : lookup->stage;
    plx__task_set_deadline(&lookup->guest.task, next_moment(lookup));
    if (reports && lookup->finished != NULL) {
        lookup->finished(lookup, lookup->user);
    }
}

void plx__lookup_input(struct plx__task *task, struct plx__budget *budget)
{
    plx_lookup *lookup = (plx_lookup *)task;
    plx__budget_spend(budget, 0);
    plx__hold_enter(&lookup->guest.hold);
    plx__task_sleep(task, 0); /* the poller may not watch it: plx__guest_hear_again */
    serve(lookup, true);
    plx__guest_release(&lookup->guest);
}

static bool may_report(const plx_lookup *lookup)
{
    const struct plx__loop *loop = lookup->guest.task.loop;
    return loop == NULL || loop->phase == PLX__RESTING;
}

bool plx_lookup_poll(plx_lookup *lookup)
{
    if (lookup == NULL || lookup->guest.hold.freed) {
        return false;
    }
    plx__hold_enter(&lookup->guest.hold);
    plx__task_sleep(&lookup->guest.task, 0);
    serve(lookup, may_report(lookup));
    bool goes_on = lookup->stage == LOOKING;
    plx__guest_release(&lookup->guest);
    return goes_on;
}

/* Milliseconds to sleep: until the next moment of the lookup or until `end`. At least one, so that
 * a clock of the program that stands does not make the wait spin. */
static int time_to_sleep(const plx_lookup *lookup, uint64_t end)
{
    int left = plx__milliseconds_until(end, plx__clock_real());
    int next = plx__milliseconds_until(lookup->guest.task.deadline.at, plx__clock_now());
    next = next == 0 ? 1 : next;
    return next < left ? next : left;
}

bool plx_lookup_wait(plx_lookup *lookup, int timeout_ms)
{
    if (lookup == NULL || lookup->guest.hold.freed) {
        return false;
    }
    uint64_t wait = timeout_ms < 0 ? UINT64_MAX : (uint64_t)timeout_ms * PLX__MILLISECOND;
    uint64_t end = plx__clock_add(plx__clock_real(), wait);
    int sleep = 0;
    plx__hold_enter(&lookup->guest.hold);
    do {
        plx__task_sleep(&lookup->guest.task, sleep);
        serve(lookup, may_report(lookup));
        sleep = time_to_sleep(lookup, end);
    } while (lookup->stage == LOOKING && sleep > 0);
    bool is_over = lookup->stage != LOOKING;
    plx__guest_release(&lookup->guest);
    return is_over;
}

/* ---- what is known --------------------------------------------------------------------------- */

const plx_address *plx_lookup_addresses(const plx_lookup *lookup, size_t *ret_count)
{
    if (ret_count != NULL) {
        *ret_count = lookup == NULL ? 0 : lookup->count;
    }
    return lookup == NULL ? NULL : lookup->addresses;
}

const plx_error *plx_lookup_error(const plx_lookup *lookup)
{
    static const plx_error no_lookup = {PLX_INVALID_STATE, PLX_REASON_OPERATION, 0,
                                        "there is no lookup"};
    return lookup == NULL ? &no_lookup : &lookup->error;
}

int plx_group_add_lookup(plx_group *group, plx_lookup *lookup)
{
    int code = plx__group_add_guest(group, guest_of(lookup));
    if (code != 0 && lookup != NULL) {
        plx__task_set_deadline(&lookup->guest.task, next_moment(lookup));
    }
    return code;
}

int plx_group_remove_lookup(plx_group *group, plx_lookup *lookup)
{
    if (group == NULL || lookup == NULL || lookup->guest.task.loop != &group->loop) {
        return PLX_INVALID_STATE;
    }
    plx__group_remove_guest(group, &lookup->guest);
    return 0;
}
