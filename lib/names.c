/* lib/names.c -- floor 4: host names that datagrams were sent to, remembered. */
#include "config.h"

#include "lib/clock.h"
#include "lib/memory.h"
#include "lib/names.h"

#include <string.h>

#define REMEMBERED ((uint64_t)60 * 1000 * 1000 * 1000)
#define MOST_NAMES 64

static void forget(struct plx__names *names, struct plx__name *name)
{
    struct plx__name **place = &names->first;
    while (*place != name) {
        place = &(*place)->next;
    }
    *place = name->next;
    plx__query_free(name->query);
    plx__buffer_clear(&name->waiting, NULL);
    plx__memory_free(name->host);
    plx__memory_free(name);
}

/* Forgets what has expired, and the name used longest ago when there are too many. */
static void tidy(struct plx__names *names, uint64_t now)
{
    size_t count = 0;
    struct plx__name *oldest = NULL;
    struct plx__name *next;
    for (struct plx__name *name = names->first; name != NULL; name = next) {
        next = name->next;
        if (name->query != NULL) {
            count++;
        } else if (now >= name->expires) {
            forget(names, name);
        } else {
            count++;
            oldest = name;
        }
    }
    if (count >= MOST_NAMES && oldest != NULL) {
        forget(names, oldest);
    }
}

static struct plx__name *find(struct plx__names *names, const char *host)
{
    for (struct plx__name **place = &names->first; *place != NULL; place = &(*place)->next) {
        struct plx__name *name = *place;
        if (strcmp(name->host, host) == 0) {
            *place = name->next;
            name->next = names->first;
            names->first = name;
            return name;
        }
    }
    return NULL;
}

struct plx__name *plx__names_get(struct plx__names *names, struct plx__task *task, const char *host,
                                 int family)
{
    tidy(names, plx__clock_now());
    struct plx__name *name = find(names, host);
    if (name != NULL) {
        return name;
    }
    name = plx__memory_new(sizeof *name);
    char *copy = plx__memory_copy_text(host);
    struct plx__query *query =
        name == NULL || copy == NULL ? NULL : plx__query_start(task, host, family);
    if (query == NULL) {
        plx__memory_free(name);
        plx__memory_free(copy);
        return NULL;
    }
    *name = (struct plx__name){.next = names->first, .host = copy, .query = query};
    names->first = name;
    return name;
}

struct plx__name *plx__names_advance(struct plx__names *names)
{
    for (struct plx__name *name = names->first; name != NULL; name = name->next) {
        if (name->query != NULL && plx__query_process(name->query)) {
            return name;
        }
    }
    return NULL;
}

void plx__names_settle(struct plx__names *names, struct plx__name *name, uint64_t now)
{
    if (name->query->failure != PLX_REASON_NONE) {
        forget(names, name);
        return;
    }
    name->address = name->query->addresses[0];
    name->expires = plx__clock_add(now, REMEMBERED);
    name->query = plx__query_free(name->query);
}

uint64_t plx__names_deadline(const struct plx__names *names)
{
    uint64_t earliest = 0;
    for (const struct plx__name *name = names->first; name != NULL; name = name->next) {
        uint64_t next = name->query == NULL ? 0 : plx__query_next(name->query);
        if (next != 0 && (earliest == 0 || next < earliest)) {
            earliest = next;
        }
    }
    return earliest;
}

void plx__names_clear(struct plx__names *names)
{
    while (names->first != NULL) {
        forget(names, names->first);
    }
}
