/* lib/socket/write.c -- the calls that write. */
#include "config.h"

#include "lib/os/errno.h"
#include "lib/socket/chain.h"
#include "lib/socket/ending.h"
#include "lib/socket/failure.h"
#include "lib/socket/framing.h"
#include "lib/socket/interest.h"
#include "lib/socket/object.h"
#include "lib/socket/progress.h"
#include "lib/socket/read.h"
#include "lib/socket/receiving.h"
#include "lib/socket/records.h"
#include "lib/socket/room.h"
#include "lib/socket/sending.h"
#include "lib/socket/state.h"
#include "lib/socket/write.h"
#include "lib/wire/command.h"

/* A write of this many bytes into an empty queue goes to the kernel at once, without a copy. */
#define DIRECT_WRITE ((size_t)16 * 1024)

static bool is_writable(const plx_socket *socket)
{
    return (plx__socket_is_connecting(socket) || socket->state == PLX_CONNECTED) &&
           socket->ending != PLX__END_WHEN_CONNECTED;
}

/* Whether a write may pass the queue by. A step of a filter runs inside a receive or a send, and
 * none of these is called inside another. */
static bool may_send_directly(const plx_socket *socket, size_t size)
{
    return size >= DIRECT_WRITE && socket->out.size == 0 && socket->state == PLX_CONNECTED &&
           socket->tx == PLX__TX_OPEN && !plx__chain_is_stepping(socket);
}

/* Filters must see again what they have not taken, so there has to be room for all of it before
 * they see any. Returns how many bytes to offer. */
static size_t offer_to_filters(plx_socket *socket, size_t size)
{
    size_t piece = size < PLX__CHAIN_PIECE ? size : PLX__CHAIN_PIECE;
    bool has_room = plx__buffer_reserve(&socket->out, size, plx__socket_pool(socket)) != NULL;
    return has_room ? piece : 0;
}

/* Offers a large write to the kernel before it is copied. The next poll reports a failure. */
static size_t send_directly(plx_socket *socket, const void *data, size_t size)
{
    if (!may_send_directly(socket, size)) {
        return 0;
    }
    if (socket->kind->is_filtered && plx__chain_sends(plx__chain_of(socket))) {
        size = offer_to_filters(socket, size);
    }
    ptrdiff_t sent = size == 0 ? 0 : socket->kind->send(socket, data, size);
    if (sent < 0) {
        /* If the kernel's buffer is full, this does not enter BLOCKED: the next poll tries again,
         * enters BLOCKED and watches for room. A write does not update the watch. */
        if (!plx__errno_is_full(sent)) {
            plx__sending_fail(socket, (int)-sent);
        }
        return 0;
    }
    return (size_t)sent;
}

/* Ends a write that filters may have seen: a send may have received. Only what was reserved for them
 * is given back: without filters the block is one that earlier writes needed and later ones will. */
static void end_offer(plx_socket *socket)
{
    if (plx__chain_sends(plx__chain_of(socket))) {
        plx__buffer_release(&socket->out, plx__socket_pool(socket)); /* if nothing is queued */
    }
    plx__socket_update(socket);
}

/* Writes bytes that are many, or more than there is room for. */
static ptrdiff_t write_piece(plx_socket *socket, const void *data, size_t size, size_t room)
{
    size_t accepted = room < size ? room : size;
    size_t sent = send_directly(socket, data, accepted);
    const uint8_t *rest = (const uint8_t *)data + sent;
    bool kept = plx__buffer_append(&socket->out, rest, accepted - sent, plx__socket_pool(socket));
    if (socket->kind->is_filtered) {
        end_offer(socket);
    }
    bool cut = kept ? accepted < size : sent > 0;
    socket->wants_room = socket->wants_room || cut;
    if (!kept && sent == 0) {
        return -plx__socket_fail_memory(socket, "write %zu bytes", size);
    }
    if (sent > 0) {
        plx__socket_has_sent(socket, sent);
    }
    plx__task_schedule(&socket->task);
    return (ptrdiff_t)(kept ? accepted : sent);
}

/* Queues all bytes. What an earlier write had no room for still waits for room_available. */
static ptrdiff_t queue(plx_socket *socket, const void *data, size_t size)
{
    if (!plx__buffer_append(&socket->out, data, size, plx__socket_pool(socket))) {
        return -plx__socket_fail_memory(socket, "write %zu bytes", size);
    }
    plx__task_schedule(&socket->task);
    return (ptrdiff_t)size;
}

static ptrdiff_t write_stream(plx_socket *socket, const void *data, size_t size)
{
    size_t room = plx__socket_write_room(socket);
    if (size <= room && size < DIRECT_WRITE) {
        return queue(socket, data, size);
    }
    plx__hold_enter(&socket->hold); /* a step of a filter may free the socket */
    ptrdiff_t taken = write_piece(socket, data, size, room);
    plx__socket_leave(socket);
    return taken;
}

bool plx__socket_refuses_write(plx_socket *socket, const void *data, size_t size)
{
    const plx_reason reason = PLX_REASON_UNSUPPORTED_OPERATION;
    if (data == NULL && size > 0) {
        return plx__socket_refuse(socket, reason, "write %zu bytes from NULL", size) != 0;
    }
    if (plx__option_value(socket->options, PLX_OPTION_DIRECTION) == PLX__RECEIVE_ONLY) {
        return plx__socket_refuse(socket, reason,
                                  "DIRECTION is receive only, and nothing can be written") != 0;
    }
    return false;
}

int plx__socket_check_write(plx_socket *socket, const void *data, size_t size)
{
    if (plx__socket_refuses_write(socket, data, size) ||
        plx__socket_refuses_peerless(socket, "write")) {
        return PLX_INVALID_STATE;
    }
    if (!is_writable(socket) || socket->hold.freed) {
        return plx__socket_fail_state(socket, "write");
    }
    if (size > PTRDIFF_MAX) {
        return plx__socket_fail_memory(socket, "write %zu bytes", size);
    }
    return 0;
}

bool plx__socket_stays_writable(const plx_socket *socket)
{
    bool ends = socket->ending != PLX__END_NONE || socket->tx == PLX__TX_FAILED ||
                plx__receiving_is_over(socket);
    return socket->state == PLX_CONNECTED && !ends && !socket->hold.freed &&
           plx__option_value(socket->options, PLX_OPTION_DIRECTION) != PLX__RECEIVE_ONLY;
}

bool plx__socket_lacks_room(plx_socket *socket, size_t size)
{
    bool lacks = socket->out.size > 0 && plx__socket_write_room(socket) < size;
    socket->wants_room = socket->wants_room || lacks;
    return lacks;
}

int plx__socket_add_record(plx_socket *socket, size_t before, const void *data, size_t size,
                           uint8_t **ret_place)
{
    int code = plx__socket_check_write(socket, data, size);
    return code != 0 ? code : socket->kind->transport->add(socket, before, size, ret_place);
}

static int write_record(plx_socket *socket, const uint8_t *head, const void *data, size_t size)
{
    uint8_t *place;
    size_t before = head == NULL ? 0 : PLX__COMMAND_HEAD;
    int code = plx__socket_add_record(socket, before, data, size, &place);
    if (code != 0) {
        return code;
    }
    if (before > 0) {
        memcpy(place, head, before);
    }
    if (size > 0) {
        memcpy(place + before, data, size);
    }
    return 0;
}

/* A stream's bytes are only queued: after some had left, memory could run out for the rest. */
int plx__socket_write_whole(plx_socket *socket, const uint8_t *head, const void *data, size_t size)
{
    if (socket->kind->transport->keeps_boundaries) {
        return write_record(socket, head, data, size);
    }
    int code = plx__socket_check_write(socket, data, size);
    if (code != 0 || size == 0) {
        return code;
    }
    if (plx__socket_lacks_room(socket, size)) {
        return PLX__EAGAIN;
    }
    ptrdiff_t taken = queue(socket, data, size);
    return taken < 0 ? (int)-taken : 0;
}

ptrdiff_t plx__socket_taken(int code, size_t size)
{
    return code == 0 ? (ptrdiff_t)size : code == PLX__EAGAIN ? 0 : -1;
}

static ptrdiff_t write_some(plx_socket *socket, const void *data, size_t size)
{
    if (socket->kind->transport->keeps_boundaries) {
        return plx__socket_taken(write_record(socket, NULL, data, size), size);
    }
    int code = plx__socket_check_write(socket, data, size);
    return code != 0 ? -1 : size == 0 ? 0 : write_stream(socket, data, size);
}

/* Whether the write is a usual one, which needs no check: a few bytes on a connected stream. */
static inline bool is_usual(const plx_socket *socket, const void *data, size_t size)
{
    return !socket->kind->transport->keeps_boundaries && socket->state == PLX_CONNECTED &&
           !socket->hold.freed && data != NULL && size > 0 && size < DIRECT_WRITE &&
           plx__option_value(socket->options, PLX_OPTION_DIRECTION) != PLX__RECEIVE_ONLY &&
           !plx__framing_has_commands(socket);
}

ptrdiff_t plx_socket_write(plx_socket *socket, const void *data, size_t size)
{
    ptrdiff_t taken = -1;
    if (socket != NULL && is_usual(socket, data, size)) {
        taken = write_stream(socket, data, size);
    } else if (socket != NULL && !plx__socket_refuses_bytes(socket, "write", "send")) {
        taken = write_some(socket, data, size);
    }
    return taken < 0 ? -1 : taken;
}

ptrdiff_t plx_socket_write_text(plx_socket *socket, const char *text)
{
    if (socket != NULL && text == NULL) {
        plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION, "write_text of NULL");
        return -1;
    }
    return socket == NULL ? -1 : plx_socket_write(socket, text, strlen(text));
}

static void flush(plx_socket *socket)
{
    bool works = socket->kind->has_own_work;
    struct plx__budget budget = {SIZE_MAX, 0, SIZE_MAX};
    if (works) {
        socket->kind->advance(socket, &budget);
    }
    if (plx__socket_is_open(socket) && socket->out.size > 0) {
        works = true;
        plx__sending_unblock(socket);
        socket->kind->transport->output(socket, &budget);
    }
    if (works) {
        plx__socket_update(socket);
        plx__task_schedule(&socket->task);
    }
}

int plx_socket_flush(plx_socket *socket)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (plx__socket_is_open(socket) && !socket->hold.freed && !plx__chain_is_stepping(socket)) {
        plx__hold_enter(&socket->hold); /* a step of a filter may free the socket */
        flush(socket);
        plx__socket_leave(socket);
    }
    return 0;
}

size_t plx_socket_bytes_left_to_send(const plx_socket *socket)
{
    size_t held;
    if (socket == NULL) {
        return 0;
    }
    plx__socket_held_back(socket, &held);
    return socket->out.size - plx__records_heads(socket) + held;
}
