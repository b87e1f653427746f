/* lib/os/fd.h -- what the kernel calls an open socket or file by.
 *
 * Signed, so that a call returns one or a negative errno: the descriptors of a system are 0 and more. */
#ifndef PLX_LIB_FD_H
#define PLX_LIB_FD_H

typedef int plx__fd;

/* None, where no errno says why. */
#define PLX__NO_FD (-1)

#endif
