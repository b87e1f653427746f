/* tests/model/peer.c -- raw peers on the real kernel. */
#include "config.h"

#include "tests/kernel.h"
#include "tests/model/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union place {
    struct sockaddr any;
    struct sockaddr_in internet;
    struct sockaddr_un path;
};

static int type_of(enum sort sort)
{
    static const int types[] = {SOCK_STREAM, SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

    return types[sort] | SOCK_CLOEXEC | SOCK_NONBLOCK;
}

static bool is_internet(enum sort sort)
{
    return sort == SORT_TCP || sort == SORT_UDP;
}

static int peer_new(enum sort sort)
{
    return socket(is_internet(sort) ? AF_INET : AF_UNIX, type_of(sort), 0);
}

/* `where` is "127.0.0.1:port" or "@name". */
static socklen_t place_of(enum sort sort, const char *where, union place *ret_place)
{
    size_t length = strlen(where);

    memset(ret_place, 0, sizeof *ret_place);
    if (is_internet(sort)) {
        ret_place->internet.sin_family = AF_INET;
        ret_place->internet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ret_place->internet.sin_port = htons((uint16_t)atoi(strrchr(where, ':') + 1));
        return sizeof ret_place->internet;
    }
    ret_place->path.sun_family = AF_UNIX;
    memcpy(ret_place->path.sun_path + 1, where + 1, length - 1);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

int peer_port(int peer)
{
    union place place;
    socklen_t size = sizeof place;

    if (peer < 0 || getsockname(peer, &place.any, &size) != 0 || place.any.sa_family != AF_INET)
        return 0;
    return ntohs(place.internet.sin_port);
}

int peer_far_port(int peer)
{
    union place place;
    socklen_t size = sizeof place;

    if (peer < 0 || getpeername(peer, &place.any, &size) != 0 || place.any.sa_family != AF_INET)
        return 0;
    return ntohs(place.internet.sin_port);
}

static int bind_somewhere(enum sort sort, char *ret_where)
{
    static int places;
    union place place;
    socklen_t size;
    int peer = peer_new(sort);

    snprintf(ret_where, PEER_WHERE, "@pollux-model-%d-%d", (int)getpid(), ++places);
    size = place_of(sort, is_internet(sort) ? "127.0.0.1:0" : ret_where, &place);
    if (peer < 0)
        return -1;
    if (bind(peer, &place.any, size) != 0) {
        perror("bind");
        abort();
    }
    if (is_internet(sort))
        snprintf(ret_where, PEER_WHERE, "127.0.0.1:%d", peer_port(peer));
    return peer;
}

int peer_refuse(enum sort sort, char *ret_where)
{
    return bind_somewhere(sort, ret_where);
}

int peer_listen(enum sort sort, int backlog, char *ret_where)
{
    int peer = bind_somewhere(sort, ret_where);

    if (peer >= 0 && sort != SORT_UDP)
        listen(peer, backlog);
    return peer;
}

/* Without Nagle's algorithm, so that what was sent is there at once. */
static int without_delay(int peer)
{
    int on = 1;

    if (peer >= 0 && setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return peer; /* not TCP */
    return peer;
}

int peer_accept(int listener)
{
    return without_delay(accept_closing(listener, O_NONBLOCK));
}

/* A connection over loopback is made at once, or the queue of the listener is full. */
int peer_connect(enum sort sort, const char *where)
{
    union place place;
    socklen_t size = place_of(sort, where, &place);
    int peer = peer_new(sort);

    if (peer >= 0 && (connect(peer, &place.any, size) == 0 || errno == EINPROGRESS))
        return without_delay(peer);
    peer_close(peer);
    return -1;
}

bool peer_pair(enum sort sort, int ret_ends[2])
{
    char where[PEER_WHERE];
    int listener;

    if (!is_internet(sort))
        return socketpair(AF_UNIX, type_of(sort), 0, ret_ends) == 0;
    listener = peer_listen(sort, 1, where);
    if (listener < 0)
        return false;
    ret_ends[0] = peer_connect(sort, where);
    ret_ends[1] = peer_accept(listener);
    peer_close(listener);
    if (ret_ends[0] >= 0 && ret_ends[1] >= 0)
        return true;
    peer_close(ret_ends[0]);
    peer_close(ret_ends[1]);
    return false;
}

static ptrdiff_t sent(ssize_t count)
{
    if (count >= 0)
        return count;
    if (errno == ETIMEDOUT)
        return PEER_UNANSWERED;
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ECONNREFUSED ||
                   errno == ENOTCONN || errno == EMSGSIZE
               ? 0
               : -1;
}

ptrdiff_t peer_send(int peer, const void *data, size_t size)
{
    return sent(send(peer, data, size, MSG_NOSIGNAL));
}

ptrdiff_t peer_send_to(int peer, int port, const void *data, size_t size)
{
    union place place;
    char where[PEER_WHERE];
    socklen_t length;

    snprintf(where, sizeof where, "127.0.0.1:%d", port);
    length = place_of(SORT_UDP, where, &place);
    return sent(sendto(peer, data, size, MSG_NOSIGNAL, &place.any, length));
}

ptrdiff_t peer_give(int peer, int descriptor, const void *data, size_t size)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {.room = {0}};
    struct iovec bytes = {(void *)(uintptr_t)data, size};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    return sent(sendmsg(peer, &message, MSG_NOSIGNAL));
}

ptrdiff_t peer_urgent(int peer, uint8_t byte)
{
    return sent(send(peer, &byte, 1, MSG_OOB | MSG_NOSIGNAL));
}

static void take_gifts(struct msghdr *message, struct gifts *ret_gifts)
{
    struct cmsghdr *head = CMSG_FIRSTHDR(message);

    if (head == NULL || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
        return;
    ret_gifts->count = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(ret_gifts->descriptors, CMSG_DATA(head), (size_t)ret_gifts->count * sizeof(int));
}

ptrdiff_t peer_receive(int peer, void *data, size_t size, struct gifts *ret_gifts)
{
    union {
        char room[CMSG_SPACE(PEER_GIFTS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec bytes = {data, size};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    ssize_t count = recvmsg(peer, &message, MSG_CMSG_CLOEXEC);

    ret_gifts->count = 0;
    if (count >= 0)
        take_gifts(&message, ret_gifts);
    if (count > 0)
        return count;
    if (count == 0)
        return PEER_END;
    return errno == EAGAIN || errno == EINTR || errno == ENOTCONN ? PEER_NOTHING
           : errno == ETIMEDOUT                                   ? PEER_UNANSWERED
                                                                  : PEER_RESET;
}

ptrdiff_t peer_receive_from(int peer, void *data, size_t size, int *ret_port)
{
    union place place;
    socklen_t length = sizeof place;
    ssize_t count = recvfrom(peer, data, size, 0, &place.any, &length);

    if (count <= 0)
        return 0;
    *ret_port = ntohs(place.internet.sin_port);
    return count;
}

void peer_end(int peer)
{
    shutdown(peer, SHUT_WR);
}

void peer_close(int peer)
{
    if (peer >= 0)
        close(peer);
}

void peer_reset(int peer)
{
    struct linger hard = {1, 0};

    setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(peer);
}

int peer_token(int number)
{
    int descriptor = memfd_create("token", MFD_CLOEXEC);

    if (descriptor >= 0 && pwrite(descriptor, &number, sizeof number, 0) != sizeof number)
        abort();
    return descriptor;
}

int peer_token_number(int descriptor)
{
    int number;

    return pread(descriptor, &number, sizeof number, 0) == sizeof number ? number : -1;
}
