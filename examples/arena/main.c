/* arena -- a whole game on Pollux, in one program.
 *
 * Players run about in an arena and collect stars. The server decides everything, sixty times a
 * second; the players are bots, each in a process of its own, that join over TCP and send and
 * receive positions over UDP in every frame; a spectator gets the pictures over IPC and draws them.
 *
 * Try it:
 *     ./arena                            all of it, for ten seconds, with a report at the end
 *     ./arena --bots 20 --seconds 30
 *     ./arena | cat                      plain lines instead of the picture
 * or each part in a terminal of its own:
 *     ./arena server
 *     ./arena bot --name Zoe             finds the server, on this computer or another one
 *     ./arena spectator
 * also with addresses:
 *     ./arena server --watch-at /tmp/arena
 *     ./arena bot 127.0.0.1:7777 --name Zoe
 *     ./arena spectator /tmp/arena
 *
 * The exit status is 0 only if everything arrived that was sent, 1 if not, 2 for bad arguments.
 * arena.h lists the files. */
#define _POSIX_C_SOURCE 200809L

#include "arena.h"
#include "picture.h"
#include "stop.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define GROUP "pollux-arena"

static int usage(FILE *stream, int status)
{
    fputs("usage: arena [options]                    the whole demo\n"
          "       arena server [options]             a server alone\n"
          "       arena bot [host:port] [options]    a player\n"
          "       arena spectator [place] [options]  a view of the game, from host:port or /path\n"
          "\n"
          "  --seconds N              how long to play (demo 10; server 0, which is until Ctrl-C)\n"
          "  --bots N                 number of bots, 1 to 26 (demo 8); a server waits for all\n"
          "  --frames-per-second N    10 to 240 (60)\n"
          "options of the server:\n"
          "  --listen HOST:PORT       where guests connect (:7777; port 0: any free one); with\n"
          "                           a host the server is in no group\n"
          "  --watch-at /PATH         where spectators connect, too (nowhere)\n"
          "  --spectators N           number to wait for (0)\n"
          "  --group NAME             in which guests without an address find it (pollux-arena)\n"
          "options of a bot or a spectator:\n"
          "  --group NAME             in which it looks for a server (pollux-arena)\n"
          "  --seconds N              how long it looks (15)\n"
          "  --name NAME              of a bot\n",
          stream);
    return status;
}

/* Reads a number of a range; false for anything else. */
static bool read_number(const char *text, int least, int most, int *ret_number)
{
    char *end;
    long number = text != NULL ? strtol(text, &end, 10) : 0;
    if (text == NULL || end == text || *end != '\0' || number < least || number > most) {
        return false;
    }
    *ret_number = (int)number;
    return true;
}

static bool read_text(const char *text, const char **ret_text)
{
    if (text == NULL || text[0] == '\0') {
        return false;
    }
    *ret_text = text;
    return true;
}

/* Reads one option and its value; false if it is unknown or its value is bad. */
static bool read_option(struct settings *settings, const char *option, const char *value)
{
    if (strcmp(option, "--seconds") == 0) {
        return read_number(value, 0, 86400, &settings->seconds);
    }
    if (strcmp(option, "--bots") == 0) {
        return read_number(value, 0, PLAYERS_MAX, &settings->bots);
    }
    if (strcmp(option, "--frames-per-second") == 0) {
        return read_number(value, 10, 240, &settings->frames_per_second);
    }
    if (strcmp(option, "--spectators") == 0) {
        return read_number(value, 0, 8, &settings->spectators);
    }
    if (strcmp(option, "--listen") == 0) {
        return read_text(value, &settings->where);
    }
    if (strcmp(option, "--group") == 0) {
        return read_text(value, &settings->group);
    }
    if (strcmp(option, "--watch-at") == 0) {
        return read_text(value, &settings->path);
    }
    if (strcmp(option, "--name") == 0) {
        return read_text(value, &settings->name);
    }
    return false;
}

static bool read_options(struct settings *settings, char **arguments)
{
    for (; *arguments != NULL; arguments += 2) {
        if (!read_option(settings, arguments[0], arguments[1])) {
            return false;
        }
    }
    return true;
}

/* The children are to be this very program, wherever it was started from. */
static const char *own_path(const char *name)
{
    static char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    return size > 0 ? path : name;
}

static int demo(const char *name, char **options)
{
    struct settings settings = {.seconds = 10, .bots = 8, .frames_per_second = 60};
    if (!read_options(&settings, options) || settings.seconds == 0 || settings.bots == 0 ||
        settings.where != NULL || settings.group != NULL || settings.path != NULL ||
        settings.name != NULL) {
        return usage(stderr, EXIT_USAGE);
    }
    return run_demo(&settings, own_path(name));
}

static int server(char **options)
{
    struct settings settings = {.frames_per_second = 60, .where = ":7777", .group = GROUP};
    if (!read_options(&settings, options)) {
        return usage(stderr, EXIT_USAGE);
    }
    return run_server(&settings);
}

static int guest(char **arguments, int (*run)(const struct settings *settings))
{
    struct settings settings = {.seconds = 15, .group = GROUP, .name = "Bot"};
    if (arguments[0] != NULL && arguments[0][0] != '-') {
        settings.where = *arguments++;
    }
    if (!read_options(&settings, arguments)) {
        return usage(stderr, EXIT_USAGE);
    }
    return run(&settings);
}

int main(int argc, char **argv)
{
    const char *role = argc > 1 ? argv[1] : "--";
    if (strcmp(role, "--help") == 0 || strcmp(role, "-h") == 0) {
        return usage(stdout, EXIT_SUCCESS);
    }
    stop_on_signals();
    if (role[0] == '-') {
        return demo(argv[0], argv + (argc > 0));
    }
    if (strcmp(role, "server") == 0) {
        return server(argv + 2);
    }
    if (strcmp(role, "bot") == 0) {
        return guest(argv + 2, run_bot);
    }
    if (strcmp(role, "spectator") == 0) {
        return guest(argv + 2, run_spectator);
    }
    return usage(stderr, EXIT_USAGE);
}
