/* tests/fuzz/fuzz-lines.c -- lines in random pieces: read_line, can_read_line, read, read_exact,
 * read_all, skip, unread and purge, held against a search for '\n'. */
#include "lib/socket/receiving.h"
#include "tests/fuzz/stream.h"

static struct stream stream;
static size_t lifted; /* what a read_exact waits for */

/* How many bytes the socket may hold now. */
static size_t most_now(void)
{
    return stream.limit == 0 ? SIZE_MAX : stream.limit > lifted ? stream.limit : lifted;
}

static bool has_ended(void)
{
    return plx_socket_state(stream.socket) == PLX_UNCONNECTED ||
           plx__receiving_has_ended(stream.socket);
}

/* The length of the first line with its '\n'; 0: there is none. */
static size_t whole_line(void)
{
    const uint8_t *end = memchr(stream.got.data, '\n', stream.got.size);
    return end == NULL ? 0 : (size_t)(end - stream.got.data) + 1;
}

static bool expect_line(void)
{
    return stream.got.size > 0 &&
           (whole_line() > 0 || has_ended() || stream.got.size >= most_now());
}

static ptrdiff_t expected_length(size_t size)
{
    size_t line = whole_line(), room = size - 1;
    bool piece = stream.got.size >= most_now() || stream.got.size >= room || has_ended();
    if (stream.got.size == 0) {
        return has_ended() ? -1 : 0;
    }
    if (line == 0 && piece) {
        line = stream.got.size;
    }
    return (ptrdiff_t)(line < room ? line : room);
}

static void read_line(size_t size)
{
    char *line = malloc(size > 0 ? size : 1);
    NEED(line != NULL);
    ptrdiff_t expected = size < 2 ? -1 : expected_length(size);
    ptrdiff_t length = plx_socket_read_line(stream.socket, line, size);
    NEED(length == expected);
    NEED(size >= 2 || plx_socket_last_error(stream.socket) == PLX_INVALID_STATE);
    if (length > 0) {
        NEED(line[length] == '\0');
        stream_took(&stream, line, (size_t)length);
    }
    free(line);
}

static void read_some(size_t size)
{
    static char bytes[1 << 15];
    ptrdiff_t expected = (ptrdiff_t)(size < stream.got.size ? size : stream.got.size);
    expected = stream.got.size == 0 && has_ended() ? -1 : expected;
    NEED(plx_socket_read(stream.socket, bytes, size) == expected);
    stream_took(&stream, bytes, expected > 0 ? (size_t)expected : 0);
}

static void read_exact(size_t size)
{
    static char bytes[1 << 15];
    bool enough = stream.got.size >= size;
    ptrdiff_t expected = enough ? (ptrdiff_t)size : has_ended() ? -1 : 0;
    NEED(plx_socket_read_exact(stream.socket, bytes, size) == expected);
    lifted = enough ? 0 : has_ended() ? lifted : size;
    stream_took(&stream, bytes, expected > 0 ? (size_t)expected : 0);
}

static void read_all(void)
{
    size_t size;
    const void *data = plx_socket_read_all(stream.socket, &size);
    NEED(size == stream.got.size);
    stream_took(&stream, data, size);
}

static void send_bytes(struct tape *tape)
{
    size_t size;
    const uint8_t *bytes = tape_bytes(tape, tape_byte(tape) % 64, &size);
    stream_send(&stream, bytes, size);
}

/* A line of that length, so that long ones need no long input. */
static void send_line(size_t length)
{
    static uint8_t line[1 << 15];
    memset(line, 'x', length);
    line[length] = '\n';
    stream_send(&stream, line, length + 1);
}

static void unread(struct tape *tape)
{
    size_t size;
    const uint8_t *bytes = tape_bytes(tape, tape_byte(tape) % 32, &size);
    stream_unread(&stream, bytes, size);
}

static void purge(void)
{
    plx_socket_purge(stream.socket);
    stream.got.size = 0;
}

static void step(struct tape *tape)
{
    switch (tape_byte(tape) % 13) {
    case 0: send_bytes(tape); break;
    case 1:
        send_bytes(tape);
        stream_poll(&stream, most_now(), most_now());
        break;
    case 2: stream_poll(&stream, most_now(), most_now()); break;
    case 3: read_line(tape_byte(tape)); break;
    case 4: read_line(tape_size(tape)); break;
    case 5: unread(tape); break;
    case 6: stream_skip(&stream, tape_size(tape)); break;
    case 7: read_some(tape_byte(tape) % 32); break;
    case 8: read_exact(tape_size(tape)); break;
    case 9: read_all(); break;
    case 10: send_line(tape_size(tape)); break;
    case 11: tape_byte(tape) % 4 == 0 ? purge() : (void)0; break;
    default: tape_byte(tape) % 8 == 0 ? stream_hang_up(&stream) : (void)0; break;
    }
}

/* Everything that was sent is received and read, whatever happened before. */
static void drain(void)
{
    stream_hang_up(&stream);
    for (size_t left = stream.wire.size + stream.got.size + 50;
         left > 0 && !(has_ended() && stream.got.size == 0); left--) {
        stream_poll(&stream, most_now(), most_now());
        read_line(1000);
    }
    NEED(stream.wire.size == 0 && stream.got.size == 0 && has_ended());
    NEED(plx_socket_end_of_file(stream.socket));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    lifted = 0;
    stream_begin(&stream, tape_byte(&tape));
    while (tape.left > 0) {
        step(&tape);
        stream_need_same(&stream);
        NEED(plx_socket_can_read_line(stream.socket) == expect_line());
    }
    drain();
    stream_end(&stream);
    return 0;
}
