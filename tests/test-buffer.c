/* tests/test-buffer.c -- the byte buffer against a model, and its promises about pointers and
 * cost. */
#include "lib/base/buffer.h"
#include "lib/base/memory.h"
#include "tests/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_SIZE 200000

/* What the buffer should hold, in the plainest way. */
struct model {
    uint8_t bytes[MODEL_SIZE];
    size_t size;
};

static void expect_same(const struct plx__buffer *buffer, const struct model *model)
{
    ck_assert_uint_eq(buffer->size, model->size);
    ck_assert_ptr_nonnull(plx__buffer_data(buffer));
    ck_assert_mem_eq(plx__buffer_data(buffer), model->bytes, model->size);
    ck_assert_uint_le(buffer->start + buffer->size, buffer->capacity);
    ck_assert(buffer->size > 0 || buffer->start == 0);
    ck_assert(buffer->capacity > 0 || buffer->block == NULL);
}

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t) rand();
    }
}

static void append(struct plx__buffer *buffer, struct model *model, size_t size,
                   struct plx__pool *pool)
{
    uint8_t *bytes = model->bytes + model->size;
    if (model->size + size > MODEL_SIZE) {
        return;
    }
    fill(bytes, size);
    ck_assert(plx__buffer_append(buffer, bytes, size, pool));
    model->size += size;
}

static void prepend(struct plx__buffer *buffer, struct model *model, size_t size,
                    struct plx__pool *pool)
{
    if (model->size + size > MODEL_SIZE) {
        return;
    }
    memmove(model->bytes + size, model->bytes, model->size);
    fill(model->bytes, size);
    model->size += size;
    ck_assert(plx__buffer_prepend(buffer, model->bytes, size, pool));
}

static void skip(struct plx__buffer *buffer, struct model *model, size_t size)
{
    size_t expected = size < model->size ? size : model->size;
    ck_assert_uint_eq(plx__buffer_skip(buffer, size), expected);
    memmove(model->bytes, model->bytes + expected, model->size - expected);
    model->size -= expected;
}

static void truncate_to(struct plx__buffer *buffer, struct model *model, size_t size)
{
    model->size = size < model->size ? size : model->size;
    plx__buffer_truncate(buffer, model->size);
}

static void commit(struct plx__buffer *buffer, struct model *model, size_t size,
                   struct plx__pool *pool)
{
    if (model->size + size > MODEL_SIZE) {
        return;
    }
    uint8_t *place = plx__buffer_reserve(buffer, size + 100, pool);
    ck_assert_ptr_nonnull(place);
    fill(place, size);
    memcpy(model->bytes + model->size, place, size);
    plx__buffer_commit(buffer, size);
    model->size += size;
}

static void random_steps(unsigned seed, struct plx__pool *pool)
{
    struct plx__buffer buffer = {0};
    static struct model model;
    model.size = 0;
    srand(seed);
    for (int step = 0; step < 2000; step++) {
        size_t size = (size_t) rand() % (rand() % 8 == 0 ? 40000 : 300);
        switch (rand() % 7) {
        case 0:
        case 1:
            append(&buffer, &model, size, pool);
            break;
        case 2:
            commit(&buffer, &model, size, pool);
            break;
        case 3:
            prepend(&buffer, &model, size % 50, pool);
            break;
        case 4:
            skip(&buffer, &model, size);
            break;
        case 5:
            truncate_to(&buffer, &model, size);
            break;
        default:
            plx__buffer_release(&buffer, pool);
            break;
        }
        expect_same(&buffer, &model);
    }
    plx__buffer_clear(&buffer, pool);
    ck_assert_uint_eq(buffer.size, 0);
    ck_assert_ptr_null(buffer.block);
}

LOOP_CASE(it_holds_what_a_model_holds, 1, 9)
{
    random_steps((unsigned) _i, NULL);
}

LOOP_CASE(it_holds_what_a_model_holds_with_a_pool, 1, 9)
{
    struct plx__pool pool = {0};
    random_steps((unsigned) _i, &pool);
    plx__pool_clear(&pool);
    ck_assert_uint_eq(pool.count, 0);
}

PLAIN_CASE(skipped_bytes_stay_until_the_buffer_is_used_again)
{
    struct plx__buffer buffer = {0};
    ck_assert(plx__buffer_append(&buffer, "abcdef", 6, NULL));
    const uint8_t *data = plx__buffer_data(&buffer);
    ck_assert_uint_eq(plx__buffer_skip(&buffer, 6), 6);
    ck_assert_mem_eq(data, "abcdef", 6);
    plx__buffer_clear(&buffer, NULL);
}

PLAIN_CASE(skipped_bytes_can_be_given_back_from_where_they_stand)
{
    struct plx__buffer buffer = {0};
    ck_assert(plx__buffer_append(&buffer, "abcdef", 6, NULL));
    const uint8_t *data = plx__buffer_data(&buffer);
    plx__buffer_skip(&buffer, 4);
    ck_assert(plx__buffer_prepend(&buffer, data, 4, NULL));
    ck_assert_mem_eq(plx__buffer_data(&buffer), "abcdef", 6);
    data = plx__buffer_data(&buffer);
    plx__buffer_skip(&buffer, 6);
    ck_assert(plx__buffer_prepend(&buffer, data, 6, NULL));
    ck_assert_mem_eq(plx__buffer_data(&buffer), "abcdef", 6);
    plx__buffer_clear(&buffer, NULL);
}

PLAIN_CASE(a_size_that_cannot_be_changes_nothing)
{
    struct plx__buffer buffer = {0};
    ck_assert(plx__buffer_append(&buffer, "abc", 3, NULL));
    ck_assert_ptr_null(plx__buffer_reserve(&buffer, SIZE_MAX, NULL));
    ck_assert_ptr_null(plx__buffer_reserve(&buffer, SIZE_MAX - 3, NULL));
    ck_assert_ptr_null(plx__buffer_reserve(&buffer, SIZE_MAX / 2 + 1, NULL));
    ck_assert(!plx__buffer_prepend(&buffer, "x", SIZE_MAX, NULL));
    ck_assert_mem_eq(plx__buffer_data(&buffer), "abc", 3);
    plx__buffer_clear(&buffer, NULL);
}

/* NULL would report that memory ran out. */
PLAIN_CASE(room_for_nothing_is_a_place)
{
    struct plx__buffer buffer = {0};
    ck_assert_ptr_nonnull(plx__buffer_reserve(&buffer, 0, NULL));
    ck_assert_uint_eq(buffer.size, 0);
    plx__buffer_clear(&buffer, NULL);
}

PLAIN_CASE(an_empty_buffer_gives_its_block_to_the_pool_and_takes_it_again)
{
    struct plx__pool pool = {0};
    struct plx__buffer one = {0}, other = {0};
    ck_assert(plx__buffer_append(&one, "abc", 3, &pool));
    const uint8_t *block = one.block;
    plx__buffer_release(&one, &pool);
    ck_assert_ptr_eq(one.block, block);
    plx__buffer_skip(&one, 3);
    plx__buffer_release(&one, &pool);
    ck_assert_ptr_null(one.block);
    ck_assert_uint_eq(pool.count, 1);
    ck_assert(plx__buffer_append(&other, "def", 3, &pool));
    ck_assert_ptr_eq(other.block, block);
    ck_assert_uint_eq(pool.count, 0);
    plx__buffer_clear(&other, &pool);
    plx__pool_clear(&pool);
}

/* A busy frame's blocks rest for a steady one; those that no frame needs go after a while, and only
 * those. */
PLAIN_CASE(the_pool_keeps_what_frames_need)
{
    struct plx__pool pool = {0};
    struct plx__buffer buffers[10] = {{0}};
    for (int frame = 0; frame < 2000; frame++) {
        int busy = frame < 5 ? 10 : 3;
        for (int i = 0; i < busy; i++) {
            ck_assert(plx__buffer_append(&buffers[i], "abc", 3, &pool));
        }
        for (int i = 0; i < busy; i++) {
            plx__buffer_clear(&buffers[i], &pool);
        }
        plx__pool_pass_frame(&pool);
        ck_assert_uint_ge(pool.count, 3);
    }
    ck_assert_uint_eq(pool.count, 3);
    for (int frame = 0; frame < 1000; frame++) {
        plx__pool_pass_frame(&pool);
    }
    ck_assert_uint_eq(pool.count, 0);
}

/* Counts what is moved: a queue that never empties must not be slid for each byte that is taken and
 * put. */
PLAIN_CASE(a_queue_that_never_empties_costs_linear_time)
{
    struct plx__buffer buffer = {0};
    uint8_t piece[1000] = {0};
    size_t slides = 0, before = 0;
    for (int i = 0; i < 100; i++) {
        ck_assert(plx__buffer_append(&buffer, piece, sizeof piece, NULL));
    }
    for (int i = 0; i < 100000; i++) {
        before = buffer.start;
        ck_assert(plx__buffer_append(&buffer, piece, 100, NULL));
        slides += buffer.start < before ? 1 : 0;
        plx__buffer_skip(&buffer, 100);
    }
    /* Each slide moves 100 kB and has to be paid for by as many bytes that went through. */
    ck_assert_uint_le(slides, 110);
    ck_assert_uint_le(buffer.capacity, (size_t) 512 * 1024);
    plx__buffer_clear(&buffer, NULL);
}

/* The same for a queue that gets bytes at both ends in turn, as when a program gives back what it
 * has read and more arrives: many bytes are moved seldom, whatever room is asked for. */
LOOP_CASE(bytes_at_both_ends_in_turn_cost_linear_time, 0, 3)
{
    static const size_t rooms[] = {1, 1000, PLX__BUFFER_BLOCK};
    struct plx__buffer buffer = {0};
    uint8_t piece[1000] = {0};
    size_t moved = 0;
    for (int i = 0; i < 300; i++) {
        ck_assert(plx__buffer_append(&buffer, piece, sizeof piece, NULL));
    }
    for (int i = 0; i < 200000; i++) {
        const uint8_t *before = plx__buffer_data(&buffer);
        ck_assert(plx__buffer_prepend(&buffer, piece, 1, NULL));
        moved += plx__buffer_data(&buffer) == before - 1 ? 0 : buffer.size;
        before = plx__buffer_data(&buffer);
        ck_assert_ptr_nonnull(plx__buffer_reserve(&buffer, rooms[_i], NULL));
        moved += plx__buffer_data(&buffer) == before ? 0 : buffer.size;
        plx__buffer_commit(&buffer, 1);
        if (i >= 100000) { /* first the queue grows, then it stays as long as it is */
            plx__buffer_skip(&buffer, 2);
        }
    }
    ck_assert_uint_eq(buffer.size, 500000);
    ck_assert_uint_le(moved, 40 * buffer.size);
    ck_assert_uint_le(buffer.capacity, (size_t)4 * 1024 * 1024);
    plx__buffer_clear(&buffer, NULL);
}

PLAIN_CASE(its_bytes_can_change_places)
{
    static const char letters[] = "abcdefghij";
    struct plx__buffer buffer = {0};
    plx__buffer_rotate(&buffer, 5);
    ck_assert_uint_eq(buffer.size, 0);
    for (size_t first = 0; first <= 12; first++) {
        char wanted[24];
        size_t behind = first < 10 ? first : 0;
        plx__buffer_append(&buffer, "??", 2, NULL);
        plx__buffer_append(&buffer, letters, 10, NULL);
        plx__buffer_skip(&buffer, 2);
        plx__buffer_rotate(&buffer, first);
        snprintf(wanted, sizeof wanted, "%s%.*s", letters + behind, (int)behind, letters);
        ck_assert_mem_eq(plx__buffer_data(&buffer), wanted, 10);
        plx__buffer_skip(&buffer, 10);
    }
    plx__buffer_clear(&buffer, NULL);
}

SUITE_MAIN("buffer")
