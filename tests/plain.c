/* tests/plain.c -- raw peers whose bytes are those of the kernel. */
#include "config.h"

#include "tests/plain.h"

#include <check.h>
#include <errno.h>

#include "tests/kernel.h"
#include "tests/sockets.h"

bool plain_accept(struct raw *raw, const struct raw *listener)
{
    raw->descriptor = accept_closing(listener->descriptor, 0);
    return raw->descriptor >= 0;
}

void plain_listen(const struct raw *raw, int backlog)
{
    ck_assert_int_eq(listen(raw->descriptor, backlog), 0);
}

ptrdiff_t plain_say(struct raw *raw, const void *data, size_t size)
{
    ssize_t sent = send(raw->descriptor, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    return sent;
}

static bool is_of_packets(int descriptor)
{
    int type = 0;
    socklen_t size = sizeof type;

    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* The kernel can report the end in front of packets that arrived with it, once: lib/transfer/packet.c. */
ptrdiff_t plain_hear(struct raw *raw, void *data, size_t size)
{
    ssize_t got = recv(raw->descriptor, data, size, MSG_DONTWAIT);

    if (got == 0 && is_of_packets(raw->descriptor))
        got = recv(raw->descriptor, data, size, MSG_DONTWAIT);
    if (got >= 0)
        return got;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return RAW_NOTHING;
    ck_assert_int_eq(errno, ECONNRESET);
    return RAW_RESET;
}

void plain_end(struct raw *raw)
{
    shutdown(raw->descriptor, SHUT_WR);
}

void plain_close(struct raw *raw)
{
    close(raw->descriptor);
}

/* What is unread, or SO_LINGER with TCP, makes a reset of a close. */
void plain_reset(struct raw *raw)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    setsockopt(raw->descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(raw->descriptor);
}
