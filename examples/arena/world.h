/* arena/world.h -- the game itself, which knows nothing of sockets.
 *
 * Players run about and collect stars. A player who bumps into one with more stars takes a star.
 * Lengths are in units: 64 to a column of the terminal, 128 to a row, because a character is about
 * twice as high as wide. */
#ifndef ARENA_WORLD_H
#define ARENA_WORLD_H

#include "picture.h"

#include <stdbool.h>
#include <stdint.h>

#define COLUMN_UNITS 64
#define ROW_UNITS 128
#define WORLD_COLUMNS 56
#define WORLD_ROWS 17
#define WORLD_WIDTH (WORLD_COLUMNS * COLUMN_UNITS)
#define WORLD_HEIGHT (WORLD_ROWS * ROW_UNITS)

/* A player is near enough to a star to take it, seen by himself. The server allows a little more,
 * because what the player saw is a frame or two old. */
#define REACH 96
#define REACH_ALLOWED 256

struct player {
    bool is_in;
    double x, y;
    double along_x, along_y; /* where he wants to go, at most 1 long */
    unsigned score;
    uint32_t dizzy_until; /* the frame in which he can be bumped into again */
};

struct star {
    double x, y;
    uint8_t generation; /* changes when taken: no player takes the next one unseen */
};

/* Player `thief` took a star from player `victim`. */
struct hit {
    int thief, victim;
};

struct world {
    struct player players[PLAYERS_MAX];
    struct star stars[STARS_MAX];
    uint32_t frame;
    int frames_per_second;
    uint32_t random;
    struct hit hits[PLAYERS_MAX]; /* what happened in the last step */
    int hit_count;
};

/* random_below returns a number from 0 to limit - 1. `state` is not 0 and changes. */
uint32_t random_below(uint32_t *state, uint32_t limit);

/* rough_length returns the length of a way, at most 8 % too long, without the math library. */
double rough_length(double x, double y);

void world_start(struct world *world, int frames_per_second, uint32_t random);
void world_join(struct world *world, int id);
void world_leave(struct world *world, int id);

/* world_steer sets where a player wants to go from now on: -127 to 127 in each direction. */
void world_steer(struct world *world, int id, int along_x, int along_y);

/* world_claim gives the star to the player if it is still the same star and the player is there. */
bool world_claim(struct world *world, int id, int star, int generation);

/* world_step moves everybody by one frame. */
void world_step(struct world *world);

/* world_picture copies what can be seen. */
void world_picture(const struct world *world, struct picture *ret_picture);

#endif
