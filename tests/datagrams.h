/* tests/datagrams.h -- what the tests of many datagrams share: raw peers and numbered datagrams.
 *
 * The n-th datagram carries the pattern from byte n on (tests/record.h), so that a test notices a
 * datagram that is lost, cut, merged or out of order. */
#ifndef POLLUX_TESTS_DATAGRAMS_H
#define POLLUX_TESTS_DATAGRAMS_H

#include "tests/world.h"

extern const plx_address datagram_loopback; /* IPv4, without a port */

/* A buffer to send from and to receive into. */
extern unsigned char datagram_bytes[65536];

/* Successive sizes: some continue a run of one size, some end a run, some stand alone. */
enum { DATAGRAM_SIZES = 34 };
extern const size_t datagram_sizes[DATAGRAM_SIZES];

/* Make raw non-blocking sockets with a large receive buffer, and set *ret_address to their address.
 * raw_datagrams_any is bound to all addresses, raw_datagrams_at to a port on the loopback. */
int raw_datagrams(struct world *w, plx_address *ret_address);
int raw_datagrams6(struct world *w, plx_address *ret_address);
int raw_datagrams_any(struct world *w, plx_address *ret_address);
int raw_datagrams_at(struct world *w, uint16_t port, plx_address *ret_address);

/* datagrams_have_room returns whether the kernel gave a raw socket the whole receive buffer that
 * was asked for. If not, a line on stderr says that `what` is skipped. */
bool datagrams_have_room(int raw, const char *what);

/* datagrams_all_have_room gives all datagram sockets of this process such a receive buffer, also
 * those of a discovery. Returns as datagrams_have_room does. */
bool datagrams_all_have_room(const char *what);

/* Make a bound socket of ours with a large receive buffer, and one with a peer. `protocol` is a
 * value of PLX_OPTION_PROTOCOL. */
plx_socket *datagrams_bound(struct world *w, int protocol, struct record *log);
plx_socket *datagrams_connected(struct world *w, struct record *log, const plx_address *peer);

/* DATAGRAMS_CASE(name, protocol) is a MODE_CASE with such a bound `socket` and its `log`. */
#define DATAGRAMS_CASE(name, protocol)                                                             \
    WORLD_SOCKET_CASE(MODE_CASE, name, datagrams_bound(w, protocol, log))

/* PEER_CASE(name, raw_datagrams) is a MODE_CASE with a connected `socket`, its `log`, and its
 * `peer`, which that function makes and which is `raw`. */
#define PEER_CASE(name, make_raw)                                                                  \
    static void name##_connected(struct world *w, plx_socket *socket, struct record *log,          \
                                 plx_address *peer, int raw);                                      \
    MODE_CASE(name)                                                                                \
    {                                                                                              \
        struct record log;                                                                         \
        plx_address peer;                                                                          \
        int raw = make_raw(w, &peer);                                                              \
                                                                                                   \
        name##_connected(w, datagrams_connected(w, &log, &peer), &log, &peer, raw);                \
    }                                                                                              \
    static void name##_connected(struct world *w, plx_socket *socket,                              \
                                 struct record *log CK_ATTRIBUTE_UNUSED,                           \
                                 plx_address *peer CK_ATTRIBUTE_UNUSED, int raw)

/* datagram_put writes the datagram of that number to our socket; datagram_expect expects the
 * datagram at a raw socket. datagram_send and datagram_read are the other direction. */
void datagram_put(plx_socket *socket, const plx_address *to, size_t size, size_t number);
void datagram_expect(struct world *w, int raw, size_t size, size_t number);
void datagram_expect_none(struct world *w, int raw);
void datagram_send(int raw, const plx_socket *to, size_t size, size_t number);
plx_datagram datagram_read(struct world *w, plx_socket *socket, size_t size, size_t number);
/* datagram_read_text expects a datagram of exactly that string. */
plx_datagram datagram_read_text(struct world *w, plx_socket *socket, const char *text);

/* kernel_denies makes a system call of this process fail with `error` from now on; if `level` is
 * not -1, only for socket options of that level. Returns false, after a line on stderr that the
 * case is skipped, where that is not possible, or if the case has no process of its own
 * (CK_FORK=no). */
bool kernel_denies(long call, int level, int error);

#endif
