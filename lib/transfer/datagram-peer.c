/* lib/transfer/datagram-peer.c -- the peer that connect(2) gives to a datagram socket. */
#include "config.h"

#include "lib/socket/failure.h"
#include "lib/transfer/datagram-peer.h"

/* On Linux a port that the kernel chose is lost with the peer. Other programs know the socket by
 * that port, so bind(2) takes it again. */
static int keep_port(plx__fd descriptor, int port)
{
    struct plx__sockaddr name;
    plx_address local;
    if (plx__os_local_sockaddr(descriptor, &name) < 0 || !plx__sockaddr_to_address(&name, &local) ||
        local.port != 0) {
        return 0;
    }
    enum plx__family family = plx__sockaddr_family(&name);
    local.port = (uint16_t)port;
    plx__sockaddr_from_address(&name, &local, family);
    return plx__os_bind(descriptor, &name);
}

int plx__datagram_peer_remove(plx_socket *socket)
{
    int port = plx_socket_port(socket);
    int result = plx__os_dissolve(socket->watch.descriptor);
    if (result < 0) {
        return plx__socket_fail_system(socket, result, "disconnect");
    }
    result = keep_port(socket->watch.descriptor, port);
    return result < 0 ? plx__socket_fail_system(socket, result, "bind to port %d again", port) : 0;
}
