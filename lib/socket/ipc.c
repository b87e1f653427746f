/* lib/socket/ipc.c -- floor 5: Unix-domain stream sockets, between programs on one computer.
 *
 * A listener leaves a file at its path. It is removed when the listener closes, unless another file
 * stands there by then; one that a dead listener left is replaced, and one where somebody listens
 * is not. */
#include "config.h"

#include "lib/error.h"
#include "lib/memory.h"
#include "lib/stream.h"

#include <pollux/ipc.h>

#include <errno.h>
#include <string.h>

/* What a listener left in the file system. */
struct claim {
    char *path;
    struct plx__os_file file;
};

struct ipc {
    plx_socket base;
    struct claim *claim; /* NULL: it has no file, as connections have none */
};

static struct ipc *ipc_of(plx_socket *socket)
{
    return PLX__CONTAINER_OF(socket, struct ipc, base);
}

/* ---- paths ----------------------------------------------------------------------------------- */

static int ipc_check_path(const char *path)
{
    struct plx__os_name name;
    return plx__os_name_from_path(&name, path);
}

static int ipc_parse(plx_socket *socket, const char *where, bool to_listen)
{
    (void)to_listen;
    int result = ipc_check_path(where);
    if (result < 0) {
        return result == -ENAMETOOLONG ? ENAMETOOLONG : PLX_INVALID_STATE;
    }
    return plx__text_set(&socket->path, where) ? 0 : PLX_OUT_OF_MEMORY;
}

static int ipc_aim(plx_socket *socket, struct plx__aim *ret_aim)
{
    struct plx__aim aim = {.host = NULL};
    if (socket->path == NULL) {
        return plx__socket_fail(socket, PLX_INVALID_STATE, PLX_REASON_OPERATION, 0, "use no path");
    }
    plx__os_name_from_path(&aim.name, socket->path);
    *ret_aim = aim;
    return 0;
}

/* ---- listening ------------------------------------------------------------------------------- */

/* A datagram socket asks without being noticed: a listener of streams refuses it as the wrong type
 * (EPROTOTYPE), a file whose listener has died refuses it as such. */
static bool is_left_over(const struct plx__os_name *name)
{
    struct plx__os_file file;
    if (plx__os_file(name->as.path.sun_path, &file) < 0 || !file.is_socket) {
        return false;
    }
    int probe = plx__os_socket(AF_UNIX, SOCK_DGRAM);
    if (probe < 0) {
        return false;
    }
    int result = plx__os_connect(probe, name);
    plx__os_close(probe);
    return result == -ECONNREFUSED;
}

static bool is_abstract(const struct plx__os_name *name)
{
    return name->as.path.sun_path[0] == '\0';
}

static int bind_or_replace(int descriptor, const struct plx__os_name *name)
{
    int result = plx__os_bind(descriptor, name);
    if (result == -EADDRINUSE && !is_abstract(name) && is_left_over(name)) {
        plx__os_remove_file(name->as.path.sun_path);
        result = plx__os_bind(descriptor, name);
    }
    return result;
}

static struct claim *free_claim(struct claim *claim)
{
    if (claim != NULL) {
        plx__memory_free(claim->path);
        plx__memory_free(claim);
    }
    return NULL;
}

/* The mode is set before anybody can connect, for nobody listens yet. */
static int claim_file(plx_socket *socket)
{
    int mode = plx__option_value(socket->options, PLX_OPTION_MODE);
    struct claim *claim = plx__memory_new(sizeof *claim);
    if (claim == NULL || !plx__text_set(&claim->path, socket->path)) {
        free_claim(claim);
        return -ENOMEM;
    }
    int result = mode == 0 ? 0 : plx__os_set_file_mode(claim->path, mode);
    result = result < 0 ? result : plx__os_file(claim->path, &claim->file);
    if (result < 0) {
        free_claim(claim);
        return result;
    }
    ipc_of(socket)->claim = claim;
    return 0;
}

static int bind_path(plx_socket *socket, int descriptor, const struct plx__os_name *name)
{
    int result = bind_or_replace(descriptor, name);
    if (result < 0 || is_abstract(name)) {
        return result;
    }
    result = claim_file(socket);
    if (result < 0) {
        plx__os_remove_file(socket->path);
    }
    return result;
}

static bool is_mode_refused(plx_socket *socket, const struct plx__os_name *name)
{
    bool refused = is_abstract(name) && plx__option_value(socket->options, PLX_OPTION_MODE) != 0;
    if (refused) {
        plx__socket_fail(socket, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, 0,
                         "set a mode of %s", socket->path);
    }
    return refused;
}

static int ipc_bind(plx_socket *socket)
{
    struct plx__aim aim;
    if (ipc_aim(socket, &aim) != 0 || is_mode_refused(socket, &aim.name)) {
        return -1;
    }
    int descriptor = plx__socket_open(socket, AF_UNIX);
    int result = descriptor < 0 ? descriptor : bind_path(socket, descriptor, &aim.name);
    if (result < 0) {
        plx__socket_fail_system(socket, result, "bind to %s", socket->path);
        plx__os_close(descriptor);
        return -1;
    }
    return descriptor;
}

/* Runs before the descriptor is closed: while it is open nobody else's file can have got our
 * numbers. */
static void ipc_finish(plx_socket *socket)
{
    struct claim *claim = ipc_of(socket)->claim;
    struct plx__os_file now;
    if (claim != NULL && plx__os_file(claim->path, &now) == 0 && now.device == claim->file.device &&
        now.inode == claim->file.inode) {
        plx__os_remove_file(claim->path);
    }
    ipc_of(socket)->claim = free_claim(claim);
}

static void ipc_drop(plx_socket *socket)
{
    free_claim(ipc_of(socket)->claim);
}

static const struct plx_kind ipc = {
    PLX__STREAM_SLOTS,
    .name = "IPC",
    .size = sizeof(struct ipc),
    .families = {AF_UNIX, 0},
    .options = PLX__OPTIONS_OF_SOCKETS | PLX__OPTION(MODE) | PLX__OPTION(AUTO_CONNECT),
    .parse = ipc_parse,
    .check_path = ipc_check_path,
    .aim = ipc_aim,
    .bind = ipc_bind,
    .finish = ipc_finish,
    .drop = ipc_drop,
};

plx_socket *plx_ipc_new(void)
{
    return plx__socket_new(&ipc);
}

/* ---- who is there ---------------------------------------------------------------------------- */

int plx_ipc_peer_credentials(const plx_socket *socket, plx_credentials *ret_credentials)
{
    bool connected = plx__socket_is(socket, &ipc) &&
                     (socket->state == PLX_CONNECTED || socket->state == PLX_CLOSING);
    if (!connected || ret_credentials == NULL) {
        return PLX_INVALID_STATE;
    }
    struct plx__os_credentials peer;
    int result = plx__os_credentials(socket->watch.descriptor, &peer);
    if (result < 0) {
        return plx__error_code(-result);
    }
    *ret_credentials =
        (plx_credentials){.process = peer.process, .user = peer.user, .group = peer.group};
    return 0;
}

int plx_ipc_send_handle(plx_socket *socket, int descriptor)
{
    (void)descriptor;
    return socket == NULL ? PLX_INVALID_STATE
                          : plx__socket_fail_unsupported(socket, "send a descriptor");
}

int plx_ipc_receive_handle(plx_socket *socket)
{
    (void)socket;
    return -1;
}
