/* lib/os/fd.h -- what the kernel calls an open socket or file by.
 *
 * The type is that of the public calls, so that a system whose descriptors are not int changes one line
 * (pollux/export.h). Signed, so that a call returns one or a negative errno: the descriptors of a system
 * are 0 and more. */
#ifndef PLX_LIB_FD_H
#define PLX_LIB_FD_H

#include <pollux/export.h>

typedef plx_handle plx__fd;

/* None, where no errno says why. */
#define PLX__NO_FD PLX_NO_HANDLE

#endif
