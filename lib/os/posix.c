/* lib/os/posix.c -- the system calls on sockets that POSIX and Linux have. */
#include "config.h"

#include "lib/os/posix.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_SYS_EVENTFD_H
#include <sys/eventfd.h>
#endif
#ifdef HAVE_LINUX_SOCKIOS_H
#include <linux/sockios.h>
#endif

/* The kernel reduces the backlog to net.core.somaxconn (listen(2); 4096 by default since Linux
 * 5.4). SOMAXCONN of a C library may be older than that default: 128 with musl. */
#define BACKLOG 4096

/* What plx__os_copy_spare leaves to the program: a quarter of its descriptors, at most this. */
#define SPARE ((rlim_t)256)

bool plx__os_is_refusal(int error)
{
    return error == -ENOSYS || error == -EPERM || error == -EOPNOTSUPP;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int native_family(enum plx__family family)
{
    switch (family) {
    case PLX__FAMILY_IPV4: return AF_INET;
    case PLX__FAMILY_IPV6: return AF_INET6;
    case PLX__FAMILY_UNIX: return AF_UNIX;
    default: return AF_UNSPEC;
    }
}

static int native_type(enum plx__type type)
{
    return type == PLX__TYPE_STREAM     ? SOCK_STREAM
           : type == PLX__TYPE_DATAGRAM ? SOCK_DGRAM
                                        : SOCK_SEQPACKET;
}

plx__fd plx__os_socket(enum plx__family family, enum plx__type type)
{
    return plx__os_result(
        socket(native_family(family), native_type(type) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/* After EINTR the descriptor is closed on Linux, and a second close could close a descriptor of
 * another thread (close(2)): so never again. */
int plx__os_close(plx__fd descriptor)
{
    return plx__os_result(close(descriptor));
}

plx__fd plx__os_copy(plx__fd descriptor)
{
    return plx__os_result(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
}

plx__fd plx__os_copy_spare(plx__fd descriptor)
{
    struct rlimit limit = {0};
    plx__fd copy = plx__os_copy(descriptor);
    if (copy < 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return copy;
    }
    rlim_t quarter = limit.rlim_cur / 4;
    if ((rlim_t)copy < limit.rlim_cur - (quarter < SPARE ? quarter : SPARE)) {
        return copy;
    }
    plx__os_close(copy);
    return -EMFILE;
}

int plx__os_check_pollable(plx__fd descriptor)
{
    struct stat facts;
    int result = plx__os_result(fstat(descriptor, &facts));
    bool ready =
        result == 0 && (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode) || S_ISBLK(facts.st_mode));
    return ready ? -EPERM : result;
}

int plx__os_listen(plx__fd descriptor)
{
    return plx__os_result(listen(descriptor, BACKLOG));
}

/* A program that another thread executes between the two calls inherits the descriptor. */
static plx__fd accept_and_set(plx__fd descriptor, struct sockaddr *ret_name, socklen_t *ret_size)
{
    plx__fd accepted = plx__os_result(accept(descriptor, ret_name, ret_size));
    if (accepted >= 0) {
        plx__os_set_nonblocking(accepted);
    }
    return accepted;
}

plx__fd plx__os_accept(plx__fd descriptor, struct plx__sockaddr *ret_name)
{
    struct plx__sockaddr name;
    socklen_t size;
    int result;
    memset(&name, 0, sizeof name);
    do {
        struct sockaddr *any = &plx__native_of(&name)->any;
        size = sizeof name.bytes;
        result = plx__os_result(accept4(descriptor, any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        /* A sandbox that is older than accept4 refuses the call (seccomp(2)), and allows accept. */
        if (plx__os_is_refusal(result)) {
            result = accept_and_set(descriptor, any, &size);
        }
        /* ECONNABORTED and EPROTO are errors of a connection that ended while it waited
         * (accept(2)): the next connection may be fine. */
    } while (result == -EINTR || result == -ECONNABORTED || result == -EPROTO);
    if (result >= 0) {
        name.size = size;
        *ret_name = name;
    }
    return result;
}

static int name_of(plx__fd descriptor, int (*ask)(int, struct sockaddr *, socklen_t *),
                   struct plx__sockaddr *ret_name)
{
    struct plx__sockaddr name;
    socklen_t size = sizeof name.bytes;
    memset(&name, 0, sizeof name);
    int result = plx__os_result(ask(descriptor, &plx__native_of(&name)->any, &size));
    if (result == 0) {
        name.size = size;
        *ret_name = name;
    }
    return result;
}

int plx__os_local_sockaddr(plx__fd descriptor, struct plx__sockaddr *ret_name)
{
    return name_of(descriptor, getsockname, ret_name);
}

int plx__os_remote_sockaddr(plx__fd descriptor, struct plx__sockaddr *ret_name)
{
    return name_of(descriptor, getpeername, ret_name);
}

int plx__os_shutdown_sending(plx__fd descriptor)
{
    return plx__os_result(shutdown(descriptor, SHUT_WR));
}

void plx__os_set_reset(plx__fd descriptor)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

int plx__os_take_error(plx__fd descriptor)
{
    int error = 0;
    socklen_t size = sizeof error;
    int result = plx__os_result(getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size));
    return result < 0 ? result : -error;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

ptrdiff_t plx__os_receive(plx__fd descriptor, void *data, size_t size)
{
    ptrdiff_t count;
    do {
        count = plx__os_count(recv(descriptor, data, size, 0));
    } while (count == -EINTR);
    return count;
}

ptrdiff_t plx__os_send_urgent(plx__fd descriptor, const void *byte)
{
    ptrdiff_t count;
    do {
        count = plx__os_count(send(descriptor, byte, 1, MSG_OOB | MSG_NOSIGNAL));
    } while (count == -EINTR);
    return count;
}

bool plx__os_is_at_mark(plx__fd descriptor)
{
    /* Of an empty queue the answer could be wrong when the receive follows: the urgent byte may
     * arrive in between. A mark that is not at the first byte ends the receive. */
    char first;
    return recv(descriptor, &first, 1, MSG_PEEK) == 1 && sockatmark(descriptor) == 1;
}

ptrdiff_t plx__os_send(plx__fd descriptor, const void *data, size_t size)
{
    return plx__os_send_to(descriptor, data, size, NULL);
}

ptrdiff_t plx__os_receive_from(plx__fd descriptor, void *data, size_t size,
                               struct plx__sockaddr *ret_name, bool *ret_truncated)
{
    struct iovec piece = {.iov_base = data, .iov_len = size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_name = ret_name->bytes};
    ptrdiff_t count;
    do {
        message.msg_namelen = sizeof ret_name->bytes;
        count = plx__os_count(recvmsg(descriptor, &message, 0));
    } while (count == -EINTR);
    ret_name->size = message.msg_namelen;
    *ret_truncated = count >= 0 && (message.msg_flags & MSG_TRUNC) != 0;
    return count;
}

ptrdiff_t plx__os_send_to(plx__fd descriptor, const void *data, size_t size,
                          const struct plx__sockaddr *name)
{
    ptrdiff_t count;
    do {
        count = plx__os_count(name == NULL ? send(descriptor, data, size, MSG_NOSIGNAL)
                                           : sendto(descriptor, data, size, MSG_NOSIGNAL,
                                                    &plx__native_in(name)->any, name->size));
    } while (count == -EINTR);
    return count;
}

ptrdiff_t plx__os_bytes_waiting(plx__fd descriptor)
{
    int count = 0;
    int result = plx__os_result(ioctl(descriptor, FIONREAD, &count));
    return result < 0 ? result : count;
}

ptrdiff_t plx__os_packet_size(plx__fd descriptor)
{
    ptrdiff_t size;
    do {
        size = plx__os_count(recv(descriptor, NULL, 0, MSG_PEEK | MSG_TRUNC));
    } while (size == -EINTR);
    return size;
}

bool plx__os_has_ended(plx__fd descriptor)
{
#ifdef POLLRDHUP
    struct pollfd entry = {.fd = descriptor, .events = POLLRDHUP};
    return poll(&entry, 1, 0) > 0;
#else
    (void)descriptor;
    return true;
#endif
}

ptrdiff_t plx__os_bytes_unacknowledged(plx__fd descriptor)
{
#ifdef SIOCOUTQ
    int count = 0;
    int result = plx__os_result(ioctl(descriptor, SIOCOUTQ, &count));
    return result < 0 ? result : count;
#else
    (void)descriptor;
    return 0;
#endif
}

_Static_assert(sizeof(struct plx__os_ready) == sizeof(struct pollfd) &&
                   offsetof(struct plx__os_ready, descriptor) == offsetof(struct pollfd, fd) &&
                   offsetof(struct plx__os_ready, wanted) == offsetof(struct pollfd, events) &&
                   offsetof(struct plx__os_ready, found) == offsetof(struct pollfd, revents),
               "struct plx__os_ready is not struct pollfd");
_Static_assert((int)PLX__OS_READABLE == POLLIN && (int)PLX__OS_WRITABLE == POLLOUT &&
                   (int)PLX__OS_FAILED == (POLLERR | POLLHUP | POLLNVAL),
               "the bits are not those of poll(2)");

int plx__os_poll(struct plx__os_ready *entries, size_t count, int timeout_ms)
{
    return plx__os_result(poll((struct pollfd *)(void *)entries, (nfds_t)count, timeout_ms));
}

/* ---- descriptors that other programs opened -------------------------------------------------- */

static int socket_fact(plx__fd descriptor, int name, int *ret_value)
{
    socklen_t size = sizeof *ret_value;
    return plx__os_result(getsockopt(descriptor, SOL_SOCKET, name, ret_value, &size));
}

static bool name_is_given(const struct plx__sockaddr *name)
{
    plx_address address;
    return plx__sockaddr_to_address(name, &address)
               ? address.port != 0
               : name->size > offsetof(struct sockaddr_un, sun_path);
}

static enum plx__type type_of(int native)
{
    switch (native) {
    case SOCK_STREAM: return PLX__TYPE_STREAM;
    case SOCK_DGRAM: return PLX__TYPE_DATAGRAM;
    case SOCK_SEQPACKET: return PLX__TYPE_PACKET;
    default: return PLX__TYPE_OTHER;
    }
}

int plx__os_inspect(plx__fd descriptor, struct plx__os_socket_facts *ret_facts)
{
    struct plx__sockaddr name;
    int type = 0;
    int listening = 0;
    int result = plx__os_local_sockaddr(descriptor, &name);
    if (result == 0) {
        result = socket_fact(descriptor, SO_TYPE, &type);
    }
    if (result < 0) {
        return result;
    }
    socket_fact(descriptor, SO_ACCEPTCONN, &listening);
    ret_facts->family = plx__sockaddr_family(&name);
    ret_facts->type = type_of(type);
    ret_facts->listening = listening != 0;
    ret_facts->bound = name_is_given(&name);
    ret_facts->connected = plx__os_remote_sockaddr(descriptor, &name) == 0;
    return 0;
}

int plx__os_set_nonblocking(plx__fd descriptor)
{
    int flags = plx__os_result(fcntl(descriptor, F_GETFL));
    int result = flags < 0 ? flags : plx__os_result(fcntl(descriptor, F_SETFL, flags | O_NONBLOCK));
    return result < 0 ? result : plx__os_result(fcntl(descriptor, F_SETFD, FD_CLOEXEC));
}

int plx__os_is_close_on_exec(plx__fd descriptor)
{
    int flags = plx__os_result(fcntl(descriptor, F_GETFD));
    return flags < 0 ? flags : (flags & FD_CLOEXEC) != 0;
}

int plx__os_credentials(plx__fd descriptor, struct plx__os_credentials *ret_credentials)
{
#ifdef SO_PEERCRED
    struct ucred peer;
    socklen_t size = sizeof peer;
    int result = plx__os_result(getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size));
    if (result == 0) {
        /* A process outside this pid_namespaces(7) has no id here, and the kernel reports 0. */
        *ret_credentials =
            (struct plx__os_credentials){.process = peer.pid > 0 ? peer.pid : -1,
                                         .user = peer.uid == (uid_t)-1 ? -1 : (int64_t)peer.uid,
                                         .group = peer.gid == (gid_t)-1 ? -1 : (int64_t)peer.gid};
    }
    return result;
#else
    uid_t user;
    gid_t group;
    int result = plx__os_result(getpeereid(descriptor, &user, &group));
    if (result == 0) {
        *ret_credentials = (struct plx__os_credentials){-1, user, group};
    }
    return result;
#endif
}

/* ---- waking, processes ----------------------------------------------------------------------- */

static int open_pipe(plx__fd ret_descriptors[2])
{
    int result = plx__os_result(pipe(ret_descriptors));
    for (int i = 0; result == 0 && i < 2; i++) {
        plx__os_set_nonblocking(ret_descriptors[i]);
    }
    return result;
}

int plx__os_wake_open(plx__fd ret_descriptors[2])
{
#ifdef HAVE_SYS_EVENTFD_H
    plx__fd descriptor = plx__os_result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (descriptor >= 0) {
        ret_descriptors[0] = ret_descriptors[1] = descriptor;
        return 0;
    }
    /* A sandbox may refuse eventfd2 (seccomp(2)), and allow a pipe. */
    if (!plx__os_is_refusal(descriptor)) {
        return descriptor;
    }
#endif
    return open_pipe(ret_descriptors);
}

void plx__os_wake_signal(plx__fd descriptor)
{
    /* A signal handler must restore errno (signal-safety(7)). A full pipe wakes as well. */
    int before = errno;
    uint64_t one = 1;
    ssize_t ignored = write(descriptor, &one, sizeof one);
    (void)ignored;
    errno = before;
}

void plx__os_wake_clear(plx__fd descriptor)
{
    uint64_t sink[64];
    while (read(descriptor, sink, sizeof sink) == (ssize_t)sizeof sink) {
    }
}

void plx__os_wake_close(plx__fd descriptors[2])
{
    plx__os_close(descriptors[0]);
    if (descriptors[1] != descriptors[0]) {
        plx__os_close(descriptors[1]);
    }
}

int plx__os_process(void)
{
    return (int)getpid();
}
