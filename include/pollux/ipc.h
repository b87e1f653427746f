/* pollux/ipc.h -- connections between programs on one computer, over Unix sockets.
 *
 * A path is the name of a socket file, absolute or relative to the working directory, or "@name"
 * for Linux's abstract names, which are not files (unix(7)). The kernel accepts paths of up to 107
 * bytes. On Linux longer paths work too, through a descriptor of their folder; on other systems
 * they are refused with ENAMETOOLONG. For where to put a socket file see plx_ipc_private_path.
 *
 * Listening makes the file, and the end of listening removes it. A left-over file at which nobody
 * listens is replaced. A file at which another socket listens is refused with PLX_ADDRESS_IN_USE,
 * and the other socket does not notice. Of several processes that begin to listen at the same time
 * exactly one gets the name. They take a lock on a file "<path>.lock", which exists only meanwhile.
 * Where the lock file cannot be made or locked, no left-over is replaced. Where another program
 * keeps the file locked, listening is refused with PLX_ADDRESS_IN_USE, and the message names the
 * lock. A file that is not a socket is never touched.
 *
 * The permissions of the folder and of the file decide which users may connect. The file has
 * exactly PLX_OPTION_MODE, whatever the umask, before any program can connect. Connecting fails
 * with ENOENT where there is no file, and with ECONNREFUSED where nobody listens any more; both
 * have the reason CONNECTION_REFUSED. */
#ifndef POLLUX_IPC_H
#define POLLUX_IPC_H

#include <stddef.h>
#include <stdint.h>

#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* The process at the other end, in numbers of the kernel; -1 is unknown. */
typedef struct plx_credentials {
    int64_t process; /* process id */
    int64_t user;    /* user id */
    int64_t group;   /* group id */
} plx_credentials;

/* plx_ipc_new makes an unconnected IPC socket. You free it with plx_socket_free. Returns NULL only
 * when there is no memory. */
PLX_API plx_socket *plx_ipc_new(void);

/* ---- names ----------------------------------------------------------------------------------- */

/* plx_ipc_private_path writes into ret_path the path of a socket that only programs of the same
 * user can reach. The folder is XDG_RUNTIME_DIR if this user owns it (XDG Base Directory
 * Specification), else "pollux-<user id>" in TMPDIR or /tmp, which the call makes. `name` is a file
 * name without "/", best the program's name. Returns 0; PLX_INVALID_STATE for NULL, an empty name
 * or a name with "/"; ENAMETOOLONG where `size` bytes are too few; or an errno, such as EACCES
 * where the folder belongs to another user or is open to others. Unless 0, *ret_path is
 * untouched. */
PLX_API int plx_ipc_private_path(const char *name, char *ret_path, size_t size);

/* plx_ipc_set_abstract_name sets an abstract name of exactly these bytes, which may include zero
 * bytes; a string cannot express those. plx_socket_path returns "@" and the bytes up to the first
 * zero byte. Returns 0; ENAMETOOLONG for more bytes than the kernel accepts; PLX_OUT_OF_MEMORY; or
 * PLX_INVALID_STATE for another kind, for NULL and for size 0. Unless 0, nothing changed. */
PLX_API int plx_ipc_set_abstract_name(plx_socket *socket, const void *name, size_t size);

/* ---- the peer -------------------------------------------------------------------------------- */

/* plx_ipc_peer_credentials returns the credentials of the process that made the other end of a
 * connection, at the time the process connected or began to listen (SO_PEERCRED, unix(7)). A number
 * that the kernel does not report is -1, such as the process id of a peer outside this program's
 * pid namespace. The credentials are known before the first byte, so that a server can refuse a
 * client in `accepted`. Returns 0; PLX_INVALID_STATE for NULL, another kind of socket or a socket
 * without a connection; or an errno. Unless 0, *ret_credentials is untouched. */
PLX_API int plx_ipc_peer_credentials(const plx_socket *socket, plx_credentials *ret_credentials);

/* plx_ipc_peer_process_handle returns a descriptor of the process that plx_ipc_peer_credentials
 * reports (SO_PEERPIDFD, Linux 6.5). Unlike a process id, the descriptor never refers to another
 * process. It is close-on-exec and yours to close; it is readable when the process has ended
 * (pidfd_open(2)). Returns PLX_NO_HANDLE where the kernel has no such descriptors, or the socket
 * has no connection. */
PLX_API plx_handle plx_ipc_peer_process_handle(const plx_socket *socket);

/* ---- descriptors ----------------------------------------------------------------------------- */

/* plx_ipc_send_handle sends a copy of a descriptor together with the next byte written. You may
 * close yours at once. A descriptor after which no byte is written is never sent; if a filter that
 * sends is pushed before that byte, the descriptor goes with the first byte of that filter. At
 * most 253 descriptors go with one byte (SCM_MAX_FD, unix(7); 252 with musl), further ones with
 * the bytes after it. The connection is lost with os_error ETOOMANYREFS where too many descriptors
 * wait in the queues of receivers that do not read.
 * To hand a socket over to another process, send its plx_socket_handle, close the socket, and write
 * the bytes that it had received behind the descriptor. plx_socket_close and plx_socket_free read
 * what the kernel holds, here before the other process has the descriptor; nothing is lost then.
 * plx_socket_abort leaves datagrams in the kernel, but resets a TCP connection for both processes.
 * The end of a listener removes its file; a listener that was adopted leaves the file.
 * Returns 0; EBADF; PLX_OPEN_DRIVER (os_error EMFILE) where the process has no descriptor left for
 * the copy; PLX_INVALID_STATE where write would return it; PLX_OUT_OF_MEMORY. */
PLX_API int plx_ipc_send_handle(plx_socket *socket, plx_handle descriptor);

/* plx_ipc_receive_handle returns the oldest descriptor that arrived, which is close-on-exec and
 * from now on yours to close; PLX_NO_HANDLE when there is none. A descriptor arrives with the byte
 * that it was sent with, and only where PLX_OPTION_RECEIVE_HANDLES is set; otherwise the kernel
 * drops it. At most 253 descriptors wait here. A connection ends with PLX_LOST_CONNECTION when the
 * peer sends more before you take them (os_error ETOOMANYREFS), or when this process has no room
 * for a descriptor (os_error EMFILE). Take descriptors in `data_available`: no poll receives the
 * descriptors of more than one message before it calls that handler. abort, free and the next
 * connect, listen or adopt close those that are left. */
PLX_API plx_handle plx_ipc_receive_handle(plx_socket *socket);

PLX_END_DECLS

#endif
