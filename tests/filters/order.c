/* tests/filters/order.c -- a filter that must receive in order to send, and the reverse. */
#include "config.h"

#include "tests/filters.h"
#include "tests/filters/inbox.h"
#include "tests/filters/outbox.h"

enum { HEAD = 4, MOST = OUTBOX - 2 * HEAD };

struct order {
    struct outbox out;
    struct inbox in;
    uint8_t *kept; /* bytes for the program, which a send has received */
    size_t kept_size, kept_room;
    size_t coming; /* bytes of the present frame that are still to arrive */
    size_t may_send, owed;
    bool may_send_all, has_ended, says_goodbye;
};

static int order_begin(plx_filter *filter)
{
    struct order *own = plx_filter_state(filter);
    uint8_t *kept = own->kept;
    size_t room = own->kept_room;

    memset(own, 0, sizeof *own);
    own->kept = kept;
    own->kept_room = room;
    own->may_send = ORDER_WINDOW;
    return 0;
}

static void put_frame(struct outbox *out, uint8_t letter, size_t number)
{
    const uint8_t head[HEAD] = {letter, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                                (uint8_t)number};

    outbox_put(out, head, sizeof head);
}

/* ---- what arrives ---------------------------------------------------------------------------- */

static bool keep(struct order *own, const uint8_t *bytes, size_t size)
{
    if (own->kept_room - own->kept_size < size) {
        size_t room = own->kept_size + size + 4096;
        uint8_t *kept = plx_memory_resize(own->kept, room);

        if (kept == NULL)
            return false;
        own->kept = kept;
        own->kept_room = room;
    }
    memcpy(own->kept + own->kept_size, bytes, size);
    own->kept_size += size;
    return true;
}

/* Reads the head of a frame. False: there is no such frame. */
static bool read_head(struct order *own)
{
    const uint8_t *head = own->in.bytes;
    size_t number = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];

    if (head[0] == 'D')
        own->coming = number;
    else if (head[0] == 'C')
        own->may_send += number;
    else if (head[0] == 'E')
        own->may_send_all = own->has_ended = true;
    else
        return false;
    inbox_drop(&own->in, HEAD);
    return true;
}

/* Reads what has arrived. Returns 1, 0 at the end, or a negative errno. */
static ptrdiff_t read_frames(plx_filter *filter, struct order *own)
{
    ptrdiff_t count = own->has_ended ? 0 : inbox_fill(filter, &own->in);

    own->has_ended = own->has_ended || count == 0;
    if (count <= 0)
        return count;
    while (own->in.size > 0 && (own->coming > 0 || own->in.size >= HEAD)) {
        size_t piece = own->coming < own->in.size ? own->coming : own->in.size;

        if (own->coming == 0 && !read_head(own))
            return -EPROTO;
        if (piece == 0)
            continue;
        if (!keep(own, own->in.bytes, piece))
            return -ENOMEM;
        inbox_drop(&own->in, piece);
        own->coming -= piece;
    }
    return 1;
}

/* ---- sending --------------------------------------------------------------------------------- */

static ptrdiff_t order_send(plx_filter *filter, const void *data, size_t size)
{
    struct order *own = plx_filter_state(filter);

    while (own->out.count == 0 && own->may_send == 0 && !own->may_send_all) {
        ptrdiff_t result = read_frames(filter, own);

        if (result < 0)
            return result;
        if (result == 0)
            own->may_send_all = true; /* the kernel says what becomes of the bytes */
    }
    if (own->out.count == 0) {
        size_t most = own->may_send_all || own->may_send > MOST ? MOST : own->may_send;
        size_t count = size < most ? size : most;
        ptrdiff_t result =
            outbox_room(&own->out) < HEAD + count ? outbox_flush(filter, &own->out) : 0;

        if (result < 0)
            return result;
        own->may_send -= own->may_send_all ? 0 : count;
        put_frame(&own->out, 'D', count);
        outbox_put(&own->out, data, count);
        own->out.count = (ptrdiff_t)count;
    }
    return outbox_send(filter, &own->out);
}

static int order_shutdown(plx_filter *filter)
{
    struct order *own = plx_filter_state(filter);

    if (!own->says_goodbye && outbox_room(&own->out) >= HEAD)
        put_frame(&own->out, 'E', 0);
    own->says_goodbye = true;
    return (int)-outbox_flush(filter, &own->out);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* Sends the permissions for what was handed up, and those that the last call could not send.
 * Returns 0 or a negative errno. If the connection is lost, the bytes that have arrived are handed
 * up all the same. */
static ptrdiff_t permit(plx_filter *filter, struct order *own)
{
    if (own->says_goodbye || own->has_ended || own->owed < ORDER_CREDIT)
        return own->out.count == 0 ? outbox_flush(filter, &own->out) : 0;
    if (outbox_room(&own->out) < HEAD) {
        ptrdiff_t result = outbox_flush(filter, &own->out);

        if (result < 0)
            return result;
    }
    put_frame(&own->out, 'C', own->owed);
    own->owed = 0;
    return outbox_flush(filter, &own->out);
}

/* It does not wait until a permission has left: when the kernel's buffers are full both ways, that
 * would be a deadlock. */
static ptrdiff_t order_receive(plx_filter *filter, void *data, size_t size)
{
    struct order *own = plx_filter_state(filter);
    ptrdiff_t result = 1;
    size_t count;

    while (own->kept_size == 0 && result > 0)
        result = read_frames(filter, own);
    permit(filter, own);
    if (own->kept_size == 0)
        return result;
    count = own->kept_size < size ? own->kept_size : size;
    memcpy(data, own->kept, count);
    memmove(own->kept, own->kept + count, own->kept_size - count);
    own->kept_size -= count;
    own->owed += count;
    return (ptrdiff_t)count;
}

static bool order_pending(const plx_filter *filter)
{
    const struct order *own = plx_filter_state((plx_filter *)filter);

    return own->kept_size > 0 || own->has_ended;
}

static void order_forget(plx_filter *filter)
{
    struct order *own = plx_filter_state(filter);

    plx_memory_resize(own->kept, 0);
}

const plx_filter_kind order_filter = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct order),
    .name = "order",
    .begin = order_begin,
    .receive = order_receive,
    .send = order_send,
    .pending = order_pending,
    .shutdown = order_shutdown,
    .forget = order_forget,
};
