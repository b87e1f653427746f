/* sdl-game/draw.h -- what one sees: a window with squares, their trails and their names. */
#ifndef SDL_GAME_DRAW_H
#define SDL_GAME_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place on the board, in units of PIXELS pixels, so that each number fits into a byte. */
struct place {
    uint8_t x, y;
};

enum { PIXELS = 2, BOARD_WIDTH = 256, BOARD_HEIGHT = 192, SIDE = 22, TRAIL = 40 };

/* What is drawn of a player; the trail begins with the newest place. */
struct look {
    const void *name;
    size_t name_size;
    struct place trail[TRAIL];
    bool is_own;
};

/* draw_open opens the window; false with a message when there is no screen. draw_close closes it. */
bool draw_open(const char *title);
void draw_close(void);

/* draw_begin clears the picture. draw_player adds a player. draw_text adds letters, digits and
 * simple signs; anything else is a blank. draw_end shows the picture, and waits for the screen. */
void draw_begin(void);
void draw_player(const struct look *look);
void draw_text(int x, int y, int scale, const void *text, size_t size);
void draw_end(void);

/* draw_save writes the picture, before draw_end, into a file (BMP); false with a message if it
 * cannot. */
bool draw_save(const char *file);

#endif
