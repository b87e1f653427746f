/* pollux.h -- everything Pollux offers, in the order in which it is best read.
 *
 * Pollux is a library of polled sockets: nothing happens behind the program's back, and every event
 * comes out of a call to poll. A program makes a socket, gives it a table of handlers, starts it,
 * and then polls it (or a group of them) once in each of its frames:
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
 *     while (plx_socket_state(socket) != PLX_UNCONNECTED || plx_socket_reconnects_in(socket) >= 0) {
 *         plx_socket_wait(socket, 100);
 *     }
 *     plx_socket_free(socket);
 *
 * Rules that hold for every call:
 * - No call blocks but those named wait and a group's poll that was given a time.
 * - Handlers run inside poll and wait calls and nowhere else. A handler may do anything to any
 *   object, and free the very one that called it.
 * - The library has no threads and raises no signals. Two threads may use two sockets; one socket,
 *   one server and one group with all its members belong to one thread at a time.
 * - In a forked child only the free calls are allowed; they do not disturb the parent.
 * - An `int` result is 0 or a positive code (see pollux/error.h) unless its comment says otherwise.
 * - NULL for an object is allowed everywhere: the call does nothing and returns PLX_INVALID_STATE,
 *   -1, 0, false, NULL or, where a text is returned, "".
 * - Texts are UTF-8 and end in a zero byte. A text handed in is copied. A text handed out belongs
 *   to the object and is valid until the next call that changes it or frees the object: never make
 *   that call in the same argument list, which C evaluates in any order.
 * - Ports are in host order. Times are milliseconds unless the name says something else; as a
 *   time-out -1 means for ever and 0 not at all.
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
#include <pollux/socket.h>
#include <pollux/message.h>
#include <pollux/tcp.h>
#include <pollux/udp.h>
#include <pollux/ipc.h>
#include <pollux/seqpacket.h>
#include <pollux/server.h>
#include <pollux/group.h>
#include <pollux/interface.h>

#endif
