/* tests/test-seqpacket.c -- packets over a connection: whole or not at all, and none lost.
 *
 * What every connection does is shown by tests/conform/, for packets too. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/sockets.h"
#include "tests/world.h"

enum { LARGEST = 200000 };

/* raw_send sends no empty packet. */
static void send_empty(int raw)
{
    ck_assert_int_eq(send(raw, "", 0, MSG_NOSIGNAL), 0);
}

/* The next packet is exactly that text. */
static void expect_packet(struct world *w, plx_socket *socket, const char *text)
{
    const char *got;
    size_t size;

    UNTIL(w, plx_socket_can_read_message(socket));
    ck_assert_uint_eq(plx_socket_bytes_available(socket), strlen(text));
    got = plx_socket_read_message(socket, &size);
    ck_assert_uint_eq(size, strlen(text));
    ck_assert_mem_eq(got, text, size);
}

static void raw_expect_packet(struct world *w, int raw, const char *text)
{
    char got[64] = "";

    UNTIL(w, is_readable(raw));
    ck_assert_int_eq(recv(raw, got, sizeof got, MSG_DONTWAIT), (ssize_t)strlen(text));
    ck_assert_str_eq(got, text);
}

/* ---- boundaries ------------------------------------------------------------------------------ */

MODE_PAIR_CASE(packets_come_as_they_were_sent)
{
    char got[64];

    raw_say(raw, "one");
    raw_say(raw, "and");
    raw_say(raw, "two words");
    UNTIL(w, plx_socket_bytes_available(socket) > 0);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 1);
    expect_packet(w, socket, "one");
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 3);
    ck_assert_mem_eq(got, "and", 3);
    ck_assert_int_eq(plx_socket_read(socket, got, 3), 3); /* the rest is lost, as with UDP */
    ck_assert_mem_eq(got, "two", 3);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 0);
    raw_say(raw, "next");
    expect_packet(w, socket, "next");
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

MODE_PAIR_CASE(packets_leave_as_they_were_written)
{
    ck_assert_int_eq(plx_socket_write(socket, "one", 3), 3);
    ck_assert_int_eq(plx_socket_write_message(socket, "two", 3), 0);
    ck_assert_int_eq(plx_socket_write(socket, "three", 5), 5);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 11);
    ck_assert(!is_readable(raw));
    UNTIL(w, plx_socket_bytes_left_to_send(socket) == 0);
    raw_expect_packet(w, raw, "one");
    raw_expect_packet(w, raw, "two");
    raw_expect_packet(w, raw, "three");
    SETTLED(w, log, "send_complete(false)[CONNECTED]");
    ck_assert_int_eq(plx_socket_write(socket, "now", 3), 3);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    raw_expect_packet(w, raw, "now");
}

MODE_CASE(all_sizes)
{
    static const size_t sizes[] = {1, 2, 63, 4096, 16383, 16384, 65535, 65536, 65537, LARGEST};
    struct record log, other;
    plx_socket *a = world_socket(w, &log), *b = world_socket(w, &other);
    unsigned char *bytes = malloc(LARGEST);

    world_couple(w, a, b);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const void *got;
        size_t size;

        pattern_fill(bytes, sizes[i], i);
        ck_assert_int_eq(plx_socket_write(a, bytes, sizes[i]), (ptrdiff_t)sizes[i]);
        UNTIL(w, plx_socket_can_read_message(b));
        got = plx_socket_read_message(b, &size);
        ck_assert_uint_eq(size, sizes[i]);
        ck_assert(pattern_matches(got, size, i));
        ck_assert(!plx_socket_can_read_message(b));
    }
    free(bytes);
}

/* Far more than the kernel holds, so that the sender has to wait for the reader again and again. */
MODE_CASE(many_of_all_sizes_in_a_row)
{
    struct record log, other;
    plx_socket *a = world_socket(w, &log), *b = world_socket(w, &other);
    unsigned char *bytes = malloc(LARGEST);
    size_t sent = 0, taken = 0, size;

    world_couple(w, a, b);
    for (; sent < 3000; sent++) {
        size = 1 + sent * sent % (sent % 100 == 0 ? LARGEST : 3000);
        pattern_fill(bytes, size, sent);
        ck_assert_int_eq(plx_socket_write(a, bytes, size), (ptrdiff_t)size);
    }
    while (taken < sent) {
        const void *got;

        UNTIL(w, plx_socket_can_read_message(b));
        for (; (got = plx_socket_read_message(b, &size)) != NULL; taken++) {
            ck_assert_uint_eq(size, 1 + taken * taken % (taken % 100 == 0 ? LARGEST : 3000));
            ck_assert(pattern_matches(got, size, taken));
        }
    }
    ck_assert_int_eq(log.count[EVENT_ERROR] + other.count[EVENT_ERROR], 0);
    free(bytes);
}

MODE_PAIR_CASE(many_in_one_frame)
{
    plx_statistics statistics;

    for (int i = 0; i < 100; i++) {
        char text[24];

        snprintf(text, sizeof text, "packet %d", i);
        raw_say(raw, text);
    }
    world_poll(w);
    ck_assert(plx_socket_statistics(socket, &statistics));
    ck_assert_int_eq((int)statistics.messages_received, 100);
    for (int i = 0; i < 100; i++) {
        char text[24];

        snprintf(text, sizeof text, "packet %d", i);
        expect_packet(w, socket, text);
    }
}

MODE_PAIR_CASE(no_empty_packet_is_written)
{
    ck_assert_int_eq(plx_socket_write(socket, "", 0), -1);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
    ck_assert_int_eq(plx_socket_write_message(socket, NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    raw_expect_packet(w, raw, "x");
}

/* Of somebody else, who may send them: no end is read out of one. */
MODE_PAIR_CASE(empty_packets_are_no_end)
{
    send_empty(raw);
    expect_packet(w, socket, "");
    send_empty(raw);
    send_empty(raw);
    raw_say(raw, "more");
    send_empty(raw);
    raw_say(raw, "last");
    raw_close(w, raw);
    expect_packet(w, socket, "");
    expect_packet(w, socket, "");
    expect_packet(w, socket, "more");
    expect_packet(w, socket, "");
    expect_packet(w, socket, "last");
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
}

MODE_PAIR_CASE(too_large_is_told_and_dropped)
{
    char *bytes = calloc(1, 1000000);

    ck_assert_int_eq(plx_socket_write(socket, "before", 6), 6);
    ck_assert_int_eq(plx_socket_write(socket, bytes, 1000000), 1000000);
    ck_assert_int_eq(plx_socket_write(socket, "after", 5), 5);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log->code, EMSGSIZE);
    ck_assert_int_eq(log->reason, PLX_REASON_DATAGRAM_TOO_LARGE);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    raw_expect_packet(w, raw, "before");
    raw_expect_packet(w, raw, "after");
    free(bytes);
}

struct tally {
    int messages;
};

static void note_message(plx_socket *socket, void *user)
{
    struct tally *tally = user;

    (void)socket;
    tally->messages++;
}

MODE_PAIR_CASE(messages_are_told)
{
    static const plx_events events = {.message_available = note_message};
    struct tally told = {0};

    plx_socket_set_events(socket, &events, &told);
    raw_say(raw, "one");
    UNTIL(w, told.messages == 1);
    expect_packet(w, socket, "one");
    world_settle(w);
    ck_assert_int_eq(told.messages, 1);
}

MODE_PAIR_CASE(what_is_for_streams_is_refused)
{
    static const plx_frame frame = {.length_size = 4};
    char line[16];

    ck_assert_int_eq(plx_socket_read_line(socket, line, sizeof line), -1);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_read_exact(socket, line, 4), -1);
    ck_assert_int_eq(plx_socket_unread(socket, "x", 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_frame(socket, &frame), PLX_INVALID_STATE);
    ck_assert(!plx_socket_can_read_line(socket));
}

MODE_PAIR_CASE(steady_frames_allocate_nothing)
{
    size_t before = 0;

    for (int i = 0; i < 200; i++) {
        before = i == 100 ? count_allocations() : before;
        for (int packet = 0; packet < 5; packet++)
            raw_say(raw, "ping");
        UNTIL(w, plx_socket_can_read_message(socket));
        for (int packet = 0; packet < 5; packet++) {
            expect_packet(w, socket, "ping");
            ck_assert_int_eq(plx_socket_write(socket, "pong", 4), 4);
        }
        for (int packet = 0; packet < 5; packet++)
            raw_expect_packet(w, raw, "pong");
    }
    ck_assert_uint_eq(count_allocations(), before);
}

/* ---- limits ---------------------------------------------------------------------------------- */

MODE_PAIR_CASE(read_limit_cuts_nothing)
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 4), 0);
    for (int i = 0; i < 5; i++)
        raw_say(raw, "12345678");
    UNTIL(w, plx_socket_can_read_message(socket));
    world_settle(w);
    for (int i = 0; i < 5; i++) {
        plx_statistics statistics;

        ck_assert(plx_socket_statistics(socket, &statistics));
        ck_assert_int_eq((int)statistics.messages_received, i + 1); /* one at a time */
        expect_packet(w, socket, "12345678");
        world_settle(w);
    }
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

MODE_PAIR_CASE(write_limit_takes_a_packet_or_none)
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 10), 0);
    ck_assert_int_eq(plx_socket_write(socket, "larger than it", 14), 14); /* or it never could */
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, "x", 1), EAGAIN);
    raw_expect_packet(w, raw, "larger than it");
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    raw_expect_packet(w, raw, "x");
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

MODE_PAIR_CASE(pieces_are_one_packet)
{
    static char half[20000];
    const plx_piece pieces[] = {{"head", 4}, {NULL, 0}, {" body", 5}}, empty[] = {{"", 0}};
    const plx_piece large[] = {{half, sizeof half}, {half, sizeof half}};
    const plx_piece endless[] = {{half, UINT32_MAX}, {half, 1}}; /* nobody reads so far */

    ck_assert_int_eq(plx_socket_write_pieces(socket, empty, 1), -1);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, endless, 2),
                     SIZE_MAX > UINT32_MAX ? EMSGSIZE : PLX_INVALID_STATE); /* no object's size */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 30000), 0);
    ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, 3), 9);
    ck_assert_int_eq(plx_socket_write_pieces(socket, large, 2), 0);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, large, 2), EAGAIN);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, pieces, 3), 0);
    raw_expect_packet(w, raw, "head body");
    raw_expect_packet(w, raw, "head body");
}

/* Many small packets cost a frame no more than its budget. */
MODE_PAIR_CASE(the_budget_ends_sending)
{
    enum { COUNT = 10, EACH = 1000 };
    static const char bytes[EACH];

    if (w->group == NULL)
        return; /* no call sets the budget of a lone socket */
    plx_group_set_budget(w->group, 0, 3 * EACH);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(plx_socket_write(socket, bytes, EACH), EACH);
    ck_assert(world_poll(w)); /* work is left */
    ck_assert_uint_ge(plx_socket_bytes_left_to_send(socket), (COUNT - 4) * EACH);
    ck_assert_uint_lt(plx_socket_bytes_left_to_send(socket), COUNT * EACH);
    UNTIL(w, plx_socket_bytes_left_to_send(socket) == 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

MODE_PAIR_CASE(who_does_not_read_makes_the_writer_wait)
{
    char bytes[1000] = "", got[2000];
    int taken = 0;

    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), sizeof bytes);
    world_settle(w);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0);
    for (; taken < 1000; taken++) {
        UNTIL(w, is_readable(raw));
        ck_assert_int_eq(recv(raw, got, sizeof got, 0), sizeof bytes);
    }
    UNTIL(w, log->count[EVENT_SEND_COMPLETE] == 1);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

/* ---- beginning ------------------------------------------------------------------------------- */

MODE_CASE(connect_and_listen)
{
    struct record log, other;
    plx_socket *a = world_socket(w, &log), *b = world_socket(w, &other);
    char path[WHERE_SIZE];

    world_place(w, path);
    ck_assert_int_eq(plx_socket_listen_on(b, path), 0);
    ck_assert_int_eq(plx_socket_connect_to(a, path), 0);
    ck_assert_int_eq(plx_socket_write(a, "early", 5), 5); /* goes when the connection works */
    UNTIL(w, log.count[EVENT_CONNECTED] == 1 && other.count[EVENT_DATA_AVAILABLE] == 1);
    log.mute = 0;
    LOGGED(w, &other,
           "state:LISTENING state:CONNECTED connected[CONNECTED] data_available[CONNECTED]");
    ck_assert_ptr_nonnull(
        strstr(log.text, "state:CONNECTING state:CONNECTED connected[CONNECTED]"));
    ck_assert_int_eq(access(path, F_OK), -1); /* the listener is closed, and its file gone */
    expect_packet(w, b, "early");
    ck_assert_int_eq(plx_socket_write(b, "answer", 6), 6);
    expect_packet(w, a, "answer");
}

MODE_SOCKET_CASE(connect_is_refused)
{
    world_place(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log->code, ENOENT);
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 2);
    ck_assert_int_eq(log->code, ECONNREFUSED);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 0);
}

MODE_SOCKET_CASE(connect_to_a_stream_is_refused)
{
    plx_socket *stream = world_socket_of(w, plx_ipc_new, NULL);

    world_place(w, where);
    ck_assert_int_eq(plx_socket_listen_on(stream, where), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log->os_error, EPROTOTYPE);
    ck_assert_int_eq(plx_socket_state(stream), PLX_LISTENING);
}

MODE_SOCKET_CASE(left_over_is_replaced_and_a_living_one_is_not)
{
    int raw = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_listen_on(socket, where), PLX_ADDRESS_IN_USE);
    ck_assert(!is_readable(raw)); /* it did not notice */
    raw_close(w, raw);
    ck_assert_int_eq(plx_socket_listen_on(socket, where), 0);
    ck_assert_int_eq(plx_socket_listen_on(world_socket(w, NULL), where), PLX_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_socket_listen_on(world_socket_of(w, plx_ipc_new, NULL), where),
                     PLX_ADDRESS_IN_USE);
    raw = raw_connect(w, where);
    raw_say(raw, "hello");
    expect_packet(w, socket, "hello");
}

MODE_CASE(abstract_names_and_modes)
{
    struct record log, other;
    plx_socket *a = world_socket(w, &log), *b = world_socket(w, &other);
    char path[WHERE_SIZE];
    struct stat status;

    snprintf(path, sizeof path, "@%s", w->folder);
    ck_assert_int_eq(plx_socket_listen_on(b, path), 0);
    ck_assert_int_eq(plx_socket_connect_to(a, path), 0);
    UNTIL(w, plx_socket_is_connected(a) && plx_socket_is_connected(b));
    plx_socket_close(b);
    world_place(w, path);
    ck_assert_int_eq(plx_socket_set_option(b, PLX_OPTION_MODE, 0600), 0);
    ck_assert_int_eq(plx_socket_listen_on(b, path), 0);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
}

static int raw_new(struct world *w)
{
    return world_raw(w, socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

MODE_SOCKET_CASE(adopt_its_own_type_only)
{
    plx_socket *stream = world_socket_of(w, plx_ipc_new, NULL);
    int ends[2];
    int raw = raw_new(w);

    ck_assert_int_eq(plx_socket_adopt(socket, raw), PLX_INVALID_STATE); /* neither of both */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(plx_socket_adopt(socket, world_raw(w, ends[0])), PLX_INVALID_STATE);
    world_raw(w, ends[1]);
    raw = raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_adopt(stream, raw), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_adopt(socket, dup(raw)), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_LISTENING);
    raw = raw_connect(w, where);
    raw_say(raw, "hello");
    expect_packet(w, socket, "hello");
}

/* ---- ending ---------------------------------------------------------------------------------- */

/* The kernel reports the reset before it gives the packets. */
MODE_PAIR_CASE(a_reset_costs_no_packet)
{
    ck_assert_int_eq(plx_socket_write(socket, "unread", 6), 6);
    UNTIL(w, is_readable(raw));
    raw_say(raw, "one");
    raw_say(raw, "two");
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log->os_error, ECONNRESET);
    expect_packet(w, socket, "one");
    expect_packet(w, socket, "two");
    ck_assert(plx_socket_end_of_file(socket));
    ck_assert_ptr_null(plx_socket_read_message(socket, NULL));
}

/* Nobody reads what comes meanwhile, and still the peer can go on until it reads itself. */
MODE_PAIR_CASE(disconnect_with_a_full_buffer)
{
    char bytes[1000] = "", got[2000];
    size_t kept = 0;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 100), 0);
    raw_send(raw, bytes, sizeof bytes);
    UNTIL(w, plx_socket_can_read_message(socket));
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), sizeof bytes);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    for (int i = 0; i < 1000; i++)
        UNTIL(w, send(raw, bytes, sizeof bytes, MSG_DONTWAIT) > 0);
    for (int i = 0; i < 1000; i++) {
        UNTIL(w, is_readable(raw));
        ck_assert_int_eq(recv(raw, got, sizeof got, 0), sizeof bytes);
    }
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    for (; plx_socket_read(socket, got, sizeof got) > 0; kept++)
        ;
    ck_assert_uint_eq(kept, 1);
}

MODE_PAIR_CASE(half_open)
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_HALF_OPEN, 1), 0);
    raw_say(raw, "question");
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    UNTIL(w, log->count[EVENT_END_OF_INPUT] == 1);
    LOGGED(w, log, "data_available[CONNECTED] end_of_input[CONNECTED]");
    expect_packet(w, socket, "question");
    ck_assert_int_eq(plx_socket_write(socket, "answer", 6), 6);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_expect_packet(w, raw, "answer");
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

MODE_PAIR_CASE(close_takes_in_and_sends_what_it_can)
{
    raw_say(raw, "for us");
    ck_assert_int_eq(plx_socket_write(socket, "for them", 8), 8);
    plx_socket_close(socket);
    raw_expect_packet(w, raw, "for them");
    SETTLED(w, log, "");
    expect_packet(w, socket, "for us");
}

MODE_PAIR_CASE(want_of_memory_ends_the_connection)
{
    static char bytes[LARGEST];

    fail_allocation(1);
    ck_assert_int_eq(plx_socket_write(socket, "one", 3), -1);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_socket_write(socket, "two", 3), 3);
    raw_expect_packet(w, raw, "two");
    raw_send(raw, bytes, sizeof bytes); /* more than any block that is kept */
    fail_allocation(-1);
    UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
    fail_allocation(0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, PLX_OUT_OF_MEMORY);
    UNTIL(w, raw_take(raw, bytes, 1) != -1);
}

/* ---- servers --------------------------------------------------------------------------------- */

static void echo(plx_socket *socket, void *user)
{
    const void *data;
    size_t size;

    (void)user;
    while ((data = plx_socket_read_message(socket, &size)) != NULL)
        ck_assert_int_eq(plx_socket_write(socket, data, size), (ptrdiff_t)size);
}

MODE_CASE(a_server_of_a_hundred)
{
    static const plx_events echoing = {.data_available = echo};
    plx_server *server = world_server(w);
    char path[WHERE_SIZE], text[32];
    int raws[100];

    plx_server_set_client_events(server, &echoing, NULL);
    world_serve(w, server, path);
    for (int i = 0; i < 100; i++) {
        raws[i] = raw_connect(w, path);
        snprintf(text, sizeof text, "I am %d", i);
        raw_say(raws[i], text);
        raw_say(raws[i], "bye");
    }
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "I am %d", i);
        raw_expect_packet(w, raws[i], text);
        raw_expect_packet(w, raws[i], "bye");
        raw_close(w, raws[i]);
    }
    UNTIL(w, plx_server_active_count(server) == 0);
}

WORLD_MAIN("seqpacket", .kind = "seqpacket")
