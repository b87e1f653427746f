/* lib/socket/pieces.c -- writing bytes that lie in several places.
 *
 * Pieces are copied to the write queue one after the other. writev(2) past the queue was rejected: it
 * saves the copy only while the queue is empty, and needs a second way to send with its own checks. */
#include "config.h"

#include "lib/os/errno.h"
#include "lib/socket/failure.h"
#include "lib/socket/pieces.h"
#include "lib/socket/progress.h"
#include "lib/socket/read.h"
#include "lib/socket/room.h"
#include "lib/socket/write.h"

#include <string.h>

bool plx__socket_refuses_pieces(plx_socket *socket, const plx_piece *pieces, size_t count,
                                size_t *ret_size)
{
    const plx_reason reason = PLX_REASON_UNSUPPORTED_OPERATION;
    size_t size = 0;
    if (pieces == NULL && count > 0) {
        return plx__socket_refuse(socket, reason, "write %zu pieces from NULL", count) != 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].data == NULL && pieces[i].size > 0) {
            return plx__socket_refuse(socket, reason, "write %zu bytes from NULL in piece %zu",
                                      pieces[i].size, i) != 0;
        }
        if (pieces[i].size > SIZE_MAX - size) {
            return plx__socket_refuse(socket, reason,
                                      "write %zu pieces: their sizes exceed any memory",
                                      count) != 0;
        }
        size += pieces[i].size;
    }
    *ret_size = size;
    return false;
}

void plx__pieces_copy(uint8_t *place, const plx_piece *pieces, size_t count, size_t size)
{
    for (size_t i = 0; i < count && size > 0; i++) {
        size_t part = pieces[i].size < size ? pieces[i].size : size;
        if (part > 0) {
            memcpy(place, pieces[i].data, part);
        }
        place += part;
        size -= part;
    }
}

int plx__pieces_write_record(plx_socket *socket, const plx_piece *pieces, size_t count, size_t size)
{
    uint8_t *place;
    int code = plx__socket_add_record(socket, 0, pieces, size, &place);
    if (code == 0) {
        plx__pieces_copy(place, pieces, count, size);
    }
    return code;
}

/* Queues as many bytes as WRITE_LIMIT allows. */
static ptrdiff_t write_stream(plx_socket *socket, const plx_piece *pieces, size_t count,
                              size_t size)
{
    if (plx__socket_check_write(socket, pieces, size) != 0) {
        return -1;
    }
    if (size == 0) {
        return 0; /* a place for no byte would be a block that nothing gives back */
    }
    size_t room = plx__socket_write_room(socket);
    size_t accepted = room < size ? room : size;
    uint8_t *place = plx__buffer_reserve(&socket->out, accepted, plx__socket_pool(socket));
    if (place == NULL) {
        plx__socket_fail_memory(socket, "write %zu bytes", size);
        return -1;
    }
    plx__pieces_copy(place, pieces, count, accepted);
    plx__buffer_commit(&socket->out, accepted);
    socket->wants_room = socket->wants_room || accepted < size;
    plx__task_schedule(&socket->task);
    return (ptrdiff_t)accepted;
}

ptrdiff_t plx_socket_write_pieces(plx_socket *socket, const plx_piece *pieces, size_t count)
{
    size_t size;
    if (socket == NULL || plx__socket_refuses_bytes(socket, "write", "send") ||
        plx__socket_refuses_pieces(socket, pieces, count, &size)) {
        return -1;
    }
    if (!socket->kind->transport->keeps_boundaries) {
        return write_stream(socket, pieces, count, size);
    }
    return plx__socket_taken(plx__pieces_write_record(socket, pieces, count, size), size);
}
