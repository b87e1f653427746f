/* lib/kind/udp.c -- UDP.
 *
 * The receive buffer holds datagrams as records (lib/base/record.h). lib/transfer/datagram-in.h
 * describes how datagrams are received, lib/transfer/datagram-out.h how they are sent. */
#include "config.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/base/record.h"
#include "lib/endpoint/internet.h"
#include "lib/endpoint/membership.h"
#include "lib/os/address.h"
#include "lib/os/errno.h"
#include "lib/socket/accepting.h"
#include "lib/socket/ending.h"
#include "lib/socket/object.h"
#include "lib/socket/pieces.h"
#include "lib/socket/progress.h"
#include "lib/socket/property.h"
#include "lib/socket/records.h"
#include "lib/socket/state.h"
#include "lib/socket/write.h"
#include "lib/transfer/datagram-in.h"
#include "lib/transfer/datagram-out.h"
#include "lib/transfer/datagram-peer.h"
#include "lib/transfer/named.h"
#include "lib/transfer/packet.h"
#include "lib/transfer/stream.h"

#include <pollux/udp.h>

#include <string.h>

struct udp {
    struct plx__record_socket base;
    struct plx__datagram_in incoming;
    struct plx__datagram_out outgoing;
    struct plx__named named;
    struct plx__membership membership;
    char *peer_host; /* the argument of connect_to, which is not the address property */
    uint16_t peer_port;
    char *broadcast;
    plx_address destination; /* of the datagram that is being read (lib/base/record.h) */
    uint32_t interface;      /* that it arrived by, if it was for many; 0: not known */
};

static struct udp *udp_of(const plx_socket *socket)
{
    return PLX__CONTAINER_OF(socket, struct udp, base.base);
}

/* ---- binding and the one peer ---------------------------------------------------------------- */

static int bind_to_port(plx_socket *socket)
{
    int code = plx__internet_bind_only(socket);
    if (code == 0) {
        plx__membership_bound(socket, &udp_of(socket)->membership);
    }
    return code;
}

static int udp_bind_only(plx_socket *socket)
{
    if (plx__socket_properties(socket)->address != NULL) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "connect: an address is set, and this call only binds a UDP "
                                  "socket, call plx_socket_connect_to to choose a peer");
    }
    return bind_to_port(socket);
}

static int udp_parse(plx_socket *socket, const char *where, bool to_listen)
{
    struct udp *self = udp_of(socket);
    (void)to_listen;
    return plx__internet_parse(socket, "connect to", PLX__PORT_OF_A_PEER, where, &self->peer_host,
                               &self->peer_port);
}

static int udp_target(plx_socket *socket, struct plx__target *ret_target)
{
    return plx__internet_target(socket, udp_of(socket)->peer_host, udp_of(socket)->peer_port,
                                ret_target);
}

static void udp_connected(plx_socket *socket)
{
    plx__datagram_in_connected(socket, &udp_of(socket)->incoming);
    plx__membership_bound(socket, &udp_of(socket)->membership);
}

static void udp_choices(plx_socket *socket, const plx_address *addresses, size_t count,
                        size_t chosen, uint16_t port)
{
    struct udp *self = udp_of(socket);
    plx__named_try(socket, &self->named, &self->outgoing, addresses, count, chosen, port);
}

static int udp_disconnect(plx_socket *socket)
{
    struct udp *self = udp_of(socket);
    plx_socket_flush(socket);
    plx__named_leave_peer(socket, &self->named, &self->outgoing);
    plx__datagram_in_disconnected(socket, &self->incoming);
    int code = plx__datagram_peer_remove(socket);
    if (code != 0) {
        return code;
    }
    /* Datagrams that are still queued are sent to that address without a peer. */
    plx__runs_lose_peer(socket, &self->outgoing.queue, &socket->remote);
    plx__socket_enter_bound(socket);
    return 0;
}

static void udp_drop_peer(plx_socket *socket)
{
    socket->dropped = plx__runs_lose_peer(socket, &udp_of(socket)->outgoing.queue, NULL) > 0;
    plx__socket_note_room(socket);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void udp_input(plx_socket *socket, struct plx__budget *budget)
{
    struct udp *self = udp_of(socket);
    plx__datagram_in_receive(socket, &self->incoming, self->outgoing.trials, budget);
}

/* Notes the local address at which a datagram arrived: the answer leaves from there. The program's
 * read notes it, not the arrival, for a client that asks at two addresses. */
static PLX__APART void note_target(plx_socket *socket)
{
    struct udp *self = udp_of(socket);
    struct plx__record record = plx__record_first(&socket->in);
    self->destination = plx__datagram_in_target(socket, &self->interface);
    if (self->incoming.destination == PLX__DESTINATION_EACH &&
        !plx__origins_note(&self->outgoing.queue.origins, &record.address, &self->destination)) {
        plx__socket_fail_memory(socket, "remember the local address of a datagram");
    }
}

static size_t udp_take(plx_socket *socket, size_t size)
{
    if (socket->in.size > 0 && plx__record_destination(&socket->in) != 0) {
        note_target(socket);
    }
    return plx__packet_take(socket, size);
}

/* ---- sending --------------------------------------------------------------------------------- */

static void udp_output(plx_socket *socket, struct plx__budget *budget)
{
    plx__datagram_out_send(socket, &udp_of(socket)->outgoing, budget);
}

static int check_write(plx_socket *socket, int family, const void *data, size_t size)
{
    return plx__datagram_out_check(socket, udp_of(socket)->named.waiting_bytes, family, data, size);
}

static int udp_add(plx_socket *socket, size_t before, size_t size, uint8_t **ret_place)
{
    struct udp *self = udp_of(socket);
    (void)before; /* datagrams have no commands */
    int code = plx__datagram_out_check_size(socket, self->named.waiting_bytes,
                                            socket->remote.family, size);
    if (code != 0) {
        return code;
    }
    *ret_place = plx__datagram_out_add(socket, &self->outgoing, NULL, NULL, size);
    return *ret_place == NULL ? PLX_OUT_OF_MEMORY : 0;
}

/* ---- names ----------------------------------------------------------------------------------- */

static void udp_advance(plx_socket *socket, struct plx__budget *budget)
{
    (void)budget;
    struct udp *self = udp_of(socket);
    plx__accepting_continue(socket);
    if (!plx__named_rests(&self->named)) {
        plx__named_advance(socket, &self->named, &self->outgoing, &self->incoming);
    }
    plx__membership_look(socket, &self->membership);
}

static uint64_t udp_deadline(const plx_socket *socket)
{
    const struct udp *self = udp_of(socket);
    return plx__named_rests(&self->named)
               ? self->membership.look_at
               : plx__clock_earlier(self->membership.look_at, plx__named_deadline(&self->named));
}

static size_t udp_held_back(const plx_socket *socket, size_t *ret_bytes)
{
    const struct plx__named *named = &udp_of(socket)->named;
    *ret_bytes = named->waiting_bytes - named->waiting_records * sizeof(struct plx__record);
    return named->waiting_records;
}

static void udp_add_statistics(const plx_socket *socket, plx_statistics *statistics)
{
    statistics->messages_dropped = plx__datagram_in_dropped(socket, &udp_of(socket)->incoming);
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void udp_finish(plx_socket *socket)
{
    struct udp *self = udp_of(socket);
    plx__named_clear(&self->named);
    plx__datagram_in_clear(socket, &self->incoming);
    plx__datagram_out_clear(&self->outgoing);
    self->membership = (struct plx__membership){.count = 0};
}

static void udp_destroy(plx_socket *socket)
{
    udp_finish(socket);
    plx__memory_free(udp_of(socket)->peer_host);
    plx__memory_free(udp_of(socket)->broadcast);
}

static const struct plx__endpoint endpoint = {
    .families = {PLX__FAMILY_IPV4, PLX__FAMILY_IPV6},
    .parse = udp_parse,
    .target = udp_target,
    .bind = plx__internet_bind,
    .finish = udp_finish,
};

static const struct plx__transport transport = {
    .type = PLX__TYPE_DATAGRAM,
    .connectionless = true,
    .keeps_boundaries = true,
    .record_size = sizeof(struct plx__run),
    .input = udp_input,
    .output = udp_output,
    .add = udp_add,
    .front = plx__packet_front,
    .take = udp_take,
    .pending = plx__stream_pending,
};

static const struct plx__association association = {
    .bind_only = udp_bind_only,
    .connected = udp_connected,
    .choices = udp_choices,
    .disconnect = udp_disconnect,
    .drop_peer = udp_drop_peer,
    .held_back = udp_held_back,
};

static const struct plx_kind udp = {
    .name = "UDP",
    .endpoint = &endpoint,
    .transport = &transport,
    .association = &association,
    .unopened = "not bound, call plx_udp_bind or plx_socket_connect_to",
    .without_listening = "call plx_udp_bind",
    .without_peer = "plx_udp_read or plx_udp_write",
    .size = sizeof(struct udp),
    .options = PLX__OPTIONS_OF_SOCKETS | PLX__OPTIONS_OF_INTERNET | PLX__OPTION(ROUTER_HOPS) |
               PLX__OPTION(SEND_TO_SELF) | PLX__OPTION(BROADCAST) | PLX__OPTION(MULTICAST_HOPS),
    .defaults = PLX__OPTION(ROUTER_HOPS) | PLX__OPTION(SEND_TO_SELF) | PLX__OPTION(BROADCAST),
    .has_own_work = true,
    .prepare = plx__os_prepare_arrivals,
    .advance = udp_advance,
    .deadline = udp_deadline,
    .add_statistics = udp_add_statistics,
    .destroy = udp_destroy,
};

plx_socket *plx_udp_new(void)
{
    return plx__socket_new(&udp);
}

/* ---- what only UDP has ----------------------------------------------------------------------- */

/* Takes the first datagram. It copies each member straight to its place: building the whole struct
 * and then copying it would stall on store forwarding. */
static inline void take_datagram(plx_socket *socket, plx_datagram *ret_datagram)
{
    size_t destination = plx__record_destination(&socket->in);
    if (destination != 0) {
        note_target(socket);
    }
    const uint8_t *record = socket->in.block + socket->in.start;
    size_t head = sizeof(struct plx__record) + destination;
    uint32_t size;
    uint16_t truncated;
    memcpy(&size, record + offsetof(struct plx__record, size), sizeof size);
    memcpy(&truncated, record + offsetof(struct plx__record, truncated), sizeof truncated);
    memcpy(&ret_datagram->from, record, sizeof ret_datagram->from);
    ret_datagram->data = record + head;
    ret_datagram->size = size;
    ret_datagram->truncated = truncated != 0;
    ret_datagram->to = udp_of(socket)->destination;
    ret_datagram->interface = udp_of(socket)->interface;
    socket->view_alive = true;
    socket->fresh = false;
    plx__task_note_view(&socket->task);
    plx__buffer_skip(&socket->in, head + size);
    plx__records_of(socket)->in--;
    plx__socket_consumed(socket);
}

/* Takes the first datagram for a program compiled when a plx_datagram had fewer members. */
static PLX__APART void take_first_members(plx_socket *socket, plx_datagram *ret_datagram,
                                          size_t size)
{
    plx_datagram datagram;
    take_datagram(socket, &datagram);
    memcpy(ret_datagram, &datagram, size);
}

bool plx_udp_read_sized(plx_socket *socket, plx_datagram *ret_datagram, size_t size)
{
    if (!plx__socket_is(socket, &udp) || ret_datagram == NULL || socket->in.size == 0) {
        return false;
    }
    if (size < sizeof *ret_datagram) {
        take_first_members(socket, ret_datagram, size);
    } else {
        take_datagram(socket, ret_datagram);
    }
    return true;
}

static int refuse(plx_socket *socket, const char *call)
{
    return socket == NULL ? PLX_INVALID_STATE
                          : plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                               "%s: only for UDP sockets, not for %s sockets", call,
                                               socket->kind->name);
}

int plx_udp_bind(plx_socket *socket, const char *where)
{
    if (!plx__socket_is(socket, &udp)) {
        return refuse(socket, "bind");
    }
    if (socket->state != PLX_UNCONNECTED || socket->hold.freed) {
        return plx__socket_fail_open(socket, "bind");
    }
    int code = plx__internet_set_place(socket, where);
    return code != 0 ? code : bind_to_port(socket);
}

/* Whether plx__internet_check accepts the address. */
static inline bool is_receiver(const plx_address *to)
{
    return to != NULL && (to->family == 4 || to->family == 6) && to->port != 0;
}

static inline int check_write_from(plx_socket *socket, const plx_address *from,
                                   const plx_address *to, const void *data, size_t size)
{
    if (!plx__socket_is(socket, &udp)) {
        return refuse(socket, "write a datagram");
    }
    if (!is_receiver(to)) {
        return plx__internet_check(socket, "write to", to);
    }
    int code = check_write(socket, to->family, data, size);
    if (code == 0 && from != NULL) {
        code = plx__internet_check_source(socket, from, to,
                                          plx__datagram_in_port(socket, &udp_of(socket)->incoming));
    }
    return code;
}

static inline int write_from(plx_socket *socket, const plx_address *from, const plx_address *to,
                             const void *data, size_t size)
{
    int code = check_write_from(socket, from, to, data, size);
    return code != 0
               ? code
               : plx__datagram_out_write(socket, &udp_of(socket)->outgoing, to, from, data, size);
}

int plx_udp_write(plx_socket *socket, const plx_address *to, const void *data, size_t size)
{
    return write_from(socket, NULL, to, data, size);
}

int plx_udp_write_from(plx_socket *socket, const plx_address *from, const plx_address *to,
                       const void *data, size_t size)
{
    return write_from(socket, from == NULL || from->family == 0 ? NULL : from, to, data, size);
}

int plx_udp_write_pieces(plx_socket *socket, const plx_address *to, const plx_piece *pieces,
                         size_t count)
{
    size_t size;
    if (socket == NULL || plx__socket_refuses_pieces(socket, pieces, count, &size)) {
        return PLX_INVALID_STATE;
    }
    int code = check_write_from(socket, NULL, to, pieces, size);
    if (code != 0) {
        return code;
    }
    uint8_t *place = plx__datagram_out_add(socket, &udp_of(socket)->outgoing, to, NULL, size);
    if (place == NULL) {
        return PLX_OUT_OF_MEMORY;
    }
    plx__pieces_copy(place, pieces, count, size);
    return 0;
}

static int wanted_family(plx_socket *socket)
{
    int protocol = plx__option_value(socket->options, PLX_OPTION_PROTOCOL);
    enum plx__family family = plx__datagram_out_family(socket, &udp_of(socket)->outgoing);
    return protocol == 0 || family == PLX__FAMILY_IPV4 ? 4 : protocol == 1 ? 6 : 0;
}

int plx_udp_write_to(plx_socket *socket, const char *host, int port, const void *data, size_t size)
{
    plx_address to;
    if (!plx__socket_is(socket, &udp)) {
        return refuse(socket, "write a datagram");
    }
    if (host == NULL || host[0] == '\0') {
        return plx__socket_fail(socket, PLX_NAME_RESOLUTION, PLX_REASON_EMPTY_HOST_NAME,
                                -PLX__SENTENCE, "write to %s: no host given",
                                host == NULL ? "NULL" : "\"\"");
    }
    if (port < 1 || port > 65535) {
        return plx__socket_fail(socket, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE,
                                -PLX__SENTENCE, "write to %s: port %d is not 1 to 65535", host,
                                port);
    }
    if (plx__address_parse_host(host, strlen(host), &to)) {
        to.port = (uint16_t)port;
        return plx_udp_write(socket, &to, data, size);
    }
    /* The name may lead to IPv6, which allows more. For IPv4 the kernel refuses with EMSGSIZE. */
    int code = check_write(socket, wanted_family(socket), data, size);
    code = code == 0 ? plx__internet_check_host(socket, host) : code;
    if (code != 0) {
        return code;
    }
    return plx__named_write(socket, &udp_of(socket)->named, &udp_of(socket)->outgoing, host, port,
                            wanted_family(socket), data, size);
}

size_t plx_udp_packets_available(const plx_socket *socket)
{
    return plx__socket_is(socket, &udp) ? plx__records_of(socket)->in : 0;
}

size_t plx_udp_packets_left_to_send(const plx_socket *socket)
{
    if (!plx__socket_is(socket, &udp)) {
        return 0;
    }
    const struct udp *self = udp_of(socket);
    return plx__runs_count(socket, &self->outgoing.queue) + self->named.waiting_records;
}

static int change_membership(plx_socket *socket, const char *group, bool join)
{
    const char *call = join ? "join" : "leave";
    if (!plx__socket_is(socket, &udp)) {
        return refuse(socket, call);
    }
    if (socket->watch.task == NULL) {
        return plx__socket_fail_state(socket, call);
    }
    return plx__membership_change(socket, &udp_of(socket)->membership, group, wanted_family(socket),
                                  join);
}

int plx_udp_join_multicast_group(plx_socket *socket, const char *group)
{
    return change_membership(socket, group, true);
}

int plx_udp_leave_multicast_group(plx_socket *socket, const char *group)
{
    return change_membership(socket, group, false);
}

const char *plx_udp_broadcast_address(const plx_socket *socket)
{
    return plx__socket_is(socket, &udp)
               ? plx__internet_broadcast(socket, &udp_of(socket)->broadcast)
               : "";
}
