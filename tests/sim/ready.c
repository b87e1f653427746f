/* tests/sim/ready.c -- which descriptors are ready, and sleeping until one is (poll(2)). */
#include "config.h"

#include "tests/sim/kernel.h"

#include <stdio.h>
#include <stdlib.h>

/* tcp_poll */
static int tcp_ready(const struct sim_open *open)
{
    size_t limit = (size_t)open->options[PLX_OPTION_SEND_BUFFER_SIZE];
    int found = 0;
    if (open->state == SIM_LISTENING) {
        return open->queue != NULL ? SIM_IN : 0;
    }
    if (open->state == SIM_CLOSED || (open->receive_shut && open->send_shut)) {
        found |= SIM_HUP;
    }
    if (open->receive_shut) {
        found |= SIM_IN | SIM_RDHUP;
    }
    if (open->state != SIM_SYN_SENT) {
        found |= sim_tcp_readable(open) > 0 ? SIM_IN : 0;
        found |= open->send_shut || open->out.size <= limit / 3 * 2 ? SIM_OUT : 0;
    }
    return found | (open->error != 0 ? SIM_ERR : 0);
}

/* unix_poll, unix_dgram_poll */
static int unix_ready(const struct sim_open *open)
{
    size_t limit = (size_t)open->options[PLX_OPTION_SEND_BUFFER_SIZE];
    int found = open->error != 0 ? SIM_ERR : 0;
    found |= open->receive_shut && open->send_shut ? SIM_HUP : 0;
    found |= open->receive_shut ? SIM_IN | SIM_RDHUP : 0;
    found |= open->first != NULL || open->queue != NULL ? SIM_IN : 0;
    found |= open->state == SIM_CLOSED ? SIM_HUP : 0;
    found |= open->state != SIM_LISTENING && open->charged * 4 <= limit ? SIM_OUT : 0;
    return found;
}

int sim_ready(const struct sim_open *open)
{
    switch (open->sort) {
    case SIM_TCP: return tcp_ready(open);
    case SIM_UDP:
        return (open->first != NULL ? SIM_IN : 0) | SIM_OUT |
               (open->error != 0 || open->refusals != NULL ? SIM_ERR : 0);
    case SIM_STREAM:
    case SIM_PACKET: return unix_ready(open);
    case SIM_WAKE: return (open->signalled ? SIM_IN : 0) | SIM_OUT;
    default: return SIM_IN | SIM_OUT;
    }
}

bool plx__os_has_ended(plx__fd descriptor)
{
    sim_enter();
    const struct sim_open *open = sim_of(descriptor);
    return open == NULL || (sim_ready(open) & (SIM_RDHUP | SIM_HUP | SIM_ERR)) != 0;
}

static int look(struct plx__os_ready *entries, size_t count)
{
    int number = 0;
    for (size_t i = 0; i < count; i++) {
        const struct sim_open *open = sim_of(entries[i].descriptor);
        int mask = entries[i].wanted | SIM_ERR | SIM_HUP;
        int found = open == NULL ? SIM_NVAL : sim_ready(open) & mask;
        if (open != NULL && open->sort < SIM_WAKE && (mask & SIM_IN) != 0 &&
            sim_happens(SIM_SPURIOUS)) {
            /* A datagram with a wrong checksum, select(2), a connection that is gone before accept,
             * bytes that another process has taken. EAGAIN while bytes wait does not exist: that
             * answer means that all was received. */
            found |= SIM_IN;
        }
        found = entries[i].descriptor < 0 ? 0 : found;
        entries[i].found = (short)found;
        number += found != 0;
    }
    return number;
}

/* The others go on, if somebody has set them. Returns the next moment that anything happens. */
static uint64_t next_moment(uint64_t until)
{
    uint64_t next = sim_next();
    if (sim.idle != NULL && !sim.in_idle) {
        sim.in_idle = true;
        uint64_t theirs = sim.idle(sim.idle_user);
        sim.in_idle = false;
        next = sim_next();
        next = theirs != 0 && (next == 0 || theirs < next) ? theirs : next;
    }
    return next == 0 || (until != 0 && until < next) ? until : next;
}

int plx__os_poll(struct plx__os_ready *entries, size_t count, int timeout_ms)
{
    sim_enter();
    if (sim_happens(SIM_NOMEM)) { /* do_sys_poll, before it sleeps */
        return -ENOMEM;
    }
    uint64_t until = timeout_ms < 0 ? 0 : sim.now + (uint64_t)timeout_ms * 1000000;
    int found = look(entries, count);
    while (found == 0 && timeout_ms != 0) {
        if (sim_happens(SIM_INTR)) {
            return -EINTR;
        }
        uint64_t next = next_moment(until);
        if (next == 0) {
            fprintf(stderr, "sim: a poll sleeps for ever, and nothing will happen\n");
            abort();
        }
        sim_advance(next > sim.now ? next : sim.now + 1000);
        found = look(entries, count);
        if (until != 0 && sim.now >= until) {
            break;
        }
    }
    return found;
}

/* ---- waking ---------------------------------------------------------------------------------- */

int plx__os_wake_open(plx__fd ret_descriptors[2])
{
    sim_enter();
    if (sim_happens(SIM_MFILE)) {
        return -EMFILE;
    }
    int descriptor = sim_give(sim_new(SIM_WAKE));
    if (descriptor >= 0) {
        ret_descriptors[0] = ret_descriptors[1] = descriptor;
    }
    return descriptor < 0 ? descriptor : 0;
}

void plx__os_wake_signal(plx__fd descriptor)
{
    sim_enter();
    sim_of(descriptor)->signalled = true;
}

void plx__os_wake_clear(plx__fd descriptor)
{
    sim_enter();
    sim_of(descriptor)->signalled = false;
}

void plx__os_wake_close(plx__fd descriptors[2])
{
    plx__os_close(descriptors[0]);
}

int plx__os_process(void)
{
    return 4711;
}

uint64_t plx__os_random(void)
{
    return sim_chance(UINT64_MAX);
}
