/* tests/test-server-limit.c -- whom a server accepts, and when: pauses, a maximum for each address,
 * and how many clients establish their filters in one poll. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

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

WORLD_MAIN("server-limit", .packets = true)
