/* tests/handles.h -- numbered descriptors, and raw peers that pass them.
 *
 * Each descriptor is a file of its own, whose offset is the descriptor's number. The bytes between
 * descriptors are the pattern of record.h. So a raw receiver that takes one byte at a time knows
 * exactly which descriptor arrived with which byte. */
#ifndef POLLUX_TESTS_HANDLES_H
#define POLLUX_TESTS_HANDLES_H

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "tests/sockets.h"
#include "tests/world.h"

#define KIB ((size_t)1024)

/* How many descriptors may ride on one byte, which is SCM_MAX_FD (unix(7)), and how many a test
 * sends so: musl's sendmsg allows one less. CATCH has room for more than MANY. */
#if defined __linux__ && !defined __GLIBC__
enum { MOST_ON_A_BYTE = 253, MOST_SENT = 252 };
#else
enum { MOST_ON_A_BYTE = 253, MOST_SENT = 253 };
#endif
enum { MANY = 1000, CATCH = 1200 };

/* sendmsg(2) without the C library, for a raw peer: musl's allows fewer descriptors than the
 * kernel. */
static inline ssize_t stranger_sends(int raw, const struct msghdr *message, int flags)
{
#ifdef SYS_sendmsg
    return syscall(SYS_sendmsg, raw, message, flags);
#else
    return sendmsg(raw, message, flags);
#endif
}

/* ---- limits ---------------------------------------------------------------------------------- */

static inline void limit_descriptors(rlim_t count)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static inline rlim_t limit_of_descriptors(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur;
}

/* A test needs two copies of a thousand descriptors, and the soft limit is often 1 024. */
static inline void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= 4 * MANY)
        return;
    limit.rlim_cur = limit.rlim_max < 4 * MANY ? limit.rlim_max : 4 * MANY;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        perror("setrlimit");
}

/* ---- descriptors with numbers ---------------------------------------------------------------- */

static inline int numbered(struct world *w, int number)
{
    char path[WHERE_SIZE];
    int descriptor;

    snprintf(path, sizeof path, "%s/numbers", w->folder);
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_msg(descriptor >= 0, "number %d: %s", number, strerror(errno));
    ck_assert_int_eq(lseek(descriptor, number, SEEK_SET), number);
    return descriptor;
}

static inline int number_of(int descriptor)
{
    ck_assert_int_ge(descriptor, 0);
    return (int)lseek(descriptor, 0, SEEK_CUR);
}

static inline bool is_open(int descriptor)
{
    return fcntl(descriptor, F_GETFD) >= 0;
}

static inline bool is_close_on_exec(int descriptor)
{
    return (fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0;
}

/* ---- ours ------------------------------------------------------------------------------------ */

/* Sets the world's kind to IPC too, so that world_pair makes Unix sockets. */
static inline plx_socket *ipc(struct world *w, struct record *log)
{
    w->kind = &kinds[1];
    return world_socket_of(w, plx_ipc_new, log);
}

static inline plx_socket *receiver(struct world *w, struct record *log)
{
    plx_socket *socket = ipc(w, log);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_HANDLES, 1), 0);
    return socket;
}

/* Closes the test's descriptors at once: the socket sends copies. */
static inline void send_numbers(struct world *w, plx_socket *socket, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        int descriptor = numbered(w, i);

        ck_assert_int_eq(plx_ipc_send_handle(socket, descriptor), 0);
        close(descriptor);
    }
}

static inline void write_pattern_at(plx_socket *socket, size_t size, uint64_t *offset)
{
    unsigned char *piece = malloc(size);

    ck_assert_ptr_nonnull(piece);
    pattern_fill(piece, size, *offset);
    ck_assert_int_eq(plx_socket_write(socket, piece, size), (ptrdiff_t)size);
    *offset += size;
    free(piece);
}

/* Takes one descriptor and expects it to have that number. */
static inline void expect_number(plx_socket *socket, int number)
{
    int got = plx_ipc_receive_handle(socket);

    ck_assert_msg(got >= 0, "number %d did not come", number);
    ck_assert_int_eq(number_of(got), number);
    ck_assert(is_close_on_exec(got));
    close(got);
}

static inline void expect_numbers(plx_socket *socket, int first, int count)
{
    for (int i = first; i < first + count; i++)
        expect_number(socket, i);
    ck_assert_int_eq(plx_ipc_receive_handle(socket), -1);
}

/* Expects an errno as the code of the error, or as its os_error beside another code such as
 * PLX_LOST_CONNECTION. */
static inline void expect_error(const struct record *log, int number)
{
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_msg(log->code == number || log->os_error == number, "error %d, %d: %s", log->code,
                  log->os_error, log->message);
    ck_assert_uint_gt(strlen(log->message), 0);
}

/* ---- raw ------------------------------------------------------------------------------------- */

/* What a raw peer has received: bytes of the pattern, and which descriptor with which byte. */
struct caught {
    uint64_t bytes;
    int count;
    int number[CATCH];
    uint64_t at[CATCH];
};

union control {
    char bytes[CMSG_SPACE(sizeof(int) * MOST_ON_A_BYTE)];
    struct cmsghdr align;
};

static inline void catch_descriptors(struct caught *caught, const struct cmsghdr *header)
{
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int descriptors[MOST_ON_A_BYTE];

    ck_assert_int_eq(header->cmsg_type, SCM_RIGHTS);
    ck_assert_uint_le(count, MOST_ON_A_BYTE);
    memcpy(descriptors, CMSG_DATA(header), count * sizeof(int));
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_lt(caught->count, CATCH);
        caught->number[caught->count] = number_of(descriptors[i]);
        caught->at[caught->count++] = caught->bytes;
        close(descriptors[i]);
    }
}

/* Receives up to `size` bytes and the descriptors that arrive with them. Returns 0 at the end, -1
 * if nothing has arrived, like raw_take. */
static inline ptrdiff_t raw_catch(int raw, size_t size, struct caught *caught)
{
    static unsigned char bytes[64 * 1024];
    struct iovec piece = {.iov_base = bytes, .iov_len = size < sizeof bytes ? size : sizeof bytes};
    union control control;
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got = recvmsg(raw, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (got < 0) {
        ck_assert_int_eq(errno, EAGAIN);
        return -1;
    }
    ck_assert_int_eq(message.msg_flags & MSG_CTRUNC, 0);
    if (message.msg_controllen >= sizeof(struct cmsghdr))
        catch_descriptors(caught, CMSG_FIRSTHDR(&message));
    ck_assert(pattern_matches(bytes, (size_t)got, caught->bytes));
    caught->bytes += (uint64_t)got;
    return got;
}

/* Polls, and receives `size` bytes at a time, until exactly `bytes` bytes have arrived. */
static inline void catch_all(struct world *w, int raw, size_t size, uint64_t bytes,
                             struct caught *caught)
{
    while (caught->bytes < bytes) {
        ptrdiff_t got = -1;

        UNTIL(w, (got = raw_catch(raw, size, caught)) != -1);
        ck_assert_msg(got > 0, "the end after %llu bytes", (unsigned long long)caught->bytes);
    }
    world_settle(w);
    ck_assert_int_eq(raw_catch(raw, size, caught), -1);
    ck_assert_uint_eq(caught->bytes, bytes);
}

/* Sends bytes of the pattern with descriptors, in one message, as another program would. */
static inline void raw_pass(int raw, const int *descriptors, int count, size_t size,
                            uint64_t *offset)
{
    unsigned char bytes[1024];
    struct iovec piece = {.iov_base = bytes, .iov_len = size};
    union control control;
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    ck_assert_uint_le(size, sizeof bytes);
    ck_assert_int_le(count, MOST_ON_A_BYTE);
    pattern_fill(bytes, size, *offset);
    memset(&control, 0, sizeof control);
    if (count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * (size_t)count);
        *CMSG_FIRSTHDR(&message) =
            (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                             .cmsg_type = SCM_RIGHTS,
                             .cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * (size_t)count)};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), descriptors, sizeof(int) * (size_t)count);
    }
    ck_assert_int_eq(stranger_sends(raw, &message, MSG_NOSIGNAL), (ssize_t)size);
    *offset += size;
}

static inline void raw_pass_numbers(struct world *w, int raw, int first, int count, size_t size,
                                    uint64_t *offset)
{
    int descriptors[MOST_ON_A_BYTE] = {0};

    for (int i = 0; i < count; i++)
        descriptors[i] = numbered(w, first + i);
    raw_pass(raw, descriptors, count, size, offset);
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
}

#endif
