/* lib/socket/dispatch.c -- calling the handlers of pending events.
 *
 * A handler may do anything to the socket, so no state is kept across a call: each step reads the
 * pending events anew. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/socket/chain.h"
#include "lib/socket/commands.h"
#include "lib/socket/dispatch.h"
#include "lib/socket/failure.h"
#include "lib/socket/line.h"
#include "lib/socket/object.h"
#include "lib/socket/progress.h"
#include "lib/socket/question.h"
#include "lib/socket/sending.h"
#include "lib/socket/state.h"

#include <pollux/message.h>

/* The next poll reports the bytes again if the handler has taken some but not all. If the handler
 * has taken none, they are reported when more are received. Not after the end of the connection, of
 * which `disconnected` is the last event: a wait or a close in the handler may have ended it. */
static void report_of_bytes(plx_socket *socket,
                            void (*call)(const struct plx__handlers *, plx_socket *))
{
    socket->taken = false;
    call(&socket->handlers, socket);
    bool left = socket->taken && socket->in.size > 0 && plx__socket_is_open(socket);
    socket->again = socket->again || left;
}

/* Reports nothing if an earlier handler of this poll has taken the line. */
static void report_of_line(plx_socket *socket)
{
    if (plx__line_length(socket) > 0) {
        report_of_bytes(socket, plx__handlers_line_available);
    }
}

static void report_of_message(plx_socket *socket)
{
    if (plx_socket_can_read_message(socket)) {
        report_of_bytes(socket, plx__handlers_message_available);
    }
}

/* Bytes that a filter has seen have to be sent; send_complete waits for them. */
static void drop_rest(plx_socket *socket)
{
    struct plx__chain *chain = plx__chain_of(socket);
    size_t kept = chain == NULL ? 0 : plx__chain_abort(chain);
    if (kept > 0) {
        plx__buffer_truncate(&socket->out, kept);
        return;
    }
    plx__socket_drop_sending(socket);
    plx__sending_unblock(socket);
    socket->pending &= ~PLX__EVENT_BIT(PLX__EVENT_COMPLETE);
    socket->pending |= PLX__EVENT_BIT(PLX__EVENT_COMPLETE_ABORTED);
}

static void report_progress(plx_socket *socket)
{
    size_t sent = socket->sent;
    socket->sent = 0;
    if (socket->kind->transport->keeps_boundaries) {
        return;
    }
    if (plx__handlers_send_progress(&socket->handlers, socket, sent, socket->out.size) &&
        socket->out.size > 0) {
        drop_rest(socket);
        plx__socket_note_room(socket);
    }
}

static void report_complete(plx_socket *socket, bool aborted)
{
    /* Not complete if the handler of send_progress has queued more bytes. */
    if (socket->out.size == 0) {
        plx__handlers_send_complete(&socket->handlers, socket, aborted);
    }
}

/* Takes the error out of the socket: the handler may free the socket or make it fail again, and the
 * error has to last until the handler returns. */
static void report_error(plx_socket *socket, enum plx__event event)
{
    plx_error error = {0};
    plx__socket_take_error(socket, event, &error);
    plx__handlers_error(&socket->handlers, socket, &error);
    plx__error_clear(&error);
}

static void report(plx_socket *socket, enum plx__event event)
{
    const struct plx__handlers *handlers = &socket->handlers;
    switch (event) {
    case PLX__EVENT_CALL_ERROR:
    case PLX__EVENT_END_ERROR: report_error(socket, event); break;
    case PLX__EVENT_ASK: plx__question_put(socket); break;
    case PLX__EVENT_CONNECTED: plx__handlers_connected(handlers, socket); break;
    case PLX__EVENT_ENCRYPTED: plx__handlers_encrypted(handlers, socket); break;
    case PLX__EVENT_DATA: report_of_bytes(socket, plx__handlers_data_available); break;
    case PLX__EVENT_LINE: report_of_line(socket); break;
    case PLX__EVENT_MESSAGE: report_of_message(socket); break;
    case PLX__EVENT_COMMAND: plx__commands_report(socket); break;
    case PLX__EVENT_END_OF_INPUT: plx__handlers_end_of_input(handlers, socket); break;
    case PLX__EVENT_PROGRESS: report_progress(socket); break;
    case PLX__EVENT_COMPLETE: report_complete(socket, false); break;
    case PLX__EVENT_COMPLETE_ABORTED: report_complete(socket, true); break;
    case PLX__EVENT_ROOM: plx__handlers_room_available(handlers, socket); break;
    case PLX__EVENT_DISCONNECTED: plx__handlers_disconnected(handlers, socket); break;
    default: plx__handlers_state_changed(handlers, socket, plx__event_state(event)); break;
    }
}

/* Commands wait for the end of a wait for one, and for the next poll when this one has reported as
 * many as it may. The end of input waits for them. */
static plx__event_set held_back(const plx_socket *socket)
{
    plx__event_set command = PLX__EVENT_BIT(PLX__EVENT_COMMAND);
    bool held = (socket->pending & command) != 0 &&
                (socket->next_event > PLX__EVENT_COMMAND || plx__framing_awaits(socket));
    return held ? command | PLX__EVENT_BIT(PLX__EVENT_END_OF_INPUT) : 0;
}

/* The next event to dispatch, or PLX__EVENT_COUNT. If an event that comes before the end is pending
 * but its turn in this pass is over, because a handler has set it, the end waits for the next
 * poll. */
static enum plx__event next_event(const plx_socket *socket, plx__event_set wanted)
{
    plx__event_set due = socket->pending & wanted & ~held_back(socket);
    enum plx__event next = plx__event_first(due, (enum plx__event)socket->next_event);
    bool early = next >= PLX__EVENT_UNCONNECTED && (socket->pending & PLX__EVENTS_BEFORE_END) != 0;
    return early ? PLX__EVENT_COUNT : next;
}

void plx__socket_dispatch_some(plx_socket *socket, plx__event_set wanted)
{
    enum plx__event event = next_event(socket, wanted);
    socket->dispatching = true;
    socket->reported = socket->reported || event != PLX__EVENT_COUNT;
    while (event != PLX__EVENT_COUNT) {
        socket->pending &= ~PLX__EVENT_BIT(event);
        socket->next_event = (uint8_t)(event + 1);
        report(socket, event);
        event = next_event(socket, wanted);
    }
    socket->dispatching = false;
    if (socket->task.wants_input) {
        plx__task_schedule_input(&socket->task);
    }
}
