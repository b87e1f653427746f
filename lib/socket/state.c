/* lib/socket/state.c -- how a socket begins, changes its state, and ends. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/socket/accepting.h"
#include "lib/socket/chain.h"
#include "lib/socket/ending.h"
#include "lib/socket/failure.h"
#include "lib/socket/framing.h"
#include "lib/socket/idle.h"
#include "lib/socket/interest.h"
#include "lib/socket/line.h"
#include "lib/socket/object.h"
#include "lib/socket/property.h"
#include "lib/socket/race.h"
#include "lib/socket/rare.h"
#include "lib/socket/receiving.h"
#include "lib/socket/reconnect.h"
#include "lib/socket/records.h"
#include "lib/socket/route.h"
#include "lib/socket/sending.h"
#include "lib/socket/state.h"

/* ---- new and free ---------------------------------------------------------------------------- */

plx_socket *plx__socket_new(const struct plx_kind *kind)
{
    plx_socket *socket = plx__memory_new(kind->size);
    if (socket != NULL) {
        socket->kind = kind;
    }
    return socket;
}

static void free_rare(struct plx__rare *rare)
{
    if (rare != NULL) {
        plx__framing_free(rare);
        plx__properties_free(rare->properties);
        plx__memory_free(rare);
    }
}

void plx__socket_destroy(plx_socket *socket)
{
    if (socket->kind->destroy != NULL) {
        socket->kind->destroy(socket);
    }
    /* Only now: a handler or a step may have looked at these bytes until it returned. */
    plx__buffer_clear(&socket->in, NULL);
    plx__buffer_clear(&socket->out, NULL);
    plx__socket_forget_errors(socket, true);
    if (socket->kind->is_filtered) {
        plx__chain_trim(socket, true);
    }
    plx__route_set(socket, NULL);
    plx__memory_free(socket->errors);
    free_rare(socket->rare);
    plx__memory_free(socket->options);
    plx__memory_free(socket);
}

static void note_finished(plx_socket *socket)
{
    if (socket->owner != NULL && socket->hold.count == 0 && socket->pending == 0) {
        socket->owner->finished(socket->owner, socket);
    }
}

void plx__socket_leave(plx_socket *socket)
{
    if (plx__hold_leave(&socket->hold)) {
        plx__socket_destroy(socket);
    } else if (socket->state == PLX_UNCONNECTED) {
        note_finished(socket);
    }
}

/* ---- the state ------------------------------------------------------------------------------- */

void plx__socket_set_state(plx_socket *socket, plx_state state)
{
    socket->state = (uint8_t)state;
    socket->pending &= ~PLX__EVENTS_OF_STATES;
    socket->pending |= PLX__EVENT_BIT(plx__event_of_state(state));
    if (state == PLX_CLOSING) {
        /* Room for bytes that write would refuse. */
        socket->wants_room = false;
        socket->pending &= ~PLX__EVENT_BIT(PLX__EVENT_ROOM);
    }
    plx__task_schedule(&socket->task);
}

/* Resets what belongs to one connection only. */
static void clear_connection(plx_socket *socket)
{
    struct plx__framing *framing = plx__framing_of(socket);
    socket->pending = 0;
    socket->again = socket->more = false;
    plx__receiving_begin(socket);
    plx__sending_begin(socket);
    plx__ending_begin(socket);
    plx__accepting_begin(socket);
    socket->dropped = false;
    socket->peer = socket->peer == PLX__PEER_NONE ? PLX__PEER_NONE : PLX__PEER_GONE;
    socket->wants_room = false;
    if (framing != NULL) {
        framing->unfit = false;
    }
    if (socket->kind->is_filtered) {
        plx__chain_rest(plx__chain_of(socket));
    }
    socket->watch_error = 0;
    socket->wake_at = 0;
    socket->sent = 0;
    plx__reconnect_stop(socket);
    plx__task_set_deadline(&socket->task, 0);
}

/* Empties a buffer. While a step of a filter runs, which may move the bytes, the block stays. */
static void empty(plx_socket *socket, struct plx__buffer *buffer)
{
    if (plx__chain_is_stepping(socket)) {
        plx__buffer_skip(buffer, buffer->size);
    } else {
        plx__buffer_clear(buffer, plx__socket_pool(socket));
    }
}

void plx__socket_drop_sending(plx_socket *socket)
{
    plx__records_drop_sending(socket);
    empty(socket, &socket->out);
    if (socket->kind->drop_sending != NULL) {
        socket->kind->drop_sending(socket);
    }
}

/* Drops what is known of the received bytes. */
static void forget_received(plx_socket *socket)
{
    plx__records_drop_received(socket);
    plx__line_taken(socket, SIZE_MAX);
    if (plx__framing_of(socket) != NULL) {
        plx__framing_dropped(socket);
    }
}

void plx__socket_drop_bytes(plx_socket *socket)
{
    forget_received(socket);
    empty(socket, &socket->in);
}

/* Drops what the kind keeps with the received bytes. */
static void drop_companions(plx_socket *socket)
{
    if (socket->kind->drop_received != NULL) {
        socket->kind->drop_received(socket);
    }
}

void plx__socket_drop_received(plx_socket *socket)
{
    plx__socket_drop_bytes(socket);
    drop_companions(socket);
}

void plx__socket_skip_received(plx_socket *socket)
{
    forget_received(socket);
    plx__buffer_skip(&socket->in, socket->in.size);
    drop_companions(socket);
}

static void begin_rare(struct plx__rare *rare)
{
    if (rare == NULL) {
        return;
    }
    rare->lifted = 0;
    if (rare->properties != NULL) {
        plx__text_set(&rare->properties->remote_text, NULL);
    }
}

bool plx__socket_shed(plx_socket *socket)
{
    if (socket->kind->is_filtered) {
        plx__chain_trim(socket, false);
    }
    return !socket->hold.freed;
}

void plx__socket_begin(plx_socket *socket)
{
    plx__socket_forget_errors(socket, true);
    clear_connection(socket);
    plx__socket_drop_sending(socket);
    plx__socket_drop_received(socket);
    socket->bytes_received = socket->bytes_sent = socket->last_activity = 0;
    plx__records_begin(socket);
    socket->fresh = socket->view_alive = false;
    socket->remote = (plx_address){0};
    socket->peer = PLX__PEER_NONE;
    begin_rare(socket->rare);
    plx__route_forget(socket);
    socket->process = plx__os_process();
}

bool plx__socket_may_open(const plx_socket *socket)
{
    return socket->state == PLX_UNCONNECTED && !socket->hold.freed &&
           !plx__chain_is_stepping(socket);
}

/* ---- the descriptor -------------------------------------------------------------------------- */

int plx__socket_take_descriptor(plx_socket *socket, plx__fd descriptor, plx_state state)
{
    unsigned interest = plx__socket_interest(socket, state);
    int result = plx__watch_start(&socket->watch, &socket->task, descriptor, interest);
    if (result < 0) {
        return result;
    }
    /* Bytes may wait there already: one receive finds out. */
    socket->watch.ready = PLX__READ;
    plx__task_schedule_input(&socket->task);
    return 0;
}

void plx__socket_leave_place(plx_socket *socket)
{
    if (socket->kind->endpoint->finish != NULL) {
        socket->kind->endpoint->finish(socket);
    }
}

void plx__socket_close_descriptor(plx_socket *socket)
{
    if (socket->watch.task == NULL) {
        return;
    }
    plx__fd descriptor = socket->watch.descriptor;
    if (socket->process == plx__os_process()) {
        plx__socket_leave_place(socket);
    }
    plx__watch_stop(&socket->watch);
    plx__os_close(descriptor);
}

static void free_race(plx_socket *socket)
{
    if (socket->rare != NULL) {
        socket->rare->race = plx__race_free(socket->rare->race);
    }
}

/* Makes the descriptor the socket's own, with the socket's options, unless it is already. Returns
 * 0, or a negative errno. */
static int make_own(plx_socket *socket, plx__fd descriptor, bool has_options, plx_state state)
{
    bool is_own = socket->watch.task != NULL;
    int result = is_own ? 0 : plx__socket_take_descriptor(socket, descriptor, state);
    if (result == 0 && !has_options) {
        plx__options_apply(socket, descriptor);
    }
    return result;
}

static void become_connected(plx_socket *socket)
{
    plx__reconnect_forget_pauses(socket);
    socket->peer = PLX__PEER_HERE;
    plx__socket_set_state(socket, PLX_CONNECTED);
    socket->pending |= PLX__EVENT_BIT(PLX__EVENT_CONNECTED);
    if (socket->kind->transport->connectionless) {
        socket->kind->association->connected(socket);
    }
    plx__idle_begin(socket);
    plx__socket_update(socket);
}

void plx__socket_established(plx_socket *socket)
{
    socket->watch.ready |= PLX__READ; /* the last step may have received more than it needed */
    become_connected(socket);
    if (plx__chain_encrypts(plx__chain_of(socket))) {
        socket->pending |= PLX__EVENT_BIT(PLX__EVENT_ENCRYPTED);
    }
    if (socket->owner != NULL && socket->owner->established != NULL) {
        socket->owner->established(socket->owner, socket);
    }
}

static void begin_establishing(plx_socket *socket)
{
    if (socket->state != PLX_CONNECTING) {
        plx__socket_set_state(socket, PLX_CONNECTING);
    }
    socket->more = true; /* the first steps run in the next poll, whatever is ready then */
    plx__socket_update(socket);
}

int plx__socket_enter_connected(plx_socket *socket, plx__fd descriptor, bool has_options,
                                const struct plx__sockaddr *remote)
{
    plx_state state = socket->kind->is_filtered ? PLX_CONNECTING : PLX_CONNECTED;
    struct plx__race *race = plx__rare_of(socket)->race;
    socket->is_caller = race != NULL;
    if (socket->kind->is_filtered) {
        plx__chain_begin(plx__chain_of(socket), race, remote);
    }
    int result = make_own(socket, descriptor, has_options, state);
    if (result < 0 && socket->kind->is_filtered) {
        plx__chain_rest(plx__chain_of(socket));
    }
    if (result < 0) {
        return result;
    }
    if (remote != NULL) {
        plx__sockaddr_to_address(remote, &socket->remote);
    }
    free_race(socket);
    if (socket->kind->is_filtered) {
        begin_establishing(socket);
    } else {
        become_connected(socket);
    }
    return 0;
}

void plx__socket_announce(plx_socket *socket)
{
    socket->peer = PLX__PEER_HERE;
}

void plx__socket_enter_bound(plx_socket *socket)
{
    bool connected = socket->peer == PLX__PEER_HERE;
    free_race(socket);
    socket->peer = PLX__PEER_NONE;
    socket->remote = (plx_address){0};
    plx__ending_begin(socket);
    plx__socket_set_state(socket, PLX_BOUND);
    socket->pending |= connected ? PLX__EVENT_BIT(PLX__EVENT_DISCONNECTED) : 0;
    plx__socket_update(socket);
}

void plx__socket_enter_listening(plx_socket *socket)
{
    plx__socket_set_state(socket, PLX_LISTENING);
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void leave_kernel(plx_socket *socket)
{
    free_race(socket);
    plx__socket_close_descriptor(socket);
    socket->state = PLX_UNCONNECTED;
}

void plx__socket_end(plx_socket *socket)
{
    plx__event_set kept =
        socket->pending & ~(PLX__EVENTS_OF_SENDING | PLX__EVENT_BIT(PLX__EVENT_ASK) |
                            PLX__EVENT_BIT(PLX__EVENT_ENCRYPTED));
    bool connected = socket->peer == PLX__PEER_HERE;
    bool drained =
        socket->state == PLX_CLOSING && (kept & PLX__EVENT_BIT(PLX__EVENT_END_ERROR)) == 0;
    bool again = plx__reconnect_is_wanted(socket);
    leave_kernel(socket);
    plx__socket_drop_sending(socket);
    clear_connection(socket);
    socket->pending = kept | (connected ? PLX__EVENT_BIT(PLX__EVENT_DISCONNECTED) : 0);
    if (drained) {
        plx__ending_drained(socket);
    }
    plx__socket_set_state(socket, PLX_UNCONNECTED);
    if (again) {
        plx__reconnect_wait(socket);
        plx__socket_update(socket);
    }
    if (socket->owner != NULL) {
        socket->owner->ended(socket->owner, socket);
    }
}

void plx__socket_drop(plx_socket *socket)
{
    bool was_open = socket->state != PLX_UNCONNECTED;
    leave_kernel(socket);
    plx__socket_drop_sending(socket);
    clear_connection(socket);
    plx__socket_forget_errors(socket, false);
    socket->peer = PLX__PEER_NONE;
    if (was_open && socket->owner != NULL) {
        socket->owner->ended(socket->owner, socket);
    }
    socket->remote = (plx_address){0}; /* only now: the owner may count its clients by it */
    note_finished(socket);
}
