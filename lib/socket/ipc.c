/* lib/socket/ipc.c -- floor 5: Unix-domain stream sockets, between programs on one computer. */
#include "config.h"

#include "lib/error.h"
#include "lib/path.h"
#include "lib/stream.h"

#include <pollux/ipc.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What the kernel takes as a path, at most (PATH_MAX, limits.h). */
#define LONGEST_PATH 4096

struct ipc {
    struct plx__path_socket base;
};

static const struct plx_kind ipc = {
    PLX__STREAM_SLOTS,
    PLX__PATH_SLOTS,
    .name = "IPC",
    .size = sizeof(struct ipc),
    .options = PLX__OPTIONS_OF_SOCKETS | PLX__OPTION(MODE) | PLX__OPTION(AUTO_CONNECT),
    .drop = plx__path_drop,
};

plx_socket *plx_ipc_new(void)
{
    return plx__socket_new(&ipc);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* "." and ".." are names of folders. */
static bool is_file_name(const char *name)
{
    return name != NULL && name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

int plx_ipc_private_path(const char *name, char *ret_path, size_t size)
{
    char folder[LONGEST_PATH], path[LONGEST_PATH];
    if (!is_file_name(name) || ret_path == NULL) {
        return PLX_INVALID_STATE;
    }
    int result = plx__os_private_folder(folder, sizeof folder);
    int length = result < 0 ? -1 : snprintf(path, sizeof path, "%s/%s", folder, name);
    if (result < 0) {
        return result == -ERANGE ? ENAMETOOLONG : plx__error_code(-result);
    }
    if (length < 0 || (size_t)length >= sizeof path || (size_t)length >= size) {
        return ENAMETOOLONG;
    }
    memcpy(ret_path, path, (size_t)length + 1);
    return 0;
}

int plx_ipc_set_abstract_name(plx_socket *socket, const void *name, size_t size)
{
    char path[LONGEST_PATH];
    if (!plx__socket_is(socket, &ipc)) {
        return socket == NULL ? PLX_INVALID_STATE
                              : plx__socket_fail_unsupported(socket, "set an abstract name");
    }
    if (name == NULL || size == 0) {
        return plx__socket_fail(socket, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, 0,
                                "set no abstract name");
    }
    size_t most = sizeof path - 2;
    size = size < most ? size : most;
    path[0] = '@';
    memcpy(path + 1, name, size);
    path[size + 1] = '\0';
    return plx__socket_set_path(socket, path, size + 1);
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
