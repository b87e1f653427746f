/* pollux/tcp.h -- TCP connections.
 *
 * Uses of a where-text: "host:port", "192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1%eth0]:80"; to
 * listen also ":80", which is every address of this computer in both families. All else is in
 * pollux/socket.h. Small packets are not held back (PLX_OPTION_LOW_DELAY is 1): what one frame
 * writes is gathered by the library and leaves in one piece at the end of the poll. */
#ifndef POLLUX_TCP_H
#define POLLUX_TCP_H

#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_tcp_new makes an unconnected TCP socket. You free it with plx_socket_free. NULL only for want
 * of memory. */
PLX_API plx_socket *plx_tcp_new(void);

PLX_END_DECLS

#endif
