/* tests/test-command-handlers.c -- commands: when command_received is called, what its handler may
 * do, and that nothing is allocated once warm. */
#include "config.h"

#include "tests/commands.h"

/* Sends commands 1, 2 ... with their number as text. */
static void order_many(struct world *w, int raw, int count)
{
    for (int i = 1; i <= count; i++) {
        char text[12];

        snprintf(text, sizeof text, "%d", i);
        raw_order(w, raw, i, text);
    }
}

/* Sends them in one piece, so that one poll receives them all: streams only. */
static void order_at_once(struct world *w, int raw, int count)
{
    unsigned char *bytes = malloc((size_t)count * 12);
    size_t size = 0;

    for (int i = 1; i <= count; i++)
        size += put_command(w, bytes + size, i, "data", 4);
    raw_send(raw, bytes, size);
    free(bytes);
}

/* ---- when ------------------------------------------------------------------------------------ */

ORDERS_CASE(one_call_for_each_and_no_other_event)
{
    order_many(w, raw, 5);
    UNTIL(w, orders->count == 5);
    SETTLED(w, log, "1:1[CONNECTED] 2:2[CONNECTED] 3:3[CONNECTED] 4:4[CONNECTED] 5:5[CONNECTED]");
    ck_assert_int_eq(orders->messages, 0);
    expect_no_command(socket);
}

/* A later poll finds no work. */
ORDERS_CASE(nothing_is_left_after_the_last)
{
    order_many(w, raw, 64);
    UNTIL(w, orders->count == 64);
    world_settle(w);
    ck_assert(!world_poll(w));
    if (w->group != NULL)
        ck_assert_int_eq(plx_group_deadline(w->group), -1);
}

enum { MANY = 300, BUDGET = 64 };

/* Each poll reports up to 64; the end waits for all of them, and so do answers. */
ORDERS_STREAM_CASE(a_poll_reports_64)
{
    int last = 0;

    orders->says_little = true;
    order_at_once(w, raw, MANY);
    raw_end(raw);
    UNTIL(w, orders->count > 0);
    while (orders->count < MANY) {
        ck_assert_int_le(orders->count - last, BUDGET);
        ck_assert_int_eq(log->count[EVENT_DISCONNECTED] + log->count[EVENT_ERROR], 0);
        ck_assert_int_eq((int)plx_socket_state(socket), PLX_CONNECTED);
        last = orders->count;
        world_poll(w);
        ck_assert_int_gt(orders->count, last); /* each poll has work */
    }
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(orders->last, MANY);
    SETTLED(w, log, "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]");
}

static void act_answer(struct orders *orders, plx_socket *socket)
{
    (void)orders;
    ck_assert_int_eq(plx_socket_send_command(socket, 1, "answer", 6), 0);
}

/* A peer that has ended its side gets an answer to each. */
ORDERS_STREAM_CASE(all_are_answered_before_the_end)
{
    char got[200];
    size_t have = 0, wanted = MANY * 14;

    orders->says_little = true;
    orders->act = act_answer;
    order_at_once(w, raw, MANY);
    raw_end(raw);
    for (int round = 0; have < wanted; round++) {
        ptrdiff_t piece = raw_take(raw, got, sizeof got);

        ck_assert_int_lt(round, ROUNDS);
        have += piece > 0 ? (size_t)piece : 0;
        world_turn(w, piece > 0 ? 0 : round);
    }
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(orders->count, MANY);
}

static void act_note_end(struct record *record, plx_socket *socket)
{
    (void)socket;
    ck_assert_int_eq(((struct orders *)record)->count, MANY);
}

STREAM_CASE(the_end_of_input_comes_after_all)
{
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_HALF_OPEN, 1), 0);
    record_on(&orders.log, EVENT_END_OF_INPUT, act_note_end, NULL);
    orders.says_little = true;
    order_at_once(w, raw, MANY);
    raw_end(raw);
    UNTIL(w, orders.log.count[EVENT_END_OF_INPUT] + orders.log.count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(orders.count, MANY);
}

/* A reset, or a close with unread bytes: what arrived is reported first. */
ORDERS_STREAM_CASE(all_are_reported_before_a_lost_connection)
{
    orders->says_little = true;
    order_at_once(w, raw, MANY);
    UNTIL(w, received_bytes(socket) == MANY * 12);
    raw_reset(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(orders->count, MANY);
}

ORDERS_CASE(commands_arrive_while_closing)
{
    static char bulk[1 << 20];

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_LINGER_TIMEOUT, 60000), 0);
    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(plx_socket_send_command(socket, 1, bulk, 60000), 0);
    world_poll(w);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    order_many(w, raw, 100);
    for (int round = 0; orders->count < 100; round++) {
        raw_take(raw, bulk, 1000);
        ck_assert_int_lt(round, ROUNDS);
        world_turn(w, round);
    }
    ck_assert_ptr_nonnull(strstr(log->text, "1:1[CLOSING] 2:2[CLOSING]"));
}

ORDERS_CASE(a_handler_that_is_set_later_gets_them)
{
    plx_socket_set_events(socket, &record_events, orders);
    order_many(w, raw, 3);
    UNTIL(w, received_bytes(socket) >= 3 * HEAD + 3);
    world_settle(w);
    ck_assert_int_eq(orders->count, 0);
    plx_socket_set_events(socket, orders_table(), orders);
    UNTIL(w, orders->count == 3);
    SETTLED(w, log, "1:1[CONNECTED] 2:2[CONNECTED] 3:3[CONNECTED]");
}

/* `disconnected` is the last event, also for a handler that is set after it. */
ORDERS_CASE(a_handler_that_is_set_after_the_end)
{
    plx_socket_set_events(socket, &record_events, orders);
    order_many(w, raw, 2);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    plx_socket_set_events(socket, orders_table(), orders);
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
    world_settle(w);
    ck_assert_int_eq(orders->count, 0);
    expect_command(socket, 1, "1");
}

/* A table that ends before command_received has none. */
ORDERS_CASE(a_short_table_has_no_command_received)
{
    plx_socket_set_events_sized(socket, orders_table(), offsetof(plx_events, command_received),
                                orders);
    order_many(w, raw, 2);
    UNTIL(w, received_bytes(socket) >= 2 * HEAD + 2);
    world_settle(w);
    ck_assert_int_eq(orders->count, 0);
    expect_command(socket, 1, "1");
}

/* ---- what the handler may do ----------------------------------------------------------------- */

static void act_free(struct orders *orders, plx_socket *socket)
{
    world_forget(orders->world, socket);
    plx_socket_free(socket);
}

static void act_close(struct orders *orders, plx_socket *socket)
{
    (void)orders;
    plx_socket_close(socket);
}

static void act_abort(struct orders *orders, plx_socket *socket)
{
    (void)orders;
    plx_socket_abort(socket);
}

static void act_purge(struct orders *orders, plx_socket *socket)
{
    (void)orders;
    plx_socket_purge(socket);
}

static void act_unset(struct orders *orders, plx_socket *socket)
{
    (void)orders;
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), 0);
}

static void act_drop_handlers(struct orders *orders, plx_socket *socket)
{
    (void)orders;
    plx_socket_set_events(socket, NULL, NULL);
}

/* The first handler ends the calls, in that poll and for ever, and its data stay. */
ORDERS_CASE(a_handler_ends_the_calls)
{
    static orders_act *const acts[] = {act_free, act_close, act_abort, act_purge,
                                       act_drop_handlers};

    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        struct orders other;
        int peer;
        plx_socket *mine = orders_open(w, &other, &peer);

        other.act = acts[i];
        for (int number = 1; number <= 3; number++)
            raw_order(w, peer, number, "some data");
        for (int round = 0; other.count == 0; round++) {
            if (round == 0) /* all of them arrive before the first poll */
                usleep(w->kind->filtered ? 2000 : 0);
            world_turn(w, round);
        }
        ck_assert_int_eq(other.count, 1);
        for (int round = 0; round < 10 && acts[i] != act_purge; round++)
            world_turn(w, round);
        ck_assert_int_ge(3, other.count);
        ck_assert(acts[i] == act_purge || other.count == 1);
        ck_assert_int_eq(other.log.count[EVENT_DISCONNECTED] + other.log.count[EVENT_ERROR], 0);
        if (acts[i] != act_free)
            world_free(w, mine);
    }
}

/* After close they can be read; abort has dropped them. */
ORDERS_CASE(what_is_left_after_close)
{
    orders->act = act_close;
    order_many(w, raw, 3);
    UNTIL(w, orders->count == 1);
    world_settle(w);
    expect_command(socket, 2, "2");
    expect_command(socket, 3, "3");
    expect_no_command(socket);
}

ORDERS_STREAM_CASE(a_handler_takes_the_commands_away)
{
    orders->act = act_unset;
    raw_send(raw, "\0\0\0\5\0\0\0\1xand text", 17);
    UNTIL(w, orders->count == 1);
    UNTIL(w, plx_socket_bytes_available(socket) == 8);
    ck_assert_mem_eq(plx_socket_read_all(socket, NULL), "and text", 8);
}

static void act_disconnect(struct orders *orders, plx_socket *socket)
{
    orders->act = NULL;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
}

/* The rest is work for the next poll, in CLOSING or after it. */
ORDERS_STREAM_CASE(a_handler_disconnects)
{
    orders->act = act_disconnect;
    order_at_once(w, raw, 3);
    UNTIL(w, orders->count > 0);
    UNTIL(w, orders->count == 3);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(strncmp(log->text, "1:data[CONNECTED] state:CLOSING 2:data[", 39), 0);
}

static void act_connect(struct orders *orders, plx_socket *socket)
{
    orders->act = NULL;
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect_to(socket, orders->data), 0);
}

ORDERS_CASE(a_handler_connects_again)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), peer;

    orders->act = act_connect;
    orders->data = where;
    order_many(w, raw, 3);
    UNTIL(w, orders->count == 1);
    peer = raw_accept(w, listener);
    UNTIL(w, plx_socket_is_connected(socket));
    raw_order(w, peer, 9, "new");
    UNTIL(w, orders->last == 9);
    ck_assert_int_eq(orders->count, 2);
}

static void act_read_next(struct orders *orders, plx_socket *socket)
{
    size_t size = 0;
    const char *data = plx_socket_read_command(socket, &(int32_t){0}, &size);

    orders->messages += data != NULL;
}

/* What the handler reads is not reported. */
ORDERS_STREAM_CASE(a_handler_reads_the_next)
{
    orders->act = act_read_next;
    order_at_once(w, raw, 6);
    UNTIL(w, orders->count + orders->messages == 6);
    SETTLED(w, log, "1:data[CONNECTED] 3:data[CONNECTED] 5:data[CONNECTED]");
    ck_assert_int_eq(orders->messages, 3);
}

static void act_wait_for_last(struct orders *orders, plx_socket *socket)
{
    struct world *w = orders->world;

    orders->act = NULL;
    raw_order(w, *(int *)orders->data, 9, "nine");
    expect_awaited(socket, 9, w->kind->filtered ? 2000 : 10000, "nine");
    expect_none_awaited(socket, 9, 0);
    ck_assert_int_eq(orders->count, 1);
}

/* The wait calls nobody, and leaves the others where they are. */
KERNEL_CASE(a_handler_waits)
{
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);

    orders.act = act_wait_for_last;
    orders.data = &raw;
    order_many(w, raw, 3);
    UNTIL(w, orders.count == 3);
    SETTLED(w, &orders.log, "1:1[CONNECTED] 2:2[CONNECTED] 3:3[CONNECTED]");
    expect_no_command(socket);
}

static void act_wait_for_none(struct orders *orders, plx_socket *socket)
{
    orders->act = NULL;
    raw_end(*(int *)orders->data);
    expect_none_awaited(socket, 99, -1);
    ck_assert(!plx_socket_wait_for_disconnected(socket, -1)); /* others are to be reported first */
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
}

/* The end is found inside the handler: what is left is reported, and then the end. */
KERNEL_CASE(a_handler_waits_until_the_end)
{
    struct orders orders;
    int raw;

    orders_open(w, &orders, &raw);
    orders.act = act_wait_for_none;
    orders.data = &raw;
    order_many(w, raw, 2);
    UNTIL(w, orders.log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(orders.count, 2);
    ck_assert_ptr_nonnull(strstr(orders.log.text, "error("));
    ck_assert(strstr(orders.log.text, "2:2[CONNECTED") < strstr(orders.log.text, "error("));
}

static void act_wait_and_answer(struct orders *orders, plx_socket *socket)
{
    if (orders->count == 1)
        expect_none_awaited(socket, 99, 20);
    ck_assert_int_eq(plx_socket_send_command(socket, 1, "answer", 6), 0);
    if (orders->count == 1)
        expect_none_awaited(socket, 99, 20);
}

/* The wait of one handler takes no answer from the others. */
STREAM_KERNEL_CASE(a_handler_waits_and_all_are_answered)
{
    struct orders orders;
    int raw;
    char got[56];
    size_t have = 0;

    orders_open(w, &orders, &raw);
    orders.act = act_wait_and_answer;
    order_many(w, raw, 4);
    raw_end(raw);
    for (int round = 0; have < sizeof got; round++) {
        ptrdiff_t piece = raw_take(raw, got + have, sizeof got - have);

        ck_assert_int_lt(round, ROUNDS);
        have += piece > 0 ? (size_t)piece : 0;
        world_turn(w, piece > 0 ? 0 : round);
    }
    UNTIL(w, orders.log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(orders.count, 4);
}

static void act_set_again(struct orders *orders, plx_socket *socket)
{
    (void)orders;
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
}

ORDERS_CASE(a_handler_sets_the_same_again)
{
    orders->act = act_set_again;
    order_many(w, raw, 4);
    UNTIL(w, orders->count == 4);
    SETTLED(w, log, "1:1[CONNECTED] 2:2[CONNECTED] 3:3[CONNECTED] 4:4[CONNECTED]");
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void order_round(struct world *w, struct orders *orders, plx_socket *socket, int raw,
                        int number)
{
    static char bytes[8000];
    int before = orders->count;

    for (int i = 0; i < 3; i++) {
        size_t size =
            put_command(w, (unsigned char *)bytes, number, bytes + 5000, (size_t)(i + 1) * 500);
        raw_send(raw, bytes, size);
    }
    UNTIL(w, orders->count == before + 3);
    ck_assert_int_eq(plx_socket_send_command(socket, number, bytes, 900), 0);
    UNTIL(w, plx_socket_bytes_left_to_send(socket) == 0);
    UNTIL(w, raw_take(raw, bytes, sizeof bytes) > 0);
}

STREAM_KERNEL_CASE(nothing_is_allocated_once_warm)
{
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);
    size_t before = 0;

    orders.says_little = true;
    for (int i = 0; i < 400; i++) {
        if (i == 200)
            before = count_allocations();
        order_round(w, &orders, socket, raw, i);
    }
    ck_assert_msg(count_allocations() == before, "%s: %zu allocations", world_name(w),
                  count_allocations() - before);
    for (int i = 0; i < 1000; i++)
        world_poll(w);
    before = count_bytes();
    for (int i = 0; i < 1000; i++)
        world_poll(w);
    ck_assert_uint_eq(count_bytes(), before);
}

/* An idle connection holds no buffer. */
STREAM_KERNEL_CASE(nothing_is_kept_at_rest)
{
    struct orders orders;
    int raw;
    plx_socket *socket = orders_open(w, &orders, &raw);
    size_t before = count_bytes();

    orders.says_little = true;
    for (int i = 0; i < 20; i++)
        order_round(w, &orders, socket, raw, i);
    plx_socket_set_events(socket, &record_events, &orders);
    raw_order(w, raw, 5, "awaited");
    expect_awaited(socket, 5, 10000, "awaited");
    for (int i = 0; i < 2000; i++)
        world_poll(w);
    ck_assert_uint_le(count_bytes(), before);
}

WORLD_MAIN("command-handlers", .filtered = true, .packets = true)
