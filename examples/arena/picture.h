/* arena/picture.h -- the picture of one frame, and its two forms: bytes in a datagram to the
 * players, and a line of text to the spectators. Also the datagram with the direction in which a
 * player wants to go. */
#ifndef ARENA_PICTURE_H
#define ARENA_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAYERS_MAX 26 /* one for each letter */
#define STARS_MAX 6

/* Enough for any datagram and any line of this game. A datagram of this size is never split on its
 * way through an Ethernet. */
#define DATAGRAM_MAX 512
#define TEXT_SIZE 2048

struct seen_player {
    int id, x, y, score;
};

struct seen_star {
    int x, y, generation;
};

struct picture {
    uint32_t frame;
    int player_count;
    struct seen_player players[PLAYERS_MAX];
    int star_count;
    struct seen_star stars[STARS_MAX];
};

/* From a player to the server, each frame. */
struct input {
    int id;
    uint32_t key;      /* from WELCOME, so that no player can pose as another */
    uint32_t sequence; /* 1, 2, 3 ... */
    int along_x, along_y;
};

/* input_pack writes the datagram and returns its size. */
size_t input_pack(const struct input *input, unsigned char bytes[DATAGRAM_MAX]);

/* input_unpack returns false for any other datagram. */
bool input_unpack(const unsigned char *bytes, size_t size, struct input *ret_input);

/* picture_pack writes the datagram number `sequence` and returns its size. */
size_t picture_pack(const struct picture *picture, uint32_t sequence,
                    unsigned char bytes[DATAGRAM_MAX]);

/* picture_unpack returns false for any other datagram. */
bool picture_unpack(const unsigned char *bytes, size_t size, uint32_t *ret_sequence,
                    struct picture *ret_picture);

/* picture_format writes the numbers of a picture as text, without a line end. */
void picture_format(const struct picture *picture, char text[TEXT_SIZE]);

/* picture_parse returns false for anything that picture_format did not write. */
bool picture_parse(const char *text, struct picture *ret_picture);

#endif
