/* lib/socket/filtered.h -- the kind of a socket with filters.
 *
 * Design: a kind is a const table. The first filter of a socket replaces the socket's kind by a
 * copy of its table, in which the functions that move bytes lead through the filters, and the last
 * filter gives the plain kind back. So polls and receives of a socket without filters execute no
 * instruction for them; sending and the watch look at `is_filtered`. While all filters hand
 * everything through, the copy calls the plain kind's functions. This is the only place where a
 * table is made at run time; the name in it is that of the plain kind, and plx__socket_is compares
 * names. */
#ifndef PLX_LIB_FILTERED_H
#define PLX_LIB_FILTERED_H

#include "lib/base/base.h"
#include "lib/socket/kind.h"
#include "lib/socket/object.h"

/* What the copy calls in place of the plain kind's functions; lib/socket/kind.h says what each
 * does. */
struct plx__detour {
    void (*input)(plx_socket *socket, struct plx__budget *budget);
    ptrdiff_t (*receive)(plx_socket *socket, void *data, size_t size);
    ptrdiff_t (*send)(plx_socket *socket, const void *data, size_t size);
    size_t (*pending)(const plx_socket *socket);
    int (*shutdown)(plx_socket *socket);
    void (*advance)(plx_socket *socket, struct plx__budget *budget);
    uint64_t (*deadline)(const plx_socket *socket);
};

struct plx__filtered {
    struct plx_kind kind;
    struct plx__transport transport; /* of the detour */
    const struct plx_kind *plain;
    const struct plx__detour *detour;
};

/* plx__filtered_of returns the filtered kind of a socket, NULL if the socket has no filters. */
static inline struct plx__filtered *plx__filtered_of(const plx_socket *socket)
{
    return socket->kind->is_filtered ? PLX__CONTAINER_OF(socket->kind, struct plx__filtered, kind)
                                     : NULL;
}

/* plx__filtered_put gives the socket a filtered kind, which takes the detour. plx__filtered_take
 * gives the plain kind back. */
void plx__filtered_put(plx_socket *socket, struct plx__filtered *filtered,
                       const struct plx__detour *detour);
void plx__filtered_take(plx_socket *socket, struct plx__filtered *filtered);

/* plx__filtered_pass makes the copy call the plain kind's functions, plx__filtered_divert the
 * detour's. */
void plx__filtered_pass(struct plx__filtered *filtered);
void plx__filtered_divert(struct plx__filtered *filtered);

#endif
