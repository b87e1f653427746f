/* tests/test-command.c -- commands: setting them, sending, reading, and peers that send others. */
#include "config.h"

#include "tests/commands.h"

/* ---- the bytes ------------------------------------------------------------------------------- */

ORDERS_STREAM_CASE(the_length_counts_the_command)
{
    ck_assert_int_eq(plx_socket_send_command(socket, 7, "hello", 5), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 13);
    raw_gather(w, raw, "\0\0\0\x09\0\0\0\7hello", 13);
    ck_assert_int_eq(plx_socket_send_command(socket, 0, NULL, 0), 0);
    raw_gather(w, raw, "\0\0\0\4\0\0\0\0", 8);
    ck_assert_int_eq(plx_socket_send_command(socket, INT32_MAX, "", 0), 0);
    raw_gather(w, raw, "\0\0\0\4\x7f\xff\xff\xff", 8);
    ck_assert_int_eq(plx_socket_send_command(socket, 0x01020304, "\0", 1), 0);
    raw_gather(w, raw, "\0\0\0\5\1\2\3\4\0", 9);
}

ORDERS_STREAM_CASE(or_the_data_only)
{
    ck_assert_int_eq(plx_socket_set_commands(socket, PLX_COMMANDS_DATA_LENGTH), 0);
    ck_assert_int_eq(plx_socket_send_command(socket, 7, "hello", 5), 0);
    raw_gather(w, raw, "\0\0\0\5\0\0\0\7hello", 13);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, NULL, 0), 0);
    raw_gather(w, raw, "\0\0\0\0\0\0\0\1", 8);
    raw_send(raw, "\0\0\0\0\0\0\0\2\0\0\0\1\0\0\0\3x", 17);
    UNTIL(w, orders->count == 2);
    SETTLED(w, log, "2:[CONNECTED] 3:x[CONNECTED]");
}

MODE_CASE(a_packet_is_a_command_without_a_length)
{
    struct orders orders;
    plx_socket *a = world_socket_of(w, plx_seqpacket_new, NULL);
    char got[20];
    int ends[2];

    orders_begin(&orders, w);
    plx_socket_set_events(a, orders_table(), &orders);
    ck_assert_int_eq(plx_socket_set_commands(a, PLX_COMMANDS_DATA_LENGTH), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    ck_assert_int_eq(plx_socket_adopt(a, ends[0]), 0);
    UNTIL(w, orders.log.count[EVENT_CONNECTED] == 1);
    record_clear(&orders.log);
    ck_assert_int_eq(plx_socket_send_command(a, 7, "hello", 5), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(a), 9);
    ck_assert_int_eq(plx_socket_send_command(a, 8, NULL, 0), 0);
    UNTIL(w, plx_socket_bytes_left_to_send(a) == 0);
    ck_assert_int_eq(recv(ends[1], got, sizeof got, 0), 9);
    ck_assert_mem_eq(got, "\0\0\0\7hello", 9);
    ck_assert_int_eq(recv(ends[1], got, sizeof got, 0), 4);
    ck_assert_mem_eq(got, "\0\0\0\x08", 4);
    ck_assert_int_eq(send(ends[1], "\0\0\0\5five", 8, 0), 8);
    ck_assert_int_eq(send(ends[1], "\0\0\0\6", 4, 0), 4);
    UNTIL(w, orders.count == 2);
    SETTLED(w, &orders.log, "5:five[CONNECTED] 6:[CONNECTED]");
    close(ends[1]);
}

/* ---- setting --------------------------------------------------------------------------------- */

static void expect_code(plx_socket *socket, int code, plx_reason reason)
{
    ck_assert_int_eq(plx_socket_last_error(socket), code);
    ck_assert_msg(plx_socket_error(socket)->reason == reason, "%s",
                  plx_socket_error(socket)->message);
}

MODE_CASE(setting_is_refused)
{
    static const plx_frame small = {.length_size = 4, .maximum = 3};
    plx_socket *udp = world_socket_of(w, plx_udp_new, NULL);
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, NULL);

    ck_assert_int_eq(plx_socket_set_commands(udp, 0), PLX_INVALID_STATE);
    expect_code(udp, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION);
    for (unsigned flags = 2; flags != 0; flags <<= 1) {
        ck_assert_int_eq(plx_socket_set_commands(tcp, flags), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_socket_set_commands(tcp, flags | 1), PLX_INVALID_STATE);
        expect_code(tcp, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION);
    }
    ck_assert_int_eq(plx_socket_set_frame(tcp, &small), 0);
    ck_assert_int_eq(plx_socket_set_commands(tcp, 0), PLX_INVALID_STATE);
    expect_code(tcp, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION);
    ck_assert_int_eq(plx_socket_set_commands(NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_server_set_commands(NULL, 0), PLX_INVALID_STATE);
}

MODE_CASE(calls_without_a_socket_or_commands)
{
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, NULL);
    int32_t command = 5;
    size_t size = 9;

    ck_assert_int_eq(plx_socket_send_command(NULL, 1, "a", 1), PLX_INVALID_STATE);
    ck_assert_ptr_null(plx_socket_read_command(NULL, &command, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert_ptr_null(plx_socket_read_command(NULL, NULL, NULL));
    ck_assert_ptr_null(plx_socket_wait_for_command(NULL, 1, -1, NULL));
    ck_assert_int_eq(plx_socket_send_command(tcp, 1, "a", 1), PLX_INVALID_STATE);
    expect_code(tcp, PLX_INVALID_STATE, PLX_REASON_OPERATION);
    size = 9;
    ck_assert_ptr_null(plx_socket_read_command(tcp, &command, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert_int_eq(command, 5);
    expect_none_awaited(tcp, 1, -1);
    ck_assert_int_eq(plx_socket_set_commands(tcp, 0), 0);
    expect_none_awaited(tcp, 1, -1); /* it is unconnected */
    ck_assert_ptr_null(plx_socket_read_command(tcp, NULL, NULL));
    ck_assert_int_eq(plx_socket_send_command(tcp, 1, "a", 1), PLX_INVALID_STATE);
}

ORDERS_STREAM_CASE(the_frame_before_gives_the_maximum)
{
    static const plx_frame frame = {.length_size = 2, .maximum = 10};
    char data[7] = "";

    ck_assert_int_eq(plx_socket_set_frame(socket, &frame), 0);
    for (unsigned flags = 0; flags < 2; flags++) {
        ck_assert_int_eq(plx_socket_set_commands(socket, flags), 0);
        ck_assert_int_eq(plx_socket_send_command(socket, 1, data, 7), EMSGSIZE);
        ck_assert_int_eq(plx_socket_send_command(socket, 1, data, SIZE_MAX), EMSGSIZE);
        ck_assert_int_eq(plx_socket_send_command(socket, 1, data, 6), 0);
    }
    raw_send(raw, "\0\0\0\6\0\0\0\1abcdef\0\0\0\7", 18);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->code, EMSGSIZE);
    ck_assert_ptr_nonnull(strstr(log->message, "11 bytes (the maximum is 10)"));
}

/* A delimited message may be longer than 4 bytes can count. The queue is not empty, so one that has
 * no room there is EAGAIN. */
MODE_CASE(the_length_limits_the_maximum)
{
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);
    const plx_frame frame = {.delimiter = "\n", .delimiter_size = 1, .maximum = PTRDIFF_MAX / 2};

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 1000), 0);
    ck_assert_int_eq(plx_socket_set_frame(socket, &frame), 0);
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, "a", 1), 0);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, "a", UINT32_MAX - HEAD + (size_t)1),
                     EMSGSIZE);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, "a", 2000), EAGAIN);
}

ORDERS_STREAM_CASE(a_frame_replaces_commands)
{
    static const plx_frame frame = {.length_size = 1};
    size_t size;

    raw_send(raw, "\0\0\0\5\0\0\0\1a\2xy", 12); /* the beginning of a length, too */
    UNTIL(w, orders->count == 1);
    ck_assert_int_eq(plx_socket_set_frame(socket, &frame), 0);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, NULL, 0), PLX_INVALID_STATE);
    ck_assert_mem_eq(plx_socket_read_message(socket, &size), "xy", 2);
    ck_assert_uint_eq(size, 2);
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), 0);
    raw_say(raw, "plain");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    ck_assert_int_eq(plx_socket_write(socket, "text", 4), 4);
    raw_expect(w, raw, "text");
    ck_assert_int_eq(orders->count, 1);
}

/* Bytes that no read has seen are new, also to a socket whose connection has ended. */
ORDERS_STREAM_CASE(bytes_that_came_before_the_end)
{
    size_t size;

    raw_send(raw, "\0\0\0\4", 4);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), 0);
    ck_assert(plx_socket_wait_for_data(socket, 0));
    plx_socket_lookahead(socket, &size);
    ck_assert_uint_eq(size, 4);
    ck_assert(!plx_socket_wait_for_data(socket, 0));
}

/* What arrived behind a command has not been reported as bytes. */
static void act_go_raw(struct orders *orders, plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_set_frame(socket, orders->data), 0);
}

ORDERS_STREAM_CASE(bytes_behind_the_last_command)
{
    orders->act = act_go_raw;
    raw_send(raw, "\0\0\0\4\0\0\0\1raw", 11);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 1);
    SETTLED(w, log, "1:[CONNECTED] data_available[CONNECTED]");
    ck_assert(plx_socket_wait_for_data(socket, 0));
}

ORDERS_STREAM_CASE(a_message_behind_the_last_command)
{
    plx_frame frame = {.length_size = 1};

    orders->act = act_go_raw;
    orders->data = &frame;
    raw_send(raw, "\0\0\0\4\0\0\0\1\2xy", 11);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 1 && orders->messages == 1);
    ck_assert(plx_socket_wait_for_data(socket, 0));
}

QUIET_CASE(bytes_that_nobody_read_as_commands)
{
    raw_order(w, raw, 1, "one");
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 0);
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), 0);
    ck_assert(plx_socket_wait_for_data(socket, 0));
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 1);
}

/* By set_frame(NULL) commands end for packets, too. */
SEQPACKET_SOCKET_CASE(packets_again)
{
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), 0);
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
}

/* What arrived as bytes is read as commands from then on. */
STREAM_PAIR_CASE(set_in_mid_stream)
{
    struct orders orders;

    orders_begin(&orders, w);
    raw_send(raw, "go\0\0\0\5\0\0\0\3x", 11);
    UNTIL(w, plx_socket_bytes_available(socket) == 11);
    plx_socket_set_events(socket, orders_table(), &orders);
    ck_assert_uint_eq(plx_socket_skip(socket, 2), 2);
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
    UNTIL(w, orders.count == 1);
    SETTLED(w, &orders.log, "3:x[CONNECTED]");
}

CASE(clients_of_a_server_have_them)
{
    static const plx_frame frame = {.length_size = 4, .maximum = 20};
    struct orders orders;
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];
    int raw;

    orders_begin(&orders, w);
    plx_server_set_client_events(server, orders_table(), &orders);
    if (!w->kind->keeps_boundaries)
        ck_assert_int_eq(plx_server_set_frame(server, &frame), 0);
    ck_assert_int_eq(plx_server_set_commands(server, 2), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_server_set_commands(server, 0), 0);
    world_serve(w, server, where);
    for (int i = 1; i <= 3; i++) {
        raw = raw_connect(w, where);
        raw_order(w, raw, i, "hello");
        UNTIL(w, orders.count == i);
        ck_assert_int_eq(orders.last, i);
    }
    if (!w->kind->keeps_boundaries) {
        raw_send(raw, "\0\0\0\x15", 4);
        UNTIL(w, orders.log.count[EVENT_ERROR] == 1);
        ck_assert_int_eq(orders.log.code, EMSGSIZE);
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

ORDERS_CASE(sending_is_refused)
{
    ck_assert_int_eq(plx_socket_send_command(socket, -1, "a", 1), PLX_INVALID_STATE);
    expect_code(socket, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION);
    ck_assert_int_eq(plx_socket_send_command(socket, INT32_MIN, NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, NULL, 1), PLX_INVALID_STATE);
    expect_code(socket, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, "a", SIZE_MAX), EMSGSIZE);
    expect_code(socket, EMSGSIZE, PLX_REASON_DATAGRAM_TOO_LARGE);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, "a", (1 << 20) - 3), EMSGSIZE);
    expect_code(socket, EMSGSIZE, PLX_REASON_DATAGRAM_TOO_LARGE);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, "a", 1), PLX_INVALID_STATE);
}

ORDERS_CASE(at_the_write_limit_it_is_all_or_nothing)
{
    char data[1000] = {0};

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 200), 0);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, data, 100), 0);
    ck_assert_int_eq(plx_socket_send_command(socket, 2, data, 100), EAGAIN);
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
    UNTIL(w, orders->rooms == 1);
    ck_assert_int_eq(plx_socket_send_command(socket, 3, data, sizeof data), 0);
    ck_assert_int_eq(plx_socket_send_command(socket, 4, NULL, 0), EAGAIN);
    UNTIL(w, orders->rooms == 2);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

ORDERS_CASE(sent_before_the_connection)
{
    struct record other;
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);
    plx_socket *early = world_socket(w, &other);
    unsigned char wanted[100];
    size_t size = put_command(w, wanted, 9, "early", 5);
    int peer;

    ck_assert_int_eq(plx_socket_set_commands(early, 0), 0);
    ck_assert_int_eq(plx_socket_connect_to(early, where), 0);
    ck_assert_int_eq(plx_socket_send_command(early, 9, "early", 5), 0);
    peer = raw_accept(w, listener);
    raw_gather(w, peer, wanted, size);
}

/* ---- calls for bytes ------------------------------------------------------------------------- */

static void expect_call_refused(plx_socket *socket, bool refused, const char *call)
{
    ck_assert_msg(refused, "%s is not refused", call);
    ck_assert_msg(plx_socket_last_error(socket) == PLX_INVALID_STATE &&
                      strstr(plx_socket_error(socket)->message, "_command") != NULL,
                  "%s: %s", call, plx_socket_error(socket)->message);
}

QUIET_CASE(bytes_cannot_be_read_or_written)
{
    char place[10];
    size_t size = 9;

    raw_order(w, raw, 3, "word\n");
    UNTIL(w, plx_socket_bytes_available(socket) > 0);
    expect_call_refused(socket, plx_socket_read(socket, place, 4) == -1, "read");
    expect_call_refused(socket, plx_socket_read_exact(socket, place, 4) == -1, "read_exact");
    expect_call_refused(socket, plx_socket_read_line(socket, place, 10) == -1, "read_line");
    expect_call_refused(socket, plx_socket_read_all(socket, &size) != NULL && size == 0,
                        "read_all");
    size = 9;
    expect_call_refused(socket, plx_socket_lookahead(socket, &size) != NULL && size == 0,
                        "lookahead");
    expect_call_refused(socket, plx_socket_skip(socket, 1) == 0, "skip");
    expect_call_refused(socket, plx_socket_unread(socket, "a", 1) == PLX_INVALID_STATE, "unread");
    size = 9;
    expect_call_refused(socket, plx_socket_read_message(socket, &size) == NULL && size == 0,
                        "read_message");
    expect_call_refused(socket, plx_socket_write(socket, "a", 1) == -1, "write");
    expect_call_refused(socket, plx_socket_write_text(socket, "a") == -1, "write_text");
    expect_call_refused(socket, plx_socket_write_message(socket, "a", 1) == PLX_INVALID_STATE,
                        "write_message");
    if (strcmp(w->kind->name, "tcp") == 0)
        expect_call_refused(socket, plx_socket_write_urgent(socket, '!') == PLX_INVALID_STATE,
                            "write_urgent");
    ck_assert(!plx_socket_can_read_line(socket));
    ck_assert(!plx_socket_can_read_message(socket));
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    expect_command(socket, 3, "word\n");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE] + log->count[EVENT_LINE_AVAILABLE], 0);
}

/* ---- reading --------------------------------------------------------------------------------- */

QUIET_CASE(commands_wait_to_be_read)
{
    expect_no_command(socket);
    raw_order(w, raw, 3, "three");
    raw_order(w, raw, 4, "");
    raw_order(w, raw, 3, "again");
    UNTIL(w, received_bytes(socket) >= 3 * HEAD + 10);
    world_settle(w);
    expect_command(socket, 3, "three");
    expect_command(socket, 4, "");
    expect_command(socket, 3, "again");
    expect_no_command(socket);
}

/* A peer that is not read waits, and nothing is lost. */
QUIET_CASE(unread_commands_stop_the_peer)
{
    unsigned char bytes[1000];
    char data[500];
    size_t size = put_command(w, bytes, 1, data, 0);
    int sent = 0, read = 0, round = 0;

    memset(data, 'x', sizeof data);
    size = put_command(w, bytes, 1, data, sizeof data);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 3000), 0);
    while (sent < 10)
        sent += raw_try(raw, bytes, size) == size;
    for (int i = 0; i < 20; i++)
        world_turn(w, i);
    ck_assert_uint_lt(plx_socket_bytes_available(socket), 5000);
    while (read < sent) {
        size_t got;
        const char *text = plx_socket_read_command(socket, &(int32_t){0}, &got);

        read += text != NULL;
        ck_assert(text == NULL || (got == sizeof data && text[0] == 'x' && text[got - 1] == 'x'));
        ck_assert_int_lt(round, ROUNDS);
        world_turn(w, text != NULL ? 0 : round++);
    }
    expect_no_command(socket);
}

/* One larger than the limit becomes whole. */
QUIET_CASE(a_command_over_the_read_limit)
{
    static char data[60000];
    unsigned char *bytes = malloc(sizeof data + 8);
    size_t size = put_command(w, bytes, 1, data, sizeof data), got = 0;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 100), 0);
    raw_send(raw, bytes, size);
    UNTIL(w, plx_socket_read_command(socket, NULL, &got) != NULL);
    ck_assert_uint_eq(got, sizeof data);
    free(bytes);
}

QUIET_CASE(read_after_the_end)
{
    raw_order(w, raw, 1, "last");
    raw_order(w, raw, 2, "words");
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    expect_command(socket, 1, "last");
    ck_assert(!plx_socket_end_of_file(socket));
    expect_command(socket, 2, "words");
    expect_no_command(socket);
    ck_assert(plx_socket_end_of_file(socket));
}

/* ---- peers that send others ------------------------------------------------------------------ */

static const struct bad {
    unsigned flags;
    const char *bytes;
    size_t size;
    int code;
    const char *sentence;
} bad[] = {
    {0, "\0\0\0\0", 4, EPROTO, "a command of 0 bytes (the minimum is 4)"},
    {0, "\0\0\0\1", 4, EPROTO, "a command of 1 bytes"},
    {0, "\0\0\0\3\0\0\0", 7, EPROTO, "a command of 3 bytes"},
    {0, "\0\0\0\4\xff\xff\xff\xff", 8, EPROTO, "command -1 (the minimum is 0)"},
    {0, "\0\0\0\x09\x80\0\0\0", 8, EPROTO, "command -2147483648"},
    {0, "\0\x10\0\1", 4, EMSGSIZE, "1048577 bytes (the maximum is 1048576)"},
    {0, "\xff\xff\xff\xff", 4, EMSGSIZE, "4294967295 bytes"},
    {1, "\0\0\0\0\xff\xff\xff\xfe", 8, EPROTO, "command -2"},
    {1, "\0\x0f\xff\xfd", 4, EMSGSIZE, "1048577 bytes (the maximum is 1048576)"},
    {1, "\x80\0\0\0\0\0\0\1", 8, EMSGSIZE, "2147483652 bytes"},
};

/* At once, or byte by byte. */
static void send_bad(struct world *w, int raw, const struct bad *row, bool slowly)
{
    for (size_t i = 0; i < row->size && slowly; i++) {
        raw_try(raw, row->bytes + i, 1); /* the rest of a bad one finds nobody */
        world_turn(w, 1);
    }
    if (!slowly)
        raw_send(raw, row->bytes, row->size);
}

static void expect_ended(const struct record *log, const struct bad *row)
{
    ck_assert_int_eq(log->code, row->code);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_msg(strstr(log->message, row->sentence) != NULL, "%s", log->message);
    ck_assert_int_eq((int)log->reason, row->code == EPROTO ? (int)PLX_REASON_OPERATION
                                                           : (int)PLX_REASON_DATAGRAM_TOO_LARGE);
}

STREAM_CASE(a_bad_command_ends_the_connection)
{
    for (size_t i = 0; i < 2 * sizeof bad / sizeof bad[0]; i++) {
        const struct bad *row = &bad[i / 2];
        struct orders orders;
        int raw;
        plx_socket *socket = orders_open(w, &orders, &raw);

        ck_assert_int_eq(plx_socket_set_commands(socket, row->flags), 0);
        raw_send(raw, row->flags == 0 ? "\0\0\0\5\0\0\0\1x" : "\0\0\0\1\0\0\0\1x", 9);
        send_bad(w, raw, row, i % 2 == 1);
        UNTIL(w, orders.log.count[EVENT_DISCONNECTED] == 1);
        expect_ended(&orders.log, row);
        ck_assert_int_eq(strncmp(orders.log.text, "1:x[CONNECTED] state:UNCONNECTED error(", 39),
                         0);
        ck_assert_int_eq(orders.count, 1);
        expect_no_command(socket);
        world_free(w, socket);
    }
}

/* Without a handler those before it can be read, and then it ends. */
STREAM_CASE(commands_before_a_bad_one_are_not_lost)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct bad *row = &bad[i];
        struct orders orders;
        int raw;
        plx_socket *socket = orders_open(w, &orders, &raw);

        plx_socket_set_events(socket, &record_events, &orders);
        ck_assert_int_eq(plx_socket_set_commands(socket, row->flags), 0);
        raw_send(raw, row->flags == 0 ? "\0\0\0\5\0\0\0\1x" : "\0\0\0\1\0\0\0\1x", 9);
        raw_send(raw, row->bytes, row->size);
        UNTIL(w, received_bytes(socket) == 9 + row->size);
        world_settle(w);
        ck_assert(plx_socket_is_connected(socket));
        expect_command(socket, 1, "x");
        expect_no_command(socket);
        UNTIL(w, orders.log.count[EVENT_DISCONNECTED] == 1);
        expect_ended(&orders.log, row);
        world_free(w, socket);
    }
}

/* A pause keeps no failed send from ending the connection; what arrived can be read after it. */
STREAM_KERNEL_CASE(a_failed_send_before_a_bad_command)
{
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);

    plx_socket_set_events(socket, &record_events, &orders);
    raw_send(raw, "\0\0\0\5\0\0\0\1x\0\0\0\3", 13);
    UNTIL(w, plx_socket_bytes_available(socket) == 13);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PAUSE_READING, 1), 0);
    raw_reset(w, raw);
    for (int i = 0; i < 1000 && plx_socket_state(socket) == PLX_CONNECTED; i++) {
        plx_socket_send_command(socket, 2, "y", 1);
        world_turn(w, i);
    }
    UNTIL(w, orders.log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(orders.log.code, PLX_LOST_CONNECTION);
    expect_command(socket, 1, "x");
    expect_no_command(socket);
}

MODE_CASE(bad_packets_end_the_connection)
{
    static const struct bad rows[] = {{0, "\0", 1, EPROTO, "a command of 1 bytes"},
                                      {0, "\0\0\0", 3, EPROTO, "a command of 3 bytes"},
                                      {0, "\xff\xff\xff\xffzzz", 7, EPROTO, "command -1"},
                                      {0, "\x80\0\0\0", 4, EPROTO, "command -2147483648"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct orders orders;
        int ends[2];
        plx_socket *socket = world_socket_of(w, plx_seqpacket_new, NULL);

        orders_begin(&orders, w);
        plx_socket_set_events(socket, orders_table(), &orders);
        ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
        ck_assert_int_eq(plx_socket_adopt(socket, ends[0]), 0);
        ck_assert_int_eq(send(ends[1], "\0\0\0\1x", 5, 0), 5);
        ck_assert_int_eq(send(ends[1], rows[i].bytes, rows[i].size, 0), (ssize_t)rows[i].size);
        UNTIL(w, orders.log.count[EVENT_DISCONNECTED] == 1);
        expect_ended(&orders.log, &rows[i]);
        ck_assert_int_eq(orders.count, 1);
        world_free(w, socket);
        close(ends[1]);
    }
}

/* ---- bytes split everywhere ------------------------------------------------------------------ */

static const char three[] = "\0\0\0\5\0\0\0\1a\0\0\0\4\0\0\1\0\0\0\0\7\0\0\0\2xyz";
enum { THREE = 9 + 8 + 11 };

ORDERS_STREAM_CASE(bytes_split_at_each_place)
{
    char wanted[] = "1:a[CONNECTED] 256:[CONNECTED] 2:xyz[CONNECTED]";

    for (size_t first = 0; first <= THREE; first++) {
        orders->count = 0;
        record_clear(log);
        raw_send(raw, three, first);
        world_turn(w, 1);
        raw_send(raw, three + first, THREE - first);
        UNTIL(w, orders->count == 3);
        LOGGED(w, log, wanted);
    }
    record_clear(log);
    for (size_t i = 0; i < THREE; i++) {
        raw_send(raw, three + i, 1);
        world_turn(w, 1);
    }
    UNTIL(w, orders->count == 6);
    SETTLED(w, log, wanted);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE] + orders->messages, 0);
}

WORLD_MAIN("command", .filtered = true, .packets = true)
