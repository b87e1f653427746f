/* lib/transfer/run.h -- the write queue of datagrams: runs.
 *
 * Design: the write queue holds runs. A run is what can leave as one message where the kernel has
 * segmentation offload (udp(7), UDP_SEGMENT): datagrams in a row for one receiver and from one
 * address of ours, all of one size but the last, which may be shorter. Its payloads stand behind each
 * other, so that nothing is copied or gathered to send it.
 *
 *      | run | payload payload payload ... | run | source | payload | run | payload payload ...
 *
 * A source is the address of ours that a run leaves from, where the kernel is not to choose it; one
 * that was refused has family 0. It has the room of a run, and counts as one in socket->out_records,
 * so that what is queued beside payloads is known.
 *
 * Invariants: a run has at most 64 datagrams and PLX__RUN_SIZE bytes, and an empty datagram is one
 * by itself; socket->out_records counts runs and sources. A zeroed queue is empty. */
#ifndef PLX_LIB_RUN_H
#define PLX_LIB_RUN_H

#include "lib/base/buffer.h"
#include "lib/base/origin.h"
#include "lib/socket/object.h"

#include <string.h>

/* The most that a run may carry: what one datagram over IPv4 can (RFC 768, RFC 791). */
#define PLX__RUN_SIZE ((size_t)65507)

struct plx__run {
    plx_address address; /* family 0: the peer */
    uint32_t size;       /* of all its payloads */
    uint16_t segment;    /* of one of them but the last */
    uint16_t source;     /* the bytes of the source that follows, or 0 */
};

struct plx__source {
    plx_address address; /* without a port; family 0: the kernel's choice after all */
    bool chosen;         /* by the program */
    uint8_t unused[7];
};

/* What is known of the queue beside its bytes, which are those of socket->out. */
struct plx__runs {
    struct plx__run last;      /* as it stands in the queue, while `open` */
    struct plx__source source; /* of it, if it has one */
    bool open;                 /* the queue's last run may take another datagram */
    uint8_t count;             /* of its datagrams */
    size_t datagrams;          /* in all of the queue; counts only while it has runs */
    struct plx__origins
        origins; /* where its receivers were heard, if at one of several addresses */
};

/* plx__run_at returns the run at that offset of the queue, plx__run_put replaces it. */
static inline struct plx__run plx__run_at(const struct plx__buffer *queue, size_t offset)
{
    struct plx__run run;
    /* Runs begin at any byte: copying is what alignment asks for. */
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

/* plx__run_put_size sets the size of the run at that offset: one that grows changes in nothing else. */
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

/* plx__runs_add queues a datagram; `to` NULL is the peer, `from` NULL the address at which `to`
 * was heard, or one of the kernel's choice. False when out of memory. */
bool plx__runs_add(plx_socket *socket, struct plx__runs *queue, const plx_address *to,
                   const plx_address *from, const void *data, size_t size);

/* plx__runs_lose_peer makes what is queued for the peer the datagrams of an address, or drops it
 * with NULL; the others stay. Returns how many were dropped. */
size_t plx__runs_lose_peer(plx_socket *socket, struct plx__runs *queue, const plx_address *address);

/* plx__runs_redirect has what is queued for one address go to another. */
void plx__runs_redirect(plx_socket *socket, struct plx__runs *queue, const plx_address *from,
                        const plx_address *to);

/* plx__runs_count returns how many datagrams are queued. */
size_t plx__runs_count(const plx_socket *socket, const struct plx__runs *queue);

/* plx__run_take_front removes `size` bytes from the front of the first run of the socket's queue: what
 * is left of that run becomes the first. */
void plx__run_take_front(plx_socket *socket, size_t size);

#endif
