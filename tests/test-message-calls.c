/* tests/test-message-calls.c -- messages: bad arguments, the end of a connection, datagrams, the
 * frame of a server, and a lack of memory. */
#include "config.h"

#include <stdint.h>

#include "tests/frames.h"

/* ---- bad arguments --------------------------------------------------------------------------- */

LETTERS_CASE(null_is_harmless, &forms[FORM_SHORT])
{
    size_t size = 5;

    ck_assert_int_eq(plx_socket_set_frame(NULL, &forms[0]), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_frame(NULL, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_server_set_frame(NULL, &forms[0]), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_write_message(NULL, "x", 1), PLX_INVALID_STATE);
    ck_assert_ptr_null(plx_socket_read_message(NULL, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert_ptr_null(plx_socket_read_message(NULL, NULL));
    ck_assert(!plx_socket_can_read_message(NULL));
    ck_assert_int_eq(plx_socket_write_message(socket, NULL, 1), PLX_INVALID_STATE);
    ck_assert_ptr_null(plx_socket_read_message(socket, NULL));
    ck_assert_int_eq(plx_socket_write_message(socket, NULL, 0), 0); /* an empty message */
    gather(w, raw, "\0", 2);
    SAY(socket, raw, "\0\1a");
    ck_assert_ptr_nonnull(plx_socket_read_message(socket, NULL));
    expect_no_message(socket);
}

LETTERS_CASE(frames_that_are_none, &forms[FORM_SHORT])
{
    static const plx_frame rows[] = {
        {0},
        {.maximum = 100},
        {.little_endian = true},
        {.length_size = 3},
        {.length_size = 5},
        {.length_size = 8},
        {.length_size = SIZE_MAX},
        {.length_size = 2, .delimiter = "\n", .delimiter_size = 1},
        {.delimiter = "\n"},
        {.delimiter_size = 1},
        {.delimiter = "123456789", .delimiter_size = 9},
        {.delimiter = "1", .delimiter_size = SIZE_MAX},
        {.length_size = 1, .maximum = 256},
        {.length_size = 2, .maximum = 65536},
        {.length_size = 2, .maximum = SIZE_MAX},
#if SIZE_MAX > UINT32_MAX
        {.length_size = 4, .maximum = (size_t)UINT32_MAX + 1},
#else
        {.length_size = 4, .maximum = UINT32_MAX},
#endif
        {.length_size = 4, .maximum = (size_t)PTRDIFF_MAX / 2 + 1},
        {.length_size = 4, .maximum = SIZE_MAX},
    };
    plx_server *server = world_server(w);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        record_clear(&letters->log);
        ck_assert_msg(plx_socket_set_frame(socket, &rows[i]) == PLX_INVALID_STATE, "row %zu", i);
        ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
        world_settle(w);
        ck_assert_int_eq(letters->log.count[EVENT_ERROR], 1);
        ck_assert_int_eq(plx_server_set_frame(server, &rows[i]), PLX_INVALID_STATE);
    }
    SAY(socket, raw, "\0\3old"); /* what was set before holds */
    expect_message(socket, "old");
}

/* The largest that the length can say, and one that nothing could hold. */
LETTERS_CASE(frames_at_their_limits, &forms[FORM_SHORT])
{
    static const plx_frame rows[] = {
        {.length_size = 1, .maximum = 255},
        {.length_size = 2, .maximum = 65535},
#if SIZE_MAX > UINT32_MAX
        {.length_size = 4, .maximum = UINT32_MAX},
#else
        {.length_size = 4, .maximum = PTRDIFF_MAX / 2},
#endif
        {.delimiter = "12345678", .delimiter_size = 8, .maximum = 1},
        {.length_size = 1, .maximum = 1},
    };
    const plx_frame endless = {.delimiter = "\r\n", .delimiter_size = 2, .maximum = SIZE_MAX};
    char wire[20];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(plx_socket_set_frame(socket, &rows[i]), 0);
        arrive(w, socket, raw, wire, wire_put(&rows[i], wire, "x", 1));
        expect_message(socket, "x");
    }
    if (plx_socket_set_frame(socket, &endless) == 0) {
        SAY(socket, raw, "a\r");
        SAY(socket, raw, "\n");
        expect_message(socket, "a");
        ck_assert_int_eq(plx_socket_write_message(socket, "b", 1), 0);
        gather(w, raw, "b\r\n", 3);
    }
    ck_assert(plx_socket_is_connected(socket));
}

LETTERS_CASE(the_frame_is_copied, &forms[FORM_SHORT])
{
    char delimiter[] = "--";
    plx_frame frame = {.delimiter = delimiter, .delimiter_size = 2};

    ck_assert_int_eq(plx_socket_set_frame(socket, &frame), 0);
    memcpy(delimiter, "xy", 2);
    memset(&frame, 0xff, sizeof frame);
    SAY(socket, raw, "axyb--c");
    expect_message(socket, "axyb");
    ck_assert_int_eq(plx_socket_write_message(socket, "xy", 2), 0);
    gather(w, raw, "xy--", 4);
}

LETTERS_CASE(without_a_frame_there_are_no_messages, &forms[FORM_SHORT])
{
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), 0);
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), 0);
    SAY(socket, raw, "\0\1a");
    ck_assert_int_eq(letters->told, 0);
    expect_no_message(socket);
    ck_assert_int_eq(plx_socket_write_message(socket, "a", 1), PLX_INVALID_STATE);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    record_clear(&letters->log);
    world_settle(w);
    ck_assert_int_eq(letters->log.count[EVENT_ERROR], 1);
    /* From now on there are, and the byte that comes makes the poll look. */
    ck_assert_int_eq(plx_socket_set_frame(socket, &forms[FORM_SHORT]), 0);
    SAY(socket, raw, "\0");
    ck_assert_int_eq(letters->told, 1);
    expect_message(socket, "a");
}

CASE(written_where_there_is_no_connection)
{
    struct letters letters, other_letters;
    char where[WHERE_SIZE];
    plx_socket *socket = letters_socket(w, &letters, &forms[FORM_SHORT]);
    plx_socket *other = letters_socket(w, &other_letters, &forms[FORM_SHORT]);

    ck_assert_int_eq(plx_socket_write_message(socket, "a", 1), PLX_INVALID_STATE);
    expect_no_message(socket);
    world_listen(w, other, where);
    ck_assert_int_eq(plx_socket_write_message(other, "a", 1), PLX_INVALID_STATE);
    expect_no_message(other);
}

/* ---- the end --------------------------------------------------------------------------------- */

FORMS_CASE(half_a_message_at_the_end)
{
    char wire[40], bytes[40];
    size_t whole = wire_put(frame, wire, "whole", 5);
    size_t all = whole + wire_put(frame, wire + whole, "half", 4) - 1;

    letters->log.mute |= 1u << EVENT_LINE_AVAILABLE;
    raw_send(raw, wire, all);
    raw_close(w, raw);
    UNTIL(w, letters->log.count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, &letters->log,
           "data_available[CONNECTED] message_available[CONNECTED] state:UNCONNECTED "
           "error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]");
    ck_assert_int_eq(letters->told, 1);
    ck_assert_int_eq(letters->log.code, PLX_LOST_CONNECTION);
    expect_message(socket, "whole");
    expect_no_message(socket);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), all - whole);
    ck_assert_int_eq(plx_socket_read(socket, bytes, sizeof bytes), (ptrdiff_t)(all - whole));
    ck_assert_int_eq(memcmp(bytes, wire + whole, all - whole), 0);
    expect_no_message(socket);
}

FORMS_CASE(messages_that_came_with_the_end_are_told_before_it)
{
    size_t size;
    unsigned char *wire = wire_of(frame, 30, &size);

    letters->act = letters_take;
    feed(w, raw, wire, size);
    raw_close(w, raw);
    UNTIL(w, letters->log.count[EVENT_DISCONNECTED] > 0);
    ck_assert_uint_eq(letters->taken, 30);
    ck_assert_int_eq(letters->log.code, PLX_LOST_CONNECTION);
    free(wire);
}

LETTERS_CASE(a_half_open_end_leaves_messages_readable, &forms[FORM_SHORT])
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_HALF_OPEN, 1), 0);
    raw_send(raw, "\0\1a\0\5he", 7);
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    UNTIL(w, letters->log.count[EVENT_END_OF_INPUT] > 0);
    LOGGED(w, &letters->log,
           "data_available[CONNECTED] message_available[CONNECTED] end_of_input[CONNECTED]");
    expect_message(socket, "a");
    expect_no_message(socket);
    ck_assert_int_eq(plx_socket_write_message(socket, "still here", 10), 0);
    gather(w, raw, "\0\12still here", 12);
}

/* A peer that goes on while we close: whatever it says, the end comes. */
CASE(closing_ends_whatever_comes)
{
    static const char *const said[] = {"\xff\xff\xff\xff", "\0\0\0\5hel", "\0\0\xff\xff"};

    for (size_t i = 0; i < 3; i++) {
        struct letters letters;
        int raw;
        plx_socket *socket = letters_open(w, &letters, &forms[FORM_LONG], &raw);

        raw_send(raw, said[i], 4);
        ck_assert_int_eq(plx_socket_write_message(socket, "bye", 3), 0);
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
        raw_send(raw, said[i], 4);
        UNTIL(w, is_readable(raw));
        raw_close(w, raw);
        UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
        world_free(w, socket);
    }
}

/* ---- datagrams ------------------------------------------------------------------------------- */

MODE_CASE(a_datagram_is_a_message)
{
    struct letters letters[2];
    plx_socket *sockets[2];
    char where[WHERE_SIZE], message[1000];
    size_t size;

    for (int i = 0; i < 2; i++) {
        sockets[i] = world_socket_of(w, plx_udp_new, NULL);
        letters_begin(&letters[i], w, NULL);
        plx_socket_set_events(sockets[i], letters_events(), &letters[i]);
        ck_assert_int_eq(plx_socket_set_interface(sockets[i], "127.0.0.1"), 0);
        ck_assert_int_eq(plx_socket_connect(sockets[i]), 0);
        ck_assert_int_eq(plx_socket_write_message(sockets[i], "a", 1), PLX_INVALID_STATE);
        expect_no_message(sockets[i]);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(where, sizeof where, "127.0.0.1:%d", plx_socket_port(sockets[1 - i]));
        ck_assert_int_eq(plx_socket_connect_to(sockets[i], where), 0);
        ck_assert_int_eq(plx_socket_set_frame(sockets[i], &forms[0]), PLX_INVALID_STATE);
    }
    world_settle(w);
    memset(message, 'm', sizeof message);
    ck_assert_int_eq(plx_socket_write_message(sockets[0], "one", 3), 0);
    ck_assert_int_eq(plx_socket_write_message(sockets[0], NULL, 0), 0);
    ck_assert_int_eq(plx_socket_write_message(sockets[0], message, sizeof message), 0);
    ck_assert_int_eq(plx_socket_write_message(sockets[0], message, 70000), EMSGSIZE);
    UNTIL(w, letters[1].told > 0);
    expect_message(sockets[1], "one");
    UNTIL(w, plx_socket_can_read_message(sockets[1]));
    expect_message(sockets[1], "");
    UNTIL(w, plx_socket_can_read_message(sockets[1]));
    ck_assert_int_eq(memcmp(plx_socket_read_message(sockets[1], &size), message, 1000), 0);
    ck_assert_uint_eq(size, sizeof message);
    expect_no_message(sockets[1]);
}

/* ---- servers --------------------------------------------------------------------------------- */

CASE(clients_have_the_frame_of_their_server)
{
    struct letters letters;
    plx_server *server = world_server(w);
    char where[WHERE_SIZE], delimiter[] = "\r\n";
    const plx_frame frame = {.delimiter = delimiter, .delimiter_size = 2, .maximum = 5};
    plx_socket *first, *second;
    int raws[2];

    letters_begin(&letters, w, &forms[FORM_LINE]);
    plx_server_set_client_events(server, letters_events(), &letters);
    ck_assert_int_eq(plx_server_set_frame(server, &forms[0]), 0);
    ck_assert_int_eq(plx_server_set_frame(server, &frame), 0);
    delimiter[0] = '?';
    world_serve(w, server, where);
    raws[0] = raw_connect(w, where);
    raw_say(raws[0], "hello\r\n\1x");
    UNTIL(w, letters.told == 1);
    first = plx_server_next_active(server, NULL);
    expect_message(first, "hello");
    ck_assert_int_eq(plx_socket_write_message(first, "reply", 5), 0);
    ck_assert_int_eq(plx_socket_write_message(first, "longer", 6), EMSGSIZE);
    gather(w, raws[0], "reply\r\n", 7);
    /* A client's own frame is its own, and the server's new one is for later clients. */
    ck_assert_int_eq(plx_socket_set_frame(first, &forms[0]), 0);
    ck_assert_int_eq(plx_server_set_frame(server, &forms[FORM_SHORT]), 0);
    expect_message(first, "x");
    raws[1] = raw_connect(w, where);
    raw_send(raws[1], "\0\3new", 5);
    UNTIL(w, letters.told == 2);
    second = plx_server_next_active(server, NULL);
    second = second == first ? plx_server_next_active(server, first) : second;
    expect_message(second, "new");
    ck_assert_int_eq(plx_server_set_frame(server, NULL), 0);
    raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 3);
    for (plx_socket *each = plx_server_next_active(server, NULL); each != NULL;
         each = plx_server_next_active(server, each))
        ck_assert_int_eq(plx_socket_write_message(each, "x", 1),
                         each == first || each == second ? 0 : PLX_INVALID_STATE);
}

static plx_socket *make_client(plx_server *server, void *user)
{
    const struct world *w = user;

    (void)server;
    return w->kind->create();
}

/* An accepted handler sees the frame, and may change it, before a byte is looked at. */
static void change_frame(plx_server *server, plx_socket *client, void *user)
{
    (void)server;
    (void)user;
    ck_assert_int_eq(plx_socket_set_frame(client, &forms[FORM_SHORT]), 0);
}

CASE(sockets_from_add_socket_have_it_too)
{
    static const plx_server_events makes = {.add_socket = make_client};
    static const plx_server_events changes = {.add_socket = make_client, .accepted = change_frame};
    struct letters letters;
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];
    int raw;

    letters_begin(&letters, w, NULL);
    plx_server_set_client_events(server, letters_events(), &letters);
    plx_server_set_events(server, &makes, w);
    ck_assert_int_eq(plx_server_set_frame(server, &forms[FORM_LINE]), 0);
    world_serve(w, server, where);
    raw = raw_connect(w, where);
    raw_say(raw, "x\r\n");
    UNTIL(w, letters.told == 1);
    expect_message(plx_server_next_active(server, NULL), "x");
    world_free_server(w, server);
    server = world_server(w);
    plx_server_set_client_events(server, letters_events(), &letters);
    plx_server_set_events(server, &changes, w);
    ck_assert_int_eq(plx_server_set_frame(server, &forms[FORM_LINE]), 0);
    world_serve(w, server, where);
    raw = raw_connect(w, where);
    raw_send(raw, "\0\3x\r\n", 5);
    UNTIL(w, letters.told == 2);
    expect_message(plx_server_next_active(server, NULL), "x\r\n");
}

/* ---- a lack of memory ------------------------------------------------------------------------ */

LETTERS_CASE(a_message_without_memory_is_refused_whole, &forms[FORM_LONG])
{
    char *message = calloc(1, 100004), *wire = malloc(100008);

    /* A large one may have gone to the kernel directly, and then needs no memory. */
    for (size_t size = 10; size <= 100000; size *= 10) {
        int result;

        fail_allocation(-1);
        result = plx_socket_write_message(socket, message, size);
        fail_allocation(0);
        ck_assert(result == PLX_OUT_OF_MEMORY || result == 0);
        ck_assert(result == 0 || plx_socket_bytes_left_to_send(socket) == 0);
        if (result == 0)
            gather(w, raw, wire, wire_put(&forms[FORM_LONG], wire, message, size));
    }
    ck_assert_int_eq(plx_socket_write_message(socket, "x", 1), 0);
    gather(w, raw, "\0\0\0\1x", 5);
    free(message);
    free(wire);
}

LETTERS_CASE(a_frame_without_memory_changes_nothing, &forms[FORM_SHORT])
{
    for (int number = 1; number < 10; number++) {
        size_t size;
        int result;

        fail_allocation(-number);
        result = plx_socket_set_frame(socket, &forms[FORM_LINE]);
        fail_allocation(0);
        ck_assert(result == 0 || result == PLX_OUT_OF_MEMORY);
        SAY(socket, raw, "\0\1\r\n");
        ck_assert_ptr_nonnull(plx_socket_read_message(socket, &size));
        ck_assert_uint_eq(plx_socket_bytes_available(socket), result == 0 ? 0 : 1);
        plx_socket_purge(socket);
        ck_assert_int_eq(plx_socket_set_frame(socket, &forms[FORM_SHORT]), 0);
    }
}

/* Each call may fail, none may crash, leak, or make a client with another frame than it should. */
static void use_messages(struct world *w)
{
    plx_group *group = plx_group_new();
    plx_socket *client = w->kind->create(), *each;
    plx_server *server = plx_server_new(w->kind->create);
    struct letters letters;
    char place[WHERE_SIZE], where[WHERE_SIZE];
    static char bytes[40000];
    bool framed = plx_server_set_frame(server, &forms[FORM_LINE]) == 0;
    int result;

    letters_begin(&letters, w, NULL);
    letters.log.mute = ~0u;
    world_place(w, place);
    plx_socket_set_frame(client, &forms[FORM_LONG]);
    plx_socket_set_frame(client, &forms[FORM_LINE]);
    plx_group_add(group, client);
    plx_group_add_server(group, server);
    if (plx_server_listen_on(server, place) == 0) {
        w->kind->reach(place, plx_server_port(server), where);
        plx_socket_connect_to(client, where);
    }
    for (int i = 0; i < 12; i++) {
        plx_socket_write_message(client, bytes, i % 2 == 0 ? 10 : sizeof bytes);
        plx_group_poll(group, 0);
        plx_server_poll(server);
        plx_socket_poll(client);
        each = plx_server_next_active(server, NULL);
        if (each != NULL && framed && plx_socket_state(each) == PLX_CONNECTED) {
            result = plx_socket_write_message(each, bytes, 100);
            ck_assert(result == 0 || result == PLX_OUT_OF_MEMORY);
        }
        plx_socket_read_message(each, NULL);
        plx_socket_read_message(client, NULL);
    }
    plx_socket_set_frame(client, NULL);
    plx_socket_free(client);
    plx_server_free(server);
    plx_group_free(group);
}

CASE(want_of_memory_at_any_moment)
{
    int failures = 0;

    for (int i = 0; i < 260; i++) {
        size_t blocks = count_blocks();
        int descriptors = count_descriptors();

        fail_allocation(i < 200 ? i + 1 : 199 - i);
        use_messages(w);
        failures += allocation_failed();
        fail_allocation(0);
        ck_assert_msg(count_blocks() == blocks && count_descriptors() == descriptors,
                      "%s: leak in round %d", world_name(w), i);
    }
    ck_assert_int_gt(failures, 10);
}

/* For streams only: packets refuse a frame. */
WORLD_MAIN("message-calls")
