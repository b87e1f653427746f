/* lib/group/per-address.c -- how many clients of one address a server may have. */
#include "config.h"

#include "lib/group/clients.h"
#include "lib/group/server.h"
#include "lib/socket/failure.h"

/* Counts the clients that were accepted before there was a maximum. Returns 0 or -ENOMEM. */
static int count_addresses(plx_server *server)
{
    int result = 0;
    struct plx__list *clients = &server->clients;
    for (struct plx__list *link = clients->next; result == 0 && link != clients;
         link = link->next) {
        const plx_socket *client = plx__clients_of(link);
        result = client->client == PLX__CLIENT_RETURNED
                     ? 0
                     : plx__addresses_enter(&server->addresses, &client->remote);
    }
    return result;
}

int plx_server_set_maximum_per_address(plx_server *server, int count)
{
    if (server == NULL || server->hold.freed) {
        return PLX_INVALID_STATE;
    }
    if (server->listener->kind->endpoint->has_paths) {
        return plx__socket_refuse(server->listener, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "set a maximum per address: the peers have no address");
    }
    bool counts = server->maximum_per_address > 0;
    if (count > 0 && !counts && count_addresses(server) < 0) {
        plx__addresses_clear(&server->addresses);
        return plx__socket_fail_memory(server->listener, "set a maximum per address");
    }
    server->maximum_per_address = count < 0 ? 0 : (size_t)count;
    if (server->maximum_per_address == 0) {
        plx__addresses_clear(&server->addresses);
    }
    return 0;
}
