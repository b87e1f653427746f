/* lib/socket/adopt.c -- descriptors that the program or a service manager has opened. */
#include "config.h"

#include "lib/os/activation.h"
#include "lib/os/errno.h"
#include "lib/socket/adopt.h"
#include "lib/socket/failure.h"
#include "lib/socket/object.h"
#include "lib/socket/options.h"
#include "lib/socket/state.h"

static bool is_of_kind(const plx_socket *socket, const struct plx__os_socket_facts *facts)
{
    const enum plx__family *families = socket->kind->endpoint->families;
    const struct plx__transport *transport = socket->kind->transport;
    bool family = facts->family == families[0] || facts->family == families[1];
    bool usable = facts->connected || (transport->listens ? facts->listening : facts->bound);
    return family && facts->type == transport->type && usable;
}

static plx_state state_of(const struct plx__os_socket_facts *facts)
{
    return facts->listening ? PLX_LISTENING : facts->connected ? PLX_CONNECTED : PLX_BOUND;
}

/* The descriptor is the socket's own: nothing can fail. */
static void enter_state(plx_socket *socket, plx__fd descriptor, plx_state state)
{
    struct plx__sockaddr remote;
    plx__options_apply(socket, descriptor);
    if (state == PLX_CONNECTED) {
        bool named = plx__os_remote_sockaddr(descriptor, &remote) == 0;
        plx__socket_enter_connected(socket, descriptor, true, named ? &remote : NULL);
    } else if (state == PLX_BOUND) {
        plx__socket_enter_bound(socket);
    } else {
        plx__socket_enter_listening(socket);
    }
}

int plx__socket_inspect(const plx_socket *socket, plx__fd descriptor,
                        struct plx__os_socket_facts *ret_facts)
{
    struct plx__os_socket_facts facts = {0};
    int result = plx__os_inspect(descriptor, &facts);
    if (result == 0 && !is_of_kind(socket, &facts)) {
        result = -PLX__ENOTSUP;
    }
    if (result == 0) {
        *ret_facts = facts;
    }
    return result;
}

static int take(plx_socket *socket, plx__fd descriptor, plx_state state)
{
    plx__hold_enter(&socket->hold);
    int result = plx__socket_shed(socket) ? plx__socket_take_descriptor(socket, descriptor, state)
                                          : -PLX__ENOTCONN;
    if (result < 0) {
        result = plx__socket_fail_system(socket, result, "adopt descriptor %d", descriptor);
    } else {
        plx__socket_begin(socket);
        enter_state(socket, descriptor, state);
    }
    plx__socket_leave(socket);
    return result;
}

int plx_socket_adopt(plx_socket *socket, plx_handle descriptor)
{
    struct plx__os_socket_facts facts;
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (!plx__socket_may_open(socket)) {
        return plx__socket_fail_open(socket, "adopt");
    }
    int result = plx__socket_inspect(socket, descriptor, &facts);
    if (result == -PLX__ENOTSUP) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "adopt descriptor %d: it is no %s socket, or neither %s nor "
                                  "connected",
                                  descriptor, socket->kind->name,
                                  socket->kind->transport->listens ? "listening" : "bound");
    }
    if (result == 0) {
        result = plx__os_set_nonblocking(descriptor);
    }
    if (result < 0) {
        return plx__socket_fail_system(socket, result, "adopt descriptor %d", descriptor);
    }
    return take(socket, descriptor, state_of(&facts));
}

plx__fd plx__socket_find_activated(const plx_socket *socket, const char *name, bool to_listen)
{
    struct plx__os_socket_facts facts = {0};
    plx__fd descriptor = plx__activation_next(name, PLX__NO_FD);
    while (descriptor >= 0 && (plx__socket_inspect(socket, descriptor, &facts) < 0 ||
                               (to_listen && !facts.listening))) {
        descriptor = plx__activation_next(name, descriptor);
    }
    return descriptor;
}

int plx__socket_fail_activation(plx_socket *socket, const char *name)
{
    const plx_reason reason = PLX_REASON_UNSUPPORTED_OPERATION;
    if (name == NULL) {
        return plx__socket_refuse(socket, reason,
                                  "adopt: no service manager passed a descriptor that fits");
    }
    return plx__socket_refuse(
        socket, reason, "adopt: no service manager passed a descriptor named \"%.255s\" that fits",
        name);
}

int plx_socket_adopt_activated(plx_socket *socket, const char *name)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    plx__fd descriptor = plx__socket_find_activated(socket, name, false);
    return descriptor < 0 ? plx__socket_fail_activation(socket, name)
                          : plx_socket_adopt(socket, descriptor);
}
