/* lib/socket/progress.c -- counting received and sent bytes, and setting their events. */
#include "config.h"

#include "lib/socket/chain.h"
#include "lib/socket/framing.h"
#include "lib/socket/idle.h"
#include "lib/socket/interest.h"
#include "lib/socket/line.h"
#include "lib/socket/object.h"
#include "lib/socket/progress.h"
#include "lib/socket/receiving.h"
#include "lib/socket/room.h"
#include "lib/socket/state.h"

void plx__socket_note_bytes(plx_socket *socket)
{
    if (plx__framing_has_commands(socket)) {
        plx__framing_note(socket);
        return;
    }
    socket->pending |= PLX__EVENT_BIT(PLX__EVENT_DATA);
    if (!socket->kind->transport->keeps_boundaries && plx__handlers_has_line(&socket->handlers) &&
        plx__line_length(socket) > 0) {
        socket->pending |= PLX__EVENT_BIT(PLX__EVENT_LINE);
    }
    if (plx__framing_of(socket) != NULL) {
        plx__framing_note(socket);
    } else if (plx__socket_has_packets(socket) && plx__handlers_has_message(&socket->handlers)) {
        socket->pending |= PLX__EVENT_BIT(PLX__EVENT_MESSAGE);
    }
}

/* Of bytes that nobody wants only the number counts, and that the peer lives. */
static PLX__APART void drop_unwanted(plx_socket *socket)
{
    plx__socket_skip_received(socket);
    if (socket->task.loop != NULL) {
        plx__buffer_release(&socket->in, plx__socket_pool(socket));
    }
    plx__idle_received(socket);
}

void plx__socket_received(plx_socket *socket, size_t size)
{
    socket->bytes_received += size;
    if (plx__option_value(socket->options, PLX_OPTION_DIRECTION) == PLX__SEND_ONLY) {
        drop_unwanted(socket);
        return;
    }
    socket->fresh = true;
    socket->idle_polls = 0;
    plx__socket_note_bytes(socket);
    plx__idle_received(socket);
}

void plx__socket_note_room(plx_socket *socket)
{
    size_t limit = plx__option_limit(socket->options, PLX_OPTION_WRITE_LIMIT);
    /* Half of the limit, so that a writer is not called back whenever a few bytes were sent. */
    if (socket->wants_room && socket->out.size <= limit / 2) {
        socket->wants_room = false;
        socket->pending |= PLX__EVENT_BIT(PLX__EVENT_ROOM);
        plx__task_schedule(&socket->task);
    }
}

/* Which event reports that the queue is empty. */
static enum plx__event complete_event(plx_socket *socket)
{
    bool aborted = socket->kind->is_filtered && plx__chain_take_aborted(plx__chain_of(socket));
    return aborted ? PLX__EVENT_COMPLETE_ABORTED : PLX__EVENT_COMPLETE;
}

void plx__socket_has_sent(plx_socket *socket, size_t size)
{
    bool heard = plx__handlers_has_sending(&socket->handlers);
    socket->sent = heard ? socket->sent + size : 0;
    socket->bytes_sent += size;
    socket->idle_polls = 0;
    socket->pending |= heard ? PLX__EVENT_BIT(PLX__EVENT_PROGRESS) : 0;
    if (socket->out.size == 0) {
        socket->pending |= heard ? PLX__EVENT_BIT(complete_event(socket)) : 0;
        /* In a group the pool gets the block; alone, a block of the usual size is kept. */
        if (plx__socket_pool(socket) != NULL || socket->out.capacity > PLX__BUFFER_BLOCK) {
            plx__buffer_release(&socket->out, plx__socket_pool(socket));
        }
    }
    plx__socket_note_room(socket);
    plx__idle_sent(socket);
}

void plx__socket_make_room(plx_socket *socket)
{
    if (plx__framing_of(socket) != NULL && socket->in.size > 0 && plx__socket_room(socket) == 0) {
        plx__framing_lift(socket);
    }
}

/* Gives an emptied buffer back to the group at once, unless the program may still look at its
 * bytes. */
void plx__socket_consumed(plx_socket *socket)
{
    socket->taken = true;
    if (socket->in.size == 0 && socket->task.loop != NULL && !socket->view_alive) {
        plx__buffer_release(&socket->in, plx__socket_pool(socket));
    }
    plx__socket_make_room(socket);
    bool reading = (socket->watch.interest & PLX__READ) != 0;
    if (socket->watch.task != NULL && !reading && !plx__receiving_has_ended(socket) &&
        plx__socket_room(socket) > 0) {
        plx__socket_update(socket);
    }
}
