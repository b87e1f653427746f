/* tests/test-qt-cases.c -- what Qt's tests check of sockets, asked of Pollux: beginning.
 *
 * The cases bear the letters and numbers of the list of black-box cases that was drawn up from Qt's
 * own tests; the comment before each test names its case. This file has A (construction, binding,
 * descriptors), test-qt-cases-connect.c has B (connecting) and I (names), test-qt-cases-bytes.c has
 * C (reading) and D (writing and ending), test-qt-cases-waits.c has E (waits and handlers), and
 * test-qt-faults.c has what Qt does wrong.
 *
 * Cases that another program tests already:
 *   A2   port 1 of an ordinary user   test-bad-input.c  privileged_port_as_an_ordinary_user
 *   B1   refused, polled              conform/          connect_refused
 *   B4   255.255.255.255              test-tcp.c        network_out_of_reach
 *   B6   a later address works        test-tcp.c        addresses_one_after_another
 *   B8   ended during a lookup        test-tcp.c        close_, abort_, disconnect_during_a_look_up
 *   B9   an answer that comes late    test-tcp.c        another_connect_after_a_look_up_was_ended
 *   B11  three rounds on one object   conform/          ten_rounds_on_one_object
 *   B14  connect while connecting     conform/          connect_while_connecting
 *   C2   unread, in outline           conform/          unread_puts_back
 *   D4   all of it arrives            conform/          wait_for_disconnected_drains
 *   D7   a reset and nothing else     conform/          reset_without_data
 *   D16  datagram calls on a stream   test-bad-input.c  calls_of_another_kind
 *   E5   freed in the error handler   test-handlers.c   every event times everything freed
 *   E10  once for each arrival        conform/          data_once_per_poll
 *   I1   many lookups, some equal     test-tcp.c        many_look_ups_at_once
 *   I2   a lookup that was ended      test-tcp.c        free_during_a_look_up and its neighbours
 *   I2   a name is remembered         test-udp.c        write_to_by_name
 *   I3   an empty name                test-bad-input.c  empty_host
 *
 * Cases that do not apply:
 *   A2   a TCP socket that is bound and nothing else: there is none; listening and
 *        plx_socket_set_interface bind. What the case checks is asked of those and of UDP.
 *   A4   a TCP connection from a local port of one's choice: the interface can be chosen, the port
 *        not. UDP keeps its port.
 *   A7   a descriptor that is neither connected, bound nor listening is refused by adopt (A6).
 *   A9   a FIFO is no socket and refused (A6).
 *   B3   a wait that times out ends nothing here and sets no error (DEF11, D15).
 *   B4   0.0.0.1 is sent to the network by some systems; 255.255.255.255 never is.
 *   C10  close keeps what was received, by design: conform/ close_is_silent_and_keeps_what_came.
 *        abort drops it: conform/ abort_drops_everything.
 *   C16  sockets have no mode that only writes. What is left of the case is asked of one that
 *        purges all it gets.
 *   C4   a reading wait that times out is no error; the rest of the case applies.
 *   D15  nor here.
 *   E7   there are no timers to mix with; deadlines are test-group.c's.
 *   I2   connecting remembers no names: clearing what is remembered has no meaning. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "tests/sockets.h"
#include "tests/world.h"

#define REFUSED "state:CONNECTING state:UNCONNECTED error(111,10)[UNCONNECTED]"

/* ---- A: construction, binding, descriptors --------------------------------------------------- */

static void expect_fresh(plx_socket *socket)
{
    char bytes[8] = "";
    plx_address address;
    size_t size = 7;

    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    ck_assert(!plx_socket_is_connected(socket));
    ck_assert(!plx_socket_is_listening(socket));
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert(plx_socket_end_of_file(socket));
    ck_assert(!plx_socket_can_read_line(socket));
    ck_assert_int_eq(plx_socket_read_line(socket, bytes, sizeof bytes), -1);
    ck_assert_int_eq(plx_socket_read(socket, bytes, 1), -1);
    ck_assert_int_eq(plx_socket_read_exact(socket, bytes, 1), -1);
    ck_assert_uint_eq(plx_socket_skip(socket, 1), 0);
    ck_assert_ptr_nonnull(plx_socket_lookahead(socket, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert(!plx_socket_local(socket, &address));
    ck_assert(!plx_socket_remote(socket, &address));
    ck_assert_str_eq(plx_socket_local_address(socket), "");
    ck_assert_str_eq(plx_socket_remote_address(socket), "");
    ck_assert_int_eq(plx_socket_remote_port(socket), 0);
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_NONE);
    ck_assert_str_eq(plx_socket_error(socket)->message, "");
}

/* A1: a new socket has nothing, and one that was closed has nothing again.
 * For streams only: read_line and read_exact refuse packets. */
STREAM_SOCKET_CASE(fresh_and_fresh_again)
{
    expect_fresh(socket);
    ck_assert_int_eq(plx_socket_port(socket), 0);
    ck_assert_str_eq(plx_socket_address(socket), "");
    ck_assert_str_eq(plx_socket_path(socket), "");
    for (int round = 0; round < 3; round++) {
        int raw = world_pair(w, socket, log);

        ck_assert_int_ge(plx_socket_handle(socket), 0);
        raw_say(raw, "not for the next round");
        UNTIL(w, plx_socket_bytes_available(socket) > 0);
        record_clear(log);
        plx_socket_close(socket);
        plx_socket_purge(socket);
        expect_fresh(socket);
        raw_expect_end(w, raw);
        SETTLED(w, log, "");
    }
}

static void listen_twice(struct world *w, const char *host)
{
    plx_socket *socket = world_socket(w, NULL);
    char where[WHERE_SIZE];
    int port;

    snprintf(where, sizeof where, strchr(host, ':') != NULL ? "[%s]:0" : "%s:0", host);
    ck_assert_msg(plx_socket_listen_on(socket, where) == 0, "%s: %s", where,
                  plx_socket_error(socket)->message);
    port = plx_socket_port(socket);
    ck_assert_int_gt(port, 0);
    ck_assert_int_ge(plx_socket_handle(socket), 0);
    ck_assert_str_eq(plx_socket_local_address(socket), host);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_set_port(socket, port), 0); /* now the very same one */
    ck_assert_int_eq(plx_socket_listen(socket), 0);
    ck_assert_int_eq(plx_socket_port(socket), port);
    world_free(w, socket);
}

static void bind_datagrams(struct world *w, const char *host)
{
    struct record log;
    plx_socket *socket = world_socket_of(w, plx_udp_new, &log);

    ck_assert_int_eq(plx_socket_set_interface(socket, host), 0);
    ck_assert_msg(plx_socket_connect(socket) == 0, "%s: %s", host,
                  plx_socket_error(socket)->message);
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
    ck_assert_int_gt(plx_socket_port(socket), 0);
    ck_assert_str_eq(plx_socket_local_address(socket), host);
    UNTIL(w, log.count[EVENT_STATE_CHANGED] > 0);
    LOGGED(w, &log, "state:BOUND");
    world_free(w, socket);
}

/* A2: every address of this computer, each family's "any", a free port and a certain one */
MODE_CASE(every_local_address)
{
    plx_interface list[16];
    size_t count = plx_interface_list(list, 16);

    listen_twice(w, "0.0.0.0");
    listen_twice(w, "::");
    for (size_t i = 0; i < (count < 16 ? count : 16); i++) {
        if (!list[i].is_up)
            continue;
        listen_twice(w, list[i].ip_address);
        bind_datagrams(w, list[i].ip_address);
    }
}

/* A2: addresses of nobody (RFC 5737, RFC 3849) */
MODE_CASE(addresses_of_nobody)
{
    static const char *const hosts[] = {"198.51.100.1", "2001:db8::1"};

    for (size_t i = 0; i < 2; i++) {
        plx_socket *stream = world_socket(w, NULL);
        plx_socket *datagrams = world_socket_of(w, plx_udp_new, NULL);
        char where[WHERE_SIZE];

        snprintf(where, sizeof where, i == 1 ? "[%s]:0" : "%s:0", hosts[i]);
        ck_assert_int_eq(plx_socket_listen_on(stream, where), EADDRNOTAVAIL);
        ck_assert_int_eq(plx_socket_error(stream)->reason, PLX_REASON_ADDRESS_NOT_AVAILABLE);
        ck_assert_int_eq(plx_socket_port(stream), 0);
        ck_assert_int_eq(plx_socket_state(stream), PLX_UNCONNECTED);
        ck_assert_int_eq(plx_socket_set_interface(datagrams, hosts[i]), 0);
        ck_assert_int_ne(plx_socket_connect(datagrams), 0);
        ck_assert_int_eq(plx_socket_error(datagrams)->reason, PLX_REASON_ADDRESS_NOT_AVAILABLE);
        ck_assert_int_eq(plx_socket_port(datagrams), 0);
        ck_assert_int_eq(plx_socket_state(datagrams), PLX_UNCONNECTED);
    }
}

/* A5: bound to an address and refused: nothing ever looks like data */
MODE_SOCKET_CASE(bound_and_then_refused)
{
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_set_interface(socket, "127.0.0.1"), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    SETTLED(w, log, REFUSED);
}

/* Everything that is no socket, or a socket of some sort in no state to be adopted by any kind. */
static int make_wrong(struct world *w, int which)
{
    char path[WHERE_SIZE];
    int pair[2];

    snprintf(path, sizeof path, "%s/wrong%d", w->folder, which);
    switch (which) {
    case 0: return open(path, O_RDWR | O_CREAT, 0600);
    case 1: return open(w->folder, O_RDONLY | O_DIRECTORY);
    case 2: return open("/dev/null", O_RDWR);
    case 3: ck_assert_int_eq(pipe(pair), 0); return world_raw(w, pair[1]), pair[0];
    case 4: ck_assert_int_eq(pipe(pair), 0); return world_raw(w, pair[0]), pair[1];
    case 5: mkfifo(path, 0600); return open(path, O_RDWR);
    case 6: return epoll_create1(0);
    case 7: return socket(AF_INET, SOCK_STREAM, 0);
    case 8: return socket(AF_INET6, SOCK_STREAM, 0);
    case 9: return socket(AF_INET, SOCK_DGRAM, 0);
    case 10: return socket(AF_UNIX, SOCK_STREAM, 0);
    case 11: return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    case 12:
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
        return world_raw(w, pair[1]), pair[0];
    case 13:
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
        return world_raw(w, pair[1]), pair[0];
    default: return -1;
    }
}

static void expect_left_alone(plx_socket *socket, int descriptor, const char *what)
{
    int flags = fcntl(descriptor, F_GETFL), own = fcntl(descriptor, F_GETFD);

    ck_assert_int_ge(flags, 0);
    ck_assert_int_eq(own, 0);
    ck_assert_msg(plx_socket_adopt(socket, descriptor) > 0, "adopted: %s", what);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    ck_assert_msg(fcntl(descriptor, F_GETFL) == flags && fcntl(descriptor, F_GETFD) == own,
                  "refused and yet changed: %s", what);
}

static void refuse_all(struct world *w, plx_socket *socket)
{
    char what[32];
    int descriptor;

    for (int which = 0; (descriptor = make_wrong(w, which)) >= 0; which++) {
        snprintf(what, sizeof what, "number %d", which);
        expect_left_alone(socket, world_raw(w, descriptor), what);
    }
}

/* A6, A7, A9, DEF12: numbers that are no descriptor, and descriptors that are no such socket */
MODE_CASE(adopt_what_is_wrong)
{
    static const int numbers[] = {-1, -5, INT_MIN, INT_MAX, 999983};
    plx_constructor *const create[] = {plx_tcp_new, plx_udp_new, plx_ipc_new};

    for (size_t kind = 0; kind < 3; kind++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, create[kind], &log);

        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            ck_assert_int_eq(plx_socket_adopt(socket, numbers[i]), EBADF);
            ck_assert_int_eq(plx_socket_handle(socket), -1);
        }
        refuse_all(w, socket);
        world_settle(w);
        ck_assert_int_eq(log.count[EVENT_ERROR], 1); /* of many calls the first */
        ck_assert_int_eq(log.count[EVENT_STATE_CHANGED], 0);
    }
}

/* A6: sockets that are well, but of another kind */
MODE_CASE(adopt_what_is_of_another_kind)
{
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *udp = world_socket_of(w, plx_udp_new, NULL);
    plx_socket *ipc = world_socket_of(w, plx_ipc_new, NULL);
    char where[WHERE_SIZE];
    int listening = raw_listen(w, 5, where), connected = raw_connect(w, where);
    int bound = world_raw(w, socket(AF_INET, SOCK_DGRAM, 0)), pair[2];
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    ck_assert_int_eq(bind(bound, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    world_raw(w, pair[0]);
    world_raw(w, pair[1]);
    fcntl(listening, F_SETFD, 0);
    fcntl(connected, F_SETFD, 0);
    expect_left_alone(udp, listening, "a TCP listener as UDP");
    expect_left_alone(ipc, listening, "a TCP listener as IPC");
    expect_left_alone(udp, connected, "a TCP connection as UDP");
    expect_left_alone(ipc, connected, "a TCP connection as IPC");
    expect_left_alone(tcp, bound, "UDP as TCP");
    expect_left_alone(ipc, bound, "UDP as IPC");
    expect_left_alone(tcp, pair[0], "a Unix socket as TCP");
    expect_left_alone(udp, pair[0], "a Unix socket as UDP");
    /* Each is still good for the kind that it is of. */
    ck_assert_int_eq(plx_socket_adopt(udp, dup(bound)), 0);
    ck_assert_int_eq(plx_socket_adopt(tcp, dup(connected)), 0);
    ck_assert_int_eq(plx_socket_adopt(ipc, dup(pair[0])), 0);
    raw_say(pair[1], "as ever");
    UNTIL(w, plx_socket_bytes_available(ipc) == 7);
}

static int raw_bound(struct world *w, int family, int only_ipv6)
{
    struct sockaddr_storage name = {.ss_family = (sa_family_t)family};
    int raw = world_raw(w, socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));

    if (family == AF_INET6)
        setsockopt(raw, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof only_ipv6);
    ck_assert_int_eq(
        bind(raw, (struct sockaddr *)&name,
             family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)),
        0);
    return raw;
}

static void adopt_bound(struct world *w, int family, int only_ipv6, const char *address)
{
    struct record log;
    plx_socket *socket = world_socket_of(w, plx_udp_new, &log);
    plx_socket *sender = world_socket_of(w, plx_udp_new, NULL);
    int raw = raw_bound(w, family, only_ipv6);
    struct sockaddr_in6 name; /* has its port where the one of IPv4 has it */
    socklen_t size = sizeof name;
    plx_address to = {.family = 4, .bytes = {127, 0, 0, 1}};

    ck_assert_int_eq(getsockname(raw, (struct sockaddr *)&name, &size), 0);
    ck_assert_int_eq(plx_socket_adopt(socket, dup(raw)), 0);
    ck_assert_int_eq(plx_socket_port(socket), ntohs(name.sin6_port));
    ck_assert_str_eq(plx_socket_local_address(socket), address);
    SETTLED(w, &log, "state:BOUND");
    raw_close(w, raw);
    if (only_ipv6)
        to = (plx_address){.family = 6, .bytes = {[15] = 1}};
    to.port = ntohs(name.sin6_port);
    ck_assert_int_eq(plx_socket_connect(sender), 0);
    ck_assert_int_eq(plx_udp_write(sender, &to, "x", 1), 0);
    UNTIL(w, plx_udp_packets_available(socket) == 1);
}

/* A8: a datagram socket that somebody else bound, of either family and of both */
MODE_CASE(adopt_bound_datagrams)
{
    adopt_bound(w, AF_INET, 0, "0.0.0.0");
    adopt_bound(w, AF_INET6, 1, "::");
    adopt_bound(w, AF_INET6, 0, "::");
}

/* A10: limits at their ends, and beyond */
CASE(limits_at_their_ends)
{
    static const plx_option options[] = {PLX_OPTION_READ_LIMIT, PLX_OPTION_WRITE_LIMIT,
                                         PLX_OPTION_CONNECT_TIMEOUT, PLX_OPTION_LINGER_TIMEOUT,
                                         PLX_OPTION_IDLE_TIMEOUT};
    plx_socket *socket = world_socket(w, NULL);

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        ck_assert_int_eq(plx_socket_set_option(socket, options[i], INT_MAX), 0);
        ck_assert_int_eq(plx_socket_option(socket, options[i]), INT_MAX);
        ck_assert_int_eq(plx_socket_set_option(socket, options[i], -1), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_socket_set_option(socket, options[i], INT_MIN), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_socket_option(socket, options[i]), INT_MAX);
        ck_assert_int_eq(plx_socket_set_option(socket, options[i], 0), 0);
        ck_assert_int_eq(plx_socket_option(socket, options[i]), 0);
    }
    world_pair(w, socket, NULL);
}

/* A12: one port is one listener's, in each family one */
MODE_CASE(one_port_one_listener)
{
    plx_socket *four = world_socket(w, NULL), *again = world_socket(w, NULL);
    plx_socket *six = world_socket(w, NULL), *any = world_socket(w, NULL);
    char where[WHERE_SIZE];

    ck_assert_int_eq(plx_socket_listen_on(four, "0.0.0.0:0"), 0);
    snprintf(where, sizeof where, "0.0.0.0:%d", plx_socket_port(four));
    ck_assert_int_eq(plx_socket_listen_on(again, where), PLX_ADDRESS_IN_USE);
    snprintf(where, sizeof where, "127.0.0.1:%d", plx_socket_port(four));
    ck_assert_int_eq(plx_socket_listen_on(again, where), PLX_ADDRESS_IN_USE);
    snprintf(where, sizeof where, ":%d", plx_socket_port(four));
    ck_assert_int_eq(plx_socket_listen_on(again, where), PLX_ADDRESS_IN_USE);
    snprintf(where, sizeof where, "[::]:%d", plx_socket_port(four));
    ck_assert_int_eq(plx_socket_listen_on(six, where), 0);
    ck_assert_int_eq(plx_socket_listen_on(any, ":0"), 0);
    ck_assert_int_ne(plx_socket_port(any), plx_socket_port(four));
}

WORLD_MAIN("qt-cases", .packets = true)
