/* tests/conform/wait.c -- waits. */
#include "config.h"

#include <stdlib.h>

#include "tests/conform/conform.h"

SECTION("wait");

PROMPT_SOCKET_CASE(wait_for_connected)
{
    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert(plx_socket_wait_for_connected(socket, 30000));
    LOGGED(w, log, CONNECTS);
    ck_assert(plx_socket_wait_for_connected(socket, 0));
    ck_assert(plx_socket_wait_for_connected(socket, -1));
}

SOCKET_CASE(wait_for_connected_fails)
{
    ck_assert(!plx_socket_wait_for_connected(socket, -1)); /* no connect in progress: at once */
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert(!plx_socket_wait_for_connected(socket, 600000));
    SETTLED(w, log, REFUSED);
}

SOCKET_CASE(wait_for_connected_while_listening)
{
    int peer;

    world_listen(w, socket, where);
    ck_assert(!plx_socket_wait_for_connected(socket, 0));
    ck_assert(!plx_socket_wait_for_connected(socket, 20));
    ck_assert_int_eq(plx_socket_state(socket), PLX_LISTENING);
    peer = raw_answer_aside(w, raw_connect(w, where));
    time_stop(); /* so that no deadline ends what the connection should */
    ck_assert(plx_socket_wait_for_connected(socket, 30000));
    time_run();
    LOGGED(w, log, ACCEPTS);
    raw_answered(peer);
}

PAIR_CASE(wait_for_data)
{
    size_t size;

    ck_assert(!plx_socket_wait_for_data(socket, 0));
    ck_assert(!plx_socket_wait_for_data(socket, 20));
    LOGGED(w, log, "");
    expect_error(socket, 0);
    raw_say(raw, "one");
    ck_assert(plx_socket_wait_for_data(socket, 30000));
    LOGGED(w, log, DATA);
    ck_assert(plx_socket_wait_for_data(socket, 0)); /* not looked at yet: at once */
    plx_socket_lookahead(socket, &size);
    ck_assert_uint_eq(size, 3);
    ck_assert(!plx_socket_wait_for_data(socket, 0)); /* looked at: waits for more */
    ck_assert(!plx_socket_wait_for_data(socket, 20));
    raw_say(raw, "two");
    ck_assert(plx_socket_wait_for_data(socket, 30000));
    expect_read(socket, "onetwo");
    ck_assert(!plx_socket_wait_for_data(socket, 0));
}

PAIR_CASE(wait_for_data_at_the_end)
{
    raw_say(raw, "last");
    raw_close(w, raw);
    ck_assert(plx_socket_wait_for_data(socket, 30000));
    expect_read(socket, "last");
    ck_assert(!plx_socket_wait_for_data(socket, 600000));
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, log, DATA " " LOST);
    ck_assert(!plx_socket_wait_for_data(socket, -1));
}

PAIR_CASE(wait_for_sent)
{
    uint64_t got = 0;

    write_pattern(w, socket, 1000);
    ck_assert(plx_socket_wait_for_sent(socket, 30000));
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    write_pattern(w, socket, 8 * MIB);
    ck_assert(!plx_socket_wait_for_sent(socket, 0));
    ck_assert(!plx_socket_wait_for_sent(socket, 20)); /* the peer does not read */
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    expect_error(socket, 0);
    UNTIL(w, raw_sip(raw, &got, 1000 - (size_t)got) && got == 1000);
    got = 0;
    UNTIL(w, raw_drain(raw, &got) && got == 8 * MIB);
    ck_assert(plx_socket_wait_for_sent(socket, 30000));
}

/* Neither a poll nor an event that causes one happens before the wait. The wait must still send the
 * bytes that send(2) refused during the write (EAGAIN). */
PAIR_CASE(wait_for_sent_after_a_refused_write)
{
    size_t piece = 16 * KIB, written = 0;
    unsigned char *bytes = pattern(16 * MIB);
    uint64_t got = 0;

    plx_socket_set_events(socket, NULL, NULL);
    while (plx_socket_bytes_left_to_send(socket) == 0) {
        ck_assert_uint_lt(written, 16 * MIB);
        ck_assert_int_eq(plx_socket_write(socket, bytes + written, piece), (ptrdiff_t)piece);
        written += piece;
    }
    raw_drain(raw, &got);
    ck_assert(plx_socket_wait_for_sent(socket, 30000));
    UNTIL(w, raw_drain(raw, &got) && got == written);
    free(bytes);
}

PAIR_CASE(wait_for_disconnected)
{
    ck_assert(!plx_socket_wait_for_disconnected(socket, 0));
    ck_assert(!plx_socket_wait_for_disconnected(socket, 20));
    ck_assert(plx_socket_is_connected(socket));
    raw_close(w, raw);
    ck_assert(plx_socket_wait_for_disconnected(socket, 30000));
    SETTLED(w, log, LOST);
}

PAIR_CASE(wait_for_disconnected_drains)
{
    char got[16];
    ptrdiff_t size = RAW_NOTHING;

    ck_assert_int_eq(plx_socket_write(socket, "all of it", 9), 9);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    for (int i = 0; i < 100 && (size = raw_take(raw, got, sizeof got)) == RAW_NOTHING; i++)
        plx_socket_wait_for_disconnected(socket, 20);
    ck_assert_int_eq(size, 9);
    ck_assert_mem_eq(got, "all of it", 9);
    ck_assert(plx_socket_wait_for_disconnected(socket, 30000));
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

PAIR_CASE(wait_for_anything)
{
    ck_assert(!plx_socket_wait(socket, 0));
    ck_assert(!plx_socket_wait(socket, 20));
    raw_say(raw, "x");
    ck_assert(plx_socket_wait(socket, 30000));
    LOGGED(w, log, DATA);
}

SOCKET_CASE(waits_on_an_idle_socket_return_at_once)
{
    ck_assert(!plx_socket_wait_for_connected(socket, -1));
    ck_assert(!plx_socket_wait_for_data(socket, -1));
    ck_assert(plx_socket_wait_for_disconnected(socket, -1));
    ck_assert(!plx_socket_wait(socket, -1));
    plx_socket_wait_for_sent(socket, -1);
    SETTLED(w, log, "");
}
