/* tests/fuzz/fuzz-buffer.c -- every call of the byte buffer, held against an array: with and
 * without a pool, with memory that runs out, and with sizes that cannot be. */
#include "lib/base/buffer.h"
#include "lib/base/memory.h"
#include "tests/fuzz/fuzz.h"

static struct bytes model;
static uint8_t next_byte;
static int refusals; /* this number of the next allocations fail */

static void *allocate(void *block, size_t size, void *user)
{
    (void)user;
    if (size == 0) {
        free(block);
        return NULL;
    }
    if (refusals > 0) {
        refusals--;
        return NULL;
    }
    return realloc(block, size);
}

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = next_byte++;
    }
}

static void need_same(const struct plx__buffer *buffer)
{
    NEED(plx__buffer_data(buffer) != NULL);
    NEED(bytes_equal(&model, plx__buffer_data(buffer), buffer->size));
    NEED(buffer->start + buffer->size <= buffer->capacity);
    NEED(buffer->size > 0 || buffer->start == 0);
    NEED(buffer->capacity > 0 || buffer->block == NULL);
}

static void append(struct plx__buffer *buffer, size_t size, struct plx__pool *pool)
{
    static uint8_t bytes[1 << 15];
    fill(bytes, size);
    bool may_fail = refusals > 0;
    if (plx__buffer_append(buffer, bytes, size, pool)) {
        bytes_append(&model, bytes, size);
    } else {
        NEED(may_fail);
    }
}

/* Writes behind the live bytes, and makes a part of what was reserved live. */
static void commit(struct plx__buffer *buffer, size_t size, size_t more, struct plx__pool *pool)
{
    bool may_fail = refusals > 0;
    uint8_t *place = plx__buffer_reserve(buffer, size + more, pool);
    NEED(place != NULL || may_fail);
    if (place != NULL) {
        NEED(plx__buffer_room(buffer) >= size + more);
        fill(place, size + more);
        bytes_append(&model, place, size);
        plx__buffer_commit(buffer, size);
    }
}

static void prepend(struct plx__buffer *buffer, size_t size, struct plx__pool *pool)
{
    static uint8_t bytes[1 << 15];
    fill(bytes, size);
    bool may_fail = refusals > 0;
    if (plx__buffer_prepend(buffer, bytes, size, pool)) {
        bytes_prepend(&model, bytes, size);
    } else {
        NEED(may_fail);
    }
}

static size_t skip(struct plx__buffer *buffer, size_t size)
{
    size_t expected = size < model.size ? size : model.size;
    NEED(plx__buffer_skip(buffer, size) == expected);
    bytes_drop(&model, expected);
    return expected;
}

/* Gives back some of the bytes that were just skipped, from their place. */
static void give_back(struct plx__buffer *buffer, size_t size, size_t back, struct plx__pool *pool)
{
    const uint8_t *data = plx__buffer_data(buffer);
    size_t skipped = skip(buffer, size);
    back = back < skipped ? back : skipped;
    const uint8_t *from = data + skipped - back;
    static uint8_t kept[1 << 15];
    memcpy(kept, from, back);
    bool may_fail = refusals > 0;
    if (plx__buffer_prepend(buffer, from, back, pool)) {
        bytes_prepend(&model, kept, back);
    } else {
        NEED(may_fail);
    }
}

static void rotate(struct plx__buffer *buffer, size_t size)
{
    static uint8_t first[1 << 17];
    size = size < model.size ? size : model.size;
    memcpy(first, model.data, size);
    bytes_drop(&model, size);
    bytes_append(&model, first, size);
    plx__buffer_rotate(buffer, size);
}

static void truncate_to(struct plx__buffer *buffer, size_t size)
{
    model.size = size < model.size ? size : model.size;
    plx__buffer_truncate(buffer, model.size);
}

static void ask_too_much(struct plx__buffer *buffer, size_t size, struct plx__pool *pool)
{
    NEED(plx__buffer_reserve(buffer, SIZE_MAX - size, pool) == NULL);
    NEED(!plx__buffer_append(buffer, "x", SIZE_MAX - size, pool));
    NEED(!plx__buffer_prepend(buffer, "x", SIZE_MAX - size, pool));
}

static void clear(struct plx__buffer *buffer, struct plx__pool *pool)
{
    plx__buffer_clear(buffer, pool);
    NEED(buffer->block == NULL && buffer->size == 0);
    model.size = 0;
}

static void pass_frames(struct plx__pool *pool, size_t count)
{
    for (; pool != NULL && count > 0; count--) {
        plx__pool_pass_frame(pool);
    }
}

static void step(struct plx__buffer *buffer, struct plx__pool *pool, struct tape *tape)
{
    unsigned call = tape_byte(tape) % 12;
    size_t size = tape_size(tape);
    bool fits = bytes_fit(&model, size + 256);
    switch (call) {
    case 0: fits ? append(buffer, size, pool) : (void)0; break;
    case 1: fits ? commit(buffer, size, tape_byte(tape), pool) : (void)0; break;
    case 2: fits ? prepend(buffer, size, pool) : (void)0; break;
    case 3: skip(buffer, size); break;
    case 4: give_back(buffer, size, tape_size(tape), pool); break;
    case 5: rotate(buffer, size); break;
    case 6: truncate_to(buffer, size); break;
    case 7: plx__buffer_release(buffer, pool); break;
    case 8: clear(buffer, pool); break;
    case 9: pass_frames(pool, size); break;
    case 10: ask_too_much(buffer, size, pool); break;
    default: refusals = (int)(size % 4); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    struct plx__pool pool = {0};
    struct plx__buffer buffer = {0};
    model.size = 0;
    next_byte = 0;
    refusals = 0;
    plx_memory_set(allocate, NULL);
    struct plx__pool *used = tape_byte(&tape) % 2 == 0 ? NULL : &pool;
    while (tape.left > 0) {
        step(&buffer, used, &tape);
        need_same(&buffer);
    }
    clear(&buffer, used);
    plx__pool_clear(&pool);
    NEED(pool.count == 0);
    return 0;
}
