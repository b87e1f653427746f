/* tests/sim/udp.c -- datagrams of the Internet: lost, doubled and late as the seed says. Multicast
 * leaves by the loopback interface, and each socket that has joined gets a copy. */
#include "config.h"

#include "tests/sim/kernel.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST = 65507, LARGEST6 = 65527, OVERHEAD = 576 };

/* ---- refusals (ICMP) ------------------------------------------------------------------------- */

static void on_refusal(struct sim_event *event)
{
    struct sim_open *open = event->to;
    if (open->dead || (open->remote.family == 0 && !open->heeds)) {
        return;
    }
    open->error = ECONNREFUSED;
    if (open->heeds) {
        struct sim_refusal **place = &open->refusals;
        struct sim_refusal *refusal = calloc(1, sizeof *refusal);
        refusal->error = ECONNREFUSED;
        refusal->to = event->address;
        while (*place != NULL) {
            place = &(*place)->next;
        }
        *place = refusal;
    }
}

/* Queues the datagram, or drops it where the receive buffer is full. */
static void arrive(struct sim_open *open, struct sim_message *message)
{
    size_t limit = (size_t)open->options[PLX_OPTION_RECEIVE_BUFFER_SIZE];
    if (open->held + message->charge > limit && open->first != NULL) {
        open->dropped++;
        sim_message_free(message);
        return;
    }
    sim.counts.datagrams++;
    sim_queue_add(open, message);
}

/* __udp4_lib_mcast_deliver; a socket that has not joined gets no copy (IP_MULTICAST_ALL is 0). */
static void arrive_at_all(const struct sim_message *message)
{
    for (struct sim_open *open = sim.all; open != NULL; open = open->next_of_all) {
        if (sim_hears_group(open, &message->to, &message->from)) {
            struct sim_message *copy = sim_message_new(message->data, message->size);
            copy->to = message->to;
            copy->from = message->from;
            copy->charge = message->charge;
            copy->to.scope = 1; /* the interface, as plx__os_receive_arrivals reports it */
            arrive(open, copy);
        }
    }
}

static void on_datagram(struct sim_event *event)
{
    struct sim_message *message = event->message;
    event->message = NULL;
    if (sim_is_group(&message->to)) {
        arrive_at_all(message);
        sim_message_free(message);
        return;
    }
    struct sim_open *open = sim_find_receiver(&message->to, &message->from);
    if (open == NULL) {
        struct sim_event *answer =
            sim_schedule(sim.now + (event->at - event->number), on_refusal, event->to);
        answer->address = message->to;
        sim_message_free(message);
        return;
    }
    arrive(open, message);
}

/* ---- sending --------------------------------------------------------------------------------- */

static void launch(struct sim_open *open, const void *data, size_t size, const plx_address *to,
                   const plx_address *from)
{
    uint64_t latency = sim.least_latency + sim_chance(sim.most_latency - sim.least_latency + 1);
    uint64_t at = sim.now + latency;
    /* Without a distance, datagrams keep their order. */
    at = at < open->last_arrival && !sim_happens(SIM_LATE) ? open->last_arrival : at;
    open->last_arrival = at > open->last_arrival ? at : open->last_arrival;
    struct sim_message *message = sim_message_new(data, size);
    message->to = *to;
    message->from = *from;
    message->charge = size + OVERHEAD;
    struct sim_event *event = sim_schedule(at, on_datagram, open);
    event->message = message;
    event->number = sim.now;
}

static bool is_reachable(const plx_address *to)
{
    return sim_is_local(to) || (to->family == 4 && to->bytes[0] != 0);
}

static int take_error(struct sim_open *open)
{
    int error = open->error;
    open->error = 0;
    return -error;
}

/* inet_autobind */
static int bind_somewhere(struct sim_open *open)
{
    if (!open->is_bound) {
        open->is_bound_to_any = true;
        open->local = (plx_address){.family = open->family == PLX__FAMILY_IPV4 ? 4 : 6};
        if (sim_choose_port(open) < 0) {
            return -EAGAIN;
        }
        open->is_bound = true;
    }
    return 0;
}

/* The source of a datagram: the bound address, the wanted one, or the address of the way. */
static int choose_source(struct sim_open *open, const plx_address *to, const plx_address *from,
                         plx_address *ret_source)
{
    uint16_t port;
    int result = bind_somewhere(open);
    if (result < 0) {
        return result;
    }
    port = open->local.port;
    *ret_source = from != NULL ? *from : open->local;
    if (from == NULL && open->is_bound_to_any) {
        *ret_source = (plx_address){.family = to->family};
        ret_source->bytes[to->family == 4 ? 0 : 15] = to->family == 4 ? 127 : 1;
        ret_source->bytes[3] = to->family == 4 ? 1 : 0;
    }
    ret_source->port = port;
    ret_source->scope = ret_source->family == 4 ? 0 : ret_source->scope; /* it chose the device */
    return 0;
}

static int refuse_send(struct sim_open *open, size_t size, const plx_address *to)
{
    if (to->family == 0) {
        return -EDESTADDRREQ;
    }
    if (to->port == 0) {
        return -EINVAL;
    }
    if (size > (size_t)(to->family == 4 ? LARGEST : LARGEST6)) {
        return -EMSGSIZE;
    }
    if (to->family == 6 && !sim_is_local(to)) {
        return -ENETUNREACH;
    }
    if (open->error != 0) {
        return take_error(open);
    }
    return sim_happens(SIM_PERM)     ? -EPERM
           : sim_happens(SIM_NOBUFS) ? -ENOBUFS
           : sim_happens(SIM_AGAIN)  ? -EAGAIN
                                     : 0;
}

ptrdiff_t sim_udp_send(struct sim_open *open, const void *data, size_t size, const plx_address *to,
                       const plx_address *from)
{
    plx_address target = to == NULL ? open->remote : *to;
    plx_address source;
    int result = open->send_shut ? -EPIPE : bind_somewhere(open);
    result = result == 0 ? refuse_send(open, size, &target) : result;
    result = result == 0 ? choose_source(open, &target, from, &source) : result;
    if (result < 0) {
        return result;
    }
    if (sim_is_any(&target)) {
        target.bytes[target.family == 4 ? 0 : 15] = target.family == 4 ? 127 : 1;
        target.bytes[3] = target.family == 4 ? 1 : 0;
    }
    bool arrives = sim_is_group(&target) || (is_reachable(&target) && sim_is_local(&target));
    if (!arrives || sim_happens(SIM_LOST)) {
        return (ptrdiff_t)size; /* it is never heard of again */
    }
    launch(open, data, size, &target, &source);
    if (sim_happens(SIM_DOUBLED)) {
        launch(open, data, size, &target, &source);
    }
    return (ptrdiff_t)size;
}

/* ---- peer, receiving ------------------------------------------------------------------------- */

int sim_udp_connect(struct sim_open *open, const plx_address *to)
{
    plx_address source;
    if (to->family == 6 && !sim_is_local(to) && !sim_is_any(to)) {
        return -ENETUNREACH;
    }
    int result = choose_source(open, to, NULL, &source);
    if (result == 0) {
        open->remote = *to;
        if (open->is_bound_to_any) {
            open->local = source;
        }
    }
    return result;
}

int sim_udp_end(struct sim_open *open)
{
    open->send_shut = true;
    return open->remote.family == 0 ? -ENOTCONN : 0;
}

struct sim_message *sim_udp_take(struct sim_open *open, int *ret_error)
{
    *ret_error = 0;
    if (open->error != 0) {
        *ret_error = take_error(open);
    } else if (open->first == NULL) {
        *ret_error = -EAGAIN;
    }
    return *ret_error == 0 ? open->first : NULL;
}
