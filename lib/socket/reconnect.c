/* lib/socket/reconnect.c -- when to connect again after the end, PLX_OPTION_AUTO_CONNECT. */
#include "config.h"

#include "lib/os/clock.h"
#include "lib/socket/options.h"
#include "lib/socket/reconnect.h"

/* Milliseconds of the first pause, doubled for each further one up to the last. */
#define FIRST_PAUSE 100
#define LAST_PAUSE 30000

/* Up to a quarter more or less, so that a thousand clients of a restarted server do not all connect
 * in the same moment. Weak random numbers suffice for that: no two clients read the kernel's clock
 * in the same nanosecond. Where the program has a clock of its own, two runs have the same pauses,
 * which the address of the socket or getrandom(2) would prevent; there the sockets differ by what
 * they have received and sent. */
static unsigned jitter(const plx_socket *socket, uint64_t now, unsigned pause)
{
    uint64_t mixed = (now ^ (socket->bytes_received << 32) ^ socket->bytes_sent) *
                     UINT64_C(0x9e3779b97f4a7c15);
    return pause - pause / 4 + (unsigned)(mixed >> 40) % (pause / 2);
}

void plx__reconnect_arm(plx_socket *socket)
{
    socket->reconnect = PLX__RECONNECT_ARMED;
}

void plx__reconnect_wait(plx_socket *socket)
{
    struct plx__option_notes *notes = &socket->options->notes; /* AUTO_CONNECT was set */
    unsigned pause = plx__clock_back_off(notes->last_pause, FIRST_PAUSE, LAST_PAUSE);
    uint64_t now = plx__clock_now();
    socket->wake_at = plx__clock_after(now, (int)jitter(socket, now, pause));
    notes->last_pause = (uint16_t)pause;
    socket->reconnect = PLX__RECONNECT_WAITING;
}

bool plx__reconnect_is_due(const plx_socket *socket)
{
    return socket->reconnect == PLX__RECONNECT_WAITING && socket->pending == 0 &&
           plx__clock_now() >= socket->wake_at;
}

int plx_socket_reconnects_in(const plx_socket *socket)
{
    bool waits = socket != NULL && socket->reconnect == PLX__RECONNECT_WAITING;
    return waits ? plx__milliseconds_until(socket->wake_at, plx__clock_now()) : -1;
}
