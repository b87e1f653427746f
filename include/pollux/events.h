/* pollux/events.h -- what happens to a socket, and the table of handlers that is told.
 *
 * Handlers are called inside plx_socket_poll, plx_group_poll, plx_server_poll and the wait calls,
 * on the thread that called these, and nowhere else: connect, disconnect, close, abort, write,
 * flush and free never call back. What such a call changed is told by the next poll.
 *
 * One poll tells what happened in this order, each line at most once. What a handler causes that
 * stands above its own line comes in the next poll, and an end of the connection behind it.
 *
 *     told                          when                                         state seen
 *     error                         a call failed since the last poll            unchanged
 *     state_changed HOST_LOOKUP     connect to a name                            HOST_LOOKUP
 *     state_changed CONNECTING      connect has an address                       CONNECTING
 *     state_changed BOUND           a UDP socket was bound                       BOUND
 *     state_changed LISTENING       listen                                       LISTENING
 *     state_changed CONNECTED       the connection works                         CONNECTED
 *     connected                     directly after it                            CONNECTED
 *     data_available                bytes arrived, or were left from last time   CONNECTED
 *     line_available                a whole line is among them                   CONNECTED
 *     message_available             a whole message is first (pollux/message.h)  CONNECTED
 *     end_of_input                  peer ended its side, half-open allowed       CONNECTED
 *     state_changed CLOSING         disconnect; the queue drains                 CLOSING
 *     send_progress                 the system took queued bytes                 CONNECTED, CLOSING
 *     send_complete                 the queue is empty                           CONNECTED, CLOSING
 *     room_available                a write was cut short, there is room again    CONNECTED
 *     state_changed UNCONNECTED     the connection ended, or none came about     UNCONNECTED
 *     error                         why; not if disconnect lost nothing          UNCONNECTED
 *     disconnected                  the last event of a connection               UNCONNECTED
 *
 * - Bytes that arrive while CLOSING are told as well, and the datagrams of a BOUND socket.
 * - A connection that failed to come about ends in `error`; nothing follows it.
 * - `connected` is reported in state CONNECTED or not at all: not where the connection was
 *   disconnected, or was over, before its turn. `disconnected` comes all the same.
 * - `disconnected` comes exactly once for a connection that was told by `connected`, unless close,
 *   abort or free ended it (these are silent), or connect, listen or adopt was called in `error`,
 *   which takes it back.
 * - In the `error` that ended a connection the socket is usable again: connect works there, always.
 *   Bytes that had arrived before the end are still readable there and afterwards.
 * - A call that supersedes an event not told yet takes it back: close, abort, free, a new connect.
 *
 *      UNCONNECTED --> HOST_LOOKUP --> CONNECTING --> CONNECTED --> CLOSING --> UNCONNECTED
 *           |                                             ^
 *           +--> LISTENING (becomes its one peer) --------+
 *           +--> BOUND (UDP; with a peer CONNECTED)
 */
#ifndef POLLUX_EVENTS_H
#define POLLUX_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/error.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* A socket of any kind. Opaque; made by plx_tcp_new, plx_udp_new, plx_ipc_new, plx_seqpacket_new. */
typedef struct plx_socket plx_socket;

/* The state of a socket. */
typedef enum plx_state {
    PLX_UNCONNECTED = 0, /* nothing is open; bytes received earlier may still be readable */
    PLX_HOST_LOOKUP,     /* the host name is being looked up */
    PLX_CONNECTING,      /* an address is known, and no connection made (or told) yet */
    PLX_CONNECTED,       /* a connection; UDP: bound, with one peer */
    PLX_BOUND,           /* UDP: can send to and receive from anyone */
    PLX_LISTENING,       /* waits for a peer */
    PLX_CLOSING          /* disconnect was called; what is queued is still being sent */
} plx_state;

/* plx_state_name returns the name of a state, such as "Connected" or "HostLookup", and "unknown" for
 * a number that is none. Never NULL; static. */
PLX_API const char *plx_state_name(plx_state state);

/* Handlers, as a table. Make it static const: it is borrowed, not copied, and must live as long as
 * it is set. Handlers that are NULL are skipped. `user` is what was given with the table. In C name
 * the members (`.connected = ...`): later versions add members at the end.
 * A handler may do anything to any socket, server or group, and free the one that called it, which
 * stays valid until the handler has returned. A poll of the same socket inside a handler does
 * nothing and returns false; a wait inside one moves bytes and tells nobody. */
typedef struct plx_events {
    /* connected: the connection works. UDP: a peer was set. Not told for a bound UDP socket. */
    void (*connected)(plx_socket *socket, void *user);

    /* data_available: bytes (UDP: datagrams) arrived. Comes once in a poll in which some were
     * added, and again in the next poll while the handler took some of them but not all. A handler
     * that takes nothing waits for more and is told when more arrives. */
    void (*data_available)(plx_socket *socket, void *user);

    /* send_progress: `sent` bytes went to the system since the last one, `left` are queued still.
     * Return true to drop those that are left; then send_complete comes with user_aborted true. */
    bool (*send_progress)(plx_socket *socket, size_t sent, size_t left, void *user);

    /* send_complete: the queue is empty, because all of it was sent or because send_progress
     * dropped the rest (user_aborted; never for UDP). Comes after a last send_progress. */
    void (*send_complete)(plx_socket *socket, bool user_aborted, void *user);

    /* error: a call failed, or the connection ended or never came about. Each is told once; that
     * datagrams do not reach somebody is told once until they do (pollux/udp.h). `error`
     * is borrowed and valid until the handler returns. At most two can be due: the first call that
     * failed since the last poll, and the end of the connection. An orderly end by the peer is
     * PLX_LOST_CONNECTION with reason REMOTE_HOST_CLOSED. No errors are: -1 of a read at the end, a
     * limit that was reached, a wait that timed out. */
    void (*error)(plx_socket *socket, const plx_error *error, void *user);

    /* end_of_input: the peer will send nothing more, and PLX_OPTION_HALF_OPEN is set: the socket
     * stays connected for writing until disconnect or close. */
    void (*end_of_input)(plx_socket *socket, void *user);

    /* disconnected: the connection has ended. The last event of a connection. */
    void (*disconnected)(plx_socket *socket, void *user);

    /* state_changed: the socket is in another state now, for those who show it. close, abort and
     * free change the state without it. */
    void (*state_changed)(plx_socket *socket, plx_state state, void *user);

    /* line_available: plx_socket_can_read_line has become true, or is still after lines were taken.
     * Comes after data_available and only if that left a line. */
    void (*line_available)(plx_socket *socket, void *user);

    /* room_available: a write took fewer bytes than it was given because of PLX_OPTION_WRITE_LIMIT
     * (UDP: was answered EAGAIN), and now half of the limit is free again: write the rest. Also after a
     * write of which the system took a part and for whose rest there was no memory. */
    void (*room_available)(plx_socket *socket, void *user);

    /* message_available: plx_socket_can_read_message has become true, or is still after messages
     * were taken. Comes after data_available and line_available and only if they left one. Take all
     * that there are: one call may stand for many messages. */
    void (*message_available)(plx_socket *socket, void *user);
} plx_events;

PLX_END_DECLS

#endif
