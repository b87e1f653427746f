/* tests/test-command-wait.c -- waiting for a command. */
#include "config.h"

#include "tests/commands.h"
#include "tests/sanitized.h"

static size_t wire_size(const struct world *w, const char *text)
{
    return (w->kind->keeps_boundaries ? HEAD : LENGTH + HEAD) + strlen(text);
}

/* A packet counts without a length, a record's bytes with its head. */
static void order(struct world *w, plx_socket *socket, int raw, int32_t command, const char *text)
{
    uint64_t before = received_bytes(socket);

    raw_order(w, raw, command, text);
    UNTIL(w, received_bytes(socket) >= before + wire_size(w, text));
}

/* ---- what is there --------------------------------------------------------------------------- */

QUIET_CASE(the_others_stay_in_their_order)
{
    order(w, socket, raw, 1, "one");
    order(w, socket, raw, 2, "two");
    order(w, socket, raw, 1, "again");
    order(w, socket, raw, 3, "three");
    order(w, socket, raw, 2, "last");
    expect_awaited(socket, 2, 0, "two");
    expect_awaited(socket, 3, 0, "three");
    expect_awaited(socket, 2, -1, "last");
    expect_none_awaited(socket, 2, 0);
    expect_command(socket, 1, "one");
    expect_command(socket, 1, "again");
    expect_no_command(socket);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
}

/* Each order of taking nine of them. */
QUIET_CASE(any_order_of_waits)
{
    uint32_t random = 12345;

    for (int round = 0; round < 60; round++) {
        char left[10] = "123456789";
        char text[40];

        for (int i = 1; i <= 9; i++) {
            memset(text, '0' + i, 36);
            text[(i * 7 + round) % 36] = '\0';
            order(w, socket, raw, i, text);
        }
        for (size_t count = 9; count > 0; count--) {
            size_t at = (random = random * 1103515245 + 12345) / 65536 % (count + 1), size;
            const char *data;
            int32_t number = 0;

            if (at == count) { /* or it is read */
                data = plx_socket_read_command(socket, &number, &size);
                ck_assert_int_eq(number, left[0] - '0');
                at = 0;
            } else {
                number = left[at] - '0';
                data = plx_socket_wait_for_command(socket, number, 0, &size);
            }
            ck_assert_ptr_nonnull(data);
            for (size_t i = 0; i < size; i++)
                ck_assert_int_eq(data[i], '0' + number);
            memmove(left + at, left + at + 1, count - at);
        }
        expect_no_command(socket);
        ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    }
}

/* Packets: the size of the oldest one, which no wait has taken. */
QUIET_CASE(taken_ones_are_not_available)
{
    char text[90];
    size_t first = w->kind->keeps_boundaries ? wire_size(w, "first") : 0;

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    order(w, socket, raw, 1, "first");
    order(w, socket, raw, 2, "longer than the first one");
    order(w, socket, raw, 3, text);
    expect_awaited(socket, 2, 0, "longer than the first one");
    ck_assert_uint_eq(plx_socket_bytes_available(socket),
                      first > 0 ? first : wire_size(w, "first") + wire_size(w, text));
}

/* What a wait takes is not reported, and the others are not reported during the wait. */
ORDERS_CASE(the_awaited_one_is_not_reported)
{
    uint64_t before = received_bytes(socket);

    plx_socket_set_events(socket, &record_events, orders);
    order(w, socket, raw, 1, "one");
    order(w, socket, raw, 7, "seven");
    order(w, socket, raw, 2, "two");
    ck_assert_uint_gt(received_bytes(socket), before);
    plx_socket_set_events(socket, orders_table(), orders);
    expect_awaited(socket, 7, 0, "seven");
    expect_none_awaited(socket, 7, 0);
    ck_assert_int_eq(orders->count, 0);
    UNTIL(w, orders->count == 2);
    SETTLED(w, log, "1:one[CONNECTED] 2:two[CONNECTED]");
}

/* ---- what comes ------------------------------------------------------------------------------ */

KERNEL_CASE(it_comes_during_the_wait)
{
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);

    raw_order(w, raw, 1, "one");
    raw_order(w, raw, 7, "seven");
    raw_order(w, raw, 2, "two");
    expect_awaited(socket, 7, 10000, "seven");
    ck_assert_int_eq(orders.count, 0);
    UNTIL(w, orders.count == 2);
    SETTLED(w, &orders.log, "1:one[CONNECTED] 2:two[CONNECTED]");
}

/* Other handlers are called: this one sends what the answer answers. */
static void act_ask(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_send_command(socket, 1, "question", 8), 0);
}

KERNEL_CASE(connecting_asking_and_answering)
{
    struct orders orders, log_of_peer;
    plx_socket *socket = world_socket(w, NULL);
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];

    orders_begin(&orders, w);
    orders_begin(&log_of_peer, w);
    plx_server_set_client_events(server, orders_table(), &log_of_peer);
    ck_assert_int_eq(plx_server_set_commands(server, 0), 0);
    world_serve(w, server, where);
    plx_socket_set_events(socket, orders_table(), &orders);
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
    record_on(&orders.log, EVENT_CONNECTED, act_ask, NULL);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    expect_none_awaited(socket, 2, 50); /* the server is not polled */
    ck_assert_int_eq(orders.log.count[EVENT_CONNECTED], 1);
    UNTIL(w, log_of_peer.count == 1);
}

/* A handler in a wait waits too: each wait returns its own command. */
struct inner {
    struct world *world;
    int listener;
};

static void act_wait(struct record *record, plx_socket *socket)
{
    const struct inner *inner = record->data;
    int raw = raw_accept(inner->world, inner->listener);

    raw_order(inner->world, raw, 9, "nine");
    expect_awaited(socket, 9, 10000, "nine");
    raw_order(inner->world, raw, 7, "the seventh");
}

PROMPT_CASE(a_wait_in_a_handler_of_a_wait)
{
    struct orders orders;
    char where[WHERE_SIZE];
    struct inner inner = {w, raw_listen(w, 5, where)};
    plx_socket *socket = world_socket(w, NULL);

    orders_begin(&orders, w);
    plx_socket_set_events(socket, orders_table(), &orders);
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
    record_on(&orders.log, EVENT_CONNECTED, act_wait, &inner);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    expect_awaited(socket, 7, 10000, "the seventh");
    ck_assert(orders.log.fired);
    ck_assert_int_eq(orders.count, 0);
}

/* One larger than the limit comes if it is the first. */
KERNEL_CASE(a_large_one_is_awaited)
{
    static char data[100000];
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);
    unsigned char *bytes = malloc(sizeof data + 8);
    size_t size;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 1000), 0);
    raw_send(raw, bytes, put_command(w, bytes, 3, data, sizeof data));
    ck_assert_ptr_nonnull(plx_socket_wait_for_command(socket, 3, 10000, &size));
    ck_assert_uint_eq(size, sizeof data);
    free(bytes);
}

/* ---- what cannot come ------------------------------------------------------------------------ */

QUIET_CASE(waiting_is_refused)
{
    expect_none_awaited(socket, -1, -1);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
    expect_none_awaited(socket, INT32_MIN, -1);
    plx_socket_close(socket);
    expect_none_awaited(socket, 1, -1);
}

KERNEL_CASE(the_connection_ends)
{
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);

    raw_order(w, raw, 1, "one");
    raw_order(w, raw, 2, "two");
    raw_close(w, raw);
    expect_none_awaited(socket, 9, -1);
    expect_awaited(socket, 2, -1, "two");
    expect_none_awaited(socket, 9, -1);
    ck_assert_int_eq(orders.count + orders.log.count[EVENT_DISCONNECTED], 0);
    UNTIL(w, orders.log.count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, &orders.log,
           "1:one[CONNECTED] state:UNCONNECTED error(102,11)[UNCONNECTED] "
           "disconnected[UNCONNECTED]");
}

/* Without a handler the end is reported in the wait, and commands can be taken after it. */
KERNEL_CASE(the_connection_ends_without_a_handler)
{
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);

    plx_socket_set_events(socket, &record_events, &orders);
    raw_order(w, raw, 1, "one");
    raw_order(w, raw, 2, "two");
    raw_close(w, raw);
    expect_none_awaited(socket, 9, -1);
    UNTIL(w, orders.log.count[EVENT_DISCONNECTED] == 1);
    expect_awaited(socket, 2, -1, "two");
    expect_command(socket, 1, "one");
}

QUIET_CASE(the_limit_is_reached)
{
    char text[90];
    int sent = 0;

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 500), 0);
    for (; sent < 12; sent++)
        raw_order(w, raw, 1, text);
    raw_order(w, raw, 2, "behind");
    for (int i = 0; i < 20; i++)
        world_turn(w, i);
    expect_none_awaited(socket, 2, -1); /* returns at once */
    for (int i = 0; i < sent; i++)
        UNTIL(w, plx_socket_read_command(socket, NULL, NULL) != NULL);
    UNTIL(w, plx_socket_wait_for_command(socket, 2, 0, NULL) != NULL);
}

/* Commands that waits have taken do not fill the limit. */
QUIET_CASE(taken_ones_do_not_count)
{
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 2000), 0);
    order(w, socket, raw, 1, "stays");
    for (int i = 0; i < 300; i++) {
        raw_order(w, raw, 3, "in between");
        raw_order(w, raw, 2, "some data, rather long, to fill the limit");
        raw_order(w, raw, 4, "behind");
        UNTIL(w, plx_socket_wait_for_command(socket, 2, 0, NULL) != NULL);
        UNTIL(w, plx_socket_wait_for_command(socket, 3, 0, NULL) != NULL);
        UNTIL(w, plx_socket_wait_for_command(socket, 4, 0, NULL) != NULL);
    }
    expect_command(socket, 1, "stays");
    expect_no_command(socket);
}

/* One more command waits in the kernel, and has room as soon as a wait has taken another one. */
QUIET_CASE(a_taken_one_makes_room)
{
    int behind = w->kind->keeps_boundaries ? 2 : 3;
    char text[101];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 500), 0);
    raw_order(w, raw, 1, text);
    raw_order(w, raw, 5, text);
    for (int i = 0; i < behind; i++)
        raw_order(w, raw, 1, text);
    raw_order(w, raw, 9, "behind");
    for (int i = 0; i < 20; i++)
        world_turn(w, i);
    expect_none_awaited(socket, 9, -1);
    ck_assert_ptr_nonnull(plx_socket_wait_for_command(socket, 5, -1, NULL));
    UNTIL(w, plx_socket_wait_for_command(socket, 9, 0, NULL) != NULL);
}

QUIET_STREAM_CASE(a_bad_one_is_in_the_way)
{
    raw_send(raw, "\0\0\0\5\0\0\0\1x\0\0\0\3", 13);
    UNTIL(w, received_bytes(socket) >= 13);
    expect_none_awaited(socket, 2, -1);
    expect_awaited(socket, 1, -1, "x");
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, EPROTO);
}

/* A negative one is no gap: the peer cannot make commands vanish. */
QUIET_STREAM_CASE(a_negative_one_is_in_the_way)
{
    raw_send(raw, "\0\0\0\5\0\0\0\1x\0\0\0\4\xff\xff\xff\xff\0\0\0\4\0\0\0\2", 25);
    UNTIL(w, received_bytes(socket) >= 25);
    expect_none_awaited(socket, 2, -1);
    expect_command(socket, 1, "x");
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, EPROTO);
}

/* ---- handlers in a wait ---------------------------------------------------------------------- */

static void act_free(struct record *record, plx_socket *socket)
{
    world_forget(record->data, socket);
    plx_socket_free(socket);
}

KERNEL_CASE(freed_in_a_wait)
{
    struct record log;
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);
    plx_socket *socket = world_socket(w, &log);

    (void)listener;
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
    record_on(&log, EVENT_STATE_CHANGED, act_free, w);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    expect_none_awaited(socket, 1, 10000);
    ck_assert(log.fired);
}

struct guest {
    plx_socket *client; /* NULL: none was accepted yet */
};

static void note_client(plx_server *server, plx_socket *client, void *user)
{
    (void)server;
    ((struct guest *)user)->client = client;
}

/* The server frees a client that has ended, but not before the data of its last wait were seen. */
KERNEL_CASE(a_client_ends_in_a_wait)
{
    static const plx_server_events events = {.accepted = note_client};
    plx_server *server = world_server(w);
    struct guest guest = {NULL};
    char where[WHERE_SIZE];
    int raw;

    plx_server_set_events(server, &events, &guest);
    ck_assert_int_eq(plx_server_set_commands(server, 0), 0);
    world_serve(w, server, where);
    raw = raw_connect(w, where);
    UNTIL(w, guest.client != NULL);
    world_settle(w);
    raw_order(w, raw, 2, "last words");
    raw_close(w, raw);
    expect_awaited(guest.client, 2, 10000, "last words");
    UNTIL(w, plx_server_active_count(server) == 0);
}

/* ---- cost ------------------------------------------------------------------------------------ */

enum { CROWD = 150000 };

/* Waits for every second one of a long queue: seconds if each wait looked at all of them, or moved
 * them. */
static void fill_crowd(struct world *w, plx_socket *socket, int raw)
{
    unsigned char *bytes = malloc((size_t)CROWD * 9);
    size_t size = 0, at = 0;

    for (int i = 0; i < CROWD; i++)
        size += put_command(w, bytes + size, 1 + i % 2, "x", 1);
    while (at < size) {
        at += raw_try(raw, bytes + at, size - at);
        world_poll(w);
    }
    UNTIL(w, received_bytes(socket) == size);
    free(bytes);
}

WORLD_CASE(a_long_queue_costs_linear_time, world_begin_of(&world_, "ipc", (enum mode)_i),
           world_modes(), NULL)
{
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);

    plx_socket_set_events(socket, &record_events, &orders);
    fill_crowd(w, socket, raw);
    for (int i = 0; i < CROWD; i++)
        expect_none_awaited(socket, 9, 0);
    for (int i = 0; i < CROWD / 2; i++)
        expect_awaited(socket, 2, 0, "x");
    expect_none_awaited(socket, 2, 0);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), (size_t)CROWD / 2 * 9);
    for (int i = 0; i < CROWD / 2; i++)
        expect_command(socket, 1, "x");
    expect_no_command(socket);
}

LEAKS_ARE_COUNTED

WORLD_MAIN("command-wait", .filtered = true, .packets = true)
