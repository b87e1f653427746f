/* arena/server.c -- the authoritative server of the arena.
 *
 * This is how a game uses Pollux: everything is in one group, which is polled once in each frame.
 * The handlers of guest.c run inside that poll. Then the world moves, the pictures are queued, and
 * one flush sends them all. Between frames the process sleeps; it never waits for a socket. */
#include "arena.h"
#include "find.h"
#include "frame.h"
#include "guest.h"
#include "report.h"
#include "stop.h"
#include "world.h"

#include <pollux.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long the server waits for the expected guests, and for goodbyes at the end. */
#define ARRIVAL_SECONDS 20
#define GOODBYE_SECONDS 8

struct server {
    const struct settings *settings;
    plx_group *group;
    plx_server *bot_door;       /* TCP, for spectators, too */
    plx_server *spectator_door; /* IPC; NULL without spectators */
    struct world world;
    struct guests guests;
    struct report report;
    struct frame_clock clock;
    uint64_t started; /* nanoseconds */
    plx_discovery *discovery;
    plx_timer *phase; /* ends each phase: waiting for guests, the game, the goodbyes */
};

/* ---- doors ---------------------------------------------------------------------------------- */

static void on_accepted(plx_server *door, plx_socket *client, void *user)
{
    struct server *server = user;
    guests_admit(&server->guests, client, door == server->spectator_door);
}

static void on_door_error(plx_server *door, const plx_error *error, void *user)
{
    (void)door;
    struct server *server = user;
    report_complain(&server->report, "a door: %s", error->message);
}

static const plx_server_events door_events = {
    .accepted = on_accepted,
    .error = on_door_error,
};

/* Opens a door of either kind: only the constructor and the name of the place differ. */
static plx_server *door_new(struct server *server, plx_constructor *constructor, const char *where)
{
    plx_server *door = plx_server_new(constructor);
    plx_server_set_events(door, &door_events, server);
    plx_server_set_frame(door, &(plx_frame){.length_size = 4, .maximum = TEXT_SIZE});
    plx_server_set_commands(door, 0);
    plx_server_set_option(door, PLX_OPTION_READ_LIMIT, 4096);
    plx_server_set_option(door, PLX_OPTION_WRITE_LIMIT, GUEST_WRITE_LIMIT);
    plx_group_add_server(server->group, door);
    if (plx_server_listen_on(door, where) != PLX_OK) {
        fprintf(stderr, "arena: %s\n", plx_server_error(door)->message);
        return plx_server_free(door);
    }
    return door;
}

/* ---- datagrams ------------------------------------------------------------------------------ */

static void on_datagrams(plx_socket *socket, void *user)
{
    (void)socket;
    struct server *server = user;
    guests_take_datagrams(&server->guests);
}

static void on_udp_error(plx_socket *socket, const plx_error *error, void *user)
{
    (void)socket;
    struct server *server = user;
    report_complain(&server->report, "UDP: %s", error->message);
}

static const plx_events udp_events = {
    .data_available = on_datagrams,
    .error = on_udp_error,
};

/* One socket serves all bots. It is bound to the address of the door, at a port of its own. */
static plx_socket *udp_new(struct server *server)
{
    char place[256];
    const char *where = server->settings->where;
    plx_socket *udp = plx_udp_new();
    snprintf(place, sizeof place, "%.*s:0", (int)(strrchr(where, ':') - where), where);
    plx_socket_set_events(udp, &udp_events, server);
    /* Holds half a second of all input, in case the computer is busy with other work. */
    plx_socket_set_option(udp, PLX_OPTION_RECEIVE_BUFFER_SIZE, 1024 * 1024);
    plx_group_add(server->group, udp);
    if (plx_udp_bind(udp, place) != PLX_OK) {
        fprintf(stderr, "arena: %s\n", udp != NULL ? plx_socket_error(udp)->message : "no memory");
        return plx_socket_free(udp);
    }
    return udp;
}

/* ---- frames --------------------------------------------------------------------------------- */

/* The one poll of a frame; how long it took is the figure that matters to a game. */
static void poll_once(struct server *server)
{
    uint64_t before = now_ns();
    plx_group_poll(server->group, 0);
    times_add(&server->report.polls, now_ns() - before);
    guests_clear(&server->guests);
}

static void tell_figures(struct server *server)
{
    const struct report *report = &server->report;
    char text[200];
    snprintf(text, sizeof text, "%llu %llu %llu %u %u %llu",
             (unsigned long long)((now_ns() - server->started) / 1000000), server->clock.run,
             server->clock.missed, times_part(&report->polls, 50), times_part(&report->polls, 99),
             (unsigned long long)report->polls.longest);
    guests_tell_spectators(&server->guests, SAY_FIGURES, text);
}

static void play_frame(struct server *server)
{
    frame_clock_wait(&server->clock);
    poll_once(server);
    world_step(&server->world);
    guests_tell_hits(&server->guests);
    guests_show(&server->guests);
    if (server->world.frame % (uint32_t)(server->settings->frames_per_second / 2 + 1) == 0) {
        tell_figures(server);
    }
    plx_group_flush(server->group);
}

/* Begins a phase of the game and its figures. */
static void begin(struct server *server, int seconds)
{
    plx_timer_set(server->phase, seconds * 1000, false);
    frame_clock_start(&server->clock, server->settings->frames_per_second);
    memset(&server->report.polls, 0, sizeof server->report.polls);
    server->started = now_ns();
}

static bool is_over(const struct server *server)
{
    return plx_timer_left(server->phase) < 0;
}

/* Bots that have joined play already, but the figures begin when all have joined. */
static void wait_for_guests(struct server *server)
{
    const struct settings *settings = server->settings;
    begin(server, ARRIVAL_SECONDS);
    while (!stop_is_wanted() && !is_over(server) &&
           (server->report.bots_joined < settings->bots ||
            server->report.spectators_joined < settings->spectators)) {
        play_frame(server);
    }
}

static void play(struct server *server)
{
    int seconds = server->settings->seconds;
    begin(server, seconds);
    while (!stop_is_wanted() && (seconds == 0 || !is_over(server))) {
        play_frame(server);
    }
    server->report.frames = server->clock;
    server->report.seconds = (double)(now_ns() - server->started) / 1e9;
    /* The game is over: what follows is not measured. */
    server->report.frames_per_second = server->settings->frames_per_second;
}

/* Sends END to all guests and waits until all have said goodbye. */
static void end(struct server *server)
{
    struct times polls = server->report.polls;
    server->discovery = plx_discovery_free(server->discovery);
    plx_server_stop_listening(server->bot_door);
    plx_server_stop_listening(server->spectator_door);
    guests_say_end(&server->guests);
    begin(server, GOODBYE_SECONDS);
    while (guests_count(&server->guests) > 0 && !is_over(server)) {
        plx_group_flush(server->group);
        frame_clock_wait(&server->clock);
        poll_once(server);
    }
    guests_complain(&server->guests);
    server->report.polls = polls;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool open_doors(struct server *server)
{
    const struct settings *settings = server->settings;
    server->group = plx_group_new();
    server->phase = plx_timer_new(NULL, NULL);
    plx_group_add_timer(server->group, server->phase);
    server->report.mechanism = plx_group_mechanism(server->group);
    server->bot_door = door_new(server, plx_tcp_new, settings->where);
    if (settings->path != NULL) {
        server->spectator_door = door_new(server, plx_ipc_new, settings->path);
    }
    server->guests.udp = server->bot_door != NULL ? udp_new(server) : NULL;
    return server->guests.udp != NULL && (settings->path == NULL || server->spectator_door != NULL);
}

/* Only a server at all addresses is announced: at one of them not every guest reaches it. The demo
 * waits for the line, which a person may read. */
static void announce(struct server *server)
{
    const char *where = server->settings->where;
    const char *path = server->settings->path;
    int host = (int)(strrchr(where, ':') - where);
    int port = plx_server_port(server->bot_door);
    if (host == 0) {
        server->discovery = announce_server(server->settings, server->group, port);
    }
    printf("arena open: guests connect to %.*s:%d%s%s\n", host, where, port,
           path != NULL ? ", spectators also to " : "", path != NULL ? path : "");
    fflush(stdout);
}

static void close_doors(struct server *server)
{
    plx_socket_free(server->guests.udp);
    plx_server_free(server->spectator_door);
    plx_server_free(server->bot_door);
    plx_discovery_free(server->discovery);
    plx_timer_free(server->phase);
    plx_group_free(server->group);
}

int run_server(const struct settings *settings)
{
    static struct server server; /* large, because of the times it keeps */
    uint32_t random = (uint32_t)time(NULL) | 1;
    server.settings = settings;
    server.guests.world = &server.world;
    server.guests.report = &server.report;
    server.guests.random = random;
    world_start(&server.world, settings->frames_per_second, random);
    if (!open_doors(&server)) {
        close_doors(&server);
        return EXIT_FAILURE;
    }
    announce(&server);
    wait_for_guests(&server);
    play(&server);
    end(&server);
    close_doors(&server);
    report_judge(&server.report, settings->bots, settings->spectators);
    report_print(&server.report);
    return server.report.problem_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
