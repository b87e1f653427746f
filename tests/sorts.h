/* tests/sorts.h -- the sorts of paths: what works for one sort must work for all. */
#ifndef POLLUX_TESTS_SORTS_H
#define POLLUX_TESTS_SORTS_H

#include <errno.h>

#include "tests/paths.h"

enum { SIZE = 512 };

/* Paths that fit into a sockaddr_un, paths that have to be reached through their folder, and paths
 * whose last component alone is too long. */
enum sort { SHORT, FAR, LONG, SORTS };

static const int lasts[SORTS] = {1, 10, 200};

static inline void path_of(const struct world *w, enum sort sort, char *ret_path)
{
    int length = snprintf(ret_path, SIZE, "%s/", w->folder);

    if (sort == FAR) {
        length += snprintf(ret_path + length, SIZE, "%0120d", 0);
        ck_assert(mkdir(ret_path, 0700) == 0 || errno == EEXIST);
        ret_path[length++] = '/';
    }
    snprintf(ret_path + length, SIZE, "%0*d", lasts[sort], 1);
}

/* Expects that only the folder of far paths is left, and removes it. */
static inline void expect_tidy(const struct world *w)
{
    char path[SIZE];

    path_of(w, FAR, path);
    *strrchr(path, '/') = '\0';
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_msg(rmdir(w->folder) == 0, "something is left in %s", w->folder);
}

#endif
