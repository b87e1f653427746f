/* lib/socket/message.c -- messages over a stream. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/os/errno.h"
#include "lib/socket/commands.h"
#include "lib/socket/failure.h"
#include "lib/socket/framing.h"
#include "lib/socket/interest.h"
#include "lib/socket/message.h"
#include "lib/socket/object.h"
#include "lib/socket/pieces.h"
#include "lib/socket/progress.h"
#include "lib/socket/read.h"
#include "lib/socket/room.h"
#include "lib/socket/state.h"
#include "lib/socket/write.h"
#include "lib/wire/command.h"

#include <string.h>

/* Refuses a frame, and names the member that is wrong or the members that do not fit together. */
static int refuse_frame(plx_socket *socket, const plx_frame *frame)
{
    const plx_reason reason = PLX_REASON_UNSUPPORTED_OPERATION;
    size_t length = frame->length_size;
    bool delimited = frame->delimiter != NULL || frame->delimiter_size > 0;
    if (length == 0 && !delimited) {
        return plx__socket_refuse(socket, reason,
                                  "set a frame: it has neither length_size nor delimiter");
    }
    if (length != 0 && delimited) {
        return plx__socket_refuse(socket, reason,
                                  "set a frame: it has both length_size and delimiter");
    }
    if (length != 0 && length != 1 && length != 2 && length != 4) {
        return plx__socket_refuse(socket, reason, "set a frame: length_size is %zu, not 1, 2 or 4",
                                  length);
    }
    if (delimited && frame->delimiter == NULL) {
        return plx__socket_refuse(socket, reason,
                                  "set a frame: delimiter is NULL and delimiter_size %zu",
                                  frame->delimiter_size);
    }
    if (delimited && (frame->delimiter_size == 0 || frame->delimiter_size > PLX__DELIMITER_SIZE)) {
        return plx__socket_refuse(socket, reason, "set a frame: delimiter_size is %zu, not 1 to %d",
                                  frame->delimiter_size, PLX__DELIMITER_SIZE);
    }
    if (delimited && frame->little_endian) {
        return plx__socket_refuse(
            socket, reason, "set a frame: little_endian is for a length, not for a delimiter");
    }
    return plx__socket_refuse(socket, reason, "set a frame: maximum is %zu, not 0 to %zu",
                              frame->maximum, plx__framing_longest(length));
}

/* Bytes that arrived while commands were set have not been reported as bytes. */
static void note_arrived(plx_socket *socket, bool had_commands)
{
    bool unreported = had_commands && socket->in.size > 0;
    socket->fresh = socket->fresh || unreported;
    if (!plx__socket_is_open(socket)) {
        return;
    }
    if (unreported) {
        plx__socket_note_bytes(socket);
    } else if (plx__framing_of(socket) != NULL) {
        plx__framing_note(socket);
    }
    plx__socket_update(socket);
    plx__task_schedule(&socket->task);
}

int plx_socket_set_frame(plx_socket *socket, const plx_frame *frame)
{
    if (socket == NULL || socket->hold.freed) {
        return PLX_INVALID_STATE;
    }
    if (socket->kind->transport->keeps_boundaries &&
        (frame != NULL || !plx__framing_has_commands(socket))) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "set a frame: %s sockets have messages without one",
                                  socket->kind->name);
    }
    if (frame != NULL && !plx__framing_is_valid(frame)) {
        return refuse_frame(socket, frame);
    }
    bool had_commands = plx__framing_has_commands(socket);
    if (had_commands) {
        plx__commands_close_gaps(socket);
        socket->pending &= ~PLX__EVENT_BIT(PLX__EVENT_COMMAND);
    }
    if (frame == NULL) {
        plx__framing_clear(socket);
    } else if (!plx__framing_set(socket, frame)) {
        return plx__socket_fail_memory(socket, "set a frame");
    }
    note_arrived(socket, had_commands);
    return 0;
}

static void set_end_error(plx_socket *socket, const struct plx__front *front)
{
    if (front->is == PLX__FRONT_TOO_LONG) {
        plx__socket_set_end_error_system(
            socket, -PLX__EMSGSIZE, "receive a message of %zu bytes%s (the maximum is %zu)",
            front->size, front->behind > 0 ? " or more" : "", plx__framing_of(socket)->maximum);
    } else if (front->is == PLX__FRONT_SHORT) {
        plx__socket_set_end_error_system(socket, -PLX__EPROTO,
                                         "receive a command of %zu bytes (the minimum is %d)",
                                         front->size, PLX__COMMAND_HEAD);
    } else {
        const uint8_t *message = plx__buffer_data(&socket->in) + front->before;
        plx__socket_set_end_error_system(socket, -PLX__EPROTO,
                                         "receive command %ld (the minimum is 0)",
                                         (long)plx__command_read(message));
    }
}

bool plx__message_settle(plx_socket *socket)
{
    if (!plx__framing_is_unfit(socket)) {
        return false;
    }
    plx__framing_of(socket)->unfit = false;
    struct plx__front front = plx__framing_front(socket);
    if (front.is <= PLX__FRONT_WHOLE || socket->state != PLX_CONNECTED) {
        return false;
    }
    set_end_error(socket, &front);
    plx__socket_end(socket);
    return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Whether the socket has messages: those of a stream need a frame, records need a peer. Otherwise
 * refuses the call. */
static bool has_messages(plx_socket *socket, const char *call)
{
    bool stream = !socket->kind->transport->keeps_boundaries;
    bool has = stream ? plx__framing_of(socket) != NULL : plx__socket_has_packets(socket);
    if (!has) {
        plx__socket_refuse(socket, PLX_REASON_OPERATION, "%s: %s, call %s first", call,
                           stream ? "no frame is set" : "the socket has no peer",
                           stream ? "plx_socket_set_frame" : "plx_socket_connect_to");
    }
    return has;
}

static const void *read_framed(plx_socket *socket, size_t *ret_size)
{
    struct plx__front front = plx__framing_front(socket);
    socket->fresh = false;
    if (front.is > PLX__FRONT_WHOLE) {
        plx__framing_note_unfit(socket);
    }
    if (front.is != PLX__FRONT_WHOLE) {
        return NULL;
    }
    const uint8_t *message = plx__buffer_data(&socket->in) + front.before;
    socket->rare->lifted = 0;
    plx__socket_take_as_view(socket, plx__front_whole(&front));
    *ret_size = front.size;
    return message;
}

const void *plx_socket_read_message(plx_socket *socket, size_t *ret_size)
{
    size_t size = 0;
    const void *message = NULL;
    if (socket != NULL && !plx__socket_refuses_bytes(socket, "read a message", "read") &&
        has_messages(socket, "read a message")) {
        if (!socket->kind->transport->keeps_boundaries) {
            message = read_framed(socket, &size);
        } else if (socket->in.size > 0) {
            message = plx_socket_read_all(socket, &size);
        }
    }
    if (ret_size != NULL) {
        *ret_size = size;
    }
    return message;
}

bool plx_socket_can_read_message(const plx_socket *socket)
{
    if (socket == NULL || plx__framing_has_commands(socket)) {
        return false;
    }
    if (socket->kind->transport->keeps_boundaries) {
        return plx__socket_has_packets(socket) && socket->in.size > 0;
    }
    /* The program cannot see how far the bytes were searched, although the socket is const. */
    return plx__framing_of(socket) != NULL && plx__framing_front(socket).is == PLX__FRONT_WHOLE;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* `before`: the bytes of the message that precede the data. */
static inline int check_message(plx_socket *socket, const char *call, size_t before,
                                const void *data, size_t size)
{
    /* A size over PTRDIFF_MAX exceeds any maximum. */
    int code = plx__socket_check_write(socket, data, size > PTRDIFF_MAX ? PTRDIFF_MAX : size);
    const struct plx__framing *framing = plx__framing_of(socket);
    if (code == 0 && size > framing->maximum - before) {
        code = plx__socket_fail(socket, PLX__EMSGSIZE, PLX_REASON_DATAGRAM_TOO_LARGE,
                                -PLX__EMSGSIZE, "%s of %zu bytes (the maximum is %zu)", call, size,
                                framing->maximum - before);
    }
    return code;
}

static inline size_t size_before(const struct plx__framing *framing, const uint8_t *head)
{
    return framing->length_size + (size_t)(head == NULL ? 0 : PLX__COMMAND_HEAD);
}

/* Makes room for a message behind the write queue; the caller fills the place that is returned and
 * then ends the message. Returns NULL and *ret_code if there is no room or no memory. */
static inline uint8_t *begin_message(plx_socket *socket, const struct plx__framing *framing,
                                     const uint8_t *head, size_t size, int *ret_code)
{
    size_t before = size_before(framing, head);
    size_t inside = before - framing->length_size;
    size_t whole = before + size + framing->delimiter_size;
    if (plx__socket_lacks_room(socket, whole)) {
        *ret_code = PLX__EAGAIN;
        return NULL;
    }
    uint8_t *start = plx__buffer_reserve(&socket->out, whole, plx__socket_pool(socket));
    if (start == NULL) {
        *ret_code = plx__socket_fail_memory(socket, "write a message of %zu bytes", size);
        return NULL;
    }
    plx__framing_write_length(framing, start, inside + size - framing->uncounted);
    if (inside > 0) {
        memcpy(start + framing->length_size, head, inside);
    }
    return start + before;
}

/* Writes the delimiter. Returns whether the reader would find it too early: inside the message, or
 * beginning in its last bytes. */
static bool ends_early(const struct plx__framing *framing, uint8_t *place, size_t size)
{
    size_t length = framing->delimiter_size;
    memcpy(place + size, framing->delimiter, length);
    return memmem(place, size + length, framing->delimiter, length) != place + size;
}

static inline int end_message(plx_socket *socket, const struct plx__framing *framing,
                              const uint8_t *head, uint8_t *place, size_t size)
{
    if (framing->delimiter_size > 0 && ends_early(framing, place, size)) {
        plx__buffer_release(&socket->out, plx__socket_pool(socket)); /* if nothing is queued */
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "write a message of %zu bytes: it contains the delimiter", size);
    }
    plx__buffer_commit(&socket->out, size_before(framing, head) + size + framing->delimiter_size);
    plx__task_schedule(&socket->task);
    return 0;
}

static int write_framed(plx_socket *socket, const uint8_t *head, const void *data, size_t size)
{
    const struct plx__framing *framing = plx__framing_of(socket);
    int code = 0;
    uint8_t *place = begin_message(socket, framing, head, size, &code);
    if (place == NULL) {
        return code;
    }
    if (size > 0) {
        memcpy(place, data, size);
    }
    return end_message(socket, framing, head, place, size);
}

int plx__message_write(plx_socket *socket, const char *call, const uint8_t *head, const void *data,
                       size_t size)
{
    bool records = socket->kind->transport->keeps_boundaries;
    int code = 0;
    if (!records || head != NULL) {
        code = check_message(socket, call, head == NULL ? 0 : PLX__COMMAND_HEAD, data, size);
    }
    if (code != 0) {
        return code;
    }
    return records ? plx__socket_write_whole(socket, head, data, size)
                   : write_framed(socket, head, data, size);
}

static inline bool refuses_messages(plx_socket *socket)
{
    return socket == NULL || socket->hold.freed ||
           plx__socket_refuses_bytes(socket, "write a message", "send") ||
           (!socket->kind->transport->keeps_boundaries && !has_messages(socket, "write a message"));
}

int plx_socket_write_message(plx_socket *socket, const void *data, size_t size)
{
    return refuses_messages(socket)
               ? PLX_INVALID_STATE
               : plx__message_write(socket, "write a message", NULL, data, size);
}

int plx_socket_write_message_pieces(plx_socket *socket, const plx_piece *pieces, size_t count)
{
    size_t size;
    if (refuses_messages(socket) || plx__socket_refuses_pieces(socket, pieces, count, &size)) {
        return PLX_INVALID_STATE;
    }
    if (socket->kind->transport->keeps_boundaries) {
        return plx__pieces_write_record(socket, pieces, count, size);
    }
    const struct plx__framing *framing = plx__framing_of(socket);
    int code = check_message(socket, "write a message", 0, pieces, size);
    uint8_t *place = code == 0 ? begin_message(socket, framing, NULL, size, &code) : NULL;
    if (place == NULL) {
        return code;
    }
    plx__pieces_copy(place, pieces, count, size);
    return end_message(socket, framing, NULL, place, size);
}
