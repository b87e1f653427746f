/* tests/test-dead-peer.c -- peers that vanish without a word, while there is something to send.
 *
 * The kernel sends no keep-alive then; how long it tries says PLX_OPTION_UNACKNOWLEDGED_TIMEOUT. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/clocks.h"
#include "tests/deaf.h"
#include "tests/sockets.h"
#include "tests/world.h"

static int user_timeout(const plx_socket *socket)
{
    int value = -1;
    socklen_t size = sizeof value;

    ck_assert_int_eq(
        getsockopt(plx_socket_handle(socket), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size), 0);
    return value;
}

static void set(plx_socket *socket, plx_option option, int value)
{
    ck_assert_int_eq(plx_socket_set_option(socket, option, value), 0);
}

/* ---- the option ------------------------------------------------------------------------------ */

MODE_CASE(option_is_remembered_and_read_back)
{
    plx_socket *socket = world_socket(w, NULL);

    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT), 0);
    set(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, 4321);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT), 4321);
    world_pair(w, socket, NULL);
    ck_assert_int_eq(user_timeout(socket), 4321);
    set(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, 5432);
    ck_assert_int_eq(user_timeout(socket), 5432);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT), 5432);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, -1),
                     PLX_INVALID_STATE);
    set(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, 0);
    ck_assert_int_eq(user_timeout(socket), 0);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT), 0);
}

MODE_CASE(option_is_for_tcp_alone)
{
    plx_constructor *const others[] = {plx_udp_new, plx_ipc_new, plx_seqpacket_new};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        plx_socket *socket = world_socket_of(w, others[i], NULL);

        ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT), -1);
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, 1),
                         PLX_INVALID_STATE);
        ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
    }
}

/* What is set between connect and `connected` reaches the attempt that is under way. */
MODE_CASE(options_set_while_connecting_are_not_lost)
{
    plx_socket *socket = world_socket(w, NULL);
    char where[WHERE_SIZE];
    int value = 0;
    socklen_t size = sizeof value;

    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    set(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, 4321);
    set(socket, PLX_OPTION_KEEP_ALIVE, 1);
    UNTIL(w, plx_socket_is_connected(socket));
    ck_assert_int_eq(user_timeout(socket), 4321);
    ck_assert_int_eq(getsockopt(plx_socket_handle(socket), SOL_SOCKET, SO_KEEPALIVE, &value, &size),
                     0);
    ck_assert_int_eq(value, 1);
}

MODE_CASE(clients_of_a_server_have_the_option)
{
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];

    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, 4321), 0);
    world_serve(w, server, where);
    raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 1);
    ck_assert_int_eq(user_timeout(plx_server_next_active(server, NULL)), 4321);
}

/* ---- what it does ---------------------------------------------------------------------------- */

#define LIMIT 100

static void expect_lost(struct world *w, const plx_socket *socket, struct record *log,
                        int64_t begin)
{
    UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED && log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_ge(now_ms() - begin, LIMIT);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_msg(log->os_error == ETIMEDOUT, "%s: %s", world_name(w), log->message);
    ck_assert_int_eq(log->reason, PLX_REASON_SOCKET_TIMEOUT);
}

MODE_SOCKET_CASE(unacknowledged_bytes_end_a_connection)
{
    int64_t begin;

    set(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, LIMIT);
    deafen(world_pair(w, socket, log));
    begin = now_ms();
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    expect_lost(w, socket, log, begin);
}

/* Set late, when the bytes are on their way already. */
MODE_PAIR_CASE(option_set_after_the_bytes_were_sent)
{
    int64_t begin;

    deafen(raw);
    begin = now_ms();
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    world_settle(w);
    set(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, LIMIT);
    expect_lost(w, socket, log, begin);
}

/* As a game does in each frame. */
MODE_SOCKET_CASE(unacknowledged_bytes_end_a_connection_that_writes_on)
{
    int64_t begin;

    log->mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_SEND_COMPLETE;
    set(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, LIMIT);
    deafen(world_pair(w, socket, log));
    begin = now_ms();
    for (int i = 0; i < ROUNDS && plx_socket_state(socket) == PLX_CONNECTED; i++) {
        ck_assert_int_eq(plx_socket_write(socket, "move\n", 5), 5);
        world_turn(w, 20);
    }
    expect_lost(w, socket, log, begin);
    LOGGED(w, log, "state:UNCONNECTED error(102,15)[UNCONNECTED] disconnected[UNCONNECTED]");
}

MODE_SOCKET_CASE(silence_is_not_unacknowledged)
{
    set(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, 100);
    deafen(world_pair(w, socket, log));
    for (long long begin = now_ms(); now_ms() - begin < 300;)
        world_turn(w, 20);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    LOGGED(w, log, "");
}

MODE_SOCKET_CASE(option_limits_an_attempt_to_connect)
{
    long long begin = now_ms();

    deafen(raw_listen(w, 5, where));
    set(socket, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, LIMIT);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_ge(now_ms() - begin, LIMIT);
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
}

WORLD_MAIN("dead-peer")
