/* tests/test-udp-batches.c -- many datagrams with few system calls, and nobody can notice but by
 * the clock. */
#include "config.h"

#include <errno.h>
#include <netinet/udp.h>

#include "tests/clocks.h"
#include "tests/datagrams.h"
#include "tests/sockets.h"

#ifdef __linux__
#include <sys/syscall.h>
#endif

/* All that must arrive whichever way it goes: every size, to one peer and to two by turns. */
static void send_all_sizes(struct world *w, plx_socket *socket, const plx_address *to,
                           const int *raw)
{
    size_t queued = 0;

    for (size_t i = 0; i < DATAGRAM_SIZES; i++) {
        datagram_put(socket, &to[0], datagram_sizes[i], i);
        queued += datagram_sizes[i];
    }
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), DATAGRAM_SIZES);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), queued);
    for (size_t i = 0; i < DATAGRAM_SIZES; i++)
        datagram_expect(w, raw[0], datagram_sizes[i], i);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    for (size_t i = 0; i < 3 * DATAGRAM_SIZES; i++) /* twice to one, once to the other */
        datagram_put(socket, &to[i % 3 == 2], datagram_sizes[i / 3], i);
    for (size_t i = 0; i < 3 * DATAGRAM_SIZES; i++)
        datagram_expect(w, raw[i % 3 == 2], datagram_sizes[i / 3], i);
    datagram_expect_none(w, raw[0]);
    datagram_expect_none(w, raw[1]);
}

/* ---- sending --------------------------------------------------------------------------------- */

DATAGRAMS_CASE(sizes_and_receivers_mixed, 0)
{
    plx_address to[2];
    int raw[2] = {raw_datagrams(w, &to[0]), raw_datagrams(w, &to[1])};
    plx_statistics seen;

    send_all_sizes(w, socket, to, raw);
    ck_assert(plx_socket_statistics(socket, &seen));
    ck_assert_uint_eq(seen.messages_sent, 4 * DATAGRAM_SIZES);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

DATAGRAMS_CASE(both_families_in_one_frame, 2)
{
    plx_address to[2];
    int raw[2] = {raw_datagrams(w, &to[0]), raw_datagrams6(w, &to[1])};

    send_all_sizes(w, socket, to, raw);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

MODE_CASE(with_a_peer)
{
    struct record log;
    plx_address to;
    int raw = raw_datagrams(w, &to);
    plx_socket *socket = datagrams_connected(w, &log, &to);

    for (size_t i = 0; i < DATAGRAM_SIZES; i++) {
        pattern_fill(datagram_bytes, datagram_sizes[i], i);
        ck_assert_int_eq(plx_socket_write(socket, datagram_bytes, datagram_sizes[i]),
                         (ptrdiff_t)datagram_sizes[i]);
    }
    for (size_t i = 0; i < DATAGRAM_SIZES; i++)
        datagram_expect(w, raw, datagram_sizes[i], i);
    datagram_expect_none(w, raw);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
}

DATAGRAMS_CASE(many_equal_ones, 0)
{
    plx_address to;
    int raw = raw_datagrams(w, &to);

    for (size_t i = 0; i < 200; i++)
        datagram_put(socket, &to, 100, i);
    datagram_put(socket, &to, 99, 200);
    for (size_t i = 0; i <= 200; i++)
        datagram_expect(w, raw, i < 200 ? 100 : 99, i);
    datagram_expect_none(w, raw);
}

DATAGRAMS_CASE(many_receivers, 2)
{
    plx_address to[40];
    int raw[40];

    for (size_t i = 0; i < 40; i++)
        raw[i] = raw_datagrams(w, &to[i]);
    for (size_t i = 0; i < 400; i++)
        datagram_put(socket, &to[i % 40], 50 + i % 3, i);
    for (size_t i = 0; i < 400; i++)
        datagram_expect(w, raw[i % 40], 50 + i % 3, i);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

DATAGRAMS_CASE(the_budget_parts_a_run, 0)
{
    plx_address to;
    int raw = raw_datagrams(w, &to);

    if (w->group == NULL)
        return;
    plx_group_set_budget(w->group, 0, 5000);
    for (size_t i = 0; i < 60; i++)
        datagram_put(socket, &to, 1000, i);
    world_poll(w);
    ck_assert_uint_ge(plx_udp_packets_left_to_send(socket), 50);
    ck_assert_uint_lt(plx_udp_packets_left_to_send(socket), 60);
    datagram_put(socket, &to, 1000, 60); /* not behind what has been begun, but in its turn */
    for (size_t i = 0; i <= 60; i++)
        datagram_expect(w, raw, 1000, i);
}

static void act_late_reply(struct record *record, plx_socket *socket)
{
    long long until = now_us() + 2000;
    plx_datagram datagram;

    (void)record;
    ck_assert(plx_udp_read(socket, &datagram));
    datagram_put(socket, &datagram.from, 100, 1);
    while (now_us() < until)
        ;
}

DATAGRAMS_CASE(a_reply_leaves_although_the_time_is_over, 0)
{
    plx_address to;
    int raw = raw_datagrams(w, &to);

    if (w->group != NULL)
        plx_group_set_budget(w->group, 1000, 0); /* the handler takes 2000 */
    record_on(log, EVENT_DATA_AVAILABLE, act_late_reply, NULL);
    datagram_send(raw, socket, 50, 0);
    ck_assert(is_readable(plx_socket_handle(socket)));
    world_poll(w);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
    datagram_expect(w, raw, 100, 1);
}

UDP_SOCKET_CASE(runs_to_all)
{
    struct ip_mreqn group = {.imr_multiaddr.s_addr = htonl(0xefff4d11),
                             .imr_address.s_addr = htonl(INADDR_LOOPBACK)};
    plx_address bound;
    int raw = raw_datagrams_any(w, &bound);
    plx_address all = {.family = 4, .bytes = {127, 255, 255, 255}};
    plx_address members = {.family = 4, .bytes = {239, 255, 77, 17}};

    ck_assert_int_eq(setsockopt(raw, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group), 0);
    all.port = members.port = bound.port;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, 0), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_TO_SELF, 1), 0);
    ck_assert_int_eq(plx_socket_set_interface(socket, "lo"), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    for (size_t i = 0; i < 20; i++)
        datagram_put(socket, i < 10 ? &all : &members, 300, i);
    for (size_t i = 0; i < 20; i++)
        datagram_expect(w, raw, 300, i);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

#if defined UDP_GRO && defined UDP_SEGMENT
/* The size of the segments of the message that is taken, 0: it is one datagram. */
static int take_message(int raw, size_t *ret_size)
{
    struct iovec piece = {.iov_base = datagram_bytes, .iov_len = sizeof datagram_bytes};
    _Alignas(struct cmsghdr) char control[256];
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    int segment = 0;

    *ret_size = (size_t)recvmsg(raw, &message, 0);
    for (struct cmsghdr *entry = CMSG_FIRSTHDR(&message); entry != NULL;
         entry = CMSG_NXTHDR(&message, entry))
        if (entry->cmsg_level == IPPROTO_UDP && entry->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(entry), sizeof segment);
    return segment;
}

/* Whether a run of a raw socket arrives as one: the kernel may lack the options, or its loopback
 * may take runs apart (Linux 5.10). */
static bool runs_stay_whole(struct world *w)
{
    plx_address to;
    int raw = raw_datagrams(w, &to), one = 1, segment = 64;
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    size_t size;
    bool whole;

    ck_assert_int_eq(getsockname(raw, (struct sockaddr *)&name, &length), 0);
    whole = setsockopt(raw, IPPROTO_UDP, UDP_GRO, &one, sizeof one) == 0 &&
            setsockopt(raw, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0 &&
            sendto(raw, datagram_bytes, 640, 0, (struct sockaddr *)&name, length) == 640;
    whole = whole && take_message(raw, &size) == segment;
    raw_close(w, raw);
    if (!whole)
        fprintf(stderr, "SKIP: a run leaves as one: runs do not arrive as one here\n");
    return whole;
}

/* What no receiver of plain datagrams could see: that a run has left as one. */
DATAGRAMS_CASE(a_run_leaves_as_one, 0)
{
    plx_address to;
    int raw = raw_datagrams(w, &to), one = 1;
    size_t size;

    if (!runs_stay_whole(w))
        return;
    ck_assert_int_eq(setsockopt(raw, IPPROTO_UDP, UDP_GRO, &one, sizeof one), 0);
    for (size_t i = 0; i < 64; i++)
        datagram_put(socket, &to, i == 63 ? 20 : 64, i);
    UNTIL(w, is_readable(raw));
    ck_assert_int_eq(take_message(raw, &size), 64);
    ck_assert_uint_eq(size, 63 * 64 + 20);
    for (size_t i = 0; i < 64; i++)
        ck_assert(pattern_matches(datagram_bytes + i * 64, i == 63 ? 20 : 64, i));
    datagram_expect_none(w, raw);
}
#endif

/* ---- what the kernel refuses ----------------------------------------------------------------- */

/* The kernel leaves no segments without a checksum: EINVAL for every run (udp(7)). */
DATAGRAMS_CASE(segments_refused, 0)
{
    plx_address to[2];
    int raw[2] = {raw_datagrams(w, &to[0]), raw_datagrams(w, &to[1])}, one = 1;

#ifdef SO_NO_CHECK
    ck_assert_int_eq(
        setsockopt(plx_socket_handle(socket), SOL_SOCKET, SO_NO_CHECK, &one, sizeof one), 0);
#endif
    send_all_sizes(w, socket, to, raw);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* Segments are never fragmented, datagrams are. */
DATAGRAMS_CASE(longer_than_the_path_allows, 1)
{
    plx_address to[2];
    int raw[2] = {raw_datagrams6(w, &to[0]), raw_datagrams6(w, &to[1])}, least = 1280;

    if (!datagrams_have_room(raw[0], "udp: longer than the path allows"))
        return;
    ck_assert_int_eq(
        setsockopt(plx_socket_handle(socket), IPPROTO_IPV6, IPV6_MTU, &least, sizeof least), 0);
    send_all_sizes(w, socket, to, raw);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

#ifdef __linux__
static void send_all_sizes_denied(struct world *w, long call, int level, int error)
{
    struct record log;
    plx_address to[2];
    int raw[2] = {raw_datagrams(w, &to[0]), raw_datagrams(w, &to[1])};
    plx_socket *socket;

    if (!kernel_denies(call, level, error))
        return;
    socket = datagrams_bound(w, 0, &log);
    send_all_sizes(w, socket, to, raw);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
}

MODE_CASE(a_kernel_without_segments)
{
    send_all_sizes_denied(w, SYS_getsockopt, IPPROTO_UDP, ENOPROTOOPT);
}

MODE_CASE(a_kernel_without_several_messages)
{
    send_all_sizes_denied(w, SYS_sendmmsg, -1, ENOSYS);
}

/* Sandboxes refuse with one of these (seccomp(2)); nothing is to be reported of it. */
MODE_CASE(a_sandbox_that_forbids_several_messages)
{
    send_all_sizes_denied(w, SYS_sendmmsg, -1, EPERM);
}

MODE_CASE(a_sandbox_that_supports_no_several_messages)
{
    send_all_sizes_denied(w, SYS_sendmmsg, -1, EOPNOTSUPP);
}

/* As where sendmmsg is a loop of sendmsg (musl), and segments go by sendmsg: sendto is left. */
MODE_CASE(a_sandbox_that_forbids_all_but_sendto)
{
    if (kernel_denies(SYS_sendmmsg, -1, EPERM))
        send_all_sizes_denied(w, SYS_sendmsg, -1, EPERM);
}

/* A queued datagram is lost, and the errno says nothing more. */
MODE_CASE(a_send_that_fails_for_no_reason_of_its_own)
{
    struct record log;
    plx_address to;
    plx_socket *socket;

    raw_datagrams(w, &to);
    if (!kernel_denies(SYS_sendmmsg, -1, EIO) || !kernel_denies(SYS_sendmsg, -1, EIO) ||
        !kernel_denies(SYS_sendto, -1, EIO))
        return;
    socket = datagrams_bound(w, 0, &log);
    ck_assert_int_eq(plx_udp_write(socket, &to, "lost", 4), 0);
    UNTIL(w, log.count[EVENT_ERROR] > 0);
    ck_assert_int_eq(log.code, EIO);
    ck_assert_int_eq(log.reason, PLX_REASON_DATAGRAM_WRITE);
}

MODE_CASE(a_kernel_with_neither)
{
    if (kernel_denies(SYS_sendmmsg, -1, ENOSYS))
        send_all_sizes_denied(w, SYS_getsockopt, IPPROTO_UDP, ENOPROTOOPT);
}

MODE_CASE(a_sandbox_that_forbids_segments)
{
    send_all_sizes_denied(w, SYS_sendmsg, -1, EOPNOTSUPP);
}
#endif

/* ---- errors ---------------------------------------------------------------------------------- */

UDP_SOCKET_CASE(one_that_cannot_leave_costs_only_itself)
{
    plx_address to, all = {.family = 4, .port = 9, .bytes = {127, 255, 255, 255}};
    int raw = raw_datagrams(w, &to);
    plx_statistics seen;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_BROADCAST, 0), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    for (size_t i = 0; i < 100; i++)
        datagram_put(socket, i % 10 == 5 ? &all : &to, 100, i);
    for (size_t i = 0; i < 100; i++)
        if (i % 10 != 5)
            datagram_expect(w, raw, 100, i);
    datagram_expect_none(w, raw);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1); /* of several between two polls the first */
    ck_assert_int_eq(log->os_error, EACCES);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
    ck_assert(plx_socket_statistics(socket, &seen));
    ck_assert_uint_eq(seen.messages_sent, 90);
}

/* Word of an earlier datagram comes instead of the sending of a run, which must not cost the
 * run. */
PEER_CASE(a_refusal_costs_no_run, raw_datagrams)
{
    raw_close(w, raw);
    ck_assert_int_eq(plx_socket_write(socket, "lost", 4), 4);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    raw = raw_datagrams_at(w, peer->port, peer);
    for (size_t i = 0; i < 100; i++)
        datagram_put(socket, peer, i < 90 ? 100 : 10 + i % 2, i);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    for (size_t i = 0; i < 100; i++)
        datagram_expect(w, raw, i < 90 ? 100 : 10 + i % 2, i);
    datagram_expect_none(w, raw);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, ECONNREFUSED);
}

/* The second of two sizes gets the error of the first, in the same frame, and nobody else will
 * be. */
PEER_CASE(a_refusal_in_mid_batch_is_told, raw_datagrams)
{
    int pending = 0;
    socklen_t size = sizeof pending;

    raw_close(w, raw);
    ck_assert_int_eq(plx_socket_write(socket, "first", 5), 5);
    ck_assert_int_eq(plx_socket_write(socket, "the second", 10), 10);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    getsockopt(plx_socket_handle(socket), SOL_SOCKET, SO_ERROR, &pending, &size);
    ck_assert_int_eq(pending, ECONNREFUSED); /* of the second, taken away here */
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, ECONNREFUSED);
}

/* Refused one by one or all at once: the socket goes on, and its queue empties. */
PEER_CASE(a_peer_that_is_gone_in_mid_batch, raw_datagrams)
{
    raw_close(w, raw);
    for (size_t i = 0; i < 100; i++) {
        pattern_fill(datagram_bytes, 100, i);
        ck_assert_int_eq(plx_socket_write(socket, datagram_bytes, 50 + i / 10 % 2),
                         50 + (int)(i / 10 % 2));
    }
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    world_settle(w);
    ck_assert_int_eq(log->code, ECONNREFUSED);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    raw = raw_datagrams_at(w, peer->port, peer);
    ck_assert_int_eq(plx_socket_write(socket, "found", 5), 5);
    UNTIL(w, is_readable(raw));
}

WORLD_MAIN("udp-batches")
