/* lib/base/network.h -- the networks that this computer is on, for traffic to many.
 *
 * A network is an address of this computer, the interface that has the address, and the bits that
 * all addresses there share. An interface with three addresses is on three networks; multicast
 * reaches the neighbours on all of them at once.
 *
 * A point-to-point link (ppp, a tunnel) may join two addresses that share nothing: then the network
 * has a peer, whose address has these bits, and of the own side only the own address. */
#ifndef PLX_LIB_NETWORK_H
#define PLX_LIB_NETWORK_H

#include <pollux/address.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__network {
    plx_address address; /* of this computer; port 0 */
    plx_address far_end; /* the peer of a link; port 0; family 0: there is none */
    uint32_t interface;  /* its index */
    uint8_t prefix;      /* how many leading bits the addresses of the network share */
    bool is_loopback;
    bool takes_multicast;
    bool takes_broadcast; /* of IPv4 */
    bool is_repeated;     /* an earlier one of a list reaches the same neighbours */
};

/* plx__network_has returns whether an address belongs to the network. A link-local address belongs
 * to a link-local network of the same interface. */
bool plx__network_has(const struct plx__network *network, const plx_address *address);

/* plx__network_broadcast returns the address that reaches all computers on a network of IPv4. */
plx_address plx__network_broadcast(const struct plx__network *network, uint16_t port);

#endif
