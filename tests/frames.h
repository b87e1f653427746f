/* tests/frames.h -- what the tests of messages share: the forms of frames, messages in these
 * frames, and a log that records message_available.
 *
 * The test makes messages with its own code, not with the library, so that an error in one is not
 * an error in both. The size and bytes of the n-th message of a stream follow from n. A message
 * that a delimiter ends is full of beginnings of that delimiter. */
#ifndef POLLUX_TESTS_FRAMES_H
#define POLLUX_TESTS_FRAMES_H

#include <errno.h>
#include <stdlib.h>

#include "tests/sockets.h"
#include "tests/world.h"

static const plx_frame forms[] = {
    {.length_size = 1},
    {.length_size = 2},
    {.length_size = 4},
    {.length_size = 1, .little_endian = true},
    {.length_size = 2, .little_endian = true},
    {.length_size = 4, .little_endian = true},
    {.delimiter = "\n", .delimiter_size = 1},
    {.delimiter = "\0", .delimiter_size = 1},
    {.delimiter = "\r\n", .delimiter_size = 2},
    {.delimiter = "aab", .delimiter_size = 3},
    {.delimiter = "\0\1\0\0\2\0\0\3", .delimiter_size = 8},
};

enum { FORMS = sizeof forms / sizeof forms[0], FORM_SHORT = 1, FORM_LONG = 2, FORM_LINE = 8 };

/* ---- messages -------------------------------------------------------------------------------- */

static inline size_t maximum_of(const plx_frame *frame)
{
    size_t most = frame->length_size == 1 ? 255 : frame->length_size == 2 ? 65535 : 1048576;

    return frame->maximum != 0 ? frame->maximum : most;
}

static inline size_t frame_overhead(const plx_frame *frame)
{
    return frame->length_size + frame->delimiter_size;
}

/* The size of the n-th message: first the sizes at which something changes, then short ones. */
static inline size_t message_size(const plx_frame *frame, size_t number)
{
    static const size_t edges[] = {0,     1,     0,     254,   255,    256, 127,    128, 65534,
                                   65535, 65536, 16380, 16384, 262144, 3,   262140, 2,   1048576};
    size_t edge = sizeof edges / sizeof edges[0];

    return (number < edge ? edges[number] : number * 37 % 300) % (maximum_of(frame) + 1);
}

/* A message never contains the delimiter's last byte, and often the bytes before that one. */
static inline unsigned char message_byte(const plx_frame *frame, size_t number, size_t at)
{
    const unsigned char *delimiter = frame->delimiter;
    unsigned char byte = pattern_byte(number * 1009 + at), last;

    if (delimiter == NULL)
        return byte;
    if (at % 16 + 1 < frame->delimiter_size)
        return delimiter[at % 16];
    last = delimiter[frame->delimiter_size - 1];
    return byte == last ? (unsigned char)(last ^ 0x55) : byte;
}

static inline void message_fill(const plx_frame *frame, size_t number, void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)data)[i] = message_byte(frame, number, i);
}

static inline bool message_matches(const plx_frame *frame, size_t number, const void *data,
                                   size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)data)[i] != message_byte(frame, number, i))
            return false;
    return true;
}

/* Writes a message with its frame; returns the size of both. */
static inline size_t wire_put(const plx_frame *frame, void *place, const void *message, size_t size)
{
    unsigned char *bytes = place;

    for (size_t i = 0; i < frame->length_size; i++) {
        size_t digit = frame->little_endian ? i : frame->length_size - 1 - i;

        bytes[i] = (unsigned char)(size >> (8 * digit));
    }
    if (size > 0)
        memmove(bytes + frame->length_size, message, size);
    if (frame->delimiter_size > 0)
        memcpy(bytes + size, frame->delimiter, frame->delimiter_size);
    return size + frame_overhead(frame);
}

/* Makes the stream of the first `count` messages, which the caller frees. */
static inline unsigned char *wire_of(const plx_frame *frame, size_t count, size_t *ret_size)
{
    size_t size = 0, at = 0, most = 0;
    unsigned char *wire, *message;

    for (size_t i = 0; i < count; i++) {
        size += message_size(frame, i) + frame_overhead(frame);
        most = message_size(frame, i) > most ? message_size(frame, i) : most;
    }
    wire = malloc(size + 1);
    message = malloc(most + 1);
    for (size_t i = 0; i < count; i++) {
        message_fill(frame, i, message, message_size(frame, i));
        at += wire_put(frame, wire + at, message, message_size(frame, i));
    }
    free(message);
    ck_assert_uint_eq(at, size);
    *ret_size = size;
    return wire;
}

/* ---- the log --------------------------------------------------------------------------------- */

struct letters;
typedef void letters_act(struct letters *letters, plx_socket *socket);

struct letters {
    struct record log; /* the first member: all handlers except two get it as their user */
    struct world *world;
    const plx_frame *frame;
    int told;         /* calls of message_available */
    int rooms;        /* calls of room_available */
    size_t taken;     /* messages that letters_take got */
    letters_act *act; /* in message_available, each time; NULL: nothing */
    letters_act *act_room;
};

static inline void letters_note(struct letters *letters, const char *what, plx_socket *socket)
{
    struct record *log = &letters->log;
    size_t room = sizeof log->text - log->length;

    ck_assert_msg(!log->inside, "%s inside another event, after \"%s\"", what, log->text);
    log->inside = true;
    if (room > 100)
        log->length +=
            (size_t)snprintf(log->text + log->length, room, "%s%s[%s]", log->length > 0 ? " " : "",
                             what, state_name(plx_socket_state(socket)));
}

static inline void on_message_available(plx_socket *socket, void *user)
{
    struct letters *letters = user;

    ck_assert(plx_socket_can_read_message(socket));
    letters->told++;
    letters_note(letters, "message_available", socket);
    if (letters->act != NULL)
        letters->act(letters, socket);
    letters->log.inside = false;
}

static inline void on_room_available(plx_socket *socket, void *user)
{
    struct letters *letters = user;

    letters->rooms++;
    letters_note(letters, "room_available", socket);
    if (letters->act_room != NULL)
        letters->act_room(letters, socket);
    letters->log.inside = false;
}

/* The handlers of a record, and the two that a record lacks. */
static inline const plx_events *letters_events(void)
{
    static plx_events events;

    events = record_events;
    events.message_available = on_message_available;
    events.room_available = on_room_available;
    return &events;
}

static inline void letters_begin(struct letters *letters, struct world *world,
                                 const plx_frame *frame)
{
    memset(letters, 0, sizeof *letters);
    letters->log.when = EVENT_NEVER;
    letters->log.mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_SEND_COMPLETE;
    letters->world = world;
    letters->frame = frame;
}

/* Makes a socket with that frame, not connected yet. */
static inline plx_socket *letters_socket(struct world *world, struct letters *letters,
                                         const plx_frame *frame)
{
    plx_socket *socket = world_socket(world, NULL);

    letters_begin(letters, world, frame);
    plx_socket_set_events(socket, letters_events(), letters);
    ck_assert_int_eq(plx_socket_set_frame(socket, frame), 0);
    return socket;
}

/* Makes such a socket, connected to a raw peer, with an empty log. */
static inline plx_socket *letters_open(struct world *world, struct letters *letters,
                                       const plx_frame *frame, int *ret_raw)
{
    plx_socket *socket = letters_socket(world, letters, frame);

    *ret_raw = world_pair(world, socket, &letters->log);
    return socket;
}

/* LETTERS_CASE(name, &forms[FORM_LINE]) is a CASE with such a `socket`, its `letters`, and `raw`,
 * its peer. */
#define LETTERS_CASE(name, frame)                                                                  \
    static void name##_framed(struct world *w, plx_socket *socket, struct letters *letters,        \
                              int raw);                                                            \
    CASE(name)                                                                                     \
    {                                                                                              \
        struct letters letters;                                                                    \
        int raw;                                                                                   \
        plx_socket *socket = letters_open(w, &letters, frame, &raw);                               \
                                                                                                   \
        name##_framed(w, socket, &letters, raw);                                                   \
    }                                                                                              \
    static void name##_framed(                                                                     \
        struct world *w CK_ATTRIBUTE_UNUSED, plx_socket *socket CK_ATTRIBUTE_UNUSED,               \
        struct letters *letters CK_ATTRIBUTE_UNUSED, int raw CK_ATTRIBUTE_UNUSED)

/* FORMS_CASE(name) is a CASE whose body runs once with each form as the `frame` of such a
 * socket. */
#define FORMS_CASE(name)                                                                           \
    static void name##_framed(struct world *w, plx_socket *socket, struct letters *letters,        \
                              int raw, const plx_frame *frame);                                    \
    CASE(name)                                                                                     \
    {                                                                                              \
        for (size_t i = 0; i < FORMS; i++) {                                                       \
            struct letters letters;                                                                \
            int raw;                                                                               \
            plx_socket *socket = letters_open(w, &letters, &forms[i], &raw);                       \
                                                                                                   \
            name##_framed(w, socket, &letters, raw, &forms[i]);                                    \
            world_free(w, socket);                                                                 \
        }                                                                                          \
    }                                                                                              \
    static void name##_framed(                                                                     \
        struct world *w CK_ATTRIBUTE_UNUSED, plx_socket *socket CK_ATTRIBUTE_UNUSED,               \
        struct letters *letters CK_ATTRIBUTE_UNUSED, int raw CK_ATTRIBUTE_UNUSED,                  \
        const plx_frame *frame CK_ATTRIBUTE_UNUSED)

/* ---- taking ---------------------------------------------------------------------------------- */

static inline bool letters_take_one(struct letters *letters, plx_socket *socket)
{
    size_t size = 12345, wanted = message_size(letters->frame, letters->taken);
    bool can = plx_socket_can_read_message(socket);
    const void *message = plx_socket_read_message(socket, &size);

    ck_assert_int_eq(message != NULL, can);
    ck_assert(message != NULL || size == 0);
    if (message == NULL)
        return false;
    ck_assert_msg(size == wanted && message_matches(letters->frame, letters->taken, message, size),
                  "%s: message %zu should have %zu bytes and came with %zu%s",
                  world_name(letters->world), letters->taken, wanted, size,
                  size == wanted ? ", which are others" : "");
    letters->taken++;
    return true;
}

static inline void letters_take(struct letters *letters, plx_socket *socket)
{
    while (letters_take_one(letters, socket)) {
    }
}

/* Takes one message and compares it with a string. */
static inline void expect_message(plx_socket *socket, const char *text)
{
    size_t size = 12345;
    const char *message;

    ck_assert(plx_socket_can_read_message(socket));
    message = plx_socket_read_message(socket, &size);
    ck_assert_ptr_nonnull(message);
    ck_assert_msg(size == strlen(text) && memcmp(message, text, size) == 0,
                  "wanted \"%s\", got %zu bytes: \"%.*s\"", text, size, (int)size, message);
}

static inline void expect_no_message(plx_socket *socket)
{
    size_t size = 12345;

    ck_assert(!plx_socket_can_read_message(socket));
    ck_assert_ptr_null(plx_socket_read_message(socket, &size));
    ck_assert_uint_eq(size, 0);
}

/* ---- moving bytes ---------------------------------------------------------------------------- */

static inline uint64_t bytes_received(const plx_socket *socket)
{
    plx_statistics statistics;

    ck_assert(plx_socket_statistics(socket, &statistics));
    return statistics.bytes_received;
}

/* Sends more than the kernel takes at once, polling meanwhile. */
static inline void feed(struct world *world, int raw, const void *data, size_t size)
{
    const char *bytes = data;

    for (int round = 0; size > 0;) {
        ssize_t sent = send(raw, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0) {
            ck_assert_int_eq(errno, EAGAIN);
            ck_assert_int_lt(round, ROUNDS);
            world_turn(world, round++);
        } else {
            bytes += sent;
            size -= (size_t)sent;
            round = 0;
        }
    }
}

/* Sends the bytes, and polls until all have arrived, and not once more. */
static inline void arrive(struct world *world, plx_socket *socket, int raw, const void *data,
                          size_t size)
{
    uint64_t wanted = bytes_received(socket) + size;

    feed(world, raw, data, size);
    UNTIL(world, bytes_received(socket) == wanted);
}

/* Does the same, in a case, with a string that may contain zero bytes. */
#define SAY(socket, raw, text) arrive(w, socket, raw, text, sizeof(text) - 1)

/* Polls until the raw peer has received exactly these bytes. */
static inline void gather(struct world *world, int raw, const void *data, size_t size)
{
    unsigned char *got = malloc(size + 1);
    size_t have = 0;

    for (int round = 0; have < size;) {
        ptrdiff_t piece = raw_take(raw, got + have, size - have);

        ck_assert_msg(piece > 0 || piece == -1, "the connection ended after %zu bytes", have);
        have += piece > 0 ? (size_t)piece : 0;
        round = piece > 0 ? 0 : round + 1;
        ck_assert_msg(round < ROUNDS, "%s: %zu of %zu bytes came", world_name(world), have, size);
        world_turn(world, round);
    }
    ck_assert_int_eq(memcmp(got, data, size), 0);
    world_settle(world);
    ck_assert_int_eq(raw_take(raw, got, 1), -1);
    free(got);
}

#endif
