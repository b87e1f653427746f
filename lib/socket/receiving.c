/* lib/socket/receiving.c -- the receiving half of a connection. */
#include "config.h"

#include "lib/socket/receiving.h"
#include "lib/socket/sending.h"

static void enter(plx_socket *socket, enum plx__rx rx, int error)
{
    socket->rx = (uint8_t)rx;
    socket->rx_error = (uint16_t)error;
}

void plx__receiving_end(plx_socket *socket, int error)
{
    bool half_open = plx__option_value(socket->options, PLX_OPTION_HALF_OPEN) != 0;
    socket->watch.ready &= (uint8_t) ~(PLX__READ | PLX__END);
    if (error != 0) {
        enter(socket, PLX__RX_FAILED, plx__sending_reason(socket->tx_error, error));
    } else if (half_open && socket->state == PLX_CONNECTED) {
        enter(socket, PLX__RX_HALF_CLOSED, 0);
        socket->pending |= PLX__EVENT_BIT(PLX__EVENT_END_OF_INPUT);
    } else {
        enter(socket, PLX__RX_ENDED, 0);
    }
}

void plx__receiving_hang_up(plx_socket *socket, int error)
{
    enter(socket, error == 0 ? PLX__RX_ENDED : PLX__RX_FAILED, error);
}

void plx__receiving_drop(plx_socket *socket)
{
    enter(socket, PLX__RX_DROPPING, 0);
}
