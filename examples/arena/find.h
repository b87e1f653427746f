/* arena/find.h -- how a server and its guests find each other without an address. */
#ifndef ARENA_FIND_H
#define ARENA_FIND_H

#include "arena.h"

#include <pollux.h>

#include <stdbool.h>

/* announce_server joins the group of the settings, so that guests find `port` of this computer, and
 * is served by the polls of `group`. You free it. NULL, after a sentence on the standard error, if
 * nobody can find the server. */
plx_discovery *announce_server(const struct settings *settings, plx_group *group, int port);

/* connect_to_server connects to the place in the settings, or else to the first server that is
 * found in the group, which may take some seconds. False, after a sentence on the standard error,
 * if none was found; every other failure is one of the socket. */
bool connect_to_server(const struct settings *settings, plx_socket *socket);

#endif
