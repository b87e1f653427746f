/* lib/os/activation.c -- descriptors that a service manager opened for this process. */
#include "config.h"

#include "lib/os/activation.h"
#include "lib/os/os.h"

#include <limits.h>
#include <string.h>

#define FIRST_DESCRIPTOR 3

/* The descriptors that the program has adopted and closed leave gaps in the numbers. After a gap of
 * this length the search ends, even if LISTEN_FDS counts more: each number costs a system call. */
#define LONGEST_GAP 1024

/* The value of an environment variable; -1 when the variable is not set, or when its value is no
 * number of descriptors that begin at 3. */
static int number_of(const char *variable)
{
    const char *text = plx__os_variable(variable);
    int number = 0;
    if (text == NULL || *text == '\0') {
        return -1;
    }
    for (; *text != '\0'; text++) {
        int digit = *text - '0';
        if (digit < 0 || digit > 9 || number > (INT_MAX - FIRST_DESCRIPTOR - digit) / 10) {
            return -1;
        }
        number = number * 10 + digit;
    }
    return number;
}

/* Returns whether the descriptor of that index has the name. */
static bool is_named(int index, const char *name)
{
    const char *names = plx__os_variable("LISTEN_FDNAMES");
    size_t length = strlen(name);
    for (; names != NULL && index > 0; index--) {
        names = strchr(names, ':');
        names = names == NULL ? NULL : names + 1;
    }
    return names != NULL && strcspn(names, ":") == length && strncmp(names, name, length) == 0;
}

plx__fd plx__activation_next(const char *name, plx__fd previous)
{
    int count = number_of("LISTEN_PID") == plx__os_process() ? number_of("LISTEN_FDS") : 0;
    plx__fd descriptor = previous < FIRST_DESCRIPTOR ? FIRST_DESCRIPTOR : previous + 1;
    int gap = 0;
    for (; descriptor - FIRST_DESCRIPTOR < count && gap < LONGEST_GAP; descriptor++) {
        int taken = plx__os_is_close_on_exec(descriptor);
        gap = taken < 0 ? gap + 1 : 0;
        if (taken == 0 && (name == NULL || is_named(descriptor - FIRST_DESCRIPTOR, name))) {
            return descriptor;
        }
    }
    return PLX__NO_FD;
}
