/* tests/test-origin.c -- at which of our addresses others were heard: a table that has bounds. */
#include "config.h"

#include <string.h>

#include "lib/base/memory.h"
#include "lib/base/origin.h"

#include "tests/world.h"

static plx_address peer_of(uint32_t number)
{
    plx_address peer = {.family = 4, .port = (uint16_t)(1 + number % 60000)};

    memcpy(peer.bytes, &number, sizeof number);
    return peer;
}

static plx_address local_of(uint32_t number)
{
    return (plx_address){.family = 4, .port = 7, .bytes = {10, 0, 0, (uint8_t)(1 + number % 250)}};
}

static bool is_at(struct plx__origins *origins, uint32_t number, const plx_address *local)
{
    plx_address peer = peer_of(number);
    const plx_address *found = plx__origins_find(origins, &peer);

    return found != NULL && memcmp(found->bytes, local->bytes, 16) == 0 && found->port == 0;
}

static void note(struct plx__origins *origins, uint32_t number, plx_address local)
{
    plx_address peer = peer_of(number);

    ck_assert(plx__origins_note(origins, &peer, &local));
}

PLAIN_CASE(few_are_all_remembered)
{
    struct plx__origins origins = {0};
    plx_address nobody = peer_of(77777);

    ck_assert_ptr_null(plx__origins_find(&origins, &nobody));
    for (uint32_t i = 0; i < 1000; i++)
        note(&origins, i, local_of(i));
    for (uint32_t i = 0; i < 1000; i++) {
        plx_address local = local_of(i);

        ck_assert_msg(is_at(&origins, i, &local), "%u", i);
    }
    ck_assert_ptr_null(plx__origins_find(&origins, &nobody));
    plx__origins_clear(&origins);
    ck_assert_ptr_null(plx__origins_find(&origins, &nobody));
}

/* As many as there may be come and go: the last one is always known, and most of the last thousand;
 * nothing grows beyond the bound. */
PLAIN_CASE(very_many_leave_the_last_ones)
{
    struct plx__origins origins = {0};
    size_t before = count_bytes(), known = 0;

    for (uint32_t i = 0; i < 200000; i++) {
        plx_address local = local_of(i);

        note(&origins, i, local);
        ck_assert(is_at(&origins, i, &local));
        ck_assert_uint_le(count_bytes() - before, PLX__ORIGINS * sizeof(struct plx__origin));
    }
    for (uint32_t i = 199000; i < 200000; i++) {
        plx_address local = local_of(i);

        known += is_at(&origins, i, &local);
    }
    ck_assert_uint_gt(known, 800);
    plx__origins_clear(&origins);
    ck_assert_uint_eq(count_bytes(), before);
}

PLAIN_CASE(the_last_address_counts)
{
    struct plx__origins origins = {0};
    plx_address first = local_of(1), second = local_of(2), peer = peer_of(1);
    plx_address many[] = {{.family = 4, .bytes = {239, 1, 2, 3}},
                          {.family = 4, .bytes = {255, 255, 255, 255}},
                          {.family = 6, .bytes = {0xff, 2, [15] = 1}},
                          {.family = 0}};

    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        size_t blocks = count_blocks();

        note(&origins, 1, many[i]); /* of somebody unknown there is nothing to remember */
        ck_assert_uint_eq(count_blocks(), blocks);
        note(&origins, 1, first);
        ck_assert(is_at(&origins, 1, &first));
        note(&origins, 1, second);
        ck_assert(is_at(&origins, 1, &second));
        note(&origins, 1, many[i]);
        ck_assert_ptr_null(plx__origins_find(&origins, &peer));
        plx__origins_clear(&origins);
    }
}

PLAIN_CASE(without_memory_nothing_is_lost)
{
    struct plx__origins origins = {0};
    plx_address local = local_of(1), peer;

    for (uint32_t i = 0; i < 8; i++)
        note(&origins, i, local);
    fail_allocation(-1);
    for (uint32_t i = 8; i < 100; i++) {
        peer = peer_of(i);
        if (!plx__origins_note(&origins, &peer, &local))
            ck_assert_ptr_null(plx__origins_find(&origins, &peer));
    }
    ck_assert(allocation_failed());
    fail_allocation(0);
    for (uint32_t i = 0; i < 8; i++)
        ck_assert(is_at(&origins, i, &local));
    plx__origins_clear(&origins);
}

WORLD_MAIN("origin")
