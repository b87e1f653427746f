/* lib/os/address.h -- addresses from text, with the names of interfaces that the kernel knows. */
#ifndef PLX_LIB_OS_ADDRESS_H
#define PLX_LIB_OS_ADDRESS_H

#include "lib/base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* plx__address_parse_host reads a numeric address without port or brackets, `length` bytes of text:
 * "127.0.0.1", "::1", "fe80::1%eth0". The port becomes 0. False for anything else, such as a host
 * name; then *ret_address is untouched. */
bool plx__address_parse_host(const char *text, size_t length, plx_address *ret_address);

/* plx__address_parse_scope reads the number or name of an interface, `length` bytes of text; a name
 * of digits alone is a number. False when there is none of that name; then *ret_scope is untouched. */
bool plx__address_parse_scope(const char *text, size_t length, uint32_t *ret_scope);

/* plx__address_split splits "host:port", "192.0.2.1:80", "[::1]:80" or ":80" into a host, without
 * brackets and perhaps "", and a port. It looks nothing up: a host may be a name; in brackets it is
 * a numeric IPv6 address, perhaps with scope. Returns 0; PLX_INVALID_PORT for a port that is
 * missing or bad behind a host that may be one; PLX_INVALID_STATE for anything else: NULL and "",
 * a bracket or colon too many, blanks and control characters, or a host that does not fit into
 * host_size bytes with its zero. Unless 0, *ret_host and *ret_port are untouched. */
int plx__address_split(const char *where, char *ret_host, size_t host_size, int *ret_port);

#endif
