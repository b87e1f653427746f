/* tests/test-promises-cases.c -- promises of the public headers that take a peer in another
 * process, a network of its own, or a kernel that refuses: and what pollux/server.h and group.h
 * promise. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/datagrams.h"
#include "tests/netns.h"
#include "tests/promises.h"
#include "tests/sockets.h"

/* The kinds that listen. */
static const enum sort servers[] = {TCP, IPC, SEQPACKET};
enum { SERVERS = 3 };

/* A place for a server of that kind. */
static void place(struct world *w, enum sort sort, char *ret_where)
{
    if (sort == TCP)
        snprintf(ret_where, WHERE_SIZE, "127.0.0.1:0");
    else
        snprintf(ret_where, WHERE_SIZE, "%s/p%d", w->folder, w->places++);
}

static plx_socket *of(struct world *w, enum sort sort, struct record *log)
{
    static plx_constructor *const make[] = {plx_tcp_new, plx_udp_new, plx_ipc_new,
                                            plx_seqpacket_new};

    return world_socket_of(w, make[sort], log);
}

/* A socket that is connected to a raw peer of any kind. */
static int connect_to_peer(struct world *w, enum sort sort, plx_socket *socket, char *ret_where)
{
    int peer, listener = promises_listen(w, sort, ret_where);

    ck_assert_int_eq(plx_socket_connect_to(socket, ret_where), 0);
    world_turn(w, 0);
    peer = promises_take(w, sort, listener, socket);
    UNTIL(w, plx_socket_state(socket) == PLX_CONNECTED);
    world_settle(w);
    return peer;
}

/* ---- socket.h: the peer after the end -------------------------------------------------------- */

struct seen {
    char in_error[WHERE_SIZE], at_the_end[WHERE_SIZE];
};

static void note_in_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct seen *seen = user;

    (void)error;
    snprintf(seen->in_error, sizeof seen->in_error, "%s", plx_socket_remote_address(socket));
}

static void note_at_the_end(plx_socket *socket, void *user)
{
    struct seen *seen = user;

    snprintf(seen->at_the_end, sizeof seen->at_the_end, "%s", plx_socket_remote_address(socket));
}

/* "... they stay known after the end, until the next connect, listen, adopt or close." */
MODE_CASE(the_peer_stays_known_after_the_end)
{
    static const plx_events events = {.error = note_in_error, .disconnected = note_at_the_end};
    static const enum sort sorts[] = {TCP, IPC, SEQPACKET};

    for (int i = 0; i < 3; i++) {
        struct seen seen = {"", ""};
        char where[WHERE_SIZE];
        plx_socket *socket = of(w, sorts[i], NULL);
        int peer = connect_to_peer(w, sorts[i], socket, where);
        const char *wanted = sorts[i] == TCP ? "127.0.0.1" : where;

        plx_socket_set_events(socket, &events, &seen);
        ck_assert_str_eq(plx_socket_remote_address(socket), wanted);
        raw_close(w, peer);
        UNTIL(w, seen.at_the_end[0] != '\0' || plx_socket_state(socket) == PLX_UNCONNECTED);
        ck_assert_str_eq(seen.in_error, wanted);
        ck_assert_str_eq(seen.at_the_end, wanted);
        ck_assert_str_eq(plx_socket_remote_address(socket), wanted);
        ck_assert_int_eq(plx_socket_listen_on(socket, i == 0 ? "127.0.0.1:0" : where) == 0, i == 0);
        plx_socket_close(socket);
        ck_assert_str_eq(plx_socket_remote_address(socket), "");
    }
}

/* ---- socket.h: what was written before disconnect -------------------------------------------- */

/* "wait_for_sent: ... true, too, when disconnect has ended the connection meanwhile and nothing was
 * lost." */
MODE_CASE(a_goodbye_is_waited_for)
{
    static char bytes[100000];
    static const enum sort sorts[] = {TCP, IPC, SEQPACKET};

    for (int i = 0; i < 3; i++)
        for (int polls = 0; polls < 3; polls++) {
            char where[WHERE_SIZE];
            struct record log;
            plx_socket *socket = of(w, sorts[i], &log);
            int peer = connect_to_peer(w, sorts[i], socket, where);

            ck_assert_int_eq(plx_socket_write(socket, "goodbye", 7), 7);
            ck_assert_int_eq(plx_socket_disconnect(socket), 0);
            for (int poll = 0; poll < polls; poll++)
                world_poll(w);
            ck_assert(plx_socket_wait_for_sent(socket, 10000));
            raw_expect(w, peer, "goodbye");
            raw_close(w, peer);
            ck_assert(plx_socket_wait_for_disconnected(socket, 10000));
            ck_assert(plx_socket_wait_for_sent(socket, 10000));
            ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        }
    for (int i = 0; i < 2; i++) { /* a peer that goes before all was sent */
        char where[WHERE_SIZE];
        plx_socket *socket = of(w, sorts[i], NULL);
        int peer = connect_to_peer(w, sorts[i], socket, where);

        while (plx_socket_bytes_left_to_send(socket) == 0) /* until the kernel takes no more */
            plx_socket_write(socket, bytes, sizeof bytes);
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
        raw_reset(w, peer);
        ck_assert(!plx_socket_wait_for_sent(socket, 10000));
        ck_assert(!plx_socket_wait_for_sent(socket, 0));
    }
}

/* ---- socket.h: options ----------------------------------------------------------------------- */

static uint64_t held_time;

static uint64_t held_clock(void *user)
{
    (void)user;
    return held_time;
}

static void pass_day(struct world *w)
{
    held_time += UINT64_C(86400000000000);
    world_settle(w);
}

/* CONNECT_TIMEOUT, IDLE_TIMEOUT, LINGER_TIMEOUT: "0 is none" */
MODE_CASE(a_time_of_zero_is_none)
{
    static char bytes[100000];

    held_time = UINT64_C(1000000000);
    plx_clock_set(held_clock, NULL);
    for (int i = 0; i < SERVERS; i++) {
        char where[WHERE_SIZE];
        plx_socket *socket = of(w, servers[i], NULL);

        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_LINGER_TIMEOUT, 0), 0);
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 0), 0);
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 100), 0);
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 0), 0);
        connect_to_peer(w, servers[i], socket, where);
        pass_day(w);
        ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
        for (int round = 0; plx_socket_bytes_left_to_send(socket) == 0; round++) {
            ck_assert_int_lt(round, 100000);
            plx_socket_write(socket, bytes, 10000);
            plx_socket_flush(socket);
        }
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
        pass_day(w);
        ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
        plx_socket_close(socket);
    }
    plx_clock_set(NULL, NULL);
}

/* AUTO_CONNECT: "TCP, IPC, packets"; "plx_socket_reconnects_in says when"; disconnect: 0 "when it
 * waits to connect again, which it ends" */
MODE_CASE(all_connections_come_back)
{
    for (int i = 0; i < SERVERS; i++) {
        char where[WHERE_SIZE];
        plx_socket *socket = of(w, servers[i], NULL);
        int peer, listener = promises_listen(w, servers[i], where);

        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        for (int times = 0; times < 2; times++) {
            peer = raw_accept(w, listener);
            UNTIL(w, plx_socket_is_connected(socket));
            ck_assert_int_eq(plx_socket_reconnects_in(socket), -1);
            raw_close(w, peer);
            UNTIL(w, plx_socket_reconnects_in(socket) >= 0);
            ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
            ck_assert_int_le(plx_socket_reconnects_in(socket), 125);
        }
        peer = raw_accept(w, listener);
        raw_close(w, peer);
        UNTIL(w, plx_socket_reconnects_in(socket) >= 0);
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
        ck_assert_int_eq(plx_socket_reconnects_in(socket), -1);
        ck_assert_int_eq(plx_socket_disconnect(socket), PLX_INVALID_STATE);
    }
}

/* ---- socket.h: statistics that are not known ------------------------------------------------- */

static plx_statistics statistics_of(const plx_socket *socket)
{
    plx_statistics seen;

    ck_assert(plx_socket_statistics(socket, &seen));
    return seen;
}

static void expect_unknown(const plx_socket *socket)
{
    plx_statistics seen = statistics_of(socket);

    ck_assert_int_eq(seen.round_trip, -1);
    ck_assert_int_eq(seen.round_trip_variation, -1);
    ck_assert_int_eq(seen.retransmissions, -1);
    ck_assert_int_eq(seen.congestion_window, -1);
}

/* "TCP: ... -1: unknown" */
MODE_CASE(a_kernel_that_says_nothing_of_tcp)
{
    char where[WHERE_SIZE];
    plx_socket *socket = of(w, TCP, NULL);

    connect_to_peer(w, TCP, socket, where);
    ck_assert_int_gt(statistics_of(socket).round_trip, 0);
    if (!kernel_denies(SYS_getsockopt, IPPROTO_TCP, ENOPROTOOPT))
        return;
    expect_unknown(socket);
}

/* "round_trip: ... -1: unknown, as ... before the first measurement": what a SYN that was sent
 * twice measures is doubtful without time stamps (RFC 6298, section 3). */
MODE_CASE(a_round_trip_that_was_not_measured)
{
    plx_socket *socket = of(w, TCP, NULL);
    plx_statistics seen;
    char where[WHERE_SIZE];
    int listener;

    if (!netns_enter("a round trip that was not measured"))
        return;
    netns_run("sysctl -qw net.ipv4.tcp_timestamps=0");
    if (!netns_try("iptables -A INPUT -p tcp --syn -j DROP")) {
        fprintf(stderr, "SKIP: no iptables: a round trip that was not measured\n");
        return;
    }
    listener = promises_listen(w, TCP, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    world_poll(w);
    netns_run("iptables -F INPUT"); /* the SYN is sent again after a second */
    raw_accept(w, listener);
    UNTIL(w, plx_socket_state(socket) == PLX_CONNECTED);
    seen = statistics_of(socket);
    ck_assert_int_eq(seen.round_trip, -1);
    ck_assert_int_eq(seen.round_trip_variation, -1);
    ck_assert_int_gt(seen.retransmissions, 0);
    ck_assert_int_gt(seen.congestion_window, 0);
}

/* "UDP: datagrams ... that the kernel had no room for ...; -1: unknown" */
MODE_CASE(a_kernel_that_says_nothing_of_drops)
{
    plx_socket *socket = of(w, UDP, NULL);

    ck_assert_int_eq(plx_udp_bind(socket, "127.0.0.1:0"), 0);
    ck_assert_int_eq(statistics_of(socket).messages_dropped, 0);
    if (!kernel_denies(SYS_getsockopt, SOL_SOCKET, ENOPROTOOPT))
        return;
    ck_assert_int_eq(statistics_of(socket).messages_dropped, -1);
}

/* ---- ipc.h: who is there --------------------------------------------------------------------- */

/* "what the kernel does not say is -1, such as the process id of a peer outside this program's pid
 * namespace": to a child in a namespace of its own this process has no number. */
static int look_at_peer(int listener)
{
    plx_credentials who = {77, 77, 77};
    plx_socket *socket = plx_ipc_new();
    int code = plx_socket_adopt(socket, listener);

    for (int i = 0; i < 1000 && plx_socket_state(socket) != PLX_CONNECTED; i++)
        plx_socket_wait(socket, 10);
    code = code != 0 ? code : plx_ipc_peer_credentials(socket, &who);
    plx_socket_free(socket);
    return code != 0 ? 1 : who.process != -1 ? 2 : who.user != (int64_t)geteuid() ? 3 : 0;
}

/* Its child is the first process of the new namespace. */
static int look_from_a_namespace(int listener)
{
    int status = 0;
    pid_t child;

    if (unshare(CLONE_NEWPID) != 0)
        return 77;
    child = fork();
    if (child == 0)
        _exit(look_at_peer(listener));
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

MODE_CASE(a_peer_outside_the_pid_namespace)
{
    char where[WHERE_SIZE];
    int status, listener = promises_listen(w, IPC, where);
    pid_t child;

    world_raw(w, unix_raw_connect(where)); /* waits in the queue */
    child = fork();
    if (child == 0)
        _exit(look_from_a_namespace(listener));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        fprintf(stderr, "SKIP: no pid namespaces: a peer outside of one\n");
    else
        ck_assert_int_eq(WEXITSTATUS(status), 0);
}

/* "-1 where the kernel has none"; "or the kernel's error. Unless 0, *ret_credentials is
 * untouched." */
MODE_CASE(a_kernel_that_says_nothing_of_peers)
{
    plx_credentials who = {77, 77, 77};
    char where[WHERE_SIZE];
    plx_socket *socket = of(w, IPC, NULL);

    connect_to_peer(w, IPC, socket, where);
    if (!kernel_denies(SYS_getsockopt, SOL_SOCKET, ENOPROTOOPT))
        return;
    ck_assert_int_eq(plx_ipc_peer_process_handle(socket), -1);
    ck_assert_int_eq(plx_ipc_peer_credentials(socket, &who), ENOPROTOOPT);
    ck_assert(who.process == 77 && who.user == 77 && who.group == 77);
}

/* "readable when the process has ended" */
MODE_CASE(the_peers_process_ends)
{
    char where[WHERE_SIZE];
    plx_socket *socket = of(w, IPC, NULL);
    int handle, line[2];
    pid_t child;

    place(w, IPC, where);
    ck_assert_int_eq(plx_socket_listen_on(socket, where), 0);
    ck_assert_int_eq(pipe(line), 0);
    child = fork();
    if (child == 0) {
        char byte;

        close(line[1]);
        _exit(unix_raw_connect(where) < 0 || read(line[0], &byte, 1) != 0);
    }
    close(line[0]);
    UNTIL(w, plx_socket_state(socket) == PLX_CONNECTED);
    handle = plx_ipc_peer_process_handle(socket);
    if (handle < 0)
        fprintf(stderr, "SKIP: no SO_PEERPIDFD: the peer's process ends\n");
    ck_assert(handle < 0 || !is_readable(handle));
    close(line[1]);
    ck_assert(handle < 0 || (world_readable(handle), true));
    close(handle);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

/* ---- interface.h ----------------------------------------------------------------------------- */

/* "0 when the kernel does not report it" */
PLAIN_CASE(no_interfaces_are_told)
{
    plx_interface list[4] = {{.name = "kept"}};

    ck_assert_uint_gt(plx_interface_list(NULL, 0), 0);
    if (!kernel_denies(SYS_socket, -1, EMFILE))
        return;
    ck_assert_uint_eq(plx_interface_list(list, 4), 0);
    ck_assert_uint_eq(plx_interface_list(NULL, 0), 0);
    ck_assert_str_eq(list[0].name, "kept");
}

/* ---- udp.h ----------------------------------------------------------------------------------- */

/* "the largest has 65507 bytes, over IPv6 65527", also to a name. */
MODE_CASE(the_largest_datagram_to_a_name)
{
    static char bytes[65528];
    plx_socket *socket = of(w, UDP, NULL), *heard = of(w, UDP, NULL);
    plx_datagram datagram;

    if (!netns_enter("the largest datagram to a name"))
        return;
    netns_file("/etc/hosts", "::1 six.lan\n127.0.0.1 four.lan\n");
    ck_assert_int_eq(plx_udp_bind(heard, ":0"), 0);
    ck_assert_int_eq(plx_udp_bind(socket, ":0"), 0);
    ck_assert_int_eq(plx_udp_write_to(socket, "six.lan", plx_socket_port(heard), bytes, 65528),
                     EMSGSIZE);
    for (int again = 0; again < 2; again++) { /* looked up, and remembered */
        ck_assert_int_eq(plx_udp_write_to(socket, "six.lan", plx_socket_port(heard), bytes, 65527),
                         0);
        UNTIL(w, plx_udp_packets_available(heard) > 0);
        ck_assert(plx_udp_read(heard, &datagram));
        ck_assert_uint_eq(datagram.size, 65527);
    }
    for (int again = 0; again < 2;
         again++) { /* over IPv4 it has no room, at once or when it leaves */
        int code = plx_udp_write_to(socket, "four.lan", plx_socket_port(heard), bytes, 65508);

        UNTIL(w, plx_udp_packets_left_to_send(socket) == 0);
        ck_assert(code == EMSGSIZE || (code == 0 && plx_socket_last_error(socket) == EMSGSIZE));
        ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_DATAGRAM_TOO_LARGE);
    }
    ck_assert_int_eq(plx_udp_write_to(socket, "four.lan", plx_socket_port(heard), bytes, 65507), 0);
    UNTIL(w, plx_udp_packets_available(heard) > 0);
    ck_assert(plx_udp_read(heard, &datagram) && datagram.size == 65507);
    ck_assert_uint_eq(plx_udp_packets_available(heard), 0);
}

/* "An empty datagram or packet is 0, too: plx_socket_read_message returns NULL for none only." */
MODE_CASE(an_empty_datagram_is_no_nothing)
{
    char where[WHERE_SIZE], data[4];
    plx_socket *socket = of(w, UDP, NULL);
    int peer = connect_to_peer(w, UDP, socket, where);
    size_t size = 77;

    ck_assert_ptr_null(plx_socket_read_message(socket, &size));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(send(peer, "", 0, 0), 0);
    UNTIL(w, plx_udp_packets_available(socket) == 2);
    ck_assert_int_eq(plx_socket_read(socket, data, sizeof data), 0);
    ck_assert_ptr_nonnull(plx_socket_read_message(socket, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert_uint_eq(plx_udp_packets_available(socket), 0);
    ck_assert_int_eq(plx_socket_read(socket, data, sizeof data), 0);
}

/* ---- server.h -------------------------------------------------------------------------------- */

static plx_server *server_of(struct world *w, enum sort sort)
{
    static plx_constructor *const make[] = {plx_tcp_new, NULL, plx_ipc_new, plx_seqpacket_new};
    plx_server *server = plx_server_new(make[sort]);

    ck_assert_ptr_nonnull(server);
    w->servers[w->servers_used++] = server;
    ck_assert(w->group == NULL || plx_group_add_server(w->group, server) == 0);
    return server;
}

/* What a server says of itself that does not listen and has no clients. */
static void expect_idle(plx_server *server, const plx_socket *stranger)
{
    ck_assert(!plx_server_is_listening(server));
    ck_assert_int_eq(plx_server_port(server), 0);
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    ck_assert_ptr_null(plx_server_next_active(server, NULL));
    ck_assert_ptr_null(plx_server_next_active(server, stranger));
    ck_assert_ptr_null(plx_server_take(server, NULL));
    ck_assert_ptr_null(plx_server_take(server, (plx_socket *)stranger));
    ck_assert(!plx_server_poll(server));
    ck_assert(!plx_server_wait(server, 0));
}

/* "plx_server_error: without one: code 0, reason NONE, message \"\". Cleared by listen_on."
 * "Returns 0 or at once why it cannot: PLX_ADDRESS_IN_USE, PLX_INVALID_PORT, PLX_INVALID_STATE" */
MODE_CASE(a_server_that_does_not_listen)
{
    for (int i = 0; i < SERVERS; i++) {
        plx_server *server = server_of(w, servers[i]);
        plx_socket *stranger = of(w, servers[i], NULL);
        char where[WHERE_SIZE];
        int raw = world_raw(w, promises_raw(servers[i]));

        world_settle(w);
        expect_idle(server, stranger);
        ck_assert_int_eq(plx_server_error(server)->code, 0);
        ck_assert_int_eq(plx_server_error(server)->reason, PLX_REASON_NONE);
        ck_assert_str_eq(plx_server_error(server)->message, "");
        ck_assert_ptr_null(plx_server_user(server));
        ck_assert_int_eq(plx_server_listen_on(server, NULL), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_server_listen_on(server, ""), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_server_adopt(server, raw), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_server_adopt(server, -1), EBADF);
        ck_assert_int_ge(fcntl(raw, F_GETFD), 0);
        ck_assert_int_eq(plx_server_adopt_activated(server, NULL), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_server_adopt_activated(server, "x"), PLX_INVALID_STATE);
        if (servers[i] == TCP) {
            ck_assert_int_eq(plx_server_listen_on(server, "127.0.0.1"), PLX_INVALID_PORT);
            ck_assert_int_eq(plx_server_listen_on(server, "127.0.0.1:65536"), PLX_INVALID_PORT);
        }
        ck_assert_int_ne(plx_server_error(server)->code, 0);
        plx_server_stop_listening(server);
        ck_assert_int_ne(plx_server_error(server)->code, 0);
        place(w, servers[i], where);
        ck_assert_int_eq(plx_server_listen_on(server, where), 0);
        ck_assert_int_eq(plx_server_error(server)->code, 0);
        ck_assert_int_eq(plx_server_port(server) > 0, servers[i] == TCP);
        ck_assert_int_eq(plx_server_listen_on(server, where), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_server_adopt(server, raw), PLX_INVALID_STATE);
        plx_server_stop_listening(server);
        ck_assert(!plx_server_is_listening(server));
        ck_assert_int_eq(plx_server_port(server), 0);
    }
}

/* "sets an option of the listener and of later clients"; "returns the client after `previous`, the
 * first one for NULL, and NULL after the last one"; "NULL when it is none of this server's" */
MODE_CASE(clients_of_a_server)
{
    for (int i = 0; i < SERVERS; i++) {
        plx_server *server = server_of(w, servers[i]);
        plx_socket *first = of(w, servers[i], NULL), *second = of(w, servers[i], NULL), *client;
        char where[WHERE_SIZE];

        place(w, servers[i], where);
        ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_READ_LIMIT, 100), 0);
        ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_READ_LIMIT, -1),
                         PLX_INVALID_STATE);
        ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_ROUTER_HOPS, 9),
                         PLX_INVALID_STATE);
        ck_assert_int_eq(plx_server_listen_on(server, where), 0);
        if (servers[i] == TCP)
            snprintf(where, sizeof where, "127.0.0.1:%d", plx_server_port(server));
        ck_assert_int_eq(plx_socket_connect_to(first, where), 0);
        UNTIL(w, plx_server_active_count(server) == 1);
        ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_READ_LIMIT, 200), 0);
        ck_assert_int_eq(plx_socket_connect_to(second, where), 0);
        UNTIL(w, plx_server_active_count(server) == 2);
        client = plx_server_next_active(server, NULL);
        ck_assert_int_eq(plx_socket_option(client, PLX_OPTION_READ_LIMIT), 100);
        client = plx_server_next_active(server, client);
        ck_assert_int_eq(plx_socket_option(client, PLX_OPTION_READ_LIMIT), 200);
        ck_assert_ptr_null(plx_server_next_active(server, client));
        ck_assert_ptr_null(
            plx_server_next_active(server, first)); /* a stranger has none after it */
        ck_assert_ptr_null(plx_server_take(server, first));
        ck_assert_ptr_eq(plx_server_take(server, client), client);
        world_keep(w, client);
        ck_assert_uint_eq(plx_server_active_count(server), 1);
        ck_assert_ptr_null(plx_server_take(server, client));
        ck_assert_ptr_null(plx_server_next_active(server, client));
        ck_assert_int_eq(plx_socket_state(client), PLX_CONNECTED);
        ck_assert(w->group == NULL || plx_group_count(w->group) >= 4);
        if (w->group == NULL) {
            /* The server's own group has left it. */
            ck_assert_int_eq(plx_socket_write(second, "x", 1), 1);
            ck_assert_int_eq(plx_socket_flush(second), 0);
            plx_server_poll(server);
            ck_assert_uint_eq(plx_socket_bytes_available(client), 0);
            UNTIL(w, plx_socket_bytes_available(client) == 1);
        }
    }
}

/* ---- group.h --------------------------------------------------------------------------------- */

/* "The same for the life of the group": other loops watch it once. "-1 where the mechanism has
 * none" */
MODE_CASE(the_handle_of_a_group_stays)
{
    plx_socket *sockets[32];
    int handle = plx_group_handle(w->group);

    ck_assert_int_eq(handle == -1, w->group == NULL || w->mode == MODE_POLL);
    for (int i = 0; i < 32; i++) {
        char where[WHERE_SIZE];

        sockets[i] = of(w, i % 2 == 0 ? TCP : UDP, NULL);
        if (i < 8)
            connect_to_peer(w, i % 2 == 0 ? TCP : UDP, sockets[i], where);
        ck_assert_int_eq(plx_group_handle(w->group), handle);
    }
    for (int i = 0; i < 32; i++)
        world_free(w, sockets[i]);
    world_settle(w);
    ck_assert_int_eq(plx_group_handle(w->group), handle);
    ck_assert_uint_eq(plx_group_count(w->group), 0);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
}

/* "0 for now, -1 for never"; "PLX_INVALID_STATE for NULL"; "one of this group stays" */
MODE_CASE(members_of_a_group)
{
    plx_socket *socket;

    if (w->group == NULL)
        return;
    socket = of(w, TCP, NULL);
    ck_assert_int_eq(plx_group_add(w->group, socket), 0);
    ck_assert_uint_eq(plx_group_count(w->group), 1);
    ck_assert_int_eq(plx_group_add(w->group, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    ck_assert_int_eq(plx_socket_connect_to(socket, "127.0.0.1:9"), 0);
    ck_assert_int_eq(plx_group_deadline(w->group), 0);
    plx_group_remove(w->group, socket);
    plx_group_remove(w->group, socket);
    ck_assert_uint_eq(plx_group_count(w->group), 0);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    ck_assert_int_eq(plx_group_flush(w->group), 0);
    ck_assert(!plx_group_poll(w->group, 0));
    plx_group_wake(w->group);
    ck_assert(!plx_group_poll(w->group, -1)); /* the wake ends its sleep */
}

/* "NULL for lack of memory or descriptors, or where what POLLUX_POLLER names is refused"; "io_uring
 * is passed over where the kernel ... refuses it" */
PLAIN_CASE(a_group_that_cannot_be_made)
{
    static const char *const names[] = {"poll", "epoll", "uring"};
    struct rlimit limit, none;
    int before = count_descriptors();
    plx_group *group;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = limit.rlim_max};
    for (int i = 0; i < 3; i++) {
        setenv("POLLUX_POLLER", names[i], 1);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
        ck_assert_ptr_null(plx_group_new());
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_int_eq(count_descriptors(), before);
    }
#ifdef SYS_io_uring_setup
    if (world_modes() <= MODE_URING) {
        fprintf(stderr, "SKIP: no io_uring: a ring that is refused\n");
        return;
    }
    if (!kernel_denies(SYS_io_uring_setup, -1, EPERM))
        return;
    ck_assert_ptr_null(plx_group_new()); /* POLLUX_POLLER is uring still */
    unsetenv("POLLUX_POLLER");
    group = plx_group_new();
    ck_assert_str_eq(plx_group_mechanism(group), "epoll");
    plx_group_free(group);
#else
    (void)group;
#endif
}

WORLD_MAIN("promises in cases")
