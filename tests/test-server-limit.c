/* tests/test-server-limit.c -- whom a server accepts, and when: pauses, a maximum for each address,
 * and how many clients establish their filters in one poll. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/group/addresses.h"
#include "tests/clocks.h"
#include "tests/greeting.h"
#include "tests/scarce.h"
#include "tests/world.h"

/* ---- pauses ---------------------------------------------------------------------------------- */

SECTION("pauses");

/* Sleeps for about so long the way this world sleeps. Returns what that costs the processor. */
static long long cost_of_sleep(struct hall *hall, int milliseconds)
{
    long long before = thread_us(), start = now_ms();

    do {
        if (hall->world->group != NULL)
            plx_group_poll(hall->world->group, milliseconds);
        else
            plx_server_wait(hall->server, milliseconds);
    } while (now_ms() - start < milliseconds);
    return thread_us() - before;
}

/* Nobody is accepted, and those who wait keep no poll busy. */
static void expect_nobody(struct hall *hall, int accepted)
{
    struct world *w = hall->world;

    world_settle(w);
    ck_assert_int_eq(hall->accepted, accepted);
    ck_assert(!world_poll(w));
    if (w->group != NULL)
        ck_assert_int_eq(plx_group_deadline(w->group), -1);
    EXPECT_BELOW(50 * 500, cost_of_sleep(hall, 50));
    ck_assert_int_eq(hall->accepted, accepted);
}

CASE(peers_wait_while_the_server_pauses)
{
    struct hall *hall = hall_open_plain(w);
    int raw = raw_connect(w, hall->where), others[3];

    UNTIL(w, hall->accepted == 1);
    plx_server_pause(hall->server, true);
    plx_server_pause(hall->server, true);
    ck_assert(plx_server_is_listening(hall->server));
    for (int i = 0; i < 3; i++)
        others[i] = raw_connect(w, hall->where);
    expect_nobody(hall, 1);
    hall_expect_echo(hall, 0, raw);
    plx_server_pause(hall->server, false);
    world_poll(w);
    ck_assert_int_eq(hall->accepted, 4);
    for (int i = 0; i < 3; i++)
        hall_expect_echo(hall, 1 + i, others[i]);
    plx_server_pause(hall->server, false);
    expect_nobody(hall, 4);
    ck_assert_int_eq(hall->errors, 0);
    free(hall);
}

/* The kernel has reported the peer already. */
CASE(a_pause_that_comes_before_the_poll)
{
    struct hall *hall = hall_open_plain(w);

    world_settle(w);
    raw_connect(w, hall->where);
    plx_server_pause(hall->server, true);
    expect_nobody(hall, 0);
    plx_server_pause(hall->server, false);
    plx_server_pause(hall->server, true);
    expect_nobody(hall, 0);
    plx_server_pause(hall->server, false);
    world_poll(w);
    ck_assert_int_eq(hall->accepted, 1);
    free(hall);
}

static void pause_at_once(struct record *record, plx_socket *client)
{
    struct hall *hall = record->data;

    (void)client;
    plx_server_pause(hall->server, true);
}

CASE(a_handler_pauses)
{
    struct hall *hall = hall_open_plain(w);

    hall->act = pause_at_once;
    for (int i = 0; i < 3; i++)
        raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 1);
    for (int i = 1; i < 3; i++) {
        expect_nobody(hall, i);
        plx_server_pause(hall->server, false);
        world_poll(w);
    }
    expect_nobody(hall, 3);
    free(hall);
}

CASE(a_pause_outlasts_the_listening)
{
    struct hall *hall = hall_open_plain(w);

    plx_server_stop_listening(hall->server);
    plx_server_pause(hall->server, true);
    world_serve(w, hall->server, hall->where);
    raw_connect(w, hall->where);
    expect_nobody(hall, 0);
    plx_server_stop_listening(hall->server);
    world_serve(w, hall->server, hall->where);
    raw_connect(w, hall->where);
    expect_nobody(hall, 0);
    plx_server_pause(hall->server, false);
    world_poll(w);
    ck_assert_int_eq(hall->accepted, 1);
    plx_server_stop_listening(hall->server);
    plx_server_pause(hall->server, true);
    plx_server_pause(hall->server, false);
    world_serve(w, hall->server, hall->where);
    raw_connect(w, hall->where);
    UNTIL(w, hall->accepted == 2);
    free(hall);
}

/* Neither a client that leaves nor another maximum ends the pause. */
CASE(a_pause_with_a_maximum)
{
    struct hall *hall = hall_open_plain(w);
    int raw = raw_connect(w, hall->where);

    plx_server_set_maximum_sockets_connected(hall->server, 1);
    UNTIL(w, hall->accepted == 1);
    raw_connect(w, hall->where);
    raw_connect(w, hall->where);
    expect_nobody(hall, 1);
    plx_server_pause(hall->server, true);
    raw_close(w, raw);
    UNTIL(w, plx_server_active_count(hall->server) == 0);
    plx_server_set_maximum_sockets_connected(hall->server, 2);
    expect_nobody(hall, 1);
    plx_server_set_maximum_sockets_connected(hall->server, 1);
    plx_server_pause(hall->server, false);
    world_poll(w);
    expect_nobody(hall, 2);
    free(hall);
}

/* The server has paused itself, for a while: the program's pause has no end of its own. */
CASE(a_pause_while_descriptors_have_run_out)
{
    struct hall *hall;

    if (under_valgrind())
        return;
    hall = hall_open_plain(w);
    world_settle(w);
    raw_connect(w, hall->where);
    take_descriptors();
    UNTIL(w, hall->errors == 1);
    plx_server_pause(hall->server, true);
    give_descriptors();
    time_stop();
    time_pass(1000);
    expect_nobody(hall, 0);
    plx_server_pause(hall->server, false);
    world_poll(w);
    ck_assert_int_eq(hall->accepted, 1);
    time_run();
    free(hall);
}

/* ---- a maximum for each address -------------------------------------------------------------- */

SECTION("addresses");

/* Connects to where a TCP server listens, with an IPv4 address of ours. */
static int connect_from(struct world *w, const char *from, const char *where)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(inet_pton(AF_INET, from, &name.sin_addr), 1);
    ck_assert_int_eq(bind(descriptor, (struct sockaddr *)&name, sizeof name), 0);
    name.sin_port = htons((uint16_t)atoi(strrchr(where, ':') + 1));
    ck_assert_int_eq(inet_pton(AF_INET, "127.0.0.1", &name.sin_addr), 1);
    ck_assert_int_eq(connect(descriptor, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(fcntl(descriptor, F_SETFL, O_NONBLOCK), 0);
    return world_raw(w, descriptor);
}

static void expect_reset(struct world *w, int raw)
{
    ptrdiff_t got;
    char byte;

    UNTIL(w, (got = raw_take(raw, &byte, 1)) != RAW_NOTHING);
    ck_assert_int_eq(got, RAW_RESET);
}

/* Another peer of 127.0.0.1 is turned away, or accepted. */
static void expect_full(struct hall *hall)
{
    int accepted = hall->accepted;

    expect_reset(hall->world, raw_connect(hall->world, hall->where));
    ck_assert_int_eq(hall->accepted, accepted);
}

static int expect_place(struct hall *hall)
{
    int accepted = hall->accepted, raw = raw_connect(hall->world, hall->where);

    UNTIL(hall->world, hall->accepted == accepted + 1);
    hall_expect_echo(hall, accepted, raw);
    return raw;
}

MODE_CASE(a_peer_beyond_the_maximum_of_its_address)
{
    struct hall *hall = hall_open_plain(w);
    int first, other;

    ck_assert_int_eq(plx_server_set_maximum_per_address(hall->server, 2), 0);
    first = expect_place(hall);
    expect_place(hall);
    expect_full(hall);
    expect_full(hall);
    other = connect_from(w, "127.0.0.2", hall->where);
    UNTIL(w, hall->accepted == 3);
    hall_expect_echo(hall, 2, other);
    raw_close(w, first);
    UNTIL(w, plx_server_active_count(hall->server) == 2);
    expect_place(hall);
    expect_full(hall);
    ck_assert_int_eq(hall->errors, 0);
    ck_assert_int_eq(plx_server_error(hall->server)->code, 0);
    free(hall);
}

/* Those who wait behind a flood of one address have their turn in the same poll, and so do the
 * clients. */
MODE_CASE(a_flood_of_one_address)
{
    enum { FLOOD = 200 };
    struct hall *hall = hall_open_plain(w);
    int raw, flood[FLOOD], other, before;

    ck_assert_int_eq(plx_server_set_maximum_per_address(hall->server, 1), 0);
    raw = expect_place(hall);
    world_settle(w);
    before = count_descriptors();
    for (int i = 0; i < FLOOD; i++)
        flood[i] = raw_connect(w, hall->where);
    other = connect_from(w, "127.0.0.3", hall->where);
    raw_say(raw, "ping");
    world_poll(w);
    ck_assert_int_eq(hall->accepted, 2);
    ck_assert_uint_eq(plx_socket_bytes_available(hall->clients[0]), 4);
    for (int i = 0; i < FLOOD; i++) {
        expect_reset(w, flood[i]);
        raw_close(w, flood[i]);
    }
    raw_close(w, other);
    UNTIL(w, plx_server_active_count(hall->server) == 1);
    world_settle(w);
    ck_assert_int_eq(count_descriptors(), before);
    ck_assert_int_eq(hall->errors, 0);
    free(hall);
}

MODE_CASE(who_counts_for_an_address)
{
    struct hall *hall = hall_open_plain(w);

    ck_assert_int_eq(plx_server_set_maximum_per_address(hall->server, 1), 0);
    expect_place(hall);
    plx_socket_free(hall->clients[0]);
    expect_place(hall);
    expect_full(hall);
    plx_socket_close(hall->clients[1]);
    expect_place(hall);
    expect_full(hall);
    world_keep(w, plx_server_take(hall->server, hall->clients[2]));
    expect_place(hall);
    expect_full(hall);
    plx_socket_disconnect(hall->clients[3]);
    raw_end(w->raws[w->raws_used - 2].descriptor);
    UNTIL(w, plx_server_active_count(hall->server) == 0);
    expect_place(hall);
    expect_full(hall);
    free(hall);
}

MODE_CASE(a_maximum_that_comes_later)
{
    struct hall *hall = hall_open_plain(w);
    plx_server *server = hall->server;
    int raws[3];

    for (int i = 0; i < 3; i++)
        raws[i] = expect_place(hall);
    ck_assert_int_eq(plx_server_set_maximum_per_address(server, 2), 0); /* nobody is thrown out */
    expect_full(hall);
    ck_assert_uint_eq(plx_server_active_count(server), 3);
    raw_close(w, raws[0]);
    UNTIL(w, plx_server_active_count(server) == 2);
    expect_full(hall);
    ck_assert_int_eq(plx_server_set_maximum_per_address(server, 3), 0);
    expect_place(hall);
    expect_full(hall);
    ck_assert_int_eq(plx_server_set_maximum_per_address(server, -1), 0);
    expect_place(hall);
    fail_allocation(1);
    ck_assert_int_eq(plx_server_set_maximum_per_address(server, 4), PLX_OUT_OF_MEMORY);
    fail_allocation(0);
    expect_place(hall);
    ck_assert_int_eq(plx_server_set_maximum_per_address(server, 5), 0);
    expect_full(hall);
    ck_assert_int_eq(plx_server_set_maximum_per_address(server, 0), 0);
    expect_place(hall);
    free(hall);
}

/* IPv4-mapped peers are IPv4 peers. */
MODE_CASE(peers_of_both_families)
{
    struct hall *hall = hall_open_plain(w);
    char where[WHERE_SIZE];

    plx_server_stop_listening(hall->server);
    ck_assert_int_eq(plx_server_listen_on(hall->server, ":0"), 0);
    snprintf(where, sizeof where, "127.0.0.1:%d", plx_server_port(hall->server));
    ck_assert_int_eq(plx_server_set_maximum_per_address(hall->server, 1), 0);
    connect_from(w, "127.0.0.1", where);
    UNTIL(w, hall->accepted == 1);
    expect_reset(w, connect_from(w, "127.0.0.1", where));
    connect_from(w, "127.0.0.2", where);
    UNTIL(w, hall->accepted == 2);
    free(hall);
}

static void connect_back(plx_socket *socket, void *user)
{
    ck_assert_int_eq(plx_socket_connect_to(socket, user), 0);
}

/* A client that a handler has connected again leaves no place when it goes. */
MODE_CASE(a_client_that_connects_again)
{
    static const plx_events events = {.disconnected = connect_back};
    struct hall *hall = hall_open_plain(w);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raws[2];

    ck_assert_int_eq(plx_server_set_maximum_per_address(hall->server, 2), 0);
    for (int i = 0; i < 2; i++)
        raws[i] = expect_place(hall);
    plx_socket_set_events(hall->clients[0], &events, where);
    raw_close(w, raws[0]);
    raw_accept(w, listener);
    UNTIL(w, plx_socket_is_connected(hall->clients[0]));
    ck_assert_uint_eq(plx_server_active_count(hall->server), 2);
    plx_socket_free(hall->clients[0]);
    expect_place(hall);
    expect_full(hall);
    free(hall);
}

/* Whichever allocation fails, the peer comes in the end, and counts once. */
MODE_CASE(an_address_that_finds_no_memory)
{
    for (int number = 1; number < 7; number++) {
        struct hall *hall = hall_open_plain(w);
        int raw;

        ck_assert_int_eq(plx_server_set_maximum_per_address(hall->server, 1), 0);
        world_settle(w);
        raw = raw_connect(w, hall->where);
        fail_allocation(number);
        world_settle(w);
        fail_allocation(0);
        UNTIL(w, hall->accepted == 1);
        ck_assert_int_le(hall->errors, 1);
        expect_full(hall);
        raw_close(w, raw);
        UNTIL(w, plx_server_active_count(hall->server) == 0);
        expect_place(hall);
        world_free_server(w, hall->server);
        free(hall);
    }
}

CASE(peers_without_addresses)
{
    struct hall *hall = hall_open_plain(w);
    int code = plx_server_set_maximum_per_address(hall->server, 1);

    if (strcmp(w->kind->name, "tcp") == 0) {
        ck_assert_int_eq(code, 0);
    } else {
        ck_assert_int_eq(code, PLX_INVALID_STATE);
        ck_assert_int_eq(plx_server_error(hall->server)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
        raw_connect(w, hall->where);
        raw_connect(w, hall->where);
        UNTIL(w, hall->accepted == 2);
    }
    free(hall);
}

static plx_address address_of(const char *text)
{
    plx_address address;

    ck_assert_int_eq(plx_address_parse(text, &address), 0);
    return address;
}

PLAIN_CASE(an_address_is_that_of_a_host)
{
    static const char *const same[][2] = {
        {"1.2.3.4:1", "1.2.3.4:2"},
        {"[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::]:1"},
        {"::ffff:1.2.3.4", "1.2.3.4"},
        {"fe80::1%1", "fe80::2%2"},
    };
    static const char *const others[] = {"1.2.3.4",         "4.3.2.1", "2001:db8:1:2::1",
                                         "2001:db8:1:3::1", "::1",     "0:0:102:304::"};
    struct plx__addresses addresses = {0};
    plx_address none = {0};

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        plx_address first = address_of(same[i][0]), second = address_of(same[i][1]);

        ck_assert_int_eq(plx__addresses_enter(&addresses, &first), 0);
        ck_assert_uint_eq(plx__addresses_of(&addresses, &second), 1);
        plx__addresses_leave(&addresses, &second);
        ck_assert_uint_eq(plx__addresses_of(&addresses, &first), 0);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        plx_address address = address_of(others[i]);

        ck_assert_uint_eq(plx__addresses_of(&addresses, &address), 0);
        ck_assert_int_eq(plx__addresses_enter(&addresses, &address), 0);
    }
    ck_assert_uint_eq(addresses.count, 6);
    ck_assert_int_eq(plx__addresses_enter(&addresses, &none), 0);
    ck_assert_uint_eq(plx__addresses_of(&addresses, &none), 0);
    plx__addresses_leave(&addresses, &none);
    ck_assert_uint_eq(addresses.count, 6);
    plx__addresses_clear(&addresses);
}

/* In any order, and without memory in a row of comings and goings. */
PLAIN_CASE(ten_thousand_addresses)
{
    enum { MANY = 10000, STEP = 7919 };
    struct plx__addresses addresses = {0};
    plx_address address = {.family = 4};
    size_t allocations;

    for (int round = 0; round < 2; round++) {
        allocations = count_allocations();
        for (int i = 0; i < MANY; i++) {
            int number = i * STEP % MANY;

            address.bytes[2] = (uint8_t)(number >> 8);
            address.bytes[3] = (uint8_t)number;
            ck_assert_uint_eq(plx__addresses_of(&addresses, &address), 0);
            ck_assert_int_eq(plx__addresses_enter(&addresses, &address), 0);
            ck_assert_int_eq(plx__addresses_enter(&addresses, &address), 0);
            ck_assert_uint_eq(plx__addresses_of(&addresses, &address), 2);
        }
        ck_assert_uint_eq(addresses.count, MANY);
        if (round > 0)
            ck_assert_uint_eq(count_allocations(), allocations);
        for (int i = 0; i < 2 * MANY; i++) {
            address.bytes[2] = (uint8_t)(i / 2 >> 8);
            address.bytes[3] = (uint8_t)(i / 2);
            plx__addresses_leave(&addresses, &address);
            ck_assert_uint_eq(plx__addresses_of(&addresses, &address), i % 2 == 0);
        }
        ck_assert_uint_eq(addresses.count, 0);
    }
    plx__addresses_clear(&addresses);
}

/* ---- establishing ---------------------------------------------------------------------------- */

SECTION("establishing");

enum { MANY = 100, STEPS = 8 };

static int establish_calls, establish_after; /* calls in all; EAGAIN this often for each filter */

struct quick {
    int calls;
};

/* Waits for nothing but its turn. */
static int quick_establish(plx_filter *filter)
{
    struct quick *own = plx_filter_state(filter);

    establish_calls++;
    if (own->calls++ >= establish_after)
        return 0;
    plx_filter_set_want(filter, PLX_WANT_NOTHING, 0);
    return EAGAIN;
}

static const plx_filter_kind quick_filter = {.size = sizeof(plx_filter_kind),
                                             .state_size = sizeof(struct quick),
                                             .name = "quick",
                                             .establish = quick_establish};
static const plx_filter_kind idle_filter = {.size = sizeof(plx_filter_kind), .name = "idle"};

static int equip(plx_socket *client, void *user)
{
    const plx_filter_kind *kind = *(const plx_filter_kind **)user;

    return plx_socket_push_filter(client, kind) != NULL ? 0 : PLX_OUT_OF_MEMORY;
}

static int count_connected(const struct hall *hall)
{
    int count = 0;

    for (int i = 0; i < hall->accepted; i++)
        count += plx_socket_is_connected(hall->clients[i]);
    return count;
}

/* A hall with one established client, of which `ret_raw` is the peer, and MANY peers waiting. */
static struct hall *open_flood(struct world *w, const plx_filter_kind **kind, int *ret_raw)
{
    struct hall *hall = hall_open_plain(w);

    *kind = &quick_filter;
    establish_after = 0;
    ck_assert_int_eq(plx_server_add_filter(hall->server, equip, NULL, kind), 0);
    *ret_raw = expect_place(hall);
    world_settle(w);
    for (int i = 0; i < MANY; i++)
        raw_connect(w, hall->where);
    return hall;
}

/* No poll has more steps than its share, each has one as long as one is wanted, and the client that
 * is established moves bytes in each. */
static void expect_shares(struct hall *hall, int raw, int steps)
{
    struct world *w = hall->world;
    char byte;
    int polls = 0;

    while (count_connected(hall) < MANY + 1) {
        int before = establish_calls;
        bool left;

        ck_assert_int_lt(polls++, ROUNDS);
        raw_say(raw, "x");
        left = world_poll(w);
        ck_assert_int_le(establish_calls - before, steps);
        ck_assert_int_eq(plx_socket_read(hall->clients[0], &byte, 1), 1);
        ck_assert(left || establish_after > 0 || count_connected(hall) == MANY + 1);
    }
    ck_assert_int_ge(polls, MANY / steps);
}

MODE_CASE(many_that_establish_at_once)
{
    const plx_filter_kind *kind;
    int raw;
    struct hall *hall = open_flood(w, &kind, &raw);

    establish_calls = 0;
    expect_shares(hall, raw, STEPS);
    ck_assert_int_eq(establish_calls, MANY);
    world_settle(w);
    ck_assert(!world_poll(w));
    free(hall);
}

static void expect_turns(const struct hall *hall)
{
    for (int i = 1; i <= MANY; i++) {
        struct quick *own = plx_filter_state(plx_socket_filter(hall->clients[i], &quick_filter));

        ck_assert_int_gt(own->calls, 0);
    }
}

/* Those that always want another step do not keep the others from theirs. */
MODE_CASE(many_that_establish_in_many_steps)
{
    const plx_filter_kind *kind;
    int raw;
    struct hall *hall = open_flood(w, &kind, &raw);

    establish_after = 1000000;
    while (hall->accepted < MANY + 1)
        world_poll(w);
    for (int i = 0; i < 2 * MANY; i++)
        world_poll(w);
    expect_turns(hall);
    establish_after = 1;
    expect_shares(hall, raw, STEPS);
    free(hall);
}

/* Filters without a step cost none. */
MODE_CASE(many_that_have_nothing_to_establish)
{
    const plx_filter_kind *kind;
    int raw;
    struct hall *hall = open_flood(w, &kind, &raw);

    (void)raw;
    kind = &idle_filter;
    world_poll(w);
    world_poll(w);
    ck_assert_int_eq(count_connected(hall), MANY + 1);
    free(hall);
}

MODE_CASE(steps_of_another_budget)
{
    static const struct {
        size_t bytes;
        int steps;
    } rows[] = {{1000, 1}, {256 * 1024, 2}, {0, MANY}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && w->group != NULL; i++) {
        const plx_filter_kind *kind;
        int raw, before;
        struct hall *hall = open_flood(w, &kind, &raw);

        plx_group_set_budget(w->group, 0, 0);
        plx_server_pause(hall->server, true);
        establish_after = 1;
        plx_server_pause(hall->server, false);
        while (hall->accepted < MANY + 1)
            world_poll(w);
        plx_group_set_budget(w->group, 0, rows[i].bytes);
        before = establish_calls;
        world_poll(w);
        ck_assert_int_le(establish_calls - before, rows[i].steps);
        UNTIL(w, count_connected(hall) == MANY + 1);
        plx_group_set_budget(w->group, 0, 1024 * 1024);
        world_free_server(w, hall->server);
        free(hall);
    }
}

/* In a group of the program, plx_server_poll alone obeys the same. */
MODE_CASE(steps_of_a_server_polled_by_itself)
{
    const plx_filter_kind *kind;
    int raw;
    struct hall *hall = open_flood(w, &kind, &raw);

    for (int polls = 0; count_connected(hall) < MANY + 1; polls++) {
        int before = establish_calls;

        ck_assert_int_lt(polls, ROUNDS);
        plx_server_poll(hall->server);
        ck_assert_int_le(establish_calls - before, STEPS);
    }
    world_free_server(w, hall->server);
    free(hall);
    hall = open_flood(w, &kind, &raw);
    establish_after = 1000000;
    for (int polls = 0; polls < 2 * MANY || hall->accepted < MANY + 1; polls++)
        plx_server_poll(hall->server);
    expect_turns(hall);
    free(hall);
}

static int endless_establish(plx_filter *filter)
{
    plx_filter_set_want(filter, PLX_WANT_NOTHING, 0);
    return EAGAIN;
}

static const plx_filter_kind endless_filter = {
    .size = sizeof(plx_filter_kind), .name = "endless", .establish = endless_establish};

static void meet_by_itself(struct hall *hall)
{
    int accepted = hall->accepted;

    raw_connect(hall->world, hall->where);
    for (int polls = 0; hall->accepted == accepted; polls++) {
        ck_assert_int_lt(polls, ROUNDS);
        plx_server_poll(hall->server);
    }
}

/* A client that always wants another step has the only one of each second poll, however many others
 * are established. */
MODE_CASE(a_client_that_takes_each_step_of_a_server_polled_by_itself)
{
    const plx_filter_kind *kind;
    int raw;
    struct hall *hall = open_flood(w, &kind, &raw);

    UNTIL(w, count_connected(hall) == MANY + 1);
    if (w->group != NULL)
        plx_group_set_budget(w->group, 0, 1000);
    kind = &endless_filter;
    meet_by_itself(hall);
    kind = &quick_filter;
    meet_by_itself(hall);
    for (int polls = 0; count_connected(hall) < MANY + 2; polls++) {
        ck_assert_int_lt(polls, 3);
        plx_server_poll(hall->server);
    }
    free(hall);
}

static int strikes;

static void free_its_server(plx_socket *socket, void *user)
{
    struct hall *hall = user;

    (void)socket;
    strikes++;
    world_free_server(hall->world, hall->server);
}

static void lift_the_budget(plx_socket *socket, void *user)
{
    struct hall *hall = user;

    (void)socket;
    strikes++;
    plx_group_set_budget(hall->world->group, 0, 0);
}

/* Handlers of the client that has the last step, in a server polled by itself. */
MODE_CASE(a_handler_of_the_last_step)
{
    static const plx_events rows[] = {{.connected = free_its_server},
                                      {.connected = lift_the_budget}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && w->group != NULL; i++) {
        const plx_filter_kind *kind = &quick_filter;
        struct hall *hall = hall_open_plain(w);

        plx_group_set_budget(w->group, 0, 1000);
        establish_after = strikes = 0;
        ck_assert_int_eq(plx_server_add_filter(hall->server, equip, NULL, &kind), 0);
        plx_server_set_events(hall->server, NULL, NULL); /* whose `accepted` sets a record */
        plx_server_set_client_events(hall->server, &rows[i], hall);
        raw_connect(w, hall->where);
        for (int polls = 0; strikes == 0; polls++) {
            ck_assert_int_lt(polls, ROUNDS);
            plx_server_poll(hall->server);
        }
        free(hall);
    }
}

WORLD_MAIN("server-limit", .packets = true)
