/* tests/test-bounds.c -- every call returns, whatever a handler does, and what is left over neither
 * spins nor is forgotten.
 *
 * The cases are products: an event, something that its handler does each time the event comes, and
 * the way of polling. After a while of it the world must be at rest: nothing due, and a poll that
 * may sleep does sleep. A call that does not return is ended by Check's time limit. */
#include "config.h"

#include <errno.h>

#include "tests/clocks.h"
#include "tests/provoke.h"
#include "tests/sanitized.h"
#include "tests/sockets.h"
#include "tests/suite.h"

/* A wait must be over after its limit. How long after depends on how busy the machine is. */
enum { LIMIT = 5, GRACE = 20000 };

/* ---- what handlers do ------------------------------------------------------------------------ */

struct stage {
    struct world *w;
    plx_socket *other;  /* a member that is connected and quiet */
    plx_socket *hung;   /* one that connects to a listener whose queue is full */
    plx_group *elsewhere;
    char again[WHERE_SIZE]; /* where to connect again */
    int acts;
};

static void calls_that_fail(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_write(socket, NULL, 5);
    plx_socket_set_option(socket, (plx_option)999, 1);
}

static void closes_and_writes(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_close(socket);
    plx_socket_write(socket, "bye", 3);
}

static void polls_everything(struct record *record, plx_socket *socket)
{
    struct stage *stage = record->data;

    plx_group_poll(stage->w->group, 0);
    plx_group_poll(stage->w->group, 2);
    plx_group_poll(stage->elsewhere, 0);
    for (int i = 0; i < stage->w->servers_used; i++) {
        plx_server_poll(stage->w->servers[i]);
        plx_server_wait(stage->w->servers[i], 0);
    }
    plx_socket_poll(stage->other);
    plx_socket_poll(socket);
    plx_group_flush(stage->w->group);
}

static void moves_to_another_group(struct record *record, plx_socket *socket)
{
    struct stage *stage = record->data;

    plx_group_add(stage->elsewhere, socket);
    plx_group_poll(stage->elsewhere, 0);
    if (stage->acts % 2 == 0)
        plx_group_add(stage->w->group, socket);
}

static void leaves_its_group(struct record *record, plx_socket *socket)
{
    struct stage *stage = record->data;

    plx_group_remove(stage->w->group, socket);
}

/* Each time a pair whose other end is closed already: it connects and ends at once. */
static void adopts_again(struct record *record, plx_socket *socket)
{
    struct stage *stage = record->data;
    int ends[2];

    if (stage->w->kind->create != plx_ipc_new ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return;
    close(ends[1]);
    plx_socket_close(socket);
    if (plx_socket_adopt(socket, ends[0]) != 0)
        close(ends[0]);
}

static void connects_again(struct record *record, plx_socket *socket)
{
    struct stage *stage = record->data;

    plx_socket_close(socket);
    plx_socket_connect_to(socket, stage->again);
}

static void waits_in_every_way(struct record *record, plx_socket *socket)
{
    static bool (*const waits[])(plx_socket *, int) = {
        plx_socket_wait, plx_socket_wait_for_connected, plx_socket_wait_for_data,
        plx_socket_wait_for_sent, plx_socket_wait_for_disconnected};
    struct stage *stage = record->data;
    plx_socket *sockets[] = {socket, stage->other, stage->hung};

    if (stage->acts > 3)
        return;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
        for (size_t k = 0; k < 3; k++) {
            long long begin = now_ms();

            waits[i](sockets[k], stage->acts == 1 ? LIMIT : 0);
            ck_assert_msg(now_ms() - begin < LIMIT + GRACE, "wait %zu of socket %zu: %lld ms", i, k,
                          now_ms() - begin);
        }
}

static const struct act {
    const char *name;
    record_act *act;
} acts[] = {
    {"makes calls that fail", calls_that_fail},
    {"closes and writes", closes_and_writes},
    {"polls everything", polls_everything},
    {"moves to another group", moves_to_another_group},
    {"leaves its group", leaves_its_group},
    {"adopts again", adopts_again},
    {"connects again", connects_again},
    {"waits in every way", waits_in_every_way},
};

enum { ACTS = sizeof acts / sizeof acts[0] };

static const struct act *chosen;

/* A handler whose deed causes its own event would go on for ever, a time in each poll: not here. */
enum { MOST_ACTS = 50 };

static void perform(struct record *record, plx_socket *socket)
{
    struct stage *stage = record->data;

    if (stage->acts++ < MOST_ACTS)
        chosen->act(record, socket);
}

/* ---- the stage ------------------------------------------------------------------------------- */

/* Fills the queue of a listener, so that a connect to it hangs. */
static void fill_queue(struct world *w, const char *where)
{
    for (int i = 0; i < 4; i++) {
        plx_socket *socket = world_socket(w, NULL);

        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        world_poll(w);
    }
}

static void set_up(struct stage *stage, struct world *w)
{
    char where[WHERE_SIZE];

    *stage = (struct stage){.w = w};
    stage->elsewhere = plx_group_new();
    ck_assert_ptr_nonnull(stage->elsewhere);
    stage->other = world_socket(w, NULL);
    world_pair(w, stage->other, NULL);
    raw_refusing(w, stage->again);
    raw_listen(w, 0, where);
    fill_queue(w, where);
    stage->hung = world_socket(w, NULL);
    plx_socket_set_option(stage->hung, PLX_OPTION_CONNECT_TIMEOUT, 60000);
    ck_assert_int_eq(plx_socket_connect_to(stage->hung, where), 0);
    world_poll(w);
}

static void everybody_else_ends(struct stage *stage)
{
    struct world *w = stage->w;

    for (int i = 0; i < w->sockets_used; i++)
        if (w->sockets[i] != NULL)
            plx_socket_close(w->sockets[i]);
}

/* Nothing is due, and a poll that may sleep does so. */
static void expect_rest(struct world *w, plx_group *group)
{
    int polls = 0;
    long long begin;

    if (group == NULL)
        return;
    for (int i = 0; i < 200 && plx_group_deadline(group) == 0; i++)
        plx_group_poll(group, 0);
    ck_assert_msg(plx_group_deadline(group) != 0, "%s: work that never ends", world_name(w));
    /* The kernel may end a sleep early now and then, but not each. */
    begin = now_ms();
    for (; now_ms() - begin < 2; polls++) {
        ck_assert_msg(polls < 100, "%s: %d polls that did not sleep", world_name(w), polls);
        plx_group_poll(group, 3);
    }
}

static void tear_down(struct stage *stage)
{
    everybody_else_ends(stage);
    for (int i = 0; i < 4; i++) {
        world_poll(stage->w);
        plx_group_poll(stage->elsewhere, 0);
    }
    expect_rest(stage->w, stage->w->group);
    expect_rest(stage->w, stage->elsewhere);
    ck_assert_ptr_null(plx_group_free(stage->elsewhere));
}

/* ---- sockets --------------------------------------------------------------------------------- */

static void play(struct world *w, enum provocation how, const struct act *act)
{
    struct stage stage;
    struct record log;
    plx_socket *socket;

    chosen = act;
    set_up(&stage, w);
    socket = world_socket(w, &log);
    log.always = true;
    provoke(w, how, socket, &log, perform, &stage);
    log.always = true;
    for (int round = 0; round < 40; round++) {
        world_turn(w, round < 37 ? 0 : 20);
        plx_group_poll(stage.elsewhere, 0);
        plx_socket_poll(socket);
    }
    ck_assert_int_gt(stage.acts, 0);
    record_on(&log, EVENT_NEVER, NULL, NULL);
    tear_down(&stage);
}

/* ---- clients of a server --------------------------------------------------------------------- */

struct crowd {
    struct stage stage;
    struct record log;
    plx_socket *client;
};

static void crowd_accepted(plx_server *server, plx_socket *client, void *user)
{
    struct crowd *crowd = user;

    (void)server;
    if (crowd->client == NULL) {
        crowd->client = client;
        record_begin(&crowd->log, client);
    }
}

/* A client that has left its group is polled by the code that took it out. */
static bool all_have_ended(plx_server *server, struct stage *stage)
{
    plx_socket *next;

    plx_group_poll(stage->elsewhere, 0);
    for (plx_socket *one = plx_server_next_active(server, NULL); one != NULL; one = next) {
        next = plx_server_next_active(server, one);
        plx_socket_poll(one);
    }
    return plx_server_active_count(server) == 0;
}

static void play_client(struct world *w, enum event when, const struct act *act, bool lone_poll)
{
    static const plx_server_events events = {.accepted = crowd_accepted};
    struct crowd crowd = {.client = NULL};
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];
    int raw;

    chosen = act;
    set_up(&crowd.stage, w);
    plx_server_set_events(server, &events, &crowd);
    world_serve(w, server, where);
    raw = raw_connect(w, where);
    UNTIL(w, crowd.client != NULL && plx_server_active_count(server) == 1);
    record_on(&crowd.log, when, perform, &crowd.stage);
    crowd.log.always = true;
    raw_say(raw, "data\n");
    for (int i = 0; i < 4; i++)
        world_turn(w, i < 2 ? 0 : 20);
    raw_close(w, raw);
    for (int round = 0; round < 40 || crowd.stage.acts == 0; round++) {
        ck_assert_int_lt(round, ROUNDS);
        if (lone_poll)
            plx_server_poll(server);
        if (!lone_poll || round >= 40)
            world_turn(w, round < 37 ? 0 : 20);
        plx_group_poll(crowd.stage.elsewhere, 0);
    }
    plx_server_stop_listening(server);
    UNTIL(w, all_have_ended(server, &crowd.stage));
    tear_down(&crowd.stage);
}

/* ---- the product ----------------------------------------------------------------------------- */

/* The number of a loop test: the world, and beside it what happens and what the handler does. */
struct turn {
    int world, how, act;
};

static struct turn turn_of(int number, int ways)
{
    struct turn turn = {.world = number % world_count()};

    number /= world_count();
    turn.how = number % ways;
    turn.act = number / ways;
    return turn;
}

LOOP_CASE(handlers_of_sockets, 0, world_count() * PROVOCATIONS * ACTS)
{
    struct turn turn = turn_of(_i, PROVOCATIONS);
    struct world world;

    world_begin(&world, turn.world);
    play(&world, (enum provocation)turn.how, &acts[turn.act]);
    world_end(&world);
}

static const enum event client_events[] = {EVENT_DATA_AVAILABLE, EVENT_STATE_CHANGED, EVENT_ERROR,
                                           EVENT_DISCONNECTED};

enum { CLIENT_EVENTS = sizeof client_events / sizeof client_events[0] };

LOOP_CASE(handlers_of_clients, 0, world_count() * CLIENT_EVENTS * 2 * ACTS)
{
    struct turn turn = turn_of(_i, CLIENT_EVENTS * 2);
    struct world world;

    world_begin(&world, turn.world);
    play_client(&world, client_events[turn.how / 2], &acts[turn.act], turn.how % 2 == 1);
    world_end(&world);
}

/* ---- waits to which nothing can happen ------------------------------------------------------- */

/* plx_socket_wait returns at once as well; a group can be woken by a thread (plx_group_wake). */
CASE(a_server_without_sockets_waits_for_nobody)
{
    plx_server *server = plx_server_new(w->kind->create);
    char where[WHERE_SIZE];

    ck_assert(!plx_server_wait(server, -1));
    ck_assert_int_ne(plx_server_listen_on(server, ""), 0);
    ck_assert(plx_server_wait(server, -1)); /* for the error, which it reports */
    ck_assert(!plx_server_wait(server, -1));
    world_place(w, where);
    ck_assert_int_eq(plx_server_listen_on(server, where), 0);
    ck_assert(!plx_server_wait(server, 0));
    plx_server_stop_listening(server);
    ck_assert(!plx_server_wait(server, -1));
    plx_server_free(server);
}

LEAKS_ARE_COUNTED

WORLD_MAIN("bounds")
