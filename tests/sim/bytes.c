/* tests/sim/bytes.c -- the calls of lib/os/os.h that move bytes, datagrams and descriptors. */
#include "config.h"

#include "tests/sim/extra.h"
#include "tests/sim/kernel.h"

#include <stdlib.h>
#include <string.h>

/* ---- receiving ------------------------------------------------------------------------------- */

static ptrdiff_t receive_datagram(struct sim_open *open, void *data, size_t size,
                                  struct plx__os_arrival *ret_facts)
{
    int error;
    struct sim_message *message = sim_udp_take(open, &error);
    if (message == NULL) {
        return error;
    }
    plx__sockaddr_from_address(&ret_facts->from, &message->from, open->family);
    ret_facts->to = (plx_address){0};
    if (open->wants_target) {
        ret_facts->to = message->to;
        ret_facts->to.port = 0;
    }
    ret_facts->segment = 0;
    ret_facts->dropped = open->dropped;
    ret_facts->counted = open->dropped > 0;
    ret_facts->truncated = size < message->size;
    size = size < message->size ? size : message->size;
    if (size > 0) {
        memcpy(data, message->data, size);
    }
    sim_queue_remove(open);
    return (ptrdiff_t)size;
}

static ptrdiff_t receive(plx__fd descriptor, void *data, size_t size,
                         struct plx__os_handles *handles, struct plx__os_arrival *ret_facts)
{
    int error;
    ptrdiff_t count;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    ret_facts->truncated = false;
    ret_facts->from.size = 0;
    switch (open->sort) {
    case SIM_TCP: count = sim_tcp_receive(open, data, size); break;
    case SIM_UDP: count = receive_datagram(open, data, size, ret_facts); break;
    default: count = sim_unix_receive(open, data, size, handles, &ret_facts->truncated); break;
    }
    sim_run();
    return count;
}

ptrdiff_t plx__os_receive(plx__fd descriptor, void *data, size_t size)
{
    struct plx__os_arrival facts;
    return receive(descriptor, data, size, NULL, &facts);
}

ptrdiff_t plx__os_receive_from(plx__fd descriptor, void *data, size_t size,
                               struct plx__sockaddr *ret_name, bool *ret_truncated)
{
    struct plx__os_arrival facts;
    memset(&facts, 0, sizeof facts);
    ptrdiff_t count = receive(descriptor, data, size, NULL, &facts);
    *ret_name = facts.from;
    *ret_truncated = facts.truncated;
    return count;
}

ptrdiff_t plx__os_receive_handles(plx__fd descriptor, void *data, size_t size,
                                  struct plx__os_handles *ret_handles)
{
    struct plx__os_arrival facts;
    ret_handles->count = 0;
    ret_handles->lost = false;
    return receive(descriptor, data, size, ret_handles, &facts);
}

/* unix_dgram_recvmsg finds the queue empty first, and then whether the peer has ended: when packets and
 * the end arrive in between, an end is reported, once, in front of them. */
static bool end_overtakes(struct sim_open *open)
{
    bool first = !open->end_shown;
    if (!open->receive_shut || open->sort != SIM_PACKET) {
        return false;
    }
    open->end_shown = true;
    return first && sim_happens(SIM_SHORT);
}

ptrdiff_t plx__os_packet_size(plx__fd descriptor)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    if (open->sort == SIM_PACKET && open->state != SIM_ESTABLISHED) {
        return -ENOTCONN;
    }
    if (open->error != 0) {
        error = open->error;
        open->error = 0;
        return -error;
    }
    if (open->first == NULL || end_overtakes(open)) {
        return open->receive_shut ? 0 : -EAGAIN;
    }
    return (ptrdiff_t)open->first->size;
}

/* ---- several datagrams ----------------------------------------------------------------------- */

bool plx__os_is_refusal(int error)
{
    return error == -ENOSYS || error == -EPERM || error == -EOPNOTSUPP;
}

void plx__os_prepare_arrivals(plx__fd descriptor)
{
    plx__os_ask_target(descriptor, true);
}

void plx__os_ask_target(plx__fd descriptor, bool wanted)
{
    sim_enter();
    if (sim_of(descriptor) != NULL) {
        sim_of(descriptor)->wants_target = wanted;
    }
}

int plx__os_dropped(plx__fd descriptor, uint32_t *ret_dropped)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    *ret_dropped = open->dropped;
    return 0;
}

ptrdiff_t plx__os_receive_arrivals(plx__fd descriptor, struct plx__os_arrival *arrivals,
                                   size_t count)
{
    size_t done = 0;
    ptrdiff_t size = 0;
    while (done < count) {
        struct plx__os_arrival *one = &arrivals[done];
        size = receive(descriptor, one->place, one->size, NULL, one);
        if (size < 0) {
            break;
        }
        one->size = (size_t)size;
        done++;
    }
    return done > 0 ? (ptrdiff_t)done : size;
}

int plx__os_heed_refusals(plx__fd descriptor, bool heed)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    open->heeds = heed;
    while (!heed && open->refusals != NULL) {
        struct sim_refusal *refusal = open->refusals;
        open->refusals = refusal->next;
        free(refusal);
    }
    return 0;
}

int plx__os_take_refusal(plx__fd descriptor, plx_address *ret_to)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL || open->refusals == NULL) {
        return 0;
    }
    struct sim_refusal *refusal = open->refusals;
    open->refusals = refusal->next;
    error = -refusal->error;
    *ret_to = refusal->to;
    free(refusal);
    /* sock_dequeue_err_skb: the next error of the queue becomes the socket's */
    open->error = open->refusals == NULL ? 0 : open->refusals->error;
    return error;
}

/* ---- sending --------------------------------------------------------------------------------- */

static ptrdiff_t send_as(plx__fd descriptor, const void *data, size_t size, const plx_address *to,
                         const plx_address *from, bool urgent)
{
    int error;
    ptrdiff_t count;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    switch (open->sort) {
    case SIM_TCP: count = sim_tcp_send(open, data, size, urgent); break;
    case SIM_UDP: count = sim_udp_send(open, data, size, to, from); break;
    default: count = sim_unix_send(open, data, size, NULL, 0); break;
    }
    sim_run();
    return count;
}

/* The simulated network has no mark. */
ptrdiff_t plx__os_send_urgent(plx__fd descriptor, const void *byte)
{
    return plx__os_send(descriptor, byte, 1);
}

bool plx__os_is_at_mark(plx__fd descriptor)
{
    (void)descriptor;
    return false;
}

ptrdiff_t plx__os_send(plx__fd descriptor, const void *data, size_t size)
{
    return send_as(descriptor, data, size, NULL, NULL, false);
}

ptrdiff_t sim_send_urgent(plx__fd descriptor, const void *data, size_t size)
{
    return send_as(descriptor, data, size, NULL, NULL, true);
}

static ptrdiff_t send_from(plx__fd descriptor, const void *data, size_t size,
                           const struct plx__sockaddr *name, const plx_address *from)
{
    plx_address to;
    const struct sim_open *open = sim_of(descriptor);
    if (name == NULL) {
        return send_as(descriptor, data, size, NULL, from, false);
    }
    if (open == NULL || !plx__sockaddr_to_address(name, &to) ||
        (to.family == 6 && open->family == PLX__FAMILY_IPV4)) {
        return open == NULL ? -EBADF : -EAFNOSUPPORT;
    }
    if (to.family == 4 && open->family == PLX__FAMILY_IPV6 && open->only_ipv6) {
        return -ENETUNREACH;
    }
    return send_as(descriptor, data, size, &to, from, false);
}

ptrdiff_t plx__os_send_to(plx__fd descriptor, const void *data, size_t size,
                          const struct plx__sockaddr *name)
{
    return send_from(descriptor, data, size, name, NULL);
}

ptrdiff_t plx__os_send_handles(plx__fd descriptor, const void *data, size_t size,
                               const plx__fd *handles, size_t count)
{
    int error;
    struct sim_open *passed[PLX__OS_HANDLES];
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    if (count > PLX__OS_HANDLES) {
        return -EINVAL;
    }
    for (size_t i = 0; i < count; i++) {
        passed[i] = sim_of(handles[i]);
        if (passed[i] == NULL) {
            return -EBADF;
        }
    }
    return open->family != PLX__FAMILY_UNIX ? send_as(descriptor, data, size, NULL, NULL, false)
                                            : sim_unix_send(open, data, size, passed, count);
}

bool plx__os_has_segments(plx__fd descriptor)
{
    (void)descriptor;
    return sim.seed % 2 == 0;
}

/* A run of datagrams that the kernel cuts apart. */
static ptrdiff_t send_run(plx__fd descriptor, const struct plx__os_message *message)
{
    const uint8_t *data = message->data;
    size_t sent = 0;
    ptrdiff_t result = 0;
    size_t segment = message->segment == 0 ? message->size : message->segment;
    do {
        size_t size = message->size - sent < segment ? message->size - sent : segment;
        result = send_from(descriptor, data + sent, size, message->name, message->from);
        if (result < 0) {
            /* The kernel has one answer for the run: what it could not send after a part is
             * lost. */
            return sent == 0 ? result : (ptrdiff_t)message->size;
        }
        sent += size;
    } while (sent < message->size);
    return (ptrdiff_t)message->size;
}

ptrdiff_t plx__os_send_messages(plx__fd descriptor, const struct plx__os_message *messages,
                                size_t count)
{
    size_t done = 0;
    ptrdiff_t result = 0;
    while (done < count && (result = send_run(descriptor, &messages[done])) >= 0) {
        done++;
    }
    return done > 0 ? (ptrdiff_t)done : result;
}

/* ---- beyond os.h ----------------------------------------------------------------------------- */

int sim_found(plx__fd descriptor)
{
    sim_enter();
    const struct sim_open *open = sim_of(descriptor);
    return descriptor < 0 ? 0 : open == NULL ? SIM_NVAL : sim_ready(open);
}

const char *sim_folder(void)
{
    return "/sim";
}

void sim_settle(void)
{
    while (sim_next() != 0 && sim_next() < sim.now + 60 * SIM_SECOND) {
        sim_advance(sim_next());
    }
}
