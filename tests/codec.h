/* tests/codec.h -- the formats of the filters (filters.h) as raw peers speak them, written
 * without the filters' code. */
#ifndef POLLUX_TESTS_CODEC_H
#define POLLUX_TESTS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow. {0} is empty. */
struct bytes {
    uint8_t *data;
    size_t size, room;
};

void bytes_add(struct bytes *bytes, const void *data, size_t size);
void bytes_drop(struct bytes *bytes, size_t size); /* from the front */
void bytes_free(struct bytes *bytes);

/* One format of one peer. */
struct layer {
    const struct codec *codec;
    struct bytes in; /* received from below, and not understood yet */
    bool may_send_all;
    size_t may_send, owed;
    size_t encoded, decoded; /* bytes so far, for a format that counts them */
    struct bytes held;       /* what is to be sent behind a greeting that goes on */
};

struct codec {
    /* Adds what is sent before all other bytes; NULL: nothing. */
    void (*begin)(struct layer *layer, struct bytes *out);
    void (*encode)(struct layer *layer, const uint8_t *data, size_t size, struct bytes *out);
    /* Understands what is complete in layer->in, and adds it. */
    void (*decode)(struct layer *layer, struct bytes *out);
    /* Adds the goodbye; NULL: none. */
    void (*end)(struct layer *layer, struct bytes *out);
    /* How many bytes may be encoded now; NULL: as many as wanted. */
    size_t (*room)(const struct layer *layer);
    /* The peer has heard that number of bytes: adds what it owes for them; NULL: nothing. */
    void (*heard)(struct layer *layer, size_t size, struct bytes *out);
    /* How many bytes the peer of the bottom layer has to hear before its own can leave, whether
     * anybody wants to hear or not; NULL: none. */
    size_t (*greets)(const struct layer *layer);
    /* Adds what answers the decoded bytes at once; NULL: nothing. */
    void (*answer)(struct layer *layer, struct bytes *out);
};

extern const struct codec bits_codec, mask_codec, blocks_codec, records_codec, order_codec;

/* The two sides of a greeting. One says all of it at once and does not wait, the other says each
 * word when it has heard that word, and says nothing else before. */
extern const struct codec hello_codec, hello_back_codec;

#endif
