/* tests/test-udp-groups.c -- multicast groups on several interfaces, and interfaces that go. */
#include "config.h"

#include <errno.h>
#include <net/if.h>

#include "tests/clocks.h"
#include "tests/datagrams.h"
#include "tests/netns.h"
#include "tests/sockets.h"

enum { PORT = 7003 };

/* Two other networks, each at the end of a cable. */
struct nets {
    int beside[2];
};

static const char *const cables[2] = {"v0", "w0"};

static bool enter(const char *what, struct nets *nets)
{
    if (!netns_enter(what))
        return false;
    for (int i = 0; i < 2; i++) {
        int home;

        nets->beside[i] = netns_beside(what, cables[i]);
        if (nets->beside[i] < 0)
            return false;
        netns_run("ip addr add 10.7%d.0.1/24 brd + dev %s", i, cables[i]);
        netns_run("ip addr add fd7%d::1/64 dev %s nodad", i, cables[i]);
        netns_wait_addresses();
        home = netns_in(nets->beside[i]);
        netns_run("ip addr add 10.7%d.0.2/24 brd + dev cable", i);
        netns_run("ip addr add fd7%d::2/64 dev cable nodad", i);
        netns_run("ip route add default dev cable");
        netns_wait_addresses();
        netns_back(home);
    }
    return true;
}

static void leave(struct nets *nets)
{
    close(nets->beside[0]);
    close(nets->beside[1]);
}

/* Sends a datagram to the group from beside. */
static void say(struct nets *nets, int net, const char *group, const char *text)
{
    int home = netns_in(nets->beside[net]), raw;
    bool ipv6 = strchr(group, ':') != NULL;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 name6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    int index = (int)if_nametoindex("cable");

    raw = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    inet_pton(ipv6 ? AF_INET6 : AF_INET, group,
              ipv6 ? (void *)&name6.sin6_addr : (void *)&name.sin_addr);
    if (ipv6)
        ck_assert_int_eq(setsockopt(raw, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index), 0);
    ck_assert_int_eq(sendto(raw, text, strlen(text), 0,
                            ipv6 ? (struct sockaddr *)&name6 : (struct sockaddr *)&name,
                            ipv6 ? sizeof name6 : sizeof name),
                     (ssize_t)strlen(text));
    close(raw);
    netns_back(home);
}

static void expect_nothing(struct world *w, plx_socket *socket)
{
    world_settle(w);
    ck_assert_uint_eq(plx_udp_packets_available(socket), 0);
}

static plx_socket *bound(struct world *w, struct record *log, const char *interface)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, log);

    ck_assert_int_eq(plx_socket_set_interface(socket, interface), 0);
    ck_assert_int_eq(plx_socket_set_port(socket, PORT), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    return socket;
}

static const char *const groups[2] = {"239.7.7.7", "ff05::7:7"};

/* ---- several networks ------------------------------------------------------------------------ */

static void join_by(struct world *w, struct nets *nets, const char *group, bool by_number)
{
    struct record log;
    plx_socket *socket = bound(w, &log, NULL);
    char text[2][80];

    for (int i = 0; i < 2; i++) {
        if (by_number)
            snprintf(text[i], sizeof text[i], "%s%%%u", group, if_nametoindex(cables[i]));
        else
            snprintf(text[i], sizeof text[i], "%s%%%s", group, cables[i]);
    }
    ck_assert_int_eq(plx_udp_join_multicast_group(socket, text[0]), 0);
    say(nets, 1, group, "not joined");
    say(nets, 0, group, "first");
    datagram_read_text(w, socket, "first");
    ck_assert_int_eq(plx_udp_join_multicast_group(socket, text[1]), 0);
    say(nets, 1, group, "second");
    datagram_read_text(w, socket, "second");
    say(nets, 0, group, "first, too");
    datagram_read_text(w, socket, "first, too");
    ck_assert_int_eq(plx_udp_leave_multicast_group(socket, text[0]), 0);
    say(nets, 0, group, "left");
    say(nets, 1, group, "still in");
    datagram_read_text(w, socket, "still in");
    expect_nothing(w, socket);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    world_free(w, socket);
}

MODE_CASE(a_group_names_its_interface)
{
    struct nets nets;

    if (!enter("groups that name their interface", &nets))
        return;
    for (int i = 0; i < 4; i++)
        join_by(w, &nets, groups[i % 2], i >= 2);
    leave(&nets);
}

/* The other way: the interface that is set when a group is joined. */
MODE_CASE(an_interface_that_is_set_adds_a_network)
{
    struct nets nets;

    if (!enter("groups on the interface that was set", &nets))
        return;
    for (int i = 0; i < 2; i++) {
        struct record log;
        plx_socket *socket = bound(w, &log, NULL);

        for (int net = 0; net < 2; net++) {
            ck_assert_int_eq(plx_socket_set_interface(socket, cables[net]), 0);
            ck_assert_int_eq(plx_udp_join_multicast_group(socket, groups[i]), 0);
        }
        for (int net = 0; net < 2; net++) {
            say(&nets, net, groups[i], "heard");
            datagram_read_text(w, socket, "heard");
        }
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        world_free(w, socket);
    }
    leave(&nets);
}

MODE_CASE(what_is_no_group_or_no_interface_is_said)
{
    static const struct {
        const char *text;
        int code, os_error;
        const char *words;
    } rows[] = {
        {"239.7.7.7%nowhere", ENODEV, ENODEV, "group 239.7.7.7%nowhere"},
        {"ff05::7%nowhere", ENODEV, ENODEV, "group ff05::7%nowhere"},
        {"239.7.7.7%", ENODEV, ENODEV, "group 239.7.7.7%"},
        {"239.7.7.7%99999", ENODEV, ENODEV, "group 239.7.7.7%99999"},
        {"239.7.7.7", ENODEV, ENODEV, "no route leads there"},
        {"10.1.2.3%lo", PLX_INVALID_STATE, 0, "not the address of a multicast group"},
        {"fe80::1%lo", PLX_INVALID_STATE, 0, "not the address of a multicast group"},
        {"group%lo", PLX_INVALID_STATE, 0, "not the address of a multicast group"},
        {"%lo", PLX_INVALID_STATE, 0, "not the address of a multicast group"},
        {"", PLX_INVALID_STATE, 0, "not the address of a multicast group"},
        {NULL, PLX_INVALID_STATE, 0, "not the address of a multicast group"},
    };
    struct record log;
    plx_socket *socket;

    if (!netns_enter("groups that are none"))
        return;
    socket = bound(w, &log, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int join = 0; join < 2; join++) {
            int code = join ? plx_udp_join_multicast_group(socket, rows[i].text)
                            : plx_udp_leave_multicast_group(socket, rows[i].text);

            if (!join && code == EADDRNOTAVAIL)
                continue; /* as the kernel says of a group that was not joined */
            ck_assert_msg(code == rows[i].code, "%s: %d", rows[i].text, code);
            ck_assert_int_eq(plx_socket_error(socket)->os_error, rows[i].os_error);
            ck_assert_msg(strstr(plx_socket_error(socket)->message, rows[i].words) != NULL, "%s",
                          plx_socket_error(socket)->message);
        }
}

/* ---- an interface that goes ------------------------------------------------------------------ */

static uint64_t ahead;

static uint64_t clock_ahead(void *user)
{
    (void)user;
    return (uint64_t)clock_ns(CLOCK_MONOTONIC) + ahead;
}

/* Cuts the first cable; lay lays it again under the same name. */
static void cut(struct nets *nets)
{
    netns_run("ip link del v0");
    close(nets->beside[0]);
    nets->beside[0] = -1;
}

static void lay(struct nets *nets)
{
    int home;

    nets->beside[0] = netns_beside("interfaces that come back", "v0");
    netns_run("ip addr add 10.70.0.1/24 brd + dev v0 && ip addr add fd70::1/64 dev v0 nodad");
    netns_wait_addresses();
    home = netns_in(nets->beside[0]);
    netns_run("ip addr add 10.70.0.2/24 dev cable && ip addr add fd70::2/64 dev cable nodad");
    netns_run("ip route add default dev cable");
    netns_wait_addresses();
    netns_back(home);
}

/* Bound to it, or only a member on it: one error, without sending anything, and close, connect,
 * join make it hear again. */
static void lose_interface(struct world *w, struct nets *nets, const char *group, bool is_bound)
{
    struct record log;
    plx_socket *socket = bound(w, &log, is_bound ? "v0" : NULL);
    char text[80];

    snprintf(text, sizeof text, "%s%%v0", group);
    ck_assert_int_eq(plx_udp_join_multicast_group(socket, text), 0);
    say(nets, 0, group, "before");
    datagram_read_text(w, socket, "before");
    ahead += 20000000000u;
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0); /* it is still there */
    cut(nets);
    lay(nets);
    for (int round = 0; round < 3; round++) {
        ahead += 20000000000u;
        world_settle(w);
    }
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(log.code, ENODEV);
    ck_assert_msg(strstr(log.message, "which has gone") != NULL, "%s", log.message);
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
    if (is_bound) /* it would stay deaf, and fails */
        ck_assert_int_eq(plx_udp_join_multicast_group(socket, text), ENODEV);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(plx_udp_join_multicast_group(socket, text), 0);
    say(nets, 0, group, "after");
    datagram_read_text(w, socket, "after");
    world_free(w, socket);
}

MODE_CASE(an_interface_that_goes_is_reported_once)
{
    struct nets nets;

    if (!enter("interfaces that go", &nets))
        return;
    plx_clock_set(clock_ahead, NULL);
    for (int i = 0; i < 4; i++)
        lose_interface(w, &nets, groups[i % 2], i < 2);
    plx_clock_set(NULL, NULL);
    leave(&nets);
}

/* A socket that has left the groups there does not depend on it any more; one of two is not all. */
MODE_CASE(an_interface_whose_groups_were_left)
{
    struct nets nets;
    struct record stays, gone;
    plx_socket *one, *both;

    if (!enter("interfaces whose groups were left", &nets))
        return;
    plx_clock_set(clock_ahead, NULL);
    one = bound(w, &stays, NULL);
    both = world_socket_of(w, plx_udp_new, &gone);
    ck_assert_int_eq(plx_udp_bind(both, ":0"), 0);
    for (int i = 0; i < 2; i++) {
        const char *group = i == 0 ? "239.1.2.3%v0" : "239.1.2.4%v0";

        ck_assert_int_eq(plx_udp_join_multicast_group(one, group), 0);
        ck_assert_int_eq(plx_udp_join_multicast_group(both, group), 0);
        ck_assert_int_eq(plx_udp_leave_multicast_group(both, group), 0);
    }
    ck_assert_int_eq(plx_udp_leave_multicast_group(one, "239.1.2.3%v0"), 0);
    cut(&nets);
    for (int round = 0; round < 3; round++) {
        ahead += 20000000000u;
        world_settle(w);
    }
    ck_assert_int_eq(gone.count[EVENT_ERROR], 0);
    ck_assert_int_eq(stays.count[EVENT_ERROR], 1);
    ck_assert_int_eq(stays.code, ENODEV);
    plx_clock_set(NULL, NULL);
    close(nets.beside[1]);
}

/* A group that sleeps wakes for it: most of the time between two looks passes before it sleeps. */
MODE_CASE(a_sleeping_group_hears_of_it)
{
    struct nets nets;
    struct record log;

    if (w->group == NULL || !enter("interfaces that go while a group sleeps", &nets))
        return;
    plx_clock_set(clock_ahead, NULL);
    bound(w, &log, "v0");
    cut(&nets);
    ahead += 4800000000u;
    for (int i = 0; i < 3 && log.count[EVENT_ERROR] == 0; i++)
        plx_group_poll(w->group, 20000);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(log.code, ENODEV);
    plx_clock_set(NULL, NULL);
    close(nets.beside[1]);
}

WORLD_MAIN("udp-groups", .timeout = 90)
