/* tests/datagrams.h -- what the tests of many datagrams share: raw peers and numbered datagrams.
 *
 * The n-th datagram carries the pattern from n on (tests/record.h), so that a datagram that is lost,
 * cut, merged or out of its turn is seen. */
#ifndef POLLUX_TESTS_DATAGRAMS_H
#define POLLUX_TESTS_DATAGRAMS_H

#include "tests/world.h"

extern const plx_address datagram_loopback; /* IPv4, without a port */

/* To send from and to receive into. */
extern unsigned char datagram_bytes[65536];

/* Sizes in a row that make runs of one size, end runs, and are none. */
enum { DATAGRAM_SIZES = 34 };
extern const size_t datagram_sizes[DATAGRAM_SIZES];

/* Raw sockets that never wait, with much room; they tell their address. raw_datagrams_any is bound
 * to all addresses, and raw_datagrams_at to a port on the loopback. */
int raw_datagrams(struct world *w, plx_address *ret_address);
int raw_datagrams6(struct world *w, plx_address *ret_address);
int raw_datagrams_any(struct world *w, plx_address *ret_address);
int raw_datagrams_at(struct world *w, uint16_t port, plx_address *ret_address);

/* datagrams_have_room says whether the system gave a raw one all the room that was asked for; where it
 * did not, a line on stderr names `what` is skipped. */
bool datagrams_have_room(int raw, const char *what);

/* A bound socket of ours with much room, and one with a peer. `protocol` is that of
 * PLX_OPTION_PROTOCOL. */
plx_socket *datagrams_bound(struct world *w, int protocol, struct record *log);
plx_socket *datagrams_connected(struct world *w, struct record *log, const plx_address *peer);

/* datagram_put has our socket write the datagram of that number; datagram_expect expects it at a raw
 * one; datagram_send and datagram_read are the other direction. */
void datagram_put(plx_socket *socket, const plx_address *to, size_t size, size_t number);
void datagram_expect(struct world *w, int raw, size_t size, size_t number);
void datagram_expect_none(struct world *w, int raw);
void datagram_send(int raw, const plx_socket *to, size_t size, size_t number);
plx_datagram datagram_read(struct world *w, plx_socket *socket, size_t size, size_t number);

/* kernel_denies has the kernel answer this process with an error from now on: to a system call, or
 * to one about a level of options only (-1: any). False where it cannot or where the case is not
 * alone in its process (CK_FORK=no). */
bool kernel_denies(long call, int level, int error);

#endif
