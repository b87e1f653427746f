/* tests/filters/turns.h -- what a filter does in order while it establishes. */
#ifndef POLLUX_TESTS_FILTERS_TURNS_H
#define POLLUX_TESTS_FILTERS_TURNS_H

#include "tests/filters.h"

#include <stddef.h>

/* `act` returns 0 when its turn is over, EAGAIN to be called again, or what ends the connection. */
struct turn {
    int (*act)(plx_filter *filter, const char *word);
    const char *word; /* what is sent or received; NULL: nothing */
};

/* Goes on with the turns, of which `over` are over. Returns what `establish` has to return. */
static inline int turns_establish(plx_filter *filter, const struct turn *turns, size_t count,
                                  size_t *over)
{
    while (*over < count) {
        int code = turns[*over].act(filter, turns[*over].word);

        if (code != 0)
            return code;
        ++*over;
    }
    return 0;
}

#endif
