/* tests/test-local.c -- the local end of connections: the port and the address that they come from.
 *
 * Each case has a network of its own, in which there are a handful of ports or addresses to
 * share. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "tests/netns.h"
#include "tests/world.h"

static const char *const families[] = {"127.0.0.1", "[::1]"};

static void place(char *ret_where, const char *host, int port)
{
    snprintf(ret_where, WHERE_SIZE, "%s:%d", host, port);
}

/* ---- a connection to itself ------------------------------------------------------------------ */

/* The range of the kernel's choice holds one even and one odd port: connect(2) takes the even one
 * first, so that a client of that port meets itself. */
#define PORT 40002

static void few_ports(void)
{
    netns_run("sysctl -qw net.ipv4.ip_local_port_range='%d %d'", PORT, PORT + 1);
}

/* Connects until the client has met itself. */
static void meet(struct world *w, plx_socket *client, struct record *log, const char *host)
{
    char where[WHERE_SIZE];

    place(where, host, PORT);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(plx_socket_connect_to(client, where), 0);
        UNTIL(w, plx_socket_state(client) == PLX_UNCONNECTED);
        UNTIL(w, log->count[EVENT_ERROR] == i + 1);
        ck_assert_int_eq(log->os_error, ECONNREFUSED);
        ck_assert_int_eq(log->count[EVENT_CONNECTED], 0);
    }
}

static void expect_port_free(struct world *w, const char *host)
{
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];

    place(where, host, PORT);
    ck_assert_msg(plx_server_listen_on(server, where) == 0, "%s: %s: %s", world_name(w), where,
                  plx_server_error(server)->message);
    world_free_server(w, server);
}

MODE_CASE(meeting_oneself_leaves_the_port_free)
{
    if (!netns_enter("a connection to itself leaves no TIME_WAIT"))
        return;
    few_ports();
    for (size_t i = 0; i < 2; i++) {
        struct record log;
        plx_socket *client = world_socket(w, &log);

        meet(w, client, &log, families[i]);
        world_free(w, client);
        expect_port_free(w, families[i]);
    }
}

/* The same where nobody has looked at the attempt before it is given up. */
MODE_CASE(meeting_oneself_unseen_leaves_the_port_free)
{
    if (!netns_enter("a connection to itself that is given up leaves no TIME_WAIT"))
        return;
    few_ports();
    for (size_t i = 0; i < 8; i++) {
        plx_socket *client = world_socket(w, NULL);
        char where[WHERE_SIZE];

        place(where, families[i % 2], PORT);
        ck_assert_int_eq(plx_socket_connect_to(client, where), 0);
        if (i < 2)
            plx_socket_close(client);
        else if (i < 4)
            plx_socket_abort(client);
        else if (i < 6)
            plx_socket_disconnect(client);
        world_free(w, client);
        expect_port_free(w, families[i % 2]);
    }
}

/* ---- many connections from one address ------------------------------------------------------- */

/* Four ports are enough for any number of connections from one address, as long as no two of them
 * lead to the same place. */
static void connect_from(struct world *w, const char *host, const char *from)
{
    plx_server *servers[3];
    int connected = 0;

    for (int i = 0; i < 3; i++) {
        char where[WHERE_SIZE];

        servers[i] = world_server(w);
        place(where, host, 9201 + i);
        ck_assert_int_eq(plx_server_listen_on(servers[i], where), 0);
    }
    for (int i = 0; i < 12; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE];

        place(where, host, 9201 + i % 3);
        ck_assert_int_eq(plx_socket_set_interface(socket, from), 0);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        UNTIL(w, plx_socket_state(socket) != PLX_CONNECTING);
        connected += plx_socket_state(socket) == PLX_CONNECTED &&
                     strcmp(plx_socket_local_address(socket), from) == 0;
        plx_socket_set_events(socket, NULL, NULL);
    }
    ck_assert_msg(connected == 12, "%s: %d of 12 from %s", world_name(w), connected, from);
    for (int i = 0; i < 3; i++)
        world_free_server(w, servers[i]);
}

MODE_CASE(ports_are_shared_by_destinations)
{
    if (!netns_enter("an interface that was set does not use up the ports"))
        return;
    netns_run("sysctl -qw net.ipv4.ip_local_port_range='40000 40003'");
    connect_from(w, "127.0.0.1", "127.0.0.2");
    connect_from(w, "[::1]", "::1");
}

/* ---- interfaces ------------------------------------------------------------------------------ */

/* Four cables, v0 to v1 and so on. x0 has no IPv4 address but one with a label, y0 none at all, z0
 * only a link-local one. What comes by a cable may have been sent by this very computer. */
static bool lay_cables(const char *what)
{
    if (!netns_needs(what, "ip link add v0 type veth peer name v1"))
        return false;
    netns_run("for i in x y z; do ip link add ${i}0 type veth peer name ${i}1; done");
    netns_run("for i in v x y z; do for e in 0 1; do "
              "sysctl -qw net.ipv4.conf.$i$e.accept_local=1 net.ipv4.conf.$i$e.rp_filter=0; "
              "ip link set $i$e addrgenmode none; ip link set $i$e up; done; done");
    netns_run("ip addr add 10.9.0.1/24 dev v0 && ip addr add 10.9.1.1/24 dev v0 label v0:game");
    netns_run("ip addr add fd09::1/64 dev v0 nodad && ip addr add fe80::a/64 dev v0 nodad");
    netns_run(
        "ip addr add 10.8.0.1/24 dev x0 label x0:only && ip addr add fd08::1/64 dev x0 nodad");
    netns_run("ip addr add fe80::c/64 dev z0 nodad && ip addr add fe80::e/64 dev x0 nodad");
    netns_run("for i in v x z; do ip addr add fe80::b/64 dev ${i}1 nodad; done");
    netns_wait_addresses();
    for (const char *cable = "vxyz"; *cable != '\0'; cable++) {
        netns_wait_up((char[]){*cable, '0', '\0'});
        netns_wait_up((char[]){*cable, '1', '\0'});
    }
    return true;
}

/* What set_interface is given, the address that a listener or a connection has then, and how
 * datagrams reach it: from which interface to which address. */
struct interface {
    const char *wanted;
    int protocol;
    const char *address; /* NULL: it has none */
    const char *from, *to;
};

static const struct interface interfaces[] = {
    {"v0", 2, "10.9.0.1", "v1", "fe80::a%v1"},
    {"v0", 0, "10.9.0.1", "v1", "255.255.255.255"},
    {"v0", 1, "fd09::1", "v1", "fe80::a%v1"},
    {"v0:game", 2, "10.9.1.1", "v1", "255.255.255.255"},
    {"v0:game", 0, "10.9.1.1", "v1", "255.255.255.255"},
    {"10.9.1.1", 2, "10.9.1.1", "10.9.1.1", "10.9.1.1"},
    {"fd09::1", 2, "fd09::1", "fd09::1", "fd09::1"},
    {"fe80::a%v0", 2, "fe80::a%v0", "v1", "fe80::a%v1"},
    {"fe80::a", 2, "fe80::a%v0", "v1", "fe80::a%v1"},
    {"x0", 2, "fd08::1", "x1", "255.255.255.255"},
    {"x0", 0, "10.8.0.1", "x1", "255.255.255.255"},
    {"x0:only", 2, "10.8.0.1", "x1", "255.255.255.255"},
    {"x0", 1, "fd08::1", "x1", "fe80::e%x1"},
    {"y0", 2, NULL, "y1", "255.255.255.255"},
    {"y0", 0, NULL, "y1", "255.255.255.255"},
    {"z0", 2, "fe80::c%z0", "z1", "fe80::c%z1"},
    {"z0", 1, "fe80::c%z0", "fe80::b%z1", "fe80::c%z1"},
    {"lo", 2, "127.0.0.1", "lo", "127.0.0.1"},
    {"lo", 1, "::1", "lo", "::1"},
};

enum { INTERFACES = sizeof interfaces / sizeof interfaces[0] };

static void choose(plx_socket *socket, const struct interface *interface)
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, interface->protocol), 0);
    ck_assert_int_eq(plx_socket_set_interface(socket, interface->wanted), 0);
}

/* "host:port", with brackets where they are needed. */
static void reach(char *ret_where, const char *host, int port)
{
    plx_address address;

    ck_assert_msg(plx_address_parse(host, &address) == 0, "%s", host);
    address.port = (uint16_t)port;
    plx_address_format(&address, ret_where, WHERE_SIZE);
}

static void expect_address(const char *text, const char *wanted, const char *what)
{
    plx_address a, b;

    ck_assert_msg(plx_address_parse(text, &a) == 0, "%s: %s", what, text);
    ck_assert_int_eq(plx_address_parse(wanted, &b), 0);
    ck_assert_msg(plx_address_equal(&a, &b), "%s: %s and not %s", what, text, wanted);
}

MODE_CASE(an_interface_without_the_peers_family)
{
    struct record log;
    plx_socket *socket = world_socket_of(w, plx_tcp_new, &log);

    if (!netns_enter("an interface without IPv6"))
        return;
    netns_run("sysctl -qw net.ipv6.conf.lo.disable_ipv6=1");
    ck_assert_int_eq(plx_socket_set_interface(socket, "lo"), 0);
    plx_socket_connect_to(socket, "[::1]:9");
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log.os_error, EADDRNOTAVAIL);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

MODE_CASE(the_broadcast_address_of_an_interface)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

    if (!netns_enter("a broadcast address"))
        return;
    netns_run("ip link add game0 type veth peer name game1 && ip link set game0 up");
    netns_run("ip addr add 10.60.0.1/24 brd 10.60.0.255 dev game0");
    ck_assert_int_eq(plx_socket_set_interface(socket, "game0"), 0);
    ck_assert_str_eq(plx_udp_broadcast_address(socket), "10.60.0.255");
}

MODE_CASE(listeners_on_interfaces)
{
    if (!netns_enter("listen at an interface") || !lay_cables("listen at an interface"))
        return;
    for (const struct interface *at = interfaces; at < interfaces + INTERFACES; at++) {
        plx_socket *listener = world_socket(w, NULL), *client = world_socket(w, NULL);
        char where[WHERE_SIZE];

        choose(listener, at);
        if (at->address == NULL) {
            ck_assert_int_eq(plx_socket_listen(listener), EADDRNOTAVAIL);
            continue;
        }
        ck_assert_msg(plx_socket_listen(listener) == 0, "%s (%d): %s", at->wanted, at->protocol,
                      plx_socket_error(listener)->message);
        expect_address(plx_socket_local_address(listener), at->address, at->wanted);
        reach(where, at->address, plx_socket_port(listener));
        ck_assert_int_eq(plx_socket_connect_to(client, where), 0);
        UNTIL(w, plx_socket_is_connected(listener));
        world_free(w, listener);
        world_free(w, client);
    }
}

MODE_CASE(connections_from_interfaces)
{
    static const char *const hosts[] = {"127.0.0.1", "::1",     "10.9.0.1",
                                        "fd09::1",   "fd08::1", "fe80::a%v0"};
    plx_server *server = world_server(w);

    if (!netns_enter("connect from an interface") || !lay_cables("connect from an interface"))
        return;
    ck_assert_int_eq(plx_server_listen_on(server, ":0"), 0);
    for (const struct interface *at = interfaces; at < interfaces + INTERFACES; at++)
        for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
            bool six = strchr(hosts[i], ':') != NULL, link = strchr(hosts[i], '%') != NULL;
            char where[WHERE_SIZE], what[WHERE_SIZE];
            plx_socket *socket;

            snprintf(what, sizeof what, "%s (%d) to %s", at->wanted, at->protocol, hosts[i]);
            /* Names have addresses of both families; link-local ones reach only each other. */
            if (at->address == NULL || six != (strchr(at->address, ':') != NULL) ||
                link != (strchr(at->address, '%') != NULL) || strncmp(at->wanted, "z0", 2) == 0)
                continue;
            socket = world_socket(w, NULL);
            choose(socket, at);
            reach(where, hosts[i], plx_server_port(server));
            ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
            UNTIL(w, plx_socket_state(socket) != PLX_CONNECTING);
            ck_assert_msg(plx_socket_is_connected(socket), "%s: %s", what,
                          plx_socket_error(socket)->message);
            expect_address(plx_socket_local_address(socket), at->address, what);
            world_free(w, socket);
        }
}

/* The name of an interface stands for that one of its addresses which fits where it goes to. */
MODE_CASE(a_name_stands_for_the_address_that_fits)
{
    static const struct {
        const char *from, *to, *address;
    } ways[] = {
        {"v0", "[fe80::b%v0]", "fe80::a%v0"}, {"v0", "[fd09::1]", "fd09::1"},
        {"v0", "10.9.0.1", "10.9.0.1"},       {"v0:game", "10.9.0.1", "10.9.1.1"},
        {"z0", "[fe80::b%z0]", "fe80::c%z0"}, {"x0", "127.0.0.1", "10.8.0.1"},
    };
    plx_server *server = world_server(w);

    if (!netns_enter("connect from an interface with several addresses") ||
        !lay_cables("connect from an interface with several addresses"))
        return;
    ck_assert_int_eq(plx_server_listen_on(server, ":0"), 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        plx_socket *socket = world_socket(w, NULL);
        char where[WHERE_SIZE];

        place(where, ways[i].to, plx_server_port(server));
        ck_assert_int_eq(plx_socket_set_interface(socket, ways[i].from), 0);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        UNTIL(w, plx_socket_state(socket) != PLX_CONNECTING);
        ck_assert_msg(plx_socket_is_connected(socket), "%s to %s: %s", ways[i].from, ways[i].to,
                      plx_socket_error(socket)->message);
        expect_address(plx_socket_local_address(socket), ways[i].address, ways[i].to);
        world_free(w, socket);
    }
}

static plx_socket *bound(struct world *w, const char *interface, int protocol)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, protocol), 0);
    ck_assert_int_eq(plx_socket_set_interface(socket, interface), 0);
    ck_assert_msg(plx_socket_connect(socket) == 0, "%s (%d): %s", interface, protocol,
                  plx_socket_error(socket)->message);
    return socket;
}

MODE_CASE(datagrams_at_interfaces)
{
    if (!netns_enter("bind datagrams to an interface") ||
        !lay_cables("bind datagrams to an interface"))
        return;
    for (const struct interface *at = interfaces; at < interfaces + INTERFACES; at++) {
        plx_socket *socket = bound(w, at->wanted, at->protocol);
        plx_socket *sender = bound(w, at->from, 2);
        plx_address to;

        ck_assert_int_eq(plx_address_parse(at->to, &to), 0);
        to.port = (uint16_t)plx_socket_port(socket);
        ck_assert_int_eq(plx_udp_write(sender, &to, "x", 1), 0);
        UNTIL(w, plx_udp_packets_available(socket) == 1);
        world_free(w, socket);
        world_free(w, sender);
    }
}

/* Groups are joined at the device, also by a label and without an address. */
MODE_CASE(groups_at_interfaces)
{
    static const char *const members[] = {"v0", "v0:game", "x0:only", "x0", "y0", "z0"};

    if (!netns_enter("join groups at an interface") || !lay_cables("join groups at an interface"))
        return;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char other[] = {members[i][0], '1', '\0'};
        plx_socket *member = bound(w, members[i], 2), *sender = bound(w, other, 2);
        plx_address to = {.family = 4, .bytes = {239, 1, 2, 3}};

        to.port = (uint16_t)plx_socket_port(member);
        ck_assert_msg(plx_udp_join_multicast_group(member, "239.1.2.3") == 0, "%s: %s", members[i],
                      plx_socket_error(member)->message);
        ck_assert_int_eq(plx_udp_write(sender, &to, "x", 1), 0);
        UNTIL(w, plx_udp_packets_available(member) == 1);
        world_free(w, member);
        world_free(w, sender);
    }
}

/* More addresses than fit into any list. */
MODE_CASE(the_last_of_many_interfaces)
{
    plx_socket *socket = world_socket(w, NULL);

    if (!netns_enter("an interface behind many addresses") ||
        !lay_cables("an interface behind many addresses"))
        return;
    netns_run(
        "for i in $(seq 2 120); do echo address add 127.1.0.$i/32 dev lo; done | ip -batch -");
    ck_assert_int_eq(plx_socket_set_interface(socket, "x0:only"), 0);
    ck_assert_msg(plx_socket_listen(socket) == 0, "%s", plx_socket_error(socket)->message);
    expect_address(plx_socket_local_address(socket), "10.8.0.1", "x0:only");
    plx_socket_close(socket);
    bound(w, "x0", 0);
}

WORLD_MAIN("local")
