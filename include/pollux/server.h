/* pollux/server.h -- a listener and its clients (Xojo's ServerSocket).
 *
 * A server makes a client for each peer, with the constructor it was given or the add_socket event,
 * and owns it: it frees a client at the end of the poll in or before which that ended, was closed
 * or aborted, unless it is connecting or listening again. plx_socket_free ends a client at any
 * time, and plx_server_take makes it the caller's. All clients start with the same handlers.
 *
 * When descriptors or memory run out the server reports it once, pauses instead of spinning and goes
 * on by itself; peers wait meanwhile and none is turned away. A server that is in a group is served by
 * the group's poll with all its clients; else by plx_server_poll, with a group of its own, and where
 * there are no descriptors or no memory for one its sockets one by one. */
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

/* A function that makes an unconnected socket, or returns NULL for want of memory; as plx_tcp_new
 * and plx_ipc_new. It decides what kind of server it is. */
typedef plx_socket *(plx_constructor)(void);

/* Handlers of a server, as a table; static const, borrowed, NULL members skipped, as plx_events is.
 * They run inside polls and waits only, and may do anything, even free the server. Later versions
 * add members at the end. */
typedef struct plx_server_events {
    /* add_socket: a peer waits; return an unconnected socket of the server's kind for it, which the
     * server owns then, or NULL to turn the peer away. Asked again for the same peer where there was
     * no memory to connect the socket, which is freed then. Where this member is NULL the constructor
     * makes it. */
    plx_socket *(*add_socket)(plx_server *server, void *user);

    /* accepted: a client has come, before its own `connected`. The place to give it a `user`, other
     * handlers or options. */
    void (*accepted)(plx_server *server, plx_socket *client, void *user);

    /* error: the listener failed, or a call on the server did. Clients tell their own errors.
     * `error` is valid until the handler returns. */
    void (*error)(plx_server *server, const plx_error *error, void *user);
} plx_server_events;

/* plx_server_new makes a server that does not listen yet: plx_server_new(plx_tcp_new),
 * plx_server_new(plx_ipc_new). You free it with plx_server_free. NULL for want of memory, or for
 * NULL. */
PLX_API plx_server *plx_server_new(plx_constructor *constructor);

/* plx_server_free stops listening, closes and frees the clients it owns, and frees the server. Sent
 * is what the system takes at once. Silent; allowed in any handler. Takes NULL; returns NULL. */
PLX_API plx_server *plx_server_free(plx_server *server);

/* plx_server_set_events sets the server's own handlers, and the `user` that they are given; those of
 * the clients are set by plx_server_set_client_events. Borrows the table, which must live as long as
 * it is set; NULL sets none. plx_server_set_events_sized states how large the table is: handlers
 * beyond `size` bytes count as NULL. */
PLX_API void plx_server_set_events_sized(plx_server *server, const plx_server_events *events,
                                         size_t size, void *user);
static inline void plx_server_set_events(plx_server *server, const plx_server_events *events,
                                         void *user)
{
    plx_server_set_events_sized(server, events, sizeof *events, user);
}

/* plx_server_set_client_events sets the handlers, and the `user`, that later clients start with.
 * Borrows the table, which must live as long as the clients do; NULL sets none. A socket from
 * add_socket gets them, too. plx_server_set_client_events_sized states how large the table is. */
PLX_API void plx_server_set_client_events_sized(plx_server *server, const plx_events *events,
                                                size_t size, void *user);
static inline void plx_server_set_client_events(plx_server *server, const plx_events *events,
                                                void *user)
{
    plx_server_set_client_events_sized(server, events, sizeof *events, user);
}

/* plx_server_set_frame sets how the streams of later clients are cut into messages; see
 * plx_socket_set_frame, which it returns as. */
PLX_API int plx_server_set_frame(plx_server *server, const plx_frame *frame);

/* plx_server_listen_on starts listening: at "0.0.0.0:7777", "[::]:0" (the system chooses the port),
 * ":7777" (every address of both families), and for IPC "/path", "path" or "@name". Returns 0 or at
 * once why it cannot: PLX_ADDRESS_IN_USE, PLX_INVALID_PORT (missing, out of range or reserved),
 * PLX_INVALID_STATE (listening already, nonsense), or another error of the system; the `error`
 * event tells the same in the next poll. */
PLX_API int plx_server_listen_on(plx_server *server, const char *where);

/* plx_server_adopt listens with a descriptor that listens already, such as one inherited from
 * another process. It is the server's from then on. Returns 0, or PLX_INVALID_STATE (listening
 * already, or a descriptor that does not listen or is of another kind) or the system's error; then
 * it remains yours. */
PLX_API int plx_server_adopt(plx_server *server, int descriptor);

/* plx_server_adopt_activated listens with a descriptor that a service manager opened for this
 * process and passed under that name (systemd's socket activation, sd_listen_fds(3)); NULL takes the
 * first that fits. Each is taken once. Returns 0, or PLX_INVALID_STATE when there is none. */
PLX_API int plx_server_adopt_activated(plx_server *server, const char *name);

/* plx_server_stop_listening stops listening, silently; clients live on. IPC: the file is removed.
 * Peers that wait in the system's queue are turned away. listen_on may follow. */
PLX_API void plx_server_stop_listening(plx_server *server);

/* plx_server_is_listening returns whether it listens. */
PLX_API bool plx_server_is_listening(const plx_server *server);

/* plx_server_port returns the port it really listens at, 0 when it does not listen, and for IPC. */
PLX_API int plx_server_port(const plx_server *server);

/* plx_server_set_maximum_sockets_connected sets how many clients the server may own; more wait in
 * the system's queue until one has ended. 0 is no limit and the default (Xojo's is 10); a negative
 * count is 0. Clients that are there already stay. */
PLX_API void plx_server_set_maximum_sockets_connected(plx_server *server, int count);

/* plx_server_set_option sets an option of the listener and of later clients. Returns as
 * plx_socket_set_option does. */
PLX_API int plx_server_set_option(plx_server *server, plx_option option, int value);

/* plx_server_user returns the `user` given with plx_server_set_events. */
PLX_API void *plx_server_user(const plx_server *server);

/* plx_server_error returns the last error of the server in full; without one: code 0, reason NONE,
 * message "". Cleared by listen_on. It belongs to the server and is valid until the next call on
 * it. Never NULL: for a NULL server it is a PLX_INVALID_STATE. */
PLX_API const plx_error *plx_server_error(const plx_server *server);

/* plx_server_active_count returns how many clients the server has; one that has ended and is about
 * to be freed does not count. */
PLX_API size_t plx_server_active_count(const plx_server *server);

/* plx_server_next_active returns the client after `previous`, the first one for NULL, and NULL
 * after the last one, for a socket that is none of the server's, and for one that has ended. To
 * free or take clients on the way fetch the next one first:
 *
 *     for (client = plx_server_next_active(server, NULL); client != NULL; client = next) {
 *         next = plx_server_next_active(server, client);
 */
PLX_API plx_socket *plx_server_next_active(const plx_server *server, const plx_socket *previous);

/* plx_server_take makes a client the caller's: the server forgets it, and you poll and free it. Its
 * group keeps it unless it was the server's own; its handlers stay. Returns the client; NULL when
 * it is none of this server's. */
PLX_API plx_socket *plx_server_take(plx_server *server, plx_socket *client);

/* plx_server_poll makes one pass over the listener and every client that has something; never
 * blocks. For a server that is in no group; in one it serves these alone. Returns true when work is
 * left. False in a poll of the same server or its group, where it does nothing. */
PLX_API bool plx_server_poll(plx_server *server);

/* plx_server_wait sleeps until the listener or a client has something to do, but no longer than
 * `timeout_ms` (-1 for ever), then polls. In a group it is the group that sleeps and is polled.
 * Returns false when the time was over. */
PLX_API bool plx_server_wait(plx_server *server, int timeout_ms);

PLX_END_DECLS

#endif
