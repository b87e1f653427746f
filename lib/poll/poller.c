/* lib/poll/poller.c -- the choice of a mechanism. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/base/memory.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/poll/poller.h"

#include <string.h>

/* Best first. */
static const struct plx__mechanism *const mechanisms[] = {
#ifdef HAVE_LIBURING
    &plx__mechanism_uring,
#endif
#ifdef HAVE_SYS_EPOLL_H
    &plx__mechanism_epoll,
#endif
    &plx__mechanism_poll,
};

struct plx__poller *plx__poller_open(const struct plx__mechanism *mechanism,
                                     void (*found)(struct plx__poller *poller,
                                                   struct plx__watch *watch),
                                     int *ret_error)
{
    struct plx__poller *poller = plx__memory_new(mechanism->size);
    if (poller == NULL) {
        *ret_error = -PLX__ENOMEM;
        return NULL;
    }
    poller->mechanism = mechanism;
    poller->found = found;
    poller->process = plx__os_process();
    int result = mechanism->open(poller);
    if (result < 0) {
        *ret_error = result;
        plx__memory_free(poller);
        return NULL;
    }
    return poller;
}

struct plx__poller *
plx__poller_new(void (*found)(struct plx__poller *poller, struct plx__watch *watch), int *ret_error)
{
    const char *wanted = plx__os_variable("POLLUX_POLLER");
    for (size_t i = 0; wanted != NULL && i < PLX__COUNT_OF(mechanisms); i++) {
        if (strcmp(mechanisms[i]->choice, wanted) == 0) {
            return plx__poller_open(mechanisms[i], found, ret_error);
        }
    }
    struct plx__poller *poller = NULL;
    for (size_t i = 0; poller == NULL && i < PLX__COUNT_OF(mechanisms); i++) {
        poller = plx__poller_open(mechanisms[i], found, ret_error);
    }
    return poller;
}

void plx__poller_free(struct plx__poller *poller)
{
    poller->mechanism->close(poller);
    plx__memory_free(poller);
}

int plx__poller_change(struct plx__poller *poller, struct plx__watch *watch, unsigned interest)
{
    if (watch->registered == interest) {
        return 0;
    }
    /* After a fork the child shares the parent's epoll set: a child that removed a watch from the
     * set would stop the parent from receiving. */
    int result = poller->process == plx__os_process()
                     ? poller->mechanism->change(poller, watch, interest)
                     : 0;
    if (result == 0) {
        watch->registered = (uint8_t)interest;
    }
    return result;
}

int plx__poller_wait(struct plx__poller *poller, int timeout_ms)
{
    return poller->mechanism->wait(poller, timeout_ms);
}

plx__fd plx__poller_handle(const struct plx__poller *poller)
{
    return poller->mechanism->handle == NULL ? PLX__NO_FD : poller->mechanism->handle(poller);
}

short plx__poll_wanted(unsigned interest)
{
    return (short)(((interest & PLX__READ) != 0 ? PLX__OS_READABLE : 0) |
                   ((interest & PLX__WRITE) != 0 ? PLX__OS_WRITABLE : 0));
}

unsigned plx__poll_ready(int found)
{
    if (found & PLX__OS_FAILED) {
        return PLX__READ | PLX__WRITE | PLX__END;
    }
    return (found & PLX__OS_READABLE ? PLX__READ : 0u) |
           (found & PLX__OS_WRITABLE ? PLX__WRITE : 0u);
}
