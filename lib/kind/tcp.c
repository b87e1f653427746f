/* lib/kind/tcp.c -- TCP. */
#include "config.h"

#include "lib/endpoint/internet.h"
#include "lib/socket/options.h"
#include "lib/socket/sending.h"
#include "lib/socket/state.h"
#include "lib/transfer/stream.h"

#include <pollux/tcp.h>

/* Keeps an urgent byte at its place in the stream (SO_OOBINLINE, RFC 6093). By default the kernel
 * takes the byte out of the stream. */
static void tcp_prepare(plx__fd descriptor)
{
    plx__os_set_urgent_inline(descriptor);
}

/* After shutdown(SHUT_WR) the kernel counts our FIN as one unacknowledged byte; subtract it. */
static ptrdiff_t tcp_unconfirmed(plx_socket *socket)
{
    ptrdiff_t count = plx__os_bytes_unacknowledged(socket->watch.descriptor);
    return socket->tx == PLX__TX_SHUT && count > 0 ? count - 1 : count;
}

static void tcp_add_statistics(const plx_socket *socket, plx_statistics *statistics)
{
    struct plx__os_connection_facts facts;
    if (plx__os_connection_facts(socket->watch.descriptor, &facts) == 0) {
        statistics->round_trip = facts.round_trip;
        statistics->round_trip_variation = facts.round_trip_variation;
        statistics->retransmissions = facts.retransmissions;
        statistics->congestion_window = facts.congestion_window;
    }
}

static const struct plx_kind tcp = {
    .name = "TCP",
    .endpoint = &plx__internet_endpoint,
    .transport = &plx__stream_transport,
    .unopened = PLX__NOT_CONNECTED,
    .size = sizeof(plx_socket),
    .options = PLX__OPTIONS_OF_SOCKETS | PLX__OPTIONS_OF_INTERNET | PLX__OPTION(KEEP_ALIVE) |
               PLX__OPTION(KEEP_ALIVE_IDLE) | PLX__OPTION(KEEP_ALIVE_INTERVAL) |
               PLX__OPTION(KEEP_ALIVE_COUNT) | PLX__OPTION(LOW_DELAY) | PLX__OPTION(AUTO_CONNECT) |
               PLX__OPTION(UNACKNOWLEDGED_TIMEOUT),
    .defaults = PLX__OPTION(LOW_DELAY),
    .short_is_all = true,
    .is_confirmed = true,
    .prepare = tcp_prepare,
    .receive = plx__stream_receive,
    .send = plx__stream_send,
    .unconfirmed = tcp_unconfirmed,
    .add_statistics = tcp_add_statistics,
};

plx_socket *plx_tcp_new(void)
{
    return plx__socket_new(&tcp);
}
