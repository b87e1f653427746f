/* lib/socket/statistics.c -- the statistics of a socket. */
#include "config.h"

#include "lib/os/clock.h"
#include "lib/socket/object.h"
#include "lib/socket/records.h"

#include <string.h>

bool plx_socket_statistics_sized(const plx_socket *socket, plx_statistics *ret_statistics,
                                 size_t size)
{
    plx_statistics statistics = {.idle = -1,
                                 .round_trip = -1,
                                 .round_trip_variation = -1,
                                 .retransmissions = -1,
                                 .congestion_window = -1,
                                 .messages_dropped = -1};
    if (socket == NULL || ret_statistics == NULL) {
        return false;
    }
    statistics.bytes_received = socket->bytes_received;
    statistics.bytes_sent = socket->bytes_sent;
    if (socket->kind->transport->keeps_boundaries) {
        statistics.messages_received = plx__records_of(socket)->received;
        statistics.messages_sent = plx__records_of(socket)->sent;
    }
    uint64_t now = plx__clock_now();
    if (socket->last_activity != 0) {
        /* The moment may lie a tick ahead of a clock that was set back. */
        uint64_t since = now > socket->last_activity ? now - socket->last_activity : 0;
        statistics.idle = (int64_t)(since / PLX__MILLISECOND);
    }
    if (socket->kind->add_statistics != NULL && socket->watch.task != NULL) {
        socket->kind->add_statistics(socket, &statistics);
    }
    memcpy(ret_statistics, &statistics, size < sizeof statistics ? size : sizeof statistics);
    return true;
}
