/* lib/base/record.h -- datagrams in a buffer: a record and its bytes for each datagram.
 *
 *      | record | bytes | record | target | bytes | record | bytes | ...
 *
 * Records never merge and never split. A record may begin at any byte, so records are copied and
 * never pointed at. A target is the address that a datagram was sent to. A target is valid for the
 * datagrams that follow, too, until the next target: nearly all datagrams have the same one. */
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
    uint16_t destination; /* the size of the target that follows: of a plx_address, or 0 */
};

/* plx__record_first returns the first record of a buffer that has a record. Inline, because it runs
 * for each datagram that is read. */
static inline struct plx__record plx__record_first(const struct plx__buffer *buffer)
{
    struct plx__record record;
    memcpy(&record, buffer->block + buffer->start, sizeof record);
    return record;
}

/* plx__record_destination returns the size of the first record's target without copying the whole
 * record, as plx__record_first does. */
static inline size_t plx__record_destination(const struct plx__buffer *buffer)
{
    uint16_t destination;
    memcpy(&destination, buffer->block + buffer->start + offsetof(struct plx__record, destination),
           sizeof destination);
    return destination;
}

/* plx__record_append appends a record and its bytes. False when out of memory, with the buffer
 * unchanged. */
bool plx__record_append(struct plx__buffer *buffer, const struct plx__record *record,
                        const void *data, struct plx__pool *pool);

/* plx__record_skip removes the first record, its target and its bytes; `record` is a copy of that
 * record. */
static inline void plx__record_skip(struct plx__buffer *buffer, const struct plx__record *record)
{
    plx__buffer_skip(buffer, sizeof *record + record->destination + record->size);
}

#endif
