/* lib/socket/read.c -- the calls that read. */
#include "config.h"

#include "lib/socket/failure.h"
#include "lib/socket/framing.h"
#include "lib/socket/interest.h"
#include "lib/socket/line.h"
#include "lib/socket/object.h"
#include "lib/socket/progress.h"
#include "lib/socket/rare.h"
#include "lib/socket/read.h"
#include "lib/socket/receiving.h"
#include "lib/socket/room.h"
#include "lib/socket/state.h"

#include <string.h>

static const void *front(const plx_socket *socket, size_t *ret_size)
{
    if (socket->kind->transport->front != NULL) {
        return socket->kind->transport->front(socket, ret_size);
    }
    *ret_size = socket->in.size;
    return plx__buffer_data(&socket->in);
}

/* Takes `size` bytes of a stream, or the whole first record. */
static size_t take(plx_socket *socket, size_t size)
{
    size_t taken, before = socket->in.size;
    if (socket->kind->transport->take != NULL) {
        taken = socket->kind->transport->take(socket, size);
    } else {
        taken = plx__buffer_skip(&socket->in, size);
        plx__line_taken(socket, taken);
    }
    if (plx__framing_of(socket) != NULL) {
        plx__framing_taken(socket, before - socket->in.size);
    }
    plx__socket_consumed(socket);
    return taken;
}

void plx__socket_take_as_view(plx_socket *socket, size_t size)
{
    socket->view_alive = true;
    plx__task_note_view(&socket->task);
    take(socket, size);
}

/* Whether nothing more will be received. */
static bool is_at_end(const plx_socket *socket)
{
    return socket->state == PLX_UNCONNECTED || plx__receiving_has_ended(socket);
}

static ptrdiff_t refuse_size(plx_socket *socket, const char *call, size_t size, const char *why)
{
    plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION, "%s %zu bytes%s", call, size, why);
    return -1;
}

bool plx__socket_refuse_peerless(plx_socket *socket, const char *call)
{
    plx__socket_refuse(socket, PLX_REASON_OPERATION,
                       "%s: the socket has no peer, call %s, or plx_socket_connect_to first", call,
                       socket->kind->without_peer);
    return true;
}

bool plx__socket_refuses_bytes(plx_socket *socket, const char *call, const char *instead)
{
    bool refused = plx__framing_has_commands(socket);
    if (refused) {
        plx__socket_refuse(socket, PLX_REASON_OPERATION,
                           "%s: the socket has commands, call plx_socket_%s_command", call,
                           instead);
    }
    return refused;
}

/* Refuses a call that is for streams without commands only. */
static bool is_no_stream(plx_socket *socket, const char *call)
{
    if (plx__socket_refuses_bytes(socket, call, "read")) {
        return true;
    }
    bool refused = socket->kind->transport->keeps_boundaries;
    if (refused) {
        plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                           "%s: %s sockets have messages and no stream of bytes, call "
                           "plx_socket_read_message",
                           call, socket->kind->name);
    }
    return refused;
}

/* ---- reading --------------------------------------------------------------------------------- */

ptrdiff_t plx_socket_read(plx_socket *socket, void *data, size_t size)
{
    if (socket == NULL) {
        return -1;
    }
    if (data == NULL && size > 0) {
        return refuse_size(socket, "read", size, " into NULL");
    }
    if (plx__socket_refuses_peerless(socket, "read") ||
        plx__socket_refuses_bytes(socket, "read", "read")) {
        return -1;
    }
    size_t available;
    const void *bytes = front(socket, &available);
    socket->fresh = false;
    if (socket->in.size == 0) {
        return is_at_end(socket) ? -1 : 0;
    }
    size_t count = size < available ? size : available;
    if (count > 0) {
        memcpy(data, bytes, count);
    }
    take(socket, count);
    return (ptrdiff_t)count;
}

/* Lets a read of `size` bytes exceed READ_LIMIT. False when memory ran out. */
static bool lift(plx_socket *socket, size_t size)
{
    struct plx__rare *rare = size == 0 ? socket->rare : plx__rare_make(socket);
    if (rare != NULL) {
        rare->lifted = size;
    }
    return rare != NULL;
}

ptrdiff_t plx_socket_read_exact(plx_socket *socket, void *data, size_t size)
{
    if (socket == NULL || is_no_stream(socket, "read_exact")) {
        return -1;
    }
    if (data == NULL && size > 0) {
        return refuse_size(socket, "read_exact", size, " into NULL");
    }
    if (size > PTRDIFF_MAX) {
        return refuse_size(socket, "read_exact", size, ": more than memory can hold");
    }
    socket->fresh = false;
    if (socket->in.size >= size) {
        lift(socket, 0);
        return plx_socket_read(socket, data, size) < 0 && size > 0 ? -1 : (ptrdiff_t)size;
    }
    if (is_at_end(socket)) {
        return -1;
    }
    if (!lift(socket, size)) {
        plx__socket_fail_memory(socket, "read_exact %zu bytes", size);
        return -1;
    }
    plx__socket_update(socket);
    return 0;
}

const void *plx_socket_lookahead(plx_socket *socket, size_t *ret_size)
{
    size_t size = 0;
    const void *bytes = NULL;
    if (socket != NULL) {
        bytes = plx__socket_refuses_peerless(socket, "lookahead") ||
                        plx__socket_refuses_bytes(socket, "lookahead", "read")
                    ? plx__buffer_data(&(struct plx__buffer){0})
                    : front(socket, &size);
        socket->fresh = false;
    }
    if (ret_size != NULL) {
        *ret_size = size;
    }
    return bytes;
}

const void *plx_socket_read_all(plx_socket *socket, size_t *ret_size)
{
    size_t size = 0;
    const void *bytes = plx_socket_lookahead(socket, &size);
    if (ret_size != NULL) {
        *ret_size = size;
    }
    /* A record may be empty: its size does not show that there is one. */
    if (socket != NULL && !plx__framing_has_commands(socket) &&
        (size > 0 || (plx__socket_has_packets(socket) && socket->in.size > 0))) {
        plx__socket_take_as_view(socket, size);
    }
    return bytes;
}

ptrdiff_t plx_socket_read_line(plx_socket *socket, char *line, size_t size)
{
    if (socket == NULL || is_no_stream(socket, "read_line")) {
        return -1;
    }
    if (line == NULL) {
        return refuse_size(socket, "read_line with room for", size, " at NULL");
    }
    if (size < 2) {
        return refuse_size(socket, "read_line with room for", size, ": the minimum is 2");
    }
    size_t length = plx__line_length(socket);
    bool full = plx__socket_is_full(socket) || socket->in.size >= size - 1;
    socket->fresh = false;
    if (length == 0 && (full || is_at_end(socket))) {
        length = socket->in.size;
    }
    if (length == 0) {
        return is_at_end(socket) ? -1 : 0;
    }
    if (length > size - 1) {
        length = size - 1;
    }
    memcpy(line, plx__buffer_data(&socket->in), length);
    line[length] = '\0';
    take(socket, length);
    return (ptrdiff_t)length;
}

bool plx_socket_can_read_line(const plx_socket *socket)
{
    if (socket == NULL || socket->kind->transport->keeps_boundaries || socket->in.size == 0 ||
        plx__framing_has_commands(socket)) {
        return false;
    }
    /* Casts const away: the program cannot see how far the bytes were searched. */
    return is_at_end(socket) || plx__socket_is_full(socket) ||
           plx__line_length((plx_socket *)socket) > 0;
}

size_t plx_socket_skip(plx_socket *socket, size_t size)
{
    if (socket == NULL || plx__socket_refuses_peerless(socket, "skip") ||
        plx__socket_refuses_bytes(socket, "skip", "read")) {
        return 0;
    }
    return socket->in.size == 0 ? 0 : take(socket, size);
}

int plx_socket_unread(plx_socket *socket, const void *data, size_t size)
{
    if (socket == NULL || is_no_stream(socket, "unread")) {
        return PLX_INVALID_STATE;
    }
    if (data == NULL && size > 0) {
        refuse_size(socket, "unread", size, " from NULL");
        return PLX_INVALID_STATE;
    }
    if (!plx__buffer_prepend(&socket->in, data, size, plx__socket_pool(socket))) {
        return plx__socket_fail_memory(socket, "unread %zu bytes", size);
    }
    plx__line_given_back(socket, size);
    if (plx__framing_of(socket) != NULL) {
        plx__framing_given_back(socket, size);
        plx__socket_make_room(socket);
    }
    plx__socket_update(socket);
    return 0;
}

/* What was received is gone: nothing is left to report of it. */
static void forget_arrivals(plx_socket *socket)
{
    socket->fresh = socket->again = false;
    socket->pending &= ~(PLX__EVENT_BIT(PLX__EVENT_DATA) | PLX__EVENT_BIT(PLX__EVENT_LINE) |
                         PLX__EVENT_BIT(PLX__EVENT_MESSAGE) | PLX__EVENT_BIT(PLX__EVENT_COMMAND));
    plx__socket_consumed(socket);
}

void plx_socket_purge(plx_socket *socket)
{
    if (socket != NULL && !socket->hold.freed) {
        plx__socket_drop_bytes(socket);
        forget_arrivals(socket);
    }
}

void plx__socket_drop_unread(plx_socket *socket)
{
    plx__socket_skip_received(socket);
    forget_arrivals(socket);
}

size_t plx_socket_bytes_available(const plx_socket *socket)
{
    size_t size = 0;
    if (socket != NULL) {
        front(socket, &size);
        /* What a wait has taken is never the oldest packet. */
        bool counts_all = !socket->kind->transport->keeps_boundaries;
        size -= counts_all && plx__framing_has_commands(socket) ? plx__framing_of(socket)->gone : 0;
    }
    return size;
}

bool plx_socket_end_of_file(const plx_socket *socket)
{
    return socket == NULL || (socket->in.size == 0 && is_at_end(socket));
}
