/* lib/base/buffer.h -- the one byte buffer.
 *
 * Design: live bytes in the middle of one allocation, so that one pointer shows all of them. A ring
 * would avoid the slide in append, but could not show all its bytes by one pointer.
 *
 *      block            start                  start + size         capacity
 *        |   consumed     |      live bytes        |       room         |
 *        +----------------+------------------------+--------------------+
 *
 * Invariants: start + size <= capacity; size 0 implies start 0; capacity 0 implies block NULL. A
 * zeroed buffer is empty and valid. A buffer with a pool takes its block from the pool and gives it
 * back to the pool, so that a group of sockets allocates nothing in a steady frame and an idle
 * socket holds no memory. */
#ifndef PLX_LIB_BUFFER_H
#define PLX_LIB_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Blocks at rest, linked through their own first bytes, in one class for each size: a short message
 * must not take a large block, because a thousand large blocks would not stay in the processor's
 * cache. The pool keeps what the busiest of the last frames needed, so that a steady frame
 * allocates nothing, and frees what no frame has needed for a while. A zeroed pool is empty and
 * valid. */
#define PLX__POOL_CLASSES 11

struct plx__pool_class {
    struct plx__pool_block *first;
    size_t count;
    size_t least; /* the fewest that rested at once since the pool was last trimmed */
};

struct plx__pool {
    struct plx__pool_class classes[PLX__POOL_CLASSES];
    size_t count; /* of all blocks */
    size_t age;   /* frames since the pool was last trimmed */
};

struct plx__buffer {
    uint8_t *block;
    size_t capacity;
    size_t start;
    size_t size;
};

/* The room that a receive asks for; also the most that a socket without a group keeps while no
 * bytes arrive. */
#define PLX__BUFFER_BLOCK ((size_t)16 * 1024)

/* plx__pool_pass_frame ends a frame of the pool, and from time to time frees the blocks that rested
 * all the time. */
void plx__pool_pass_frame(struct plx__pool *pool);

/* plx__pool_clear frees the blocks at rest. */
void plx__pool_clear(struct plx__pool *pool);

/* plx__buffer_room returns how many bytes fit behind the live ones without moving anything. */
static inline size_t plx__buffer_room(const struct plx__buffer *buffer)
{
    return buffer->capacity - buffer->start - buffer->size;
}

/* plx__buffer_make_room is plx__buffer_reserve for a buffer whose plx__buffer_room is too small. */
void *plx__buffer_make_room(struct plx__buffer *buffer, size_t size, struct plx__pool *pool);

/* plx__buffer_rotate moves the first `size` live bytes behind the others. */
void plx__buffer_rotate(struct plx__buffer *buffer, size_t size);

/* plx__buffer_reserve makes room for `size` bytes behind the live ones and returns a pointer to
 * that room; NULL when out of memory, with the buffer unchanged. `pool` may be NULL. Earlier
 * pointers into the buffer become invalid. */
static inline void *plx__buffer_reserve(struct plx__buffer *buffer, size_t size,
                                        struct plx__pool *pool)
{
    return buffer->block == NULL || plx__buffer_room(buffer) < size
               ? plx__buffer_make_room(buffer, size, pool)
               : buffer->block + buffer->start + buffer->size;
}

/* plx__buffer_commit makes `size` bytes live that were written into the reserved room. */
static inline void plx__buffer_commit(struct plx__buffer *buffer, size_t size)
{
    buffer->size += size;
}

/* plx__buffer_append copies `size` bytes that are not in the buffer behind the live ones. False
 * when out of memory, with the buffer unchanged. */
bool plx__buffer_append(struct plx__buffer *buffer, const void *data, size_t size,
                        struct plx__pool *pool);

/* plx__buffer_prepend copies `size` bytes before the live ones. The bytes are not in the buffer, or
 * they are bytes that were skipped last and are still in their place. False when out of memory,
 * with the buffer unchanged. */
bool plx__buffer_prepend(struct plx__buffer *buffer, const void *data, size_t size,
                         struct plx__pool *pool);

/* The byte that an empty buffer points to. */
extern const uint8_t plx__buffer_nothing[];

/* plx__buffer_data returns a pointer to the first live byte. The pointer is never NULL, so that an
 * empty buffer is an empty string of bytes. */
static inline const uint8_t *plx__buffer_data(const struct plx__buffer *buffer)
{
    return buffer->block == NULL ? plx__buffer_nothing : buffer->block + buffer->start;
}

/* plx__buffer_skip removes up to `size` bytes from the front and returns how many. The block stays
 * in its place, so that a pointer to the removed bytes is valid until the next reserve or release.
 * Inline, because it runs for each datagram. */
static inline size_t plx__buffer_skip(struct plx__buffer *buffer, size_t size)
{
    size_t taken = size < buffer->size ? size : buffer->size;
    buffer->size -= taken;
    buffer->start = buffer->size == 0 ? 0 : buffer->start + taken;
    return taken;
}

/* plx__buffer_truncate drops all but the first `size` live bytes, of which there are as many. */
static inline void plx__buffer_truncate(struct plx__buffer *buffer, size_t size)
{
    buffer->size = size;
    buffer->start = size == 0 ? 0 : buffer->start;
}

/* plx__buffer_release gives the block of an empty buffer to the pool, or frees the block where
 * there is no pool. It does nothing to a buffer with live bytes. */
void plx__buffer_release(struct plx__buffer *buffer, struct plx__pool *pool);

/* plx__buffer_clear drops all bytes and the block. */
void plx__buffer_clear(struct plx__buffer *buffer, struct plx__pool *pool);

#endif
