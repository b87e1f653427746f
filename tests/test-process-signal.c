/* tests/test-process-signal.c -- SIGPIPE never comes.
 *
 * The library blocks and ignores no signal. Here SIGPIPE has its default action, which would end
 * the test. test-process-storm.c has signals that do come. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/sockets.h"
#include "tests/world.h"

static void expect_default(void)
{
    struct sigaction action;
    sigset_t blocked;

    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &blocked), 0);
    ck_assert_int_eq(sigismember(&blocked, SIGPIPE), 0);
}

/* Check may have inherited another action. */
static void begin_default(void)
{
    sigset_t pipes;

    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &pipes, NULL), 0);
    ck_assert(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    plx_socket_free(plx_tcp_new());
    plx_group_free(plx_group_new());
    expect_default();
}

static char much[256 * 1024];

static void write_and_flush(struct world *w, plx_socket *socket)
{
    (void)w;
    for (int i = 0; i < 3; i++) {
        plx_socket_write(socket, much, 5);
        plx_socket_flush(socket);
    }
}

static void write_and_poll(struct world *w, plx_socket *socket)
{
    for (int i = 0; i < 3; i++) {
        plx_socket_write(socket, much, 5);
        world_poll(w);
    }
}

static void write_much(struct world *w, plx_socket *socket)
{
    size_t size = w->kind->keeps_boundaries ? PACKET : sizeof much;

    for (int i = 0; i < 3; i++)
        plx_socket_write(socket, much, size);
}

static void write_and_close(struct world *w, plx_socket *socket)
{
    write_much(w, socket);
    plx_socket_write(socket, much, 5);
    plx_socket_close(socket);
}

static void write_and_disconnect(struct world *w, plx_socket *socket)
{
    write_much(w, socket);
    plx_socket_disconnect(socket);
    world_settle(w);
}

/* What filters send is their goodbye. */
static void only_disconnect(struct world *w, plx_socket *socket)
{
    plx_socket_disconnect(socket);
    world_settle(w);
}

static void write_and_wait(struct world *w, plx_socket *socket)
{
    write_much(w, socket);
    plx_socket_wait_for_sent(socket, 20);
}

static void write_and_abort(struct world *w, plx_socket *socket)
{
    write_much(w, socket);
    plx_socket_abort(socket);
}

typedef void farewell(struct world *w, plx_socket *socket);

static farewell *const farewells[] = {write_and_flush, write_and_poll,       write_much,
                                      write_and_close, write_and_disconnect, only_disconnect,
                                      write_and_wait,  write_and_abort};

static void vanish(struct world *w, int raw, int how)
{
    switch (how) {
    case 0: raw_close(w, raw); break;
    case 1: raw_reset(w, raw); break;
    default: ck_assert_int_eq(shutdown(raw, SHUT_RDWR), 0); break;
    }
}

/* By each call that sends, to a peer that closed, reset or shut down: noticed before or not. */
CASE(no_call_raises_sigpipe)
{
    begin_default();
    for (size_t i = 0; i < sizeof farewells / sizeof farewells[0]; i++)
        for (int how = 0; how < 6; how++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            int raw = world_pair(w, socket, &log);

            log.mute = ~0u;
            vanish(w, raw, how % 3);
            if (how >= 3)
                world_poll(w);
            farewells[i](w, socket);
            expect_default();
            if (how % 3 == 2)
                raw_close(w, raw);
            UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
            world_free(w, socket);
        }
}

/* A client's bytes, and those of a socket that nobody polls any more. */
CASE(no_client_raises_sigpipe)
{
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];

    begin_default();
    world_serve(w, server, where);
    for (int how = 0; how < 2; how++) {
        int raw = raw_connect(w, where);
        plx_socket *client;

        UNTIL(w, (client = plx_server_next_active(server, NULL)) != NULL &&
                     plx_socket_is_connected(client));
        vanish(w, raw, how);
        write_much(w, client);
        plx_socket_flush(client);
        if (w->group != NULL)
            plx_group_flush(w->group);
        UNTIL(w, plx_server_active_count(server) == 0);
    }
    expect_default();
}

/* sendmsg(2) with descriptors is another path than send(2). */
MODE_CASE(no_descriptor_raises_sigpipe)
{
    begin_default();
    w->kind = &kinds[1];
    for (int how = 0; how < 6; how++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, plx_ipc_new, &log);
        int raw = world_pair(w, socket, &log), file = open("/dev/null", O_RDONLY | O_CLOEXEC);

        log.mute = ~0u;
        vanish(w, raw, how % 3);
        if (how >= 3)
            world_poll(w);
        plx_ipc_send_handle(socket, file);
        plx_socket_write(socket, "x", 1);
        plx_socket_flush(socket);
        close(file);
        if (how % 3 == 2)
            raw_close(w, raw);
        UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
        world_free(w, socket);
    }
    expect_default();
}

WORLD_MAIN("process-signal", .packets = true, .filtered = true)
