/* tests/filters/hello.c -- a filter that greets, and then passes the bytes on. */
#include "config.h"

#include "tests/filters.h"
#include "tests/filters/inbox.h"
#include "tests/filters/turns.h"

enum { PIECE = 2 };

struct hello {
    size_t over; /* turns */
    size_t said; /* bytes of the word that is sent now */
    struct inbox in;
};

static int hello_begin(plx_filter *filter)
{
    memset(plx_filter_state(filter), 0, sizeof(struct hello));
    return 0;
}

/* ---- establishing ---------------------------------------------------------------------------- */

/* Sends one piece of a word: a call for each. */
static int say(plx_filter *filter, const char *word)
{
    struct hello *own = plx_filter_state(filter);
    size_t left = strlen(word) - own->said;
    ptrdiff_t count = plx_filter_lower_send(filter, word + own->said, left < PIECE ? left : PIECE);

    if (count < 0)
        return (int)-count;
    own->said += (size_t)count;
    if (own->said < strlen(word))
        return plx_filter_set_want(filter, PLX_WANT_WRITE, -1), EAGAIN;
    own->said = 0;
    return 0;
}

/* Receives what there is: bytes behind the word are kept for `receive`. */
static int hear(plx_filter *filter, const char *word)
{
    struct hello *own = plx_filter_state(filter);
    size_t length = strlen(word);

    while (own->in.size < length) {
        ptrdiff_t count = inbox_fill(filter, &own->in);

        if (count == 0)
            return plx_filter_fail(filter, PLX_LOST_CONNECTION, PLX_REASON_REMOTE_HOST_CLOSED,
                                   "hello: the end came inside the greeting");
        if (count < 0)
            return (int)-count;
    }
    if (memcmp(own->in.bytes, word, length) != 0)
        return EPROTO;
    inbox_drop(&own->in, length);
    return 0;
}

static const struct turn turns[] = {{say, "hel"}, {hear, "hel"}, {say, "lo"}, {hear, "lo"}};

static int hello_establish(plx_filter *filter)
{
    struct hello *own = plx_filter_state(filter);

    return turns_establish(filter, turns, sizeof turns / sizeof turns[0], &own->over);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static ptrdiff_t hello_receive(plx_filter *filter, void *data, size_t size)
{
    struct hello *own = plx_filter_state(filter);
    size_t count = own->in.size < size ? own->in.size : size;

    if (count == 0)
        return plx_filter_lower_receive(filter, data, size);
    memcpy(data, own->in.bytes, count);
    inbox_drop(&own->in, count);
    return (ptrdiff_t)count;
}

static ptrdiff_t hello_send(plx_filter *filter, const void *data, size_t size)
{
    return plx_filter_lower_send(filter, data, size);
}

static bool hello_pending(const plx_filter *filter)
{
    const struct hello *own = plx_filter_state((plx_filter *)filter);

    return own->in.size > 0;
}

const plx_filter_kind hello_filter = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct hello),
    .name = "hello",
    .begin = hello_begin,
    .establish = hello_establish,
    .receive = hello_receive,
    .send = hello_send,
    .pending = hello_pending,
};
