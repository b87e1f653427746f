/* tests/test-discovery-interfaces.c -- discovery on many interfaces, and on unusual ones. */
#include "config.h"

#include <unistd.h>

#include "tests/netns.h"
#include "tests/parties.h"

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

static void only_ipv4(struct pair *pair, int pairs)
{
    const char *off = "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1";

    for (int i = 0; i < pairs; i++)
        netns_run("ip addr add 10.%d.1.1/24 dev a%d; ip addr add 10.%d.2.1/24 dev b%d", i, i, i, i);
    netns_run("%s; ip addr add 10.70.0.1/24 brd + dev v0", off);
    int home = netns_in(pair->network);
    netns_run("%s; ip link set lo up; ip addr add 10.70.0.2/24 brd + dev cable", off);
    netns_back(home);
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
    }
}

WORLD_MAIN("discovery-interfaces", .timeout = 60)
