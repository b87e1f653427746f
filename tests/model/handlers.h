/* tests/model/handlers.h -- the handlers of the program's sockets and servers. */
#ifndef POLLUX_TESTS_MODEL_HANDLERS_H
#define POLLUX_TESTS_MODEL_HANDLERS_H

#include <pollux.h>

#include "tests/model/model.h"

/* Tables with every handler, and without those of bytes. All report errors. */
extern const plx_events all_events, few_events;

/* Tables of servers: with the constructor, and with a handler that makes the clients. */
extern const plx_server_events house_events, adding_house_events;

/* make_socket makes a socket with its flavour; NULL where there is no memory. equip gives a client
 * the filters of its server, whose struct house is `user`. */
plx_socket *make_socket(enum sort sort, enum flavour flavour);
int equip(plx_socket *client, void *user);

/* frame_of returns the frame of a flavour; NULL: it has none. */
const plx_frame *frame_of(enum flavour flavour);

/* flags_of returns the flags of a flavour with commands. */
unsigned flags_of(enum flavour flavour);

#endif
