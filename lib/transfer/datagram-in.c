/* lib/transfer/datagram-in.c -- receiving datagrams. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/record.h"
#include "lib/os/errno.h"
#include "lib/socket/accepting.h"
#include "lib/socket/failure.h"
#include "lib/socket/object.h"
#include "lib/socket/progress.h"
#include "lib/socket/records.h"
#include "lib/socket/room.h"
#include "lib/socket/serve.h"
#include "lib/transfer/datagram-in.h"
#include "lib/transfer/unreached.h"

#include <string.h>

#define BLOCK (PLX__DATAGRAM_IN_PLACES * PLX__OS_ARRIVAL_SIZE)

/* Datagrams rarely have more bytes. A call has no more places than datagrams of this size fit into
 * the budget. */
#define USUAL_SIZE ((size_t)1500)

/* After this many errors in a row the socket pauses: an error may repeat for ever, such as EPERM
 * from a seccomp filter, and what waits in the kernel would wake each poll. */
#define MOST_ERRORS 8

/* ---- places ---------------------------------------------------------------------------------- */

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Allocates blocks for `places` places. Returns how many places there are; 0 when out of memory. */
static size_t take_blocks(plx_socket *socket, struct plx__datagram_in *self, size_t places)
{
    size_t count = 0;
    while (count < places && plx__buffer_reserve(&self->blocks[count / PLX__DATAGRAM_IN_PLACES],
                                                 BLOCK, plx__socket_pool(socket)) != NULL) {
        count += PLX__DATAGRAM_IN_PLACES;
    }
    return least_of(count, places);
}

static void release_blocks(plx_socket *socket, struct plx__datagram_in *self)
{
    for (size_t i = 0; i < PLX__DATAGRAM_IN_BLOCKS; i++) {
        plx__buffer_release(&self->blocks[i], plx__socket_pool(socket));
    }
}

/* How many places the next call should have. */
static size_t wanted_places(const plx_socket *socket, const struct plx__datagram_in *self,
                            const struct plx__budget *budget)
{
    /* A group's pool has a block at hand, and a second call costs more than that block. */
    size_t least = plx__socket_pool(socket) == NULL ? 1 : PLX__DATAGRAM_IN_PLACES;
    size_t places = self->places < least ? least : self->places;
    places = least_of(places, plx__socket_room(socket) / PLX__OS_ARRIVAL_SIZE);
    places = least_of(places, budget->bytes / USUAL_SIZE);
    return places < 2 || self->one_by_one ? 1 : places;
}

static size_t lay_places(plx_socket *socket, struct plx__datagram_in *self,
                         const struct plx__budget *budget, struct plx__os_arrival *list,
                         uint8_t *place)
{
    size_t wanted = wanted_places(socket, self, budget);
    size_t count = wanted == 1 ? 0 : take_blocks(socket, self, wanted);
    for (size_t i = 0; i < count; i++) {
        list[i].place = self->blocks[i / PLX__DATAGRAM_IN_PLACES].block +
                        i % PLX__DATAGRAM_IN_PLACES * PLX__OS_ARRIVAL_SIZE;
        list[i].size = PLX__OS_ARRIVAL_SIZE;
    }
    if (count == 0) {
        list[0].place = place;
        list[0].size = PLX__OS_ARRIVAL_SIZE;
    }
    return count == 0 ? 1 : count;
}

/* ---- the local address ----------------------------------------------------------------------- */

static bool read_local(const plx_socket *socket, struct plx__datagram_in *self)
{
    struct plx__sockaddr name;
    return plx__os_local_sockaddr(socket->watch.descriptor, &name) == 0 &&
           plx__sockaddr_to_address(&name, &self->local);
}

static void settle_on_one(const plx_socket *socket, struct plx__datagram_in *self)
{
    self->destination = PLX__DESTINATION_ONE;
    plx__os_ask_target(socket->watch.descriptor, false);
}

static void find_target(const plx_socket *socket, struct plx__datagram_in *self)
{
    static const uint8_t any[sizeof self->local.bytes];
    if (!read_local(socket, self)) {
        return;
    }
    if (memcmp(self->local.bytes, any, sizeof any) == 0) {
        self->destination = PLX__DESTINATION_EACH;
    } else {
        settle_on_one(socket, self);
    }
}

void plx__datagram_in_connected(const plx_socket *socket, struct plx__datagram_in *self)
{
    if (self->destination != PLX__DESTINATION_ONE && read_local(socket, self)) {
        /* Datagrams queued before connect(2) may have been sent to any local address. */
        self->destination = PLX__DESTINATION_LEAVING;
    }
}

void plx__datagram_in_disconnected(const plx_socket *socket, struct plx__datagram_in *self)
{
    self->destination = PLX__DESTINATION_UNKNOWN;
    plx__os_ask_target(socket->watch.descriptor, true);
}

int plx__datagram_in_port(const plx_socket *socket, struct plx__datagram_in *self)
{
    if (self->destination == PLX__DESTINATION_UNKNOWN) {
        find_target(socket, self);
    }
    return self->destination == PLX__DESTINATION_UNKNOWN ? 0 : self->local.port;
}

plx_address plx__datagram_in_target(const plx_socket *socket, uint32_t *ret_interface)
{
    plx_address target;
    memcpy(&target, plx__buffer_data(&socket->in) + sizeof(struct plx__record), sizeof target);
    *ret_interface = target.scope;
    if (target.family != 6 || !plx__address_is_link_local(target.bytes)) {
        target.scope = 0;
    }
    return target;
}

/* The local address at which a message arrived, with the port. */
static plx_address destination_of(const struct plx__datagram_in *self,
                                  const struct plx__os_arrival *arrival)
{
    bool said = arrival->to.family != 0;
    if (self->destination == PLX__DESTINATION_ONE ||
        (self->destination == PLX__DESTINATION_LEAVING && !said)) {
        return self->local;
    }
    plx_address to = arrival->to;
    to.port = said ? self->local.port : 0;
    return to;
}

/* ---- keeping datagrams ----------------------------------------------------------------------- */

/* What has been put into the receive buffer. */
struct intake {
    struct plx__record record;          /* has only the sender of the last datagram */
    plx_address destination;            /* the local address of the last datagram */
    const struct plx__os_arrival *last; /* the last message, to compare; NULL: not known */
    bool stranger;                      /* the sender is not the peer */
    bool each;                          /* the local address may differ between datagrams */
    bool turn;                          /* the local address follows the next record */
    size_t most;                        /* bytes that are kept of a datagram */
    size_t records, bytes;              /* bytes include the records, not the local addresses */
    size_t arrivals;                    /* messages, each with one or more datagrams */
    size_t errors;                      /* since the last message */
    struct plx__trials *trials;         /* NULL: there are none */
};

/* Most datagrams have the sender of the one before, which saves converting the addresses. */
static bool is_like_the_last(const struct intake *intake, const struct plx__os_arrival *arrival)
{
    return intake->last != NULL && plx__sockaddr_equal(&intake->last->from, &arrival->from) &&
           (!intake->each || memcmp(&intake->last->to, &arrival->to, sizeof arrival->to) == 0);
}

static void set_addresses(plx_socket *socket, const struct plx__datagram_in *self,
                          struct intake *intake, const struct plx__os_arrival *arrival)
{
    intake->record = (struct plx__record){.size = 0};
    plx__sockaddr_to_address(&arrival->from, &intake->record.address);
    /* If there is only one local address, only the first record has it. */
    if (intake->each || intake->last == NULL) {
        intake->destination = destination_of(self, arrival);
        intake->turn = true;
    }
    intake->last = arrival;
    plx__unreached_heard(socket, intake->trials, &intake->record.address);
    /* Datagrams queued before connect(2) may be from others; afterwards the kernel filters them. */
    intake->stranger = socket->peer == PLX__PEER_HERE &&
                       !plx_address_equal(&intake->record.address, &socket->remote);
}

/* Puts the local address behind the record at `place`. Returns `place` moved on by that address, so
 * that the payload is put behind both. */
static uint8_t *put_destination(uint8_t *place, const plx_address *destination)
{
    uint16_t size = sizeof *destination;
    memcpy(place + offsetof(struct plx__record, destination), &size, sizeof size);
    memcpy(place + sizeof(struct plx__record), destination, sizeof *destination);
    return place + sizeof *destination;
}

/* Puts a datagram at `place` and returns the place of the next one. It copies the record with the
 * sender first, and writes the size into the copy: to write the size into the original and copy
 * that at once would stall on store forwarding. */
static inline uint8_t *keep_arrivals(const struct intake *intake, uint8_t *place,
                                     const uint8_t *data, size_t size, bool truncated, bool turn)
{
    uint32_t kept = (uint32_t)least_of(size, intake->most);
    uint16_t cut = truncated || kept < size;
    memcpy(place, &intake->record, sizeof intake->record);
    memcpy(place + offsetof(struct plx__record, size), &kept, sizeof kept);
    memcpy(place + offsetof(struct plx__record, truncated), &cut, sizeof cut);
    if (turn) {
        place = put_destination(place, &intake->destination);
    }
    memcpy(place + sizeof intake->record, data, kept);
    return place + sizeof intake->record + kept;
}

/* Puts all datagrams of a message at `place`. Only the last datagram can be truncated. */
static PLX__APART uint8_t *keep_all(struct intake *intake, uint8_t *place,
                                    const struct plx__os_arrival *arrival)
{
    const uint8_t *data = arrival->place;
    size_t left = arrival->size;
    bool turn = intake->turn;
    intake->turn = false;
    intake->bytes -= turn ? sizeof intake->destination : 0;
    for (; arrival->segment > 0 && left > arrival->segment; left -= arrival->segment) {
        place = keep_arrivals(intake, place, data, arrival->segment, false, turn);
        turn = false;
        data += arrival->segment;
        intake->records++;
    }
    intake->records++;
    return keep_arrivals(intake, place, data, left, arrival->truncated, turn);
}

/* How many bytes the datagrams need with their records, without the local addresses. */
static size_t size_of_list(const struct plx__os_arrival *list, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size_t records = list[i].segment == 0 ? 1 : list[i].size / list[i].segment + 1;
        size += list[i].size + records * sizeof(struct plx__record);
    }
    return size;
}

static void keep_list(plx_socket *socket, const struct plx__datagram_in *self,
                      struct intake *intake, const struct plx__os_arrival *list, size_t count,
                      struct plx__budget *budget)
{
    size_t size = size_of_list(list, count);
    uint8_t *start = plx__buffer_reserve(&socket->in, size + count * sizeof intake->destination,
                                         plx__socket_pool(socket));
    /* The size includes the records, so that an empty datagram has a price too. */
    plx__budget_spend(budget, size);
    if (start == NULL) {
        plx__socket_fail_memory(socket, "receive %zu bytes", size);
        return;
    }
    uint8_t *end = start;
    intake->last = NULL;
    intake->each = self->destination != PLX__DESTINATION_ONE;
    for (size_t i = 0; i < count; i++) {
        if (!is_like_the_last(intake, &list[i])) {
            set_addresses(socket, self, intake, &list[i]);
        }
        if (intake->stranger) {
            continue;
        }
        if (intake->turn || list[i].segment > 0) {
            end = keep_all(intake, end, &list[i]);
        } else {
            end = keep_arrivals(intake, end, list[i].place, list[i].size, list[i].truncated, false);
            intake->records++;
        }
    }
    intake->last = NULL; /* the list belongs to the caller */
    plx__buffer_commit(&socket->in, (size_t)(end - start));
    intake->bytes += (size_t)(end - start);
}

/* ---- dropped datagrams ----------------------------------------------------------------------- */

/* The drop count in a datagram (SO_RXQ_OVFL) was taken when the kernel queued the datagram, so that
 * a count read by SO_MEMINFO meanwhile may be newer. */
static void note_dropped(struct plx__datagram_in *self, uint32_t count)
{
    uint32_t more = count - self->reported;
    if (more <= INT32_MAX) {
        self->reported = count;
        self->dropped += more;
    }
}

int64_t plx__datagram_in_dropped(const plx_socket *socket, struct plx__datagram_in *self)
{
    uint32_t count;
    bool known = plx__os_dropped(socket->watch.descriptor, &count) == 0;
    if (known) {
        note_dropped(self, count);
    }
    return known || self->dropped > 0 ? (int64_t)self->dropped : -1;
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* A call has not failed. If calls have failed for a while, their next failure is reported again. */
static void note_recovery(plx_socket *socket, struct plx__datagram_in *self)
{
    self->failing = 0;
    if (self->lasts) {
        self->lasts = false;
        plx__unreached_reached(socket, &socket->remote);
    }
}

/* Handles a failed call; returns whether to receive again. Mostly the failure is the pending error
 * of a datagram that did not arrive (udp(7)), and the next call works. The same failure in each
 * call is reported once. */
static bool pass_arrival_error(plx_socket *socket, struct plx__datagram_in *self, bool several,
                               int error, struct intake *intake)
{
    if (several && plx__os_is_refusal(error)) {
        self->one_by_one = true;
        return true;
    }
    if (error == -PLX__EAGAIN) {
        note_recovery(socket, self);
        return false;
    }
    bool is_new = error != self->failing;
    self->failing = error;
    if (!plx__unreached_is_trials(socket, intake->trials, &socket->remote, error) && is_new) {
        plx__unreached_report(socket, &socket->remote, error, "receive from");
    }
    intake->errors++;
    self->lasts = intake->errors >= MOST_ERRORS;
    if (self->lasts) {
        plx__accepting_pause(socket);
    }
    return !self->lasts;
}

/* Receives with one call; returns whether there may be more. */
static bool receive_some(plx_socket *socket, struct plx__datagram_in *self,
                         struct plx__budget *budget, uint8_t *place, struct intake *intake)
{
    struct plx__os_arrival list[PLX__OS_ARRIVALS];
    size_t asked = lay_places(socket, self, budget, list, place);
    ptrdiff_t count = plx__os_receive_arrivals(socket->watch.descriptor, list, asked);
    if (count < 0) {
        return pass_arrival_error(socket, self, asked > 1, (int)count, intake);
    }
    if (self->destination == PLX__DESTINATION_UNKNOWN) {
        find_target(socket, self);
    }
    keep_list(socket, self, intake, list, (size_t)count, budget);
    if (list[count - 1].counted) {
        note_dropped(self, list[count - 1].dropped);
    }
    note_recovery(socket, self);
    intake->arrivals += (size_t)count;
    intake->errors = 0;
    self->places = (uint8_t)least_of(
        asked < PLX__DATAGRAM_IN_PLACES ? PLX__DATAGRAM_IN_PLACES : asked * 2, PLX__OS_ARRIVALS);
    return (size_t)count == asked;
}

static void count_intake(plx_socket *socket, const struct intake *intake)
{
    if (intake->records > 0) {
        plx__records_of(socket)->in += intake->records;
        plx__records_of(socket)->received += intake->records;
        plx__socket_received(socket, intake->bytes - intake->records * sizeof(struct plx__record));
    }
}

/* Sets the number of places for the next frame by what this one received. A socket that is polled
 * alone releases its blocks, and a buffer above the usual size, after PLX__IDLE_POLLS polls without
 * a datagram. */
static void settle_places(plx_socket *socket, struct plx__datagram_in *self, size_t arrivals)
{
    self->places = (uint8_t)(arrivals < 2 ? 0 : least_of(arrivals + 1, PLX__OS_ARRIVALS));
    self->idle = (uint8_t)(arrivals > 0 || self->idle == PLX__IDLE_POLLS ? 0 : self->idle + 1);
    bool idle = self->idle == PLX__IDLE_POLLS;
    struct plx__records *records = plx__records_of(socket);
    records->large = (records->large && !idle) || socket->in.size > PLX__BUFFER_BLOCK;
    if (idle || plx__socket_pool(socket) != NULL) {
        release_blocks(socket, self);
    }
}

void plx__datagram_in_receive(plx_socket *socket, struct plx__datagram_in *self,
                              struct plx__trials *trials, struct plx__budget *budget)
{
    uint8_t place[PLX__OS_ARRIVAL_SIZE];
    int limit = plx__option_value(socket->options, PLX_OPTION_READ_LIMIT);
    struct intake intake;
    intake.trials = trials;
    intake.most = limit == 0 ? SIZE_MAX : (size_t)limit;
    intake.records = intake.bytes = intake.arrivals = 0;
    intake.errors = self->lasts ? MOST_ERRORS - 1 : 0; /* one call finds out */
    while (plx__socket_room(socket) > 0) {
        if (!receive_some(socket, self, budget, place, &intake)) {
            socket->watch.ready &= (uint8_t) ~(PLX__READ | PLX__END);
            if (self->destination == PLX__DESTINATION_LEAVING) {
                settle_on_one(socket, self);
            }
            break;
        }
        if (plx__budget_is_spent(budget)) {
            socket->more = true;
            break;
        }
    }
    count_intake(socket, &intake);
    settle_places(socket, self, intake.arrivals);
}

void plx__datagram_in_clear(plx_socket *socket, struct plx__datagram_in *self)
{
    release_blocks(socket, self);
    *self = (struct plx__datagram_in){.places = 0};
}
