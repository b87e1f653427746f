/* lib/resolve/host-cache.h -- the cache of host names that datagrams were sent to.
 *
 * Design: a list of names, the most recently used first, and a queue of those that are being looked
 * up, the first requested first. A name is looked up once and remembered for 60 seconds; datagrams
 * for the name wait in the name's own buffer meanwhile, so that datagrams for other names are not
 * delayed. At most 32 lookups run at once; the names behind them wait, and each lookup ends, so
 * each name has its turn:
 *
 *      queue --> [ looked up, looked up, ... 32 of them ] waits, waits, waits
 *
 * A zeroed list is empty and valid. */
#ifndef PLX_LIB_HOST_CACHE_H
#define PLX_LIB_HOST_CACHE_H

#include "lib/base/buffer.h"
#include "lib/poll/loop.h"
#include "lib/resolve/resolver.h"
#include "lib/resolve/trial.h"

struct plx__cached_host {
    struct plx__cached_host *next;
    struct plx__cached_host *behind; /* in the queue */
    char *host;
    int family;                  /* the requested family: 4, 6 or 0 for any */
    bool known;                  /* the addresses are known; else the name is in the queue */
    struct plx__query *query;    /* NULL: the name waits for its turn, or is known */
    struct plx__failure failure; /* of a lookup that ended without an address */
    plx_address *addresses;      /* without a port, in the order in which to try them */
    size_t count;
    uint64_t expires;
    struct plx__buffer waiting; /* records of the kind that waits */
    size_t records;
};

struct plx__host_cache {
    struct plx__cached_host *first;
    struct plx__cached_host *queue;
    struct plx__trials trials; /* the trials of a name end with the name */
};

/* plx__host_cache_get returns the name, known or being looked up; family is 4, 6 or 0 for any. NULL
 * when out of memory. */
struct plx__cached_host *plx__host_cache_get(struct plx__host_cache *names, struct plx__task *task,
                                             const char *host, int family);

/* plx__host_cache_advance continues the lookups and returns a name whose lookup has ended and which
 * has left the queue, with its addresses or its failure. NULL when no lookup has ended. */
struct plx__cached_host *plx__host_cache_advance(struct plx__host_cache *names,
                                                 struct plx__task *task);

/* plx__host_cache_forget removes a name and the datagrams that wait for it. */
void plx__host_cache_forget(struct plx__host_cache *names, struct plx__cached_host *name);

/* plx__host_cache_deadline returns the latest moment for plx__host_cache_advance, 0 for never. */
uint64_t plx__host_cache_deadline(const struct plx__host_cache *names);

/* plx__host_cache_clear removes all names and ends their lookups. */
void plx__host_cache_clear(struct plx__host_cache *names);

#endif
