/* tests/test-handlers.c -- every handler may free what it likes: its own socket, other members, the
 * server, the group, and all of these at once.
 *
 * One test for each event and each thing that is freed in it, for every kind and way of polling.
 * While the handler runs, its neighbours have bytes to deliver in the very same poll: one stands
 * before it and one after it, so that whichever way a group walks, a freed member lies ahead. */
#include "config.h"

#include "tests/provoke.h"
#include "tests/sanitized.h"
#include "tests/world.h"

enum { BEFORE, OWN, AFTER, CLIENTS };

/* What is freed. */
enum victim { VICTIM_OWN, VICTIM_OTHERS, VICTIM_SERVER, VICTIM_GROUP, VICTIM_ALL, VICTIMS };

struct scene {
    struct world *world;
    enum victim victim;
    plx_server *server;
    plx_socket *sockets[CLIENTS]; /* of the server, or lone members */
    struct record logs[CLIENTS];
    int raws[CLIENTS];
    int accepted;
    bool fired; /* by a handler of the server */
};

static void set_free(struct scene *scene, int which)
{
    if (scene->sockets[which] == NULL)
        return;
    world_free(scene->world, scene->sockets[which]);
    scene->sockets[which] = NULL;
}

static void set_server_free(struct scene *scene)
{
    world_free_server(scene->world, scene->server);
    scene->server = NULL;
}

/* Does to the world what the test is about. Clients of a server go with it. */
static void strike(struct scene *scene, bool clients)
{
    enum victim victim = scene->victim;

    if (victim == VICTIM_OWN || victim == VICTIM_ALL)
        set_free(scene, OWN);
    if (victim == VICTIM_OTHERS || victim == VICTIM_ALL) {
        set_free(scene, BEFORE);
        set_free(scene, AFTER);
    }
    if (victim == VICTIM_SERVER || victim == VICTIM_ALL) {
        set_server_free(scene);
        if (clients)
            memset(scene->sockets, 0, sizeof scene->sockets);
    }
    if ((victim == VICTIM_GROUP || victim == VICTIM_ALL) && scene->world->group != NULL)
        world_free_group(scene->world);
}

static void act_strike(struct record *record, plx_socket *socket)
{
    (void)socket;
    strike(record->data, false);
}

static void act_strike_clients(struct record *record, plx_socket *socket)
{
    (void)socket;
    strike(record->data, true);
}

/* A socket that was spared still works: bytes reach it, polled in the group or now alone. */
static void expect_alive(struct scene *scene, int which)
{
    struct record *log = &scene->logs[which];

    if (scene->sockets[which] == NULL)
        return;
    UNTIL(scene->world, log->count[EVENT_DATA_AVAILABLE] > 0);
    record_clear(log);
    raw_say(scene->raws[which], "again");
    UNTIL(scene->world, log->count[EVENT_DATA_AVAILABLE] > 0);
    ck_assert_int_eq(plx_socket_write(scene->sockets[which], "reply", 5), 5);
    raw_expect(scene->world, scene->raws[which], "reply");
}

static void expect_gone(struct scene *scene, int which)
{
    if (scene->sockets[which] == NULL)
        raw_expect_end(scene->world, scene->raws[which]);
}

/* ---- a socket of ones own -------------------------------------------------------------------- */

/* The neighbours and a server with one client are there before the event is provoked. */
static void own_socket(struct world *w, enum provocation how, enum victim victim)
{
    struct scene scene = {.world = w, .victim = victim};
    char where[WHERE_SIZE];
    int server_raw, silent;

    scene.sockets[BEFORE] = world_socket(w, &scene.logs[BEFORE]);
    scene.sockets[OWN] = world_socket(w, &scene.logs[OWN]);
    scene.sockets[AFTER] = world_socket(w, &scene.logs[AFTER]);
    scene.raws[BEFORE] = world_pair(w, scene.sockets[BEFORE], &scene.logs[BEFORE]);
    scene.raws[AFTER] = world_pair(w, scene.sockets[AFTER], &scene.logs[AFTER]);
    scene.server = world_server(w);
    world_serve(w, scene.server, where);
    server_raw = raw_connect(w, where);
    UNTIL(w, plx_server_active_count(scene.server) == 1);
    raw_say(scene.raws[BEFORE], "x");
    raw_say(scene.raws[AFTER], "x");
    provoke(w, how, scene.sockets[OWN], &scene.logs[OWN], act_strike, &scene);
    silent = scene.sockets[OWN] == NULL ? (int)scene.logs[OWN].length : -1;
    world_settle(w);
    if (silent >= 0)
        ck_assert_msg(silent == (int)scene.logs[OWN].length, "%s: a freed socket got \"%s\"",
                      world_name(w), scene.logs[OWN].text + silent);
    expect_alive(&scene, BEFORE);
    expect_alive(&scene, AFTER);
    expect_gone(&scene, BEFORE);
    expect_gone(&scene, AFTER);
    if (scene.server == NULL)
        raw_expect_end(w, server_raw);
    else
        ck_assert_uint_eq(plx_server_active_count(scene.server), 1);
}

/* ---- a client of a server -------------------------------------------------------------------- */

static void on_accepted(plx_server *server, plx_socket *client, void *user)
{
    struct scene *scene = user;

    (void)server;
    ck_assert_int_lt(scene->accepted, CLIENTS);
    scene->sockets[scene->accepted] = client;
    plx_socket_set_events(client, &record_events, &scene->logs[scene->accepted]);
    scene->accepted++;
}

static const plx_server_events numbering = {.accepted = on_accepted};

static void server_client(struct world *w, enum provocation how, enum victim victim)
{
    struct scene scene = {.world = w, .victim = victim};
    char where[WHERE_SIZE];

    for (int i = 0; i < CLIENTS; i++)
        scene.logs[i].when = EVENT_NEVER;
    scene.server = world_server(w);
    plx_server_set_events(scene.server, &numbering, &scene);
    if (how == PROVOKE_END_OF_INPUT)
        ck_assert_int_eq(plx_server_set_option(scene.server, PLX_OPTION_HALF_OPEN, 1), 0);
    world_serve(w, scene.server, where);
    provoke_arm(&scene.logs[OWN], how, act_strike_clients, &scene);
    for (int i = 0; i < CLIENTS; i++) {
        scene.raws[i] = raw_connect(w, where);
        if (i != OWN)
            raw_say(scene.raws[i], "x");
        if (i == BEFORE)
            UNTIL(w, scene.accepted == 1);
    }
    UNTIL(w, scene.logs[OWN].fired || scene.accepted == CLIENTS);
    if (!scene.logs[OWN].fired) {
        raw_say(scene.raws[BEFORE], "x");
        raw_say(scene.raws[AFTER], "x");
        provoke_stir(w, how, scene.sockets[OWN], scene.raws[OWN], &scene.logs[OWN]);
    }
    world_settle(w);
    if (scene.server == NULL) {
        raw_expect_end(w, scene.raws[BEFORE]);
        return;
    }
    UNTIL(w, scene.accepted == CLIENTS);
    if (victim == VICTIM_OTHERS) {
        expect_gone(&scene, BEFORE);
        return;
    }
    expect_alive(&scene, BEFORE);
    expect_alive(&scene, AFTER);
}

/* ---- the server's own events ----------------------------------------------------------------- */

static void strike_from_server(struct scene *scene)
{
    if (scene->fired)
        return;
    scene->fired = true;
    strike(scene, true);
}

static plx_socket *on_add_socket(plx_server *server, void *user)
{
    struct scene *scene = user;

    (void)server;
    strike_from_server(scene);
    return scene->server == NULL ? NULL : scene->world->kind->create();
}

static void on_accepted_strike(plx_server *server, plx_socket *client, void *user)
{
    struct scene *scene = user;

    (void)server;
    if (!scene->fired)
        scene->sockets[OWN] = client;
    strike_from_server(scene);
}

static void on_error_strike(plx_server *server, const plx_error *error, void *user)
{
    (void)server;
    ck_assert_int_eq(error->code, PLX_INVALID_STATE);
    strike_from_server(user);
    ck_assert_int_eq(error->code, PLX_INVALID_STATE); /* valid until the handler returns */
}

static const plx_server_events striking[] = {
    {.add_socket = on_add_socket}, {.accepted = on_accepted_strike}, {.error = on_error_strike}};
enum { SERVER_EVENTS = sizeof striking / sizeof striking[0] };

static void server_event(struct world *w, int event, enum victim victim)
{
    struct scene scene = {.world = w, .victim = victim};
    char where[WHERE_SIZE];
    int raw;

    scene.sockets[BEFORE] = world_socket(w, &scene.logs[BEFORE]);
    scene.raws[BEFORE] = world_pair(w, scene.sockets[BEFORE], &scene.logs[BEFORE]);
    scene.server = world_server(w);
    plx_server_set_events(scene.server, &striking[event], &scene);
    world_serve(w, scene.server, where);
    raw_say(scene.raws[BEFORE], "x");
    raw = raw_connect(w, where);
    if (event == 2)
        ck_assert_int_eq(plx_server_listen_on(scene.server, where), PLX_INVALID_STATE);
    UNTIL(w, scene.fired);
    world_settle(w);
    if (scene.server == NULL) {
        char byte;

        UNTIL(w, raw_take(raw, &byte, 1) != -1);
        return;
    }
    expect_alive(&scene, BEFORE);
    raw_connect(w, where); /* the server goes on */
    UNTIL(w, plx_server_active_count(scene.server) == (victim == VICTIM_OWN && event == 1 ? 1 : 2));
}

/* ---- udp ------------------------------------------------------------------------------------- */

enum { UDP_BOUND, UDP_DATA, UDP_COMPLETE, UDP_ERROR, UDP_EVENTS };

static void udp_socket(struct world *w, int event, enum victim victim)
{
    static const enum event events[] = {EVENT_STATE_CHANGED, EVENT_DATA_AVAILABLE,
                                        EVENT_SEND_COMPLETE, EVENT_ERROR};
    struct scene scene = {.world = w, .victim = victim};
    plx_address self = {.family = 4, .bytes = {127, 0, 0, 1}};
    plx_socket *socket;

    scene.sockets[BEFORE] = world_socket(w, &scene.logs[BEFORE]);
    scene.sockets[OWN] = socket = world_socket_of(w, plx_udp_new, &scene.logs[OWN]);
    scene.sockets[AFTER] = world_socket(w, &scene.logs[AFTER]);
    scene.raws[BEFORE] = world_pair(w, scene.sockets[BEFORE], &scene.logs[BEFORE]);
    scene.raws[AFTER] = world_pair(w, scene.sockets[AFTER], &scene.logs[AFTER]);
    scene.server = world_server(w);
    record_on(&scene.logs[OWN], events[event], act_strike, &scene);
    raw_say(scene.raws[BEFORE], "x");
    raw_say(scene.raws[AFTER], "x");
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    self.port = (uint16_t)plx_socket_port(socket);
    if (event == UDP_DATA || event == UDP_COMPLETE)
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(plx_udp_write(socket, &self, "datagram", 8), 0);
    else if (event == UDP_ERROR)
        ck_assert_int_eq(plx_udp_write(socket, NULL, "datagram", 8), PLX_INVALID_STATE);
    UNTIL(w, scene.logs[OWN].fired);
    world_settle(w);
    expect_alive(&scene, BEFORE);
    expect_alive(&scene, AFTER);
    expect_gone(&scene, BEFORE);
}

/* ---- the suite ------------------------------------------------------------------------------- */

/* The number of a test is (world * events + event) * victims + victim. Without a group there is
 * none to free; that number then frees all the rest. */
static void run(int number, int events, void (*scene)(struct world *, int, enum victim))
{
    struct world world;
    enum victim victim = (enum victim)(number % VICTIMS);
    int event = number / VICTIMS % events;

    world_begin(&world, number / VICTIMS / events);
    if (victim == VICTIM_GROUP && world.group == NULL)
        victim = VICTIM_ALL;
    scene(&world, event, victim);
    world_end(&world);
}

static void own_scene(struct world *w, int event, enum victim victim)
{
    own_socket(w, (enum provocation)event, victim);
}

static void client_scene(struct world *w, int event, enum victim victim)
{
    server_client(w, (enum provocation)(event + PROVOKE_FIRST_IN_CONNECTION), victim);
}

enum { CLIENT_EVENTS = PROVOCATIONS - PROVOKE_FIRST_IN_CONNECTION };

LOOP_CASE(handler_of_a_socket, 0, world_count() * (int)PROVOCATIONS * (int)VICTIMS)
{
    run(_i, PROVOCATIONS, own_scene);
}

LOOP_CASE(handler_of_a_client, 0, world_count() * (int)CLIENT_EVENTS * (int)VICTIMS)
{
    run(_i, CLIENT_EVENTS, client_scene);
}

LOOP_CASE(handler_of_a_server, 0, world_count() * (int)SERVER_EVENTS * (int)VICTIMS)
{
    run(_i, SERVER_EVENTS, server_event);
}

LOOP_CASE(handler_of_udp, 0, world_modes() * (int)UDP_EVENTS * (int)VICTIMS)
{
    struct world world;
    int victim = _i % VICTIMS, event = _i / VICTIMS % UDP_EVENTS;

    world_begin_plain(&world, (enum mode)(_i / VICTIMS / UDP_EVENTS));
    if (victim == VICTIM_GROUP && world.group == NULL)
        victim = VICTIM_ALL;
    udp_socket(&world, event, (enum victim)victim);
    world_end(&world);
}

LEAKS_ARE_COUNTED

WORLD_MAIN("handlers")
