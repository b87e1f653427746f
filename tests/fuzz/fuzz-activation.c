/* tests/fuzz/fuzz-activation.c -- LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, held against a plain
 * reading of sd_listen_fds(3). The descriptors are imaginary: a fuzzer has files of its own.
 *
 * The input: a byte for each of 16 descriptors from 3 on (free, taken, passed), then the four
 * strings: LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES and the name that is asked for, a zero byte
 * between them. A string that begins with '-' is a variable that is not set, or any name. */
#include "lib/os/activation.h"
#include "lib/os/os.h"
#include "tests/fuzz/fuzz.h"

#include <ctype.h>

enum { FIRST = 3, DESCRIPTORS = 16, PROCESS = 4711 };

static int flags[DESCRIPTORS]; /* -9 (EBADF), 1: close-on-exec, 0: passed */

int __wrap_plx__os_is_close_on_exec(plx__fd descriptor);
int __wrap_plx__os_process(void);

int __wrap_plx__os_is_close_on_exec(plx__fd descriptor)
{
    NEED(descriptor >= FIRST);
    return descriptor < FIRST + DESCRIPTORS ? flags[descriptor - FIRST] : -9;
}

int __wrap_plx__os_process(void)
{
    return PROCESS;
}

/* ---- the model ------------------------------------------------------------------------------- */

/* The number of digits alone; -1 when it is none or greater than a descriptor can be. */
static long long number_of(const char *text)
{
    long long number = 0;
    if (text == NULL || *text == '\0') {
        return -1;
    }
    for (; *text != '\0'; text++) {
        if (!isdigit((unsigned char)*text) || number > INT32_MAX) {
            return -1;
        }
        number = number * 10 + (*text - '0');
    }
    return number > INT32_MAX - FIRST ? -1 : number;
}

static bool has_name(const char *names, int index, const char *name)
{
    if (name == NULL) {
        return true;
    }
    if (names == NULL) {
        return false;
    }
    while (index-- > 0) {
        names = strchr(names, ':');
        if (names == NULL) {
            return false;
        }
        names++;
    }
    size_t length = strcspn(names, ":");
    return length == strlen(name) && memcmp(names, name, length) == 0;
}

/* Returns the first descriptor behind `previous`; -1: none. */
static int expected(const char *process, const char *count, const char *names, const char *name,
                    int previous)
{
    long long passed = number_of(process) == PROCESS ? number_of(count) : 0;
    for (int i = previous < FIRST ? 0 : previous - FIRST + 1; i < DESCRIPTORS && i < passed; i++) {
        if (flags[i] == 0 && has_name(names, i, name)) {
            return FIRST + i;
        }
    }
    return PLX__NO_FD;
}

/* ---- the input ------------------------------------------------------------------------------- */

/* Cuts the next string off the rest; NULL: not set. */
static const char *cut(char **rest, const char *end)
{
    char *text = *rest;
    size_t length = strlen(text);
    *rest = text + length < end ? text + length + 1 : text + length;
    return text[0] == '-' ? NULL : text;
}

static void set(const char *variable, const char *value)
{
    if (value == NULL) {
        unsetenv(variable);
    } else {
        NEED(setenv(variable, value, 1) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    for (int i = 0; i < DESCRIPTORS; i++) {
        unsigned byte = tape_byte(&tape) % 3;
        flags[i] = byte == 0 ? 0 : byte == 1 ? 1 : -9;
    }
    size_t left = tape.left;
    char *text = tape_text(&tape), *rest = text;
    const char *process = cut(&rest, text + left), *count = cut(&rest, text + left);
    const char *names = cut(&rest, text + left), *name = cut(&rest, text + left);
    set("LISTEN_PID", process);
    set("LISTEN_FDS", count);
    set("LISTEN_FDNAMES", names);
    plx__fd descriptor = PLX__NO_FD;
    do {
        plx__fd next = plx__activation_next(name, descriptor);
        NEED(next == expected(process, count, names, name, descriptor));
        NEED(next == PLX__NO_FD || next > descriptor);
        descriptor = next;
    } while (descriptor != PLX__NO_FD);
    free(text);
    return 0;
}
