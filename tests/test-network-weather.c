/* tests/test-network-weather.c -- bytes and datagrams through a network that delays, loses,
 * reorders and doubles packets. */
#include "config.h"

#include <unistd.h>

#include "tests/datagrams.h"
#include "tests/netns.h"
#include "tests/relay.h"

enum { STREAM = 200000 };

/* ---- streams --------------------------------------------------------------------------------- */

/* Nothing is lost when one end leaves: its disconnect waits until all has been acknowledged. */
static void end_pair(struct world *w, struct relay_pair *pair)
{
    ck_assert_int_eq(plx_socket_disconnect(pair->near), 0);
    RELAY_UNTIL(w, plx_socket_state(pair->near) == PLX_UNCONNECTED &&
                       plx_socket_state(pair->far) == PLX_UNCONNECTED);
    ck_assert_uint_eq(pair->near_log.swallowed, STREAM);
    ck_assert_uint_eq(pair->far_log.swallowed, STREAM);
    LOGGED(w, &pair->near_log, "state:CLOSING state:UNCONNECTED disconnected[UNCONNECTED]");
    LOGGED(w, &pair->far_log,
           "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]");
}

static void exchange(struct world *w, struct relay *relay, const struct relay_weather *weather,
                     struct relay_pair *pairs, int count)
{
    relay_set(relay, weather);
    for (int i = 0; i < count; i++)
        relay_pair_begin(w, relay, &pairs[i]);
    for (int i = 0; i < count; i++) {
        write_pattern(w, pairs[i].near, STREAM);
        write_pattern(w, pairs[i].far, STREAM);
    }
    for (int i = 0; i < count; i++)
        RELAY_UNTIL(w, pairs[i].near_log.swallowed == STREAM);
}

static plx_statistics statistics_of(const plx_socket *socket)
{
    plx_statistics statistics;

    ck_assert(plx_socket_statistics(socket, &statistics));
    return statistics;
}

RELAY_CASE(bytes_that_take_their_time)
{
    struct relay_pair pair;

    exchange(w, relay, &(struct relay_weather){.delay = 20}, &pair, 1);
    ck_assert_int_ge(statistics_of(pair.near).round_trip, 40000);
    ck_assert_uint_eq(statistics_of(pair.near).bytes_received, STREAM);
    end_pair(w, &pair);
    ck_assert_uint_eq(relay_count(relay, RELAY_OUT, false).lost, 0);
}

RELAY_CASE(bytes_of_which_some_are_lost)
{
    struct relay_pair pair;

    exchange(w, relay, &(struct relay_weather){.delay = 1, .lost = 50}, &pair, 1);
    ck_assert_int_gt(statistics_of(pair.near).retransmissions, 0);
    end_pair(w, &pair);
    ck_assert_uint_gt(relay_count(relay, RELAY_OUT, false).lost, 0);
    ck_assert_uint_gt(relay_count(relay, RELAY_BACK, false).lost, 0);
}

RELAY_CASE(bytes_that_overtake_each_other)
{
    struct relay_pair pair;

    exchange(w, relay, &(struct relay_weather){.delay = 1, .late = 200, .later = 5}, &pair, 1);
    end_pair(w, &pair);
    ck_assert_uint_gt(relay_count(relay, RELAY_OUT, false).late, 0);
}

/* Everything at once, and many connections side by side. */
RELAY_CASE(bytes_in_a_storm)
{
    enum { PAIRS = 8 };
    static const struct relay_weather storm = {
        .delay = 3, .lost = 30, .late = 100, .later = 10, .doubled = 50};
    struct relay_pair pairs[PAIRS];

    exchange(w, relay, &storm, pairs, PAIRS);
    for (int i = 0; i < PAIRS; i++)
        end_pair(w, &pairs[i]);
    ck_assert_uint_gt(relay_count(relay, RELAY_BACK, false).doubled, 0);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

enum { DATAGRAMS = 2000, DATAGRAM = 300, BATCH = 50 };

/* What became of numbered datagrams at the receiver. */
struct tally {
    int arrived, again, overtaken, last;
    bool seen[DATAGRAMS];
};

/* A number and the pattern from there on. */
static void send_numbered(plx_socket *socket, int number)
{
    unsigned char data[DATAGRAM];

    memcpy(data, &number, sizeof number);
    pattern_fill(data + sizeof number, sizeof data - sizeof number, (uint64_t)number);
    ck_assert_int_eq(plx_socket_write(socket, data, sizeof data), sizeof data);
}

static void take_numbered(plx_socket *socket, struct tally *tally)
{
    plx_datagram datagram;
    int number;

    while (plx_udp_read(socket, &datagram)) {
        const unsigned char *data = datagram.data;

        ck_assert_uint_eq(datagram.size, DATAGRAM);
        memcpy(&number, data, sizeof number);
        ck_assert(number >= 0 && number < DATAGRAMS);
        ck_assert(
            pattern_matches(data + sizeof number, DATAGRAM - sizeof number, (uint64_t)number));
        tally->again += tally->seen[number];
        tally->overtaken += number < tally->last;
        tally->last = number;
        tally->arrived += !tally->seen[number];
        tally->seen[number] = true;
    }
}

/* A receiver in the far network, and a sender with that peer. */
static void begin_datagrams(struct world *w, struct relay *relay, plx_socket **ret_near,
                            plx_socket **ret_far)
{
    int home = netns_in(relay->far);
    char where[WHERE_SIZE];

    *ret_far = world_socket_of(w, plx_udp_new, NULL);
    ck_assert_int_eq(plx_udp_bind(*ret_far, RELAY_FAR ":0"), 0);
    netns_back(home);
    snprintf(where, sizeof where, "%s:%d", RELAY_FAR, plx_socket_port(*ret_far));
    *ret_near = world_socket_of(w, plx_udp_new, NULL);
    ck_assert_int_eq(plx_socket_connect_to(*ret_near, where), 0);
    UNTIL(w, plx_socket_is_connected(*ret_near));
}

/* Whether the relay has given everything away that has entered it. */
static bool is_through(struct relay *relay, uint64_t entered)
{
    struct relay_count count = relay_count(relay, RELAY_OUT, true);

    return count.entered == entered &&
           count.delivered + count.lost == count.entered + count.doubled;
}

/* Sends in batches, so that no device's queue overflows, which would lose uncounted. */
static void send_all(struct world *w, struct relay *relay, plx_socket *near, plx_socket *far,
                     struct tally *tally)
{
    for (int number = 0; number < DATAGRAMS;) {
        for (int i = 0; i < BATCH; i++)
            send_numbered(near, number++);
        UNTIL(w, relay_count(relay, RELAY_OUT, true).entered == (uint64_t)number);
        take_numbered(far, tally);
    }
    UNTIL(w, is_through(relay, DATAGRAMS));
}

/* Each datagram is accounted for: the network has lost it, or it has arrived, or the statistics of
 * the receiver count it as dropped. */
RELAY_CASE(each_datagram_is_accounted_for)
{
    static const struct relay_weather weather = {
        .delay = 2, .lost = 100, .late = 100, .later = 5, .doubled = 50};
    struct tally tally = {0};
    struct relay_count count;
    plx_socket *near, *far;

    begin_datagrams(w, relay, &near, &far);
    ck_assert_int_eq(plx_socket_set_option(far, PLX_OPTION_RECEIVE_BUFFER_SIZE, 4 << 20), 0);
    relay_set(relay, &weather);
    send_all(w, relay, near, far, &tally);
    count = relay_count(relay, RELAY_OUT, true);
    UNTIL(w, (take_numbered(far, &tally),
              (uint64_t)(tally.arrived + tally.again + statistics_of(far).messages_dropped) ==
                  count.delivered));
    ck_assert_uint_eq(statistics_of(near).messages_sent, DATAGRAMS);
    ck_assert_uint_eq(statistics_of(far).messages_received,
                      (uint64_t)(tally.arrived + tally.again));
    ck_assert_uint_gt(count.lost, DATAGRAMS / 20);
    ck_assert_int_gt(tally.again, 0);
    ck_assert_int_gt(tally.overtaken, 0);
    fprintf(stderr, "datagrams: %d sent, %d arrived, %d of them overtaken, %d again, %d lost\n",
            DATAGRAMS, tally.arrived, tally.overtaken, tally.again, (int)count.lost);
}

/* Nobody reads for a while: what found no room is what is missing. */
RELAY_CASE(datagrams_without_room_are_counted)
{
    struct tally tally = {0};
    struct relay_count count;
    plx_socket *near, *far;
    int64_t dropped;

    begin_datagrams(w, relay, &near, &far);
    ck_assert_int_eq(plx_socket_set_option(far, PLX_OPTION_RECEIVE_BUFFER_SIZE, 20000), 0);
    for (int number = 0; number < 500;) {
        for (int i = 0; i < BATCH; i++)
            send_numbered(near, number++);
        ck_assert_int_eq(plx_socket_flush(near), 0);
        for (int round = 0; !is_through(relay, (uint64_t)number); round++) {
            ck_assert_int_lt(round, ROUNDS);
            world_pause(1);
        }
    }
    count = relay_count(relay, RELAY_OUT, true);
    ck_assert_uint_eq(count.delivered, 500);
    dropped = statistics_of(far).messages_dropped;
    ck_assert_int_gt(dropped, 0);
    ck_assert_int_lt(dropped, 500);
    UNTIL(w, (take_numbered(far, &tally), tally.arrived + dropped >= 500));
    world_settle(w);
    ck_assert_int_eq(tally.arrived + statistics_of(far).messages_dropped, 500);
}

/* ---- a narrow path --------------------------------------------------------------------------- */

/* near ──relay──→ far ──cable of 576 bytes──→ beyond. The far network routes, and answers packets
 * that do not fit (RFC 1191). Returns the descriptor of the network beyond; -1: skipped. */
static int make_narrow_path(struct relay *relay)
{
    int home = netns_in(relay->far), beyond, far;

    beyond = netns_beside("a path of 576 bytes", "narrow");
    if (beyond >= 0) {
        netns_run("sysctl -qw net.ipv4.ip_forward=1 && "
                  "ip link set narrow mtu 576 && ip addr add 10.78.0.1/24 dev narrow");
        far = netns_in(beyond);
        netns_run("ip link set cable mtu 576 && ip addr add 10.78.0.2/24 dev cable && "
                  "ip route add default via 10.78.0.1");
        netns_back(far);
    }
    netns_back(home);
    netns_run("ip route add 10.78.0.0/24 via " RELAY_FAR " dev near rto_min 5ms");
    return beyond;
}

RELAY_CASE(a_stream_through_576_bytes)
{
    int beyond = make_narrow_path(relay), home;
    struct relay_pair pair;
    char where[WHERE_SIZE];

    if (beyond < 0)
        return;
    pair.near = world_socket(w, &pair.near_log);
    pair.far = world_socket(w, &pair.far_log);
    pair.near_log.swallow = pair.far_log.swallow = true;
    home = netns_in(beyond);
    /* The kernel would announce its own maximum of 536 bytes, and the path would not be noticed. */
    netns_run("ip link set cable mtu 1500");
    ck_assert_int_eq(plx_socket_listen_on(pair.far, "10.78.0.2:0"), 0);
    netns_back(home);
    snprintf(where, sizeof where, "10.78.0.2:%d", plx_socket_port(pair.far));
    ck_assert_int_eq(plx_socket_connect_to(pair.near, where), 0);
    RELAY_UNTIL(w, plx_socket_is_connected(pair.near) && plx_socket_is_connected(pair.far));
    write_pattern(w, pair.near, STREAM);
    RELAY_UNTIL(w, pair.far_log.swallowed == STREAM);
    ck_assert_int_eq(plx_socket_option(pair.near, PLX_OPTION_PATH_MTU), 576);
    close(beyond);
}

/* A large datagram is not delivered the first time; then the kernel knows the path and cuts it. */
RELAY_CASE(datagrams_through_576_bytes)
{
    int beyond = make_narrow_path(relay), home;
    static unsigned char large[1400];
    struct record log;
    plx_socket *near, *far;
    plx_datagram datagram;
    char where[WHERE_SIZE];

    if (beyond < 0)
        return;
    home = netns_in(beyond);
    far = world_socket_of(w, plx_udp_new, NULL);
    ck_assert_int_eq(plx_udp_bind(far, "10.78.0.2:0"), 0);
    netns_back(home);
    snprintf(where, sizeof where, "10.78.0.2:%d", plx_socket_port(far));
    near = world_socket_of(w, plx_udp_new, &log);
    ck_assert_int_eq(plx_socket_connect_to(near, where), 0);
    UNTIL(w, plx_socket_is_connected(near));
    pattern_fill(large, sizeof large, 0);
    for (int i = 0; i < 100 && plx_udp_packets_available(far) == 0; i++) {
        ck_assert_int_eq(plx_socket_write(near, large, sizeof large), sizeof large);
        world_turn(w, 20);
    }
    ck_assert(plx_udp_read(far, &datagram));
    ck_assert_uint_eq(datagram.size, sizeof large);
    ck_assert(pattern_matches(datagram.data, datagram.size, 0));
    ck_assert_int_eq(plx_socket_option(near, PLX_OPTION_PATH_MTU), 576);
    ck_assert_int_eq(plx_socket_state(near), PLX_CONNECTED);
    /* EMSGSIZE once: the frame in which the kernel learned of the path. */
    ck_assert_int_le(log.count[EVENT_ERROR], 1);
    close(beyond);
}

RELAY_MAIN("network-weather")
