/* tests/test-statistics.c -- what a socket has done, and the room that a write limit gives. */
#include <errno.h>

#include "tests/world.h"

PAIR_CASE(bytes_are_counted_both_ways)
{
    plx_statistics seen;

    ck_assert(plx_socket_statistics(socket, &seen));
    ck_assert_uint_eq(seen.bytes_received + seen.bytes_sent, 0);
    ck_assert_int_ge(seen.idle, 0);
    raw_say(raw, "twelve bytes");
    UNTIL(w, plx_socket_bytes_available(socket) == 12);
    ck_assert_int_eq(plx_socket_write(socket, "five!", 5), 5);
    raw_expect(w, raw, "five!");
    ck_assert(plx_socket_statistics(socket, &seen));
    ck_assert_uint_eq(seen.bytes_received, 12);
    ck_assert_uint_eq(seen.bytes_sent, 5);
    ck_assert_uint_eq(seen.messages_received + seen.messages_sent,
                      w->kind->keeps_boundaries ? 2 : 0);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert(plx_socket_statistics(socket, &seen)); /* they stay after the end */
    ck_assert_uint_eq(seen.bytes_received, 12);
    ck_assert_int_eq(seen.round_trip, -1);
}

/* For streams only: so much in one write is no packet. */
STREAM_PAIR_CASE(large_writes_are_counted_once)
{
    static char bytes[300000];
    plx_statistics seen;
    char sink[65536];

    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), sizeof bytes);
    UNTIL(w, (raw_take(raw, sink, sizeof sink), log->count[EVENT_SEND_COMPLETE] > 0));
    ck_assert(plx_socket_statistics(socket, &seen));
    ck_assert_uint_eq(seen.bytes_sent, sizeof bytes);
    ck_assert_uint_eq(log->sent, sizeof bytes);
}

MODE_PAIR_CASE(the_round_trip_of_tcp_is_known)
{
    plx_statistics seen;

    ck_assert_int_eq(plx_socket_write(socket, "ping", 4), 4);
    raw_expect(w, raw, "ping");
    ck_assert(plx_socket_statistics(socket, &seen));
    ck_assert_int_gt(seen.round_trip, 0);
    ck_assert_int_gt(seen.congestion_window, 0);
    ck_assert_int_eq(seen.retransmissions, 0);
}

UDP_SOCKET_CASE(datagrams_are_counted)
{
    plx_statistics seen;
    plx_address self = {.family = 4, .bytes = {127, 0, 0, 1}};

    ck_assert_int_eq(plx_socket_connect(socket), 0);
    self.port = (uint16_t)plx_socket_port(socket);
    ck_assert_int_eq(plx_udp_write(socket, &self, "one", 3), 0);
    ck_assert_int_eq(plx_udp_write(socket, &self, "", 0), 0);
    UNTIL(w, plx_udp_packets_available(socket) == 2);
    ck_assert(plx_socket_statistics(socket, &seen));
    ck_assert_uint_eq(seen.messages_sent, 2);
    ck_assert_uint_eq(seen.messages_received, 2);
    ck_assert_uint_eq(seen.bytes_sent, 3);
    ck_assert_uint_eq(seen.bytes_received, 3);
    ck_assert_int_eq(seen.round_trip, -1);
}

MODE_CASE(nothing_has_happened_yet)
{
    plx_statistics seen;
    plx_socket *socket = world_socket(w, NULL);

    ck_assert(plx_socket_statistics(socket, &seen));
    ck_assert_int_eq(seen.idle, -1);
    ck_assert(!plx_socket_statistics(NULL, &seen));
    ck_assert(!plx_socket_statistics(socket, NULL));
}

static int room; /* how often it was reported */

static void count_room(plx_socket *socket, void *user)
{
    (void)socket;
    (void)user;
    room++;
}

/* For streams only: WRITE_LIMIT cuts no packet. */
STREAM_CASE(room_is_told_when_half_of_the_limit_is_free)
{
    static const plx_events events = {.room_available = count_room};
    static char bytes[4000];
    plx_socket *socket = world_socket(w, NULL);
    int raw;

    room = 0;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 1000), 0);
    raw = world_pair(w, socket, NULL);
    plx_socket_set_events(socket, &events, NULL);
    ck_assert_int_eq(plx_socket_write(socket, bytes, 900), 900);
    world_settle(w);
    ck_assert_int_eq(room, 0); /* nobody was refused anything */
    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), 1000);
    ck_assert_int_eq(plx_socket_write(socket, bytes, 1), 0);
    UNTIL(w, room == 1);
    ck_assert_uint_le(plx_socket_bytes_left_to_send(socket), 500);
    world_settle(w);
    ck_assert_int_eq(room, 1);
    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), 1000);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 0), 0);
    UNTIL(w, room == 2);
    (void)raw;
}

/* ---- idle: how long ago bytes moved, and nothing else ---------------------------------------- */

static uint64_t moment = 1000000000;

static uint64_t held_clock(void *user)
{
    (void)user;
    return moment;
}

static void pass_time(int milliseconds)
{
    moment += (uint64_t)milliseconds * 1000000u;
}

/* A time-out is not used up by time that passes at once: see <pollux/clock.h>. */
static void pass_time_in_frames(struct world *w, int milliseconds)
{
    for (; milliseconds > 0; milliseconds -= 1000) {
        pass_time(milliseconds < 1000 ? milliseconds : 1000);
        world_poll(w);
    }
}

static int idle_of(const plx_socket *socket)
{
    plx_statistics seen;

    ck_assert(plx_socket_statistics(socket, &seen));
    return (int)seen.idle;
}

PAIR_CASE(setting_an_option_is_no_activity)
{
    plx_clock_set(held_clock, NULL);
    raw_say(raw, "x");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
    pass_time(300);
    ck_assert_int_eq(idle_of(socket), 300);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 1000), 0);
    ck_assert_int_eq(idle_of(socket), 300);
    /* A time-out that is shorter than the silence so far begins with the call. */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 200), 0);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    ck_assert_int_eq(idle_of(socket), 300);
    for (int i = 0; i < 4; i++) {
        pass_time(i < 3 ? 50 : 49); /* a longer step would be a halt */
        world_settle(w);
    }
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    pass_time(1);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
    plx_clock_set(NULL, NULL);
}

PAIR_CASE(bytes_in_an_ending_are_activity)
{
    uint64_t offset = 0;
    static char bytes[10000];

    plx_clock_set(held_clock, NULL);
    for (int i = 0; i < 400; i++)
        ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), sizeof bytes);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    pass_time(500);
    ck_assert_int_ge(idle_of(socket), 500);
    offset = plx_socket_bytes_available(socket);
    raw_say(raw, "still here");
    UNTIL(w, plx_socket_bytes_available(socket) == offset + 10);
    ck_assert_int_eq(idle_of(socket), 0);
    /* The linger time goes on from the call of disconnect, whatever arrives. */
    pass_time_in_frames(w, 29499);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    /* Each quarter of it may end a frame late. */
    UNTIL(w, (pass_time(1000), log->count[EVENT_DISCONNECTED] == 1));
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
    plx_clock_set(NULL, NULL);
}

/* Neither a pause in accepting nor one before a new attempt is the connection's idle time. */
SOCKET_CASE(a_pause_before_connecting_again_is_no_activity)
{
    raw_refusing(w, where);
    plx_clock_set(held_clock, NULL);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(idle_of(socket), -1);
    plx_clock_set(NULL, NULL);
}

WORLD_MAIN("statistics", .packets = true)
