/* tests/test-watch-refused.c -- a poller that refuses to watch: the call that needed it stays harmless, and
 * the next poll reports the end with its reason.
 *
 * seccomp(2) makes epoll_ctl(2) fail from the middle of a case on. Sockets that are polled alone
 * and groups on poll(2) have nothing that could fail so. */
#include "config.h"

#include <errno.h>
#include <sys/syscall.h>

#include "tests/datagrams.h"
#include "tests/suite.h"
#include "tests/world.h"

enum { EPOLL_ADD = 1 };

static bool refuse_new_watches(const struct world *w)
{
    (void)w;
#ifdef SYS_epoll_ctl
    if (w->mode == MODE_EPOLL || w->mode == MODE_URING)
        return kernel_denies(SYS_epoll_ctl, EPOLL_ADD, ENOSPC);
#endif
    return false;
}

/* A full buffer is not watched; reading from it needs the watch back.
 * For streams only: READ_LIMIT cuts no packet, and unread refuses one. */
STREAM_PAIR_CASE(a_read_never_ends_the_connection)
{
    char bytes[16];

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 4), 0);
    raw_say(raw, "abcdefgh");
    UNTIL(w, plx_socket_bytes_available(socket) == 4);
    world_settle(w);
    record_clear(log);
    if (!refuse_new_watches(w))
        return;
    ck_assert_int_eq(plx_socket_read(socket, bytes, 2), 2);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 2);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 100), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    ck_assert_int_eq(plx_socket_unread(socket, "xy", 2), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    LOGGED(w, log, "");
    world_poll(w);
    world_poll(w);
    LOGGED(w, log, "state:UNCONNECTED error(28,14)[UNCONNECTED] disconnected[UNCONNECTED]");
    ck_assert_int_eq(log->os_error, ENOSPC);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 4);
}

SOCKET_CASE(listening_fails_at_once)
{
    char place[WHERE_SIZE];
    plx_server *server = world_server(w);

    world_place(w, place);
    if (!refuse_new_watches(w))
        return;
    ck_assert_int_eq(plx_socket_listen_on(socket, place), ENOSPC);
    ck_assert(!plx_socket_is_listening(socket));
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    world_poll(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(plx_server_listen_on(server, place), ENOSPC);
    ck_assert(!plx_server_is_listening(server));
    ck_assert_int_eq(plx_server_error(server)->os_error, ENOSPC);
}

SOCKET_CASE(connecting_fails_with_the_reason)
{
    raw_listen(w, 5, where);
    if (!refuse_new_watches(w))
        return;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log->os_error, ENOSPC);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

WORLD_MAIN("watch-refused", .packets = true)
