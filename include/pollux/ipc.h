/* pollux/ipc.h -- connections between programs on one computer, over Unix sockets.
 *
 * A path is the name of a socket file, absolute or relative to the working directory, or "@name"
 * for Linux's abstract names, which are no files (unix(7)). A path has at most 107 bytes; a longer
 * one is refused with ENAMETOOLONG. Listening makes the file and its end removes it. A left-over
 * file that nobody listens at is replaced, one in use is PLX_ADDRESS_IN_USE. Who may connect is
 * decided by PLX_OPTION_MODE and the folder. Connecting fails with ENOENT where there is no file
 * and with ECONNREFUSED where nobody listens any more, both with reason CONNECTION_REFUSED. */
#ifndef POLLUX_IPC_H
#define POLLUX_IPC_H

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

/* plx_ipc_peer_credentials tells who made the other end of a connection, at the time it connected
 * or began to listen (SO_PEERCRED, unix(7)); what the system does not tell is -1. Returns 0, or
 * PLX_INVALID_STATE for NULL, another kind of socket or one without a connection; then
 * *ret_credentials is untouched. */
PLX_API int plx_ipc_peer_credentials(const plx_socket *socket, plx_credentials *ret_credentials);

/* plx_ipc_send_handle is to send a descriptor along with the next byte written. Not available in
 * this version: always PLX_INVALID_STATE with reason UNSUPPORTED_OPERATION, and the descriptor
 * remains yours. */
PLX_API int plx_ipc_send_handle(plx_socket *socket, int descriptor);

/* plx_ipc_receive_handle is to return the oldest descriptor that arrived, which then is yours to
 * close; -1 when none has. Not available in this version: always -1. */
PLX_API int plx_ipc_receive_handle(plx_socket *socket);

PLX_END_DECLS

#endif
