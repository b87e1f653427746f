/* tests/bench/peer.h -- the contract of a peer: a library, or none, that does the works.
 *
 * A peer is one small file with one table. For each work there is a set of functions, NULL where
 * the peer cannot do that work. A work opens an object of every peer that can, all in one thread,
 * drives them in turn, and learns through the peer's tally what has happened:
 *
 *     server    TCP or a Unix socket, many raw clients: idle frames, echo, floods, accepting
 *     pair      two connected ends, both by the peer: round trip, bulk
 *     datagrams a UDP socket beside raw ones: bursts
 *
 * Every peer is used as its manual would have it, with the faster way where there are two, with the
 * same sizes, and TCP without Nagle's delay. */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H

#include "tests/bench/bench.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEER_BACKLOG = 1000, PEER_BLOCK = 65536, PEER_BURST = 64, PEER_PAYLOAD = 64 };
enum peer_family { PEER_TCP, PEER_UNIX };

/* What a peer reports to the work. All zero: nothing happened, and what arrives is dropped. */
struct peer_tally {
    size_t accepted; /* connections that were accepted */
    size_t ended;    /* connections that are gone */
    size_t answered; /* messages that were echoed, and taken by the kernel or a queue */
    size_t bytes;    /* received by a server, the far end of a pair, or in datagrams counted 1 */
    size_t returned; /* bytes received by the near end of a pair */
    bool echo;       /* set by the work: what arrives is sent back */
    /* Set by the work: sees what a server receives, the moment the program has it. */
    void (*look)(struct peer_tally *tally, const void *data, size_t size);
};

struct peer;

struct peer_server {
    /* Listens at a path, or for path NULL at a port of 127.0.0.1 that *ret_port gets. NULL when
     * it cannot. */
    void *(*open)(const struct peer *peer, struct peer_tally *tally, const char *path,
                  int *ret_port);
    bool (*poll)(void *server); /* a frame, which never sleeps; returns whether work is left */
    void (*wait)(void *server); /* sleeps until something happens; NULL: cannot */
    void (*close)(void *server);
    /* Makes `total` connections by the peer's own means; NULL: raw ones are connected to it. */
    void (*admit)(void *server, size_t total);
};

struct peer_pair {
    void *(*open)(const struct peer *peer, struct peer_tally *tally, enum peer_family family);
    /* Sends from the near end; what the kernel does not take waits until poll. `data` stays. */
    void (*send)(void *pair, const void *data, size_t size);
    void (*poll)(void *pair); /* one pass over both ends */
    void (*close)(void *pair);
};

struct peer_datagrams {
    /* Binds to 127.0.0.1 at a port that the kernel chooses, and will send to `count` ports
     * there. */
    void *(*open)(const struct peer *peer, struct peer_tally *tally, const int *ports, size_t count,
                  int *ret_port);
    void (*send)(void *datagrams); /* a burst, in turn to all; gone when it returns */
    void (*poll)(void *datagrams); /* receives; tally->bytes counts datagrams */
    void (*close)(void *datagrams);
    /* For peers with a protocol of their own, NULL for others: `provoke` has the other side send a
     * burst, `rest` lets it take one and returns how many came. Outside the time measured. */
    void (*provoke)(void *datagrams);
    size_t (*rest)(void *datagrams);
};

struct peer {
    const char *name;
    const char *mechanism; /* Pollux: what the group is to poll with; NULL: no group */
    unsigned maximum;      /* connections it can hold; 0: any number */
    unsigned backlog;      /* newcomers that fit into its listener's queue; 0: PEER_BACKLOG */
    bool threads;          /* works in threads of its own: their time counts, too */
    const struct peer_server *server;
    const struct peer_pair *pair;
    const struct peer_datagrams *datagrams;
};

/* Other ways to use Pollux, for single works: peer_pollux_read copies what came with
 * plx_socket_read, peer_pollux_budget has set the group a budget of half a millisecond. */
extern const struct peer peer_pollux_read, peer_pollux_budget;

extern const struct peer peer_raw, peer_pollux, peer_pollux_epoll, peer_pollux_uring, peer_uv,
    peer_event, peer_qt, peer_sdl, peer_enet, peer_nng, peer_zmq;

#ifdef __cplusplus
}
#endif

#endif
