/* tests/test-discovery-network.c -- discovery between computers: networks of their own, of which
 * each has a program. */
#include "config.h"

#include <errno.h>

#include "tests/netns.h"
#include "tests/parties.h"
#include "tests/sockets.h"

enum { HOSTS = 3 };

/* Three hosts: the entered network, and one at the other end of each of two cables. */
struct hosts {
    int beside[2];
};

static const char *const cables[2] = {"v0", "w0"};

static bool enter(const char *what, struct hosts *hosts, bool ipv4, bool ipv6)
{
    if (!netns_enter(what))
        return false;
    for (int i = 0; i < 2; i++) {
        hosts->beside[i] = netns_beside(what, cables[i]);
        if (hosts->beside[i] < 0)
            return false;
    }
    for (int i = 0; i < 2; i++) {
        if (ipv4)
            netns_run("ip addr add 10.7%d.0.1/24 brd + dev %s", i, cables[i]);
        if (ipv6)
            netns_run("ip addr add fd7%d::1/64 dev %s nodad", i, cables[i]);
        netns_wait_addresses();
        int home = netns_in(hosts->beside[i]);
        netns_run("ip link set lo up");
        if (ipv4)
            netns_run("ip addr add 10.7%d.0.2/24 brd + dev cable", i);
        if (ipv6)
            netns_run("ip addr add fd7%d::2/64 dev cable nodad", i);
        netns_wait_addresses();
        netns_back(home);
    }
    return true;
}

static void leave(struct hosts *hosts)
{
    close(hosts->beside[0]);
    close(hosts->beside[1]);
}

/* Makes a member in the network of a cable's other end; -1: in the entered one. */
static void begin(struct party *party, struct world *w, struct hosts *hosts, int cable,
                  const char *name)
{
    int home = cable < 0 ? -1 : netns_in(hosts->beside[cable]);

    party_begin(party, w);
    party_join(party, name);
    if (cable >= 0)
        netns_back(home);
}

/* The one in the middle hears both, which do not hear each other. */
static void expect_found(struct world *w, struct party *three)
{
    PARTIES_UNTIL(w, three, HOSTS, three[0].joined == 3);
    PARTIES_UNTIL(w, three, HOSTS, three[1].joined == 2 && three[2].joined == 2);
    for (int i = 0; i < HOSTS; i++)
        ck_assert_int_eq(three[i].errors, 0);
    ck_assert_uint_eq(party_knows(&three[1]), 2);
}

static void play(struct world *w, const char *what, bool ipv4, bool ipv6)
{
    struct party three[HOSTS];
    struct hosts hosts;
    plx_member list[4];

    if (!enter(what, &hosts, ipv4, ipv6))
        return;
    begin(&three[1], w, &hosts, 0, "left");
    begin(&three[2], w, &hosts, 1, "right");
    begin(&three[0], w, &hosts, -1, "middle");
    expect_found(w, three);
    size_t count = plx_discovery_members(three[0].discovery, "team", list, 4);
    ck_assert_uint_eq(count, 3);
    for (int i = 1; i < 3; i++) {
        ck_assert_int_eq(plx_discovery_send_to(three[0].discovery, &list[i], i, "hello", 5), 0);
        if (!ipv4)
            ck_assert_int_eq(list[i].address.family, 6);
    }
    plx_discovery_send_to_group(three[0].discovery, NULL, 9, "both", 4);
    PARTIES_UNTIL(w, three, HOSTS, three[1].messages == 2 && three[2].messages == 2);
    parties_settle(w, three, HOSTS);
    ck_assert_int_eq(three[1].messages, 2);
    party_end(&three[1]);
    PARTIES_UNTIL(w, three, 1, three[0].left == 1);
    party_end(&three[0]);
    party_end(&three[2]);
    leave(&hosts);
}

MODE_CASE(three_hosts)
{
    play(w, "discovery between three hosts", true, true);
}

MODE_CASE(three_hosts_by_ipv4)
{
    play(w, "discovery by IPv4", true, false);
}

/* One cable with two subnets: the other host has an address of the second one only. */
MODE_CASE(two_subnets_on_a_cable)
{
    const char *what = "discovery on two subnets of a cable";
    struct party pair[2];

    if (!netns_enter(what))
        return;
    int beside = netns_beside(what, "v0");
    if (beside < 0)
        return;
    netns_run("ip addr add 10.70.0.1/24 brd + dev v0; ip addr add 10.71.0.1/24 brd + dev v0; "
              "ip -6 addr flush dev v0");
    int home = netns_in(beside);
    netns_run("ip link set lo up; ip addr add 10.71.0.2/24 brd + dev cable; "
              "ip -6 addr flush dev cable");
    party_begin(&pair[1], w);
    party_join(&pair[1], "beside");
    netns_back(home);
    party_begin(&pair[0], w);
    party_join(&pair[0], "here");
    PARTIES_UNTIL(w, pair, 2, pair[0].joined == 2 && pair[1].joined == 2);
    ck_assert_int_eq(pair[1].last.address.bytes[1], 71);
    party_end(&pair[0]);
    party_end(&pair[1]);
    close(beside);
}

/* The cables have their link-local addresses only. */
MODE_CASE(three_hosts_by_link_local_addresses)
{
    play(w, "discovery by IPv6", false, false);
}

/* Serves both for a second of the stopped clock. The one beside is served in its own network, which
 * it looks at again and again. */
static void pass(struct world *w, struct party *pair, struct hosts *hosts)
{
    for (int i = 0; i < 10; i++) {
        parties_serve(w, pair, 1);
        int home = netns_in(hosts->beside[0]);
        plx_discovery_poll(pair[1].discovery);
        netns_back(home);
    }
    time_pass(SECOND);
}

static void pass_until(struct world *w, struct party *pair, struct hosts *hosts, const int *count,
                       int wanted)
{
    for (int second = 0; *count < wanted; second++) {
        ck_assert_int_lt(second, 120);
        pass(w, pair, hosts);
    }
}

/* No default route, and none for multicast. */
MODE_CASE(an_interface_comes_and_goes)
{
    struct party pair[2];
    struct hosts hosts;

    if (!enter("discovery by an interface that comes and goes", &hosts, true, false))
        return;
    netns_run("ip link set v0 down");
    time_stop();
    begin(&pair[0], w, &hosts, -1, "middle");
    begin(&pair[1], w, &hosts, 0, "left");
    if (w->group != NULL)
        plx_group_remove_discovery(w->group, pair[1].discovery);
    for (int i = 0; i < 5; i++)
        pass(w, pair, &hosts);
    ck_assert_int_eq(pair[0].joined, 1);
    netns_run("ip link set v0 up");
    netns_wait_up("v0");
    pass_until(w, pair, &hosts, &pair[0].joined, 2);
    pass_until(w, pair, &hosts, &pair[1].joined, 2);
    netns_run("ip link set v0 down");
    pass_until(w, pair, &hosts, &pair[0].left, 1);
    pass_until(w, pair, &hosts, &pair[1].left, 1);
    ck_assert_int_eq(pair[0].errors + pair[1].errors, 0);
    party_end(&pair[0]);
    party_end(&pair[1]);
    time_run();
    leave(&hosts);
}

MODE_CASE(without_multicast_by_broadcast)
{
    struct party pair[2];
    struct hosts hosts;

    if (!enter("discovery by broadcast", &hosts, true, false))
        return;
    netns_run("ip link set v0 multicast off");
    int home = netns_in(hosts.beside[0]);
    netns_run("ip link set cable multicast off");
    netns_back(home);
    begin(&pair[0], w, &hosts, -1, "middle");
    begin(&pair[1], w, &hosts, 0, "left");
    PARTIES_UNTIL(w, pair, 2, pair[0].joined == 2 && pair[1].joined == 2);
    party_end(&pair[1]);
    PARTIES_UNTIL(w, pair, 1, pair[0].left == 1);
    party_end(&pair[0]);
    leave(&hosts);
}

/* What a router passes on does not count: the sender is of none of our networks. */
MODE_CASE(a_sender_from_beyond_is_not_heard)
{
    struct party party;
    struct hosts hosts;

    if (!enter("a sender from beyond", &hosts, true, false))
        return;
    begin(&party, w, &hosts, -1, "middle");
    int home = netns_in(hosts.beside[0]);
    netns_run("ip addr add 192.0.2.9/32 dev cable");
    netns_run("ip addr del 10.70.0.2/24 dev cable");
    netns_run("ip route add default dev cable");
    netns_back(home);
    netns_run("sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.v0.rp_filter=0");
    netns_run("ip route add 192.0.2.9 dev v0");
    struct party stranger;
    begin(&stranger, w, &hosts, 0, "stranger");
    for (int i = 0; i < 100; i++)
        parties_serve(w, &party, 1), parties_serve(w, &stranger, 1);
    for (size_t i = 0; i < party_knows(&party); i++) {
        plx_member list[4];
        plx_discovery_members(party.discovery, "team", list, 4);
        ck_assert(list[i].is_self || list[i].address.family == 6);
    }
    party_end(&stranger);
    party_end(&party);
    leave(&hosts);
}

WORLD_MAIN("discovery-network", .timeout = 60)
