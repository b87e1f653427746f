/* tests/test-memory.c -- the allocator: what the user's function sees, and a lack of memory. */
#include "config.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/suite.h"

/* What the allocator of these tests has seen. */
struct record {
    int calls, blocks;
    bool empty; /* there is no memory any more */
    void *last_block;
    size_t last_size;
};

static struct record record;

static void *resize(void *block, size_t size, void *user)
{
    struct record *seen = user;
    seen->calls++;
    seen->last_block = block;
    seen->last_size = size;
    if (size == 0) {
        seen->blocks--;
        free(block);
        return NULL;
    }
    if (seen->empty) {
        return NULL;
    }
    seen->blocks += block == NULL;
    return realloc(block, size);
}

static void setup(void)
{
    memset(&record, 0, sizeof record);
    plx_memory_set(resize, &record);
}

static void teardown(void)
{
    plx_memory_set(NULL, NULL);
}

PLAIN_CASE(want_of_memory_leaves_the_block_as_it_was)
{
    char *block = plx__memory_resize(NULL, 4);
    memcpy(block, "abc", 4);
    record.empty = true;
    ck_assert_ptr_null(plx__memory_resize(block, 4000));
    ck_assert_str_eq(block, "abc");
    ck_assert_ptr_null(plx__memory_new(1));
    ck_assert_ptr_null(plx__memory_copy_text("x"));
    plx__memory_free(block);
    ck_assert_int_eq(record.blocks, 0);
}

PLAIN_CASE(absurd_sizes_are_refused_before_anyone_is_asked)
{
    ck_assert_ptr_null(plx__memory_resize(NULL, SIZE_MAX));
    ck_assert_ptr_null(plx__memory_resize(NULL, (size_t)PTRDIFF_MAX + 1));
    ck_assert_ptr_null(plx__memory_new(SIZE_MAX));
    ck_assert_int_eq(record.calls, 0);
}

PLAIN_CASE(nothing_is_freed_without_a_call)
{
    plx__memory_free(NULL);
    ck_assert_ptr_null(plx__memory_resize(NULL, 0));
    ck_assert_ptr_null(plx__memory_new(0));
    ck_assert_ptr_null(plx__memory_copy_text(NULL));
    ck_assert_int_eq(record.calls, 0);
}

PLAIN_CASE(size_zero_frees)
{
    void *block = plx__memory_resize(NULL, 10);
    ck_assert_int_eq(record.blocks, 1);
    ck_assert_ptr_null(plx__memory_resize(block, 0));
    ck_assert_int_eq(record.blocks, 0);
    ck_assert_ptr_eq(record.last_block, block);
    ck_assert_uint_eq(record.last_size, 0);
}

PLAIN_CASE(resizing_keeps_the_bytes)
{
    unsigned char *block = plx__memory_resize(NULL, 100);
    for (unsigned i = 0; i < 100; i++) {
        block[i] = (unsigned char)i;
    }
    block = plx__memory_resize(block, 100000);
    block = plx__memory_resize(block, 50);
    for (unsigned i = 0; i < 50; i++) {
        ck_assert_uint_eq(block[i], i);
    }
    plx__memory_free(block);
}

PLAIN_CASE(new_block_is_zeroed)
{
    unsigned char *block = plx__memory_resize(NULL, 500);
    memset(block, 0xff, 500);
    plx__memory_free(block);
    block = plx__memory_new(500);
    for (unsigned i = 0; i < 500; i++) {
        ck_assert_uint_eq(block[i], 0);
    }
    plx__memory_free(block);
}

PLAIN_CASE(text_is_copied_with_its_zero)
{
    char *copy = plx__memory_copy_text("hello");
    ck_assert_str_eq(copy, "hello");
    ck_assert_uint_eq(record.last_size, 6);
    plx__memory_free(copy);
    copy = plx__memory_copy_text("");
    ck_assert_str_eq(copy, "");
    plx__memory_free(copy);
    ck_assert_int_eq(record.blocks, 0);
}

PLAIN_CASE(null_goes_back_to_the_default)
{
    plx_memory_set(NULL, &record);
    void *block = plx__memory_new(10);
    ck_assert_ptr_nonnull(block);
    ck_assert_ptr_null(plx__memory_resize(block, 0));
    ck_assert_int_eq(record.calls, 0);
}

SUITE_MAIN("memory", .setup = setup, .teardown = teardown)
