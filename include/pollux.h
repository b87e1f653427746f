/* pollux.h -- everything Pollux offers: includes the other headers in the best order to read them.
 *
 * Pollux is a library of polled sockets. Nothing happens behind the program's back: the library
 * calls a handler only inside a poll or a wait. A program makes a socket, gives the socket a table
 * of handlers, connects it, and then polls the socket (or a group of sockets) once a frame:
 *
 *     static void data_available(plx_socket *socket, void *user)
 *     {
 *         size_t size;
 *         const void *data = plx_socket_read_all(socket, &size);
 *         plx_socket_write(socket, data, size);
 *     }
 *     static const plx_events echo = { .data_available = data_available };
 *
 *     plx_socket *socket = plx_tcp_new();
 *     plx_socket_set_events(socket, &echo, NULL);
 *     plx_socket_connect_to(socket, "example.org:7");
 *     do {
 *         plx_socket_wait(socket, 100);
 *     } while (plx_socket_state(socket) != PLX_UNCONNECTED ||
 *              plx_socket_reconnects_in(socket) >= 0);
 *     plx_socket_free(socket);
 *
 * The loop waits before it asks for the state: a connect that is refused at once leaves the socket
 * unconnected, and the first wait or poll reports why.
 *
 * Rules that hold for every call:
 * - Only the calls named wait, and a group's poll with a time-out other than 0, block.
 * - Handlers run inside poll and wait calls and nowhere else. A handler may make any call on any
 *   object, and may free the object that called the handler.
 * - The library raises no signals and has no threads, but those of lookups by the C library, if it is
 *   the resolver (pollux/resolver.h). Two threads may use two sockets at once. One socket, one
 *   server, and one group with all its members belong to one thread at a time.
 * - A forked child may only make the free calls; they do not disturb the parent.
 * - An `int` result is 0 or a positive code (see pollux/error.h) unless its comment says otherwise.
 * - Every call accepts NULL for its object: the call does nothing and returns PLX_INVALID_STATE,
 *   -1, 0, false, NULL, or "" for a string.
 * - Strings are UTF-8 and end in a zero byte. The library copies a string that it is given. A
 *   string that the library returns belongs to the object and is valid until the next call that
 *   changes the string or frees the object. Do not make such a call in the same argument list: C
 *   evaluates arguments in any order.
 * - Ports are in host order. Times are milliseconds unless the name says something else. A time-out
 *   of -1 never ends, and a time-out of 0 does not wait.
 */
#ifndef POLLUX_H
#define POLLUX_H

#include <pollux/export.h>
#include <pollux/version.h>
#include <pollux/memory.h>
#include <pollux/clock.h>
#include <pollux/error.h>
#include <pollux/address.h>
#include <pollux/events.h>
#include <pollux/piece.h>
#include <pollux/socket.h>
#include <pollux/option.h>
#include <pollux/message.h>
#include <pollux/command.h>
#include <pollux/tcp.h>
#include <pollux/udp.h>
#include <pollux/ipc.h>
#include <pollux/seqpacket.h>
#include <pollux/server.h>
#include <pollux/group.h>
#include <pollux/timer.h>
#include <pollux/filter.h>
#include <pollux/watch.h>
#include <pollux/lookup.h>
#include <pollux/resolver.h>
#include <pollux/proxy.h>
#include <pollux/discovery.h>
#include <pollux/interface.h>

#endif
