/* lib/socket/connect.h -- from a name to a connected descriptor.
 *
 * Design: a struct plx__connect lives as long as the state is HOST_LOOKUP or CONNECTING. It has the
 * look-up, the names to try and the attempts under way (lib/socket/attempt.h). An address gets a head
 * start, then the next one is tried beside it, families taking turns (RFC 8305, "happy eyeballs");
 * one that fails hands its turn on at once. The first to answer wins and the others are given up.
 *
 *      aim --> query --> names --> attempt --+--> one has won: connected
 *                          |       attempt --+--> all have failed: `error`, the most telling one
 *                          +-----> ...
 *
 * The whole, look-up included, has PLX_OPTION_CONNECT_TIMEOUT. */
#ifndef PLX_LIB_CONNECT_H
#define PLX_LIB_CONNECT_H

#include "lib/socket/object.h"

/* plx__connect_start begins. Returns 0, or the code of a call that fails at once; failures of the
 * network come later. */
int plx__connect_start(plx_socket *socket);

/* plx__connect_continue goes on with what is ready; the socket may be connected, or unconnected,
 * afterwards. */
void plx__connect_continue(plx_socket *socket);

/* plx__connect_is_idle says whether it has to go on although nothing is under way: to begin with, or
 * because all that was tried has failed. */
bool plx__connect_is_idle(const plx_socket *socket);

/* plx__connect_set_option sets an option of the kernel's for the attempts that are under way; one that
 * the kernel refuses stays as it is. */
void plx__connect_set_option(const plx_socket *socket, plx_option option, int value);

/* plx__connect_deadline returns the moment at which to continue anyhow. */
uint64_t plx__connect_deadline(const plx_socket *socket);

/* plx__connect_again connects an unconnected socket again where that is due (lib/socket/reconnect.h). */
void plx__connect_again(plx_socket *socket);

/* plx__connect_free gives up whatever is under way; takes NULL, returns NULL. */
struct plx__connect *plx__connect_free(struct plx__connect *connect);

#endif
