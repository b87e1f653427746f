/* lib/kind/seqpacket.c -- Unix-domain sockets of packets, between programs on one computer. */
#include "config.h"

#include "lib/endpoint/path.h"
#include "lib/socket/options.h"
#include "lib/socket/records.h"
#include "lib/socket/state.h"
#include "lib/transfer/packet.h"
#include "lib/transfer/stream.h"

#include <pollux/seqpacket.h>

static const struct plx_kind seqpacket = {
    .name = "SEQPACKET",
    .endpoint = &plx__path_endpoint,
    .transport = &plx__packet_transport,
    .unopened = PLX__NOT_CONNECTED,
    .size = sizeof(struct plx__record_socket),
    .options = PLX__OPTIONS_OF_SOCKETS | PLX__OPTION(MODE) | PLX__OPTION(AUTO_CONNECT),
};

plx_socket *plx_seqpacket_new(void)
{
    return plx__socket_new(&seqpacket);
}
