/* lib/wire/no-proxy.h -- which targets the variable no_proxy exempts, as curl reads it. */
#ifndef PLX_LIB_WIRE_NO_PROXY_H
#define PLX_LIB_WIRE_NO_PROXY_H

#include <stdbool.h>

/* plx__proxy_bypassed returns whether the list names the target `host`, a name or an address, with
 * or without brackets. NULL and "" name nothing. The entries are separated by commas and blanks:
 *
 *     *               as the only entry: every host; nowhere else a wildcard
 *     name, .name     the host itself and every name below it, in any case; one dot at the end of
 *                     either is ignored
 *     10.0.0.0/8      the network, and without a length the address; the same for IPv6, without
 *                     brackets. A host name is not looked up for it.
 *     name:port       no host, whatever its port is, as with curl: so `port` decides nothing */
bool plx__proxy_bypassed(const char *no_proxy, const char *host, int port);

#endif
