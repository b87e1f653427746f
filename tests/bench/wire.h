/* tests/bench/wire.h -- raw sockets that peers and works need. */
#ifndef TESTS_BENCH_WIRE_H
#define TESTS_BENCH_WIRE_H

#include "tests/bench/peer.h"

#include <netinet/in.h>

#ifdef __cplusplus
extern "C" {
#endif

/* wire_loopback returns 127.0.0.1 with a port. */
struct sockaddr_in wire_loopback(int port);

/* wire_port returns the port that a descriptor is bound to, 0 for none. */
int wire_port(int descriptor);

/* wire_listen returns a non-blocking listener, at a path or (NULL) at a port that the kernel
 * chose. */
int wire_listen(const char *path, int *ret_port);

/* wire_free_port returns a port of 127.0.0.1 that nobody has at the moment, for TCP and UDP. */
int wire_free_port(void);

/* wire_datagrams returns a bound, non-blocking UDP socket. */
int wire_datagrams(int *ret_port);

/* wire_send_merged sends `count` datagrams of `size` bytes to a port of 127.0.0.1 as one message,
 * so that they arrive as one where the receiver takes that (udp(7), UDP_SEGMENT); where the kernel
 * has no such thing one by one. */
void wire_send_merged(int descriptor, int port, const void *data, size_t count, size_t size);

/* wire_pair makes two connected, non-blocking ends. */
void wire_pair(enum peer_family family, int ret_ends[2]);

/* wire_low_delay sets TCP_NODELAY; harmless for other sockets. */
void wire_low_delay(int descriptor);

/* wire_not_blocking sets O_NONBLOCK. */
void wire_not_blocking(int descriptor);

#ifdef __cplusplus
}
#endif

#endif
