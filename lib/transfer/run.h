/* lib/transfer/run.h -- a run of datagrams as it stands in the write queue (lib/transfer/datagram-out.h). */
#ifndef PLX_LIB_RUN_H
#define PLX_LIB_RUN_H

#include "lib/base/buffer.h"
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

/* plx__run_take_front removes `size` bytes from the front of the first run of the socket's queue: what
 * is left of that run becomes the first. */
void plx__run_take_front(plx_socket *socket, size_t size);

#endif
