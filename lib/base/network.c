/* lib/base/network.c -- the networks that this computer is on. */
#include "config.h"

#include "lib/base/network.h"

#include <string.h>

static bool share(const plx_address *a, const plx_address *b, uint8_t prefix)
{
    if (a->family != b->family || a->scope != b->scope) {
        return false;
    }
    size_t whole = prefix / 8u;
    unsigned rest = prefix % 8u;
    return memcmp(a->bytes, b->bytes, whole) == 0 &&
           (rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest)) == 0);
}

bool plx__network_has(const struct plx__network *network, const plx_address *address)
{
    const plx_address *own = &network->address, *peer = &network->far_end;
    return peer->family == 0
               ? share(own, address, network->prefix)
               : plx_address_equal(own, address) || share(peer, address, network->prefix);
}

plx_address plx__network_broadcast(const struct plx__network *network, uint16_t port)
{
    plx_address address = network->far_end.family == 0 ? network->address : network->far_end;
    address.port = port;
    for (size_t bit = network->prefix; bit < 32; bit++) {
        address.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    }
    return address;
}
