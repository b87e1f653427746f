/* lib/socket/connect.c -- connecting a socket to its peer. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/os/errno.h"
#include "lib/socket/chain.h"
#include "lib/socket/connect.h"
#include "lib/socket/failure.h"
#include "lib/socket/interest.h"
#include "lib/socket/object.h"
#include "lib/socket/options.h"
#include "lib/socket/property.h"
#include "lib/socket/race.h"
#include "lib/socket/rare.h"
#include "lib/socket/reconnect.h"
#include "lib/socket/route.h"
#include "lib/socket/sending.h"
#include "lib/socket/state.h"

#include <stdio.h>

/* ---- races ----------------------------------------------------------------------------------- */

/* The opener of the race's attempts. */
static plx__fd open_descriptor(void *user, const struct plx__sockaddr *name)
{
    plx_socket *socket = user;
    plx__fd descriptor = plx__options_open(socket, plx__sockaddr_family(name));
    const struct plx__endpoint *endpoint = socket->kind->endpoint;
    if (descriptor < 0 || endpoint->bind_local == NULL) {
        return descriptor;
    }
    int result = endpoint->bind_local(socket, descriptor, name);
    if (result < 0) {
        plx__os_close(descriptor);
        return result;
    }
    return descriptor;
}

/* Returns NULL when memory ran out. */
static struct plx__race *new_race(plx_socket *socket, const struct plx__target *target)
{
    struct plx__opener opener = {open_descriptor, socket,
                                 plx__socket_properties(socket)->local_port != 0};
    bool made = plx__rare_make(socket) != NULL;
    return made ? plx__race_new(&socket->task, target, socket->options, &opener) : NULL;
}

/* Makes a race to the first target on the way to the peer. NULL when memory ran out. */
static struct plx__race *new_leading_race(plx_socket *socket, struct plx__target *target,
                                          enum plx__leg *ret_leg)
{
    bool planned = plx__route_plan(socket, target, ret_leg);
    struct plx__race *race = planned ? new_race(socket, target) : NULL;
    if (race != NULL && *ret_leg == PLX__LEG_LOOKING_UP) {
        plx__race_only_looks_up(race);
    }
    return race;
}

/* Makes a race to the peer that the properties name. Returns 0, or a code after
 * plx__socket_fail. */
static int make_race(plx_socket *socket, struct plx__race **ret_race, enum plx__leg *ret_leg)
{
    struct plx__target target = {0};
    int code = socket->kind->endpoint->target(socket, &target);
    if (code != 0) {
        return code;
    }
    *ret_race = new_leading_race(socket, &target, ret_leg);
    return *ret_race != NULL ? 0 : plx__socket_fail_memory(socket, "connect");
}

/* ---- failures -------------------------------------------------------------------------------- */

static void describe(const plx_socket *socket, const struct plx__sockaddr *name, char *text,
                     size_t size)
{
    plx_address address;
    char host[PLX__ADDRESS_TEXT_SIZE];
    const char *whom = plx__route_leads(socket) ? "proxy " : "";
    if (plx__sockaddr_to_address(name, &address)) {
        plx__address_format_host(&address, host, sizeof host);
        uint16_t from = plx__socket_properties(socket)->local_port;
        int length = snprintf(text, size, "connect to %s%s port %d", whom, host, address.port);
        if (from != 0) {
            snprintf(text + length, size - (size_t)length, " from port %d", from);
        }
    } else {
        snprintf(text, size, "connect to %s", plx_socket_path(socket));
    }
}

/* Ends the attempt. A datagram socket is still bound, and returns to BOUND. */
static void fall_back(plx_socket *socket)
{
    if (!socket->kind->transport->connectionless) {
        plx__socket_end(socket);
    } else {
        socket->kind->association->drop_peer(socket);
        plx__socket_enter_bound(socket);
    }
}

/* Ordinary users may not bind to ports below 1024 (ip(7)). */
static bool is_privileged(const plx_socket *socket)
{
    uint16_t port = plx__socket_properties(socket)->local_port;
    return port > 0 && port < 1024;
}

static void fail(plx_socket *socket, int error, const struct plx__sockaddr *name)
{
    char text[200];
    bool forbidden = error == -PLX__EACCES && is_privileged(socket);
    describe(socket, name, text, sizeof text);
    plx__socket_set_end_error(socket, forbidden ? PLX_INVALID_PORT : plx__error_code(-error),
                              plx__route_reason(socket, plx__error_reason(-error)), error, "%s",
                              text);
    fall_back(socket);
}

/* A time that is over on the way to a proxy has one code, whichever step it is over in. */
static void fail_lookup(plx_socket *socket, const struct plx__failure *failure)
{
    char text[PLX__HOST_SIZE + 200];
    plx_reason reason = plx__route_reason(socket, failure->reason);
    int code = reason == PLX_REASON_PROXY_CONNECTION_TIMEOUT ? PLX__ETIMEDOUT : failure->code;
    plx__failure_describe(failure, plx__race_host(socket->rare->race), text, sizeof text);
    plx__socket_set_end_error(socket, code, reason, failure->error, "%s%s",
                              plx__route_leads(socket) ? "proxy: " : "", text);
    fall_back(socket);
}

/* The kind may go on to another address of the host if nothing answers at this one. */
static void report_choices(plx_socket *socket)
{
    size_t count, chosen;
    const plx_address *addresses = plx__race_addresses(socket->rare->race, &count, &chosen);
    if (addresses != NULL) {
        socket->kind->association->choices(socket, addresses, count, chosen,
                                           plx__race_port(socket->rare->race));
    }
}

/* ---- filters --------------------------------------------------------------------------------- */

/* Connects to the same peer once more, because a filter has asked for it. */
static int connect_anew(plx_socket *socket)
{
    struct plx__chain *chain = plx__chain_of(socket);
    struct plx__target target = {.name = chain->remote};
    struct plx__race *race = new_race(socket, &target);
    if (race == NULL) {
        return plx__step_fail(&chain->stack, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE,
                              "connect again: %s", plx_code_text(PLX_OUT_OF_MEMORY));
    }
    plx__chain_restart(chain);
    plx__socket_close_descriptor(socket);
    plx__race_set_limit(race, chain->time);
    socket->rare->race = race;
    plx__race_begin(race);
    return 0;
}

/* Goes on with establishing when something that it waits for has happened. */
static void establish_filters(plx_socket *socket, struct plx__budget *budget)
{
    struct plx__chain *chain = plx__chain_of(socket);
    plx__chain_wake(socket, budget);
    if ((socket->watch.ready & PLX__READ) == 0 || !plx__chain_takes_step(chain, budget)) {
        return;
    }
    socket->watch.ready &= (uint8_t)~PLX__READ;
    int code = plx__chain_establish(chain);
    code = code == PLX__ERESTART ? connect_anew(socket) : code;
    if (code == 0 && plx__rare_of(socket)->race == NULL) {
        plx__socket_established(socket);
    } else if (code != 0 && code != PLX__EAGAIN) {
        plx__chain_report(socket);
        plx__socket_end(socket);
    }
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* A datagram socket has its descriptor already. Both outcomes free the race, and the verdict with
 * it. */
static void win(plx_socket *socket, struct plx__budget *budget, plx__fd descriptor,
                struct plx__sockaddr peer, int error)
{
    if (socket->watch.task != NULL) {
        report_choices(socket);
    }
    int result = plx__socket_enter_connected(socket, descriptor, true, &peer);
    if (result < 0) {
        plx__os_close(descriptor);
        fail(socket, result, &peer);
        return;
    }
    if (error < 0) {
        plx__sending_fail(socket, -error); /* the end is reported with it, behind the bytes */
    }
    if (socket->state == PLX_CONNECTING) {
        establish_filters(socket, budget);
    }
}

/* Goes on along the way, now that the addresses of the peer's host are known. */
static void choose_way(plx_socket *socket)
{
    struct plx__race *looked_up = socket->rare->race;
    struct plx__target target = {0};
    size_t count;
    bool chosen = plx__route_choose(socket, looked_up, &target, &count);
    if (chosen && !plx__route_leads(socket)) {
        plx__socket_set_state(socket, PLX_CONNECTING);
        plx__race_go_on(looked_up, count);
        return;
    }
    struct plx__race *race = chosen ? new_race(socket, &target) : NULL;
    if (race == NULL) {
        plx__socket_set_end_error_system(socket, -PLX__ENOMEM, "connect");
        fall_back(socket);
        return;
    }
    plx__race_set_limit(race, plx__race_limit(looked_up));
    socket->rare->race = race;
    plx__race_free(looked_up);
    if (!plx__race_is_looking_up(race)) {
        plx__socket_set_state(socket, PLX_CONNECTING);
    }
    plx__race_begin(race);
}

static void continue_race(plx_socket *socket, struct plx__budget *budget)
{
    const struct plx__verdict *verdict = plx__race_continue(socket->rare->race);
    bool found = verdict->state != PLX__RACE_LOOKING_UP && verdict->state != PLX__RACE_FOUND &&
                 verdict->state != PLX__RACE_LOOKUP_FAILED;
    if (socket->state == PLX_HOST_LOOKUP && found) {
        plx__socket_set_state(socket, PLX_CONNECTING);
    }
    switch (verdict->state) {
    case PLX__RACE_LOOKING_UP:
    case PLX__RACE_RUNNING: break;
    case PLX__RACE_FOUND: choose_way(socket); break;
    case PLX__RACE_WON:
        win(socket, budget, verdict->descriptor, verdict->name, verdict->error);
        break;
    case PLX__RACE_FAILED: fail(socket, verdict->error, &verdict->name); break;
    case PLX__RACE_LOOKUP_FAILED: fail_lookup(socket, &verdict->failure); break;
    }
}

void plx__connect_continue(plx_socket *socket, struct plx__budget *budget)
{
    if (plx__rare_of(socket)->race == NULL) {
        establish_filters(socket, budget);
    } else {
        continue_race(socket, budget);
    }
}

/* ---- begin ----------------------------------------------------------------------------------- */

/* Binds a datagram socket before it gets a peer: it has to be bound when it loses the peer
 * again. */
static int bind_first(plx_socket *socket)
{
    plx__fd descriptor = socket->kind->endpoint->bind(socket);
    if (descriptor < 0) {
        return -descriptor;
    }
    int result = plx__socket_take_descriptor(socket, descriptor, PLX_CONNECTING);
    if (result < 0) {
        plx__os_close(descriptor);
        return plx__socket_fail_system(socket, result, "connect");
    }
    return 0;
}

static int begin(plx_socket *socket, struct plx__race *race, enum plx__leg leg)
{
    if (!plx__socket_shed(socket)) {
        plx__race_free(race);
        return PLX_INVALID_STATE;
    }
    plx__socket_begin(socket);
    plx__route_begin(socket, leg);
    socket->rare->race = race;
    plx__socket_set_state(socket, plx__race_is_looking_up(race) ? PLX_HOST_LOOKUP : PLX_CONNECTING);
    if (socket->watch.task != NULL) {
        plx__race_begin_by(race, socket->watch.descriptor);
    } else {
        plx__reconnect_arm(socket);
        plx__race_begin(race);
    }
    plx__socket_update(socket);
    return 0;
}

/* Allocates before it opens the descriptor: a failure after that has nothing to undo but the
 * race. */
int plx__connect_start(plx_socket *socket)
{
    struct plx__race *race;
    enum plx__leg leg;
    int code = make_race(socket, &race, &leg);
    if (code != 0) {
        return code;
    }
    if (socket->kind->transport->connectionless && socket->watch.task == NULL) {
        code = bind_first(socket);
    }
    if (code != 0) {
        plx__race_free(race);
        return code;
    }
    plx__hold_enter(&socket->hold);
    code = begin(socket, race, leg);
    plx__socket_leave(socket);
    return code;
}

void plx__connect_again(plx_socket *socket)
{
    if (plx__reconnect_is_due(socket) && plx__connect_start(socket) != 0 && !socket->hold.freed) {
        plx__reconnect_wait(socket);
        plx__socket_update(socket);
    }
}
