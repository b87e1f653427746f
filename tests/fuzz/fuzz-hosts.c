/* tests/fuzz/fuzz-hosts.c -- hosts files, held against a reader of one line after the other: long
 * lines across the blocks of the reader, short reads, and the filter of a long file.
 *
 * The input: a byte (the size of a read), a byte (whether the file counts as long), the name up to
 * a newline, then the file, in which a byte 1 to 31 other than white space repeats what was since
 * the last such byte, so that long files need no long input. */
#include "lib/os/address.h"
#include "lib/resolve/resolver.h"
#include "tests/fuzz/file.h"

#include <ctype.h>

enum { LONGEST = 150000, REPEATS = 400 };

static char text[LONGEST];

static bool is_repeat(char c)
{
    return c > 0 && c < ' ' && !isspace((unsigned char)c);
}

/* Writes the file; returns its size. */
static size_t unroll(const char *from, size_t length)
{
    size_t size = 0, start = 0;
    for (size_t i = 0; i < length; i++) {
        if (!is_repeat(from[i])) {
            text[size++] = from[i];
        }
        size_t piece = size - start;
        for (int left = is_repeat(from[i]) ? from[i] * from[i] % REPEATS : 0; left > 0; left--) {
            if (size + piece > LONGEST - length) {
                break;
            }
            memcpy(text + size, text + start, piece);
            size += piece;
        }
        start = is_repeat(from[i]) ? size : start;
    }
    return size;
}

/* ---- the model ------------------------------------------------------------------------------- */

static bool is_alike(const char *word, size_t length, const char *name)
{
    size_t i = 0;
    while (i < length && name[i] != '\0' &&
           tolower((unsigned char)word[i]) == tolower((unsigned char)name[i])) {
        i++;
    }
    return i == length && name[i] == '\0';
}

static size_t word_end(const char *line, size_t at, size_t size)
{
    while (at < size && strchr(" \t\r\f\v#", line[at] == '\0' ? 'x' : line[at]) == NULL) {
        at++;
    }
    return at;
}

static size_t word_start(const char *line, size_t at, size_t size)
{
    while (at < size && line[at] != '\0' && strchr(" \t\r\f\v", line[at]) != NULL) {
        at++;
    }
    return at;
}

/* Adds the address of a line if one of the line's names is the name. */
static void take_line(struct plx__query *query, const char *line, size_t size, const char *name)
{
    plx_address address;
    size_t first = word_start(line, 0, size), end = word_end(line, first, size);
    size_t at = end;
    for (;;) {
        at = word_start(line, at, size);
        if (at == size || line[at] == '#') {
            return;
        }
        size_t behind = word_end(line, at, size);
        if (is_alike(line + at, behind - at, name)) {
            break;
        }
        at = behind;
    }
    if (plx__address_parse_host(line + first, end - first, &address)) {
        plx__query_add(query, &address);
    }
}

static void expect(struct plx__query *query, size_t size, const char *name)
{
    size_t start = 0;
    while (start < size) {
        const char *newline = memchr(text + start, '\n', size - start);
        size_t length = newline == NULL ? size - start : (size_t)(newline - text) - start;
        take_line(query, text + start, length, name);
        start += length + 1;
    }
}

/* ---- the input ------------------------------------------------------------------------------- */

/* The name is one that may be looked up; returns whether it is. */
static bool cut_name(struct tape *tape, char ret_name[PLX__HOST_SIZE])
{
    struct plx__failure failure;
    char name[300];
    size_t length = 0;
    for (unsigned c = tape_byte(tape); c != '\n' && c != 0 && length < sizeof name - 1;) {
        name[length++] = (char)c;
        c = tape_byte(tape);
    }
    name[length] = '\0';
    return length > 0 && plx__host_prepare(name, ret_name, &failure);
}

static void need_same(const struct plx__query *is, const struct plx__query *wanted)
{
    NEED(is->count == wanted->count);
    for (size_t i = 0; i < is->count; i++) {
        NEED(plx_address_equal(&is->addresses[i], &wanted->addresses[i]));
    }
    NEED(is->is_listed == (is->count > 0) && file.opened == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t version;
    struct tape tape = {data, size};
    char name[PLX__HOST_SIZE];
    unsigned piece = tape_byte(&tape);
    bool is_long = tape_byte(&tape) % 2 == 1;
    if (!cut_name(&tape, name)) {
        return 0;
    }
    if (tape.left > 4096) {
        return 0;
    }
    size_t length = unroll((const char *)tape.at, tape.left);
    memset(&file, 0, sizeof file);
    file.path = "/etc/hosts";
    file.text = text;
    file.size = length;
    file.piece = piece < 128 ? SIZE_MAX : (size_t)(piece - 127) * 97;
    file.said_size = is_long ? 1 << 20 : length;
    file.version = ++version;
    struct plx__query wanted = {.family = 0};
    expect(&wanted, length, name);
    for (int i = 0; i < (is_long ? 3 : 1); i++) { /* the second time the filter is there */
        struct plx__query query = {.family = 0};
        plx__hosts_find(&query, name);
        need_same(&query, &wanted);
    }
    return 0;
}
