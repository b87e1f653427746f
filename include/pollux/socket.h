/* pollux/socket.h -- the calls that every kind of socket has.
 *
 * The life of a socket: new, set properties, options and events, then connect or listen, then poll
 * until the connection ends; then connect again or free. A socket can be used again after its
 * connection has ended. It keeps its properties, options, handlers and unread bytes. */
#ifndef POLLUX_SOCKET_H
#define POLLUX_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pollux/address.h>
#include <pollux/error.h>
#include <pollux/events.h>
#include <pollux/export.h>
#include <pollux/option.h>
#include <pollux/piece.h>

PLX_BEGIN_DECLS

/* ---- the object ------------------------------------------------------------------------------ */

/* plx_socket_free ends the socket as plx_socket_close does and frees it; the socket leaves its
 * group and its server by itself. No handler is called. Allowed in any handler. In a handler of
 * this socket, the socket and the bytes it returned stay valid until the handler has returned;
 * elsewhere both are gone at once. Accepts NULL; returns NULL. */
PLX_API plx_socket *plx_socket_free(plx_socket *socket);

/* plx_socket_set_events sets the handlers, and the `user` that they are given. The socket borrows
 * the table, which must live until another table is set or the socket is freed; NULL sets no
 * handlers. In a handler, the new table applies from the next event on. Set the table before
 * connect or listen, so that no event is missed.
 * plx_socket_set_events_sized is the same for other languages, which state the size of their
 * plx_events: handlers beyond `size` bytes count as NULL, so a program may be older than the
 * library. The inline functions of these headers have no symbol; the function with _sized that each
 * one calls has one. */
PLX_API void plx_socket_set_events_sized(plx_socket *socket, const plx_events *events, size_t size,
                                         void *user);
static inline void plx_socket_set_events(plx_socket *socket, const plx_events *events, void *user)
{
    plx_socket_set_events_sized(socket, events, sizeof *events, user);
}

/* plx_socket_set_user replaces the `user` that handlers are given. The library never uses the
 * pointer. */
PLX_API void plx_socket_set_user(plx_socket *socket, void *user);

/* plx_socket_user returns the `user` that was set last; NULL when none was set. */
PLX_API void *plx_socket_user(const plx_socket *socket);

/* ---- properties: set before connect or listen, kept by close --------------------------------- */

/* plx_socket_set_address sets the host name or IP address to connect to, which is copied; NULL and
 * "" mean none. connect reads it; a change while open applies to the next connect.
 * A name is UTF-8: the resolver looks up letters beyond ASCII in their ASCII form (IDNA2008), which
 * needs a library built with libidn2. A string that looks like an IPv4 address and is not one
 * ("127.1", "0177.0.0.1") is not a name: connect refuses it and asks no name server.
 * Returns 0; PLX_OUT_OF_MEMORY; or PLX_INVALID_STATE for a socket that has a path instead (IPC),
 * unless the address is none. */
PLX_API int plx_socket_set_address(plx_socket *socket, const char *host);

/* plx_socket_address returns the address that was set, "" when none is set.
 * plx_socket_remote_address returns the peer's IP address. */
PLX_API const char *plx_socket_address(const plx_socket *socket);

/* plx_socket_set_port sets the port to connect to, listen on or (UDP) bind to. With 0 the kernel
 * chooses the port of a listener or a bound socket; 0 is not a port to connect to. Returns 0;
 * PLX_INVALID_PORT (reason PORT_OUT_OF_RANGE) for a port that is not 0 to 65535;
 * PLX_OUT_OF_MEMORY; or PLX_INVALID_STATE for a socket that has a path instead, unless the port is
 * 0. Unless 0, nothing changed. */
PLX_API int plx_socket_set_port(plx_socket *socket, int port);

/* plx_socket_port returns the local port while the socket is open, else the port that was set. */
PLX_API int plx_socket_port(const plx_socket *socket);

/* plx_socket_set_local_port sets the port that TCP connections leave from; 0 leaves the choice to
 * the kernel, and is the default. For the next connect; an address of this computer is chosen by
 * plx_socket_set_interface. Several sockets may leave from one port to different peers. A second
 * connection to the same peer from it fails with PLX_ADDRESS_IN_USE, and may while the first is in
 * TIME_WAIT with it (RFC 9293, section 3.6.1); a port below 1024 fails with PLX_INVALID_PORT for
 * ordinary users (ip(7)). Returns 0; PLX_INVALID_PORT out of range 0 to 65535; PLX_INVALID_STATE for
 * UDP, which binds to plx_socket_set_port, and for a kind that has a path, unless the port is 0; or
 * PLX_OUT_OF_MEMORY. */
PLX_API int plx_socket_set_local_port(plx_socket *socket, int port);

/* plx_socket_set_path sets the path or "@name" of an IPC socket, which is copied; see pollux/ipc.h.
 * NULL and "" mean none. Returns 0; ENAMETOOLONG (reason ADDRESS_NOT_AVAILABLE); ENOENT for "@"
 * without a name; PLX_OUT_OF_MEMORY; or PLX_INVALID_STATE for another kind, unless the path is none.
 * Unless 0, nothing changed. */
PLX_API int plx_socket_set_path(plx_socket *socket, const char *path);

/* plx_socket_path returns the path that was set; "" when none is set, and for other kinds. */
PLX_API const char *plx_socket_path(const plx_socket *socket);

/* plx_socket_set_interface sets the local IP address, or the name of the interface, to bind to; it
 * is copied. NULL and "" mean any. Names and addresses are those of plx_interface_list; a
 * link-local address needs no scope here. connect and listen read the setting.
 * TCP binds to an address. A name or a label selects the address of the interface that fits the
 * peer, the first one where several fit; a listener prefers addresses that are not link-local. UDP
 * binds to the device that has the name or the label, and receives broadcasts and multicast there;
 * bound to an address it receives neither. Returns 0; PLX_OUT_OF_MEMORY; or PLX_INVALID_STATE for a
 * socket that has a path instead, unless the interface is none. */
PLX_API int plx_socket_set_interface(plx_socket *socket, const char *name_or_address);

/* plx_socket_interface returns the interface as it was set; "" for any. */
PLX_API const char *plx_socket_interface(const plx_socket *socket);

/* plx_socket_copy_settings makes the settings of an unconnected socket those of `from`, which may be
 * in any state and does not change: address, port, local port, path, interface, options, frame or
 * commands (pollux/message.h, pollux/command.h), proxy with its credentials and protocol tag
 * (pollux/proxy.h); also where plx_socket_listen_on listened. What is not set in `from` is not set
 * in the socket afterwards. Settings that not both kinds have stay as they are in the socket: from
 * TCP to UDP, the local port and the proxy. A port is copied as it was set, and each setting has
 * the effect of its own call. Handlers, `user`, filters, TLS and the simulation are not copied.
 * Returns 0, also for the socket itself; PLX_INVALID_STATE when the socket is not unconnected, and
 * for NULL; or PLX_OUT_OF_MEMORY. Unless 0, nothing changed. */
PLX_API int plx_socket_copy_settings(plx_socket *socket, const plx_socket *from);

/* ---- starting and ending --------------------------------------------------------------------- */

/* plx_socket_connect starts connecting to the address and port, or the path, and returns at once.
 * UDP: binds to the port instead, and refuses when an address was set (PLX_INVALID_STATE). The call
 * empties both buffers and clears the last error; bytes written from now on are sent when the
 * connection works. The state is HOST_LOOKUP or CONNECTING until a poll reports `connected`, even
 * if the kernel connected at once. A poll reports a failure of the network by `error`. Returns 0 or
 * an error of the call: PLX_INVALID_STATE when the socket is not unconnected or has no path;
 * PLX_NAME_RESOLUTION with reason EMPTY_HOST_NAME, or HOST_NOT_FOUND for an address that cannot be a
 * name; PLX_INVALID_PORT for port 0; PLX_OPEN_DRIVER (EAFNOSUPPORT) for an IP address of a family
 * that PLX_OPTION_PROTOCOL excludes; PLX_OUT_OF_MEMORY. UDP also as plx_udp_bind does
 * (pollux/udp.h). */
PLX_API int plx_socket_connect(plx_socket *socket);

/* plx_socket_listen waits on the port, or the path, for one peer and becomes the connection to that
 * peer: LISTENING, then CONNECTED. The listener is closed then, so that other peers are refused.
 * For many peers see pollux/server.h. Returns 0 or at once the error, which `error` reports as well:
 * PLX_ADDRESS_IN_USE; PLX_INVALID_PORT (a privileged port); PLX_INVALID_STATE (open already, no path,
 * a mode for an abstract name, UDP); EADDRNOTAVAIL for an address that is not of this computer;
 * PLX_OPEN_DRIVER without a descriptor (EMFILE); PLX_OUT_OF_MEMORY; or another errno. */
PLX_API int plx_socket_listen(plx_socket *socket);

/* plx_socket_connect_to sets the address and port, or the path, that `where` names and connects.
 * `where` is "host:port" or "[::1]:80", for IPC "/path", "path" or "@name". UDP: does not change
 * the port and address properties, binds the socket if it is not bound, and connects to this one
 * peer.
 * Returns as plx_socket_connect does; PLX_INVALID_PORT for a port that is missing or malformed;
 * PLX_NAME_RESOLUTION for a missing host and for a host that cannot be a name (see
 * plx_socket_set_address); ENAMETOOLONG for a path; PLX_INVALID_STATE for any other malformed
 * string. */
PLX_API int plx_socket_connect_to(plx_socket *socket, const char *where);

/* plx_socket_connect_to_address sets the address and the port to those of an IP address, and
 * connects as plx_socket_connect_to does, for TCP and UDP: to an address of plx_socket_remote with
 * another port, to the sender of a datagram, or to a link-local address with its scope. The address
 * is copied. Returns as plx_socket_connect_to does: PLX_INVALID_STATE for NULL, for an address that
 * is "none" and for a socket that has a path instead, PLX_INVALID_PORT for port 0. */
PLX_API int plx_socket_connect_to_address(plx_socket *socket, const plx_address *address);

/* plx_socket_listen_on sets the address and port, or the path, that `where` names and listens.
 * `where` is as for plx_socket_connect_to; the host is an address of this computer, and ":80" is
 * all addresses in both families. Returns as plx_socket_listen does; PLX_INVALID_PORT for a port that
 * is missing or malformed; ENAMETOOLONG for a path; PLX_INVALID_STATE for any other malformed
 * string. */
PLX_API int plx_socket_listen_on(plx_socket *socket, const char *where);

/* plx_socket_adopt makes the socket the owner of a descriptor that is already connected, listening
 * or (UDP) bound. The call asks the kernel which of these holds, and makes the descriptor
 * non-blocking and close-on-exec. It empties both buffers and clears the last error; events follow
 * as if connect or listen had been called. Returns 0, and the socket then closes the descriptor;
 * PLX_INVALID_STATE (not unconnected, or a descriptor of another kind); EBADF; ENOTSOCK;
 * PLX_OUT_OF_MEMORY; or another errno. Unless 0, the descriptor remains yours. */
PLX_API int plx_socket_adopt(plx_socket *socket, plx_handle descriptor);

/* plx_socket_adopt_activated adopts a descriptor that a service manager opened for this process and
 * passed under `name` (systemd's socket activation, sd_listen_fds(3)); NULL takes the first that
 * fits the kind. Each descriptor is taken once. Returns as plx_socket_adopt does, and
 * PLX_INVALID_STATE when there is none. */
PLX_API int plx_socket_adopt_activated(plx_socket *socket, const char *name);

/* plx_socket_disconnect ends the connection in an orderly way. Writing is refused from now on.
 * Polls send what is queued, then shut down the sending half (shutdown(2)), and read on until the
 * peer has acknowledged everything, the peer has ended too, or PLX_OPTION_LINGER_TIMEOUT is over.
 * Bytes that arrive meanwhile stay readable, up to the read limit or 256 KiB. Then `disconnected`
 * is called, after an `error` only if bytes were lost.
 * While the socket is still connecting: with bytes queued, it connects and sends them first;
 * without, the attempt is cancelled at once and no handler is called, except `disconnected` of a
 * client that a server reported by `accepted`. LISTENING or BOUND: flush and close. UDP with a
 * peer: flush, and the socket is BOUND as before. While PLX_OPTION_AUTO_CONNECT waits to connect
 * again: the waiting ends, and polls still report the events of the connection before. Returns 0
 * (also when the state is CLOSING already), or PLX_INVALID_STATE when it is UNCONNECTED. */
PLX_API int plx_socket_disconnect(plx_socket *socket);

/* plx_socket_close ends everything at once: reads what the kernel has received, sends what the
 * kernel takes now, and drops the rest. No handler is called, events that are due are cancelled,
 * and the state is UNCONNECTED. The socket keeps its properties (port, address, path, interface),
 * options, handlers and last error, and the bytes received, which stay readable. A reply that must
 * arrive needs disconnect. For an unconnected socket the call only cancels what is due, also the
 * next attempt of PLX_OPTION_AUTO_CONNECT, and forgets the peer's address. Accepts NULL. */
PLX_API void plx_socket_close(plx_socket *socket);

/* plx_socket_abort ends everything at once as plx_socket_close does, and drops both buffers. No
 * handler is called. The peer of a TCP connection receives a reset, which distinguishes abort from
 * close; the peer of a Unix socket receives only an end. */
PLX_API void plx_socket_abort(plx_socket *socket);

/* ---- polling and waiting: the calls that call handlers --------------------------------------- */

/* plx_socket_poll makes one pass: receives, calls the handlers, then sends, so that the same poll
 * sends what a handler wrote. Never blocks. One call does at most 256 KiB of work. Returns true
 * when work is left: poll again soon. In a handler of this socket the call does nothing and returns
 * false; for NULL it returns false. For a member of a group the call serves that member alone. */
PLX_API bool plx_socket_poll(plx_socket *socket);

/* plx_socket_wait sleeps until the socket has work, but not longer than `timeout_ms` (-1: no limit,
 * 0: does not sleep), then polls. Returns false when the time was over, and at once when no work
 * can follow (unconnected). Signal handlers do not end the wait, and neither does a look at a
 * time-out that goes on (<pollux/clock.h>). */
PLX_API bool plx_socket_wait(plx_socket *socket, int timeout_ms);

/* plx_socket_wait_for_connected polls and sleeps until the state is CONNECTED (UDP: or BOUND).
 * Returns whether it is; false when the time was over or the connection failed.
 * For this call and the next three: -1 sets no limit. The calls call handlers. Inside a handler of
 * the same socket they move bytes and call no handler: look at plx_socket_bytes_available; events
 * that still apply are reported when the handler has returned. The calls return false at once when
 * what they wait for cannot happen any more. */
PLX_API bool plx_socket_wait_for_connected(plx_socket *socket, int timeout_ms);

/* plx_socket_wait_for_data polls and sleeps until bytes arrive. Returns true at once for bytes that
 * arrived since the last read or lookahead; false when the time was over or no bytes can arrive any
 * more. */
PLX_API bool plx_socket_wait_for_data(plx_socket *socket, int timeout_ms);

/* plx_socket_wait_for_sent polls and sleeps until the kernel has taken everything that was written.
 * Returns true then, and also when disconnect has ended the connection meanwhile and nothing was
 * lost. Returns false when the time was over, or the connection ended or failed first. */
PLX_API bool plx_socket_wait_for_sent(plx_socket *socket, int timeout_ms);

/* plx_socket_wait_for_disconnected polls and sleeps until the state is UNCONNECTED. Returns true,
 * at once when it already is; false when the time was over. The call does not end the connection:
 * call disconnect first, or let the peer end it. */
PLX_API bool plx_socket_wait_for_disconnected(plx_socket *socket, int timeout_ms);

/* ---- bytes ----------------------------------------------------------------------------------- */
/* These calls never block and call no handler. A UDP socket with a peer writes and reads one
 * datagram at a time; without a peer the calls are refused with PLX_INVALID_STATE, see
 * pollux/udp.h. A packet socket writes and reads one packet at a time, see pollux/seqpacket.h. */

/* plx_socket_write queues bytes (copied), which the next poll or flush sends; 16 KiB or more may
 * leave at once when the queue is empty. `data` may be what plx_socket_read_all or
 * plx_socket_lookahead of this socket returned. Returns how many bytes were queued, fewer than
 * `size` when PLX_OPTION_WRITE_LIMIT is reached; 0 for size 0. Returns -1 and sets the last error:
 * PLX_INVALID_STATE when unconnected, listening or after disconnect, or for NULL data; EMSGSIZE for
 * a datagram that is too large; PLX_OUT_OF_MEMORY. While still connecting, bytes, packets and
 * datagrams are queued, and dropped if connecting fails. The next poll reports a failure to
 * send. */
PLX_API ptrdiff_t plx_socket_write(plx_socket *socket, const void *data, size_t size);

/* plx_socket_write_text is plx_socket_write for a string without its zero byte. Returns as
 * plx_socket_write does, and -1 with PLX_INVALID_STATE for NULL. */
PLX_API ptrdiff_t plx_socket_write_text(plx_socket *socket, const char *text);

/* plx_socket_write_pieces is plx_socket_write for bytes that lie in several places, such as a header
 * and a body: `count` pieces are queued (copied) as one write, without a copy of the program's own,
 * and as one datagram or packet where writes are. Never leaves at once. Returns as plx_socket_write
 * does, for all pieces together: bytes queued, perhaps in the middle of a piece. Pieces of 0 bytes
 * may have NULL data. -1 with PLX_INVALID_STATE for NULL pieces with a count, and for a sum of the
 * sizes over SIZE_MAX; a count of 0 is a write of 0 bytes. */
PLX_API ptrdiff_t plx_socket_write_pieces(plx_socket *socket, const plx_piece *pieces,
                                          size_t count);

/* plx_socket_flush sends what is queued now, as much as the kernel takes. Returns 0, also when
 * bytes are left or the queue is empty; the next poll reports a failure to send. PLX_INVALID_STATE
 * for NULL. */
PLX_API int plx_socket_flush(plx_socket *socket);

/* plx_socket_read takes up to `size` received bytes. Returns how many; 0 when nothing has arrived;
 * -1 when nothing is left and nothing will arrive (unconnected), which is not an error. An empty
 * datagram or packet is 0, too: plx_socket_read_message returns NULL only when there is none. NULL
 * data with a size: -1, PLX_INVALID_STATE. */
PLX_API ptrdiff_t plx_socket_read(plx_socket *socket, void *data, size_t size);

/* plx_socket_read_exact takes `size` bytes or none. Returns `size`; 0 while fewer have arrived; -1
 * once `size` bytes cannot arrive any more (what has arrived stays readable). A size over
 * PLX_OPTION_READ_LIMIT raises the limit to `size`. Waiting for more than has arrived needs memory:
 * -1, PLX_OUT_OF_MEMORY. For NULL data with a size, and for datagrams and packets: -1,
 * PLX_INVALID_STATE. */
PLX_API ptrdiff_t plx_socket_read_exact(plx_socket *socket, void *data, size_t size);

/* plx_socket_read_all takes everything that was received and returns a pointer to it, without
 * copying; *ret_size is how much, 0 for nothing. Returns NULL only for a NULL socket; ret_size may
 * be NULL. The bytes belong to the socket. They are valid until the next poll or wait that serves
 * this socket (including a poll of its group or its server), or the next read of any sort, skip,
 * unread, purge, connect, listen, adopt, close, abort or free of it. write and lookahead leave them
 * valid. A call that is refused (UDP without a peer) sets PLX_INVALID_STATE, and the size is 0. */
PLX_API const void *plx_socket_read_all(plx_socket *socket, size_t *ret_size);

/* plx_socket_lookahead returns the same as plx_socket_read_all would, valid as long, and leaves the
 * bytes to be read. Use it to see whether a whole message has arrived; then skip or read as much as
 * was used. A call that is refused sets PLX_INVALID_STATE, and the size is 0. */
PLX_API const void *plx_socket_lookahead(plx_socket *socket, size_t *ret_size);

/* plx_socket_read_line takes one line with its "\n" into `line` and appends a zero byte. Returns
 * its length without the zero byte; 0 while no whole line has arrived; -1 at the end. A line that
 * does not fit into `size` - 1 bytes or below PLX_OPTION_READ_LIMIT is returned in pieces, and so
 * is the last line without "\n" once the peer has ended: a line is whole if it ends in "\n". A "\r"
 * before the "\n" is kept. Zero bytes in a line count like others. For a `size` below 2, and for
 * datagrams and packets: -1, PLX_INVALID_STATE. */
PLX_API ptrdiff_t plx_socket_read_line(plx_socket *socket, char *line, size_t size);

/* plx_socket_can_read_line returns whether plx_socket_read_line would return bytes if `size` is
 * enough. */
PLX_API bool plx_socket_can_read_line(const plx_socket *socket);

/* plx_socket_skip drops up to `size` received bytes and returns how many. For datagrams and packets
 * it drops the oldest one, whatever `size` is, and returns the size of that one. A call that is
 * refused sets PLX_INVALID_STATE and returns 0. */
PLX_API size_t plx_socket_skip(plx_socket *socket, size_t size);

/* plx_socket_unread puts bytes (copied) before those that are to be read next, whatever the read
 * limit. No event reports them. Returns 0, PLX_OUT_OF_MEMORY or PLX_INVALID_STATE (NULL, UDP,
 * packets). */
PLX_API int plx_socket_unread(plx_socket *socket, const void *data, size_t size);

/* plx_socket_purge drops the bytes that were received and not read. The bytes to send stay
 * queued. */
PLX_API void plx_socket_purge(plx_socket *socket);

/* plx_socket_bytes_available returns how many bytes can be read now, without asking the kernel; for
 * datagrams and packets the size of the oldest one. */
PLX_API size_t plx_socket_bytes_available(const plx_socket *socket);

/* plx_socket_bytes_left_to_send returns how many queued bytes the kernel has not taken, including
 * those of datagrams that wait for the lookup of a name. */
PLX_API size_t plx_socket_bytes_left_to_send(const plx_socket *socket);

/* plx_socket_end_of_file returns whether nothing is left to read and nothing will arrive: the peer
 * has ended, or the socket is unconnected. True for NULL. */
PLX_API bool plx_socket_end_of_file(const plx_socket *socket);

/* ---- the present state ----------------------------------------------------------------------- */

/* plx_socket_handle returns the descriptor; PLX_NO_HANDLE when there is none, as during the lookup
 * of a name and while addresses are tried (but UDP is bound before). The descriptor belongs to the
 * socket: never close it. */
PLX_API plx_handle plx_socket_handle(const plx_socket *socket);

/* plx_socket_state returns the state; PLX_UNCONNECTED for NULL. The state includes what a call
 * changed and no poll has reported yet. */
PLX_API plx_state plx_socket_state(const plx_socket *socket);

/* plx_socket_kind_name returns "TCP", "UDP", "IPC" or "SEQPACKET"; "" for NULL. Static. */
PLX_API const char *plx_socket_kind_name(const plx_socket *socket);

/* plx_socket_reconnects_in returns in how many milliseconds PLX_OPTION_AUTO_CONNECT connects again,
 * 0 when the next poll does so; -1 when the socket does not wait to connect again: because it is
 * open or connecting, or stays unconnected. A program that lives as long as its connection goes on
 * while the state is not UNCONNECTED or this call does not return -1. The result is also right in
 * `error` and `disconnected`. -1 for NULL. */
PLX_API int plx_socket_reconnects_in(const plx_socket *socket);

/* plx_socket_is_connected returns whether the state is CONNECTED or (UDP) BOUND. With
 * PLX_OPTION_HALF_OPEN the state stays CONNECTED when the peer has ended its side. */
PLX_API bool plx_socket_is_connected(const plx_socket *socket);

/* plx_socket_is_listening returns whether the state is LISTENING. */
PLX_API bool plx_socket_is_listening(const plx_socket *socket);

/* plx_socket_local returns the local IP address and port in *ret_address. Returns false, and
 * *ret_address is untouched, when there is no descriptor (see plx_socket_handle), or the address is
 * a Unix path. */
PLX_API bool plx_socket_local(const plx_socket *socket, plx_address *ret_address);

/* plx_socket_remote returns the peer's IP address and port in *ret_address; they stay known after
 * the end, until the next connect, listen, adopt or close. Returns false, and *ret_address is
 * untouched, when there is no peer, or the address is a Unix path. */
PLX_API bool plx_socket_remote(const plx_socket *socket, plx_address *ret_address);

/* plx_socket_local_address returns the local IP address as a string without port, for IPC the path;
 * "" when there is no descriptor. Each call makes the string anew. */
PLX_API const char *plx_socket_local_address(const plx_socket *socket);

/* plx_socket_remote_address returns the peer's IP address as a string without port, for IPC the
 * path, as long as plx_socket_remote would know it; "" when there is no peer. */
PLX_API const char *plx_socket_remote_address(const plx_socket *socket);

/* plx_socket_remote_port returns the peer's port; 0 when plx_socket_remote returns false. */
PLX_API int plx_socket_remote_port(const plx_socket *socket);

/* plx_socket_last_error returns the code of the last error (Xojo's LastErrorCode), 0 when none has
 * occurred since the last connect, listen or adopt. PLX_INVALID_STATE for NULL. */
PLX_API int plx_socket_last_error(const plx_socket *socket);

/* plx_socket_error returns the last error in full. Without an error: code 0, reason NONE, message
 * "". While there is no memory for the message, the error is a PLX_OUT_OF_MEMORY;
 * plx_socket_last_error returns the code even then. Never NULL: for a NULL socket the error is a
 * PLX_INVALID_STATE. The error belongs to the socket and is valid until the next call on the
 * socket. This line prints a message that is gone, because C evaluates arguments in any order:
 *
 *     printf("%d %s", plx_socket_connect(s), plx_socket_error(s)->message); */
PLX_API const plx_error *plx_socket_error(const plx_socket *socket);

/* ---- statistics ------------------------------------------------------------------------------ */

/* The work of a socket since its connection began, or since it was bound. Later versions add
 * members at the end. */
typedef struct plx_statistics {
    uint64_t bytes_received;       /* payload that arrived here, read or not */
    uint64_t bytes_sent;           /* payload that the kernel took */
    uint64_t messages_received;    /* datagrams; 0 for streams, which have none */
    uint64_t messages_sent;        /* datagrams that the kernel took */
    int64_t idle;                  /* ms since a byte moved or the connection began; -1: neither
                                      has happened */
    int64_t round_trip;            /* TCP: smoothed round-trip time in µs (RFC 6298); -1: unknown,
                                      as for a listener and before the first measurement */
    int64_t round_trip_variation;  /* TCP: variation of round_trip in µs; -1: unknown */
    int64_t retransmissions;       /* TCP: segments sent again; -1: unknown */
    int64_t congestion_window;     /* TCP: segments that may be in flight; -1: unknown */
    int64_t messages_dropped;      /* UDP: datagrams that arrived and found no room in the kernel's
                                      buffer (PLX_OPTION_RECEIVE_BUFFER_SIZE), since the socket
                                      opened the descriptor; -1: unknown */
} plx_statistics;

/* plx_socket_statistics returns the statistics of the socket in *ret_statistics. They stay known
 * after the end, except for what only the kernel knows, until the next connect, listen or adopt.
 * Returns false for NULL. plx_socket_statistics_sized writes only the first `size` bytes. */
PLX_API bool plx_socket_statistics_sized(const plx_socket *socket, plx_statistics *ret_statistics,
                                         size_t size);
static inline bool plx_socket_statistics(const plx_socket *socket, plx_statistics *ret_statistics)
{
    return plx_socket_statistics_sized(socket, ret_statistics, sizeof *ret_statistics);
}

PLX_END_DECLS

#endif
