/* lib/socket/accepting.h -- whether a listening socket accepts connections, and a socket of datagrams
 * receives.
 *
 *              accept(2) or recvmmsg(2) failed        100 ms have passed, or a client has left
 *      ACCEPTING -------------> PAUSED_FOR_A_WHILE -------------------------------> ACCEPTING
 *          |
 *          | a server has its maximum of clients      fewer clients, or a greater maximum
 *          +-------------------> PAUSED_UNTIL_ROOM -------------------------------> ACCEPTING
 *
 *              the program pauses a server              the program lets it go on
 *      any ------------------------------> HELD ----------------------------------> ACCEPTING
 *
 * While the socket does not accept, connections wait in the kernel's queue. ACCEPTING is zero. HELD
 * remains when the socket stops listening; the others have a meaning in LISTENING only, and
 * PAUSED_FOR_A_WHILE in BOUND and CONNECTED, too. Behind HELD the causes of the other two are found
 * again by the first accept(2). */
#ifndef PLX_LIB_ACCEPTING_H
#define PLX_LIB_ACCEPTING_H

#include "lib/socket/object.h"

enum plx__accepting {
    PLX__ACCEPTING,
    PLX__PAUSED_FOR_A_WHILE,
    PLX__PAUSED_UNTIL_ROOM,
    PLX__HELD
};

/* plx__accepting_pause stops accepting for 100 ms: no event reports that a descriptor is free
 * again, or that receiving works again. plx__accepting_stop stops accepting until plx__accepting_resume. Both leave HELD. */
void plx__accepting_pause(plx_socket *socket);
void plx__accepting_stop(plx_socket *socket);

/* plx__accepting_hold stops accepting until plx__accepting_release, for the program. */
void plx__accepting_hold(plx_socket *socket);
void plx__accepting_release(plx_socket *socket);

/* plx__accepting_resume accepts again, including the connections that have waited meanwhile, unless
 * the program holds the socket; it returns whether it has changed the state.
 * plx__accepting_continue resumes if a pause is over. */
bool plx__accepting_resume(plx_socket *socket);
void plx__accepting_continue(plx_socket *socket);

/* plx__accepting_begin returns to ACCEPTING, but not from HELD. */
static inline void plx__accepting_begin(plx_socket *socket)
{
    if (socket->accepting != PLX__HELD) {
        socket->accepting = PLX__ACCEPTING;
    }
}

#endif
