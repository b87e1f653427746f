/* tests/test-udp.c -- datagrams: whole or not at all, in order, with their sender. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "tests/datagrams.h"
#include "tests/nameserver.h"
#include "tests/sockets.h"
#include "tests/world.h"

#define BOUND "state:BOUND"
#define DATA_BOUND "data_available[BOUND]"

static const plx_address loopback = {.family = 4, .bytes = {127, 0, 0, 1}};
static const plx_address loopback6 = {.family = 6, .bytes = {[15] = 1}};

/* A bound socket of the world's group; `port` 0 lets the kernel choose. */
static plx_socket *bound(struct world *w, struct record *log)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, log);

    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_gt(plx_socket_port(socket), 0);
    if (log != NULL) {
        UNTIL(w, log->count[EVENT_STATE_CHANGED] > 0);
        record_clear(log);
    }
    return socket;
}

#define BOUND_CASE(name) WORLD_SOCKET_CASE(MODE_CASE, name, bound(w, log))

static plx_address address_of(const plx_socket *socket)
{
    plx_address address = loopback;

    address.port = (uint16_t)plx_socket_port(socket);
    return address;
}

/* A raw datagram socket bound to `name`, which then holds the port that it got. */
static int raw_udp_at(struct world *w, struct sockaddr_in *name)
{
    socklen_t size = sizeof *name;
    int raw = world_raw(w, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

    ck_assert_int_eq(bind(raw, (struct sockaddr *)name, size), 0);
    ck_assert_int_eq(getsockname(raw, (struct sockaddr *)name, &size), 0);
    return raw;
}

/* A raw datagram socket on the loopback; gives its address. */
static int raw_udp(struct world *w, plx_address *ret_address)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int raw = raw_udp_at(w, &name);

    *ret_address = loopback;
    ret_address->port = ntohs(name.sin_port);
    return raw;
}

/* The same for both families: what is sent to its port at ::1 comes in, too. */
static int raw_udp_of_both(struct world *w, plx_address *ret_address)
{
    struct sockaddr_in6 name = {.sin6_family = AF_INET6}; /* in6addr_any */
    socklen_t size = sizeof name;
    int raw = world_raw(w, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)), zero = 0;

    ck_assert_int_eq(setsockopt(raw, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero), 0);
    ck_assert_int_eq(bind(raw, (struct sockaddr *)&name, size), 0);
    ck_assert_int_eq(getsockname(raw, (struct sockaddr *)&name, &size), 0);
    *ret_address = loopback;
    ret_address->port = ntohs(name.sin6_port);
    return raw;
}

static void raw_udp_send(int raw, const plx_socket *to, const void *data, size_t size)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    name.sin_port = htons((uint16_t)plx_socket_port(to));
    ck_assert_int_eq(sendto(raw, data, size, 0, (struct sockaddr *)&name, sizeof name),
                     (ssize_t)size);
}

/* ---- binding --------------------------------------------------------------------------------- */

UDP_SOCKET_CASE(bind_a_port_of_the_systems_choice)
{
    plx_address local;

    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
    ck_assert(plx_socket_is_connected(socket));
    ck_assert_int_gt(plx_socket_port(socket), 0);
    ck_assert(plx_socket_local(socket, &local));
    ck_assert_int_eq(local.port, plx_socket_port(socket));
    ck_assert_int_eq(fcntl(plx_socket_handle(socket), F_GETFD), FD_CLOEXEC);
    LOGGED(w, log, "");
    SETTLED(w, log, BOUND);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_port(socket), 0); /* as set */
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    SETTLED(w, log, BOUND);
}

UDP_SOCKET_CASE(bind_a_port_of_our_choice)
{
    plx_socket *second;
    plx_address address;
    int raw = raw_udp(w, &address);

    raw_close(w, raw); /* most likely free now */
    ck_assert_int_eq(plx_socket_set_port(socket, address.port), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(plx_socket_port(socket), address.port);
    second = world_socket_of(w, plx_udp_new, NULL);
    ck_assert_int_eq(plx_socket_set_port(second, address.port), 0);
    ck_assert_int_eq(plx_socket_connect(second), PLX_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_socket_error(second)->reason, PLX_REASON_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_socket_state(second), PLX_UNCONNECTED);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_port(socket), address.port);
    ck_assert_int_eq(plx_socket_connect(second), 0);
}

MODE_CASE(share_a_port)
{
    plx_socket *first = world_socket_of(w, plx_udp_new, NULL);
    plx_socket *second = world_socket_of(w, plx_udp_new, NULL);

    ck_assert_int_eq(plx_socket_set_option(first, PLX_OPTION_SHARE_ADDRESS, 1), 0);
    ck_assert_int_eq(plx_socket_connect(first), 0);
    ck_assert_int_eq(plx_socket_set_port(second, plx_socket_port(first)), 0);
    ck_assert_int_eq(plx_socket_connect(second), PLX_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_socket_set_option(second, PLX_OPTION_SHARE_ADDRESS, 1), 0);
    ck_assert_int_eq(plx_socket_connect(second), 0);
    ck_assert_int_eq(plx_socket_port(second), plx_socket_port(first));
}

MODE_CASE(bind_to_one_interface)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);
    plx_address local;

    ck_assert_int_eq(plx_socket_set_interface(socket, "127.0.0.1"), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert(plx_socket_local(socket, &local));
    ck_assert_int_eq(local.family, 4);
    ck_assert_mem_eq(local.bytes, loopback.bytes, 4);
    ck_assert_str_eq(plx_socket_local_address(socket), "127.0.0.1");
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_set_interface(socket, "lo"), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_gt(plx_socket_port(socket), 0);
}

UDP_SOCKET_CASE(connect_with_an_address_is_refused)
{
    ck_assert_int_eq(plx_socket_set_address(socket, "127.0.0.1"), 0);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(plx_socket_set_address(socket, NULL), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE); /* already bound */
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
}

UDP_SOCKET_CASE(unbound_calls)
{
    plx_address to = loopback;
    plx_datagram datagram;

    to.port = 9;
    ck_assert_int_eq(plx_udp_write(socket, &to, "x", 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_to(socket, "127.0.0.1", 9, "x", 1), PLX_INVALID_STATE);
    ck_assert(!plx_udp_read(socket, &datagram));
    ck_assert_int_eq(plx_udp_join_multicast_group(socket, "239.255.7.7"), PLX_INVALID_STATE);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_INVALID_STATE);
}

/* ---- sending and receiving ------------------------------------------------------------------- */

BOUND_CASE(order_and_sender)
{
    plx_address from[2];
    int raws[2] = {raw_udp(w, &from[0]), raw_udp(w, &from[1])};
    plx_datagram datagram;

    for (int i = 0; i < 50; i++) {
        char text[32];

        snprintf(text, sizeof text, "datagram %d", i);
        raw_udp_send(raws[i % 2], socket, text, strlen(text));
    }
    UNTIL(w, plx_udp_packets_available(socket) == 50);
    for (int i = 0; i < 50; i++) {
        char text[32];

        snprintf(text, sizeof text, "datagram %d", i);
        datagram = datagram_read_text(w, socket, text);
        ck_assert(plx_address_equal(&datagram.from, &from[i % 2]));
        ck_assert_uint_eq(plx_udp_packets_available(socket), (size_t)(49 - i));
    }
    ck_assert(!plx_udp_read(socket, &datagram));
}

BOUND_CASE(data_available_as_for_streams)
{
    plx_address from;
    int raw = raw_udp(w, &from);

    raw_udp_send(raw, socket, "one", 3);
    raw_udp_send(raw, socket, "two", 3);
    world_readable(plx_socket_handle(socket));
    SETTLED(w, log, DATA_BOUND); /* nobody took one: not again */
    datagram_read_text(w, socket, "one");
    raw_udp_send(raw, socket, "three", 5);
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 2);
    datagram_read_text(w, socket, "two");
    datagram_read_text(w, socket, "three");
}

static void act_read_one(struct record *record, plx_socket *socket)
{
    plx_datagram datagram;

    (void)record;
    ck_assert(plx_udp_read(socket, &datagram));
}

BOUND_CASE(data_available_again_while_some_are_taken)
{
    plx_address from;
    int raw = raw_udp(w, &from);

    record_on(log, EVENT_DATA_AVAILABLE, act_read_one, NULL);
    log->always = true;
    for (int i = 0; i < 3; i++)
        raw_udp_send(raw, socket, "x", 1);
    world_readable(plx_socket_handle(socket));
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] == 3);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 3);
    ck_assert_uint_eq(plx_udp_packets_available(socket), 0);
}

MODE_CASE(zero_length)
{
    struct record log_a, log_b;
    plx_socket *a = bound(w, &log_a), *b = bound(w, &log_b);
    plx_address to = address_of(b);
    plx_datagram datagram;

    ck_assert_int_eq(plx_udp_write(a, &to, "", 0), 0);
    ck_assert_int_eq(plx_udp_write(a, &to, NULL, 0), 0);
    ck_assert_int_eq(plx_udp_write(a, &to, "after", 5), 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(a), 3);
    UNTIL(w, plx_udp_packets_available(b) == 3);
    datagram = datagram_read_text(w, b, "");
    ck_assert_int_eq(datagram.from.port, plx_socket_port(a));
    datagram_read_text(w, b, "");
    datagram_read_text(w, b, "after");
}

MODE_CASE(embedded_zeros_and_sizes)
{
    struct record log_a, log_b;
    plx_socket *a = bound(w, &log_a), *b = bound(w, &log_b);
    plx_address to = address_of(b);
    static const size_t sizes[] = {1, 2, 512, 1472, 1473, 9000, 32768, 65000};
    unsigned char *bytes = malloc(65507);

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        plx_datagram datagram;

        pattern_fill(bytes, sizes[i], i);
        ck_assert_int_eq(plx_udp_write(a, &to, bytes, sizes[i]), 0);
        UNTIL(w, plx_udp_packets_available(b) == 1);
        ck_assert(plx_udp_read(b, &datagram));
        ck_assert_uint_eq(datagram.size, sizes[i]);
        ck_assert(pattern_matches(datagram.data, datagram.size, i));
    }
    free(bytes);
}

MODE_CASE(the_largest_and_one_more)
{
    struct record log_a, log_b;
    plx_socket *a = bound(w, &log_a), *b = bound(w, &log_b);
    plx_address to = address_of(b);
    unsigned char *bytes = calloc(1, 65508);
    plx_datagram datagram;

    ck_assert_int_eq(plx_udp_write(a, &to, bytes, 65507), 0);
    UNTIL(w, plx_udp_packets_available(b) == 1);
    ck_assert(plx_udp_read(b, &datagram));
    ck_assert_uint_eq(datagram.size, 65507);
    ck_assert(!datagram.truncated);
    ck_assert_int_eq(plx_udp_write(a, &to, bytes, 65508), EMSGSIZE);
    ck_assert_int_eq(plx_socket_last_error(a), EMSGSIZE);
    ck_assert_int_eq(plx_socket_error(a)->reason, PLX_REASON_DATAGRAM_TOO_LARGE);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(a), 0);
    world_settle(w);
    ck_assert_int_eq(log_a.count[EVENT_ERROR], 1);
    ck_assert_int_eq(plx_socket_state(a), PLX_BOUND);
    ck_assert_int_eq(plx_udp_write(a, &to, "next", 4), 0);
    datagram_read_text(w, b, "next");
    free(bytes);
}

UDP_SOCKET_CASE(truncated_by_the_read_limit)
{
    plx_address from;
    int raw = raw_udp(w, &from);
    plx_datagram datagram;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 4), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    raw_udp_send(raw, socket, "12345678", 8);
    UNTIL(w, plx_udp_packets_available(socket) > 0);
    ck_assert(plx_udp_read(socket, &datagram));
    ck_assert_uint_eq(datagram.size, 4);
    ck_assert_mem_eq(datagram.data, "1234", 4);
    ck_assert(datagram.truncated);
    raw_udp_send(raw, socket, "abcd", 4);
    datagram_read_text(w, socket, "abcd"); /* it fits, and nothing of the other is left */
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

BOUND_CASE(purge_drops_datagrams)
{
    plx_address from;
    int raw = raw_udp(w, &from);

    for (int i = 0; i < 5; i++)
        raw_udp_send(raw, socket, "junk", 4);
    UNTIL(w, plx_udp_packets_available(socket) == 5);
    plx_socket_purge(socket);
    ck_assert_uint_eq(plx_udp_packets_available(socket), 0);
    raw_udp_send(raw, socket, "good", 4);
    datagram_read_text(w, socket, "good");
}

BOUND_CASE(data_valid_until_the_next_poll)
{
    plx_address from;
    int raw = raw_udp(w, &from);
    plx_datagram datagram;

    raw_udp_send(raw, socket, "echo me", 7);
    UNTIL(w, plx_udp_packets_available(socket) == 1);
    ck_assert(plx_udp_read(socket, &datagram));
    raw_udp_send(raw, socket, "another", 7);
    for (int i = 0; i < 100; i++) /* may be given to write, however much is queued */
        ck_assert_int_eq(plx_udp_write(socket, &from, datagram.data, datagram.size), 0);
    ck_assert_mem_eq(datagram.data, "echo me", 7);
    for (int i = 0; i < 100; i++) {
        char got[16] = "";

        UNTIL(w, is_readable(raw));
        ck_assert_int_eq(recv(raw, got, sizeof got, 0), 7);
        ck_assert_str_eq(got, "echo me");
    }
}

MODE_CASE(send_complete_is_never_aborted)
{
    struct record log_a, log_b;
    plx_socket *a = bound(w, &log_a), *b = bound(w, &log_b);
    plx_address to = address_of(b);

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(plx_udp_write(a, &to, "x", 1), 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(a), 3);
    LOGGED(w, &log_a, "");
    UNTIL(w, log_a.count[EVENT_SEND_COMPLETE] > 0);
    world_settle(w);
    log_a.mute = 1u << EVENT_SEND_PROGRESS;
    ck_assert_int_eq(log_a.count[EVENT_SEND_COMPLETE], 1);
    ck_assert_ptr_nonnull(strstr(log_a.text, "send_complete(false)[BOUND]"));
    ck_assert_uint_eq(plx_udp_packets_left_to_send(a), 0);
    UNTIL(w, plx_udp_packets_available(b) == 3);
}

BOUND_CASE(flush_sends_datagrams_now)
{
    plx_address to;
    int raw = raw_udp(w, &to);
    char got[8] = "";

    ck_assert_int_eq(plx_udp_write(socket, &to, "now", 3), 0);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    world_readable(raw);
    ck_assert_int_eq(recv(raw, got, sizeof got, 0), 3);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
    LOGGED(w, log, "");
}

BOUND_CASE(close_sends_what_the_kernel_takes)
{
    plx_address to;
    int raw = raw_udp(w, &to);

    ck_assert_int_eq(plx_udp_write(socket, &to, "bye", 3), 0);
    plx_socket_close(socket);
    world_readable(raw);
    LOGGED(w, log, "");
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(plx_udp_write(socket, &to, "bye again", 9), 0);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0); /* BOUND: flush and close */
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

UDP_SOCKET_CASE(write_limit_is_no_error)
{
    plx_address to;
    int raw = raw_udp(w, &to), taken = 0;
    static const char bytes[100];

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 1000), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    while (plx_udp_write(socket, &to, bytes, sizeof bytes) == 0)
        ck_assert_int_lt(taken++, 100);
    ck_assert_int_le(taken, 10);
    ck_assert_int_ge(taken, 5);
    ck_assert_int_eq(plx_udp_write(socket, &to, bytes, sizeof bytes), EAGAIN);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), (size_t)taken);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
    ck_assert_int_eq(plx_udp_write(socket, &to, bytes, sizeof bytes), 0); /* room again */
    for (int i = 0; i < taken + 1; i++) {
        char got[200];

        UNTIL(w, is_readable(raw));
        ck_assert_int_eq(recv(raw, got, sizeof got, 0), 100);
    }
}

BOUND_CASE(nobody_there_is_no_error_for_a_bound_socket)
{
    plx_address nobody, from;
    int gone = raw_udp(w, &nobody), raw = raw_udp(w, &from);

    raw_close(w, gone);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(plx_udp_write(socket, &nobody, "hello?", 6), 0);
        world_settle(w);
    }
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 0);
    raw_udp_send(raw, socket, "here", 4);
    datagram_read_text(w, socket, "here");
}

BOUND_CASE(write_to_by_text)
{
    plx_address to;
    int raw = raw_udp(w, &to);
    char got[16] = "";

    ck_assert_int_eq(plx_udp_write_to(socket, "127.0.0.1", to.port, "number", 6), 0);
    UNTIL(w, is_readable(raw));
    ck_assert_int_eq(recv(raw, got, sizeof got, 0), 6);
    ck_assert_int_eq(plx_udp_write_to(socket, "127.0.0.1", 0, "x", 1), PLX_INVALID_PORT);
    ck_assert_int_eq(plx_udp_write_to(socket, "127.0.0.1", 65536, "x", 1), PLX_INVALID_PORT);
    ck_assert_int_eq(plx_udp_write_to(socket, "127.0.0.1", -1, "x", 1), PLX_INVALID_PORT);
    ck_assert_int_ne(plx_udp_write_to(socket, "", to.port, "x", 1), 0);
}

BOUND_CASE(write_to_by_name)
{
    plx_address to;
    int raw = raw_udp_of_both(w, &to); /* the hosts file may lead to either */
    char got[16] = "";
    plx_address silent;
    int server = raw_udp(w, &silent); /* a name server that never answers */
    char nameserver[64];

    (void)server;
    nameserver_is_needed("a lookup that holds up nobody");
    snprintf(nameserver, sizeof nameserver, "127.0.0.1:%d", silent.port);
    setenv("POLLUX_NAMESERVERS", nameserver, 1);
    ck_assert_int_eq(plx_udp_write_to(socket, "nowhere.test", to.port, "held up", 7), 0);
    ck_assert_int_eq(plx_udp_write_to(socket, "localhost", to.port, "by name", 7), 0);
    UNTIL(w, is_readable(raw)); /* one name's lookup does not hold up another's datagrams */
    ck_assert_int_eq(recv(raw, got, sizeof got, 0), 7);
    ck_assert_str_eq(got, "by name");
    ck_assert_int_eq(plx_udp_write(socket, &to, "by number", 9), 0);
    UNTIL(w, is_readable(raw));
    ck_assert_int_eq(recv(raw, got, sizeof got, 0), 9);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* ---- both families --------------------------------------------------------------------------- */

MODE_CASE(dual_stack)
{
    struct record log_a, log_b;
    plx_socket *a = bound(w, &log_a), *b = bound(w, &log_b);
    plx_address to4 = address_of(b), to6 = loopback6;
    plx_datagram datagram;

    to6.port = to4.port;
    ck_assert_int_eq(plx_udp_write(a, &to4, "over v4", 7), 0);
    datagram = datagram_read_text(w, b, "over v4");
    ck_assert_int_eq(datagram.from.family, 4); /* not ::ffff:127.0.0.1 */
    ck_assert_mem_eq(datagram.from.bytes, loopback.bytes, 4);
    ck_assert_int_eq(datagram.from.port, plx_socket_port(a));
    ck_assert_int_eq(plx_udp_write(b, &datagram.from, "back", 4), 0);
    datagram_read_text(w, a, "back");
    ck_assert_int_eq(plx_udp_write(a, &to6, "over v6", 7), 0);
    datagram = datagram_read_text(w, b, "over v6");
    ck_assert_int_eq(datagram.from.family, 6);
    ck_assert_mem_eq(datagram.from.bytes, loopback6.bytes, 16);
    ck_assert_int_eq(plx_udp_write(b, &datagram.from, "back", 4), 0);
    datagram_read_text(w, a, "back");
}

MODE_CASE(one_family_only)
{
    struct record log;
    plx_socket *four = world_socket_of(w, plx_udp_new, NULL);
    plx_socket *six = world_socket_of(w, plx_udp_new, NULL);
    plx_socket *any = bound(w, &log);
    plx_address to = loopback6;

    ck_assert_int_eq(plx_socket_set_option(four, PLX_OPTION_PROTOCOL, 0), 0);
    ck_assert_int_eq(plx_socket_set_option(six, PLX_OPTION_PROTOCOL, 1), 0);
    ck_assert_int_eq(plx_socket_connect(four), 0);
    ck_assert_int_eq(plx_socket_set_port(six, plx_socket_port(four)), 0);
    ck_assert_int_eq(plx_socket_connect(six), 0); /* the same port in the other family */
    to.port = (uint16_t)plx_socket_port(six);
    ck_assert_int_eq(plx_udp_write(any, &to, "six", 3), 0);
    datagram_read_text(w, six, "six");
    to = address_of(four);
    ck_assert_int_eq(plx_udp_write(any, &to, "four", 4), 0);
    datagram_read_text(w, four, "four");
    world_settle(w);
    ck_assert_uint_eq(plx_udp_packets_available(six), 0);
}

/* ---- to many --------------------------------------------------------------------------------- */

MODE_CASE(broadcast_on_the_loopback)
{
    struct record log_a, log_b;
    plx_socket *a = bound(w, &log_a), *b = bound(w, &log_b);
    plx_address to = {.family = 4, .bytes = {127, 255, 255, 255}};

    to.port = (uint16_t)plx_socket_port(b);
    ck_assert_int_eq(plx_udp_write(a, &to, "to all", 6), 0);
    datagram_read_text(w, b, "to all");
    ck_assert_int_eq(log_a.count[EVENT_ERROR], 0);
    ck_assert_str_eq(plx_udp_broadcast_address(a), "255.255.255.255");
}

UDP_SOCKET_CASE(broadcast_forbidden)
{
    plx_address to = {.family = 4, .port = 9, .bytes = {127, 255, 255, 255}};

    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_BROADCAST), 1);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_BROADCAST, 0), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(plx_udp_write(socket, &to, "to all", 6), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    ck_assert_int_eq(log->os_error, EACCES);
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
}

/* A socket that sends multicast over the loopback, which is this computer's only sure interface. */
static plx_socket *on_loopback(struct world *w, struct record *log)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, log);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, 0), 0);
    ck_assert_int_eq(plx_socket_set_interface(socket, "lo"), 0);
    return socket;
}

MODE_CASE(multicast_join_and_leave)
{
    struct record log_a, log_b;
    plx_socket *a = on_loopback(w, &log_a), *b = on_loopback(w, &log_b);
    plx_address to = {.family = 4, .bytes = {239, 255, 77, 7}};

    ck_assert_int_eq(plx_socket_set_option(a, PLX_OPTION_SEND_TO_SELF, 1), 0);
    ck_assert_int_eq(plx_socket_connect(a), 0);
    ck_assert_int_eq(plx_socket_connect(b), 0);
    to.port = (uint16_t)plx_socket_port(b);
    ck_assert_int_eq(plx_udp_join_multicast_group(b, "239.255.77.7"), 0);
    ck_assert_int_eq(plx_udp_write(a, &to, "to members", 10), 0);
    datagram_read_text(w, b, "to members");
    ck_assert_int_eq(plx_udp_leave_multicast_group(b, "239.255.77.7"), 0);
    ck_assert_int_eq(plx_udp_write(a, &to, "to nobody", 9), 0);
    world_settle(w);
    ck_assert_uint_eq(plx_udp_packets_available(b), 0);
    ck_assert_int_eq(log_a.count[EVENT_ERROR], 0);
    ck_assert_int_ne(plx_udp_leave_multicast_group(b, "239.255.77.7"), 0); /* no member now */
}

MODE_CASE(join_and_leave_refuse_what_is_no_group)
{
    static const char *const none[] = {"nonsense",  "",          "10.0.0.1",  "223.255.255.255",
                                       "240.0.0.0", "0.0.0.0",   "fe80::1%1", "::1",
                                       "fdff::1",   "127.0.0.1", NULL};
    static const int protocols[] = {0, 1, 2};

    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, protocols[i]), 0);
        ck_assert_int_eq(plx_udp_join_multicast_group(socket, "224.0.0.1"), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_socket_connect(socket), 0);
        for (size_t n = 0; n < sizeof none / sizeof none[0]; n++) {
            const plx_error *error;

            ck_assert_int_eq(plx_udp_join_multicast_group(socket, none[n]), PLX_INVALID_STATE);
            error = plx_socket_error(socket);
            ck_assert_int_eq(error->reason, PLX_REASON_UNSUPPORTED_OPERATION);
            ck_assert_ptr_nonnull(strstr(error->message, "multicast group"));
            ck_assert_int_eq(plx_udp_leave_multicast_group(socket, none[n]), PLX_INVALID_STATE);
        }
    }
}

MODE_CASE(join_and_leave_refuse_the_other_family)
{
    static const char *const other[] = {"ff02::1", "239.255.77.7"};

    for (int protocol = 0; protocol < 2; protocol++) {
        plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, protocol), 0);
        ck_assert_int_eq(plx_socket_connect(socket), 0);
        ck_assert_int_eq(plx_udp_join_multicast_group(socket, other[protocol]), PLX_OPEN_DRIVER);
        ck_assert_int_eq(plx_socket_error(socket)->os_error, EAFNOSUPPORT);
        ck_assert_int_eq(plx_udp_leave_multicast_group(socket, other[protocol]), PLX_OPEN_DRIVER);
    }
}

static int kernel_option(const plx_socket *socket, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;

    ck_assert_int_eq(getsockopt(plx_socket_handle(socket), level, option, &value, &size), 0);
    return value;
}

WORLD_SOCKET_CASE(MODE_CASE, multicast_to_self_or_not, on_loopback(w, log))
{
    plx_address to = {.family = 4, .bytes = {239, 255, 77, 8}};

    /* What leaves by the loopback interface comes back whatever this option is, so what can be
     * looked at here is the option of the kernel. */
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_SEND_TO_SELF), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
    to.port = (uint16_t)plx_socket_port(socket);
    ck_assert_int_eq(plx_udp_join_multicast_group(socket, "239.255.77.8"), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_TO_SELF, 1), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_MULTICAST_LOOP), 1);
    ck_assert_int_eq(plx_udp_write(socket, &to, "self!", 5), 0);
    datagram_read_text(w, socket, "self!");
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_MULTICAST_LOOP), 1);
}

MODE_CASE(router_hops_read_back)
{
    static const int hops[] = {1, 2, 128, 255};
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_ROUTER_HOPS), 32);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, 0), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_ROUTER_HOPS, 7), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_MULTICAST_TTL), 7);
    for (size_t i = 0; i < sizeof hops / sizeof hops[0]; i++) {
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_ROUTER_HOPS, hops[i]), 0);
        ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_ROUTER_HOPS), hops[i]);
        ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_MULTICAST_TTL), hops[i]);
    }
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_ROUTER_HOPS, 256), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_ROUTER_HOPS, -1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_ROUTER_HOPS), 255);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_MULTICAST_TTL), 255);
}

MODE_CASE(router_hops_of_both_families)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_ROUTER_HOPS, 9), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 9);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_MULTICAST_TTL), 9);
}

MODE_CASE(multicast_hops_follow_until_set)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, 0), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_ROUTER_HOPS, 9), 0);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_MULTICAST_HOPS), 9);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_MULTICAST_HOPS), 9);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MULTICAST_HOPS, 0), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_ROUTER_HOPS, 11), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_MULTICAST_TTL), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_TTL), 11);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_MULTICAST_HOPS), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_MULTICAST_TTL), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_TTL), 11);
}

/* ---- one peer -------------------------------------------------------------------------------- */

PEER_CASE(peer_one_datagram_each, raw_udp)
{
    plx_address remote;
    char got[32] = "";

    ck_assert_int_eq(log->count[EVENT_CONNECTED], 1);
    ck_assert(plx_socket_is_connected(socket));
    ck_assert(plx_socket_remote(socket, &remote));
    ck_assert(plx_address_equal(&remote, peer));
    ck_assert_str_eq(plx_socket_address(socket), ""); /* the properties are left alone */
    ck_assert_int_eq(plx_socket_write(socket, "first", 5), 5);
    ck_assert_int_eq(plx_socket_write(socket, "second", 6), 6);
    UNTIL(w, is_readable(raw));
    ck_assert_int_eq(recv(raw, got, sizeof got, 0), 5);
    UNTIL(w, is_readable(raw));
    ck_assert_int_eq(recv(raw, got, sizeof got, 0), 6);
    raw_udp_send(raw, socket, "longer than read", 16);
    raw_udp_send(raw, socket, "next", 4);
    UNTIL(w, plx_udp_packets_available(socket) == 2);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 16); /* of the oldest one */
    ck_assert_int_eq(plx_socket_read(socket, got, 6), 6);      /* the rest of it is lost */
    ck_assert_mem_eq(got, "longer", 6);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 4);
    ck_assert_mem_eq(got, "next", 4);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 0);
}

PEER_CASE(peer_filters_strangers, raw_udp)
{
    plx_address other;
    int stranger = raw_udp(w, &other);

    raw_udp_send(stranger, socket, "let me in", 9);
    raw_udp_send(raw, socket, "friend", 6);
    datagram_read_text(w, socket, "friend");
    world_settle(w);
    ck_assert_uint_eq(plx_udp_packets_available(socket), 0);
}

BOUND_CASE(peer_chosen_after_strangers_were_heard)
{
    plx_address peer, other;
    int raw = raw_udp(w, &peer), stranger = raw_udp(w, &other), port = plx_socket_port(socket);

    raw_udp_send(stranger, socket, "early stranger", 14);
    UNTIL(w, plx_udp_packets_available(socket) == 1);
    raw_udp_send(stranger, socket, "in the kernel", 13);
    plx_address_format(&peer, where, WHERE_SIZE);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, plx_socket_state(socket) == PLX_CONNECTED);
    ck_assert_int_eq(plx_socket_port(socket), port); /* it was bound, and stays */
    raw_udp_send(raw, socket, "friend", 6);
    datagram_read_text(w, socket,
                       "friend"); /* connect empties both buffers; only this peer's count */
}

PEER_CASE(peer_that_is_not_there, raw_udp)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    raw_close(w, raw);
    for (int round = 0; log->count[EVENT_ERROR] == 0; round++) {
        ck_assert_int_lt(round, ROUNDS);
        ck_assert_int_eq(plx_socket_write(socket, "anyone?", 7), 7);
        world_turn(w, round + 20);
    }
    ck_assert_int_eq(log->code, ECONNREFUSED);
    ck_assert_int_eq(log->reason, PLX_REASON_CONNECTION_REFUSED);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED); /* reported without closing */
    world_settle(w);
    /* When the peer is back it is heard again. */
    name.sin_port = htons(peer->port);
    raw = raw_udp_at(w, &name);
    raw_udp_send(raw, socket, "back", 4);
    datagram_read_text(w, socket, "back");
}

/* Word of an earlier datagram comes instead of the sending of a later one, which must not cost
 * it. */
PEER_CASE(peer_that_is_back_misses_nothing_more, raw_udp)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char got[16];

    raw_close(w, raw);
    ck_assert_int_eq(plx_socket_write(socket, "lost", 4), 4);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    name.sin_port = htons(peer->port);
    raw = raw_udp_at(w, &name);
    ck_assert_int_eq(plx_socket_write(socket, "found", 5), 5);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    world_readable(raw);
    ck_assert_int_eq(recv(raw, got, sizeof got, 0), 5);
    ck_assert_mem_eq(got, "found", 5);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, ECONNREFUSED);
}

BOUND_CASE(stream_calls_without_a_peer)
{
    char got[4];
    plx_address from;
    int raw = raw_udp(w, &from);
    size_t size = 1;

    raw_udp_send(raw, socket, "kept", 4);
    UNTIL(w, plx_udp_packets_available(socket) == 1);
    record_clear(log);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), -1);
    ck_assert_int_eq(plx_socket_read_exact(socket, got, sizeof got), -1);
    ck_assert_int_eq(plx_socket_read_line(socket, got, sizeof got), -1);
    plx_socket_read_all(socket, &size);
    ck_assert_uint_eq(size, 0);
    plx_socket_lookahead(socket, &size);
    ck_assert_uint_eq(size, 0);
    ck_assert_uint_eq(plx_socket_skip(socket, 1), 0);
    ck_assert_int_eq(plx_socket_unread(socket, "x", 1), PLX_INVALID_STATE);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    datagram_read_text(w, socket, "kept");
}

UDP_SOCKET_CASE(malformed_peers)
{
    ck_assert_int_eq(plx_socket_connect_to(socket, "127.0.0.1:0"), PLX_INVALID_PORT);
    ck_assert_int_eq(plx_socket_connect_to(socket, "127.0.0.1:65536"), PLX_INVALID_PORT);
    ck_assert_int_eq(plx_socket_connect_to(socket, "127.0.0.1"), PLX_INVALID_PORT);
    ck_assert_int_eq(plx_socket_connect_to(socket, ":80"), PLX_NAME_RESOLUTION);
    ck_assert_int_ne(plx_socket_connect_to(socket, ""), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
}

/* ---- budget, waits, adoption ----------------------------------------------------------------- */

UDP_SOCKET_CASE(a_burst_arrives_whole)
{
    plx_address from;
    int raw = raw_udp(w, &from);
    uint64_t sent = 0, got = 0;
    plx_datagram datagram;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_BUFFER_SIZE, 1000000), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    for (int frame = 0; frame < 20; frame++) {
        for (int i = 0; i < 64; i++, sent++)
            raw_udp_send(raw, socket, &sent, sizeof sent);
        world_readable(plx_socket_handle(socket));
        UNTIL(w, plx_udp_packets_available(socket) == 64);
        while (plx_udp_read(socket, &datagram)) {
            uint64_t number;

            ck_assert_uint_eq(datagram.size, sizeof number);
            memcpy(&number, datagram.data, sizeof number);
            ck_assert_uint_eq(number, got);
            got++;
        }
    }
    ck_assert_uint_eq(got, sent);
}

UDP_SOCKET_CASE(a_flood_of_datagrams_leaves_work)
{
    plx_address from;
    int raw = raw_udp(w, &from), size = 0;
    socklen_t length = sizeof size;
    static const char bytes[1400];
    bool left = false;

    if (w->group == NULL)
        return; /* the kernel's queue may hold less than a lone socket's budget */
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(getsockopt(plx_socket_handle(socket), SOL_SOCKET, SO_RCVBUF, &size, &length),
                     0);
    plx_group_set_budget(w->group, 0, 14000);
    for (int i = 0; i < size / 3000; i++)
        raw_udp_send(raw, socket, bytes, sizeof bytes);
    world_readable(plx_socket_handle(socket));
    left = world_poll(w);
    ck_assert(left);
    ck_assert_uint_le(plx_udp_packets_available(socket), 64); /* a batch more is rounding */
    UNTIL(w, plx_udp_packets_available(socket) == (size_t)(size / 3000));
}

BOUND_CASE(wait_for_data_on_datagrams)
{
    plx_address from;
    int raw = raw_udp(w, &from);

    ck_assert(plx_socket_wait_for_connected(socket, 0)); /* BOUND is as good as it gets */
    ck_assert(!plx_socket_wait_for_data(socket, 0));
    ck_assert(!plx_socket_wait_for_data(socket, 20));
    raw_udp_send(raw, socket, "x", 1);
    ck_assert(plx_socket_wait_for_data(socket, 30000));
    datagram_read_text(w, socket, "x");
    raw_udp_send(raw, socket, "", 0); /* an empty one is one */
    ck_assert(plx_socket_wait_for_data(socket, 30000));
}

UDP_SOCKET_CASE(adopt_bound)
{
    plx_address address, from;
    int adopted = dup(raw_udp(w, &address)), raw = raw_udp(w, &from);

    ck_assert_int_eq(plx_socket_adopt(socket, adopted), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
    ck_assert_int_eq(plx_socket_port(socket), address.port);
    raw_udp_send(raw, socket, "hello", 5);
    datagram_read_text(w, socket, "hello");
    LOGGED(w, log, BOUND " " DATA_BOUND);
}

WORLD_MAIN("udp")
