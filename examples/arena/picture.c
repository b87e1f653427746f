/* arena/picture.c -- see picture.h.
 *
 * A datagram begins with one byte that names its type. Numbers are in network order and written
 * byte by byte, so that neither the compiler's padding nor the computer's byte order matters. */
#include "picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT = 1, PICTURE = 2 };

/* ---- writing numbers ------------------------------------------------------------------------ */

struct writer {
    unsigned char *at;
};

static void put(struct writer *writer, unsigned long value, int bytes)
{
    while (bytes-- > 0) {
        *writer->at++ = (unsigned char)(value >> (8 * bytes) & 0xFF);
    }
}

/* ---- reading them --------------------------------------------------------------------------- */

/* Reading beyond the end gives zeros and is remembered, so that one check at the end is enough. */
struct reader {
    const unsigned char *at, *end;
    bool is_short;
};

static uint32_t get(struct reader *reader, int bytes)
{
    uint32_t value = 0;
    if (reader->end - reader->at < bytes) {
        reader->is_short = true;
        return 0;
    }
    while (bytes-- > 0) {
        value = value << 8 | *reader->at++;
    }
    return value;
}

/* The datagram had exactly the bytes that were read. */
static bool is_complete(const struct reader *reader)
{
    return !reader->is_short && reader->at == reader->end;
}

/* ---- input ---------------------------------------------------------------------------------- */

size_t input_pack(const struct input *input, unsigned char bytes[DATAGRAM_MAX])
{
    struct writer writer = {bytes};
    put(&writer, INPUT, 1);
    put(&writer, (unsigned long)input->id, 1);
    put(&writer, input->key, 4);
    put(&writer, input->sequence, 4);
    put(&writer, (unsigned long)(input->along_x + 128), 1); /* so that it is never negative */
    put(&writer, (unsigned long)(input->along_y + 128), 1);
    return (size_t)(writer.at - bytes);
}

bool input_unpack(const unsigned char *bytes, size_t size, struct input *ret_input)
{
    struct reader reader = {bytes, bytes + size, false};
    if (get(&reader, 1) != INPUT) {
        return false;
    }
    struct input input;
    input.id = (int)get(&reader, 1);
    input.key = get(&reader, 4);
    input.sequence = get(&reader, 4);
    input.along_x = (int)get(&reader, 1) - 128;
    input.along_y = (int)get(&reader, 1) - 128;
    if (!is_complete(&reader) || input.id >= PLAYERS_MAX) {
        return false;
    }
    *ret_input = input;
    return true;
}

/* ---- picture as bytes ----------------------------------------------------------------------- */

size_t picture_pack(const struct picture *picture, uint32_t sequence,
                    unsigned char bytes[DATAGRAM_MAX])
{
    struct writer writer = {bytes};
    put(&writer, PICTURE, 1);
    put(&writer, sequence, 4);
    put(&writer, picture->frame, 4);
    put(&writer, (unsigned long)picture->player_count, 1);
    put(&writer, (unsigned long)picture->star_count, 1);
    for (int i = 0; i < picture->player_count; i++) {
        const struct seen_player *player = &picture->players[i];
        put(&writer, (unsigned long)player->id, 1);
        put(&writer, (unsigned long)player->x, 2);
        put(&writer, (unsigned long)player->y, 2);
        put(&writer, (unsigned long)player->score, 2);
    }
    for (int i = 0; i < picture->star_count; i++) {
        const struct seen_star *star = &picture->stars[i];
        put(&writer, (unsigned long)star->x, 2);
        put(&writer, (unsigned long)star->y, 2);
        put(&writer, (unsigned long)star->generation, 1);
    }
    return (size_t)(writer.at - bytes);
}

static void get_players_and_stars(struct reader *reader, struct picture *picture)
{
    for (int i = 0; i < picture->player_count; i++) {
        struct seen_player *player = &picture->players[i];
        player->id = (int)get(reader, 1);
        player->x = (int)get(reader, 2);
        player->y = (int)get(reader, 2);
        player->score = (int)get(reader, 2);
        reader->is_short |= player->id >= PLAYERS_MAX;
    }
    for (int i = 0; i < picture->star_count; i++) {
        struct seen_star *star = &picture->stars[i];
        star->x = (int)get(reader, 2);
        star->y = (int)get(reader, 2);
        star->generation = (int)get(reader, 1);
    }
}

bool picture_unpack(const unsigned char *bytes, size_t size, uint32_t *ret_sequence,
                    struct picture *ret_picture)
{
    struct reader reader = {bytes, bytes + size, false};
    if (get(&reader, 1) != PICTURE) {
        return false;
    }
    struct picture picture;
    memset(&picture, 0, sizeof picture);
    uint32_t sequence = get(&reader, 4);
    picture.frame = get(&reader, 4);
    picture.player_count = (int)get(&reader, 1);
    picture.star_count = (int)get(&reader, 1);
    if (picture.player_count > PLAYERS_MAX || picture.star_count > STARS_MAX) {
        return false;
    }
    get_players_and_stars(&reader, &picture);
    if (!is_complete(&reader)) {
        return false;
    }
    *ret_sequence = sequence;
    *ret_picture = picture;
    return true;
}

/* ---- picture as text ------------------------------------------------------------------------ */

void picture_format(const struct picture *picture, char text[TEXT_SIZE])
{
    /* The longest text has 32 numbers and 26 players: far below the size of a line. */
    char *at = text;
    at += sprintf(at, "%lu %d %d", (unsigned long)picture->frame, picture->player_count,
                  picture->star_count);
    for (int i = 0; i < picture->player_count; i++) {
        const struct seen_player *player = &picture->players[i];
        at += sprintf(at, " %d %d %d %d", player->id, player->x, player->y, player->score);
    }
    for (int i = 0; i < picture->star_count; i++) {
        const struct seen_star *star = &picture->stars[i];
        at += sprintf(at, " %d %d %d", star->x, star->y, star->generation);
    }
}

/* Reads the next number; a missing number or one out of range makes the whole string invalid. */
static int next_number(const char **text, int most, bool *valid)
{
    char *end;
    long value = strtol(*text, &end, 10);
    if (end == *text || value < 0 || value > most) {
        *valid = false;
        return 0;
    }
    *text = end;
    return (int)value;
}

bool picture_parse(const char *text, struct picture *ret_picture)
{
    struct picture picture;
    bool valid = true;
    memset(&picture, 0, sizeof picture);
    picture.frame = (uint32_t)next_number(&text, 0x7FFFFFFF, &valid);
    picture.player_count = next_number(&text, PLAYERS_MAX, &valid);
    picture.star_count = next_number(&text, STARS_MAX, &valid);
    for (int i = 0; i < picture.player_count; i++) {
        picture.players[i].id = next_number(&text, PLAYERS_MAX - 1, &valid);
        picture.players[i].x = next_number(&text, 0xFFFF, &valid);
        picture.players[i].y = next_number(&text, 0xFFFF, &valid);
        picture.players[i].score = next_number(&text, 0xFFFF, &valid);
    }
    for (int i = 0; i < picture.star_count; i++) {
        picture.stars[i].x = next_number(&text, 0xFFFF, &valid);
        picture.stars[i].y = next_number(&text, 0xFFFF, &valid);
        picture.stars[i].generation = next_number(&text, 0xFF, &valid);
    }
    if (valid) {
        *ret_picture = picture;
    }
    return valid;
}
