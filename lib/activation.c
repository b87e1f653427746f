/* lib/activation.c -- floor 2: descriptors that a service manager opened for this process. */
#include "config.h"

#include "lib/activation.h"
#include "lib/os.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_DESCRIPTOR 3

/* A number of the environment, or -1. */
static int number_of(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return -1;
    }
    long number = strtol(text, &end, 10);
    return *end != '\0' || number > INT_MAX ? -1 : (int)number;
}

/* Whether the one of that index has the name. */
static bool is_named(int index, const char *name)
{
    const char *names = getenv("LISTEN_FDNAMES");
    size_t length = strlen(name);
    for (; names != NULL && index > 0; index--) {
        names = strchr(names, ':');
        names = names == NULL ? NULL : names + 1;
    }
    return names != NULL && strcspn(names, ":") == length && strncmp(names, name, length) == 0;
}

int plx__activation_next(const char *name, int previous)
{
    int count = number_of("LISTEN_PID") == plx__os_process() ? number_of("LISTEN_FDS") : 0;
    int descriptor = previous < FIRST_DESCRIPTOR ? FIRST_DESCRIPTOR : previous + 1;
    for (; descriptor - FIRST_DESCRIPTOR < count; descriptor++) {
        bool wanted = name == NULL || is_named(descriptor - FIRST_DESCRIPTOR, name);
        if (wanted && !plx__os_is_close_on_exec(descriptor)) {
            return descriptor;
        }
    }
    return -1;
}
