/* sdl-game -- a game of windows that find each other: everybody on the network moves a square.
 *
 * It shows how little of a game is networking: between the two marks below is all of it. Programs
 * find each other by discovery, without a server and without an address that somebody types; in
 * each frame each one sends its position to all others, in a datagram of UDP. A position that is
 * lost does no harm, because the next one is on its way. The loop is that of any game: poll,
 * update, draw, flush.
 *
 * Try it in two terminals, or on two computers:
 *     ./sdl-game Ada
 *     ./sdl-game Bob
 * The arrows move the own square, which has a white rim; Escape leaves. Others play in a room:
 *     ./sdl-game Ada kitchen
 *     ./sdl-game Ada kitchen picture.bmp
 * The last one moves by itself, and saves what it sees once it has met somebody. The exit status is
 * 0, 1 without a screen or a network, 2 for bad arguments. */
#include "draw.h"

#include <SDL.h>
#include <pollux.h>
#include <stdio.h>
#include <string.h>

enum { PLAYERS = 16, PORT = 47790, NAME_SIZE = 10, MET_FRAMES = 120 };

/* The first one is this program, which discovery reports first. The one after the last is for those
 * that find no place: nobody sees it. */
static struct player {
    plx_member member; /* id 0: this place is free */
    struct place at;
    struct look look;
} players[PLAYERS + 1];
static struct player *const me = &players[0];
static plx_discovery *network;

/* ---- networking: begin ------------------------------------------------------------------------ */

/* The player with this id; 0: a free place. */
static struct player *find(uint64_t id)
{
    struct player *player = players;
    while (player->member.id != id && ++player < players + PLAYERS) {
    }
    return player;
}

static void on_joined(plx_discovery *from, const char *room, const plx_member *member, void *user)
{
    (void)from, (void)room, (void)user;
    *find(0) = (struct player){.member = *member, .at = {BOARD_WIDTH / 2, BOARD_HEIGHT / 2}};
}

static void on_left(plx_discovery *from, const char *room, const plx_member *member, void *user)
{
    (void)from, (void)room, (void)user;
    find(member->id)->member.id = 0;
}

static void on_position(plx_discovery *to, const char *room, const plx_member *from, int32_t kind,
                        const void *data, size_t size, void *user)
{
    (void)to, (void)room, (void)kind, (void)user;
    if (size == sizeof(struct place)) {
        memcpy(&find(from->id)->at, data, size);
    }
}

/* Queues a datagram for each other player: they leave together, in flush. */
static void send_position(void)
{
    for (int i = 1; i < PLAYERS; i++) {
        if (players[i].member.id != 0) {
            plx_discovery_send_to(network, &players[i].member, 0, &me->at, sizeof me->at);
        }
    }
}

static bool join(plx_group *group, const char *room, const char *name)
{
    static const plx_discovery_events events = {on_joined, on_left, on_position, NULL};
    network = plx_discovery_new();
    plx_discovery_set_events(network, &events, NULL);
    return plx_discovery_bind(network, PORT) == 0 &&
           plx_discovery_join(network, room, name, strnlen(name, NAME_SIZE)) == 0 &&
           plx_group_add_discovery(group, network) == 0;
}

/* ---- networking: end, but for poll and flush in main ------------------------------------------ */

static void move(struct place *at, int x, int y)
{
    x += at->x;
    y += at->y;
    if (x >= SIDE / 2 && x <= BOARD_WIDTH - SIDE / 2) {
        at->x = (uint8_t)x;
    }
    if (y >= SIDE / 2 && y <= BOARD_HEIGHT - SIDE / 2) {
        at->y = (uint8_t)y;
    }
}

static void move_by_keys(void)
{
    const Uint8 *keys = SDL_GetKeyboardState(NULL);
    move(&me->at, keys[SDL_SCANCODE_RIGHT] - keys[SDL_SCANCODE_LEFT],
         keys[SDL_SCANCODE_DOWN] - keys[SDL_SCANCODE_UP]);
}

/* From -64 to 64, and back again. */
static int wave(int frame)
{
    int at = frame % 256;
    return at < 128 ? at - 64 : 192 - at;
}

/* Round and round, in a column that the first letter of the name chooses. */
static void move_alone(const char *name, int frame)
{
    int column = BOARD_WIDTH / 8 * (1 + 2 * (name[0] & 3));
    me->at.x = (uint8_t)(column + wave(frame) / 4);
    me->at.y = (uint8_t)(BOARD_HEIGHT / 2 + wave(frame + 64));
}

static int count_players(void)
{
    int count = 0;
    for (int i = 0; i < PLAYERS; i++) {
        count += players[i].member.id != 0;
    }
    return count;
}

static void draw(const char *room, int count)
{
    char line[100];
    draw_begin();
    for (int i = PLAYERS - 1; i >= 0; i--) { /* the own one above all others */
        struct player *player = &players[i];
        struct look *look = &player->look;
        memmove(look->trail + 1, look->trail, sizeof look->trail - sizeof look->trail[0]);
        look->trail[0] = player->at;
        look->name = player->member.about;
        look->name_size = player->member.about_size;
        if (look->name_size > NAME_SIZE) {
            look->name_size = NAME_SIZE; /* others may say more */
        }
        look->is_own = player == me;
        if (player->member.id != 0) {
            draw_player(look);
        }
    }
    snprintf(line, sizeof line, "%d in %.30s - arrows move, escape leaves", count, room);
    draw_text(10, BOARD_HEIGHT * PIXELS - 20, 2, line, strlen(line));
}

static bool wants_to_leave(void)
{
    SDL_Event event;
    bool leaves = false;
    while (SDL_PollEvent(&event)) {
        leaves = leaves || event.type == SDL_QUIT || /* also Ctrl-C and SIGTERM */
                 (event.type == SDL_KEYDOWN && event.key.keysym.sym == SDLK_ESCAPE);
    }
    return leaves;
}

static void play(plx_group *group, const char *name, const char *room, const char *file)
{
    for (int frame = 0, met = 0, before = 0; !wants_to_leave(); frame++) {
        plx_group_poll(group, 0);
        int count = count_players();
        if (count != before) {
            printf("%d in %s\n", count, room);
        }
        if (file == NULL) {
            move_by_keys();
        } else {
            move_alone(name, frame);
        }
        send_position();
        draw(room, count);
        met += count > 1;
        if (file != NULL && met == MET_FRAMES && draw_save(file)) {
            printf("saved %s\n", file);
            met++; /* once */
        }
        plx_group_flush(group);
        draw_end();
        before = count;
    }
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fputs("usage: sdl-game NAME [ROOM [PICTURE.bmp]]\n", stderr);
        return 2;
    }
    const char *name = argv[1], *room = argc > 2 ? argv[2] : "lobby";
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    plx_group *group = plx_group_new();
    bool good = draw_open(name);
    if (good && !(good = join(group, room, name))) {
        fprintf(stderr, "%s\n", plx_discovery_error(network)->message);
    }
    if (good) {
        play(group, name, room, argc > 3 ? argv[3] : NULL);
    }
    plx_discovery_free(network); /* says goodbye */
    plx_group_free(group);
    draw_close();
    return good ? 0 : 1;
}
