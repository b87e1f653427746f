/* lib/base/event.c -- the pending events of a socket, and the names of its states. */
#include "config.h"

#include "lib/base/event.h"

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
