/* tests/kernel.c -- what the kernel knows of a descriptor. See kernel.h. */
#include "config.h"

#include "tests/kernel.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int errno_of(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {
        {"ECONNREFUSED", ECONNREFUSED},
        {"ECONNRESET", ECONNRESET},
        {"ETIMEDOUT", ETIMEDOUT},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].number;
    ck_abort_msg("no errno %s in tests/kernel.c", name);
    return 0;
}

bool closes_on_exec(int descriptor)
{
    return fcntl(descriptor, F_GETFD) == FD_CLOEXEC;
}

bool never_waits(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);

    return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

static bool is_ready(int descriptor, short events, int milliseconds)
{
    struct pollfd watch = {.fd = descriptor, .events = events};

    return poll(&watch, 1, milliseconds) == 1;
}

bool is_readable(int descriptor)
{
    return is_ready(descriptor, POLLIN, 0);
}

void world_readable(int descriptor)
{
    ck_assert_int_ge(descriptor, 0);
    ck_assert(is_ready(descriptor, POLLIN, 30000));
}

void world_hung_up(int descriptor)
{
    ck_assert_int_ge(descriptor, 0);
    ck_assert(is_ready(descriptor, POLLRDHUP, 30000));
}

void world_pause(int milliseconds)
{
    poll(NULL, 0, milliseconds);
}

int accept_closing(int listener, int flags)
{
    int descriptor = accept(listener, NULL, NULL);

    if (descriptor >= 0) {
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
        fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | flags);
    }
    return descriptor;
}

/* Linux doubles what was asked for, for its own book-keeping (socket(7)). */
int send_buffer_of(int descriptor)
{
    int size = 0;
    socklen_t length = sizeof size;

    ck_assert_int_eq(getsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, &length), 0);
    return size / 2;
}

void limit_receiving(int descriptor, int size)
{
    ck_assert_int_eq(setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
}

void deepen(int receiver, int sender)
{
    int large = 4 * 1024 * 1024, allowed = 212992;

    setsockopt(receiver, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
    if (setsockopt(sender, SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof large) != 0)
        setsockopt(sender, SOL_SOCKET, SO_SNDBUF, &allowed, sizeof allowed);
}

bool may_deepen(void)
{
    return getuid() == 0;
}
