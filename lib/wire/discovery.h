/* lib/wire/discovery.h -- the datagrams of discovery, version 1. All numbers are in network byte
 * order.
 *
 *       0   4  'P' 'L' 'X' 01
 *       4   1  kind: 0 message, 1 here, 2 who, 3 bye
 *       5   1  flags: bit 0, for the group; the other bits are 0 and not looked at
 *       6   1  g, the size of the name of the group: 1 to 63; 0 for a message to one member
 *       7   1  0
 *       8   8  member: its number, not 0
 *      16   4  sequence: one more for each datagram of the member
 *      20   4  message: command, 0 to 2^31-1; here: lifetime, 5 to 600 seconds; else 0
 *      24   2  the port at which the member receives messages for itself, not 0
 *      26   g  the name of the group, UTF-8
 *      26+g    message: data; here: up to 256 bytes about the member; else nothing
 *
 * Kinds 1 to 3 are always for the group. A datagram with anything else is not one of discovery. */
#ifndef PLX_LIB_WIRE_DISCOVERY_H
#define PLX_LIB_WIRE_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pollux/address.h>

#define PLX__DISCOVERY_HEAD 26
#define PLX__DISCOVERY_SIZE 1200 /* the largest that is sent */
#define PLX__DISCOVERY_NAME 63
#define PLX__DISCOVERY_ABOUT 256

enum plx__discovery_kind {
    PLX__DISCOVERY_MESSAGE,
    PLX__DISCOVERY_HERE,
    PLX__DISCOVERY_WHO,
    PLX__DISCOVERY_BYE
};

/* A datagram; the name has no zero byte behind it. */
struct plx__discovery_datagram {
    enum plx__discovery_kind kind;
    bool is_to_group;
    const char *name;
    size_t name_size;
    uint64_t member;
    uint32_t sequence;
    uint32_t value; /* a command, or a lifetime in seconds */
    uint16_t port;
    const void *data;
    size_t size;
};

/* plx__discovery_parse reads a datagram. Name and data point into the bytes; data is not NULL. False
 * for bytes that are no datagram of discovery, with *ret_datagram unchanged. */
bool plx__discovery_parse(const void *bytes, size_t size,
                          struct plx__discovery_datagram *ret_datagram);

/* plx__discovery_format writes a datagram and returns its size; 0 when it does not fit into `size`
 * bytes, or when plx__discovery_parse would not accept it. */
size_t plx__discovery_format(const struct plx__discovery_datagram *datagram, void *ret_bytes,
                             size_t size);

/* plx__discovery_is_name returns whether the bytes can be the name of a group: 1 to 63 bytes of
 * UTF-8 (RFC 3629) without a zero byte. */
bool plx__discovery_is_name(const char *name, size_t size);

/* plx__discovery_group_address returns the multicast address of a group, by the hash h of its name
 * (FNV-1a, 32 bits): for family 4 239.255.h.h, the last two bytes of h (RFC 2365, local scope), for
 * family 6 ff15::504c:h:h, all four (RFC 4291, site-local scope, not assigned for ever). Groups may
 * share an address: each datagram has the name. */
plx_address plx__discovery_group_address(const char *name, size_t size, int family, uint16_t port);

#endif
