/* tests/provoke.h -- makes one chosen event happen on a socket, so that a test can act in its
 * handler.
 *
 * A provocation is an event and the way it comes about: `error` for a refused connection, for a
 * failed call and for a lost connection are three. What the handler does is up to the test; after
 * it the socket may be gone, and nothing here touches it any more. */
#ifndef POLLUX_TESTS_PROVOKE_H
#define POLLUX_TESTS_PROVOKE_H

#include "tests/world.h"

enum provocation {
    /* on the way to a connection: not for the clients of a server */
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

/* provoke_is_possible: kinds that keep boundaries have no lines and report no progress. */
bool provoke_is_possible(const struct world *world, enum provocation how);

/* provoke_arm lets the record run `act` when the provoked event comes. */
void provoke_arm(struct record *record, enum provocation how, record_act *act, void *data);

/* provoke_stir does what leads to the event on a connected socket whose peer is `raw`. */
void provoke_stir(struct world *world, enum provocation how, plx_socket *socket, int raw,
                  struct record *record);

/* provoke takes an unconnected socket all the way; returns the raw peer, or -1 if there is none. */
int provoke(struct world *world, enum provocation how, plx_socket *socket, struct record *record,
            record_act *act, void *data);

#endif
