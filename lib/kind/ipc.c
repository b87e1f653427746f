/* lib/kind/ipc.c -- Unix-domain stream sockets, between programs on one computer.
 *
 * The folder lib/kind/ has one file for each kind of socket, which joins an endpoint and a
 * transport in one table. It may use all folders of lib/ except lib/group/, but no file uses
 * another one of the folder. No folder uses it: the program gets a kind from its constructor, such
 * as plx_ipc_new. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/endpoint/path.h"
#include "lib/os/errno.h"
#include "lib/socket/chain.h"
#include "lib/socket/failure.h"
#include "lib/socket/object.h"
#include "lib/socket/progress.h"
#include "lib/socket/property.h"
#include "lib/socket/rare.h"
#include "lib/socket/state.h"
#include "lib/socket/write.h"
#include "lib/transfer/handles.h"
#include "lib/transfer/stream.h"

#include <pollux/ipc.h>

#include <stdio.h>
#include <string.h>

/* ---- bytes, and the descriptors that ride on them -------------------------------------------- */

/* NULL: none were ever sent or received. */
static struct plx__handles *handles_of(const plx_socket *socket)
{
    return plx__rare_of(socket)->handles;
}

static struct plx__handles *make_handles(plx_socket *socket)
{
    struct plx__rare *rare = plx__rare_make(socket);
    if (rare != NULL && rare->handles == NULL) {
        rare->handles = plx__memory_new(sizeof *rare->handles);
    }
    return rare == NULL ? NULL : rare->handles;
}

static ptrdiff_t ipc_send(plx_socket *socket, const void *data, size_t size)
{
    struct plx__handles *handles = handles_of(socket);
    return handles == NULL || plx__chain_is_greeting(socket)
               ? plx__stream_send(socket, data, size)
               : plx__handles_send(handles, socket->watch.descriptor, data, size);
}

/* When descriptors have arrived, the input stops: the program takes them before more is
 * received. */
static PLX__APART ptrdiff_t receive_handles(plx_socket *socket, void *data, size_t size)
{
    bool came = false;
    struct plx__handles *handles = make_handles(socket);
    if (handles == NULL) {
        return -PLX__ENOMEM;
    }
    ptrdiff_t count = plx__handles_receive(handles, socket->watch.descriptor, data, size, &came);
    if (came) {
        plx__socket_stop_input(socket);
    }
    return count;
}

/* Receiving descriptors costs a tenth of a round trip, so only a socket with RECEIVE_HANDLES does
 * it. */
static ptrdiff_t ipc_receive(plx_socket *socket, void *data, size_t size)
{
    return plx__option_value(socket->options, PLX_OPTION_RECEIVE_HANDLES) == 0
               ? plx__stream_receive(socket, data, size)
               : receive_handles(socket, data, size);
}

static void ipc_drop_sending(plx_socket *socket)
{
    if (handles_of(socket) != NULL) {
        plx__handles_drop_waiting(handles_of(socket));
    }
}

static void ipc_drop_received(plx_socket *socket)
{
    if (handles_of(socket) != NULL) {
        plx__handles_drop_arrived(handles_of(socket));
    }
}

static void ipc_destroy(plx_socket *socket)
{
    ipc_drop_sending(socket);
    ipc_drop_received(socket);
    plx__memory_free(handles_of(socket));
}

/* ---- the kind -------------------------------------------------------------------------------- */

static const struct plx_kind ipc = {
    .name = "IPC",
    .endpoint = &plx__path_endpoint,
    .transport = &plx__stream_transport,
    .unopened = PLX__NOT_CONNECTED,
    .size = sizeof(plx_socket),
    .options = PLX__OPTIONS_OF_SOCKETS | PLX__OPTION(MODE) | PLX__OPTION(AUTO_CONNECT) |
               PLX__OPTION(RECEIVE_HANDLES),
    .receive = ipc_receive,
    .send = ipc_send,
    .drop_sending = ipc_drop_sending,
    .drop_received = ipc_drop_received,
    .destroy = ipc_destroy,
};

plx_socket *plx_ipc_new(void)
{
    return plx__socket_new(&ipc);
}

static int refuse_kind(plx_socket *socket, const char *call)
{
    return socket == NULL ? PLX_INVALID_STATE
                          : plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                               "%s: only for IPC sockets, not for %s sockets", call,
                                               socket->kind->name);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* "." and ".." name folders, not files. */
static bool is_file_name(const char *name)
{
    return name != NULL && name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

int plx_ipc_private_path(const char *name, char *ret_path, size_t size)
{
    char folder[PLX__OS_PATH_SIZE], path[PLX__OS_PATH_SIZE];
    if (!is_file_name(name) || ret_path == NULL) {
        return PLX_INVALID_STATE;
    }
    int result = plx__os_private_folder(folder, sizeof folder);
    int length = result < 0 ? -1 : snprintf(path, sizeof path, "%s/%s", folder, name);
    if (result < 0) {
        return result == -PLX__ERANGE ? PLX__ENAMETOOLONG : plx__error_code(-result);
    }
    if (length < 0 || (size_t)length >= sizeof path || (size_t)length >= size) {
        return PLX__ENAMETOOLONG;
    }
    memcpy(ret_path, path, (size_t)length + 1);
    return 0;
}

int plx_ipc_set_abstract_name(plx_socket *socket, const void *name, size_t size)
{
    char path[PLX__OS_PATH_SIZE];
    if (!plx__socket_is(socket, &ipc)) {
        return refuse_kind(socket, "set an abstract name");
    }
    if (name == NULL || size == 0) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "set an abstract name: no name given");
    }
    size_t most = sizeof path - 2;
    size = size < most ? size : most;
    path[0] = '@';
    memcpy(path + 1, name, size);
    path[size + 1] = '\0';
    return plx__socket_set_path(socket, path, size + 1);
}

/* ---- the peer -------------------------------------------------------------------------------- */

static bool is_connection(const plx_socket *socket)
{
    return plx__socket_is(socket, &ipc) &&
           (socket->state == PLX_CONNECTED || socket->state == PLX_CLOSING);
}

int plx_ipc_peer_credentials(const plx_socket *socket, plx_credentials *ret_credentials)
{
    if (!is_connection(socket) || ret_credentials == NULL) {
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

plx_handle plx_ipc_peer_process_handle(const plx_socket *socket)
{
    plx__fd descriptor =
        is_connection(socket) ? plx__os_peer_process(socket->watch.descriptor) : PLX__NO_FD;
    return descriptor < 0 ? PLX_NO_HANDLE : descriptor;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

int plx_ipc_send_handle(plx_socket *socket, plx_handle descriptor)
{
    if (!plx__socket_is(socket, &ipc)) {
        return refuse_kind(socket, "send a descriptor");
    }
    int code = plx__socket_check_write(socket, NULL, 0);
    if (code != 0) {
        return code;
    }
    if (socket->kind->is_filtered && plx__chain_sends(plx__chain_of(socket))) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "send descriptor %d: filters change the bytes that it would "
                                  "ride on",
                                  descriptor);
    }
    struct plx__handles *handles = make_handles(socket);
    int result =
        handles == NULL ? -PLX__ENOMEM : plx__handles_queue(handles, socket->out.size, descriptor);
    return result < 0 ? plx__socket_fail_system(socket, result, "send descriptor %d", descriptor)
                      : 0;
}

plx_handle plx_ipc_receive_handle(plx_socket *socket)
{
    bool any = plx__socket_is(socket, &ipc) && handles_of(socket) != NULL;
    return any ? plx__handles_take(handles_of(socket)) : PLX_NO_HANDLE;
}
