/* lib/os/fd.h -- the kernel's name for an open socket or file.
 *
 * The type is that of the public calls, so that a port to a kernel whose descriptors are not int
 * changes one line (pollux/export.h). The type is signed, so that a call returns a descriptor or a
 * negative errno: the kernel's descriptors are 0 and more. */
#ifndef PLX_LIB_FD_H
#define PLX_LIB_FD_H

#include <pollux/export.h>

typedef plx_handle plx__fd;

/* No descriptor, where no errno gives the reason. */
#define PLX__NO_FD PLX_NO_HANDLE

#endif
