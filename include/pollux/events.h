/* pollux/events.h -- the states and events of a socket, and the table of its handlers.
 *
 * The library calls handlers inside plx_socket_poll, plx_group_poll, plx_server_poll and the wait
 * calls, on the thread that made the call, and nowhere else: connect, disconnect, close, abort,
 * write, flush and free call no handler. The next poll reports what such a call changed.
 *
 * One poll reports events in the order of this table, each line at most once. If a handler causes
 * an event that is listed above its own line, the next poll reports that event; the end of the
 * connection then waits for the next poll, too.
 *
 *     event                       when                                         state seen
 *     error                       a call failed since the last poll            unchanged
 *     state_changed HOST_LOOKUP   connect to a name                            HOST_LOOKUP
 *     state_changed CONNECTING    connect has an address                       CONNECTING
 *     state_changed BOUND         a UDP socket was bound                       BOUND
 *     state_changed LISTENING     listen                                       LISTENING
 *     state_changed CONNECTED     the connection works                         CONNECTED
 *     connected                   directly after it                            CONNECTED
 *     encrypted                   a filter encrypts from now on                CONNECTED
 *     data_available              bytes arrived, or were left from last time   CONNECTED
 *     line_available              a whole line is among them                   CONNECTED
 *     message_available           a whole message is first (pollux/message.h)  CONNECTED
 *     command_received            a command is first (pollux/command.h)        CONNECTED
 *     end_of_input                peer ended its side, half-open allowed       CONNECTED
 *     state_changed CLOSING       disconnect; the queue drains                 CLOSING
 *     send_progress               the kernel took queued bytes                 CONNECTED, CLOSING
 *     send_complete               the queue is empty                           CONNECTED, CLOSING
 *     room_available              a write was cut short, there is room again   CONNECTED, or before
 *     state_changed UNCONNECTED   the connection ended, or connect failed      UNCONNECTED
 *     error                       why; not if disconnect lost nothing          UNCONNECTED
 *     disconnected                the last event of a connection               UNCONNECTED
 *
 * - A poll also reports bytes that arrive in state CLOSING and the datagrams of a BOUND socket.
 * - A connect that fails ends in `error`; no event follows.
 * - A connection that was accepted or adopted is CONNECTING first if the socket has filters
 *   (pollux/filter.h), until they are established.
 * - state_changed, `connected` and `encrypted` are reported in the state of their line or not at all:
 *   they are omitted when the socket has left that state before their turn. `disconnected` is reported all
 *   the same. A UDP socket that has looked up its peer is CONNECTED at once: CONNECTING is omitted.
 * - `disconnected` is reported exactly once for each connection that reported `connected`, and for
 *   each client that a server reported by `accepted`, unless close, abort or free ended the
 *   connection (these three are silent), or the program called connect, listen or adopt in the
 *   `error` before, which cancels `disconnected`.
 * - In the `error` that ends a connection the socket can already be used again: connect always
 *   works there. Bytes that arrived before the end are still readable, in that handler and
 *   afterwards.
 * - close, abort, free and a new connect cancel the events that no poll has reported yet;
 *   disconnect cancels end_of_input and room_available.
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
#include <stdint.h>

#include <pollux/error.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* A socket of any kind. Opaque; plx_tcp_new, plx_udp_new, plx_ipc_new and plx_seqpacket_new make
 * one. */
typedef struct plx_socket plx_socket;

/* The state of a socket. */
typedef enum plx_state {
    PLX_UNCONNECTED = 0, /* nothing is open; bytes received earlier may still be readable */
    PLX_HOST_LOOKUP,     /* the host name is being looked up */
    PLX_CONNECTING,      /* an address is known, or filters are being established */
    PLX_CONNECTED,       /* a connection; UDP: bound, with one peer */
    PLX_BOUND,           /* UDP: sends to and receives from any address */
    PLX_LISTENING,       /* waits for a peer */
    PLX_CLOSING          /* disconnect was called; the queue is still being sent */
} plx_state;

/* plx_state_name returns the name of a state, such as "Connected" or "HostLookup", and "unknown"
 * for a number that is not a state. Never NULL; static. */
PLX_API const char *plx_state_name(plx_state state);

/* Handlers, as a table. Make the table static const: the library borrows it, does not copy it, and
 * needs it as long as it is set. A handler that is NULL is not called. `user` is the pointer that
 * was set with the table. In C name the members (`.connected = ...`): later versions add members at
 * the end.
 * A handler may make any call on any socket, server or group, and may free the object that called
 * the handler; that object stays valid until the handler has returned. A poll of the same socket
 * inside a handler does nothing and returns false; a wait inside a handler moves bytes and calls no
 * handler. */
typedef struct plx_events {
    /* connected: the connection works. UDP: a peer was set. Not called for a bound UDP socket. */
    void (*connected)(plx_socket *socket, void *user);

    /* data_available: bytes (UDP: datagrams) arrived. Called once in a poll that received some, and
     * again in the next poll if the handler took a part of them. If the handler takes nothing, the
     * next call follows when more arrives. The end of the connection ends the calls, also those of
     * line_available and message_available: read what is left in `disconnected`. */
    void (*data_available)(plx_socket *socket, void *user);

    /* send_progress: the kernel took `sent` bytes since the last call, and `left` bytes are still
     * queued. Return true to drop the bytes that are left; send_complete then follows with
     * user_aborted true. Bytes that a filter has seen are sent all the same, up to 256 KiB. */
    bool (*send_progress)(plx_socket *socket, size_t sent, size_t left, void *user);

    /* send_complete: the queue is empty, because all of it was sent or because send_progress
     * dropped the rest (user_aborted; never for UDP). Called after the last send_progress. */
    void (*send_complete)(plx_socket *socket, bool user_aborted, void *user);

    /* error: a call failed, the connection ended, or connect failed. Each failure is reported once;
     * a failure to reach the receiver of datagrams is reported once until they reach it again
     * (pollux/udp.h). `error` is borrowed and valid until the handler returns. At most two errors
     * can be due: that of the first call that failed since the last poll, and that of the end of
     * the connection. An orderly end by the peer is PLX_LOST_CONNECTION with reason
     * REMOTE_HOST_CLOSED and os_error 0; with an os_error it was a reset or a cut. These are not errors: -1 of a read at the end, a limit that was reached,
     * a wait that timed out. */
    void (*error)(plx_socket *socket, const plx_error *error, void *user);

    /* end_of_input: the peer will send nothing more, and PLX_OPTION_HALF_OPEN is set: the socket
     * stays connected for writing until disconnect or close. */
    void (*end_of_input)(plx_socket *socket, void *user);

    /* disconnected: the connection has ended. The last event of a connection. */
    void (*disconnected)(plx_socket *socket, void *user);

    /* state_changed: the socket is in another state, for programs that show it. close, abort and
     * free change the state without this event. */
    void (*state_changed)(plx_socket *socket, plx_state state, void *user);

    /* line_available: plx_socket_can_read_line has become true, or is still true after the handler
     * took lines. Called after data_available, and only if a line is left. */
    void (*line_available)(plx_socket *socket, void *user);

    /* room_available: a write took fewer bytes than it was given because of PLX_OPTION_WRITE_LIMIT
     * (UDP: returned EAGAIN), and half of the limit is free again: write the rest. Also called
     * after a write of which the kernel took a part while there was no memory for the rest. */
    void (*room_available)(plx_socket *socket, void *user);

    /* message_available: plx_socket_can_read_message has become true, or is still true after the
     * handler took messages. Called after data_available and line_available, and only if a message
     * is left. Take all messages: one call may stand for many. */
    void (*message_available)(plx_socket *socket, void *user);

    /* encrypted: a filter that encrypts is established (pollux/filter.h): from now on nothing
     * leaves in clear. Called after `connected`, or later for a filter pushed in mid-stream. */
    void (*encrypted)(plx_socket *socket, void *user);

    /* proxy_authentication_required: the proxy wants a user and a password, or others than those
     * that it was sent. Answer by plx_socket_set_proxy_credentials inside the handler; otherwise the
     * connect fails. Not called if others were set since then, which are sent at once. `proxy` is
     * written as by plx_socket_proxy, `realm` is what the proxy calls itself, "" if it does not
     * (pollux/proxy.h). Both are valid until the handler returns. The state is CONNECTING. */
    void (*proxy_authentication_required)(plx_socket *socket, const char *proxy, const char *realm,
                                          void *user);

    /* command_received: a command arrived (pollux/command.h), one call for each, in their order. A
     * poll makes up to 64 calls, and leaves the rest to the next poll; end_of_input and the end of
     * the connection wait for them. After disconnect, and when PLX_OPTION_IDLE_TIMEOUT ends the
     * connection in a wait for another command, only the events of the end wait, in
     * PLX_UNCONNECTED. No call follows when the handler has freed, closed or purged the socket, or
     * has taken the commands from it. `data` is never NULL and valid until the handler returns, whatever
     * the handler does. data_available, line_available and message_available are not called while
     * commands are set. */
    void (*command_received)(plx_socket *socket, int32_t command, const void *data, size_t size,
                             void *user);
} plx_events;

PLX_END_DECLS

#endif
