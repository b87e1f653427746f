/* lib/endpoint/internet.c -- what sockets of the internet share. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/endpoint/internet.h"
#include "lib/endpoint/where.h"
#include "lib/os/address.h"
#include "lib/os/errno.h"
#include "lib/os/interface.h"
#include "lib/socket/failure.h"
#include "lib/socket/options.h"
#include "lib/socket/property.h"
#include "lib/socket/race.h"
#include "lib/socket/state.h"

#include <string.h>

/* ---- text ------------------------------------------------------------------------------------ */

int plx__internet_parse(plx_socket *socket, const char *call, enum plx__port wanted,
                        const char *where, char **place, uint16_t *ret_port)
{
    char host[PLX__ADDRESS_HOST_SIZE];
    int port;
    int code = plx__where_split(socket, call, wanted, where, host, &port);
    if (code != 0) {
        return code;
    }
    if (!plx__text_set(place, host)) {
        return plx__socket_fail_memory(socket, "%s %s", call, host);
    }
    *ret_port = (uint16_t)port;
    return 0;
}

/* Reads the place of ours, or that of a peer, into the properties. */
static int parse_property(plx_socket *socket, const char *call, enum plx__port wanted,
                          const char *where)
{
    char *host = NULL;
    uint16_t port;
    int code = plx__internet_parse(socket, call, wanted, where, &host, &port);
    if (code != 0) {
        return code;
    }
    struct plx__properties *properties = plx__properties_make(socket);
    if (properties == NULL) {
        code = plx__socket_fail_memory(socket, "%s %s", call, host == NULL ? "" : host);
        plx__memory_free(host);
        return code;
    }
    char **place = wanted == PLX__PORT_OF_OURS ? &properties->listen_host : &properties->address;
    plx__memory_free(*place);
    *place = host;
    properties->port = port;
    return 0;
}

static int internet_parse(plx_socket *socket, const char *where, bool to_listen)
{
    return to_listen ? parse_property(socket, "listen on", PLX__PORT_OF_OURS, where)
                     : parse_property(socket, "connect to", PLX__PORT_OF_A_PEER, where);
}

/* ---- targets --------------------------------------------------------------------------------- */

static bool is_allowed(const plx_socket *socket, int family)
{
    int protocol = plx__option_value(socket->options, PLX_OPTION_PROTOCOL);
    return protocol == 2 || (protocol == 0 && family == 4) || (protocol == 1 && family == 6);
}

int plx__internet_check_host(plx_socket *socket, const char *host)
{
    char name[PLX__HOST_SIZE];
    struct plx__failure failure;
    return plx__host_prepare(host, name, &failure)
               ? 0
               : plx__socket_fail_lookup(socket, &failure, host);
}

int plx__internet_target(plx_socket *socket, const char *host, int port,
                         struct plx__target *ret_target)
{
    plx_address address;
    if (host == NULL || host[0] == '\0') {
        return plx__socket_fail(socket, PLX_NAME_RESOLUTION, PLX_REASON_EMPTY_HOST_NAME,
                                -PLX__SENTENCE,
                                "connect: no host given, call plx_socket_set_address or "
                                "plx_socket_connect_to");
    }
    if (port < 1 || port > 65535) {
        return plx__socket_fail(socket, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE,
                                -PLX__SENTENCE, "connect to %s: port %d is not 1 to 65535", host,
                                port);
    }
    struct plx__target target = {.port = (uint16_t)port};
    if (plx__address_parse_host(host, strlen(host), &address)) {
        if (!is_allowed(socket, address.family)) {
            return plx__socket_fail_system(socket, -PLX__EAFNOSUPPORT, "connect to %s", host);
        }
        address.port = (uint16_t)port;
        plx__sockaddr_from_address(&target.name, &address, PLX__FAMILY_NONE);
    } else {
        int code = plx__internet_check_host(socket, host);
        if (code != 0) {
            return code;
        }
        target.host = host;
    }
    *ret_target = target;
    return 0;
}

int plx__internet_check(plx_socket *socket, const char *call, const plx_address *address)
{
    const plx_reason reason = PLX_REASON_UNSUPPORTED_OPERATION;
    char host[PLX__ADDRESS_TEXT_SIZE];
    if (address == NULL) {
        return plx__socket_refuse(socket, reason, "%s NULL: no address given", call);
    }
    if (address->family != 4 && address->family != 6) {
        return plx__socket_refuse(socket, reason, "%s an address of family %d: neither 4 nor 6",
                                  call, address->family);
    }
    if (address->port == 0) {
        plx__address_format_host(address, host, sizeof host);
        return plx__socket_fail(socket, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE,
                                -PLX__SENTENCE, "%s %s: the address has port 0", call, host);
    }
    return 0;
}

int plx_socket_connect_to_address(plx_socket *socket, const plx_address *address)
{
    char where[PLX__ADDRESS_TEXT_SIZE];
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (socket->kind->endpoint->has_paths) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "connect to an address: %s sockets have a path instead, call "
                                  "plx_socket_connect_to",
                                  socket->kind->name);
    }
    int code = plx__internet_check(socket, "connect to", address);
    if (code != 0) {
        return code;
    }
    plx_address_format(address, where, sizeof where);
    return plx_socket_connect_to(socket, where);
}

int plx__internet_check_source(plx_socket *socket, const plx_address *from, const plx_address *to,
                               int port)
{
    char text[PLX__ADDRESS_TEXT_SIZE];
    plx__address_format_host(from, text, sizeof text);
    if (from->family != to->family) {
        return plx__socket_fail_system(socket, -PLX__EAFNOSUPPORT, "write from %s to IPv%d", text,
                                       to->family);
    }
    if (from->port != 0 && port != 0 && from->port != port) {
        return plx__socket_fail(socket, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE,
                                -PLX__SENTENCE, "write from %s port %d: the socket has port %d",
                                text, from->port, port);
    }
    return 0;
}

/* ---- addresses of this computer -------------------------------------------------------------- */

/* The interface that a datagram socket is bound to, or the interface's address; NULL: any. */
static const char *interface_of(const plx_socket *socket)
{
    static const uint8_t any[sizeof(((plx_address *)NULL)->bytes)];
    const char *place = plx__socket_properties(socket)->listen_host != NULL
                            ? plx__socket_properties(socket)->listen_host
                            : plx__socket_properties(socket)->interface;
    plx_address address;
    if (place != NULL && plx__address_parse_host(place, strlen(place), &address) &&
        memcmp(address.bytes, any, sizeof any) == 0) {
        return NULL;
    }
    return place;
}

bool plx__internet_interface(const plx_socket *socket, int family, plx_interface *ret_entry)
{
    const char *place = interface_of(socket);
    return place != NULL && plx__interface_find(place, family, NULL, ret_entry);
}

const char *plx__internet_broadcast(const plx_socket *socket, char **text)
{
    plx_interface entry;
    if (!plx__internet_interface(socket, 4, &entry) || entry.broadcast_address[0] == '\0') {
        return "255.255.255.255";
    }
    return plx__text_set(text, entry.broadcast_address) ? *text : "";
}

int plx__internet_interface_index(const plx_socket *socket)
{
    const char *place = interface_of(socket);
    if (place == NULL) {
        return 0;
    }
    unsigned index = plx__interface_index(place);
    return index == 0 ? -PLX__ENODEV : (int)index;
}

/* Datagrams to multicast groups leave by the interface that was set, from one of its addresses. */
static void choose_multicast_interface(const plx_socket *socket, plx__fd descriptor)
{
    plx_address source = {0};
    int index = plx__internet_interface_index(socket);
    if (index > 0) {
        plx__interface_address(interface_of(socket), 4, NULL, &source);
        plx__os_set_multicast_interface(descriptor, (unsigned)index, &source);
    }
}

/* ---- binding --------------------------------------------------------------------------------- */

/* Shares a port that the program has chosen, and leaves the choice of another to connect. */
static void prepare_port(plx__fd descriptor, uint16_t port)
{
    if (port != 0) {
        /* Attempts that race leave from one port, and an earlier connection may be in
         * TIME_WAIT. */
        plx__os_set_reuse(descriptor);
    } else {
        /* Without IP_BIND_ADDRESS_NO_PORT bind(2) reserves a port for all destinations, and some
         * ten thousand connections use up the ports of the address. An older kernel has that
         * limit. */
        plx__os_set_late_port(descriptor);
    }
}

/* Binds to the interface's address that fits the peer, and to the local port, if they are set. */
static int internet_bind_local(plx_socket *socket, plx__fd descriptor,
                               const struct plx__sockaddr *peer)
{
    struct plx__sockaddr name;
    plx_address there;
    const struct plx__properties *properties = plx__socket_properties(socket);
    if (properties->interface == NULL && properties->local_port == 0) {
        return 0;
    }
    enum plx__family family = plx__sockaddr_family(peer);
    bool known = plx__sockaddr_to_address(peer, &there);
    plx_address address = {.family = family == PLX__FAMILY_IPV4 ? 4 : 6};
    if (properties->interface != NULL &&
        !plx__interface_address(properties->interface, address.family, known ? &there : NULL,
                                &address)) {
        return -PLX__EADDRNOTAVAIL;
    }
    address.port = properties->local_port;
    plx__sockaddr_from_address(&name, &address, family);
    prepare_port(descriptor, properties->local_port);
    return plx__os_bind(descriptor, &name);
}

/* What a descriptor will be bound to. */
struct place {
    plx_address address;
    bool both;          /* an IPv6 socket that serves IPv4 too */
    const char *device; /* NULL: any */
};

static int prepare(plx_socket *socket, plx__fd descriptor, const struct place *place)
{
    if (place->address.family == 6) {
        plx__os_set_only_ipv6(descriptor, !place->both);
    }
    if (socket->kind->transport->listens) {
        /* Without SO_REUSEADDR a server that is started again has to wait a minute for its old
         * connections to leave TIME_WAIT. */
        plx__os_set_reuse(descriptor);
    }
    return place->device == NULL ? 0 : plx__os_bind_device(descriptor, place->device);
}

/* Returns the descriptor or a negative errno. */
static plx__fd bind_to(plx_socket *socket, const struct place *place)
{
    struct plx__sockaddr name;
    plx__sockaddr_from_address(&name, &place->address, PLX__FAMILY_NONE);
    plx__fd descriptor = plx__options_open(socket, plx__sockaddr_family(&name));
    if (descriptor < 0) {
        return descriptor;
    }
    int result = prepare(socket, descriptor, place);
    if (result == 0) {
        result = plx__os_bind(descriptor, &name);
    }
    if (result < 0) {
        plx__os_close(descriptor);
        return result;
    }
    return descriptor;
}

static plx__fd bind_to_any(plx_socket *socket, const char *device)
{
    int protocol = plx__option_value(socket->options, PLX_OPTION_PROTOCOL);
    struct place place = {
        {.family = 6, .port = plx__socket_properties(socket)->port}, protocol == 2, device};
    plx__fd descriptor = protocol == 0 ? -PLX__EAFNOSUPPORT : bind_to(socket, &place);
    bool without_ipv6 = descriptor == -PLX__EAFNOSUPPORT || descriptor == -PLX__EADDRNOTAVAIL;
    if (protocol == 0 || (protocol == 2 && without_ipv6)) {
        place.address.family = 4;
        descriptor = bind_to(socket, &place);
    }
    return descriptor;
}

static plx__fd bind_to_address(plx_socket *socket, const char *wanted)
{
    int protocol = plx__option_value(socket->options, PLX_OPTION_PROTOCOL);
    struct place place = {{0}, false, NULL};
    int family = protocol == 0 ? 4 : protocol == 1 ? 6 : 0;
    if (!plx__interface_address(wanted, family, NULL, &place.address)) {
        return -PLX__EADDRNOTAVAIL;
    }
    place.address.port = plx__socket_properties(socket)->port;
    return bind_to(socket, &place);
}

/* A socket that is bound to one address receives no multicast and no broadcast. So a datagram
 * socket is bound to the interface itself where the kernel can do that (SO_BINDTODEVICE). A label
 * such as "eth0:1" stands for its device. */
static plx__fd bind_to_interface(plx_socket *socket, const char *wanted)
{
    char device[sizeof((plx_interface *)NULL)->name];
    plx_address literal;
    plx__fd descriptor = -PLX__ENOPROTOOPT;
    bool datagrams = socket->kind->transport->connectionless;
    if (datagrams && !plx__address_parse_host(wanted, strlen(wanted), &literal)) {
        plx__interface_device(wanted, device, sizeof device);
        descriptor = bind_to_any(socket, device);
    }
    if (descriptor == -PLX__ENOPROTOOPT || descriptor == -PLX__EPERM) {
        descriptor = bind_to_address(socket, wanted);
    }
    if (datagrams && descriptor >= 0) {
        choose_multicast_interface(socket, descriptor);
    }
    return descriptor;
}

/* Whether `wanted` is neither an address nor an interface of this computer, such as a host name. */
static bool is_unknown(const char *wanted)
{
    plx_address address;
    return wanted != NULL && !plx__address_parse_host(wanted, strlen(wanted), &address) &&
           plx__interface_index(wanted) == 0;
}

plx__fd plx__internet_bind(plx_socket *socket)
{
    const char *wanted = plx__socket_properties(socket)->listen_host != NULL
                             ? plx__socket_properties(socket)->listen_host
                             : plx__socket_properties(socket)->interface;
    const char *where = wanted == NULL ? "any address" : wanted;
    plx__fd descriptor =
        wanted == NULL ? bind_to_any(socket, NULL) : bind_to_interface(socket, wanted);
    if (descriptor == -PLX__EACCES) {
        /* Ordinary users may not bind to ports below 1024 (ip(7)). */
        return -plx__socket_fail(socket, PLX_INVALID_PORT, PLX_REASON_SOCKET_ACCESS, -PLX__EACCES,
                                 "bind to %s port %d", where, plx__socket_properties(socket)->port);
    }
    /* Linux returns ENODEV to a user that may bind to a device (socket(7), SO_BINDTODEVICE). */
    if ((descriptor == -PLX__EADDRNOTAVAIL || descriptor == -PLX__ENODEV) && is_unknown(wanted)) {
        return -plx__socket_fail(
            socket, PLX__EADDRNOTAVAIL, PLX_REASON_ADDRESS_NOT_AVAILABLE, -PLX__SENTENCE,
            "bind to %s port %d: neither a numeric address nor an interface of this "
            "computer, and names are not looked up; \":%d\" is every address",
            where, plx__socket_properties(socket)->port, plx__socket_properties(socket)->port);
    }
    if (descriptor < 0) {
        return -plx__socket_fail_system(socket, descriptor, "bind to %s port %d", where,
                                        plx__socket_properties(socket)->port);
    }
    return descriptor;
}

int plx__internet_bind_only(plx_socket *socket)
{
    plx__fd descriptor = plx__internet_bind(socket);
    if (descriptor < 0) {
        return -descriptor;
    }
    int result = plx__socket_take_descriptor(socket, descriptor, PLX_BOUND);
    if (result < 0) {
        plx__os_close(descriptor);
        return plx__socket_fail_system(socket, result, "bind");
    }
    plx__socket_begin(socket);
    plx__socket_enter_bound(socket);
    return 0;
}

int plx__internet_set_place(plx_socket *socket, const char *where)
{
    if (where == NULL) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "bind to NULL: no address given");
    }
    return parse_property(socket, "bind to", PLX__PORT_OF_OURS, where);
}

/* ---- the endpoint ---------------------------------------------------------------------------- */

static int internet_target(plx_socket *socket, struct plx__target *ret_target)
{
    return plx__internet_target(socket, plx__socket_properties(socket)->address,
                                plx__socket_properties(socket)->port, ret_target);
}

const struct plx__endpoint plx__internet_endpoint = {
    .families = {PLX__FAMILY_IPV4, PLX__FAMILY_IPV6},
    .parse = internet_parse,
    .target = internet_target,
    .bind = plx__internet_bind,
    .bind_local = internet_bind_local,
};
