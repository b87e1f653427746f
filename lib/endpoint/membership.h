/* lib/endpoint/membership.h -- multicast groups, and the interfaces that a datagram socket depends
 * on.
 *
 * Design: when an interface is removed, the kernel ends the memberships there, and a socket that is
 * bound to it (by its index, SO_BINDTODEVICE) receives nothing even after an interface of the same
 * name is back. The kernel reports neither to the socket. So a short list has the indexes of the
 * interfaces that a socket depends on, and the socket checks every few seconds whether they exist.
 * A removed interface is reported once and leaves the list. An interface leaves the list too when
 * the socket has left its last group there. Interfaces beyond PLX__MEMBERSHIP_INTERFACES are not
 * checked. A zeroed membership is that of a fresh descriptor that depends on no interface. */
#ifndef PLX_LIB_MEMBERSHIP_H
#define PLX_LIB_MEMBERSHIP_H

#include "lib/socket/object.h"

#define PLX__MEMBERSHIP_INTERFACES 8

struct plx__membership_interface {
    uint32_t index;
    uint32_t uses; /* groups joined there, and a descriptor that is bound to it */
};

struct plx__membership {
    struct plx__membership_interface interfaces[PLX__MEMBERSHIP_INTERFACES];
    uint8_t count;
    uint64_t look_at; /* when to check the interfaces next; 0: there are none */
};

/* plx__membership_bound adds the interface that the descriptor is bound to, if any. */
void plx__membership_bound(plx_socket *socket, struct plx__membership *membership);

/* plx__membership_change joins or leaves a group, which is an IP address, perhaps with an interface
 * ("239.1.2.3%eth0"). `family` is the family of the groups that the socket can receive from: 4, 6,
 * or 0 for both. Returns 0, or a code after plx__socket_fail. */
int plx__membership_change(plx_socket *socket, struct plx__membership *membership, const char *text,
                           int family, bool join);

/* plx__membership_look checks the interfaces, if it is time to, and reports those that were
 * removed. */
void plx__membership_look(plx_socket *socket, struct plx__membership *membership);

#endif
