/* sdl-game/draw.c -- see draw.h. Nothing here knows of the network. */
#include "draw.h"

#include <SDL.h>

enum { WIDTH = BOARD_WIDTH * PIXELS, HEIGHT = BOARD_HEIGHT * PIXELS, GRID = 32, FRAME_MS = 16 };

static SDL_Window *window;
static SDL_Renderer *renderer;
static Uint32 shown_at;

static const SDL_Color night = {20, 24, 38, 255}, grid = {32, 38, 58, 255};
static const SDL_Color white = {240, 244, 255, 255};

bool draw_open(const char *title)
{
    if (SDL_Init(SDL_INIT_VIDEO) != 0 ||
        (window = SDL_CreateWindow(title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, WIDTH,
                                   HEIGHT, SDL_WINDOW_SHOWN)) == NULL ||
        (renderer = SDL_CreateRenderer(window, -1, 0)) == NULL) {
        SDL_Log("%s", SDL_GetError());
        return false;
    }
    SDL_SetRenderDrawBlendMode(renderer, SDL_BLENDMODE_BLEND);
    return true;
}

void draw_close(void)
{
    SDL_DestroyRenderer(renderer);
    SDL_DestroyWindow(window);
    SDL_Quit();
}

/* ---- squares ---------------------------------------------------------------------------------- */

static void fill(int x, int y, int width, int height, SDL_Color colour)
{
    SDL_Rect area = {x, y, width, height};
    SDL_SetRenderDrawColor(renderer, colour.r, colour.g, colour.b, colour.a);
    SDL_RenderFillRect(renderer, &area);
}

/* A square around x, y, whose corners are cut. */
static void fill_square(int x, int y, int side, SDL_Color colour)
{
    int corner = side / 8, half = side / 2;
    fill(x - half + corner, y - half, side - 2 * corner, corner, colour);
    fill(x - half, y - half + corner, side, side - 2 * corner, colour);
    fill(x - half + corner, y + half - corner, side - 2 * corner, corner, colour);
}

void draw_begin(void)
{
    fill(0, 0, WIDTH, HEIGHT, night);
    for (int x = GRID; x < WIDTH; x += GRID) {
        fill(x, 0, 1, HEIGHT, grid);
    }
    for (int y = GRID; y < HEIGHT; y += GRID) {
        fill(0, y, WIDTH, 1, grid);
    }
}

/* A name has the same colour in each window. */
static SDL_Color colour_of(const struct look *look)
{
    static const SDL_Color colours[] = {{255, 107, 107, 255}, {149, 128, 255, 255},
                                        {255, 209, 102, 255}, {255, 146, 76, 255},
                                        {78, 205, 196, 255},  {126, 217, 87, 255}};
    const unsigned char *name = look->name;
    unsigned sum = 0;
    for (size_t i = 0; i < look->name_size; i++) {
        sum += name[i];
    }
    return colours[sum % (sizeof colours / sizeof colours[0])];
}

/* They look where the player goes. */
static void draw_eyes(const struct look *look, int x, int y)
{
    int right = 3 * (look->trail[0].x - look->trail[1].x);
    int down = 3 * (look->trail[0].y - look->trail[1].y);
    right = look->trail[1].x == 0 ? 0 : right;
    down = look->trail[1].x == 0 ? 0 : down;
    for (int side = -1; side <= 1; side += 2) {
        int eye = x + side * 9 + right;
        fill(eye - 4, y - 9 + down, 8, 12, white);
        fill(eye - 2 + right / 2, y - 5 + down * 4 / 3, 4, 6, night);
    }
}

void draw_player(const struct look *look)
{
    SDL_Color colour = colour_of(look);
    int x = look->trail[0].x * PIXELS, y = look->trail[0].y * PIXELS, side = SIDE * PIXELS;
    for (int i = TRAIL - 1; i > 0; i--) {
        const struct place *was = &look->trail[i];
        SDL_Color faint = {colour.r, colour.g, colour.b, (Uint8)(50 - 50 * i / TRAIL)};
        if (was->x != 0) { /* else it is not that old */
            fill_square(was->x * PIXELS, was->y * PIXELS, side - side * i / TRAIL, faint);
        }
    }
    if (look->is_own) {
        fill_square(x, y, side + 6, white);
    }
    fill_square(x, y, side, colour);
    draw_eyes(look, x, y);
    draw_text(x - 6 * (int)look->name_size, y - side / 2 - 24, 3, look->name, look->name_size);
}

/* ---- letters ---------------------------------------------------------------------------------- */

/* Five rows of three points each: a row is a digit of the octal number. */
static unsigned points_of(unsigned char letter)
{
    static const unsigned short letters[] = {
        025755, 065656, 034443, 065556, 074647, 074644, 034553, 055755, 072227, /* A to I */
        011152, 055655, 044447, 057755, 065555, 025552, 065644, 025563, 065655, /* J to R */
        034216, 072222, 055557, 055552, 055775, 055255, 055222, 071247};        /* S to Z */
    static const unsigned short digits[] = {075557, 026227, 061247, 061216, 055711,
                                            074616, 034757, 071222, 075757, 075716};
    if (letter >= 'a' && letter <= 'z') {
        letter = (unsigned char)(letter - 'a' + 'A');
    }
    if (letter >= 'A' && letter <= 'Z') {
        return letters[letter - 'A'];
    }
    if (letter >= '0' && letter <= '9') {
        return digits[letter - '0'];
    }
    return letter == ',' ? 000024 : letter == '.' ? 000002 : letter == '-' ? 000700 : 0;
}

void draw_text(int x, int y, int scale, const void *text, size_t size)
{
    const unsigned char *letter = text;
    for (size_t i = 0; i < size; i++, x += 4 * scale) {
        unsigned points = points_of(letter[i]);
        for (int at = 0; at < 15; at++) {
            if (points >> (14 - at) & 1) {
                fill(x + at % 3 * scale, y + at / 3 * scale, scale, scale, white);
            }
        }
    }
}

/* ---- the picture ------------------------------------------------------------------------------ */

void draw_end(void)
{
    SDL_RenderPresent(renderer);
    Uint32 passed = SDL_GetTicks() - shown_at;
    SDL_Delay(passed < FRAME_MS ? FRAME_MS - passed : 0);
    shown_at = SDL_GetTicks();
}

bool draw_save(const char *file)
{
    SDL_Surface *picture =
        SDL_CreateRGBSurfaceWithFormat(0, WIDTH, HEIGHT, 24, SDL_PIXELFORMAT_BGR24);
    bool good = picture != NULL &&
                SDL_RenderReadPixels(renderer, NULL, SDL_PIXELFORMAT_BGR24, picture->pixels,
                                     picture->pitch) == 0 &&
                SDL_SaveBMP(picture, file) == 0;
    if (!good) {
        SDL_Log("%s", SDL_GetError());
    }
    SDL_FreeSurface(picture);
    return good;
}
