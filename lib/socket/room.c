/* lib/socket/room.c -- how much the buffers of a socket may still hold. */
#include "config.h"

#include "lib/socket/object.h"
#include "lib/socket/rare.h"
#include "lib/socket/receiving.h"
#include "lib/socket/room.h"
#include "lib/socket/sending.h"

/* A closing socket that nobody reads keeps at most this many received bytes. */
#define CLOSING_ROOM ((size_t)256 * 1024)

/* Whether a failed send has ended the connection: only the bytes that the kernel holds can still
 * arrive, and neither READ_LIMIT nor PAUSE_READING applies to them, or the end would wait until the
 * program receives. With filters the end does wait: nobody knows how much they make of the bytes. */
static bool is_draining(const plx_socket *socket)
{
    return socket->tx == PLX__TX_FAILED && !socket->kind->is_filtered;
}

/* The bytes that may be received without a regard to PAUSE_READING. */
static size_t room_below_limit(const plx_socket *socket)
{
    if (socket->options == NULL && socket->state != PLX_CLOSING) {
        return SIZE_MAX - socket->in.size;
    }
    size_t limit = plx__option_limit(socket->options, PLX_OPTION_READ_LIMIT);
    size_t lifted = plx__rare_of(socket)->lifted;
    limit = limit < lifted ? lifted : limit;
    if (is_draining(socket)) {
        limit = SIZE_MAX;
    } else if (socket->state == PLX_CLOSING && limit == SIZE_MAX) {
        limit = CLOSING_ROOM;
    }
    return socket->in.size < limit && socket->rx != PLX__RX_DROPPING ? limit - socket->in.size : 0;
}

size_t plx__socket_room(const plx_socket *socket)
{
    bool paused = socket->state != PLX_CLOSING && !is_draining(socket) &&
                  plx__option_value(socket->options, PLX_OPTION_PAUSE_READING) != 0;
    return paused ? 0 : room_below_limit(socket);
}

bool plx__socket_is_full(const plx_socket *socket)
{
    return room_below_limit(socket) == 0;
}

size_t plx__socket_write_room(const plx_socket *socket)
{
    if (socket->options == NULL) {
        return SIZE_MAX - socket->out.size;
    }
    size_t limit = plx__option_limit(socket->options, PLX_OPTION_WRITE_LIMIT);
    return socket->out.size < limit ? limit - socket->out.size : 0;
}
