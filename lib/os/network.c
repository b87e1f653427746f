/* lib/os/network.c -- the networks that this computer is on. */
#include "config.h"

#include "lib/os/interface.h"
#include "lib/os/posix.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

/* The kernel aligns it only as struct sockaddr. */
static void read_address(const struct sockaddr *native, plx_address *ret_address)
{
    struct plx__sockaddr name;
    size_t size =
        native->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    *ret_address = (plx_address){0};
    if (plx__sockaddr_from_native(&name, native, size)) {
        plx__sockaddr_to_address(&name, ret_address);
    }
    ret_address->port = 0;
}

static uint8_t prefix_of(const struct sockaddr *mask)
{
    plx_address address;
    uint8_t prefix = 0;
    read_address(mask, &address);
    while (prefix < sizeof address.bytes * 8 &&
           (address.bytes[prefix / 8] & (0x80 >> prefix % 8)) != 0) {
        prefix++;
    }
    return prefix;
}

static bool is_network(const struct ifaddrs *entry)
{
    return entry->ifa_addr != NULL && entry->ifa_netmask != NULL &&
           (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6) &&
           (entry->ifa_flags & IFF_UP) != 0;
}

/* The field is that of the broadcast address, too, which Linux sets for IPv4 only; a network of one
 * address has none. The own address stands there when there is no peer (rtnetlink(7), IFA_ADDRESS). */
static void read_peer(const struct ifaddrs *entry, struct plx__network *network)
{
    const struct sockaddr *peer = entry->ifa_dstaddr;
    bool is_broadcast = network->address.family == 4 && network->prefix < 32 &&
                        (entry->ifa_flags & IFF_POINTOPOINT) == 0;
    if (peer == NULL || is_broadcast || peer->sa_family != entry->ifa_addr->sa_family) {
        return;
    }
    read_address(peer, &network->far_end);
    if (plx_address_equal(&network->far_end, &network->address)) {
        network->far_end = (plx_address){0};
    }
}

/* The device of the entry before: an interface may have a thousand addresses, and each question for
 * an index is three system calls. */
struct device {
    char name[IF_NAMESIZE];
    uint32_t index;
};

static uint32_t index_of(const struct ifaddrs *entry, struct device *device)
{
    char name[IF_NAMESIZE];
    plx__interface_device(entry->ifa_name, name, sizeof name);
    if (device->index == 0 || strcmp(name, device->name) != 0) {
        memcpy(device->name, name, sizeof name);
        device->index = plx__os_interface_index(name);
    }
    return device->index;
}

static void describe(const struct ifaddrs *entry, struct device *device,
                     struct plx__network *network)
{
    bool is_ipv4 = entry->ifa_addr->sa_family == AF_INET;
    memset(network, 0, sizeof *network);
    read_address(entry->ifa_addr, &network->address);
    network->prefix = prefix_of(entry->ifa_netmask);
    read_peer(entry, network);
    network->interface = index_of(entry, device);
    network->is_loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
    /* Linux does not set IFF_MULTICAST for loopback, but delivers multicast there. */
    network->takes_multicast = network->is_loopback || (entry->ifa_flags & IFF_MULTICAST) != 0;
    network->takes_broadcast = is_ipv4 && (entry->ifa_flags & IFF_BROADCAST) != 0;
}

ptrdiff_t plx__interface_networks(struct plx__network *list, size_t size)
{
    struct ifaddrs *all;
    struct device device = {.index = 0};
    size_t count = 0;
    if (getifaddrs(&all) != 0) {
        return -errno;
    }
    for (const struct ifaddrs *entry = all; entry != NULL; entry = entry->ifa_next) {
        struct plx__network network;
        if (!is_network(entry)) {
            continue;
        }
        describe(entry, &device, &network);
        if (network.interface != 0 && count < size) {
            list[count] = network;
        }
        count += network.interface != 0;
    }
    freeifaddrs(all);
    return (ptrdiff_t)count;
}
