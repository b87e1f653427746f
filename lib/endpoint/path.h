/* lib/endpoint/path.h -- what sockets with a path share: names, and the file a listener leaves.
 *
 * Design: whoever wants to listen at a path first takes a lock beside it, so that of several only
 * one looks whether the file there is a left-over, removes it and binds. Once bound it counts as
 * alive, and the lock is given back at once. What was bound is remembered as a claim, by numbers
 * that no other file can have while the descriptor is open.
 *
 *      lock "<path>.lock" --> bind, in use --> ask: alive --> 105
 *        busy: 105              | works         left over --> remove, bind again
 *                               v
 *                     claim, exact mode --> unlock --> listen */
#ifndef PLX_LIB_PATH_H
#define PLX_LIB_PATH_H

#include "lib/socket/object.h"

/* What a listener left in the file system. */
struct plx__claim;

/* The beginning of a kind's socket that has a path. */
struct plx__path_socket {
    plx_socket base;
    struct plx__claim *claim; /* NULL: it has no file, as connections have none */
};

/* The endpoint of kinds whose socket begins with a struct plx__path_socket. */
extern const struct plx__endpoint plx__path_endpoint;

/* plx__path_destroy frees what such a socket holds: the slot `destroy`, or a part of it. */
void plx__path_destroy(plx_socket *socket);

#endif
