/* lib/base/buffer.h -- the one byte buffer.
 *
 * Design: live bytes in the middle of one allocation, so that look-ahead is one pointer. A ring
 * would avoid the slide in append, but could not hand out one pointer to everything it holds.
 *
 *      block            start                  start + size         capacity
 *        |   consumed     |      live bytes        |       room         |
 *        +----------------+------------------------+--------------------+
 *
 * Invariants: start + size <= capacity; size 0 implies start 0; capacity 0 implies block NULL.
 * A zeroed buffer is empty and valid. Blocks come from a pool where there is one and go back to it,
 * so that a group of sockets allocates nothing in a steady frame and an idle socket holds nothing.
 */
#ifndef PLX_LIB_BUFFER_H
#define PLX_LIB_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Blocks at rest, linked through their own first bytes, in classes of a size each: a short message
 * must not take a large block, for a thousand of them would not stay in the processor's cache. The
 * pool keeps what the busiest frame of late has needed, so that a steady frame allocates nothing,
 * and lets go what no frame has needed for a while. A zeroed pool is empty and valid. */
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

/* What is asked for to receive into; also the most that a socket without a group keeps while
 * nothing arrives. */
#define PLX__BUFFER_BLOCK ((size_t)16 * 1024)

/* plx__pool_pass_frame says that a frame is over, and now and then frees what rested all the while. */
void plx__pool_pass_frame(struct plx__pool *pool);

/* plx__pool_clear frees the blocks at rest. */
void plx__pool_clear(struct plx__pool *pool);

/* plx__buffer_room returns how many bytes fit behind the live ones as it is. */
static inline size_t plx__buffer_room(const struct plx__buffer *buffer)
{
    return buffer->capacity - buffer->start - buffer->size;
}

/* plx__buffer_make_room is plx__buffer_reserve where there is too little room as it is. */
void *plx__buffer_make_room(struct plx__buffer *buffer, size_t size, struct plx__pool *pool);

/* plx__buffer_rotate moves the first `size` live bytes behind the others. */
void plx__buffer_rotate(struct plx__buffer *buffer, size_t size);

/* plx__buffer_reserve makes room for `size` bytes behind the live ones and returns where they go;
 * NULL for want of memory, with the buffer unchanged. `pool` may be NULL. Pointers into the buffer
 * end here. */
static inline void *plx__buffer_reserve(struct plx__buffer *buffer, size_t size,
                                        struct plx__pool *pool)
{
    return buffer->block == NULL || plx__buffer_room(buffer) < size
               ? plx__buffer_make_room(buffer, size, pool)
               : buffer->block + buffer->start + buffer->size;
}

/* plx__buffer_commit makes `size` bytes that were written to the reserved room live. */
static inline void plx__buffer_commit(struct plx__buffer *buffer, size_t size)
{
    buffer->size += size;
}

/* plx__buffer_append copies `size` bytes from elsewhere behind the live ones. False for want of
 * memory, with the buffer unchanged. */
bool plx__buffer_append(struct plx__buffer *buffer, const void *data, size_t size,
                        struct plx__pool *pool);

/* plx__buffer_prepend copies `size` bytes from elsewhere before the live ones; as many as were just
 * skipped may be given back from where they stand. False for want of memory, with the buffer
 * unchanged. */
bool plx__buffer_prepend(struct plx__buffer *buffer, const void *data, size_t size,
                         struct plx__pool *pool);

/* What an empty buffer points to. */
extern const uint8_t plx__buffer_nothing[];

/* plx__buffer_data returns the first live byte; never NULL, so that an empty buffer is an empty
 * string of bytes. */
static inline const uint8_t *plx__buffer_data(const struct plx__buffer *buffer)
{
    return buffer->block == NULL ? plx__buffer_nothing : buffer->block + buffer->start;
}

/* plx__buffer_skip removes up to `size` bytes from the front and returns how many. The block stays
 * where it is, so that a pointer to the removed bytes still holds until the buffer is reserved or
 * rested. Inline, as for each datagram. */
static inline size_t plx__buffer_skip(struct plx__buffer *buffer, size_t size)
{
    size_t taken = size < buffer->size ? size : buffer->size;
    buffer->size -= taken;
    buffer->start = buffer->size == 0 ? 0 : buffer->start + taken;
    return taken;
}

/* plx__buffer_release gives the block of an empty buffer to the pool, or frees it where there is none;
 * a buffer with live bytes is left alone. */
void plx__buffer_release(struct plx__buffer *buffer, struct plx__pool *pool);

/* plx__buffer_clear drops all bytes and the block. */
void plx__buffer_clear(struct plx__buffer *buffer, struct plx__pool *pool);

#endif
