/* lib/transfer/packet.c -- what sockets share that read and write records and no stream. */
#include "config.h"

#include "lib/base/record.h"
#include "lib/transfer/packet.h"

const void *plx__packet_front(const plx_socket *socket, size_t *ret_size)
{
    if (socket->in_records == 0) {
        *ret_size = 0;
        return plx__buffer_data(&socket->in);
    }
    struct plx__record record = plx__record_first(&socket->in);
    *ret_size = record.size;
    return plx__buffer_data(&socket->in) + sizeof record + record.destination;
}

size_t plx__packet_take(plx_socket *socket, size_t size)
{
    struct plx__record record;
    (void)size;
    if (socket->in_records == 0) {
        return 0;
    }
    record = plx__record_first(&socket->in);
    plx__record_skip(&socket->in, &record);
    socket->in_records--;
    return record.size;
}
