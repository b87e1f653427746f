/* lib/group/write-all.c -- writing the same to all clients of a server. */
#include "config.h"

#include "lib/group/server.h"
#include "lib/socket/failure.h"
#include "lib/socket/read.h"
#include "lib/socket/write.h"

/* Writes to one client. Returns 0 if the client has taken all of it. */
typedef int writer(plx_socket *client, const void *data, size_t size);

static int write_bytes(plx_socket *client, const void *data, size_t size)
{
    return plx__socket_refuses_bytes(client, "write", "send")
               ? PLX_INVALID_STATE
               : plx__socket_write_whole(client, NULL, data, size);
}

/* No handler runs meanwhile, so the list stays as it is. The end of a connection that nobody has
 * noticed yet is the client's to report. */
static size_t write_to_all(plx_server *server, const void *data, size_t size, writer *give)
{
    size_t count = 0;
    if (server == NULL || server->hold.freed) {
        return 0;
    }
    if (data == NULL && size > 0) {
        plx__socket_refuse(server->listener, PLX_REASON_UNSUPPORTED_OPERATION,
                           "write %zu bytes from NULL to all clients", size);
        return 0;
    }
    const struct plx__list *clients = &server->clients;
    for (struct plx__list *link = clients->next; link != clients; link = link->next) {
        plx_socket *client = plx__clients_of(link);
        if (plx__socket_stays_writable(client) && give(client, data, size) == 0) {
            count++;
        }
    }
    return count;
}

size_t plx_server_write_all(plx_server *server, const void *data, size_t size)
{
    return write_to_all(server, data, size, write_bytes);
}

size_t plx_server_write_message_all(plx_server *server, const void *data, size_t size)
{
    return write_to_all(server, data, size, plx_socket_write_message);
}
