/* tests/test-handles-received.c -- descriptors that arrive over a Unix socket, those that nobody
 * takes, and those that are too many. */
#include "config.h"

#include "tests/handles.h"

/* RECEIVER_CASE begins with a connection whose socket takes descriptors. */
#define RECEIVER_CASE(name) WORLD_PAIR_CASE(MODE_CASE, name, receiver(w, log))

/* ---- receiving ------------------------------------------------------------------------------- */

MODE_PAIR_CASE(dropped_where_nobody_asked_for_them)
{
    int before = count_descriptors();
    uint64_t offset = 0;

    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_RECEIVE_HANDLES), 0);
    for (int i = 0; i < 10; i++)
        raw_pass_numbers(w, raw, i, i % 2 == 0 ? 1 : 253, 3, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 30);
    ck_assert(pattern_matches(plx_socket_lookahead(socket, NULL), 30, 0));
    ck_assert_int_eq(plx_ipc_receive_handle(socket), -1);
    ck_assert_int_eq(count_descriptors(), before);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

MODE_CASE(dropped_by_packets)
{
    int ends[2], before;
    uint64_t offset = 0;
    plx_socket *socket = world_socket_of(w, plx_seqpacket_new, NULL);

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(plx_socket_adopt(socket, ends[0]), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_HANDLES, 1),
                     PLX_INVALID_STATE);
    before = count_descriptors();
    for (int i = 0; i < 10; i++) {
        raw_pass_numbers(w, ends[1], i, MOST_ON_A_BYTE, 3, &offset);
        UNTIL(w, plx_socket_can_read_message(socket));
        ck_assert_uint_eq(plx_socket_skip(socket, 1), 3);
    }
    ck_assert_int_eq(count_descriptors(), before);
    close(ends[1]);
}

IPC_SOCKET_CASE(the_option)
{
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, NULL),
               *udp = world_socket_of(w, plx_udp_new, NULL);

    ck_assert_int_eq(plx_socket_set_option(tcp, PLX_OPTION_RECEIVE_HANDLES, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_error(tcp)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
    ck_assert_int_eq(plx_socket_set_option(udp, PLX_OPTION_RECEIVE_HANDLES, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_HANDLES, 2),
                     PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_HANDLES, -1),
                     PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_RECEIVE_HANDLES), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_HANDLES, 1), 0);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_RECEIVE_HANDLES), 1);
    ck_assert_int_eq(plx_ipc_receive_handle(NULL), -1);
    ck_assert_int_eq(plx_ipc_receive_handle(tcp), -1);
    ck_assert_int_eq(plx_ipc_receive_handle(udp), -1);
    ck_assert_int_eq(plx_ipc_receive_handle(socket), -1);
}

RECEIVER_CASE(mixed_with_bytes_and_in_order)
{
    int sent = 0;
    uint64_t offset = 0;

    for (int i = 0; i < 60; i++) {
        int count = i % 7;

        raw_pass_numbers(w, raw, sent, count, (size_t)(1 + i * 13 % 900), &offset);
        sent += count;
    }
    UNTIL(w, plx_socket_bytes_available(socket) == offset);
    ck_assert(pattern_matches(plx_socket_lookahead(socket, NULL), (size_t)offset, 0));
    expect_numbers(socket, 0, sent);
}

RECEIVER_CASE(never_before_its_byte)
{
    uint64_t offset = 0;
    char bytes[4];

    /* Nothing is read beyond the limit, so that the fifth byte and what is with it stay away. */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 4), 0);
    raw_pass_numbers(w, raw, 0, 1, 4, &offset);
    raw_pass_numbers(w, raw, 1, 2, 4, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 4);
    world_settle(w);
    expect_numbers(socket, 0, 1);
    ck_assert_int_eq(plx_socket_read(socket, bytes, 4), 4);
    UNTIL(w, plx_socket_bytes_available(socket) == 4);
    expect_numbers(socket, 1, 2);
}

MODE_PAIR_CASE(option_set_while_connected)
{
    uint64_t offset = 0;

    raw_pass_numbers(w, raw, 0, 1, 1, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_HANDLES, 1), 0);
    raw_pass_numbers(w, raw, 1, 1, 1, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 2);
    expect_numbers(socket, 1, 1);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_HANDLES, 0), 0);
    raw_pass_numbers(w, raw, 2, 1, 1, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 3);
    expect_numbers(socket, 0, 0);
}

MODE_CASE(option_of_a_server_and_of_a_listener)
{
    struct record log;
    plx_socket *client, *socket = receiver(w, &log);
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];
    uint64_t offset = 0;
    int raw;

    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_RECEIVE_HANDLES, 1), 0);
    world_serve(w, server, where);
    raw = raw_connect(w, where);
    raw_pass_numbers(w, raw, 0, 3, 1, &offset); /* waits in the queue of the listener */
    UNTIL(w, (client = plx_server_next_active(server, NULL)) != NULL &&
                 plx_socket_bytes_available(client) == 1);
    expect_numbers(client, 0, 3);
    world_listen(w, socket, where);
    raw = raw_connect(w, where);
    raw_pass_numbers(w, raw, 3, 3, 1, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
    expect_numbers(socket, 3, 3);
}

/* ---- those that nobody takes ----------------------------------------------------------------- */

enum taking { BY_ABORT, BY_FREE, BY_CONNECT, BY_LISTEN, BY_ADOPT, TAKINGS };

/* Leaves ten descriptors with an ended socket, which it can still give, and does away with them. */
static void expect_closed(struct world *w, plx_socket *socket, enum taking how)
{
    int before = count_descriptors(), ends[2];
    char where[WHERE_SIZE];

    world_place(w, where);
    switch (how) {
    case BY_ABORT: plx_socket_abort(socket); break;
    case BY_FREE: world_free(w, socket); break;
    case BY_CONNECT: ck_assert_int_eq(plx_socket_connect_to(socket, where), 0); break;
    case BY_LISTEN: ck_assert_int_eq(plx_socket_listen_on(socket, where), 0); break;
    default:
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        ck_assert_int_eq(plx_socket_adopt(socket, ends[0]), 0);
        close(ends[1]);
    }
    if (how != BY_FREE) {
        ck_assert_int_eq(plx_ipc_receive_handle(socket), -1);
        plx_socket_abort(socket);
    }
    ck_assert_int_eq(count_descriptors(), before - 10);
}

MODE_CASE(uncollected_ones_are_closed)
{
    for (int how = 0; how < TAKINGS; how++) {
        struct record log;
        plx_socket *socket = receiver(w, &log);
        int raw = world_pair(w, socket, &log);
        uint64_t offset = 0;

        raw_pass_numbers(w, raw, 0, 12, 5, &offset);
        UNTIL(w, plx_socket_bytes_available(socket) == 5);
        expect_number(socket, 0);
        raw_close(w, raw);
        UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
        expect_number(socket, 1); /* after the end they are there as the bytes are */
        world_settle(w);
        expect_closed(w, socket, (enum taking)how);
    }
}

MODE_CASE(an_abort_of_the_connection_closes_them)
{
    struct record log;
    plx_socket *socket = receiver(w, &log);
    int before = count_descriptors(), raw = world_pair(w, socket, &log);
    uint64_t offset = 0;

    raw_pass_numbers(w, raw, 0, 12, 5, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    plx_socket_abort(socket);
    ck_assert_int_eq(count_descriptors(), before + 1);
    raw_close(w, raw);
    raw = world_pair(w, socket, &log);
    raw_pass_numbers(w, raw, 0, 12, 5, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    world_free(w, socket);
    ck_assert_int_eq(count_descriptors(), before + 1);
}

RECEIVER_CASE(close_takes_in_what_has_come)
{
    uint64_t offset = 0;

    raw_pass_numbers(w, raw, 0, 2, 5, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    raw_pass_numbers(w, raw, 2, 2, 5, &offset); /* not polled for any more */
    raw_pass_numbers(w, raw, 4, 2, 5, &offset);
    plx_socket_close(socket);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 15);
    expect_numbers(socket, 0, 6);
}

RECEIVER_CASE(purge_drops_bytes_only)
{
    uint64_t offset = 0;

    raw_pass_numbers(w, raw, 0, 2, 5, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    plx_socket_purge(socket);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    expect_numbers(socket, 0, 2);
}

static void act_purge(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_purge(socket);
}

RECEIVER_CASE(purge_forgives_nothing)
{
    uint64_t offset = 0;

    /* One more than may wait is lost, and so must be the connection. */
    log->always = true;
    record_on(log, EVENT_DATA_AVAILABLE, act_purge, NULL);
    raw_pass_numbers(w, raw, 0, 253, 5, &offset);
    raw_pass_numbers(w, raw, 253, 1, 5, &offset);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    expect_error(log, ETOOMANYREFS);
}

RECEIVER_CASE(sent_and_gone_at_once)
{
    uint64_t offset = 0;

    raw_pass_numbers(w, raw, 0, 2, 5, &offset);
    raw_pass_numbers(w, raw, 2, 2, 5, &offset);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->reason, PLX_REASON_REMOTE_HOST_CLOSED);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 10);
    expect_numbers(socket, 0, 4);
}

/* ---- too many -------------------------------------------------------------------------------- */

RECEIVER_CASE(as_many_as_may_wait)
{
    uint64_t offset = 0;

    for (int round = 0; round < 3; round++) {
        raw_pass_numbers(w, raw, 0, 200, 1, &offset);
        raw_pass_numbers(w, raw, 200, 53, 1, &offset);
        UNTIL(w, plx_socket_bytes_available(socket) == offset);
        world_settle(w);
        ck_assert(plx_socket_is_connected(socket));
        expect_numbers(socket, 0, 253);
    }
}

/* `last` arrive in one message behind those that fit. */
static void overflow(struct world *w, int last)
{
    struct record log, log_other;
    plx_socket *socket = receiver(w, &log), *other = receiver(w, &log_other);
    int raw_other = world_pair(w, other, &log_other), raw, before = count_descriptors(), number = 0;
    uint64_t offset = 0, offset_other = 0;

    raw = world_pair(w, socket, &log);
    raw_pass_numbers(w, raw_other, 5, 1, 3, &offset_other);
    raw_pass_numbers(w, raw, 0, 253, 4, &offset);
    raw_pass_numbers(w, raw, 253, last, 4, &offset);
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    expect_error(&log, ETOOMANYREFS);
    ck_assert_int_le(count_descriptors(), before + 1 + 1 + 253); /* raw, and one of the other */
    ck_assert_uint_ge(plx_socket_bytes_available(socket), 4);    /* what came before it */
    ck_assert(
        pattern_matches(plx_socket_lookahead(socket, NULL), plx_socket_bytes_available(socket), 0));
    for (int got; (got = plx_ipc_receive_handle(socket)) >= 0; close(got))
        ck_assert_int_eq(number_of(got), number++);
    ck_assert_int_le(number, 253);
    plx_socket_abort(socket);
    raw_close(w, raw);
    UNTIL(w, plx_socket_bytes_available(other) == 3);
    expect_numbers(other, 5, 1);
    ck_assert(plx_socket_is_connected(other));
    ck_assert_int_eq(log_other.count[EVENT_ERROR], 0);
    ck_assert_int_eq(count_descriptors(), before);
    world_free(w, socket);
    world_free(w, other);
    raw_close(w, raw_other);
}

MODE_CASE(one_more_than_may_wait)
{
    overflow(w, 1);
}

MODE_CASE(many_more_than_may_wait)
{
    overflow(w, 253);
}

RECEIVER_CASE(a_socket_that_overflowed_connects_again)
{
    uint64_t offset = 0;

    raw_pass_numbers(w, raw, 0, 253, 1, &offset);
    raw_pass_numbers(w, raw, 253, 1, 1, &offset);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    raw = world_pair(w, socket, log);
    offset = 0;
    raw_pass_numbers(w, raw, 0, 253, 1, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
    world_settle(w);
    ck_assert(plx_socket_is_connected(socket));
    expect_numbers(socket, 0, 253);
}

/* The kernel gives as many as find room in our table and says MSG_CTRUNC for the rest (unix(7)). */
static void fill_table(struct world *w, int room)
{
    struct record log;
    plx_socket *socket = receiver(w, &log);
    rlim_t limit = limit_of_descriptors();
    int before = count_descriptors(), raw = world_pair(w, socket, &log), next;
    uint64_t offset = 0;

    raw_pass_numbers(w, raw, 0, 3, 4, &offset);
    next = dup(raw);
    close(next);
    limit_descriptors((rlim_t)(next + room));
    for (int i = 0; i < 20 && log.count[EVENT_DISCONNECTED] == 0; i++)
        world_poll(w);
    limit_descriptors(limit);
    ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 1);
    expect_error(&log, EMFILE);
    ck_assert_int_eq(log.reason, PLX_REASON_SOCKET_RESOURCE);
    plx_socket_abort(socket);
    raw_close(w, raw);
    ck_assert_int_eq(count_descriptors(), before);
    raw = world_pair(w, socket, &log); /* works again */
    offset = 0;
    raw_pass_numbers(w, raw, 0, 3, 4, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 4);
    expect_numbers(socket, 0, 3);
    world_free(w, socket);
    raw_close(w, raw);
}

MODE_CASE(our_table_is_full)
{
    if (under_valgrind()) {
        fprintf(stderr, "SKIP: under valgrind: our_table_is_full\n");
        return;
    }
    for (int room = 0; room < 3; room++)
        fill_table(w, room);
}

/* ---- descriptors that were open before ------------------------------------------------------- */

/* An adopted connection with an option of the kernel set; 0: none. */
static plx_socket *adopt_with(struct world *w, struct record *log, int option, int *ret_raw)
{
    plx_socket *socket = receiver(w, log);
    int ends[2], one = 1;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    if (option != 0 && setsockopt(ends[0], SOL_SOCKET, option, &one, sizeof one) != 0)
        printf("# option %d is not known here: left out\n", option);
    ck_assert_int_eq(plx_socket_adopt(socket, ends[0]), 0);
    *ret_raw = world_raw(w, ends[1]);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    return socket;
}

MODE_CASE(an_adopted_connection_receives)
{
    struct record log;
    uint64_t offset = 0;
    int raw;
    plx_socket *socket = adopt_with(w, &log, 0, &raw);

    raw_pass_numbers(w, raw, 0, 253, 5, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    expect_numbers(socket, 0, 253);
}

/* Somebody has asked the kernel to say with each message who sends it, as systemd.socket(5) does by
 * PassCredentials=: that takes no descriptor from us, and no room from those that are sent. */
static void receive_from_somebody(struct world *w, int option)
{
    struct record log;
    uint64_t offset = 0;
    int raw, before;
    plx_socket *socket = adopt_with(w, &log, option, &raw);

    before = count_descriptors();
    for (int i = 0; i < 10; i++) {
        raw_pass_numbers(w, raw, i, i % 2, 5, &offset);
        UNTIL(w, plx_socket_bytes_available(socket) == offset);
        expect_numbers(socket, i, i % 2);
    }
    ck_assert_int_eq(count_descriptors(), before);
    raw_pass_numbers(w, raw, 0, 253, 5, &offset);
    UNTIL(w, plx_socket_bytes_available(socket) == offset);
    world_settle(w);
    ck_assert(plx_socket_is_connected(socket));
    expect_numbers(socket, 0, 253);
    ck_assert_int_eq(count_descriptors(), before);
}

MODE_CASE(an_adopted_connection_that_passes_credentials)
{
    receive_from_somebody(w, SO_PASSCRED);
}

MODE_CASE(an_adopted_connection_that_passes_process_handles)
{
    receive_from_somebody(w, 76); /* SO_PASSPIDFD, Linux 6.5, where headers are older */
}

/* ---- in handlers ----------------------------------------------------------------------------- */

static void act_collect(struct record *record, plx_socket *socket)
{
    int *next = record->data;

    for (int got; (got = plx_ipc_receive_handle(socket)) >= 0; close(got))
        ck_assert_int_eq(number_of(got), (*next)++);
}

RECEIVER_CASE(a_thousand_collected_as_they_come)
{
    int before = count_descriptors(), next = 0;
    uint64_t offset = 0;

    log->mute = ~0u;
    log->always = log->swallow = true;
    record_on(log, EVENT_DATA_AVAILABLE, act_collect, &next);
    while (next < MANY) { /* by ones and by hundreds */
        int first = next, count = first < MANY / 2 ? 1 : 100;

        raw_pass_numbers(w, raw, first, count, 1, &offset);
        UNTIL(w, plx_socket_bytes_available(socket) == 0 && log->swallowed == offset);
        ck_assert_int_eq(next, first + count);
    }
    UNTIL(w, log->swallowed == offset);
    ck_assert_int_eq(count_descriptors(), before);
    ck_assert(plx_socket_is_connected(socket));
}

static void act_free(struct record *record, plx_socket *socket)
{
    world_free(record->data, socket);
}

MODE_CASE(freed_in_data_available_while_they_wait)
{
    static const enum event events[] = {EVENT_DATA_AVAILABLE, EVENT_ERROR, EVENT_DISCONNECTED};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        struct record log;
        plx_socket *socket = receiver(w, &log);
        int before = count_descriptors(), raw = world_pair(w, socket, &log);
        uint64_t offset = 0, written = 0;

        record_on(&log, events[i], act_free, w);
        send_numbers(w, socket, 0, 3); /* and some that wait to be sent */
        write_pattern_at(socket, 5, &written);
        send_numbers(w, socket, 3, 3);
        raw_pass_numbers(w, raw, 0, 253, 5, &offset);
        raw_pass_numbers(w, raw, 253, 7, 5, &offset);
        raw_close(w, raw);
        UNTIL(w, log.fired);
        world_settle(w);
        ck_assert_int_eq(count_descriptors(), before);
    }
}

static void act_abort(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_abort(socket);
    ck_assert_int_eq(plx_ipc_receive_handle(socket), -1);
}

MODE_CASE(aborted_in_data_available_while_they_wait)
{
    struct record log;
    plx_socket *socket = receiver(w, &log);
    int before = count_descriptors(), raw = world_pair(w, socket, &log);
    uint64_t offset = 0;

    record_on(&log, EVENT_DATA_AVAILABLE, act_abort, NULL);
    raw_pass_numbers(w, raw, 0, 10, 5, &offset);
    UNTIL(w, log.fired);
    raw_close(w, raw);
    ck_assert_int_eq(count_descriptors(), before);
}

WORLD_MAIN("handles received", .kind = "ipc", .setup = raise_limit)
