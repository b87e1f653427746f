/* pollux/seqpacket.h -- packets between programs on one computer, over Unix sockets.
 *
 * A packet socket (SOCK_SEQPACKET) is connected and uses the paths, "@names", files and modes of
 * pollux/ipc.h. Each write sends one packet, which the kernel delivers whole, in order and never
 * merged with another. No frame is needed (plx_socket_set_frame is refused), and nothing is lost:
 * when the receiver does not read, the sender waits.
 *
 * plx_socket_write and plx_socket_write_message queue one packet, or nothing (0, or EAGAIN) at
 * PLX_OPTION_WRITE_LIMIT. plx_socket_read, plx_socket_read_all and plx_socket_read_message take one
 * packet. Bytes that do not fit into the buffer of plx_socket_read are lost, as with UDP. The calls
 * that split or join bytes (read_exact, read_line, unread) are refused. data_available and
 * message_available report packets that arrived; send_complete reports that the queue is empty, and
 * there is no send_progress.
 *
 * Most receivers cannot distinguish an empty packet from the end of the connection: writing one is
 * refused with PLX_INVALID_STATE (reason UNSUPPORTED_OPERATION). An empty packet from another
 * program is received, unless it is the last before the end. The sender's kernel limits the size of
 * a packet, on Linux to 32 bytes less than the send buffer (PLX_OPTION_SEND_BUFFER_SIZE), by
 * default to 212960 bytes. A larger packet is dropped at its turn and reported by `error`
 * (EMSGSIZE, reason DATAGRAM_TOO_LARGE); the connection goes on. PLX_OPTION_READ_LIMIT never cuts a
 * packet: once the limit is reached, no more packets are received. */
#ifndef POLLUX_SEQPACKET_H
#define POLLUX_SEQPACKET_H

#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_seqpacket_new makes an unconnected packet socket. You free it with plx_socket_free. Returns
 * NULL only when there is no memory. */
PLX_API plx_socket *plx_seqpacket_new(void);

PLX_END_DECLS

#endif
