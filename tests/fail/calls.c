/* tests/fail/calls.c -- between the library and the C library. See calls.h. */
#include "config.h"

#include "tests/fail/calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <link.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

/* ---- which errnos ---------------------------------------------------------------------------- */

enum { MOST_ERRORS = 10 };

/* A negative errno is soft: the library goes on as if nothing had failed. A recv of a stream has no
 * EAGAIN here: behind a spurious one the kernel would owe another edge (epoll(7)). */
struct function {
    const char *name;
    int errors[MOST_ERRORS];
};

#define FUNCTION(name, ...) static const struct function name##_function = {#name, {__VA_ARGS__}}

FUNCTION(accept4, -EINTR, -EAGAIN, -ECONNABORTED, -EPROTO, EMFILE, ENFILE, ENOBUFS, ENOMEM, -EPERM,
         -ENOSYS);
FUNCTION(bind, EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOMEM, EINVAL);
FUNCTION(close, -EINTR, -EIO);
FUNCTION(connect, -EINTR, ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL, ETIMEDOUT, ENOBUFS, EPERM);
FUNCTION(epoll_create1, EMFILE, ENFILE, ENOMEM);
FUNCTION(epoll_ctl, ENOMEM, ENOSPC, EPERM);
FUNCTION(epoll_wait, -EINVAL, -EBADF); /* the library never sleeps in it, so it has no EINTR */
FUNCTION(eventfd, EMFILE, ENFILE, ENOMEM, ENODEV, -EPERM, -ENOSYS);
FUNCTION(fchmod, EPERM, EROFS);
FUNCTION(fcntl, EMFILE);
FUNCTION(flock, ENOLCK, EWOULDBLOCK); /* it does not wait (LOCK_NB), so nothing interrupts it */
FUNCTION(getifaddrs, ENOMEM, EMFILE);
FUNCTION(getpeername, ENOTCONN, ENOBUFS);
FUNCTION(getsockname, ENOBUFS);
FUNCTION(getsockopt, ENOPROTOOPT, ENOBUFS);
FUNCTION(if_nametoindex, ENODEV);
FUNCTION(ioctl, EINVAL);
FUNCTION(linkat, EPERM, ENOSPC);
FUNCTION(listen, EADDRINUSE);
FUNCTION(lstat, EACCES, ENOMEM);
FUNCTION(open, EMFILE, ENFILE, ENOMEM, EACCES, ENOENT);
FUNCTION(poll, -EINTR, -ENOMEM, -EINVAL);
FUNCTION(read, -EAGAIN, -EINTR);
FUNCTION(recv, -EINTR, ENOMEM, ECONNRESET, ENOBUFS);
FUNCTION(recvmmsg, -EINTR, -EAGAIN, ENOMEM, ECONNREFUSED);
FUNCTION(recvmsg, -EINTR, ENOMEM, ECONNRESET);
FUNCTION(send, -EINTR, -EAGAIN, -ENOBUFS, ENOMEM, EPIPE, ECONNRESET);
FUNCTION(sendmmsg, -EINTR, -EAGAIN, -ENOBUFS, ENOMEM, EPERM);
FUNCTION(sendmsg, -EINTR, -EAGAIN, ENOMEM, EPIPE, EPERM);
FUNCTION(sendto, -EINTR, -EAGAIN, -ENOBUFS, ENOMEM, EPERM);
FUNCTION(setsockopt, ENOPROTOOPT, ENOMEM, EPERM);
FUNCTION(shutdown, ENOTCONN);
FUNCTION(socket, EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EAFNOSUPPORT);
FUNCTION(unlink, EACCES, EBUSY, ENOENT);
FUNCTION(write, -EAGAIN, -EINTR);
#ifdef HAVE_LIBURING
FUNCTION(io_uring_queue_init_params, ENOSYS, EPERM, ENOMEM, EMFILE, ENFILE, EINVAL);
FUNCTION(io_uring_submit_and_get_events, -EAGAIN, -EBUSY, -EINTR, -ENOMEM, -EEXIST, -EBADR);
#endif

/* ---- whose calls ----------------------------------------------------------------------------- */

static uintptr_t first, end; /* of the library in memory; both 0: it is not a library of its own */

static int find_range(struct dl_phdr_info *info, size_t size, void *symbol)
{
    uintptr_t at = (uintptr_t)symbol, low = UINTPTR_MAX, high = 0;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

            low = begin < low ? begin : low;
            high = begin + info->dlpi_phdr[i].p_memsz > high ? begin + info->dlpi_phdr[i].p_memsz
                                                             : high;
        }
    if (at < low || at >= high)
        return 0;
    if ((uintptr_t)calls_fail < low || (uintptr_t)calls_fail >= high) {
        first = low;
        end = high;
    }
    return 1;
}

__attribute__((constructor)) static void find_library(void)
{
    void *symbol = dlsym(RTLD_DEFAULT, "plx_group_new");

    if (symbol != NULL)
        dl_iterate_phdr(find_range, symbol);
}

bool calls_are_ours(void)
{
    return end != 0;
}

/* ---- what fails ------------------------------------------------------------------------------ */

static enum { CALM, ONE, STORM } weather;
static int until_failure, choice, length;
static const struct function *failing; /* fails until `length` is used up; NULL: nobody yet */
static struct failed_call failed;
static uint64_t state; /* of the storm */
static int chance;
static bool rough;
static long *stormed; /* in memory that the processes of the cases share */

void calls_fail(int number, int which, int count)
{
    until_failure = number;
    choice = which;
    length = count;
    failing = NULL;
    failed = (struct failed_call){0};
    weather = ONE;
}

void calls_stop(void)
{
    weather = CALM;
}

struct failed_call calls_failed(void)
{
    return failed;
}

void calls_storm(uint64_t seed, int parts, bool is_rough)
{
    state = seed * 0x9e3779b97f4a7c15u + 1;
    chance = parts;
    rough = is_rough;
    if (stormed == NULL)
        stormed =
            mmap(NULL, sizeof *stormed, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    weather = STORM;
}

long calls_stormed(void)
{
    return stormed == NULL ? 0 : *stormed;
}

/* xorshift64 (Marsaglia, 2003). */
static unsigned draw(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

/* A gentle storm has EINTR, and EBADF of a poller that other code has closed. What leaves may leave
 * later by EAGAIN and ENOBUFS, and poll(2) without memory cannot say what is ready. */
static bool is_in_storm(int error)
{
    return error < 0 && (rough || error == -EINTR || error == -EBADF);
}

static int soft_error(const struct function *function)
{
    int meant[MOST_ERRORS], count = 0;

    for (int i = 0; i < MOST_ERRORS; i++)
        if (is_in_storm(function->errors[i]))
            meant[count++] = -function->errors[i];
    return count == 0 ? 0 : meant[draw((unsigned)count)];
}

/* Persistent shortages of poll(2), and what the library repeats at once, end after a while. */
static void begin_to_fail(const struct function *function)
{
    int error = choice < MOST_ERRORS ? function->errors[choice] : 0;

    failed = (struct failed_call){function->name, error < 0 ? -error : error, error < 0, 0};
    failing = error == 0 ? NULL : function;
    length = error < 0 && length > 20 ? 20 : length;
}

/* The errno with which this call has to fail; 0: none. */
static int error_of(const struct function *function, const void *caller)
{
    if (weather == CALM || (uintptr_t)caller < first || (uintptr_t)caller >= end)
        return 0;
    if (weather == STORM) {
        int error = draw(1000) < (unsigned)chance ? soft_error(function) : 0;

        *stormed += error != 0;
        return error;
    }
    if (until_failure > 0 && --until_failure == 0)
        begin_to_fail(function);
    if (failing != function || length == 0)
        return 0;
    length--;
    failed.count++;
    return failed.error;
}

/* ---- the calls ------------------------------------------------------------------------------- */

/* The functions have the names of the C library's to the linker only: its headers declare those of
 * sockets with types that no definition can repeat. */
#define AS(name) __asm__(#name) __attribute__((visibility("default")))

/* ISO C has no conversion between pointers to objects and to functions; POSIX wants this one
 * (dlsym). */
static void find(void *ret_function, const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    memcpy(ret_function, &symbol, sizeof symbol);
}

/* NEXT declares `next`, the function that this one stands before. */
#define NEXT(result, name, parameters)                                                             \
    static result(*next) parameters;                                                               \
    int error = error_of(&name##_function, __builtin_return_address(0));                           \
    if (next == NULL)                                                                              \
    find(&next, #name)
#define FAILS (error != 0 && (errno = error) != 0)

/* A call that fails and does nothing. */
#define CALL(result, name, parameters, arguments)                                                  \
    result call_##name parameters AS(name);                                                        \
    result call_##name parameters                                                                  \
    {                                                                                              \
        NEXT(result, name, parameters);                                                            \
        return FAILS ? -1 : next arguments;                                                        \
    }

CALL(int, accept4, (int fd, struct sockaddr *name, socklen_t *restrict size, int flags),
     (fd, name, size, flags))
CALL(int, bind, (int fd, const struct sockaddr *name, socklen_t size), (fd, name, size))
CALL(int, epoll_create1, (int flags), (flags))
CALL(int, epoll_wait, (int fd, struct epoll_event *events, int most, int timeout),
     (fd, events, most, timeout))
CALL(int, eventfd, (unsigned value, int flags), (value, flags))
CALL(int, fchmod, (int fd, mode_t mode), (fd, mode))
CALL(int, flock, (int fd, int operation), (fd, operation))
CALL(int, getifaddrs, (struct ifaddrs * *list), (list))
CALL(int, getpeername, (int fd, struct sockaddr *name, socklen_t *restrict size), (fd, name, size))
CALL(int, getsockname, (int fd, struct sockaddr *name, socklen_t *restrict size), (fd, name, size))
CALL(int, getsockopt, (int fd, int level, int name, void *restrict value, socklen_t *restrict size),
     (fd, level, name, value, size))
CALL(int, linkat, (int from, const char *old, int to, const char *new, int flags),
     (from, old, to, new, flags))
CALL(int, listen, (int fd, int backlog), (fd, backlog))
CALL(int, lstat, (const char *restrict path, struct stat *restrict status), (path, status))
CALL(ssize_t, read, (int fd, void *data, size_t size), (fd, data, size))
CALL(ssize_t, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
CALL(int, recvmmsg,
     (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),
     (fd, messages, count, flags, timeout))
CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
CALL(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags),
     (fd, messages, count, flags))
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
CALL(ssize_t, sendto,
     (int fd, const void *data, size_t size, int flags, const struct sockaddr *name,
      socklen_t length_of_name),
     (fd, data, size, flags, name, length_of_name))
CALL(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t size),
     (fd, level, name, value, size))
CALL(int, shutdown, (int fd, int how), (fd, how))
CALL(int, socket, (int family, int type, int protocol), (family, type, protocol))
CALL(int, unlink, (const char *path), (path))
CALL(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))

/* The descriptor is closed whatever the call reports (close(2)). */
int call_close(int fd) AS(close);
int call_close(int fd)
{
    int done;
    NEXT(int, close, (int));

    done = next(fd);
    return FAILS ? -1 : done;
}

/* The kernel goes on connecting after EINTR (connect(2)): what has failed already stays so. */
int call_connect(int fd, const struct sockaddr *name, socklen_t size) AS(connect);
int call_connect(int fd, const struct sockaddr *name, socklen_t size)
{
    int done = 0;
    NEXT(int, connect, (int, const struct sockaddr *, socklen_t));

    if (error == 0 || error == EINTR)
        done = next(fd, name, size);
    if (error == EINTR && done < 0 && errno != EINPROGRESS)
        return -1;
    return FAILS ? -1 : done;
}

/* A poll that finds something does not report a signal (poll(2), Linux fs/select.c). */
int call_poll(struct pollfd *entries, nfds_t count, int timeout) AS(poll);
int call_poll(struct pollfd *entries, nfds_t count, int timeout)
{
    int found = 0;
    NEXT(int, poll, (struct pollfd *, nfds_t, int));

    if (error == 0 || error == EINTR)
        found = next(entries, count, error == EINTR ? 0 : timeout);
    return found == 0 && FAILS ? -1 : found;
}

/* A removal from an epoll set does not fail while the descriptor is open: it has done its work. */
int call_epoll_ctl(int fd, int operation, int descriptor, struct epoll_event *event) AS(epoll_ctl);
int call_epoll_ctl(int fd, int operation, int descriptor, struct epoll_event *event)
{
    NEXT(int, epoll_ctl, (int, int, int, struct epoll_event *));
    return operation != EPOLL_CTL_DEL && FAILS ? -1 : next(fd, operation, descriptor, event);
}

/* Only the copy of a descriptor takes a new one. */
int call_fcntl(int fd, int command, ...) AS(fcntl);
int call_fcntl(int fd, int command, ...)
{
    va_list rest;
    void *argument;
    NEXT(int, fcntl, (int, int, ...));

    va_start(rest, command);
    argument = va_arg(rest, void *);
    va_end(rest);
    return command == F_DUPFD_CLOEXEC && FAILS ? -1 : next(fd, command, argument);
}

unsigned call_if_nametoindex(const char *name) AS(if_nametoindex);
unsigned call_if_nametoindex(const char *name)
{
    NEXT(unsigned, if_nametoindex, (const char *));
    return FAILS ? 0 : next(name);
}

int call_ioctl(int fd, unsigned long request, ...) AS(ioctl);
int call_ioctl(int fd, unsigned long request, ...)
{
    va_list rest;
    void *argument;
    NEXT(int, ioctl, (int, unsigned long, ...));

    va_start(rest, request);
    argument = va_arg(rest, void *);
    va_end(rest);
    return FAILS ? -1 : next(fd, request, argument);
}

int call_open(const char *path, int flags, ...) AS(open);
int call_open(const char *path, int flags, ...)
{
    va_list rest;
    mode_t mode = 0;
    NEXT(int, open, (const char *, int, ...));

    va_start(rest, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(rest, mode_t);
    va_end(rest);
    return FAILS ? -1 : next(path, flags, mode);
}

/* In a storm a stream takes a part of what it is given, now and then. */
static size_t shorten(int fd, size_t size, const void *caller)
{
    int type = 0;
    socklen_t length_of_type = sizeof type;

    if (weather != STORM || !rough || (uintptr_t)caller < first || (uintptr_t)caller >= end ||
        size < 2 || draw(1000) >= (unsigned)chance ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length_of_type) != 0 || type != SOCK_STREAM)
        return size;
    ++*stormed;
    return 1 + draw((unsigned)(size > INT_MAX ? INT_MAX : size) - 1);
}

ssize_t call_send(int fd, const void *data, size_t size, int flags) AS(send);
ssize_t call_send(int fd, const void *data, size_t size, int flags)
{
    NEXT(ssize_t, send, (int, const void *, size_t, int));
    return FAILS ? -1 : next(fd, data, shorten(fd, size, __builtin_return_address(0)), flags);
}

#ifdef HAVE_LIBURING
int io_uring_queue_init_params(unsigned entries, struct io_uring *ring,
                               struct io_uring_params *parameters)
{
    NEXT(int, io_uring_queue_init_params, (unsigned, struct io_uring *, struct io_uring_params *));
    return error != 0 ? -error : next(entries, ring, parameters);
}

int io_uring_submit_and_get_events(struct io_uring *ring)
{
    NEXT(int, io_uring_submit_and_get_events, (struct io_uring *));
    return error != 0 ? -error : next(ring);
}
#endif
