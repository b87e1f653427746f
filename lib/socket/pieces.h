/* lib/socket/pieces.h -- what the calls that write pieces share. */
#ifndef PLX_LIB_PIECES_H
#define PLX_LIB_PIECES_H

#include "lib/socket/object.h"

/* plx__socket_refuses_pieces adds up the sizes of pieces. Returns true, after plx__socket_fail and
 * with *ret_size untouched, when `pieces` or the data of a piece is NULL although it has a size, or
 * when the sum exceeds SIZE_MAX. */
bool plx__socket_refuses_pieces(plx_socket *socket, const plx_piece *pieces, size_t count,
                                size_t *ret_size);

/* plx__pieces_copy copies the first `size` bytes of pieces, which have as many, to `place`. */
void plx__pieces_copy(uint8_t *place, const plx_piece *pieces, size_t count, size_t size);

/* plx__pieces_write_record queues pieces of `size` bytes as one record. Returns 0; EAGAIN at
 * WRITE_LIMIT, and room_available follows; or a code after plx__socket_fail. */
int plx__pieces_write_record(plx_socket *socket, const plx_piece *pieces, size_t count,
                             size_t size);

#endif
