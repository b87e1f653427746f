/* lib/transfer/unreached.c -- the addresses that datagrams do not reach, as already reported. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/os/errno.h"
#include "lib/socket/failure.h"
#include "lib/transfer/unreached.h"

#include <stdio.h>

/* How many refusals are read at once. */
#define MOST_REFUSALS 64

/* Whether the errno blames the datagram itself, not its destination. */
static bool is_about_datagram(int error)
{
    return error == -PLX__EMSGSIZE || error == -PLX__EINVAL || error == -PLX__ENOMEM;
}

static bool is_reported(const struct plx__unreached *self, const plx_address *address, int error)
{
    bool full = self->count == PLX__UNREACHED;
    for (unsigned i = 0; i < self->count; i++) {
        if (self->list[i].error == error &&
            (full || plx_address_equal(&self->list[i].address, address))) {
            return true;
        }
    }
    return false;
}

/* Puts a failure on the list. When out of memory, the failure will be reported once more. */
static void note(plx_socket *socket, const plx_address *address, int error)
{
    struct plx__errors *errors = socket->errors;
    if (errors != NULL && errors->unreached == NULL) {
        errors->unreached = plx__memory_new(sizeof *errors->unreached);
    }
    struct plx__unreached *self = errors == NULL ? NULL : errors->unreached;
    if (self != NULL) {
        /* When the list is full, a new failure replaces the last one. */
        unsigned place = self->count < PLX__UNREACHED ? self->count++ : PLX__UNREACHED - 1;
        self->list[place].address = *address;
        self->list[place].error = error;
    }
}

/* An errno without a reason of its own: a datagram could not be sent. A receive reports errors of
 * datagrams that were sent before (udp(7)). */
static plx_reason reason_of(int error)
{
    plx_reason reason = plx__error_reason(-error);
    return reason == PLX_REASON_OPERATION ? PLX_REASON_DATAGRAM_WRITE : reason;
}

void plx__unreached_report(plx_socket *socket, const plx_address *address, int error,
                           const char *step)
{
    struct plx__unreached *self = socket->errors == NULL ? NULL : socket->errors->unreached;
    char host[PLX__ADDRESS_TEXT_SIZE];
    if (!is_about_datagram(error) && self != NULL && is_reported(self, address, error)) {
        return;
    }
    if (address->family == 0) {
        plx__socket_fail(socket, plx__error_code(-error), reason_of(error), error, "%s anybody",
                         step);
    } else {
        plx__address_format_host(address, host, sizeof host);
        plx__socket_fail(socket, plx__error_code(-error), reason_of(error), error, "%s %s port %d",
                         step, host, address->port);
    }
    if (!is_about_datagram(error)) {
        note(socket, address, error);
    }
}

size_t plx__unreached_read(plx_socket *socket, struct plx__trials *trials)
{
    size_t count = 0;
    plx_address to;
    int error;
    while (count < MOST_REFUSALS &&
           (error = plx__os_take_refusal(socket->watch.descriptor, &to)) < 0) {
        plx__trials_refuse(trials, &to, error);
        count++;
    }
    return count;
}

bool plx__unreached_is_trials(plx_socket *socket, struct plx__trials *trials, const plx_address *to,
                              int error)
{
    static const plx_address peer = {0};
    if (trials == NULL) {
        return false;
    }
    if (socket->peer == PLX__PEER_HERE) {
        return plx__trials_refuse(trials, &peer, error);
    }
    /* The errno is that of this datagram, or the pending error of an earlier one (udp(7)). */
    return (trials->heeded && plx__unreached_read(socket, trials) > 0) ||
           plx__trials_refuse(trials, to, error);
}

void plx__unreached_fail(plx_socket *socket, struct plx__trials *trials, const plx_address *address,
                         int error, const char *step)
{
    if (!plx__unreached_is_trials(socket, trials, address, error)) {
        plx__unreached_report(socket, address, error, step);
    }
}

void plx__unreached_remove(plx_socket *socket, const plx_address *address)
{
    struct plx__unreached *self = socket->errors->unreached;
    unsigned kept = 0;
    for (unsigned i = 0; i < self->count; i++) {
        if (self->list[i].address.family != 0 &&
            !plx_address_equal(&self->list[i].address, address)) {
            self->list[kept++] = self->list[i];
        }
    }
    self->count = kept;
}
