/* tests/model/route.c -- what a connect through a proxy may do, and must. */
#include "config.h"

#include "tests/model/route.h"

#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int causes_for_all; /* what proxies have done to sockets that they did not know */

void routes_begin(void)
{
    causes_for_all = 0;
}

/* ---- proxies --------------------------------------------------------------------------------- */

/* Both ends of a connection know the port of the one that has connected. */
struct model *route_of_peer(int peer)
{
    int port = peer_far_port(peer);

    for (int i = 0; i < SOCKETS && port > 0; i++) {
        struct model *model = player.sockets[i];

        if (model != NULL && model->sort == SORT_TCP && model->phase == PHASE_TRYING &&
            peer_port(plx_socket_handle(model->socket)) == port)
            return model;
    }
    return NULL;
}

void route_causes(int peer, int causes)
{
    struct model *model = route_of_peer(peer);

    if (model == NULL)
        causes_for_all |= causes;
    else
        model->route.causes |= causes;
}

void route_due(int peer, const struct effect *effect)
{
    struct model *model = route_of_peer(peer);

    if (model == NULL || model->reconnects)
        return;
    model->route.due =
        effect->due == DUE_QUESTION && model->route.changed ? DUE_NOTHING : effect->due;
    model->route.code = effect->code;
    model->route.reason = effect->reason;
    model->route.size = effect->size;
    snprintf(model->route.realm, sizeof model->route.realm, "%s", effect->realm);
    trace("  due for end %u: %d", model->end->number, (int)effect->due);
}

bool route_has_cause(const struct model *model, int causes)
{
    return ((model->route.causes | causes_for_all) & causes) != 0;
}

void route_reset(int peer)
{
    struct model *model = route_of_peer(peer);

    if (model == NULL)
        return;
    model->route.due = DUE_NOTHING;
    model->route.causes |= CAUSE_END;
}

/* ---- connects -------------------------------------------------------------------------------- */

/* "host:port", with brackets around an IPv6 address. */
static void split(const char *where, char *ret_host, size_t size, int *ret_port)
{
    const char *colon = strrchr(where, ':');
    int length = colon == NULL ? 0 : (int)(colon - where);

    if (where[0] == '[') {
        where++;
        length -= 2;
    }
    snprintf(ret_host, size, "%.*s", length, where);
    *ret_port = colon == NULL ? 0 : atoi(colon + 1);
}

static enum leads leads_to(const struct route *route)
{
    bool is_here = strcmp(route->host, "localhost") == 0 || strcmp(route->host, "127.0.0.1") == 0;
    bool is_name = strpbrk(route->host, "ghijklmnopqrstuvwxyz") != NULL;

    if (route->scheme == SCHEME_NONE || is_here || route->port == 0)
        return LEADS_NOT;
    return is_name && route->scheme == SCHEME_SOCKS5 ? LEADS_PERHAPS : LEADS;
}

void route_begin(struct model *model, const char *where)
{
    struct route *route = &model->route;

    if (model->sort != SORT_TCP)
        return;
    split(where, route->host, sizeof route->host, &route->port);
    route->changed = false;
    snprintf(route->shown, sizeof route->shown, "%s", plx_socket_proxy(model->socket));
    route->leads = leads_to(route);
    route->causes |= route->absence;
}

/* The next connection of AUTO_CONNECT may go another way, and has the causes of those before. */
void route_forget(struct model *model)
{
    model->route.due = DUE_NOTHING;
    model->route.is_through = false;
    if (model->reconnects)
        return;
    model->route.leads = LEADS_NOT;
    model->route.causes = 0;
    model->route.refusals = model->route.questions = 0;
}

void route_connected(struct model *model)
{
    struct route *route = &model->route;
    const char *remote = plx_socket_remote_address(model->socket); /* "" without memory */

    if (route->leads == LEADS && !model->reconnects && !route_has_cause(model, CAUSE_TUNNEL))
        fault("connected, and no proxy has made a tunnel");
    if (route->leads == LEADS && !model->reconnects && strcmp(remote, route->host) != 0 &&
        !(remote[0] == '\0' && supply_has_refused()))
        fault("connected to %s, not %s", remote, route->host);
    if (route->leads == LEADS && route->due == DUE_ERROR && !model->reconnects)
        fault("connected, and error %d was due", route->code);
    route->due = DUE_NOTHING;
    route->is_through = true;
}

/* ---- errors ---------------------------------------------------------------------------------- */

static bool is_timeout(const plx_error *error)
{
    return error->reason == PLX_REASON_PROXY_CONNECTION_TIMEOUT ||
           error->reason == PLX_REASON_SOCKET_TIMEOUT;
}

/* What has nothing to do with the proxy. A filter above it may fail, too. */
static bool has_another_cause(const struct model *model, const plx_error *error)
{
    return is_timeout(error) || (error->code == PLX_OUT_OF_MEMORY && supply_has_refused()) ||
           player.program->starves || ground_cuts() || ground_has_refused() ||
           model->flavour >= FLAVOUR_NOISE || model_is_murky(model);
}

/* Any of these must have happened before an error with that reason. */
static int causes_of(plx_reason reason)
{
    switch (reason) {
    case PLX_REASON_PROXY_CONNECTION_REFUSED: return CAUSE_ABSENT;
    case PLX_REASON_PROXY_NOT_FOUND: return CAUSE_NAME;
    case PLX_REASON_PROXY_CONNECTION_CLOSED: return CAUSE_END;
    case PLX_REASON_PROXY_PROTOCOL: return CAUSE_NONSENSE;
    case PLX_REASON_PROXY_AUTHENTICATION_REQUIRED:
    case PLX_REASON_OPERATION: return CAUSE_QUESTION;           /* too many connections */
    case PLX_REASON_NETWORK: return CAUSE_REFUSAL | CAUSE_NAME; /* the name server's */
    default: return CAUSE_REFUSAL;
    }
}

static bool is_of_proxy(plx_reason reason)
{
    return reason == PLX_REASON_PROXY_AUTHENTICATION_REQUIRED ||
           (reason >= PLX_REASON_PROXY_CONNECTION_REFUSED && reason <= PLX_REASON_PROXY_PROTOCOL);
}

/* Each question costs a connection, and each address of the target that was refused: a filter gets
 * eight more. */
static bool has_too_many(const struct route *route)
{
    enum { CONNECTIONS = 9 };

    return route->questions + route->refusals >= CONNECTIONS;
}

static void expect_due(const struct model *model, const plx_error *error)
{
    const struct route *route = &model->route;
    bool too_many = error->code == PLX_LOST_CONNECTION && has_too_many(route);

    if (route->due == DUE_TUNNEL && !model->closing)
        fault("error %d, and a tunnel was there: %s", error->code, error->message);
    if (route->due == DUE_QUESTION)
        fault("error %d, and the proxy's question was not reported: %s", error->code,
              error->message);
    if (route->due == DUE_ERROR && !too_many &&
        (error->code != route->code || error->reason != route->reason))
        fault("error %d, reason %d, and due were %d and %d: %s", error->code, (int)error->reason,
              route->code, (int)route->reason, error->message);
}

/* `connected` is not reported any more where a handler has disconnected first. */
static bool is_through(const struct model *model)
{
    const struct route *route = &model->route;

    return model->phase != PHASE_TRYING || route->is_through ||
           (model->closing && (route->causes & CAUSE_TUNNEL) != 0);
}

/* Whether the connect was on its way through the proxy. That of AUTO_CONNECT may go another way. */
static bool was_led(const struct model *model, const plx_error *error)
{
    const struct route *route = &model->route;
    int met = route->causes & ~(CAUSE_NAME | CAUSE_ABSENT);

    if (model->reconnects)
        return is_of_proxy(error->reason);
    return route->leads == LEADS || (route->leads == LEADS_PERHAPS && met != 0);
}

/* An attempt is refused or not answered. A reset ends a connection, whose bytes come first. */
static void expect_attempt(const plx_error *error)
{
    if ((error->os_error == ECONNRESET || error->os_error == EPIPE) &&
        strncmp(error->message, "connect to ", 11) == 0)
        fault("an attempt was reset: %s", error->message);
}

void route_error(struct model *model, const plx_error *error)
{
    struct route *route = &model->route;

    expect_attempt(error);
    if (model->phase == PHASE_TRYING && route->leads == LEADS_NOT && !model->reconnects &&
        is_of_proxy(error->reason))
        fault("an error of a proxy, and none was used: %s", error->message);
    if (is_through(model) || !was_led(model, error) || has_another_cause(model, error))
        return;
    if (model->reconnects) /* another proxy may have been set since */
        route->causes |= CAUSE_NAME | CAUSE_ABSENT;
    if (!route_has_cause(model, causes_of(error->reason)))
        fault("error %d, reason %d without a cause (%d): %s", error->code, (int)error->reason,
              route->causes | causes_for_all, error->message);
    if (!model->reconnects)
        expect_due(model, error);
    route->due = DUE_NOTHING;
}

/* ---- secrets --------------------------------------------------------------------------------- */

void route_keep_secret(const char *string, const char *what)
{
    const char *base64 = "c2VzYW1l";

    if (string != NULL && (strstr(string, "sesame") != NULL || strstr(string, base64) != NULL))
        fault("a secret in %s: %s", what, string);
}

void route_keep_secrets(const struct model *model)
{
    const plx_socket *socket = model->socket;

    route_keep_secret(plx_socket_proxy(socket), "the proxy");
    route_keep_secret(plx_socket_error(socket)->message, "the error");
    route_keep_secret(plx_socket_address(socket), "the address");
    route_keep_secret(plx_socket_remote_address(socket), "the remote address");
    route_keep_secret(plx_socket_protocol_tag(socket), "the tag");
}

/* ---- what must have happened ----------------------------------------------------------------- */

/* The library receives 1024 bytes in a step. */
bool route_is_due(const struct model *model)
{
    enum { STEP = 1024 };

    return model->route.due != DUE_NOTHING && model->route.size < STEP;
}

/* A filter above the proxy may still have to establish. */
void route_expect_known(const struct model *model)
{
    if (plx_socket_state(model->socket) == PLX_CONNECTING && model->route.due != DUE_NOTHING &&
        !model->reconnects && (model->flavour < FLAVOUR_NOISE || model->route.due != DUE_TUNNEL))
        fault("end %u still connects, and the proxy has answered: due is %d", model->end->number,
              (int)model->route.due);
}
