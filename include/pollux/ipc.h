/* pollux/ipc.h -- connections between programs on one computer, over Unix sockets.
 *
 * A path is the name of a socket file, absolute or relative to the working directory, or "@name"
 * for Linux's abstract names, which are no files (unix(7)). The kernel takes paths of 107 bytes; on
 * Linux longer ones work too, reached through their folder, elsewhere they are refused with
 * ENAMETOOLONG. Where to put a socket file: see plx_ipc_private_path.
 *
 * Listening makes the file and its end removes it. A left-over file that nobody listens at any more
 * is replaced. One in use is PLX_ADDRESS_IN_USE, and who uses it does not notice. Of several
 * processes that begin to listen at one moment exactly one gets the name: they are kept apart by a
 * file "<path>.lock", which is there for that moment only; where it cannot be made or locked,
 * nothing is replaced, and where another program keeps it locked, it is PLX_ADDRESS_IN_USE in a
 * sentence that names it. A file that is no socket is never touched.
 *
 * Who may connect is decided by the folder and by PLX_OPTION_MODE, which the file has exactly,
 * whatever the umask, before anybody can connect. Connecting fails with ENOENT where there is no
 * file and with ECONNREFUSED where nobody listens any more, both with reason CONNECTION_REFUSED. */
#ifndef POLLUX_IPC_H
#define POLLUX_IPC_H

#include <stddef.h>
#include <stdint.h>

#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* Who is at the other end, as numbers of the system; -1 is unknown. */
typedef struct plx_credentials {
    int64_t process; /* process id */
    int64_t user;    /* user id */
    int64_t group;   /* group id */
} plx_credentials;

/* plx_ipc_new makes an unconnected IPC socket. You free it with plx_socket_free. NULL only for want
 * of memory. */
PLX_API plx_socket *plx_ipc_new(void);

/* ---- names ----------------------------------------------------------------------------------- */

/* plx_ipc_private_path writes into ret_path where a socket of this name belongs that only programs
 * of the same user shall reach: below XDG_RUNTIME_DIR if that is a folder of this user's own (XDG
 * Base Directory Specification), else in the folder "pollux-<user id>" below TMPDIR or /tmp, which
 * is made. `name` is a file name without "/"; best the program's. Returns 0; PLX_INVALID_STATE for
 * NULL, an empty name or one with "/"; ENAMETOOLONG where `size` bytes are too few; or the system's
 * error, EACCES where that folder belongs to somebody else or is open to others. Unless 0, *ret_path
 * is untouched. */
PLX_API int plx_ipc_private_path(const char *name, char *ret_path, size_t size);

/* plx_ipc_set_abstract_name sets an abstract name of exactly these bytes, which may be any, also
 * zero bytes, of which text cannot tell. plx_socket_path gives "@" and the bytes up to the first
 * that is zero. Returns as plx_socket_set_path does, and PLX_INVALID_STATE for NULL and size 0. */
PLX_API int plx_ipc_set_abstract_name(plx_socket *socket, const void *name, size_t size);

/* ---- who is there ---------------------------------------------------------------------------- */

/* plx_ipc_peer_credentials gives who made the other end of a connection, at the time it connected
 * or began to listen (SO_PEERCRED, unix(7)); what the kernel does not say is -1, such as the process
 * id of a peer outside this program's pid namespace. It is known before the first byte, so that a
 * server can refuse in `accepted`. Returns 0; PLX_INVALID_STATE for NULL, another kind of socket or
 * one without a connection; or the kernel's error. Unless 0, *ret_credentials is untouched. */
PLX_API int plx_ipc_peer_credentials(const plx_socket *socket, plx_credentials *ret_credentials);

/* plx_ipc_peer_process_handle returns a descriptor that stands for the peer's process, as of the
 * same moment (SO_PEERPIDFD, Linux 6.5): unlike its number it can never mean another process. It is
 * close-on-exec and yours to close; readable when the process has ended (pidfd_open(2)). -1 where
 * the system has none, or the socket no connection. */
PLX_API int plx_ipc_peer_process_handle(const plx_socket *socket);

/* ---- descriptors ----------------------------------------------------------------------------- */

/* plx_ipc_send_handle sends a copy of a descriptor along with the next byte written. Yours may be
 * closed at once. With no byte written after it, it is never sent; at most 253 ride on one byte
 * (SCM_MAX_FD, unix(7); 252 with musl), further ones on the bytes after it. The connection is lost
 * with os_error ETOOMANYREFS where too many are on their way to readers who do not read. Returns 0;
 * EBADF; PLX_OPEN_DRIVER (os_error EMFILE) where there is no descriptor left for the copy;
 * PLX_INVALID_STATE where write would say so; PLX_OUT_OF_MEMORY. */
PLX_API int plx_ipc_send_handle(plx_socket *socket, int descriptor);

/* plx_ipc_receive_handle returns the oldest descriptor that arrived, which is close-on-exec and from
 * now on yours to close; -1 when there is none. It arrives with the byte it was sent with, and only
 * where PLX_OPTION_RECEIVE_HANDLES is set; elsewhere the system drops it. At most 253 wait here: a
 * peer that sends more before you take them loses the connection (PLX_LOST_CONNECTION, os_error
 * ETOOMANYREFS), and so does one whose descriptor found no room in this process (EMFILE). Take them
 * in `data_available`: no poll receives more than one message's before it is told. Those that nobody
 * takes are closed by abort and free, and with the next connect, listen or adopt. */
PLX_API int plx_ipc_receive_handle(plx_socket *socket);

PLX_END_DECLS

#endif
