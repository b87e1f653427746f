/* tests/fuzz/fuzz.h -- what the fuzzing targets share.
 *
 * A target is one function from bytes to a verdict: it returns 0, or it aborts after it has printed
 * what is not true. Most targets read their bytes as a program (struct tape): a byte chooses a
 * call, the next ones its arguments, and a model in the plainest way says what the call has to
 * return.
 *
 * Two drivers call the target. libFuzzer (`make fuzz`) invents inputs and keeps those that reach
 * new code. tests/fuzz/replay.c plays the kept inputs, corpus/NOUN.txt, as a test of `make
 * check`. */
#ifndef POLLUX_TESTS_FUZZ_H
#define POLLUX_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NEED aborts unless the condition is true, in every build. */
#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- the input as a tape --------------------------------------------------------------------- */

struct tape {
    const uint8_t *at;
    size_t left;
};

/* Returns the next byte; 0 at the end of the tape. */
static inline unsigned tape_byte(struct tape *tape)
{
    if (tape->left == 0) {
        return 0;
    }
    tape->left--;
    return *tape->at++;
}

/* Returns a size: mostly less than 200, seldom up to 29 000. */
static inline size_t tape_size(struct tape *tape)
{
    unsigned byte = tape_byte(tape);
    return byte < 200 ? byte : (size_t)(byte - 199) * 509 + tape_byte(tape);
}

/* Returns up to `size` bytes of the tape itself, and how many. */
static inline const uint8_t *tape_bytes(struct tape *tape, size_t size, size_t *ret_size)
{
    const uint8_t *bytes = tape->at;
    *ret_size = size < tape->left ? size : tape->left;
    if (*ret_size > 0) {
        tape->at += *ret_size;
        tape->left -= *ret_size;
    }
    return bytes;
}

/* Returns the rest of the tape as a string in a block of its own size, so that the address
 * sanitizer notices a read beyond the zero byte. The caller frees it. */
static inline char *tape_text(struct tape *tape)
{
    char *text = malloc(tape->left + 1);
    NEED(text != NULL);
    if (tape->left > 0) {
        memcpy(text, tape->at, tape->left);
    }
    text[tape->left] = '\0';
    tape->left = 0;
    return text;
}

/* ---- a model of bytes ------------------------------------------------------------------------ */

/* Bytes in order, with more moves than a buffer would like. Those that are added follow from their
 * number, so that a lost or doubled byte shows. */
struct bytes {
    uint8_t data[1 << 17];
    size_t size;
};

static inline bool bytes_fit(const struct bytes *bytes, size_t size)
{
    return size <= sizeof bytes->data - bytes->size;
}

static inline void bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    if (size > 0) {
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
    }
}

static inline void bytes_prepend(struct bytes *bytes, const void *data, size_t size)
{
    if (size > 0) {
        memmove(bytes->data + size, bytes->data, bytes->size);
        memcpy(bytes->data, data, size);
        bytes->size += size;
    }
}

static inline void bytes_drop(struct bytes *bytes, size_t size)
{
    memmove(bytes->data, bytes->data + size, bytes->size - size);
    bytes->size -= size;
}

static inline bool bytes_equal(const struct bytes *bytes, const void *data, size_t size)
{
    return bytes->size == size && (size == 0 || memcmp(bytes->data, data, size) == 0);
}

#endif
