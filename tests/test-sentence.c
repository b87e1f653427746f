/* tests/test-sentence.c -- the sentences of errors: what was wrong, and what to call instead. */
#include "config.h"

#include "tests/world.h"

/* ---- what a call that is refused leaves ------------------------------------------------------ */

static void expect_error(const plx_error *error, int code, plx_reason reason, const char *sentence)
{
    ck_assert_str_eq(error->message, sentence);
    ck_assert_int_eq(error->code, code);
    ck_assert_int_eq(error->reason, reason);
    ck_assert_int_eq(error->os_error, 0);
}

/* What the socket keeps is what the next poll tells, once. */
static void expect_refusal(struct world *w, struct record *log, plx_socket *socket, int code,
                           plx_reason reason, const char *sentence)
{
    expect_error(plx_socket_error(socket), code, reason, sentence);
    record_clear(log);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, code);
    ck_assert_str_eq(log->message, sentence);
}

/* A row of a function's own: a call that is answered by its code, or by -1. */
#define REFUSED(w, log, socket, call, wanted, why, sentence)                                       \
    do {                                                                                           \
        int answer_ = (int)(call);                                                                 \
        ck_assert_msg(answer_ == (wanted) || answer_ == -1, "%s: %d", #call, answer_);             \
        expect_refusal(w, log, socket, wanted, PLX_REASON_##why, sentence);                        \
    } while (0)

/* ---- options --------------------------------------------------------------------------------- */

struct option_row {
    plx_constructor *create;
    int option, value;
    const char *sentence;
};

static const struct option_row option_rows[] = {
    {plx_tcp_new, 99, 1, "set option 99 to 1: there is no such option"},
    {plx_tcp_new, -1, 7, "set option -1 to 7: there is no such option"},
    {plx_tcp_new, PLX_OPTION_MODE, 0600, "set MODE to 0600: TCP sockets do not have this option"},
    {plx_ipc_new, PLX_OPTION_MODE, 01000, "set MODE to 01000: out of range 0 to 0777"},
    {plx_ipc_new, PLX_OPTION_MODE, -1, "set MODE to -1: out of range 0 to 0777"},
    {plx_ipc_new, PLX_OPTION_LOW_DELAY, 1,
     "set LOW_DELAY to 1: IPC sockets do not have this option"},
    {plx_udp_new, PLX_OPTION_AUTO_CONNECT, 1,
     "set AUTO_CONNECT to 1: UDP sockets do not have this option"},
    {plx_seqpacket_new, PLX_OPTION_ROUTER_HOPS, 1,
     "set ROUTER_HOPS to 1: SEQPACKET sockets do not have this option"},
    {plx_udp_new, PLX_OPTION_ROUTER_HOPS, 256, "set ROUTER_HOPS to 256: out of range 1 to 255"},
    {plx_tcp_new, PLX_OPTION_READ_LIMIT, -5, "set READ_LIMIT to -5: out of range 0 to 2147483647"},
};

MODE_CASE(an_option_is_named)
{
    for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++) {
        const struct option_row *row = &option_rows[i];
        struct record log;
        plx_socket *socket = world_socket_of(w, row->create, &log);

        REFUSED(w, &log, socket, plx_socket_set_option(socket, (plx_option)row->option, row->value),
                PLX_INVALID_STATE, UNSUPPORTED_OPERATION, row->sentence);
    }
}

MODE_CASE(every_option_has_a_name)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);

    for (int option = 0; option <= PLX_OPTION_RECEIVE_HANDLES; option++) {
        ck_assert_int_ne(plx_socket_set_option(socket, (plx_option)option, -1), 0);
        ck_assert_msg(strncmp(plx_socket_error(socket)->message, "set option", 10) != 0, "%s",
                      plx_socket_error(socket)->message);
    }
}

/* What a server is asked is refused with the same words. */
MODE_CASE(an_option_of_a_server_is_named)
{
    plx_server *server = world_server(w);

    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_MODE, 0600), PLX_INVALID_STATE);
    expect_error(plx_server_error(server), PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION,
                 "set MODE to 0600: TCP sockets do not have this option");
}

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
    TCase *calls = tcase_create("calls");
    TCase *ends = tcase_create("ends");

    tcase_set_timeout(calls, 20);
    ADD_MODE_CASE(calls, an_option_is_named);
    ADD_MODE_CASE(calls, every_option_has_a_name);
    ADD_MODE_CASE(calls, an_option_of_a_server_is_named);
    suite_add_tcase(suite, calls);
    tcase_set_timeout(ends, 20);
    ADD_CASE(ends, an_orderly_end_of_a_stream);
    ADD_MODE_CASE(ends, an_orderly_end_of_packets);
    suite_add_tcase(suite, ends);
    return world_run(suite);
}
