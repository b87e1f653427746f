/* tests/filters/steps.c -- a filter that establishes in five steps. */
#include "config.h"

#include "tests/filters.h"

#include <errno.h>
#include <string.h>

enum step { SEND_FIRST, RECEIVE_FIRST, PAUSE, ASK, SEND_LAST, RECEIVE_LAST, DONE };

struct steps {
    enum step step;
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

static int send_message(plx_filter *filter, struct steps *own, const char *message)
{
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
static int receive_message(plx_filter *filter, struct steps *own, const char *message)
{
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

static int pause_a_moment(plx_filter *filter, struct steps *own)
{
    if (own->until == 0)
        own->until = plx_clock_now() + 1000000;
    if (plx_clock_now() >= own->until)
        return 0;
    plx_filter_set_want(filter, PLX_WANT_NOTHING, 1);
    return EAGAIN;
}

static int ask_program(plx_filter *filter, struct steps *own)
{
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

static int do_step(plx_filter *filter, struct steps *own)
{
    switch (own->step) {
    case SEND_FIRST: return send_message(filter, own, "hel");
    case RECEIVE_FIRST: return receive_message(filter, own, "hel");
    case PAUSE: return pause_a_moment(filter, own);
    case ASK: return ask_program(filter, own);
    case SEND_LAST: return send_message(filter, own, "lo");
    case RECEIVE_LAST: return receive_message(filter, own, "lo");
    case DONE: break;
    }
    return 0;
}

static int steps_establish(plx_filter *filter)
{
    struct steps *own = plx_filter_state(filter);

    while (own->step < DONE) {
        int code = do_step(filter, own);

        if (code != 0)
            return code;
        own->step++;
    }
    return 0;
}

const plx_filter_kind steps_filter = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct steps),
    .name = "steps",
    .begin = steps_begin,
    .establish = steps_establish,
    .ask = steps_ask,
};
