/* tests/provoke.h -- makes one chosen event happen on a socket, so that a test can act in its
 * handler.
 *
 * A provocation is an event with its cause: `error` after a refused connection, after a failed call
 * and after a lost connection are three provocations. The test chooses what the handler does. The
 * handler may free the socket, so nothing here uses the socket afterwards. */
#ifndef POLLUX_TESTS_PROVOKE_H
#define POLLUX_TESTS_PROVOKE_H

#include "tests/world.h"

enum provocation {
    /* before a connection: not for the clients of a server */
    PROVOKE_STATE_CONNECTING,
    PROVOKE_REFUSED,
    PROVOKE_STATE_AFTER_REFUSED,
    /* with or in a connection */
    PROVOKE_STATE_CONNECTED,
    PROVOKE_CONNECTED,
    PROVOKE_DATA,
    PROVOKE_LINE,
    PROVOKE_END_OF_INPUT,
    PROVOKE_PROGRESS,
    PROVOKE_COMPLETE,
    PROVOKE_CALL_ERROR,
    PROVOKE_STATE_CLOSING,
    PROVOKE_STATE_UNCONNECTED,
    PROVOKE_LOST,
    PROVOKE_DISCONNECTED,
    PROVOCATIONS,
    PROVOKE_FIRST_IN_CONNECTION = PROVOKE_STATE_CONNECTED
};

const char *provoke_name(enum provocation how);

/* provoke_is_possible returns whether the world's kind has the event: kinds that keep boundaries
 * have no line_available and no send_progress. */
bool provoke_is_possible(const struct world *world, enum provocation how);

/* provoke_arm makes the record run `act` when the provoked event fires. */
void provoke_arm(struct record *record, enum provocation how, record_act *act, void *data);

/* provoke_stir causes the event on a connected socket whose peer is `raw`. */
void provoke_stir(struct world *world, enum provocation how, plx_socket *socket, int raw,
                  struct record *record);

/* provoke connects an unconnected socket if needed, and causes the event. Returns the raw peer, or
 * -1 if there is none. */
int provoke(struct world *world, enum provocation how, plx_socket *socket, struct record *record,
            record_act *act, void *data);

#endif
