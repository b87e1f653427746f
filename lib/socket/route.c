/* lib/socket/route.c -- the way to a peer that is reached through somebody else. */
#include "config.h"

#include "lib/socket/route.h"

plx_reason plx__route_reason(const plx_socket *socket, plx_reason reason)
{
    if (!plx__route_leads(socket)) {
        return reason;
    }
    switch (reason) {
    case PLX_REASON_HOST_NOT_FOUND: return PLX_REASON_PROXY_NOT_FOUND;
    case PLX_REASON_CONNECTION_REFUSED: return PLX_REASON_PROXY_CONNECTION_REFUSED;
    case PLX_REASON_REMOTE_HOST_CLOSED: return PLX_REASON_PROXY_CONNECTION_CLOSED;
    case PLX_REASON_SOCKET_TIMEOUT: return PLX_REASON_PROXY_CONNECTION_TIMEOUT;
    default: return reason;
    }
}

bool plx__route_plan(plx_socket *socket, struct plx__target *target, enum plx__leg *ret_leg)
{
    const struct plx__route *route = plx__rare_of(socket)->route;
    *ret_leg = PLX__LEG_DIRECT;
    return route == NULL || route->table->plan(socket, target, ret_leg);
}

void plx__route_begin(plx_socket *socket, enum plx__leg leg)
{
    struct plx__route *route = plx__rare_of(socket)->route;
    if (route != NULL) {
        route->leg = leg;
        route->table->begin(socket);
    }
}

bool plx__route_choose(plx_socket *socket, const struct plx__race *race,
                       struct plx__target *ret_target, size_t *ret_count)
{
    struct plx__route *route = plx__rare_of(socket)->route;
    size_t last;
    const plx_address *addresses = plx__race_addresses(race, ret_count, &last);
    return route->table->choose(socket, addresses, ret_count, ret_target, &route->leg);
}

void plx__route_forget(plx_socket *socket)
{
    struct plx__route *route = plx__rare_of(socket)->route;
    if (route != NULL) {
        route->leg = PLX__LEG_DIRECT;
    }
}

bool plx__route_prepare(plx_socket *to, const plx_socket *from)
{
    const struct plx__route *route = plx__rare_of(from)->route;
    return route == NULL || route->table->prepare(to, from);
}

void plx__route_copy(plx_socket *to, const plx_socket *from)
{
    const struct plx__route *route = plx__rare_of(to)->route;
    if (route != NULL) {
        route->table->copy(to, from);
    }
}

void plx__route_set(plx_socket *socket, struct plx__route *route)
{
    struct plx__route *before = plx__rare_of(socket)->route;
    if (before != NULL) {
        before->table->free(before);
    }
    if (socket->rare != NULL) {
        socket->rare->route = route;
    }
}
