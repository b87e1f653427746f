/* lib/os/interface.h -- the network interfaces of this computer, and finding one by a string.
 *
 * The string is an address of this computer, the name of an interface ("eth0"), or the label of one
 * of its IPv4 addresses ("eth0:game", which Linux lists as a name; ip-address(8)). */
#ifndef PLX_LIB_INTERFACE_H
#define PLX_LIB_INTERFACE_H

#include "lib/base/network.h"

#include <pollux/interface.h>

#include <stdbool.h>
#include <stddef.h>

/* plx__interface_find finds the entry of this family (4, 6, 0: any) for a string. An entry with
 * exactly that name is preferred to other entries of the same device, and among several entries one
 * that can reach `peer` (NULL: not known): a link-local address reaches only link-local peers,
 * another address only other peers. False when no entry fits. */
bool plx__interface_find(const char *wanted, int family, const plx_address *peer,
                         plx_interface *ret_entry);

/* plx__interface_address gives the address to bind to for a string, by the rules of
 * plx__interface_find. A numeric address that this computer does not have is given unchanged. False
 * when no entry fits. */
bool plx__interface_address(const char *wanted, int family, const plx_address *peer,
                            plx_address *ret_address);

/* plx__interface_index returns the index of the interface for a string, even of an interface
 * without an address; 0 when there is no such interface. */
unsigned plx__interface_index(const char *wanted);

/* plx__interface_device writes the name of the device: `name` up to the colon of a label. */
void plx__interface_device(const char *name, char *ret_device, size_t size);

/* plx__interface_networks writes the first `size` networks of the interfaces that are up, in the
 * kernel's order. Returns how many there are, which may be more, or a negative errno. It does not
 * block. */
ptrdiff_t plx__interface_networks(struct plx__network *list, size_t size);

#endif
