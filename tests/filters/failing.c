/* tests/filters/failing.c -- a filter that fails at a step. */
#include "config.h"

#include "tests/filters.h"

#include <errno.h>

/* The code of a step that fails; 0: this step does not. */
static int fail_at(plx_filter *filter, enum failing_step step)
{
    const struct failing *own = plx_filter_state(filter);

    if (own->step != step)
        return 0;
    if (own->records)
        plx_filter_fail(filter, PLX_LOST_CONNECTION, PLX_REASON_TLS_INTERNAL, "failing: step %d",
                        (int)step);
    return EPROTO;
}

static int failing_begin(plx_filter *filter)
{
    return fail_at(filter, FAILS_IN_BEGIN);
}

static int failing_establish(plx_filter *filter)
{
    return fail_at(filter, FAILS_IN_ESTABLISH);
}

static ptrdiff_t failing_receive(plx_filter *filter, void *data, size_t size)
{
    ptrdiff_t count = plx_filter_lower_receive(filter, data, size);
    int code = count > 0 ? fail_at(filter, FAILS_IN_RECEIVE) : 0;

    return code != 0 ? -code : count;
}

static ptrdiff_t failing_send(plx_filter *filter, const void *data, size_t size)
{
    int code = fail_at(filter, FAILS_IN_SEND);

    return code != 0 ? -code : plx_filter_lower_send(filter, data, size);
}

static int failing_shutdown(plx_filter *filter)
{
    return fail_at(filter, FAILS_IN_SHUTDOWN);
}

const plx_filter_kind failing_filter = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct failing),
    .name = "failing",
    .begin = failing_begin,
    .establish = failing_establish,
    .receive = failing_receive,
    .send = failing_send,
    .shutdown = failing_shutdown,
};
