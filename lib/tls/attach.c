/* lib/tls/attach.c -- giving TLS to sockets and servers. */
#include "lib/tls/connection.h"
#include "lib/tls/refuse.h"
#include "lib/tls/steps.h"

#include <pollux/filter.h>

static int check_settings(plx_tls *tls)
{
    if (tls->is_server && tls->identity.certificate == NULL) {
        return plx__tls_refuse(&tls->refusal,
                               "TLS: a server needs a certificate: plx_tls_use_file");
    }
    return 0;
}

/* `message` is the library's own. */
static int refuse_as(plx_tls *tls, int code, const char *message)
{
    return code == PLX_OUT_OF_MEMORY ? plx__tls_refuse_memory(&tls->refusal)
                                     : plx__tls_refuse(&tls->refusal, "TLS: %s", message);
}

static int push(plx_socket *socket, plx_tls *tls, bool is_in_stream)
{
    plx_filter *filter = plx_socket_push_filter(socket, &plx__tls_kind);
    if (filter == NULL) {
        return refuse_as(tls, plx_socket_last_error(socket), plx_socket_error(socket)->message);
    }
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    connection->tls = plx__tls_share(tls);
    connection->is_in_stream = is_in_stream;
    return 0;
}

/* One that a connection has pushed by plx_socket_start_tls would be freed by the next one. */
static int remove_filter(plx_socket *socket)
{
    plx_filter *filter = plx_socket_filter(socket, &plx__tls_kind);
    return filter == NULL ? 0 : plx_socket_remove_filter(socket, filter);
}

int plx_socket_set_tls(plx_socket *socket, plx_tls *tls)
{
    int code = socket == NULL ? PLX_INVALID_STATE : tls == NULL ? 0 : check_settings(tls);
    if (code != 0) {
        return code;
    }
    if (plx_socket_state(socket) != PLX_UNCONNECTED) {
        return tls == NULL
                   ? PLX_INVALID_STATE
                   : plx__tls_refuse(&tls->refusal, "TLS: the socket is not unconnected; see "
                                                    "plx_socket_start_tls");
    }
    plx_filter *filter = plx_socket_filter(socket, &plx__tls_kind);
    struct plx__tls_connection *connection = filter == NULL ? NULL : plx__tls_connection_of(filter);
    if (tls == NULL || (connection != NULL && connection->is_in_stream)) {
        code = remove_filter(socket);
        connection = NULL;
    }
    if (code != 0 || tls == NULL) {
        return code;
    }
    if (connection == NULL) {
        return push(socket, tls, false);
    }
    plx__tls_share(tls);
    plx__tls_forget_connection(connection);
    plx_tls_free(connection->tls);
    connection->tls = tls;
    return 0;
}

int plx_socket_start_tls(plx_socket *socket, plx_tls *tls)
{
    if (socket == NULL || tls == NULL) {
        return PLX_INVALID_STATE;
    }
    int code = check_settings(tls);
    if (code == 0 && plx_socket_state(socket) != PLX_CONNECTED) {
        code = plx__tls_refuse(&tls->refusal, "TLS: the socket is not connected");
    } else if (code == 0 && plx_socket_filter(socket, &plx__tls_kind) != NULL) {
        code = plx__tls_refuse(&tls->refusal, "TLS: the connection is encrypted already");
    }
    return code == 0 ? push(socket, tls, true) : code;
}

/* ---- servers --------------------------------------------------------------------------------- */

/* The last of several calls of plx_server_set_tls has the last word. */
static int equip(plx_socket *client, void *user)
{
    return plx_socket_set_tls(client, user);
}

static void release(void *user)
{
    plx_tls_free(user);
}

int plx_server_set_tls(plx_server *server, plx_tls *tls)
{
    if (server == NULL) {
        return PLX_INVALID_STATE;
    }
    int code = tls == NULL ? 0 : check_settings(tls);
    if (code == 0 && tls != NULL && !tls->is_server) {
        code = plx__tls_refuse(&tls->refusal,
                               "TLS: these are settings of a client: plx_tls_new_server");
    }
    if (code == 0) {
        code =
            plx_server_add_filter(server, equip, release, tls == NULL ? NULL : plx__tls_share(tls));
        if (code != 0 && tls != NULL) {
            code = refuse_as(tls, code, plx_code_text(code));
            plx_tls_free(tls);
        }
    }
    return code;
}
