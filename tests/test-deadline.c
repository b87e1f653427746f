/* tests/test-deadline.c -- the lazy heap of deadlines against the plainest list of them. */
#include "lib/base/base.h"
#include "lib/base/deadline.h"
#include "tests/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 300

static uint64_t earliest_of(const struct plx__deadline *deadlines)
{
    uint64_t earliest = 0;
    for (int i = 0; i < COUNT; i++) {
        if (deadlines[i].at != 0 && (earliest == 0 || deadlines[i].at < earliest)) {
            earliest = deadlines[i].at;
        }
    }
    return earliest;
}

LOOP_CASE(it_knows_the_next_one_whatever_moves, 1, 9)
{
    struct plx__deadlines heap = {0};
    struct plx__deadline deadlines[COUNT] = {{0}};
    uint64_t now = 1;
    srand((unsigned) _i);
    for (int step = 0; step < 20000; step++) {
        struct plx__deadline *one = &deadlines[rand() % COUNT];
        switch (rand() % 5) {
        case 0:
        case 1:
            plx__deadline_set(&heap, one, now + 1 + (uint64_t) rand() % 1000);
            break;
        case 2:
            plx__deadline_set(&heap, one, 0);
            break;
        case 3:
            plx__deadline_remove(&heap, one);
            one->at = 0;
            break;
        default:
            now += (uint64_t) rand() % 20;
            break;
        }
        uint64_t expected = earliest_of(deadlines);
        struct plx__deadline *due;
        while ((due = plx__deadlines_take(&heap, now)) != NULL) {
            /* It was the earliest, and it was due. Its moment stays noted, outside the heap. */
            ck_assert_uint_eq(due->at, expected);
            ck_assert_uint_eq(due->key, 0);
            ck_assert_uint_ne(expected, 0);
            ck_assert_uint_le(expected, now);
            due->at = 0;
            expected = earliest_of(deadlines);
        }
        ck_assert(expected == 0 || expected > now);
        ck_assert_uint_eq(plx__deadlines_next(&heap), expected);
    }
}

PLAIN_CASE(moving_later_only_writes_a_number)
{
    struct plx__deadlines heap = {0};
    struct plx__deadline one = {0}, other = {0};
    plx__deadline_set(&heap, &one, 100);
    plx__deadline_set(&heap, &other, 200);
    plx__deadline_set(&heap, &one, 300);
    ck_assert_uint_eq(one.key, 100);
    ck_assert_uint_eq(plx__deadlines_next(&heap), 200);
    ck_assert_ptr_null(plx__deadlines_take(&heap, 199));
    ck_assert_ptr_eq(plx__deadlines_take(&heap, 300), &other);
    ck_assert_ptr_eq(plx__deadlines_take(&heap, 300), &one);
    ck_assert_ptr_null(plx__deadlines_take(&heap, 300));
}

PLAIN_CASE(without_a_heap_the_moment_is_noted)
{
    struct plx__deadline one = {0};
    plx__deadline_set(NULL, &one, 5);
    ck_assert_uint_eq(one.at, 5);
    ck_assert_uint_eq(one.key, 0);
}

/* A hundred thousand siblings under one root: melding them must not recurse. */
PLAIN_CASE(many_siblings_are_no_trouble)
{
    struct plx__deadlines heap = {0};
    size_t count = 100000;
    struct plx__deadline *many = calloc(count, sizeof *many);
    ck_assert_ptr_nonnull(many);
    for (size_t i = 0; i < count; i++) {
        plx__deadline_set(&heap, &many[i], 1 + i);
    }
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(plx__deadlines_take(&heap, count), &many[i]);
    }
    ck_assert_uint_eq(plx__deadlines_next(&heap), 0);
    free(many);
}

/* ---- equal moments --------------------------------------------------------------------------- */

struct numbered {
    struct plx__deadline deadline;
    unsigned number; /* the order of inserting */
};

/* Inserts, or removes and inserts again, so that the deadline is the youngest. */
static void insert_anew(struct plx__deadlines *heap, struct numbered *one, uint64_t at)
{
    static unsigned number;
    plx__deadline_remove(heap, &one->deadline);
    plx__deadline_set(heap, &one->deadline, at);
    one->number = ++number;
}

static struct numbered *first_of(struct numbered *many)
{
    struct numbered *first = NULL;
    for (int i = 0; i < COUNT; i++) {
        uint64_t key = many[i].deadline.key;
        bool earlier = key != 0 && (first == NULL || key < first->deadline.key ||
                                    (key == first->deadline.key && many[i].number < first->number));
        first = earlier ? &many[i] : first;
    }
    return first;
}

/* Only few different moments, so that most are equal. */
LOOP_CASE(equal_moments_keep_the_order_of_inserting, 1, 9)
{
    static struct numbered many[COUNT];
    struct plx__deadlines heap = {0};
    memset(many, 0, sizeof many);
    srand((unsigned) _i);
    for (int step = 0; step < 20000; step++) {
        struct numbered *one = &many[rand() % COUNT];
        if (rand() % 4 > 0) {
            insert_anew(&heap, one, 1 + (uint64_t) rand() % 5);
        } else if (rand() % 2 > 0) {
            plx__deadline_remove(&heap, &one->deadline);
        } else {
            struct numbered *first = first_of(many);
            ck_assert_ptr_eq(plx__deadlines_take(&heap, 5), first == NULL ? NULL : &first->deadline);
        }
    }
    for (struct numbered *first; (first = first_of(many)) != NULL;) {
        ck_assert_ptr_eq(plx__deadlines_take(&heap, 5), &first->deadline);
    }
    ck_assert_ptr_null(plx__deadlines_take(&heap, 5));
}

SUITE_MAIN("deadline")
