/* lib/filter/proxy.c -- the proxy of a socket: its settings, and the way through it. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/memory.h"
#include "lib/endpoint/internet.h"
#include "lib/filter/exchange.h"
#include "lib/filter/proxy.h"
#include "lib/filter/way.h"
#include "lib/os/address.h"
#include "lib/socket/failure.h"
#include "lib/socket/object.h"

#include <string.h>

/* ---- this computer --------------------------------------------------------------------------- */

/* 127.0.0.0/8, ::1, and the addresses that mean "any", to which the kernel connects as to this
 * computer; each also in its IPv4-mapped form. */
static bool is_here(const plx_address *address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t none[16];
    const uint8_t *bytes = address->bytes;
    bool is_mapped = address->family == 6 && memcmp(bytes, mapped, sizeof mapped) == 0;
    if (address->family == 6 && !is_mapped) {
        return memcmp(bytes, none, 15) == 0 && bytes[15] <= 1;
    }
    bytes += is_mapped ? 12 : 0;
    return bytes[0] == 127 || memcmp(bytes, none, 4) == 0;
}

bool plx__proxy_is_here(const char *host)
{
    plx_address address;
    return plx__address_parse_host(host, strlen(host), &address) ? is_here(&address)
                                                                 : plx__host_is_local(host);
}

/* ---- the way --------------------------------------------------------------------------------- */

/* Replaces the target by the proxy. False when memory ran out. */
static bool go_by_proxy(plx_socket *socket, const struct plx__way *way,
                        struct plx__target *ret_target, enum plx__leg *ret_leg)
{
    plx_address address;
    memset(ret_target, 0, sizeof *ret_target);
    if (plx__address_parse_host(way->proxy.host, strlen(way->proxy.host), &address)) {
        address.port = (uint16_t)way->proxy.port;
        plx__sockaddr_from_address(&ret_target->name, &address, PLX__FAMILY_NONE);
    } else {
        ret_target->host = way->proxy.host;
        ret_target->port = (uint16_t)way->proxy.port;
    }
    *ret_leg = PLX__LEG_LEADING;
    return plx__exchange_put(socket);
}

/* The peer as the program sees it: by its address if there is only one, else by its name. */
static void set_remote(struct plx__proxy *proxy)
{
    const struct plx__way *way = &proxy->way;
    proxy->route.remote = (plx_address){0};
    if (way->count == 1) {
        proxy->route.remote = way->addresses[0];
    }
    proxy->route.remote.port = (uint16_t)way->port;
    proxy->route.host = way->host;
}

static void plan_way(struct plx__proxy *proxy, int port)
{
    struct plx__way *way = &proxy->planned;
    way->proxy = proxy->text;
    memcpy(way->shown, proxy->shown, sizeof way->shown);
    way->host[0] = '\0';
    way->port = port;
    way->count = way->next = 0;
}

static void add_address(struct plx__way *way, plx_address address)
{
    address.port = (uint16_t)way->port;
    way->addresses[way->count++] = address;
}

static bool plan_to_address(plx_socket *socket, struct plx__target *target, enum plx__leg *ret_leg)
{
    struct plx__proxy *proxy = plx__proxy_of(socket);
    plx_address address;
    if (!plx__sockaddr_to_address(&target->name, &address) || is_here(&address)) {
        return true;
    }
    plan_way(proxy, address.port);
    add_address(&proxy->planned, address);
    return go_by_proxy(socket, &proxy->planned, target, ret_leg);
}

static bool plan_to_name(plx_socket *socket, struct plx__target *target, enum plx__leg *ret_leg)
{
    struct plx__proxy *proxy = plx__proxy_of(socket);
    struct plx__failure ignored;
    char name[PLX__HOST_SIZE] = "";
    bool prepared = plx__host_prepare(target->host, name, &ignored);
    if (prepared && plx__host_is_local(name)) {
        return true;
    }
    plan_way(proxy, target->port);
    memcpy(proxy->planned.host, name, sizeof name);
    /* A name that cannot be prepared, without memory, never leads past the proxy. */
    if (proxy->text.scheme == PLX__PROXY_SOCKS5 || !prepared) {
        *ret_leg = PLX__LEG_LOOKING_UP;
        return true;
    }
    return go_by_proxy(socket, &proxy->planned, target, ret_leg);
}

static bool plan(plx_socket *socket, struct plx__target *target, enum plx__leg *ret_leg)
{
    *ret_leg = PLX__LEG_DIRECT;
    if (!plx__proxy_of(socket)->is_set) {
        return true;
    }
    return target->host == NULL ? plan_to_address(socket, target, ret_leg)
                                : plan_to_name(socket, target, ret_leg);
}

static void begin(plx_socket *socket)
{
    struct plx__proxy *proxy = plx__proxy_of(socket);
    if (proxy->route.leg == PLX__LEG_DIRECT) {
        plx__exchange_take(socket);
    } else {
        proxy->way = proxy->planned;
        set_remote(proxy);
    }
}

/* A name that leads to this computer does so by its first addresses; the others are not reached
 * past the proxy. Later ones of this computer are left out: to the proxy they would be its own. */
static bool choose(plx_socket *socket, const plx_address *addresses, size_t *count,
                   struct plx__target *ret_target, enum plx__leg *ret_leg)
{
    struct plx__proxy *proxy = plx__proxy_of(socket);
    size_t here = 0;
    while (here < *count && is_here(&addresses[here])) {
        here++;
    }
    if (here > 0) {
        *count = here;
        plx__exchange_take(socket);
        *ret_leg = PLX__LEG_DIRECT;
        return true;
    }
    for (size_t i = 0; i < *count && proxy->way.count < PLX__PROXY_ADDRESSES; i++) {
        if (!is_here(&addresses[i])) {
            add_address(&proxy->way, addresses[i]);
        }
    }
    set_remote(proxy);
    return go_by_proxy(socket, &proxy->way, ret_target, ret_leg);
}

static void free_proxy(struct plx__route *route)
{
    plx__memory_free(PLX__CONTAINER_OF(route, struct plx__proxy, route));
}

/* ---- settings -------------------------------------------------------------------------------- */

static int refuse(plx_socket *socket, plx_reason reason, const char *why)
{
    return plx__socket_refuse(socket, reason, "set the proxy: %s", why);
}

static bool takes_proxies(const plx_socket *socket)
{
    return socket->kind->endpoint == &plx__internet_endpoint &&
           !socket->kind->transport->connectionless;
}

static const struct plx__route_table table;

static struct plx__proxy *make_proxy(plx_socket *socket)
{
    struct plx__proxy *proxy = plx__proxy_of(socket);
    if (proxy == NULL && plx__rare_make(socket) != NULL) {
        proxy = plx__memory_new(sizeof *proxy);
        if (proxy != NULL) {
            proxy->route.table = &table;
            plx__route_set(socket, &proxy->route);
        }
    }
    return proxy;
}

static bool prepare(plx_socket *to, const plx_socket *from)
{
    return !plx__proxy_of(from)->is_set || !takes_proxies(to) || make_proxy(to) != NULL;
}

/* The way of the last connection stays: the program may still ask for its peer. */
static void copy(plx_socket *to, const plx_socket *from)
{
    struct plx__proxy *own = plx__proxy_of(to);
    const struct plx__proxy *other = plx__proxy_of(from);
    if (!takes_proxies(from)) {
        return;
    }
    own->is_set = other != NULL && other->is_set;
    if (own->is_set) {
        own->text = other->text;
        memcpy(own->shown, other->shown, sizeof own->shown);
    }
}

static const struct plx__route_table table = {plan, begin, choose, prepare, copy, free_proxy};

int plx_socket_set_proxy(plx_socket *socket, const char *text)
{
    struct plx__proxy_text parsed;
    bool is_none = text == NULL || text[0] == '\0';
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (!takes_proxies(socket)) {
        return is_none ? 0
                       : refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                "proxies are for TCP connections");
    }
    if (!is_none && !plx__proxy_parse(text, &parsed)) {
        return refuse(socket, PLX_REASON_TLS_INVALID_USER_DATA,
                      "the text is not \"scheme://user:password@host:port\"");
    }
    struct plx__proxy *proxy = is_none ? plx__proxy_of(socket) : make_proxy(socket);
    if (proxy == NULL) {
        return is_none ? 0 : plx__socket_fail_memory(socket, "set the proxy");
    }
    proxy->is_set = !is_none;
    if (!is_none) {
        proxy->text = parsed;
        plx__proxy_format(&parsed, proxy->shown, sizeof proxy->shown);
    }
    return 0;
}

const char *plx_socket_proxy(const plx_socket *socket)
{
    const struct plx__proxy *proxy = plx__proxy_of(socket);
    return proxy != NULL && proxy->is_set ? proxy->shown : "";
}

static bool is_sendable(const char *text, bool may_have_colon)
{
    size_t length = strlen(text);
    const char *at = text;
    while ((unsigned char)*at >= 0x20 && *at != 0x7f && (may_have_colon || *at != ':')) {
        at++;
    }
    return length <= 255 && *at == '\0';
}

static void copy_credentials(struct plx__proxy_text *proxy, const char *user, const char *password)
{
    proxy->has_credentials = user[0] != '\0';
    memset(proxy->user, 0, sizeof proxy->user);
    memset(proxy->password, 0, sizeof proxy->password);
    memcpy(proxy->user, user, strlen(user));
    memcpy(proxy->password, password, strlen(password));
}

/* Gives the present connect credentials. The same ones are not sent twice. */
static void answer(struct plx__way *way, const char *user, const char *password)
{
    bool others = strcmp(way->proxy.user, user) != 0 || strcmp(way->proxy.password, password) != 0;
    copy_credentials(&way->proxy, user, password);
    way->credentials += others;
}

int plx_socket_set_proxy_credentials(plx_socket *socket, const char *user, const char *password)
{
    struct plx__proxy *proxy = plx__proxy_of(socket);
    user = user == NULL ? "" : user;
    password = password == NULL ? "" : password;
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (proxy == NULL || !proxy->is_set) {
        return refuse(socket, PLX_REASON_OPERATION, "there is none to have credentials for");
    }
    if (!is_sendable(user, proxy->text.scheme != PLX__PROXY_HTTP) || !is_sendable(password, true)) {
        return refuse(socket, PLX_REASON_TLS_INVALID_USER_DATA,
                      "user or password cannot be sent to it");
    }
    copy_credentials(&proxy->text, user, password);
    if (strcmp(proxy->way.shown, proxy->shown) == 0) { /* else they are for another proxy */
        answer(&proxy->way, user, password);
        plx__exchange_wake(socket);
    }
    return 0;
}
