/* lib/socket/sending.c -- the sending half of a connection. */
#include "config.h"

#include "lib/os/errno.h"
#include "lib/socket/sending.h"

void plx__sending_refused(plx_socket *socket, ptrdiff_t error)
{
    if (plx__errno_is_full(error)) {
        plx__sending_block(socket);
    } else {
        plx__sending_fail(socket, (int)-error);
    }
}

void plx__sending_fail(plx_socket *socket, int error)
{
    socket->tx = PLX__TX_FAILED;
    socket->tx_error = (uint16_t)plx__sending_reason(socket->tx_error, error);
}

void plx__sending_shut(plx_socket *socket)
{
    socket->tx = PLX__TX_SHUT;
}
