/* lib/socket/chain-in.c -- what the filters of a socket receive. */
#include "config.h"

#include "lib/os/errno.h"
#include "lib/socket/chain.h"
#include "lib/socket/interest.h"
#include "lib/socket/sending.h"

/* What plx_socket_close receives at most of what has arrived: this many bytes for each byte in the
 * kernel, and this many more. */
#define MOST_GROWTH 4
#define HELD_INPUT ((size_t)64 * 1024)

/* Keeps the end or the errno that was found behind some bytes: the kernel gives an errno to one
 * call only. PLX__END makes the input go on behind a short count. */
static void keep_end(struct plx__chain *chain, ptrdiff_t count)
{
    chain->in_end = (uint16_t)(count == 0 ? PLX__ENODATA : -count);
    chain->stack.socket->watch.ready |= PLX__END;
}

/* Receives until nothing is left, the room is full, or the plain kind has stopped the input
 * (`more`): one record of a filter may be small. */
static ptrdiff_t receive_all(struct plx__chain *chain, uint8_t *data, size_t size)
{
    size_t total = 0;
    ptrdiff_t count;
    plx_filter *first = plx__step_receiver(chain->top);
    bool more = chain->stack.socket->more;
    chain->stack.noted = (struct plx__noted){0};
    chain->stack.dry = false;
    do {
        count = plx__step_receive(&chain->stack, first, data + total, size - total);
        total += count > 0 ? (size_t)count : 0;
    } while (count > 0 && total < size && first != NULL && chain->stack.socket->more == more &&
             (!chain->stack.drained || plx__chain_holds_input(chain)));
    chain->stack.dry = count == -PLX__EAGAIN;
    chain->in = chain->stack.noted.in.want;
    chain->in.ready |= chain->stack.dry ? 0 : PLX__READ;
    if (total > 0 && count <= 0 && count != -PLX__EAGAIN) {
        keep_end(chain, count);
    }
    return total > 0 ? (ptrdiff_t)total : count;
}

ptrdiff_t plx__chain_receive(plx_socket *socket, void *data, size_t size)
{
    struct plx__chain *chain = plx__chain_of(socket);
    if (chain->in_end != 0) {
        return chain->in_end == PLX__ENODATA ? 0 : -chain->in_end;
    }
    if (chain->phase != PLX__CHAIN_OPEN) {
        return -PLX__EAGAIN;
    }
    unsigned before = chain->stack.taken;
    ptrdiff_t count = receive_all(chain, data, size);
    /* No readiness reports again what a receive has taken, and a send may wait for it. */
    if (chain->stack.taken != before && (chain->out.ready & PLX__READ) != 0) {
        plx__sending_unblock(socket);
    }
    return count;
}

/* What the filters wait for may have changed, and a poll of a quiet socket ends with its input. */
void plx__chain_input(plx_socket *socket, struct plx__budget *budget)
{
    plx__chain_of(socket)->stack.kind->transport->input(socket, budget);
    plx__socket_update(socket);
}

/* Filters may make more of the bytes that the kernel holds, and nobody knows how much. */
size_t plx__chain_pending(const plx_socket *socket)
{
    const struct plx__chain *chain = plx__chain_of(socket);
    size_t waiting = chain->stack.kind->transport->pending(socket);
    return waiting > 0 || plx__chain_holds_input(chain) ? waiting * MOST_GROWTH + HELD_INPUT : 0;
}
