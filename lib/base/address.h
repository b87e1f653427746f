/* lib/base/address.h -- addresses to and from strings.
 *
 * Invariants of every plx_address the library makes: family is 0, 4 or 6; an IPv4 address has scope
 * 0 and twelve zeros behind its four bytes; no IPv6 address is v4-mapped; only a link-local address
 * has a scope. So two addresses are equal when their members are equal. */
#ifndef PLX_LIB_ADDRESS_H
#define PLX_LIB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pollux/address.h>

/* Room for every address with its port: brackets, 39, %, 10, colon, 5 and the zero are 59. */
#define PLX__ADDRESS_TEXT_SIZE 64

/* The size of the longest host that plx__address_split accepts, with the zero byte: a name of the
 * DNS has at most 253 bytes (RFC 1035 section 2.3.4), and one dot may follow. */
#define PLX__ADDRESS_HOST_SIZE 256

/* A function that returns the index of the interface with this name of `length` bytes; 0 when no
 * interface has the name. */
typedef uint32_t plx__scope_of(const char *name, size_t length);

/* plx__address_read_scope, plx__address_read_host, plx__address_read and plx__address_read_where do
 * the work of plx__address_parse_scope, plx__address_parse_host, plx_address_parse and
 * plx__address_split (lib/os/address.h), which pass a scope_of that asks the kernel. */
bool plx__address_read_scope(const char *text, size_t length, plx__scope_of *scope_of,
                             uint32_t *ret_scope);
bool plx__address_read_host(const char *text, size_t length, plx__scope_of *scope_of,
                            plx_address *ret_address);
int plx__address_read(const char *text, plx__scope_of *scope_of, plx_address *ret_address);
int plx__address_read_where(const char *where, plx__scope_of *scope_of, char *ret_host,
                            size_t host_size, int *ret_port);

/* plx__address_is_link_local returns whether an IPv6 address means something else on every
 * interface: fe80::/10, and multicast groups of interface-local and link-local scope. */
bool plx__address_is_link_local(const uint8_t *bytes);

/* plx__address_is_group returns whether an address is a multicast address. plx__address_is_for_many
 * returns whether an address is a multicast address or 255.255.255.255. Only the kernel knows the
 * other broadcast addresses of a network. */
bool plx__address_is_group(const plx_address *address);
bool plx__address_is_for_many(const plx_address *address);

/* plx__address_format_host writes an address without port and brackets, "127.0.0.1" or "fe80::1%2",
 * and otherwise works as plx_address_format does. */
size_t plx__address_format_host(const plx_address *address, char *text, size_t size);

/* plx__address_parse_port reads `length` bytes as a decimal port of 0 to 65535 without sign and
 * leading zeros. Returns the port, or -1. */
int plx__address_parse_port(const char *text, size_t length);

#endif
