/* lib/endpoint/membership.h -- multicast groups, and the interfaces that a datagram socket hears by.
 *
 * Design: an interface that goes takes the memberships with it, and whoever is bound to it (by its
 * index, SO_BINDTODEVICE) stays deaf when another one comes back under its name. The kernel reports
 * neither to the socket. So the indexes that a socket depends on stand in a short list, whose
 * interfaces are looked for every few seconds; one that has gone is reported once and leaves the
 * list. So does one whose last group was left. More than PLX__MEMBERSHIP_INTERFACES are not looked
 * for. A zeroed membership is that of a fresh descriptor that depends on none. */
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
    uint64_t look_at; /* when to look for them next; 0: there are none */
};

/* plx__membership_bound notes the interface that the descriptor was bound to, if any. */
void plx__membership_bound(plx_socket *socket, struct plx__membership *membership);

/* plx__membership_change joins or leaves a group: an IP address, perhaps with an interface
 * ("239.1.2.3%eth0"). `family` is 4, 6 or 0: that of the groups which the socket can hear, 0 any.
 * Returns 0, or a code after plx__socket_fail. */
int plx__membership_change(plx_socket *socket, struct plx__membership *membership, const char *text,
                           int family, bool join);

/* plx__membership_look looks for the interfaces, if it is time to, and reports those that have
 * gone. */
void plx__membership_look(plx_socket *socket, struct plx__membership *membership);

#endif
