/* lib/transfer/named.h -- datagrams for a host name, or for a peer that was given as a host name.
 *
 * Datagrams wait for a lookup in the cache entry of their host name (lib/resolve/host-cache.h). A
 * trial finds out which of the name's addresses answers (lib/resolve/trial.h). A zeroed struct is
 * empty and valid. */
#ifndef PLX_LIB_NAMED_H
#define PLX_LIB_NAMED_H

#include "lib/resolve/host-cache.h"
#include "lib/transfer/datagram-in.h"
#include "lib/transfer/datagram-out.h"

struct plx__named {
    struct plx__host_cache names;
    size_t waiting_bytes, waiting_records; /* of datagrams that wait for a lookup */
};

/* plx__named_write queues a datagram for a host name; the caller has checked the arguments.
 * `family` is 4, 6, or 0 for any. Returns 0, or a code after plx__socket_fail. */
int plx__named_write(plx_socket *socket, struct plx__named *named,
                     struct plx__datagram_out *outgoing, const char *host, int port, int family,
                     const void *data, size_t size);

/* plx__named_try begins a trial of the addresses that the peer's name has; the socket is connected
 * to addresses[chosen]. */
void plx__named_try(plx_socket *socket, struct plx__named *named,
                    struct plx__datagram_out *outgoing, const plx_address *addresses, size_t count,
                    size_t chosen, uint16_t port);

/* plx__named_rests returns whether no lookup and no trial is in progress, which is the common case.
 * Then there is nothing to advance, and no deadline. */
static inline bool plx__named_rests(const struct plx__named *named)
{
    return named->names.queue == NULL && named->names.trials.first == NULL &&
           !named->names.trials.heeded;
}

/* plx__named_advance continues the lookups and trials. */
void plx__named_advance(plx_socket *socket, struct plx__named *named,
                        struct plx__datagram_out *outgoing, struct plx__datagram_in *incoming);

/* plx__named_deadline returns when plx__named_advance must be called at the latest, 0 for never. */
uint64_t plx__named_deadline(const struct plx__named *named);

/* plx__named_leave_peer ends the trial of a peer that is removed. */
void plx__named_leave_peer(plx_socket *socket, struct plx__named *named,
                           struct plx__datagram_out *outgoing);

/* plx__named_clear removes all names, waiting datagrams and trials. */
void plx__named_clear(struct plx__named *named);

#endif
