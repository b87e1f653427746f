/* lib/arrival.c -- floor 4: datagrams as they come in. */
#include "config.h"

#include "lib/arrival.h"
#include "lib/record.h"

#include <errno.h>

/* More than a datagram can carry: 65535 less the header (RFC 768). */
#define PLACE ((size_t)65528)

static bool keep(plx_socket *socket, const struct plx__os_name *from, const void *data, size_t size,
                 bool truncated)
{
    struct plx__record record = {.size = (uint32_t)size, .truncated = truncated};
    plx__os_name_to_address(from, &record.address);
    if (socket->filtered && !plx_address_equal(&record.address, &socket->remote)) {
        /* It came before the peer was chosen, and waited: from then on the system sorts them out.
         */
        return true;
    }
    if (!plx__record_append(&socket->in, &record, data, plx__socket_pool(socket))) {
        return false;
    }
    socket->in_records++;
    socket->messages_received++;
    plx__socket_received(socket, size);
    return true;
}

/* One datagram at a time: recvmmsg(2) saves nothing that could be measured, and wants room for all
 * of them at their largest. */
void plx__arrival_input(plx_socket *socket, struct plx__budget *budget)
{
    uint8_t place[PLACE];
    int limit = plx__option_value(socket->options, PLX_OPTION_READ_LIMIT);
    size_t most = limit == 0 || (size_t)limit > sizeof place ? sizeof place : (size_t)limit;
    while (plx__socket_room(socket) > 0) {
        struct plx__os_name from;
        bool truncated = false;
        ptrdiff_t count =
            plx__os_receive_from(socket->watch.descriptor, place, most, &from, &truncated);
        if (count == -EAGAIN) {
            socket->watch.ready &= (uint8_t) ~(PLX__READ | PLX__END);
            break;
        }
        if (count < 0) {
            /* Word of an earlier datagram that did not arrive (udp(7)); the socket goes on. */
            plx__socket_fail_system(socket, (int)count, "receive");
        } else if (!keep(socket, &from, place, (size_t)count, truncated)) {
            plx__socket_fail_system(socket, -ENOMEM, "receive %zu bytes", (size_t)count);
        }
        plx__budget_spend(budget, count < 0 ? 0 : (size_t)count);
        if (plx__budget_is_spent(budget)) {
            socket->more = true;
            break;
        }
    }
}
