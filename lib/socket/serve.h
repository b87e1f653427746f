/* lib/socket/serve.h -- one pass over a socket: receive, dispatch, send, dispatch. */
#ifndef PLX_LIB_SERVE_H
#define PLX_LIB_SERVE_H

#include "lib/socket/object.h"

/* A socket that is polled alone frees its buffers after this many polls in a row that found
 * nothing. */
#define PLX__IDLE_POLLS 64

/* plx__socket_input and plx__socket_output are the two halves of a group's frame
 * (lib/poll/loop.h). */
void plx__socket_input(struct plx__task *task, struct plx__budget *budget);
bool plx__socket_output(struct plx__task *task, struct plx__budget *budget);

/* plx__socket_serve does both, for a socket that is served alone. The caller holds the socket.
 * True: work is left. */
bool plx__socket_serve(plx_socket *socket, struct plx__budget *budget);

/* plx__socket_poll does what plx_socket_poll does, with a budget for its input. */
bool plx__socket_poll(plx_socket *socket, struct plx__budget *budget);

/* plx__socket_release gives the emptied receive buffer back to the pool. */
void plx__socket_release(struct plx__task *task);

/* plx__socket_flush does what plx_socket_flush does. */
void plx__socket_flush(struct plx__task *task);

/* plx__socket_probe finds out whether the descriptors are ready, for a socket that its group does
 * not serve now. */
void plx__socket_probe(plx_socket *socket);

#endif
