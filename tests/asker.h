/* tests/asker.h -- the three calls that look up a name: connect_to by TCP and by UDP, and write_to.
 * A case expects the same of each. */
#ifndef POLLUX_TESTS_ASKER_H
#define POLLUX_TESTS_ASKER_H

#include <sys/socket.h>

#include "tests/nameserver.h"
#include "tests/sockets.h"

enum way { WAY_TCP, WAY_UDP_PEER, WAY_UDP_WRITE, WAYS };

/* A socket that looks up a name, and its raw peer at 127.0.0.1. */
struct asker {
    enum way way;
    plx_socket *socket;
    struct record log;
    int raw; /* the peer's descriptor; for TCP, that of its listener */
    int port;
    int code; /* of the call */
};

static inline const char *way_name(enum way way)
{
    static const char *const names[] = {"TCP connect_to", "UDP connect_to", "UDP write_to"};

    return names[way];
}

static inline int asker_bind(struct world *w, int type, int *ret_port)
{
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof self;
    int raw = world_raw(w, socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

    ck_assert_int_eq(bind(raw, (struct sockaddr *)&self, size), 0);
    ck_assert_int_eq(getsockname(raw, (struct sockaddr *)&self, &size), 0);
    *ret_port = ntohs(self.sin_port);
    return raw;
}

/* asker_prepare makes the socket and its peer. */
static inline void asker_prepare(struct world *w, struct asker *asker, enum way way)
{
    asker->way = way;
    asker->socket = world_socket_of(w, way == WAY_TCP ? plx_tcp_new : plx_udp_new, &asker->log);
    asker->raw = asker_bind(w, way == WAY_TCP ? SOCK_STREAM : SOCK_DGRAM, &asker->port);
    if (way == WAY_TCP)
        ck_assert_int_eq(listen(asker->raw, 5), 0);
    if (way == WAY_UDP_WRITE) {
        ck_assert_int_eq(plx_socket_connect(asker->socket), 0);
        world_poll(w);
        record_clear(&asker->log);
    }
}

/* asker_ask begins to look up `host`. */
static inline void asker_ask(struct asker *asker, const char *host)
{
    char where[5000];

    snprintf(where, sizeof where, "%s:%d", host, asker->port);
    asker->code = asker->way == WAY_UDP_WRITE
                      ? plx_udp_write_to(asker->socket, host, asker->port, "named", 5)
                      : plx_socket_connect_to(asker->socket, where);
}

static inline void asker_begin(struct world *w, struct asker *asker, enum way way, const char *host)
{
    asker_prepare(w, asker, way);
    asker_ask(asker, host);
    ck_assert_msg(asker->code == 0, "%s: %s of %s: %d", world_name(w), way_name(way), host,
                  asker->code);
}

/* asker_reached returns whether the socket has reached its peer. */
static inline bool asker_reached(struct asker *asker)
{
    char bytes[16];

    if (asker->way == WAY_TCP)
        return asker->log.count[EVENT_CONNECTED] > 0;
    if (asker->way == WAY_UDP_PEER && plx_socket_is_connected(asker->socket) &&
        plx_udp_packets_left_to_send(asker->socket) == 0)
        plx_socket_write(asker->socket, "named", 5);
    return recv(asker->raw, bytes, sizeof bytes, 0) == 5;
}

static inline bool asker_failed(const struct asker *asker)
{
    return asker->log.count[EVENT_ERROR] > 0;
}

#endif
