/* lib/transfer/datagram-out.c -- sending datagrams. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/os/errno.h"
#include "lib/resolve/trial.h"
#include "lib/socket/failure.h"
#include "lib/socket/progress.h"
#include "lib/socket/records.h"
#include "lib/socket/sending.h"
#include "lib/transfer/datagram-out.h"
#include "lib/transfer/unreached.h"

#include <stdio.h>
#include <string.h>

/* ---- the messages of one call ---------------------------------------------------------------- */

struct batch {
    struct plx__os_message messages[PLX__OS_MESSAGES];
    struct plx__sockaddr names[PLX__OS_MESSAGES]; /* one for each run */
    plx_address sources[PLX__OS_MESSAGES];        /* one for each run that has a source */
    size_t count;
};

static bool has_segments(const plx_socket *socket, struct plx__datagram_out *self)
{
    if (!self->asked) {
        self->asked = true;
        self->unsegmented = plx__os_has_segments(socket->watch.descriptor) ? 0 : 1;
    }
    return self->unsegmented != 1;
}

static bool may_segment(const plx_socket *socket, struct plx__datagram_out *self,
                        const struct plx__run *run)
{
    return run->size > run->segment && has_segments(socket, self) &&
           (self->unsegmented == 0 || run->segment < self->unsegmented);
}

/* How many of the last `left` bytes of a run one message carries: those of one datagram, or with
 * `segments` those of as many datagrams as the budget has bytes for. */
static size_t size_of_message(const struct plx__run *run, size_t left, bool segments,
                              struct plx__budget *budget)
{
    size_t size = 0;
    do {
        size_t piece = left - size < run->segment ? left - size : run->segment;
        plx__budget_spend(budget, piece);
        size += piece;
    } while (segments && size < left && budget->bytes > 0);
    return size;
}

static void add_run(struct batch *batch, const struct plx__run *run, const plx_address *source,
                    const uint8_t *data, bool segments, size_t most, struct plx__budget *budget)
{
    const struct plx__sockaddr *name =
        run->address.family == 0 ? NULL : &batch->names[batch->count];
    size_t done = 0;
    do {
        size_t size = size_of_message(run, run->size - done, segments, budget);
        batch->messages[batch->count++] =
            (struct plx__os_message){.name = name,
                                     .data = data + done,
                                     .size = size,
                                     .segment = size > run->segment ? run->segment : 0,
                                     .from = source};
        done += size;
    } while (done < run->size && batch->count < most && budget->bytes > 0);
}

/* Returns the source of the run at that offset; NULL: it was refused, so the kernel chooses. */
static PLX__APART const plx_address *add_source(const plx_socket *socket, size_t at,
                                                struct batch *batch)
{
    plx_address *source = &batch->sources[batch->count];
    *source = plx__run_source(&socket->out, at).address;
    return source->family == 0 ? NULL : source;
}

/* Collects the messages for the next call, as many as the budget has bytes for and at least one. */
static void collect_messages(const plx_socket *socket, struct plx__datagram_out *self,
                             struct batch *batch, const struct plx__budget *budget)
{
    enum plx__family family = plx__datagram_out_family(socket, self);
    size_t most = socket->peer == PLX__PEER_HERE || self->one_by_one ? 1 : PLX__OS_MESSAGES;
    struct plx__budget rest = {budget->bytes, 0, 0};
    batch->count = 0;
    for (size_t at = 0; at < socket->out.size && batch->count < most && rest.bytes > 0;) {
        struct plx__run run = plx__run_at(&socket->out, at);
        const plx_address *source = run.source == 0 ? NULL : add_source(socket, at, batch);
        plx__sockaddr_from_address(&batch->names[batch->count], &run.address, family);
        add_run(batch, &run, source, plx__buffer_data(&socket->out) + at + plx__run_head(&run),
                may_segment(socket, self, &run), most, &rest);
        at += plx__run_head(&run) + run.size;
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

static size_t datagrams_of(const struct plx__os_message *message)
{
    return message->segment == 0 ? 1 : (message->size + message->segment - 1) / message->segment;
}

/* Passes the first message, which was sent or failed, to the trials. A message that was sent to an
 * address of its own has reached that address: without a peer the kernel reports an unreachable
 * address at once. */
static PLX__APART void note_passed(plx_socket *socket, struct plx__datagram_out *self,
                                   const struct plx__os_message *message, bool sent)
{
    struct plx__run run = plx__run_at(&socket->out, 0);
    bool tried = self->trials != NULL && plx__trials_sent(self->trials, &run.address, message->data,
                                                          message->size, message->segment);
    if (sent && !tried && message->name != NULL) {
        plx__unreached_reached(socket, &run.address);
    }
}

/* Removes the first `count` messages, which were sent or, with `sent` false, failed. */
static void pass(plx_socket *socket, struct plx__datagram_out *self, const struct batch *batch,
                 size_t count, bool sent, struct plx__budget *budget)
{
    bool followed = self->trials != NULL || socket->errors != NULL;
    size_t bytes = 0;
    size_t datagrams = 0;
    self->queue.open = false;
    for (size_t i = 0; i < count; i++) {
        const struct plx__os_message *message = &batch->messages[i];
        size_t pieces = datagrams_of(message);
        if (followed) {
            note_passed(socket, self, message, sent);
        }
        plx__run_take_front(socket, message->size);
        bytes += message->size;
        datagrams += pieces;
        /* Each datagram has the price of a call: each takes the whole way through the kernel. */
        for (size_t piece = 1; piece < pieces; piece++) {
            plx__budget_spend(budget, 0);
        }
        plx__budget_spend(budget, message->size);
    }
    self->queue.datagrams -= datagrams;
    plx__records_of(socket)->sent += sent ? datagrams : 0;
    plx__socket_has_sent(socket, sent ? bytes : 0);
}

static void fail_send(plx_socket *socket, const struct plx__datagram_out *self,
                      const struct plx__os_message *message, int error)
{
    char step[48 + PLX__ADDRESS_TEXT_SIZE], from[PLX__ADDRESS_TEXT_SIZE] = "";
    struct plx__run run = plx__run_at(&socket->out, 0);
    struct plx__source source = {.chosen = false};
    const plx_address *to = run.address.family == 0 ? &socket->remote : &run.address;
    if (run.source != 0) {
        source = plx__run_source(&socket->out, 0);
    }
    if (source.chosen) {
        plx__address_format_host(&source.address, from, sizeof from);
    }
    snprintf(step, sizeof step, "send %zu bytes%s%s to", message->size,
             source.chosen ? " from " : "", from);
    plx__unreached_fail(socket, self->trials, to, error, step);
}

/* Reports the failure of an earlier datagram, which went to the peer if there is a peer. */
static void fail_before(plx_socket *socket, const struct plx__datagram_out *self,
                        const struct plx__os_message *message, int error)
{
    if (socket->peer == PLX__PEER_HERE) {
        plx__unreached_fail(socket, self->trials, &socket->remote, error, "send to");
    } else {
        fail_send(socket, self, message, error);
    }
}

static ptrdiff_t send_messages(const plx_socket *socket, const struct batch *batch)
{
    return plx__os_send_messages(socket->watch.descriptor, batch->messages, batch->count);
}

/* A send may return the pending error of an *earlier* datagram (udp(7)) and send nothing; a second
 * send then works, or fails on its own account. If several messages fail, the errno is that of the
 * first. So the second send has the first message alone: if it works, sendmmsg(2) was at fault. */
static ptrdiff_t send_batch(plx_socket *socket, struct plx__datagram_out *self, struct batch *batch)
{
    ptrdiff_t first = send_messages(socket, batch);
    if (first >= 0 || plx__errno_is_full(first)) {
        return first;
    }
    bool together = batch->count > 1;
    batch->count = 1;
    ptrdiff_t second = send_messages(socket, batch);
    self->one_by_one = self->one_by_one || (together && second == 1);
    if (second != first && !(together && plx__os_is_refusal((int)first))) {
        fail_before(socket, self, &batch->messages[0], (int)first);
    }
    return second;
}

/* The kernel refused a run with UDP_SEGMENT. Sending its first datagram alone shows whether
 * UDP_SEGMENT is at fault or the receiver. */
static ptrdiff_t send_without_segments(plx_socket *socket, struct plx__datagram_out *self,
                                       struct batch *batch, int refusal)
{
    struct plx__os_message *message = &batch->messages[0];
    size_t segment = message->segment;
    message->size = segment;
    message->segment = 0;
    batch->count = 1;
    ptrdiff_t result = send_batch(socket, self, batch);
    if (result == 1 && (refusal == -PLX__EINVAL || refusal == -PLX__EMSGSIZE)) {
        /* The datagrams exceed the path MTU: with UDP_SEGMENT the kernel never fragments. */
        self->unsegmented = segment;
    } else if (result == 1 && !plx__errno_is_full(refusal)) {
        self->unsegmented = 1;
    }
    return result;
}

/* The kernel refused the first run, perhaps for its source. Sending its first datagram from an
 * address of the kernel's choice shows whether the source is at fault. A source that the program
 * chose is replaced only if it is a broadcast address (EACCES). */
static ptrdiff_t send_without_source(plx_socket *socket, struct plx__datagram_out *self,
                                     struct batch *batch, int refusal)
{
    static const plx_address none = {0};
    struct plx__run run = plx__run_at(&socket->out, 0);
    struct plx__source source = plx__run_source(&socket->out, 0);
    int fault = source.chosen ? plx__os_check_source(&source.address) : -PLX__EACCES;
    if (fault != -PLX__EACCES) {
        return fault == 0 ? refusal : fault;
    }
    batch->messages[0].from = NULL;
    batch->count = 1;
    ptrdiff_t result = send_messages(socket, batch);
    if (result == 1) {
        source.address = none;
        memcpy(socket->out.block + socket->out.start + sizeof run, &source, sizeof source);
        plx__origins_note(&self->queue.origins, &run.address, &none);
    }
    return result;
}

/* Sends with one call; returns false when the kernel's send buffer is full. */
static bool send_some(plx_socket *socket, struct plx__datagram_out *self,
                      struct plx__budget *budget)
{
    struct batch batch;
    collect_messages(socket, self, &batch, budget);
    ptrdiff_t result = send_batch(socket, self, &batch);
    /* ENOBUFS for a whole run need not mean ENOBUFS for one datagram. */
    if (result < 0 && result != -PLX__EAGAIN && batch.messages[0].segment > 0) {
        result = send_without_segments(socket, self, &batch, (int)result);
    }
    if (result < 0 && !plx__errno_is_full(result) && batch.messages[0].from != NULL) {
        result = send_without_source(socket, self, &batch, (int)result);
    }
    if (plx__errno_is_full(result)) {
        plx__sending_block(socket);
        return false;
    }
    if (result < 0) {
        /* This datagram cannot be sent; the datagrams behind it still can. */
        fail_send(socket, self, &batch.messages[0], (int)result);
    }
    pass(socket, self, &batch, result < 0 ? 1 : (size_t)result, result >= 0, budget);
    return true;
}

/* The budget is asked after a call: finding the ready tasks may have used the whole time, in each
 * poll. */
void plx__datagram_out_send(plx_socket *socket, struct plx__datagram_out *self,
                            struct plx__budget *budget)
{
    while (socket->out.size > 0 && send_some(socket, self, budget) &&
           !plx__budget_is_spent(budget)) {
    }
}

/* ---- the descriptor -------------------------------------------------------------------------- */

enum plx__family plx__datagram_out_family(const plx_socket *socket, struct plx__datagram_out *self)
{
    struct plx__sockaddr local;
    if (self->family == 0) {
        self->family = plx__os_local_sockaddr(socket->watch.descriptor, &local) < 0
                           ? PLX__FAMILY_IPV4
                           : plx__sockaddr_family(&local);
    }
    return self->family;
}

void plx__datagram_out_clear(struct plx__datagram_out *self)
{
    plx__origins_clear(&self->queue.origins);
    *self = (struct plx__datagram_out){0};
}
