/* pollux/tcp.h -- TCP connections.
 *
 * A TCP socket connects to and listens on "host:port", "192.0.2.1:80", "[2001:db8::1]:80" or
 * "[fe80::1%eth0]:80"; it also listens on ":80", which is every address of this computer in both
 * families. pollux/socket.h describes all other calls. Small packets are not delayed
 * (PLX_OPTION_LOW_DELAY is 1): the library collects what one frame writes and sends it in one piece
 * at the end of the poll. */
#ifndef POLLUX_TCP_H
#define POLLUX_TCP_H

#include <stddef.h>

#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_tcp_new makes an unconnected TCP socket. You free it with plx_socket_free. Returns NULL only
 * when there is no memory. */
PLX_API plx_socket *plx_tcp_new(void);

/* plx_socket_write_urgent queues one byte behind what was written before, and marks it as urgent
 * when its turn comes (MSG_OOB, tcp(7)). The receiver reads it at its place in the stream. TCP knows
 * one urgent byte: one may be queued at a time, and one that the receiver has not read yet is
 * replaced by the next as the urgent one. For telnet and FTP; RFC 6093 advises new protocols against
 * urgent data, and some routers drop the mark. Returns 0; EAGAIN while another one is queued, and at
 * PLX_OPTION_WRITE_LIMIT, where room_available follows: neither is a failure. PLX_INVALID_STATE
 * where write would return it, and with reason UNSUPPORTED_OPERATION for a kind other than TCP and
 * while filters change the stream, such as those of TLS; or PLX_OUT_OF_MEMORY. */
PLX_API int plx_socket_write_urgent(plx_socket *socket, unsigned char byte);

/* plx_socket_urgent_mark returns how many readable bytes precede the urgent byte of the peer: read
 * that many, and the next byte is the urgent one. Returns -1 when it has not arrived, when it was
 * read, for another kind than TCP, and without memory. The first call makes the socket look for the
 * mark from then on, which costs each receive two system calls: call it before connect, or in
 * `accepted`. data_available reports the byte as any other. */
PLX_API ptrdiff_t plx_socket_urgent_mark(const plx_socket *socket);

PLX_END_DECLS

#endif
