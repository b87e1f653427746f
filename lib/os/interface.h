/* lib/os/interface.h -- the network interfaces of this computer, and which of them a text means.
 *
 * A text is an address of this computer, the name of an interface ("eth0"), or the label of one of
 * its IPv4 addresses ("eth0:game", which Linux lists as a name; ip-address(8)). */
#ifndef PLX_LIB_INTERFACE_H
#define PLX_LIB_INTERFACE_H

#include <pollux/address.h>
#include <pollux/interface.h>

#include <stdbool.h>
#include <stddef.h>

/* plx__interface_find finds the entry that a text means, of this family (4, 6, 0: any): the one whose
 * name it is before others of its device, and among several one that can reach `peer` (NULL: not
 * known), which link-local addresses and others cannot do for each other. False: there is none. */
bool plx__interface_find(const char *wanted, int family, const plx_address *peer,
                         plx_interface *ret_entry);

/* plx__interface_address gives the address to bind to for a text, by the rules of
 * plx__interface_find; a numeric address that this computer does not have is given as it is. False:
 * there is none. */
bool plx__interface_address(const char *wanted, int family, const plx_address *peer,
                            plx_address *ret_address);

/* plx__interface_index returns the number of the interface that a text means, which needs no address;
 * 0: there is none. */
unsigned plx__interface_index(const char *wanted);

/* plx__interface_device writes the name of the device: the text up to a label's colon. */
void plx__interface_device(const char *name, char *ret_device, size_t size);

#endif
