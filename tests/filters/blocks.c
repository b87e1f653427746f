/* tests/filters/blocks.c -- a filter that sends blocks of 7 bytes. */
#include "config.h"

#include "tests/filters.h"
#include "tests/filters/inbox.h"
#include "tests/filters/outbox.h"

enum { BLOCK = 7, MOST = BLOCK - 1 };

struct blocks {
    struct outbox out;
    struct inbox in;
    size_t handed; /* of the first block in `in` */
};

static int blocks_begin(plx_filter *filter)
{
    memset(plx_filter_state(filter), 0, sizeof(struct blocks));
    return 0;
}

/* ---- sending --------------------------------------------------------------------------------- */

static ptrdiff_t blocks_send(plx_filter *filter, const void *data, size_t size)
{
    struct blocks *own = plx_filter_state(filter);
    const uint8_t *bytes = data;
    size_t done = 0;

    while (own->out.count == 0 && done < size && outbox_room(&own->out) >= BLOCK) {
        uint8_t block[BLOCK] = {0};

        block[0] = (uint8_t)(size - done < MOST ? size - done : MOST);
        memcpy(block + 1, bytes + done, block[0]);
        outbox_put(&own->out, block, sizeof block);
        done += block[0];
    }
    own->out.count += (ptrdiff_t)done;
    return outbox_send(filter, &own->out);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* Hands up bytes of one block, and sets *ret_count to how many. Returns whether the block is used
 * up. */
static bool hand_up(struct blocks *own, const uint8_t *block, uint8_t *data, size_t size,
                    size_t *ret_count)
{
    size_t left = block[0] - own->handed;
    size_t count = left < size ? left : size;

    memcpy(data, block + 1 + own->handed, count);
    *ret_count = count;
    own->handed = count == left ? 0 : own->handed + count;
    return count == left;
}

/* Hands up bytes of all blocks. Returns how many, or a negative errno. */
static ptrdiff_t hand_up_all(struct blocks *own, uint8_t *data, size_t size)
{
    size_t used = 0, done = 0, count;

    while (own->in.size - used >= BLOCK && done < size) {
        const uint8_t *block = own->in.bytes + used;

        if (block[0] == 0 || block[0] > MOST)
            return -EPROTO;
        used += hand_up(own, block, data + done, size - done, &count) ? BLOCK : 0;
        done += count;
    }
    inbox_drop(&own->in, used);
    return (ptrdiff_t)done;
}

static ptrdiff_t fail_end(plx_filter *filter)
{
    plx_filter_fail(filter, PLX_LOST_CONNECTION, PLX_REASON_REMOTE_HOST_CLOSED,
                    "blocks: the end came inside a block");
    return -EPIPE;
}

static ptrdiff_t blocks_receive(plx_filter *filter, void *data, size_t size)
{
    struct blocks *own = plx_filter_state(filter);

    while (own->in.size < BLOCK) {
        ptrdiff_t count = inbox_fill(filter, &own->in);

        if (count == 0 && own->in.size > 0)
            return fail_end(filter);
        if (count <= 0)
            return count;
    }
    return hand_up_all(own, data, size);
}

static bool blocks_pending(const plx_filter *filter)
{
    const struct blocks *own = plx_filter_state((plx_filter *)filter);

    return own->in.size >= BLOCK;
}

const plx_filter_kind blocks_filter = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct blocks),
    .name = "blocks",
    .begin = blocks_begin,
    .receive = blocks_receive,
    .send = blocks_send,
    .pending = blocks_pending,
};
