/* lib/names.h -- floor 4: host names that datagrams were sent to, remembered.
 *
 * Design: a short list, the last used first. A name is looked up once and remembered for 60
 * seconds; datagrams for it wait in its own buffer meanwhile, so that others are not held up. A
 * zeroed list is empty and valid. */
#ifndef PLX_LIB_NAMES_H
#define PLX_LIB_NAMES_H

#include "lib/buffer.h"
#include "lib/loop.h"
#include "lib/resolver.h"

struct plx__name {
    struct plx__name *next;
    char *host;
    struct plx__query *query; /* NULL: the address is known */
    plx_address address;      /* without a port */
    uint64_t expires;
    struct plx__buffer waiting; /* records of the kind that waits */
    size_t records;
};

struct plx__names {
    struct plx__name *first;
};

/* plx__names_get returns the name, known or being looked up; family is 4, 6 or 0 for any. NULL for
 * want of memory. */
struct plx__name *plx__names_get(struct plx__names *names, struct plx__task *task, const char *host,
                                 int family);

/* plx__names_advance goes on with look-ups and returns one that has ended: known, or with a failure
 * in its query. NULL: none. */
struct plx__name *plx__names_advance(struct plx__names *names);

/* plx__names_settle takes the answer of an ended look-up; one that failed is forgotten. */
void plx__names_settle(struct plx__names *names, struct plx__name *name, uint64_t now);

/* plx__names_deadline returns when to advance at the latest, 0 for never. */
uint64_t plx__names_deadline(const struct plx__names *names);

/* plx__names_clear forgets all and ends their look-ups. */
void plx__names_clear(struct plx__names *names);

#endif
