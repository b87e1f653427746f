/* lib/resolve/trial.c -- which address of a name receives its datagrams. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/resolve/trial.h"

#define COPIES_KEPT ((uint64_t)3000 * PLX__MILLISECOND)
#define MOST_COPIED ((size_t)64 * 1024)

static void drop_copies(struct plx__trial *trial)
{
    plx__buffer_clear(&trial->copies, NULL);
    trial->records = 0;
}

static void settle_trial(struct plx__trial *trial)
{
    trial->settled = true;
    trial->error = 0;
    drop_copies(trial);
}

struct plx__trial *plx__trials_add(struct plx__trials *trials, const void *owner,
                                   const plx_address *addresses, size_t count, size_t current,
                                   uint16_t port)
{
    if (count < 2) {
        return NULL;
    }
    struct plx__trial *trial = plx__memory_new(sizeof *trial + count * sizeof *addresses);
    if (trial == NULL) {
        return NULL;
    }
    trial->next = trials->first;
    trial->owner = owner;
    trial->count = count;
    trial->current = current;
    for (size_t i = 0; i < count; i++) {
        trial->addresses[i] = addresses[i];
        trial->addresses[i].port = port;
    }
    trials->first = trial;
    return trial;
}

struct plx__trial *plx__trials_find(const struct plx__trials *trials, const void *owner,
                                    uint16_t port)
{
    struct plx__trial *trial = trials->first;
    while (trial != NULL && (trial->owner != owner || trial->addresses[0].port != port)) {
        trial = trial->next;
    }
    return trial;
}

void plx__trials_remove(struct plx__trials *trials, const void *owner)
{
    struct plx__trial **place = &trials->first;
    while (*place != NULL) {
        struct plx__trial *trial = *place;
        if (trial->owner == owner) {
            *place = trial->next;
            drop_copies(trial);
            plx__memory_free(trial);
        } else {
            place = &trial->next;
        }
    }
}

void plx__trials_clear(struct plx__trials *trials)
{
    while (trials->first != NULL) {
        plx__trials_remove(trials, trials->first->owner);
    }
}

bool plx__trials_are_open(const struct plx__trials *trials)
{
    const struct plx__trial *trial = trials->first;
    while (trial != NULL && (trial->owner == NULL || trial->settled)) {
        trial = trial->next;
    }
    return trial != NULL;
}

static bool is_at(const struct plx__trial *trial, const plx_address *address)
{
    return address->family == 0 ? trial->owner == NULL
                                : trial->owner != NULL &&
                                      plx_address_equal(&trial->addresses[trial->current], address);
}

/* Copies a datagram. When there is no memory for the copy, the datagram is not sent again. */
static void copy(struct plx__trial *trial, const uint8_t *data, size_t size)
{
    struct plx__record record = {.size = (uint32_t)size};
    if (trial->copies.size + sizeof record + size <= MOST_COPIED &&
        plx__record_append(&trial->copies, &record, data, NULL)) {
        trial->records++;
    }
}

bool plx__trials_sent(struct plx__trials *trials, const plx_address *to, const void *data,
                      size_t size, size_t segment)
{
    bool found = false;
    uint64_t now = trials->first == NULL ? 0 : plx__clock_now();
    for (struct plx__trial *trial = trials->first; trial != NULL; trial = trial->next) {
        if (trial->settled || !is_at(trial, to)) {
            continue;
        }
        found = true;
        if (trial->copies_until == 0) {
            trial->copies_until = plx__clock_add(now, COPIES_KEPT);
        }
        size_t at = 0;
        while (now < trial->copies_until) {
            size_t piece = segment == 0 || size - at < segment ? size - at : segment;
            copy(trial, (const uint8_t *)data + at, piece);
            at += piece;
            if (at >= size) {
                break;
            }
        }
    }
    return found;
}

void plx__trials_heard(struct plx__trials *trials, const plx_address *from)
{
    for (struct plx__trial *trial = trials->first; trial != NULL; trial = trial->next) {
        if (!trial->settled && plx_address_equal(&trial->addresses[trial->current], from)) {
            settle_trial(trial);
        }
    }
}

/* Other errors belong to the datagram, or to this computer. EDESTADDRREQ is of a peer that no move
 * could connect to: the descriptor has no peer until a later move connects it. */
static bool is_refusal(int error)
{
    plx_reason reason = plx__error_reason(-error);
    return reason == PLX_REASON_CONNECTION_REFUSED || reason == PLX_REASON_NETWORK ||
           error == -PLX__ENOPROTOOPT || error == -PLX__EADDRNOTAVAIL ||
           error == -PLX__EAFNOSUPPORT || error == -PLX__EDESTADDRREQ;
}

bool plx__trials_refuse(struct plx__trials *trials, const plx_address *to, int error)
{
    bool found = false;
    for (struct plx__trial *trial = trials->first; trial != NULL && is_refusal(error);
         trial = trial->next) {
        if (!trial->settled && is_at(trial, to)) {
            trial->error = error;
            found = true;
        }
    }
    return found;
}

struct plx__trial *plx__trials_refused(const struct plx__trials *trials)
{
    struct plx__trial *trial = trials->first;
    while (trial != NULL && trial->error == 0) {
        trial = trial->next;
    }
    return trial;
}

bool plx__trial_move(struct plx__trial *trial)
{
    trial->error = 0;
    trial->copies_until = 0;
    trial->current = (trial->current + 1) % trial->count;
    trial->refusals++;
    if (trial->refusals < trial->count) {
        return true;
    }
    trial->refusals = 0;
    drop_copies(trial);
    return false;
}

void plx__trials_end(struct plx__trials *trials)
{
    for (struct plx__trial *trial = trials->first; trial != NULL; trial = trial->next) {
        if (trial->records > 0 && plx__clock_now() >= trial->copies_until) {
            drop_copies(trial);
        }
    }
}

uint64_t plx__trials_deadline(const struct plx__trials *trials)
{
    uint64_t next = 0;
    for (const struct plx__trial *trial = trials->first; trial != NULL; trial = trial->next) {
        if (trial->records > 0) {
            next = plx__clock_earlier(next, trial->copies_until);
        }
    }
    return next;
}
