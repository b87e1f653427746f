/* lib/socket/state.h -- how a socket begins, changes its state, and ends.
 *
 * Every change of state, every descriptor and every end goes through here, whatever caused it. An end
 * does not call a handler: it sets pending events (lib/socket/dispatch.h). */
#ifndef PLX_LIB_STATE_H
#define PLX_LIB_STATE_H

#include "lib/socket/object.h"

/* plx__socket_new makes an unconnected socket of a kind; NULL for want of memory. */
plx_socket *plx__socket_new(const struct plx_kind *kind);

/* plx__socket_destroy frees a socket that was freed by the program and that nothing holds. */
void plx__socket_destroy(plx_socket *socket);

/* plx__socket_leave ends a hold on the socket (lib/base/event.h), and destroys it if it was freed
 * meanwhile. */
void plx__socket_leave(plx_socket *socket);

/* plx__socket_begin forgets the last connection: both buffers, news, errors, the peer. */
void plx__socket_begin(plx_socket *socket);

/* plx__socket_set_state moves to a state and makes it news. */
void plx__socket_set_state(plx_socket *socket, plx_state state);

/* plx__socket_take_descriptor makes the descriptor the socket's own and watches it for what `state`
 * needs, which the socket is about to enter: a second call to the poller could fail by itself.
 * Returns 0, or a negative errno and the descriptor is still the caller's. */
int plx__socket_take_descriptor(plx_socket *socket, plx__fd descriptor, plx_state state);

/* plx__socket_leave_place has the endpoint leave nothing behind, before a descriptor that was bound is
 * closed. */
void plx__socket_leave_place(plx_socket *socket);

/* plx__socket_close_descriptor stops watching and closes; the state stays. */
void plx__socket_close_descriptor(plx_socket *socket);

/* plx__socket_enter_connected is the one way into CONNECTED, with a descriptor that has a peer. A bound
 * datagram socket keeps its own descriptor, which connect(2) gave the peer. `has_options`: it was opened
 * by plx__options_open; any other gets the socket's options now. `remote` NULL: the kernel does not name
 * the peer. Returns 0, or a negative errno: the socket is as before, and the descriptor the caller's. */
int plx__socket_enter_connected(plx_socket *socket, plx__fd descriptor, bool has_options,
                                const struct plx__sockaddr *remote);

/* plx__socket_drop_sending drops what is queued, plx__socket_drop_received what was received,
 * plx__socket_drop_bytes only the bytes of it. */
void plx__socket_drop_sending(plx_socket *socket);
void plx__socket_drop_bytes(plx_socket *socket);
void plx__socket_drop_received(plx_socket *socket);

/* plx__socket_end ends the connection or the attempt: UNCONNECTED, queued bytes dropped, received
 * ones kept. The error told is set by plx__socket_set_end_error before; without one the end is told
 * by `disconnected` alone. */
void plx__socket_end(plx_socket *socket);

/* plx__socket_drop ends silently and at once, as close does, but moves no byte. */
void plx__socket_drop(plx_socket *socket);

#endif
