/* tests/bench/bench-udp.c -- a burst of 64 datagrams of 64 bytes, to one peer and from one, and to
 * one each for 64 peers. */
#include "config.h"

#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pollux.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BURST = 64, PAYLOAD = 64, RAW_ROOM = 2048 };

/* The peer is a raw socket that takes what is sent and sends what is to be received, outside the
 * time measured. */
struct burst {
    int sender;   /* the raw side's, for sending */
    int receiver; /* the raw side's, for receiving */
    int peer;
    struct sockaddr_in peer_address, receiver_address, pollux_address;
    plx_socket *socket;
    plx_address to;   /* the peer, for the library */
    int crowd[BURST]; /* the many peers */
    struct sockaddr_in crowd_addresses[BURST];
    size_t received;
    size_t lost;
};

static char payload[PAYLOAD];

static int bound(struct sockaddr_in *ret_address)
{
    socklen_t size = sizeof *ret_address;
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memset(ret_address, 0, sizeof *ret_address);
    ret_address->sin_family = AF_INET;
    ret_address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)ret_address, size) != 0 ||
        getsockname(descriptor, (struct sockaddr *)ret_address, &size) != 0)
        bench_fail("bind a UDP socket");
    return descriptor;
}

/* ---- the peer -------------------------------------------------------------------------------- */

/* Takes up to a burst in one call, as the raw side does. */
static size_t take_batch(int descriptor)
{
    static char rooms[BURST][RAW_ROOM];
    static struct sockaddr_in from[BURST];
    struct mmsghdr messages[BURST];
    struct iovec pieces[BURST];
    int count;

    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BURST; i++) {
        pieces[i].iov_base = rooms[i];
        pieces[i].iov_len = RAW_ROOM;
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &from[i];
        messages[i].msg_hdr.msg_namelen = sizeof from[i];
    }
    count = recvmmsg(descriptor, messages, BURST, MSG_DONTWAIT, NULL);
    return count < 0 ? 0 : (size_t)count;
}

static void send_each(int descriptor, const struct sockaddr_in *to)
{
    for (int i = 0; i < BURST; i++)
        if (sendto(descriptor, payload, PAYLOAD, 0, (const struct sockaddr *)to, sizeof *to) !=
            PAYLOAD)
            bench_fail("send a datagram");
}

/* Sends the burst as one message, so that it arrives as one where the receiver takes that. */
static void send_merged(int descriptor, const struct sockaddr_in *to)
{
#ifdef UDP_SEGMENT
    static char burst[BURST * PAYLOAD];
    struct iovec piece = {burst, sizeof burst};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct msghdr message = {.msg_name = (void *)(uintptr_t)to,
                             .msg_namelen = sizeof *to,
                             .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *entry = CMSG_FIRSTHDR(&message);
    uint16_t segment = PAYLOAD;

    entry->cmsg_level = IPPROTO_UDP;
    entry->cmsg_type = UDP_SEGMENT;
    entry->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(entry), &segment, sizeof segment);
    if (sendmsg(descriptor, &message, 0) == sizeof burst)
        return;
#endif
    send_each(descriptor, to);
}

static void drain_peer(struct burst *burst)
{
    size_t count = 0;
    size_t more;

    while ((more = take_batch(burst->peer)) > 0)
        count += more;
    burst->lost += count < BURST ? BURST - count : 0;
}

/* ---- sending --------------------------------------------------------------------------------- */

static double raw_send(struct burst *burst)
{
    double start = bench_now(BENCH_THREAD_CPU);
    double end;

    send_each(burst->sender, &burst->peer_address);
    end = bench_now(BENCH_THREAD_CPU);
    drain_peer(burst);
    return (end - start) / BURST;
}

static double pollux_send(struct burst *burst)
{
    double start = bench_now(BENCH_THREAD_CPU);
    double end;

    for (int i = 0; i < BURST; i++)
        (void)plx_udp_write(burst->socket, &burst->to, payload, PAYLOAD);
    (void)plx_socket_flush(burst->socket);
    end = bench_now(BENCH_THREAD_CPU);
    drain_peer(burst);
    return (end - start) / BURST;
}

static void drain_crowd(struct burst *burst)
{
    for (int i = 0; i < BURST; i++)
        burst->lost += take_batch(burst->crowd[i]) == 0;
}

static double raw_send_many(struct burst *burst)
{
    double start = bench_now(BENCH_THREAD_CPU);
    double end;

    for (int i = 0; i < BURST; i++)
        if (sendto(burst->sender, payload, PAYLOAD, 0,
                   (const struct sockaddr *)&burst->crowd_addresses[i],
                   sizeof burst->crowd_addresses[i]) != PAYLOAD)
            bench_fail("send a datagram");
    end = bench_now(BENCH_THREAD_CPU);
    drain_crowd(burst);
    return (end - start) / BURST;
}

static double pollux_send_many(struct burst *burst)
{
    plx_address to = burst->to;
    double start = bench_now(BENCH_THREAD_CPU);
    double end;

    for (int i = 0; i < BURST; i++) {
        to.port = ntohs(burst->crowd_addresses[i].sin_port);
        (void)plx_udp_write(burst->socket, &to, payload, PAYLOAD);
    }
    (void)plx_socket_flush(burst->socket);
    end = bench_now(BENCH_THREAD_CPU);
    drain_crowd(burst);
    return (end - start) / BURST;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void take_datagrams(plx_socket *socket, void *user)
{
    struct burst *burst = user;
    plx_datagram datagram;

    while (plx_udp_read(socket, &datagram))
        burst->received++;
}

static double take_raw(struct burst *burst)
{
    double start = bench_now(BENCH_THREAD_CPU);
    double end;
    size_t count = 0;

    while (count < BURST)
        count += take_batch(burst->receiver);
    end = bench_now(BENCH_THREAD_CPU);
    return (end - start) / BURST;
}

static double take_pollux(struct burst *burst)
{
    double start;
    double end;

    burst->received = 0;
    start = bench_now(BENCH_THREAD_CPU);
    while (burst->received < BURST)
        (void)plx_socket_poll(burst->socket);
    end = bench_now(BENCH_THREAD_CPU);
    return (end - start) / BURST;
}

static double raw_receive(struct burst *burst)
{
    send_each(burst->peer, &burst->receiver_address);
    return take_raw(burst);
}

static double pollux_receive(struct burst *burst)
{
    send_each(burst->peer, &burst->pollux_address);
    return take_pollux(burst);
}

/* The raw side takes them one by one all the same: its receiver does not know of merging. */
static double raw_receive_merged(struct burst *burst)
{
    send_merged(burst->peer, &burst->receiver_address);
    return take_raw(burst);
}

static double pollux_receive_merged(struct burst *burst)
{
    send_merged(burst->peer, &burst->pollux_address);
    return take_pollux(burst);
}

/* ---- the rounds ------------------------------------------------------------------------------ */

static void compare(struct bench *bench, const struct bench_goal *goal, struct burst *burst,
                    double (*raw)(struct burst *burst), double (*pollux)(struct burst *burst))
{
    struct bench_pair pair = {0};

    for (size_t round = 0; round < bench_rounds(bench, 1000) + 5; round++) {
        double first = (round % 2 == 0 ? raw : pollux)(burst);
        double second = (round % 2 == 0 ? pollux : raw)(burst);

        if (round >= 5) /* the first few warm caches and pools */
            bench_pair_add(&pair, round % 2 == 0 ? first : second, round % 2 == 0 ? second : first);
    }
    bench_report(bench, goal, &pair);
}

static void open_burst(struct burst *burst)
{
    static const plx_events events = {.data_available = take_datagrams};
    struct sockaddr_in unused;

    memset(burst, 0, sizeof *burst);
    burst->sender = bound(&unused);
    burst->receiver = bound(&burst->receiver_address);
    burst->peer = bound(&burst->peer_address);
    for (int i = 0; i < BURST; i++)
        burst->crowd[i] = bound(&burst->crowd_addresses[i]);
    burst->socket = plx_udp_new();
    plx_socket_set_events(burst->socket, &events, burst);
    (void)plx_socket_set_option(burst->socket, PLX_OPTION_PROTOCOL, 0);
    (void)plx_socket_set_interface(burst->socket, "127.0.0.1");
    errno = plx_socket_connect(burst->socket);
    if (errno != 0)
        bench_fail("bind by Pollux");
    for (int i = 0; i < 10; i++)
        (void)plx_socket_poll(burst->socket);
    burst->pollux_address = burst->receiver_address;
    burst->pollux_address.sin_port = htons((uint16_t)plx_socket_port(burst->socket));
    burst->to.family = 4;
    burst->to.port = ntohs(burst->peer_address.sin_port);
    memcpy(burst->to.bytes, &burst->peer_address.sin_addr, 4);
}

int main(int argc, char **argv)
{
    const struct bench_goal sending = {"UDP send 64 x 64 B to one peer / sendto, each", "ns",
                                       BENCH_AT_MOST, 0.25};
    const struct bench_goal receiving = {"UDP receive 64 x 64 B / recvmmsg, each", "ns",
                                         BENCH_AT_MOST, 1.1};
    const struct bench_goal merged = {"UDP receive the same of a GSO sender / recvmmsg, each", "ns",
                                      BENCH_AT_MOST, 0.3};
    const struct bench_goal many = {"UDP send 64 x 64 B to 64 peers / sendto, each", "ns",
                                    BENCH_NO_TARGET, 0};
    const struct bench_goal losing = {"UDP datagrams lost on the way", "", BENCH_NO_TARGET, 0};
    struct bench bench;
    struct burst burst;

    bench_start(&bench, "udp", argc, argv);
    open_burst(&burst);
    compare(&bench, &sending, &burst, raw_send, pollux_send);
    compare(&bench, &many, &burst, raw_send_many, pollux_send_many);
    compare(&bench, &receiving, &burst, raw_receive, pollux_receive);
    compare(&bench, &merged, &burst, raw_receive_merged, pollux_receive_merged);
    bench_report_value(&bench, &losing, -1, (double)burst.lost);
    burst.socket = plx_socket_free(burst.socket);
    for (int i = 0; i < BURST; i++)
        close(burst.crowd[i]);
    close(burst.sender);
    close(burst.receiver);
    close(burst.peer);
    return bench_finish(&bench);
}
