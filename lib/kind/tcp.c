/* lib/kind/tcp.c -- TCP. */
#include "config.h"

#include "lib/endpoint/internet.h"
#include "lib/socket/options.h"
#include "lib/socket/state.h"
#include "lib/transfer/stream.h"

#include <pollux/tcp.h>

static int tcp_target(plx_socket *socket, struct plx__target *ret_target)
{
    return plx__internet_target(socket, socket->address, socket->port, ret_target);
}

/* An urgent byte stays where it stands in the stream: a second stream beside it was given up
 * (RFC 6093), and left alone the system would take the byte out. */
static void tcp_prepare(plx__fd descriptor)
{
    plx__os_set_urgent_inline(descriptor);
}

/* Once we have said that nothing more comes, that word is a byte of its own that wants confirming;
 * it is none of ours. */
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
    PLX__STREAM_SLOTS,
    .receive = plx__stream_receive,
    .send = plx__stream_send,
    .name = "TCP",
    .unopened = PLX__NOT_CONNECTED,
    .size = sizeof(plx_socket),
    .families = {PLX__FAMILY_IPV4, PLX__FAMILY_IPV6},
    .short_is_all = true,
    .options = PLX__OPTIONS_OF_SOCKETS | PLX__OPTIONS_OF_INTERNET | PLX__OPTION(KEEP_ALIVE) |
               PLX__OPTION(KEEP_ALIVE_IDLE) | PLX__OPTION(KEEP_ALIVE_INTERVAL) |
               PLX__OPTION(KEEP_ALIVE_COUNT) | PLX__OPTION(LOW_DELAY) | PLX__OPTION(AUTO_CONNECT) |
               PLX__OPTION(UNACKNOWLEDGED_TIMEOUT),
    .defaults = PLX__OPTION(LOW_DELAY),
    .parse = plx__internet_parse,
    .prepare = tcp_prepare,
    .target = tcp_target,
    .bind_local = plx__internet_bind_local,
    .bind = plx__internet_bind,
    .unconfirmed = tcp_unconfirmed,
    .add_statistics = tcp_add_statistics,
};

plx_socket *plx_tcp_new(void)
{
    return plx__socket_new(&tcp);
}
