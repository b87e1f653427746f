/* tests/test-no-memory.c -- a failure is not lost with the memory: the call returns its code, the
 * socket keeps it, the next poll reports it, all of it without a block for the error. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "tests/filters.h"
#include "tests/world.h"

/* ---- calls ----------------------------------------------------------------------------------- */

SECTION("calls");

/* What a call that failed without memory leaves: with `code`, its result. */
static void expect_kept(struct world *w, struct record *log, plx_socket *socket, int code)
{
    const plx_error *error = plx_socket_error(socket);

    ck_assert_int_eq(plx_socket_last_error(socket), code);
    ck_assert_int_eq(error->code, PLX_OUT_OF_MEMORY); /* the last resort, which needs no place */
    ck_assert_int_eq(error->reason, PLX_REASON_SOCKET_RESOURCE);
    ck_assert_str_eq(error->message, "out of memory");
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, code);
    ck_assert_str_eq(log->message, plx_code_text(code));
    fail_allocation(0);
    error = plx_socket_error(socket);
    ck_assert_int_eq(error->code, code);
    ck_assert_str_eq(error->message, plx_code_text(code));
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
}

static int call_set_address(plx_socket *socket)
{
    return plx_socket_set_address(socket, "somewhere");
}

static int call_set_option(plx_socket *socket)
{
    return plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 5);
}

static int call_set_frame(plx_socket *socket)
{
    return plx_socket_set_frame(socket, &(plx_frame){.length_size = 4});
}

static int call_set_proxy(plx_socket *socket)
{
    return plx_socket_set_proxy(socket, "socks5://127.0.0.1:1080");
}

static int call_set_protocol_tag(plx_socket *socket)
{
    return plx_socket_set_protocol_tag(socket, "http");
}

static int call_unread(plx_socket *socket)
{
    return plx_socket_unread(socket, "x", 1);
}

static int call_set_port(plx_socket *socket)
{
    return plx_socket_set_port(socket, -1);
}

static int call_connect_to_port(plx_socket *socket)
{
    return plx_socket_connect_to(socket, "127.0.0.1:70000");
}

static int call_listen_on_other(plx_socket *socket)
{
    return plx_socket_listen_on(socket, "255.255.255.1:0");
}

static int call_disconnect(plx_socket *socket)
{
    return plx_socket_disconnect(socket);
}

static int call_write(plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
    return plx_socket_last_error(socket);
}

static int call_write_message(plx_socket *socket)
{
    return plx_socket_write_message(socket, "x", 1);
}

static int call_read_nowhere(plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_read(socket, NULL, 1), -1);
    return plx_socket_last_error(socket);
}

static int call_join(plx_socket *socket)
{
    return plx_udp_join_multicast_group(socket, "239.1.1.1");
}

static int call_adopt(plx_socket *socket)
{
    return plx_socket_adopt(socket, -1);
}

static const struct {
    int (*call)(plx_socket *socket);
    int code;
} calls[] = {
    {call_set_address, PLX_OUT_OF_MEMORY},
    {call_set_option, PLX_OUT_OF_MEMORY},
    {call_set_frame, PLX_OUT_OF_MEMORY},
    {call_set_proxy, PLX_OUT_OF_MEMORY},
    {call_set_protocol_tag, PLX_OUT_OF_MEMORY},
    {call_unread, PLX_OUT_OF_MEMORY},
    {call_set_port, PLX_INVALID_PORT},
    {call_connect_to_port, PLX_INVALID_PORT},
    {call_listen_on_other, EADDRNOTAVAIL},
    {call_disconnect, PLX_INVALID_STATE},
    {call_write, PLX_INVALID_STATE},
    {call_write_message, PLX_INVALID_STATE},
    {call_read_nowhere, PLX_INVALID_STATE},
    {call_join, PLX_INVALID_STATE},
    {call_adopt, EBADF},
};

/* A client of a server has no place for a port of its own until one is set. */
MODE_CASE(a_port_of_a_client)
{
    plx_server *server = world_server(w);
    plx_socket *client;
    char where[WHERE_SIZE];

    world_serve(w, server, where);
    raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 1);
    client = plx_server_next_active(server, NULL);
    plx_socket_close(client);
    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_set_port(client, 5), PLX_OUT_OF_MEMORY);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_set_port(client, 5), 0);
    ck_assert_int_eq(plx_socket_port(client), 5);
}

MODE_CASE(a_call_that_fails)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, plx_tcp_new, &log);
        int code;

        if (calls[i].call == call_listen_on_other) /* only its address needs memory */
            ck_assert_int_eq(plx_socket_set_address(socket, "x"), 0);
        fail_allocation(calls[i].call == call_listen_on_other ? -2 : -1);
        code = calls[i].call(socket);
        ck_assert_msg(code == calls[i].code, "%s: call %zu returned %d", world_name(w), i, code);
        expect_kept(w, &log, socket, calls[i].code);
        world_free(w, socket);
    }
}

SOCKET_CASE(listening_where_somebody_does)
{
    bool is_path;
    int code;

    raw_listen(w, 1, where);
    is_path = strchr(where, ':') == NULL;
    if (is_path)
        ck_assert_int_eq(plx_socket_set_path(socket, where), 0);
    else
        ck_assert_int_eq(plx_socket_set_port(socket, atoi(strrchr(where, ':') + 1)), 0);
    fail_allocation(-1);
    code = plx_socket_listen(socket);
    ck_assert(!plx_socket_is_listening(socket));
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    /* A claim on a path needs memory before anybody asks whether it is taken. */
    ck_assert_int_eq(code, is_path ? PLX_OUT_OF_MEMORY : PLX_ADDRESS_IN_USE);
    expect_kept(w, log, socket, code);
}

/* The first call is reported, the last one kept. */
TCP_SOCKET_CASE(two_calls_that_fail)
{
    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_set_address(socket, "somewhere"), PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_socket_disconnect(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
    world_settle(w);
    ck_assert_str_eq(log->text, "error(108,14)[UNCONNECTED]");
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_OUT_OF_MEMORY); /* as reported last */
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_set_port(socket, -1), PLX_INVALID_PORT);
    world_settle(w);
    ck_assert_int_eq(log->code, PLX_INVALID_PORT);
    ck_assert_int_eq(log->count[EVENT_ERROR], 2);
}

/* What was kept without memory is not changed by a failure that finds some. */
TCP_SOCKET_CASE(memory_comes_back_between_two_failures)
{
    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_set_port(socket, -1), PLX_INVALID_PORT);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_disconnect(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_error(socket)->code, PLX_INVALID_STATE);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_INVALID_PORT);
    ck_assert_int_eq(log->reason, PLX_REASON_PORT_OUT_OF_RANGE);
}

/* close and connect take back what was not reported, the last error with connect. */
TCP_SOCKET_CASE(an_error_that_is_taken_back)
{
    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_set_port(socket, -1), PLX_INVALID_PORT);
    plx_socket_close(socket);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_PORT);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_listen_on(socket, "127.0.0.1:0"), 0);
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
    ck_assert_int_eq(plx_socket_error(socket)->code, 0);
}

/* ---- ends ------------------------------------------------------------------------------------ */

SECTION("ends");

PAIR_CASE(a_peer_that_closes)
{
    raw_close(w, raw);
    fail_allocation(-1);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, log, "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]");
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_LOST_CONNECTION);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_error(socket)->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_REMOTE_HOST_CLOSED);
}

PAIR_CASE(a_peer_that_resets)
{
    ck_assert_int_eq(plx_socket_write(socket, "unread", 6), 6);
    UNTIL(w, is_readable(raw));
    raw_reset(w, raw);
    fail_allocation(-1);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log->os_error, ECONNRESET);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_error(socket)->os_error, ECONNRESET);
}

/* A handshake that fails does not look like the orderly end of a peer. */
STREAM_PAIR_CASE(a_filter_that_fails)
{
    plx_filter *filter = plx_socket_push_filter(socket, &failing_filter);

    ck_assert_ptr_nonnull(filter);
    *(struct failing *)plx_filter_state(filter) = (struct failing){FAILS_IN_ESTABLISH, true};
    fail_allocation(-1);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log->reason, PLX_REASON_TLS_INTERNAL);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_TLS_INTERNAL);
    (void)raw;
}

static void act_fail_with_memory(struct record *record, plx_socket *socket)
{
    (void)record;
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
}

/* A call fails between the end and its report, and finds the memory that the end did not find. */
PAIR_CASE(a_call_that_fails_before_the_end_is_reported)
{
    record_on(log, EVENT_STATE_CHANGED, act_fail_with_memory, NULL);
    raw_close(w, raw);
    fail_allocation(-1);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    SETTLED(w, log,
            "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED] "
            "error(106,29)[UNCONNECTED]");
}

static void act_fail_without_memory(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
}

PAIR_CASE(a_call_that_fails_without_memory_before_the_end_is_reported)
{
    record_on(log, EVENT_STATE_CHANGED, act_fail_without_memory, NULL);
    raw_close(w, raw);
    fail_allocation(-1);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 2);
    LOGGED(w, log,
           "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED] "
           "error(106,29)[UNCONNECTED]");
}

SOCKET_CASE(an_attempt_that_is_refused)
{
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    fail_allocation(-1);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log->code, ECONNREFUSED);
    ck_assert_int_eq(log->reason, PLX_REASON_CONNECTION_REFUSED);
    ck_assert_int_eq(plx_socket_last_error(socket), ECONNREFUSED);
    fail_allocation(0);
}

/* ---- bytes that find no memory --------------------------------------------------------------- */

SECTION("bytes");

PAIR_CASE(bytes_that_cannot_be_kept)
{
    raw_say(raw, "hello");
    fail_allocation(-1);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, log, "state:UNCONNECTED error(108,14)[UNCONNECTED] disconnected[UNCONNECTED]");
    fail_allocation(0);
}

/* A disconnect that loses what arrives reports it, even if all was sent. */
PAIR_CASE(bytes_that_cannot_be_kept_while_closing)
{
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_say(raw, "hello");
    world_readable(plx_socket_handle(socket));
    fail_allocation(-1);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, log,
           "state:CLOSING state:UNCONNECTED error(108,14)[UNCONNECTED] disconnected[UNCONNECTED]");
    fail_allocation(0);
}

/* A connection that has nothing but its descriptor yet: it neither connected nor has handlers. */
static plx_socket *adopt_bare(struct world *w, int *ret_raw)
{
    struct record unused;
    plx_socket *socket = world_socket_of(w, plx_ipc_new, &unused);
    int pair[2];

    plx_socket_set_events(socket, NULL, NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    *ret_raw = world_raw(w, pair[1]);
    ck_assert_int_eq(plx_socket_adopt(socket, pair[0]), 0);
    raw_say(*ret_raw, "half");
    UNTIL(w, plx_socket_bytes_available(socket) == 4);
    return socket;
}

MODE_CASE(bytes_that_cannot_be_waited_for)
{
    int raw;
    plx_socket *socket = adopt_bare(w, &raw);
    char bytes[8] = "";

    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_read_exact(socket, bytes, 8), -1);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_OUT_OF_MEMORY);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 4), 0);
    ck_assert_int_eq(plx_socket_read_exact(socket, bytes, 8), 0);
    raw_say(raw, "half");
    UNTIL(w, plx_socket_bytes_available(socket) == 8);
    ck_assert_int_eq(plx_socket_read_exact(socket, bytes, 8), 8);
    ck_assert_mem_eq(bytes, "halfhalf", 8);
}

/* Where the search for a line stopped is not kept without memory: it begins again. */
MODE_CASE(a_line_that_is_searched_again)
{
    int raw;
    plx_socket *socket = adopt_bare(w, &raw);
    char line[20] = "";

    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_read_line(socket, line, sizeof line), 0);
    fail_allocation(0);
    raw_say(raw, " a line\nmore");
    UNTIL(w, plx_socket_bytes_available(socket) == 16);
    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_read_line(socket, line, sizeof line), 12);
    fail_allocation(0);
    ck_assert_str_eq(line, "half a line\n");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 4);
}

MODE_CASE(datagrams_that_cannot_be_kept)
{
    struct record log;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    plx_socket *to = world_socket_of(w, plx_udp_new, &log);
    int raw = world_raw(w, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    static const char bytes[30000];

    ck_assert_int_eq(plx_socket_set_interface(to, "127.0.0.1"), 0);
    ck_assert_int_eq(plx_socket_connect(to), 0);
    world_settle(w);
    record_clear(&log);
    at.sin_port = htons((uint16_t)plx_socket_port(to));
    ck_assert_int_eq(connect(raw, (struct sockaddr *)&at, sizeof at), 0);
    for (int i = 0; i < 3; i++)
        raw_send(raw, bytes, sizeof bytes);
    world_readable(plx_socket_handle(to));
    fail_allocation(-1);
    UNTIL(w, log.count[EVENT_ERROR] > 0);
    ck_assert_int_eq(log.code, PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_socket_last_error(to), PLX_OUT_OF_MEMORY);
    ck_assert_uint_eq(plx_udp_packets_available(to), 0);
    fail_allocation(0);
    world_settle(w);
    raw_say(raw, "kept");
    UNTIL(w, plx_udp_packets_available(to) == 1);
}

static void count_room(plx_socket *socket, void *user)
{
    (void)socket;
    ++*(volatile int *)user;
}

/* A write of which the kernel took a part is short, and so is followed by room_available. The
 * kernel may take another part after a while. For streams only: a packet is sent whole, so it has
 * no rest. */
STREAM_CASE(a_write_whose_rest_cannot_be_kept)
{
    enum { SIZE = 20000000 };
    static const plx_events events = {.room_available = count_room};
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    volatile int rooms = 0;
    int parts = 0;
    char *bytes = calloc(1, SIZE);
    ptrdiff_t written;

    world_pair(w, socket, &log);
    plx_socket_set_events(socket, &events, (void *)&rooms);
    fail_allocation(-1);
    while ((written = plx_socket_write(socket, bytes, SIZE)) > 0) {
        ck_assert_int_lt(written, SIZE);
        ck_assert_int_eq(rooms, parts);
        parts++;
        UNTIL(w, rooms >= parts);
        world_settle(w);
        ck_assert_int_eq(rooms, parts);
    }
    ck_assert_int_gt(parts, 0);
    ck_assert_int_eq(written, -1); /* the kernel takes nothing */
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_OUT_OF_MEMORY);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_write(socket, bytes, 1), 1);
    world_settle(w);
    ck_assert_int_eq(rooms, parts);
    free(bytes);
}

/* A write that failed was not cut short: no room_available follows it. */
STREAM_CASE(a_write_that_failed_is_not_short)
{
    static const plx_events events = {.room_available = count_room};
    static const char bytes[5000];
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    volatile int rooms = 0;

    world_pair(w, socket, &log);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 100), 0);
    plx_socket_set_events(socket, &events, (void *)&rooms);
    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), -1);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 0), 0);
    world_settle(w);
    ck_assert_int_eq(rooms, 0);
}

/* ---- packets --------------------------------------------------------------------------------- */

static void connect_packets(struct world *w, plx_constructor *create, plx_socket **ret_a,
                            plx_socket **ret_b, struct record *log)
{
    char where[WHERE_SIZE + 10];

    *ret_a = world_socket_of(w, create, log);
    *ret_b = world_socket_of(w, create, NULL);
    if (create == plx_udp_new) {
        ck_assert_int_eq(plx_socket_set_interface(*ret_b, "127.0.0.1"), 0);
        ck_assert_int_eq(plx_socket_connect(*ret_b), 0);
        snprintf(where, sizeof where, "127.0.0.1:%d", plx_socket_port(*ret_b));
    } else {
        snprintf(where, sizeof where, "%s/packets", w->folder);
        ck_assert_int_eq(plx_socket_listen_on(*ret_b, where), 0);
    }
    ck_assert_int_eq(plx_socket_connect_to(*ret_a, where), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    world_settle(w);
}

/* A packet that cannot be queued is refused, and not counted as written. */
static void refuse_packets(struct world *w, plx_constructor *create)
{
    struct record log;
    plx_socket *a, *b;

    connect_packets(w, create, &a, &b, &log);
    /* More than any block that is there. */
    static const char bytes[60000];
    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_write_message(a, bytes, sizeof bytes), PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_socket_write(a, bytes, sizeof bytes), -1);
    ck_assert_int_eq(plx_socket_last_error(a), PLX_OUT_OF_MEMORY);
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(log.code, PLX_OUT_OF_MEMORY);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_write_message(a, "x", 1), 0);
    UNTIL(w, create == plx_udp_new ? plx_udp_packets_available(b) == 1
                                   : plx_socket_bytes_available(b) == 1);
}

MODE_CASE(packets_that_cannot_be_queued)
{
    refuse_packets(w, plx_seqpacket_new);
}

MODE_CASE(datagrams_that_cannot_be_queued)
{
    refuse_packets(w, plx_udp_new);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

SECTION("descriptors");

/* Each allocation of a connect fails in turn: a connect that fails has opened nothing, and goes on
 * as if nothing had been tried. */
static void connect_udp(struct world *w, const char *where, bool bound)
{
    for (int number = 1; number < 12; number++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, plx_udp_new, &log);
        int descriptors, code;

        if (bound)
            ck_assert_int_eq(plx_socket_connect(socket), 0);
        world_settle(w);
        record_clear(&log);
        descriptors = count_descriptors();
        fail_allocation(number);
        code = plx_socket_connect_to(socket, where);
        fail_allocation(0);
        if (code != 0) {
            ck_assert_int_eq(code, PLX_OUT_OF_MEMORY);
            ck_assert_int_eq(count_descriptors(), descriptors);
            ck_assert_int_eq(plx_socket_state(socket), bound ? PLX_BOUND : PLX_UNCONNECTED);
            ck_assert_int_eq(plx_socket_handle(socket) >= 0, bound);
            SETTLED(w, &log, bound ? "error(108,14)[BOUND]" : "error(108,14)[UNCONNECTED]");
        }
        plx_socket_close(socket);
        ck_assert_int_eq(plx_socket_connect(socket), 0);
        UNTIL(w, plx_socket_state(socket) == PLX_BOUND);
        world_free(w, socket);
    }
}

MODE_CASE(a_datagram_socket_that_cannot_connect)
{
    connect_udp(w, "127.0.0.1:9", false);
    connect_udp(w, "localhost:9", false);
    connect_udp(w, "127.0.0.1:9", true);
    connect_udp(w, "localhost:9", true);
}

WORLD_MAIN("no-memory", .packets = true)
