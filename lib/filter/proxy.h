/* lib/filter/proxy.h -- setting the proxy of a socket; lib/filter/way.h has what it is. */
#ifndef PLX_LIB_PROXY_H
#define PLX_LIB_PROXY_H

#include <pollux/proxy.h>

/* plx__proxy_is_here returns whether a host, a name or an address, is this computer, which is never
 * reached through a proxy. */
bool plx__proxy_is_here(const char *host);

#endif
