/* lib/group/members.h -- the members of one group of discovery that a program knows.
 *
 * Design: a table by the members' numbers, a list in the order in which they joined, a list in the
 * order in which they were heard, a heap of the moments at which their lifetimes end, and two lists
 * of those about whom the program has not heard yet. Senders choose the numbers, so the table is
 * hashed with a key that they do not know.
 *
 *                 doubt                  time over, bye, evicted
 *      LISTED ------------> DOUBTED ----------------------------------> LEFT --forget--> freed
 *        | ^                   |                                         ^
 *        | +------heard--------+                                         |
 *        +---------------------------------------------------------------+
 *
 * A member that leaves before its joining was reported is forgotten at once. A DOUBTED member is
 * not in the program's list, and leaves within two seconds unless it is heard.
 *
 * A member keeps the address that it was heard from first, as long as it lives: with another
 * address its number counts for nothing. When the table is full, a newcomer takes the place of the
 * member that was silent for longest, unless the newcomer's IP address has as many members as
 * PLX__MEMBERS_OF_ADDRESS: one computer cannot push out those of others. */
#ifndef PLX_LIB_MEMBERS_H
#define PLX_LIB_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/deadline.h"
#include "lib/base/list.h"

#include <pollux/address.h>

#define PLX__MEMBERS_MOST 1024
#define PLX__MEMBERS_OF_ADDRESS 32
#define PLX__MEMBERS_BUCKETS 64 /* so that a bucket has 16 members at most on average */

/* The sequences of a sender that were received. A zeroed one is that of a new sender. */
struct plx__window {
    uint32_t newest; /* the highest one */
    uint64_t seen;   /* bit i: newest - i was received; 0: none was received yet */
};

struct plx__known {
    plx_address address; /* of the sender, with the port for messages to it alone */
    uint64_t id;
    uint64_t heard;    /* when; 0 for the program itself */
    uint64_t lifetime; /* nanoseconds */
    bool is_self;
    enum plx__known_stage { PLX__KNOWN_LISTED, PLX__KNOWN_DOUBTED, PLX__KNOWN_LEFT } stage;
    struct plx__window window;
    uint16_t about_size;
    uint8_t *about;          /* NULL when about_size is 0 */
    struct plx__known *next; /* in its bucket */
    struct plx__list order, silence, news;
    struct plx__deadline end; /* of the lifetime */
};

/* A zeroed struct is empty; plx__members_begin comes before everything but clear and the calls that
 * ask. */
struct plx__members {
    struct plx__known *buckets[PLX__MEMBERS_BUCKETS];
    struct plx__list order, silence;
    struct plx__list joined, left; /* not reported yet */
    struct plx__deadlines ends;
    uint64_t key;
    size_t living; /* LISTED or DOUBTED */
    size_t listed;
};

enum plx__heard {
    PLX__HEARD_NEW,
    PLX__HEARD_KNOWN,
    PLX__HEARD_ELSEWHERE, /* from another address: nothing has changed */
    PLX__HEARD_FULL       /* no room, or no memory: nothing has changed */
};

/* plx__members_begin prepares a zeroed table; `key` is a number that nobody can predict. */
void plx__members_begin(struct plx__members *members, uint64_t key);

/* plx__members_find returns the living member of that number, or NULL. */
struct plx__known *plx__members_find(const struct plx__members *members, uint64_t id);

/* plx__members_add_self adds the program itself, which does not leave; or replaces what it says
 * about itself. Returns NULL without memory, and nothing has changed. */
struct plx__known *plx__members_add_self(struct plx__members *members, uint64_t id,
                                         const plx_address *address, const void *about,
                                         size_t size);

/* plx__members_here notes that a member has said that it is here, for `lifetime` nanoseconds. */
enum plx__heard plx__members_here(struct plx__members *members, uint64_t id,
                                  const plx_address *from, uint64_t lifetime, const void *about,
                                  size_t size, uint64_t now);

/* plx__members_word notes that something else arrived from a living member: it lives on. */
void plx__members_word(struct plx__members *members, struct plx__known *known, uint64_t now);

/* plx__members_bye makes a member leave if that is its address. */
void plx__members_bye(struct plx__members *members, uint64_t id, const plx_address *from);

/* plx__window_is_fresh returns whether a sequence arrives for the first time, and notes it. Of
 * sequences that are 64 or more behind the highest nothing is known: they count as received. The
 * sequence wraps: one that is less than 2^31 ahead is a higher one. */
bool plx__window_is_fresh(struct plx__window *window, uint32_t sequence);

/* plx__members_expire makes those leave that were silent for their lifetime. plx__members_next
 * returns the moment when the next one will have been; 0: never. */
void plx__members_expire(struct plx__members *members, uint64_t now);
uint64_t plx__members_next(const struct plx__members *members);

/* plx__members_doubt makes every member but the program itself DOUBTED. */
void plx__members_doubt(struct plx__members *members, uint64_t now);

/* plx__members_take_joined returns the member that joined first of those not reported yet;
 * plx__members_take_left the one that left first, which belongs to the caller, to be freed by
 * plx__members_forget. NULL: there is none. */
struct plx__known *plx__members_take_joined(struct plx__members *members);
struct plx__known *plx__members_take_left(struct plx__members *members);
void plx__members_forget(struct plx__known *left);

/* plx__members_step returns the LISTED member that joined after `previous`, NULL: the first one.
 * members->listed counts them. */
struct plx__known *plx__members_step(const struct plx__members *members,
                                     const struct plx__known *previous);

/* plx__members_clear frees all members. The table is zeroed then. */
void plx__members_clear(struct plx__members *members);

#endif
