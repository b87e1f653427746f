/* tests/test-members-limits.c -- what strangers can do to a table of members: fill it, choose their
 * numbers; and a lack of memory. */
#include "config.h"

#include <stdlib.h>

#include "tests/members.h"

enum { MOST = PLX__MEMBERS_MOST, OF_ADDRESS = PLX__MEMBERS_OF_ADDRESS };

/* Members 1 to `count`, each on a host of its own from `host` on, heard one after the other. */
static void fill(unsigned count, unsigned host)
{
    for (unsigned i = 0; i < count; i++) {
        ck_assert_int_eq((int)here(1 + i, host + i, 1 + i), PLX__HEARD_NEW);
    }
    take_all();
}

/* ---- a full table ---------------------------------------------------------------------------- */

PLAIN_CASE(a_newcomer_takes_the_place_of_who_was_silent_for_longest)
{
    fill(MOST, 1000);
    here(1, 1000, 5000);
    plx__members_word(&table, plx__members_find(&table, 2), 5001);
    ck_assert_int_eq((int)here(5000, 9, 5002), PLX__HEARD_NEW);
    ck_assert_uint_eq(take_left(), 3);
    ck_assert_uint_eq(take_joined(), 5000);
    ck_assert_uint_eq(take_left(), 0);
    ck_assert_uint_eq(table.listed, MOST);
    ck_assert_int_eq((int)here(5001, 9, 5003), PLX__HEARD_NEW);
    ck_assert_uint_eq(take_left(), 4);
    bye(5000, 9);
    bye(5001, 9);
    take_all();
    ck_assert_int_eq((int)here(5002, 9, 5004), PLX__HEARD_NEW);
    ck_assert_int_eq((int)here(5003, 9, 5005), PLX__HEARD_NEW);
    ck_assert_uint_eq(take_left(), 0);
}

PLAIN_CASE(but_not_that_of_the_program_itself)
{
    add_self();
    fill(MOST - 1, 1000);
    for (unsigned i = 0; i < 2 * MOST; i++) {
        ck_assert_int_eq((int)here(5000 + i, 5000 + i, 5000 + i), PLX__HEARD_NEW);
    }
    ck_assert(plx__members_find(&table, SELF)->is_self);
    ck_assert_ptr_eq(plx__members_step(&table, NULL), plx__members_find(&table, SELF));
    ck_assert_uint_eq(table.listed, MOST);
}

/* Also a doubted member has its place until its second is over. */
PLAIN_CASE(a_doubted_member_has_a_place)
{
    fill(MOST, 1000);
    plx__members_doubt(&table, 5000);
    ck_assert_int_eq((int)here(5000, 9, 5001), PLX__HEARD_NEW);
    ck_assert_uint_eq(take_left(), 1);
    ck_assert_uint_eq(table.listed, 1);
    here(2, 1001, 5002);
    ck_assert_int_eq((int)here(5001, 9, 5003), PLX__HEARD_NEW);
    ck_assert_uint_eq(take_left(), 3);
    ck_assert_uint_eq(table.listed, 3);
}

PLAIN_CASE(who_was_evicted_unreported_is_not_reported)
{
    for (unsigned i = 0; i < MOST; i++) {
        here(1 + i, 1000 + i, 1 + i);
    }
    here(5000, 9, 5000);
    ck_assert_uint_eq(take_left(), 0);
    ck_assert_uint_eq(take_joined(), 2);
}

/* 2 000 members that one computer invents fill the table while there is room, and no further. */
PLAIN_CASE(a_host_that_forges_2000_members_pushes_nobody_out)
{
    fill(500, 1000);
    for (unsigned i = 0; i < 2000; i++) {
        ck_assert_int_eq((int)here(10000 + i, 7, 5000 + i),
                         i < MOST - 500 ? PLX__HEARD_NEW : PLX__HEARD_FULL);
    }
    for (unsigned i = 0; i < 500; i++) {
        ck_assert_ptr_nonnull(plx__members_find(&table, 1 + i));
    }
    ck_assert_uint_eq(take_left(), 0);
    ck_assert_uint_eq(table.listed, MOST);
}

/* Another port is no other address; those from elsewhere replace the forged ones, too. */
PLAIN_CASE(it_is_the_address_that_counts)
{
    for (unsigned i = 0; i < MOST; i++) {
        plx_address from = address_of(7, 1 + i);
        ck_assert_int_eq((int)here_from(1 + i, &from, 1 + i), PLX__HEARD_NEW);
    }
    take_all();
    plx_address from = address_of(7, 60000);
    ck_assert_int_eq((int)here_from(5000, &from, 5000), PLX__HEARD_FULL);
    for (unsigned i = 0; i < OF_ADDRESS; i++) {
        ck_assert_int_eq((int)here(6000 + i, 9, 6000 + i), PLX__HEARD_NEW);
        ck_assert_uint_eq(take_left(), 1 + i);
    }
    ck_assert_int_eq((int)here(7000, 9, 7000), PLX__HEARD_FULL);
    bye(6000, 9);
    ck_assert_int_eq((int)here(7001, 9, 7001), PLX__HEARD_NEW); /* where there is room again */
    ck_assert_int_eq((int)here(7002, 9, 7002), PLX__HEARD_FULL);
    ck_assert_int_eq((int)here(6001, 9, 7003), PLX__HEARD_KNOWN);
    for (unsigned i = OF_ADDRESS; i + OF_ADDRESS < MOST; i++) {
        ck_assert_int_eq((int)here(8000 + i, 2000 + i, 8000 + i), PLX__HEARD_NEW);
    }
    from.port = 1; /* the liar has 32 members left */
    ck_assert_int_eq((int)here_from(9990, &from, 9990), PLX__HEARD_FULL);
}

/* An address of IPv6 with a scope is one of that interface only. */
PLAIN_CASE(and_its_interface)
{
    plx_address from;
    ck_assert_int_eq(plx_address_parse("[fe80::1%2]:1", &from), 0);
    for (unsigned i = 0; i < MOST; i++) {
        ck_assert_int_eq((int)here_from(1 + i, &from, 1 + i), PLX__HEARD_NEW);
    }
    ck_assert_int_eq((int)here_from(5000, &from, 5000), PLX__HEARD_FULL);
    from.scope = 3;
    ck_assert_int_eq((int)here_from(5000, &from, 5000), PLX__HEARD_NEW);
}

/* A flood from many addresses keeps the table full of them, and nothing else. */
PLAIN_CASE(members_of_20000_hosts_leave_1024)
{
    add_self();
    for (unsigned i = 0; i < 20000; i++) {
        ck_assert_int_eq((int)here(1 + i, 1000 + i, 1 + i), PLX__HEARD_NEW);
        ck_assert_uint_eq(take_joined(), i == 0 ? SELF : i);
        ck_assert_uint_eq(take_left(), i < MOST - 1 ? 0 : i - MOST + 2);
    }
    ck_assert_uint_eq(take_joined(), 20000);
    ck_assert_uint_le(count_blocks(), 2 * (MOST + 1));
}

/* ---- numbers --------------------------------------------------------------------------------- */

static size_t longest_bucket(void)
{
    size_t longest = 0;
    for (size_t i = 0; i < PLX__MEMBERS_BUCKETS; i++) {
        size_t length = 0;
        for (const struct plx__known *at = table.buckets[i]; at != NULL; at = at->next) {
            length++;
        }
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* The last of the numbers 1, 2, ... that share a bucket, until there are `count`. */
static void find_colliding(uint64_t *ret_ids, size_t count)
{
    size_t bucket = 0, found = 0;
    here(1, 2, 1);
    while (table.buckets[bucket] == NULL) {
        bucket++;
    }
    for (uint64_t id = 1; found < count; id++) {
        here(id, 2, 1);
        if (table.buckets[bucket] != NULL) {
            ret_ids[found++] = id;
        }
        bye(id, 2);
    }
}

PLAIN_CASE(colliding_numbers_are_different_members)
{
    uint64_t ids[300];
    find_colliding(ids, PLX__COUNT_OF(ids));
    for (unsigned i = 0; i < PLX__COUNT_OF(ids); i++) {
        ck_assert_int_eq((int)here(ids[i], 2, 2), PLX__HEARD_NEW);
    }
    ck_assert_uint_eq(longest_bucket(), PLX__COUNT_OF(ids));
    take_all();
    for (unsigned i = 0; i < PLX__COUNT_OF(ids); i += 2) {
        ck_assert_uint_eq(plx__members_find(&table, ids[i])->id, ids[i]);
        bye(ids[i], 2);
        ck_assert_uint_eq(take_left(), ids[i]);
    }
    for (unsigned i = 0; i < PLX__COUNT_OF(ids); i++) {
        ck_assert_int_eq(plx__members_find(&table, ids[i]) != NULL, i % 2 == 1);
    }
    ck_assert_uint_eq(table.listed, PLX__COUNT_OF(ids) / 2);
}

/* Who knows numbers that collide with one key knows nothing about another key. */
PLAIN_CASE(numbers_that_collide_do_so_with_one_key)
{
    uint64_t ids[MOST];
    find_colliding(ids, MOST);
    for (uint64_t key = 1; key < 50; key++) {
        plx__members_clear(&table);
        plx__members_begin(&table, key * UINT64_C(0xd1342543de82ef95));
        for (unsigned i = 0; i < MOST; i++) {
            here(ids[i], 2, 1);
        }
        ck_assert_uint_le(longest_bucket(), 4 * MOST / PLX__MEMBERS_BUCKETS);
    }
}

/* Numbers with a pattern: sequences, steps, single bits, whatever the key. */
static const uint64_t steps[] = {
    1,
    2,
    64,
    65536,
    UINT64_C(1) << 32,
    UINT64_C(1) << 53,
    UINT64_C(0x0101010101010101),
    UINT64_C(0x9e3779b97f4a7c15),
    UINT64_C(0x96de1b173f119089), /* the inverse of the second factor of the hash */
};

LOOP_CASE(patterns_do_not_collide, 0, (int)PLX__COUNT_OF(steps))
{
    uint64_t keys[] = {0, 1, UINT64_MAX, UINT64_C(0x0123456789abcdef), UINT64_C(1) << 63};
    for (size_t key = 0; key < PLX__COUNT_OF(keys); key++) {
        plx__members_clear(&table);
        plx__members_begin(&table, keys[key]);
        for (uint64_t i = 1; i <= MOST; i++) {
            here(i * steps[_i], 2, 1);
        }
        ck_assert_uint_eq(table.listed, MOST);
        ck_assert_uint_le(longest_bucket(), 4 * MOST / PLX__MEMBERS_BUCKETS);
    }
}

/* ---- a lack of memory ------------------------------------------------------------------------ */

PLAIN_CASE(a_newcomer_without_memory_is_dropped)
{
    plx_address from = address_of(2, 1);
    for (int number = 1; number <= 2; number++) {
        fail_allocation(number);
        ck_assert_int_eq((int)plx__members_here(&table, 1, &from, SECOND, "about", 5, 1),
                         PLX__HEARD_FULL);
        fail_allocation(number);
        ck_assert_ptr_null(plx__members_add_self(&table, SELF, &from, "about", 5));
        fail_allocation(0);
        ck_assert_uint_eq(count_blocks(), 0);
        ck_assert_uint_eq(take_joined() + table.listed + plx__members_next(&table), 0);
    }
    ck_assert_int_eq((int)plx__members_here(&table, 1, &from, SECOND, "about", 5, 1),
                     PLX__HEARD_NEW);
}

PLAIN_CASE(and_pushes_nobody_out)
{
    plx_address from = address_of(2, 1);
    fill(MOST, 1000);
    for (int number = 1; number <= 2; number++) {
        fail_allocation(number);
        ck_assert_int_eq((int)plx__members_here(&table, 5000, &from, SECOND, "about", 5, 5000),
                         PLX__HEARD_FULL);
    }
    fail_allocation(0);
    ck_assert_uint_eq(take_left() + take_joined(), 0);
    ck_assert_uint_eq(table.listed, MOST);
    ck_assert_uint_eq(count_blocks(), MOST);
}

PLAIN_CASE(a_known_member_keeps_its_words_and_lives_on)
{
    plx_address from = address_of(2, 1);
    add_self();
    plx__members_here(&table, 1, &from, SECOND, "about", 5, 1);
    fail_allocation(1);
    ck_assert_int_eq((int)plx__members_here(&table, 1, &from, 9 * SECOND, "others", 6, 2),
                     PLX__HEARD_KNOWN);
    fail_allocation(1);
    plx__members_here(&table, 1, &from, 9 * SECOND, "1", 1, 2);
    fail_allocation(1);
    ck_assert_ptr_null(plx__members_add_self(&table, SELF, &from, "changed", 7));
    fail_allocation(0);
    ck_assert_mem_eq(plx__members_find(&table, SELF)->about, "me", 2);
    const struct plx__known *known = plx__members_find(&table, 1);
    ck_assert_uint_eq(known->about_size, 5);
    ck_assert_mem_eq(known->about, "about", 5);
    ck_assert_uint_eq(plx__members_next(&table), 2 + 9 * SECOND);
}

/* The same words again need no memory. */
PLAIN_CASE(what_does_not_change_allocates_nothing)
{
    plx_address from = address_of(2, 1);
    plx__members_here(&table, 1, &from, SECOND, "about", 5, 1);
    take_all();
    size_t before = count_allocations();
    for (uint64_t now = 2; now < 100; now++) {
        plx__members_here(&table, 1, &from, SECOND, "about", 5, now);
        plx__members_word(&table, plx__members_find(&table, 1), now);
        plx__members_doubt(&table, now);
        plx__members_expire(&table, now);
    }
    ck_assert_uint_eq(count_allocations(), before);
}

SUITE_MAIN("members-limits", .setup = setup, .teardown = teardown)
