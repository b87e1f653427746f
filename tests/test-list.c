/* tests/test-list.c -- the intrusive list: order, unlinked links, splicing. */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/base.h"
#include "lib/base/list.h"
#include "tests/suite.h"

struct member {
    int number;
    struct plx__list link;
};

static struct plx__list list;
static struct member members[6];

static void setup(void)
{
    memset(members, 0, sizeof members);
    for (int i = 0; i < 6; i++) {
        members[i].number = i;
    }
    plx__list_init(&list);
}

/* expect checks that a list has these members, forwards and backwards: digits of their numbers. */
static void expect(const struct plx__list *actual, const char *digits)
{
    size_t length = strlen(digits);
    const struct plx__list *link = actual;
    for (size_t i = 0; i < length; i++) {
        link = link->next;
        ck_assert_int_eq(PLX__CONTAINER_OF(link, struct member, link)->number, digits[i] - '0');
    }
    ck_assert_ptr_eq(link->next, actual);
    link = actual;
    for (size_t i = length; i > 0; i--) {
        link = link->previous;
        ck_assert_int_eq(PLX__CONTAINER_OF(link, struct member, link)->number, digits[i - 1] - '0');
    }
    ck_assert_ptr_eq(link->previous, actual);
    ck_assert_int_eq(plx__list_is_empty(actual), length == 0);
}

PLAIN_CASE(zeroed_link_is_unlinked_and_removing_it_is_harmless)
{
    ck_assert(!plx__list_is_linked(&members[0].link));
    plx__list_remove(&members[0].link);
    plx__list_remove(&members[0].link);
    ck_assert(!plx__list_is_linked(&members[0].link));
    expect(&list, "");
}

PLAIN_CASE(zeroed_list_is_empty)
{
    struct plx__list zeroed = {NULL, NULL};
    ck_assert(plx__list_is_empty(&zeroed));
    ck_assert_ptr_null(plx__list_first(&zeroed));
    ck_assert_ptr_null(plx__list_take_first(&zeroed));
    plx__list_splice(&list, &zeroed);
    expect(&list, "");
}

PLAIN_CASE(append_and_insert_keep_order)
{
    plx__list_append(&list, &members[1].link);
    plx__list_append(&list, &members[2].link);
    plx__list_insert(&members[1].link, &members[0].link);
    expect(&list, "012");
    ck_assert_ptr_eq(plx__list_first(&list), &members[0].link);
    ck_assert(plx__list_is_linked(&members[1].link));
}

PLAIN_CASE(remove_leaves_the_link_zeroed)
{
    static const struct plx__list zeroed;
    for (int i = 0; i < 4; i++) {
        plx__list_append(&list, &members[i].link);
    }
    plx__list_remove(&members[2].link);
    expect(&list, "013");
    plx__list_remove(&members[0].link);
    plx__list_remove(&members[3].link);
    expect(&list, "1");
    plx__list_remove(&members[1].link);
    expect(&list, "");
    ck_assert_mem_eq(&members[1].link, &zeroed, sizeof zeroed);
    plx__list_append(&list, &members[1].link);
    expect(&list, "1");
}

PLAIN_CASE(take_first_empties_from_the_front)
{
    ck_assert_ptr_null(plx__list_take_first(&list));
    plx__list_append(&list, &members[4].link);
    plx__list_append(&list, &members[2].link);
    ck_assert_ptr_eq(plx__list_take_first(&list), &members[4].link);
    ck_assert(!plx__list_is_linked(&members[4].link));
    ck_assert_ptr_eq(plx__list_take_first(&list), &members[2].link);
    ck_assert_ptr_null(plx__list_take_first(&list));
    ck_assert_ptr_null(plx__list_first(&list));
}

PLAIN_CASE(splice_moves_all_to_the_tail)
{
    struct plx__list other;
    plx__list_init(&other);
    plx__list_splice(&list, &other);
    expect(&list, "");
    plx__list_append(&other, &members[2].link);
    plx__list_append(&other, &members[3].link);
    plx__list_splice(&list, &other);
    expect(&list, "23");
    expect(&other, "");
    plx__list_append(&other, &members[5].link);
    plx__list_splice(&list, &other);
    expect(&list, "235");
    expect(&other, "");
    plx__list_append(&other, &members[0].link);
    expect(&other, "0");
}

PLAIN_CASE(members_can_go_while_a_list_is_emptied)
{
    struct plx__list round;
    plx__list_init(&round);
    for (int i = 0; i < 6; i++) {
        plx__list_append(&list, &members[i].link);
    }
    plx__list_splice(&round, &list);
    int sum = 0;
    for (struct plx__list *link; (link = plx__list_take_first(&round)) != NULL;) {
        int number = PLX__CONTAINER_OF(link, struct member, link)->number;
        sum += number;
        plx__list_remove(&members[5 - number].link);
        plx__list_append(&list, link);
    }
    ck_assert_int_eq(sum, 0 + 1 + 2);
    expect(&list, "012");
}

SUITE_MAIN("list", .setup = setup)
