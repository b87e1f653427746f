/* lib/os/posix.h -- what the files of this folder that call POSIX share.
 *
 * os.h names nothing of POSIX, so that the folders above lib/os can be built without POSIX; this
 * header defines the other side of the types in os.h. No file outside this folder includes posix.h.
 */
#ifndef PLX_LIB_POSIX_H
#define PLX_LIB_POSIX_H

#include "lib/os/os.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* plx__os_result and plx__os_count turn the result of a system call into the result of our
 * functions: for -1 they return the negative errno, so that no caller reads errno. */
static inline int plx__os_result(int result)
{
    return result < 0 ? -errno : result;
}

static inline ptrdiff_t plx__os_count(ssize_t count)
{
    return count < 0 ? -errno : count;
}

/* The bytes of a struct plx__sockaddr. */
union plx__native {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_un path;
};

/* plx__native_of gives the bytes of a socket address as the kernel's structures. */
static inline union plx__native *plx__native_of(struct plx__sockaddr *name)
{
    return (union plx__native *)(void *)name->bytes;
}

static inline const union plx__native *plx__native_in(const struct plx__sockaddr *name)
{
    return (const union plx__native *)(const void *)name->bytes;
}

#endif
