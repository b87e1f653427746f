/* lib/base/event.h -- the pending events of a socket, in the order of delivery.
 *
 * Design: the pending events of a socket are a set of bits, one for each kind of event, and the
 * number of a bit is the event's place in the order of delivery (the table in <pollux/events.h>).
 * Moving bytes only sets bits. Delivery (lib/socket/dispatch.h) takes the lowest bit, calls its
 * handler, and looks for the next higher bit, never for a lower one: an event that a handler causes
 * and that stands earlier in the order waits for the next poll, so that no handler can keep a poll
 * busy for ever. To withdraw an event is to clear its bit.
 *
 * A set of bits is enough because a connection has at most one pending event of each kind; amounts
 * (bytes sent, the error) are members of the socket. A queue of events could hold more, and
 * withdrawing an event would have to search the queue. */
#ifndef PLX_LIB_EVENT_H
#define PLX_LIB_EVENT_H

#include "lib/base/base.h"

#include <pollux/events.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plx__event {
    PLX__EVENT_CALL_ERROR, /* a call failed; the connection continues */
    PLX__EVENT_HOST_LOOKUP,
    PLX__EVENT_CONNECTING,
    PLX__EVENT_BOUND,
    PLX__EVENT_LISTENING,
    PLX__EVENT_ASK, /* a filter has a question */
    PLX__EVENT_CONNECTED_STATE,
    PLX__EVENT_CONNECTED,
    PLX__EVENT_ENCRYPTED,
    PLX__EVENT_DATA,
    PLX__EVENT_LINE,
    PLX__EVENT_MESSAGE,
    PLX__EVENT_COMMAND,
    PLX__EVENT_END_OF_INPUT,
    PLX__EVENT_CLOSING,
    PLX__EVENT_PROGRESS,
    PLX__EVENT_COMPLETE,
    PLX__EVENT_COMPLETE_ABORTED, /* as COMPLETE, after send_progress returned true */
    PLX__EVENT_ROOM,
    PLX__EVENT_UNCONNECTED,
    PLX__EVENT_END_ERROR, /* the error that ended the connection or the attempt */
    PLX__EVENT_DISCONNECTED,
    PLX__EVENT_COUNT
};

/* The events of one socket that no handler has received yet. */
typedef uint32_t plx__event_set;

#define PLX__EVENT_BIT(event) ((plx__event_set)1 << (event))
/* Events that calls have caused are delivered before bytes move, so that the handler finds the
 * state that the event reports. */
#define PLX__EVENTS_OF_CALLS (PLX__EVENT_BIT(PLX__EVENT_CONNECTED_STATE) - 1)
/* Events that are delivered before queued bytes are sent, so that replies leave in the same poll.
 */
#define PLX__EVENTS_BEFORE_SENDING (PLX__EVENT_BIT(PLX__EVENT_CLOSING) - 1)

/* Events that are delivered before the end of the connection. */
#define PLX__EVENTS_BEFORE_END                                                                     \
    (PLX__EVENT_BIT(PLX__EVENT_UNCONNECTED) - 1 - PLX__EVENT_BIT(PLX__EVENT_CALL_ERROR))

/* Events that are reported in one state only. Entering another state withdraws them. A filter's
 * question is not one of them: its step waits for the answer in each state. */
#define PLX__EVENTS_OF_STATES                                                                      \
    (((PLX__EVENT_BIT(PLX__EVENT_ENCRYPTED) << 1) - PLX__EVENT_BIT(PLX__EVENT_HOST_LOOKUP) +       \
      PLX__EVENT_BIT(PLX__EVENT_END_OF_INPUT) + PLX__EVENT_BIT(PLX__EVENT_CLOSING) +               \
      PLX__EVENT_BIT(PLX__EVENT_UNCONNECTED)) &                                                    \
     ~PLX__EVENT_BIT(PLX__EVENT_ASK))

/* Events that sending causes. */
#define PLX__EVENTS_OF_SENDING                                                                     \
    (PLX__EVENT_BIT(PLX__EVENT_PROGRESS) | PLX__EVENT_BIT(PLX__EVENT_COMPLETE) |                   \
     PLX__EVENT_BIT(PLX__EVENT_COMPLETE_ABORTED) | PLX__EVENT_BIT(PLX__EVENT_ROOM))

/* plx__event_of_state returns the event that reports that a socket has reached `state`. */
enum plx__event plx__event_of_state(plx_state state);

/* plx__event_state returns the state that the event reports; PLX_UNCONNECTED also for an event that
 * reports no state. */
plx_state plx__event_state(enum plx__event event);

/* plx__event_first returns the earliest event of `pending` at or behind `from`, or
 * PLX__EVENT_COUNT. */
static inline enum plx__event plx__event_first(plx__event_set pending, enum plx__event from)
{
    plx__event_set later = pending >> from << from;
    return later == 0 ? PLX__EVENT_COUNT : (enum plx__event)PLX__LOWEST_BIT(later);
}

#endif
