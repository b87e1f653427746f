/* lib/socket/message.c -- messages over a stream. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/socket/message.h"

#include <errno.h>
#include <string.h>

/* The longest message where the frame names none. */
#define USUAL_MAXIMUM ((size_t)1024 * 1024)

/* ---- the frame ------------------------------------------------------------------------------- */

/* What a length of so many bytes can say. */
static size_t greatest_length(size_t length_size)
{
    return length_size >= sizeof(uint32_t) ? UINT32_MAX : ((size_t)1 << (8 * length_size)) - 1;
}

/* No buffer holds more than half of what can be counted. */
static size_t greatest_maximum(size_t length_size)
{
    size_t most = length_size == 0 ? SIZE_MAX : greatest_length(length_size);
    return most < PTRDIFF_MAX / 2 ? most : PTRDIFF_MAX / 2;
}

static bool is_frame(const plx_frame *frame)
{
    bool delimited = frame->delimiter != NULL && frame->delimiter_size > 0 &&
                     frame->delimiter_size <= PLX__DELIMITER_SIZE;
    if (frame->maximum > greatest_maximum(frame->length_size)) {
        return false;
    }
    if (frame->length_size == 0) {
        return delimited && !frame->little_endian;
    }
    bool known = frame->length_size == 1 || frame->length_size == 2 || frame->length_size == 4;
    return known && frame->delimiter == NULL && frame->delimiter_size == 0;
}

/* Says which member is wrong, or which do not go together. */
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
                              frame->maximum, greatest_maximum(length));
}

static size_t maximum_of(const plx_frame *frame)
{
    size_t most = frame->length_size == 0 ? SIZE_MAX : greatest_length(frame->length_size);
    return frame->maximum > 0 ? frame->maximum : most < USUAL_MAXIMUM ? most : USUAL_MAXIMUM;
}

static struct plx__framing framing_of(const plx_frame *frame)
{
    struct plx__framing framing = {
        .maximum = maximum_of(frame),
        .length_size = (uint8_t)frame->length_size,
        .delimiter_size = (uint8_t)frame->delimiter_size,
        .little_endian = frame->little_endian,
    };
    if (frame->delimiter_size > 0) {
        memcpy(framing.delimiter, frame->delimiter, frame->delimiter_size);
    }
    return framing;
}

static bool keep(plx_socket *socket, const struct plx__framing *framing)
{
    if (socket->framing == NULL) {
        socket->framing = plx__memory_new(sizeof *framing);
    }
    if (socket->framing != NULL) {
        *socket->framing = *framing;
    }
    return socket->framing != NULL;
}

bool plx__message_copy_frame(plx_socket *to, const plx_socket *from)
{
    return from->framing == NULL || keep(to, from->framing);
}

static void forget(plx_socket *socket)
{
    plx__memory_free(socket->framing);
    socket->framing = NULL;
    socket->too_long = false;
    socket->lifted = 0;
    socket->pending &= ~PLX__EVENT_BIT(PLX__EVENT_MESSAGE);
}

int plx_socket_set_frame(plx_socket *socket, const plx_frame *frame)
{
    if (socket == NULL || socket->hold.freed) {
        return PLX_INVALID_STATE;
    }
    if (socket->kind->record_size > 0) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "set a frame: %s sockets have messages without one",
                                  socket->kind->name);
    }
    if (frame == NULL) {
        forget(socket);
        return 0;
    }
    if (!is_frame(frame)) {
        return refuse_frame(socket, frame);
    }
    struct plx__framing framing = framing_of(frame);
    if (!keep(socket, &framing)) {
        return plx__socket_fail_memory(socket, "set a frame");
    }
    plx__message_note(socket);
    plx__socket_update(socket);
    plx__task_schedule(&socket->task);
    return 0;
}

/* ---- what stands first ----------------------------------------------------------------------- */

/* The message at the front of what was received. */
struct front {
    enum { PARTIAL, WHOLE, TOO_LONG } is;
    size_t before, size, behind; /* the frame's bytes before it, its own, the frame's behind it */
};

/* Written out, so that the compiler sees one load, or one store. */
static size_t read_length(const struct plx__framing *framing, const uint8_t *b)
{
    bool little = framing->little_endian;
    switch (framing->length_size) {
    case 1: return b[0];
    case 2: return little ? (size_t)b[1] << 8 | b[0] : (size_t)b[0] << 8 | b[1];
    default:
        return little ? (size_t)b[3] << 24 | (size_t)b[2] << 16 | (size_t)b[1] << 8 | b[0]
                      : (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    }
}

static inline void write_big(uint8_t *bytes, size_t size, size_t length)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(length >> 8 * (size - 1 - i));
    }
}

static inline void write_little(uint8_t *bytes, size_t size, size_t length)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(length >> 8 * i);
    }
}

static void write_length(const struct plx__framing *framing, uint8_t *bytes, size_t length)
{
    bool little = framing->little_endian;
    switch (framing->length_size) {
    case 0: break;
    case 1: bytes[0] = (uint8_t)length; break;
    case 2: little ? write_little(bytes, 2, length) : write_big(bytes, 2, length); break;
    default: little ? write_little(bytes, 4, length) : write_big(bytes, 4, length); break;
    }
}

static struct front look_by_length(const plx_socket *socket)
{
    const struct plx__framing *framing = socket->framing;
    struct front front = {PARTIAL, framing->length_size, 0, 0};
    if (socket->in.size >= framing->length_size) {
        front.size = read_length(framing, plx__buffer_data(&socket->in));
        front.is = front.size > framing->maximum                          ? TOO_LONG
                   : socket->in.size - framing->length_size >= front.size ? WHOLE
                                                                          : PARTIAL;
    }
    return front;
}

/* What was searched once is not searched again: a message that comes byte by byte costs linear
 * time. The last bytes may begin a delimiter. */
static const uint8_t *find_delimiter(const plx_socket *socket)
{
    struct plx__framing *framing = socket->framing;
    const uint8_t *data = plx__buffer_data(&socket->in);
    size_t size = socket->in.size - framing->searched;
    const uint8_t *found =
        memmem(data + framing->searched, size, framing->delimiter, framing->delimiter_size);
    if (found != NULL) {
        framing->searched = (size_t)(found - data);
    } else if (socket->in.size >= framing->delimiter_size) {
        framing->searched = socket->in.size - framing->delimiter_size + 1;
    }
    return found;
}

/* Of what was put at the front, only that and the bytes with which it may make a delimiter are
 * searched; what lies behind is as it was. */
void plx__message_given_back(plx_socket *socket, size_t size)
{
    struct plx__framing *framing = socket->framing;
    if (framing->delimiter_size == 0) {
        return;
    }
    size_t reach = size + framing->delimiter_size - 1;
    const uint8_t *data = plx__buffer_data(&socket->in);
    const uint8_t *found = memmem(data, reach < socket->in.size ? reach : socket->in.size,
                                  framing->delimiter, framing->delimiter_size);
    size_t most = socket->in.size < framing->delimiter_size
                      ? 0
                      : socket->in.size - framing->delimiter_size + 1;
    size_t silent = framing->searched + size;
    framing->searched = found != NULL ? (size_t)(found - data) : silent < most ? silent : most;
}

static struct front look_by_delimiter(const plx_socket *socket)
{
    const struct plx__framing *framing = socket->framing;
    bool found = find_delimiter(socket) != NULL;
    struct front front = {PARTIAL, 0, framing->searched, framing->delimiter_size};
    if (front.size > framing->maximum) {
        front.is = TOO_LONG;
    } else if (found) {
        front.is = WHOLE;
    } else {
        front.size = framing->maximum; /* as long as it may become */
    }
    return front;
}

static struct front look(const plx_socket *socket)
{
    return socket->framing->length_size > 0 ? look_by_length(socket) : look_by_delimiter(socket);
}

/* Settle ends the connection: not here, where a handler or a call may be in the middle of it. */
static void note_too_long(plx_socket *socket)
{
    if (socket->state == PLX_CONNECTED) {
        socket->too_long = true;
        plx__task_schedule(&socket->task);
    }
}

/* What has begun has to come whole, or nothing would ever be read. */
static void lift(plx_socket *socket, const struct front *front)
{
    size_t whole = front->before + front->size + front->behind;
    if (front->is == PARTIAL && socket->lifted < whole) {
        socket->lifted = whole;
    }
}

void plx__message_note(plx_socket *socket)
{
    struct front front = look(socket);
    lift(socket, &front);
    if (front.is == TOO_LONG) {
        note_too_long(socket);
    } else if (front.is == WHOLE && plx__event_has_message(&socket->handlers)) {
        socket->pending |= PLX__EVENT_BIT(PLX__EVENT_MESSAGE);
    }
}

void plx__message_make_room(plx_socket *socket)
{
    if (socket->in.size > 0 && plx__socket_room(socket) == 0) {
        struct front front = look(socket);
        lift(socket, &front);
    }
}

bool plx__message_settle(plx_socket *socket)
{
    bool asked = socket->too_long && socket->framing != NULL && socket->state == PLX_CONNECTED;
    socket->too_long = false;
    struct front front = asked ? look(socket) : (struct front){PARTIAL, 0, 0, 0};
    if (front.is != TOO_LONG) {
        return false;
    }
    plx__socket_set_end_error(socket, EMSGSIZE, PLX_REASON_DATAGRAM_TOO_LARGE, -EMSGSIZE,
                              "receive a message of %zu bytes%s, the maximum being %zu", front.size,
                              front.behind > 0 ? " or more" : "", socket->framing->maximum);
    plx__socket_end(socket);
    return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Where messages end: a stream knows by its frame, a socket of records has them from its one
 * peer. */
static bool has_messages(plx_socket *socket, const char *call)
{
    bool stream = socket->kind->record_size == 0;
    bool has = stream ? socket->framing != NULL : plx__socket_has_packets(socket);
    if (!has) {
        plx__socket_refuse(socket, PLX_REASON_OPERATION, "%s: %s, call %s first", call,
                           stream ? "no frame is set" : "the socket has no peer",
                           stream ? "plx_socket_set_frame" : "plx_socket_connect_to");
    }
    return has;
}

static const void *read_framed(plx_socket *socket, size_t *ret_size)
{
    struct front front = look(socket);
    socket->fresh = false;
    if (front.is == TOO_LONG) {
        note_too_long(socket);
    }
    if (front.is != WHOLE) {
        return NULL;
    }
    const uint8_t *message = plx__buffer_data(&socket->in) + front.before;
    socket->lifted = 0;
    plx__socket_take_as_view(socket, front.before + front.size + front.behind);
    *ret_size = front.size;
    return message;
}

const void *plx_socket_read_message(plx_socket *socket, size_t *ret_size)
{
    size_t size = 0;
    const void *message = NULL;
    if (socket != NULL && has_messages(socket, "read a message")) {
        if (socket->kind->record_size == 0) {
            message = read_framed(socket, &size);
        } else if (socket->in_records > 0) {
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
    if (socket == NULL) {
        return false;
    }
    if (socket->kind->record_size > 0) {
        return plx__socket_has_packets(socket) && socket->in_records > 0;
    }
    /* The socket is const for its users: how far it was searched is no change that they could see. */
    return socket->framing != NULL && look(socket).is == WHOLE;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Whether the reader would see a delimiter before the one behind the message: inside it, or begun by
 * its last bytes. */
static bool holds_delimiter(const struct plx__framing *framing, const uint8_t *data, size_t size)
{
    uint8_t seam[2 * PLX__DELIMITER_SIZE];
    size_t length = framing->delimiter_size;
    if (size == 0) {
        return false;
    }
    size_t last = size < length - 1 ? size : length - 1;
    memcpy(seam, data + size - last, last);
    memcpy(seam + last, framing->delimiter, length);
    const uint8_t *found = memmem(seam, last + length, framing->delimiter, length);
    return found < seam + last || memmem(data, size, framing->delimiter, length) != NULL;
}

static int refuse(plx_socket *socket, const uint8_t *data, size_t size)
{
    const struct plx__framing *framing = socket->framing;
    if (size > framing->maximum) {
        return plx__socket_fail(socket, EMSGSIZE, PLX_REASON_DATAGRAM_TOO_LARGE, -EMSGSIZE,
                                "write a message of %zu bytes, the maximum being %zu", size,
                                framing->maximum);
    }
    if (framing->delimiter_size > 0 && holds_delimiter(framing, data, size)) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "write a message of %zu bytes: the delimiter is in it", size);
    }
    return 0;
}

static int queue(plx_socket *socket, const void *data, size_t size)
{
    const struct plx__framing *framing = socket->framing;
    size_t before = framing->length_size, behind = framing->delimiter_size;
    size_t whole = before + size + behind;
    if (socket->out.size > 0 && plx__socket_write_room(socket) < whole) {
        socket->wants_room = true;
        return EAGAIN;
    }
    uint8_t *place = plx__buffer_reserve(&socket->out, whole, plx__socket_pool(socket));
    if (place == NULL) {
        return plx__socket_fail_memory(socket, "write a message of %zu bytes", size);
    }
    write_length(framing, place, size);
    if (size > 0) {
        memcpy(place + before, data, size);
    }
    if (behind > 0) {
        memcpy(place + before + size, framing->delimiter, behind);
    }
    plx__buffer_commit(&socket->out, whole);
    plx__task_schedule(&socket->task);
    return 0;
}

int plx_socket_write_message(plx_socket *socket, const void *data, size_t size)
{
    if (socket == NULL || socket->hold.freed) {
        return PLX_INVALID_STATE;
    }
    if (socket->kind->record_size > 0) {
        ptrdiff_t taken = plx__socket_write(socket, data, size);
        /* An empty datagram is 0 either way. */
        bool whole = (size_t)taken == size && !socket->wants_room;
        return taken < 0 ? (int)-taken : whole ? 0 : EAGAIN;
    }
    if (!has_messages(socket, "write a message")) {
        return PLX_INVALID_STATE;
    }
    /* A size that write would refuse is over any maximum, and that is what is told. */
    int code = plx__socket_check_write(socket, data, size > PTRDIFF_MAX ? PTRDIFF_MAX : size);
    code = code != 0 ? code : refuse(socket, data, size);
    return code != 0 ? code : queue(socket, data, size);
}
