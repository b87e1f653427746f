/* tests/speaker.c -- how the raw peers of filtered rows speak. See speaker.h. */
#include "config.h"

#include "tests/speaker.h"

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/plain.h"

enum { LAYERS = 3, PIECE = 4096 };

enum speaker_state { SPEAKS, ENDS, HAS_ENDED, IS_GONE };

struct speaker {
    struct layer layers[LAYERS]; /* the bottom one first */
    int count;
    struct bytes out, heard;
    enum speaker_state state;
    ptrdiff_t over; /* how the input ended inside a greeting, RAW_NOTHING: it has not */
};

/* A peer that was made elsewhere begins when it speaks. */
static struct speaker *speaker_of(struct raw *raw)
{
    if (raw->state == NULL)
        raw->kind->begin(raw, false);
    return raw->state;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Hands bytes to the layer with that number; -1 is the kernel. */
static void pass_down(struct speaker *speaker, int number, const struct bytes *bytes)
{
    struct bytes below = {0};

    if (bytes->size == 0)
        return;
    if (number < 0) {
        bytes_add(&speaker->out, bytes->data, bytes->size);
        return;
    }
    speaker->layers[number].codec->encode(&speaker->layers[number], bytes->data, bytes->size,
                                          &below);
    pass_down(speaker, number - 1, &below);
    bytes_free(&below);
}

/* How many bytes of a greeting are still to be heard. */
static size_t greets(const struct speaker *speaker)
{
    const struct layer *bottom = &speaker->layers[0];

    return bottom->codec->greets == NULL ? 0 : bottom->codec->greets(bottom);
}

static void flush(struct raw *raw)
{
    struct speaker *speaker = raw->state;

    while (speaker->out.size > 0) {
        ptrdiff_t sent = plain_say(raw, speaker->out.data, speaker->out.size);

        if (sent == 0)
            return;
        if (sent < 0) {
            speaker->state = IS_GONE;
            sent = (ptrdiff_t)speaker->out.size;
        }
        bytes_drop(&speaker->out, (size_t)sent);
    }
    if (speaker->state == ENDS && greets(speaker) == 0) {
        plain_end(raw);
        speaker->state = HAS_ENDED;
    }
}

/* ---- both ways ------------------------------------------------------------------------------- */

static void pass_up(struct speaker *speaker, int number, const uint8_t *data, size_t size)
{
    struct layer *layer = &speaker->layers[number];
    struct bytes above = {0}, answer = {0};

    if (number == speaker->count) {
        bytes_add(&speaker->heard, data, size);
        return;
    }
    bytes_add(&layer->in, data, size);
    layer->codec->decode(layer, &above);
    if (layer->codec->answer != NULL)
        layer->codec->answer(layer, &answer);
    pass_down(speaker, number - 1, &answer);
    pass_up(speaker, number + 1, above.data, above.size);
    bytes_free(&above);
    bytes_free(&answer);
}

/* Hears the rest of a greeting and no byte more, and sends what waits. */
static void go_on(struct raw *raw)
{
    struct speaker *speaker = raw->state;
    uint8_t piece[PIECE];
    size_t left;

    while (speaker->over == RAW_NOTHING && (left = greets(speaker)) > 0) {
        ptrdiff_t got = plain_hear(raw, piece, left);

        if (got == RAW_NOTHING)
            break;
        if (got > 0)
            pass_up(speaker, 0, piece, (size_t)got);
        else
            speaker->over = got;
    }
    flush(raw);
}

ptrdiff_t speaker_say(struct raw *raw, const void *data, size_t size)
{
    struct speaker *speaker = speaker_of(raw);
    struct layer *top = &speaker->layers[speaker->count - 1];
    size_t most = top->codec->room == NULL ? PIECE : top->codec->room(top);
    struct bytes bytes = {(uint8_t *)data, size < most ? size : most, 0};

    go_on(raw);
    if (speaker->state != SPEAKS)
        return -1;
    if (speaker->out.size > 0)
        return 0;
    bytes.size = bytes.size < PIECE ? bytes.size : PIECE;
    pass_down(speaker, speaker->count - 1, &bytes);
    flush(raw);
    return speaker->state == SPEAKS ? (ptrdiff_t)bytes.size : -1;
}

void speaker_turn(struct raw *raw)
{
    go_on(raw);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void acknowledge(struct raw *raw, size_t size)
{
    struct speaker *speaker = raw->state;
    struct layer *top = &speaker->layers[speaker->count - 1];
    struct bytes owed = {0};

    if (top->codec->heard != NULL && speaker->state == SPEAKS)
        top->codec->heard(top, size, &owed);
    pass_down(speaker, speaker->count - 2, &owed);
    bytes_free(&owed);
    flush(raw);
}

ptrdiff_t speaker_hear(struct raw *raw, void *data, size_t size)
{
    struct speaker *speaker = speaker_of(raw);
    uint8_t piece[PIECE];

    go_on(raw);
    while (speaker->heard.size == 0) {
        ptrdiff_t got =
            speaker->over == RAW_NOTHING ? plain_hear(raw, piece, sizeof piece) : speaker->over;

        if (got <= 0)
            return got;
        pass_up(speaker, 0, piece, (size_t)got);
    }
    size = size < speaker->heard.size ? size : speaker->heard.size;
    memcpy(data, speaker->heard.data, size);
    bytes_drop(&speaker->heard, size);
    acknowledge(raw, size);
    return (ptrdiff_t)size;
}

/* ---- beginning and ending -------------------------------------------------------------------- */

static void add_layer(struct speaker *speaker, const struct codec *codec)
{
    struct layer *layer = &speaker->layers[speaker->count];
    struct bytes greeting = {0};

    ck_assert_int_lt(speaker->count, LAYERS);
    layer->codec = codec;
    if (codec->begin != NULL)
        codec->begin(layer, &greeting);
    pass_down(speaker, speaker->count - 1, &greeting);
    bytes_free(&greeting);
    speaker->count++;
}

void speaker_begin(struct raw *raw, const struct codec *bottom, ...)
{
    struct speaker *speaker = calloc(1, sizeof *speaker);
    va_list codecs;

    ck_assert_ptr_nonnull(speaker);
    va_start(codecs, bottom);
    for (; bottom != NULL; bottom = va_arg(codecs, const struct codec *))
        add_layer(speaker, bottom);
    va_end(codecs);
    speaker->over = RAW_NOTHING;
    raw->state = speaker;
    flush(raw);
}

void speaker_end(struct raw *raw)
{
    struct speaker *speaker = speaker_of(raw);

    for (int i = speaker->count - 1; i >= 0 && speaker->state == SPEAKS; i--) {
        struct bytes goodbye = {0};

        if (speaker->layers[i].codec->end != NULL)
            speaker->layers[i].codec->end(&speaker->layers[i], &goodbye);
        pass_down(speaker, i - 1, &goodbye);
        bytes_free(&goodbye);
    }
    if (speaker->state == SPEAKS)
        speaker->state = ENDS;
    go_on(raw);
}

/* An orderly close says goodbye, if the kernel accepts the goodbye. */
void speaker_close(struct raw *raw)
{
    if (raw->state != NULL)
        speaker_end(raw);
    plain_close(raw);
}

void speaker_forget(struct raw *raw)
{
    struct speaker *speaker = raw->state;

    if (speaker == NULL)
        return;
    for (int i = 0; i < speaker->count; i++) {
        bytes_free(&speaker->layers[i].in);
        bytes_free(&speaker->layers[i].held);
    }
    bytes_free(&speaker->out);
    bytes_free(&speaker->heard);
    free(speaker);
}
