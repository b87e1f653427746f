/* tests/test-filter-limits.c -- clients of a server whose filters are being established: how many
 * there may be, and what the server may do meanwhile. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/greeting.h"
#include "tests/scarce.h"
#include "tests/world.h"

enum { LIMIT = 10000 }; /* ms to establish in */

/* ---- how many may be establishing ------------------------------------------------------------ */

SECTION("limits", .timeout = 240);

/* Greets the first `count` peers, and expects that they are connected. */
static void greet(struct hall *hall, const int *raws, int first, int count)
{
    for (int i = first; i < first + count; i++)
        raw_say(raws[i], "!");
    for (int i = first; i < first + count; i++)
        UNTIL(hall->world, hall->clients[i] != NULL && plx_socket_is_connected(hall->clients[i]));
}

static void expect_accepted(struct hall *hall, int count)
{
    UNTIL(hall->world, hall->accepted >= count);
    world_settle(hall->world);
    ck_assert_int_eq(hall->accepted, count);
}

/* While the maximum has `maximum` clients, `most` may be establishing. */
static void expect_rule(struct world *w, int maximum, int most)
{
    struct hall *hall = hall_open(w);
    int raws[12];

    plx_server_set_maximum_sockets_connected(hall->server, maximum);
    for (int i = 0; i < 12; i++)
        raws[i] = raw_connect(w, hall->where);
    expect_accepted(hall, most);
    for (int i = 0; i < maximum; i++) {
        greet(hall, raws, i, 1);
        expect_accepted(hall, i + 1 + most < maximum ? i + 1 + most : maximum);
    }
    ck_assert_uint_eq(plx_server_active_count(hall->server), (size_t)maximum);
    for (int i = 0; i < maximum; i++)
        hall_expect_echo(hall, i, raws[i]);
    raw_close(w, raws[0]);
    expect_accepted(hall, maximum + 1);
    world_free_server(w, hall->server);
    free(hall);
}

CASE(half_of_the_maximum)
{
    expect_rule(w, 1, 1);
    expect_rule(w, 2, 1);
    expect_rule(w, 3, 1);
    expect_rule(w, 4, 2);
    expect_rule(w, 7, 3);
}

CASE(no_maximum_no_half)
{
    struct hall *hall = hall_open(w);

    for (int i = 0; i < 40; i++)
        raw_connect(w, hall->where);
    expect_accepted(hall, 40);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 40);
    free(hall);
}

/* Each way in which a client may stop establishing makes room for another one. */
CASE(each_end_makes_room)
{
    struct hall *hall = hall_open(w);
    int raws[10];

    time_stop();
    plx_server_set_maximum_sockets_connected(hall->server, 2);
    for (int i = 0; i < 10; i++)
        raws[i] = raw_connect(w, hall->where);
    expect_accepted(hall, 1);
    raw_say(raws[0], "?");
    expect_accepted(hall, 2);
    raw_close(w, raws[1]);
    expect_accepted(hall, 3);
    plx_socket_close(hall->clients[2]);
    expect_accepted(hall, 4);
    plx_socket_abort(hall->clients[3]);
    expect_accepted(hall, 5);
    plx_socket_free(hall->clients[4]);
    expect_accepted(hall, 6);
    world_keep(w, plx_server_take(hall->server, hall->clients[5]));
    expect_accepted(hall, 7);
    plx_socket_disconnect(hall->clients[6]);
    expect_accepted(hall, 8);
    world_run(w, LIMIT);
    expect_accepted(hall, 9);
    greet(hall, raws, 8, 1);
    expect_accepted(hall, 10);
    time_run();
    free(hall);
}

CASE(maximum_changed_while_some_establish)
{
    struct hall *hall = hall_open(w);
    int raws[20];

    plx_server_set_maximum_sockets_connected(hall->server, 8);
    for (int i = 0; i < 20; i++)
        raws[i] = raw_connect(w, hall->where);
    expect_accepted(hall, 4);
    plx_server_set_maximum_sockets_connected(hall->server, 12);
    expect_accepted(hall, 6);
    plx_server_set_maximum_sockets_connected(hall->server, 4); /* those that are there stay */
    world_settle(w);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 6);
    greet(hall, raws, 0, 2);
    expect_accepted(hall, 6);
    raw_close(w, raws[0]);
    raw_close(w, raws[1]);
    expect_accepted(hall, 6); /* 4 clients, all establishing */
    greet(hall, raws, 2, 3);
    expect_accepted(hall, 6);
    raw_close(w, raws[2]);
    expect_accepted(hall, 7); /* 4 again, 2 of them are establishing */
    plx_server_set_maximum_sockets_connected(hall->server, 0);
    expect_accepted(hall, 20);
    plx_server_set_maximum_sockets_connected(hall->server, 1);
    greet(hall, raws, 5, 15);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 17);
    free(hall);
}

/* Frames in which nothing arrives run no step, and leave no work. */
CASE(idle_frames_run_no_step)
{
    struct hall *hall = hall_open(w);
    int before;

    time_stop();
    plx_server_set_maximum_sockets_connected(hall->server, 20);
    for (int i = 0; i < 30; i++)
        raw_connect(w, hall->where);
    expect_accepted(hall, 10);
    before = greeting_steps;
    for (int frame = 0; frame < 500; frame++) {
        bool more = world_poll(w);

        ck_assert_msg(!more || w->group == NULL, "%s: work is left", world_name(w));
    }
    if (w->mode != MODE_LONE)
        ck_assert_int_eq(greeting_steps, before);
    ck_assert_int_eq(hall->accepted, 10);
    if (w->group != NULL)
        ck_assert_int_gt(plx_group_deadline(w->group), 0);
    time_run();
    free(hall);
}

static void allow_descriptors(int count)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < (rlim_t)count)
        limit.rlim_cur = (rlim_t)count;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int plain_connect(const struct world *w, const char *where)
{
    struct raw raw = {.kind = w->kind, .descriptor = -1};

    ck_assert_msg(w->kind->connect(&raw, where), "%s: %s", where, strerror(errno));
    return raw.descriptor;
}

/* Lets everybody work once, and then frames pass until no idle buffer is left. */
static void work_and_rest(struct hall *hall, const int *raws, int count)
{
    for (int i = 0; i < count; i++)
        hall_expect_echo(hall, i, raws[i]);
    for (int frame = 0; frame < 100; frame++)
        world_poll(hall->world);
}

/* A thousand peers never greet, and good ones wait behind them, at a server with a maximum of
 * 100. */
CASE(a_thousand_that_never_finish)
{
    enum { SILENT = 1000, GOOD = 30, MAXIMUM = 100 };
    struct hall *hall = hall_open(w);
    static int silent[SILENT];
    int early[GOOD], late[GOOD], descriptors, rounds = 0;
    int count = under_valgrind() ? 200 : SILENT;
    size_t blocks, bytes;

    allow_descriptors(2 * SILENT);
    time_stop();
    plx_server_set_maximum_sockets_connected(hall->server, MAXIMUM);
    for (int i = 0; i < GOOD; i++)
        early[i] = raw_connect(w, hall->where);
    expect_accepted(hall, GOOD);
    greet(hall, early, 0, GOOD);
    work_and_rest(hall, early, GOOD);
    descriptors = count_descriptors();
    blocks = count_blocks();
    bytes = count_bytes();
    for (int i = 0; i < count; i++)
        silent[i] = plain_connect(w, hall->where);
    expect_accepted(hall, GOOD + MAXIMUM / 2);
    for (int i = 0; i < GOOD; i++)
        late[i] = plain_connect(w, hall->where);
    world_settle(w);
    ck_assert_int_eq(hall->accepted, GOOD + MAXIMUM / 2);
    ck_assert_uint_eq(plx_server_active_count(hall->server), GOOD + MAXIMUM / 2);
    for (int i = 0; i < GOOD; i++) {
        hall_expect_echo(hall, i, early[i]); /* those inside are served meanwhile */
        ck_assert_int_eq((int)write(late[i], "!", 1), 1);
    }
    /* Half of the maximum each ten seconds: then the good ones have their turn. */
    for (; hall->accepted < GOOD + count + GOOD; rounds++) {
        int before = hall->accepted;

        ck_assert_int_le(rounds, count / (MAXIMUM / 2));
        world_run(w, LIMIT);
        UNTIL(w, hall->accepted >= before + MAXIMUM / 2 || hall->accepted == GOOD + count + GOOD);
        world_settle(w);
        ck_assert_uint_le(plx_server_active_count(hall->server), GOOD + MAXIMUM / 2 + GOOD);
    }
    for (int i = 0; i < GOOD; i++)
        UNTIL(w, plx_socket_is_connected(hall->clients[GOOD + count + i]));
    ck_assert_int_eq(greeting_begins, GOOD + count + GOOD);
    for (int i = 0; i < count; i++)
        close(silent[i]);
    for (int i = 0; i < GOOD; i++)
        close(late[i]);
    world_run(w, LIMIT);
    UNTIL(w, plx_server_active_count(hall->server) == GOOD);
    work_and_rest(hall, early, GOOD);
    ck_assert_int_eq(count_descriptors(), descriptors);
    ck_assert_uint_le(count_blocks(), blocks);
    ck_assert_uint_le(count_bytes(), bytes + 16384); /* the group's tables may have grown */
    if (w->kind->resets && w->mode == MODE_EPOLL)
        fprintf(stderr,
                "%d silent peers: %d rounds of %d s, memory %zu -> %zu bytes in %zu -> %zu "
                "blocks\n",
                count, rounds, LIMIT / 1000, bytes, count_bytes(), blocks, count_blocks());
    for (int i = 0; i < GOOD; i++)
        hall_expect_echo(hall, i, early[i]);
    hall_expect_service(hall);
    time_run();
    free(hall);
}

/* Silent ones among good ones: while slots are free, good ones establish at once. */
CASE(good_ones_pass_while_slots_are_free)
{
    struct hall *hall = hall_open(w);

    plx_server_set_maximum_sockets_connected(hall->server, 20);
    for (int i = 0; i < 9; i++)
        raw_connect(w, hall->where);
    expect_accepted(hall, 9);
    for (int i = 0; i < 11; i++)
        hall_expect_service(hall);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 20);
    free(hall);
}

/* ---- life with clients that are establishing ------------------------------------------------- */

SECTION("life");

/* A hall of `count` clients that are establishing, whose raw peers are in `ret_raws`. */
static struct hall *open_busy_hall(struct world *w, int count, int *ret_raws)
{
    struct hall *hall = hall_open(w);

    for (int i = 0; i < count; i++)
        ret_raws[i] = raw_connect(w, hall->where);
    expect_accepted(hall, count);
    return hall;
}

CASE(the_active_ones)
{
    int raws[6], found = 0;
    struct hall *hall = open_busy_hall(w, 6, raws);

    greet(hall, raws, 0, 3);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 6);
    for (plx_socket *client = plx_server_next_active(hall->server, NULL); client != NULL;
         client = plx_server_next_active(hall->server, client))
        found++;
    ck_assert_int_eq(found, 6);
    raw_say(raws[4], "?");
    UNTIL(w, plx_server_active_count(hall->server) == 5);
    found = 0;
    for (plx_socket *client = plx_server_next_active(hall->server, NULL); client != NULL;
         client = plx_server_next_active(hall->server, client))
        found += client != hall->clients[4];
    ck_assert_int_eq(found, 5);
    free(hall);
}

CASE(a_server_that_moves)
{
    int raws[4];
    struct hall *hall = open_busy_hall(w, 4, raws);
    plx_group *group = plx_group_new(), *next = plx_group_new();

    time_stop();
    ck_assert_int_eq(plx_group_add_server(group, hall->server), 0);
    raw_say(raws[0], "!");
    for (int i = 0; !plx_socket_is_connected(hall->clients[0]); i++) {
        ck_assert_int_lt(i, ROUNDS);
        plx_group_poll(group, 1);
    }
    ck_assert_int_eq(plx_group_add_server(next, hall->server), 0);
    plx_group_free(group);
    raw_say(raws[1], "!");
    raw_say(raws[2], "?");
    for (int i = 0;
         !plx_socket_is_connected(hall->clients[1]) || hall->logs[2].count[EVENT_DISCONNECTED] == 0;
         i++) {
        ck_assert_int_lt(i, ROUNDS);
        plx_group_poll(next, 1);
    }
    plx_group_remove_server(next, hall->server);
    if (w->group != NULL)
        ck_assert_int_eq(plx_group_add_server(w->group, hall->server), 0);
    plx_group_free(next);
    world_settle(w);
    LOGGED(w, &hall->logs[3], "state:CONNECTING");
    world_run(w, LIMIT); /* the limit goes with the client */
    UNTIL(w, hall->logs[3].count[EVENT_DISCONNECTED] == 1);
    hall_expect_echo(hall, 1, raws[1]);
    hall_expect_service(hall);
    time_run();
    free(hall);
}

CASE(listening_again)
{
    int raws[3];
    struct hall *hall = open_busy_hall(w, 3, raws);
    char where[WHERE_SIZE];

    time_stop();
    plx_server_set_maximum_sockets_connected(hall->server, 6);
    plx_server_stop_listening(hall->server);
    world_settle(w);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 3);
    greet(hall, raws, 0, 1); /* clients live on, and go on establishing */
    raw_say(raws[1], "?");
    UNTIL(w, hall->logs[1].count[EVENT_DISCONNECTED] == 1);
    memcpy(where, hall->where, sizeof where);
    world_serve(w, hall->server, hall->where);
    for (int i = 0; i < 5; i++)
        raw_connect(w, hall->where);
    expect_accepted(hall, 5); /* the third client counts among the three that may establish */
    raw_say(raws[2], "!");
    UNTIL(w, plx_socket_is_connected(hall->clients[2]));
    expect_accepted(hall, 6);
    time_run();
    free(hall);
}

CASE(a_server_that_is_freed)
{
    int raws[5];
    struct hall *hall = open_busy_hall(w, 5, raws);

    greet(hall, raws, 0, 2);
    world_free_server(w, hall->server);
    for (int i = 0; i < 5; i++) {
        raw_expect_end(w, raws[i]);
        ck_assert_int_eq(hall->logs[i].count[EVENT_DISCONNECTED], 0);
    }
    ck_assert_int_eq(greeting_forgotten, 5);
    free(hall);
}

/* ---- without descriptors --------------------------------------------------------------------- */

CASE(no_descriptors_while_some_establish)
{
    int raws[6];
    struct hall *hall = open_busy_hall(w, 4, raws);

    if (under_valgrind()) {
        free(hall);
        return; /* valgrind has its own limit of descriptors */
    }
    time_stop();
    for (int i = 4; i < 6; i++)
        raws[i] = raw_connect(w, hall->where);
    take_descriptors();
    for (int i = 0; i < 5; i++) {
        world_poll(w);
        time_pass(100);
    }
    ck_assert_int_eq(hall->errors, 1);
    ck_assert_int_eq(hall->code, PLX_OPEN_DRIVER);
    greet(hall, raws, 0, 1); /* establishing needs no descriptor */
    ck_assert_int_eq(hall->accepted, 4);
    ck_assert_uint_eq(plx_server_active_count(hall->server), 4);
    raw_say(raws[1], "?"); /* its descriptor is another one's */
    UNTIL(w, (time_pass(100), hall->accepted == 5));
    give_descriptors();
    UNTIL(w, (time_pass(100), hall->accepted == 6));
    greet(hall, raws, 5, 1);
    world_run(w, LIMIT);
    UNTIL(w, plx_server_active_count(hall->server) == 2);
    time_run();
    free(hall);
}

WORLD_MAIN("filter-limits", .timeout = 90)
