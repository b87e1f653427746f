/* lib/socket/interest.c -- what a socket waits for. */
#include "config.h"

#include "lib/os/clock.h"
#include "lib/socket/accepting.h"
#include "lib/socket/chain.h"
#include "lib/socket/ending.h"
#include "lib/socket/idle.h"
#include "lib/socket/interest.h"
#include "lib/socket/object.h"
#include "lib/socket/race.h"
#include "lib/socket/rare.h"
#include "lib/socket/receiving.h"
#include "lib/socket/room.h"
#include "lib/socket/sending.h"

static inline unsigned interest_in(const plx_socket *socket, plx_state state)
{
    unsigned interest = socket->tx == PLX__TX_BLOCKED ? PLX__WRITE : 0u;
    /* While the program disconnects, reading goes on in any case: bytes left unread would make TCP
     * send a reset. */
    bool room = state == PLX_CLOSING || plx__socket_room(socket) > 0;
    bool wanted = state == PLX_LISTENING
                      ? socket->accepting == PLX__ACCEPTING
                      : plx__state_is_open(state) && !plx__receiving_has_ended(socket) && room &&
                            socket->accepting != PLX__PAUSED_FOR_A_WHILE;
    if (socket->kind->is_filtered && state != PLX_LISTENING) {
        interest = plx__chain_interest(plx__chain_of(socket), wanted);
    } else {
        interest |= wanted ? PLX__READ : 0u;
    }
    /* Nothing more will be received, but the peer's reset has to be noticed. */
    interest |= state == PLX_CONNECTED && socket->rx == PLX__RX_HALF_CLOSED ? PLX__HANG_UP : 0u;
    /* We read a stream until a read is short, or keep the socket scheduled, so an edge suffices.
     * Writing needs the level: the poller is asked each time whether there is room. */
    bool remembers = socket->kind->short_is_all && state != PLX_LISTENING;
    return interest == PLX__READ && remembers ? interest | PLX__EDGE : interest;
}

unsigned plx__socket_interest(const plx_socket *socket, plx_state state)
{
    return interest_in(socket, state);
}

static uint64_t deadline_of_state(const plx_socket *socket)
{
    uint64_t look = 0;
    switch ((plx_state)socket->state) {
    case PLX_HOST_LOOKUP:
    case PLX_CONNECTING: return plx__race_deadline(plx__rare_of(socket)->race);
    case PLX_CONNECTED:
        /* A disconnect that waited is due at once: a deadline costs a quiet socket nothing. */
        return plx__ending_has_turn(socket)
                   ? PLX__PAST_MOMENT
                   : plx__clock_earlier(socket->wake_at, plx__idle_deadline(socket));
    case PLX_CLOSING:
        look = socket->tx == PLX__TX_FAILED
                   ? 0 /* nothing more will be acknowledged */
                   : plx__clock_after(plx__clock_now(), socket->look_pause);
        return plx__clock_earlier(socket->wake_at, look);
    default: return socket->wake_at;
    }
}

static uint64_t deadline_of(const plx_socket *socket)
{
    /* The usual case: there is no deadline. */
    if (socket->state == PLX_CONNECTED && socket->options == NULL &&
        socket->ending == PLX__END_NONE && !socket->kind->has_own_work) {
        return 0;
    }
    bool asked = socket->kind->has_own_work &&
                 (plx__socket_is_open(socket) ||
                  (socket->kind->is_filtered && plx__socket_is_connecting(socket)));
    uint64_t states = deadline_of_state(socket);
    uint64_t kinds = asked ? socket->kind->deadline(socket) : 0;
    return plx__clock_earlier(states, kinds);
}

bool plx__socket_drains(const plx_socket *socket)
{
    const struct plx__chain *chain = plx__chain_of(socket);
    if (socket->tx != PLX__TX_FAILED || plx__receiving_has_ended(socket)) {
        return false;
    }
    if (chain != NULL && chain->phase == PLX__CHAIN_BUSY) {
        return true; /* the filters that establish need no room */
    }
    return plx__socket_takes_input(socket) && !(chain != NULL && plx__chain_awaits(chain));
}

/* No readiness reports the bytes that filters hold, nor what is left to receive after a failed
 * send: they are received as soon as there is room. */
static void resume_input(plx_socket *socket)
{
    if (!socket->more && plx__socket_is_open(socket) && !plx__receiving_has_ended(socket) &&
        plx__socket_takes_input(socket) &&
        (plx__socket_drains(socket) || plx__chain_holds_input(plx__chain_of(socket)))) {
        socket->watch.ready |= PLX__READ;
        socket->more = true;
        plx__task_schedule_input(&socket->task);
    }
}

static void bring_in_line(plx_socket *socket)
{
    if (socket->kind->is_filtered) {
        resume_input(socket);
    }
    if (socket->watch.task != NULL) {
        unsigned interest = interest_in(socket, (plx_state)socket->state);
        int result =
            interest == socket->watch.interest ? 0 : plx__watch_set(&socket->watch, interest);
        if (result < 0) {
            /* Only noted: reads and options call update too, and must not end the connection. */
            socket->watch_error = (int16_t)result;
            plx__task_schedule(&socket->task);
        }
    }
    uint64_t deadline = deadline_of(socket);
    if (!plx__task_has_deadline(&socket->task, deadline)) {
        plx__task_set_deadline(&socket->task, deadline);
    }
}

/* Whether the socket is in the usual state: connected, without options, watched for reading, and
 * with nothing else to wait for. The watch and the deadline are up to date then. */
static bool is_in_line(const plx_socket *socket)
{
    return socket->state == PLX_CONNECTED && socket->options == NULL &&
           (socket->watch.interest & (PLX__READ | PLX__WRITE | PLX__HANG_UP)) == PLX__READ &&
           socket->tx != PLX__TX_BLOCKED && !plx__receiving_has_ended(socket) &&
           socket->ending == PLX__END_NONE && socket->task.deadline.at == 0 &&
           !socket->kind->has_own_work;
}

void plx__socket_update(plx_socket *socket)
{
    if (!is_in_line(socket)) {
        bring_in_line(socket);
    }
}

bool plx__socket_has_due_event(const plx_socket *socket)
{
    plx__event_set command = PLX__EVENT_BIT(PLX__EVENT_COMMAND);
    bool held = (socket->pending & command) != 0 && plx__framing_awaits(socket);
    return !held || (socket->pending & PLX__EVENTS_BEFORE_END & ~command &
                     ~PLX__EVENT_BIT(PLX__EVENT_END_OF_INPUT)) != 0;
}

bool plx__socket_has_ending(const plx_socket *socket)
{
    bool lost = socket->tx == PLX__TX_FAILED && plx__receiving_has_ended(socket);
    bool failed = lost || plx__socket_drains(socket) || socket->rx == PLX__RX_FAILED ||
                  socket->watch_error != 0;
    bool sent = socket->out.size == 0;
    switch (socket->state) {
    case PLX_CLOSING:
        return failed ||
               (sent && (socket->tx == PLX__TX_OPEN ||
                         (plx__receiving_has_ended(socket) && !plx__chain_owes_goodbye(socket))));
    case PLX_CONNECTED:
        return failed || plx__framing_is_unfit(socket) ||
               (socket->rx == PLX__RX_ENDED && (sent || socket->ending != PLX__END_BY_PEER));
    default: return socket->watch_error != 0;
    }
}
