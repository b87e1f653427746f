/* arena/screen.c -- see screen.h.
 *
 * One picture is built in memory and leaves in one write, beginning with "cursor home": the
 * terminal overwrites what it shows, so nothing is ever blank. The alternative screen (xterm's mode
 * 1049) gives the person their own lines back at the end. */
#define _POSIX_C_SOURCE 200809L

#include "screen.h"
#include "world.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_NEEDED 80
#define ROWS_NEEDED 23
#define TRAIL_DRAWINGS 12 /* how long a trail stays */

/* ---- text that grows ------------------------------------------------------------------------ */

struct canvas {
    char text[32768]; /* far more than the largest picture with all its colours needs */
    size_t size;
};

ARENA_PRINTF(2, 3) static void add(struct canvas *canvas, const char *format, ...)
{
    size_t room = sizeof canvas->text - canvas->size;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(canvas->text + canvas->size, room, format, arguments);
    va_end(arguments);
    if (size > 0 && (size_t)size < room) {
        canvas->size += (size_t)size;
    }
}

/* When the terminal takes no more, the write waits; the server notices and sends fewer pictures. */
static void send_out(const struct canvas *canvas)
{
    size_t sent = 0;
    while (sent < canvas->size) {
        ssize_t size = write(STDOUT_FILENO, canvas->text + sent, canvas->size - sent);
        if (size <= 0) {
            return;
        }
        sent += (size_t)size;
    }
}

/* ---- what things look like ------------------------------------------------------------------ */

struct looks {
    const char *across, *down, *corners[4], *star, *trail;
};

static const struct looks plain = {"-", "|", {"+", "+", "+", "+"}, "*", "."};
static const struct looks fine = {"─", "│", {"╭", "╮", "╰", "╯"}, "★", "·"};
static const struct looks *looks = &plain;

/* Colours of the 256 that differ well on dark and on light. */
static int colour_of(int id)
{
    static const int colours[] = {203, 39, 40, 214, 171, 44, 208, 99, 148, 205, 75, 36, 178};
    return colours[id % (int)(sizeof colours / sizeof colours[0])];
}

bool screen_is_usable(void)
{
    struct winsize size;
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0 &&
           ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= COLUMNS_NEEDED &&
           size.ws_row >= ROWS_NEEDED;
}

void screen_open(void)
{
    struct canvas canvas = {.size = 0};
    setlocale(LC_CTYPE, "");
    looks = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? &fine : &plain;
    add(&canvas, "\033[?1049h\033[?25l\033[2J"); /* other screen, no cursor, clear */
    send_out(&canvas);
}

void screen_close(void)
{
    struct canvas canvas = {.size = 0};
    add(&canvas, "\033[0m\033[?25h\033[?1049l");
    send_out(&canvas);
}

/* ---- the field ------------------------------------------------------------------------------ */

/* The content of a cell, and the trails of the players. */
enum { EMPTY = -1, STAR = PLAYERS_MAX };

struct field {
    int cells[WORLD_ROWS][WORLD_COLUMNS];  /* EMPTY, STAR or a player's id */
    int trails[WORLD_ROWS][WORLD_COLUMNS]; /* id * TRAIL_DRAWINGS + how long it will stay */
};

static struct field field;

static int *cell_at(int cells[WORLD_ROWS][WORLD_COLUMNS], int x, int y)
{
    int column = x / COLUMN_UNITS, row = y / ROW_UNITS;
    column = column < WORLD_COLUMNS ? column : WORLD_COLUMNS - 1;
    row = row < WORLD_ROWS ? row : WORLD_ROWS - 1;
    return &cells[row][column];
}

static void fill_field(const struct picture *picture)
{
    for (int row = 0; row < WORLD_ROWS; row++) {
        for (int column = 0; column < WORLD_COLUMNS; column++) {
            int *trail = &field.trails[row][column];
            field.cells[row][column] = EMPTY;
            *trail -= *trail % TRAIL_DRAWINGS > 0;
        }
    }
    for (int i = 0; i < picture->star_count; i++) {
        *cell_at(field.cells, picture->stars[i].x, picture->stars[i].y) = STAR;
    }
    for (int i = 0; i < picture->player_count; i++) {
        const struct seen_player *player = &picture->players[i];
        *cell_at(field.cells, player->x, player->y) = player->id;
        *cell_at(field.trails, player->x, player->y) =
            player->id * TRAIL_DRAWINGS + TRAIL_DRAWINGS - 1;
    }
}

static void add_cell(struct canvas *canvas, int cell, int trail)
{
    if (cell == STAR) {
        add(canvas, "\033[93m%s\033[0m", looks->star);
    } else if (cell != EMPTY) {
        add(canvas, "\033[1;38;5;%dm%c\033[0m", colour_of(cell), 'A' + cell);
    } else if (trail % TRAIL_DRAWINGS > 0) {
        add(canvas, "\033[2;38;5;%dm%s\033[0m", colour_of(trail / TRAIL_DRAWINGS), looks->trail);
    } else {
        add(canvas, " ");
    }
}

static void add_edge(struct canvas *canvas, const char *left, const char *right)
{
    add(canvas, "%s", left);
    for (int column = 0; column < WORLD_COLUMNS; column++) {
        add(canvas, "%s", looks->across);
    }
    add(canvas, "%s", right);
}

/* ---- the list beside it --------------------------------------------------------------------- */

static int by_score(const void *a, const void *b)
{
    const struct seen_player *one = a, *other = b;
    return one->score != other->score ? other->score - one->score : one->id - other->id;
}

/* One row of the list beside the field; players with the most stars are first. */
static void add_score(struct canvas *canvas, const struct scene *scene,
                      const struct picture *sorted, int row)
{
    if (row >= 2 && row - 2 < sorted->player_count) {
        const struct seen_player *player = &sorted->players[row - 2];
        add(canvas, "  \033[1;38;5;%dm%c\033[0m %-12.12s %3d", colour_of(player->id),
            'A' + player->id, scene->names[player->id], player->score);
    } else if (row == 0) {
        add(canvas, "  \033[1mStars\033[0m");
    }
    add(canvas, "\033[K\n");
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void add_figures(struct canvas *canvas, const struct scene *scene)
{
    add(canvas, " %-76.76s\033[K\n", scene->news);
    add(canvas,
        " \033[2m%5.1f s   frame %llu, %llu missed   poll p50 %u us, p99 %u us, longest %llu us"
        "\033[0m\033[K\n",
        (double)scene->milliseconds / 1000, scene->frames, scene->missed, scene->p50_us,
        scene->p99_us, scene->longest_us);
    add(canvas, " \033[2mthis picture came over IPC: %llu commands, %.1f kB so far\033[0m\033[K",
        scene->commands, (double)scene->bytes / 1000);
}

void screen_draw(const struct scene *scene)
{
    struct canvas canvas = {.size = 0};
    struct picture sorted = scene->picture;
    qsort(sorted.players, (size_t)sorted.player_count, sizeof sorted.players[0], by_score);
    fill_field(&scene->picture);

    add(&canvas,
        "\033[H \033[1mPollux arena\033[0m   %d bots, each a process: TCP, and UDP in "
        "every frame\033[K\n",
        sorted.player_count);
    add_edge(&canvas, looks->corners[0], looks->corners[1]);
    add(&canvas, "\033[K\n");
    for (int row = 0; row < WORLD_ROWS; row++) {
        add(&canvas, "%s", looks->down);
        for (int column = 0; column < WORLD_COLUMNS; column++) {
            add_cell(&canvas, field.cells[row][column], field.trails[row][column]);
        }
        add(&canvas, "%s", looks->down);
        add_score(&canvas, scene, &sorted, row);
    }
    add_edge(&canvas, looks->corners[2], looks->corners[3]);
    add(&canvas, "\033[K\n");
    add_figures(&canvas, scene);
    send_out(&canvas);
}
