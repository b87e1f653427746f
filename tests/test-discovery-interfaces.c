/* tests/test-discovery-interfaces.c -- discovery on many interfaces, and on unusual ones. */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <unistd.h>

#include "tests/counting.h"
#include "tests/netns.h"
#include "tests/parties.h"
#include "tests/relay.h"

/* ---- two computers --------------------------------------------------------------------------- */

/* The entered network, and one at the other end of the cable "v0". */
struct pair {
    struct party here, beside;
    int network; /* of the one beside */
};

/* Enters a network with `pairs` cables of which both ends are here: so it has 2 * pairs interfaces
 * that the kernel lists before "v0", and the loopback interface. */
static bool enter(const char *what, struct pair *pair, int pairs)
{
    if (!netns_enter(what))
        return false;
    for (int i = 0; i < pairs; i++)
        netns_run("ip link add a%d type veth peer name b%d && ip link set a%d up && "
                  "ip link set b%d up",
                  i, i, i, i);
    pair->network = netns_beside(what, "v0");
    return pair->network >= 0;
}

static void add_addresses(struct pair *pair)
{
    netns_run("ip addr add 10.70.0.1/24 brd + dev v0");
    int home = netns_in(pair->network);
    netns_run("ip addr add 10.70.0.2/24 brd + dev cable");
    netns_back(home);
}

static void only_ipv4(struct pair *pair, int pairs)
{
    const char *off = "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1";

    for (int i = 0; i < pairs; i++)
        netns_run("ip addr add 10.%d.1.1/24 dev a%d; ip addr add 10.%d.2.1/24 dev b%d", i, i, i, i);
    netns_run("%s", off);
    int home = netns_in(pair->network);
    netns_run("%s", off);
    netns_back(home);
    add_addresses(pair);
}

static void begin_beside(struct pair *pair, struct world *w)
{
    int home = netns_in(pair->network);

    party_begin(&pair->beside, w);
    party_join(&pair->beside, "beside");
    netns_back(home);
}

static void begin(struct pair *pair, struct world *w)
{
    begin_beside(pair, w);
    party_begin(&pair->here, w);
    party_join(&pair->here, "here");
}

static void end(struct pair *pair)
{
    party_end(&pair->here);
    party_end(&pair->beside);
    close(pair->network);
}

/* Both hear each other, and each message once. */
static void expect_found(struct pair *pair, struct world *w)
{
    struct party *two = &pair->here;

    PARTIES_UNTIL(w, two, 2, two[0].joined == 2 && two[1].joined == 2);
    ck_assert_int_eq(plx_discovery_send_to_group(two[0].discovery, NULL, 1, "a", 1), 0);
    ck_assert_int_eq(plx_discovery_send_to_group(two[1].discovery, NULL, 2, "b", 1), 0);
    PARTIES_UNTIL(w, two, 2, two[0].messages == 1 && two[1].messages == 1);
    parties_settle(w, two, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(two[i].joined, 2);
        ck_assert_int_eq(two[i].messages, 1);
        ck_assert_int_eq(two[i].left + two[i].errors, 0);
    }
}

/* As begin; the time is the case's own, and the one beside is served in its own network only, which
 * it looks at again and again. */
static void begin_apart(struct pair *pair, struct world *w)
{
    time_stop();
    begin(pair, w);
    if (w->group != NULL)
        plx_group_remove_discovery(w->group, pair->beside.discovery);
}

/* Enters such a network with IPv4 alone, runs the command there, and begins apart. Returns false where
 * that is not allowed. */
static bool enter_apart(const char *what, int pairs, const char *command, struct pair *pair,
                        struct world *w)
{
    if (!enter(what, pair, pairs))
        return false;
    only_ipv4(pair, pairs);
    netns_run("%s", command);
    begin_apart(pair, w);
    return true;
}

static void end_apart(struct pair *pair)
{
    end(pair);
    time_run();
}

static void pass(struct pair *pair, struct world *w)
{
    for (int i = 0; i < 10; i++) {
        parties_serve(w, &pair->here, 1);
        int home = netns_in(pair->network);
        plx_discovery_poll(pair->beside.discovery);
        netns_back(home);
    }
    time_pass(SECOND);
}

static void pass_until(struct pair *pair, struct world *w, const int *count, int wanted)
{
    for (int second = 0; *count < wanted; second++) {
        ck_assert_int_lt(second, 60);
        pass(pair, w);
    }
}

static void pass_seconds(struct pair *pair, struct world *w, int seconds)
{
    for (int second = 0; second < seconds; second++)
        pass(pair, w);
}

/* ---- more interfaces than a socket takes memberships ----------------------------------------- */

SECTION("memberships");

/* Linux counts the memberships of a socket over all its interfaces: 20 by default
 * (igmp_max_memberships). */
MODE_CASE(memberships_beyond_those_of_a_socket)
{
    struct pair pair;

    if (!enter("discovery with many memberships", &pair, 3))
        return;
    only_ipv4(&pair, 3);
    netns_run("sysctl -q -w net.ipv4.igmp_max_memberships=2");
    begin(&pair, w);
    expect_found(&pair, w);
    end(&pair);
}

/* The 22nd interface, as Linux counts by itself. */
PLAIN_CASE(twenty_two_interfaces)
{
    struct world w = {.mode = MODE_LONE};
    struct pair pair;

    if (!enter("discovery with 22 interfaces", &pair, 10))
        return;
    only_ipv4(&pair, 10);
    begin(&pair, &w);
    expect_found(&pair, &w);
    end(&pair);
}

/* Interfaces that go take the receivers with them that heard nothing else: of four, the first and the
 * last stay, with the loopback interface and the cable. */
MODE_CASE(a_receiver_without_interfaces)
{
    struct pair pair;

    if (!enter_apart("discovery whose interfaces go", 3,
                     "sysctl -q -w net.ipv4.igmp_max_memberships=2", &pair, w))
        return;
    pass_until(&pair, w, &pair.here.joined, 2);
    int sockets = count_sockets();
    netns_run("ip link del a0 && ip link del a1 && ip link del a2");
    pass_seconds(&pair, w, 12);
    ck_assert_int_eq(count_sockets(), sockets - 2);
    ck_assert_int_eq(pair.here.left + pair.beside.left, 0);
    ck_assert_int_eq(pair.here.errors, 0);
    end_apart(&pair);
}

/* For IPv6 the memory of a socket is the limit. Only newer kernels have that sysctl for each
 * network. */
MODE_CASE(memberships_beyond_the_memory_of_a_socket)
{
    const char *what = "discovery with little memory for memberships";
    struct pair pair;

    if (!enter(what, &pair, 3))
        return;
    netns_wait_addresses();
    if (netns_needs(what, "sysctl -w net.core.optmem_max=200")) {
        begin(&pair, w);
        expect_found(&pair, w);
        end(&pair);
    } else {
        close(pair.network);
    }
}

/* ---- many addresses -------------------------------------------------------------------------- */

SECTION("addresses");

/* The kernel lists those of the loopback interface before the others. */
static void add_many(int count, const char *device)
{
    netns_run(
        "for i in $(seq %d); do echo addr add 10.20$((i / 250)).1.$((i %% 250))/32 dev %s; done"
        " | ip -batch -",
        count, device);
}

MODE_CASE(a_hundred_addresses)
{
    struct pair pair;

    if (!enter("discovery with a hundred addresses", &pair, 0))
        return;
    only_ipv4(&pair, 0);
    add_many(100, "lo");
    begin(&pair, w);
    expect_found(&pair, w);
    end(&pair);
}

/* A message of the largest size has room in the queue, once for each address. */
MODE_CASE(messages_from_hundreds_of_addresses)
{
    static const char data[1100];
    struct pair pair;

    if (!enter("discovery with hundreds of addresses", &pair, 0))
        return;
    only_ipv4(&pair, 0);
    add_many(300, "v0");
    begin(&pair, w);
    expect_found(&pair, w);
    ck_assert_int_eq(plx_discovery_send_to_group(pair.here.discovery, NULL, 3, data, sizeof data),
                     0);
    PARTIES_UNTIL(w, &pair.here, 2, pair.beside.messages == 2);
    end(&pair);
}

/* Those beyond the first 1024 are not used. */
PLAIN_CASE(thousands_of_addresses)
{
    struct world w = {.mode = MODE_LONE};
    struct party party;

    if (!netns_enter("discovery with thousands of addresses"))
        return;
    add_many(1100, "lo");
    party_begin(&party, &w);
    party_join(&party, "here");
    for (int i = 0; i < 10; i++)
        parties_serve(&w, &party, 1);
    PARTY_SAID(&party, "+self ");
    party_end(&party);
}

/* Without memory for a longer list the old one stays, and the next look tries again. */
MODE_CASE(addresses_without_memory)
{
    struct pair pair;

    if (!enter_apart("discovery without memory for addresses", 0, ":", &pair, w))
        return;
    pass_until(&pair, w, &pair.here.joined, 2);
    pass_seconds(&pair, w, 5);
    netns_run("ip addr flush dev v0; ip addr add 10.71.0.1/24 brd + dev v0");
    add_many(50, "lo");
    int home = netns_in(pair.network);
    netns_run("ip addr flush dev cable; ip addr add 10.71.0.2/24 brd + dev cable");
    netns_back(home);
    fail_allocation(-1);
    for (int i = 0; i < 12; i++) {
        plx_discovery_poll(pair.here.discovery);
        time_pass(SECOND);
    }
    fail_allocation(0);
    ck_assert_uint_eq(party_knows(&pair.here), 2);
    pass_until(&pair, w, &pair.here.left, 1);
    pass_until(&pair, w, &pair.here.joined, 3);
    ck_assert_int_eq(pair.here.last.address.bytes[1], 71);
    end_apart(&pair);
}

/* ---- interfaces that change ------------------------------------------------------------------ */

SECTION("changes");

/* It sends broadcast, which the one beside hears, whose multicast it does not hear yet. */
MODE_CASE(multicast_is_switched_on)
{
    struct pair pair;

    if (!enter_apart("discovery where multicast is switched on", 0, "ip link set v0 multicast off",
                     &pair, w))
        return;
    pass_until(&pair, w, &pair.beside.joined, 2);
    pass_seconds(&pair, w, 12);
    ck_assert_int_eq(pair.here.joined, 1);
    netns_run("ip link set v0 multicast on");
    pass_until(&pair, w, &pair.here.joined, 2);
    end_apart(&pair);
}

MODE_CASE(a_join_that_has_failed)
{
    struct pair pair;

    if (!enter_apart("discovery whose join fails", 0,
                     "sysctl -q -w net.ipv4.igmp_max_memberships=0", &pair, w))
        return;
    pass_until(&pair, w, &pair.here.errors, 1);
    ck_assert_int_eq(plx_discovery_error(pair.here.discovery)->os_error, ENOBUFS);
    pass_seconds(&pair, w, 12);
    ck_assert_int_eq(pair.here.joined, 1);
    netns_run("sysctl -q -w net.ipv4.igmp_max_memberships=20");
    pass_until(&pair, w, &pair.here.joined, 2);
    int before = pair.here.errors;
    pass_seconds(&pair, w, 12);
    ck_assert_int_eq(pair.here.errors, before);
    end_apart(&pair);
}

static void replace(const char *what, struct pair *pair, int index)
{
    char command[200];

    snprintf(command, sizeof command,
             "ip link add v0 index %d type veth peer name cable netns /proc/%d/fd/%d", index,
             (int)getpid(), pair->network);
    ck_assert(netns_needs(what, command));
    netns_run("ip link set v0 up");
    int home = netns_in(pair->network);
    netns_run("ip link set cable up");
    netns_back(home);
    netns_wait_up("v0");
    add_addresses(pair);
}

/* It has the index of the one before, or another one; the sockets do not get more. */
MODE_CASE(an_interface_is_replaced)
{
    static const int indices[] = {70, 70, 71, 72};
    const char *what = "discovery by an interface that is replaced";
    struct pair pair;

    if (!enter_apart(what, 0, "sysctl -q -w net.ipv4.igmp_max_memberships=2", &pair, w))
        return;
    pass_until(&pair, w, &pair.here.joined, 2);
    int sockets = count_sockets();
    for (int i = 0; i < 4; i++) {
        netns_run("ip link del v0");
        pass_until(&pair, w, &pair.here.left, 1 + i);
        replace(what, &pair, indices[i]);
        pass_until(&pair, w, &pair.here.joined, 3 + i);
        pass_until(&pair, w, &pair.beside.joined, 3 + i);
        ck_assert_int_eq(count_sockets(), sockets);
    }
    ck_assert_int_eq(pair.here.errors + pair.beside.errors, 0);
    end_apart(&pair);
}

/* What the one beside sends to the group arrives, once the discovery has looked again. */
static void expect_heard(struct pair *pair, struct world *w)
{
    pass_seconds(pair, w, 25);
    int before = pair->here.messages;
    ck_assert_int_eq(plx_discovery_send_to_group(pair->beside.discovery, NULL, 1, "a", 1), 0);
    pass_seconds(pair, w, 2);
    ck_assert_int_eq(pair->here.messages, before + 1);
}

/* The list of networks is the same before and after, but no membership is left. */
MODE_CASE(an_interface_is_replaced_between_two_looks)
{
    const char *what = "discovery by an interface that is replaced between two looks";
    struct pair pair;

    if (!enter_apart(what, 0, ":", &pair, w))
        return;
    pass_until(&pair, w, &pair.here.joined, 2);
    int index = (int)if_nametoindex("v0");
    netns_run("ip link del v0");
    replace(what, &pair, index);
    expect_heard(&pair, w);
    end_apart(&pair);
}

/* It takes away what the interface has of IPv6, and gives it back without the memberships. */
MODE_CASE(an_mtu_too_small_for_ipv6)
{
    struct pair pair;

    if (!enter("discovery by an interface whose MTU changes", &pair, 0))
        return;
    netns_wait_addresses();
    begin_apart(&pair, w);
    pass_until(&pair, w, &pair.here.joined, 2);
    netns_run("ip link set v0 mtu 1200 && ip link set v0 mtu 1500");
    netns_wait_addresses();
    expect_heard(&pair, w);
    end_apart(&pair);
}

/* For a while there is no network at all. */
MODE_CASE(the_only_interface_goes_and_returns)
{
    const char *what = "discovery whose only interface goes";
    struct pair pair;

    if (!enter_apart(what, 0, "ip link set lo down", &pair, w))
        return;
    pass_until(&pair, w, &pair.here.joined, 2);
    int index = (int)if_nametoindex("v0");
    netns_run("ip link del v0");
    pass_seconds(&pair, w, 48);
    replace(what, &pair, index);
    expect_heard(&pair, w);
    end_apart(&pair);
}

/* Down and up again while the membership stays, as no look is between the two. */
MODE_CASE(an_interface_goes_down_for_a_moment)
{
    struct pair pair;

    if (!enter("discovery by an interface that goes down for a moment", &pair, 0))
        return;
    begin_apart(&pair, w);
    pass_until(&pair, w, &pair.here.joined, 2);
    netns_run("ip link set v0 down && ip link set v0 up");
    netns_wait_up("v0");
    pass_seconds(&pair, w, 60);
    ck_assert_int_eq(pair.here.left + pair.beside.left, 0);
    end_apart(&pair);
}

/* ---- links ----------------------------------------------------------------------------------- */

SECTION("links");

static void give(struct relay *relay, const char *near, const char *far)
{
    netns_run("ip addr flush dev near && ip addr add %s dev near", near);
    relay_far_run(relay, "ip addr flush dev far && ip addr add %s dev far", far);
}

/* The two addresses of the link share nothing. */
MODE_CASE(a_point_to_point_link)
{
    struct relay relay;
    struct pair pair;

    if (!relay_open(&relay, "discovery over a point-to-point link"))
        return;
    give(&relay, "10.77.0.1 peer 192.0.2.1/32", "192.0.2.1 peer 10.77.0.1/32");
    pair.network = relay.far;
    begin(&pair, w);
    expect_found(&pair, w);
    party_end(&pair.here);
    party_end(&pair.beside);
    relay_close(&relay);
}

/* A cable can have such addresses, too. */
MODE_CASE(a_cable_with_peers)
{
    struct pair pair;

    if (!enter("discovery over a cable with peers", &pair, 0))
        return;
    netns_run("ip -6 addr flush dev v0; ip addr add 10.77.0.1 peer 192.0.2.1/32 dev v0");
    int home = netns_in(pair.network);
    netns_run("ip -6 addr flush dev cable; ip addr add 192.0.2.1 peer 10.77.0.1/32 dev cable");
    netns_back(home);
    begin(&pair, w);
    expect_found(&pair, w);
    end(&pair);
}

/* Links often have the own address in common: to send by each takes more than the address. */
MODE_CASE(links_with_one_own_address)
{
    struct pair pair;

    if (!enter("discovery over links with one own address", &pair, 1))
        return;
    netns_run("ip -6 addr flush dev v0; ip addr add 10.77.0.1 peer 192.0.2.8/32 dev a0; "
              "ip addr add 10.77.0.1 peer 192.0.2.1/32 dev v0; "
              "ip addr add 10.77.0.1 peer 192.0.2.9/32 dev b0");
    int home = netns_in(pair.network);
    netns_run("ip -6 addr flush dev cable; ip addr add 192.0.2.1 peer 10.77.0.1/32 dev cable");
    netns_back(home);
    begin(&pair, w);
    expect_found(&pair, w);
    end(&pair);
}

WORLD_MAIN("discovery-interfaces", .timeout = 60)
