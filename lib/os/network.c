/* lib/os/network.c -- the networks that this computer is on. */
#include "config.h"

#include "lib/os/interface.h"
#include "lib/os/posix.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

/* The bytes of an IP address; the kernel aligns it only as struct sockaddr. */
static size_t read_bytes(const struct sockaddr *name, uint8_t *ret_bytes, uint32_t *ret_scope)
{
    if (name->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, name, sizeof ipv4);
        memcpy(ret_bytes, &ipv4.sin_addr, 4);
        *ret_scope = 0;
        return 4;
    }
    struct sockaddr_in6 ipv6;
    memcpy(&ipv6, name, sizeof ipv6);
    memcpy(ret_bytes, &ipv6.sin6_addr, 16);
    *ret_scope = ipv6.sin6_scope_id;
    return 16;
}

static uint8_t prefix_of(const struct sockaddr *mask)
{
    uint8_t bytes[16];
    uint32_t scope;
    uint8_t prefix = 0;
    size_t size = read_bytes(mask, bytes, &scope);
    while (prefix < size * 8 && (bytes[prefix / 8] & (0x80 >> prefix % 8)) != 0) {
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

static void describe(const struct ifaddrs *entry, struct plx__network *network)
{
    char device[IF_NAMESIZE];
    bool is_ipv4 = entry->ifa_addr->sa_family == AF_INET;
    memset(network, 0, sizeof *network);
    network->address.family = is_ipv4 ? 4 : 6;
    read_bytes(entry->ifa_addr, network->address.bytes, &network->address.scope);
    network->prefix = prefix_of(entry->ifa_netmask);
    plx__interface_device(entry->ifa_name, device, sizeof device);
    network->interface = plx__os_interface_index(device);
    network->is_loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
    /* Linux does not set IFF_MULTICAST for loopback, but delivers multicast there. */
    network->takes_multicast = network->is_loopback || (entry->ifa_flags & IFF_MULTICAST) != 0;
    network->takes_broadcast = is_ipv4 && (entry->ifa_flags & IFF_BROADCAST) != 0;
}

ptrdiff_t plx__interface_networks(struct plx__network *list, size_t size)
{
    struct ifaddrs *all;
    size_t count = 0;
    if (getifaddrs(&all) != 0) {
        return -errno;
    }
    for (const struct ifaddrs *entry = all; entry != NULL && count < size;
         entry = entry->ifa_next) {
        if (is_network(entry)) {
            describe(entry, &list[count]);
            count += list[count].interface != 0;
        }
    }
    freeifaddrs(all);
    return (ptrdiff_t)count;
}
