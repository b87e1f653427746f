/* lib/socket/commands.h -- the commands that have arrived and were not read.
 *
 * Design: they stay in the receive buffer as they came, and are read from its front. A wait takes
 * one out of their midst: it moves what is behind it if that is less than the command itself,
 * otherwise it marks the command as gone by a negative number, and reading passes it by. When half
 * of the buffer is gone, the others move together. So a wait costs no more than looking at what
 * arrived since the last one, however many commands are not read.
 *
 *      receive buffer   | 7 ... | 3 ... | gone | 7 ... | 5 ... | 3, half of it
 *                       ^ first, never gone                    ^ searched: no 9 before it
 *
 * The handler of command_received gets bytes that nothing moves or frees before it returns, although
 * it may wait, connect or free: the block itself when the command is all it holds, else a copy. */
#ifndef PLX_LIB_COMMANDS_H
#define PLX_LIB_COMMANDS_H

#include "lib/socket/framing.h"
#include "lib/socket/object.h"
#include "lib/socket/rare.h"

/* plx__commands_are_there returns whether a handler has to be called for a command that arrived. */
bool plx__commands_are_there(const plx_socket *socket);

/* plx__commands_are_due returns whether the end of the connection has to wait for handlers: their
 * answers can still be sent. While a handler of this socket runs, only a further command counts: the
 * handler may be that of the last one, and a wait inside it must see the end. */
static inline bool plx__commands_are_due(const plx_socket *socket)
{
    return (socket->pending & PLX__EVENT_BIT(PLX__EVENT_COMMAND)) != 0 &&
           socket->state == PLX_CONNECTED &&
           (!socket->dispatching || plx__commands_are_there(socket));
}

/* The functions below are for a socket with commands. plx__commands_report calls the handler for
 * those that are there, up to a number; what is left stays pending. */
void plx__commands_report(plx_socket *socket);

/* plx__commands_take takes the first one and returns its data; NULL: none is whole. The bytes are
 * valid as those of plx_socket_read_all. */
const void *plx__commands_take(plx_socket *socket, int32_t *ret_command, size_t *ret_size);

/* What a wait was waiting for before another one began inside it. */
struct plx__await {
    int32_t command;
    bool awaits;
};

/* plx__commands_await begins a wait for a command, plx__commands_end_await ends it. */
struct plx__await plx__commands_await(plx_socket *socket, int32_t command);
void plx__commands_end_await(plx_socket *socket, struct plx__await before);

/* plx__commands_find returns whether the awaited command is there; plx__commands_take_found then
 * takes it. The data are valid until the next wait, or until the socket is served. NULL when memory
 * ran out. */
bool plx__commands_find(const plx_socket *socket);
const void *plx__commands_take_found(plx_socket *socket, size_t *ret_size);

/* plx__commands_are_blocked returns whether no command can be found behind those that
 * plx__commands_find has looked at. */
bool plx__commands_are_blocked(const plx_socket *socket);

/* plx__commands_close_gaps removes from the receive buffer what waits have taken. */
void plx__commands_close_gaps(plx_socket *socket);

/* plx__commands_rest gives back the blocks that nobody looks at. For any socket. */
void plx__commands_rest(plx_socket *socket);

#endif
