/* lib/os/os.h -- every system call on a descriptor, one thin function each.
 *
 * lib/os makes the system calls: sockets, datagrams, options, files, interfaces, clocks. It may use
 * lib/base, standard C, POSIX and what Linux has beyond POSIX. The folders lib/poll, lib/resolve,
 * lib/socket, lib/transfer, lib/endpoint, lib/kind and lib/group use it.
 *
 * This header is the list of functions that a port has to implement. It includes no header of the
 * kernel and names no type or constant of POSIX (tests/check-doors.sh). A call returns 0, a count
 * or a descriptor, or the negative errno of the call (-ECONNREFUSED), so that errno is read next to
 * the call and nowhere else. No function here blocks (except plx__os_poll with a time-out), raises
 * SIGPIPE, or makes a descriptor that survives exec. */
#ifndef PLX_LIB_OS_H
#define PLX_LIB_OS_H

#include "lib/os/fd.h"

#include <pollux/address.h>
#include <pollux/option.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- families and types of sockets ----------------------------------------------------------- */

/* The families of addresses, with the numbers that plx_address has for IPv4 and IPv6, and the types
 * of sockets. OTHER is a family or type that no socket of ours has, but a descriptor that another
 * program opened may have it. */
enum plx__family {
    PLX__FAMILY_OTHER = -1,
    PLX__FAMILY_NONE = 0,
    PLX__FAMILY_UNIX = 1,
    PLX__FAMILY_IPV4 = 4,
    PLX__FAMILY_IPV6 = 6
};
enum plx__type { PLX__TYPE_OTHER = -1, PLX__TYPE_STREAM = 1, PLX__TYPE_DATAGRAM, PLX__TYPE_PACKET };

/* ---- socket addresses (lib/os/sockaddr.c) ---------------------------------------------------- */

/* The size of any socket address, the sizes of IPv4 and IPv6 ones, and the size of what
 * plx__sockaddr_to_path writes. */
#define PLX__OS_SOCKADDR_SIZE 112
#define PLX__OS_IPV4_SIZE 16
#define PLX__OS_IPV6_SIZE 28
#define PLX__OS_SOCKADDR_TEXT_SIZE 110

/* A socket address of any family in the kernel's form, in bytes that only lib/os reads. A zeroed
 * one is no address. */
struct plx__sockaddr {
    uint32_t size;         /* the number of bytes in use */
    const char *long_path; /* borrowed: a path that does not fit into the bytes; else NULL */
    _Alignas(8) unsigned char bytes[PLX__OS_SOCKADDR_SIZE];
};

/* plx__sockaddr_equal returns whether two socket addresses have the same IP address, port and
 * scope. Its sizes are constants, so that the compiler compares without a call. */
static inline bool plx__sockaddr_equal(const struct plx__sockaddr *a, const struct plx__sockaddr *b)
{
    if (a->size != b->size) {
        return false;
    }
    return a->size == PLX__OS_IPV4_SIZE   ? memcmp(a->bytes, b->bytes, PLX__OS_IPV4_SIZE) == 0
           : a->size == PLX__OS_IPV6_SIZE ? memcmp(a->bytes, b->bytes, PLX__OS_IPV6_SIZE) == 0
                                          : false;
}

/* plx__sockaddr_from_address makes the socket address of `address` for a socket of `family` (IPv4
 * or IPv6; NONE: the family of `address`): an IPv4 address becomes v4-mapped for an IPv6 socket. */
void plx__sockaddr_from_address(struct plx__sockaddr *name, const plx_address *address,
                                enum plx__family family);

/* plx__sockaddr_to_address returns false for a socket address that is neither IPv4 nor IPv6. */
bool plx__sockaddr_to_address(const struct plx__sockaddr *name, plx_address *ret_address);

/* plx__sockaddr_from_path makes the address of a Unix socket from `size` bytes, which a zero byte
 * follows; a path that begins with '@' is in Linux's abstract name space (unix(7)). A path too long
 * for the kernel is borrowed, where lib/os/connect.c can reach such a path. Returns 0,
 * -ENAMETOOLONG or, for an empty path, -ENOENT. */
int plx__sockaddr_from_path(struct plx__sockaddr *name, const char *path, size_t size);

/* plx__sockaddr_to_path writes the path of a Unix socket's address as a string, with '@' before an
 * abstract name; false for another family, and for an unnamed socket. */
bool plx__sockaddr_to_path(const struct plx__sockaddr *name, char *text, size_t size);

/* plx__sockaddr_from_native copies a struct sockaddr; false when it is too large.
 * plx__sockaddr_to_native copies as many bytes as fit and returns their number. */
bool plx__sockaddr_from_native(struct plx__sockaddr *name, const void *native, size_t size);
size_t plx__sockaddr_to_native(const struct plx__sockaddr *name, void *native, size_t size);

enum plx__family plx__sockaddr_family(const struct plx__sockaddr *name);

/* ---- sockets (lib/os/posix.c) ---------------------------------------------------------------- */

plx__fd plx__os_socket(enum plx__family family, enum plx__type type);
int plx__os_close(plx__fd descriptor);
/* plx__os_copy returns another descriptor of the same open file (dup(2)). */
plx__fd plx__os_copy(plx__fd descriptor);
/* plx__os_copy_spare does the same, and returns -EMFILE, too, when the copy would be one of the last
 * descriptors of RLIMIT_NOFILE: of the last quarter, or of the last 256 if these are fewer. */
plx__fd plx__os_copy_spare(plx__fd descriptor);
/* plx__os_check_pollable returns -EPERM for a descriptor that is always ready, as that of a regular
 * file, a directory or a block device is, -EBADF for a number that is no descriptor, else 0. */
int plx__os_check_pollable(plx__fd descriptor);
int plx__os_listen(plx__fd descriptor);
/* plx__os_accept returns the descriptor of the next connection and the address of its peer. */
plx__fd plx__os_accept(plx__fd descriptor, struct plx__sockaddr *ret_name);
int plx__os_local_sockaddr(plx__fd descriptor, struct plx__sockaddr *ret_name);
int plx__os_remote_sockaddr(plx__fd descriptor, struct plx__sockaddr *ret_name);
int plx__os_shutdown_sending(plx__fd descriptor);
/* plx__os_set_reset makes the next close send a reset to the peer (SO_LINGER, socket(7)). It does
 * nothing to what is no socket. */
void plx__os_set_reset(plx__fd descriptor);
/* plx__os_take_error returns the pending error of the socket, negative, or 0 (SO_ERROR). */
int plx__os_take_error(plx__fd descriptor);

ptrdiff_t plx__os_receive(plx__fd descriptor, void *data, size_t size);
ptrdiff_t plx__os_send(plx__fd descriptor, const void *data, size_t size);
/* plx__os_send_urgent sends one byte and marks it as urgent (MSG_OOB, tcp(7)). Returns 1 or a
 * negative errno. */
ptrdiff_t plx__os_send_urgent(plx__fd descriptor, const void *byte);
/* plx__os_is_at_mark returns whether the next byte to receive has arrived and is the urgent one
 * (sockatmark(3)). */
bool plx__os_is_at_mark(plx__fd descriptor);
ptrdiff_t plx__os_receive_from(plx__fd descriptor, void *data, size_t size,
                               struct plx__sockaddr *ret_name, bool *ret_truncated);
/* plx__os_send_to sends one datagram; `name` NULL: to the connected peer. */
ptrdiff_t plx__os_send_to(plx__fd descriptor, const void *data, size_t size,
                          const struct plx__sockaddr *name);

/* The most descriptors of a received message (SCM_MAX_FD, unix(7)) and of a sent one: on 64-bit
 * machines musl copies the control messages of sendmsg into 1024 bytes, and fails with ENOMEM for
 * more. */
#define PLX__OS_HANDLES 253
#if defined __linux__ && !defined __GLIBC__
#define PLX__OS_HANDLES_SENT 252
#else
#define PLX__OS_HANDLES_SENT PLX__OS_HANDLES
#endif

/* plx__os_send_handles sends at least one byte on a Unix socket, and up to PLX__OS_HANDLES_SENT
 * descriptors with the first byte. */
ptrdiff_t plx__os_send_handles(plx__fd descriptor, const void *data, size_t size,
                               const plx__fd *handles, size_t count);

/* The descriptors that were received with bytes. They are close-on-exec. */
struct plx__os_handles {
    size_t count;
    bool lost; /* the process had no room for further descriptors */
    plx__fd list[PLX__OS_HANDLES];
};
/* plx__os_receive_handles receives bytes and the descriptors that were sent with them. A receive
 * ends behind the bytes of a message with descriptors, so that a short count with descriptors does
 * not mean that no more bytes wait. */
ptrdiff_t plx__os_receive_handles(plx__fd descriptor, void *data, size_t size,
                                  struct plx__os_handles *ret_handles);

/* plx__os_bytes_waiting returns how many received bytes the kernel holds (FIONREAD). */
ptrdiff_t plx__os_bytes_waiting(plx__fd descriptor);
/* plx__os_packet_size returns the size of the next packet and leaves the packet in the socket
 * (MSG_TRUNC, recv(2)); 0 is an empty packet, or the end of the peer's packets. */
ptrdiff_t plx__os_packet_size(plx__fd descriptor);
/* plx__os_has_ended returns whether the peer has shut down sending, even if received bytes still
 * wait (POLLRDHUP, poll(2)). */
bool plx__os_has_ended(plx__fd descriptor);
/* plx__os_bytes_unacknowledged returns how many sent bytes the peer's kernel has not acknowledged
 * (SIOCOUTQ, tcp(7)); 0 where the kernel cannot report it. */
ptrdiff_t plx__os_bytes_unacknowledged(plx__fd descriptor);

/* plx__os_acknowledged_ago returns the number of milliseconds since the last acknowledgement of the
 * peer's kernel (TCP_INFO, tcp(7)); 0 where the kernel does not report it. */
uint32_t plx__os_acknowledged_ago(plx__fd descriptor);

/* A question about one descriptor and the answer. The struct has the layout and the bits of struct
 * pollfd, poll(2): an array of them is passed to the kernel unchanged. */
struct plx__os_ready {
    plx__fd descriptor;
    short wanted; /* PLX__OS_READABLE, PLX__OS_WRITABLE or both */
    short found;  /* those, and PLX__OS_FAILED: an error, a hang-up or no descriptor */
};
enum { PLX__OS_READABLE = 1, PLX__OS_WRITABLE = 4, PLX__OS_FAILED = 8 | 16 | 32 };

/* plx__os_poll waits up to timeout_ms (-1: for ever) until an entry is ready. Returns the number of
 * ready entries, or a negative errno; after a signal -EINTR. */
int plx__os_poll(struct plx__os_ready *entries, size_t count, int timeout_ms);

/* ---- several datagrams (lib/os/datagram.c) --------------------------------------------------- */

/* The most messages of one call. */
#define PLX__OS_MESSAGES 64

/* What the kernel sends as one: a datagram, or, when `segment` is not 0, a run of datagrams that
 * follow each other in memory, each of `segment` bytes except the last, which may be shorter
 * (UDP_SEGMENT, udp(7)). */
struct plx__os_message {
    const struct plx__sockaddr *name; /* NULL: to the peer */
    const void *data;
    size_t size;
    size_t segment;          /* 0: it is one datagram */
    const plx_address *from; /* a local address, and its interface as scope; NULL: any */
};

/* plx__os_has_segments returns whether the kernel accepts messages with segments; the device may
 * still refuse them. */
bool plx__os_has_segments(plx__fd descriptor);

/* plx__os_is_refusal returns whether the error of a call, such as one with several messages or
 * accept4, means that the kernel lacks the call or that a sandbox forbids it (seccomp(2)). An older
 * call, such as one with one message or accept, may still work. */
bool plx__os_is_refusal(int error);

/* plx__os_send_messages sends up to PLX__OS_MESSAGES messages in turn. Returns how many were sent,
 * at least 1, or the error of the first message; -ENOSYS where the kernel accepts only one message
 * per call. After a smaller count the error is lost if the socket reports it only once, as a
 * connected socket does with an ICMP error. */
ptrdiff_t plx__os_send_messages(plx__fd descriptor, const struct plx__os_message *messages,
                                size_t count);

/* The most datagrams that one call receives, and the room that each needs to hold any datagram. */
#define PLX__OS_ARRIVALS 16
#define PLX__OS_ARRIVAL_SIZE ((size_t)65536)

/* What the kernel received as one: a datagram, or, when `segment` is not 0, several datagrams of
 * one sender that follow each other in memory, each of `segment` bytes except the last, which may
 * be shorter (UDP_GRO, udp(7)). */
struct plx__os_arrival {
    void *place;
    size_t size; /* before the call the room at `place`, after it the bytes received */
    struct plx__sockaddr from;
    plx_address to;   /* the local address, without a port; family 0: not reported. The scope of a
                         multicast or broadcast address is the interface that it arrived by */
    size_t segment;   /* 0: it is one datagram */
    uint32_t dropped; /* how many the socket has dropped before, modulo 2^32 */
    bool counted;     /* the kernel reported `dropped`, which it does from the first drop on */
    bool truncated;
};

/* plx__os_prepare_arrivals asks the kernel to receive datagrams of one sender as one (UDP_GRO), and
 * to report the number of dropped datagrams (SO_RXQ_OVFL, socket(7)) and the local address of each
 * datagram, as far as the kernel has these options. */
void plx__os_prepare_arrivals(plx__fd descriptor);

/* plx__os_ask_target turns on or off the report of the local address that each datagram was sent to
 * (IP_PKTINFO, ip(7); IPV6_RECVPKTINFO, ipv6(7)). */
void plx__os_ask_target(plx__fd descriptor, bool wanted);

/* plx__os_check_source checks whether datagrams may be sent from an address. Returns 0,
 * -EADDRNOTAVAIL when this computer does not have the address, or -EACCES for a broadcast address.
 */
int plx__os_check_source(const plx_address *address);

/* plx__os_dropped gives the present number of dropped datagrams (SO_MEMINFO); the member `dropped`
 * of a received datagram is older. */
int plx__os_dropped(plx__fd descriptor, uint32_t *ret_dropped);

/* plx__os_receive_arrivals receives up to PLX__OS_ARRIVALS datagrams. Returns how many were
 * received, at least 1, or a negative errno; -ENOSYS where the kernel gives only one datagram per
 * call. A smaller count than asked for means that no more datagrams waited, or that an error
 * happened, which the next call returns. */
ptrdiff_t plx__os_receive_arrivals(plx__fd descriptor, struct plx__os_arrival *arrivals,
                                   size_t count);

/* plx__os_heed_refusals turns on or off IP_RECVERR (ip(7)) for a datagram socket without a peer:
 * send and receive then fail once for each datagram that an ICMP error answers. Returns
 * -ENOPROTOOPT where the kernel lacks the option. plx__os_take_refusal removes the next such error
 * from the queue and returns it, negative, with the address that the datagram was sent to; 0 when
 * the queue is empty. */
int plx__os_heed_refusals(plx__fd descriptor, bool heed);
int plx__os_take_refusal(plx__fd descriptor, plx_address *ret_to);

/* ---- descriptors that other programs opened -------------------------------------------------- */

/* The result of plx__os_inspect. */
struct plx__os_socket_facts {
    enum plx__family family;
    enum plx__type type;
    bool listening;
    bool connected;
    bool bound;
};
/* plx__os_inspect fails with -ENOTSOCK or -EBADF and changes nothing about the descriptor. */
int plx__os_inspect(plx__fd descriptor, struct plx__os_socket_facts *ret_facts);
/* plx__os_set_nonblocking makes a descriptor non-blocking and close-on-exec. */
int plx__os_set_nonblocking(plx__fd descriptor);
/* plx__os_is_close_on_exec returns 1 or 0, or -EBADF for a number that is no descriptor. */
int plx__os_is_close_on_exec(plx__fd descriptor);

/* plx__os_credentials gives the process, user and group of the peer of a Unix socket; -1 for each
 * that the kernel does not report. */
struct plx__os_credentials {
    int64_t process, user, group;
};
int plx__os_credentials(plx__fd descriptor, struct plx__os_credentials *ret_credentials);

/* plx__os_peer_process returns a pidfd of the process of the peer of a Unix socket; -ENOPROTOOPT
 * where the kernel has no pidfds for peers. */
plx__fd plx__os_peer_process(plx__fd descriptor);

/* What the kernel reports about a TCP connection (tcp(7), TCP_INFO). For a listener
 * plx__os_connection_facts fails with -ENOTCONN. */
struct plx__os_connection_facts {
    int64_t round_trip, round_trip_variation; /* microseconds; -1: not measured yet */
    uint32_t retransmissions;
    uint32_t congestion_window; /* segments */
};
int plx__os_connection_facts(plx__fd descriptor, struct plx__os_connection_facts *ret_facts);

/* ---- waking, processes ----------------------------------------------------------------------- */

/* plx__os_wake_open makes a pair of descriptors, which may be the same descriptor twice:
 * plx__os_wake_signal of [1] makes [0] readable. */
int plx__os_wake_open(plx__fd ret_descriptors[2]);
/* plx__os_wake_signal may be called from any thread and from signal handlers. */
void plx__os_wake_signal(plx__fd descriptor);
void plx__os_wake_clear(plx__fd descriptor);
void plx__os_wake_close(plx__fd descriptors[2]);

/* plx__os_process returns the id of this process. A forked child detects by it that it is another
 * process. */
int plx__os_process(void);

/* plx__os_random returns a number that nobody can predict (lib/os/random.c): a key, or an identity
 * that no other program has. It never blocks. */
uint64_t plx__os_random(void);

/* ---- options (lib/os/option.c) --------------------------------------------------------------- */

/* plx__os_set_option sets a socket option of the kernel; for an IPv6 socket also the option of
 * IPv4. Returns -ENOPROTOOPT for an option that the kernel does not have. */
int plx__os_set_option(plx__fd descriptor, plx_option option, int value);
int plx__os_option(plx__fd descriptor, plx_option option, int *ret_value);
/* plx__os_has_option returns whether the headers of this build define the option. */
bool plx__os_has_option(plx_option option);
/* plx__os_set_only_ipv6 sets whether an IPv6 socket serves IPv6 alone (IPV6_V6ONLY, ipv6(7)). */
int plx__os_set_only_ipv6(plx__fd descriptor, bool only);
/* plx__os_set_reuse lets a listener bind although connections of an earlier listener are in
 * TIME_WAIT (SO_REUSEADDR, socket(7)). */
int plx__os_set_reuse(plx__fd descriptor);

/* plx__os_set_late_port makes bind to port 0 choose no port: connect chooses one, which may be in
 * use already for other destinations (IP_BIND_ADDRESS_NO_PORT, ip(7)). Returns -ENOPROTOOPT where
 * the kernel lacks the option. */
int plx__os_set_late_port(plx__fd descriptor);

/* plx__os_set_urgent_inline leaves urgent bytes in the stream (SO_OOBINLINE, socket(7)). */
int plx__os_set_urgent_inline(plx__fd descriptor);

/* plx__os_membership joins (or leaves) a multicast group on the interface of that index; 0: the
 * kernel chooses the interface. */
int plx__os_membership(plx__fd descriptor, const plx_address *group, unsigned interface_index,
                       bool join);
/* plx__os_memberships calls `visit` for each interface that receives a multicast group, by whatever
 * socket of this computer (lib/os/memberships.c). Returns 0, or a negative errno where the kernel does
 * not list them. */
int plx__os_memberships(const plx_address *group, void (*visit)(uint32_t interface, void *user),
                        void *user);
/* plx__os_set_multicast_interface makes multicast datagrams leave by that interface. IPv4 datagrams
 * leave from `source`, an address of the interface; when its family is not 4, the kernel chooses
 * the address. */
int plx__os_set_multicast_interface(plx__fd descriptor, unsigned interface_index,
                                    const plx_address *source);
/* plx__os_set_only_joined makes a socket receive the multicast groups that it has joined itself, not
 * those of all sockets of this computer (IP_MULTICAST_ALL, ip(7)). Returns -ENOPROTOOPT where the
 * kernel lacks the option. */
int plx__os_set_only_joined(plx__fd descriptor);
/* plx__os_bind_device makes a socket send and receive by that interface only (SO_BINDTODEVICE,
 * socket(7)). Returns -ENOPROTOOPT where the kernel lacks the option, -EPERM where only root may
 * set it. */
int plx__os_bind_device(plx__fd descriptor, const char *name);
/* plx__os_bound_device returns the index of the interface that the socket is bound to, 0 for none,
 * or -ENODEV when the interface is gone. */
int plx__os_bound_device(plx__fd descriptor);
/* plx__os_has_interface returns whether an interface has that index. */
bool plx__os_has_interface(unsigned index);
/* plx__os_interface_index returns 0 for an unknown name. */
unsigned plx__os_interface_index(const char *name);

/* ---- binding and connecting (lib/os/connect.c) ----------------------------------------------- */

int plx__os_bind(plx__fd descriptor, const struct plx__sockaddr *name);
/* plx__os_connect returns 0 both for a connection and for an attempt that is in progress: the
 * socket becomes writable when the attempt ends. */
int plx__os_connect(plx__fd descriptor, const struct plx__sockaddr *name);
/* plx__os_dissolve removes the peer of a datagram socket (AF_UNSPEC, connect(2)). */
int plx__os_dissolve(plx__fd descriptor);

/* ---- files that are read (lib/os/file.c) ----------------------------------------------------- */

/* plx__os_open_file opens a file for reading; plx__os_close closes it. A pipe in place of the file
 * does not block. plx__os_read_file returns 0 at the end of the file. */
plx__fd plx__os_open_file(const char *path);
ptrdiff_t plx__os_read_file(plx__fd file, void *data, size_t size);

/* A regular file as it is now. While the members are the same, the contents are the same, if the
 * file is settled: a file that changed just now may change again with the same time stamps, which
 * the kernel takes from the last tick. */
struct plx__os_version {
    uint64_t device, inode;
    uint64_t size;
    uint64_t modified, changed; /* nanoseconds, modulo 2^64 */
    bool settled;               /* the last change was not just now */
};
/* plx__os_version fails with -EINVAL for a file that is not regular. plx__os_is_same_version does
 * not compare `settled`. */
int plx__os_version(plx__fd file, struct plx__os_version *ret_version);
static inline bool plx__os_is_same_version(const struct plx__os_version *a,
                                           const struct plx__os_version *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified == b->modified && a->changed == b->changed;
}

/* ---- files that sockets leave behind (lib/os/file.c) ----------------------------------------- */

/* The identity of a file: no two existing files have the same numbers. */
struct plx__os_file {
    uint64_t device;
    uint64_t inode;
    bool is_socket;
};
/* plx__os_is_same_file returns whether two are the same file; is_socket is not compared. */
static inline bool plx__os_is_same_file(const struct plx__os_file *a, const struct plx__os_file *b)
{
    return a->device == b->device && a->inode == b->inode;
}
int plx__os_file(const char *path, struct plx__os_file *ret_file);
int plx__os_remove_file(const char *path);

/* plx__os_restrict_mode sets the most permissive mode that bind gives the file of a socket: bind
 * still applies the umask. */
int plx__os_restrict_mode(plx__fd descriptor, int mode);
/* plx__os_set_file_mode sets exactly this mode for the file at `path`, if the file is the one that
 * `file` identifies; else it returns -ENOENT. */
int plx__os_set_file_mode(const char *path, const struct plx__os_file *file, int mode);

/* plx__os_lock opens or creates the file at `path` and locks it against all other callers of
 * plx__os_lock; the lock ends with the process. Returns a descriptor, or a negative errno, -EAGAIN
 * when another process holds the lock and keeps it. */
plx__fd plx__os_lock(const char *path);
/* plx__os_has_no_lock returns whether an error means that no process with this program's rights can
 * lock at that path: another user owns the folder, the file system has no locks, or the file at the
 * path is not a lock. */
bool plx__os_has_no_lock(int error);
/* plx__os_unlock releases the lock and removes the file, if the file is empty. */
void plx__os_unlock(const char *path, plx__fd lock);

/* plx__os_variable returns the value of an environment variable. NULL when the variable is not set,
 * and when the program has more rights than its caller (set-user-ID): then it must not trust the
 * environment. */
const char *plx__os_variable(const char *name);

/* plx__os_working_folder is getcwd(3). */
int plx__os_working_folder(char *ret_path, size_t size);
/* plx__os_private_folder gives the folder for the sockets of this user, and makes the folder if it
 * does not exist. -ERANGE: the path does not fit into `size` bytes. */
int plx__os_private_folder(char *ret_path, size_t size);

/* The size of the longest path that Linux accepts, with the zero byte, and the length of the
 * longest file name (PATH_MAX and NAME_MAX, limits.h). */
#define PLX__OS_PATH_SIZE 4096
#define PLX__OS_LONGEST_NAME 255

#endif
