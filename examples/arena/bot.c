/* arena/bot.c -- a player without a person: it runs to the next star.
 *
 * The bot is built like the server: two sockets in one group, polled once a frame. Messages that
 * must arrive go over TCP, those that are soon outdated over UDP. */
#define _POSIX_C_SOURCE 200809L

#include "arena.h"
#include "find.h"
#include "frame.h"
#include "link.h"
#include "picture.h"
#include "report.h"
#include "stop.h"
#include "world.h"

#include <pollux.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The time after END for the last datagrams to arrive. */
#define LAST_DATAGRAMS_MS 250
/* After this number of frames without an answer a claim is made again. */
#define CLAIM_FRAMES 15

enum bot_stage { JOINING, PLAYING, ENDING, LEAVING, GONE };

struct bot {
    const struct settings *settings;
    enum bot_stage stage;
    int status; /* to exit with */
    plx_group *group;
    plx_socket *tcp, *udp;
    struct link link;
    struct frame_clock clock;
    int id;
    uint32_t key;
    struct picture picture; /* the newest one */
    uint32_t newest;        /* its sequence */
    struct datagrams out, in;
    plx_timer *last;          /* runs from END to the goodbye */
    double liking[STARS_MAX]; /* bots like different stars, or all would run to the same */
    int claim_pause[STARS_MAX];
    uint32_t random;
};

static void fail(struct bot *bot, const char *what)
{
    fprintf(stderr, "arena: bot %s: %s\n", bot->settings->name, what);
    bot->status = EXIT_FAILURE;
    bot->stage = GONE;
}

/* ---- what the server says over TCP ---------------------------------------------------------- */

/* Chooses new favourites. */
static void change_mind(struct bot *bot)
{
    for (int i = 0; i < STARS_MAX; i++) {
        bot->liking[i] = 0.5 + random_below(&bot->random, 1000) / 1000.0;
    }
}

static void take_welcome(struct bot *bot, int port, int frames_per_second)
{
    plx_address server = {0};
    plx_socket_remote(bot->tcp, &server);
    server.port = (uint16_t)port;
    if (plx_socket_connect_to_address(bot->udp, &server) != PLX_OK) {
        fail(bot, plx_socket_error(bot->udp)->message);
        return;
    }
    frame_clock_start(&bot->clock, frames_per_second);
    change_mind(bot);
    bot->stage = PLAYING;
}

static void on_command(plx_socket *socket, int32_t command, const void *data, size_t size,
                       void *user)
{
    (void)socket;
    struct bot *bot = user;
    const char *text = link_receive(&bot->link, command, data, size);
    unsigned long key;
    int id, port, frames_per_second, star;
    if (command == SAY_WELCOME && bot->stage == JOINING &&
        sscanf(text, "%d %d %lu %d", &id, &port, &key, &frames_per_second) == 4 &&
        frames_per_second > 0) {
        bot->id = id;
        bot->key = (uint32_t)key;
        take_welcome(bot, port, frames_per_second);
    } else if (command == SAY_STAR && sscanf(text, "%d", &id) == 1 && id == bot->id) {
        change_mind(bot);
    } else if (command == SAY_MISSED && sscanf(text, "%d", &star) == 1 && star >= 0 &&
               star < STARS_MAX) {
        bot->claim_pause[star] = 0;
    } else if (command == SAY_END && bot->stage == PLAYING) {
        bot->stage = ENDING;
        plx_timer_set(bot->last, LAST_DATAGRAMS_MS, false);
    }
}

static void on_connected(plx_socket *socket, void *user)
{
    (void)socket;
    struct bot *bot = user;
    link_send(&bot->link, SAY_JOIN, "%s", bot->settings->name);
}

/* Any error ends the game of this bot, also the end of the server: END must arrive first. */
static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    (void)socket;
    fail(user, error->message);
}

static void on_disconnected(plx_socket *socket, void *user)
{
    (void)socket;
    struct bot *bot = user;
    bot->stage = GONE;
}

static const plx_events tcp_events = {
    .connected = on_connected,
    .command_received = on_command,
    .error = on_error,
    .disconnected = on_disconnected,
};

/* ---- pictures over UDP ---------------------------------------------------------------------- */

/* Datagrams may arrive late or out of order, so only a newer picture replaces the present one. */
static void on_pictures(plx_socket *socket, void *user)
{
    struct bot *bot = user;
    plx_datagram datagram;
    while (plx_udp_read(socket, &datagram)) {
        struct picture picture;
        uint32_t sequence;
        if (!picture_unpack(datagram.data, datagram.size, &sequence, &picture)) {
            continue;
        }
        bot->in.received++;
        if (sequence > bot->newest) {
            bot->newest = sequence;
            bot->picture = picture;
        }
    }
}

static const plx_events udp_events = {
    .data_available = on_pictures,
    .error = on_error,
};

/* ---- playing -------------------------------------------------------------------------------- */

static const struct seen_player *myself(const struct bot *bot)
{
    for (int i = 0; i < bot->picture.player_count; i++) {
        if (bot->picture.players[i].id == bot->id) {
            return &bot->picture.players[i];
        }
    }
    return NULL;
}

/* Claims a star that the bot has reached; the server decides. */
static void claim(struct bot *bot, int star, double distance)
{
    if (bot->claim_pause[star] > 0) {
        bot->claim_pause[star]--;
    } else if (distance < REACH) {
        link_send(&bot->link, SAY_CLAIM, "%d %d", star, bot->picture.stars[star].generation);
        bot->claim_pause[star] = CLAIM_FRAMES;
    }
}

/* Finds the way to the star that is both near and liked, and claims stars on the way. */
static void choose_way(struct bot *bot, const struct seen_player *me, struct input *input)
{
    double least = 1e9;
    for (int i = 0; i < bot->picture.star_count; i++) {
        double x = bot->picture.stars[i].x - me->x;
        double y = bot->picture.stars[i].y - me->y;
        double distance = rough_length(x, y);
        claim(bot, i, distance);
        if (distance * bot->liking[i] < least) {
            least = distance * bot->liking[i];
            /* The bot slows down near the star, or it would dance about the star. */
            double scale = 127 / (distance > REACH ? distance : REACH);
            input->along_x = (int)(x * scale);
            input->along_y = (int)(y * scale);
        }
    }
}

static void play_frame(struct bot *bot)
{
    struct input input = {.id = bot->id, .key = bot->key};
    const struct seen_player *me = myself(bot);
    unsigned char bytes[DATAGRAM_MAX];
    input.sequence = (uint32_t)bot->out.sent + 1;
    if (me != NULL) {
        choose_way(bot, me, &input);
    }
    /* On a socket that has a peer, each write is one datagram. */
    size_t size = input_pack(&input, bytes);
    if (plx_socket_write(bot->udp, bytes, size) == (ptrdiff_t)size) {
        bot->out.sent++;
    }
}

/* ---- leaving -------------------------------------------------------------------------------- */

static void say_goodbye(plx_timer *timer, void *user)
{
    (void)timer;
    struct bot *bot = user;
    link_send_goodbye(&bot->link, bot->out.sent, bot->in.received);
    plx_socket_disconnect(bot->tcp); /* sends the queue first */
    bot->stage = LEAVING;
}

/* A signal: the bot sends LEAVE, and the server answers END. */
static void leave_if_asked(struct bot *bot, bool *asked)
{
    if (!stop_is_wanted() || *asked) {
        return;
    }
    *asked = true;
    if (bot->stage == JOINING) {
        fail(bot, "stopped before it could play");
    } else if (bot->stage == PLAYING) {
        link_send(&bot->link, SAY_LEAVE, "%s", "");
    }
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void run_frames(struct bot *bot)
{
    bool asked = false;
    frame_clock_start(&bot->clock, 60); /* WELCOME has the rate of the server */
    while (bot->stage != GONE) {
        frame_clock_wait(&bot->clock);
        plx_group_poll(bot->group, 0);
        leave_if_asked(bot, &asked);
        if (bot->stage == PLAYING) {
            play_frame(bot);
        }
        plx_group_flush(bot->group);
    }
}

static void start(struct bot *bot)
{
    bot->group = plx_group_new();
    bot->tcp = plx_tcp_new();
    bot->udp = plx_udp_new();
    bot->last = plx_timer_new(say_goodbye, bot);
    plx_socket_set_events(bot->tcp, &tcp_events, bot);
    plx_socket_set_events(bot->udp, &udp_events, bot);
    plx_socket_set_option(bot->udp, PLX_OPTION_RECEIVE_BUFFER_SIZE, 256 * 1024);
    plx_group_add(bot->group, bot->tcp);
    plx_group_add(bot->group, bot->udp);
    plx_group_add_timer(bot->group, bot->last);
    plx_socket_set_commands(bot->tcp, 0);
    link_start(&bot->link, bot->tcp);
    if (!connect_to_server(bot->settings, bot->tcp)) {
        fail(bot, "not connected");
    }
}

int run_bot(const struct settings *settings)
{
    struct bot bot;
    memset(&bot, 0, sizeof bot);
    bot.settings = settings;
    bot.id = -1;
    bot.random = ((uint32_t)getpid() * 2654435761U) | 1;
    start(&bot);
    run_frames(&bot);
    plx_timer_free(bot.last);
    plx_socket_free(bot.udp);
    plx_socket_free(bot.tcp);
    plx_group_free(bot.group);
    return bot.status;
}
