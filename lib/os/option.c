/* lib/os/option.c -- the kernel's side of socket options. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/os/posix.h"

#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>

#ifndef TCP_KEEPIDLE /* macOS */
#define TCP_KEEPIDLE TCP_KEEPALIVE
#endif
/* IP_BIND_ADDRESS_NO_PORT is of Linux 4.2 and missing in the headers of some C libraries. */
#if !defined IP_BIND_ADDRESS_NO_PORT && defined __linux__
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#ifndef IP_MTU
#define IP_MTU (-1)
#endif
#ifndef IPV6_MTU
#define IPV6_MTU (-1)
#endif

/* The level and the name of an option in the kernel. An IPv6 socket sets the second pair as well,
 * where it is not zero. */
struct place {
    int level, name;
    int ipv6_level, ipv6_name;
};

/* Some options are two options of the kernel: ROUTER_HOPS also sets the hop limit of multicast
 * datagrams, which the program may have set to another value. */
#define PLACES 2

static const struct place places[][PLACES] = {
    [PLX_OPTION_KEEP_ALIVE] = {{SOL_SOCKET, SO_KEEPALIVE, 0, 0}},
    [PLX_OPTION_KEEP_ALIVE_IDLE] = {{IPPROTO_TCP, TCP_KEEPIDLE, 0, 0}},
    [PLX_OPTION_KEEP_ALIVE_INTERVAL] = {{IPPROTO_TCP, TCP_KEEPINTVL, 0, 0}},
    [PLX_OPTION_KEEP_ALIVE_COUNT] = {{IPPROTO_TCP, TCP_KEEPCNT, 0, 0}},
    [PLX_OPTION_LOW_DELAY] = {{IPPROTO_TCP, TCP_NODELAY, 0, 0}},
    [PLX_OPTION_TYPE_OF_SERVICE] = {{IPPROTO_IP, IP_TOS, IPPROTO_IPV6, IPV6_TCLASS}},
    [PLX_OPTION_SEND_BUFFER_SIZE] = {{SOL_SOCKET, SO_SNDBUF, 0, 0}},
    [PLX_OPTION_RECEIVE_BUFFER_SIZE] = {{SOL_SOCKET, SO_RCVBUF, 0, 0}},
    [PLX_OPTION_PATH_MTU] = {{IPPROTO_IP, IP_MTU, IPPROTO_IPV6, IPV6_MTU}},
    [PLX_OPTION_ROUTER_HOPS] = {{IPPROTO_IP, IP_TTL, IPPROTO_IPV6, IPV6_UNICAST_HOPS},
                                {IPPROTO_IP, IP_MULTICAST_TTL, IPPROTO_IPV6, IPV6_MULTICAST_HOPS}},
    [PLX_OPTION_MULTICAST_HOPS] = {{IPPROTO_IP, IP_MULTICAST_TTL, IPPROTO_IPV6,
                                    IPV6_MULTICAST_HOPS}},
    [PLX_OPTION_SEND_TO_SELF] = {{IPPROTO_IP, IP_MULTICAST_LOOP, IPPROTO_IPV6,
                                  IPV6_MULTICAST_LOOP}},
    [PLX_OPTION_BROADCAST] = {{SOL_SOCKET, SO_BROADCAST, 0, 0}},
    [PLX_OPTION_SHARE_ADDRESS] = {{SOL_SOCKET, SO_REUSEADDR, 0, 0},
                                  {SOL_SOCKET, SO_REUSEPORT, 0, 0}},
#ifdef TCP_USER_TIMEOUT
    [PLX_OPTION_UNACKNOWLEDGED_TIMEOUT] = {{IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 0}},
#endif
};

static const struct place *places_of(plx_option option)
{
    if ((unsigned)option >= PLX__COUNT_OF(places) || places[option][0].name == 0) {
        return NULL;
    }
    return places[option];
}

bool plx__os_has_option(plx_option option)
{
    return places_of(option) != NULL;
}

static int set(plx__fd descriptor, int level, int name, int value)
{
    return setsockopt(descriptor, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static int get(plx__fd descriptor, int level, int name, int *ret_value)
{
    int value = 0;
    socklen_t size = sizeof value;
    if (getsockopt(descriptor, level, name, &value, &size) < 0) {
        return -errno;
    }
    *ret_value = value;
    return 0;
}

static bool is_ipv6(plx__fd descriptor)
{
    struct plx__sockaddr name;
    return plx__os_local_sockaddr(descriptor, &name) == 0 &&
           plx__sockaddr_family(&name) == PLX__FAMILY_IPV6;
}

static int set_at(plx__fd descriptor, const struct place *place, bool ipv6, int value)
{
    int result = set(descriptor, place->level, place->name, value);
    if (!ipv6 || place->ipv6_name == 0) {
        return result;
    }
    /* On an IPv6 socket the option of IPv4 affects only v4-mapped addresses, and not every kernel
     * has it. */
    return set(descriptor, place->ipv6_level, place->ipv6_name, value);
}

int plx__os_set_option(plx__fd descriptor, plx_option option, int value)
{
    const struct place *place = places_of(option);
    if (place == NULL) {
        return -ENOPROTOOPT;
    }
    bool ipv6 = place->ipv6_name != 0 && is_ipv6(descriptor);
    int result = set_at(descriptor, &place[0], ipv6, value);
    return result < 0 || place[1].name == 0 ? result : set_at(descriptor, &place[1], ipv6, value);
}

int plx__os_option(plx__fd descriptor, plx_option option, int *ret_value)
{
    const struct place *place = places_of(option);
    if (place == NULL) {
        return -ENOPROTOOPT;
    }
    bool ipv6 = place->ipv6_name != 0 && is_ipv6(descriptor);
    return get(descriptor, ipv6 ? place->ipv6_level : place->level,
               ipv6 ? place->ipv6_name : place->name, ret_value);
}

#ifdef TCP_INFO

static int ask_info(plx__fd descriptor, struct tcp_info *ret_info)
{
    socklen_t size = sizeof *ret_info;
    memset(ret_info, 0, sizeof *ret_info);
    return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, ret_info, &size) < 0 ? -errno : 0;
}

int plx__os_connection_facts(plx__fd descriptor, struct plx__os_connection_facts *ret_facts)
{
    struct tcp_info info;
    int result = ask_info(descriptor, &info);
    if (result < 0) {
        return result;
    }
    /* For a listener these members mean something else or nothing (tcp_get_info of Linux). */
    if (info.tcpi_state == TCP_LISTEN) {
        return -ENOTCONN;
    }
    /* Until the first measurement the round-trip time is 0 and its variation a guess. A SYN that
     * was retransmitted gives no measurement (RFC 6298, section 3). */
    bool measured = info.tcpi_rtt != 0;
    *ret_facts = (struct plx__os_connection_facts){
        .round_trip = measured ? (int64_t)info.tcpi_rtt : -1,
        .round_trip_variation = measured ? (int64_t)info.tcpi_rttvar : -1,
        .retransmissions = info.tcpi_total_retrans,
        .congestion_window = info.tcpi_snd_cwnd};
    return 0;
}

uint32_t plx__os_acknowledged_ago(plx__fd descriptor)
{
    struct tcp_info info;
    return ask_info(descriptor, &info) == 0 ? info.tcpi_last_ack_recv : 0;
}

#else

int plx__os_connection_facts(plx__fd descriptor, struct plx__os_connection_facts *ret_facts)
{
    (void)descriptor;
    (void)ret_facts;
    return -ENOPROTOOPT;
}

uint32_t plx__os_acknowledged_ago(plx__fd descriptor)
{
    (void)descriptor;
    return 0;
}

#endif

int plx__os_set_only_ipv6(plx__fd descriptor, bool only)
{
    return set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, only);
}

int plx__os_set_reuse(plx__fd descriptor)
{
    return set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
}

int plx__os_set_late_port(plx__fd descriptor)
{
#ifdef IP_BIND_ADDRESS_NO_PORT
    /* Linux has the option for both families under IPPROTO_IP. */
    return set(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
#else
    (void)descriptor;
    return -ENOPROTOOPT;
#endif
}

int plx__os_set_urgent_inline(plx__fd descriptor)
{
    return set(descriptor, SOL_SOCKET, SO_OOBINLINE, 1);
}

int plx__os_membership(plx__fd descriptor, const plx_address *group, unsigned interface_index,
                       bool join)
{
    int result;
    if (group->family == 4) {
        struct ip_mreqn request = {.imr_ifindex = (int)interface_index};
        memcpy(&request.imr_multiaddr, group->bytes, 4);
        result = setsockopt(descriptor, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
                            &request, sizeof request);
    } else {
        struct ipv6_mreq request = {.ipv6mr_interface = interface_index};
        memcpy(&request.ipv6mr_multiaddr, group->bytes, sizeof group->bytes);
        result = setsockopt(descriptor, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP,
                            &request, sizeof request);
    }
    return plx__os_result(result);
}

int plx__os_set_only_joined(plx__fd descriptor)
{
    int result = -ENOPROTOOPT;
    (void)descriptor;
#ifdef IPV6_MULTICAST_ALL
    if (is_ipv6(descriptor)) {
        result = set(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    }
#endif
#ifdef IP_MULTICAST_ALL
    result = set(descriptor, IPPROTO_IP, IP_MULTICAST_ALL, 0);
#endif
    return result;
}

int plx__os_set_multicast_interface(plx__fd descriptor, unsigned interface_index,
                                    const plx_address *source)
{
    struct ip_mreqn request = {.imr_ifindex = (int)interface_index};
    if (source->family == 4) {
        memcpy(&request.imr_address, source->bytes, 4);
    }
    if (is_ipv6(descriptor)) {
        int result = set(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)interface_index);
        if (result < 0) {
            return result;
        }
    }
    return setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) < 0
               ? -errno
               : 0;
}

int plx__os_bind_device(plx__fd descriptor, const char *name)
{
#ifdef SO_BINDTODEVICE
    return setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0
               ? -errno
               : 0;
#else
    (void)descriptor;
    (void)name;
    return -ENOPROTOOPT;
#endif
}

int plx__os_bound_device(plx__fd descriptor)
{
#ifdef SO_BINDTODEVICE
    char name[IF_NAMESIZE] = "";
    socklen_t size = sizeof name;
    /* The kernel keeps an index and looks the name up. */
    if (getsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name, &size) < 0) {
        return errno == ENODEV ? -ENODEV : 0;
    }
    return size == 0 ? 0 : (int)if_nametoindex(name);
#else
    (void)descriptor;
    return 0;
#endif
}

bool plx__os_has_interface(unsigned index)
{
    char name[IF_NAMESIZE];
    /* ENXIO and ENODEV mean that there is no such interface; another errno means that the call
     * found out nothing. */
    return if_indextoname(index, name) != NULL || (errno != ENXIO && errno != ENODEV);
}

unsigned plx__os_interface_index(const char *name)
{
    return if_nametoindex(name);
}
