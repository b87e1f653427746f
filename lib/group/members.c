/* lib/group/members.c -- the members of one group of discovery that a program knows. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/base/mix.h"
#include "lib/group/members.h"

#include <string.h>

/* How long a DOUBTED member has to be heard, in milliseconds: a member answers a second after its
 * last `here` at the earliest, and then at once or within half a second. */
#define DOUBT 2000

void plx__members_begin(struct plx__members *members, uint64_t key)
{
    plx__list_init(&members->order);
    plx__list_init(&members->silence);
    plx__list_init(&members->joined);
    plx__list_init(&members->left);
    members->key = key;
}

/* ---- the table ------------------------------------------------------------------------------- */

static size_t bucket_of(const struct plx__members *members, uint64_t id)
{
    return (size_t)(plx__mix(id ^ members->key) % PLX__MEMBERS_BUCKETS);
}

struct plx__known *plx__members_find(const struct plx__members *members, uint64_t id)
{
    struct plx__known *known = members->buckets[bucket_of(members, id)];
    while (known != NULL && known->id != id) {
        known = known->next;
    }
    return known;
}

static void unlink_bucket(struct plx__members *members, struct plx__known *known)
{
    struct plx__known **place = &members->buckets[bucket_of(members, known->id)];
    while (*place != known) {
        place = &(*place)->next;
    }
    *place = known->next;
}

/* ---- one member ------------------------------------------------------------------------------ */

/* False without memory, and nothing has changed. */
static bool set_about(struct plx__known *known, const void *about, size_t size)
{
    if (size == known->about_size && (size == 0 || memcmp(known->about, about, size) == 0)) {
        return true;
    }
    void *copy = size == 0 ? NULL : plx__memory_copy(about, size);
    if (size > 0 && copy == NULL) {
        return false;
    }
    plx__memory_free(known->about);
    known->about = copy;
    known->about_size = (uint16_t)size;
    return true;
}

/* The one function that changes the stage. */
static void enter(struct plx__members *members, struct plx__known *known,
                  enum plx__known_stage stage)
{
    members->listed -= known->stage == PLX__KNOWN_LISTED;
    members->listed += stage == PLX__KNOWN_LISTED;
    known->stage = stage;
}

static void renew(struct plx__members *members, struct plx__known *known, uint64_t now)
{
    if (known->is_self) {
        return;
    }
    known->heard = now;
    plx__list_remove(&known->silence);
    plx__list_append(&members->silence, &known->silence);
    plx__deadline_set(&members->ends, &known->end, plx__clock_add(now, known->lifetime));
    enter(members, known, PLX__KNOWN_LISTED);
}

/* Adds a LISTED member to be reported. NULL without memory. */
static struct plx__known *add(struct plx__members *members, uint64_t id, const plx_address *address,
                              const void *about, size_t size)
{
    struct plx__known *known = plx__memory_new(sizeof *known);
    if (known == NULL || !set_about(known, about, size)) {
        plx__memory_free(known);
        return NULL;
    }
    size_t bucket = bucket_of(members, id);
    known->id = id;
    known->address = *address;
    known->stage = PLX__KNOWN_LISTED;
    known->next = members->buckets[bucket];
    members->buckets[bucket] = known;
    members->living++;
    members->listed++;
    plx__list_append(&members->order, &known->order);
    plx__list_append(&members->joined, &known->news);
    return known;
}

void plx__members_forget(struct plx__known *left)
{
    plx__memory_free(left->about);
    plx__memory_free(left);
}

static void leave(struct plx__members *members, struct plx__known *known)
{
    bool was_reported = !plx__list_is_linked(&known->news);
    unlink_bucket(members, known);
    members->living--;
    plx__list_remove(&known->order);
    plx__list_remove(&known->silence);
    plx__list_remove(&known->news);
    plx__deadline_remove(&members->ends, &known->end);
    enter(members, known, PLX__KNOWN_LEFT);
    if (was_reported) {
        plx__list_append(&members->left, &known->news);
    } else {
        plx__members_forget(known);
    }
}

/* ---- what is heard --------------------------------------------------------------------------- */

struct plx__known *plx__members_add_self(struct plx__members *members, uint64_t id,
                                         const plx_address *address, const void *about, size_t size)
{
    struct plx__known *known = plx__members_find(members, id);
    if (known != NULL) {
        return set_about(known, about, size) ? known : NULL;
    }
    known = add(members, id, address, about, size);
    if (known != NULL) {
        known->is_self = true;
    }
    return known;
}

static bool is_same_host(const plx_address *a, const plx_address *b)
{
    return a->family == b->family && a->scope == b->scope &&
           memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static size_t count_of_address(const struct plx__members *members, const plx_address *address)
{
    size_t count = 0;
    const struct plx__list *head = &members->order;
    for (const struct plx__list *link = head->next; link != head; link = link->next) {
        const struct plx__known *known = PLX__CONTAINER_OF(link, const struct plx__known, order);
        count += is_same_host(&known->address, address);
    }
    return count;
}

/* The member that makes room for a newcomer; NULL: the newcomer has to stay outside. */
static struct plx__known *find_silent(const struct plx__members *members, const plx_address *from)
{
    struct plx__list *first = plx__list_first(&members->silence);
    if (first == NULL || count_of_address(members, from) >= PLX__MEMBERS_OF_ADDRESS) {
        return NULL;
    }
    return PLX__CONTAINER_OF(first, struct plx__known, silence);
}

static enum plx__heard welcome(struct plx__members *members, uint64_t id, const plx_address *from,
                               uint64_t lifetime, const void *about, size_t size, uint64_t now)
{
    bool is_full = members->living >= PLX__MEMBERS_MOST;
    struct plx__known *silent = is_full ? find_silent(members, from) : NULL;
    struct plx__known *known =
        is_full && silent == NULL ? NULL : add(members, id, from, about, size);
    if (known == NULL) {
        return PLX__HEARD_FULL;
    }
    if (silent != NULL) {
        leave(members, silent);
    }
    known->lifetime = lifetime;
    renew(members, known, now);
    return PLX__HEARD_NEW;
}

enum plx__heard plx__members_here(struct plx__members *members, uint64_t id,
                                  const plx_address *from, uint64_t lifetime, const void *about,
                                  size_t size, uint64_t now)
{
    struct plx__known *known = plx__members_find(members, id);
    if (known == NULL) {
        return welcome(members, id, from, lifetime, about, size, now);
    }
    if (known->is_self || !plx_address_equal(&known->address, from)) {
        return PLX__HEARD_ELSEWHERE;
    }
    known->lifetime = lifetime;
    set_about(known, about, size); /* without memory the old bytes stay, until it is heard again */
    renew(members, known, now);
    return PLX__HEARD_KNOWN;
}

void plx__members_word(struct plx__members *members, struct plx__known *known, uint64_t now)
{
    renew(members, known, now);
}

void plx__members_bye(struct plx__members *members, uint64_t id, const plx_address *from)
{
    struct plx__known *known = plx__members_find(members, id);
    if (known != NULL && !known->is_self && plx_address_equal(&known->address, from)) {
        leave(members, known);
    }
}

bool plx__window_is_fresh(struct plx__window *window, uint32_t sequence)
{
    uint32_t ahead = sequence - window->newest;
    if (window->seen == 0 || (ahead != 0 && ahead <= INT32_MAX)) {
        window->seen = window->seen == 0 || ahead >= 64 ? 1 : window->seen << ahead | 1;
        window->newest = sequence;
        return true;
    }
    uint32_t behind = window->newest - sequence;
    uint64_t bit = behind < 64 ? UINT64_C(1) << behind : 0;
    bool is_fresh = bit != 0 && (window->seen & bit) == 0;
    window->seen |= bit;
    return is_fresh;
}

/* ---- time ------------------------------------------------------------------------------------ */

void plx__members_expire(struct plx__members *members, uint64_t now)
{
    struct plx__deadline *end;
    while ((end = plx__deadlines_take(&members->ends, now)) != NULL) {
        leave(members, PLX__CONTAINER_OF(end, struct plx__known, end));
    }
}

uint64_t plx__members_next(const struct plx__members *members)
{
    /* plx__deadlines_next corrects the lazy heap, which the caller cannot observe. */
    return plx__deadlines_next(&((struct plx__members *)members)->ends);
}

void plx__members_doubt(struct plx__members *members, uint64_t now)
{
    uint64_t soon = plx__clock_after(now, DOUBT);
    struct plx__list *head = &members->order;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        struct plx__known *known = PLX__CONTAINER_OF(link, struct plx__known, order);
        if (!known->is_self && known->stage == PLX__KNOWN_LISTED) {
            enter(members, known, PLX__KNOWN_DOUBTED);
            plx__deadline_set(&members->ends, &known->end, plx__clock_earlier(known->end.at, soon));
        }
    }
}

/* ---- what the program sees ------------------------------------------------------------------- */

static struct plx__known *take(struct plx__list *news)
{
    struct plx__list *link = plx__list_take_first(news);
    return link == NULL ? NULL : PLX__CONTAINER_OF(link, struct plx__known, news);
}

struct plx__known *plx__members_take_joined(struct plx__members *members)
{
    return take(&members->joined);
}

struct plx__known *plx__members_take_left(struct plx__members *members)
{
    return take(&members->left);
}

struct plx__known *plx__members_step(const struct plx__members *members,
                                     const struct plx__known *previous)
{
    const struct plx__list *head = &members->order;
    struct plx__list *link = previous == NULL ? head->next : previous->order.next;
    while (link != NULL && link != head) {
        struct plx__known *known = PLX__CONTAINER_OF(link, struct plx__known, order);
        if (known->stage == PLX__KNOWN_LISTED) {
            return known;
        }
        link = link->next;
    }
    return NULL;
}

static void clear_list(struct plx__list *list, size_t offset)
{
    struct plx__list *link;
    while ((link = plx__list_take_first(list)) != NULL) {
        plx__members_forget((struct plx__known *)(void *)((char *)link - offset));
    }
}

void plx__members_clear(struct plx__members *members)
{
    clear_list(&members->left, offsetof(struct plx__known, news));
    clear_list(&members->order, offsetof(struct plx__known, order));
    memset(members, 0, sizeof *members);
}
