/* lib/os/interface.c -- the network interfaces of this computer.
 *
 * getifaddrs(3) gives one list with an entry per interface and address family, in which hardware
 * addresses are entries of their own (AF_PACKET on Linux, AF_LINK elsewhere). getifaddrs allocates
 * by malloc, even when the user has set an allocator, and asks the kernel by netlink, which does
 * not block.
 *
 * The field for the broadcast address is of no use on Linux: it is the peer's address of a
 * point-to-point address, and the address itself where no broadcast address was set. */
#include "config.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifdef AF_PACKET
#include <linux/if_packet.h>
#elif defined(AF_LINK)
#include <net/if_dl.h>
#endif

#include "lib/os/address.h"
#include "lib/os/interface.h"
#include "lib/os/posix.h"

/* read_address reads the IP address at `name`. A netmask has no scope. */
static void read_address(const struct sockaddr *name, int family, plx_address *ret_address)
{
    plx_address address = {0};
    /* The address is copied: the kernel aligns it only as struct sockaddr. */
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
    *ret_address = address;
}

/* format writes the IP address at `name` as a string, "" when there is no address. */
static void format(const struct sockaddr *name, int family, char *text, size_t size)
{
    plx_address address;
    text[0] = '\0';
    if (name != NULL) {
        read_address(name, family, &address);
        (void)plx__address_format_host(&address, text, size);
    }
}

/* hardware_address returns a pointer to the six bytes of a MAC address, or NULL. */
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

void plx__interface_device(const char *name, char *ret_device, size_t size)
{
    (void)snprintf(ret_device, size, "%.*s", (int)strcspn(name, ":"), name);
}

/* format_mac writes the MAC address of the device of that name or label; "" for a device without
 * one, such as the loopback device, whose MAC address is all zero. */
static void format_mac(const struct ifaddrs *all, const char *name, char *text, size_t size)
{
    static const unsigned char none[6] = {0};
    char device[IF_NAMESIZE];
    plx__interface_device(name, device, sizeof device);
    text[0] = '\0';
    for (const struct ifaddrs *entry = all; entry != NULL; entry = entry->ifa_next) {
        const unsigned char *mac = hardware_address(entry->ifa_addr);
        if (mac == NULL || strcmp(entry->ifa_name, device) != 0 ||
            memcmp(mac, none, sizeof none) == 0) {
            continue;
        }
        (void)snprintf(text, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                       mac[4], mac[5]);
        return;
    }
}

/* format_broadcast writes the broadcast address that was set for an IPv4 address; "" when none was
 * set. When an interface has several addresses, Linux finds the right one by name and address
 * (netdevice(7), SIOCGIFBRDADDR). */
static void format_broadcast(const struct ifaddrs *entry, plx__fd asker, char *text, size_t size)
{
    text[0] = '\0';
    if (entry->ifa_addr->sa_family != AF_INET) {
        return;
    }
#ifdef AF_PACKET
    struct ifreq request;
    struct sockaddr_in answer;
    memset(&request, 0, sizeof request);
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", entry->ifa_name);
    memcpy(&request.ifr_addr, entry->ifa_addr, sizeof request.ifr_addr);
    if (ioctl(asker, SIOCGIFBRDADDR, &request) < 0) {
        return;
    }
    memcpy(&answer, &request.ifr_broadaddr, sizeof answer);
    if (answer.sin_addr.s_addr != htonl(INADDR_ANY)) {
        format(&request.ifr_broadaddr, AF_INET, text, size);
    }
#else
    (void)asker;
    if ((entry->ifa_flags & IFF_BROADCAST) != 0) {
        format(entry->ifa_broadaddr, AF_INET, text, size);
    }
#endif
}

static void describe(const struct ifaddrs *all, const struct ifaddrs *entry, plx__fd asker,
                     plx_interface *interface)
{
    int family = entry->ifa_addr->sa_family;
    memset(interface, 0, sizeof *interface);
    (void)snprintf(interface->name, sizeof interface->name, "%s", entry->ifa_name);
    format(entry->ifa_addr, family, interface->ip_address, sizeof interface->ip_address);
    format(entry->ifa_netmask, family, interface->subnet_mask, sizeof interface->subnet_mask);
    format_broadcast(entry, asker, interface->broadcast_address,
                     sizeof interface->broadcast_address);
    format_mac(all, entry->ifa_name, interface->mac_address, sizeof interface->mac_address);
    interface->is_loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
    interface->is_up = (entry->ifa_flags & IFF_UP) != 0;
}

/* A tunnel without an address has NULL there (getifaddrs(3)). */
static bool has_address(const struct ifaddrs *entry)
{
    return entry->ifa_addr != NULL &&
           (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6);
}

size_t plx_interface_list(plx_interface *list, size_t size)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) {
        return 0;
    }
    size_t count = 0;
    plx__fd asker =
        list == NULL || size == 0 ? -1 : plx__os_socket(PLX__FAMILY_IPV4, PLX__TYPE_DATAGRAM);
    for (const struct ifaddrs *entry = all; entry != NULL; entry = entry->ifa_next) {
        if (!has_address(entry)) {
            continue;
        }
        if (list != NULL && count < size) {
            describe(all, entry, asker, &list[count]);
        }
        count++;
    }
    if (asker >= 0) {
        plx__os_close(asker);
    }
    freeifaddrs(all);
    return count;
}

/* ---- finding an interface -------------------------------------------------------------------- */

/* What find looks for: a numeric address, or the name of an interface or a label. */
struct search {
    const char *wanted;
    plx_address literal;
    bool is_literal;
    int family;
    const plx_address *peer;
};

static bool is_link_local(const plx_address *address)
{
    return address->family == 6 && plx__address_is_link_local(address->bytes);
}

/* Returns whether the two are the same address. A link-local literal without a scope means the
 * address on any interface. */
static bool means(const plx_address *literal, const plx_address *address)
{
    plx_address bare = *address;
    bare.scope = literal->scope == 0 ? 0 : address->scope;
    return plx_address_equal(literal, &bare);
}

/* Returns how well an entry fits, 0: not at all. */
static int rank_of(const struct search *search, const char *name, const plx_address *address)
{
    char device[IF_NAMESIZE];
    if (search->family != 0 && address->family != search->family) {
        return 0;
    }
    if (search->is_literal) {
        return means(&search->literal, address) ? 1 : 0;
    }
    plx__interface_device(name, device, sizeof device);
    if (strcmp(device, search->wanted) != 0 && strcmp(name, search->wanted) != 0) {
        return 0;
    }
    bool local = search->peer != NULL && is_link_local(search->peer);
    return 1 + (is_link_local(address) == local ? 1 : 0) +
           (strcmp(name, search->wanted) == 0 ? 2 : 0);
}

static const struct ifaddrs *find(const struct ifaddrs *all, const struct search *search)
{
    const struct ifaddrs *best = NULL;
    int best_rank = 0;
    for (const struct ifaddrs *entry = all; entry != NULL; entry = entry->ifa_next) {
        plx_address address;
        if (!has_address(entry)) {
            continue;
        }
        read_address(entry->ifa_addr, entry->ifa_addr->sa_family, &address);
        int rank = rank_of(search, entry->ifa_name, &address);
        if (rank > best_rank) {
            best = entry;
            best_rank = rank;
        }
    }
    return best;
}

bool plx__interface_find(const char *wanted, int family, const plx_address *peer,
                         plx_interface *ret_entry)
{
    struct ifaddrs *all;
    struct search search = {.wanted = wanted, .family = family, .peer = peer};
    search.is_literal = plx__address_parse_host(wanted, strlen(wanted), &search.literal);
    if (getifaddrs(&all) != 0) {
        return false;
    }
    const struct ifaddrs *best = find(all, &search);
    if (best != NULL) {
        plx__fd asker = plx__os_socket(PLX__FAMILY_IPV4, PLX__TYPE_DATAGRAM);
        describe(all, best, asker, ret_entry);
        if (asker >= 0) {
            plx__os_close(asker);
        }
    }
    freeifaddrs(all);
    return best != NULL;
}

bool plx__interface_address(const char *wanted, int family, const plx_address *peer,
                            plx_address *ret_address)
{
    plx_interface entry;
    plx_address address;
    bool is_literal = plx__address_parse_host(wanted, strlen(wanted), &address);
    if (is_literal && family != 0 && address.family != family) {
        return false;
    }
    bool complete = is_literal && (!is_link_local(&address) || address.scope != 0);
    if (!complete && plx__interface_find(wanted, family, peer, &entry)) {
        is_literal = plx__address_parse_host(entry.ip_address, strlen(entry.ip_address), &address);
    }
    if (is_literal) {
        *ret_address = address;
    }
    return is_literal;
}

unsigned plx__interface_index(const char *wanted)
{
    char device[IF_NAMESIZE];
    plx_interface entry;
    plx_address literal;
    if (plx__address_parse_host(wanted, strlen(wanted), &literal)) {
        if (literal.scope != 0) {
            return literal.scope;
        }
        if (!plx__interface_find(wanted, 0, NULL, &entry)) {
            return 0;
        }
        wanted = entry.name;
    }
    plx__interface_device(wanted, device, sizeof device);
    return plx__os_interface_index(device);
}
