/* lib/base/network.c -- the networks that this computer is on. */
#include "config.h"

#include "lib/base/network.h"

#include <string.h>

bool plx__network_has(const struct plx__network *network, const plx_address *address)
{
    if (address->family != network->address.family || address->scope != network->address.scope) {
        return false;
    }
    size_t whole = network->prefix / 8u;
    unsigned rest = network->prefix % 8u;
    return memcmp(address->bytes, network->address.bytes, whole) == 0 &&
           (rest == 0 ||
            ((address->bytes[whole] ^ network->address.bytes[whole]) >> (8 - rest)) == 0);
}

plx_address plx__network_broadcast(const struct plx__network *network, uint16_t port)
{
    plx_address address = network->address;
    address.port = port;
    for (size_t bit = network->prefix; bit < 32; bit++) {
        address.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    }
    return address;
}
