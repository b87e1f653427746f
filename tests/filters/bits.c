/* tests/filters/bits.c -- a filter that turns all bits of each byte. */
#include "config.h"

#include "tests/filters.h"

static ptrdiff_t bits_receive(plx_filter *filter, void *data, size_t size)
{
    uint8_t *bytes = data;
    ptrdiff_t count = plx_filter_lower_receive(filter, data, size);

    for (ptrdiff_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)~bytes[i];
    return count;
}

static ptrdiff_t bits_send(plx_filter *filter, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint8_t turned[4096];
    size_t count = size < sizeof turned ? size : sizeof turned;

    for (size_t i = 0; i < count; i++)
        turned[i] = (uint8_t)~bytes[i];
    return plx_filter_lower_send(filter, turned, count);
}

const plx_filter_kind bits_filter = {
    .size = sizeof(plx_filter_kind),
    .name = "bits",
    .receive = bits_receive,
    .send = bits_send,
};
