/* lib/os/errno.h -- the errnos that the folders above lib/os compare or return.
 *
 * The calls of os.h return the negative of the kernel's number, and the program receives that
 * number unchanged. A port to a kernel that lacks one of these errnos gives it a number that the
 * kernel's calls never return. Elsewhere only epoll.c and ares.c include <errno.h>, whose calls set
 * or read errno, and the table of the errnos' texts (lib/base/error.c). */
#ifndef PLX_LIB_ERRNO_H
#define PLX_LIB_ERRNO_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

enum plx__errno {
    PLX__EACCES = EACCES,
    PLX__EADDRINUSE = EADDRINUSE,
    PLX__EADDRNOTAVAIL = EADDRNOTAVAIL,
    PLX__EAFNOSUPPORT = EAFNOSUPPORT,
    PLX__EAGAIN = EAGAIN,
    PLX__ECONNREFUSED = ECONNREFUSED,
    PLX__ECONNRESET = ECONNRESET,
    PLX__EDESTADDRREQ = EDESTADDRREQ,
    PLX__EEXIST = EEXIST,
    PLX__EHOSTUNREACH = EHOSTUNREACH,
    PLX__EINTR = EINTR,
    PLX__EINVAL = EINVAL,
    PLX__EIO = EIO,
    PLX__EMFILE = EMFILE,
    PLX__EMSGSIZE = EMSGSIZE,
    PLX__ENAMETOOLONG = ENAMETOOLONG,
    PLX__ENETUNREACH = ENETUNREACH,
    PLX__ENOBUFS = ENOBUFS,
    PLX__ENODATA = ENODATA,
    PLX__ENODEV = ENODEV,
    PLX__ENOENT = ENOENT,
    PLX__ENOMEM = ENOMEM,
    PLX__ENOPROTOOPT = ENOPROTOOPT,
    PLX__ENOTCONN = ENOTCONN,
    PLX__ENOTSUP = ENOTSUP,
    PLX__EPERM = EPERM,
    PLX__EPIPE = EPIPE,
    PLX__EPROTO = EPROTO,
    PLX__ERANGE = ERANGE,
    PLX__ECANCELED = ECANCELED,
    PLX__ERESTART = ERESTART,
    PLX__ETIMEDOUT = ETIMEDOUT,
    PLX__ETOOMANYREFS = ETOOMANYREFS
};

/* plx__errno_is_full returns whether a call that sends found no room, in the socket or in the
 * device (send(2)). The call works again later. */
static inline bool plx__errno_is_full(ptrdiff_t result)
{
    return result == -PLX__EAGAIN || result == -PLX__ENOBUFS;
}

#endif
