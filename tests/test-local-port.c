/* tests/test-local-port.c -- connections that leave from a port that the program has chosen. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/netns.h"
#include "tests/sockets.h"
#include "tests/world.h"

/* A port of the loopback that nobody uses now. */
static int free_port(struct world *w)
{
    char where[WHERE_SIZE];
    int raw = raw_refusing(w, where);

    raw_close(w, raw);
    return atoi(strrchr(where, ':') + 1);
}

static void leave_from(plx_socket *socket, int port)
{
    ck_assert_int_eq(plx_socket_set_local_port(socket, port), 0);
}

TCP_SOCKET_CASE(a_connection_leaves_from_the_port)
{
    int port = free_port(w), listener = raw_listen(w, 5, where);
    plx_address local;

    leave_from(socket, port);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    ck_assert(plx_socket_local(socket, &local));
    ck_assert_int_eq(local.port, port);
    ck_assert_int_eq(plx_socket_port(socket), port);
    plx_socket_abort(socket);                        /* a reset, which leaves no TIME_WAIT */
    ck_assert_int_eq(plx_socket_connect(socket), 0); /* the port is kept */
    raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] == 2);
    ck_assert_int_eq(plx_socket_port(socket), port);
    plx_socket_abort(socket);
    leave_from(socket, 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] == 3);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

TCP_SOCKET_CASE(an_interface_and_a_port)
{
    int port = free_port(w), listener = raw_listen(w, 5, where);
    plx_address local;

    leave_from(socket, port);
    ck_assert_int_eq(plx_socket_set_interface(socket, "127.0.0.3"), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    ck_assert(plx_socket_local(socket, &local));
    ck_assert_int_eq(local.port, port);
    ck_assert_int_eq(local.bytes[3], 3);
}

TCP_SOCKET_CASE(a_port_to_several_peers)
{
    int port = free_port(w), listener = raw_listen(w, 5, where);
    struct record others;
    plx_socket *other = world_socket_of(w, plx_tcp_new, &others);
    char second[WHERE_SIZE];
    int neighbour = raw_listen(w, 5, second);

    leave_from(socket, port);
    leave_from(other, port);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw_accept(w, listener);
    ck_assert_int_eq(plx_socket_connect_to(other, second), 0);
    raw_accept(w, neighbour);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1 && others.count[EVENT_CONNECTED] == 1);
    ck_assert_int_eq(plx_socket_port(socket), plx_socket_port(other));
}

TCP_SOCKET_CASE(the_same_peer_twice)
{
    int port = free_port(w), listener = raw_listen(w, 5, where);
    struct record others;
    plx_socket *other = world_socket_of(w, plx_tcp_new, &others);
    char wanted[100];

    leave_from(socket, port);
    leave_from(other, port);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    ck_assert_int_eq(plx_socket_connect_to(other, where), 0);
    UNTIL(w, others.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(others.code, PLX_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_socket_error(other)->reason, PLX_REASON_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_socket_error(other)->os_error, EADDRINUSE);
    snprintf(wanted, sizeof wanted, " from port %d: ", port);
    ck_assert_msg(strstr(plx_socket_error(other)->message, wanted) != NULL, "%s",
                  plx_socket_error(other)->message);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* The port of the peer on its own address: TCP connects such a socket to itself. */
TCP_SOCKET_CASE(no_socket_is_its_own_peer)
{
    int port = free_port(w);

    leave_from(socket, port);
    snprintf(where, WHERE_SIZE, "127.0.0.1:%d", port);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log->code, ECONNREFUSED);
}

TCP_SOCKET_CASE(a_taken_port)
{
    struct record others;
    plx_socket *listener = world_socket_of(w, plx_tcp_new, &others);

    ck_assert_int_eq(plx_socket_listen_on(listener, "127.0.0.1:0"), 0);
    leave_from(socket, plx_socket_port(listener));
    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log->code, PLX_ADDRESS_IN_USE);
}

/* Where IPv6 is off, no address can reach that one: the port is not at fault. */
MODE_CASE(no_address_to_leave_from)
{
    struct record log;

    if (!netns_enter("a local port without IPv6"))
        return;
    netns_run("sysctl -qw net.ipv6.conf.lo.disable_ipv6=1");
    plx_socket *socket = world_socket_of(w, plx_tcp_new, &log);
    leave_from(socket, 4000);
    ck_assert_int_eq(plx_socket_connect_to(socket, "[::1]:9"), 0);
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log.code, EADDRNOTAVAIL);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_ADDRESS_NOT_AVAILABLE);
}

/* A name with several addresses: each attempt leaves from the port. */
TCP_SOCKET_CASE(attempts_that_race_share_the_port)
{
    int port = free_port(w), listener = raw_listen(w, 5, where);

    leave_from(socket, port);
    ck_assert_int_eq(plx_socket_set_address(socket, "localhost"), 0);
    ck_assert_int_eq(plx_socket_set_port(socket, atoi(strrchr(where, ':') + 1)), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    ck_assert_int_eq(plx_socket_port(socket), port);
}

MODE_CASE(ports_that_are_refused)
{
    static const int wrong[] = {-1, 65536, 1 << 30};
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *udp = world_socket_of(w, plx_udp_new, NULL);
    plx_socket *ipc = world_socket_of(w, plx_ipc_new, NULL);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_int_eq(plx_socket_set_local_port(tcp, wrong[i]), PLX_INVALID_PORT);
        ck_assert_int_eq(plx_socket_error(tcp)->reason, PLX_REASON_PORT_OUT_OF_RANGE);
    }
    ck_assert_int_eq(plx_socket_set_local_port(udp, 7777), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_local_port(ipc, 7777), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_local_port(udp, 0), 0);
    ck_assert_int_eq(plx_socket_set_local_port(ipc, 0), 0);
    ck_assert_int_eq(plx_socket_set_local_port(NULL, 0), PLX_INVALID_STATE);
}

WORLD_MAIN("local port")
