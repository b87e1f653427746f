/* pollux/tcp.h -- TCP connections.
 *
 * A TCP socket connects to and listens on "host:port", "192.0.2.1:80", "[2001:db8::1]:80" or
 * "[fe80::1%eth0]:80"; it also listens on ":80", which is every address of this computer in both
 * families. pollux/socket.h describes all other calls. Small packets are not delayed
 * (PLX_OPTION_LOW_DELAY is 1): the library collects what one frame writes and sends it in one piece
 * at the end of the poll. */
#ifndef POLLUX_TCP_H
#define POLLUX_TCP_H

#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_tcp_new makes an unconnected TCP socket. You free it with plx_socket_free. Returns NULL only
 * when there is no memory. */
PLX_API plx_socket *plx_tcp_new(void);

PLX_END_DECLS

#endif
