/* pollux/socket.h -- what a socket of any kind can do.
 *
 * The life of a socket: new, set properties, options and events, then connect or listen, then poll
 * until it ends; then connect again or free. A socket that has ended is as good as new, but for its
 * properties, options, handlers and unread bytes, which it keeps. */
#ifndef POLLUX_SOCKET_H
#define POLLUX_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pollux/address.h>
#include <pollux/error.h>
#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* ---- the object ------------------------------------------------------------------------------ */

/* plx_socket_free ends the socket as plx_socket_close does and frees it; it leaves its group and
 * its server by itself. Silent. Allowed in any handler. In a handler of this socket the socket and
 * what it lent out stay valid until that handler has returned; elsewhere both are gone at once. Takes
 * NULL; returns NULL. */
PLX_API plx_socket *plx_socket_free(plx_socket *socket);

/* plx_socket_set_events sets the handlers, and the `user` that they are given. It borrows the
 * table, which must live until another one is set or the socket is freed; NULL sets none. Called in
 * a handler it holds from the next event on. Best set before connect or listen.
 * plx_socket_set_events_sized is the same for other languages, which state how large their plx_events
 * is: handlers beyond `size` bytes count as NULL, so a program may be older than the library. The
 * inline calls of these headers have no symbol; each has one with _sized that does. */
PLX_API void plx_socket_set_events_sized(plx_socket *socket, const plx_events *events, size_t size,
                                         void *user);
static inline void plx_socket_set_events(plx_socket *socket, const plx_events *events, void *user)
{
    plx_socket_set_events_sized(socket, events, sizeof *events, user);
}

/* plx_socket_set_user replaces the `user` that handlers are given. The library never uses it. */
PLX_API void plx_socket_set_user(plx_socket *socket, void *user);

/* plx_socket_user returns the `user` that was set last; NULL when none was. */
PLX_API void *plx_socket_user(const plx_socket *socket);

/* ---- properties: set before connect or listen, kept by close --------------------------------- */

/* plx_socket_set_address sets the host name or IP address to connect to, which is copied; NULL and
 * "" mean none. It is looked at by connect. Changing it while open holds for the next connect.
 * A name is UTF-8: letters beyond ASCII are looked up in their ASCII form (IDNA2008), which needs a
 * library built with libidn2. What looks like an IPv4 address and is none ("127.1", "0177.0.0.1") is
 * no name: connect refuses it, and no name server is asked.
 * Returns 0, PLX_OUT_OF_MEMORY, or PLX_INVALID_STATE for a socket that has a path instead (IPC),
 * unless it is none. */
PLX_API int plx_socket_set_address(plx_socket *socket, const char *host);

/* plx_socket_address returns the address as set, "" when none is. For the peer's address in numbers
 * see plx_socket_remote_address. */
PLX_API const char *plx_socket_address(const plx_socket *socket);

/* plx_socket_set_port sets the port to connect to, listen at or (UDP) bind to. 0 lets the system
 * choose where one listens or binds, and is no port to connect to. Returns 0, or PLX_INVALID_PORT
 * (reason PORT_OUT_OF_RANGE) for a port that is not 0 to 65535, or PLX_INVALID_STATE for a socket
 * that has a path instead, unless it is 0; unless 0, nothing changed. */
PLX_API int plx_socket_set_port(plx_socket *socket, int port);

/* plx_socket_port returns the local port really bound while the socket is open, else as set. */
PLX_API int plx_socket_port(const plx_socket *socket);

/* plx_socket_set_path sets the path or "@name" of an IPC socket, which is copied; see pollux/ipc.h.
 * NULL and "" mean none. Returns 0, ENAMETOOLONG (reason ADDRESS_NOT_AVAILABLE), PLX_OUT_OF_MEMORY,
 * or PLX_INVALID_STATE for another kind, unless it is none; unless 0, nothing changed. */
PLX_API int plx_socket_set_path(plx_socket *socket, const char *path);

/* plx_socket_path returns the path as set; "" when none is, and for other kinds. */
PLX_API const char *plx_socket_path(const plx_socket *socket);

/* plx_socket_set_interface sets the local IP address, or the name of the interface, to bind to; it
 * is copied. NULL and "" mean any. Names and addresses are those of plx_interface_list; a link-local
 * address needs no scope here. It is looked at by connect and listen.
 * TCP binds to an address: a name, or the label of an address, stands for the address of it that
 * fits the peer, and where several do for the first; a listener prefers those that are not
 * link-local. UDP binds to the device that has the name or the label, and hears broadcasts and
 * groups there; bound to an address it misses both. Returns 0, PLX_OUT_OF_MEMORY, or
 * PLX_INVALID_STATE for a socket that has a path instead, unless it is none. */
PLX_API int plx_socket_set_interface(plx_socket *socket, const char *name_or_address);

/* ---- starting and ending --------------------------------------------------------------------- */

/* plx_socket_connect starts connecting to the address and port, or the path, and returns at once.
 * UDP: binds to the port instead, and refuses when an address was set (PLX_INVALID_STATE). Both
 * buffers are emptied, the last error is cleared; bytes written from now on are sent when the
 * connection works. The state is HOST_LOOKUP or CONNECTING until a poll tells `connected`, also
 * when the system connected at once; and a failure of the network comes as `error` from a poll.
 * Returns errors of the call only: PLX_INVALID_STATE when it is not unconnected or has no path,
 * PLX_NAME_RESOLUTION with reason EMPTY_HOST_NAME, PLX_INVALID_PORT. */
PLX_API int plx_socket_connect(plx_socket *socket);

/* plx_socket_listen waits at the port, or the path, for one peer and becomes the connection to it:
 * LISTENING, then CONNECTED; the listener is closed then, so others are refused. For many peers see
 * pollux/server.h. Returns 0 or at once why it cannot, such as PLX_ADDRESS_IN_USE, PLX_INVALID_PORT
 * (a reserved port) or PLX_INVALID_STATE (open already, UDP); `error` tells the same. */
PLX_API int plx_socket_listen(plx_socket *socket);

/* plx_socket_connect_to sets what `where` says and connects. `where` is "host:port" or "[::1]:80",
 * for IPC "/path", "path" or "@name". UDP: leaves the port and address properties alone, binds if
 * that was not done, and takes this one peer.
 * Returns as connect does, and PLX_INVALID_PORT for a port that is missing or bad,
 * PLX_NAME_RESOLUTION for a missing host and for one that can be no name (see
 * plx_socket_set_address), PLX_INVALID_STATE for any other nonsense. */
PLX_API int plx_socket_connect_to(plx_socket *socket, const char *where);

/* plx_socket_connect_to_address sets the address and the port to those of an IP address, and connects
 * as connect_to does, for TCP and UDP: to an address of plx_socket_remote at another port, to one that
 * a datagram came from, and with the scope of a link-local one. The address is copied. Returns as
 * connect_to does: PLX_INVALID_STATE for NULL, for one that is none and for a socket that has a path
 * instead, PLX_INVALID_PORT for port 0. */
PLX_API int plx_socket_connect_to_address(plx_socket *socket, const plx_address *address);

/* plx_socket_listen_on sets what `where` says and listens. `where` is as for connect_to; the host
 * is an address of this computer, and ":80" is all of them in both families. Returns as listen
 * does. */
PLX_API int plx_socket_listen_on(plx_socket *socket, const char *where);

/* plx_socket_adopt makes a descriptor that is connected, listening or (UDP) bound already the socket's
 * own. It sees what it is, and makes it non-blocking and close-on-exec. Both buffers are emptied,
 * the last error is cleared; events come as if connect or listen had been called. Returns 0, and
 * closing it is then up to the socket; or PLX_INVALID_STATE (not unconnected, or a descriptor of
 * another kind) or the system's error, and it remains yours. */
PLX_API int plx_socket_adopt(plx_socket *socket, int descriptor);

/* plx_socket_adopt_activated adopts a descriptor that a service manager opened for this process and
 * passed under that name (systemd's socket activation, sd_listen_fds(3)); NULL takes the first that
 * fits the kind. Each is taken once. Returns as adopt does, and PLX_INVALID_STATE when there is
 * none. */
PLX_API int plx_socket_adopt_activated(plx_socket *socket, const char *name);

/* plx_socket_disconnect ends the connection in an orderly way. Writing is refused from now on;
 * polls send what is queued, then tell the peer that this was all, and read on (what arrives stays
 * readable, up to the read limit or 256 KiB) until everything is acknowledged, the peer has ended
 * too, or PLX_OPTION_LINGER_TIMEOUT is over. Then `disconnected`; before it `error` only if bytes
 * were lost. While still connecting: with bytes queued it connects and sends them first, with none
 * it is cancelled at once, silently. LISTENING or BOUND: flush and close. UDP with its peer: flush,
 * and BOUND as before. While PLX_OPTION_AUTO_CONNECT waits: it ends that, and what is still to be
 * reported of the connection before comes all the same. Returns 0 (also when it is CLOSING already),
 * or PLX_INVALID_STATE when it is UNCONNECTED. */
PLX_API int plx_socket_disconnect(plx_socket *socket);

/* plx_socket_close ends everything at once and silently: takes in what the system has received,
 * sends what the system takes now, drops the rest. Nothing is told, events that were due are taken
 * back, the state is UNCONNECTED. Kept: properties (port, address, path, interface), options,
 * handlers, last error, and bytes received, which stay readable. A reply that must arrive needs
 * disconnect. Harmless on an unconnected socket and on NULL. */
PLX_API void plx_socket_close(plx_socket *socket);

/* plx_socket_abort ends everything at once and silently as close does, and drops both buffers.
 * The peer of a TCP connection sees a reset, so that it can tell; a Unix socket can show only an
 * end. */
PLX_API void plx_socket_abort(plx_socket *socket);

/* ---- polling and waiting: the calls that call back ------------------------------------------- */

/* plx_socket_poll makes one pass: receives, tells the handlers what happened, then sends, so that
 * what a handler wrote leaves in the same poll. Never blocks. It does 256 KiB of work at most.
 * Returns true when work is left, so poll again soon. False in a handler of this socket, where it
 * does nothing, and for NULL. On the member of a group it serves that member alone. */
PLX_API bool plx_socket_poll(plx_socket *socket);

/* plx_socket_wait sleeps until there is something for the socket to do, but no longer than
 * `timeout_ms` (-1 for ever, 0 not at all), then polls. Returns false when the time was over, and
 * at once when nothing can come (unconnected). Signal handlers do not end it. */
PLX_API bool plx_socket_wait(plx_socket *socket, int timeout_ms);

/* plx_socket_wait_for_connected polls and sleeps until the state is CONNECTED (UDP: or BOUND).
 * Returns whether it is; false when the time was over or the connection failed. For this and the
 * next three: -1 is for ever. They call handlers, but when called inside a handler of the same
 * socket they move bytes and tell nobody: look at bytes_available; events that are still true come
 * when the handler has returned. They return false at once when nothing more can come. */
PLX_API bool plx_socket_wait_for_connected(plx_socket *socket, int timeout_ms);

/* plx_socket_wait_for_data polls and sleeps until bytes arrive. True at once for bytes that came
 * since the last read or lookahead; false when the time was over or none can come any more. */
PLX_API bool plx_socket_wait_for_data(plx_socket *socket, int timeout_ms);

/* plx_socket_wait_for_sent polls and sleeps until the kernel has taken all that was written: true,
 * too, when disconnect has ended the connection meanwhile and nothing was lost. False when the time
 * was over, or the connection ended or failed first. */
PLX_API bool plx_socket_wait_for_sent(plx_socket *socket, int timeout_ms);

/* plx_socket_wait_for_disconnected polls and sleeps until the state is UNCONNECTED; true at once
 * when it is. It does not end the connection: call disconnect first, or let the peer do so. */
PLX_API bool plx_socket_wait_for_disconnected(plx_socket *socket, int timeout_ms);

/* ---- bytes ----------------------------------------------------------------------------------- */
/* These never block and never call back. A UDP socket with a peer writes and reads one datagram at
 * a time; without a peer they are refused with PLX_INVALID_STATE, see pollux/udp.h. A socket of packets
 * writes and reads one of them, see pollux/seqpacket.h. */

/* plx_socket_write queues bytes (copied) to be sent by the next poll or flush; 16 KiB or more into
 * an empty queue may leave at once. `data` may be what read_all or lookahead of this socket
 * returned. Returns how many bytes were taken, fewer than `size` when PLX_OPTION_WRITE_LIMIT is
 * reached; 0 for size 0. -1 with last_error: PLX_INVALID_STATE when unconnected, listening or after
 * disconnect, or for NULL data; PLX_OUT_OF_MEMORY. While still connecting bytes, packets and
 * datagrams are queued, and dropped if that fails. A failure to send shows in the next poll. */
PLX_API ptrdiff_t plx_socket_write(plx_socket *socket, const void *data, size_t size);

/* plx_socket_write_text is plx_socket_write of a text without its zero byte. Returns as that does, and
 * -1 with PLX_INVALID_STATE for NULL. */
PLX_API ptrdiff_t plx_socket_write_text(plx_socket *socket, const char *text);

/* plx_socket_flush sends now what is queued, as much as the system takes. Returns 0, also when some
 * is left or the queue is empty; a failure to send is told by the next poll. PLX_INVALID_STATE for
 * NULL. */
PLX_API int plx_socket_flush(plx_socket *socket);

/* plx_socket_read takes up to `size` bytes out of what was received. Returns how many; 0 when there
 * is nothing now; -1 when there is nothing and nothing will come (unconnected), which is no error.
 * An empty datagram or packet is 0, too: plx_socket_read_message returns NULL for none only.
 * NULL data with a size: -1, PLX_INVALID_STATE. */
PLX_API ptrdiff_t plx_socket_read(plx_socket *socket, void *data, size_t size);

/* plx_socket_read_exact takes `size` bytes or none: returns `size`, or 0 while fewer have arrived,
 * or -1 once so many cannot come any more (what has come stays readable). A size over
 * PLX_OPTION_READ_LIMIT lifts the limit to it. */
PLX_API ptrdiff_t plx_socket_read_exact(plx_socket *socket, void *data, size_t size);

/* plx_socket_read_all takes everything that was received and returns where it is, without copying;
 * *ret_size is how much, 0 when nothing. Never NULL but for a NULL socket; ret_size may be NULL.
 * The bytes belong to the socket. They are valid until the next poll or wait that serves this
 * socket (its group's and its server's too), or the next read of any sort, skip, unread, purge,
 * connect, listen, adopt, close, abort or free of it. write and lookahead leave them valid. */
PLX_API const void *plx_socket_read_all(plx_socket *socket, size_t *ret_size);

/* plx_socket_lookahead returns the same as read_all would, valid as long, and leaves it to be read:
 * for looking whether a whole message has arrived. Then skip or read as much as was used. */
PLX_API const void *plx_socket_lookahead(plx_socket *socket, size_t *ret_size);

/* plx_socket_read_line takes one line with its "\n" into `line` and ends it by a zero byte. Returns
 * its length without the zero; 0 while no whole line has arrived; -1 at the end. A line that does
 * not fit into `size` - 1 bytes or below PLX_OPTION_READ_LIMIT comes in pieces, and so does the
 * last one without "\n" once the peer has ended: a line was whole if it ends in "\n". A "\r" before
 * it is left in place. Zero bytes in a line count like others. `size` below 2: -1,
 * PLX_INVALID_STATE. */
PLX_API ptrdiff_t plx_socket_read_line(plx_socket *socket, char *line, size_t size);

/* plx_socket_can_read_line returns whether read_line would give something if `size` is enough. */
PLX_API bool plx_socket_can_read_line(const plx_socket *socket);

/* plx_socket_skip takes up to `size` received bytes and drops them; returns how many. Of datagrams
 * and packets it drops the oldest, whatever `size` is, and returns how large that was. */
PLX_API size_t plx_socket_skip(plx_socket *socket, size_t size);

/* plx_socket_unread puts bytes (copied) before those that are to be read next, whatever the read
 * limit. No event tells of them. Returns 0, PLX_OUT_OF_MEMORY or PLX_INVALID_STATE (NULL, UDP,
 * packets). */
PLX_API int plx_socket_unread(plx_socket *socket, const void *data, size_t size);

/* plx_socket_purge drops the bytes received and not read, and nothing of what is to be sent. */
PLX_API void plx_socket_purge(plx_socket *socket);

/* plx_socket_bytes_available returns how many bytes can be read now, without asking the kernel; of
 * datagrams and packets the size of the oldest one. */
PLX_API size_t plx_socket_bytes_available(const plx_socket *socket);

/* plx_socket_bytes_left_to_send returns how many bytes are queued that the kernel has not taken; those
 * of datagrams that wait until a name is looked up, too. */
PLX_API size_t plx_socket_bytes_left_to_send(const plx_socket *socket);

/* plx_socket_end_of_file returns whether nothing is left to read and nothing will come: the peer
 * has ended, or the socket is unconnected. True for NULL. */
PLX_API bool plx_socket_end_of_file(const plx_socket *socket);

/* ---- what it is now -------------------------------------------------------------------------- */

/* plx_socket_handle returns the descriptor, or -1 when there is none (also while a name is looked
 * up and addresses are tried, but UDP is bound before). It belongs to the socket: never close it. */
PLX_API int plx_socket_handle(const plx_socket *socket);

/* plx_socket_state returns the state; PLX_UNCONNECTED for NULL. What a call changed and a poll has
 * not told yet shows here already. */
PLX_API plx_state plx_socket_state(const plx_socket *socket);

/* plx_socket_reconnects_in returns after how many milliseconds PLX_OPTION_AUTO_CONNECT connects
 * again, 0 when that is due in the next poll; -1 when the socket does not wait to connect again:
 * because it is open or connecting, or stays unconnected. A program that lives as long as its
 * connection goes on while the state is not UNCONNECTED or this is not -1. Right in `error` and
 * `disconnected`, too. -1 for NULL. */
PLX_API int plx_socket_reconnects_in(const plx_socket *socket);

/* plx_socket_is_connected returns whether the state is CONNECTED or (UDP) BOUND. With
 * PLX_OPTION_HALF_OPEN that is so, too, when the peer has ended its side. */
PLX_API bool plx_socket_is_connected(const plx_socket *socket);

/* plx_socket_is_listening returns whether the state is LISTENING. */
PLX_API bool plx_socket_is_listening(const plx_socket *socket);

/* plx_socket_local gives the local IP address and port. False, and *ret_address untouched: there is
 * no descriptor (see plx_socket_handle), or a Unix path. */
PLX_API bool plx_socket_local(const plx_socket *socket, plx_address *ret_address);

/* plx_socket_remote tells the peer's IP address and port; they stay known after the end, until
 * the next connect, listen, adopt or close. False, and *ret_address untouched: no peer, or a
 * Unix path. */
PLX_API bool plx_socket_remote(const plx_socket *socket, plx_address *ret_address);

/* plx_socket_local_address returns the local IP address as a string without port, IPC the path; ""
 * when there is no descriptor. The string is made when it is asked for. */
PLX_API const char *plx_socket_local_address(const plx_socket *socket);

/* plx_socket_remote_address returns the peer's IP address as a string without port, IPC the path, as
 * long as plx_socket_remote would know it; "" when there is no peer. */
PLX_API const char *plx_socket_remote_address(const plx_socket *socket);

/* plx_socket_remote_port returns the peer's port; 0 when plx_socket_remote has none. */
PLX_API int plx_socket_remote_port(const plx_socket *socket);

/* plx_socket_last_error returns the code of the last error (Xojo's LastErrorCode), 0 when there was
 * none since the last connect, listen or adopt. PLX_INVALID_STATE for NULL. */
PLX_API int plx_socket_last_error(const plx_socket *socket);

/* plx_socket_error returns the last error in full. Without one: code 0, reason NONE, message "". It
 * belongs to the socket and is valid until the next call on the socket: printf("%d %s",
 * plx_socket_connect(s), plx_socket_error(s)->message) prints a message that is gone, for C evaluates
 * arguments in any order. While there is no memory to make it, it is a PLX_OUT_OF_MEMORY;
 * plx_socket_last_error knows the code even then. Never NULL: for a NULL socket it is a
 * PLX_INVALID_STATE. */
PLX_API const plx_error *plx_socket_error(const plx_socket *socket);

/* ---- statistics ------------------------------------------------------------------------------ */

/* What a socket has done since its connection began, or since it was bound. Grows at its end. */
typedef struct plx_statistics {
    uint64_t bytes_received;       /* payload that arrived here, read or not */
    uint64_t bytes_sent;           /* payload that the system took */
    uint64_t messages_received;    /* datagrams; 0 for streams, which have none */
    uint64_t messages_sent;        /* datagrams that the system took */
    int64_t idle;                  /* ms since a byte moved or the connection began; -1: neither
                                      has happened */
    int64_t round_trip;            /* TCP: smoothed round-trip time in µs (RFC 6298); -1: unknown,
                                      as of a listener and before the first measurement */
    int64_t round_trip_variation;  /* TCP: its variation in µs; -1: unknown */
    int64_t retransmissions;       /* TCP: segments sent again; -1: unknown */
    int64_t congestion_window;     /* TCP: segments that may be under way; -1: unknown */
    int64_t messages_dropped;      /* UDP: datagrams that came and that the system had no room for,
                                      PLX_OPTION_RECEIVE_BUFFER_SIZE, since it opened the
                                      descriptor; -1: unknown */
} plx_statistics;

/* plx_socket_statistics tells what the socket has done. They stay after the end, but for what only
 * the system knows, until the next connect, listen or adopt. False for NULL.
 * plx_socket_statistics_sized writes the first `size` bytes of them only. */
PLX_API bool plx_socket_statistics_sized(const plx_socket *socket, plx_statistics *ret_statistics,
                                         size_t size);
static inline bool plx_socket_statistics(const plx_socket *socket, plx_statistics *ret_statistics)
{
    return plx_socket_statistics_sized(socket, ret_statistics, sizeof *ret_statistics);
}

/* ---- options --------------------------------------------------------------------------------- */

/* Options are remembered and applied when the descriptor appears; while one is open at once. Sizes
 * are bytes, switches are 0 and 1. Defaults in brackets; where none is given it is 0, which for
 * what the system keeps (the first eight but LOW_DELAY) means: as the system has it. */
typedef enum plx_option {
    PLX_OPTION_KEEP_ALIVE,          /* TCP: probe a silent peer (tcp(7)) */
    PLX_OPTION_KEEP_ALIVE_IDLE,     /* TCP: seconds of silence before the first probe */
    PLX_OPTION_KEEP_ALIVE_INTERVAL, /* TCP: seconds between two probes */
    PLX_OPTION_KEEP_ALIVE_COUNT,    /* TCP: probes without answer that end the connection */
    PLX_OPTION_LOW_DELAY,           /* TCP: small packets leave at once, TCP_NODELAY [1] */
    PLX_OPTION_TYPE_OF_SERVICE,     /* TCP, UDP: 0 to 255, the byte in the IP header (ip(7)); of TCP's
                                       the kernel keeps the two lowest bits for itself */
    PLX_OPTION_SEND_BUFFER_SIZE,    /* the system's buffer; Linux reserves twice that (socket(7)) */
    PLX_OPTION_RECEIVE_BUFFER_SIZE, /* the system's buffer */
    PLX_OPTION_PATH_MTU,            /* TCP, UDP: while open reads the largest packet of the way to
                                       the peer, in bytes; 0: no peer, or not known yet. 1280 to
                                       65535 sets how large fragments of this socket's datagrams
                                       over IPv6 are at most (IPV6_MTU, ipv6(7)), nothing else:
                                       IPv4 has no such thing, an open IPv4 socket refuses it with
                                       ENOPROTOOPT, and what was set before has no effect there */
    PLX_OPTION_PROTOCOL,            /* TCP, UDP: 0 IPv4 only, 1 IPv6 only, 2 any [2] */
    PLX_OPTION_READ_LIMIT,          /* received bytes the library holds; then it stops reading and
                                       the peer feels it; 0 is no limit */
    PLX_OPTION_WRITE_LIMIT,         /* queued bytes the library holds; then write takes fewer; 0 is
                                       no limit */
    PLX_OPTION_CONNECT_TIMEOUT,     /* ms for connect with its look-up; 0 is none [30000] */
    PLX_OPTION_LINGER_TIMEOUT,      /* ms to send what is queued at the end; 0 is none [30000] */
    PLX_OPTION_IDLE_TIMEOUT,        /* ms without a byte either way that end a connection, with
                                       ETIMEDOUT, reason SOCKET_TIMEOUT; 0 is none. What TCP sends
                                       counts once the peer has acknowledged it: a peer that
                                       vanishes while something is being sent is noticed after
                                       once to twice the time, however much is written. IPC and UDP
                                       have no acknowledgements: there what the kernel took counts,
                                       which for IPC is in the peer's queue, and for UDP says
                                       nothing about a peer that is only sent to */
    PLX_OPTION_HALF_OPEN,           /* switch: when the peer ends its side, `end_of_input` comes and
                                       writing goes on; else the connection ends */
    PLX_OPTION_AUTO_CONNECT,        /* TCP, IPC, packets, switch: a connection made by connect that
                                       failed or was lost is tried again after 100 ms, doubled up to
                                       30 s, a quarter more or less, until disconnect, close, abort
                                       or 0. `error` reports each failure; unread bytes go when the
                                       next attempt begins. Until then the state is UNCONNECTED, and
                                       plx_socket_reconnects_in says when */
    PLX_OPTION_ROUTER_HOPS,         /* UDP: routers a datagram may pass, 1 to 255 [32] */
    PLX_OPTION_SEND_TO_SELF,        /* UDP, switch: multicast comes back to this computer */
    PLX_OPTION_BROADCAST,           /* UDP, switch: sending to broadcast addresses is allowed [1] */
    PLX_OPTION_SHARE_ADDRESS,       /* TCP, UDP, switch: several sockets may be bound to one port */
    PLX_OPTION_MODE,                /* IPC, packets: permissions of the file, such as 0600; not for
                                       abstract names; 0 is what the umask leaves */
    PLX_OPTION_RECEIVE_HANDLES, /* IPC: take descriptors (pollux/ipc.h); off: the system drops them */
    PLX_OPTION_UNACKNOWLEDGED_TIMEOUT /* TCP: ms that sent bytes may stay unacknowledged; then the
                                       connection ends with 102, ETIMEDOUT, reason SOCKET_TIMEOUT.
                                       Counts too while the peer lives and takes nothing more, and
                                       for an attempt to connect. 0: the kernel's limit, some 15
                                       minutes (TCP_USER_TIMEOUT, tcp(7)). Refused with
                                       ENOPROTOOPT where the kernel has no such thing */
} plx_option;

/* plx_socket_set_option sets an option. Returns 0, or PLX_INVALID_STATE with reason
 * UNSUPPORTED_OPERATION for an option that is unknown, not for this kind or out of range, or the
 * system's error; unless 0, nothing changed. */
PLX_API int plx_socket_set_option(plx_socket *socket, plx_option option, int value);

/* plx_socket_option returns an option's value as it was set, or its default; while the socket is open
 * what the system keeps is read from the system (but SHARE_ADDRESS), which may have rounded it. -1
 * when it is unknown or not for this kind. */
PLX_API int plx_socket_option(const plx_socket *socket, plx_option option);

PLX_END_DECLS

#endif
