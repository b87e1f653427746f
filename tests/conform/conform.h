/* tests/conform/conform.h -- what every kind of connection must do, on every mechanism of polling.
 *
 * Each case runs for each row of kinds.h, polled alone and in a group with each mechanism
 * (world.h). The files follow the life of a socket: connect, poll, read, end, send, disconnect,
 * close, again; then handler, wait, limit and misuse. The strings that the cases compare are the
 * events, each with the state that the handler saw. This header has what several files use. */
#ifndef POLLUX_TESTS_CONFORM_H
#define POLLUX_TESTS_CONFORM_H

#include "tests/world.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

#define REFUSED "state:CONNECTING state:UNCONNECTED error(111,10)[UNCONNECTED]"
#define CONNECTS "state:CONNECTING state:CONNECTED connected[CONNECTED]"
#define ACCEPTS "state:LISTENING state:CONNECTED connected[CONNECTED]"
#define LOST "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]"
#define DATA "data_available[CONNECTED]"
#define SENT(n) "send_progress(" #n ",0)[CONNECTED] send_complete(false)[CONNECTED]"

/* raw_sip reads at most `most` bytes that a raw peer has received, and expects that the bytes
 * continue the pattern; raw_drain reads all of them. Both return false at the end of input. */
bool raw_sip(int raw, uint64_t *got, size_t most);
bool raw_drain(int raw, uint64_t *got);

/* arrives waits until the kernel has received what a raw peer sent; the socket does not read it. */
void arrives(plx_socket *socket);

/* expect_read reads until it has exactly that string. */
void expect_read(plx_socket *socket, const char *text);

/* expect_sent expects that send_progress reported that size, and nothing is left. For packets it
 * expects no report. */
void expect_sent(const struct world *w, const struct record *log, size_t size);

/* queue_pattern queues that many bytes of the pattern, a multiple of QUEUE_PIECE, in pieces so
 * small that nothing is sent before the next poll. */
enum { QUEUE_PIECE = 8192 };
void queue_pattern(plx_socket *socket, size_t size);

/* raw_send_in sends all bytes from a raw peer, at once or as packets of at most `most` bytes. */
void raw_send_in(const struct world *w, int raw, size_t most, const void *data, size_t size);

void expect_error(plx_socket *socket, int code);

/* echoes sends a few bytes each way, and expects them. */
void echoes(struct world *w, plx_socket *socket, int raw);

/* expect_quiet expects that a group without work is not readable by its descriptor: otherwise an
 * outer loop would spin. */
void expect_quiet(struct world *w);

/* What a handler does (record_on); act_connect connects to the place in the record's data. */
record_act act_connect, act_close, act_abort;

#endif
