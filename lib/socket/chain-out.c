/* lib/socket/chain-out.c -- what the filters of a socket send: queued bytes and goodbyes. */
#include "config.h"

#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/socket/chain.h"
#include "lib/socket/sending.h"

static const struct plx__want nothing = {0, 0};

/* ---- sending --------------------------------------------------------------------------------- */

/* Where the first queued bytes enter the chain, and how many of them do so. */
struct entry {
    plx_filter *filter; /* NULL: the plain kind */
    size_t size;        /* 0: a filter holds them back */
};

static struct entry find_entry(const struct plx__chain *chain, size_t size)
{
    plx_filter *filter = chain->bottom;
    while (filter != NULL && filter->older == 0 && filter->step >= PLX__FILTER_ESTABLISHED) {
        filter = filter->above;
    }
    if (filter == NULL) {
        return (struct entry){chain->top, size};
    }
    return (struct entry){filter->below, filter->older < size ? filter->older : size};
}

/* Counts `size` bytes off what is older than the filters. The filter that has its turn then is
 * established in the next poll. */
static void count_older(struct plx__chain *chain, size_t size)
{
    bool turn = false;
    for (plx_filter *filter = chain->top; filter != NULL; filter = filter->below) {
        size_t less = filter->older < size ? filter->older : size;
        filter->older -= less;
        turn = turn || (less > 0 && filter->older == 0);
    }
    if (turn) {
        plx__chain_stir(chain);
    }
    if (chain->phase == PLX__CHAIN_BUSY) {
        plx__chain_extend_limit(chain);
    }
}

static ptrdiff_t send_entry(struct plx__chain *chain, const void *data, struct entry entry)
{
    chain->stack.noted = (struct plx__noted){0};
    entry.filter = plx__step_sender(entry.filter);
    chain->stack.carries = true;
    ptrdiff_t count = plx__step_send(&chain->stack, entry.filter, data, entry.size);
    chain->stack.carries = false;
    size_t taken = count > 0 ? (size_t)count : 0;
    chain->offered = entry.filter == NULL ? 0 : entry.size - taken;
    chain->out = chain->stack.noted.out.want;
    return count;
}

/* Keeps the errno that was found behind some bytes: the next poll sends again and finds it. */
static void keep_failure(struct plx__chain *chain, ptrdiff_t count)
{
    chain->out_end = (uint16_t)-count;
    chain->out = (struct plx__want){0, plx__clock_now()};
}

/* A count below the size means that the rest has to wait for `out`. */
ptrdiff_t plx__chain_send(plx_socket *socket, const void *data, size_t size)
{
    struct plx__chain *chain = plx__chain_of(socket);
    const uint8_t *bytes = data;
    size_t total = 0;
    ptrdiff_t count = -PLX__EAGAIN;
    if (chain->out_end != 0) {
        return -chain->out_end;
    }
    while (total < size) {
        struct entry entry = find_entry(chain, size - total);
        if (entry.size == 0) {
            chain->out = nothing;
            break;
        }
        count = send_entry(chain, bytes + total, entry);
        if (count <= 0) {
            break;
        }
        total += (size_t)count;
        count_older(chain, (size_t)count);
        if ((size_t)count < entry.size && chain->offered == 0) {
            break; /* the kernel's buffer is full */
        }
    }
    if (total > 0 && count < 0 && count != -PLX__EAGAIN) {
        keep_failure(chain, count);
    }
    return total > 0 ? (ptrdiff_t)total : count;
}

size_t plx__chain_piece(const plx_socket *socket, size_t budget)
{
    const struct plx__chain *chain = plx__chain_of(socket);
    size_t size = socket->out.size;
    size_t most = chain->phase == PLX__CHAIN_PASSING ? budget : PLX__CHAIN_PIECE;
    return size < most ? size : most;
}

bool plx__chain_sends(const struct plx__chain *chain)
{
    return plx__step_sender(chain->top) != NULL;
}

size_t plx__chain_abort(struct plx__chain *chain)
{
    size_t kept = chain->offered;
    size_t queued = chain->stack.socket->out.size;
    for (plx_filter *filter = chain->top; filter != NULL; filter = filter->below) {
        filter->older = filter->older < kept ? filter->older : kept;
    }
    if (kept == 0 && queued > 0 && chain->phase == PLX__CHAIN_BUSY) {
        plx__chain_stir(chain); /* a filter has its turn that waited for older bytes */
    }
    chain->aborted = kept > 0 && kept < queued;
    return kept;
}

bool plx__chain_take_aborted(struct plx__chain *chain)
{
    bool aborted = chain->aborted;
    chain->aborted = false;
    return aborted;
}

/* ---- the goodbye ----------------------------------------------------------------------------- */

int plx__chain_part(struct plx__chain *chain)
{
    plx_filter *filter = chain->top;
    int code = 0;
    chain->stack.noted = (struct plx__noted){0};
    for (; filter != NULL && code == 0; filter = filter->below) {
        code = plx__step_part(filter);
    }
    chain->out = chain->stack.noted.out.want;
    return code;
}

/* A goodbye behind a gap would be a lie. */
void plx__chain_part_once(plx_socket *socket)
{
    if (socket->kind->is_filtered && plx__socket_is_open(socket) && socket->out.size == 0 &&
        socket->tx == PLX__TX_OPEN) {
        plx__chain_part(plx__chain_of(socket));
    }
}

bool plx__chain_owes_goodbye(const plx_socket *socket)
{
    const struct plx__chain *chain = plx__chain_of(socket);
    return chain != NULL && socket->tx == PLX__TX_BLOCKED && socket->out.size == 0 &&
           ((chain->out.ready & PLX__WRITE) != 0 || chain->out.at != 0);
}

int plx__chain_shutdown(plx_socket *socket)
{
    struct plx__chain *chain = plx__chain_of(socket);
    int code = plx__chain_part(chain);
    return code != 0 ? code : chain->stack.kind->transport->shutdown(socket);
}
