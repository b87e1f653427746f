/* lib/socket/ending.c -- the steps in which a connection ends. */
#include "config.h"

#include "lib/base/clock.h"
#include "lib/os/clock.h"
#include "lib/socket/ending.h"

/* Milliseconds until the kernel is asked again for acknowledgements: doubled each time up to the
 * last. */
#define FIRST_LOOK 1
#define LAST_LOOK 50

/* The bits of `wake_at` that count the quarters of the linger time that are to follow. */
#define TO_FOLLOW ((uint64_t)3)

/* Rounds up, because no time-out may be over early. */
static void begin_quarter(plx_socket *socket, uint64_t to_follow)
{
    int limit = plx__option_value(socket->options, PLX_OPTION_LINGER_TIMEOUT);
    uint64_t quarter = (uint64_t)limit * PLX__MILLISECOND / 4;
    uint64_t end = plx__clock_add(plx__clock_now(), quarter + TO_FOLLOW);
    socket->wake_at = limit == 0 ? 0 : (end & ~TO_FOLLOW) | to_follow;
}

static void linger(plx_socket *socket)
{
    begin_quarter(socket, 3);
}

void plx__ending_when_connected(plx_socket *socket)
{
    socket->ending = PLX__END_WHEN_CONNECTED;
}

void plx__ending_by_us(plx_socket *socket)
{
    socket->ending = PLX__END_BY_US;
    linger(socket);
    plx__ending_has_arrived(socket);
}

void plx__ending_by_peer(plx_socket *socket)
{
    socket->ending = PLX__END_BY_PEER;
    linger(socket);
}

void plx__ending_drained(plx_socket *socket)
{
    socket->ending = PLX__END_DRAINED;
}

void plx__ending_restart(plx_socket *socket)
{
    if (socket->ending == PLX__END_BY_US || socket->ending == PLX__END_BY_PEER) {
        linger(socket);
    }
}

static bool is_due(const plx_socket *socket)
{
    return socket->wake_at != 0 && plx__clock_now() >= socket->wake_at;
}

bool plx__ending_is_late(const plx_socket *socket)
{
    return is_due(socket) && (socket->wake_at & TO_FOLLOW) == 0;
}

void plx__ending_look(plx_socket *socket)
{
    if (is_due(socket) && !plx__ending_is_late(socket)) {
        begin_quarter(socket, (socket->wake_at & TO_FOLLOW) - 1);
    }
}

bool plx__ending_has_arrived(plx_socket *socket)
{
    socket->unconfirmed = plx__socket_has_unconfirmed(socket);
    return !socket->unconfirmed;
}

void plx__ending_look_later(plx_socket *socket)
{
    unsigned next = plx__clock_back_off(socket->look_pause, FIRST_LOOK, LAST_LOOK);
    socket->look_pause = socket->out.size == 0 ? (uint8_t)next : 0;
}
