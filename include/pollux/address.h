/* pollux/address.h -- an IP address and port, as a value. */
#ifndef POLLUX_ADDRESS_H
#define POLLUX_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pollux/export.h>

PLX_BEGIN_DECLS

/* An address is a plain value: copy it, store it, send it. All zero is "none". The library stores
 * an IPv4-mapped IPv6 address (::ffff:1.2.3.4, RFC 4291 section 2.5.5.2) as IPv4, so that one peer
 * has one address on sockets of both families. */
typedef struct plx_address {
    uint16_t family;   /* 4 or 6; 0 is "none" */
    uint16_t port;     /* host order */
    uint32_t scope;    /* interface index of a link-local IPv6 address (RFC 4007), else 0 */
    uint8_t bytes[16]; /* network order; an IPv4 address fills the first four, the rest is 0 */
} plx_address;

/* plx_address_parse reads an address with its port: "127.0.0.1:80", "[::1]:80",
 * "[fe80::1%eth0]:80", "[fe80::1%2]:80"; or without a port, which gives port 0: "127.0.0.1", "::1",
 * "[::1]". An IPv6 address with a port needs brackets: "::1:80" is the address ::1:80.
 * The parser is strict: four decimal numbers without leading zeros, a port of 0 to 65535 without
 * sign or leading zeros, nothing before or after. A scope is an interface's number or name, and
 * only a link-local address may have a scope. The call does not look up host names.
 * Returns 0; PLX_INVALID_PORT when the address is valid and its port is not; else PLX_INVALID_STATE
 * (also for NULL). On failure *ret_address is untouched. */
PLX_API int plx_address_parse(const char *text, plx_address *ret_address);

/* plx_address_format writes an address and its port as plx_address_parse reads them, IPv6 as in RFC
 * 5952 and in brackets, a scope as a number: "127.0.0.1:80", "[fe80::1%2]:80". 64 bytes hold every
 * result with its zero byte. "None" and NULL give "".
 * Returns the length of the whole string without its zero byte, as snprintf does, and writes what
 * fits into `size` bytes. The result always ends in a zero byte unless `size` is 0; with size 0
 * `text` may be NULL. */
PLX_API size_t plx_address_format(const plx_address *address, char *text, size_t size);

/* plx_address_equal returns whether two addresses have the same family, port, scope and bytes. Two
 * addresses that are "none" are equal; NULL equals nothing. */
PLX_API bool plx_address_equal(const plx_address *a, const plx_address *b);

PLX_END_DECLS

#endif
