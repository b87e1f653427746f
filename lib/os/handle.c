/* lib/os/handle.c -- passing descriptors over Unix sockets, and the credentials of the peer. */
#include "config.h"

#include "lib/os/posix.h"

#include <string.h>
#include <unistd.h>

/* SO_PEERPIDFD is of Linux 6.5 and missing in the headers of many C libraries. The number is that
 * of asm-generic/socket.h, which all but two architectures use. */
#if !defined SO_PEERPIDFD && defined __linux__ && !defined __sparc__ && !defined __hppa__
#define SO_PEERPIDFD 77
#endif

/* The pidfd that each message carries when SO_PASSPIDFD is set (Linux 6.5). */
#if !defined SCM_PIDFD && defined __linux__
#define SCM_PIDFD 4
#endif

/* Room for the other control messages that a program may have asked for before it passed the
 * descriptor (SO_PASSCRED, unix(7)), as systemd does by PassCredentials=: they must take no room
 * from the descriptors. */
#define OTHER_CONTROL ((size_t)512)

/* cmsg(3) requires that the buffer for control messages is aligned as struct cmsghdr is. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(PLX__OS_HANDLES * sizeof(plx__fd)) + OTHER_CONTROL];
};

ptrdiff_t plx__os_send_handles(plx__fd descriptor, const void *data, size_t size,
                               const plx__fd *handles, size_t count)
{
    union control control;
    struct iovec piece = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes};
    ssize_t sent;
    memset(&control, 0, sizeof control);
    message.msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof *handles);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = (socklen_t)CMSG_LEN(count * sizeof *handles);
    memcpy(CMSG_DATA(header), handles, count * sizeof *handles);
    do {
        sent = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return plx__os_count(sent);
}

static void collect_handles(struct plx__os_handles *handles, struct msghdr *message)
{
    handles->count = 0;
    handles->lost = (message->msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
            size_t size = header->cmsg_len - CMSG_LEN(0);
            memcpy(handles->list, CMSG_DATA(header), size);
            handles->count = size / sizeof(plx__fd);
        }
#ifdef SCM_PIDFD
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_PIDFD) {
            plx__fd process;
            memcpy(&process, CMSG_DATA(header), sizeof process);
            close(process);
        }
#endif
    }
}

ptrdiff_t plx__os_receive_handles(plx__fd descriptor, void *data, size_t size,
                                  struct plx__os_handles *ret_handles)
{
    union control control;
    struct iovec piece = {.iov_base = data, .iov_len = size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes};
    ssize_t count;
    ret_handles->count = 0;
    ret_handles->lost = false;
    do {
        message.msg_controllen = sizeof control.bytes;
        count = recvmsg(descriptor, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count >= 0) {
        collect_handles(ret_handles, &message);
    }
    return plx__os_count(count);
}

plx__fd plx__os_peer_process(plx__fd descriptor)
{
#ifdef SO_PEERPIDFD
    plx__fd process = -1;
    socklen_t size = sizeof process;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERPIDFD, &process, &size) < 0 ? -errno : process;
#else
    (void)descriptor;
    return -ENOPROTOOPT;
#endif
}
