/* lib/statistics.c -- floor 4: what a socket has done. */
#include "config.h"

#include "lib/clock.h"
#include "lib/socket.h"

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
    statistics.messages_received = socket->messages_received;
    statistics.messages_sent = socket->messages_sent;
    if (socket->since != 0) {
        statistics.idle =
            (int64_t)((plx__task_now(&socket->task) - socket->since) / PLX__MILLISECOND);
    }
    if (socket->kind->add_statistics != NULL && socket->watch.task != NULL) {
        socket->kind->add_statistics(socket, &statistics);
    }
    memcpy(ret_statistics, &statistics, size < sizeof statistics ? size : sizeof statistics);
    return true;
}
