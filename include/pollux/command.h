/* pollux/command.h -- commands: numbered messages over any stream, as Xojo's EasyTCPSocket has them.
 *
 * A command is a number that the two programs have agreed upon, 0 or greater, and data. Over TCP,
 * IPC and TLS it travels in a frame (pollux/message.h); a packet of a SEQPACKET socket is one command
 * without the length.
 *
 *     +-------------+-------------+----------+
 *     | 00 00 00 09 | 00 00 00 07 |  hello   |      command 7; each number is 4 bytes, the most
 *     +-------------+-------------+----------+      significant first, the command's is signed
 *         length       command        data
 *
 *     enum { HELLO = 7, ANSWER = 8 };
 *     static void received(plx_socket *socket, int32_t command, const void *data, size_t size,
 *                          void *user)
 *     {
 *         if (command == HELLO) {
 *             plx_socket_send_command(socket, ANSWER, data, size);
 *         }
 *     }
 *     static const plx_events events = { .command_received = received };
 *
 *     plx_socket_set_commands(socket, 0);
 *     plx_socket_set_events(socket, &events, NULL);
 *
 * While a socket has commands, the calls that read or write bytes or messages are refused with
 * PLX_INVALID_STATE (read, read_all, read_exact, read_line, lookahead, skip, unread, read_message;
 * write, write_text, write_message, write_urgent), can_read_line and can_read_message return false, and
 * data_available, line_available and message_available are not called. plx_socket_purge drops what
 * arrived.
 *
 * A command arrives in one of three ways, and in one of them only: by command_received; by
 * plx_socket_read_command, which takes the oldest; by plx_socket_wait_for_command, which takes the
 * oldest of its number. Without command_received they wait up to PLX_OPTION_READ_LIMIT, and then the
 * peer waits. If the handler is set later, while the
 * socket is connected, the next poll reports them.
 *
 * A peer that sends what is no command loses the connection, after the program could read all
 * commands before it: EPROTO for a message of fewer than 4 bytes and for a negative command, EMSGSIZE
 * (reason DATAGRAM_TOO_LARGE) for a message over the maximum. */
#ifndef POLLUX_COMMAND_H
#define POLLUX_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* Flags of commands. Which of the two lengths EasyTCPSocket sends is not documented. */
enum {
    PLX_COMMANDS_DATA_LENGTH = 1 /* the length counts the data only; else command and data */
};

/* plx_socket_set_commands gives the socket commands, in the place of a frame. The maximum of the
 * frame that was set before stays the maximum of command and data together, so the data have 4 bytes
 * less, but over a stream it is at most what a length of 4 bytes can hold; without a frame it is
 * 1 MiB. Call it before connect or listen; while connected it applies to the bytes that have not been
 * read. A later call sets the flags anew. plx_socket_set_frame replaces the commands by a frame, and
 * with NULL, also for a SEQPACKET socket, by none; data_available then reports what arrived and was
 * not read as commands. Returns 0; PLX_INVALID_STATE for a datagram socket, for an unknown flag, and
 * for a maximum below 4; or PLX_OUT_OF_MEMORY. Unless 0, nothing changed. */
PLX_API int plx_socket_set_commands(plx_socket *socket, unsigned flags);

/* plx_socket_send_command queues one command (copied), whole or not at all; the next poll or flush
 * sends it with everything else that was queued. `data` may be NULL if `size` is 0. Returns as
 * plx_socket_write_message does, and PLX_INVALID_STATE for a negative command and on a socket without
 * commands. */
PLX_API int plx_socket_send_command(plx_socket *socket, int32_t command, const void *data,
                                    size_t size);

/* plx_socket_read_command takes the oldest command, and returns a pointer to its data, without
 * copying them; *ret_command is its number, *ret_size the size of the data, which may be 0. Returns
 * NULL, with size 0 and the command unchanged, while no command is whole. The bytes are valid as long
 * as those of plx_socket_read_all. On a socket without commands the call fails with
 * PLX_INVALID_STATE. */
PLX_API const void *plx_socket_read_command(plx_socket *socket, int32_t *ret_command,
                                            size_t *ret_size);

/* plx_socket_wait_for_command waits until that command has arrived, takes it, and returns a pointer
 * to its data; *ret_size is their size, which may be 0. command_received does not report it. All
 * others stay in their order for later reads, waits and polls: during the wait command_received is
 * not called, other handlers are, unless the call is made in a handler of the socket. The data are a
 * copy that belongs to the socket, valid until the next poll or wait that serves it or its group, in
 * a handler no longer than that handler runs, or until it is freed. Returns NULL, with size 0, when the time is over, and at once when what arrived
 * has reached PLX_OPTION_READ_LIMIT, when the connection has ended or the socket is unconnected, and
 * when no more commands can follow. Fails with PLX_INVALID_STATE for a negative command and on a
 * socket without commands, with PLX_OUT_OF_MEMORY without memory for the copy: the command stays. */
PLX_API const void *plx_socket_wait_for_command(plx_socket *socket, int32_t command, int timeout_ms,
                                                size_t *ret_size);

PLX_END_DECLS

#endif
