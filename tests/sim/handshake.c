/* tests/sim/handshake.c -- how TCP connections begin: SYN, answer, the queue of a listener. */
#include "config.h"

#include "tests/sim/tcp.h"

#include <string.h>

enum { SYN_TRIES = 6 };

/* ---- connecting ------------------------------------------------------------------------------ */

/* An embryo or a waiting connection that its listener loses. */
static void lose(struct sim_open *child)
{
    child->dead = true;
    child->listener = NULL;
    sim_tcp_reset_peer(child);
    sim_tcp_finish(child);
}

void sim_tcp_close_listener(struct sim_open *open)
{
    while (open->queue != NULL) {
        struct sim_open *child = open->queue;
        open->queue = child->next_waiting;
        lose(child);
    }
    open->queued = 0;
    open->state = SIM_CLOSED;
}

/* The last step of the handshake: the listener sees the connection. */
static void on_established(struct sim_event *event)
{
    struct sim_open *child = event->to;
    struct sim_open *listener = child->listener;
    listener->embryos--;
    if (child->state == SIM_CLOSED) {
        child->dead = true;
        sim_tcp_finish(child);
        return;
    }
    if (listener->state != SIM_LISTENING || sim_happens(SIM_ABORTED)) {
        lose(child);
        return;
    }
    struct sim_open **place = &listener->queue;
    while (*place != NULL) {
        place = &(*place)->next_waiting;
    }
    *place = child;
    listener->queued++;
}

/* The SYN and ACK of the listener. */
static void on_answer(struct sim_event *event)
{
    struct sim_open *open = event->to;
    struct sim_open *child = event->from;
    if (open->state != SIM_SYN_SENT || open->attempt != event->number) {
        child->listener->embryos--;
        child->dead = true;
        sim_tcp_finish(child);
        return;
    }
    open->state = SIM_ESTABLISHED;
    open->peer = child;
    open->allowed = child->promised;
    open->heard = sim.now;
    sim.counts.connections++;
    sim_schedule(sim_tcp_arrival(open), on_established, child);
    sim_tcp_push(open);
}

static struct sim_open *make_child(struct sim_open *listener, struct sim_open *from)
{
    struct sim_open *child = sim_new(SIM_TCP);
    memcpy(child->options, listener->options, sizeof child->options);
    child->family = listener->family;
    child->urgent_inline = listener->urgent_inline;
    child->reuse = listener->reuse;
    child->share = listener->share;
    child->state = SIM_ESTABLISHED;
    child->peer = from;
    child->local = from->remote;
    child->remote = from->local;
    child->is_bound = true;
    child->listener = listener;
    child->latency = from->latency;
    child->promised = sim_tcp_room_of(child);
    child->allowed = from->promised = sim_tcp_room_of(from);
    child->heard = sim.now;
    listener->embryos++;
    return child;
}

static void on_refusal(struct sim_event *event)
{
    if (event->to->attempt == event->number && event->to->state == SIM_SYN_SENT) {
        sim_tcp_fail(event->to, (int)event->more);
    }
}

static void on_syn(struct sim_event *event);

/* tcp_connect: a SYN without an answer is sent again after 1, 2, 4 ... s. */
static void on_syn_again(struct sim_event *event)
{
    struct sim_open *open = event->to;
    if (open->state != SIM_SYN_SENT || open->attempt != event->number) {
        return;
    }
    if (++open->tries > SYN_TRIES) {
        sim_tcp_fail(open, ETIMEDOUT);
        return;
    }
    sim_schedule(sim_tcp_arrival(open), on_syn, open)->number = open->attempt;
}

static void on_syn(struct sim_event *event)
{
    struct sim_open *open = event->to;
    if (open->state != SIM_SYN_SENT || open->attempt != event->number) {
        return;
    }
    struct sim_open *listener = sim_find_listener(&open->remote);
    bool reached = sim_is_local(&open->remote) && !sim_happens(SIM_SILENT);
    if (!reached ||
        (listener != NULL && listener->queued + listener->embryos > listener->backlog)) {
        sim_schedule(sim.now + (SIM_SECOND << open->tries), on_syn_again, open)->number =
            open->attempt;
        return;
    }
    bool refused = listener == NULL || sim_happens(SIM_UNREACHABLE);
    struct sim_event *answer =
        sim_schedule(sim_tcp_arrival(open), refused ? on_refusal : on_answer, open);
    answer->number = open->attempt;
    if (refused) {
        answer->more = listener == NULL ? ECONNREFUSED : EHOSTUNREACH;
    } else {
        answer->from = make_child(listener, open);
    }
}

static void on_attempt_limit(struct sim_event *event)
{
    if (event->to->state == SIM_SYN_SENT && event->to->attempt == event->number) {
        sim_tcp_fail(event->to, ETIMEDOUT);
    }
}

/* __inet_stream_connect: the call after an attempt in progress reports how that ended. Returns 1
 * where a new attempt may begin. */
static int report_attempt(struct sim_open *open)
{
    bool connecting = open->connecting;
    int error = open->error;
    if (open->state == SIM_SYN_SENT) {
        return -EALREADY;
    }
    open->connecting = false;
    if (open->state == SIM_ESTABLISHED || open->state == SIM_LISTENING) {
        return connecting ? 0 : -EISCONN;
    }
    if (!connecting) {
        return open->peer != NULL ? -EISCONN : 1;
    }
    open->error = 0;
    open->receive_shut = open->send_shut = false; /* tcp_disconnect */
    return error != 0 ? -error : -ECONNABORTED;
}

int sim_tcp_connect(struct sim_open *open, const plx_address *to)
{
    int result = report_attempt(open);
    if (result <= 0) {
        return result;
    }
    if (sim_happens(SIM_UNREACHABLE)) {
        return -ENETUNREACH;
    }
    open->remote = *to;
    if (sim_is_any(to)) { /* this host (RFC 1122) */
        memset(open->remote.bytes, 0, sizeof open->remote.bytes);
        open->remote.bytes[to->family == 4 ? 0 : 15] = to->family == 4 ? 127 : 1;
        open->remote.bytes[3] = to->family == 4 ? 1 : 0;
    }
    if (!open->is_bound || open->is_bound_to_any) {
        uint16_t port = open->local.port;
        open->local = open->remote;
        open->local.port = port;
    }
    if (open->local.port == 0 && sim_choose_port(open) < 0) {
        return -EADDRNOTAVAIL;
    }
    open->is_bound = true;
    open->is_bound_to_any = false;
    open->receive_shut = open->send_shut = false;
    open->state = SIM_SYN_SENT;
    open->connecting = true;
    open->tries = 0;
    open->attempt++;
    open->latency = sim.least_latency + sim_chance(sim.most_latency - sim.least_latency + 1);
    sim_schedule(sim_tcp_arrival(open), on_syn, open)->number = open->attempt;
    if (open->options[PLX_OPTION_UNACKNOWLEDGED_TIMEOUT] != 0) {
        sim_schedule(sim.now + (uint64_t)open->options[PLX_OPTION_UNACKNOWLEDGED_TIMEOUT] * 1000000,
                     on_attempt_limit, open)
            ->number = open->attempt;
    }
    return 0;
}
