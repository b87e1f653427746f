/* tests/test-sentence.c -- the sentences of errors: what was wrong, and what to call instead. */
#include "config.h"

#include "tests/world.h"

/* ---- ends ------------------------------------------------------------------------------------ */

static void expect_orderly_end(struct world *w, struct record *log, plx_socket *socket)
{
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log->reason, PLX_REASON_REMOTE_HOST_CLOSED);
    ck_assert_int_eq(log->os_error, 0);
    ck_assert_str_eq(log->message, "the peer closed the connection");
    ck_assert_str_eq(plx_socket_error(socket)->message, "the peer closed the connection");
}

CASE(an_orderly_end_of_a_stream)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log);

    raw_close(w, raw);
    expect_orderly_end(w, &log, socket);
}

MODE_CASE(an_orderly_end_of_packets)
{
    struct record log, other;
    plx_socket *listener = world_socket_of(w, plx_seqpacket_new, &other);
    plx_socket *socket = world_socket_of(w, plx_seqpacket_new, &log);
    char where[100];

    snprintf(where, sizeof where, "%s/packets", w->folder);
    ck_assert_int_eq(plx_socket_listen_on(listener, where), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, plx_socket_is_connected(listener) && log.count[EVENT_CONNECTED] == 1);
    plx_socket_close(listener);
    expect_orderly_end(w, &log, socket);
}

int main(void)
{
    Suite *suite = suite_create("sentence");
    TCase *ends = tcase_create("ends");

    tcase_set_timeout(ends, 20);
    ADD_CASE(ends, an_orderly_end_of_a_stream);
    ADD_MODE_CASE(ends, an_orderly_end_of_packets);
    suite_add_tcase(suite, ends);
    return world_run(suite);
}
