/* lib/transfer/run.c -- the queue of runs: datagrams are added, redirected, dropped and removed. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/socket/object.h"
#include "lib/transfer/run.h"

#include <string.h>

/* The limit of Linux 4.18, the first with UDP_SEGMENT; later kernels allow more. */
#define RUN_COUNT 64

/* Whether a datagram may go behind those of the last run. */
static inline bool joins(const struct plx__runs *self, const plx_address *to,
                         const struct plx__source *source, size_t size)
{
    if (!self->open || size == 0 || size > self->last.segment || self->count >= RUN_COUNT ||
        self->last.size + size > PLX__RUN_SIZE ||
        memcmp(&self->last.address, to, sizeof *to) != 0) {
        return false;
    }
    return source == NULL
               ? self->last.source == 0
               : self->last.source != 0 && memcmp(&self->source, source, sizeof *source) == 0;
}

/* Returns the place of the datagram's bytes; NULL: out of memory. So does begin_run. */
static inline uint8_t *join(plx_socket *socket, struct plx__runs *self, size_t size)
{
    uint8_t *place = plx__buffer_reserve(&socket->out, size, plx__socket_pool(socket));
    if (place == NULL) {
        return NULL;
    }
    plx__buffer_commit(&socket->out, size);
    self->last.size += (uint32_t)size;
    self->count++;
    self->open = size == self->last.segment;
    plx__run_put_size(&socket->out, socket->out.size - self->last.size - plx__run_head(&self->last),
                      self->last.size);
    return place;
}

static inline uint8_t *begin_run(plx_socket *socket, struct plx__runs *self, const plx_address *to,
                                 const struct plx__source *source, size_t size)
{
    size_t head = source == NULL ? sizeof self->last : sizeof self->last + sizeof *source;
    uint8_t *place = plx__buffer_reserve(&socket->out, head + size, plx__socket_pool(socket));
    if (place == NULL) {
        return NULL;
    }
    self->last = (struct plx__run){.address = *to,
                                   .size = (uint32_t)size,
                                   .segment = (uint16_t)size,
                                   .source = source == NULL ? 0 : sizeof *source};
    memcpy(place, &self->last, sizeof self->last);
    if (source != NULL) {
        self->source = *source;
        memcpy(place + sizeof self->last, source, sizeof *source);
    }
    plx__buffer_commit(&socket->out, head + size);
    self->open = size > 0;
    self->count = 1;
    plx__records_of(socket)->out += source == NULL ? 1 : 2;
    return place + head;
}

/* Sets *ret_source to the local address that a datagram leaves from; NULL: the kernel chooses. */
static PLX__APART const struct plx__source *find_source(struct plx__runs *self,
                                                        const plx_address *to,
                                                        const plx_address *from,
                                                        struct plx__source *ret_source)
{
    from = from == NULL || plx__address_is_for_many(from) ? NULL : from;
    const plx_address *heard = from == NULL ? plx__origins_find(&self->origins, to) : from;
    if (heard == NULL) {
        return NULL;
    }
    *ret_source = (struct plx__source){.address = *heard, .chosen = from != NULL};
    ret_source->address.port = 0;
    return ret_source;
}

uint8_t *plx__runs_add(plx_socket *socket, struct plx__runs *self, const plx_address *to,
                       const plx_address *from, size_t size)
{
    static const plx_address peer = {0};
    struct plx__source found;
    bool chosen = to != NULL && (from != NULL || self->origins.list != NULL);
    const struct plx__source *source = chosen ? find_source(self, to, from, &found) : NULL;
    to = to == NULL ? &peer : to;
    if (socket->out.size == 0) {
        self->datagrams = 0;
        self->open = false;
    }
    uint8_t *place = joins(self, to, source, size) ? join(socket, self, size)
                                                   : begin_run(socket, self, to, source, size);
    self->datagrams += place == NULL ? 0 : 1;
    return place;
}

size_t plx__runs_count(const plx_socket *socket, const struct plx__runs *self)
{
    return socket->out.size == 0 ? 0 : self->datagrams;
}

size_t plx__runs_lose_peer(plx_socket *socket, struct plx__runs *self, const plx_address *address)
{
    struct plx__buffer *queue = &socket->out;
    size_t kept = 0, dropped = 0;
    for (size_t at = 0; at < queue->size;) {
        struct plx__run run = plx__run_at(queue, at);
        size_t size = plx__run_head(&run) + run.size;
        bool peers = run.address.family == 0;
        if (peers && address != NULL) {
            run.address = *address;
            plx__run_put(queue, at, &run);
        }
        if (peers && address == NULL) {
            dropped += plx__run_datagrams(&run);
            plx__records_of(socket)->out--; /* a run for the peer has no source */
        } else {
            uint8_t *data = queue->block + queue->start;
            memmove(data + kept, data + at, size);
            kept += size;
        }
        at += size;
    }
    plx__buffer_truncate(queue, kept);
    self->open = false;
    self->datagrams -= dropped;
    return dropped;
}

void plx__runs_redirect(plx_socket *socket, struct plx__runs *self, const plx_address *from,
                        const plx_address *to)
{
    for (size_t at = 0; at < socket->out.size;) {
        struct plx__run run = plx__run_at(&socket->out, at);
        if (plx_address_equal(&run.address, from)) {
            run.address = *to;
            plx__run_put(&socket->out, at, &run);
        }
        at += plx__run_head(&run) + run.size;
    }
    self->open = false;
}

void plx__run_shorten_front(plx_socket *socket, size_t size)
{
    uint8_t kept[sizeof(struct plx__run) + sizeof(struct plx__source)];
    struct plx__run run = plx__run_at(&socket->out, 0);
    size_t head = plx__run_head(&run);
    plx__run_put_size(&socket->out, 0, run.size - (uint32_t)size);
    memcpy(kept, plx__buffer_data(&socket->out), head);
    plx__buffer_skip(&socket->out, size);
    memcpy(socket->out.block + socket->out.start, kept, head);
}
