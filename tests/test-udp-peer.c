/* tests/test-udp-peer.c -- a UDP socket and its one peer: what is written before the peer is known,
 * and what is reported of a peer that is not there. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "tests/datagrams.h"
#include "tests/nameserver.h"
#include "tests/netns.h"

/* ---- a name server that answers when a case asks it to---------------------------------------- */

static int name_server(struct world *w)
{
    plx_address address;
    int raw = raw_datagrams(w, &address);
    char text[64];

    nameserver_is_needed("a peer by name");
    snprintf(text, sizeof text, "127.0.0.1:%d", address.port);
    setenv("POLLUX_NAMESERVERS", text, 1);
    return raw;
}

/* Answers the questions that arrived: 127.0.0.1 for every name, or that there is none. */
static void answer(int server, bool exists)
{
    /* name: a pointer to the question; type A, class IN; 60 seconds (RFC 1035, 4.1.3) */
    static const unsigned char head[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
    unsigned char packet[2048];
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t size;

    while ((size = recvfrom(server, packet, 1024, 0, (struct sockaddr *)&from, &length)) > 12) {
        size_t at = 12;
        bool ipv4;

        while (at < (size_t)size && packet[at] != 0)
            at += packet[at] + 1u;
        ipv4 = packet[at + 2] == 1;
        at += 5;
        packet[2] = 0x81;
        packet[3] = exists ? 0x80 : 0x83;
        memset(packet + 6, 0, 6);
        if (exists && ipv4) {
            packet[7] = 1;
            memcpy(packet + at, head, sizeof head);
            at += sizeof head;
        }
        sendto(server, packet, at, 0, (struct sockaddr *)&from, length);
        length = sizeof from;
    }
}

#define ANSWERED_UNTIL(world, server, exists, condition)                                           \
    for (int turn_ = 0; !(condition); turn_++) {                                                   \
        ck_assert_msg(turn_ < ROUNDS, "%s: in vain: %s", world_name(world), #condition);           \
        answer(server, exists);                                                                    \
        world_turn(world, turn_);                                                                  \
    }

static void expect_raw(struct world *w, int raw, const char *text)
{
    char got[100] = "";

    UNTIL(w, is_readable(raw));
    ck_assert_int_eq(recv(raw, got, sizeof got, 0), (ssize_t)strlen(text));
    ck_assert_str_eq(got, text);
}

/* A socket that looks its peer up, which is `peer`. */
static plx_socket *looking_up(struct world *w, struct record *log, const plx_address *peer)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, log);
    char where[64];

    snprintf(where, sizeof where, "peer.test:%d", peer->port);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_HOST_LOOKUP);
    return socket;
}

/* LOOKING_UP_CASE is a MODE_CASE with such a `socket`, its `log`, its peer and the name server. */
#define LOOKING_UP_CASE(name)                                                                      \
    static void name##_asks(struct world *w, plx_socket *socket, struct record *log,               \
                            plx_address *peer, int raw, int server);                               \
    MODE_CASE(name)                                                                                \
    {                                                                                              \
        struct record log;                                                                         \
        plx_address peer;                                                                          \
        int raw = raw_datagrams(w, &peer), server = name_server(w);                                \
                                                                                                   \
        name##_asks(w, looking_up(w, &log, &peer), &log, &peer, raw, server);                      \
    }                                                                                              \
    static void name##_asks(struct world *w CK_ATTRIBUTE_UNUSED, plx_socket *socket,               \
                            struct record *log CK_ATTRIBUTE_UNUSED,                                \
                            plx_address *peer CK_ATTRIBUTE_UNUSED, int raw CK_ATTRIBUTE_UNUSED,    \
                            int server CK_ATTRIBUTE_UNUSED)

SECTION("early");

/* ---- written before the peer is known -------------------------------------------------------- */

UDP_SOCKET_CASE(written_before_an_address_is_connected)
{
    plx_address peer;
    int raw = raw_datagrams(w, &peer);

    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
    ck_assert_int_eq(plx_socket_write(socket, "one", 3), 3);
    ck_assert_int_eq(plx_socket_write(socket, "", 0), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, "three", 5), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, NULL, 0), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "five"), 4);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 5);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 12);
    ck_assert_int_eq(plx_socket_flush(socket), 0); /* nothing leaves before there is a peer */
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 5);
    expect_raw(w, raw, "one");
    expect_raw(w, raw, "");
    expect_raw(w, raw, "three");
    expect_raw(w, raw, "");
    expect_raw(w, raw, "five");
    LOGGED(w, log,
           "state:CONNECTING state:CONNECTED connected[CONNECTED] "
           "send_complete(false)[CONNECTED]");
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
}

LOOKING_UP_CASE(written_before_a_name_is_known)
{
    ck_assert_int_eq(plx_socket_write(socket, "first", 5), 5);
    world_settle(w);
    ck_assert_int_eq(plx_socket_write_message(socket, "second", 6), 0);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_HOST_LOOKUP);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 2);
    ANSWERED_UNTIL(w, server, true, log->count[EVENT_CONNECTED] == 1);
    ck_assert_int_eq(plx_socket_write(socket, "third", 5), 5);
    expect_raw(w, raw, "first");
    expect_raw(w, raw, "second");
    expect_raw(w, raw, "third");
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* As a stream that is connecting: there is nothing to read yet, which is no error. */
LOOKING_UP_CASE(reading_before_the_peer_is_known)
{
    size_t size = 7;
    char byte;

    (void)raw;
    (void)server;
    ck_assert_int_eq(plx_socket_read(socket, &byte, 1), 0);
    ck_assert_ptr_null(plx_socket_read_message(socket, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert(!plx_socket_can_read_message(socket));
    ck_assert_uint_eq(plx_socket_skip(socket, 1), 0);
    plx_socket_lookahead(socket, &size);
    ck_assert_uint_eq(size, 0);
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
}

MODE_CASE(the_write_limit_holds_before_the_peer_is_known)
{
    struct record log;
    plx_address peer;
    int raw = raw_datagrams(w, &peer), server = name_server(w), taken = 0;
    plx_socket *socket = world_socket_of(w, plx_udp_new, &log);
    static const char bytes[100];
    char where[64], got[200];

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 1000), 0);
    snprintf(where, sizeof where, "peer.test:%d", peer.port);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    while (plx_socket_write_message(socket, bytes, sizeof bytes) == 0)
        ck_assert_int_lt(taken++, 100);
    ck_assert_int_ge(taken, 5);
    ck_assert_int_le(taken, 10);
    ck_assert_int_eq(plx_socket_write_message(socket, bytes, sizeof bytes), EAGAIN);
    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), (size_t)taken);
    ANSWERED_UNTIL(w, server, true, plx_udp_packets_left_to_send(socket) == 0);
    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), 100);
    for (int i = 0; i <= taken; i++) {
        UNTIL(w, is_readable(raw));
        ck_assert_int_eq(recv(raw, got, sizeof got, 0), 100);
    }
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
}

/* An empty datagram that finds no room is not taken, and does not look as if it were. */
UDP_SOCKET_CASE(an_empty_datagram_at_the_limit)
{
    plx_address peer;
    int raw = raw_datagrams(w, &peer);

    (void)raw;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 10), 0);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, "larger than the limit", 21), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, "", 0), EAGAIN);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 1);
}

LOOKING_UP_CASE(sizes_before_the_peer_is_known)
{
    ck_assert_int_eq(plx_socket_write(socket, NULL, 1), -1);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_write(socket, datagram_bytes, 65528), -1);
    ck_assert_int_eq(plx_socket_last_error(socket), EMSGSIZE);
    ck_assert_int_eq(plx_socket_write(socket, datagram_bytes, SIZE_MAX), -1);
    world_settle(w);
    record_clear(log);
    /* More than IPv4 carries, and it is not known yet that the peer has IPv4: reported when it
     * fails. */
    ck_assert_int_eq(plx_socket_write(socket, datagram_bytes, 65520), 65520);
    ck_assert_int_eq(plx_socket_write(socket, "next", 4), 4);
    ANSWERED_UNTIL(w, server, true, is_readable(raw));
    expect_raw(w, raw, "next");
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, EMSGSIZE);
    ck_assert_int_eq(log->reason, PLX_REASON_DATAGRAM_TOO_LARGE);
}

static void connect_and_write(struct record *record, plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_connect_to_address(socket, record->data), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "second try"), 10);
}

/* The peer that failed took its datagrams with it; those for the next one are its own. */
LOOKING_UP_CASE(another_peer_in_the_error_handler)
{
    record_on(log, EVENT_ERROR, connect_and_write, peer);
    ck_assert_int_eq(plx_socket_write_text(socket, "first try"), 9);
    ANSWERED_UNTIL(w, server, false, is_readable(raw));
    expect_raw(w, raw, "second try");
    world_settle(w);
    ck_assert(!is_readable(raw));
}

/* ---- a peer that is not found ---------------------------------------------------------------- */

LOOKING_UP_CASE(a_failure_drops_what_was_written)
{
    ck_assert_int_eq(plx_socket_write_text(socket, "lost"), 4);
    ck_assert_int_eq(plx_socket_write_text(socket, ""), 0);
    ANSWERED_UNTIL(w, server, false, log->count[EVENT_ERROR] == 1);
    LOGGED(w, log, "state:HOST_LOOKUP state:BOUND error(103,12)[BOUND]");
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(plx_udp_write(socket, peer, "bound", 5), 0);
    expect_raw(w, raw, "bound");
    ck_assert_int_eq(plx_socket_connect_to_address(socket, peer), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "connected"), 9);
    expect_raw(w, raw, "connected");
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
}

/* A datagram with an address of its own waits for its turn, and not for the peer: it leaves also if
 * that is not found. */
MODE_CASE(others_are_written_to_meanwhile)
{
    for (int found = 0; found <= 1; found++) {
        struct record log;
        plx_address peer, other;
        int raw = raw_datagrams(w, &peer), third = raw_datagrams(w, &other),
            server = name_server(w);
        plx_socket *socket = looking_up(w, &log, &peer);

        ck_assert_int_eq(plx_socket_write_text(socket, "for the peer"), 12);
        ck_assert_int_eq(plx_udp_write(socket, &other, "a", 1), 0);
        ck_assert_int_eq(plx_udp_write(socket, &other, "b", 1), 0);
        ck_assert_int_eq(plx_socket_write_text(socket, "again"), 5);
        ck_assert_int_eq(plx_udp_write_to(socket, "127.0.0.1", other.port, "c", 1), 0);
        ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 5);
        ANSWERED_UNTIL(w, server, found == 1, is_readable(third));
        expect_raw(w, third, "a");
        expect_raw(w, third, "b");
        expect_raw(w, third, "c");
        if (found == 1) {
            expect_raw(w, raw, "for the peer");
            expect_raw(w, raw, "again");
        }
        world_settle(w);
        ck_assert(!is_readable(raw));
        ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
        ck_assert_int_eq(log.count[EVENT_ERROR], 1 - found);
        world_free(w, socket);
    }
}

/* ---- disconnect before the peer is known ----------------------------------------------------- */

static void flush(plx_socket *socket, void *user)
{
    (void)user;
    plx_socket_flush(socket);
}

/* The turn of the disconnect comes although the flush leaves nothing to send or to report. */
MODE_CASE(a_handler_flushes_before_the_disconnect)
{
    static const plx_events events = {.connected = flush};
    plx_address peer;
    int raw = raw_datagrams(w, &peer);
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

    plx_socket_set_events(socket, &events, NULL);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "one"), 3);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, plx_socket_state(socket) == PLX_BOUND);
    expect_raw(w, raw, "one");
}

LOOKING_UP_CASE(disconnect_sends_what_was_written)
{
    ck_assert_int_eq(plx_socket_write_text(socket, "one"), 3);
    ck_assert_int_eq(plx_socket_write_text(socket, "two"), 3);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "late"), -1);
    ck_assert_str_eq(plx_socket_error(socket)->message,
                     "write: the socket is closing, because plx_socket_disconnect was called");
    ANSWERED_UNTIL(w, server, true, log->count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, log,
           "error(106,29)[HOST_LOOKUP] state:HOST_LOOKUP state:CONNECTED connected[CONNECTED] "
           "send_complete(false)[BOUND] state:BOUND disconnected[BOUND]");
    expect_raw(w, raw, "one");
    expect_raw(w, raw, "two");
    world_settle(w);
    ck_assert(!is_readable(raw));
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
    ck_assert_int_eq(plx_udp_write(socket, peer, "bound", 5), 0);
    expect_raw(w, raw, "bound");
}

LOOKING_UP_CASE(disconnect_with_nothing_written_cancels)
{
    (void)raw;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    for (int round = 0; round < 50; round++) {
        answer(server, true);
        world_turn(w, round);
    }
    LOGGED(w, log, "");
}

LOOKING_UP_CASE(disconnect_and_then_not_found)
{
    ck_assert_int_eq(plx_socket_write_text(socket, "lost"), 4);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ANSWERED_UNTIL(w, server, false, log->count[EVENT_ERROR] == 1);
    LOGGED(w, log, "state:HOST_LOOKUP state:BOUND error(103,12)[BOUND]");
    /* What was asked of the last connection is not asked of the next. */
    ck_assert_int_eq(plx_socket_connect_to_address(socket, peer), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "next"), 4);
    expect_raw(w, raw, "next");
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
}

static void write_and_disconnect(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_write_text(socket, "bye"), 3);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
}

/* The state is reported before the end, in a handler too. */
UDP_SOCKET_CASE(disconnect_in_connected)
{
    plx_address peer;
    int raw = raw_datagrams(w, &peer);

    record_on(log, EVENT_CONNECTED, write_and_disconnect, NULL);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, log,
           "state:CONNECTING state:CONNECTED connected[CONNECTED] send_complete(false)[BOUND] "
           "state:BOUND disconnected[BOUND]");
    expect_raw(w, raw, "bye");
}

/* What the kernel has no room for when the peer is given back still goes to that peer. */
MODE_CASE(disconnect_while_the_kernel_is_full)
{
    enum { COUNT = 40, SIZE = 1000 };
    struct record log;
    plx_socket *socket;
    plx_address peer;
    char got[SIZE];
    int raw;

    if (!netns_enter("disconnecting over a slow link") ||
        !netns_needs("disconnecting over a slow link",
                     "tc qdisc add dev lo root tbf rate 1mbit burst 2000 limit 1000000"))
        return;
    raw = raw_datagrams(w, &peer);
    socket = world_socket_of(w, plx_udp_new, &log);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 4000), 0);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    for (int i = 0; i < COUNT; i++) {
        memset(got, i, sizeof got);
        /* Each is longer than the last, so that none of them leave together. */
        ck_assert_int_eq(plx_socket_write(socket, got, SIZE - COUNT + (size_t)i), SIZE - COUNT + i);
    }
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
    ck_assert_uint_gt(plx_udp_packets_left_to_send(socket), 10);
    for (int i = 0; i < COUNT; i++) {
        UNTIL(w, is_readable(raw));
        ck_assert_int_eq(recv(raw, got, sizeof got, 0), SIZE - COUNT + i);
        ck_assert_int_eq(got[0], i);
    }
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 1);
}

/* ---- a kernel that refuses ------------------------------------------------------------------- */

/* A disconnect that fails leaves the peer, and a connect that fails gives none. */
UDP_SOCKET_CASE(a_kernel_that_denies_connect)
{
    plx_address peer;
    int raw = raw_datagrams(w, &peer);

    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    if (!kernel_denies(SYS_connect, -1, EACCES))
        return;
    ck_assert_int_eq(plx_socket_disconnect(socket), EACCES);
    ck_assert_str_eq(plx_socket_error(socket)->message, "disconnect: permission denied (EACCES)");
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    ck_assert_int_eq(plx_socket_write_text(socket, "still here"), 10);
    expect_raw(w, raw, "still here");
    datagram_send(raw, socket, 5, 1);
    datagram_read(w, socket, 5, 1);
    plx_socket_close(socket);
    record_clear(log);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log->code, EACCES);
    ck_assert_ptr_nonnull(strstr(log->message, "connect to 127.0.0.1 port"));
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
}

/* A UDP socket is bound before it gets a peer. */
UDP_SOCKET_CASE(no_descriptor_to_connect)
{
    struct rlimit before, none;
    plx_address peer;

    raw_datagrams(w, &peer);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), PLX_OPEN_DRIVER);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(plx_socket_error(socket)->os_error, EMFILE);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
}

/* ---- waiting --------------------------------------------------------------------------------- */

UDP_SOCKET_CASE(wait_until_it_was_sent)
{
    plx_address peer;
    int raw = raw_datagrams(w, &peer);

    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "hello"), 5);
    ck_assert(plx_socket_wait_for_sent(socket, 5000));
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    world_readable(raw);
    expect_raw(w, raw, "hello");
}

MODE_CASE(wait_until_it_was_sent_to_a_name)
{
    struct record log;
    plx_socket *socket;
    plx_address peer;
    char where[64];
    int raw;

    if (!netns_enter("waiting for a datagram to a name"))
        return;
    netns_file("/etc/hosts", "127.0.0.1 peer.test\n");
    raw = raw_datagrams(w, &peer);
    socket = world_socket_of(w, plx_udp_new, &log);
    snprintf(where, sizeof where, "peer.test:%d", peer.port);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "hello"), 5);
    ck_assert(plx_socket_wait_for_sent(socket, 5000));
    world_readable(raw);
    expect_raw(w, raw, "hello");
}

MODE_CASE(wait_for_what_was_dropped)
{
    struct record log;
    plx_address peer;
    int raw = raw_datagrams(w, &peer), server = name_server(w);
    plx_socket *socket = world_socket_of(w, plx_udp_new, &log);

    (void)raw;
    (void)server; /* which never answers */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 50), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, "peer.test:9"), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "lost"), 4);
    ck_assert(!plx_socket_wait_for_sent(socket, 5000));
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_NAME_RESOLUTION);
    ck_assert_int_eq(plx_udp_write(socket, &peer, "found", 5), 0);
    ck_assert(plx_socket_wait_for_sent(socket, 5000)); /* that one was */
}

SECTION("lost");

/* ---- a peer that is not there ---------------------------------------------------------------- */

/* The loopback of a family with this port, as the kernel wants it. */
static socklen_t loopback(int family, int port, struct sockaddr_storage *ret_name)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ipv6.sin6_addr = in6addr_loopback;
    memset(ret_name, 0, sizeof *ret_name);
    if (family == 4)
        memcpy(ret_name, &ipv4, sizeof ipv4);
    else
        memcpy(ret_name, &ipv6, sizeof ipv6);
    return (socklen_t)(family == 4 ? sizeof ipv4 : sizeof ipv6);
}

/* The peer is back at its port, and sends. */
static int back(struct world *w, const plx_address *address, plx_socket *to)
{
    struct sockaddr_storage name;
    socklen_t size = loopback(address->family, address->port, &name);
    int raw = world_raw(w, socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    plx_datagram datagram;

    ck_assert_int_eq(bind(raw, (struct sockaddr *)&name, size), 0);
    size = loopback(address->family, plx_socket_port(to), &name);
    ck_assert_int_eq(sendto(raw, "back", 4, 0, (struct sockaddr *)&name, size), 4);
    UNTIL(w, plx_udp_packets_available(to) > 0);
    ck_assert(plx_udp_read(to, &datagram));
    return raw;
}

/* `frames` frames of a game that writes in each, by polling or by flushing. */
static void play(struct world *w, plx_socket *socket, int frames, bool flush)
{
    for (int frame = 0; frame < frames; frame++) {
        ck_assert_int_eq(plx_socket_write_text(socket, "position"), 8);
        if (flush)
            ck_assert_int_eq(plx_socket_flush(socket), 0);
        world_poll(w);
    }
    world_settle(w);
}

MODE_CASE(a_refused_peer_is_told_once)
{
    for (int round = 0; round < 4; round++) {
        struct record log;
        plx_address peer;
        bool ipv6 = round >= 2;
        int raw = ipv6 ? raw_datagrams6(w, &peer) : raw_datagrams(w, &peer);
        plx_socket *socket = world_socket_of(w, plx_udp_new, &log);
        char wanted[100], other[100];

        ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
        UNTIL(w, log.count[EVENT_CONNECTED] == 1);
        raw_close(w, raw);
        play(w, socket, 100, round % 2 == 1);
        ck_assert_int_eq(log.count[EVENT_ERROR], 1);
        ck_assert_int_eq(log.code, ECONNREFUSED);
        ck_assert_int_eq(log.reason, PLX_REASON_CONNECTION_REFUSED);
        snprintf(wanted, sizeof wanted,
                 "receive from %s port %d: connection refused (ECONNREFUSED)",
                 ipv6 ? "::1" : "127.0.0.1", peer.port);
        snprintf(other, sizeof other, "send to %s port %d: connection refused (ECONNREFUSED)",
                 ipv6 ? "::1" : "127.0.0.1", peer.port);
        ck_assert_msg(strcmp(log.message, wanted) == 0 ||
                          (round % 2 == 1 && strcmp(log.message, other) == 0),
                      "%s", log.message);
        ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
        /* Heard again, and lost again. */
        raw = back(w, &peer, socket);
        play(w, socket, 5, false);
        ck_assert_int_eq(log.count[EVENT_ERROR], 1);
        raw_close(w, raw);
        play(w, socket, 100, round % 2 == 1);
        ck_assert_int_eq(log.count[EVENT_ERROR], 2);
        world_free(w, socket);
    }
}

/* Somebody else who is heard says nothing of the peer; a new peer is one to be reported. */
UDP_SOCKET_CASE(a_new_peer_is_told_of_again)
{
    plx_address first, second;
    int raw = raw_datagrams(w, &first), other = raw_datagrams(w, &second);

    raw_close(w, raw);
    raw_close(w, other);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &first), 0);
    play(w, socket, 50, false);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &second), 0);
    play(w, socket, 50, false);
    ck_assert_int_eq(log->count[EVENT_ERROR], 2);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &first), 0);
    play(w, socket, 50, false);
    ck_assert_int_eq(log->count[EVENT_ERROR], 3);
}

MODE_CASE(a_network_that_is_gone_is_told_once)
{
    struct record log;
    plx_socket *socket;
    plx_address peer;

    if (!netns_enter("a network that goes"))
        return;
    netns_run("ip addr add 10.61.0.1/24 dev lo");
    ck_assert_int_eq(plx_address_parse("10.61.0.1:9", &peer), 0);
    socket = world_socket_of(w, plx_udp_new, &log);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &peer), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    netns_run("ip route add unreachable 10.61.0.1 table 99");
    netns_run("ip rule add from all lookup 99 pref 0");
    netns_run("ip rule del pref 0 lookup local; ip rule add pref 1 lookup local");
    play(w, socket, 100, false);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(log.reason, PLX_REASON_NETWORK);
    ck_assert_ptr_nonnull(strstr(log.message, "to 10.61.0.1 port 9: host cannot be reached"));
}

/* Too large is what each of them is by itself. */
UDP_SOCKET_CASE(a_datagram_that_is_wrong_is_told_each_time)
{
    plx_address peer;
    int raw = raw_datagrams(w, &peer);

    (void)raw;
    ck_assert_int_eq(plx_udp_bind(socket, ":0"), 0);
    for (int i = 1; i <= 3; i++) {
        plx_address mapped = {
            .family = 6, .port = peer.port, .bytes = {[10] = 0xff, 0xff, 127, 0, 0, 1}};

        ck_assert_int_eq(plx_udp_write(socket, &mapped, datagram_bytes, 65520), 0);
        UNTIL(w, log->count[EVENT_ERROR] == i);
        ck_assert_int_eq(log->code, EMSGSIZE);
    }
}

/* ---- nobody there, for a socket without a peer ----------------------------------------------- */

static void play_to(struct world *w, plx_socket *socket, const plx_address *to, int count,
                    int frames)
{
    for (int frame = 0; frame < frames; frame++) {
        for (int i = 0; i < count; i++)
            ck_assert_int_eq(plx_udp_write(socket, &to[i], "position", 8), 0);
        world_poll(w);
    }
    world_settle(w);
}

MODE_CASE(no_way_to_a_receiver_is_told_once)
{
    enum { MANY = 20 };
    struct record log;
    plx_socket *socket;
    plx_address to[MANY], here;
    char got[16];
    int raw, heard = 0;

    if (!netns_enter("receivers without a route"))
        return;
    socket = world_socket_of(w, plx_udp_new, &log);
    ck_assert_int_eq(plx_udp_bind(socket, ":0"), 0);
    raw = raw_datagrams(w, &here);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(plx_address_parse("203.0.113.1:9", &to[i]), 0);
        to[i].bytes[3] = (uint8_t)(1 + i);
    }
    to[1] = here; /* one who is there is written to all the same */
    play_to(w, socket, to, 2, 100);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(log.os_error, ENETUNREACH);
    ck_assert_str_eq(log.message,
                     "send 8 bytes to 203.0.113.1 port 9: network cannot be reached (ENETUNREACH)");
    for (; is_readable(raw) && recv(raw, got, sizeof got, 0) == 8; heard++)
        ;
    ck_assert_int_eq(heard, 100);
    play_to(w, socket, &to[2], MANY - 2, 100); /* more than anybody keeps count of */
    ck_assert_int_ge(log.count[EVENT_ERROR], 2);
    ck_assert_int_le(log.count[EVENT_ERROR], 10);
    /* There is a way, and then none again. */
    netns_run("ip route add 203.0.113.0/24 dev lo");
    record_clear(&log);
    play_to(w, socket, to, 1, 5);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    netns_run("ip route del 203.0.113.0/24 dev lo");
    play_to(w, socket, to, 1, 50);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
}

WORLD_MAIN("udp-peer")
