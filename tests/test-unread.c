/* tests/test-unread.c -- bytes that are given back: lines and messages are found as if nothing had
 * been searched before, and what was searched is not searched again. */
#include <stdlib.h>

#include "tests/world.h"

enum { STEPS = 4000, MOST = 4000 };

static uint32_t seed;

static uint32_t any(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

/* Few ends of lines, many beginnings of delimiters. */
static void fill(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text[i] = any(200) == 0 ? '\n' : any(60) == 0 ? 'b' : 'a';
}

/* Both answers, from the bytes themselves; asked in turn or not at all, so that what was searched
 * is not always the whole. */
static void compare(struct world *w, plx_socket *socket, const plx_frame *frame)
{
    size_t size;
    const char *bytes = plx_socket_lookahead(socket, &size);

    if (any(2) == 0)
        ck_assert_msg(plx_socket_can_read_line(socket) == (memchr(bytes, '\n', size) != NULL),
                      "%s: a line of %zu bytes", world_name(w), size);
    if (any(2) == 0)
        ck_assert_msg(plx_socket_can_read_message(socket) ==
                          (memmem(bytes, size, frame->delimiter, frame->delimiter_size) != NULL),
                      "%s: a message of %zu bytes", world_name(w), size);
}

/* For streams only: packets have no lines, no frames and no unread. */
STREAM_CASE(lines_and_messages_are_found)
{
    static const plx_frame frames[] = {{.delimiter = "b", .delimiter_size = 1},
                                       {.delimiter = "ab", .delimiter_size = 2},
                                       {.delimiter = "aab", .delimiter_size = 3},
                                       {.delimiter = "aaabaaab", .delimiter_size = 8}};
    char text[64];

    seed = 1;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        plx_socket *socket = world_socket(w, NULL);
        int raw = world_pair(w, socket, NULL);

        ck_assert_int_eq(plx_socket_set_frame(socket, &frames[i]), 0);
        for (int step = 0; step < STEPS; step++) {
            size_t size = any(any(4) == 0 ? sizeof text : 4), available;

            available = plx_socket_bytes_available(socket);
            fill(text, size);
            if (available < MOST && any(8) == 0) {
                raw_send(raw, text, size);
                UNTIL(w, plx_socket_bytes_available(socket) == available + size);
            } else if (available < MOST && any(2) == 0) {
                ck_assert_int_eq(plx_socket_unread(socket, text, size), 0);
            } else {
                size = (size_t)plx_socket_read(socket, text, size);
                if (any(2) == 0)
                    ck_assert_int_eq(plx_socket_unread(socket, text, size), 0);
            }
            compare(w, socket, &frames[i]);
        }
    }
}

enum { LONG = 4000000, TURNS = 1000000 };

/* A million turns through four megabytes would take minutes. */
LOOP_CASE(what_was_searched_is_not_searched_again, 0, 2)
{
    static const plx_frame frame = {.delimiter = "ab", .delimiter_size = 2, .maximum = 2 * LONG};
    struct world world, *w = &world;
    char *line = malloc(LONG), byte;
    plx_socket *socket;

    world_begin(w, 0);
    memset(line, 'a', LONG);
    socket = world_socket(w, NULL);
    world_pair(w, socket, NULL);
    ck_assert_int_eq(plx_socket_set_frame(socket, &frame), 0);
    ck_assert_int_eq(plx_socket_unread(socket, line, LONG), 0);
    for (int i = 0; i < TURNS; i++) /* not by ck_assert, each of which is a call of the kernel */
        if (plx_socket_read(socket, &byte, 1) != 1 || plx_socket_unread(socket, &byte, 1) != 0 ||
            (_i == 0 ? plx_socket_can_read_line(socket) : plx_socket_can_read_message(socket)))
            ck_abort_msg("turn %d", i);
    world_end(w);
    free(line);
}

WORLD_MAIN("unread", .packets = true)
