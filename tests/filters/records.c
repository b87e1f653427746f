/* tests/filters/records.c -- a filter that sends records with a sum, and says goodbye. */
#include "config.h"

#include "tests/filters.h"
#include "tests/filters/inbox.h"
#include "tests/filters/outbox.h"

enum { HEAD = 4, MOST = OUTBOX - HEAD };

struct records {
    struct outbox out;
    struct inbox in;
    size_t handed; /* of the first record in `in` */
    bool has_ended, says_goodbye;
};

static int records_begin(plx_filter *filter)
{
    memset(plx_filter_state(filter), 0, sizeof(struct records));
    return 0;
}

static uint8_t sum(const uint8_t *bytes, size_t size)
{
    uint8_t total = 0;

    for (size_t i = 0; i < size; i++)
        total = (uint8_t)(total + bytes[i]);
    return total;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void put_record(struct outbox *out, uint8_t letter, const uint8_t *bytes, size_t size)
{
    const uint8_t head[HEAD] = {letter, (uint8_t)(size >> 8), (uint8_t)size, sum(bytes, size)};

    outbox_put(out, head, sizeof head);
    if (size > 0)
        outbox_put(out, bytes, size);
}

static ptrdiff_t records_send(plx_filter *filter, const void *data, size_t size)
{
    struct records *own = plx_filter_state(filter);

    if (own->out.count == 0) {
        own->out.count = (ptrdiff_t)(size < MOST ? size : MOST);
        put_record(&own->out, 'D', data, (size_t)own->out.count);
    }
    return outbox_send(filter, &own->out);
}

static int records_shutdown(plx_filter *filter)
{
    struct records *own = plx_filter_state(filter);

    if (!own->says_goodbye && outbox_room(&own->out) >= HEAD)
        put_record(&own->out, 'B', NULL, 0);
    own->says_goodbye = true;
    return (int)-outbox_flush(filter, &own->out);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static size_t length(const struct inbox *in)
{
    return (size_t)in->bytes[1] << 8 | in->bytes[2];
}

static bool has_record(const struct inbox *in)
{
    return in->size >= HEAD && in->size >= HEAD + length(in);
}

static bool is_sound(const struct inbox *in)
{
    return (in->bytes[0] == 'D' || in->bytes[0] == 'B') && length(in) <= MOST &&
           (in->size < HEAD + length(in) || sum(in->bytes + HEAD, length(in)) == in->bytes[3]);
}

static ptrdiff_t fail_end(plx_filter *filter)
{
    plx_filter_fail(filter, PLX_LOST_CONNECTION, PLX_REASON_REMOTE_HOST_CLOSED,
                    "records: the end came without a goodbye");
    return -EPIPE;
}

static ptrdiff_t fail_sum(plx_filter *filter)
{
    plx_filter_fail(filter, EPROTO, PLX_REASON_OPERATION, "records: a record is damaged");
    return -EPROTO;
}

static size_t hand_up(struct records *own, uint8_t *data, size_t size)
{
    size_t left = length(&own->in) - own->handed;
    size_t count = left < size ? left : size;

    memcpy(data, own->in.bytes + HEAD + own->handed, count);
    own->handed += count;
    if (own->handed == length(&own->in)) {
        own->has_ended = own->in.bytes[0] == 'B';
        inbox_drop(&own->in, HEAD + own->handed);
        own->handed = 0;
    }
    return count;
}

static ptrdiff_t records_receive(plx_filter *filter, void *data, size_t size)
{
    struct records *own = plx_filter_state(filter);
    size_t done = 0;

    while (done == 0 && !own->has_ended) {
        ptrdiff_t count = has_record(&own->in) ? 1 : inbox_fill(filter, &own->in);

        if (count == 0)
            return own->says_goodbye && own->in.size == 0 ? 0 : fail_end(filter);
        if (count < 0)
            return count;
        if (own->in.size >= HEAD && !is_sound(&own->in))
            return fail_sum(filter);
        if (has_record(&own->in))
            done = hand_up(own, data, size);
    }
    return (ptrdiff_t)done;
}

static bool records_pending(const plx_filter *filter)
{
    const struct records *own = plx_filter_state((plx_filter *)filter);

    return own->has_ended || has_record(&own->in);
}

const plx_filter_kind records_filter = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct records),
    .name = "records",
    .begin = records_begin,
    .receive = records_receive,
    .send = records_send,
    .pending = records_pending,
    .shutdown = records_shutdown,
};
