/* lib/base/address.h -- addresses to and from text.
 *
 * Invariants of every plx_address the library makes: family 0, 4 or 6; an IPv4 address has scope 0
 * and twelve zeros behind its four bytes; no IPv6 address is v4-mapped; only a link-local one has a
 * scope. So comparing the members compares the addresses. */
#ifndef PLX_LIB_ADDRESS_H
#define PLX_LIB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pollux/address.h>

/* Room for every address with its port: brackets, 39, %, 10, colon, 5 and the zero are 59. */
#define PLX__ADDRESS_TEXT_SIZE 64

/* The longest host that plx__address_split takes, with its zero: a name of the DNS has at most 253
 * bytes (RFC 1035 section 2.3.4), and one dot may follow. */
#define PLX__ADDRESS_HOST_SIZE 256

/* plx__address_parse_host reads a numeric address without port or brackets, `length` bytes of text:
 * "127.0.0.1", "::1", "fe80::1%eth0". The port becomes 0. False for anything else, such as a host
 * name; then *ret_address is untouched. */
bool plx__address_parse_host(const char *text, size_t length, plx_address *ret_address);

/* plx__address_parse_scope reads the number or name of an interface, `length` bytes of text; a name
 * of digits alone is a number. False when there is none of that name; then *ret_scope is untouched. */
bool plx__address_parse_scope(const char *text, size_t length, uint32_t *ret_scope);

/* plx__address_is_link_local returns whether an IPv6 address means something else on every
 * interface: fe80::/10, and groups of interface-local and link-local scope. */
bool plx__address_is_link_local(const uint8_t *bytes);

/* plx__address_is_group returns whether it is a multicast address; plx__address_is_for_many whether
 * it is one or 255.255.255.255. Which other addresses mean all of a network only the kernel knows. */
bool plx__address_is_group(const plx_address *address);
bool plx__address_is_for_many(const plx_address *address);

/* plx__address_format_host writes an address without port and brackets, as plx_address_format does
 * with them: "127.0.0.1", "fe80::1%2". Returns as that does. */
size_t plx__address_format_host(const plx_address *address, char *text, size_t size);

/* plx__address_parse_port reads a port of 0 to 65535, `length` bytes of text, decimal, without sign
 * and leading zeros. Returns it, or -1. */
int plx__address_parse_port(const char *text, size_t length);

/* plx__address_split splits "host:port", "192.0.2.1:80", "[::1]:80" or ":80" into a host, without
 * brackets and perhaps "", and a port. It looks nothing up: a host may be a name; in brackets it is
 * a numeric IPv6 address, perhaps with scope. Returns 0; PLX_INVALID_PORT for a port that is
 * missing or bad behind a host that may be one; PLX_INVALID_STATE for anything else: NULL and "",
 * a bracket or colon too many, blanks and control characters, or a host that does not fit into
 * host_size bytes with its zero. Unless 0, *ret_host and *ret_port are untouched. */
int plx__address_split(const char *where, char *ret_host, size_t host_size, int *ret_port);

#endif
