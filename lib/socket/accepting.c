/* lib/socket/accepting.c -- whether a listening socket accepts connections. */
#include "config.h"

#include "lib/base/clock.h"
#include "lib/os/clock.h"
#include "lib/socket/accepting.h"

/* Milliseconds from a failure of accept(2) or recvmmsg(2) to the next try. */
#define PAUSE 100

static void stop(plx_socket *socket, enum plx__accepting accepting, uint64_t until)
{
    socket->watch.ready = 0;
    if (socket->accepting != PLX__HELD) {
        socket->accepting = (uint8_t)accepting;
        socket->wake_at = until;
    }
}

static void go_on(plx_socket *socket)
{
    socket->accepting = PLX__ACCEPTING;
    socket->wake_at = 0;
    /* The poller may have reported a waiting connection before the pause: it does not repeat
     * that. */
    socket->watch.ready |= PLX__READ;
}

void plx__accepting_pause(plx_socket *socket)
{
    stop(socket, PLX__PAUSED_FOR_A_WHILE, plx__clock_after(plx__clock_now(), PAUSE));
}

void plx__accepting_stop(plx_socket *socket)
{
    stop(socket, PLX__PAUSED_UNTIL_ROOM, 0);
}

void plx__accepting_hold(plx_socket *socket)
{
    stop(socket, PLX__HELD, 0);
}

void plx__accepting_release(plx_socket *socket)
{
    if (socket->accepting == PLX__HELD) {
        go_on(socket);
    }
}

bool plx__accepting_resume(plx_socket *socket)
{
    bool waits = socket->accepting != PLX__ACCEPTING && socket->accepting != PLX__HELD;
    if (waits) {
        go_on(socket);
    }
    return waits;
}

void plx__accepting_continue(plx_socket *socket)
{
    if (socket->accepting == PLX__PAUSED_FOR_A_WHILE && plx__clock_now() >= socket->wake_at) {
        plx__accepting_resume(socket);
    }
}
