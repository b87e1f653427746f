/* lib/transfer/packet.h -- packets over a connection, and what they share with datagrams.
 *
 * The receive buffer holds packets and datagrams as records (lib/base/record.h). The write queue
 * holds packets as records too; datagrams have a queue of their own (lib/transfer/run.h). The
 * transport's record_size says how many bytes precede each. Packets listen and end as a stream does
 * (lib/transfer/stream.h). */
#ifndef PLX_LIB_PACKET_H
#define PLX_LIB_PACKET_H

#include "lib/socket/object.h"

/* The transport of packets over a connection. */
extern const struct plx__transport plx__packet_transport;

/* The functions of struct plx__transport that all transports with records share. */
const void *plx__packet_front(const plx_socket *socket, size_t *ret_size);
size_t plx__packet_take(plx_socket *socket, size_t size);

/* plx__packet_fits returns whether `size` more bytes may be queued when `waiting` bytes already
 * wait to enter the queue. An empty queue takes a packet of any size: otherwise a packet above
 * WRITE_LIMIT could never leave. The function is inline because it runs for each datagram. */
static inline bool plx__packet_fits(const plx_socket *socket, size_t waiting, size_t size)
{
    size_t limit = (size_t)plx__option_value(socket->options, PLX_OPTION_WRITE_LIMIT);
    size_t queued = socket->out.size + waiting;
    return limit == 0 || queued == 0 ||
           queued + socket->kind->transport->record_size + size <= limit;
}

#endif
