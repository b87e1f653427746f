/* lib/transfer/named.c -- datagrams for a host name, or for a peer that was given as a host
 * name. */
#include "config.h"

#include "lib/base/record.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/socket/failure.h"
#include "lib/socket/interest.h"
#include "lib/socket/progress.h"
#include "lib/transfer/datagram-peer.h"
#include "lib/transfer/named.h"
#include "lib/transfer/unreached.h"

/* How many trials a socket has at most; a trial is for one port of one name. */
#define MOST_TRIALS 64

/* ---- trials ---------------------------------------------------------------------------------- */

/* Gives the trials to the sending half, and asks the kernel for refusals while a trial is open. */
static void note_trials(plx_socket *socket, struct plx__named *self,
                        struct plx__datagram_out *outgoing)
{
    struct plx__trials *trials = &self->names.trials;
    bool wanted = plx__trials_are_open(trials);
    outgoing->trials = trials->first != NULL ? trials : NULL;
    if (wanted != trials->heeded) {
        trials->heeded = wanted && plx__os_heed_refusals(socket->watch.descriptor, true) == 0;
        if (!wanted) {
            plx__os_heed_refusals(socket->watch.descriptor, false);
        }
    }
}

static size_t count_trials(const struct plx__trials *trials)
{
    size_t count = 0;
    for (const struct plx__trial *trial = trials->first; trial != NULL; trial = trial->next) {
        count++;
    }
    return count;
}

/* The address to which datagrams for that port of a known name are sent. */
static plx_address target_of(plx_socket *socket, struct plx__named *self,
                             struct plx__datagram_out *outgoing,
                             const struct plx__cached_host *name, int port)
{
    struct plx__trial *trial = plx__trials_find(&self->names.trials, name, (uint16_t)port);
    if (trial == NULL && name->count > 1 && count_trials(&self->names.trials) < MOST_TRIALS) {
        trial = plx__trials_add(&self->names.trials, name, name->addresses, name->count, 0,
                                (uint16_t)port);
        note_trials(socket, self, outgoing);
    }
    plx_address to = trial == NULL ? name->addresses[0] : trial->addresses[trial->current];
    to.port = (uint16_t)port;
    return to;
}

void plx__named_try(plx_socket *socket, struct plx__named *self, struct plx__datagram_out *outgoing,
                    const plx_address *addresses, size_t count, size_t chosen, uint16_t port)
{
    plx__trials_remove(&self->names.trials, NULL);
    plx__trials_add(&self->names.trials, NULL, addresses, count, chosen, port);
    note_trials(socket, self, outgoing);
}

void plx__named_leave_peer(plx_socket *socket, struct plx__named *self,
                           struct plx__datagram_out *outgoing)
{
    plx__trials_remove(&self->names.trials, NULL);
    note_trials(socket, self, outgoing);
}

/* Connects to the next address of the peer's name. Returns 0, or a negative errno; then the
 * descriptor has no peer. The last peer is removed first: otherwise the socket would keep the
 * source address that connect(2) chose for that peer. */
static int move_peer(plx_socket *socket, struct plx__datagram_in *incoming, const plx_address *to)
{
    struct plx__sockaddr name;
    plx__fd descriptor = socket->watch.descriptor;
    plx__datagram_in_disconnected(socket, incoming);
    if (plx__datagram_peer_remove(socket) != 0) {
        return -PLX__EDESTADDRREQ;
    }
    /* A datagram behind the one that was refused was refused as well, and the next send would report
     * that error (udp(7)) as one of the new peer. */
    (void)plx__os_take_error(descriptor);
    int result = plx__os_local_sockaddr(descriptor, &name);
    if (result == 0) {
        plx__sockaddr_from_address(&name, to, plx__sockaddr_family(&name));
        result = plx__os_connect(descriptor, &name);
    }
    if (result < 0) {
        return result;
    }
    socket->remote = *to;
    plx__datagram_in_connected(socket, incoming);
    return 0;
}

/* Queues for the current address the datagrams that were sent to the one before. */
static void send_copies(plx_socket *socket, struct plx__datagram_out *outgoing,
                        struct plx__trial *trial)
{
    const plx_address *to = trial->owner == NULL ? NULL : &trial->addresses[trial->current];
    size_t before = socket->out.size;
    outgoing->queue.open = false;
    for (; trial->records > 0; trial->records--) {
        struct plx__record record = plx__record_first(&trial->copies);
        plx__datagram_out_write(socket, outgoing, to, NULL,
                                plx__buffer_data(&trial->copies) + sizeof record, record.size);
        plx__record_skip(&trial->copies, &record);
    }
    /* The copies are older than the queued datagrams, so they leave first. */
    plx__buffer_rotate(&socket->out, before);
    outgoing->queue.open = false;
    plx__buffer_clear(&trial->copies, NULL);
}

static void move_on(plx_socket *socket, struct plx__datagram_out *outgoing,
                    struct plx__datagram_in *incoming, struct plx__trial *trial)
{
    plx_address before = trial->addresses[trial->current];
    int error = trial->error;
    bool more = plx__trial_move(trial);
    const plx_address *to = &trial->addresses[trial->current];
    if (trial->owner != NULL) {
        plx__runs_redirect(socket, &outgoing->queue, &before, to);
    } else {
        trial->error = move_peer(socket, incoming, to);
    }
    if (!more) {
        trial->error = 0;
        plx__unreached_report(socket, &before, error, "send to");
    } else if (trial->error == 0) {
        send_copies(socket, outgoing, trial);
    }
}

/* Does up to MOST_TRIALS moves; the next poll does the rest. */
static void advance_trials(plx_socket *socket, struct plx__named *self,
                           struct plx__datagram_out *outgoing, struct plx__datagram_in *incoming)
{
    struct plx__trial *trial;
    if (self->names.trials.heeded) {
        plx__unreached_read(socket, &self->names.trials);
    }
    for (size_t moves = 0;
         moves < MOST_TRIALS && (trial = plx__trials_refused(&self->names.trials)) != NULL;
         moves++) {
        move_on(socket, outgoing, incoming, trial);
    }
    plx__trials_end(&self->names.trials);
    note_trials(socket, self, outgoing);
}

/* ---- names ----------------------------------------------------------------------------------- */

static int wait_for_name(plx_socket *socket, struct plx__named *self, struct plx__cached_host *name,
                         int port, const void *data, size_t size)
{
    struct plx__record record = {.address = {.port = (uint16_t)port}, .size = (uint32_t)size};
    if (!plx__record_append(&name->waiting, &record, data, NULL)) {
        if (name->records == 0) {
            /* No datagram waits for the lookup, which could only report a second failure. */
            plx__host_cache_forget(&self->names, name);
            plx__socket_update(socket);
        }
        return plx__socket_fail_memory(socket, "write %zu bytes", size);
    }
    name->records++;
    self->waiting_records++;
    self->waiting_bytes += sizeof record + size;
    plx__task_schedule_input(&socket->task);
    /* A lookup that succeeded at once has no descriptor that could become ready. */
    plx__socket_update(socket);
    return 0;
}

int plx__named_write(plx_socket *socket, struct plx__named *self,
                     struct plx__datagram_out *outgoing, const char *host, int port, int family,
                     const void *data, size_t size)
{
    struct plx__cached_host *name = plx__host_cache_get(&self->names, &socket->task, host, family);
    if (name == NULL) {
        return plx__socket_fail_memory(socket, "look up %s", host);
    }
    if (!name->known) {
        return wait_for_name(socket, self, name, port, data, size);
    }
    plx_address to = target_of(socket, self, outgoing, name, port);
    return plx__datagram_out_write(socket, outgoing, &to, NULL, data, size);
}

/* The lookup has ended: queues its datagrams for the address that was found, or drops them. */
static void release_waiting(plx_socket *socket, struct plx__named *self,
                            struct plx__datagram_out *outgoing, struct plx__cached_host *name)
{
    for (; name->records > 0; name->records--) {
        struct plx__record record = plx__record_first(&name->waiting);
        if (name->known) {
            plx_address to = target_of(socket, self, outgoing, name, record.address.port);
            plx__datagram_out_write(socket, outgoing, &to, NULL,
                                    plx__buffer_data(&name->waiting) + sizeof record, record.size);
        }
        plx__record_skip(&name->waiting, &record);
        self->waiting_records--;
        self->waiting_bytes -= sizeof record + record.size;
    }
    plx__buffer_clear(&name->waiting, NULL);
    if (!name->known) {
        plx__socket_fail_lookup(socket, &name->failure, name->host);
        plx__host_cache_forget(&self->names, name);
    }
    plx__socket_note_room(socket);
}

void plx__named_advance(plx_socket *socket, struct plx__named *self,
                        struct plx__datagram_out *outgoing, struct plx__datagram_in *incoming)
{
    struct plx__cached_host *name;
    while ((name = plx__host_cache_advance(&self->names, &socket->task)) != NULL) {
        release_waiting(socket, self, outgoing, name);
    }
    if (self->names.trials.first != NULL || self->names.trials.heeded) {
        advance_trials(socket, self, outgoing, incoming);
    }
}

uint64_t plx__named_deadline(const struct plx__named *self)
{
    uint64_t names = plx__host_cache_deadline(&self->names);
    if (self->names.trials.first == NULL) {
        return names;
    }
    bool refused = plx__trials_refused(&self->names.trials) != NULL;
    uint64_t trials = refused ? plx__clock_now() : plx__trials_deadline(&self->names.trials);
    return plx__clock_earlier(names, trials);
}

void plx__named_clear(struct plx__named *self)
{
    plx__host_cache_clear(&self->names);
    plx__trials_clear(&self->names.trials);
    *self = (struct plx__named){.waiting_bytes = 0};
}
