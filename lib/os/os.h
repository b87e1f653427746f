/* lib/os/os.h -- every system call on a descriptor, one thin function each.
 *
 * This header is the list that a port has to fill. It includes no header of the kernel and names no type
 * or constant of POSIX (tests/check-doors.sh): above it only C11 and what stands here is known. A call
 * returns 0, a count or a descriptor, or the negative errno of the call (-ECONNREFUSED), so that
 * errno is read where the call was made and nowhere else. Nothing here blocks (but plx__os_poll
 * with a time), raises SIGPIPE, or makes a descriptor that survives exec. */
#ifndef PLX_LIB_OS_H
#define PLX_LIB_OS_H

#include "lib/os/fd.h"

#include <pollux/address.h>
#include <pollux/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- what sockets there are ------------------------------------------------------------------ */

/* The families of addresses, those of the internet numbered as in plx_address, and the types of
 * sockets. OTHER is one that no socket of ours has, but a descriptor may that somebody else opened. */
enum plx__family {
    PLX__FAMILY_OTHER = -1,
    PLX__FAMILY_NONE = 0,
    PLX__FAMILY_UNIX = 1,
    PLX__FAMILY_IPV4 = 4,
    PLX__FAMILY_IPV6 = 6
};
enum plx__type { PLX__TYPE_OTHER = -1, PLX__TYPE_STREAM = 1, PLX__TYPE_DATAGRAM, PLX__TYPE_PACKET };

/* ---- what a socket can be bound or connected to (os/sockaddr.c) ------------------------------ */

/* Room for any socket address, how much of it those of the internet take, and room for what
 * plx__sockaddr_to_path writes. */
#define PLX__OS_SOCKADDR_SIZE 112
#define PLX__OS_IPV4_SIZE 16
#define PLX__OS_IPV6_SIZE 28
#define PLX__OS_SOCKADDR_TEXT_SIZE 110

/* A socket address of any family as the kernel wants it, in bytes that only lib/os looks into. A zeroed
 * one is none. */
struct plx__sockaddr {
    uint32_t size;         /* of the bytes that count */
    const char *long_path; /* a path that is too long for the bytes, borrowed; NULL: it is not */
    _Alignas(8) unsigned char bytes[PLX__OS_SOCKADDR_SIZE];
};

/* plx__sockaddr_equal says whether two are the same internet address, port and scope. Its sizes are
 * constants, for a comparison without a call. */
static inline bool plx__sockaddr_equal(const struct plx__sockaddr *a, const struct plx__sockaddr *b)
{
    if (a->size != b->size) {
        return false;
    }
    return a->size == PLX__OS_IPV4_SIZE   ? memcmp(a->bytes, b->bytes, PLX__OS_IPV4_SIZE) == 0
           : a->size == PLX__OS_IPV6_SIZE ? memcmp(a->bytes, b->bytes, PLX__OS_IPV6_SIZE) == 0
                                          : false;
}

/* plx__sockaddr_from_address makes the name of `address` for a socket of `family` (IPv4 or IPv6; NONE:
 * its own): an IPv4 address becomes v4-mapped for an IPv6 socket. */
void plx__sockaddr_from_address(struct plx__sockaddr *name, const plx_address *address,
                                enum plx__family family);

/* plx__sockaddr_to_address returns false for a name that is no internet address. */
bool plx__sockaddr_to_address(const struct plx__sockaddr *name, plx_address *ret_address);

/* plx__sockaddr_from_path makes the name of a Unix socket from `size` bytes, which a zero byte
 * follows; one that begins with '@' is in Linux's abstract name space (unix(7)). A path too long for
 * the kernel is borrowed, where the system has a way to reach it. Returns -ENAMETOOLONG or, for an
 * empty path, -ENOENT. */
int plx__sockaddr_from_path(struct plx__sockaddr *name, const char *path, size_t size);

/* plx__sockaddr_to_path writes the path of a Unix socket's name as a text, '@' before an abstract
 * one; false for a name that is none, and for an unnamed socket. */
bool plx__sockaddr_to_path(const struct plx__sockaddr *name, char *text, size_t size);

/* plx__sockaddr_from_native copies an address of the kernel's own form; false: it is too large.
 * plx__sockaddr_to_native copies as much of it as fits and returns how much that was. */
bool plx__sockaddr_from_native(struct plx__sockaddr *name, const void *native, size_t size);
size_t plx__sockaddr_to_native(const struct plx__sockaddr *name, void *native, size_t size);

enum plx__family plx__sockaddr_family(const struct plx__sockaddr *name);

/* ---- sockets (os/posix.c) -------------------------------------------------------------------- */

plx__fd plx__os_socket(enum plx__family family, enum plx__type type);
int plx__os_close(plx__fd descriptor);
/* plx__os_copy returns another descriptor for the same thing (dup(2)). */
plx__fd plx__os_copy(plx__fd descriptor);
int plx__os_listen(plx__fd descriptor);
/* plx__os_accept returns the descriptor of the next connection and its peer's name. */
plx__fd plx__os_accept(plx__fd descriptor, struct plx__sockaddr *ret_name);
int plx__os_local_sockaddr(plx__fd descriptor, struct plx__sockaddr *ret_name);
int plx__os_remote_sockaddr(plx__fd descriptor, struct plx__sockaddr *ret_name);
int plx__os_shutdown_sending(plx__fd descriptor);
/* plx__os_set_reset makes the following close a reset for the peer (SO_LINGER, socket(7)). */
int plx__os_set_reset(plx__fd descriptor);
/* plx__os_take_error returns the error that waits on the socket, negative, or 0 (SO_ERROR). */
int plx__os_take_error(plx__fd descriptor);

ptrdiff_t plx__os_receive(plx__fd descriptor, void *data, size_t size);
ptrdiff_t plx__os_send(plx__fd descriptor, const void *data, size_t size);
ptrdiff_t plx__os_receive_from(plx__fd descriptor, void *data, size_t size,
                               struct plx__sockaddr *ret_name, bool *ret_truncated);
/* plx__os_send_to sends one datagram; `name` NULL: to the peer. */
ptrdiff_t plx__os_send_to(plx__fd descriptor, const void *data, size_t size,
                          const struct plx__sockaddr *name);

/* How many descriptors one message may bring (SCM_MAX_FD, unix(7)), and how many one may take along:
 * musl copies what sendmsg is given to 1024 bytes on 64-bit machines, and refuses more by ENOMEM. */
#define PLX__OS_HANDLES 253
#if defined __linux__ && !defined __GLIBC__
#define PLX__OS_HANDLES_SENT 252
#else
#define PLX__OS_HANDLES_SENT PLX__OS_HANDLES
#endif

/* plx__os_send_handles sends bytes of a Unix socket, at least one, and up to PLX__OS_HANDLES_SENT
 * descriptors with the first of them. */
ptrdiff_t plx__os_send_handles(plx__fd descriptor, const void *data, size_t size,
                               const plx__fd *handles, size_t count);

/* What came with bytes; the descriptors are close-on-exec. */
struct plx__os_handles {
    size_t count;
    bool lost; /* there were more, and the process has no room for them */
    plx__fd list[PLX__OS_HANDLES];
};
/* plx__os_receive_handles receives bytes, and the descriptors that came with them. It ends behind
 * bytes that brought some, so that a short count with descriptors does not mean that no more is
 * there. */
ptrdiff_t plx__os_receive_handles(plx__fd descriptor, void *data, size_t size,
                                  struct plx__os_handles *ret_handles);

/* plx__os_bytes_waiting returns how many received bytes the kernel holds (FIONREAD). */
ptrdiff_t plx__os_bytes_waiting(plx__fd descriptor);
/* plx__os_packet_size returns the size of the packet that is received next and leaves it there
 * (MSG_TRUNC, recv(2)); 0 is an empty one, or the peer's end. */
ptrdiff_t plx__os_packet_size(plx__fd descriptor);
/* plx__os_has_ended says whether the peer has ended, whatever of it still waits (POLLRDHUP, poll(2)).
 */
bool plx__os_has_ended(plx__fd descriptor);
/* plx__os_bytes_unacknowledged returns how many sent bytes the peer's system has not confirmed
 * (SIOCOUTQ, tcp(7)); 0 where the system cannot tell. */
ptrdiff_t plx__os_bytes_unacknowledged(plx__fd descriptor);

/* plx__os_acknowledged_ago returns for how many milliseconds the peer's kernel has acknowledged nothing
 * (TCP_INFO, tcp(7)); 0 where the kernel does not tell. */
uint32_t plx__os_acknowledged_ago(plx__fd descriptor);

/* What one descriptor is asked for and what was found, the same member for member and bit for bit as
 * struct pollfd, poll(2): an array of them is handed to the kernel as it is. */
struct plx__os_ready {
    plx__fd descriptor;
    short wanted; /* PLX__OS_READABLE, PLX__OS_WRITABLE or both */
    short found;  /* of these, and PLX__OS_FAILED: an error, a hang-up or no descriptor */
};
enum { PLX__OS_READABLE = 1, PLX__OS_WRITABLE = 4, PLX__OS_FAILED = 8 | 16 | 32 };

/* plx__os_poll waits up to timeout_ms (-1: for ever) until one of them is ready. Returns how many are,
 * or a negative errno; a signal is reported as -EINTR. */
int plx__os_poll(struct plx__os_ready *entries, size_t count, int timeout_ms);

/* ---- several datagrams (os/datagram.c) ------------------------------------------------------- */

/* The most messages of one call. */
#define PLX__OS_MESSAGES 64

/* What leaves as one: a datagram, or with `segment` a run of datagrams that lie behind each other,
 * of so many bytes each but the last, which may be shorter (UDP_SEGMENT, udp(7)). */
struct plx__os_message {
    const struct plx__sockaddr *name; /* NULL: to the peer */
    const void *data;
    size_t size;
    size_t segment; /* 0: it is one datagram */
    const plx_address
        *from; /* the address of ours that it leaves from; NULL: the kernel's choice */
};

/* plx__os_has_segments says whether a message may have segments, so far as the system knows: the
 * device may refuse all the same. */
bool plx__os_has_segments(plx__fd descriptor);

/* plx__os_is_refusal says whether an error of a call with several messages means that the call itself
 * was refused: by a kernel that lacks it, or by a sandbox (seccomp(2)). One message alone may pass. */
bool plx__os_is_refusal(int error);

/* plx__os_send_messages sends up to PLX__OS_MESSAGES of them in turn. Returns how many were sent, at
 * least 1, or the error of the first; -ENOSYS where the system takes one at a time. After a shorter
 * count the error is lost if it was one that the socket tells only once, as one with a peer does. */
ptrdiff_t plx__os_send_messages(plx__fd descriptor, const struct plx__os_message *messages,
                                size_t count);

/* The most arrivals of one call, and the room that each needs to hold whatever may come. */
#define PLX__OS_ARRIVALS 16
#define PLX__OS_ARRIVAL_SIZE ((size_t)65536)

/* What came as one: a datagram, or with `segment` several of one sender that lie behind each other,
 * of so many bytes each but the last, which may be shorter (UDP_GRO, udp(7)). */
struct plx__os_arrival {
    void *place;
    size_t size; /* the room there, and then what came */
    struct plx__sockaddr from;
    plx_address to;   /* the address it came to, without a port; family 0: the kernel did not say */
    size_t segment;   /* 0: it is one datagram */
    uint32_t dropped; /* so many were dropped before it for want of room, modulo 2^32 */
    bool counted;     /* `dropped` was told; the system does not tell of none */
    bool truncated;
};

/* plx__os_prepare_arrivals asks for datagrams of one sender to come as one, for the number of those
 * dropped (SO_RXQ_OVFL, socket(7)) and for the address that each came to, as far as the kernel knows
 * them. */
void plx__os_prepare_arrivals(plx__fd descriptor);

/* plx__os_ask_target asks for the address that each datagram came to, or no more (IP_PKTINFO, ip(7);
 * IPV6_RECVPKTINFO, ipv6(7)). */
void plx__os_ask_target(plx__fd descriptor, bool wanted);

/* plx__os_check_source says whether datagrams may leave from an address: 0, or -EADDRNOTAVAIL: this
 * computer does not have it, or -EACCES: it means all of a network. */
int plx__os_check_source(const plx_address *address);

/* plx__os_dropped tells the same number as it is now, which an arrival tells late (SO_MEMINFO). */
int plx__os_dropped(plx__fd descriptor, uint32_t *ret_dropped);

/* plx__os_receive_arrivals takes up to PLX__OS_ARRIVALS of them. Returns how many came, at least 1,
 * or a negative errno; -ENOSYS where the system gives one at a time. Fewer than asked for: there
 * were no more, or an error came meanwhile, which the next call tells. */
ptrdiff_t plx__os_receive_arrivals(plx__fd descriptor, struct plx__os_arrival *arrivals,
                                   size_t count);

/* plx__os_heed_refusals has a datagram socket without a peer hear whose datagrams came to nothing, or no
 * more (IP_RECVERR, ip(7)): send and receive fail for such a datagram once. -ENOPROTOOPT: the system
 * cannot. plx__os_take_refusal takes the next word of it: returns its error, negative, and to whom
 * the datagram went; 0: there is none. */
int plx__os_heed_refusals(plx__fd descriptor, bool heed);
int plx__os_take_refusal(plx__fd descriptor, plx_address *ret_to);

/* ---- descriptors of others ------------------------------------------------------------------- */

/* What plx__os_inspect found out about a descriptor. */
struct plx__os_socket_facts {
    enum plx__family family;
    enum plx__type type;
    bool listening;
    bool connected;
    bool bound;
};
/* plx__os_inspect fails with -ENOTSOCK or -EBADF and leaves the descriptor as it is. */
int plx__os_inspect(plx__fd descriptor, struct plx__os_socket_facts *ret_facts);
/* plx__os_set_nonblocking makes a descriptor non-blocking and close-on-exec. */
int plx__os_set_nonblocking(plx__fd descriptor);
/* plx__os_is_close_on_exec returns 1 or 0, or -EBADF for a number that is no descriptor. */
int plx__os_is_close_on_exec(plx__fd descriptor);

/* plx__os_credentials tells process, user and group of the peer of a Unix socket; -1 for what the
 * system does not tell. */
struct plx__os_credentials {
    int64_t process, user, group;
};
int plx__os_credentials(plx__fd descriptor, struct plx__os_credentials *ret_credentials);

/* plx__os_peer_process returns a descriptor that stands for the process of the peer of a Unix
 * socket; -ENOPROTOOPT where the system has none. */
plx__fd plx__os_peer_process(plx__fd descriptor);

/* What the kernel knows of a TCP connection (tcp(7), TCP_INFO). plx__os_connection_facts fails with -ENOTCONN
 * for a listener, which is none. */
struct plx__os_connection_facts {
    int64_t round_trip, round_trip_variation; /* microseconds; -1: not measured yet */
    uint32_t retransmissions;
    uint32_t congestion_window; /* segments */
};
int plx__os_connection_facts(plx__fd descriptor, struct plx__os_connection_facts *ret_facts);

/* ---- waking, processes ----------------------------------------------------------------------- */

/* plx__os_wake_open makes a pair of descriptors, which may be the same one: signalling [1] makes
 * [0] readable. */
int plx__os_wake_open(plx__fd ret_descriptors[2]);
/* plx__os_wake_signal may be called from any thread and from signal handlers. */
void plx__os_wake_signal(plx__fd descriptor);
void plx__os_wake_clear(plx__fd descriptor);
void plx__os_wake_close(plx__fd descriptors[2]);

/* plx__os_process returns the number of this process, which a forked child compares. */
int plx__os_process(void);

/* ---- options (os/option.c) ------------------------------------------------------------------- */

/* plx__os_set_option sets an option of the kernel's; for IPv6 sockets also its IPv4 side. Returns
 * -ENOPROTOOPT for an option that is none of the kernel's or unknown to this system. */
int plx__os_set_option(plx__fd descriptor, plx_option option, int value);
int plx__os_option(plx__fd descriptor, plx_option option, int *ret_value);
/* plx__os_has_option says whether this kernel has an option at all, so far as the build knows. */
bool plx__os_has_option(plx_option option);
/* plx__os_set_only_ipv6 says whether an IPv6 socket leaves IPv4 alone. */
int plx__os_set_only_ipv6(plx__fd descriptor, bool only);
/* plx__os_set_reuse lets a listener bind beside connections of an earlier one that linger
 * (TIME_WAIT). */
int plx__os_set_reuse(plx__fd descriptor);

/* plx__os_set_late_port lets a bind to port 0 choose no port yet: connect does, and takes one that is
 * in use already for other destinations (IP_BIND_ADDRESS_NO_PORT, ip(7)). -ENOPROTOOPT where the
 * kernel has no such thing. */
int plx__os_set_late_port(plx__fd descriptor);

/* plx__os_set_urgent_inline leaves urgent bytes in the stream (SO_OOBINLINE, socket(7)). */
int plx__os_set_urgent_inline(plx__fd descriptor);

/* plx__os_membership joins (or leaves) a multicast group on the interface of that index, 0: the
 * system's choice. */
int plx__os_membership(plx__fd descriptor, const plx_address *group, unsigned interface_index,
                       bool join);
/* plx__os_set_multicast_interface has multicast leave by that interface, IPv4 from `source`, an
 * address of it, or from one of the system's choice where its family is not 4. */
int plx__os_set_multicast_interface(plx__fd descriptor, unsigned interface_index,
                                    const plx_address *source);
/* plx__os_bind_device lets a socket send and receive by that interface only (SO_BINDTODEVICE,
 * socket(7)). Returns -ENOPROTOOPT where the system has no such thing, -EPERM where only root may.
 */
int plx__os_bind_device(plx__fd descriptor, const char *name);
/* plx__os_bound_device returns the index of the interface that the descriptor is bound to, 0: none,
 * or -ENODEV: it has gone. */
int plx__os_bound_device(plx__fd descriptor);
/* plx__os_has_interface says whether there is an interface of that index. */
bool plx__os_has_interface(unsigned index);
/* plx__os_interface_index returns 0 for an unknown name. */
unsigned plx__os_interface_index(const char *name);

/* ---- binding and connecting (os/connect.c) --------------------------------------------------- */

int plx__os_bind(plx__fd descriptor, const struct plx__sockaddr *name);
/* plx__os_connect returns 0 both when connected and when under way: writability tells. */
int plx__os_connect(plx__fd descriptor, const struct plx__sockaddr *name);
/* plx__os_dissolve takes the peer of a datagram socket away. */
int plx__os_dissolve(plx__fd descriptor);

/* ---- files that sockets leave behind (os/file.c) --------------------------------------------- */

/* Which file a path leads to: numbers that no two living files share. */
struct plx__os_file {
    uint64_t device;
    uint64_t inode;
    bool is_socket;
};
/* plx__os_is_same_file says whether two are one file; is_socket does not count. */
static inline bool plx__os_is_same_file(const struct plx__os_file *a, const struct plx__os_file *b)
{
    return a->device == b->device && a->inode == b->inode;
}
int plx__os_file(const char *path, struct plx__os_file *ret_file);
int plx__os_remove_file(const char *path);

/* plx__os_restrict_mode sets the mode that the file of a socket will have at most when it is bound: the
 * umask is still taken away from it. */
int plx__os_restrict_mode(plx__fd descriptor, int mode);
/* plx__os_set_file_mode gives the file at `path` exactly this mode, if it is this socket; else
 * -ENOENT. */
int plx__os_set_file_mode(const char *path, const struct plx__os_file *file, int mode);

/* plx__os_lock makes the file at `path` if it is not there and locks it against all who do the
 * same; the lock ends with the process. Returns a descriptor, or a negative errno, -EAGAIN where
 * somebody else has it and keeps it. */
plx__fd plx__os_lock(const char *path);
/* plx__os_has_no_lock says whether such an error means that nobody of this program's rights gets a lock
 * there: the folder is somebody else's, the file system has no locks, or something else stands in its
 * place. */
bool plx__os_has_no_lock(int error);
/* plx__os_unlock gives it back and removes the file, unless there is something in it. */
void plx__os_unlock(const char *path, plx__fd lock);

/* plx__os_variable returns what the environment says, NULL where it says nothing, and where the
 * program runs with rights that its caller does not have: it must not believe its caller then. */
const char *plx__os_variable(const char *name);

/* plx__os_working_folder is getcwd(3). */
int plx__os_working_folder(char *ret_path, size_t size);
/* plx__os_private_folder says where the sockets of this user belong, and makes the folder if need
 * be. -ERANGE: it does not fit into `size` bytes. */
int plx__os_private_folder(char *ret_path, size_t size);

/* What Linux takes as a path, with the zero byte behind it, and as one of its names (PATH_MAX and
 * NAME_MAX, limits.h). */
#define PLX__OS_PATH_SIZE 4096
#define PLX__OS_LONGEST_NAME 255

#endif
