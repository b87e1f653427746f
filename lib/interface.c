/* lib/interface.c -- floor 2: the network interfaces of this computer.
 *
 * getifaddrs(3) gives one list with an entry per interface and address family, in which hardware
 * addresses are entries of their own (AF_PACKET on Linux, AF_LINK elsewhere). It allocates
 * by malloc whatever the user has set, and asks the kernel by netlink, which waits for nobody. */
#include "config.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#ifdef AF_PACKET
#include <linux/if_packet.h>
#elif defined(AF_LINK)
#include <net/if_dl.h>
#endif

#include <pollux/interface.h>

#include "lib/address.h"

/* format writes the IP address at `name` as a text, "" for none. A netmask has no scope. */
static void format(const struct sockaddr *name, int family, char *text, size_t size)
{
    plx_address address = {0};
    text[0] = '\0';
    if (name == NULL) {
        return;
    }
    /* Copied out: the system promises no alignment beyond that of struct sockaddr. */
    if (family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, name, sizeof ipv4);
        address.family = 4;
        memcpy(address.bytes, &ipv4.sin_addr, 4);
    } else {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, name, sizeof ipv6);
        address.family = 6;
        address.scope = ipv6.sin6_scope_id;
        memcpy(address.bytes, &ipv6.sin6_addr, 16);
    }
    (void)plx__address_format_host(&address, text, size);
}

/* hardware_address returns where the six bytes of a MAC address are, or NULL. */
static const unsigned char *hardware_address(const struct sockaddr *name)
{
#ifdef AF_PACKET
    const struct sockaddr_ll *link = (const void *)name;
    bool is_mac = name != NULL && name->sa_family == AF_PACKET && link->sll_halen == 6;
    return is_mac ? link->sll_addr : NULL;
#elif defined(AF_LINK)
    const struct sockaddr_dl *link = (const void *)name;
    bool is_mac = name != NULL && name->sa_family == AF_LINK && link->sdl_alen == 6;
    return is_mac ? (const unsigned char *)LLADDR(link) : NULL;
#else
    (void)name;
    return NULL;
#endif
}

/* format_mac writes the MAC address of the interface of that name; "" for one that has none, such
 * as the loopback, whose entry is all zero. */
static void format_mac(const struct ifaddrs *all, const char *interface, char *text, size_t size)
{
    static const unsigned char none[6] = {0};
    text[0] = '\0';
    for (const struct ifaddrs *entry = all; entry != NULL; entry = entry->ifa_next) {
        const unsigned char *mac = hardware_address(entry->ifa_addr);
        if (mac == NULL || strcmp(entry->ifa_name, interface) != 0 ||
            memcmp(mac, none, sizeof none) == 0) {
            continue;
        }
        (void)snprintf(text, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                       mac[4], mac[5]);
        return;
    }
}

static void describe(const struct ifaddrs *all, const struct ifaddrs *entry,
                     plx_interface *interface)
{
    int family = entry->ifa_addr->sa_family;
    bool broadcasts = family == AF_INET && (entry->ifa_flags & IFF_BROADCAST) != 0;
    memset(interface, 0, sizeof *interface);
    (void)snprintf(interface->name, sizeof interface->name, "%s", entry->ifa_name);
    format(entry->ifa_addr, family, interface->ip_address, sizeof interface->ip_address);
    format(entry->ifa_netmask, family, interface->subnet_mask, sizeof interface->subnet_mask);
    format(broadcasts ? entry->ifa_broadaddr : NULL, family, interface->broadcast_address,
           sizeof interface->broadcast_address);
    format_mac(all, entry->ifa_name, interface->mac_address, sizeof interface->mac_address);
    interface->is_loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
    interface->is_up = (entry->ifa_flags & IFF_UP) != 0;
}

size_t plx_interface_list(plx_interface *list, size_t size)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) {
        return 0;
    }
    size_t count = 0;
    for (const struct ifaddrs *entry = all; entry != NULL; entry = entry->ifa_next) {
        /* A tunnel without an address has NULL here (getifaddrs(3)). */
        if (entry->ifa_addr == NULL ||
            (entry->ifa_addr->sa_family != AF_INET && entry->ifa_addr->sa_family != AF_INET6)) {
            continue;
        }
        if (list != NULL && count < size) {
            describe(all, entry, &list[count]);
        }
        count++;
    }
    freeifaddrs(all);
    return count;
}
