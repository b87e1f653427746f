/* tests/fail/tls.c -- scenarios of TLS, in the place of scenarios.c. See play.h. */
#include "config.h"

#include "tests/fail/bodies.h"
#include "tests/tls/rows.h"

/* Both sides encrypt a connection that began in clear; the one that waits first. */
static void run_start_tls(struct play *p)
{
    enum { LITTLE = 100 };

    LOG(p, B)->swallow = true;
    STEP(p, play_couple(p));
    TRY(p, B, plx_socket_start_tls(p->sockets[B], tls_settings(13, true)));
    TRY(p, A, plx_socket_start_tls(p->sockets[A], tls_settings(13, false)));
    STEP(p, play_write(p, A, 0, LITTLE));
    AWAIT(p, LOG(p, B)->swallowed == LITTLE);
    TRY(p, A, plx_socket_disconnect(p->sockets[A]));
    AWAIT(p, COUNT(p, A, DISCONNECTED) == 1 && COUNT(p, B, DISCONNECTED) == 1);
}

const struct scenario scenarios[] = {
    {.name = "connect", .kind = "tls12 tcp", .run = run_connect},
    {.name = "connect", .kind = "tls13 ipc", .run = run_connect},
    {.name = "transfer", .kind = "tls13 tcp", .run = run_transfer},
    {.name = "disconnect", .kind = "tls12 ipc", .run = run_disconnect},
    {.name = "goodbye", .kind = "tls13 tcp", .run = run_goodbye},
    {.name = "serve", .kind = "tls13 tcp", .run = run_serve},
    {.name = "start TLS", .kind = "tcp", .run = run_start_tls},
};

const int scenario_count = sizeof scenarios / sizeof scenarios[0];
