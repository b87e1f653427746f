/* tests/test-message.c -- messages over a stream: how they look on the wire, that they come out as
 * they went in however the stream was cut, many in a frame, and in a long random conversation.
 *
 * When they are reported stands in test-message-told.c, what is over a limit in test-message-bad.c,
 * arguments, ends, datagrams and servers in test-message-calls.c. */
#include "config.h"

#include <stdint.h>

#include "tests/clocks.h"
#include "tests/frames.h"

/* ---- every form ------------------------------------------------------------------------------ */

enum { MANY = 200 };

FORMS_CASE(messages_arrive_whole_and_in_order)
{
    size_t size;
    unsigned char *wire = wire_of(frame, MANY, &size);

    letters->act = letters_take;
    arrive(w, socket, raw, wire, size);
    ck_assert_uint_eq(letters->taken, MANY);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    expect_no_message(socket);
    free(wire);
}

static void write_messages(plx_socket *socket, const plx_frame *frame, size_t count)
{
    unsigned char *message = malloc(maximum_of(frame) + 1);

    for (size_t i = 0; i < count; i++) {
        size_t size = message_size(frame, i);

        message_fill(frame, i, message, size);
        ck_assert_int_eq(plx_socket_write_message(socket, message, size), 0);
    }
    free(message);
}

FORMS_CASE(messages_leave_as_the_frame_says)
{
    size_t size;
    unsigned char *wire = wire_of(frame, MANY, &size);

    write_messages(socket, frame, MANY);
    gather(w, raw, wire, size);
    ck_assert_int_eq(letters->log.count[EVENT_ERROR], 0);
    free(wire);
}

/* What stands on the wire, letter by letter. */
CASE(wire_format)
{
    static const struct {
        plx_frame frame;
        const char *message, *wire;
        size_t wire_size;
    } rows[] = {
        {{.length_size = 1}, "hello", "\5hello", 6},
        {{.length_size = 2}, "hello", "\0\5hello", 7},
        {{.length_size = 2, .little_endian = true}, "hello", "\5\0hello", 7},
        {{.length_size = 4}, "hello", "\0\0\0\5hello", 9},
        {{.length_size = 4, .little_endian = true}, "hello", "\5\0\0\0hello", 9},
        {{.length_size = 4}, "", "\0\0\0\0", 4},
        {{.delimiter = "\r\n", .delimiter_size = 2}, "hello", "hello\r\n", 7},
        {{.delimiter = "\0", .delimiter_size = 1}, "hello", "hello\0", 6},
        {{.delimiter = "\r\n", .delimiter_size = 2}, "", "\r\n", 2},
        {{.delimiter = "\r\n", .delimiter_size = 2}, "ab\r", "ab\r\r\n", 5},
        {{.delimiter = "<END/>..", .delimiter_size = 8}, "<END/>.", "<END/>.<END/>..", 15},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct letters letters;
        int raw;
        plx_socket *socket = letters_open(w, &letters, &rows[i].frame, &raw);
        const char *message = rows[i].message;

        ck_assert_int_eq(plx_socket_write_message(socket, message, strlen(message)), 0);
        ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), rows[i].wire_size);
        gather(w, raw, rows[i].wire, rows[i].wire_size);
        arrive(w, socket, raw, rows[i].wire, rows[i].wire_size);
        expect_message(socket, message);
        expect_no_message(socket);
        ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
        world_free(w, socket);
    }
}

CASE(lengths_use_all_their_bytes)
{
    static const struct {
        plx_frame frame;
        size_t size;
        const char *prefix;
    } rows[] = {
        {{.length_size = 1}, 0xfe, "\xfe"},
        {{.length_size = 2}, 0x1234, "\x12\x34"},
        {{.length_size = 2, .little_endian = true}, 0x1234, "\x34\x12"},
        {{.length_size = 4, .maximum = 0x00fedcba}, 0x00fedcba, "\x00\xfe\xdc\xba"},
        {{.length_size = 4, .little_endian = true}, 0x00012345, "\x45\x23\x01\x00"},
    };
    char *message = calloc(1, 0x00fedcba), prefix[4];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct letters letters;
        int raw;
        plx_socket *socket = letters_open(w, &letters, &rows[i].frame, &raw);
        size_t size = rows[i].frame.length_size;

        ck_assert_int_eq(plx_socket_write_message(socket, message, rows[i].size), 0);
        world_poll(w);
        world_readable(raw);
        ck_assert_int_eq(recv(raw, prefix, size, MSG_WAITALL), (ptrdiff_t)size);
        ck_assert_int_eq(memcmp(prefix, rows[i].prefix, size), 0);
        world_free(w, socket);
    }
    free(message);
}

/* ---- however it was cut ---------------------------------------------------------------------- */

/* Six messages, of which one is empty and one as long as a message may be. */
static size_t short_stream(const plx_frame *frame, char *place)
{
    static const size_t sizes[] = {3, 0, 9, 1, 2, 5};
    size_t at = 0;
    char message[9];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        message_fill(frame, i, message, sizes[i]);
        at += wire_put(frame, place + at, message, sizes[i]);
    }
    return at;
}

struct tally {
    size_t messages, bytes;
    const plx_frame *frame;
};

static void act_tally(struct letters *letters, plx_socket *socket)
{
    struct tally *tally = letters->log.data;
    const void *message;
    size_t size;

    while ((message = plx_socket_read_message(socket, &size)) != NULL) {
        ck_assert(message_matches(tally->frame, tally->messages % 6, message, size));
        tally->messages++;
        tally->bytes += size + frame_overhead(tally->frame);
    }
}

CASE(the_stream_may_be_cut_anywhere)
{
    for (size_t i = 0; i < FORMS; i++) {
        struct letters letters;
        plx_frame frame = forms[i];
        struct tally tally = {.frame = &frame};
        char wire[200];
        int raw;
        plx_socket *socket;
        size_t size = short_stream(&forms[i], wire);

        frame.maximum = 9;
        socket = letters_open(w, &letters, &frame, &raw);
        letters.act = act_tally;
        letters.log.data = &tally;
        for (size_t cut = 1; cut < size; cut++) {
            arrive(w, socket, raw, wire, cut);
            /* What was not reported is less than a message, and all that was is taken. */
            ck_assert_uint_le(tally.bytes, (cut - 1) * size + cut);
            ck_assert_uint_eq(plx_socket_bytes_available(socket),
                              (cut - 1) * size + cut - tally.bytes);
            expect_no_message(socket);
            arrive(w, socket, raw, wire + cut, size - cut);
            ck_assert_uint_eq(tally.messages, 6 * cut);
            ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
        }
        world_free(w, socket);
    }
}

FORMS_CASE(two_messages_and_a_half_in_one_piece)
{
    char wire[40];
    size_t two = wire_put(frame, wire, "one", 3), all;

    two += wire_put(frame, wire + two, "two", 3);
    all = two + wire_put(frame, wire + two, "three", 5);
    arrive(w, socket, raw, wire, all - 2);
    ck_assert_int_eq(letters->told, 1);
    expect_message(socket, "one");
    expect_message(socket, "two");
    expect_no_message(socket);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), all - 2 - two);
    world_settle(w);
    ck_assert_int_eq(letters->told, 1);
    arrive(w, socket, raw, wire + all - 2, 2);
    ck_assert_int_eq(letters->told, 2);
    expect_message(socket, "three");
}

/* What a message of that size costs that comes byte by byte, asked for after each. */
static long long cost_byte_by_byte(struct world *w, const plx_frame *form, size_t size)
{
    plx_frame frame = *form;
    struct letters letters;
    plx_socket *socket;
    unsigned char *wire = malloc(size + 8);
    size_t all;
    int raw;
    long long before;

    frame.maximum = size;
    message_fill(form, 0, wire, size);
    all = wire_put(form, wire, wire, size);
    socket = letters_open(w, &letters, &frame, &raw);
    letters.log.mute = ~0u;
    before = process_us();
    for (size_t i = 1; i <= all; i++) {
        raw_send(raw, wire + i - 1, 1);
        do
            world_poll(w);
        while (plx_socket_bytes_available(socket) < i);
        if (plx_socket_can_read_message(socket) != (i == all))
            ck_abort_msg("a message after %zu of %zu bytes", i, all);
    }
    before = process_us() - before;
    ck_assert_int_eq(letters.told, 1);
    world_free(w, socket);
    free(wire);
    return before;
}

/* Ten times the bytes at most fourteen times the cost. A search that begins anew with each byte
 * comes out far above; what disturbs a measurement does not disturb three of them. */
LOOP_CASE(a_message_byte_by_byte_costs_linear_time, 0, 3)
{
    static const int tried[] = {FORM_LONG, FORM_LINE, FORMS - 1};
    struct world world, *w = &world;
    double ratio = 100;
    size_t large = under_valgrind() ? 30000 : 300000;

    world_begin(w,
                (world_modes() - 1) * world_kinds() + world_kinds() - 1); /* ipc, in the best way */
    for (int attempt = 0; attempt < 3 && ratio > 14; attempt++) {
        const plx_frame *frame = &forms[tried[_i]];
        long long small = cost_byte_by_byte(w, frame, large / 10);
        long long whole = cost_byte_by_byte(w, frame, large);

        small = (small + cost_byte_by_byte(w, frame, large / 10)) / 2;
        ratio = (double)whole / (double)small;
    }
    printf("# message of %zu bytes, byte by byte: %.1f times one of %zu\n", large, ratio,
           large / 10);
    ck_assert_double_le(ratio, 14);
    world_end(w);
}

/* ---- many and quiet -------------------------------------------------------------------------- */

CASE(ten_thousand_in_a_frame)
{
    enum { COUNT = 10000, SIZE = 64 };
    struct letters letters, far_letters;
    plx_socket *socket = letters_socket(w, &letters, &forms[FORM_LONG]);
    plx_socket *far = letters_socket(w, &far_letters, &forms[FORM_LONG]);
    char message[SIZE];
    const char *got;
    size_t size;
    int taken = 0;

    world_couple(w, socket, far);
    for (int i = 0; i < COUNT; i++) {
        memset(message, i, SIZE);
        ck_assert_int_eq(plx_socket_write_message(socket, message, SIZE), 0);
    }
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), COUNT * (SIZE + 4));
    UNTIL(w, plx_socket_bytes_available(far) == COUNT * (SIZE + 4));
    while ((got = plx_socket_read_message(far, &size)) != NULL) {
        memset(message, taken++, SIZE);
        ck_assert_uint_eq(size, SIZE);
        ck_assert_int_eq(memcmp(got, message, SIZE), 0);
    }
    ck_assert_int_eq(taken, COUNT);
}

/* Answers whatever comes, from where it stands. */
static void act_echo(struct letters *letters, plx_socket *socket)
{
    const void *message;
    size_t size;

    while ((message = plx_socket_read_message(socket, &size)) != NULL) {
        ck_assert_int_eq(plx_socket_write_message(socket, message, size), 0);
        letters->taken++;
    }
}

static void act_count(struct letters *letters, plx_socket *socket)
{
    size_t size;

    while (plx_socket_read_message(socket, &size) != NULL)
        letters->taken++;
}

CASE(no_allocation_in_a_steady_frame)
{
    for (size_t i = 0; i < FORMS; i++) {
        struct letters letters, far_letters;
        plx_socket *socket = letters_socket(w, &letters, &forms[i]);
        plx_socket *far = letters_socket(w, &far_letters, &forms[i]);
        char message[100];
        size_t before = 0;

        far_letters.act = act_echo;
        letters.act = act_count;
        letters.log.mute = far_letters.log.mute = ~0u;
        world_couple(w, socket, far);
        message_fill(&forms[i], 0, message, sizeof message);
        for (size_t frame = 0; frame < 400; frame++) {
            if (frame == 100)
                before = count_allocations();
            record_clear(&letters.log);
            record_clear(&far_letters.log);
            for (size_t j = 0; j < 5; j++)
                ck_assert_int_eq(plx_socket_write_message(socket, message, (frame + j) % 90), 0);
            UNTIL(w, letters.taken == 5 * frame + 5);
        }
        ck_assert_uint_eq(count_allocations(), before);
        world_free(w, socket);
        world_free(w, far);
    }
}

/* ---- at random, compared with a model -------------------------------------------------------- */

/* What the socket should hold: the bytes that came and were not read. */
struct model {
    plx_frame frame;
    char bytes[8192];
    size_t size;
};

static uint32_t roll(uint32_t *seed, uint32_t sides)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 16) % sides;
}

static void model_take(struct model *model, size_t size)
{
    model->size -= size;
    memmove(model->bytes, model->bytes + size, model->size);
}

/* Finds the first message; returns the size of its frame's part before it, or -1: there is none. */
static int model_first(const struct model *model, size_t *ret_size)
{
    const plx_frame *frame = &model->frame;
    size_t size = 0, length = frame->length_size;

    if (frame->delimiter_size > 0) {
        const char *end =
            memmem(model->bytes, model->size, frame->delimiter, frame->delimiter_size);

        *ret_size = end == NULL ? 0 : (size_t)(end - model->bytes);
        return end == NULL ? -1 : 0;
    }
    if (length == 0 || model->size < length)
        return -1;
    for (size_t i = 0; i < length; i++)
        size = size << 8 | (unsigned char)model->bytes[frame->little_endian ? length - 1 - i : i];
    *ret_size = size;
    return model->size - length >= size ? (int)length : -1;
}

static void compare_message(struct model *model, plx_socket *socket)
{
    size_t wanted = 0, size;
    int before = model_first(model, &wanted);
    const void *message;

    if (frame_overhead(&model->frame) == 0) /* reading is a mistake then, and reported */
        return;
    message = plx_socket_read_message(socket, &size);
    ck_assert_int_eq(message != NULL, before >= 0);
    if (message == NULL)
        return;
    ck_assert_uint_eq(size, wanted);
    ck_assert_int_eq(memcmp(message, model->bytes + before, size), 0);
    model_take(model, size + frame_overhead(&model->frame));
}

static void compare_read(struct model *model, plx_socket *socket, size_t size)
{
    char bytes[16];
    ptrdiff_t count = plx_socket_read(socket, bytes, size);

    ck_assert_int_eq(count, (ptrdiff_t)(size < model->size ? size : model->size));
    ck_assert_int_eq(memcmp(bytes, model->bytes, (size_t)count), 0);
    model_take(model, (size_t)count);
}

static void put_back(struct model *model, plx_socket *socket, char byte)
{
    ck_assert_int_eq(plx_socket_unread(socket, &byte, 1), 0);
    memmove(model->bytes + 1, model->bytes, model->size++);
    model->bytes[0] = byte;
}

static void change(struct model *model, plx_socket *socket, uint32_t which)
{
    static const plx_frame frames[] = {
        {.length_size = 1},
        {.length_size = 1, .little_endian = true},
        {.delimiter = "\0", .delimiter_size = 1},
        {.delimiter = "\1\1\0", .delimiter_size = 3},
        {.delimiter = "\0\0\0\0", .delimiter_size = 4},
        {.delimiter = "\0\1\0\1\1\0\1\0", .delimiter_size = 8},
        {0},
    };

    model->frame = frames[which];
    ck_assert_int_eq(
        plx_socket_set_frame(socket, frame_overhead(&frames[which]) > 0 ? &frames[which] : NULL),
        0);
}

static void hear(struct world *w, struct model *model, plx_socket *socket, int raw, uint32_t *seed)
{
    size_t size = roll(seed, 12) + 1;
    char *place = model->bytes + model->size;

    for (size_t i = 0; i < size; i++)
        place[i] = (char)roll(seed, 2);
    arrive(w, socket, raw, place, size);
    model->size += size;
}

/* One step of whatever a program might do. */
static void step(struct world *w, struct model *model, plx_socket *socket, int raw, uint32_t *seed)
{
    uint32_t dice = roll(seed, 100);

    if (model->size > sizeof model->bytes - 100) {
        plx_socket_purge(socket);
        model->size = 0;
    } else if (dice < 40) {
        hear(w, model, socket, raw, seed);
    } else if (dice < 85) {
        compare_message(model, socket);
    } else if (dice < 92) {
        compare_read(model, socket, roll(seed, 4));
    } else if (dice < 97) {
        put_back(model, socket, (char)roll(seed, 2));
    } else {
        change(model, socket, roll(seed, 7));
    }
}

LETTERS_CASE(a_random_conversation, &forms[0])
{
    struct model model = {.size = 0};
    size_t size;
    uint32_t seed = 1;

    letters->log.mute = ~0u;
    change(&model, socket, 0);
    for (int i = 0; i < 20000; i++) {
        step(w, &model, socket, raw, &seed);
        ck_assert_uint_eq(plx_socket_bytes_available(socket), model.size);
        if (i % 2 == 0) /* asking must not matter */
            ck_assert_int_eq(plx_socket_can_read_message(socket), model_first(&model, &size) >= 0);
    }
    ck_assert(plx_socket_is_connected(socket));
    ck_assert_int_eq(letters->log.count[EVENT_ERROR], 0);
}

/* For streams only: packets refuse a frame. */
WORLD_MAIN("message", .timeout = 180)
