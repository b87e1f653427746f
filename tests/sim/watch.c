/* tests/sim/watch.c -- events come out of polls, in their order, each line once in a poll. */
#include "config.h"

#include "tests/sim/run.h"

void watch_poll_begins(struct watched *watched, bool waits)
{
    watched->rank = -1;
    watched->in_poll = true;
    watched->in_wait = waits;
}

void watch_poll_ends(struct watched *watched)
{
    if (watched->inside) {
        run_fault("%s: a poll has returned inside a handler", watched->name);
    }
    watched->in_poll = false;
}

static const char *const names[] = {"call error",   "state",   "connected",   "data",     "message",
                                    "end of input", "closing", "progress",    "complete", "room",
                                    "unconnected",  "error",   "disconnected"};

static void check_connection(struct watched *watched, plx_socket *socket, enum line line)
{
    plx_state state = plx_socket_state(socket);
    if (line == LINE_CONNECTED) {
        if (watched->up || state != PLX_CONNECTED) {
            run_fault("%s: connected in state %s, up %d", watched->name, plx_state_name(state),
                      watched->up);
        }
        watched->up = true;
    } else if (line == LINE_DISCONNECTED) {
        if (!watched->up && !watched->accepted) {
            run_fault("%s: disconnected, and was not connected", watched->name);
        }
        watched->up = watched->accepted = false;
    } else if (line == LINE_DATA || line == LINE_PROGRESS || line == LINE_COMPLETE ||
               line == LINE_END_OF_INPUT || line == LINE_CLOSING) {
        if (!watched->up) {
            run_fault("%s: %s without a connection, in state %s", watched->name, names[line],
                      plx_state_name(state));
        }
    }
}

void watch_event(struct watched *watched, plx_socket *socket, enum line line)
{
    if (!watched->in_poll || watched->inside) {
        run_fault("%s: %s %s", watched->name, names[line],
                  watched->inside ? "inside a handler" : "outside a poll");
    }
    run_log("%s %s %s", watched->name, names[line], plx_state_name(plx_socket_state(socket)));
    if (!watched->in_wait && (int)line < watched->rank) {
        run_fault("%s: %s after %s in one poll", watched->name, names[line], names[watched->rank]);
    }
    if (!watched->in_wait && (int)line == watched->rank && line != LINE_STATE) {
        run_fault("%s: %s twice in one poll", watched->name, names[line]);
    }
    watched->rank = (int)line;
    check_connection(watched, socket, line);
    watched->inside = true;
}

void watch_handled(struct watched *watched)
{
    watched->inside = false;
}

void watch_silent(struct watched *watched)
{
    watched->up = watched->accepted = false;
}
