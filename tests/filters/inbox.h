/* tests/filters/inbox.h -- what a filter of the tests has received and not handed up yet. */
#ifndef POLLUX_TESTS_INBOX_H
#define POLLUX_TESTS_INBOX_H

#include <errno.h>
#include <pollux.h>
#include <stdint.h>
#include <string.h>

enum { INBOX = 8192 };

struct inbox {
    uint8_t bytes[INBOX];
    size_t size;
};

/* Receives what there is. Returns a count, 0 for the end, or a negative errno. */
static inline ptrdiff_t inbox_fill(plx_filter *filter, struct inbox *box)
{
    ptrdiff_t count = plx_filter_lower_receive(filter, box->bytes + box->size, INBOX - box->size);

    box->size += count > 0 ? (size_t)count : 0;
    return count;
}

static inline void inbox_drop(struct inbox *box, size_t size)
{
    memmove(box->bytes, box->bytes + size, box->size - size);
    box->size -= size;
}

#endif
