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

/* The slots of struct plx_kind that all kinds with a path have alike. */
#define PLX__PATH_SLOTS                                                                            \
    .families = {PLX__FAMILY_UNIX, PLX__FAMILY_NONE}, .parse = plx__path_parse,                    \
    .check_path = plx__path_check, .target = plx__path_target, .bind = plx__path_bind,             \
    .finish = plx__path_finish

int plx__path_check(const char *path, size_t size);
int plx__path_parse(plx_socket *socket, const char *where, bool to_listen);
int plx__path_target(plx_socket *socket, struct plx__target *ret_target);
plx__fd plx__path_bind(plx_socket *socket);
void plx__path_finish(plx_socket *socket);
void plx__path_destroy(plx_socket *socket);

#endif
