/* lib/resolve/host-cache.h -- host names that datagrams were sent to, remembered.
 *
 * Design: a list of names, the last used first, and a queue of those that are being looked up, the
 * first asked for first. A name is looked up once and remembered for 60 seconds; datagrams for it
 * wait in its own buffer meanwhile, so that others are not held up. So many look-ups are under way at
 * most; the names behind them wait for their turn, which is as sure as the end of a look-up:
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
    int family;                  /* that is asked for: 4, 6 or 0 for any */
    bool known;                  /* the addresses are; else it stands in the queue */
    struct plx__query *query;    /* NULL: it waits for its turn, or is known */
    struct plx__failure failure; /* of an ended look-up that found nothing */
    plx_address *addresses;      /* without a port, in the order in which to try them */
    size_t count;
    uint64_t expires;
    struct plx__buffer waiting; /* records of the kind that waits */
    size_t records;
};

struct plx__host_cache {
    struct plx__cached_host *first;
    struct plx__cached_host *queue;
    struct plx__trials trials; /* those of a name end with it */
};

/* plx__host_cache_get returns the name, known or being looked up; family is 4, 6 or 0 for any. NULL when
 * memory ran out. */
struct plx__cached_host *plx__host_cache_get(struct plx__host_cache *names, struct plx__task *task,
                                             const char *host, int family);

/* plx__host_cache_advance goes on with look-ups and returns a name whose look-up has ended, known or with
 * its failure, which has left the queue. NULL: none. */
struct plx__cached_host *plx__host_cache_advance(struct plx__host_cache *names,
                                                 struct plx__task *task);

/* plx__host_cache_forget removes a name and what waits for it. */
void plx__host_cache_forget(struct plx__host_cache *names, struct plx__cached_host *name);

/* plx__host_cache_deadline returns when to advance at the latest, 0 for never. */
uint64_t plx__host_cache_deadline(const struct plx__host_cache *names);

/* plx__host_cache_clear forgets all and ends their look-ups. */
void plx__host_cache_clear(struct plx__host_cache *names);

#endif
