/* lib/socket/filtered.c -- the kind of a socket with filters. */
#include "config.h"

#include "lib/socket/filtered.h"

void plx__filtered_put(plx_socket *socket, struct plx__filtered *filtered,
                       const struct plx__detour *detour)
{
    filtered->plain = socket->kind;
    filtered->detour = detour;
    filtered->transport = *socket->kind->transport;
    filtered->transport.input = detour->input;
    filtered->transport.pending = detour->pending;
    filtered->transport.shutdown = detour->shutdown;
    plx__filtered_divert(filtered);
    socket->kind = &filtered->kind;
}

void plx__filtered_take(plx_socket *socket, struct plx__filtered *filtered)
{
    socket->kind = filtered->plain;
}

void plx__filtered_pass(struct plx__filtered *filtered)
{
    filtered->kind = *filtered->plain;
    filtered->kind.is_filtered = true;
}

void plx__filtered_divert(struct plx__filtered *filtered)
{
    const struct plx__detour *detour = filtered->detour;
    plx__filtered_pass(filtered);
    filtered->kind.transport = &filtered->transport;
    filtered->kind.short_is_all = false; /* filters may hold more */
    filtered->kind.has_own_work = true;
    filtered->kind.advance = detour->advance;
    filtered->kind.deadline = detour->deadline;
    filtered->kind.receive = detour->receive;
    filtered->kind.send = detour->send;
}
