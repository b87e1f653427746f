/* lib/filter/way.h -- the proxy of a socket: its settings, and the way through it.
 *
 * Design: the proxy is the route of its socket (lib/socket/route.h). Each connect decides whether
 * it goes through the proxy, and keeps what it needs for that in `planned`, which becomes `way` when
 * nothing can fail the call any more: the program may set another proxy meanwhile, which is for the
 * next connect. The filter of lib/filter/exchange.c then asks the
 * proxy for a tunnel; it is nearest the kernel and is a setting of the socket as long as connects
 * go through a proxy.
 *
 * A name is sent to the proxy (socks5h, http), or looked up here (socks5); then its addresses are
 * tried one after another, each by a connection of its own. This computer is reached directly. */
#ifndef PLX_LIB_WAY_H
#define PLX_LIB_WAY_H

#include "lib/resolve/resolver.h"
#include "lib/socket/route.h"
#include "lib/wire/proxy-text.h"

#include <pollux/address.h>

/* At most this many addresses of a name are tried: a filter gets eight further connections. */
enum { PLX__PROXY_ADDRESSES = 9 };

struct plx__proxy {
    struct plx__route route;
    bool is_set;
    struct plx__proxy_text text;      /* as the program has set it */
    char shown[PLX__PROXY_TEXT_SIZE]; /* of `text`, without user and password */
    struct plx__way {
        struct plx__proxy_text proxy;
        char shown[PLX__PROXY_TEXT_SIZE];
        char host[PLX__HOST_SIZE]; /* the target's name; "": it was named by its address */
        int port;
        plx_address addresses[PLX__PROXY_ADDRESSES];
        size_t count, next;   /* how many there are; which one to ask the proxy for now */
        unsigned credentials; /* how often other ones were set */
    } planned;                /* for a connect that has not begun */
    struct plx__way way;      /* of the present connect, or the last one */
};

/* plx__way_sends_name returns whether the proxy is sent the target's name, and not an address. */
static inline bool plx__way_sends_name(const struct plx__way *way)
{
    return way->count == 0;
}

/* plx__proxy_of returns the proxy of a socket; NULL: none was ever set. Only proxies are routes. */
static inline struct plx__proxy *plx__proxy_of(const plx_socket *socket)
{
    struct plx__route *route = socket == NULL ? NULL : plx__rare_of(socket)->route;
    return route == NULL ? NULL : PLX__CONTAINER_OF(route, struct plx__proxy, route);
}

#endif
