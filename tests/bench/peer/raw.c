/* tests/bench/peer/raw.c -- no library: epoll, recv and send, as one would write it by hand. */
#include "config.h"

#include "tests/bench/peer.h"
#include "tests/bench/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256 };

static char block[PEER_BLOCK];

/* ---- server ---------------------------------------------------------------------------------- */

struct server {
    struct peer_tally *tally;
    int listener;
    int set;
};

static void watch(struct server *server, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};

    if (epoll_ctl(server->set, EPOLL_CTL_ADD, descriptor, &event) != 0)
        bench_fail("watch a descriptor");
}

static void *server_open(const struct peer *peer, struct peer_tally *tally, const char *path,
                         int *ret_port)
{
    struct server *server = calloc(1, sizeof *server);

    (void)peer;
    if (server == NULL)
        bench_fail("memory");
    server->tally = tally;
    server->listener = wire_listen(path, ret_port);
    server->set = epoll_create1(EPOLL_CLOEXEC);
    watch(server, server->listener);
    return server;
}

static void accept_all(struct server *server)
{
    int descriptor;

    while ((descriptor = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >=
           0) {
        wire_low_delay(descriptor);
        watch(server, descriptor);
        server->tally->accepted++;
    }
}

static void serve(struct server *server, int descriptor)
{
    struct peer_tally *tally = server->tally;
    ssize_t size = recv(descriptor, block, sizeof block, 0);

    if (size <= 0) {
        if (size < 0 && errno == EAGAIN)
            return;
        close(descriptor);
        tally->ended++;
        return;
    }
    if (tally->look != NULL)
        tally->look(tally, block, (size_t)size);
    tally->bytes += (size_t)size;
    if (tally->echo && send(descriptor, block, (size_t)size, MSG_NOSIGNAL) == size)
        tally->answered++;
}

static void pass(struct server *server, int timeout)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(server->set, events, EVENTS, timeout);

    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == server->listener)
            accept_all(server);
        else
            serve(server, events[i].data.fd);
    }
}

static bool server_poll(void *server)
{
    pass((struct server *)server, 0);
    return false;
}

static void server_wait(void *server)
{
    pass((struct server *)server, -1);
}

static void server_close(void *object)
{
    struct server *server = object;

    close(server->set);
    close(server->listener);
    free(server);
}

/* ---- pair ------------------------------------------------------------------------------------ */

struct pair {
    struct peer_tally *tally;
    int ends[2];
    const char *unsent; /* what the near end has still to send */
    size_t left;
};

static void *pair_open(const struct peer *peer, struct peer_tally *tally, enum peer_family family)
{
    struct pair *pair = calloc(1, sizeof *pair);

    (void)peer;
    if (pair == NULL)
        bench_fail("memory");
    pair->tally = tally;
    wire_pair(family, pair->ends);
    return pair;
}

static void send_rest(struct pair *pair)
{
    ssize_t count = send(pair->ends[0], pair->unsent, pair->left, MSG_NOSIGNAL);

    if (count > 0) {
        pair->unsent += count;
        pair->left -= (size_t)count;
    }
}

static void pair_send(void *object, const void *data, size_t size)
{
    struct pair *pair = object;

    pair->unsent = data;
    pair->left = size;
    send_rest(pair);
}

/* Polls by receiving, for there are but two. */
static void pair_poll(void *object)
{
    struct pair *pair = object;
    struct peer_tally *tally = pair->tally;
    ssize_t size;

    if (pair->left > 0)
        send_rest(pair);
    size = recv(pair->ends[1], block, sizeof block, 0);
    if (size > 0) {
        tally->bytes += (size_t)size;
        if (tally->echo && send(pair->ends[1], block, (size_t)size, MSG_NOSIGNAL) != size)
            bench_fail("echo");
    }
    if (tally->echo && (size = recv(pair->ends[0], block, sizeof block, 0)) > 0)
        tally->returned += (size_t)size;
}

static void pair_close(void *object)
{
    struct pair *pair = object;

    close(pair->ends[0]);
    close(pair->ends[1]);
    free(pair);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

struct datagrams {
    struct peer_tally *tally;
    int descriptor;
    size_t count;
    struct sockaddr_in to[PEER_BURST];
};

static void *datagrams_open(const struct peer *peer, struct peer_tally *tally, const int *ports,
                            size_t count, int *ret_port)
{
    struct datagrams *datagrams = calloc(1, sizeof *datagrams);

    (void)peer;
    if (datagrams == NULL)
        bench_fail("memory");
    datagrams->tally = tally;
    datagrams->count = count;
    datagrams->descriptor = wire_datagrams(ret_port);
    for (size_t i = 0; i < count; i++)
        datagrams->to[i] = wire_loopback(ports[i]);
    return datagrams;
}

/* One call each: the plain way, which is what the ratio refers to. */
static void datagrams_send(void *object)
{
    static const char payload[PEER_PAYLOAD];
    struct datagrams *datagrams = object;

    for (size_t i = 0; i < PEER_BURST; i++)
        if (sendto(datagrams->descriptor, payload, sizeof payload, 0,
                   (const struct sockaddr *)&datagrams->to[i % datagrams->count],
                   sizeof datagrams->to[0]) != PEER_PAYLOAD)
            bench_fail("send a datagram");
}

/* Up to a burst in one call. */
static void datagrams_poll(void *object)
{
    static char rooms[PEER_BURST][2048];
    static struct sockaddr_in from[PEER_BURST];
    struct datagrams *datagrams = object;
    struct mmsghdr messages[PEER_BURST];
    struct iovec pieces[PEER_BURST];
    int count;

    memset(messages, 0, sizeof messages);
    for (int i = 0; i < PEER_BURST; i++) {
        pieces[i].iov_base = rooms[i];
        pieces[i].iov_len = sizeof rooms[i];
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &from[i];
        messages[i].msg_hdr.msg_namelen = sizeof from[i];
    }
    count = recvmmsg(datagrams->descriptor, messages, PEER_BURST, MSG_DONTWAIT, NULL);
    datagrams->tally->bytes += count < 0 ? 0 : (size_t)count;
}

static void datagrams_close(void *object)
{
    struct datagrams *datagrams = object;

    close(datagrams->descriptor);
    free(datagrams);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct peer_server server_functions = {server_open, server_poll, server_wait,
                                                    server_close, NULL};
static const struct peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};
static const struct peer_datagrams datagram_functions = {
    datagrams_open, datagrams_send, datagrams_poll, datagrams_close, NULL, NULL};

const struct peer peer_raw = {.name = "raw",
                              .server = &server_functions,
                              .pair = &pair_functions,
                              .datagrams = &datagram_functions};
