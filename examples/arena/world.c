/* arena/world.c -- see world.h. */
#include "world.h"

#include <string.h>

#define SPEED 1300.0    /* units a second */
#define TOUCH 80.0      /* closer than this is a bump */
#define DIZZY_SECONDS 1 /* and how long nothing happens then */

/* xorshift32: not for secrets, but the same everywhere and small. */
uint32_t random_below(uint32_t *state, uint32_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % limit;
}

double rough_length(double x, double y)
{
    double across = x < 0 ? -x : x;
    double down = y < 0 ? -y : y;
    return across > down ? across + 0.4 * down : down + 0.4 * across;
}

static double square_of_distance(double ax, double ay, double bx, double by)
{
    return (ax - bx) * (ax - bx) + (ay - by) * (ay - by);
}

/* Somewhere, but not at the very edge. */
static void place(struct world *world, double *ret_x, double *ret_y)
{
    *ret_x = COLUMN_UNITS + random_below(&world->random, WORLD_WIDTH - 2 * COLUMN_UNITS);
    *ret_y = ROW_UNITS + random_below(&world->random, WORLD_HEIGHT - 2 * ROW_UNITS);
}

void world_start(struct world *world, int frames_per_second, uint32_t random)
{
    memset(world, 0, sizeof *world);
    world->frames_per_second = frames_per_second;
    world->random = random | 1;
    for (int i = 0; i < STARS_MAX; i++) {
        place(world, &world->stars[i].x, &world->stars[i].y);
    }
}

void world_join(struct world *world, int id)
{
    struct player *player = &world->players[id];
    memset(player, 0, sizeof *player);
    player->is_in = true;
    place(world, &player->x, &player->y);
}

void world_leave(struct world *world, int id)
{
    world->players[id].is_in = false;
}

void world_steer(struct world *world, int id, int along_x, int along_y)
{
    struct player *player = &world->players[id];
    double x = along_x / 127.0;
    double y = along_y / 127.0;
    /* Nobody is faster for going at an angle. */
    double length = rough_length(x, y);
    double factor = length > 1 ? 1 / length : 1;
    player->along_x = x * factor;
    player->along_y = y * factor;
}

bool world_claim(struct world *world, int id, int star, int generation)
{
    const struct player *player = &world->players[id];
    if (!player->is_in || star < 0 || star >= STARS_MAX) {
        return false;
    }
    struct star *claimed = &world->stars[star];
    double square = square_of_distance(player->x, player->y, claimed->x, claimed->y);
    if (claimed->generation != generation || square > (double)REACH_ALLOWED * REACH_ALLOWED) {
        return false;
    }
    world->players[id].score++;
    claimed->generation++;
    place(world, &claimed->x, &claimed->y);
    return true;
}

static double limited(double value, double most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

static void move(struct world *world, struct player *player)
{
    double way = SPEED / world->frames_per_second;
    player->x = limited(player->x + player->along_x * way, WORLD_WIDTH - 1);
    player->y = limited(player->y + player->along_y * way, WORLD_HEIGHT - 1);
}

static bool can_bump(const struct world *world, const struct player *player)
{
    return player->is_in && world->frame >= player->dizzy_until;
}

/* The one with fewer stars takes one from the other, and both are dizzy for a while. */
static void bump(struct world *world, int a, int b)
{
    int thief = world->players[a].score < world->players[b].score ? a : b;
    int victim = thief == a ? b : a;
    if (world->players[a].score == world->players[b].score || world->hit_count == PLAYERS_MAX) {
        return;
    }
    world->players[thief].score++;
    world->players[victim].score--;
    uint32_t until = world->frame + (uint32_t)(DIZZY_SECONDS * world->frames_per_second);
    world->players[thief].dizzy_until = until;
    world->players[victim].dizzy_until = until;
    world->hits[world->hit_count++] = (struct hit){thief, victim};
}

static void find_bumps(struct world *world, int a)
{
    for (int b = a + 1; b < PLAYERS_MAX; b++) {
        const struct player *one = &world->players[a], *other = &world->players[b];
        if (can_bump(world, one) && can_bump(world, other) &&
            square_of_distance(one->x, one->y, other->x, other->y) < TOUCH * TOUCH) {
            bump(world, a, b);
        }
    }
}

void world_step(struct world *world)
{
    world->frame++;
    world->hit_count = 0;
    for (int id = 0; id < PLAYERS_MAX; id++) {
        if (world->players[id].is_in) {
            move(world, &world->players[id]);
            find_bumps(world, id);
        }
    }
}

void world_picture(const struct world *world, struct picture *ret_picture)
{
    memset(ret_picture, 0, sizeof *ret_picture);
    ret_picture->frame = world->frame;
    for (int id = 0; id < PLAYERS_MAX; id++) {
        const struct player *player = &world->players[id];
        if (player->is_in) {
            ret_picture->players[ret_picture->player_count++] = (struct seen_player){
                .id = id, .x = (int)player->x, .y = (int)player->y, .score = (int)player->score};
        }
    }
    ret_picture->star_count = STARS_MAX;
    for (int i = 0; i < STARS_MAX; i++) {
        const struct star *star = &world->stars[i];
        ret_picture->stars[i] = (struct seen_star){
            .x = (int)star->x, .y = (int)star->y, .generation = star->generation};
    }
}
