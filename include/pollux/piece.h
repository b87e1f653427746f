/* pollux/piece.h -- a part of what is written. */
#ifndef POLLUX_PIECE_H
#define POLLUX_PIECE_H

#include <stddef.h>

/* `size` bytes at `data`, which the program owns; the calls copy them. A piece of 0 bytes may have
 * NULL data. Written by plx_socket_write_pieces, plx_socket_write_message_pieces and
 * plx_udp_write_pieces. */
typedef struct plx_piece {
    const void *data;
    size_t size;
} plx_piece;

#endif
