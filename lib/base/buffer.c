/* lib/base/buffer.c -- the one byte buffer. */
#include "config.h"

#include "lib/base/buffer.h"
#include "lib/base/memory.h"

#include <string.h>

/* Blocks have 256 B, 512 B … 256 KiB, and each size has a class of the pool. The pool keeps no
 * larger blocks: one connection's bulk transfer would otherwise leave its memory with the group. */
#define SMALLEST_BLOCK ((size_t)256)

/* After this number of frames that did not need a block the pool frees the block: a few seconds at
 * 60 frames a second. */
#define POOL_FRAMES 256

struct plx__pool_block {
    struct plx__pool_block *next;
};

/* ---- pool ------------------------------------------------------------------------------------ */

/* Returns the class of blocks of this capacity; NULL when no class has this capacity. */
static struct plx__pool_class *class_of(struct plx__pool *pool, size_t capacity)
{
    for (size_t i = 0; pool != NULL && i < PLX__POOL_CLASSES; i++) {
        if (capacity == SMALLEST_BLOCK << i) {
            return &pool->classes[i];
        }
    }
    return NULL;
}

static void pool_give(struct plx__pool *pool, uint8_t *block, size_t capacity)
{
    struct plx__pool_block *free_block = (struct plx__pool_block *)(void *)block;
    struct plx__pool_class *class = class_of(pool, capacity);
    if (class == NULL) {
        plx__memory_free(block);
        return;
    }
    free_block->next = class->first;
    class->first = free_block;
    class->count++;
    pool->count++;
}

/* The block that was given back last is taken first: it is the one that is still in the processor's
 * cache. */
static uint8_t *class_take(struct plx__pool *pool, struct plx__pool_class *class)
{
    struct plx__pool_block *block = class == NULL ? NULL : class->first;
    if (block != NULL) {
        class->first = block->next;
        class->count--;
        class->least = class->count < class->least ? class->count : class->least;
        pool->count--;
    }
    return (uint8_t *)block;
}

/* Returns a block of `*capacity`, or, when none rests in the pool, a larger one up to the usual
 * size: a frame that needs more small blocks than the frames before it is still a steady frame. */
static uint8_t *pool_take(struct plx__pool *pool, size_t *capacity)
{
    uint8_t *block = class_take(pool, class_of(pool, *capacity));
    bool small = *capacity < PLX__BUFFER_BLOCK;
    for (size_t larger = 2 * *capacity; small && block == NULL && larger <= PLX__BUFFER_BLOCK;
         larger *= 2) {
        block = class_take(pool, class_of(pool, larger));
        *capacity = block == NULL ? *capacity : larger;
    }
    return block;
}

void plx__pool_pass_frame(struct plx__pool *pool)
{
    if (++pool->age < POOL_FRAMES) {
        return;
    }
    for (size_t i = 0; i < PLX__POOL_CLASSES; i++) {
        struct plx__pool_class *class = &pool->classes[i];
        for (size_t needless = class->least; needless > 0; needless--) {
            plx__memory_free(class_take(pool, class));
        }
        class->least = class->count;
    }
    pool->age = 0;
}

void plx__pool_clear(struct plx__pool *pool)
{
    for (size_t i = 0; i < PLX__POOL_CLASSES; i++) {
        while (pool->classes[i].count > 0) {
            plx__memory_free(class_take(pool, &pool->classes[i]));
        }
    }
}

/* ---- room ------------------------------------------------------------------------------------ */

static void slide_to(struct plx__buffer *buffer, size_t start)
{
    if (buffer->size > 0 && buffer->start != start) {
        memmove(buffer->block + start, buffer->block + buffer->start, buffer->size);
    }
    buffer->start = start;
}

/* Returns the capacity that `size` bytes need, a power of two; 0 when no power of two is large
 * enough. */
static size_t capacity_for(size_t size)
{
    size_t capacity = SMALLEST_BLOCK;
    while (capacity < size) {
        if (capacity > SIZE_MAX / 2) {
            return 0;
        }
        capacity *= 2;
    }
    return capacity;
}

/* Moves the live bytes to a larger block, one from the pool if it has one. */
static bool grow(struct plx__buffer *buffer, size_t needed, struct plx__pool *pool)
{
    size_t capacity = capacity_for(needed);
    uint8_t *block = capacity == 0 ? NULL : pool_take(pool, &capacity);
    if (block != NULL && buffer->block != NULL) {
        memcpy(block, buffer->block + buffer->start, buffer->size);
        pool_give(pool, buffer->block, buffer->capacity);
        buffer->start = 0;
    } else if (block == NULL && capacity != 0) {
        block = plx__memory_resize(buffer->block, capacity);
    }
    if (block == NULL) {
        return false;
    }
    buffer->block = block;
    buffer->capacity = capacity;
    return true;
}

/* Makes the block large enough for `size` more bytes, wherever the room is in the block. */
static bool widen(struct plx__buffer *buffer, size_t size, struct plx__pool *pool)
{
    if (size > SIZE_MAX - buffer->size) {
        return false;
    }
    return buffer->capacity - buffer->size >= size || grow(buffer, buffer->size + size, pool);
}

/* Returns whether a slide costs little. Sliding many bytes for a little room, again and again,
 * would be quadratic: the live bytes have to be few, or as many bytes must have been consumed. */
static bool slide_is_cheap(const struct plx__buffer *buffer)
{
    return buffer->size <= buffer->start || buffer->size <= PLX__BUFFER_BLOCK / 4;
}

void *plx__buffer_make_room(struct plx__buffer *buffer, size_t size, struct plx__pool *pool)
{
    size_t needed = size > 0 ? size : 1; /* NULL would report that memory ran out */
    if (!slide_is_cheap(buffer) && size <= buffer->capacity - buffer->size) {
        needed = buffer->capacity - buffer->size + 1;
    }
    if (!widen(buffer, needed, pool)) {
        return NULL;
    }
    slide_to(buffer, 0);
    return buffer->block + buffer->start + buffer->size;
}

/* Slides the live bytes so that there is room for `size` bytes before them, and for half of the
 * remaining room as well: otherwise bytes that are added at both ends in turn would make each call
 * slide. A slide of many bytes has to make room for about as many bytes, or it would be quadratic;
 * when there is no memory it need not. */
static bool make_room_before(struct plx__buffer *buffer, size_t size, struct plx__pool *pool)
{
    size_t spare = buffer->size <= PLX__BUFFER_BLOCK / 4 ? 0 : buffer->size / 2;
    if (size > SIZE_MAX / 2 || (!widen(buffer, size + spare, pool) && !widen(buffer, size, pool))) {
        return false;
    }
    slide_to(buffer, size + (buffer->capacity - buffer->size - size) / 2);
    return true;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

bool plx__buffer_append(struct plx__buffer *buffer, const void *data, size_t size,
                        struct plx__pool *pool)
{
    void *room = size == 0 ? NULL : plx__buffer_reserve(buffer, size, pool);
    if (room != NULL) {
        memcpy(room, data, size);
        buffer->size += size;
    }
    return size == 0 || room != NULL;
}

bool plx__buffer_prepend(struct plx__buffer *buffer, const void *data, size_t size,
                         struct plx__pool *pool)
{
    if (size == 0) {
        return true;
    }
    if (buffer->start < size && !make_room_before(buffer, size, pool)) {
        return false;
    }
    memmove(buffer->block + buffer->start - size, data, size);
    buffer->start -= size;
    buffer->size += size;
    return true;
}

const uint8_t plx__buffer_nothing[1] = {0};

void plx__buffer_release(struct plx__buffer *buffer, struct plx__pool *pool)
{
    if (buffer->size == 0 && buffer->block != NULL) {
        pool_give(pool, buffer->block, buffer->capacity);
        *buffer = (struct plx__buffer){NULL, 0, 0, 0};
    }
}

void plx__buffer_clear(struct plx__buffer *buffer, struct plx__pool *pool)
{
    buffer->size = 0;
    buffer->start = 0;
    plx__buffer_release(buffer, pool);
}

static void turn_around(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        uint8_t byte = bytes[i];
        bytes[i] = bytes[size - 1 - i];
        bytes[size - 1 - i] = byte;
    }
}

/* Two halves change places when each half is reversed, and then the whole. */
void plx__buffer_rotate(struct plx__buffer *buffer, size_t size)
{
    if (size > 0 && size < buffer->size) {
        uint8_t *bytes = buffer->block + buffer->start;
        turn_around(bytes, size);
        turn_around(bytes + size, buffer->size - size);
        turn_around(bytes, buffer->size);
    }
}
