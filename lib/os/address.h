/* lib/os/address.h -- addresses from strings, with the names of interfaces that the kernel knows.
 */
#ifndef PLX_LIB_OS_ADDRESS_H
#define PLX_LIB_OS_ADDRESS_H

#include "lib/base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* plx__address_parse_host reads a numeric address without port or brackets from `length` bytes:
 * "127.0.0.1", "::1", "fe80::1%eth0". The port becomes 0. False for anything else, such as a host
 * name; *ret_address is then unchanged. */
bool plx__address_parse_host(const char *text, size_t length, plx_address *ret_address);

/* plx__address_parse_scope reads the index or the name of an interface from `length` bytes; a
 * string of digits alone is an index. False when no interface has the name; *ret_scope is then
 * unchanged. */
bool plx__address_parse_scope(const char *text, size_t length, uint32_t *ret_scope);

/* plx__address_split splits "host:port", "192.0.2.1:80", "[::1]:80" or ":80" into a host, without
 * brackets and possibly "", and a port. It looks up no name: the host may be a name; in brackets it
 * is a numeric IPv6 address, possibly with a scope. Returns 0; PLX_INVALID_PORT for a port that is
 * missing or invalid behind a valid host; PLX_INVALID_STATE for anything else: NULL and "", an
 * extra bracket or colon, blanks and control characters, or a host that does not fit into host_size
 * bytes with its zero byte. When the result is not 0, *ret_host and *ret_port are unchanged. */
int plx__address_split(const char *where, char *ret_host, size_t host_size, int *ret_port);

#endif
