/* lib/base/record.h -- datagrams in a buffer: each a record and its bytes.
 *
 *      | record | bytes | record | target | bytes | record | bytes | ...
 *
 * They never merge and never split. Records follow each other at any byte, so they are copied and
 * never pointed at. A target is the address that a datagram came to; it holds for those that follow,
 * too, until the next one: nearly all have the same. */
#ifndef PLX_LIB_RECORD_H
#define PLX_LIB_RECORD_H

#include "lib/base/buffer.h"

#include <pollux/address.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct plx__record {
    plx_address address; /* received: the sender; to send: the receiver, family 0 for the peer */
    uint32_t size;
    uint16_t truncated;
    uint16_t destination; /* the bytes of the target that follows: those of a plx_address, or 0 */
};

/* plx__record_first returns the first record of a buffer that has one. Inline, as for each
 * datagram that is read. */
static inline struct plx__record plx__record_first(const struct plx__buffer *buffer)
{
    struct plx__record record;
    memcpy(&record, buffer->block + buffer->start, sizeof record);
    return record;
}

/* plx__record_destination returns the bytes of the first record's target; plx__record_first would copy all
 * of it. */
static inline size_t plx__record_destination(const struct plx__buffer *buffer)
{
    uint16_t destination;
    memcpy(&destination, buffer->block + buffer->start + offsetof(struct plx__record, destination),
           sizeof destination);
    return destination;
}

/* plx__record_append puts a record and its bytes behind the others. False for want of memory, with
 * the buffer unchanged. */
bool plx__record_append(struct plx__buffer *buffer, const struct plx__record *record,
                        const void *data, struct plx__pool *pool);

/* plx__record_skip removes the first record, which is this one, and its bytes. */
static inline void plx__record_skip(struct plx__buffer *buffer, const struct plx__record *record)
{
    plx__buffer_skip(buffer, sizeof *record + record->destination + record->size);
}

#endif
