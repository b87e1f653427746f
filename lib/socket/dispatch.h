/* lib/socket/dispatch.h -- calling the handlers of what is pending. */
#ifndef PLX_LIB_DISPATCH_H
#define PLX_LIB_DISPATCH_H

#include "lib/socket/object.h"

/* plx__socket_dispatch_some is plx__socket_dispatch where there are some. */
void plx__socket_dispatch_some(plx_socket *socket, plx__event_set wanted);

/* plx__socket_dispatch tells the news among `wanted`, in their order and never backwards (telling.c).
 * The caller holds the socket; a freed one has no news. */
static inline void plx__socket_dispatch(plx_socket *socket, plx__event_set wanted)
{
    if ((socket->pending & wanted) != 0) {
        plx__socket_dispatch_some(socket, wanted);
    }
}

#endif
