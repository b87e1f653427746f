/* tests/test-named-datagrams.c -- many names that datagrams are written to. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/asker.h"
#include "tests/datagrams.h"
#include "tests/netns.h"

enum { MANY = 1000 };

static void write_to_many(struct asker *asker, const char *kind, int count)
{
    for (int i = 0; i < count; i++) {
        char host[32];

        snprintf(host, sizeof host, "%s%d.test", kind, i);
        ck_assert_int_eq(plx_udp_write_to(asker->socket, host, asker->port, &i, sizeof i), 0);
    }
}

/* Takes what has arrived and notes which it was. */
static int arrived(const struct asker *asker, bool *seen)
{
    int number, count = 0;

    while (recv(asker->raw, &number, sizeof number, 0) == (ssize_t)sizeof number) {
        ck_assert_int_lt(number, MANY);
        ck_assert(!seen[number]);
        seen[number] = true;
        count++;
    }
    return count;
}

/* Each lookup has a descriptor: a thousand names must not take a thousand of them. */
NAMES_CASE(a_thousand_names)
{
    struct asker asker;
    bool seen[MANY] = {false};
    int before, most = 0, count = 0;

    server->ipv4 = ADDRESSES("127.0.0.1");
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    before = count_descriptors();
    write_to_many(&asker, "host", MANY);
    most = count_descriptors() - before;
    ck_assert_uint_eq(plx_udp_packets_left_to_send(asker.socket), MANY);
    for (int round = 0; count < MANY; round++) {
        int descriptors;

        ck_assert_int_lt(round, 20 * ROUNDS);
        nameserver_serve(server);
        world_poll(w);
        count += arrived(&asker, seen);
        descriptors = count_descriptors() - before;
        most = descriptors > most ? descriptors : most;
    }
    printf("# %s: %d names took %d descriptors at most\n", world_name(w), MANY, most);
    ck_assert_int_le(most, 40);
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(asker.socket), 0);
    /* Of a thousand known names the oldest makes room for one more. */
    count = server->asked4;
    ck_assert_int_eq(plx_udp_write_to(asker.socket, "more.test", asker.port, &most, 1), 0);
    UNTIL_ASKED(w, server, recv(asker.raw, seen, 1, 0) == 1);
    write_to_many(&asker, "host", 1);
    UNTIL_ASKED(w, server, server->asked4 == count + 2);
}

/* A known name has three blocks: itself, its text and its addresses. The lookup that found them is
 * over, and goes with the answer. */
NAMES_CASE(a_known_name_keeps_no_lookup)
{
    struct asker asker;
    bool seen[MANY] = {false};
    size_t before = 0;
    int count = 0;

    server->ipv4 = ADDRESSES("127.0.0.1");
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    for (int number = 0; number < 10; number++) {
        char host[32];

        snprintf(host, sizeof host, "known%d.test", number);
        ck_assert_int_eq(plx_udp_write_to(asker.socket, host, asker.port, &number, sizeof number),
                         0);
        UNTIL_ASKED(w, server, (count += arrived(&asker, seen)) == number + 1);
        world_settle(w);
        /* The first needs the blocks for sending, too. */
        if (number == 0)
            before = count_blocks();
        ck_assert_uint_le(count_blocks(), before + (size_t)number * 3);
    }
}

/* Those that are never answered hold up those behind them only until their time is over. */
MODE_CASE(names_behind_those_that_nobody_answers)
{
    struct nameserver server;
    struct asker asker;
    bool seen[MANY] = {false};
    int count = 0;

    nameserver_is_needed("name servers that do not answer");
    if (!netns_enter("name servers that do not answer"))
        return;
    netns_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
    nameserver_begin_at(&server, 53);
    server.ipv4 = ADDRESSES("127.0.0.1");
    server.ignored = "dead";
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    write_to_many(&asker, "dead", 40);
    write_to_many(&asker, "alive", 50);
    for (int round = 0; count < 50 || plx_udp_packets_left_to_send(asker.socket) > 0; round++) {
        ck_assert_int_lt(round, 10 * ROUNDS);
        nameserver_serve(&server);
        world_turn(w, round);
        count += arrived(&asker, seen);
    }
    ck_assert_int_eq(count, 50);
    ck_assert_int_gt(asker.log.count[EVENT_ERROR], 0);
    ck_assert_int_eq(asker.log.reason, PLX_REASON_SOCKET_TIMEOUT);
    nameserver_end(&server);
}

static void count_room(plx_socket *socket, void *user)
{
    (void)socket;
    ++*(int *)user;
}

/* What waited for a name that is not found leaves room, and nobody else would say so. */
NAMES_CASE(a_name_that_is_not_found_leaves_room)
{
    static const plx_events events = {.room_available = count_room};
    static const char bytes[150];
    struct asker asker;
    int rooms = 0;

    nameserver_says(server, SAYS_NO_SUCH_NAME);
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    plx_socket_set_events(asker.socket, &events, &rooms);
    ck_assert_int_eq(plx_socket_set_option(asker.socket, PLX_OPTION_WRITE_LIMIT, 250), 0);
    ck_assert_int_eq(plx_udp_write_to(asker.socket, "a.example.com", 9, bytes, sizeof bytes), 0);
    ck_assert_int_eq(plx_udp_write_to(asker.socket, "b.example.com", 9, bytes, sizeof bytes),
                     EAGAIN);
    UNTIL_ASKED(w, server, rooms == 1);
    ck_assert_int_eq(plx_udp_write_to(asker.socket, "b.example.com", 9, bytes, sizeof bytes), 0);
}

/* Closing ends those that are under way and those that wait for their turn alike. */
NAMES_CASE(closing_with_a_thousand_names)
{
    struct asker asker;

    nameserver_says(server, SAYS_NOTHING);
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    write_to_many(&asker, "host", MANY);
    world_poll(w);
    plx_socket_close(asker.socket);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(asker.socket), 0);
    ck_assert_int_eq(plx_socket_connect(asker.socket), 0);
    world_settle(w);
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
}

/* ---- a socket that has nothing else to do ---------------------------------------------------- */

enum send_by { BY_POLLS, BY_FLUSH, BY_WAIT, BY_WAIT_FOR_SENT, BY_WAIT_FOR_DATA, SEND_WAYS };

static void send_out(struct world *w, struct asker *asker, enum send_by how)
{
    switch (how) {
    case BY_FLUSH: plx_socket_flush(asker->socket); break;
    case BY_WAIT: plx_socket_wait(asker->socket, 3000); break;
    case BY_WAIT_FOR_SENT: ck_assert(plx_socket_wait_for_sent(asker->socket, 30000)); break;
    case BY_WAIT_FOR_DATA: plx_socket_wait_for_data(asker->socket, 50); break;
    default: world_poll(w); break;
    }
}

/* A name of the hosts file is found inside the call: neither a descriptor nor a moment is left that
 * would wake a socket which was polled in vain before. */
MODE_CASE(a_quiet_socket_sends_to_a_name_of_the_hosts_file)
{
    for (int how = 0; how < SEND_WAYS; how++) {
        struct asker asker;
        int number = how;

        asker_prepare(w, &asker, WAY_UDP_WRITE);
        world_settle(w);
        ck_assert_int_eq(
            plx_udp_write_to(asker.socket, "localhost", asker.port, &number, sizeof number), 0);
        send_out(w, &asker, (enum send_by)how);
        if (how == BY_FLUSH)
            ck_assert_uint_eq(plx_udp_packets_left_to_send(asker.socket), 0);
        UNTIL(w, is_readable(asker.raw));
        ck_assert_int_eq(recv(asker.raw, &number, sizeof number, 0), sizeof number);
        ck_assert_int_eq(number, how);
    }
}

/* A server answers while the program sleeps in a wait of the socket. */
MODE_CASE(waits_hear_the_name_server)
{
    static const enum send_by ways[] = {BY_WAIT_FOR_SENT, BY_WAIT};

    for (int i = 0; i < 2; i++) {
        struct nameserver server;
        struct asker asker;
        int number = i;

        nameserver_begin(&server);
        server.ipv4 = ADDRESSES("127.0.0.1");
        asker_prepare(w, &asker, WAY_UDP_WRITE);
        world_settle(w);
        ck_assert_int_eq(
            plx_udp_write_to(asker.socket, "some.test", asker.port, &number, sizeof number), 0);
        /* Nothing has left before the name is known. */
        ck_assert(!plx_socket_wait_for_sent(asker.socket, 20));
        nameserver_start(&server);
        for (int k = 0; k < 100 && !is_readable(asker.raw); k++)
            send_out(w, &asker, ways[i]);
        ck_assert(is_readable(asker.raw));
        nameserver_stop(&server);
        nameserver_end(&server);
    }
}

/* ---- a name with several addresses ----------------------------------------------------------- */

/* A name of two addresses, IPv6 first, and a peer at the IPv4 one; the port of the other is
 * free. */
static bool two_addresses(const char *what)
{
    if (!netns_enter(what))
        return false;
    netns_file("/etc/hosts", "::1 shed shed.lan\n127.0.0.1 shed shed.lan\n");
    return true;
}

static void take(struct asker *asker, char *text)
{
    char bytes[64];
    ssize_t size;

    while ((size = recv(asker->raw, bytes, sizeof bytes - 1, 0)) > 0) {
        bytes[size] = '\0';
        strcat(text, bytes);
        strcat(text, " ");
    }
}

static void say(struct asker *asker, const char *text)
{
    if (asker->way == WAY_UDP_PEER)
        ck_assert_int_eq(plx_socket_write(asker->socket, text, strlen(text)), (int)strlen(text));
    else
        ck_assert_int_eq(plx_udp_write_to(asker->socket, "shed", asker->port, text, strlen(text)),
                         0);
}

/* Nothing is lost by the way, and nothing is reported: somebody is there after all. */
static void reaches(struct world *w, enum way way)
{
    struct asker asker;
    char text[256] = "", where[64];

    if (!two_addresses("datagrams to a name of two addresses"))
        return;
    asker_prepare(w, &asker, way);
    if (way == WAY_UDP_PEER) {
        snprintf(where, sizeof where, "shed:%d", asker.port);
        ck_assert_int_eq(plx_socket_connect_to(asker.socket, where), 0);
        UNTIL(w, plx_socket_is_connected(asker.socket));
    }
    for (int i = 0; i < 5; i++) {
        char word[8];

        snprintf(word, sizeof word, "%c", 'a' + i);
        say(&asker, word);
        say(&asker, word);
        world_settle(w);
        take(&asker, text);
    }
    UNTIL(w, (take(&asker, text), strlen(text) >= 20));
    ck_assert_str_eq(text, "a a b b c c d d e e ");
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
    if (way == WAY_UDP_PEER)
        ck_assert_str_eq(plx_socket_remote_address(asker.socket), "127.0.0.1");
}

MODE_CASE(a_peer_of_two_addresses)
{
    reaches(w, WAY_UDP_PEER);
}

#ifdef __linux__
/* Each datagram is refused by itself then: also when the peer is already another. */
MODE_CASE(a_peer_of_two_addresses_without_segments)
{
    if (kernel_denies(SYS_getsockopt, IPPROTO_UDP, ENOPROTOOPT))
        reaches(w, WAY_UDP_PEER);
}
#endif

MODE_CASE(a_name_of_two_addresses)
{
    reaches(w, WAY_UDP_WRITE);
}

/* Written before the peer is known, and answered from the address that works. */
MODE_CASE(written_before_the_peer_is_known)
{
    struct asker asker;
    char text[256] = "", where[64], answer[8];
    struct sockaddr_storage name;
    socklen_t size = sizeof name;

    if (!two_addresses("datagrams to a peer of two addresses"))
        return;
    asker_prepare(w, &asker, WAY_UDP_PEER);
    snprintf(where, sizeof where, "shed:%d", asker.port);
    ck_assert_int_eq(plx_socket_connect_to(asker.socket, where), 0);
    say(&asker, "early");
    UNTIL(w, is_readable(asker.raw));
    ck_assert_int_eq(recvfrom(asker.raw, text, sizeof text, 0, (struct sockaddr *)&name, &size), 5);
    ck_assert_int_eq(sendto(asker.raw, "back", 4, 0, (struct sockaddr *)&name, size), 4);
    UNTIL(w, plx_socket_read(asker.socket, answer, sizeof answer) == 4);
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
}

/* The choice is one of a port: at another one another address may answer. */
MODE_CASE(each_port_has_its_address)
{
    struct asker four;
    struct sockaddr_in6 self = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = sizeof self;
    char text[64] = "", bytes[8];
    int six;

    if (!two_addresses("datagrams to two ports of a name"))
        return;
    asker_prepare(w, &four, WAY_UDP_WRITE);
    six = world_raw(w, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ck_assert_int_eq(bind(six, (struct sockaddr *)&self, size), 0);
    ck_assert_int_eq(getsockname(six, (struct sockaddr *)&self, &size), 0);
    for (int i = 0; i < 3; i++) {
        say(&four, "x");
        ck_assert_int_eq(plx_udp_write_to(four.socket, "shed", ntohs(self.sin6_port), "y", 1), 0);
        UNTIL(w, is_readable(six));
        ck_assert_int_eq(recv(six, bytes, sizeof bytes, 0), 1);
        UNTIL(w, (take(&four, text), strlen(text) == 2 * (size_t)(i + 1)));
    }
    ck_assert_int_eq(four.log.count[EVENT_ERROR], 0);
}

/* Once somebody has answered the address is known, and refusals are nothing again. */
MODE_CASE(a_name_that_has_answered)
{
    struct asker asker;
    plx_datagram answer;
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    char byte;

    if (!two_addresses("a name that has answered"))
        return;
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    say(&asker, "a");
    UNTIL(w, is_readable(asker.raw));
    ck_assert_int_eq(recvfrom(asker.raw, &byte, 1, 0, (struct sockaddr *)&name, &size), 1);
    ck_assert_int_eq(sendto(asker.raw, "back", 4, 0, (struct sockaddr *)&name, size), 4);
    UNTIL(w, plx_udp_read(asker.socket, &answer));
    world_settle(w);
    raw_close(w, asker.raw);
    for (int i = 0; i < 5; i++) {
        say(&asker, "lost");
        world_settle(w);
    }
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(asker.socket), 0);
}

/* A datagram that waits here for the address that refuses leaves for the next one. */
MODE_CASE(written_while_the_first_address_refuses)
{
    struct asker asker;
    char text[256] = "";

    if (!two_addresses("datagrams that wait for an address that refuses"))
        return;
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    say(&asker, "a");
    for (int i = 0; i < 4; i++) {
        world_poll(w);
        say(&asker, "b");
    }
    UNTIL(w, (take(&asker, text), strlen(text) >= 10));
    ck_assert_str_eq(text, "a b b b b ");
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
}

/* The queue of errors returns what was sent with the refusal: here 0 bytes. */
MODE_CASE(an_empty_one_to_the_address_that_refuses)
{
    struct asker asker;
    char byte;

    if (!two_addresses("an empty datagram that is refused"))
        return;
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    say(&asker, "");
    UNTIL(w, is_readable(asker.raw));
    ck_assert_int_eq(recv(asker.raw, &byte, 1, 0), 0);
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
}

/* Copies of datagrams are kept for some seconds, a name for a minute. Then nothing of them is left,
 * and what belongs to another name stays. */
MODE_CASE(names_that_are_forgotten)
{
    struct asker asker;
    char text[256] = "";
    size_t bytes;

    if (!two_addresses("names that are forgotten"))
        return;
    time_stop();
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    say(&asker, "a");
    ck_assert_int_eq(plx_udp_write_to(asker.socket, "shed.lan", asker.port, "b", 1), 0);
    UNTIL(w, (take(&asker, text), strlen(text) >= 4));
    world_settle(w);
    bytes = count_bytes();
    time_pass(4000);
    world_settle(w);
    ck_assert_uint_lt(count_bytes(), bytes); /* without the copies */
    time_pass(50000);
    ck_assert_int_eq(plx_udp_write_to(asker.socket, "shed.lan", asker.port, "c", 1), 0);
    time_pass(10000);
    say(&asker, "d");
    UNTIL(w, (take(&asker, text), strlen(text) >= 8));
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
}

/* Where nobody is at any address that is reported, once; and a peer that comes later is reached. */
static void nobody_yet(struct world *w, enum way way)
{
    struct asker asker;
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[2000] = "", where[64];

    if (!two_addresses("datagrams to a name where nobody is"))
        return;
    asker_prepare(w, &asker, way);
    raw_close(w, asker.raw);
    if (way == WAY_UDP_PEER) {
        snprintf(where, sizeof where, "shed:%d", asker.port);
        ck_assert_int_eq(plx_socket_connect_to(asker.socket, where), 0);
        UNTIL(w, plx_socket_is_connected(asker.socket));
    }
    for (int i = 0; i < 10; i++) {
        say(&asker, "lost");
        world_settle(w);
    }
    UNTIL(w, asker_failed(&asker));
    ck_assert_int_eq(asker.log.os_error, ECONNREFUSED);
    ck_assert_int_le(asker.log.count[EVENT_ERROR], 2); /* once for each address */
    asker.raw = world_raw(w, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    self.sin_port = htons((uint16_t)asker.port);
    ck_assert_int_eq(bind(asker.raw, (struct sockaddr *)&self, sizeof self), 0);
    for (int i = 0; strstr(text, "here") == NULL; i++) {
        ck_assert_int_lt(i, 50);
        say(&asker, "here");
        world_settle(w);
        take(&asker, text);
    }
}

MODE_CASE(a_peer_where_nobody_is_yet)
{
    nobody_yet(w, WAY_UDP_PEER);
}

MODE_CASE(a_name_where_nobody_is_yet)
{
    nobody_yet(w, WAY_UDP_WRITE);
}

/* To others, refusals stay what they are to a socket without a peer: nothing. */
MODE_CASE(refusals_of_others_are_not_reported)
{
    struct asker asker;
    plx_address other = {.family = 4, .port = 1, .bytes = {127, 0, 0, 1}};
    char text[64] = "";

    if (!two_addresses("datagrams beside those to a name"))
        return;
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    say(&asker, "a");
    UNTIL(w, (take(&asker, text), text[0] != '\0'));
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(plx_udp_write(asker.socket, &other, "x", 1), 0);
        say(&asker, "b");
        world_settle(w);
    }
    take(&asker, text);
    ck_assert_str_eq(text, "a b b b b b b b b b b ");
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(asker.socket), 0);
}

/* Giving the peer back leaves a socket that anybody reaches at its port, by either family. */
MODE_CASE(after_the_peer_was_given_back)
{
    struct asker asker;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char where[64];
    int raw, port;

    if (!two_addresses("a peer of two addresses that is given back"))
        return;
    asker_prepare(w, &asker, WAY_UDP_PEER);
    snprintf(where, sizeof where, "shed:%d", asker.port);
    ck_assert_int_eq(plx_socket_connect_to(asker.socket, where), 0);
    UNTIL(w, plx_socket_is_connected(asker.socket));
    port = plx_socket_port(asker.socket);
    ck_assert_int_eq(plx_socket_disconnect(asker.socket), 0);
    world_settle(w);
    ck_assert_int_eq(plx_socket_port(asker.socket), port);
    six.sin6_port = four.sin_port = htons((uint16_t)port);
    raw = world_raw(w, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ck_assert_int_eq(sendto(raw, "6", 1, 0, (struct sockaddr *)&six, sizeof six), 1);
    raw = world_raw(w, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ck_assert_int_eq(sendto(raw, "4", 1, 0, (struct sockaddr *)&four, sizeof four), 1);
    UNTIL(w, plx_udp_packets_available(asker.socket) == 2);
}

/* A network that goes takes the way to every address of a peer's name; when it is back, so is the
 * peer. */
MODE_CASE(a_peer_whose_network_comes_back)
{
    struct asker asker;
    char text[256] = "", where[64];

    if (!two_addresses("a peer of two addresses whose network goes"))
        return;
    asker_prepare(w, &asker, WAY_UDP_PEER);
    snprintf(where, sizeof where, "shed:%d", asker.port);
    ck_assert_int_eq(plx_socket_connect_to(asker.socket, where), 0);
    UNTIL(w, plx_socket_is_connected(asker.socket));
    netns_run("ip -4 addr flush dev lo && ip -6 addr flush dev lo");
    for (int i = 0; i < 10; i++) {
        say(&asker, "lost");
        world_settle(w);
    }
    ck_assert_int_eq(asker.log.os_error, ENETUNREACH);
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 1);
    netns_run("ip addr add 127.0.0.1/8 dev lo && ip addr add ::1/128 dev lo");
    netns_wait_addresses();
    for (int i = 0; strstr(text, "here") == NULL; i++) {
        ck_assert_int_lt(i, 50);
        say(&asker, "here");
        world_settle(w);
        take(&asker, text);
    }
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 1);
}

/* What is wrong with a datagram itself is reported, whatever address of its name is tried: 65520
 * bytes may be written to a name, and are too many for IPv4. */
MODE_CASE(a_datagram_too_large_for_the_address_found)
{
    static const char bytes[65520];
    struct asker asker;
    char text[64] = "";

    if (!netns_enter("datagrams too large for the address of a name"))
        return;
    netns_file("/etc/hosts", "127.0.0.1 shed\n::1 shed\n");
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    say(&asker, "a");
    UNTIL(w, (take(&asker, text), text[0] != '\0'));
    ck_assert_int_eq(plx_udp_write_to(asker.socket, "shed", asker.port, bytes, sizeof bytes), 0);
    world_settle(w);
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(asker.log.os_error, EMSGSIZE);
    say(&asker, "b");
    UNTIL(w, (take(&asker, text), strcmp(text, "a b ") == 0));
}

/* That an address is out of reach is reported again after it was reached, beside a name that is
 * tried. */
MODE_CASE(no_way_is_reported_again_beside_a_name)
{
    struct asker asker;
    plx_address other;
    char text[64] = "";

    if (!two_addresses("an address without a route beside a name"))
        return;
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    say(&asker, "a");
    UNTIL(w, (take(&asker, text), text[0] != '\0'));
    ck_assert_int_eq(plx_address_parse("203.0.113.1:9", &other), 0);
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq(plx_udp_write(asker.socket, &other, "x", 1), 0);
            world_settle(w);
        }
        ck_assert_int_eq(asker.log.count[EVENT_ERROR], round);
        ck_assert_int_eq(asker.log.os_error, ENETUNREACH);
        netns_run("ip route add 203.0.113.0/24 dev lo");
        ck_assert_int_eq(plx_udp_write(asker.socket, &other, "x", 1), 0);
        world_settle(w);
        netns_run("ip route del 203.0.113.0/24 dev lo");
    }
}

WORLD_MAIN("named-datagrams")
