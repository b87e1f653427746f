/* pollux/server.h -- a listener and its clients (Xojo's ServerSocket).
 *
 * A server makes a client for each peer, by its constructor or by the add_socket event, and owns
 * the client. When a client has ended, was closed or was aborted, the server frees it at the end of
 * the next poll or of the running one, unless the client is connecting or listening again.
 * plx_socket_free ends a client at any time, and plx_server_take makes a client the caller's. All
 * clients start with the same handlers.
 *
 * When descriptors or memory run out, the server reports this once, pauses instead of spinning and
 * goes on by itself; peers wait meanwhile, and the server turns none away. The poll of a group
 * serves a server that is in the group, with all its clients. Any other server is served by
 * plx_server_poll, with a group of its own; where there are no descriptors or no memory for a
 * group, plx_server_poll serves the sockets one by one. */
#ifndef POLLUX_SERVER_H
#define POLLUX_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/error.h>
#include <pollux/events.h>
#include <pollux/export.h>
#include <pollux/message.h>
#include <pollux/socket.h>

PLX_BEGIN_DECLS

/* A server. Opaque. */
typedef struct plx_server plx_server;

/* A function that makes an unconnected socket, as plx_tcp_new and plx_ipc_new do, or returns NULL
 * when there is no memory. The constructor decides which kind of server it is. */
typedef plx_socket *(plx_constructor)(void);

/* Handlers of a server, as a table: static const, borrowed, NULL members are not called, as in
 * plx_events. The handlers run inside polls and waits only. A handler may make any call, and may
 * free the server. Later versions add members at the end. */
typedef struct plx_server_events {
    /* add_socket: a peer waits. Return an unconnected socket of the server's kind for the peer,
     * which the server then owns, or NULL to turn the peer away. When there is no memory to connect
     * the socket, the server frees the socket and calls add_socket again for the same peer. If this
     * member is NULL, the constructor makes the socket. */
    plx_socket *(*add_socket)(plx_server *server, void *user);

    /* accepted: the server has a new client; called before the client's own `connected`. The place
     * to give the client a `user`, other handlers or options, and to refuse the client by
     * plx_socket_close or plx_socket_free. A client with filters is in PLX_CONNECTING here: its
     * address is known, and what is written leaves when the filters are established. */
    void (*accepted)(plx_server *server, plx_socket *client, void *user);

    /* error: the listener failed, or a call on the server failed. Clients report their own errors.
     * `error` is valid until the handler returns. */
    void (*error)(plx_server *server, const plx_error *error, void *user);
} plx_server_events;

/* plx_server_new makes a server that does not listen yet: plx_server_new(plx_tcp_new),
 * plx_server_new(plx_ipc_new). You free it with plx_server_free. Returns NULL when there is no
 * memory, and for NULL. */
PLX_API plx_server *plx_server_new(plx_constructor *constructor);

/* plx_server_free stops listening, closes and frees the clients that the server owns, and frees the
 * server. The kernel gets as much of the queued bytes as it takes at once. No handler is called.
 * Allowed in any handler. Accepts NULL; returns NULL. */
PLX_API plx_server *plx_server_free(plx_server *server);

/* plx_server_set_events sets the server's own handlers, and the `user` that they are given;
 * plx_server_set_client_events sets those of the clients. The server borrows the table, which must
 * live as long as it is set; NULL sets no handlers. plx_server_set_events_sized states the size of
 * the table: handlers beyond `size` bytes count as NULL. */
PLX_API void plx_server_set_events_sized(plx_server *server, const plx_server_events *events,
                                         size_t size, void *user);
static inline void plx_server_set_events(plx_server *server, const plx_server_events *events,
                                         void *user)
{
    plx_server_set_events_sized(server, events, sizeof *events, user);
}

/* plx_server_set_client_events sets the handlers, and the `user`, that later clients start with.
 * The server borrows the table, which must live as long as the clients do; NULL sets no handlers. A
 * socket from add_socket gets these handlers, too. plx_server_set_client_events_sized states the
 * size of the table. */
PLX_API void plx_server_set_client_events_sized(plx_server *server, const plx_events *events,
                                                size_t size, void *user);
static inline void plx_server_set_client_events(plx_server *server, const plx_events *events,
                                                void *user)
{
    plx_server_set_client_events_sized(server, events, sizeof *events, user);
}

/* plx_server_set_frame sets how the streams of later clients are cut into messages. Returns as
 * plx_socket_set_frame does. */
PLX_API int plx_server_set_frame(plx_server *server, const plx_frame *frame);

/* plx_server_set_commands gives commands to later clients, with the maximum of
 * plx_server_set_frame. Returns as plx_socket_set_commands does (pollux/command.h). */
PLX_API int plx_server_set_commands(plx_server *server, unsigned flags);

/* plx_server_add_filter makes the server call `equip` for each later client, before the connection
 * begins, in the order in which the calls were added: `equip` pushes filters, and returns 0, or a
 * positive code to turn the peer away, which the server's `error` reports. The client has the
 * options, the frame and the handlers of the server already; what `equip` sets replaces them. A
 * call of plx_server_add_filter inside `equip` is for the clients after this one. When `equip`
 * returns PLX_OUT_OF_MEMORY, the peer is not turned away: the server calls `equip` again with
 * another client for it.
 * A client with filters is in PLX_CONNECTING in `accepted`, and a client that was reported by
 * `accepted` ends in `disconnected`, also if a filter could not be established. A client has 10
 * seconds to establish its filters, or its PLX_OPTION_CONNECT_TIMEOUT if that was set. Of the
 * maximum number of clients at most half may be establishing, and at least one.
 * `release`, which may be NULL, is called with `user` when the server is freed, also in a handler.
 * Returns 0; PLX_INVALID_STATE without `equip` and for a server of packets; or PLX_OUT_OF_MEMORY.
 * Unless 0, `release` is not called. */
PLX_API int plx_server_add_filter(plx_server *server, int (*equip)(plx_socket *client, void *user),
                                  void (*release)(void *user), void *user);

/* plx_server_listen_on starts listening on "0.0.0.0:7777", "[::]:0" (the kernel chooses the port),
 * ":7777" (every address of both families), and for IPC "/path", "path" or "@name". Returns 0 or at
 * once the error: PLX_ADDRESS_IN_USE, PLX_INVALID_PORT (missing, out of range or privileged),
 * PLX_INVALID_STATE (listening already, a malformed string, or a mode for an abstract name),
 * EADDRNOTAVAIL for an address that is not of this computer, ENAMETOOLONG for a path,
 * PLX_OPEN_DRIVER without a descriptor (EMFILE), PLX_OUT_OF_MEMORY, or another errno; the next poll
 * reports the same by `error`. */
PLX_API int plx_server_listen_on(plx_server *server, const char *where);

/* plx_server_adopt listens with a descriptor that listens already, such as one inherited from
 * another process. The server owns the descriptor from then on. Returns 0; PLX_INVALID_STATE
 * (listening already, or a descriptor that does not listen or is of another kind); EBADF; ENOTSOCK;
 * PLX_OUT_OF_MEMORY; or another errno. Unless 0, the descriptor remains yours. */
PLX_API int plx_server_adopt(plx_server *server, plx_handle descriptor);

/* plx_server_adopt_activated listens with a descriptor that a service manager opened for this
 * process and passed under `name` (systemd's socket activation, sd_listen_fds(3)); NULL takes the
 * first that fits. Each descriptor is taken once. Returns as plx_server_adopt does, and
 * PLX_INVALID_STATE when there is none. */
PLX_API int plx_server_adopt_activated(plx_server *server, const char *name);

/* plx_server_stop_listening stops listening and calls no handler; clients live on. IPC: the file is
 * removed. The kernel turns away the peers in its accept queue. plx_server_listen_on may follow. */
PLX_API void plx_server_stop_listening(plx_server *server);

/* plx_server_is_listening returns whether the server listens. */
PLX_API bool plx_server_is_listening(const plx_server *server);

/* plx_server_pause makes the server accept nobody, or accept again. Meanwhile peers wait in the
 * kernel's accept queue, where they cost the program nothing; its clients go on. The kernel leaves
 * the peers unanswered for which the queue has no room, and they try again. The pause outlasts
 * plx_server_stop_listening: a server that listens again accepts nobody until it may. Accepts
 * NULL. */
PLX_API void plx_server_pause(plx_server *server, bool paused);

/* plx_server_port returns the port that the server is bound to; 0 when it does not listen, and for
 * IPC. */
PLX_API int plx_server_port(const plx_server *server);

/* plx_server_set_maximum_sockets_connected sets how many clients the server may own; more peers
 * wait in the kernel's accept queue until a client has ended. 0 is no limit and the default (Xojo's
 * is 10); a negative count is 0. Clients that exist already stay. */
PLX_API void plx_server_set_maximum_sockets_connected(plx_server *server, int count);

/* plx_server_set_maximum_per_address sets how many clients of one IP address the server may own; 0
 * is no limit and the default, a negative count is 0. A peer beyond it is turned away at once,
 * before add_socket and `accepted`, and those behind it in the accept queue have their turn. Such a
 * peer sees a reset, which leaves nothing in the kernel; no handler is called, because a flood would
 * reach the program by it. Clients that exist already stay. A client counts until it has ended, or
 * was closed, freed or taken; one that a handler connects again does not count. While the server has
 * its maximum of all clients, or pauses, nobody is turned away.
 * The port does not count. IPv4-mapped addresses are IPv4 addresses. An IPv6 address counts by its
 * first 64 bits, since one host may have all addresses behind them: hosts of one such network count
 * as one peer, as do hosts behind one IPv4 router, and all hosts with link-local addresses.
 * Returns 0; PLX_OUT_OF_MEMORY; or PLX_INVALID_STATE for a server whose peers have no addresses
 * (IPC, packets). Unless 0, the old limit remains. */
PLX_API int plx_server_set_maximum_per_address(plx_server *server, int count);

/* plx_server_set_option sets an option of the listener and of later clients. Returns as
 * plx_socket_set_option does. */
PLX_API int plx_server_set_option(plx_server *server, plx_option option, int value);

/* plx_server_user returns the `user` given with plx_server_set_events. */
PLX_API void *plx_server_user(const plx_server *server);

/* plx_server_error returns the last error of the server in full; without an error: code 0, reason
 * NONE, message "". plx_server_listen_on clears it. The error belongs to the server and is valid
 * until the next call on the server. Never NULL: for a NULL server the error is a
 * PLX_INVALID_STATE. */
PLX_API const plx_error *plx_server_error(const plx_server *server);

/* plx_server_active_count returns how many clients the server has; a client that has ended and is
 * about to be freed does not count. */
PLX_API size_t plx_server_active_count(const plx_server *server);

/* plx_server_next_active returns the client after `previous`; the first client for NULL; NULL after
 * the last one, for a socket that is not one of the server's clients, and for a client that has
 * ended. To free or take clients in a loop, fetch the next client first:
 *
 *     for (client = plx_server_next_active(server, NULL); client != NULL; client = next) {
 *         next = plx_server_next_active(server, client);
 */
PLX_API plx_socket *plx_server_next_active(const plx_server *server, const plx_socket *previous);

/* plx_server_write_all queues the same bytes (copied) for every connected client, each whole or not
 * at all, and returns how many clients took them. They leave in the polls of the clients, as those
 * of plx_socket_write. For packets the bytes are one packet.
 * A client whose queue has no room for all of them below PLX_OPTION_WRITE_LIMIT takes none, and
 * `room_available` follows; an empty queue takes any number. Left out are clients that connect,
 * whose filters are not established, or whose connection is ending, and those that
 * PLX_OPTION_DIRECTION keeps from writing. A client that plx_socket_write would refuse for another
 * reason (no memory, commands, an empty packet) does not count, and its own `error` reports it.
 * Size 0 adds nothing to a stream, and counts the clients. Returns 0 for NULL, and for NULL data
 * with a size, which the server's `error` reports.
 * This call and the next one take one step for each client, and call no handler. They may be called
 * in handlers. */
PLX_API size_t plx_server_write_all(plx_server *server, const void *data, size_t size);

/* plx_server_write_message_all does the same with one message, and the frame of each client:
 * clients for which plx_socket_write_message returns 0 count. A client that has no frame, or a frame
 * that the message does not fit (PLX_OPTION_WRITE_LIMIT aside), reports that by its own `error`. An
 * empty message is a message. */
PLX_API size_t plx_server_write_message_all(plx_server *server, const void *data, size_t size);

/* plx_server_take makes a client the caller's: the server forgets the client, and you poll and free
 * it. The client stays in its group unless the group was the server's own; its handlers stay.
 * Returns the client; NULL when it is not one of this server's clients. */
PLX_API plx_socket *plx_server_take(plx_server *server, plx_socket *client);

/* plx_server_poll makes one pass over the listener and every client that has work; never blocks. It
 * is meant for a server that is in no group; for a server in a group it serves only the server and
 * its clients, all of which together have the steps of establishing that a poll of the group has
 * (plx_group_set_budget). Returns true when work is left. Inside a poll of the same server or of its
 * group the call does nothing and returns false. */
PLX_API bool plx_server_poll(plx_server *server);

/* plx_server_wait sleeps until the listener or a client has work, but not longer than `timeout_ms`
 * (-1: no limit), then polls. For a server in a group, the whole group sleeps and is polled. Any
 * other server does not sleep when no work can follow (it does not listen and has no clients).
 * As in plx_group_poll, a quarter of a client's time-out counts as work. Returns false when the time
 * was over, and when no work can follow. */
PLX_API bool plx_server_wait(plx_server *server, int timeout_ms);

PLX_END_DECLS

#endif
