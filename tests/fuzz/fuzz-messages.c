/* tests/fuzz/fuzz-messages.c -- a stream that is cut into messages: every sort of frame, hostile
 * lengths, random pieces, reads between messages and changes of the frame, held against a parser
 * that begins anew each time; and messages that are written, held against the same parser. */
#include "tests/fuzz/stream.h"

#include <errno.h>

enum { USUAL_MAXIMUM = 1024 * 1024, LONGEST_DELIMITER = 8 };

static struct stream stream;
static plx_frame frame; /* length_size and delimiter_size 0: the stream is not cut */
static uint8_t delimiter[LONGEST_DELIMITER];
static int reports; /* calls of message_available */

/* ---- the model ------------------------------------------------------------------------------- */

struct front {
    enum { PARTIAL, WHOLE, TOO_LONG } is;
    size_t before, size, behind;
};

static bool is_cut(void)
{
    return frame.length_size > 0 || frame.delimiter_size > 0;
}

static size_t maximum(void)
{
    static const size_t most[] = {USUAL_MAXIMUM, 255, 65535, 0, USUAL_MAXIMUM};
    return frame.maximum > 0 ? frame.maximum : most[frame.length_size];
}

static struct front front_by_length(const uint8_t *data, size_t size)
{
    struct front front = {PARTIAL, frame.length_size, 0, 0};
    if (size < frame.length_size) {
        return front;
    }
    for (size_t i = 0; i < frame.length_size; i++) {
        size_t at = frame.little_endian ? frame.length_size - 1 - i : i;
        front.size = front.size << 8 | data[at];
    }
    bool whole = size - frame.length_size >= front.size;
    front.is = front.size > maximum() ? TOO_LONG : whole ? WHOLE : PARTIAL;
    return front;
}

static struct front front_by_delimiter(const uint8_t *data, size_t size)
{
    struct front front = {PARTIAL, 0, 0, frame.delimiter_size};
    for (; front.size + frame.delimiter_size <= size; front.size++) {
        if (front.size > maximum()) {
            break;
        }
        if (memcmp(data + front.size, delimiter, frame.delimiter_size) == 0) {
            front.is = WHOLE;
            return front;
        }
    }
    front.is = front.size > maximum() ? TOO_LONG : PARTIAL;
    return front;
}

static struct front front_of(const struct bytes *bytes)
{
    return frame.length_size > 0 ? front_by_length(bytes->data, bytes->size)
                                 : front_by_delimiter(bytes->data, bytes->size);
}

static bool has_whole(void)
{
    return is_cut() && front_of(&stream.got).is == WHOLE;
}

/* ---- the calls ------------------------------------------------------------------------------- */

static void available(plx_socket *socket, void *user)
{
    (void)user;
    reports++;
    NEED(plx_socket_can_read_message(socket));
}

static bool is_live(void)
{
    return plx_socket_state(stream.socket) == PLX_CONNECTED;
}

static void need_too_long(void)
{
    NEED(!is_live() && plx_socket_last_error(stream.socket) == EMSGSIZE);
    NEED(plx_socket_error(stream.socket)->reason == PLX_REASON_DATAGRAM_TOO_LARGE);
}

/* A message that is too long ends the connection as soon as bytes are received, and nothing else
 * ends it while the peer is there. */
static void poll_once(void)
{
    bool live = is_live();
    size_t before = stream.wire.size;
    /* A message in progress exceeds READ_LIMIT. */
    stream_poll(&stream, stream.limit == 0 ? SIZE_MAX : stream.limit, SIZE_MAX);
    bool too_long = is_cut() && front_of(&stream.got).is == TOO_LONG;
    if (live && too_long && stream.wire.size < before) {
        need_too_long();
    } else if (live && !too_long && stream.peer >= 0) {
        NEED(is_live());
    }
}

/* While the front is no whole message and the connection lives, nothing may stop more from being
 * received. */
static void poll_until_quiet(void)
{
    size_t before;
    int silent = 0;
    for (int i = 0; i < 300 && silent < 3; i++) {
        before = stream.wire.size;
        poll_once();
        silent = before == stream.wire.size ? silent + 1 : 0;
    }
    NEED(has_whole() || !is_cut() || stream.wire.size == 0 ||
         front_of(&stream.got).is == TOO_LONG || !is_live());
}

static void read_message(void)
{
    size_t size = 77;
    struct front front = is_cut() ? front_of(&stream.got) : (struct front){PARTIAL, 0, 0, 0};
    const uint8_t *message = plx_socket_read_message(stream.socket, &size);
    NEED((message != NULL) == (front.is == WHOLE));
    NEED(size == (front.is == WHOLE ? front.size : 0));
    if (message != NULL) {
        NEED(size == 0 || memcmp(stream.got.data + front.before, message, size) == 0);
        bytes_drop(&stream.got, front.before + front.size + front.behind);
    } else if (!is_cut()) {
        NEED(plx_socket_last_error(stream.socket) == PLX_INVALID_STATE);
    } else if (front.is == TOO_LONG && is_live()) { /* exposed by a read or put there by unread */
        stream_poll(&stream, 0, SIZE_MAX);
        need_too_long();
    }
}

static void read_some(size_t size)
{
    static char bytes[1 << 15];
    ptrdiff_t count = plx_socket_read(stream.socket, bytes, size);
    NEED(count == -1 ? stream.got.size == 0
                     : (size_t)count == (size < stream.got.size ? size : stream.got.size));
    stream_took(&stream, bytes, count > 0 ? (size_t)count : 0);
}

/* Delimiters of two letters, so that many inputs have them and their beginnings. */
static void choose_frame(struct tape *tape)
{
    static const size_t sizes[] = {1, 2, 4};
    unsigned sort = tape_byte(tape);
    frame = (plx_frame){.maximum = tape_byte(tape) % 100};
    if (sort % 8 < 6) {
        frame.length_size = sizes[sort % 3];
        frame.little_endian = sort % 8 >= 3;
    } else {
        frame.delimiter = delimiter;
        frame.delimiter_size = 1 + sort / 8 % LONGEST_DELIMITER;
        unsigned letters = tape_byte(tape);
        for (size_t i = 0; i < frame.delimiter_size; i++) {
            delimiter[i] = letters >> i & 1 ? 'b' : 'a';
        }
    }
}

static void set_frame(struct tape *tape)
{
    choose_frame(tape);
    bool none = tape_byte(tape) % 8 == 7;
    NEED(plx_socket_set_frame(stream.socket, none ? NULL : &frame) == 0);
    frame = none ? (plx_frame){0} : frame;
}

static void send_bytes(struct tape *tape)
{
    size_t size;
    const uint8_t *bytes = tape_bytes(tape, tape_byte(tape) % 64, &size);
    stream_send(&stream, bytes, size);
}

/* A run of one letter, so that long messages need no long input. */
static void send_run(struct tape *tape)
{
    static uint8_t run[1 << 15];
    size_t size = tape_size(tape);
    memset(run, (int)tape_byte(tape), size);
    stream_send(&stream, run, size);
}

static void unread(struct tape *tape)
{
    size_t size;
    const uint8_t *bytes = tape_bytes(tape, tape_byte(tape) % 32, &size);
    stream_unread(&stream, bytes, size);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Whether the parser finds the message in the bytes that would be sent. */
static bool is_expressible(const uint8_t *message, size_t size)
{
    static struct bytes sent;
    if (size > maximum()) {
        return false;
    }
    sent.size = 0;
    bytes_append(&sent, message, size);
    bytes_append(&sent, delimiter, frame.delimiter_size);
    return frame.delimiter_size == 0 || front_of(&sent).size == size;
}

static void need_sent(const uint8_t *message, size_t size)
{
    static struct bytes sent;
    if (stream.peer < 0) {
        return;
    }
    ssize_t count = recv(stream.peer, sent.data, sizeof sent.data, MSG_DONTWAIT);
    sent.size = count < 0 ? 0 : (size_t)count;
    struct front front = front_of(&sent);
    NEED(front.is == WHOLE && front.size == size);
    NEED(sent.size == front.before + front.size + front.behind);
    NEED(size == 0 || memcmp(sent.data + front.before, message, size) == 0);
}

static void write_message(struct tape *tape)
{
    size_t size;
    const uint8_t *message = tape_bytes(tape, tape_byte(tape) % 120, &size);
    bool live = is_live();
    int code = plx_socket_write_message(stream.socket, message, size);
    if (!is_cut() || !live) {
        NEED(code == PLX_INVALID_STATE);
    } else if (!is_expressible(message, size)) {
        NEED(code == (size > maximum() ? EMSGSIZE : PLX_INVALID_STATE));
    } else {
        NEED(code == 0);
        NEED(plx_socket_flush(stream.socket) == 0);
        need_sent(message, size);
    }
}

/* ---- a program ------------------------------------------------------------------------------- */

static void step(struct tape *tape)
{
    switch (tape_byte(tape) % 14) {
    case 0: send_bytes(tape); break;
    case 1:
        send_bytes(tape);
        poll_once();
        break;
    case 2: send_run(tape); break;
    case 3: poll_once(); break;
    case 4: poll_until_quiet(); break;
    case 5:
    case 6: read_message(); break;
    case 7: read_some(tape_byte(tape) % 32); break;
    case 8: stream_skip(&stream, tape_size(tape)); break;
    case 9: unread(tape); break;
    case 10: set_frame(tape); break;
    case 11: write_message(tape); break;
    case 12:
        plx_socket_purge(stream.socket);
        stream.got.size = 0;
        break;
    default: tape_byte(tape) % 8 == 0 ? stream_hang_up(&stream) : (void)0; break;
    }
}

/* Reads all that is left, message by message. */
static void drain(void)
{
    stream_hang_up(&stream);
    size_t left = stream.wire.size + stream.got.size + 50;
    for (; left > 0 && (stream.wire.size > 0 || has_whole()); left--) {
        poll_once();
        read_message();
        if (!is_live() && !has_whole()) {
            break;
        }
        if (!is_cut()) {
            read_some(4096);
        }
    }
    NEED(!has_whole());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const plx_events events = {.message_available = available};
    struct tape tape = {data, size};
    frame = (plx_frame){0};
    reports = 0;
    stream_begin(&stream, tape_byte(&tape));
    plx_socket_set_events(stream.socket, &events, NULL);
    set_frame(&tape);
    while (tape.left > 0) {
        step(&tape);
        stream_need_same(&stream);
        NEED(plx_socket_can_read_message(stream.socket) == has_whole());
    }
    drain();
    stream_end(&stream);
    return 0;
}
