/* pollux/seqpacket.h -- packets between programs on one computer, over a Unix socket (SOCK_SEQPACKET).
 *
 * As pollux/ipc.h, with the same paths, "@names", files and modes, and with a connection; but what one
 * write wrote is one packet, which is delivered whole, in order and never merged with another. No
 * frame has to be set for that (plx_socket_set_frame is refused), and nothing is lost: who does not
 * read makes the sender wait.
 *
 * plx_socket_write and plx_socket_write_message queue one packet, or nothing (0, or EAGAIN) at
 * PLX_OPTION_WRITE_LIMIT; plx_socket_read, plx_socket_read_all and plx_socket_read_message take one.
 * What plx_socket_read has no place for is lost, as with UDP. The calls for what splits or joins
 * (read_exact, read_line, unread) are refused. Packets are told by data_available and
 * message_available; of what leaves there is send_complete and no send_progress.
 *
 * An empty packet cannot be told from the end by most receivers: to write one is refused with
 * PLX_INVALID_STATE (reason UNSUPPORTED_OPERATION). One that somebody else sends is received, unless it
 * is the last before the end. How large a packet may be is up to the sender's system: on Linux 32 bytes
 * less than its send buffer has (PLX_OPTION_SEND_BUFFER_SIZE), as a rule 212960. A larger one is told
 * by `error` (EMSGSIZE, reason DATAGRAM_TOO_LARGE) when it is its turn, and dropped; the connection goes
 * on. PLX_OPTION_READ_LIMIT cuts none: no more are taken once it is reached. */
#ifndef POLLUX_SEQPACKET_H
#define POLLUX_SEQPACKET_H

#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_seqpacket_new makes an unconnected socket of packets. You free it with plx_socket_free. NULL only
 * for want of memory. */
PLX_API plx_socket *plx_seqpacket_new(void);

PLX_END_DECLS

#endif
