/* tests/test-process-hand.c -- a connection that goes on in another process, which got its
 * descriptor over a Unix socket (SCM_RIGHTS). test-handles-between.c does so within a process. */
#include "config.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/sockets.h"
#include "tests/world.h"

/* The other process: adopts what comes, answers one question, and ends the connection. */
static void take_over(plx_constructor *create, const char *where)
{
    plx_socket *line = plx_ipc_new(), *socket = create();
    int got;

    alarm(30);
    if (plx_socket_set_option(line, PLX_OPTION_RECEIVE_HANDLES, 1) != 0 ||
        plx_socket_connect_to(line, where) != 0 || !plx_socket_wait_for_data(line, 20000))
        _exit(1);
    got = plx_ipc_receive_handle(line);
    if (got < 0 || plx_socket_adopt(socket, got) != 0)
        _exit(2);
    while (plx_socket_bytes_available(socket) < 8)
        if (!plx_socket_wait(socket, 20000))
            _exit(3);
    if (plx_socket_write(socket, "answered", 8) != 8 || !plx_socket_wait_for_sent(socket, 20000))
        _exit(4);
    plx_socket_disconnect(socket);
    plx_socket_wait_for_disconnected(socket, 20000);
    _exit(0);
}

/* This process closes its descriptor, which ends nothing. */
KERNEL_PAIR_CASE(a_connection_goes_on_in_another_process)
{
    char place[WHERE_SIZE];
    plx_socket *line = world_socket_of(w, plx_ipc_new, NULL);
    int status = 0;
    pid_t child;

    snprintf(place, sizeof place, "%s/line", w->folder);
    ck_assert_int_eq(plx_socket_listen_on(line, place), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        take_over(w->kind->create, place);
    UNTIL(w, plx_socket_is_connected(line));
    ck_assert_int_eq(plx_ipc_send_handle(line, plx_socket_handle(socket)), 0);
    ck_assert_int_eq(plx_socket_write(line, "x", 1), 1);
    ck_assert(plx_socket_wait_for_sent(line, 20000));
    plx_socket_close(socket);
    raw_say(raw, "question");
    raw_expect(w, raw, "answered");
    raw_expect_end(w, raw);
    raw_close(w, raw);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status == 0, "%s: the other process: %d", world_name(w), status);
}

WORLD_MAIN("process-hand", .packets = true)
