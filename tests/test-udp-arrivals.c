/* tests/test-udp-arrivals.c -- datagrams that come together are what was sent, and cost no
 * memory. */
#include "config.h"

#include <errno.h>
#include <netinet/udp.h>

#include "lib/os/os.h"
#include "tests/datagrams.h"
#include "tests/sockets.h"

#ifdef __linux__
#include <sys/syscall.h>
#endif

/* ---- receiving ------------------------------------------------------------------------------- */

static void receive_all_sizes(struct world *w)
{
    struct record log;
    plx_socket *socket = datagrams_bound(w, 2, &log);
    plx_address from[2];
    int raw[2] = {raw_datagrams(w, &from[0]), raw_datagrams(w, &from[1])};
    plx_statistics seen;

    for (int round = 0; round < 3; round++) { /* with few places, and then with more */
        for (size_t i = 0; i < DATAGRAM_SIZES; i++)
            datagram_send(raw[i % 2], socket, datagram_sizes[i], i);
        for (size_t i = 0; i < DATAGRAM_SIZES; i++) {
            plx_datagram datagram = datagram_read(w, socket, datagram_sizes[i], i);

            ck_assert(plx_address_equal(&datagram.from, &from[i % 2]));
        }
    }
    world_settle(w);
    ck_assert_uint_eq(plx_udp_packets_available(socket), 0);
    ck_assert(plx_socket_statistics(socket, &seen));
    ck_assert_uint_eq(seen.messages_received, 3 * DATAGRAM_SIZES);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
}

MODE_CASE(sizes_and_senders_mixed)
{
    receive_all_sizes(w);
}

#ifdef __linux__
MODE_CASE(a_kernel_that_gives_one_at_a_time)
{
    if (kernel_denies(SYS_recvmmsg, -1, ENOSYS))
        receive_all_sizes(w);
}

/* Sandboxes refuse with one of these (seccomp(2)); nothing is to be reported of it. */
MODE_CASE(a_sandbox_that_gives_one_at_a_time)
{
    if (kernel_denies(SYS_recvmmsg, -1, EPERM))
        receive_all_sizes(w);
}

MODE_CASE(a_sandbox_that_supports_one_at_a_time)
{
    if (kernel_denies(SYS_recvmmsg, -1, EOPNOTSUPP))
        receive_all_sizes(w);
}

/* Refused one by one as well there is nothing to fall back to, and that is reported. */
DATAGRAMS_CASE(a_sandbox_that_gives_nothing, 0)
{
    plx_address from;
    int raw = raw_datagrams(w, &from);

    if (!kernel_denies(SYS_recvmmsg, -1, EPERM) || !kernel_denies(SYS_recvmsg, -1, EPERM))
        return;
    datagram_send(raw, socket, 10, 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    ck_assert_int_eq(log->code, EPERM);
}

/* The program is linked so that the library calls __wrap_ for plx__os_receive_arrivals. */
ptrdiff_t __real_plx__os_receive_arrivals(plx__fd descriptor, struct plx__os_arrival *list,
                                          size_t count);
ptrdiff_t __wrap_plx__os_receive_arrivals(plx__fd descriptor, struct plx__os_arrival *list,
                                          size_t count);

static int failing; /* the errno of each call; 0: none fails */
static int failures;

ptrdiff_t __wrap_plx__os_receive_arrivals(plx__fd descriptor, struct plx__os_arrival *list,
                                          size_t count)
{
    failures += failing != 0;
    return failing != 0 ? -failing : __real_plx__os_receive_arrivals(descriptor, list, count);
}

/* One error for as long as it lasts, one call for each 100 ms, and the datagram in the end. */
static void fail_for_a_while(struct world *w, plx_socket *socket, struct record *log, int raw,
                             int error)
{
    int before = log->count[EVENT_ERROR], first;

    failing = error;
    failures = 0;
    datagram_send(raw, socket, 10, 0);
    UNTIL(w, log->count[EVENT_ERROR] > before);
    world_settle(w);
    ck_assert_int_eq(log->os_error, error);
    first = failures;
    ck_assert_int_le(first, 9);
    for (int i = 0; i < 100; i++)
        ck_assert(!world_poll(w));
    ck_assert_int_eq(failures, first);
    world_run(w, 1050);
    ck_assert_int_ge(failures, first + 8);
    ck_assert_int_le(failures, first + 10);
    ck_assert_int_eq(log->count[EVENT_ERROR], before + 1);
    failing = 0;
    world_run(w, 150);
    datagram_read(w, socket, 10, 0);
}

static void fail_again_and_again(struct world *w, plx_socket *socket, struct record *log, int raw)
{
    time_stop();
    fail_for_a_while(w, socket, log, raw, ENOMEM);
    fail_for_a_while(w, socket, log, raw, ENOMEM);
    fail_for_a_while(w, socket, log, raw, EPERM);
    fail_for_a_while(w, socket, log, raw, EPERM);
    time_run();
}

DATAGRAMS_CASE(receiving_that_fails_for_a_while, 0)
{
    plx_address from;

    fail_again_and_again(w, socket, log, raw_datagrams(w, &from));
}

PEER_CASE(receiving_from_a_peer_that_fails_for_a_while, raw_datagrams)
{
    fail_again_and_again(w, socket, log, raw);
}

MODE_CASE(a_kernel_that_merges_nothing)
{
    if (kernel_denies(SYS_setsockopt, IPPROTO_UDP, ENOPROTOOPT))
        receive_all_sizes(w);
}
#endif

#ifdef UDP_SEGMENT
/* Sends datagrams numbered from 0 as one message: they come in as one. */
static void raw_send_run(int raw, const plx_socket *to, int family, size_t segment, size_t size)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 name6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct iovec piece = {.iov_base = datagram_bytes, .iov_len = size};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct msghdr message = {.msg_name = family == 4 ? (void *)&name : (void *)&name6,
                             .msg_namelen = family == 4 ? sizeof name : sizeof name6,
                             .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *entry = CMSG_FIRSTHDR(&message);
    uint16_t value = (uint16_t)segment;

    name.sin_port = name6.sin6_port = htons((uint16_t)plx_socket_port(to));
    for (size_t at = 0; at < size; at += segment)
        pattern_fill(datagram_bytes + at, size - at < segment ? size - at : segment, at / segment);
    entry->cmsg_level = IPPROTO_UDP;
    entry->cmsg_type = UDP_SEGMENT;
    entry->cmsg_len = CMSG_LEN(sizeof value);
    memcpy(CMSG_DATA(entry), &value, sizeof value);
    ck_assert_int_eq(sendmsg(raw, &message, 0), (ssize_t)size);
}

/* A run that comes in as one is as many datagrams as were sent. */
DATAGRAMS_CASE(a_run_is_taken_apart, 2)
{
    plx_address from[2];
    int raw[2] = {raw_datagrams(w, &from[0]), raw_datagrams6(w, &from[1])};

    for (size_t round = 0; round < 4; round++) {
        size_t segment = round < 2 ? 64 : 1023;

        raw_send_run(raw[round % 2], socket, round % 2 == 0 ? 4 : 6, segment, 63 * segment + 20);
        for (size_t i = 0; i < 64; i++) {
            plx_datagram datagram = datagram_read(w, socket, i == 63 ? 20 : segment, i);

            ck_assert(plx_address_equal(&datagram.from, &from[round % 2]));
        }
    }
    world_settle(w);
    ck_assert_uint_eq(plx_udp_packets_available(socket), 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* The limit cuts what was sent, not what came together, and loses none. */
DATAGRAMS_CASE(the_read_limit_cuts_each_of_a_run, 2)
{
    plx_address from;
    int raw = raw_datagrams(w, &from);
    plx_datagram datagram;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 50), 0);
    raw_send_run(raw, socket, 4, 64, 63 * 64 + 20);
    raw_send_run(raw, socket, 4, 50, 500);
    for (size_t i = 0; i < 64; i++) {
        UNTIL(w, plx_udp_packets_available(socket) > 0);
        ck_assert(plx_udp_read(socket, &datagram));
        ck_assert_uint_eq(datagram.size, i == 63 ? 20 : 50);
        ck_assert(pattern_matches(datagram.data, datagram.size, i));
        ck_assert_int_eq(datagram.truncated, i != 63);
    }
    for (size_t i = 0; i < 10; i++)
        datagram_read(w, socket, 50, i);
}

/* What strangers sent before the peer was chosen is not heard, however it comes. */
DATAGRAMS_CASE(a_strangers_run_is_not_heard, 0)
{
    plx_address peer, other;
    int raw = raw_datagrams(w, &peer), stranger = raw_datagrams(w, &other);

    raw_send_run(stranger, socket, 4, 64, 640);
    plx_address_format(&peer, where, WHERE_SIZE);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, plx_socket_state(socket) == PLX_CONNECTED);
    raw_send_run(raw, socket, 4, 64, 640);
    for (size_t i = 0; i < 10; i++)
        datagram_read(w, socket, 64, i);
    world_settle(w);
    ck_assert_uint_eq(plx_udp_packets_available(socket), 0);
}
#endif

DATAGRAMS_CASE(the_read_limit_stops_and_loses_nothing, 0)
{
    plx_address from;
    int raw = raw_datagrams(w, &from);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 3000), 0);
    for (size_t i = 0; i < 300; i++)
        datagram_send(raw, socket, 100, i);
    world_settle(w);
    ck_assert_uint_ge(plx_udp_packets_available(socket), 20);
    ck_assert_uint_le(plx_udp_packets_available(socket), 31); /* each with what is kept beside it */
    for (size_t i = 0; i < 300; i++)
        datagram_read(w, socket, 100, i);
}

/* ---- what the kernel dropped ----------------------------------------------------------------- */

static int64_t dropped_by(const plx_socket *socket)
{
    plx_statistics seen;

    ck_assert(plx_socket_statistics(socket, &seen));
    return seen.messages_dropped;
}

/* Floods a socket of little room, and takes what is left; returns how many are not. */
static int64_t flood(struct world *w, plx_socket *socket, int raw)
{
    plx_datagram datagram;
    int64_t left = 200;

    for (size_t i = 0; i < 200; i++)
        datagram_send(raw, socket, 1000, i);
    world_settle(w);
    for (; plx_udp_read(socket, &datagram); left--)
        ck_assert_uint_eq(datagram.size, 1000);
    ck_assert_int_gt(left, 0);
    ck_assert_int_lt(left, 200);
    return left;
}

static plx_socket *with_little_room(struct world *w, struct record *log)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, log);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_BUFFER_SIZE, 20000), 0);
    ck_assert_int_eq(dropped_by(socket), -1);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    world_settle(w);
    ck_assert_int_eq(dropped_by(socket), 0);
    return socket;
}

#define LITTLE_ROOM_CASE(name) WORLD_SOCKET_CASE(MODE_CASE, name, with_little_room(w, log))

LITTLE_ROOM_CASE(dropped_ones_are_counted)
{
    plx_address from;
    int raw = raw_datagrams(w, &from);
    int64_t lost = 0;

    for (int round = 0; round < 3; round++) {
        lost += flood(w, socket, raw);
        ck_assert_int_eq(dropped_by(socket), lost);
    }
    datagram_send(raw, socket, 10, 0);
    datagram_read(w, socket, 10, 0);
    ck_assert_int_eq(dropped_by(socket), lost);
    plx_socket_close(socket);
    ck_assert_int_eq(dropped_by(socket), -1);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_int_eq(dropped_by(socket), 0); /* another descriptor */
}

#ifdef __linux__
/* Where the kernel does not say it when it is asked, the next datagram does. */
LITTLE_ROOM_CASE(dropped_ones_are_told_by_the_next)
{
    plx_address from;
    int raw = raw_datagrams(w, &from);
    int64_t lost = 0;

    if (!kernel_denies(SYS_getsockopt, SOL_SOCKET, ENOPROTOOPT))
        return;
    for (int round = 0; round < 3; round++) {
        lost += flood(w, socket, raw);
        datagram_send(raw, socket, 10, 0);
        datagram_read(w, socket, 10, 0);
        ck_assert_int_eq(dropped_by(socket), lost);
    }
}
#endif

/* ---- memory ---------------------------------------------------------------------------------- */

MODE_CASE(a_busy_frame_allocates_nothing)
{
    struct record log_a, log_b;
    plx_socket *a = datagrams_bound(w, 0, &log_a), *b = datagrams_bound(w, 0, &log_b);
    plx_address to[2] = {datagram_loopback, datagram_loopback}, from;
    int raw = raw_datagrams(w, &from);
    size_t before = 0;

    to[0].port = to[1].port = (uint16_t)plx_socket_port(b);
    to[1].bytes[3] = 2; /* also the loopback: another receiver, and the same */
    for (int frame = 0; frame < 200; frame++) {
        if (frame == 100)
            before = count_allocations();
        record_clear(&log_a);
        record_clear(&log_b);
        for (size_t i = 0; i < 100; i++)
            datagram_put(a, &to[i / 60 % 2], i % 7 == 0 ? 300 : 100, i);
        for (size_t i = 0; i < 200; i++)
            datagram_send(raw, b, 100, i);
        for (size_t got = 0; got < 300;) {
            plx_datagram datagram;

            world_poll(w);
            while (plx_udp_read(b, &datagram))
                got++;
        }
    }
    ck_assert_uint_eq(count_allocations(), before);
}

/* Alone it keeps the places of a burst for a while, and then no more than it had before. */
DATAGRAMS_CASE(the_places_of_a_burst_go_back, 0)
{
    plx_address from;
    int raw = raw_datagrams(w, &from);
    size_t before;

    datagram_send(raw, socket, 100, 0);
    datagram_read(w, socket, 100, 0); /* where its sender was heard stays remembered */
    for (int i = 0; i < 1000; i++)
        world_poll(w);
    before = count_bytes();
    for (size_t i = 0; i < 200; i++)
        datagram_send(raw, socket, 100, i);
    for (size_t i = 0; i < 200; i++)
        datagram_read(w, socket, 100, i);
    for (int i = 0; i < 1000; i++) /* the pool of a group trims itself after some frames */
        world_poll(w);
    ck_assert_uint_le(count_bytes(), before);
}

WORLD_MAIN("udp-arrivals")
