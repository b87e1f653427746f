/* arena/screen.h -- draws the arena in a terminal, in place and without flicker. */
#ifndef ARENA_SCREEN_H
#define ARENA_SCREEN_H

#include "guest.h"
#include "picture.h"

#include <stdbool.h>

/* What the spectator knows and draws. */
struct scene {
    struct picture picture;
    char names[PLAYERS_MAX][NAME_SIZE];
    char news[80];
    unsigned long long milliseconds, frames, missed, longest_us;
    unsigned p50_us, p99_us;
    unsigned long long commands, bytes; /* received over IPC */
};

/* screen_is_usable returns whether the standard output is a terminal that is large enough. */
bool screen_is_usable(void);

/* screen_open clears the screen; screen_close restores it. */
void screen_open(void);
void screen_close(void);

/* screen_draw shows the scene. */
void screen_draw(const struct scene *scene);

#endif
