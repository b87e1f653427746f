/* pollux/interface.h -- the network interfaces of this computer. */
#ifndef POLLUX_INTERFACE_H
#define POLLUX_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/export.h>

PLX_BEGIN_DECLS

/* One IP address of one interface; an interface with three addresses has three of these. A string
 * that does not apply to the address is "". */
typedef struct plx_interface {
    char name[16];              /* "eth0", "lo"; on Linux the label of an address that has one, as
                                   "eth0:game"; every call that accepts a name accepts a label */
    char ip_address[64];        /* "192.0.2.7", "fe80::1%2"; never "" */
    char subnet_mask[64];       /* "255.255.255.0", "ffff:ffff:ffff:ffff::" */
    char mac_address[24];       /* "02:42:ac:11:00:02" */
    char broadcast_address[64]; /* "192.0.2.255", as configured; "" for IPv6 and for an IPv4 address
                                   without one, such as a point-to-point address */
    bool is_loopback;           /* the interface leads to this computer only (IFF_LOOPBACK) */
    bool is_up;                 /* the interface is switched on (IFF_UP) */
} plx_interface;

/* plx_interface_list takes one snapshot of the IP addresses of all interfaces and writes the first
 * `size` entries into `list`. Returns how many entries there are, which may be more than `size`; 0
 * when the kernel refuses the list. With size 0 `list` may be NULL, and the call only counts. Each
 * call asks the kernel and does not block; the number may change between two calls. */
PLX_API size_t plx_interface_list(plx_interface *list, size_t size);

PLX_END_DECLS

#endif
