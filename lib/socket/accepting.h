/* lib/socket/accepting.h -- whether a listening socket accepts connections.
 *
 *                 descriptors ran out             a moment has passed
 *      ACCEPTING --------------------> FOR_A_WHILE -------------------> ACCEPTING
 *          |
 *          | a server has its maximum of clients      room for one
 *          +-----------------------------> UNTIL_ROOM -------------> ACCEPTING
 *
 * Connections wait in the kernel's queue while the socket does not accept. ACCEPTING is zero, and has a
 * meaning in LISTENING only. */
#ifndef PLX_LIB_ACCEPTING_H
#define PLX_LIB_ACCEPTING_H

#include "lib/socket/object.h"

/* plx__accepting_pause stops accepting for 100 ms: no event reports that there are descriptors again.
 * plx__accepting_stop stops until plx__accepting_resume. */
void plx__accepting_pause(plx_socket *socket);
void plx__accepting_stop(plx_socket *socket);

/* plx__accepting_resume accepts again, also the connections that have waited meanwhile;
 * plx__accepting_continue does where a pause is over. */
void plx__accepting_resume(plx_socket *socket);
void plx__accepting_continue(plx_socket *socket);

/* plx__accepting_begin returns to ACCEPTING. */
void plx__accepting_begin(plx_socket *socket);

#endif
