/* arena/spectator.c -- shows the arena: in a terminal as a moving picture, else as a line a second.
 *
 * It has no frames of its own: the group's poll sleeps until bytes arrive over IPC or TCP. That is
 * the other way to use a group. */
#include "arena.h"
#include "find.h"
#include "link.h"
#include "screen.h"
#include "stop.h"

#include <pollux.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A person sees no more than about thirty pictures a second; all others are received, not drawn. */
#define DRAW_PERIOD_MS 33

struct spectator {
    plx_group *group;
    struct link link;
    struct scene scene;
    bool draws;  /* in place; else plain lines */
    bool is_new; /* the picture has not been drawn yet */
    unsigned long long printed_second;
    bool is_over;
    int status;
};

/* ---- plain lines ---------------------------------------------------------------------------- */

static const struct seen_player *leader_of(const struct picture *picture)
{
    const struct seen_player *leader = NULL;
    for (int i = 0; i < picture->player_count; i++) {
        if (leader == NULL || picture->players[i].score > leader->score) {
            leader = &picture->players[i];
        }
    }
    return leader;
}

static void print_line(const struct scene *scene)
{
    const struct seen_player *leader = leader_of(&scene->picture);
    printf("%3llu s  frame %llu, %llu missed  poll p50 %u us, p99 %u us  %d bots",
           scene->milliseconds / 1000, scene->frames, scene->missed, scene->p50_us, scene->p99_us,
           scene->picture.player_count);
    if (leader != NULL) {
        printf("  %s leads with %d stars", scene->names[leader->id], leader->score);
    }
    putchar('\n');
    fflush(stdout);
}

/* ---- what the server says ------------------------------------------------------------------- */

static bool is_player(int id)
{
    return id >= 0 && id < PLAYERS_MAX;
}

static void take_figures(struct spectator *spectator, const char *text)
{
    struct scene *scene = &spectator->scene;
    sscanf(text, "%llu %llu %llu %u %u %llu", &scene->milliseconds, &scene->frames, &scene->missed,
           &scene->p50_us, &scene->p99_us, &scene->longest_us);
    unsigned long long second = scene->milliseconds / 1000;
    if (!spectator->draws && second != spectator->printed_second) {
        spectator->printed_second = second;
        print_line(scene);
    }
}

static void take_event(struct scene *scene, int32_t command, const char *text)
{
    int id, other;
    char name[NAME_SIZE];
    if (command == SAY_PLAYER && sscanf(text, "%d %15s", &id, name) == 2 && is_player(id)) {
        memcpy(scene->names[id], name, sizeof name);
        snprintf(scene->news, sizeof scene->news, "%s joins", name);
    } else if (command == SAY_LEFT && sscanf(text, "%d", &id) == 1 && is_player(id)) {
        snprintf(scene->news, sizeof scene->news, "%s has left", scene->names[id]);
    } else if (command == SAY_STAR && sscanf(text, "%d", &id) == 1 && is_player(id)) {
        snprintf(scene->news, sizeof scene->news, "%s finds a star", scene->names[id]);
    } else if (command == SAY_HIT && sscanf(text, "%d %d", &id, &other) == 2 && is_player(id) &&
               is_player(other)) {
        snprintf(scene->news, sizeof scene->news, "%s bumps into %s and takes a star",
                 scene->names[id], scene->names[other]);
    }
}

/* ---- events --------------------------------------------------------------------------------- */

static void on_connected(plx_socket *socket, void *user)
{
    (void)socket;
    struct spectator *spectator = user;
    link_send(&spectator->link, SAY_WATCH, "%s", "");
}

static void on_command(plx_socket *socket, int32_t command, const void *data, size_t size,
                       void *user)
{
    struct spectator *spectator = user;
    const char *text = link_receive(&spectator->link, command, data, size);
    spectator->scene.commands = spectator->link.in.messages;
    spectator->scene.bytes = spectator->link.in.bytes;
    if (command == SAY_FRAME) {
        spectator->is_new |= picture_parse(text, &spectator->scene.picture);
    } else if (command == SAY_FIGURES) {
        take_figures(spectator, text);
    } else if (command == SAY_END) {
        link_send_goodbye(&spectator->link, 0, 0);
        plx_socket_disconnect(socket);
    } else {
        take_event(&spectator->scene, command, text);
    }
}

static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    (void)socket;
    struct spectator *spectator = user;
    if (spectator->draws) {
        screen_close(); /* or the message would vanish with the picture */
        spectator->draws = false;
    }
    fprintf(stderr, "arena: spectator: %s\n", error->message);
    spectator->status = EXIT_FAILURE;
    spectator->is_over = true;
}

static void on_disconnected(plx_socket *socket, void *user)
{
    (void)socket;
    struct spectator *spectator = user;
    spectator->is_over = true;
}

static const plx_events events = {
    .connected = on_connected,
    .command_received = on_command,
    .error = on_error,
    .disconnected = on_disconnected,
};

/* ---- the whole ------------------------------------------------------------------------------ */

static void on_draw(plx_timer *timer, void *user)
{
    (void)timer;
    struct spectator *spectator = user;
    if (spectator->draws && spectator->is_new) {
        screen_draw(&spectator->scene);
        spectator->is_new = false;
    }
}

static void watch(struct spectator *spectator)
{
    bool asked = false;
    while (!spectator->is_over) {
        /* The half second is only for a signal that arrives just before the sleep. */
        plx_group_poll(spectator->group, 500);
        if (stop_is_wanted() && !asked) {
            asked = true;
            if (!link_send(&spectator->link, SAY_LEAVE, "%s", "")) {
                spectator->is_over = true;
            }
        }
    }
}

int run_spectator(const struct settings *settings)
{
    struct spectator spectator;
    bool by_path = settings->where != NULL && strchr("/.@", settings->where[0]) != NULL;
    plx_socket *socket = by_path ? plx_ipc_new() : plx_tcp_new();
    plx_timer *pictures = plx_timer_new(on_draw, &spectator);
    memset(&spectator, 0, sizeof spectator);
    spectator.group = plx_group_new();
    plx_socket_set_events(socket, &events, &spectator);
    plx_group_add(spectator.group, socket);
    plx_group_add_timer(spectator.group, pictures);
    plx_socket_set_commands(socket, 0);
    link_start(&spectator.link, socket);
    spectator.is_over = !connect_to_server(settings, socket);
    spectator.status = spectator.is_over ? EXIT_FAILURE : EXIT_SUCCESS;
    spectator.draws = !spectator.is_over && screen_is_usable();
    if (spectator.draws) {
        screen_open();
        plx_timer_set(pictures, DRAW_PERIOD_MS, true);
    }
    watch(&spectator);
    if (spectator.draws) {
        screen_close();
    }
    plx_timer_free(pictures);
    plx_socket_free(socket);
    plx_group_free(spectator.group);
    return spectator.status;
}
