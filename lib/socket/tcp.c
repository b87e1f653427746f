/* lib/socket/tcp.c -- floor 5: TCP. */
#include "config.h"

#include "lib/internet.h"
#include "lib/stream.h"

#include <pollux/tcp.h>

static int tcp_aim(plx_socket *socket, struct plx__aim *ret_aim)
{
    return plx__internet_aim(socket, socket->address, socket->port, ret_aim);
}

/* Once we have said that nothing more comes, that word is a byte of its own that wants confirming;
 * it is none of ours. */
static ptrdiff_t tcp_unconfirmed(plx_socket *socket)
{
    ptrdiff_t count = plx__os_bytes_unacknowledged(socket->watch.descriptor);
    return socket->sending_ended && count > 0 ? count - 1 : count;
}

static const struct plx_kind tcp = {
    PLX__STREAM_SLOTS,
    .name = "TCP",
    .size = sizeof(plx_socket),
    .families = {AF_INET, AF_INET6},
    .options = PLX__OPTIONS_OF_SOCKETS | PLX__OPTIONS_OF_INTERNET | PLX__OPTION(KEEP_ALIVE) |
               PLX__OPTION(KEEP_ALIVE_IDLE) | PLX__OPTION(KEEP_ALIVE_INTERVAL) |
               PLX__OPTION(KEEP_ALIVE_COUNT) | PLX__OPTION(LOW_DELAY),
    .presets = PLX__OPTION(LOW_DELAY),
    .parse = plx__internet_parse,
    .aim = tcp_aim,
    .bind_local = plx__internet_bind_local,
    .bind = plx__internet_bind,
    .unconfirmed = tcp_unconfirmed,
};

plx_socket *plx_tcp_new(void)
{
    return plx__socket_new(&tcp);
}
