/* tests/conform/command.c -- commands. */
#include "config.h"

#include "tests/commands.h"
#include "tests/conform/conform.h"

SECTION("command");

ORDERS_CASE(commands_go_both_ways)
{
    unsigned char wanted[200];
    size_t size = put_command(w, wanted, 7, "an answer", 9);

    raw_order(w, raw, 1, "one");
    raw_order(w, raw, 2, "");
    UNTIL(w, orders->count == 2);
    SETTLED(w, log, "1:one[CONNECTED] 2:[CONNECTED]");
    ck_assert_int_eq(plx_socket_send_command(socket, 7, "an answer", 9), 0);
    raw_gather(w, raw, wanted, size);
}

/* Both ends are ours: many commands of many sizes, each waited for or reported. */
CASE(commands_between_two_of_ours)
{
    struct orders a_orders, b_orders;
    plx_socket *a = world_socket(w, NULL), *b = world_socket(w, NULL);
    unsigned char *data = pattern(5000);

    orders_begin(&a_orders, w);
    orders_begin(&b_orders, w);
    b_orders.says_little = true;
    plx_socket_set_events(a, &record_events, &a_orders);
    plx_socket_set_events(b, orders_table(), &b_orders);
    ck_assert_int_eq(plx_socket_set_commands(a, 0), 0);
    ck_assert_int_eq(plx_socket_set_commands(b, 0), 0);
    world_couple(w, a, b);
    for (int i = 0; i < 50; i++) {
        size_t size;
        const void *got = NULL;

        ck_assert_int_eq(plx_socket_send_command(a, i, data, (size_t)i * 100), 0);
        UNTIL(w, b_orders.count == i + 1);
        ck_assert_int_eq(b_orders.last, i);
        ck_assert_int_eq(plx_socket_send_command(b, 1000 + i, data, (size_t)i * 100), 0);
        UNTIL(w, (got = plx_socket_wait_for_command(a, 1000 + i, 0, &size)) != NULL);
        ck_assert_uint_eq(size, (size_t)i * 100);
        ck_assert_mem_eq(got, data, size);
    }
    ck_assert_int_eq(plx_socket_send_command(a, 5, "last", 4), 0);
    ck_assert_int_eq(plx_socket_disconnect(a), 0);
    UNTIL(w, b_orders.log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(b_orders.last, 5);
    free(data);
}

ORDERS_CASE(a_bad_command_ends_the_connection)
{
    unsigned char bytes[100];

    raw_order(w, raw, 1, "good");
    raw_send(raw, bytes, put_command(w, bytes, -1, "bad", 3));
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, log,
           "1:good[CONNECTED] state:UNCONNECTED error(71,29)[UNCONNECTED] "
           "disconnected[UNCONNECTED]");
}
