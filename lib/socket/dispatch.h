/* lib/socket/dispatch.h -- calling the handlers of pending events. */
#ifndef PLX_LIB_DISPATCH_H
#define PLX_LIB_DISPATCH_H

#include "lib/socket/object.h"

/* plx__socket_dispatch_some is plx__socket_dispatch when such events are pending. */
void plx__socket_dispatch_some(plx_socket *socket, plx__event_set wanted);

/* plx__socket_dispatch calls the handlers of the pending events among `wanted`, in the order of
 * enum plx__event, in which a pass never goes back. The caller holds the socket. */
static inline void plx__socket_dispatch(plx_socket *socket, plx__event_set wanted)
{
    if ((socket->pending & wanted) != 0) {
        plx__socket_dispatch_some(socket, wanted);
    }
}

#endif
