/* lib/socket/property.c -- the properties of a socket. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/socket/failure.h"
#include "lib/socket/framing.h"
#include "lib/socket/object.h"
#include "lib/socket/property.h"
#include "lib/socket/route.h"

#include <string.h>

/* ---- handlers -------------------------------------------------------------------------------- */

void plx_socket_set_events_sized(plx_socket *socket, const plx_events *events, size_t size,
                                 void *user)
{
    if (socket != NULL) {
        socket->handlers = (struct plx__handlers){.table = events, .size = size, .user = user};
        plx__framing_note_commands(socket);
    }
}

void plx_socket_set_user(plx_socket *socket, void *user)
{
    if (socket != NULL) {
        socket->handlers.user = user;
    }
}

void *plx_socket_user(const plx_socket *socket)
{
    return socket == NULL ? NULL : socket->handlers.user;
}

/* ---- as set ---------------------------------------------------------------------------------- */

bool plx__text_set(char **text, const char *value)
{
    char *copy = NULL;
    if (value != NULL && value[0] != '\0') {
        copy = plx__memory_copy_text(value);
        if (copy == NULL) {
            return false;
        }
    }
    plx__memory_free(*text);
    *text = copy;
    return true;
}

const struct plx__properties plx__no_properties;

struct plx__properties *plx__properties_make(plx_socket *socket)
{
    struct plx__rare *rare = plx__rare_make(socket);
    if (rare != NULL && rare->properties == NULL) {
        rare->properties = plx__memory_new(sizeof *rare->properties);
    }
    return rare != NULL ? rare->properties : NULL;
}

void plx__properties_free(struct plx__properties *properties)
{
    if (properties != NULL) {
        plx__memory_free(properties->address);
        plx__memory_free(properties->path);
        plx__memory_free(properties->interface);
        plx__memory_free(properties->listen_host);
        plx__memory_free(properties->local_text);
        plx__memory_free(properties->remote_text);
        plx__memory_free(properties->tag);
        plx__memory_free(properties->claim);
        plx__memory_free(properties);
    }
}

static const char *text_or_none(const char *text)
{
    return text == NULL ? "" : text;
}

/* A socket has a path, or an address with a port and an interface. */
static bool has_path(const plx_socket *socket)
{
    return socket->kind->endpoint->has_paths;
}

static int refuse_for_path(plx_socket *socket, const char *property)
{
    return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                              "set %s: %s sockets have a path instead, call plx_socket_set_path",
                              property, socket->kind->name);
}

int plx_socket_set_address(plx_socket *socket, const char *host)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (has_path(socket) && host != NULL && host[0] != '\0') {
        return refuse_for_path(socket, "an address");
    }
    struct plx__properties *properties = plx__properties_make(socket);
    if (properties == NULL || !plx__text_set(&properties->address, host)) {
        return plx__socket_fail_memory(socket, "set the address");
    }
    return 0;
}

const char *plx_socket_address(const plx_socket *socket)
{
    return text_or_none(socket == NULL ? NULL : plx__socket_properties(socket)->address);
}

/* Checks a port, and returns the properties to write it to; NULL after plx__socket_fail with the
 * code *ret_code. `which` names it in the sentences. */
static struct plx__properties *take_port(plx_socket *socket, const char *which, int port,
                                         int *ret_code)
{
    struct plx__properties *properties = NULL;
    if (port < 0 || port > 65535) {
        *ret_code =
            plx__socket_fail(socket, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE, -PLX__SENTENCE,
                             "set the %s to %d: out of range 0 to 65535", which, port);
    } else if (has_path(socket) && port != 0) {
        *ret_code = refuse_for_path(socket, "a port");
    } else {
        properties = plx__properties_make(socket);
        *ret_code = properties == NULL ? plx__socket_fail_memory(socket, "set the %s", which) : 0;
    }
    return properties;
}

int plx_socket_set_port(plx_socket *socket, int port)
{
    int code = PLX_INVALID_STATE;
    struct plx__properties *properties =
        socket == NULL ? NULL : take_port(socket, "port", port, &code);
    if (properties != NULL) {
        properties->port = (uint16_t)port;
    }
    return code;
}

int plx_socket_set_local_port(plx_socket *socket, int port)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (socket->kind->transport->connectionless && port != 0) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "set the local port: %s sockets are bound to their port, call "
                                  "plx_socket_set_port",
                                  socket->kind->name);
    }
    int code;
    struct plx__properties *properties = take_port(socket, "local port", port, &code);
    if (properties != NULL) {
        properties->local_port = (uint16_t)port;
    }
    return code;
}

int plx_socket_port(const plx_socket *socket)
{
    plx_address local;
    if (socket == NULL) {
        return 0;
    }
    return plx_socket_local(socket, &local) ? local.port : plx__socket_properties(socket)->port;
}

bool plx__socket_keep_path(plx_socket *socket, const char *path, size_t size)
{
    struct plx__properties *properties = plx__properties_make(socket);
    char *copy = size == 0 || properties == NULL ? NULL : plx__memory_copy(path, size);
    if (properties == NULL || (size > 0 && copy == NULL)) {
        return false;
    }
    plx__memory_free(properties->path);
    properties->path = copy;
    properties->path_size = (uint16_t)size;
    return true;
}

int plx__socket_set_path(plx_socket *socket, const char *path, size_t size)
{
    if (!has_path(socket) && size > 0) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "set a path: %s sockets have an address and a port instead, call "
                                  "plx_socket_set_address",
                                  socket->kind->name);
    }
    int result = size == 0 ? 0 : socket->kind->endpoint->check_path(path, size);
    if (result < 0) {
        return plx__socket_fail_system(socket, result, "set the path \"%s\"", path);
    }
    if (!plx__socket_keep_path(socket, path, size)) {
        return plx__socket_fail_memory(socket, "set the path");
    }
    return 0;
}

int plx_socket_set_path(plx_socket *socket, const char *path)
{
    return socket == NULL ? PLX_INVALID_STATE
                          : plx__socket_set_path(socket, path, path == NULL ? 0 : strlen(path));
}

const char *plx_socket_path(const plx_socket *socket)
{
    return text_or_none(socket == NULL ? NULL : plx__socket_properties(socket)->path);
}

int plx_socket_set_interface(plx_socket *socket, const char *name_or_address)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (has_path(socket) && name_or_address != NULL && name_or_address[0] != '\0') {
        return refuse_for_path(socket, "an interface");
    }
    struct plx__properties *properties = plx__properties_make(socket);
    if (properties == NULL || !plx__text_set(&properties->interface, name_or_address)) {
        return plx__socket_fail_memory(socket, "set the interface");
    }
    plx__text_set(&properties->listen_host, NULL);
    return 0;
}

const char *plx_socket_interface(const plx_socket *socket)
{
    return text_or_none(socket == NULL ? NULL : plx__socket_properties(socket)->interface);
}

/* ---- as it is -------------------------------------------------------------------------------- */

plx_handle plx_socket_handle(const plx_socket *socket)
{
    return socket == NULL || socket->watch.task == NULL ? PLX_NO_HANDLE : socket->watch.descriptor;
}

const char *plx_socket_kind_name(const plx_socket *socket)
{
    return socket == NULL ? "" : socket->kind->name;
}

plx_state plx_socket_state(const plx_socket *socket)
{
    return socket == NULL ? PLX_UNCONNECTED : (plx_state)socket->state;
}

bool plx_socket_is_connected(const plx_socket *socket)
{
    return socket != NULL && (socket->state == PLX_CONNECTED || socket->state == PLX_BOUND);
}

bool plx_socket_is_listening(const plx_socket *socket)
{
    return socket != NULL && socket->state == PLX_LISTENING;
}

bool plx_socket_local(const plx_socket *socket, plx_address *ret_address)
{
    struct plx__sockaddr name;
    if (socket == NULL || ret_address == NULL || socket->watch.task == NULL) {
        return false;
    }
    return plx__os_local_sockaddr(socket->watch.descriptor, &name) == 0 &&
           plx__sockaddr_to_address(&name, ret_address);
}

bool plx_socket_remote(const plx_socket *socket, plx_address *ret_address)
{
    if (socket == NULL || ret_address == NULL || socket->remote.family == 0) {
        return false;
    }
    *ret_address = plx__route_leads(socket) ? socket->rare->route->remote : socket->remote;
    return true;
}

/* Casts const away: the program cannot see that a string is made on demand. NULL when memory ran
 * out. */
static struct plx__properties *texts_of(const plx_socket *socket)
{
    return plx__properties_make((plx_socket *)socket);
}

static const char *keep_text(char **place, const plx_address *address)
{
    char text[PLX__ADDRESS_TEXT_SIZE];
    plx__address_format_host(address, text, sizeof text);
    if (*place == NULL || strcmp(*place, text) != 0) {
        plx__text_set(place, text);
    }
    return text_or_none(*place);
}

static const char *keep_path(const plx_socket *socket)
{
    struct plx__sockaddr name;
    char text[PLX__OS_SOCKADDR_TEXT_SIZE];
    struct plx__properties *texts = texts_of(socket);
    bool known = texts != NULL && plx__os_local_sockaddr(socket->watch.descriptor, &name) == 0 &&
                 plx__sockaddr_to_path(&name, text, sizeof text) &&
                 plx__text_set(&texts->local_text, text);
    return known ? texts->local_text : "";
}

const char *plx_socket_local_address(const plx_socket *socket)
{
    plx_address address;
    if (plx_socket_local(socket, &address)) {
        struct plx__properties *texts = texts_of(socket);
        return texts == NULL ? "" : keep_text(&texts->local_text, &address);
    }
    if (socket == NULL || socket->watch.task == NULL) {
        return "";
    }
    const char *path = plx__socket_properties(socket)->path;
    return path != NULL ? path : keep_path(socket);
}

const char *plx_socket_remote_address(const plx_socket *socket)
{
    plx_address address;
    if (plx_socket_remote(socket, &address)) {
        struct plx__properties *texts = texts_of(socket);
        if (address.family == 0) {
            return socket->rare->route->host; /* the property may be for the next connect */
        }
        return texts == NULL ? "" : keep_text(&texts->remote_text, &address);
    }
    return socket != NULL && socket->peer != PLX__PEER_NONE
               ? text_or_none(plx__socket_properties(socket)->path)
               : "";
}

int plx_socket_remote_port(const plx_socket *socket)
{
    plx_address address;
    return plx_socket_remote(socket, &address) ? address.port : 0;
}
