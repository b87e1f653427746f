/* tests/test-option.c -- options of the internet, as they are seen on the network.
 *
 * What an option does to IPv4 it has to do to IPv6, and to IPv4 that leaves a socket of both
 * families. Each case has a network of its own, and looks at the packets in it (packet(7)). */
#include "config.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>

#include "tests/netns.h"
#include "tests/sockets.h"
#include "tests/world.h"

/* The families that a socket serves, and to which of them it sends. */
struct way {
    const char *name;
    int protocol;      /* PLX_OPTION_PROTOCOL */
    const char *alone; /* an address on the loopback */
    const char *group; /* one of several networks */
};

static const struct way ways[] = {
    {"IPv4", 0, "127.0.0.1", "239.1.2.3"},
    {"IPv6", 1, "::1", "ff05::123"},
    {"both to IPv4", 2, "127.0.0.1", "239.1.2.3"},
    {"both to IPv6", 2, "::1", "ff05::123"},
};

enum { WAYS = sizeof ways / sizeof ways[0] };

#define EACH_WAY(way) for (const struct way *way = ways; way < ways + WAYS; way++)

static void set(plx_socket *socket, plx_option option, int value)
{
    ck_assert_msg(plx_socket_set_option(socket, option, value) == 0, "%s",
                  plx_socket_error(socket)->message);
}

static plx_socket *udp(struct world *w, const struct way *way)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

    set(socket, PLX_OPTION_PROTOCOL, way->protocol);
    return socket;
}

/* Two cables, v0 to v1 and w0 to w1; the addresses are at v0 and w0. */
static bool lay_cables(const char *what)
{
    netns_run("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0");
    if (!netns_needs(what, "ip link add v0 type veth peer name v1"))
        return false;
    netns_run("ip link add w0 type veth peer name w1");
    netns_run("for i in v0 v1 w0 w1; do ip link set $i up; done");
    netns_run("ip addr add 10.9.0.1/24 brd + dev v0 && ip addr add fd09::1/64 dev v0 nodad");
    netns_run("ip addr add 10.8.0.1/24 brd + dev w0 && ip addr add fd08::1/64 dev w0 nodad");
    netns_wait_addresses();
    netns_wait_up("v0");
    netns_wait_up("w0");
    return true;
}

/* ---- packets on the way ---------------------------------------------------------------------- */

struct seen {
    int type_of_service, hops;
};

static int listen_in(struct world *w, const char *interface)
{
    struct sockaddr_ll name = {.sll_family = AF_PACKET,
                               .sll_protocol = htons(ETH_P_ALL),
                               .sll_ifindex = (int)if_nametoindex(interface)};
    int raw = world_raw(w, socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

    ck_assert_int_eq(bind(raw, (struct sockaddr *)&name, sizeof name), 0);
    return raw;
}

/* Takes packets until one has this text in it; false: there is none now. */
static bool find_packet(int raw, const char *text, struct seen *ret_seen)
{
    unsigned char packet[2048];
    ssize_t size;

    while ((size = recv(raw, packet, sizeof packet, MSG_DONTWAIT)) > 0) {
        if (memmem(packet, (size_t)size, text, strlen(text)) == NULL)
            continue;
        ret_seen->type_of_service =
            packet[0] >> 4 == 4 ? packet[1] : (packet[0] & 0xf) << 4 | packet[1] >> 4;
        ret_seen->hops = packet[0] >> 4 == 4 ? packet[8] : packet[7];
        return true;
    }
    return false;
}

static struct seen expect_packet(struct world *w, int raw, const char *text)
{
    struct seen seen = {-1, -1};

    UNTIL(w, find_packet(raw, text, &seen));
    return seen;
}

static plx_address address_of(const char *host, int port)
{
    plx_address address;

    ck_assert_int_eq(plx_address_parse(host, &address), 0);
    address.port = (uint16_t)port;
    return address;
}

static void send_to(plx_socket *socket, const char *host, int port, const char *text)
{
    plx_address to = address_of(host, port);

    ck_assert_msg(plx_udp_write(socket, &to, text, strlen(text)) == 0, "%s",
                  plx_socket_error(socket)->message);
}

/* A raw socket that hears what is sent to a group on this interface. */
static int hear_group(struct world *w, const char *group, const char *interface, int port)
{
    plx_address address = address_of(group, port);
    bool six = address.family == 6;
    int raw = world_raw(w, socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 here6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct ip_mreqn join = {.imr_ifindex = (int)if_nametoindex(interface)};
    struct ipv6_mreq join6 = {.ipv6mr_interface = if_nametoindex(interface)};

    memcpy(&join.imr_multiaddr, address.bytes, 4);
    memcpy(&join6.ipv6mr_multiaddr, address.bytes, 16);
    ck_assert_int_eq(
        bind(raw, six ? (void *)&here6 : (void *)&here, six ? sizeof here6 : sizeof here), 0);
    ck_assert_int_eq(
        setsockopt(raw, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_JOIN_GROUP : IP_ADD_MEMBERSHIP,
                   six ? (void *)&join6 : (void *)&join, six ? sizeof join6 : sizeof join),
        0);
    return raw;
}

static bool has_heard(int raw, const char *text)
{
    char got[64] = "";

    return recv(raw, got, sizeof got - 1, MSG_DONTWAIT) > 0 && strcmp(got, text) == 0;
}

/* ---- the byte in the header, and hops -------------------------------------------------------- */

MODE_CASE(header_of_datagrams)
{
    int raw;

    if (!netns_enter("type of service and hops of datagrams"))
        return;
    raw = listen_in(w, "lo");
    EACH_WAY(way)
    {
        plx_socket *socket = udp(w, way);
        struct seen seen;

        set(socket, PLX_OPTION_TYPE_OF_SERVICE, 0x28);
        ck_assert_int_eq(plx_socket_connect(socket), 0);
        send_to(socket, way->alone, 9, "set before");
        seen = expect_packet(w, raw, "set before");
        ck_assert_msg(seen.type_of_service == 0x28, "%s: %d", way->name, seen.type_of_service);
        ck_assert_msg(seen.hops == 32, "%s: %d", way->name, seen.hops);
        set(socket, PLX_OPTION_TYPE_OF_SERVICE, 0xb8);
        set(socket, PLX_OPTION_ROUTER_HOPS, 9);
        ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_TYPE_OF_SERVICE), 0xb8);
        ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_ROUTER_HOPS), 9);
        send_to(socket, way->alone, 9, "set while bound");
        seen = expect_packet(w, raw, "set while bound");
        ck_assert_msg(seen.type_of_service == 0xb8, "%s: %d", way->name, seen.type_of_service);
        ck_assert_msg(seen.hops == 9, "%s: %d", way->name, seen.hops);
    }
}

MODE_CASE(header_of_datagrams_to_a_peer)
{
    int raw;

    if (!netns_enter("type of service and hops of datagrams to a peer"))
        return;
    raw = listen_in(w, "lo");
    EACH_WAY(way)
    {
        plx_socket *socket = udp(w, way);
        plx_address peer = address_of(way->alone, 9);
        struct seen seen;
        char where[64];

        set(socket, PLX_OPTION_TYPE_OF_SERVICE, 0x28);
        plx_address_format(&peer, where, sizeof where);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        UNTIL(w, plx_socket_is_connected(socket));
        ck_assert_int_eq(plx_socket_write(socket, "to a peer", 9), 9);
        seen = expect_packet(w, raw, "to a peer");
        ck_assert_msg(seen.type_of_service == 0x28, "%s: %d", way->name, seen.type_of_service);
        ck_assert_msg(seen.hops == 32, "%s: %d", way->name, seen.hops);
        set(socket, PLX_OPTION_TYPE_OF_SERVICE, 0xb8);
        set(socket, PLX_OPTION_ROUTER_HOPS, 9);
        ck_assert_int_eq(plx_socket_write(socket, "changed", 7), 7);
        seen = expect_packet(w, raw, "changed");
        ck_assert_msg(seen.type_of_service == 0xb8, "%s: %d", way->name, seen.type_of_service);
        ck_assert_msg(seen.hops == 9, "%s: %d", way->name, seen.hops);
    }
}

/* Both ends: one that connects, and the client of a server that serves one family or both. */
MODE_CASE(header_of_connections)
{
    int raw;

    if (!netns_enter("type of service of connections"))
        return;
    raw = listen_in(w, "lo");
    EACH_WAY(way)
    {
        plx_server *server = world_server(w);
        plx_socket *socket = world_socket_of(w, plx_tcp_new, NULL), *client;
        plx_address peer;
        char where[64];

        ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_PROTOCOL, way->protocol), 0);
        ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_TYPE_OF_SERVICE, 0x28), 0);
        ck_assert_int_eq(plx_server_listen_on(server, ":0"), 0);
        peer = address_of(way->alone, plx_server_port(server));
        plx_address_format(&peer, where, sizeof where);
        set(socket, PLX_OPTION_TYPE_OF_SERVICE, 0xb8);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        UNTIL(w, plx_socket_is_connected(socket) && plx_server_active_count(server) == 1);
        client = plx_server_next_active(server, NULL);
        ck_assert_int_eq(plx_socket_write(socket, "to the server", 13), 13);
        ck_assert_int_eq(expect_packet(w, raw, "to the server").type_of_service, 0xb8);
        ck_assert_int_eq(plx_socket_write(client, "to the client", 13), 13);
        ck_assert_int_eq(expect_packet(w, raw, "to the client").type_of_service, 0x28);
        set(client, PLX_OPTION_TYPE_OF_SERVICE, 0x48);
        ck_assert_int_eq(plx_socket_option(client, PLX_OPTION_TYPE_OF_SERVICE), 0x48);
        ck_assert_int_eq(plx_socket_write(client, "changed", 7), 7);
        ck_assert_int_eq(expect_packet(w, raw, "changed").type_of_service, 0x48);
        world_free_server(w, server);
    }
}

/* ---- groups and everybody -------------------------------------------------------------------- */

MODE_CASE(header_of_datagrams_to_groups)
{
    int raw;

    if (!netns_enter("type of service and hops of datagrams to groups") ||
        !lay_cables("type of service and hops of datagrams to groups"))
        return;
    raw = listen_in(w, "v1");
    EACH_WAY(way)
    {
        plx_socket *socket = udp(w, way);
        struct seen seen;

        set(socket, PLX_OPTION_TYPE_OF_SERVICE, 0x28);
        ck_assert_int_eq(plx_socket_set_interface(socket, "v0"), 0);
        ck_assert_int_eq(plx_socket_connect(socket), 0);
        send_to(socket, way->group, 9, "to a group");
        seen = expect_packet(w, raw, "to a group");
        ck_assert_msg(seen.type_of_service == 0x28, "%s: %d", way->name, seen.type_of_service);
        ck_assert_msg(seen.hops == 32, "%s: %d", way->name, seen.hops);
        set(socket, PLX_OPTION_ROUTER_HOPS, 9);
        send_to(socket, way->group, 9, "a few hops");
        seen = expect_packet(w, raw, "a few hops");
        ck_assert_msg(seen.hops == 9, "%s: %d", way->name, seen.hops);
        set(socket, PLX_OPTION_MULTICAST_HOPS, 3);
        set(socket, PLX_OPTION_ROUTER_HOPS, 11); /* not of groups any more */
        send_to(socket, way->group, 9, "fewer hops");
        seen = expect_packet(w, raw, "fewer hops");
        ck_assert_msg(seen.hops == 3, "%s: %d", way->name, seen.hops);
    }
}

MODE_CASE(groups_come_back_to_self_or_not)
{
    int raw;

    if (!netns_enter("SEND_TO_SELF in each family") || !lay_cables("SEND_TO_SELF in each family"))
        return;
    raw = listen_in(w, "v1");
    EACH_WAY(way)
    {
        int port = 4000 + (int)(way - ways);
        int member = hear_group(w, way->group, "v0", port);
        plx_socket *socket = udp(w, way);

        ck_assert_int_eq(plx_socket_set_interface(socket, "v0"), 0);
        ck_assert_int_eq(plx_socket_connect(socket), 0);
        send_to(socket, way->group, port, "to others");
        expect_packet(w, raw, "to others");
        ck_assert_msg(!has_heard(member, "to others"), "%s: came back", way->name);
        set(socket, PLX_OPTION_SEND_TO_SELF, 1);
        send_to(socket, way->group, port, "to all");
        UNTIL(w, is_readable(member));
        ck_assert_msg(has_heard(member, "to all"), "%s: did not come back", way->name);
        set(socket, PLX_OPTION_SEND_TO_SELF, 0);
        send_to(socket, way->group, port, "to others again");
        expect_packet(w, raw, "to others again");
        ck_assert_msg(!has_heard(member, "to others again"), "%s: came back", way->name);
    }
}

/* By its name and by an address of it. */
MODE_CASE(groups_are_reached_by_the_interface_that_was_set)
{
    static const char *const interfaces[] = {"v0",       "w0",      "10.9.0.1",
                                             "10.8.0.1", "fd09::1", "fd08::1"};
    int raws[2];

    if (!netns_enter("the interface of groups in each family") ||
        !lay_cables("the interface of groups in each family"))
        return;
    raws[0] = listen_in(w, "v1");
    raws[1] = listen_in(w, "w1");
    for (size_t i = 0; i < sizeof interfaces / sizeof interfaces[0]; i++) {
        EACH_WAY(way)
        {
            bool four = strchr(interfaces[i], '.') != NULL,
                 six = strchr(interfaces[i], ':') != NULL;
            plx_socket *socket;
            struct seen seen;

            /* A socket that is bound to an address has its family. */
            if ((four && strchr(way->group, ':') != NULL) ||
                (six && strchr(way->group, '.') != NULL) || (four && way->protocol == 1) ||
                (six && way->protocol == 0))
                continue;
            socket = udp(w, way);
            ck_assert_int_eq(plx_socket_set_interface(socket, interfaces[i]), 0);
            ck_assert_msg(plx_socket_connect(socket) == 0, "%s at %s: %s", way->name, interfaces[i],
                          plx_socket_error(socket)->message);
            send_to(socket, way->group, 9, interfaces[i]);
            expect_packet(w, raws[i % 2], interfaces[i]);
            ck_assert_msg(!find_packet(raws[1 - i % 2], interfaces[i], &seen),
                          "%s at %s: left by the other one", way->name, interfaces[i]);
        }
    }
}

MODE_CASE(groups_are_heard_on_the_interface_that_was_set)
{
    if (!netns_enter("memberships in each family") || !lay_cables("memberships in each family"))
        return;
    EACH_WAY(way)
    {
        plx_socket *member = udp(w, way), *sender = udp(w, way), *other = udp(w, way);

        set(sender, PLX_OPTION_SEND_TO_SELF, 1);
        set(other, PLX_OPTION_SEND_TO_SELF, 1);
        ck_assert_int_eq(plx_socket_set_interface(member, "v0"), 0);
        ck_assert_int_eq(plx_socket_set_interface(sender, "v0"), 0);
        ck_assert_int_eq(plx_socket_set_interface(other, "w0"), 0);
        ck_assert_int_eq(plx_socket_connect(member), 0);
        ck_assert_int_eq(plx_socket_connect(sender), 0);
        ck_assert_int_eq(plx_socket_connect(other), 0);
        ck_assert_int_eq(plx_udp_join_multicast_group(member, way->group), 0);
        send_to(other, way->group, plx_socket_port(member), "no");
        world_settle(w);
        ck_assert_msg(plx_udp_packets_available(member) == 0, "%s: heard w0", way->name);
        send_to(sender, way->group, plx_socket_port(member), "yes");
        UNTIL(w, plx_udp_packets_available(member) == 1);
        ck_assert_int_eq(plx_udp_leave_multicast_group(member, way->group), 0);
        plx_socket_purge(member);
        send_to(sender, way->group, plx_socket_port(member), "no");
        world_settle(w);
        ck_assert_msg(plx_udp_packets_available(member) == 0, "%s: left it", way->name);
    }
}

/* IPv6 knows no such thing (RFC 4291, 2). */
MODE_CASE(broadcasts_are_allowed_or_not)
{
    static const char *const all[] = {"10.9.0.255", "255.255.255.255"};
    int raw;

    if (!netns_enter("BROADCAST in each family") || !lay_cables("BROADCAST in each family"))
        return;
    raw = listen_in(w, "v1");
    EACH_WAY(way)
    {
        struct record log;
        plx_socket *socket = udp(w, way);

        if (strchr(way->group, ':') != NULL)
            continue;
        record_begin(&log, socket);
        ck_assert_int_eq(plx_socket_set_interface(socket, "v0"), 0);
        ck_assert_int_eq(plx_socket_connect(socket), 0);
        for (size_t i = 0; i < 2; i++) {
            struct seen seen;

            send_to(socket, all[i], 9, all[i]);
            expect_packet(w, raw, all[i]);
            set(socket, PLX_OPTION_BROADCAST, 0);
            record_clear(&log);
            send_to(socket, all[i], 9, "forbidden");
            UNTIL(w, log.count[EVENT_ERROR] == 1);
            ck_assert_int_eq(log.os_error, EACCES);
            ck_assert(!find_packet(raw, "forbidden", &seen));
            set(socket, PLX_OPTION_BROADCAST, 1);
        }
        plx_socket_set_events(socket, NULL, NULL);
    }
}

/* ---- binding --------------------------------------------------------------------------------- */

MODE_CASE(addresses_are_shared_or_not)
{
    static const int first[] = {0, 1, 2, 2, 2, 0}, second[] = {0, 1, 2, 0, 1, 2};
    plx_constructor *const kinds_of[] = {plx_udp_new, plx_tcp_new};

    for (size_t i = 0; i < 24; i++) {
        size_t pair = i % 6;
        bool shared = i % 12 < 6;
        plx_constructor *create = kinds_of[i / 12];
        int (*begin)(plx_socket *) = i / 12 == 0 ? plx_socket_connect : plx_socket_listen;
        plx_socket *a = world_socket_of(w, create, NULL), *b = world_socket_of(w, create, NULL);

        set(a, PLX_OPTION_PROTOCOL, first[pair]);
        set(b, PLX_OPTION_PROTOCOL, second[pair]);
        set(a, PLX_OPTION_SHARE_ADDRESS, shared);
        set(b, PLX_OPTION_SHARE_ADDRESS, shared);
        ck_assert_int_eq(begin(a), 0);
        plx_socket_set_port(b, plx_socket_port(a));
        ck_assert_msg(begin(b) == (shared ? 0 : PLX_ADDRESS_IN_USE), "%s, PROTOCOL %d and %d: %s",
                      i / 12 == 0 ? "UDP" : "TCP", first[pair], second[pair],
                      plx_socket_error(b)->message);
        world_free(w, a);
        world_free(w, b);
    }
}

/* ---- the largest packet ---------------------------------------------------------------------- */

static long fragments(void)
{
    FILE *file = fopen("/proc/net/snmp6", "r");
    char line[200];
    long count = -1;

    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL)
        sscanf(line, "Ip6FragCreates %ld", &count);
    fclose(file);
    ck_assert_int_ge(count, 0);
    return count;
}

MODE_CASE(path_mtu)
{
    if (!netns_enter("PATH_MTU in each family"))
        return;
    netns_run("ip link set lo mtu 1500");
    EACH_WAY(way)
    {
        plx_socket *socket = udp(w, way);
        plx_address peer = address_of(way->alone, 9);
        char where[64];
        bool six = strchr(way->alone, ':') != NULL;
        static char text[3700]; /* three fragments of 1500 bytes, four of 1280 */
        long before;

        ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_PATH_MTU), 0);
        set(socket, PLX_OPTION_PATH_MTU, 1280);
        ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_PATH_MTU), 1280);
        ck_assert_int_eq(plx_socket_connect(socket), 0);
        ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_PATH_MTU), 0); /* no peer */
        plx_address_format(&peer, where, sizeof where);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        UNTIL(w, plx_socket_is_connected(socket));
        ck_assert_msg(plx_socket_option(socket, PLX_OPTION_PATH_MTU) == 1500, "%s: %d", way->name,
                      plx_socket_option(socket, PLX_OPTION_PATH_MTU));
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PATH_MTU, 1279),
                         PLX_INVALID_STATE);
        before = fragments();
        ck_assert_int_eq(plx_socket_write(socket, text, sizeof text), sizeof text);
        plx_socket_flush(socket);
        ck_assert_int_eq(fragments() - before, six ? 4 : 0);
        if (way->protocol == 0)
            ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PATH_MTU, 1400), ENOPROTOOPT);
        else
            set(socket, PLX_OPTION_PATH_MTU, 1400);
    }
}

WORLD_MAIN("option")
