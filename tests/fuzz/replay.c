/* tests/fuzz/replay.c -- plays the corpus of a target, without a fuzzer.
 *
 *     fuzz-NOUN                     plays tests/fuzz/corpus/NOUN.txt
 *     fuzz-NOUN FILE...             plays the bytes of each file, as a fuzzer leaves them
 *     fuzz-NOUN --lines FILE...     plays each line of the files
 *     fuzz-NOUN --unpack FILE DIR   writes each line of the file into a file of its own
 *     fuzz-NOUN --pack FILE...      prints each file as a line
 *
 * A line is one input: printable characters, and \n, \\ or \xhh for the others. A line that begins
 * with '#' is a comment, an empty line is none. POLLUX_FUZZ_VERBOSE prints each line before it is
 * played. */
#include "tests/fuzz/fuzz.h"

#include <ctype.h>
#include <unistd.h>

/* An input that takes longer than this number of seconds has found an endless loop. */
enum { LIMIT = 60 };

static int played;

static void play(const uint8_t *data, size_t size)
{
    /* A block of its own size shows a read beyond the input. */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    NEED(copy != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    alarm(LIMIT);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    played++;
}

static FILE *open_file(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

/* Returns the bytes of a whole file, which the caller frees. */
static uint8_t *read_whole(const char *path, size_t *ret_size)
{
    size_t room = 1 << 16, size = 0, count;
    uint8_t *data = malloc(room);
    FILE *file = open_file(path, "rb");
    while (data != NULL && (count = fread(data + size, 1, room - size, file)) > 0) {
        size += count;
        if (size == room) {
            room *= 2;
            data = realloc(data, room);
        }
    }
    NEED(data != NULL);
    fclose(file);
    *ret_size = size;
    return data;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static unsigned digit_of(char c)
{
    return isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* Decodes a line in place and returns how many bytes it is. */
static size_t decode(char *line)
{
    size_t size = 0;
    for (const char *at = line; *at != '\0'; at++) {
        char c = *at;
        if (c == '\\' && at[1] == 'x' && isxdigit((unsigned char)at[2]) &&
            isxdigit((unsigned char)at[3])) {
            c = (char)(digit_of(at[2]) << 4 | digit_of(at[3]));
            at += 3;
        } else if (c == '\\' && at[1] != '\0') {
            at++;
            c = *at == 'n' ? '\n' : *at;
        }
        line[size++] = c;
    }
    return size;
}

static void encode(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\\' || data[i] == '\n') {
            printf("\\%c", data[i] == '\n' ? 'n' : '\\');
        } else if (data[i] < ' ' || data[i] > '~' || (data[i] == '#' && i == 0)) {
            printf("\\x%02x", data[i]);
        } else {
            putchar(data[i]);
        }
    }
    putchar('\n');
}

/* Calls `each` for the bytes of every line. */
static void for_lines(const char *path, void (*each)(const uint8_t *data, size_t size))
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    FILE *file = open_file(path, "r");
    bool verbose = getenv("POLLUX_FUZZ_VERBOSE") != NULL;
    while ((length = getline(&line, &room, file)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (verbose) {
            fprintf(stderr, "%s\n", line);
        }
        if (line[0] != '#' && line[0] != '\0') {
            size_t size = decode(line);
            each((uint8_t *)line, size);
        }
    }
    free(line);
    fclose(file);
}

/* ---- the calls ------------------------------------------------------------------------------- */

static const char *folder;
static int unpacked;

static void unpack(const uint8_t *data, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%04d", folder, unpacked++);
    FILE *file = open_file(path, "wb");
    NEED(fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void for_files(char **paths, void (*each)(const uint8_t *data, size_t size))
{
    for (; *paths != NULL; paths++) {
        size_t size;
        uint8_t *data = read_whole(*paths, &size);
        each(data, size);
        free(data);
    }
}

static void play_corpus(const char *program)
{
    char path[4096];
    const char *srcdir = getenv("srcdir");
    const char *name = strrchr(program, '/');
    name = strstr(name == NULL ? program : name, "fuzz-");
    NEED(name != NULL);
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s.txt", srcdir == NULL ? ".." : srcdir,
             name + strlen("fuzz-"));
    for_lines(path, play);
    NEED(played > 0);
}

int main(int count, char **arguments)
{
    const char *call = count > 1 ? arguments[1] : "";
    if (strcmp(call, "--pack") == 0) {
        for_files(arguments + 2, encode);
        return 0;
    }
    if (strcmp(call, "--unpack") == 0 && count == 4) {
        folder = arguments[3];
        for_lines(arguments[2], unpack);
        return 0;
    }
    if (strcmp(call, "--lines") == 0) {
        for (char **path = arguments + 2; *path != NULL; path++) {
            for_lines(*path, play);
        }
    } else if (count > 1) {
        for_files(arguments + 1, play);
    } else {
        play_corpus(arguments[0]);
    }
    printf("100%%: Checks: %d, Failures: 0, Errors: 0\n", played);
    return 0;
}
