/* lib/socket/idle.c -- connections on which nothing arrives any more. */
#include "config.h"

#include "lib/os/clock.h"
#include "lib/socket/ending.h"
#include "lib/socket/idle.h"
#include "lib/socket/options.h"

static int idle_limit(const plx_socket *socket)
{
    return plx__option_value(socket->options, PLX_OPTION_IDLE_TIMEOUT);
}

/* The coarse clock costs a quarter, and is late by up to a tick: good enough for statistics. */
void plx__idle_received(plx_socket *socket)
{
    if (idle_limit(socket) == 0) {
        socket->last_activity = plx__clock_coarse();
    } else {
        socket->last_activity = plx__clock_now();
        plx__idle_restart(socket);
    }
}

void plx__idle_sent(plx_socket *socket)
{
    if (!socket->kind->is_confirmed) {
        plx__idle_received(socket);
    } else {
        socket->last_activity = plx__clock_coarse();
    }
}

void plx__idle_begin(plx_socket *socket)
{
    plx__idle_received(socket);
    if (socket->options != NULL) {
        socket->options->notes.arrived = 0;
        socket->options->notes.under_way = false;
    }
}

void plx__idle_restart(plx_socket *socket)
{
    socket->options->notes.silence = plx__patience_begin(plx__clock_now(), idle_limit(socket));
}

uint64_t plx__idle_deadline(const plx_socket *socket)
{
    if (idle_limit(socket) == 0 || socket->state != PLX_CONNECTED ||
        socket->ending == PLX__END_BY_PEER) {
        return 0;
    }
    return plx__patience_deadline(&socket->options->notes.silence);
}

/* Lets the silence begin later if the peer's kernel has acknowledged bytes since it was last asked,
 * or if bytes are in flight and none were then: they may have been sent just now. */
static void look_at_peer(plx_socket *socket, uint64_t now)
{
    struct plx__option_notes *notes = &socket->options->notes;
    ptrdiff_t unconfirmed = socket->kind->unconfirmed(socket);
    uint64_t arrived = socket->bytes_sent - (unconfirmed > 0 ? (uint64_t)unconfirmed : 0);
    bool has_arrived = arrived != notes->arrived;
    bool under_way = unconfirmed > 0 || socket->out.size > 0;
    uint64_t moment = 0;
    if (under_way && (has_arrived || !notes->under_way)) {
        moment = now;
    } else if (has_arrived) {
        uint64_t ago = plx__os_acknowledged_ago(socket->watch.descriptor) * PLX__MILLISECOND;
        moment = ago < now ? now - ago : 0;
    }
    uint64_t until = moment == 0 ? 0 : plx__clock_after(moment, idle_limit(socket));
    notes->silence.until = until > notes->silence.until ? until : notes->silence.until;
    notes->arrived = arrived;
    notes->under_way = under_way;
}

bool plx__idle_is_due(const plx_socket *socket)
{
    uint64_t late = plx__idle_deadline(socket);
    return late != 0 && plx__clock_now() >= late;
}

/* The gap since the last look is counted before the peer is asked: a silence that begins at this
 * moment is not the longer for what was before it. */
bool plx__idle_is_over(plx_socket *socket)
{
    uint64_t now = plx__clock_now();
    struct plx__patience *silence = &socket->options->notes.silence;
    bool over = plx__patience_is_over(silence, now);
    plx__patience_look(silence, now);
    if (socket->kind->is_confirmed) {
        look_at_peer(socket, now);
    }
    return over && now >= silence->until;
}
