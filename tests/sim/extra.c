/* tests/sim/extra.c -- what a peer needs beyond lib/os/os.h, of the real kernel. */
#include "config.h"

#include "lib/os/posix.h"
#include "tests/sim/extra.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

int sim_listen(plx__fd descriptor, int backlog)
{
    return plx__os_result(listen(descriptor, backlog));
}

ptrdiff_t sim_send_urgent(plx__fd descriptor, const void *data, size_t size)
{
    return plx__os_count(send(descriptor, data, size, MSG_OOB | MSG_NOSIGNAL));
}

int sim_found(plx__fd descriptor)
{
    struct pollfd entry = {.fd = descriptor, .events = POLLIN | POLLOUT | POLLRDHUP};
    poll(&entry, 1, 0);
    return entry.revents;
}

const char *sim_folder(void)
{
    static char folder[] = "/tmp/pollux-dialogues-XXXXXX";
    static const char *made;
    if (made == NULL) {
        made = mkdtemp(folder);
    }
    return made;
}

/* The loopback device has delivered before a call returns; acknowledgements may come later. */
void sim_settle(void)
{
    struct timespec pause = {0, 50000};
    nanosleep(&pause, NULL);
}
