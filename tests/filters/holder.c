/* tests/filters/holder.c -- a filter that receives more than it is asked for. */
#include "config.h"

#include "tests/filters.h"

#include <string.h>

static ptrdiff_t holder_receive(plx_filter *filter, void *data, size_t size)
{
    struct holder *own = plx_filter_state(filter);

    if (own->size == 0) {
        ptrdiff_t count = plx_filter_lower_receive(filter, own->bytes, sizeof own->bytes);

        if (count <= 0)
            return count;
        own->size = (size_t)count;
    }
    size = size < own->size ? size : own->size;
    memcpy(data, own->bytes, size);
    own->size -= size;
    memmove(own->bytes, own->bytes + size, own->size);
    return (ptrdiff_t)size;
}

static bool holder_pending(const plx_filter *filter)
{
    const struct holder *own = plx_filter_state((plx_filter *)filter);

    return own->size > 0;
}

const plx_filter_kind holder_filter = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct holder),
    .name = "holder",
    .receive = holder_receive,
    .pending = holder_pending,
};
