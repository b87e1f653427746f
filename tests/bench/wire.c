/* tests/bench/wire.c -- raw sockets that peers and works need. */
#include "config.h"

#include "tests/bench/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct sockaddr_in wire_loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int wire_port(int descriptor)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;

    if (getsockname(descriptor, (struct sockaddr *)&address, &size) != 0 ||
        address.sin_family != AF_INET)
        return 0;
    return ntohs(address.sin_port);
}

static int listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, PEER_BACKLOG) != 0)
        bench_fail("listen at a path");
    return listener;
}

int wire_listen(const char *path, int *ret_port)
{
    struct sockaddr_in address = wire_loopback(0);
    int listener;

    if (path != NULL)
        return listen_unix(path);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, PEER_BACKLOG) != 0)
        bench_fail("listen");
    *ret_port = wire_port(listener);
    return listener;
}

int wire_datagrams(int *ret_port)
{
    struct sockaddr_in address = wire_loopback(0);
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        bench_fail("bind a UDP socket");
    *ret_port = wire_port(descriptor);
    return descriptor;
}

/* Neither of the two is kept open, so it is free for a moment only: nobody else takes one then. */
int wire_free_port(void)
{
    for (;;) {
        int port;
        int datagrams = wire_datagrams(&port);
        struct sockaddr_in address = wire_loopback(port);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int result = bind(listener, (struct sockaddr *)&address, sizeof address);

        close(listener);
        close(datagrams);
        if (result == 0)
            return port;
    }
}

static void tcp_pair(int ret_ends[2])
{
    int port;
    int listener = wire_listen(NULL, &port);
    struct sockaddr_in address = wire_loopback(port);

    ret_ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ret_ends[0] < 0 || connect(ret_ends[0], (struct sockaddr *)&address, sizeof address) != 0)
        bench_fail("connect");
    ret_ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (ret_ends[1] < 0)
        bench_fail("accept");
    close(listener);
}

void wire_pair(enum peer_family family, int ret_ends[2])
{
    if (family == PEER_TCP)
        tcp_pair(ret_ends);
    else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_ends) != 0)
        bench_fail("make a pair of Unix sockets");
    for (int i = 0; i < 2; i++) {
        wire_low_delay(ret_ends[i]);
        wire_not_blocking(ret_ends[i]);
    }
}

void wire_low_delay(int descriptor)
{
    int on = 1;

    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void wire_not_blocking(int descriptor)
{
    (void)fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

static bool send_as_one(int descriptor, int port, const void *data, size_t count, size_t size)
{
#ifdef UDP_SEGMENT
    struct sockaddr_in to = wire_loopback(port);
    struct iovec piece = {(void *)(uintptr_t)data, count * size};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct msghdr message = {.msg_name = &to,
                             .msg_namelen = sizeof to,
                             .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *entry = CMSG_FIRSTHDR(&message);
    uint16_t segment = (uint16_t)size;

    entry->cmsg_level = IPPROTO_UDP;
    entry->cmsg_type = UDP_SEGMENT;
    entry->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(entry), &segment, sizeof segment);
    return sendmsg(descriptor, &message, 0) == (ssize_t)(count * size);
#else
    (void)descriptor, (void)port, (void)data, (void)count, (void)size;
    return false;
#endif
}

void wire_send_merged(int descriptor, int port, const void *data, size_t count, size_t size)
{
    struct sockaddr_in to = wire_loopback(port);
    const char *bytes = data;

    if (send_as_one(descriptor, port, data, count, size))
        return;
    for (size_t i = 0; i < count; i++)
        if (sendto(descriptor, bytes + i * size, size, 0, (const struct sockaddr *)&to,
                   sizeof to) != (ssize_t)size)
            bench_fail("send a datagram");
}
