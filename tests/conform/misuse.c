/* tests/conform/misuse.c -- bad arguments and wrong states. */
#include "config.h"

#include "tests/conform/conform.h"

SECTION("misuse");

/* For streams only: it calls read_exact, read_line and unread. */
STREAM_PAIR_CASE(zero_null_and_huge_sizes)
{
    char got[8] = "";

    ck_assert_int_eq(plx_socket_write(socket, "x", 0), 0);
    ck_assert_int_eq(plx_socket_write(socket, NULL, 0), 0);
    ck_assert_int_eq(plx_socket_read(socket, got, 0), 0);
    ck_assert_int_eq(plx_socket_read(socket, NULL, 0), 0);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, 0), 0);
    ck_assert_int_eq(plx_socket_unread(socket, NULL, 0), 0);
    ck_assert_uint_eq(plx_socket_skip(socket, 0), 0);
    expect_error(socket, 0);
    SETTLED(w, log, "");
    ck_assert_int_eq(plx_socket_write(socket, NULL, 5), -1);
    expect_error(socket, PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
    ck_assert_int_eq(plx_socket_write(socket, got, SIZE_MAX), -1);
    expect_error(socket, PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_socket_read(socket, NULL, 5), -1);
    expect_error(socket, PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_read_exact(socket, NULL, 5), -1);
    ck_assert_int_le(plx_socket_read_exact(socket, got, SIZE_MAX), 0);
    ck_assert_int_eq(plx_socket_unread(socket, NULL, 5), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_unread(socket, got, SIZE_MAX), PLX_OUT_OF_MEMORY);
    ck_assert_int_le(plx_socket_read_line(socket, NULL, 5), 0);
    ck_assert_int_le(plx_socket_read_line(socket, got, 0), 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1); /* only the first failed call is reported */
    ck_assert_int_eq(log->code, PLX_INVALID_STATE);
    ck_assert(plx_socket_is_connected(socket));
    echoes(w, socket, raw);
}

PAIR_CASE(null_for_out_parameters)
{
    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    ck_assert_mem_eq(plx_socket_lookahead(socket, NULL), "hello", 5);
    ck_assert_mem_eq(plx_socket_read_all(socket, NULL), "hello", 5);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
}

SOCKET_CASE(error_of_a_call_is_told_once)
{
    char wanted[100];

    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
    expect_error(socket, PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_write(socket, "y", 1), -1);
    LOGGED(w, log, "");
    world_settle(w);
    snprintf(wanted, sizeof wanted, "error(106,%d)[UNCONNECTED]", (int)log->reason);
    LOGGED(w, log, wanted);
    record_clear(log);
    ck_assert_int_eq(plx_socket_write(socket, "z", 1), -1);
    SETTLED(w, log, wanted);
}

SOCKET_CASE(connect_takes_back_an_error_of_a_call)
{
    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    expect_error(socket, 0);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    LOGGED(w, log, CONNECTS);
}

SOCKET_CASE(connect_while_connecting)
{
    char wanted[200];
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen_on(socket, where), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    world_settle(w);
    snprintf(wanted, sizeof wanted, "error(106,%d)[CONNECTING] " CONNECTS, (int)log->reason);
    LOGGED(w, log, wanted);
    echoes(w, socket, raw_accept(w, listener));
}

PAIR_CASE(connect_and_listen_while_connected)
{
    char where[WHERE_SIZE], place[WHERE_SIZE];

    raw_listen(w, 5, where);
    world_place(w, place);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen_on(socket, place), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_adopt(socket, raw), PLX_INVALID_STATE);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_INVALID_STATE);
    ck_assert_int_eq(log->count[EVENT_STATE_CHANGED], 0);
    echoes(w, socket, raw);
}

SOCKET_CASE(calls_while_unconnected)
{
    char got[4];
    size_t size = 1;

    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), -1);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, sizeof got), -1);
    plx_socket_read_all(socket, &size);
    ck_assert_uint_eq(size, 0);
    ck_assert(plx_socket_end_of_file(socket));
    ck_assert(!plx_socket_can_read_line(socket));
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    ck_assert(!plx_socket_poll(socket));
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    plx_socket_purge(socket);
    ck_assert_int_eq(plx_socket_disconnect(socket), PLX_INVALID_STATE);
    plx_socket_close(socket);
    plx_socket_abort(socket);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 0);
    ck_assert_int_eq(log->count[EVENT_STATE_CHANGED], 0);
}

CASE(two_listeners_on_one_name)
{
    struct record log_first, log_second;
    plx_socket *first = world_socket(w, &log_first), *second = world_socket(w, &log_second);
    char where[WHERE_SIZE];

    world_listen(w, first, where);
    ck_assert_int_eq(plx_socket_listen_on(second, where), PLX_ADDRESS_IN_USE);
    expect_error(second, PLX_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_socket_state(second), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_handle(second), -1);
    SETTLED(w, &log_second, "error(105,18)[UNCONNECTED]");
    echoes(w, first, raw_connect(w, where));
    LOGGED(w, &log_first, ACCEPTS " " DATA " " SENT(6));
    /* and the second is usable afterwards */
    record_clear(&log_second);
    world_listen(w, second, where);
    echoes(w, second, raw_connect(w, where));
}

SOCKET_CASE(options_before_and_after)
{
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_CONNECT_TIMEOUT), 30000);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_LINGER_TIMEOUT), 30000);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_READ_LIMIT), 0);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_HALF_OPEN), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 30000), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 777), 0);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_READ_LIMIT), 777);
    world_pair(w, socket, log);
    ck_assert_int_eq(send_buffer_of(plx_socket_handle(socket)), 30000);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 40000), 0);
    ck_assert_int_eq(send_buffer_of(plx_socket_handle(socket)), 40000);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_READ_LIMIT), 777);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_READ_LIMIT), 777);
}

SOCKET_CASE(options_unknown_and_out_of_range)
{
    static const struct {
        plx_option option;
        int value;
    } bad[] = {{(plx_option)9999, 1},          {(plx_option)-1, 1},
               {PLX_OPTION_READ_LIMIT, -1},    {PLX_OPTION_WRITE_LIMIT, -1},
               {PLX_OPTION_HALF_OPEN, 2},      {PLX_OPTION_HALF_OPEN, -1},
               {PLX_OPTION_PROTOCOL, 3},       {PLX_OPTION_CONNECT_TIMEOUT, -1},
               {PLX_OPTION_ROUTER_HOPS, 1024}, {PLX_OPTION_LINGER_TIMEOUT, -5}};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int before = plx_socket_option(socket, bad[i].option);

        ck_assert_msg(plx_socket_set_option(socket, bad[i].option, bad[i].value) ==
                          PLX_INVALID_STATE,
                      "option %d took %d", (int)bad[i].option, bad[i].value);
        ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
        ck_assert_int_eq(plx_socket_option(socket, bad[i].option), before);
    }
    echoes(w, socket, world_pair(w, socket, log));
}
