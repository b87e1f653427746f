/* lib/socket/handlers.h -- the program's table of handlers: which it has, and calling one.
 *
 * lib/socket/dispatch.h decides which handlers run, and when. */
#ifndef PLX_LIB_HANDLERS_H
#define PLX_LIB_HANDLERS_H

#include <pollux/events.h>

#include <stdbool.h>
#include <stddef.h>

/* The program's handlers. `size` is the size of the table as the program was compiled with: members
 * beyond `size` do not exist. */
struct plx__handlers {
    const plx_events *table;
    size_t size;
    void *user;
};

/* Each function calls its handler if the table has one. plx__handlers_send_progress returns what
 * the handler returned: true means to drop the rest. */
void plx__handlers_connected(const struct plx__handlers *handlers, plx_socket *socket);
void plx__handlers_encrypted(const struct plx__handlers *handlers, plx_socket *socket);
void plx__handlers_data_available(const struct plx__handlers *handlers, plx_socket *socket);
void plx__handlers_line_available(const struct plx__handlers *handlers, plx_socket *socket);
void plx__handlers_message_available(const struct plx__handlers *handlers, plx_socket *socket);
void plx__handlers_command_received(const struct plx__handlers *handlers, plx_socket *socket,
                                    int32_t command, const void *data, size_t size);
void plx__handlers_end_of_input(const struct plx__handlers *handlers, plx_socket *socket);
bool plx__handlers_send_progress(const struct plx__handlers *handlers, plx_socket *socket,
                                 size_t sent, size_t left);
void plx__handlers_send_complete(const struct plx__handlers *handlers, plx_socket *socket,
                                 bool user_aborted);
void plx__handlers_room_available(const struct plx__handlers *handlers, plx_socket *socket);
void plx__handlers_error(const struct plx__handlers *handlers, plx_socket *socket,
                         const plx_error *error);
void plx__handlers_disconnected(const struct plx__handlers *handlers, plx_socket *socket);
void plx__handlers_state_changed(const struct plx__handlers *handlers, plx_socket *socket,
                                 plx_state state);

void plx__handlers_proxy_authentication_required(const struct plx__handlers *handlers,
                                                 plx_socket *socket, const char *proxy,
                                                 const char *realm);

/* plx__handlers_has_sending returns whether the table has send_progress or send_complete. */
bool plx__handlers_has_sending(const struct plx__handlers *handlers);
/* plx__handlers_has_line returns whether the table has line_available: without it received bytes
 * are not searched for lines. */
bool plx__handlers_has_line(const struct plx__handlers *handlers);
/* plx__handlers_has_message returns whether the table has message_available. */
bool plx__handlers_has_message(const struct plx__handlers *handlers);
/* plx__handlers_has_command returns whether the table has command_received. */
bool plx__handlers_has_command(const struct plx__handlers *handlers);

#endif
