/* lib/socket/handlers.c -- the program's table of handlers: which it has, and calling one. */
#include "config.h"

#include "lib/socket/handlers.h"

/* A handler exists when the program's table is large enough to hold the handler and the handler is
 * not NULL. */
#define HANDLER(handlers, member)                                                                  \
    ((handlers)->table != NULL &&                                                                  \
             offsetof(plx_events, member) + sizeof(handlers)->table->member <= (handlers)->size    \
         ? (handlers)->table->member                                                               \
         : NULL)

/* Calls a handler that returns nothing. The handler may replace the table, so the macro reads the
 * table once. */
#define CALL(handlers, member, ...)                                                                \
    do {                                                                                           \
        if (HANDLER(handlers, member) != NULL) {                                                   \
            (handlers)->table->member(__VA_ARGS__);                                                \
        }                                                                                          \
    } while (0)

void plx__handlers_connected(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, connected, socket, handlers->user);
}

void plx__handlers_encrypted(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, encrypted, socket, handlers->user);
}

void plx__handlers_data_available(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, data_available, socket, handlers->user);
}

void plx__handlers_line_available(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, line_available, socket, handlers->user);
}

void plx__handlers_message_available(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, message_available, socket, handlers->user);
}

void plx__handlers_command_received(const struct plx__handlers *handlers, plx_socket *socket,
                                    int32_t command, const void *data, size_t size)
{
    CALL(handlers, command_received, socket, command, data, size, handlers->user);
}

void plx__handlers_end_of_input(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, end_of_input, socket, handlers->user);
}

bool plx__handlers_send_progress(const struct plx__handlers *handlers, plx_socket *socket,
                                 size_t sent, size_t left)
{
    return HANDLER(handlers, send_progress) != NULL &&
           handlers->table->send_progress(socket, sent, left, handlers->user);
}

void plx__handlers_send_complete(const struct plx__handlers *handlers, plx_socket *socket,
                                 bool user_aborted)
{
    CALL(handlers, send_complete, socket, user_aborted, handlers->user);
}

void plx__handlers_room_available(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, room_available, socket, handlers->user);
}

void plx__handlers_error(const struct plx__handlers *handlers, plx_socket *socket,
                         const plx_error *error)
{
    CALL(handlers, error, socket, error, handlers->user);
}

void plx__handlers_disconnected(const struct plx__handlers *handlers, plx_socket *socket)
{
    CALL(handlers, disconnected, socket, handlers->user);
}

void plx__handlers_state_changed(const struct plx__handlers *handlers, plx_socket *socket,
                                 plx_state state)
{
    CALL(handlers, state_changed, socket, state, handlers->user);
}

void plx__handlers_proxy_authentication_required(const struct plx__handlers *handlers,
                                                 plx_socket *socket, const char *proxy,
                                                 const char *realm)
{
    CALL(handlers, proxy_authentication_required, socket, proxy, realm, handlers->user);
}

bool plx__handlers_has_sending(const struct plx__handlers *handlers)
{
    return HANDLER(handlers, send_progress) != NULL || HANDLER(handlers, send_complete) != NULL;
}

bool plx__handlers_has_line(const struct plx__handlers *handlers)
{
    return HANDLER(handlers, line_available) != NULL;
}

bool plx__handlers_has_message(const struct plx__handlers *handlers)
{
    return HANDLER(handlers, message_available) != NULL;
}

bool plx__handlers_has_command(const struct plx__handlers *handlers)
{
    return HANDLER(handlers, command_received) != NULL;
}
