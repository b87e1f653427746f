/* lib/transfer/packet.c -- packets over a connection. */
#include "config.h"

#include "lib/base/record.h"
#include "lib/os/errno.h"
#include "lib/socket/failure.h"
#include "lib/socket/object.h"
#include "lib/socket/progress.h"
#include "lib/socket/receiving.h"
#include "lib/socket/records.h"
#include "lib/socket/room.h"
#include "lib/socket/sending.h"
#include "lib/transfer/packet.h"
#include "lib/transfer/stream.h"

#include <string.h>

/* Up to this many waiting bytes (FIONREAD) packets are received without asking for the size of
 * each: none of them can be larger than all together. */
#define SMALL_BURST 65536

/* ---- records --------------------------------------------------------------------------------- */

const void *plx__packet_front(const plx_socket *socket, size_t *ret_size)
{
    if (socket->in.size == 0) {
        *ret_size = 0;
        return plx__buffer_data(&socket->in);
    }
    struct plx__record record = plx__record_first(&socket->in);
    *ret_size = record.size;
    return plx__buffer_data(&socket->in) + sizeof record + record.destination;
}

size_t plx__packet_take(plx_socket *socket, size_t size)
{
    struct plx__record record;
    (void)size;
    if (socket->in.size == 0) {
        return 0;
    }
    record = plx__record_first(&socket->in);
    plx__record_skip(&socket->in, &record);
    plx__records_of(socket)->in--;
    return record.size;
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* What one call of packet_input receives. */
struct intake {
    size_t left; /* bytes known to wait, the room that the next packet needs; 0: not known */
    bool all;    /* `left` covers all packets that waited */
    size_t packets, bytes;
};

/* Finds out how much room the next packet needs. Returns 0 or a negative errno, -ENODATA at EOF.
 * EOF looks like an empty packet; it is EOF if the peer has ended its half and no bytes wait. The
 * kernel can report EOF in front of packets that have arrived together with it (Linux 6.18,
 * unix_dgram_recvmsg). No packet follows an end, so the second look is right. */
static int look_at_front(plx__fd descriptor, struct intake *intake)
{
    ptrdiff_t size = plx__os_packet_size(descriptor);
    bool ended = size == 0 && plx__os_has_ended(descriptor);
    if (ended) {
        size = plx__os_packet_size(descriptor);
    }
    ptrdiff_t waiting = size < 0 ? 0 : plx__os_bytes_waiting(descriptor);
    if (size < 0 || (ended && waiting <= 0)) {
        return size < 0 ? (int)size : -PLX__ENODATA;
    }
    intake->all = waiting >= size && waiting <= SMALL_BURST;
    intake->left = (size_t)(intake->all ? waiting : size);
    return 0;
}

/* Receives one packet. A closing socket with a full buffer drops the packet: otherwise packets that
 * nobody reads would hide the end behind them for ever. */
static int receive(plx_socket *socket, struct intake *intake, struct plx__budget *budget)
{
    plx__fd descriptor = socket->watch.descriptor;
    bool kept = plx__socket_room(socket) > 0;
    int result = intake->left > 0 ? 0 : look_at_front(descriptor, intake);
    if (result < 0) {
        return result;
    }
    struct plx__record record = {.size = 0};
    uint8_t *place =
        plx__buffer_reserve(&socket->in, sizeof record + intake->left, plx__socket_pool(socket));
    if (place == NULL) {
        return -PLX__ENOMEM;
    }
    ptrdiff_t size = plx__os_receive(descriptor, place + sizeof record, intake->left);
    if (size < 0) {
        return (int)size;
    }
    record.size = (uint32_t)size;
    memcpy(place, &record, sizeof record);
    intake->left -= (size_t)size;
    plx__budget_spend(budget, sizeof record + record.size);
    if (!kept) {
        plx__receiving_drop(socket);
    } else {
        plx__buffer_commit(&socket->in, sizeof record + record.size);
        plx__records_of(socket)->in++;
        intake->packets++;
        intake->bytes += record.size;
    }
    return 0;
}

/* Handles a failed recv(2); returns whether to receive again. recv(2) reports a reset once,
 * *before* the packets that preceded the reset, so packets can still follow (Linux 6.18,
 * unix_dgram_recvmsg). */
static bool pass_error(plx_socket *socket, struct intake *intake, int error, bool *has_failed)
{
    if (error == -PLX__EAGAIN) {
        plx__stream_empty_input(socket);
        return false;
    }
    if (error == -PLX__ENODATA || error == -PLX__ENOMEM || *has_failed) {
        plx__receiving_end(socket, error == -PLX__ENODATA ? 0 : -error);
        return false;
    }
    *has_failed = true;
    intake->left = 0;
    plx__sending_fail(socket, -error);
    return true;
}

static void packet_input(plx_socket *socket, struct plx__budget *budget)
{
    struct intake intake = {.left = 0};
    bool has_failed = false, more = true;
    while (more && (plx__socket_room(socket) > 0 || socket->state == PLX_CLOSING)) {
        int error = receive(socket, &intake, budget);
        bool last = intake.all && intake.left == 0 && (socket->watch.ready & PLX__END) == 0;
        if (error < 0) {
            more = pass_error(socket, &intake, error, &has_failed);
        } else if (last && socket->tx != PLX__TX_FAILED) {
            socket->watch.ready &= (uint8_t)~PLX__READ;
            more = false;
        } else if (plx__budget_is_spent(budget)) {
            plx__socket_stop_input(socket);
            more = false;
        }
    }
    if (intake.packets > 0) {
        plx__records_of(socket)->received += intake.packets;
        plx__socket_received(socket, intake.bytes);
    }
    plx__records_of(socket)->large = socket->in.size > PLX__BUFFER_BLOCK;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Sends the first packet. False: no more can be sent now. */
static bool send_first(plx_socket *socket, struct plx__budget *budget)
{
    struct plx__record record = plx__record_first(&socket->out);
    const uint8_t *data = (const uint8_t *)plx__buffer_data(&socket->out) + sizeof record;
    ptrdiff_t count = plx__os_send(socket->watch.descriptor, data, record.size);
    if (count < 0 && count != -PLX__EMSGSIZE) {
        plx__sending_refused(socket, count);
        return false;
    }
    if (count < 0) {
        /* This packet can never be sent; the packets behind it still can. */
        plx__socket_fail_system(socket, (int)count, "write %zu bytes", (size_t)record.size);
    }
    plx__record_skip(&socket->out, &record);
    plx__records_of(socket)->out--;
    plx__records_of(socket)->sent += count < 0 ? 0 : 1;
    plx__budget_spend(budget, record.size);
    plx__socket_has_sent(socket, count < 0 ? 0 : record.size);
    return true;
}

/* The budget is asked after a packet: finding the ready tasks may have used the whole time, in each
 * poll. */
static void packet_output(plx_socket *socket, struct plx__budget *budget)
{
    while (socket->out.size > 0 && socket->tx != PLX__TX_FAILED && send_first(socket, budget) &&
           !plx__budget_is_spent(budget)) {
    }
}

/* Returns the place of the packet's bytes; NULL: out of memory. */
static uint8_t *append(plx_socket *socket, size_t size)
{
    struct plx__record record = {.size = (uint32_t)size};
    size_t whole = sizeof record + size;
    uint8_t *place = plx__buffer_reserve(&socket->out, whole, plx__socket_pool(socket));
    if (place == NULL) {
        return NULL;
    }
    memcpy(place, &record, sizeof record);
    plx__buffer_commit(&socket->out, whole);
    return place + sizeof record;
}

static int packet_add(plx_socket *socket, size_t before, size_t size, uint8_t **ret_place)
{
    if (before + size == 0) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "write 0 bytes: an empty packet would look like the end");
    }
    if (size > UINT32_MAX - before) {
        return plx__socket_fail_system(socket, -PLX__EMSGSIZE, "write %zu bytes", size);
    }
    if (!plx__packet_fits(socket, 0, before + size)) {
        socket->wants_room = true;
        return PLX__EAGAIN;
    }
    *ret_place = append(socket, before + size);
    if (*ret_place == NULL) {
        return plx__socket_fail_memory(socket, "write %zu bytes", size);
    }
    plx__records_of(socket)->out++;
    plx__task_schedule(&socket->task);
    return 0;
}

/* ---- the transport --------------------------------------------------------------------------- */

const struct plx__transport plx__packet_transport = {
    .type = PLX__TYPE_PACKET,
    .listens = true,
    .keeps_boundaries = true,
    .record_size = sizeof(struct plx__record),
    .listen = plx__stream_listen,
    .incoming = plx__stream_incoming,
    .input = packet_input,
    .output = packet_output,
    .settle = plx__stream_settle,
    .shutdown = plx__stream_shutdown,
    .pending = plx__stream_pending,
    .add = packet_add,
    .front = plx__packet_front,
    .take = plx__packet_take,
};
