/* lib/socket/state.h -- how a socket begins, changes its state, and ends.
 *
 * Every change of the state, of the descriptor and every end goes through these functions. An end
 * calls no handler: it sets pending events (lib/socket/dispatch.h). */
#ifndef PLX_LIB_STATE_H
#define PLX_LIB_STATE_H

#include "lib/socket/object.h"

/* plx__socket_new makes an unconnected socket of a kind. NULL when memory ran out. */
plx_socket *plx__socket_new(const struct plx_kind *kind);

/* plx__socket_destroy frees a socket that the program has freed and that nobody holds. */
void plx__socket_destroy(plx_socket *socket);

/* plx__socket_leave ends a hold on the socket (lib/base/hold.h), and destroys the socket if it was
 * freed meanwhile. */
void plx__socket_leave(plx_socket *socket);

/* plx__socket_shed frees the filters of the last connection. The `forget` of one of them may free
 * the socket, which the caller holds: false then, and nothing may be opened. */
bool plx__socket_shed(plx_socket *socket);

/* plx__socket_begin forgets the last connection, whose filters were shed: both buffers, pending
 * events, errors, the peer and the way to it. It comes when nothing can fail the call any more: one
 * that fails leaves what the program has not read. */
void plx__socket_begin(plx_socket *socket);

/* plx__socket_set_state enters a state and sets its event. It withdraws the events of the state
 * before, if they are still pending. */
void plx__socket_set_state(plx_socket *socket, plx_state state);

/* plx__socket_may_open returns whether a call may open the socket: it is unconnected, and not
 * inside a step of a filter. plx__socket_fail_open says why not. */
bool plx__socket_may_open(const plx_socket *socket);

/* plx__socket_take_descriptor makes the descriptor the socket's own. It watches the descriptor for
 * what `state` needs, which the socket is about to enter: a second call to the poller could fail.
 * Returns 0, or a negative errno; the descriptor is still the caller's then. */
int plx__socket_take_descriptor(plx_socket *socket, plx__fd descriptor, plx_state state);

/* plx__socket_leave_place lets the endpoint remove what bind left, such as a file, before the
 * descriptor is closed. */
void plx__socket_leave_place(plx_socket *socket);

/* plx__socket_close_descriptor stops the watch and closes the descriptor. The state does not
 * change. */
void plx__socket_close_descriptor(plx_socket *socket);

/* plx__socket_enter_connected is the one way into CONNECTED, with a descriptor that has a peer.
 * With filters it leads to CONNECTING, and plx__socket_established to CONNECTED when they are
 * established. A bound datagram socket keeps its own descriptor, to which connect(2) gave the peer.
 * `has_options`: plx__options_open has opened the descriptor; otherwise it gets the socket's
 * options now. `remote` is NULL if the kernel does not name the peer. Returns 0, or a negative
 * errno; the socket is unchanged and the descriptor still the caller's then. */
int plx__socket_enter_connected(plx_socket *socket, plx__fd descriptor, bool has_options,
                                const struct plx__sockaddr *remote);

/* plx__socket_enter_bound is the one way into BOUND; the socket's own descriptor has an address and
 * no peer. `disconnected` is reported if there was a peer, which was removed. */
void plx__socket_enter_bound(plx_socket *socket);

void plx__socket_established(plx_socket *socket);

/* plx__socket_announce notes that a handler is about to be given the connection: `disconnected`
 * will report its end, also if the filters are not established. */
void plx__socket_announce(plx_socket *socket);

/* plx__socket_enter_listening is the one way into LISTENING; the socket's own descriptor listens. */
void plx__socket_enter_listening(plx_socket *socket);

/* plx__socket_drop_sending drops all that is queued, plx__socket_drop_received all that was
 * received. plx__socket_drop_bytes drops the received bytes only, not what the kind keeps with
 * them; plx__socket_skip_received drops both, and keeps the block for what arrives next. */
void plx__socket_drop_sending(plx_socket *socket);
void plx__socket_drop_bytes(plx_socket *socket);
void plx__socket_drop_received(plx_socket *socket);
void plx__socket_skip_received(plx_socket *socket);

/* plx__socket_end ends the connection or the attempt: it enters UNCONNECTED, drops queued bytes and
 * keeps received ones. plx__socket_set_end_error sets the error to report before; without one only
 * `disconnected` reports the end. */
void plx__socket_end(plx_socket *socket);

/* plx__socket_drop ends the connection at once and without an event, as close does, but moves no
 * byte. */
void plx__socket_drop(plx_socket *socket);

#endif
