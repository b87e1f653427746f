/* lib/endpoint/named.h -- datagrams that are written to a host name, or to a peer that was one.
 *
 * What waits for a look-up stands with its name (lib/resolve/host-cache.h); which of a name's addresses gets the
 * datagrams is tried (lib/resolve/trial.h). A zeroed one is empty and valid. */
#ifndef PLX_LIB_NAMED_H
#define PLX_LIB_NAMED_H

#include "lib/resolve/host-cache.h"
#include "lib/transfer/datagram-in.h"
#include "lib/transfer/datagram-out.h"

struct plx__named {
    struct plx__host_cache names;
    size_t waiting_bytes, waiting_records; /* for names that are being looked up */
};

/* plx__named_write queues a datagram, checked before, for a host name; family is 4, 6 or 0 for any.
 * Returns 0, or a code after plx__socket_fail. */
int plx__named_write(plx_socket *socket, struct plx__named *named,
                     struct plx__datagram_out *outgoing, const char *host, int port, int family,
                     const void *data, size_t size);

/* plx__named_try says which addresses the peer's name has; the socket is connected to [chosen]. */
void plx__named_try(plx_socket *socket, struct plx__named *named,
                    struct plx__datagram_out *outgoing, const plx_address *addresses, size_t count,
                    size_t chosen, uint16_t port);

/* plx__named_rests says that no look-up and no trial is under way, as nearly always: there is nothing to
 * advance, and no deadline. */
static inline bool plx__named_rests(const struct plx__named *named)
{
    return named->names.queue == NULL && named->names.trials.first == NULL &&
           !named->names.trials.heeded;
}

/* plx__named_advance goes on with look-ups and trials. */
void plx__named_advance(plx_socket *socket, struct plx__named *named,
                        struct plx__datagram_out *outgoing, struct plx__datagram_in *incoming);

/* plx__named_deadline returns when to advance at the latest, 0 for never. */
uint64_t plx__named_deadline(const struct plx__named *named);

/* plx__named_leave_peer ends the trial of a peer that is given back. */
void plx__named_leave_peer(plx_socket *socket, struct plx__named *named,
                           struct plx__datagram_out *outgoing);

/* plx__named_clear forgets all. */
void plx__named_clear(struct plx__named *named);

#endif
