/* pollux/option.h -- the options of sockets: limits, time-outs, switches, and what the kernel keeps.
 *
 * A server has the same options: plx_server_set_option (pollux/server.h) sets them for its listener
 * and for later clients. */
#ifndef POLLUX_OPTION_H
#define POLLUX_OPTION_H

#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* Options of a socket. The socket remembers each option and applies it when it opens a descriptor;
 * while a descriptor is open, the option applies at once. Sizes are bytes, switches are 0 and 1.
 * Defaults are in brackets; where none is given the default is 0, which for what the kernel keeps
 * (the first eight but LOW_DELAY) means the kernel's own default. */
typedef enum plx_option {
    PLX_OPTION_KEEP_ALIVE,          /* TCP: probe a silent peer (tcp(7)) */
    PLX_OPTION_KEEP_ALIVE_IDLE,     /* TCP: seconds of silence before the first probe */
    PLX_OPTION_KEEP_ALIVE_INTERVAL, /* TCP: seconds between two probes */
    PLX_OPTION_KEEP_ALIVE_COUNT,    /* TCP: unanswered probes after which the connection ends */
    PLX_OPTION_LOW_DELAY,           /* TCP: small packets leave at once, TCP_NODELAY [1] */
    PLX_OPTION_TYPE_OF_SERVICE,     /* TCP, UDP: 0 to 255, the byte in the IP header (ip(7)); for
                                       TCP the kernel keeps the two lowest bits for itself */
    PLX_OPTION_SEND_BUFFER_SIZE,    /* the kernel's buffer; Linux reserves twice that (socket(7)) */
    PLX_OPTION_RECEIVE_BUFFER_SIZE, /* the kernel's buffer */
    PLX_OPTION_PATH_MTU,            /* TCP, UDP: while open reads the path MTU to the peer, in
                                       bytes; 0: no peer, or not known yet. 1280 to 65535 sets the
                                       largest fragment of this socket's datagrams over IPv6
                                       (IPV6_MTU, ipv6(7)) and nothing else: IPv4 has no such
                                       option, an open IPv4 socket refuses it with ENOPROTOOPT, and
                                       a value that was set before has no effect there */
    PLX_OPTION_PROTOCOL,            /* TCP, UDP: 0 IPv4 only, 1 IPv6 only, 2 any [2] */
    PLX_OPTION_READ_LIMIT,          /* received bytes the library holds; at the limit it stops
                                       reading, and the peer has to wait; 0 is no limit */
    PLX_OPTION_WRITE_LIMIT,         /* queued bytes the library holds; at the limit write takes
                                       fewer; 0 is no limit */
    PLX_OPTION_CONNECT_TIMEOUT,     /* ms for connect with its lookup and its filters, and
                                       for filters as <pollux/filter.h> says; 0: no limit
                                       [30000] */
    PLX_OPTION_LINGER_TIMEOUT,      /* ms to send the queue after disconnect; 0: no limit [30000] */
    PLX_OPTION_IDLE_TIMEOUT,        /* ms without a byte in either direction that end a connection,
                                       with ETIMEDOUT, reason SOCKET_TIMEOUT; 0 is no limit. A byte
                                       sent over TCP counts once the peer has acknowledged it: a
                                       peer that vanishes while bytes are being sent is noticed
                                       after once to twice the time, however much is written. IPC
                                       and UDP have no acknowledgements: there a byte counts once
                                       the kernel has taken it. With IPC it is then in the peer's
                                       queue; with UDP it proves nothing about the peer. Bytes that
                                       reach the kernel while the program receives none (READ_LIMIT,
                                       PAUSE_READING) count, too. A halt of
                                       the process uses up a quarter of the time at most
                                       (<pollux/clock.h>) */
    PLX_OPTION_HALF_OPEN,           /* switch: when the peer ends its side, `end_of_input` is called
                                       and writing goes on; else the connection ends */
    PLX_OPTION_AUTO_CONNECT,        /* TCP, IPC, packets, switch: a connection made by connect that
                                       failed or was lost is tried again after 100 ms, doubled up to
                                       30 s, a quarter more or less, until disconnect, close, abort
                                       or 0. `error` reports each failure; the next attempt drops
                                       unread bytes. Until then the state is UNCONNECTED, and
                                       plx_socket_reconnects_in returns the time left */
    PLX_OPTION_ROUTER_HOPS,         /* UDP: routers a datagram may pass, 1 to 255 [32] */
    PLX_OPTION_SEND_TO_SELF,        /* UDP, switch: this computer receives its own multicast */
    PLX_OPTION_BROADCAST,           /* UDP, switch: sending to broadcast addresses is allowed [1] */
    PLX_OPTION_SHARE_ADDRESS,       /* TCP, UDP, switch: several sockets may be bound to one port */
    PLX_OPTION_MODE,                /* IPC, packets: permissions of the file, such as 0600; not for
                                       abstract names; 0 leaves them to the umask */
    PLX_OPTION_RECEIVE_HANDLES,     /* IPC, switch: descriptors are received (pollux/ipc.h); without
                                       it the kernel drops them */
    PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, /* TCP: ms that sent bytes may stay unacknowledged; then the
                                       connection ends with 102, ETIMEDOUT, reason SOCKET_TIMEOUT.
                                       The time also counts while the peer lives and takes nothing
                                       more, and for an attempt to connect. 0: the kernel's limit,
                                       some 15 minutes (TCP_USER_TIMEOUT, tcp(7)). Refused with
                                       ENOPROTOOPT where the kernel has no such option */
    PLX_OPTION_MULTICAST_HOPS,      /* UDP: routers a multicast datagram may pass, 0 to 255; 0 keeps
                                       it on this computer [that of ROUTER_HOPS, until it is set] */
    PLX_OPTION_PAUSE_READING,       /* switch: nothing is received. The peer may fill the buffers of
                                       the kernel and has to wait then; an end or a reset is noticed
                                       only when reading goes on, or when a send fails. A disconnect
                                       receives in any case, and filters go on establishing */
    PLX_OPTION_DIRECTION            /* 0 both; 1 receive only: every write is refused with
                                       PLX_INVALID_STATE, and what is queued leaves; 2 send only:
                                       what arrives, and what is unread, is dropped without an event;
                                       the peer's end is reported [0] */
} plx_option;

/* Values of PLX_OPTION_TYPE_OF_SERVICE: the eight classes of precedence (RFC 791, section 3.1),
 * which are today's class selectors (RFC 2474, section 4.2.2). Routers may ignore them; the two
 * highest are for routers. */
enum {
    PLX_SERVICE_ROUTINE = 0,
    PLX_SERVICE_PRIORITY = 32,
    PLX_SERVICE_IMMEDIATE = 64,
    PLX_SERVICE_FLASH = 96,
    PLX_SERVICE_FLASH_OVERRIDE = 128,
    PLX_SERVICE_CRITICAL = 160,
    PLX_SERVICE_INTERNETWORK_CONTROL = 192,
    PLX_SERVICE_NETWORK_CONTROL = 224
};

/* plx_socket_set_option sets an option. Returns 0; PLX_INVALID_STATE with reason
 * UNSUPPORTED_OPERATION for an option that is unknown, not for this kind or out of range;
 * ENOPROTOOPT where the kernel does not have the option; PLX_OUT_OF_MEMORY; or another errno. Unless
 * 0, nothing changed. */
PLX_API int plx_socket_set_option(plx_socket *socket, plx_option option, int value);

/* plx_socket_option returns the value of an option as it was set, or its default. While the socket
 * is open, what the kernel keeps is read from the kernel (except SHARE_ADDRESS), which may have
 * rounded it. Returns -1 when the option is unknown or not for this kind. */
PLX_API int plx_socket_option(const plx_socket *socket, plx_option option);

/* plx_option_name returns the name of an option without PLX_OPTION_, such as "KEEP_ALIVE", and NULL
 * for a number that is not an option. Static. */
PLX_API const char *plx_option_name(plx_option option);

/* plx_option_by_name returns the option of a name as plx_option_name writes it, in capital or small
 * letters, and -1 for any other string and for NULL: for options that are set by a file or by a
 * command line. */
PLX_API int plx_option_by_name(const char *name);

PLX_END_DECLS

#endif
