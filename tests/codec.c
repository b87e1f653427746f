/* tests/codec.c -- the formats of the filters, for raw peers. See codec.h. */
#include "config.h"

#include "tests/codec.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/filters.h"

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (bytes->room - bytes->size < size) {
        bytes->room = 2 * (bytes->size + size);
        bytes->data = realloc(bytes->data, bytes->room);
        ck_assert_ptr_nonnull(bytes->data);
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void bytes_drop(struct bytes *bytes, size_t size)
{
    if (size == 0)
        return;
    memmove(bytes->data, bytes->data + size, bytes->size - size);
    bytes->size -= size;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

/* ---- bits ------------------------------------------------------------------------------------ */

static void bits_encode(struct layer *layer, const uint8_t *data, size_t size, struct bytes *out)
{
    (void)layer;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(data[i] ^ 0xff);

        bytes_add(out, &byte, 1);
    }
}

static void bits_decode(struct layer *layer, struct bytes *out)
{
    bits_encode(layer, layer->in.data, layer->in.size, out);
    bytes_drop(&layer->in, layer->in.size);
}

const struct codec bits_codec = {.encode = bits_encode, .decode = bits_decode};

/* ---- mask: doc/adding-a-filter.md ------------------------------------------------------------ */

static void mask(const uint8_t *data, size_t size, size_t *count, struct bytes *out)
{
    for (size_t i = 0; i < size; i++, ++*count) {
        uint8_t byte = (uint8_t)(data[i] ^ (*count % 256 * 31 + 7));

        bytes_add(out, &byte, 1);
    }
}

static void mask_encode(struct layer *layer, const uint8_t *data, size_t size, struct bytes *out)
{
    mask(data, size, &layer->encoded, out);
}

static void mask_decode(struct layer *layer, struct bytes *out)
{
    mask(layer->in.data, layer->in.size, &layer->decoded, out);
    bytes_drop(&layer->in, layer->in.size);
}

const struct codec mask_codec = {.encode = mask_encode, .decode = mask_decode};

/* ---- blocks ---------------------------------------------------------------------------------- */

static void blocks_encode(struct layer *layer, const uint8_t *data, size_t size, struct bytes *out)
{
    (void)layer;
    for (size_t done = 0; done < size;) {
        uint8_t count = (uint8_t)(size - done >= 6 ? 6 : size - done);

        bytes_add(out, &count, 1);
        bytes_add(out, data + done, count);
        bytes_add(out, "\0\0\0\0\0\0", 6u - count);
        done += count;
    }
}

/* Each assertion of Check writes its line to a file, for a megabyte a million times. */
static bool is_block(const uint8_t *block)
{
    bool right = block[0] >= 1 && block[0] <= 6;

    for (int i = block[0] + 1; right && i < 7; i++)
        right = block[i] == 0;
    return right;
}

static void blocks_decode(struct layer *layer, struct bytes *out)
{
    size_t used = 0;

    for (; layer->in.size - used >= 7; used += 7) {
        const uint8_t *block = layer->in.data + used;

        if (!is_block(block))
            ck_abort_msg("a block that is none");
        bytes_add(out, block + 1, block[0]);
    }
    bytes_drop(&layer->in, used);
}

const struct codec blocks_codec = {.encode = blocks_encode, .decode = blocks_decode};

/* ---- records --------------------------------------------------------------------------------- */

static uint8_t sum_of(const uint8_t *data, size_t size)
{
    unsigned sum = 0;

    while (size > 0)
        sum += data[--size];
    return (uint8_t)(sum & 0xff);
}

static void records_encode(struct layer *layer, const uint8_t *data, size_t size, struct bytes *out)
{
    (void)layer;
    for (size_t done = 0; done < size;) {
        size_t count = size - done < 1000 ? size - done : 1000;
        uint8_t head[4] = {'D', (uint8_t)(count / 256), (uint8_t)(count % 256),
                           sum_of(data + done, count)};

        bytes_add(out, head, 4);
        bytes_add(out, data + done, count);
        done += count;
    }
}

static void records_decode(struct layer *layer, struct bytes *out)
{
    while (layer->in.size >= 4) {
        const uint8_t *record = layer->in.data;
        size_t size = record[1] * 256u + record[2];

        ck_assert(record[0] == 'D' || (record[0] == 'B' && size == 0));
        if (layer->in.size < 4 + size)
            return;
        ck_assert_uint_eq(sum_of(record + 4, size), record[3]);
        bytes_add(out, record + 4, size);
        bytes_drop(&layer->in, 4 + size);
    }
}

static void records_end(struct layer *layer, struct bytes *out)
{
    (void)layer;
    bytes_add(out, "B\0\0\0", 4);
}

const struct codec records_codec = {
    .encode = records_encode, .decode = records_decode, .end = records_end};

/* ---- order ----------------------------------------------------------------------------------- */

static void order_begin(struct layer *layer, struct bytes *out)
{
    (void)out;
    layer->may_send = ORDER_WINDOW;
}

static void add_frame(struct bytes *out, char letter, size_t number)
{
    uint8_t head[4] = {(uint8_t)letter, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                       (uint8_t)number};

    bytes_add(out, head, 4);
}

static void order_encode(struct layer *layer, const uint8_t *data, size_t size, struct bytes *out)
{
    layer->may_send -= layer->may_send_all ? 0 : size;
    add_frame(out, 'D', size);
    bytes_add(out, data, size);
}

static void order_decode(struct layer *layer, struct bytes *out)
{
    while (layer->in.size >= 4) {
        const uint8_t *frame = layer->in.data;
        size_t number = frame[1] * 65536u + frame[2] * 256u + frame[3];
        size_t size = 4 + (frame[0] == 'D' ? number : 0);

        ck_assert(frame[0] == 'D' || frame[0] == 'C' || frame[0] == 'E');
        if (layer->in.size < size)
            return;
        layer->may_send += frame[0] == 'C' ? number : 0;
        layer->may_send_all = layer->may_send_all || frame[0] == 'E';
        bytes_add(out, frame + 4, size - 4);
        bytes_drop(&layer->in, size);
    }
}

static void order_end(struct layer *layer, struct bytes *out)
{
    (void)layer;
    add_frame(out, 'E', 0);
}

static size_t order_room(const struct layer *layer)
{
    return layer->may_send_all ? SIZE_MAX : layer->may_send;
}

static void order_heard(struct layer *layer, size_t size, struct bytes *out)
{
    layer->owed += size;
    if (layer->owed < ORDER_CREDIT)
        return;
    add_frame(out, 'C', layer->owed);
    layer->owed = 0;
}

const struct codec order_codec = {
    .begin = order_begin,
    .encode = order_encode,
    .decode = order_decode,
    .end = order_end,
    .room = order_room,
    .heard = order_heard,
};

/* ---- hello ----------------------------------------------------------------------------------- */

static const char hello[] = "hello";
enum { HELLO = 5, HELLO_WORD = 3, HELLO_ROOM = 1 << 20 };

static void hello_begin(struct layer *layer, struct bytes *out)
{
    bytes_add(out, hello, HELLO);
    layer->encoded = HELLO;
}

static void hello_encode(struct layer *layer, const uint8_t *data, size_t size, struct bytes *out)
{
    bytes_add(layer->encoded < HELLO ? &layer->held : out, data, size);
}

static void hello_decode(struct layer *layer, struct bytes *out)
{
    size_t left = HELLO - layer->decoded;
    size_t size = layer->in.size < left ? layer->in.size : left;

    for (size_t i = 0; i < size; i++)
        ck_assert_int_eq(layer->in.data[i], hello[layer->decoded + i]);
    layer->decoded += size;
    bytes_drop(&layer->in, size);
    bytes_add(out, layer->in.data, layer->in.size);
    bytes_drop(&layer->in, layer->in.size);
}

static size_t hello_greets(const struct layer *layer)
{
    return HELLO - layer->decoded;
}

static size_t hello_room(const struct layer *layer)
{
    return layer->encoded < HELLO ? HELLO_ROOM - layer->held.size : SIZE_MAX;
}

static void hello_answer(struct layer *layer, struct bytes *out)
{
    size_t count = layer->decoded < HELLO_WORD ? 0 : layer->decoded < HELLO ? HELLO_WORD : HELLO;

    if (count == layer->encoded)
        return;
    bytes_add(out, hello + layer->encoded, count - layer->encoded);
    layer->encoded = count;
    if (count < HELLO)
        return;
    bytes_add(out, layer->held.data, layer->held.size);
    bytes_free(&layer->held);
}

const struct codec hello_codec = {
    .begin = hello_begin, .encode = hello_encode, .decode = hello_decode};

const struct codec hello_back_codec = {
    .encode = hello_encode,
    .decode = hello_decode,
    .room = hello_room,
    .greets = hello_greets,
    .answer = hello_answer,
};
