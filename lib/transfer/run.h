/* lib/transfer/run.h -- the write queue of datagrams: runs.
 *
 * Design: the write queue holds runs. A run can be sent as one message where the kernel has
 * segmentation offload (udp(7), UDP_SEGMENT): consecutive datagrams for one receiver and from one
 * local address, all of one size except the last, which may be shorter. The payloads of a run are
 * contiguous, so that sending a run copies and gathers nothing.
 *
 *      | run | payload payload payload ... | run | source | payload | run | payload payload ...
 *
 * A source is the local address that a run leaves from, where the kernel does not choose it; a
 * source that the kernel refused has family 0. A source has the size of a struct plx__run and
 * counts as one head (lib/socket/records.h), so that the queue's bytes without the payloads are
 * known.
 *
 * Invariants: a run has at most 64 datagrams and PLX__RUN_SIZE bytes; an empty datagram is a run of
 * its own; runs and sources are counted as heads. A zeroed queue is empty. */
#ifndef PLX_LIB_RUN_H
#define PLX_LIB_RUN_H

#include "lib/base/buffer.h"
#include "lib/base/origin.h"
#include "lib/socket/records.h"

#include <string.h>

/* The most bytes of a run: those of the largest datagram over IPv4 (RFC 768, RFC 791). */
#define PLX__RUN_SIZE ((size_t)65507)

struct plx__run {
    plx_address address; /* family 0: the peer */
    uint32_t size;       /* of all its payloads */
    uint16_t segment;    /* of each payload except the last */
    uint16_t source;     /* the size of the source that follows, or 0 */
};

struct plx__source {
    plx_address address; /* without a port; family 0: refused, the kernel chooses */
    bool chosen;         /* by the program */
    uint8_t unused[7];
};

/* What is known about the queue; its bytes are socket->out. */
struct plx__runs {
    struct plx__run last;      /* a copy of the queue's last run, while `open` */
    struct plx__source source; /* of the last run, if it has one */
    bool open;                 /* the queue's last run may take another datagram */
    uint8_t count;             /* datagrams of the last run */
    size_t datagrams;          /* in the whole queue; valid only while it has runs */
    struct plx__origins
        origins; /* at which local address each receiver was heard, if there are several */
};

/* plx__run_at returns the run at that offset of the queue, plx__run_put replaces it. */
static inline struct plx__run plx__run_at(const struct plx__buffer *queue, size_t offset)
{
    struct plx__run run;
    /* A run begins at any byte, so it may be unaligned: copy it. */
    memcpy(&run, plx__buffer_data(queue) + offset, sizeof run);
    return run;
}

static inline void plx__run_put(struct plx__buffer *queue, size_t offset,
                                const struct plx__run *run)
{
    memcpy(queue->block + queue->start + offset, run, sizeof *run);
}

/* plx__run_head returns how many bytes precede the payloads of a run. */
static inline size_t plx__run_head(const struct plx__run *run)
{
    return sizeof *run + run->source;
}

_Static_assert(sizeof(struct plx__source) == sizeof(struct plx__run),
               "a source has the room of a run");

/* plx__run_source returns the source of the run at that offset, which has one. */
static inline struct plx__source plx__run_source(const struct plx__buffer *queue, size_t offset)
{
    struct plx__source source;
    memcpy(&source, plx__buffer_data(queue) + offset + sizeof(struct plx__run), sizeof source);
    return source;
}

/* plx__run_put_size sets the size of the run at that offset. A run that grows changes only its
 * size. */
static inline void plx__run_put_size(struct plx__buffer *queue, size_t offset, uint32_t size)
{
    memcpy(queue->block + queue->start + offset + offsetof(struct plx__run, size), &size,
           sizeof size);
}

/* plx__run_datagrams returns how many datagrams a run has. */
static inline size_t plx__run_datagrams(const struct plx__run *run)
{
    return run->size == 0 ? 1 : (run->size + run->segment - 1) / run->segment;
}

/* plx__runs_add queues a datagram and returns the place of its `size` bytes, which the caller
 * fills. `to` NULL means the peer; `from` NULL means the local address at which `to` was heard, or
 * else the kernel's choice. Returns NULL when out of memory. */
uint8_t *plx__runs_add(plx_socket *socket, struct plx__runs *queue, const plx_address *to,
                       const plx_address *from, size_t size);

/* plx__runs_lose_peer redirects the peer's queued datagrams to `address`, or drops them if it is
 * NULL. The other datagrams stay. Returns how many were dropped. */
size_t plx__runs_lose_peer(plx_socket *socket, struct plx__runs *queue, const plx_address *address);

/* plx__runs_redirect redirects the datagrams queued for `from` to `to`. */
void plx__runs_redirect(plx_socket *socket, struct plx__runs *queue, const plx_address *from,
                        const plx_address *to);

/* plx__runs_count returns how many datagrams are queued. */
size_t plx__runs_count(const plx_socket *socket, const struct plx__runs *queue);

/* plx__run_shorten_front removes the first `size` payload bytes of the first run of the socket's
 * queue, which has more. What is left of that run stays the first run. */
void plx__run_shorten_front(plx_socket *socket, size_t size);

/* plx__run_take_front removes the first `size` payload bytes of the socket's queue, which are all
 * of its first run or a part. What is left of that run becomes the first run. Inline because each
 * datagram sent passes here. */
static inline void plx__run_take_front(plx_socket *socket, size_t size)
{
    struct plx__run run = plx__run_at(&socket->out, 0);
    if (run.size > size) {
        plx__run_shorten_front(socket, size);
        return;
    }
    plx__buffer_skip(&socket->out, plx__run_head(&run) + size);
    plx__records_of(socket)->out -= run.source == 0 ? 1 : 2;
}

#endif
