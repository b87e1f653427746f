/* tests/test-seqpacket-end.c -- packets that the kernel hides behind the end of the connection.
 *
 * unix_dgram_recvmsg of Linux looks at the queue first, and then whether the peer has ended: packets and
 * an end that arrive in between are reported in the wrong order. recv(2) of this program does the same. */
#include "config.h"

#include <sys/socket.h>
#include <sys/types.h>

#include "tests/sockets.h"
#include "tests/world.h"

static int early_ends; /* how many looks at the next packet are still to find an end */

ssize_t recv(int descriptor, void *data, size_t size, int flags)
{
    if ((flags & MSG_PEEK) != 0 && early_ends > 0) {
        early_ends--;
        return 0;
    }
    return recvfrom(descriptor, data, size, flags, NULL, NULL);
}

/* `count` packets of that size, and then the end. */
static void end_behind(struct world *w, plx_socket *socket, struct record *log, int raw, size_t size,
                       int count)
{
    static char bytes[100000];
    size_t got;

    ck_assert_uint_le(size, sizeof bytes);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(send(raw, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
    raw_end(raw);
    early_ends = 1;
    for (int i = 0; i < count; i++) {
        UNTIL(w, plx_socket_can_read_message(socket));
        plx_socket_read_message(socket, &got);
        ck_assert_uint_eq(got, size);
    }
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(early_ends, 0);
    ck_assert(!plx_socket_can_read_message(socket));
}

MODE_PAIR_CASE(a_packet_is_kept_behind_an_early_end)
{
    end_behind(w, socket, log, raw, 8, 1);
}

MODE_PAIR_CASE(large_packets_are_whole_behind_an_early_end)
{
    end_behind(w, socket, log, raw, 100000, 2);
}

MODE_PAIR_CASE(an_end_without_packets_is_an_end)
{
    end_behind(w, socket, log, raw, 8, 0);
}

WORLD_MAIN("seqpacket-end", .kind = "seqpacket")
