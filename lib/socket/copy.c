/* lib/socket/copy.c -- the settings of a socket for another one.
 *
 * Design: first all is made that needs memory, and then written, so that a failure leaves the
 * socket as it was. The frame comes between: setting it is the last step that can fail, and the
 * first that changes anything. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/socket/command.h"
#include "lib/socket/commands.h"
#include "lib/socket/failure.h"
#include "lib/socket/framing.h"
#include "lib/socket/object.h"
#include "lib/socket/options.h"
#include "lib/socket/property.h"
#include "lib/socket/route.h"

/* ---- properties ------------------------------------------------------------------------------ */

/* Returns a copy, which the caller frees; NULL when memory ran out. */
static struct plx__properties *copy_properties(const plx_socket *from)
{
    const struct plx__properties *set = plx__socket_properties(from);
    struct plx__properties *copy = plx__memory_new(sizeof *copy);
    bool whole = copy != NULL && plx__text_set(&copy->address, set->address) &&
                 plx__text_set(&copy->interface, set->interface) &&
                 plx__text_set(&copy->listen_host, set->listen_host) &&
                 plx__text_set(&copy->tag, set->tag);
    if (whole && set->path != NULL) {
        copy->path = plx__memory_copy(set->path, set->path_size);
        whole = copy->path != NULL;
    }
    if (!whole) {
        plx__properties_free(copy);
        return NULL;
    }
    copy->path_size = set->path_size;
    copy->port = set->port;
    copy->local_port = set->local_port;
    return copy;
}

static void swap(char **a, char **b)
{
    char *kept = *a;
    *a = *b;
    *b = kept;
}

/* Takes from the copy what the kinds of both have, and frees what is left of it. */
static void take_properties(plx_socket *socket, const plx_socket *from,
                            struct plx__properties *copy)
{
    struct plx__properties *own = socket->rare->properties;
    bool has_paths = socket->kind->endpoint->has_paths;
    swap(&own->tag, &copy->tag);
    if (has_paths && from->kind->endpoint->has_paths) {
        swap(&own->path, &copy->path);
        own->path_size = copy->path_size;
    } else if (!has_paths && !from->kind->endpoint->has_paths) {
        bool connects =
            !socket->kind->transport->connectionless && !from->kind->transport->connectionless;
        swap(&own->address, &copy->address);
        swap(&own->interface, &copy->interface);
        swap(&own->listen_host, &copy->listen_host);
        own->port = copy->port;
        own->local_port = connects ? copy->local_port : own->local_port;
    }
    plx__properties_free(copy);
}

/* ---- the frame ------------------------------------------------------------------------------- */

/* Copies commands, or the frame if both have streams. False when memory ran out; nothing changed
 * then that the program can see. */
static bool copy_frame(plx_socket *socket, const plx_socket *from)
{
    bool streams =
        !socket->kind->transport->keeps_boundaries && !from->kind->transport->keeps_boundaries;
    bool connects =
        !socket->kind->transport->connectionless && !from->kind->transport->connectionless;
    bool had = plx__framing_has_commands(socket), has = plx__framing_has_commands(from);
    bool sets = has || (streams && plx__framing_of(from) != NULL);
    if (!connects || !(streams || had || has)) {
        return true;
    }
    if (had) {
        plx__commands_close_gaps(socket);
    }
    if (sets && !plx__framing_copy(socket, from)) {
        return false;
    }
    if (!sets) {
        plx__framing_clear(socket);
    }
    if (has) {
        plx__command_begin(socket);
    } else {
        socket->pending &= ~PLX__EVENT_BIT(PLX__EVENT_COMMAND);
    }
    return true;
}

/* ---- the call -------------------------------------------------------------------------------- */

/* Makes what the settings are written to. */
static bool prepare(plx_socket *socket, const plx_socket *from)
{
    return plx__properties_make(socket) != NULL &&
           (from->options == NULL || plx__options_make(socket)) && plx__route_prepare(socket, from);
}

int plx_socket_copy_settings(plx_socket *socket, const plx_socket *from)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (socket->state != PLX_UNCONNECTED || socket->hold.freed) {
        return plx__socket_fail_open(socket, "copy settings");
    }
    if (from == NULL) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "copy settings from NULL");
    }
    if (from == socket) {
        return 0;
    }
    struct plx__properties *copy = copy_properties(from);
    if (copy == NULL || !prepare(socket, from) || !copy_frame(socket, from)) {
        plx__properties_free(copy);
        return plx__socket_fail_memory(socket, "copy settings");
    }
    take_properties(socket, from, copy);
    plx__route_copy(socket, from);
    plx__options_replace(socket, from);
    return 0;
}
