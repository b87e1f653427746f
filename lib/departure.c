/* lib/departure.c -- floor 4: datagrams on their way out. */
#include "config.h"

#include "lib/address.h"
#include "lib/departure.h"
#include "lib/record.h"

#include <errno.h>

bool plx__departure_add(plx_socket *socket, const plx_address *to, const void *data, size_t size)
{
    struct plx__record record = {.size = (uint32_t)size};
    if (to != NULL) {
        record.address = *to;
    }
    if (!plx__record_append(&socket->out, &record, data, plx__socket_pool(socket))) {
        return false;
    }
    socket->out_records++;
    return true;
}

int plx__departure_family(const plx_socket *socket)
{
    struct plx__os_name local;
    return plx__os_local_name(socket->watch.descriptor, &local) < 0 ? AF_INET
                                                                    : plx__os_name_family(&local);
}

static ptrdiff_t send_record(plx_socket *socket, const struct plx__record *record, int family)
{
    struct plx__os_name to;
    plx__os_name_from_address(&to, &record->address, family);
    return plx__os_send_to(socket->watch.descriptor,
                           plx__buffer_data(&socket->out) + sizeof *record, record->size,
                           record->address.family == 0 ? NULL : &to);
}

static void fail_send(plx_socket *socket, const struct plx__record *record, int error)
{
    char host[PLX__ADDRESS_TEXT_SIZE];
    const plx_address *to = record->address.family == 0 ? &socket->remote : &record->address;
    plx__address_format_host(to, host, sizeof host);
    plx__socket_fail_system(socket, error, "send %u bytes to %s", (unsigned)record->size, host);
}

/* Sends the first record. A refusal is word of an earlier datagram, told by the first call after it
 * instead of that call's own work (udp(7)): it is passed on, and the datagram at hand sent again. */
static ptrdiff_t send_first(plx_socket *socket, const struct plx__record *record, int family)
{
    ptrdiff_t count = send_record(socket, record, family);
    if (count == -ECONNREFUSED) {
        fail_send(socket, record, (int)count);
        count = send_record(socket, record, family);
    }
    return count;
}

void plx__departure_send(plx_socket *socket, struct plx__budget *budget)
{
    int family = plx__departure_family(socket);
    while (socket->out_records > 0 && !plx__budget_is_spent(budget)) {
        struct plx__record record = plx__record_first(&socket->out);
        ptrdiff_t count = send_first(socket, &record, family);
        if (count == -EAGAIN || count == -ENOBUFS) {
            socket->stuck = true;
            return;
        }
        if (count < 0) {
            /* This one cannot leave; those behind it have nothing to do with that. */
            fail_send(socket, &record, (int)count);
        }
        plx__record_skip(&socket->out, &record);
        socket->out_records--;
        socket->messages_sent += count < 0 ? 0 : 1;
        plx__budget_spend(budget, record.size);
        plx__socket_has_sent(socket, count < 0 ? 0 : record.size);
    }
}
