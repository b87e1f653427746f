/* lib/base/record.c -- datagrams in a buffer: a record and its bytes for each datagram. */
#include "config.h"

#include "lib/base/record.h"

#include <string.h>

bool plx__record_append(struct plx__buffer *buffer, const struct plx__record *record,
                        const void *data, struct plx__pool *pool)
{
    uint8_t *place = plx__buffer_reserve(buffer, sizeof *record + record->size, pool);
    if (place == NULL) {
        return false;
    }
    memcpy(place, record, sizeof *record);
    if (record->size > 0) {
        memcpy(place + sizeof *record, data, record->size);
    }
    plx__buffer_commit(buffer, sizeof *record + record->size);
    return true;
}
