/* tests/filters/steps.c -- a filter that establishes in five steps. */
#include "config.h"

#include "tests/filters.h"
#include "tests/filters/turns.h"

#include <errno.h>
#include <string.h>

struct steps {
    size_t over;  /* turns */
    size_t moved; /* bytes of the message that is sent or received now */
    uint64_t until;
    bool asked, answered;
    char got[4];
};

static int steps_begin(plx_filter *filter)
{
    memset(plx_filter_state(filter), 0, sizeof(struct steps));
    return 0;
}

static int send_message(plx_filter *filter, const char *message)
{
    struct steps *own = plx_filter_state(filter);

    while (own->moved < strlen(message)) {
        ptrdiff_t count =
            plx_filter_lower_send(filter, message + own->moved, strlen(message) - own->moved);

        if (count < 0)
            return (int)-count;
        own->moved += (size_t)count;
    }
    own->moved = 0;
    return 0;
}

/* Receives no byte more: what follows belongs to the layer above. */
static int receive_message(plx_filter *filter, const char *message)
{
    struct steps *own = plx_filter_state(filter);
    size_t length = strlen(message);

    while (own->moved < length) {
        ptrdiff_t count =
            plx_filter_lower_receive(filter, own->got + own->moved, length - own->moved);

        if (count == 0)
            return plx_filter_fail(filter, PLX_LOST_CONNECTION, PLX_REASON_REMOTE_HOST_CLOSED,
                                   "steps: the end came while establishing");
        if (count < 0)
            return (int)-count;
        own->moved += (size_t)count;
    }
    own->moved = 0;
    if (memcmp(own->got, "aga", length) == 0)
        return ERESTART;
    return memcmp(own->got, message, length) == 0 ? 0 : EPROTO;
}

static int pause_a_moment(plx_filter *filter, const char *message)
{
    struct steps *own = plx_filter_state(filter);

    (void)message;
    if (own->until == 0)
        own->until = plx_clock_now() + 1000000;
    if (plx_clock_now() >= own->until)
        return 0;
    plx_filter_set_want(filter, PLX_WANT_NOTHING, 1);
    return EAGAIN;
}

static int ask_program(plx_filter *filter, const char *message)
{
    struct steps *own = plx_filter_state(filter);

    (void)message;
    if (own->answered)
        return 0;
    if (!own->asked)
        plx_filter_ask(filter);
    own->asked = true;
    plx_filter_set_want(filter, PLX_WANT_NOTHING, -1);
    return EAGAIN;
}

static void steps_ask(plx_filter *filter)
{
    struct steps *own = plx_filter_state(filter);

    own->answered = true;
}

static const struct turn turns[] = {
    {send_message, "hel"}, {receive_message, "hel"}, {pause_a_moment, NULL},
    {ask_program, NULL},   {send_message, "lo"},     {receive_message, "lo"},
};

static int steps_establish(plx_filter *filter)
{
    struct steps *own = plx_filter_state(filter);

    return turns_establish(filter, turns, sizeof turns / sizeof turns[0], &own->over);
}

const plx_filter_kind steps_filter = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct steps),
    .name = "steps",
    .begin = steps_begin,
    .establish = steps_establish,
    .ask = steps_ask,
};
