/* lib/resolve/host-cache.c -- the cache of host names that datagrams were sent to. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/resolve/host-cache.h"

#include <string.h>

#define REMEMBERED ((uint64_t)60 * 1000 * PLX__MILLISECOND)
#define MOST_NAMES 64

/* How many lookups run at once, each with a descriptor or two, and how many of the waiting ones
 * begin in one poll: to begin a lookup reads files and takes a tenth of a millisecond. */
#define MOST_LOOK_UPS 32
#define MOST_BEGUN 4

/* ---- the list -------------------------------------------------------------------------------- */

static void leave_queue(struct plx__host_cache *names, struct plx__cached_host *name)
{
    struct plx__cached_host **place = &names->queue;
    while (*place != NULL && *place != name) {
        place = &(*place)->behind;
    }
    if (*place != NULL) {
        *place = name->behind;
        name->behind = NULL;
    }
}

void plx__host_cache_forget(struct plx__host_cache *names, struct plx__cached_host *name)
{
    struct plx__cached_host **place = &names->first;
    while (*place != name) {
        place = &(*place)->next;
    }
    *place = name->next;
    leave_queue(names, name);
    plx__trials_remove(&names->trials, name);
    plx__query_free(name->query);
    plx__buffer_clear(&name->waiting, NULL);
    plx__memory_free(name->addresses);
    plx__memory_free(name->host);
    plx__memory_free(name);
}

/* Removes the names that have expired, and the least recently used one when there are too many. */
static void tidy(struct plx__host_cache *names, uint64_t now)
{
    size_t count = 0;
    struct plx__cached_host *oldest = NULL;
    struct plx__cached_host *next;
    for (struct plx__cached_host *name = names->first; name != NULL; name = next) {
        next = name->next;
        if (name->known && now >= name->expires) {
            plx__host_cache_forget(names, name);
        } else if (name->known) {
            count++;
            oldest = name;
        }
    }
    if (count >= MOST_NAMES && oldest != NULL) {
        plx__host_cache_forget(names, oldest);
    }
}

static struct plx__cached_host *find_host(struct plx__host_cache *names, const char *host,
                                          int family)
{
    for (struct plx__cached_host **place = &names->first; *place != NULL; place = &(*place)->next) {
        struct plx__cached_host *name = *place;
        if (name->family == family && strcmp(name->host, host) == 0) {
            *place = name->next;
            name->next = names->first;
            names->first = name;
            return name;
        }
    }
    return NULL;
}

/* ---- the queue ------------------------------------------------------------------------------- */

/* Puts the name at the end of the queue; returns how many are before it. */
static size_t join_queue(struct plx__host_cache *names, struct plx__cached_host *name)
{
    size_t before = 0;
    struct plx__cached_host **place = &names->queue;
    for (; *place != NULL; place = &(*place)->behind) {
        before++;
    }
    *place = name;
    return before;
}

/* False when memory ran out. */
static bool begin_lookup(struct plx__cached_host *name, struct plx__task *task)
{
    name->query = plx__query_start(task, name->host, name->family);
    return name->query != NULL;
}

static struct plx__cached_host *add(struct plx__host_cache *names, const char *host, int family)
{
    struct plx__cached_host *name = plx__memory_new(sizeof *name);
    char *copy = plx__memory_copy_text(host);
    if (name == NULL || copy == NULL) {
        plx__memory_free(name);
        plx__memory_free(copy);
        return NULL;
    }
    *name = (struct plx__cached_host){.next = names->first, .host = copy, .family = family};
    names->first = name;
    return name;
}

struct plx__cached_host *plx__host_cache_get(struct plx__host_cache *names, struct plx__task *task,
                                             const char *host, int family)
{
    uint64_t now = plx__clock_now();
    struct plx__cached_host *name = find_host(names, host, family);
    if (name != NULL && (!name->known || now < name->expires)) {
        return name;
    }
    tidy(names, now);
    name = add(names, host, family);
    if (name != NULL && join_queue(names, name) < MOST_LOOK_UPS && !begin_lookup(name, task)) {
        plx__host_cache_forget(names, name);
        return NULL;
    }
    return name;
}

/* False when memory ran out. */
static bool take_addresses(struct plx__cached_host *name, struct plx__query *query)
{
    size_t size = query->count * sizeof *name->addresses;
    plx__query_order(query, 0);
    name->addresses = plx__memory_new(size);
    if (name->addresses != NULL) {
        memcpy(name->addresses, query->addresses, size);
        name->count = query->count;
    }
    return name->addresses != NULL;
}

/* Removes the name from the queue; the name has its addresses or its failure. */
static void end(struct plx__host_cache *names, struct plx__cached_host *name)
{
    struct plx__query *query = name->query;
    leave_queue(names, name);
    if (query != NULL && query->count == 0) {
        name->failure = query->failure;
    } else if (query == NULL || !take_addresses(name, query)) {
        name->failure = plx__failure_of_system(-PLX__ENOMEM);
    } else {
        name->known = true;
        name->expires = plx__clock_add(plx__clock_now(), REMEMBERED);
    }
    name->query = plx__query_free(query);
}

struct plx__cached_host *plx__host_cache_advance(struct plx__host_cache *names,
                                                 struct plx__task *task)
{
    size_t place = 0;
    size_t begun = 0;
    for (struct plx__cached_host *name = names->queue; name != NULL && place < MOST_LOOK_UPS;
         name = name->behind, place++) {
        bool ended = false;
        if (name->query != NULL) {
            ended = plx__query_process(name->query);
        } else if (begun++ < MOST_BEGUN) {
            ended = !begin_lookup(name, task);
        }
        if (ended) {
            end(names, name);
            return name;
        }
    }
    return NULL;
}

uint64_t plx__host_cache_deadline(const struct plx__host_cache *names)
{
    uint64_t earliest = 0;
    size_t place = 0;
    for (const struct plx__cached_host *name = names->queue; name != NULL && place < MOST_LOOK_UPS;
         name = name->behind, place++) {
        if (name->query == NULL || name->query->done) {
            return plx__clock_now();
        }
        earliest = plx__clock_earlier(earliest, plx__query_next(name->query));
    }
    return earliest;
}

void plx__host_cache_clear(struct plx__host_cache *names)
{
    while (names->first != NULL) {
        plx__host_cache_forget(names, names->first);
    }
}
