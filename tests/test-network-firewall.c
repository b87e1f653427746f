/* tests/test-network-firewall.c -- a firewall that drops or rejects, while connecting and while
 * connected: on the far computer and on this one. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/clocks.h"
#include "tests/netns.h"
#include "tests/relay.h"

enum { STREAM = 100000, LIMIT = 200 };

static void set(plx_socket *socket, plx_option option, int value)
{
    ck_assert_int_eq(plx_socket_set_option(socket, option, value), 0);
}

/* ---- the firewall ---------------------------------------------------------------------------- */

#define WALL                                                                                       \
    "nft add table ip wall && "                                                                    \
    "nft add chain ip wall door '{ type filter hook %s priority 0; }' && "                         \
    "nft add rule ip wall door %s meta l4proto %s %s"

static bool has_firewall(void)
{
    return netns_needs("firewalls", "nft add table ip probe && nft delete table ip probe");
}

/* What the far computer does with what arrives, and this one with what leaves. */
static void far_wall(struct relay *relay, const char *protocol, const char *verdict)
{
    relay_far_run(relay, WALL, "input", "iifname far", protocol, verdict);
}

static void far_wall_falls(struct relay *relay)
{
    relay_far_run(relay, "nft delete table ip wall");
}

static void near_wall(struct relay *relay, const char *protocol, const char *verdict)
{
    (void)relay;
    /* By the device, because the reset for a packet of ours leaves by another one, the loopback. */
    netns_run(WALL, "output", "oifname near", protocol, verdict);
}

static void near_wall_falls(struct relay *relay)
{
    (void)relay;
    netns_run("nft delete table ip wall");
}

static const struct wall {
    void (*stands)(struct relay *relay, const char *protocol, const char *verdict);
    void (*falls)(struct relay *relay);
} far_side = {far_wall, far_wall_falls}, near_side = {near_wall, near_wall_falls};

/* ---- while connecting ------------------------------------------------------------------------ */

SECTION("connecting");

static const struct refusal {
    const char *verdict;
    int os_error; /* 0: none, the time-out ends the attempt */
    bool is_hard; /* the kernel also reports it to a datagram socket (icmp_err_convert in Linux) */
} refusals[] = {
    {"drop", 0, false},
    {"reject with tcp reset", ECONNREFUSED, false},
    {"reject with icmp type port-unreachable", ECONNREFUSED, true},
    {"reject with icmp type host-unreachable", EHOSTUNREACH, false},
    {"reject with icmp type net-unreachable", ENETUNREACH, false},
    {"reject with icmp type admin-prohibited", EHOSTUNREACH, true},
    {"reject with icmp type prot-unreachable", ENOPROTOOPT, true},
};
enum { REFUSALS = sizeof refusals / sizeof refusals[0], RESETS = 1 };

/* An attempt, and another one as soon as the firewall has fallen. */
static void attempt(struct world *w, struct relay *relay, const char *where, int os_error,
                    const struct wall *wall)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    long long begin = now_ms();

    if (os_error == 0)
        set(socket, PLX_OPTION_CONNECT_TIMEOUT, LIMIT);
    plx_socket_connect_to(socket, where);
    RELAY_UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_msg(log.os_error == (os_error == 0 ? ETIMEDOUT : os_error), "%s: expected %d: %s",
                  world_name(w), os_error, log.message);
    if (os_error == 0)
        ck_assert_int_ge(now_ms() - begin, LIMIT);
    ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 0);
    wall->falls(relay);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    RELAY_UNTIL(w, plx_socket_is_connected(socket));
    world_free(w, socket);
}

static void attempt_at(struct world *w, struct relay *relay, const struct wall *wall)
{
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];
    int home = netns_in(relay->far);

    ck_assert_int_eq(plx_server_listen_on(server, RELAY_FAR ":0"), 0);
    netns_back(home);
    snprintf(where, sizeof where, "%s:%d", RELAY_FAR, plx_server_port(server));
    if (!has_firewall())
        return;
    for (int i = 0; i < REFUSALS; i++) {
        wall->stands(relay, "tcp", refusals[i].verdict);
        attempt(w, relay, where, refusals[i].os_error, wall);
    }
}

RELAY_CASE(a_wall_around_the_server)
{
    attempt_at(w, relay, &far_side);
}

RELAY_CASE(a_wall_around_the_client)
{
    attempt_at(w, relay, &near_side);
}

/* ---- handshakes that are never finished ------------------------------------------------------ */

enum { HALVES = 300 };

/* Attackers at an address to which no answer comes back: the server's kernel waits for the last
 * packet of each handshake (a SYN flood, RFC 4987). */
static void begin_handshakes(int port, int *ret_descriptors)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};

    netns_run("ip addr add 10.77.0.3/32 dev near && nft add table ip deaf && "
              "nft add chain ip deaf door '{ type filter hook input priority 0; }' && "
              "nft add rule ip deaf door ip daddr 10.77.0.3 drop");
    inet_pton(AF_INET, "10.77.0.3", &from.sin_addr);
    inet_pton(AF_INET, RELAY_FAR, &to.sin_addr);
    to.sin_port = htons((uint16_t)port);
    for (int i = 0; i < HALVES; i++) {
        int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        ck_assert_int_eq(bind(descriptor, (const struct sockaddr *)&from, sizeof from), 0);
        ck_assert_int_eq(connect(descriptor, (const struct sockaddr *)&to, sizeof to), -1);
        ck_assert_int_eq(errno, EINPROGRESS);
        ret_descriptors[i] = descriptor;
    }
}

/* The queue of the far kernel has room for 16. A good client gets in meanwhile, and the server
 * learns of nobody else. */
RELAY_CASE(handshakes_that_are_never_finished)
{
    plx_server *server = world_server(w);
    struct record log;
    plx_socket *good = world_socket(w, &log);
    int home = netns_in(relay->far), halves[HALVES];
    char where[WHERE_SIZE];

    netns_run("sysctl -qw net.core.somaxconn=16 net.ipv4.tcp_syncookies=1");
    ck_assert_int_eq(plx_server_listen_on(server, RELAY_FAR ":0"), 0);
    netns_back(home);
    snprintf(where, sizeof where, "%s:%d", RELAY_FAR, plx_server_port(server));
    if (!has_firewall())
        return;
    begin_handshakes(plx_server_port(server), halves);
    UNTIL(w, relay_count(relay, RELAY_OUT, false).delivered >= HALVES);
    relay_far_run(relay, "test $(awk '$4 == \"03\"' /proc/net/tcp | wc -l) -ge 10"); /* SYN_RECV */
    ck_assert_int_eq(plx_socket_connect_to(good, where), 0);
    RELAY_UNTIL(w, plx_socket_is_connected(good) && plx_server_active_count(server) == 1);
    ck_assert_int_eq(plx_socket_write(good, "good", 4), 4);
    RELAY_UNTIL(w, plx_socket_bytes_available(plx_server_next_active(server, NULL)) == 4);
    world_settle(w);
    ck_assert_uint_eq(plx_server_active_count(server), 1);
    ck_assert_int_eq(plx_server_error(server)->code, 0);
    for (int i = 0; i < HALVES; i++)
        close(halves[i]);
}

/* ---- while connected ------------------------------------------------------------------------- */

SECTION("connected");

typedef void at_wall(struct world *w, struct relay *relay, const struct refusal *refusal);

/* Plays at each wall that does not reset. */
static void at_each_wall(struct world *w, struct relay *relay, at_wall *play)
{
    if (!has_firewall())
        return;
    for (int i = 0; i < REFUSALS; i++)
        if (i != RESETS)
            play(w, relay, &refusals[i]);
}

/* A wall that stands for a moment costs time and no bytes, unless it resets. The kernel heeds no
 * ICMP while a connection exists (RFC 1122, 4.2.3.9). */
static void let_it_fall(struct world *w, struct relay *relay, const struct refusal *refusal)
{
    struct relay_pair pair;

    relay_pair_begin(w, relay, &pair);
    far_wall(relay, "tcp", refusal->verdict);
    write_pattern(w, pair.near, STREAM);
    write_pattern(w, pair.far, STREAM);
    for (int turn = 0; turn < 30; turn++)
        world_turn(w, 20);
    ck_assert_uint_eq(pair.far_log.swallowed, 0);
    far_wall_falls(relay);
    RELAY_UNTIL(w, pair.near_log.swallowed == STREAM && pair.far_log.swallowed == STREAM);
    LOGGED(w, &pair.near_log, "");
    LOGGED(w, &pair.far_log, "");
    world_free(w, pair.near);
    world_free(w, pair.far);
}

RELAY_CASE(a_wall_that_falls_again)
{
    at_each_wall(w, relay, let_it_fall);
}

/* A wall that stays ends the connection when PLX_OPTION_UNACKNOWLEDGED_TIMEOUT is over, and the
 * error is the one that the wall gave, if it gave one. */
static void let_it_stay(struct world *w, struct relay *relay, const struct refusal *refusal)
{
    struct relay_pair pair;
    long long begin = now_ms();

    relay_pair_begin(w, relay, &pair);
    set(pair.near, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, LIMIT);
    far_wall(relay, "tcp", refusal->verdict);
    ck_assert_int_eq(plx_socket_write(pair.near, "lost", 4), 4);
    RELAY_UNTIL(w, pair.near_log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_ge(now_ms() - begin, LIMIT);
    ck_assert_int_eq(pair.near_log.count[EVENT_ERROR], 1);
    ck_assert_msg(pair.near_log.os_error ==
                      (refusal->os_error == 0 ? ETIMEDOUT : refusal->os_error),
                  "%s: %s: %s", world_name(w), refusal->verdict, pair.near_log.message);
    far_wall_falls(relay);
    world_free(w, pair.near);
    world_free(w, pair.far);
}

RELAY_CASE(a_wall_that_stays)
{
    at_each_wall(w, relay, let_it_stay);
}

/* What had arrived before the reset is not lost. */
RELAY_CASE(a_wall_that_resets)
{
    struct relay_pair pair;

    if (!has_firewall())
        return;
    relay_pair_begin(w, relay, &pair);
    write_pattern(w, pair.far, STREAM);
    RELAY_UNTIL(w, relay_count(relay, RELAY_BACK, false).entered > 10);
    far_wall(relay, "tcp", refusals[RESETS].verdict);
    ck_assert_int_eq(plx_socket_write(pair.near, "reset", 5), 5);
    RELAY_UNTIL(w, pair.near_log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(pair.near_log.code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(pair.near_log.os_error, ECONNRESET);
    ck_assert_int_eq(pair.near_log.count[EVENT_ERROR], 1);
    ck_assert_uint_gt(pair.near_log.swallowed, 0);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

SECTION("datagrams");

static plx_socket *peer_in_the_far_network(struct world *w, struct relay *relay, struct record *log,
                                           plx_socket **ret_far)
{
    plx_socket *near = world_socket_of(w, plx_udp_new, log);
    char where[WHERE_SIZE];
    int home = netns_in(relay->far);

    *ret_far = world_socket_of(w, plx_udp_new, NULL);
    ck_assert_int_eq(plx_udp_bind(*ret_far, RELAY_FAR ":0"), 0);
    netns_back(home);
    snprintf(where, sizeof where, "%s:%d", RELAY_FAR, plx_socket_port(*ret_far));
    log->mute = 1u << EVENT_SEND_COMPLETE;
    ck_assert_int_eq(plx_socket_connect_to(near, where), 0);
    UNTIL(w, plx_socket_is_connected(near));
    record_clear(log);
    return near;
}

/* Ten frames send to a wall; the reports are those of one failure, and the socket goes on. */
static void send_to_wall(struct world *w, plx_socket *near, struct record *log, int os_error)
{
    for (int frame = 0; frame < 10; frame++) {
        ck_assert_int_eq(plx_socket_write(near, "lost", 4), 4);
        world_settle(w);
    }
    ck_assert_msg(log->count[EVENT_ERROR] == (os_error != 0), "%s: expected errno %d: %s",
                  world_name(w), os_error, log->text);
    if (os_error != 0)
        ck_assert_int_eq(log->os_error, os_error);
    ck_assert_int_eq(plx_socket_state(near), PLX_CONNECTED);
}

static void expect_through(struct world *w, plx_socket *near, plx_socket *far)
{
    plx_datagram datagram;

    ck_assert_int_eq(plx_socket_write(near, "found", 5), 5);
    UNTIL(w, plx_udp_read(far, &datagram));
    ck_assert_uint_eq(datagram.size, 5);
}

static void throw_datagrams(struct world *w, struct relay *relay, const struct refusal *refusal)
{
    struct record log;
    plx_socket *far, *near = peer_in_the_far_network(w, relay, &log, &far);

    far_wall(relay, "udp", refusal->verdict);
    send_to_wall(w, near, &log, refusal->is_hard ? refusal->os_error : 0);
    far_wall_falls(relay);
    expect_through(w, near, far);
    world_free(w, near);
    world_free(w, far);
}

RELAY_CASE(datagrams_to_a_wall)
{
    at_each_wall(w, relay, throw_datagrams);
}

RELAY_CASE(datagrams_that_may_not_leave)
{
    struct record log;
    plx_socket *far, *near = peer_in_the_far_network(w, relay, &log, &far);

    if (!has_firewall())
        return;
    near_wall(relay, "udp", "drop"); /* sendto(2) returns EPERM */
    send_to_wall(w, near, &log, EPERM);
    near_wall_falls(relay);
    expect_through(w, near, far);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
}

RELAY_MAIN("network-firewall")
