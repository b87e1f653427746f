/* lib/socket/records.h -- what a socket of records counts besides bytes.
 *
 * A stream counts bytes only, so these counts are no members of plx_socket: the socket of each kind
 * whose transport keeps boundaries begins with a struct plx__record_socket. */
#ifndef PLX_LIB_RECORDS_H
#define PLX_LIB_RECORDS_H

#include "lib/socket/object.h"

struct plx__records {
    size_t in;               /* records in the receive buffer */
    size_t out;              /* heads in the write queue, each of the record_size */
    uint64_t received, sent; /* messages since the connection began */
    bool large;              /* a receive has filled more than a usual block: the block is kept */
};

struct plx__record_socket {
    plx_socket base;
    struct plx__records records;
};

/* plx__records_of returns the counts of a socket whose transport keeps boundaries. */
static inline struct plx__records *plx__records_of(const plx_socket *socket)
{
    return &PLX__CONTAINER_OF(socket, struct plx__record_socket, base)->records;
}

/* plx__records_begin, plx__records_drop_sending and plx__records_drop_received reset the counts of
 * a connection, of the queue and of the receive buffer. For any socket. */
static inline void plx__records_begin(plx_socket *socket)
{
    if (socket->kind->transport->keeps_boundaries) {
        plx__records_of(socket)->received = plx__records_of(socket)->sent = 0;
    }
}

static inline void plx__records_drop_sending(plx_socket *socket)
{
    if (socket->kind->transport->keeps_boundaries) {
        plx__records_of(socket)->out = 0;
    }
}

static inline void plx__records_drop_received(plx_socket *socket)
{
    if (socket->kind->transport->keeps_boundaries) {
        plx__records_of(socket)->in = 0;
    }
}

/* plx__records_heads returns how many bytes of the write queue are no payload. For any socket. */
static inline size_t plx__records_heads(const plx_socket *socket)
{
    const struct plx__transport *transport = socket->kind->transport;
    return transport->keeps_boundaries ? plx__records_of(socket)->out * transport->record_size : 0;
}

#endif
