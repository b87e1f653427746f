/* tests/test-network-cut.c -- a cable that is cut, an interface that goes down, an address that is
 * removed: what is reported, and when, and what goes on as if nothing had happened.
 *
 * The cable stays cut for 0.3 seconds; POLLUX_CUT_SECONDS sets another time, up to 60: `make soak`
 * cuts it for 30 seconds. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/clocks.h"
#include "tests/netns.h"
#include "tests/relay.h"

enum { STREAM = 1000000, LIMIT = 300 };

static const struct relay_weather cut = {.cut = true}, fine = {0};

static void set(plx_socket *socket, plx_option option, int value)
{
    ck_assert_int_eq(plx_socket_set_option(socket, option, value), 0);
}

/* Polls for that time, in which `log` reports nothing. */
static void expect_nothing_for(struct world *w, int milliseconds, struct record *log)
{
    for (long long end = now_ms() + milliseconds; now_ms() < end;)
        world_turn(w, 20);
    LOGGED(w, log, "");
}

/* Expects the end of a connection, by a time-out that began at `begin`. */
static void expect_timeout(struct world *w, const plx_socket *socket, const struct record *log,
                           long long begin, int least)
{
    RELAY_UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_ge(now_ms() - begin, least);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_msg(log->os_error == ETIMEDOUT, "%s: %s", world_name(w), log->message);
    ck_assert_int_eq(log->reason, PLX_REASON_SOCKET_TIMEOUT);
}

/* ---- a cable that is repaired ---------------------------------------------------------------- */

SECTION("repaired", .timeout = 240);

static int cut_ms(void)
{
    const char *seconds = getenv("POLLUX_CUT_SECONDS");
    int chosen = seconds == NULL ? 0 : atoi(seconds);

    return chosen <= 0 ? 300 : (chosen > 60 ? 60 : chosen) * 1000;
}

/* The network fails by `hit` while bytes are under way, and works again after `repair`. */
static void interrupt(struct world *w, struct relay *relay, void (*hit)(struct relay *),
                      void (*repair)(struct relay *))
{
    struct relay_pair pair;
    uint64_t before;

    relay_pair_begin(w, relay, &pair);
    relay_set(relay, &(struct relay_weather){.delay = 1});
    write_pattern(w, pair.near, STREAM);
    write_pattern(w, pair.far, STREAM);
    UNTIL(w, pair.near_log.swallowed > 0 && pair.far_log.swallowed > 0);
    hit(relay);
    UNTIL(w, relay_is_empty(relay));
    world_settle(w);
    before = pair.near_log.swallowed + pair.far_log.swallowed;
    ck_assert_uint_lt(before, 2 * STREAM);
    expect_nothing_for(w, cut_ms(), &pair.near_log);
    ck_assert_uint_eq(pair.near_log.swallowed + pair.far_log.swallowed, before);
    repair(relay);
    RELAY_UNTIL(w, pair.near_log.swallowed == STREAM && pair.far_log.swallowed == STREAM);
    LOGGED(w, &pair.near_log, "");
    LOGGED(w, &pair.far_log, "");
    ck_assert_int_eq(plx_socket_disconnect(pair.near), 0);
    RELAY_UNTIL(w, plx_socket_state(pair.far) == PLX_UNCONNECTED);
    ck_assert_int_eq(pair.near_log.count[EVENT_ERROR], 0);
}

static void cut_cable(struct relay *relay)
{
    relay_set(relay, &cut);
}

static void repair_cable(struct relay *relay)
{
    relay_set(relay, &fine);
}

RELAY_CASE(a_cable_that_is_cut)
{
    interrupt(w, relay, cut_cable, repair_cable);
    if (cut_ms() > 1000)
        fprintf(stderr, "%s: the cable was cut for %d ms\n", world_name(w), cut_ms());
}

static void take_down(struct relay *relay)
{
    (void)relay;
    netns_run("ip link set near down");
}

static void take_up(struct relay *relay)
{
    (void)relay;
    netns_run("ip link set near up && ip route replace 10.77.0.0/24 dev near rto_min 5ms");
}

RELAY_CASE(an_interface_that_goes_down)
{
    interrupt(w, relay, take_down, take_up);
}

static void remove_address(struct relay *relay)
{
    (void)relay;
    netns_run("ip addr del " RELAY_NEAR "/24 dev near");
}

static void add_address(struct relay *relay)
{
    (void)relay;
    netns_run("ip addr add " RELAY_NEAR "/24 dev near && "
              "ip route replace 10.77.0.0/24 dev near rto_min 5ms");
}

RELAY_CASE(an_address_that_is_removed)
{
    interrupt(w, relay, remove_address, add_address);
}

/* The far end's address. */
static void remove_far_address(struct relay *relay)
{
    relay_far_run(relay, "ip addr del " RELAY_FAR "/24 dev far");
}

static void add_far_address(struct relay *relay)
{
    relay_far_run(relay, "ip addr add " RELAY_FAR "/24 dev far && "
                         "ip route replace 10.77.0.0/24 dev far rto_min 5ms");
}

RELAY_CASE(an_address_of_the_peer_that_is_removed)
{
    interrupt(w, relay, remove_far_address, add_far_address);
}

/* ---- time-outs ------------------------------------------------------------------------------- */

SECTION("time-outs");

/* A connection whose near end has that option, and whose cable is cut after that. */
static void couple_with(struct world *w, struct relay *relay, struct relay_pair *pair,
                        plx_option option, int value)
{
    relay_pair_begin(w, relay, pair);
    set(pair->near, option, value);
}

RELAY_CASE(connect_timeout_through_a_cut_cable)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    long long begin = now_ms();

    relay_listen(relay, world_socket(w, NULL), where);
    relay_set(relay, &cut);
    set(socket, PLX_OPTION_CONNECT_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    RELAY_UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_int_ge(now_ms() - begin, LIMIT);
    ck_assert_int_eq(log.os_error, ETIMEDOUT);
    LOGGED(w, &log, "state:CONNECTING state:UNCONNECTED error(110,15)[UNCONNECTED]");
    relay_set(relay, &fine); /* the socket is reusable */
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    RELAY_UNTIL(w, plx_socket_is_connected(socket));
}

RELAY_CASE(idle_timeout_of_a_silent_connection)
{
    struct relay_pair pair;
    long long begin = now_ms();

    couple_with(w, relay, &pair, PLX_OPTION_IDLE_TIMEOUT, LIMIT);
    relay_set(relay, &cut);
    expect_timeout(w, pair.near, &pair.near_log, begin, LIMIT);
    LOGGED(w, &pair.far_log, "");
}

/* Bytes that are written go nowhere: they do not prolong the life of the connection for ever. */
RELAY_CASE(idle_timeout_while_writing)
{
    struct relay_pair pair;
    long long begin = now_ms();

    couple_with(w, relay, &pair, PLX_OPTION_IDLE_TIMEOUT, LIMIT);
    relay_set(relay, &cut);
    while (plx_socket_is_connected(pair.near)) {
        ck_assert_int_lt(now_ms() - begin, 30000);
        plx_socket_write(pair.near, "move\n", 5);
        world_turn(w, 20);
    }
    expect_timeout(w, pair.near, &pair.near_log, begin, LIMIT);
}

RELAY_CASE(unacknowledged_timeout)
{
    struct relay_pair pair;
    long long begin;

    couple_with(w, relay, &pair, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, LIMIT);
    relay_set(relay, &cut);
    begin = now_ms();
    write_pattern(w, pair.near, STREAM);
    expect_timeout(w, pair.near, &pair.near_log, begin, LIMIT);
    ck_assert_int_eq(pair.near_log.code, PLX_LOST_CONNECTION);
}

/* The kernel counts in seconds: one until the probe, one until it has not been answered. */
RELAY_CASE(keep_alive)
{
    struct relay_pair pair;
    long long begin = now_ms();

    couple_with(w, relay, &pair, PLX_OPTION_KEEP_ALIVE_IDLE, 1);
    set(pair.near, PLX_OPTION_KEEP_ALIVE_INTERVAL, 1);
    set(pair.near, PLX_OPTION_KEEP_ALIVE_COUNT, 1);
    set(pair.near, PLX_OPTION_KEEP_ALIVE, 1);
    relay_set(relay, &cut);
    expect_timeout(w, pair.near, &pair.near_log, begin, 1500);
    ck_assert_int_eq(pair.near_log.code, PLX_LOST_CONNECTION);
}

/* The queue cannot be sent any more. */
RELAY_CASE(linger_timeout)
{
    struct relay_pair pair;
    long long begin;

    couple_with(w, relay, &pair, PLX_OPTION_LINGER_TIMEOUT, LIMIT);
    relay_set(relay, &cut);
    write_pattern(w, pair.near, STREAM);
    world_settle(w);
    begin = now_ms();
    ck_assert_int_eq(plx_socket_disconnect(pair.near), 0);
    expect_timeout(w, pair.near, &pair.near_log, begin, LIMIT);
    ck_assert_int_eq(pair.near_log.code, PLX_LOST_CONNECTION);
}

/* What is lost is found again by itself. */
RELAY_CASE(auto_connect_through_a_cut)
{
    plx_server *server = world_server(w);
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int home = netns_in(relay->far);

    ck_assert_int_eq(plx_server_listen_on(server, RELAY_FAR ":0"), 0);
    netns_back(home);
    snprintf(where, sizeof where, "%s:%d", RELAY_FAR, plx_server_port(server));
    set(socket, PLX_OPTION_AUTO_CONNECT, 1);
    set(socket, PLX_OPTION_CONNECT_TIMEOUT, LIMIT);
    set(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    relay_set(relay, &cut);
    ck_assert_int_eq(plx_socket_write(socket, "lost", 4), 4);
    RELAY_UNTIL(w, log.count[EVENT_ERROR] >= 2); /* the loss, and an attempt through the cut */
    relay_set(relay, &fine);
    RELAY_UNTIL(w, log.count[EVENT_CONNECTED] == 2);
    ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 1);
    ck_assert_int_eq(plx_socket_write(socket, "found", 5), 5);
    RELAY_UNTIL(w, plx_socket_bytes_left_to_send(socket) == 0);
}

/* ---- an address that stays away -------------------------------------------------------------- */

SECTION("addresses");

RELAY_CASE(a_stream_without_its_address)
{
    struct relay_pair pair;

    couple_with(w, relay, &pair, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, LIMIT);
    remove_address(relay);
    write_pattern(w, pair.near, STREAM);
    RELAY_UNTIL(w, pair.near_log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(pair.near_log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(pair.near_log.code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(pair.near_log.os_error, ETIMEDOUT);
    add_address(relay);
}

RELAY_CASE(an_attempt_without_a_route)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);

    take_down(relay);
    plx_socket_connect_to(socket, RELAY_FAR ":7777");
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_msg(log.os_error == ENETUNREACH, "%s: %s", world_name(w), log.message);
    take_up(relay);
}

/* A datagram socket at an address, which disappears for a while: each failure is reported once, and
 * the socket works again when the address is back. */
RELAY_CASE(datagrams_without_their_address)
{
    struct record log;
    plx_socket *near = world_socket_of(w, plx_udp_new, &log);
    plx_socket *far = world_socket_of(w, plx_udp_new, NULL);
    plx_datagram datagram;
    plx_address to;
    int home = netns_in(relay->far), errors;

    ck_assert_int_eq(plx_udp_bind(far, RELAY_FAR ":0"), 0);
    netns_back(home);
    ck_assert_int_eq(plx_udp_bind(near, RELAY_NEAR ":0"), 0);
    ck_assert(plx_socket_local(far, &to));
    remove_address(relay);
    for (int frame = 0; frame < 20; frame++) {
        ck_assert_int_eq(plx_udp_write(near, &to, "lost", 4), 0);
        world_turn(w, 0);
    }
    errors = log.count[EVENT_ERROR];
    ck_assert_int_eq(errors, 1);
    ck_assert_int_eq(log.os_error, ENETUNREACH);
    ck_assert_int_eq(plx_socket_state(near), PLX_BOUND);
    add_address(relay);
    ck_assert_int_eq(plx_udp_write(near, &to, "found", 5), 0);
    UNTIL(w, plx_udp_read(far, &datagram));
    ck_assert_uint_eq(datagram.size, 5);
    ck_assert_int_eq(log.count[EVENT_ERROR], errors);
}

/* ---- datagrams through a cut ----------------------------------------------------------------- */

SECTION("datagrams");

/* Nobody reports what is lost on the way; the counts show it. */
RELAY_CASE(datagrams_through_a_cut)
{
    struct record log;
    plx_socket *near = world_socket_of(w, plx_udp_new, &log);
    plx_socket *far = world_socket_of(w, plx_udp_new, NULL);
    char where[WHERE_SIZE];
    int home = netns_in(relay->far);

    ck_assert_int_eq(plx_udp_bind(far, RELAY_FAR ":0"), 0);
    netns_back(home);
    snprintf(where, sizeof where, "%s:%d", RELAY_FAR, plx_socket_port(far));
    log.mute = 1u << EVENT_SEND_COMPLETE;
    ck_assert_int_eq(plx_socket_connect_to(near, where), 0);
    UNTIL(w, plx_socket_is_connected(near));
    record_clear(&log);
    for (uint64_t number = 1; number <= 30; number++) {
        relay_set(relay, number > 10 && number <= 20 ? &cut : &fine);
        ck_assert_int_eq(plx_socket_write(near, "count", 5), 5);
        UNTIL(w, relay_count(relay, RELAY_OUT, true).entered == number);
        UNTIL(w, relay_count(relay, RELAY_OUT, true).delivered +
                         relay_count(relay, RELAY_OUT, true).lost ==
                     number);
    }
    UNTIL(w, plx_udp_packets_available(far) == 20);
    ck_assert_uint_eq(relay_count(relay, RELAY_OUT, true).lost, 10);
    LOGGED(w, &log, "");
}

/* What arrives keeps the virtual connection alive; a peer that is silent ends it. */
RELAY_CASE(idle_timeout_of_datagrams)
{
    struct record log;
    plx_socket *near = world_socket_of(w, plx_udp_new, &log);
    plx_socket *far = world_socket_of(w, plx_udp_new, NULL);
    char where[WHERE_SIZE];
    int home = netns_in(relay->far);
    long long begin;

    ck_assert_int_eq(plx_udp_bind(far, RELAY_FAR ":0"), 0);
    netns_back(home);
    snprintf(where, sizeof where, "%s:%d", RELAY_FAR, plx_socket_port(far));
    set(near, PLX_OPTION_IDLE_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_connect_to(near, where), 0);
    UNTIL(w, plx_socket_is_connected(near));
    begin = now_ms();
    relay_set(relay, &cut);
    RELAY_UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_ge(now_ms() - begin, LIMIT - 1);
    LOGGED(w, &log,
           "state:CONNECTING state:CONNECTED connected[CONNECTED] state:UNCONNECTED "
           "error(110,15)[UNCONNECTED] disconnected[UNCONNECTED]");
}

RELAY_MAIN("network-cut")
