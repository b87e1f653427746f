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

/* What looks up the number of the interface of a name, `length` bytes of it; 0: there is none. */
typedef uint32_t plx__scope_of(const char *name, size_t length);

/* plx__address_read_scope, plx__address_read_host, plx__address_read and plx__address_read_where are
 * plx__address_parse_scope, plx__address_parse_host, plx_address_parse and plx__address_split
 * (lib/os/address.h), which pass the kernel's scope_of. */
bool plx__address_read_scope(const char *text, size_t length, plx__scope_of *scope_of,
                             uint32_t *ret_scope);
bool plx__address_read_host(const char *text, size_t length, plx__scope_of *scope_of,
                            plx_address *ret_address);
int plx__address_read(const char *text, plx__scope_of *scope_of, plx_address *ret_address);
int plx__address_read_where(const char *where, plx__scope_of *scope_of, char *ret_host,
                            size_t host_size, int *ret_port);

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

#endif
