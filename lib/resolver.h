/* lib/resolver.h -- floor 3: names to addresses, never blocking.
 *
 * Design: a query is one look-up. It lives in the task that asked: its descriptors are watches of
 * that task, and its next moment is part of that task's deadline, so that whoever serves the task
 * serves the look-up. Freeing a query cancels it; nothing comes after that. An engine is one way of
 * looking up; a query begins with what all engines share.
 *
 * A look-up is allowed 30 seconds in all, whatever the engine does within them. */
#ifndef PLX_LIB_RESOLVER_H
#define PLX_LIB_RESOLVER_H

#include "lib/loop.h"

#include <pollux/address.h>
#include <pollux/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__query {
    struct plx__task *task;
    plx_address *addresses; /* what was found, in the order in which to try, without a port */
    size_t count;
    bool done;
    bool is_localhost; /* the host is this computer by its name alone */
    int family;        /* 4, 6, or 0 for any */
    plx_reason
        failure; /* when done: PLX_REASON_NONE, HOST_NOT_FOUND, SOCKET_TIMEOUT or SOCKET_RESOURCE */
    uint64_t until; /* when the look-up is given up */
};

struct plx__resolver {
    size_t size; /* of the engine's query, which begins with struct plx__query */
    /* Begins; family is 4, 6 or 0 for any. May finish at once. */
    void (*start)(struct plx__query *query, const char *host, int family);
    /* Serves watches that are ready, and what has timed out. */
    void (*process)(struct plx__query *query);
    /* Returns when it wants to be processed anyhow, or 0. */
    uint64_t (*next)(struct plx__query *query, uint64_t now);
    /* Ends everything, finished or not; the watches are idle afterwards. */
    void (*stop)(struct plx__query *query);
};

extern const struct plx__resolver plx__resolver_ares;

/* plx__query_start begins to look up `host` for `task`; family is 4, 6, or 0 for any. NULL for want
 * of memory. */
struct plx__query *plx__query_start(struct plx__task *task, const char *host, int family);

/* plx__query_process goes on with what is ready and returns true when the look-up is done. */
bool plx__query_process(struct plx__query *query);

/* plx__query_next returns the moment at which to process it anyhow. */
uint64_t plx__query_next(struct plx__query *query);

/* plx__query_free ends the look-up; NULL is allowed; returns NULL. */
struct plx__query *plx__query_free(struct plx__query *query);

/* plx__query_add is for engines: one more address; one that is there already is left out. False for
 * want of memory. */
bool plx__query_add(struct plx__query *query, const plx_address *address);

/* plx__query_end is for engines: the look-up is done. */
void plx__query_end(struct plx__query *query, plx_reason failure);

#endif
