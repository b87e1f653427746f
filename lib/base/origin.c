/* lib/base/origin.c -- the local address that each peer sent to. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/memory.h"
#include "lib/base/origin.h"

#include <string.h>

#define FIRST 16 /* places of the first table */
#define GROWTH 4
#define WINDOW 8 /* the number of places where a peer may stand */

/* The members of an address have no padding, and unused bytes are 0 (lib/base/address.h). */
static bool is_same(const plx_address *a, const plx_address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static size_t hash_of(const plx_address *address)
{
    uint64_t words[3];
    _Static_assert(sizeof words == sizeof *address, "an address is three words");
    memcpy(words, address, sizeof words);
    /* Odd constants, the golden ratio and those of SplitMix (Steele, Lea and Flood). */
    uint64_t hash = words[0] * 0x9e3779b97f4a7c15u;
    hash = (hash ^ (hash >> 32) ^ words[1]) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 29) ^ words[2]) * 0x94d049bb133111ebu;
    return (size_t)(hash >> 32);
}

/* Returns the peer's place, or the free place for it, or NULL: other peers have all its places. */
static struct plx__origin *slot_of(const struct plx__origins *self, const plx_address *peer)
{
    size_t hash = hash_of(peer);
    for (size_t i = 0; i < WINDOW; i++) {
        struct plx__origin *place = &self->list[(hash + i) & (self->size - 1u)];
        if (place->peer.family == 0 || is_same(&place->peer, peer)) {
            return place;
        }
    }
    return NULL;
}

static bool grow_origins(struct plx__origins *self)
{
    size_t size = self->size == 0 ? FIRST : self->size * (size_t)GROWTH;
    struct plx__origins larger = {.list = plx__memory_new(size * sizeof *larger.list),
                                  .size = (uint16_t)size};
    if (larger.list == NULL) {
        return false;
    }
    for (size_t i = 0; i < self->size; i++) {
        struct plx__origin *place =
            self->list[i].peer.family == 0 ? NULL : slot_of(&larger, &self->list[i].peer);
        if (place != NULL) {
            *place = self->list[i];
        }
    }
    plx__memory_free(self->list);
    *self = larger;
    return true;
}

/* Returns the peer's place, a new one if the peer has none; NULL when out of memory. */
static struct plx__origin *make_place(struct plx__origins *self, const plx_address *peer)
{
    struct plx__origin *place = self->size == 0 ? NULL : slot_of(self, peer);
    while (place == NULL && self->size < PLX__ORIGINS) {
        if (!grow_origins(self)) {
            return NULL;
        }
        place = slot_of(self, peer);
    }
    if (place == NULL) {
        self->turn = (uint8_t)((self->turn + 1) % WINDOW);
        place = &self->list[(hash_of(peer) + self->turn) & (self->size - 1u)];
    }
    return place;
}

bool plx__origins_note(struct plx__origins *self, const plx_address *peer, const plx_address *local)
{
    static const plx_address none = {0};
    bool chosen = local->family == 0 || plx__address_is_for_many(local);
    if (chosen && plx__origins_find(self, peer) == NULL) {
        return true;
    }
    struct plx__origin *place = make_place(self, peer);
    if (place == NULL) {
        return false;
    }
    place->peer = *peer;
    place->local = chosen ? none : *local;
    place->local.port = 0;
    return true;
}

const plx_address *plx__origins_search(struct plx__origins *self, const plx_address *peer)
{
    const struct plx__origin *place = &self->list[self->last & (self->size - 1u)];
    if (!is_same(&place->peer, peer)) {
        place = slot_of(self, peer);
        if (place == NULL || place->peer.family == 0) {
            return NULL;
        }
        self->last = (uint16_t)(place - self->list);
    }
    return place->local.family == 0 ? NULL : &place->local;
}

void plx__origins_clear(struct plx__origins *self)
{
    plx__memory_free(self->list);
    *self = (struct plx__origins){0};
}
