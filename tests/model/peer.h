/* tests/model/peer.h -- what a raw peer can do. With ground.h the only door from the player to the
 * kernel.
 *
 * A raw peer is a descriptor, which never waits. -1 is no peer. */
#ifndef POLLUX_TESTS_MODEL_PEER_H
#define POLLUX_TESTS_MODEL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sort { SORT_TCP, SORT_IPC, SORT_SEQPACKET, SORT_UDP, SORTS };

enum { PEER_WHERE = 100, PEER_LONGEST = 1 << 17, PEER_GIFTS = 253 };

/* What peer_receive returns besides a number of bytes; PEER_UNANSWERED, which the sending ones
 * return too: nobody has answered for minutes. */
enum { PEER_END = -1, PEER_NOTHING = -2, PEER_RESET = -3, PEER_UNANSWERED = -4 };

/* peer_listen listens at a new place, with room for `backlog` connections, or (UDP) binds; what
 * reaches it is in *ret_where. peer_refuse only makes a place where nobody listens. These three and
 * peer_connect return -1 when there is no descriptor. */
int peer_listen(enum sort sort, int backlog, char *ret_where);
int peer_refuse(enum sort sort, char *ret_where);
int peer_accept(int listener);                       /* -1: no connection waits */
int peer_connect(enum sort sort, const char *where); /* -1: refused, or the queue is full */
bool peer_pair(enum sort sort, int ret_ends[2]);     /* two connected ends; not UDP */

/* peer_send returns how many bytes the kernel has taken, 0 when its buffer is full, -1 when the
 * connection is gone. A packet or datagram leaves whole or not at all. peer_give sends a descriptor
 * with these bytes. peer_urgent sends one byte as urgent
 * (TCP). */
ptrdiff_t peer_send(int peer, const void *data, size_t size);
ptrdiff_t peer_send_to(int peer, int port, const void *data, size_t size); /* of 127.0.0.1 */
ptrdiff_t peer_give(int peer, int descriptor, const void *data, size_t size);
ptrdiff_t peer_urgent(int peer, uint8_t byte);

/* peer_receive receives at most one packet. The descriptors that arrive with it are the caller's to
 * close. */
struct gifts {
    int count;
    int descriptors[PEER_GIFTS];
};
ptrdiff_t peer_receive(int peer, void *data, size_t size, struct gifts *ret_gifts);

/* peer_receive_from receives one datagram, and the port of its sender at 127.0.0.1. Returns its
 * size; 0 when there is none. */
ptrdiff_t peer_receive_from(int peer, void *data, size_t size, int *ret_port);

void peer_end(int peer);   /* ends sending */
void peer_close(int peer); /* -1 is allowed */
void peer_reset(int peer); /* closes; a TCP peer sees a reset */

int peer_port(int peer);     /* of TCP and UDP; else 0 */
int peer_far_port(int peer); /* the other end's, of TCP; 0: there is none */

/* peer_token makes a descriptor with a number, which peer_token_number returns: -1 for others. */
int peer_token(int number);
int peer_token_number(int descriptor);

#endif
