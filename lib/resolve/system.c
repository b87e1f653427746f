/* lib/resolve/system.c -- lookups by the C library, which asks all modules of nsswitch.conf(5).
 *
 * The lookup runs in a thread (lib/os/name-lookup.h); its query watches the descriptor that the
 * thread makes readable at its end, and has no moments of its own. The thread asks for both
 * families at once: with a thread for each, one family that is silent would not delay the other, but
 * the C library could not put the addresses in the order of gai.conf(5), and modules other than dns
 * would be asked twice. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/os/name-lookup.h"
#include "lib/resolve/resolver.h"

struct system_query {
    struct plx__query base;
    struct plx__os_name_lookup *lookup; /* NULL: none, or taken */
    struct plx__watch watch;
};

/* ---- failures -------------------------------------------------------------------------------- */

static struct plx__failure failure_of_answer(enum plx__os_name_answer answer, int error)
{
    static const struct plx__failure temporary = {
        PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, -PLX__SENTENCE,
        "a name server failed or did not answer (EAI_AGAIN)"};
    static const struct plx__failure failed = {PLX_NAME_RESOLUTION, PLX_REASON_NETWORK,
                                               -PLX__SENTENCE,
                                               "the C library cannot look it up (EAI_FAIL)"};
    static const struct plx__failure forked = {
        PLX_NAME_RESOLUTION, PLX_REASON_OPERATION, -PLX__SENTENCE,
        "its thread stayed in the process that this one was forked from"};
    switch (answer) {
    case PLX__NAME_UNKNOWN: return plx__failure_not_found;
    case PLX__NAME_TEMPORARY: return temporary;
    case PLX__NAME_ERROR: return plx__failure_of_system(error);
    case PLX__NAME_FORKED: return forked;
    default: return failed;
    }
}

static void fail(struct plx__query *query, const struct plx__failure *failure)
{
    plx__query_fail(query, failure);
    plx__query_end(query);
}

static void fail_to_start(struct plx__query *query, int error, bool threadless)
{
    struct plx__failure failure = plx__failure_of_system(error);
    if (threadless) {
        failure = (struct plx__failure){PLX_OPEN_DRIVER, PLX_REASON_SOCKET_RESOURCE, error,
                                        "no thread can be started (pthread_create)"};
    }
    fail(query, &failure);
}

/* ---- engine ---------------------------------------------------------------------------------- */

static struct system_query *system_of(struct plx__query *query)
{
    return PLX__CONTAINER_OF(query, struct system_query, base);
}

static void system_query_start(struct plx__query *query, const char *host)
{
    struct system_query *self = system_of(query);
    bool threadless;
    if (query->is_localhost) {
        /* Neither name servers nor a thread are needed for "localhost" (RFC 6761, 6.3). */
        plx__hosts_find(query, host);
        plx__query_end(query);
        return;
    }
    int result = plx__os_name_lookup_start(host, query->family, &self->lookup, &threadless);
    if (result == 0) {
        result = plx__watch_start(&self->watch, query->task,
                                  plx__os_name_lookup_descriptor(self->lookup), PLX__READ);
    }
    if (result < 0) {
        fail_to_start(query, result, threadless);
    }
}

static void system_query_process(struct plx__query *query)
{
    struct system_query *self = system_of(query);
    plx_address address;
    int error = 0;
    enum plx__os_name_answer answer = plx__os_name_lookup_answer(self->lookup, &error);
    if (answer == PLX__NAME_AWAITED) {
        return;
    }
    if (answer != PLX__NAME_FOUND) {
        struct plx__failure failure = failure_of_answer(answer, error);
        fail(query, &failure);
        return;
    }
    while (plx__os_name_lookup_next(self->lookup, &address)) {
        plx__query_add(query, &address);
    }
    query->is_listed = true;
    plx__query_end(query);
}

/* The descriptor becomes readable; the query's own limit is the only moment. */
static uint64_t system_query_next(struct plx__query *query, uint64_t now)
{
    (void)query;
    (void)now;
    return 0;
}

static void system_query_stop(struct plx__query *query)
{
    struct system_query *self = system_of(query);
    plx__watch_stop(&self->watch);
    if (self->lookup != NULL) {
        plx__os_name_lookup_drop(self->lookup);
        self->lookup = NULL;
    }
}

const struct plx__resolver plx__resolver_system = {
    .size = sizeof(struct system_query),
    .start = system_query_start,
    .process = system_query_process,
    .next = system_query_next,
    .stop = system_query_stop,
};
