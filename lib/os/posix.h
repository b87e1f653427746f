/* lib/os/posix.h -- what the files of this folder share that call POSIX.
 * Nobody outside this folder includes it. */
#ifndef PLX_LIB_POSIX_H
#define PLX_LIB_POSIX_H

#include "lib/os/os.h"

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

/* plx__os_result and plx__os_count turn what a call returned into what ours return: one that gave -1
 * failed with errno, whose negative is the result, so that errno goes no further. */
static inline int plx__os_result(int result)
{
    return result < 0 ? -errno : result;
}

static inline ptrdiff_t plx__os_count(ssize_t count)
{
    return count < 0 ? -errno : count;
}

#endif
