/* tests/test-udp-addresses.c -- a computer with several addresses: where datagrams arrived, and
 * what they leave from. */
#include "config.h"

#include <errno.h>
#include <netinet/udp.h>

#include "tests/datagrams.h"
#include "tests/netns.h"
#include "tests/sockets.h"

#ifdef __linux__
#include <sys/syscall.h>
#endif

/* ---- peers that know nothing of Pollux ------------------------------------------------------- */

static plx_address address_of(const char *text)
{
    plx_address address;

    ck_assert_msg(plx_address_parse(text, &address) == 0, "%s", text);
    return address;
}

static socklen_t name_of(const plx_address *address, struct sockaddr_storage *ret_name)
{
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)ret_name;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)ret_name;

    memset(ret_name, 0, sizeof *ret_name);
    if (address->family == 4) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(address->port);
        memcpy(&ipv4->sin_addr, address->bytes, 4);
        return sizeof *ipv4;
    }
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(address->port);
    ipv6->sin6_scope_id = address->scope;
    memcpy(&ipv6->sin6_addr, address->bytes, 16);
    return sizeof *ipv6;
}

static plx_address address_of_name(const struct sockaddr_storage *name)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)name;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)name;
    plx_address address = {.family = name->ss_family == AF_INET ? 4 : 6};

    if (address.family == 4) {
        address.port = ntohs(ipv4->sin_port);
        memcpy(address.bytes, &ipv4->sin_addr, 4);
    } else {
        address.port = ntohs(ipv6->sin6_port);
        address.scope = ipv6->sin6_scope_id;
        memcpy(address.bytes, &ipv6->sin6_addr, 16);
    }
    return address;
}

/* A raw socket bound to an address, and with `peer` connected to one: it hears that one only, as
 * most clients do. */
static int raw_at(struct world *w, const char *text, const plx_address *peer)
{
    plx_address address = address_of(text);
    struct sockaddr_storage name;
    socklen_t size = name_of(&address, &name);
    int raw = world_raw(w, socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    int one = 1;

    ck_assert_int_eq(setsockopt(raw, SOL_SOCKET, SO_BROADCAST, &one, sizeof one), 0);
    ck_assert_msg(bind(raw, (struct sockaddr *)&name, size) == 0, "bind %s: %s", text,
                  strerror(errno));
    if (peer != NULL) {
        size = name_of(peer, &name);
        ck_assert_int_eq(connect(raw, (struct sockaddr *)&name, size), 0);
    }
    return raw;
}

static plx_address raw_address(int raw)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;

    ck_assert_int_eq(getsockname(raw, (struct sockaddr *)&name, &size), 0);
    return address_of_name(&name);
}

static void raw_ask(int raw, const plx_address *to, const char *text)
{
    struct sockaddr_storage name;
    socklen_t size = name_of(to, &name);

    ck_assert_msg(sendto(raw, text, strlen(text), 0, (struct sockaddr *)&name, size) ==
                      (ssize_t)strlen(text),
                  "send %s: %s", text, strerror(errno));
}

/* Expects this text, and returns where it came from. */
static plx_address raw_hear(struct world *w, int raw, const char *text)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    char got[200] = "";
    ssize_t length;

    UNTIL(w, is_readable(raw));
    length = recvfrom(raw, got, sizeof got - 1, 0, (struct sockaddr *)&name, &size);
    ck_assert_int_eq(length, (ssize_t)strlen(text));
    ck_assert_str_eq(got, text);
    return address_of_name(&name);
}

#define SAME_ADDRESS(a, b)                                                                         \
    do {                                                                                           \
        plx_address a_ = (a), b_ = (b);                                                            \
        char text_a_[64], text_b_[64];                                                             \
        plx_address_format(&a_, text_a_, sizeof text_a_);                                          \
        plx_address_format(&b_, text_b_, sizeof text_b_);                                          \
        ck_assert_msg(plx_address_equal(&a_, &b_), "%s: %s and not %s", world_name(w), text_a_,    \
                      text_b_);                                                                    \
    } while (0)

/* ---- our side -------------------------------------------------------------------------------- */

/* Addresses that a socket hears at: to answer 10.60.0.9 the kernel would choose 10.60.0.1. Those of
 * IPv4 have labels. */
static bool enter(const char *what)
{
    if (!netns_enter(what))
        return false;
    netns_run("sysctl -qw net.ipv6.conf.all.accept_dad=0");
    netns_run("for i in 1 2 3 9; do ip addr add 10.60.0.$i/24 dev lo label lo:game$i && "
              "ip addr add fd60::$i/64 dev lo nodad; done");
    netns_wait_addresses();
    return true;
}

static plx_address at(const char *text, const plx_socket *socket)
{
    plx_address address = address_of(text);

    address.port = (uint16_t)plx_socket_port(socket);
    return address;
}

static void answer(plx_socket *socket, const plx_datagram *question, const char *text)
{
    ck_assert_int_eq(plx_udp_write(socket, &question->from, text, strlen(text)), 0);
}

/* What is asked, from where; and which PLX_OPTION_PROTOCOL hears it. */
static const struct way {
    const char *asked, *asker;
    bool heard_by[3];
} ways[] = {
    {"127.0.0.2", "127.0.0.1:0", {true, false, true}},
    {"10.60.0.2", "10.60.0.9:0", {true, false, true}},
    {"10.60.0.3", "127.0.0.1:0", {true, false, true}},
    {"127.0.0.1", "127.0.0.1:0", {true, false, true}},
    {"fd60::2", "[fd60::9]:0", {false, true, true}},
    {"::1", "[fd60::9]:0", {false, true, true}},
};

enum { WAYS = sizeof ways / sizeof ways[0] };

/* ---- an answer leaves from where the question came ------------------------------------------- */

static void ask_and_answer(struct world *w, int protocol)
{
    struct record log;
    plx_socket *server = datagrams_bound(w, protocol, &log);

    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < WAYS; i++) {
            plx_address asked = at(ways[i].asked, server);
            plx_datagram question;
            int raw;

            if (!ways[i].heard_by[protocol])
                continue;
            raw = raw_at(w, ways[i].asker, &asked);
            ck_assert_int_eq(send(raw, "who?", 4, 0), 4);
            question = datagram_read_text(w, server, "who?");
            SAME_ADDRESS(question.to, asked);
            SAME_ADDRESS(question.from, raw_address(raw));
            answer(server, &question, "me");
            SAME_ADDRESS(raw_hear(w, raw, "me"), asked);
            raw_close(w, raw);
        }
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
}

MODE_CASE(an_answer_leaves_from_where_the_question_came)
{
    if (!enter("answers from the address that was asked"))
        return;
    for (int protocol = 0; protocol < 3; protocol++)
        ask_and_answer(w, protocol);
}

/* All is read before anything is answered, as in a frame of a game, and what is sent later, too. */
MODE_CASE(many_are_answered_from_where_each_asked)
{
    enum { CLIENTS = 40 };
    struct record log;
    plx_socket *server;
    plx_address asked[CLIENTS], asker[CLIENTS];
    int raw[CLIENTS];

    if (!enter("answers to many from the addresses that were asked"))
        return;
    server = datagrams_bound(w, 2, &log);
    for (size_t i = 0; i < CLIENTS; i++) {
        asked[i] = at(ways[i % WAYS].asked, server);
        raw[i] = raw_at(w, ways[i % WAYS].asker, &asked[i]);
        ck_assert_int_eq(send(raw[i], "who?", 4, 0), 4);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        asker[i] = datagram_read_text(w, server, "who?").from;
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < CLIENTS; i++)
            for (size_t j = 0; j <= i % 3; j++)
                ck_assert_int_eq(plx_udp_write(server, &asker[i], "state", 5), 0);
        for (size_t i = 0; i < CLIENTS; i++)
            for (size_t j = 0; j <= i % 3; j++)
                SAME_ADDRESS(raw_hear(w, raw[i], "state"), asked[i]);
    }
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
}

MODE_CASE(one_who_asks_at_two_addresses_gets_two_answers)
{
    struct record log;
    plx_socket *server;
    plx_address two, three;
    int raw;

    if (!enter("two answers to one who asks at two addresses"))
        return;
    server = datagrams_bound(w, 2, &log);
    two = at("10.60.0.2", server);
    three = at("10.60.0.3", server);
    raw = raw_at(w, "10.60.0.9:0", NULL);
    for (int i = 0; i < 6; i++) /* together, in pairs */
        raw_ask(raw, i / 2 % 2 == 0 ? &two : &three, "who?");
    for (int i = 0; i < 6; i++) {
        plx_datagram question = datagram_read_text(w, server, "who?");

        SAME_ADDRESS(question.to, i / 2 % 2 == 0 ? two : three);
        answer(server, &question, "me");
    }
    for (int i = 0; i < 6; i++)
        SAME_ADDRESS(raw_hear(w, raw, "me"), i / 2 % 2 == 0 ? two : three);
}

/* Bound to one address there is nothing to remember, and with a peer the kernel knows. */
MODE_CASE(bound_to_one_address_it_is_that)
{
    struct record log;
    plx_socket *server;
    plx_address asked;
    plx_datagram question;
    int raw;

    if (!enter("answers of a socket that is bound to one address"))
        return;
    for (size_t i = 0; i < WAYS; i++) {
        server = world_socket_of(w, plx_udp_new, &log);
        ck_assert_int_eq(plx_socket_set_interface(server, ways[i].asked), 0);
        ck_assert_int_eq(plx_socket_connect(server), 0);
        asked = at(ways[i].asked, server);
        raw = raw_at(w, ways[i].asker, &asked);
        for (int round = 0; round < 3; round++) {
            ck_assert_int_eq(send(raw, "who?", 4, 0), 4);
            question = datagram_read_text(w, server, "who?");
            SAME_ADDRESS(question.to, asked);
            answer(server, &question, "me");
            SAME_ADDRESS(raw_hear(w, raw, "me"), asked);
        }
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        raw_close(w, raw);
    }
}

/* What waited while the peer was chosen keeps the address that it arrived at; afterwards it is
 * our address for the peer. Without a peer again, all addresses are heard again. */
static void choose_a_peer_and_give_it_up(struct world *w, const char *asked_text,
                                         const char *asker_text, const char *other_text)
{
    struct record log;
    plx_socket *server = datagrams_bound(w, 2, &log);
    plx_address asked = at(asked_text, server), other = at(other_text, server), own;
    int raw = raw_at(w, asker_text, NULL);
    plx_address asker = raw_address(raw);
    plx_datagram question;
    char where[64];

    raw_ask(raw, &asked, "before");
    SAME_ADDRESS(datagram_read_text(w, server, "before").to, asked);
    raw_ask(raw, &other, "waits in the kernel");
    plx_address_format(&asker, where, sizeof where);
    ck_assert_int_eq(plx_socket_connect_to(server, where), 0);
    UNTIL(w, plx_socket_state(server) == PLX_CONNECTED);
    ck_assert(plx_socket_local(server, &own));
    SAME_ADDRESS(datagram_read_text(w, server, "waits in the kernel").to, other);
    for (int i = 0; i < 3; i++) {
        char text[20];

        raw_ask(raw, &own, "to a peer");
        if (i == 1) { /* the other way to read leaves the next one's as it is */
            UNTIL(w, plx_udp_packets_available(server) > 0);
            ck_assert_int_eq(plx_socket_read(server, text, sizeof text), 9);
        } else {
            SAME_ADDRESS(datagram_read_text(w, server, "to a peer").to, own);
        }
    }
    ck_assert_int_eq(plx_socket_disconnect(server), 0);
    ck_assert_int_eq(plx_socket_state(server), PLX_BOUND);
    for (int i = 0; i < 3; i++) {
        raw_ask(raw, i % 2 == 0 ? &asked : &other, "no peer");
        question = datagram_read_text(w, server, "no peer");
        SAME_ADDRESS(question.to, i % 2 == 0 ? asked : other);
        answer(server, &question, "me");
        SAME_ADDRESS(raw_hear(w, raw, "me"), i % 2 == 0 ? asked : other);
    }
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
}

MODE_CASE(a_peer_is_chosen_and_given_up)
{
    if (!enter("addresses of a socket that has a peer for a while"))
        return;
    choose_a_peer_and_give_it_up(w, "10.60.0.2", "10.60.0.9:0", "10.60.0.3");
    choose_a_peer_and_give_it_up(w, "fd60::2", "[fd60::9]:0", "fd60::3");
}

MODE_CASE(an_adopted_socket_says_it_too)
{
    if (!enter("addresses of a socket that was adopted"))
        return;
    for (int family = 0; family < 2; family++) {
        struct record log;
        plx_socket *server = world_socket_of(w, plx_udp_new, &log);
        plx_address any = address_of(family == 0 ? "0.0.0.0" : "[::]:0"), asked;
        struct sockaddr_storage name;
        socklen_t size = name_of(&any, &name);
        int descriptor = socket(name.ss_family, SOCK_DGRAM, 0), raw;
        plx_datagram question;

        ck_assert_int_eq(bind(descriptor, (struct sockaddr *)&name, size), 0);
        ck_assert_int_eq(plx_socket_adopt(server, descriptor), 0);
        asked = at(family == 0 ? "10.60.0.2" : "fd60::2", server);
        raw = raw_at(w, family == 0 ? "10.60.0.9:0" : "[fd60::9]:0", &asked);
        ck_assert_int_eq(send(raw, "who?", 4, 0), 4);
        question = datagram_read_text(w, server, "who?");
        SAME_ADDRESS(question.to, asked);
        answer(server, &question, "me");
        SAME_ADDRESS(raw_hear(w, raw, "me"), asked);
    }
}

#ifdef UDP_SEGMENT
/* Merged datagrams of two addresses by turns: each knows its own. */
MODE_CASE(merged_ones_know_it_too)
{
    struct record log;
    plx_socket *server;
    int raw[2];
    plx_address asked[2];

    if (!enter("addresses of merged datagrams"))
        return;
    server = datagrams_bound(w, 2, &log);
    for (size_t i = 0; i < 8; i++) {
        char run[640];
        uint16_t segment = 64;

        asked[i % 2] = at(i % 4 < 2 ? (i % 2 == 0 ? "10.60.0.2" : "10.60.0.3")
                                    : (i % 2 == 0 ? "fd60::2" : "fd60::3"),
                          server);
        raw[i % 2] = raw_at(w, i % 4 < 2 ? "10.60.0.9:0" : "[fd60::9]:0", &asked[i % 2]);
        memset(run, (int)('a' + i), sizeof run);
        if (setsockopt(raw[i % 2], IPPROTO_UDP, UDP_SEGMENT, &(int){segment}, sizeof(int)) != 0) {
            fprintf(stderr, "SKIP: addresses of merged datagrams: no UDP_SEGMENT here\n");
            return;
        }
        ck_assert_int_eq(send(raw[i % 2], run, sizeof run, 0), (ssize_t)sizeof run);
        if (i % 2 == 0)
            continue;
        for (size_t j = 0; j < 20; j++) {
            plx_datagram datagram;

            UNTIL(w, plx_udp_packets_available(server) > 0);
            ck_assert(plx_udp_read(server, &datagram));
            ck_assert_uint_eq(datagram.size, 64);
            SAME_ADDRESS(datagram.to, asked[j / 10]);
            answer(server, &datagram, "me");
        }
        for (size_t j = 0; j < 20; j++)
            SAME_ADDRESS(raw_hear(w, raw[j / 10], "me"), asked[j / 10]);
    }
}
#endif

#ifdef __linux__
MODE_CASE(one_by_one_they_know_it_too)
{
    if (enter("addresses of datagrams that come one by one") &&
        kernel_denies(SYS_recvmmsg, -1, EPERM) && kernel_denies(SYS_sendmmsg, -1, EPERM))
        ask_and_answer(w, 2);
}

/* Where the kernel does not say it, it is unknown, and known all the same where it is plain. */
MODE_CASE(a_kernel_that_does_not_say_it)
{
    struct record log;
    plx_socket *server, *one;
    plx_address asked;
    plx_datagram question;
    int raw;

    if (!enter("addresses that the kernel does not say") ||
        !kernel_denies(SYS_setsockopt, IPPROTO_IP, ENOPROTOOPT) ||
        !kernel_denies(SYS_setsockopt, IPPROTO_IPV6, ENOPROTOOPT))
        return;
    server = datagrams_bound(w, 0, &log);
    asked = at("127.0.0.1", server);
    raw = raw_at(w, "127.0.0.1:0", &asked);
    ck_assert_int_eq(send(raw, "who?", 4, 0), 4);
    question = datagram_read_text(w, server, "who?");
    SAME_ADDRESS(question.to, (plx_address){0});
    answer(server, &question, "me");
    raw_hear(w, raw, "me");
    ck_assert_int_eq(plx_udp_write_from(server, &question.to, &question.from, "too", 3), 0);
    raw_hear(w, raw, "too");
    one = world_socket_of(w, plx_udp_new, &log);
    ck_assert_int_eq(plx_socket_set_interface(one, "10.60.0.2"), 0);
    ck_assert_int_eq(plx_socket_connect(one), 0);
    asked = at("10.60.0.2", one);
    raw_ask(raw_at(w, "10.60.0.9:0", NULL), &asked, "who?");
    SAME_ADDRESS(datagram_read_text(w, one, "who?").to, asked);
}
#endif

/* ---- groups, broadcast, link-local ----------------------------------------------------------- */

/* Another network at the end of a cable, with 10.61.0.2 and a link-local address there, 10.61.0.1
 * and .3 and two link-local ones here. */
static int enter_with_cable(const char *what)
{
    int beside, home;

    if (!netns_enter(what))
        return -1;
    beside = netns_beside(what, "v0");
    if (beside < 0)
        return -1;
    netns_run("ip addr add 10.61.0.1/24 brd + dev v0 && ip addr add 10.61.0.3/24 brd + dev v0");
    netns_run("ip addr add fe80::61:1/64 dev v0 nodad && ip addr add fe80::61:3/64 dev v0 nodad");
    netns_wait_addresses();
    home = netns_in(beside);
    netns_run(
        "ip addr add 10.61.0.2/24 brd + dev cable && ip addr add fe80::61:2/64 dev cable nodad");
    netns_wait_addresses();
    netns_back(home);
    return beside;
}

/* Asks from beside, and returns the answer's sender. */
static plx_address ask_from_beside(struct world *w, int beside, plx_socket *server,
                                   const char *asker, const plx_address *to,
                                   const plx_address *wanted)
{
    int home = netns_in(beside), raw;
    plx_datagram question;
    plx_address source;

    raw = raw_at(w, asker, NULL);
    raw_ask(raw, to, "who?");
    netns_back(home);
    question = datagram_read_text(w, server, "who?");
    SAME_ADDRESS(question.to, *wanted);
    answer(server, &question, "me");
    source = raw_hear(w, raw, "me");
    raw_close(w, raw);
    return source;
}

MODE_CASE(groups_and_broadcast_are_told_and_answered)
{
    static const char *const many[] = {"10.61.0.255", "255.255.255.255", "239.7.7.7"};
    int beside = enter_with_cable("questions to groups and to broadcast");

    if (beside < 0)
        return;
    for (int protocol = 0; protocol < 3; protocol += 2)
        for (size_t i = 0; i < 3; i++) {
            struct record log;
            plx_socket *server = datagrams_bound(w, protocol, &log);
            plx_address to = at(many[i], server), one = at("10.61.0.3", server), source;
            int home;

            ck_assert_int_eq(plx_udp_join_multicast_group(server, "239.7.7.7%v0"), 0);
            home = netns_in(beside);
            netns_try("ip route add default dev cable");
            netns_back(home);
            for (int round = 0; round < 3; round++) {
                source = ask_from_beside(w, beside, server, "10.61.0.2:0", &to, &to);
                SAME_ADDRESS(source, at("10.61.0.1", server)); /* which the kernel chooses */
                source = ask_from_beside(w, beside, server, "10.61.0.2:7001", &one, &one);
                SAME_ADDRESS(source, one);
                source = ask_from_beside(w, beside, server, "10.61.0.2:7001", &to, &to);
                SAME_ADDRESS(source, at("10.61.0.1", server));
            }
            ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        }
    close(beside);
}

/* A group of IPv6 has a scope, and so has a link-local address, in `to` and as a source. */
MODE_CASE(link_local_addresses_have_their_interface)
{
    int beside = enter_with_cable("questions to link-local addresses"), home;
    struct record log;
    plx_socket *server;
    plx_address to, wanted, source;
    unsigned here, there;

    if (beside < 0)
        return;
    server = datagrams_bound(w, 2, &log);
    ck_assert_int_eq(plx_udp_join_multicast_group(server, "ff02::7:7%v0"), 0);
    here = address_of("fe80::1%v0").scope;
    home = netns_in(beside);
    there = address_of("fe80::1%cable").scope;
    netns_back(home);
    for (int round = 0; round < 2; round++) {
        to = wanted = at("fe80::61:3%v0", server);
        to.scope = there;
        ck_assert_uint_eq(wanted.scope, here);
        home = netns_in(beside);
        netns_back(home);
        source = ask_from_beside(w, beside, server, "[::]:0", &to, &wanted);
        SAME_ADDRESS(source, to);
        to = wanted = at("ff02::7:7%v0", server);
        to.scope = there;
        source = ask_from_beside(w, beside, server, "[::]:0", &to, &wanted);
        ck_assert_uint_eq(source.bytes[0], 0xfe);
    }
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    close(beside);
}

/* One socket reaches every network, each from an address of ours there. */
MODE_CASE(every_network_is_reached_from_its_address)
{
    int beside = enter_with_cable("255.255.255.255 on two networks"), second, home, raw[2];
    struct record log;
    plx_socket *socket;
    plx_address from[2], all = address_of("255.255.255.255:7002");

    if (beside < 0)
        return;
    second = netns_beside("two networks", "w0");
    netns_run("ip addr add 10.62.0.1/24 brd + dev w0");
    for (int i = 0; i < 2; i++) {
        home = netns_in(i == 0 ? beside : second);
        raw[i] = raw_at(w, "0.0.0.0:7002", NULL);
        netns_back(home);
    }
    socket = datagrams_bound(w, 2, &log);
    from[0] = at("10.61.0.1", socket);
    from[1] = at("10.62.0.1", socket);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(plx_udp_write_from(socket, &from[i], &all, "hello", 5), 0);
        for (int i = 0; i < 2; i++)
            SAME_ADDRESS(raw_hear(w, raw[i], "hello"), from[i]);
    }
    world_settle(w);
    ck_assert(!is_readable(raw[0]) && !is_readable(raw[1]));
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    close(beside);
    close(second);
}

/* ---- an address that has gone ---------------------------------------------------------------- */

MODE_CASE(an_answer_leaves_although_its_address_has_gone)
{
    struct record log;
    plx_socket *server;

    if (!enter("answers from an address that has gone"))
        return;
    netns_run("ip addr add 10.66.0.1/32 dev lo && ip addr add fd66::1/128 dev lo nodad");
    netns_wait_addresses();
    server = datagrams_bound(w, 2, &log);
    for (int family = 0; family < 2; family++) {
        plx_address asked = at(family == 0 ? "10.66.0.1" : "fd66::1", server);
        int raw = raw_at(w, family == 0 ? "10.60.0.9:0" : "[fd60::9]:0", NULL);
        plx_datagram question;

        raw_ask(raw, &asked, "who?");
        question = datagram_read_text(w, server, "who?");
        netns_run(family == 0 ? "ip addr del 10.66.0.1/32 dev lo"
                              : "ip addr del fd66::1/128 dev lo");
        for (int i = 0; i < 5; i++)
            answer(server, &question, "me");
        for (int i = 0; i < 5; i++)
            raw_hear(w, raw, "me");
        answer(server, &question, "and again");
        raw_hear(w, raw, "and again");
        ck_assert_uint_eq(plx_udp_packets_left_to_send(server), 0);
    }
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
}

/* ---- write_from ------------------------------------------------------------------------------ */

/* All sizes, from two addresses to two receivers by turns. */
static void write_all_sizes_from(struct world *w, plx_socket *socket, int family)
{
    const char *froms[2][2] = {{"10.60.0.2", "10.60.0.3"}, {"fd60::2", "fd60::3"}};
    const char *at_text = family == 0 ? "10.60.0.9:0" : "[fd60::9]:0";
    int raw[2] = {raw_at(w, at_text, NULL), raw_at(w, at_text, NULL)};
    plx_address to[2] = {raw_address(raw[0]), raw_address(raw[1])};
    plx_address from[2] = {at(froms[family][0], socket), address_of(froms[family][1])};
    size_t queued = 0, room = 4000000;

    for (size_t i = 0; i < 2; i++)
        setsockopt(raw[i], SOL_SOCKET, SO_RCVBUFFORCE, &(int){(int)room}, sizeof(int));
    for (size_t i = 0; i < 4 * DATAGRAM_SIZES; i++) {
        size_t size = datagram_sizes[i / 4];

        pattern_fill(datagram_bytes, size, i);
        ck_assert_int_eq(
            plx_udp_write_from(socket, &from[i / 2 % 2], &to[i / 50 % 2], datagram_bytes, size), 0);
        queued += size;
    }
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), queued);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 4 * DATAGRAM_SIZES);
    for (size_t i = 0; i < 4 * DATAGRAM_SIZES; i++) {
        int reader = raw[i / 50 % 2];
        plx_address source, wanted = from[i / 2 % 2];
        struct sockaddr_storage name;
        socklen_t length = sizeof name;
        ssize_t size;

        UNTIL(w, is_readable(reader));
        size = recvfrom(reader, datagram_bytes, sizeof datagram_bytes, 0, (struct sockaddr *)&name,
                        &length);
        ck_assert_int_eq(size, (ssize_t)datagram_sizes[i / 4]);
        ck_assert(pattern_matches(datagram_bytes, (size_t)size, i));
        source = address_of_name(&name);
        wanted.port = (uint16_t)plx_socket_port(socket);
        SAME_ADDRESS(source, wanted);
    }
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
    raw_close(w, raw[0]);
    raw_close(w, raw[1]);
}

static void write_from_everywhere(struct world *w)
{
    for (int protocol = 0; protocol < 3; protocol++)
        for (int family = 0; family < 2; family++) {
            struct record log;
            plx_socket *socket;

            if (protocol != 2 && protocol != family)
                continue;
            socket = datagrams_bound(w, protocol, &log);
            ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 0), 0);
            write_all_sizes_from(w, socket, family);
            ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        }
}

MODE_CASE(datagrams_leave_from_the_address_that_was_chosen)
{
    if (enter("datagrams from a chosen address"))
        write_from_everywhere(w);
}

#ifdef __linux__
MODE_CASE(chosen_addresses_without_several_messages)
{
    if (enter("datagrams from a chosen address, one by one") &&
        kernel_denies(SYS_sendmmsg, -1, EPERM))
        write_from_everywhere(w);
}

MODE_CASE(chosen_addresses_without_segments)
{
    if (enter("datagrams from a chosen address, without segments") &&
        kernel_denies(SYS_getsockopt, IPPROTO_UDP, ENOPROTOOPT))
        write_from_everywhere(w);
}
#endif

/* In one frame: what the kernel chooses for, and what was chosen, do not mix. */
MODE_CASE(chosen_and_other_ones_in_one_run)
{
    struct record log;
    plx_socket *socket;
    plx_address two, nine, chosen, none = {0};
    int raw;

    if (!enter("datagrams from a chosen address among others"))
        return;
    socket = datagrams_bound(w, 2, &log);
    raw = raw_at(w, "10.60.0.9:0", NULL);
    nine = raw_address(raw);
    two = at("10.60.0.2", socket);
    chosen = at("10.60.0.1", socket);
    for (int i = 0; i < 12; i++) {
        const plx_address *from = i % 4 == 0 ? NULL : i % 4 == 1 ? &none : &two;

        ck_assert_int_eq(plx_udp_write_from(socket, from, &nine, "equal", 5), 0);
    }
    for (int i = 0; i < 12; i++)
        SAME_ADDRESS(raw_hear(w, raw, "equal"), i % 4 < 2 ? chosen : two);
}

MODE_CASE(a_wrong_source_is_reported)
{
    static const struct {
        const char *from, *to;
        int code;
        const char *words; /* "": it is reported by a poll */
    } rows[] = {
        {"10.60.0.2", "[fd60::9]:9", PLX_OPEN_DRIVER, "write from 10.60.0.2 to IPv6"},
        {"fd60::2", "10.60.0.9:9", PLX_OPEN_DRIVER, "write from fd60::2 to IPv4"},
        {"10.60.0.2:1", "10.60.0.9:9", PLX_INVALID_PORT, "write from 10.60.0.2 port 1: the socket"},
        {"10.60.0.2", "10.60.0.9:0", PLX_INVALID_PORT, "port 0"},
        {"10.99.0.2", "10.60.0.9:9", 0, "send 1 bytes from 10.99.0.2 to 10.60.0.9"},
        {"fd99::2", "[fd60::9]:9", 0, "send 1 bytes from fd99::2 to fd60::9"},
    };

    if (!enter("sources that are none"))
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct record log;
        plx_socket *socket = datagrams_bound(w, 2, &log);
        plx_address from = address_of(rows[i].from), to = address_of(rows[i].to), seen;
        int raw = raw_at(w, "10.60.0.9:0", NULL);

        seen = raw_address(raw);
        ck_assert_int_eq(plx_udp_write_from(socket, &from, &to, "x", 1), rows[i].code);
        ck_assert_int_eq(plx_udp_write(socket, &seen, "next", 4), 0); /* nothing to do with it */
        UNTIL(w, log.count[EVENT_ERROR] > 0);
        raw_hear(w, raw, "next");
        world_settle(w);
        ck_assert_int_eq(log.count[EVENT_ERROR], 1);
        ck_assert_int_eq(log.code, rows[i].code == 0 ? EADDRNOTAVAIL : rows[i].code);
        ck_assert_msg(strstr(log.message, rows[i].words) != NULL, "%s", log.message);
        ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
    }
}

/* The address of a datagram to all may be given back as a source: the kernel chooses. */
MODE_CASE(a_source_that_means_all_is_none)
{
    static const char *const rows[] = {"10.60.0.255", "255.255.255.255", "239.1.2.3"};

    if (!enter("sources that mean all"))
        return;
    if (!netns_needs("sources that mean all", "ip link add d0 type veth peer name d1"))
        return;
    netns_run("ip link set d0 up && ip addr add 10.63.0.1/24 brd + dev d0");
    for (int protocol = 0; protocol < 3; protocol += 2)
        for (size_t i = 0; i < 4; i++) {
            struct record log;
            plx_socket *socket = datagrams_bound(w, protocol, &log);
            plx_address from = at(i < 3 ? rows[i] : "10.63.0.255", socket), to;
            int raw = raw_at(w, "10.60.0.9:0", NULL);

            if (i == 0) /* the loopback has no broadcast address of its own there */
                continue;
            to = raw_address(raw);
            for (int j = 0; j < 70; j++)
                ck_assert_int_eq(plx_udp_write_from(socket, &from, &to, "x", 1), 0);
            for (int j = 0; j < 70; j++)
                SAME_ADDRESS(raw_hear(w, raw, "x"), at("10.60.0.1", socket));
            ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        }
}

MODE_CASE(write_from_needs_a_bound_udp_socket)
{
    struct record log;
    plx_socket *unbound = world_socket_of(w, plx_udp_new, &log);
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *bound = datagrams_bound(w, 2, &log);
    plx_address from = address_of("127.0.0.1"), to = address_of("127.0.0.1:9");

    ck_assert_int_eq(plx_udp_write_from(NULL, &from, &to, "x", 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_from(tcp, &from, &to, "x", 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_from(unbound, &from, &to, "x", 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_from(bound, &from, NULL, "x", 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_from(bound, &from, &to, NULL, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_from(bound, &from, &to, datagram_bytes, 65508), EMSGSIZE);
}

/* A program that was built when a plx_datagram was shorter gets as much as it knows. */
DATAGRAMS_CASE(an_older_program_gets_what_it_knows, 0)
{
    plx_address from;
    int raw = raw_datagrams(w, &from);
    plx_datagram datagram;

    memset(&datagram, 0x5a, sizeof datagram);
    datagram_send(raw, socket, 10, 0);
    UNTIL(w, plx_udp_packets_available(socket) > 0);
    ck_assert(plx_udp_read_sized(socket, &datagram, offsetof(plx_datagram, to)));
    ck_assert_uint_eq(datagram.size, 10);
    ck_assert_uint_eq(datagram.to.family, 0x5a5a);
}

WORLD_MAIN("udp-addresses")
