/* lib/resolver.c -- floor 3: what all look-ups share. */
#include "config.h"

#include "lib/memory.h"
#include "lib/resolver.h"

/* c-ares is the one engine so far: no thread, sockets of its own that can be watched, and it can be
 * cancelled. The price is that the modules of nsswitch.conf(5) other than files and dns are not
 * asked. */
static const struct plx__resolver *const engine = &plx__resolver_ares;

#define LOOK_UP_LIMIT ((uint64_t)30 * 1000 * 1000 * 1000)

struct plx__query *plx__query_start(struct plx__task *task, const char *host, int family)
{
    struct plx__query *query = plx__memory_new(engine->size);
    if (query == NULL) {
        return NULL;
    }
    query->task = task;
    query->until = plx__task_now(task) + LOOK_UP_LIMIT;
    engine->start(query, host, family);
    return query;
}

bool plx__query_process(struct plx__query *query)
{
    if (!query->done) {
        engine->process(query);
    }
    if (!query->done && plx__task_now(query->task) >= query->until) {
        plx__query_end(query, PLX_REASON_SOCKET_TIMEOUT);
    }
    return query->done;
}

uint64_t plx__query_next(struct plx__query *query)
{
    uint64_t now = plx__task_now(query->task);
    uint64_t next = query->done ? now : engine->next(query, now);
    return next == 0 || next > query->until ? query->until : next;
}

struct plx__query *plx__query_free(struct plx__query *query)
{
    if (query != NULL) {
        query->done = true;
        engine->stop(query);
        plx__memory_free(query->addresses);
        plx__memory_free(query);
    }
    return NULL;
}

bool plx__query_add(struct plx__query *query, const plx_address *address)
{
    for (size_t i = 0; i < query->count; i++) {
        if (plx_address_equal(&query->addresses[i], address)) {
            return true;
        }
    }
    plx_address *addresses =
        plx__memory_resize(query->addresses, (query->count + 1) * sizeof *addresses);
    if (addresses == NULL) {
        return false;
    }
    addresses[query->count++] = *address;
    query->addresses = addresses;
    return true;
}

void plx__query_end(struct plx__query *query, plx_reason failure)
{
    query->done = true;
    query->failure = failure;
}
