/* lib/socket/command.c -- commands: a number and data, over any stream. */
#include "config.h"

#include "lib/base/event.h"
#include "lib/socket/command.h"
#include "lib/socket/commands.h"
#include "lib/socket/failure.h"
#include "lib/socket/framing.h"
#include "lib/socket/interest.h"
#include "lib/socket/message.h"
#include "lib/wire/command.h"

#include <pollux/command.h>

/* ---- setting --------------------------------------------------------------------------------- */

static int refuse_commands(plx_socket *socket, unsigned flags)
{
    const plx_reason reason = PLX_REASON_UNSUPPORTED_OPERATION;
    if (socket->kind->transport->connectionless) {
        return plx__socket_refuse(socket, reason, "set commands: %s sockets have no connections",
                                  socket->kind->name);
    }
    if ((flags & ~(unsigned)PLX_COMMANDS_DATA_LENGTH) != 0) {
        return plx__socket_refuse(socket, reason, "set commands: there is no flag 0x%x",
                                  flags & ~(unsigned)PLX_COMMANDS_DATA_LENGTH);
    }
    if (plx__framing_maximum(socket) < PLX__COMMAND_HEAD) {
        return plx__socket_refuse(socket, reason,
                                  "set commands: the frame's maximum is %zu, and a command has %d "
                                  "bytes before its data",
                                  plx__framing_maximum(socket), PLX__COMMAND_HEAD);
    }
    return 0;
}

/* Bytes and messages are no longer pending. Commands stay pending if they were, even when the
 * connection has ended. */
void plx__command_begin(plx_socket *socket)
{
    bool reports = (socket->pending & PLX__EVENT_BIT(PLX__EVENT_COMMAND)) != 0;
    socket->again = false;
    socket->pending &= ~(PLX__EVENT_BIT(PLX__EVENT_DATA) | PLX__EVENT_BIT(PLX__EVENT_LINE) |
                         PLX__EVENT_BIT(PLX__EVENT_MESSAGE) | PLX__EVENT_BIT(PLX__EVENT_COMMAND));
    if (reports) {
        plx__framing_note(socket);
    }
    plx__framing_note_commands(socket);
    plx__socket_update(socket);
}

int plx_socket_set_commands(plx_socket *socket, unsigned flags)
{
    if (socket == NULL || socket->hold.freed) {
        return PLX_INVALID_STATE;
    }
    int code = refuse_commands(socket, flags);
    if (code != 0) {
        return code;
    }
    if (plx__framing_has_commands(socket)) {
        plx__commands_close_gaps(socket);
    }
    if (!plx__framing_set_commands(socket, (flags & PLX_COMMANDS_DATA_LENGTH) != 0)) {
        return plx__socket_fail_memory(socket, "set commands");
    }
    plx__command_begin(socket);
    return 0;
}

/* ---- sending and reading --------------------------------------------------------------------- */

bool plx__command_is_refused(plx_socket *socket, const char *call, int32_t command)
{
    if (!plx__framing_has_commands(socket)) {
        plx__socket_refuse(socket, PLX_REASON_OPERATION,
                           "%s: the socket has no commands, call plx_socket_set_commands first",
                           call);
        return true;
    }
    if (command < 0) {
        plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION, "%s: %ld is negative", call,
                           (long)command);
        return true;
    }
    return false;
}

int plx_socket_send_command(plx_socket *socket, int32_t command, const void *data, size_t size)
{
    uint8_t head[PLX__COMMAND_HEAD];
    if (socket == NULL || socket->hold.freed ||
        plx__command_is_refused(socket, "send a command", command)) {
        return PLX_INVALID_STATE;
    }
    plx__command_write(head, command);
    return plx__message_write(socket, "send a command", head, data, size);
}

const void *plx_socket_read_command(plx_socket *socket, int32_t *ret_command, size_t *ret_size)
{
    int32_t command = 0;
    size_t size = 0;
    const void *data = NULL;
    if (socket != NULL && !plx__command_is_refused(socket, "read a command", 0)) {
        data = plx__commands_take(socket, &command, &size);
    }
    if (ret_command != NULL && data != NULL) {
        *ret_command = command;
    }
    if (ret_size != NULL) {
        *ret_size = size;
    }
    return data;
}
