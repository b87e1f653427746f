/* lib/socket/route.h -- the way to a peer that is reached through somebody else, such as a proxy.
 *
 *      connect --plan--+--> DIRECT ----------------------------> race to the peer
 *                      +--> LOOKING_UP --choose--+--> DIRECT: the same race goes on
 *                      |    (a race that only    +--> LEADING
 *                      |     looks up the peer)
 *                      +--> LEADING ---------------------------> race to the first target, whose
 *                                                                filter then leads to the peer
 *
 * Design: lib/socket knows only that the first target may be another than the peer. What plans
 * the way stands above it (lib/filter/proxy.c) and begins its own struct with this one. The program
 * sees the peer, and errors name the first target.
 *
 * A route belongs to a socket and outlives its connections. Each connect plans anew; what was
 * planned becomes the way when the connect begins, because a connect that fails before leaves the
 * last connection as it was. A connection that was accepted or adopted has no way to go: DIRECT. */
#ifndef PLX_LIB_ROUTE_H
#define PLX_LIB_ROUTE_H

#include "lib/socket/object.h"
#include "lib/socket/race.h"
#include "lib/socket/rare.h"

#include <pollux/address.h>
#include <pollux/error.h>

struct plx__route;

enum plx__leg { PLX__LEG_DIRECT, PLX__LEG_LOOKING_UP, PLX__LEG_LEADING };

struct plx__route_table {
    /* plan: how to reach the target. For LEADING it replaces the target by the first one, whose
     * strings the route owns. False when memory ran out. */
    bool (*plan)(plx_socket *socket, struct plx__target *target, enum plx__leg *ret_leg);
    /* begin: the connect that was planned last begins, with that leg. */
    void (*begin)(plx_socket *socket);
    /* choose: goes on from LOOKING_UP with the addresses of the peer's host, as plan does: LEADING,
     * or DIRECT to the first *count of them, which are at least one. */
    bool (*choose)(plx_socket *socket, const plx_address *addresses, size_t *count,
                   struct plx__target *ret_target, enum plx__leg *ret_leg);
    /* prepare: gives `to` a route that `copy` can write to, if `to` may have what is set in the
     * route of `from`. False when memory ran out. copy: copies what the program has set; `to` has a
     * route, `from` may have none. */
    bool (*prepare)(plx_socket *to, const plx_socket *from);
    void (*copy)(plx_socket *to, const plx_socket *from);
    void (*free)(struct plx__route *route);
};

struct plx__route {
    const struct plx__route_table *table;
    enum plx__leg leg;  /* of the present connection or the last one */
    plx_address remote; /* LEADING: the peer; without an address if only its name is known */
    const char *host;   /* LEADING: that name */
};

/* plx__route_leads returns whether the socket reaches its peer through somebody else. */
static inline bool plx__route_leads(const plx_socket *socket)
{
    const struct plx__route *route = plx__rare_of(socket)->route;
    return route != NULL && route->leg == PLX__LEG_LEADING;
}

/* plx__route_reason returns the reason of a failure to reach the first target. */
plx_reason plx__route_reason(const plx_socket *socket, plx_reason reason);

/* plx__route_plan plans the way of a connect to the target, plx__route_begin begins it with the leg
 * that was planned, and plx__route_choose goes on with the addresses that a race has found: for
 * DIRECT with the first *ret_count of them. False when memory ran out. */
bool plx__route_plan(plx_socket *socket, struct plx__target *target, enum plx__leg *ret_leg);
void plx__route_begin(plx_socket *socket, enum plx__leg leg);
bool plx__route_choose(plx_socket *socket, const struct plx__race *race,
                       struct plx__target *ret_target, size_t *ret_count);

/* plx__route_forget forgets the way of the last connection: DIRECT. */
void plx__route_forget(plx_socket *socket);

/* plx__route_prepare makes what plx__route_copy needs, which copies the settings of a route and not
 * its way, and cannot fail. False when memory ran out. */
bool plx__route_prepare(plx_socket *to, const plx_socket *from);
void plx__route_copy(plx_socket *to, const plx_socket *from);

/* plx__route_set makes `route`, which may be NULL, the socket's and frees the one before. */
void plx__route_set(plx_socket *socket, struct plx__route *route);

#endif
