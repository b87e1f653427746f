/* lib/poll/poll.c -- poll(2), for kernels that have neither io_uring nor epoll.
 *
 * Two parallel arrays: the entries in the kernel's form, and the watch of each entry. A watch knows
 * its index, and the last entry replaces an entry that is removed. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/base/memory.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/poll/poller.h"

struct poll_poller {
    struct plx__poller base;
    struct plx__os_ready *entries;
    struct plx__watch **watches;
    size_t count, capacity;
};

static struct poll_poller *poll_of(struct plx__poller *poller)
{
    return PLX__CONTAINER_OF(poller, struct poll_poller, base);
}

static int poll_open(struct plx__poller *poller)
{
    (void)poller;
    return 0;
}

static void poll_close(struct plx__poller *poller)
{
    plx__memory_free(poll_of(poller)->entries);
    plx__memory_free(poll_of(poller)->watches);
}

static bool make_room(struct poll_poller *self)
{
    if (self->count < self->capacity) {
        return true;
    }
    size_t capacity = self->capacity == 0 ? 16 : self->capacity * 2;
    struct plx__os_ready *entries = plx__memory_resize(self->entries, capacity * sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    self->entries = entries;
    struct plx__watch **watches = plx__memory_resize(self->watches, capacity * sizeof *watches);
    if (watches == NULL) {
        return false;
    }
    self->watches = watches;
    self->capacity = capacity;
    return true;
}

static void remove_at(struct poll_poller *self, size_t place)
{
    self->count--;
    self->entries[place] = self->entries[self->count];
    self->watches[place] = self->watches[self->count];
    self->watches[place]->place = (uint32_t)place;
}

static int poll_change(struct plx__poller *poller, struct plx__watch *watch, unsigned interest)
{
    struct poll_poller *self = poll_of(poller);
    if (interest == 0) {
        remove_at(self, watch->place);
        return 0;
    }
    if (watch->registered == 0) {
        if (!make_room(self)) {
            return -PLX__ENOMEM;
        }
        watch->place = (uint32_t)self->count;
        self->watches[self->count] = watch;
        self->entries[self->count++].descriptor = watch->descriptor;
    }
    struct plx__os_ready *entry = &self->entries[watch->place];
    entry->wanted = plx__poll_wanted(interest);
    entry->found = 0;
    return 0;
}

static int poll_sleep(struct plx__poller *poller, int timeout_ms)
{
    struct poll_poller *self = poll_of(poller);
    int result = plx__os_poll(self->entries, self->count, timeout_ms);
    int count = result;
    for (size_t i = 0; count > 0 && i < self->count; i++) {
        if (self->entries[i].found != 0) {
            count--;
            plx__poller_found(poller, self->watches[i], plx__poll_ready(self->entries[i].found));
        }
    }
    return result;
}

const struct plx__mechanism plx__mechanism_poll = {
    .name = "poll",
    .choice = "poll",
    .size = sizeof(struct poll_poller),
    .open = poll_open,
    .close = poll_close,
    .change = poll_change,
    .wait = poll_sleep,
};
