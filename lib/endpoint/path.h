/* lib/endpoint/path.h -- what sockets with a path share: names, and the file that a listener makes.
 *
 * Design: a listener first locks a file beside the path. So only one program at a time checks
 * whether the socket file there was left over, removes it and binds. A bound socket file counts as
 * alive, so the lock is released at once. The listener remembers its file as a claim, by device and
 * inode number, which no other file can have while the descriptor is open.
 *
 *      lock "<path>.lock" --> bind, in use --> ask: alive --> 105
 *        busy: 105              | works         left over --> remove, bind again
 *                               v
 *                     claim, exact mode --> unlock --> listen */
#ifndef PLX_LIB_PATH_H
#define PLX_LIB_PATH_H

#include "lib/socket/object.h"

/* The endpoint of kinds that have paths. */
extern const struct plx__endpoint plx__path_endpoint;

#endif
