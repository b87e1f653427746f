/* tests/test-first-error.c -- the first error of an end is the one that is reported: what the
 * kernel said to a receive is not replaced by the EPIPE of the send behind it. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "tests/datagrams.h"
#include "tests/netns.h"
#include "tests/world.h"

/* What the program has queued when the poll comes that finds the end, and whether the kernel is
 * asked to send before it is asked to receive. */
static const struct {
    size_t size;
    bool flushed;
} queues[] = {{0, false}, {1, false}, {1, true}, {1000, false}, {1000, true}, {100000, false}};

enum { QUEUES = (int)(sizeof queues / sizeof *queues) };

static void queue(plx_socket *socket, int which)
{
    static const char bytes[100000];

    if (queues[which].size > 0)
        ck_assert_int_gt(plx_socket_write(socket, bytes, queues[which].size), 0);
    if (queues[which].flushed)
        ck_assert_int_eq(plx_socket_flush(socket), 0);
}

static void expect_end(struct world *w, const struct record *log, plx_socket *socket, int which,
                       int os_error, plx_reason reason)
{
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_msg(log->os_error == os_error, "%s, queue %d: os_error %d, \"%s\"", world_name(w),
                  which, log->os_error, log->message);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log->reason, reason);
    ck_assert_int_eq(plx_socket_error(socket)->os_error, os_error);
    ck_assert_int_eq(plx_socket_error(socket)->reason, reason);
}

/* ---- a reset --------------------------------------------------------------------------------- */

SECTION("resets");

/* A Unix socket resets when it is closed with bytes unread. */
static void reset_with(struct world *w, plx_socket *socket, int raw)
{
    ck_assert_int_eq(plx_socket_write(socket, "unread", 6), 6);
    UNTIL(w, is_readable(raw));
    raw_reset(w, raw);
    world_readable(plx_socket_handle(socket));
}

CASE(a_reset_of_a_stream)
{
    for (int which = 0; which < QUEUES; which++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int raw = world_pair(w, socket, &log);

        reset_with(w, socket, raw);
        queue(socket, which);
        expect_end(w, &log, socket, which, ECONNRESET, PLX_REASON_REMOTE_HOST_CLOSED);
        world_free(w, socket);
    }
}

/* disconnect waits for what is queued: the reset is why it failed. */
CASE(a_reset_while_closing)
{
    for (int which = 1; which < QUEUES; which++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int raw = world_pair(w, socket, &log);

        reset_with(w, socket, raw);
        queue(socket, which);
        ck_assert_int_eq(plx_socket_disconnect(socket), 0);
        UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
        if (log.count[EVENT_ERROR] > 0) /* else all had left before */
            ck_assert_msg(log.os_error == ECONNRESET, "%s, queue %d: %s", world_name(w), which,
                          log.message);
        world_free(w, socket);
    }
}

MODE_CASE(a_reset_of_packets)
{
    for (int which = 0; which < QUEUES; which++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, plx_seqpacket_new, &log);
        int ends[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
        ck_assert_int_eq(plx_socket_adopt(socket, ends[0]), 0);
        UNTIL(w, log.count[EVENT_CONNECTED] == 1);
        reset_with(w, socket, world_raw(w, ends[1]));
        queue(socket, which);
        expect_end(w, &log, socket, which, ECONNRESET, PLX_REASON_REMOTE_HOST_CLOSED);
        world_free(w, socket);
    }
}

/* ---- a network that fails -------------------------------------------------------------------- */

SECTION("networks");

enum { PATIENCE = 30 }; /* milliseconds that the kernel goes on trying to send */

/* Bytes are under way when the network fails; returns when the kernel has given up. */
static void give_up(plx_socket *socket, const char *verdict)
{
    unsigned patience = PATIENCE;

    ck_assert_int_eq(setsockopt(plx_socket_handle(socket), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience,
                                sizeof patience),
                     0);
    netns_run("nft add table inet test && "
              "nft add chain inet test input '{ type filter hook input priority 0; }' && "
              "nft add rule inet test input meta l4proto tcp %s",
              verdict);
    ck_assert_int_eq(plx_socket_write(socket, "lost", 4), 4);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    world_readable(plx_socket_handle(socket));
    netns_run("nft delete table inet test");
}

static void fail_network(struct world *w, const char *verdict, int os_error, plx_reason reason)
{
    if (!netns_enter("the error of a network that fails"))
        return;
    netns_hurry();
    for (int which = 0; which < QUEUES; which++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, plx_tcp_new, &log);

        world_pair(w, socket, &log);
        give_up(socket, verdict);
        queue(socket, which);
        expect_end(w, &log, socket, which, os_error, reason);
        world_free(w, socket);
    }
}

MODE_CASE(a_peer_that_does_not_answer)
{
    fail_network(w, "drop", ETIMEDOUT, PLX_REASON_SOCKET_TIMEOUT);
}

MODE_CASE(a_host_that_cannot_be_reached)
{
    fail_network(w, "reject with icmpx type host-unreachable", EHOSTUNREACH, PLX_REASON_NETWORK);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

SECTION("datagrams");

/* A socket with a peer of its own takes nothing of others: the kernel refuses what they send to its
 * port, which no other process can have meanwhile. */
static void refuse_datagrams(int raw, const plx_address *address)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(address->port)};

    memcpy(&name.sin_addr, address->bytes, sizeof name.sin_addr);
    ck_assert_int_eq(connect(raw, (struct sockaddr *)&name, sizeof name), 0);
}

/* Word of a datagram that did not arrive; the socket goes on, and whatever is queued fails the same
 * way or not at all. */
MODE_CASE(a_refusal_of_datagrams)
{
    for (int which = 0; which < QUEUES; which++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, plx_udp_new, &log);
        plx_address where;

        refuse_datagrams(raw_datagrams(w, &where), &where);
        ck_assert_int_eq(plx_socket_connect_to_address(socket, &where), 0);
        UNTIL(w, log.count[EVENT_CONNECTED] == 1);
        ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
        ck_assert_int_eq(plx_socket_flush(socket), 0);
        world_readable(plx_socket_handle(socket));
        if (queues[which].size <= 1000)
            queue(socket, which);
        UNTIL(w, log.count[EVENT_ERROR] >= 1);
        ck_assert_int_eq(log.os_error, ECONNREFUSED);
        ck_assert_int_eq(log.reason, PLX_REASON_CONNECTION_REFUSED);
        world_settle(w);
        ck_assert_int_eq(plx_socket_error(socket)->os_error, ECONNREFUSED);
        ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
        world_free(w, socket);
    }
}

WORLD_MAIN("first-error", .packets = true)
