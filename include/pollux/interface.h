/* pollux/interface.h -- the network interfaces of this computer. */
#ifndef POLLUX_INTERFACE_H
#define POLLUX_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/export.h>

PLX_BEGIN_DECLS

/* One IP address of one interface; an interface with three addresses has three of these. Texts that
 * have no meaning for it are "". */
typedef struct plx_interface {
    char name[16];              /* "eth0", "lo"; on Linux the label of an address that has one,
                                   "eth0:game", which all calls that take a name take as well */
    char ip_address[64];        /* "192.0.2.7", "fe80::1%2"; never "" */
    char subnet_mask[64];       /* "255.255.255.0", "ffff:ffff:ffff:ffff::" */
    char mac_address[24];       /* "02:42:ac:11:00:02" */
    char broadcast_address[64]; /* "192.0.2.255", as it was set; IPv6 has none, and an IPv4 address
                                   may have none, as point-to-point ones do */
    bool is_loopback;           /* it leads to this computer only */
    bool is_up;                 /* it is switched on */
} plx_interface;

/* plx_interface_list takes one snapshot of all interfaces that have an IP address, writes the first
 * `size` entries into `list` and returns how many there are, which may be more; 0 when the system
 * does not tell. With size 0 `list` may be NULL, and it counts. It asks the system each time and
 * does not block; between two calls the number may change. */
PLX_API size_t plx_interface_list(plx_interface *list, size_t size);

PLX_END_DECLS

#endif
