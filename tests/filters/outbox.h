/* tests/filters/outbox.h -- what a filter of the tests has made of bytes and not sent yet.
 *
 * A send may return a count only when the layer below has taken all that the bytes became. So the
 * outbox keeps both: the bytes to send, and the count to return then. */
#ifndef POLLUX_TESTS_OUTBOX_H
#define POLLUX_TESTS_OUTBOX_H

#include <pollux.h>
#include <stdint.h>
#include <string.h>

enum { OUTBOX = 4096 };

struct outbox {
    uint8_t bytes[OUTBOX];
    size_t size, sent;
    ptrdiff_t count; /* what a send returns once all is sent */
};

static inline size_t outbox_room(const struct outbox *box)
{
    return OUTBOX - box->size;
}

static inline void outbox_put(struct outbox *box, const void *data, size_t size)
{
    memcpy(box->bytes + box->size, data, size);
    box->size += size;
}

/* Sends all. Returns 0, or a negative errno such as -EAGAIN. */
static inline ptrdiff_t outbox_flush(plx_filter *filter, struct outbox *box)
{
    while (box->sent < box->size) {
        ptrdiff_t count =
            plx_filter_lower_send(filter, box->bytes + box->sent, box->size - box->sent);

        if (count < 0)
            return count;
        box->sent += (size_t)count;
    }
    box->size = box->sent = 0;
    return 0;
}

/* The same for a send, which returns the count of the bytes that are in the outbox. */
static inline ptrdiff_t outbox_send(plx_filter *filter, struct outbox *box)
{
    ptrdiff_t result = outbox_flush(filter, box);

    if (result < 0)
        return result;
    result = box->count;
    box->count = 0;
    return result;
}

#endif
