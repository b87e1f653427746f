/* lib/base/event.c -- the one callback layer. */
#include "config.h"

#include "lib/base/event.h"

/* A handler exists when the program's table is large enough to hold the handler and the handler is
 * not NULL. */
#define HANDLER(handlers, member)                                                                  \
    ((handlers)->table != NULL &&                                                                  \
             offsetof(plx_events, member) + sizeof(handlers)->table->member <= (handlers)->size    \
         ? (handlers)->table->member                                                               \
         : NULL)

/* Calls a handler that returns nothing. The handler may replace the table, so the macro reads the
 * table once. */
#define CALL(handlers, member, ...)                                                                \
    do {                                                                                           \
        if (HANDLER(handlers, member) != NULL) {                                                   \
            (handlers)->table->member(__VA_ARGS__);                                                \
        }                                                                                          \
    } while (0)

static const enum plx__event events_of_states[] = {
    [PLX_UNCONNECTED] = PLX__EVENT_UNCONNECTED,
    [PLX_HOST_LOOKUP] = PLX__EVENT_HOST_LOOKUP,
    [PLX_CONNECTING] = PLX__EVENT_CONNECTING,
    [PLX_CONNECTED] = PLX__EVENT_CONNECTED_STATE,
    [PLX_BOUND] = PLX__EVENT_BOUND,
    [PLX_LISTENING] = PLX__EVENT_LISTENING,
    [PLX_CLOSING] = PLX__EVENT_CLOSING,
};

const char *plx_state_name(plx_state state)
{
    static const char *const names[] = {
        [PLX_UNCONNECTED] = "Unconnected",
        [PLX_HOST_LOOKUP] = "HostLookup",
        [PLX_CONNECTING] = "Connecting",
        [PLX_CONNECTED] = "Connected",
        [PLX_BOUND] = "Bound",
        [PLX_LISTENING] = "Listening",
        [PLX_CLOSING] = "Closing",
    };
    /* An enum may be signed or unsigned; as size_t a negative state is out of range as well. */
    size_t index = (size_t)state;
    return index < PLX__COUNT_OF(names) ? names[index] : "unknown";
}

enum plx__event plx__event_of_state(plx_state state)
{
    return events_of_states[state];
}

plx_state plx__event_state(enum plx__event event)
{
    unsigned state = PLX_CLOSING;
    while (state > PLX_UNCONNECTED && events_of_states[state] != event) {
        state--;
    }
    return (plx_state)state;
}

void plx__event_connected(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, connected, socket, handlers->user);
}

void plx__event_data_available(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, data_available, socket, handlers->user);
}

void plx__event_line_available(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, line_available, socket, handlers->user);
}

void plx__event_message_available(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, message_available, socket, handlers->user);
}

void plx__event_end_of_input(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, end_of_input, socket, handlers->user);
}

bool plx__event_send_progress(const struct plx__handlers *handlers, plx_socket *socket, size_t sent,
                              size_t left)
{
    return HANDLER(handlers, send_progress) != NULL &&
           handlers->table->send_progress(socket, sent, left, handlers->user);
}

void plx__event_send_complete(const struct plx__handlers *handlers, plx_socket *socket,
                              bool user_aborted)
{
    CALL(handlers, send_complete, socket, user_aborted, handlers->user);
}

void plx__event_room_available(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, room_available, socket, handlers->user);
}

void plx__event_error(const struct plx__handlers *handlers, plx_socket *socket,
                      const plx_error *error)
{
    CALL(handlers, error, socket, error, handlers->user);
}

void plx__event_disconnected(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, disconnected, socket, handlers->user);
}

void plx__event_state_changed(const struct plx__handlers *handlers, plx_socket *socket,
                              plx_state state)
{
    CALL(handlers, state_changed, socket, state, handlers->user);
}

bool plx__event_has_sending(const struct plx__handlers *handlers)
{
    return HANDLER(handlers, send_progress) != NULL || HANDLER(handlers, send_complete) != NULL;
}

bool plx__event_has_line(const struct plx__handlers *handlers)
{
    return HANDLER(handlers, line_available) != NULL;
}

bool plx__event_has_message(const struct plx__handlers *handlers)
{
    return HANDLER(handlers, message_available) != NULL;
}
