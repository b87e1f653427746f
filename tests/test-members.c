/* tests/test-members.c -- the members of a group of discovery: who is in the table, and how long. */
#include "config.h"

#include <stdlib.h>

#include "tests/members.h"

/* expect_listed checks the list and its order: numbers from 1 to 9, or S for the program itself. */
static void expect_listed(const char *digits)
{
    const struct plx__known *known = NULL;
    size_t count = strlen(digits);
    for (size_t i = 0; i < count; i++) {
        known = plx__members_step(&table, known);
        ck_assert_ptr_nonnull(known);
        ck_assert_int_eq(known->is_self ? 'S' : '0' + (int)known->id, digits[i]);
    }
    ck_assert_ptr_null(plx__members_step(&table, known));
    ck_assert_uint_eq(table.listed, count);
}

/* ---- joining --------------------------------------------------------------------------------- */

PLAIN_CASE(a_zeroed_table_is_empty)
{
    struct plx__members empty = {0};
    ck_assert_ptr_null(plx__members_find(&empty, 1));
    ck_assert_ptr_null(plx__members_step(&empty, NULL));
    ck_assert_ptr_null(plx__members_take_joined(&empty));
    ck_assert_ptr_null(plx__members_take_left(&empty));
    ck_assert_uint_eq(plx__members_next(&empty), 0);
    plx__members_expire(&empty, UINT64_MAX);
    plx__members_clear(&empty);
}

PLAIN_CASE(members_are_in_the_order_in_which_they_joined)
{
    add_self();
    ck_assert_int_eq((int)here(3, 3, 1), PLX__HEARD_NEW);
    ck_assert_int_eq((int)here(1, 2, 2), PLX__HEARD_NEW);
    ck_assert_int_eq((int)here(2, 2, 3), PLX__HEARD_NEW);
    ck_assert_int_eq((int)here(3, 3, 4), PLX__HEARD_KNOWN);
    expect_listed("S312");
    ck_assert_uint_eq(take_joined(), SELF);
    ck_assert_uint_eq(take_joined(), 3);
    ck_assert_uint_eq(take_joined(), 1);
    ck_assert_uint_eq(take_joined(), 2);
    ck_assert_uint_eq(take_joined(), 0);
    ck_assert_uint_eq(take_left(), 0);
    bye(1, 2);
    here(1, 2, 5);
    expect_listed("S321");
}

PLAIN_CASE(a_member_is_what_it_said)
{
    plx_address from = address_of(2, 7);
    plx__members_here(&table, 1, &from, 5 * SECOND, "about", 5, 100);
    const struct plx__known *known = plx__members_find(&table, 1);
    ck_assert_uint_eq(known->id, 1);
    ck_assert(plx_address_equal(&known->address, &from));
    ck_assert(!known->is_self);
    ck_assert_uint_eq(known->heard, 100);
    ck_assert_uint_eq(known->about_size, 5);
    ck_assert_mem_eq(known->about, "about", 5);
    plx__members_here(&table, 1, &from, 5 * SECOND, "other", 5, 200);
    ck_assert_ptr_eq(plx__members_find(&table, 1), known);
    ck_assert_uint_eq(known->heard, 200);
    ck_assert_mem_eq(known->about, "other", 5);
    plx__members_here(&table, 1, &from, 5 * SECOND, NULL, 0, 300);
    ck_assert_uint_eq(known->about_size, 0);
    ck_assert_ptr_null(known->about);
    plx__members_here(&table, 1, &from, 5 * SECOND, "again", 5, 300);
    ck_assert_mem_eq(known->about, "again", 5);
    ck_assert_uint_eq(take_joined(), 1);
    ck_assert_uint_eq(take_joined(), 0);
}

PLAIN_CASE(the_program_itself_stays)
{
    plx_address address = address_of(1, 1);
    add_self();
    take_all();
    struct plx__known *self = plx__members_find(&table, SELF);
    ck_assert(self->is_self);
    ck_assert_int_eq((int)here(SELF, 1, 5), PLX__HEARD_ELSEWHERE);
    bye(SELF, 1);
    plx__members_word(&table, self, 5);
    plx__members_doubt(&table, 5);
    plx__members_expire(&table, UINT64_MAX);
    ck_assert_uint_eq(plx__members_next(&table), 0);
    ck_assert_uint_eq(self->heard, 0);
    expect_listed("S");
    ck_assert_ptr_eq(plx__members_add_self(&table, SELF, &address, "new", 3), self);
    ck_assert_mem_eq(self->about, "new", 3);
    ck_assert_uint_eq(take_joined() + take_left(), 0);
    expect_listed("S");
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* Nothing that is heard from another address counts: neither the words nor the lifetime. */
static void expect_elsewhere(const plx_address *known_address, const plx_address *other)
{
    plx__members_here(&table, 1, known_address, 30 * SECOND, "true", 4, 1);
    const struct plx__known *known = plx__members_find(&table, 1);
    ck_assert_int_eq((int)plx__members_here(&table, 1, other, 600 * SECOND, "false", 5, 9),
                     PLX__HEARD_ELSEWHERE);
    plx__members_bye(&table, 1, other);
    ck_assert_ptr_eq(plx__members_find(&table, 1), known);
    ck_assert(plx_address_equal(&known->address, known_address));
    ck_assert_uint_eq(known->heard, 1);
    ck_assert_uint_eq(known->about_size, 4);
    ck_assert_uint_eq(plx__members_next(&table), 1 + 30 * SECOND);
    plx__members_bye(&table, 1, known_address);
    ck_assert_ptr_null(plx__members_find(&table, 1));
}

PLAIN_CASE(a_number_keeps_its_address)
{
    plx_address ipv4 = address_of(2, 1), other = address_of(3, 1), port = address_of(2, 2), ipv6;
    plx_address scoped;
    ck_assert_int_eq(plx_address_parse("[fe80::1%2]:1", &ipv6), 0);
    ck_assert_int_eq(plx_address_parse("[fe80::1%3]:1", &scoped), 0);
    expect_elsewhere(&ipv4, &other);
    expect_elsewhere(&ipv4, &port);
    expect_elsewhere(&ipv4, &ipv6);
    expect_elsewhere(&ipv6, &scoped);
    expect_elsewhere(&ipv6, &ipv4);
}

PLAIN_CASE(while_it_lives)
{
    here(1, 2, 1);
    plx__members_expire(&table, 1 + 30 * SECOND);
    ck_assert_int_eq((int)here(1, 3, 1 + 30 * SECOND), PLX__HEARD_NEW);
    plx_address address = address_of(3, 1);
    ck_assert(plx_address_equal(&plx__members_find(&table, 1)->address, &address));
    bye(1, 2);
    expect_listed("1");
}

/* ---- leaving --------------------------------------------------------------------------------- */

PLAIN_CASE(a_member_lives_as_long_as_it_said)
{
    plx_address from = address_of(2, 1);
    here(1, 2, 1000);
    plx__members_here(&table, 2, &from, 5 * SECOND, NULL, 0, 1000);
    take_all();
    ck_assert_uint_eq(plx__members_next(&table), 1000 + 5 * SECOND);
    plx__members_expire(&table, 1000 + 5 * SECOND - 1);
    ck_assert_uint_eq(take_left(), 0);
    plx__members_expire(&table, 1000 + 5 * SECOND);
    ck_assert_uint_eq(take_left(), 2);
    expect_listed("1");
    ck_assert_ptr_null(plx__members_find(&table, 2));
    ck_assert_uint_eq(plx__members_next(&table), 1000 + 30 * SECOND);
    plx__members_expire(&table, 1000 + 30 * SECOND);
    ck_assert_uint_eq(take_left(), 1);
    ck_assert_uint_eq(plx__members_next(&table), 0);
}

PLAIN_CASE(a_word_renews_its_life_and_a_later_here_replaces_it)
{
    plx_address from = address_of(2, 1);
    here(1, 2, 1);
    struct plx__known *known = plx__members_find(&table, 1);
    plx__members_word(&table, known, 20 * SECOND);
    ck_assert_uint_eq(known->heard, 20 * SECOND);
    ck_assert_uint_eq(plx__members_next(&table), 50 * SECOND);
    plx__members_here(&table, 1, &from, 5 * SECOND, NULL, 0, 21 * SECOND);
    ck_assert_uint_eq(plx__members_next(&table), 26 * SECOND);
    plx__members_word(&table, known, 22 * SECOND);
    ck_assert_uint_eq(plx__members_next(&table), 27 * SECOND);
}

/* A clock of a program's own may begin anywhere. */
PLAIN_CASE(near_the_end_of_the_clock_a_member_lives_on)
{
    here(1, 2, UINT64_MAX - SECOND);
    plx__members_doubt(&table, UINT64_MAX - SECOND / 2);
    ck_assert_uint_eq(plx__members_next(&table), UINT64_MAX);
    plx__members_expire(&table, UINT64_MAX - 1);
    ck_assert_ptr_nonnull(plx__members_find(&table, 1));
}

PLAIN_CASE(a_clock_may_jump)
{
    here(1, 2, 100 * SECOND);
    here(2, 2, 100 * SECOND);
    take_all();
    here(1, 2, 10 * SECOND);
    ck_assert_uint_eq(plx__members_next(&table), 40 * SECOND);
    plx__members_doubt(&table, 5 * SECOND);
    ck_assert_uint_eq(plx__members_next(&table), 7 * SECOND);
    here(2, 2, 1000 * SECOND);
    plx__members_expire(&table, 1000 * SECOND);
    ck_assert_uint_eq(take_left(), 1);
    ck_assert_uint_eq(plx__members_next(&table), 1030 * SECOND);
}

PLAIN_CASE(those_that_leave_together_leave_in_the_order_of_their_time)
{
    plx_address from = address_of(2, 1);
    for (uint64_t id = 1; id <= 9; id++) {
        plx__members_here(&table, id, &from, (5 + id * 7 % 10) * SECOND, NULL, 0, id);
    }
    plx__members_word(&table, plx__members_find(&table, 3), 4 * SECOND); /* from 6 s to 10 */
    take_all();
    plx__members_expire(&table, 60 * SECOND);
    static const uint64_t order[] = {6, 9, 2, 3, 5, 8, 1, 4, 7, 0};
    for (size_t i = 0; i < PLX__COUNT_OF(order); i++) {
        ck_assert_uint_eq(take_left(), order[i]);
    }
}

PLAIN_CASE(a_restarted_program_is_another_member)
{
    here(1, 2, 1);
    here(2, 2, SECOND);
    expect_listed("12");
    take_all();
    plx__members_expire(&table, 30 * SECOND + 1);
    ck_assert_uint_eq(take_left(), 1);
    ck_assert_uint_eq(take_joined(), 0);
    expect_listed("2");
}

PLAIN_CASE(who_leaves_and_joins_again_is_reported_twice)
{
    here(1, 2, 1);
    take_all();
    bye(1, 2);
    here(1, 2, 2);
    struct plx__known *left = plx__members_take_left(&table);
    ck_assert_uint_eq(left->id, 1);
    ck_assert_ptr_ne(left, plx__members_find(&table, 1));
    ck_assert_uint_eq(take_joined(), 1);
    bye(1, 2);
    ck_assert_uint_eq(take_left(), 1);
    ck_assert_uint_eq(left->id, 1); /* valid until it is forgotten */
    plx__members_forget(left);
}

PLAIN_CASE(who_was_not_reported_leaves_without_a_report)
{
    here(1, 2, 1);
    here(2, 2, 1);
    bye(1, 2);
    ck_assert_uint_eq(take_joined(), 2);
    ck_assert_uint_eq(take_joined(), 0);
    ck_assert_uint_eq(take_left(), 0);
}

PLAIN_CASE(clear_frees_everything)
{
    add_self();
    for (uint64_t id = 1; id <= 9; id++) {
        here(id, 2, 1);
    }
    for (int i = 0; i < 4; i++) {
        take_joined();
    }
    bye(1, 2);
    bye(2, 2);
    plx__members_clear(&table);
    ck_assert_uint_eq(count_blocks(), 0);
    ck_assert_uint_eq(table.listed, 0);
    ck_assert_ptr_null(plx__members_find(&table, 4));
    plx__members_begin(&table, 5);
    expect_listed("");
    here(1, 2, 1);
    expect_listed("1");
}

/* ---- doubt ----------------------------------------------------------------------------------- */

PLAIN_CASE(doubted_members_are_not_listed_until_they_are_heard)
{
    add_self();
    here(1, 2, 1);
    here(2, 2, 1);
    here(3, 2, 1);
    take_all();
    plx__members_doubt(&table, 10 * SECOND);
    expect_listed("S");
    ck_assert_uint_eq(plx__members_next(&table), 12 * SECOND);
    ck_assert_ptr_nonnull(plx__members_find(&table, 1));
    ck_assert_int_eq((int)here(2, 2, 10 * SECOND + 5), PLX__HEARD_KNOWN);
    plx__members_word(&table, plx__members_find(&table, 1), 12 * SECOND - 1);
    expect_listed("S12");
    plx__members_expire(&table, 12 * SECOND - 1);
    ck_assert_uint_eq(take_left(), 0);
    plx__members_expire(&table, 12 * SECOND);
    ck_assert_uint_eq(take_left(), 3);
    ck_assert_uint_eq(take_left() + take_joined(), 0);
    ck_assert_uint_eq(plx__members_next(&table), 40 * SECOND + 5);
    expect_listed("S12");
}

PLAIN_CASE(doubt_gives_nobody_more_time)
{
    here(1, 2, 1);
    take_all();
    plx__members_doubt(&table, 30 * SECOND - 5);
    ck_assert_uint_eq(plx__members_next(&table), 30 * SECOND + 1);
    plx__members_doubt(&table, 30 * SECOND);
    ck_assert_uint_eq(plx__members_next(&table), 30 * SECOND + 1);
    plx__members_expire(&table, 30 * SECOND + 1);
    ck_assert_uint_eq(take_left(), 1);
    here(2, 2, 40 * SECOND);
    for (uint64_t i = 0; i < 4; i++) {
        plx__members_doubt(&table, 40 * SECOND + i * SECOND / 4);
    }
    ck_assert_uint_eq(plx__members_next(&table), 42 * SECOND);
}

PLAIN_CASE(a_doubted_member_may_say_bye_and_keeps_its_address)
{
    here(1, 2, 1);
    take_all();
    plx__members_doubt(&table, 2);
    ck_assert_int_eq((int)here(1, 3, 3), PLX__HEARD_ELSEWHERE);
    bye(1, 3);
    expect_listed("");
    ck_assert_uint_eq(take_left(), 0);
    bye(1, 2);
    ck_assert_uint_eq(take_left(), 1);
    ck_assert_int_eq((int)here(1, 3, 4), PLX__HEARD_NEW);
}

/* ---- duplicates ------------------------------------------------------------------------------ */

/* Every sequence that was received, and the highest one: the plainest window. */
#define MOST 2000
static uint32_t received[MOST];
static int received_count;

static bool is_fresh(uint32_t sequence)
{
    uint32_t highest = received_count > 0 ? received[0] : sequence;
    for (int i = 0; i < received_count; i++) {
        highest = received[i] - highest < UINT32_C(1) << 31 ? received[i] : highest;
        if (received[i] == sequence) {
            return false;
        }
    }
    if (highest - sequence < UINT32_C(1) << 31 && highest - sequence >= 64) {
        return false;
    }
    received[received_count++] = sequence;
    return true;
}

/* Sequences that mostly grow, with duplicates, in any order, over the end of the numbers. */
LOOP_CASE(a_sequence_counts_once, 0, 10)
{
    struct plx__known known = {0};
    uint32_t base = (uint32_t)0 - 500;
    srand((unsigned)_i);
    received_count = 0;
    for (int step = 0; step < MOST; step++) {
        uint32_t sequence = base + (uint32_t)(rand() % 100);
        base += rand() % 200 == 0 ? 64 + (uint32_t)(rand() % 3) : (uint32_t)(rand() % 2);
        if (plx__window_is_fresh(&known.window, sequence) != is_fresh(sequence)) {
            ck_abort_msg("step %d", step);
        }
    }
}

static const struct {
    uint32_t first, second;
    bool is_fresh;
} pairs[] = {
    {0, 0, false},          {5, 5, false},          {5, 6, true},
    {6, 5, true},           {0, UINT32_MAX, true},  {UINT32_MAX, 0, true},
    {100, 37, true},        {100, 36, false}, /* 64 behind */
    {10, 10 - 63u, true},   {10, 10 - 64u, false},  {0, 0x7fffffff, true},
    {0, 0x80000000, false}, /* as far ahead as behind: behind */
    {0, 0x80000001, false}, {0x80000000, 0, false}, {UINT32_MAX, 0x7ffffffe, true},
    {1000, 1, false},
};

PLAIN_CASE(two_sequences)
{
    for (size_t i = 0; i < PLX__COUNT_OF(pairs); i++) {
        struct plx__known known = {0};
        ck_assert(plx__window_is_fresh(&known.window, pairs[i].first));
        ck_assert_msg(plx__window_is_fresh(&known.window, pairs[i].second) == pairs[i].is_fresh,
                      "pair %zu", i);
        ck_assert(!plx__window_is_fresh(&known.window, pairs[i].first));
        ck_assert(!plx__window_is_fresh(&known.window, pairs[i].second));
    }
}

/* A jump forgets what is too far behind, and only that. */
PLAIN_CASE(after_a_jump)
{
    for (uint32_t jump = 1; jump < 130; jump++) {
        struct plx__known known = {0};
        uint32_t start = UINT32_MAX - 3;
        ck_assert(plx__window_is_fresh(&known.window, start));
        ck_assert(plx__window_is_fresh(&known.window, start + jump));
        ck_assert(!plx__window_is_fresh(&known.window, start));
        for (uint32_t behind = 1; behind < 200; behind++) {
            bool expected = behind < 64 && behind != jump;
            if (plx__window_is_fresh(&known.window, start + jump - behind) != expected) {
                ck_abort_msg("%u behind a jump of %u", behind, jump);
            }
        }
    }
}

PLAIN_CASE(each_member_has_its_own_sequences)
{
    here(1, 2, 1);
    here(2, 2, 1);
    ck_assert(plx__window_is_fresh(&plx__members_find(&table, 1)->window, 7));
    ck_assert(plx__window_is_fresh(&plx__members_find(&table, 2)->window, 7));
    ck_assert(!plx__window_is_fresh(&plx__members_find(&table, 1)->window, 7));
    bye(1, 2);
    here(1, 2, 2);
    ck_assert(plx__window_is_fresh(&plx__members_find(&table, 1)->window, 7));
}

SUITE_MAIN("members", .setup = setup, .teardown = teardown)
