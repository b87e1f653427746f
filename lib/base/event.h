/* lib/base/event.h -- the one callback layer: what fires, in what order, and holding the object
 * meanwhile.
 *
 * Design: what has happened to a socket is a set of bits, one for each kind of news, and the number
 * of a bit is its place in the order of design (the table in <pollux/events.h>). Moving bytes only
 * sets bits; delivering takes the lowest one, fires it, and looks again, never backwards: what a
 * handler causes that stands earlier in the order waits for the next poll, so that no handler can
 * keep a poll busy for ever. Taking news back is clearing bits.
 *
 * A bit set is enough because a connection has each kind of news at most once at a time; amounts
 * (bytes sent, the error) stand in the socket. A queue of events would allow more, and would have
 * to be searched to take one back. */
#ifndef PLX_LIB_EVENT_H
#define PLX_LIB_EVENT_H

#include "lib/base/base.h"

#include <pollux/events.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plx__event {
    PLX__EVENT_CALL_ERROR, /* a call failed; the connection goes on */
    PLX__EVENT_HOST_LOOKUP,
    PLX__EVENT_CONNECTING,
    PLX__EVENT_BOUND,
    PLX__EVENT_LISTENING,
    PLX__EVENT_CONNECTED_STATE,
    PLX__EVENT_CONNECTED,
    PLX__EVENT_DATA,
    PLX__EVENT_LINE,
    PLX__EVENT_MESSAGE,
    PLX__EVENT_END_OF_INPUT,
    PLX__EVENT_CLOSING,
    PLX__EVENT_PROGRESS,
    PLX__EVENT_COMPLETE,
    PLX__EVENT_COMPLETE_ABORTED, /* the same after send_progress returned true */
    PLX__EVENT_ROOM,
    PLX__EVENT_UNCONNECTED,
    PLX__EVENT_END_ERROR, /* the error that ended the connection or the attempt */
    PLX__EVENT_DISCONNECTED,
    PLX__EVENT_COUNT
};

/* The news of one socket that nobody has heard yet. */
typedef uint32_t plx__event_set;

#define PLX__EVENT_BIT(event) ((plx__event_set)1 << (event))
/* What calls have caused is delivered before bytes move, so that handlers see the state that they
 * are told. */
#define PLX__EVENTS_OF_CALLS (PLX__EVENT_BIT(PLX__EVENT_CONNECTED_STATE) - 1)
/* What is delivered before queued bytes are sent, so that replies leave in the same poll. */
#define PLX__EVENTS_BEFORE_SENDING (PLX__EVENT_BIT(PLX__EVENT_CLOSING) - 1)

/* What has to be told before the end of the connection is. */
#define PLX__EVENTS_BEFORE_END                                                                     \
    (PLX__EVENT_BIT(PLX__EVENT_UNCONNECTED) - 1 - PLX__EVENT_BIT(PLX__EVENT_CALL_ERROR))

/* What sending brings. */
#define PLX__EVENTS_OF_SENDING                                                                     \
    (PLX__EVENT_BIT(PLX__EVENT_PROGRESS) | PLX__EVENT_BIT(PLX__EVENT_COMPLETE) |                   \
     PLX__EVENT_BIT(PLX__EVENT_COMPLETE_ABORTED) | PLX__EVENT_BIT(PLX__EVENT_ROOM))

/* Who is told. `size` is the size of the table as the program was compiled with it: members beyond
 * it do not exist. */
struct plx__handlers {
    const plx_events *table;
    size_t size;
    void *user;
};

/* plx__event_of_state returns the news that a socket has come to `state`. */
enum plx__event plx__event_of_state(plx_state state);

/* plx__event_state returns the state that this news is of; PLX_UNCONNECTED also for news of no
 * state. */
plx_state plx__event_state(enum plx__event event);

/* plx__event_first returns the earliest of the `news` at or behind `from`, or PLX__EVENT_COUNT. */
static inline enum plx__event plx__event_first(plx__event_set pending, enum plx__event from)
{
    plx__event_set later = pending >> from << from;
    return later == 0 ? PLX__EVENT_COUNT : (enum plx__event)PLX__LOWEST_BIT(later);
}

/* Each calls its handler where the table has one. plx__event_send_progress returns what the handler did:
 * true, drop the rest. */
void plx__event_connected(const struct plx__handlers *handlers, plx_socket *socket);
void plx__event_data_available(const struct plx__handlers *handlers, plx_socket *socket);
void plx__event_line_available(const struct plx__handlers *handlers, plx_socket *socket);
void plx__event_message_available(const struct plx__handlers *handlers, plx_socket *socket);
void plx__event_end_of_input(const struct plx__handlers *handlers, plx_socket *socket);
bool plx__event_send_progress(const struct plx__handlers *handlers, plx_socket *socket, size_t sent,
                              size_t left);
void plx__event_send_complete(const struct plx__handlers *handlers, plx_socket *socket,
                              bool user_aborted);
void plx__event_room_available(const struct plx__handlers *handlers, plx_socket *socket);
void plx__event_error(const struct plx__handlers *handlers, plx_socket *socket,
                      const plx_error *error);
void plx__event_disconnected(const struct plx__handlers *handlers, plx_socket *socket);
void plx__event_state_changed(const struct plx__handlers *handlers, plx_socket *socket,
                              plx_state state);

/* plx__event_has_sending says whether anybody wants send_progress or send_complete. */
bool plx__event_has_sending(const struct plx__handlers *handlers);
/* plx__event_has_line says whether anybody wants line_available: only then are lines searched for.
 */
bool plx__event_has_line(const struct plx__handlers *handlers);
/* plx__event_has_message is the same for message_available. */
bool plx__event_has_message(const struct plx__handlers *handlers);

/* ---- holding --------------------------------------------------------------------------------- */

/* An object whose handler runs is held; freeing a held object marks it, and whoever leaves the
 * hold last frees it. */
struct plx__hold {
    uint16_t count;
    bool freed;
};

/* plx__hold_enter keeps the object valid until the matching leave. */
void plx__hold_enter(struct plx__hold *hold);

/* plx__hold_leave returns true when the object was freed meanwhile and nobody else holds it: the
 * caller destroys it. */
bool plx__hold_leave(struct plx__hold *hold);

/* plx__hold_free marks the object as freed and returns true when nobody holds it: the caller
 * destroys it. */
bool plx__hold_free(struct plx__hold *hold);

#endif
