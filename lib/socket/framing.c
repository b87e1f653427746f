/* lib/socket/framing.c -- the message at the front of a stream. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/base/record.h"
#include "lib/socket/framing.h"
#include "lib/wire/command.h"

#include <string.h>

/* The maximum of a frame that names none. */
#define USUAL_MAXIMUM ((size_t)1024 * 1024)

/* ---- the frame ------------------------------------------------------------------------------- */

/* The greatest length that `length_size` bytes can hold. */
static size_t greatest_length(size_t length_size)
{
    return length_size >= sizeof(uint32_t) ? UINT32_MAX : ((size_t)1 << (8 * length_size)) - 1;
}

/* A buffer holds at most PTRDIFF_MAX / 2 bytes of a message. */
size_t plx__framing_longest(size_t length_size)
{
    size_t most = length_size == 0 ? SIZE_MAX : greatest_length(length_size);
    return most < PTRDIFF_MAX / 2 ? most : PTRDIFF_MAX / 2;
}

bool plx__framing_is_valid(const plx_frame *frame)
{
    bool delimited = frame->delimiter != NULL && frame->delimiter_size > 0 &&
                     frame->delimiter_size <= PLX__DELIMITER_SIZE;
    if (frame->maximum > plx__framing_longest(frame->length_size)) {
        return false;
    }
    if (frame->length_size == 0) {
        return delimited && !frame->little_endian;
    }
    bool known = frame->length_size == 1 || frame->length_size == 2 || frame->length_size == 4;
    return known && frame->delimiter == NULL && frame->delimiter_size == 0;
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
    struct plx__rare *rare = plx__rare_make(socket);
    if (rare != NULL && rare->commands == NULL && framing->commands) {
        rare->commands = plx__memory_new(sizeof *rare->commands);
    }
    if (rare == NULL || (framing->commands && rare->commands == NULL)) {
        return false;
    }
    if (rare->framing == NULL) {
        rare->framing = plx__memory_new(sizeof *framing);
    }
    if (rare->framing == NULL) {
        return false;
    }
    *rare->framing = *framing;
    return true;
}

bool plx__framing_set(plx_socket *socket, const plx_frame *frame)
{
    struct plx__framing framing = framing_of(frame);
    return keep(socket, &framing);
}

size_t plx__framing_maximum(const plx_socket *socket)
{
    const struct plx__framing *framing = plx__framing_of(socket);
    return framing == NULL ? USUAL_MAXIMUM : framing->maximum;
}

static struct plx__framing commands_of(const plx_socket *socket, size_t maximum,
                                       bool counts_data_only)
{
    bool records = socket->kind->transport->keeps_boundaries;
    size_t length_size = records ? 0 : PLX__COMMAND_HEAD;
    size_t longest = plx__framing_longest(length_size);
    return (struct plx__framing){
        .maximum = maximum < longest ? maximum : longest,
        .length_size = (uint8_t)length_size,
        .uncounted = counts_data_only && !records ? PLX__COMMAND_HEAD : 0,
        .counts_data_only = counts_data_only,
        .commands = true,
    };
}

bool plx__framing_set_commands(plx_socket *socket, bool counts_data_only)
{
    struct plx__framing framing =
        commands_of(socket, plx__framing_maximum(socket), counts_data_only);
    return keep(socket, &framing);
}

bool plx__framing_copy(plx_socket *to, const plx_socket *from)
{
    const struct plx__framing *framing = plx__framing_of(from);
    if (framing == NULL) {
        return true;
    }
    struct plx__framing copy = *framing;
    if (framing->commands) { /* one of the two may have records */
        copy = commands_of(to, framing->maximum, framing->counts_data_only);
    }
    copy.searched = copy.checked = copy.gone = 0; /* of the bytes of `from` */
    copy.unfit = false;
    return keep(to, &copy);
}

void plx__framing_clear(plx_socket *socket)
{
    if (socket->rare != NULL) {
        plx__memory_free(socket->rare->framing);
        socket->rare->framing = NULL;
        socket->rare->lifted = 0;
    }
    socket->pending &= ~(PLX__EVENT_BIT(PLX__EVENT_MESSAGE) | PLX__EVENT_BIT(PLX__EVENT_COMMAND));
}

void plx__framing_free(struct plx__rare *rare)
{
    if (rare->commands != NULL) {
        plx__buffer_clear(&rare->commands->lent, NULL);
        plx__buffer_clear(&rare->commands->waited, NULL);
    }
    plx__memory_free(rare->commands);
    plx__memory_free(rare->framing);
}

/* ---- the length ------------------------------------------------------------------------------ */

/* One case for each size, so that the compiler makes one load, or one store. */
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

void plx__framing_write_length(const struct plx__framing *framing, uint8_t *bytes, size_t length)
{
    bool little = framing->little_endian;
    switch (framing->length_size) {
    case 0: break;
    case 1: bytes[0] = (uint8_t)length; break;
    case 2: little ? write_little(bytes, 2, length) : write_big(bytes, 2, length); break;
    default: little ? write_little(bytes, 4, length) : write_big(bytes, 4, length); break;
    }
}

/* ---- the front ------------------------------------------------------------------------------- */

static struct plx__front look_by_length(const plx_socket *socket, size_t offset)
{
    const struct plx__framing *framing = plx__framing_of(socket);
    struct plx__front front = {PLX__FRONT_PARTIAL, framing->length_size, 0, 0};
    size_t arrived = socket->in.size - offset;
    if (arrived >= framing->length_size) {
        size_t length = read_length(framing, plx__buffer_data(&socket->in) + offset);
        bool fits = length <= framing->maximum - framing->uncounted;
        front.size = length <= SIZE_MAX - framing->uncounted ? length + framing->uncounted : length;
        front.is = !fits                                          ? PLX__FRONT_TOO_LONG
                   : arrived - framing->length_size >= front.size ? PLX__FRONT_WHOLE
                                                                  : PLX__FRONT_PARTIAL;
    }
    return front;
}

static struct plx__front look_at_record(const plx_socket *socket, size_t offset)
{
    struct plx__front front = {PLX__FRONT_PARTIAL, 0, 0, 0};
    if (socket->in.size > offset) {
        struct plx__buffer rest = {.block = socket->in.block, .start = socket->in.start + offset};
        struct plx__record record = plx__record_first(&rest);
        front.before = sizeof record + record.destination;
        front.size = record.size;
        front.is =
            record.size > plx__framing_of(socket)->maximum ? PLX__FRONT_TOO_LONG : PLX__FRONT_WHOLE;
    }
    return front;
}

/* No byte is searched twice, except the last ones, which may begin a delimiter: a message that
 * arrives byte by byte costs linear time. */
static const uint8_t *find_delimiter(const plx_socket *socket)
{
    struct plx__framing *framing = plx__framing_of(socket);
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

static struct plx__front look_by_delimiter(const plx_socket *socket)
{
    const struct plx__framing *framing = plx__framing_of(socket);
    bool found = find_delimiter(socket) != NULL;
    struct plx__front front = {PLX__FRONT_PARTIAL, 0, framing->searched, framing->delimiter_size};
    if (front.size > framing->maximum) {
        front.is = PLX__FRONT_TOO_LONG;
    } else if (found) {
        front.is = PLX__FRONT_WHOLE;
    } else {
        front.size = framing->maximum; /* the message may become that long */
    }
    return front;
}

/* Changes what a message is to what is wrong with it as a command. */
static void judge(const plx_socket *socket, size_t offset, struct plx__front *front)
{
    size_t begin = offset + front->before, end = socket->in.size;
    if (begin > end || end == offset || front->is == PLX__FRONT_TOO_LONG) {
        return; /* its size is not known */
    }
    switch (plx__command_form(plx__buffer_data(&socket->in) + begin, end - begin, front->size)) {
    case PLX__COMMAND_SHORT: front->is = PLX__FRONT_SHORT; break;
    case PLX__COMMAND_NEGATIVE: front->is = PLX__FRONT_NEGATIVE; break;
    default: break;
    }
}

struct plx__front plx__framing_at(const plx_socket *socket, size_t offset)
{
    const struct plx__framing *framing = plx__framing_of(socket);
    struct plx__front front =
        framing->length_size > 0 ? look_by_length(socket, offset) : look_at_record(socket, offset);
    /* Among those that were checked, a negative number marks what a wait has taken. */
    if (framing->commands && offset >= framing->checked) {
        judge(socket, offset, &front);
    }
    return front;
}

struct plx__front plx__framing_front(const plx_socket *socket)
{
    return plx__framing_of(socket)->delimiter_size > 0 ? look_by_delimiter(socket)
                                                       : plx__framing_at(socket, 0);
}

/* ---- events and room ------------------------------------------------------------------------- */

/* Only notes it: plx__message_settle ends the connection. Here a handler or a read may be
 * running. */
void plx__framing_note_unfit(plx_socket *socket)
{
    if (socket->state == PLX_CONNECTED) {
        plx__framing_of(socket)->unfit = true;
        plx__task_schedule(&socket->task);
    }
}

/* A message in progress has to become whole: the program could never read a part of it. */
static void lift(plx_socket *socket, const struct plx__front *front)
{
    size_t whole = plx__front_whole(front);
    if (front->is == PLX__FRONT_PARTIAL && socket->rare->lifted < whole) {
        socket->rare->lifted = whole;
    }
}

/* The event that reports a whole message, as a bit; 0: the program hears none. A wait keeps the bit
 * set: the end of the connection has to wait for what the wait returns. */
static plx__event_set event_of(const plx_socket *socket)
{
    if (!plx__framing_of(socket)->commands) {
        return plx__handlers_has_message(&socket->handlers) ? PLX__EVENT_BIT(PLX__EVENT_MESSAGE)
                                                            : 0;
    }
    return plx__handlers_has_command(&socket->handlers) || socket->rare->commands->awaits
               ? PLX__EVENT_BIT(PLX__EVENT_COMMAND)
               : 0;
}

void plx__framing_note(plx_socket *socket)
{
    struct plx__front front = plx__framing_front(socket);
    lift(socket, &front);
    if (front.is > PLX__FRONT_WHOLE) {
        plx__framing_note_unfit(socket);
    } else if (front.is == PLX__FRONT_WHOLE) {
        socket->pending |= event_of(socket);
    }
}

void plx__framing_note_commands(plx_socket *socket)
{
    /* After the end of a connection commands can be read, but `disconnected` is its last event. */
    if (plx__framing_has_commands(socket) && socket->in.size > 0 && plx__socket_is_open(socket)) {
        plx__framing_note(socket);
        plx__task_schedule(&socket->task);
    }
}

void plx__framing_lift(plx_socket *socket)
{
    struct plx__front front = plx__framing_front(socket);
    lift(socket, &front);
}

/* Searches only the bytes put at the front, and the bytes after them that may complete a delimiter.
 * The bytes behind need no new search. */
void plx__framing_given_back(plx_socket *socket, size_t size)
{
    struct plx__framing *framing = plx__framing_of(socket);
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
