/* in-libuv -- a room for chat inside a loop of libuv, which has work of its own.
 *
 * Each line that somebody sends goes to all. It shows a group of Pollux as three handles of libuv:
 * its descriptor (uv_poll_t), its deadline (uv_timer_t), and the moment before the loop sleeps, in
 * which the deadline is asked for (uv_prepare_t). The loop's own work is another timer, which
 * counts the guests each second, and signals. in-epoll.c and in-glib.c are the same room in other
 * loops.
 *
 * Try it:
 *     ./in-libuv localhost:7777
 * and in other terminals:
 *     nc localhost 7777
 *     ./blocking localhost:7777 hello
 * Ctrl-C or SIGTERM ends it. The exit status is 0, or 1 if it could not listen. */
#include <pollux.h>

#include <signal.h>
#include <stdio.h>
#include <uv.h>

static plx_group *group;
static plx_server *room;

/* ---- the room: the same in each loop --------------------------------------------------------- */

static void on_line_available(plx_socket *client, void *user)
{
    char line[512];
    ptrdiff_t size;
    (void)user;
    while ((size = plx_socket_read_line(client, line, sizeof line)) > 0) {
        plx_server_write_all(room, line, (size_t)size);
    }
}

static void say_count(void)
{
    char line[64];
    int size = snprintf(line, sizeof line, "%zu in the room\n", plx_server_active_count(room));
    plx_server_write_all(room, line, (size_t)size);
    fputs(line, stdout);
}

static bool open_room(const char *where)
{
    static const plx_events events = {.line_available = on_line_available};
    group = plx_group_new();
    room = plx_server_new(plx_tcp_new);
    plx_server_set_client_events(room, &events, NULL);
    if (plx_group_add_server(group, room) != 0 || plx_server_listen_on(room, where) != 0) {
        fprintf(stderr, "%s\n", plx_server_error(room)->message);
        return false;
    }
    printf("listening on port %d\n", plx_server_port(room));
    return true;
}

static void close_room(void)
{
    plx_server_free(room);
    plx_group_free(group);
}

/* In how many milliseconds the group must be polled, -1 for never. A group that polls by poll(2)
 * has no descriptor to wait for: then each 10 milliseconds. */
static int patience(void)
{
    int deadline = plx_group_deadline(group);
    bool can_wait = plx_group_handle(group) != PLX_NO_HANDLE || (deadline >= 0 && deadline < 10);
    return can_wait ? deadline : 10;
}

/* ---- the loop --------------------------------------------------------------------------------- */

static uv_poll_t readable;
static uv_timer_t due;
static uv_prepare_t before;

static void on_readable(uv_poll_t *handle, int status, int events)
{
    (void)handle;
    (void)status;
    (void)events;
    plx_group_poll(group, 0);
}

static void on_due(uv_timer_t *handle)
{
    (void)handle;
    plx_group_poll(group, 0);
}

/* Before the loop sleeps. The deadline is asked for anew, because handlers may have moved it. */
static void on_before(uv_prepare_t *handle)
{
    int deadline = patience();
    (void)handle;
    if (deadline < 0) {
        uv_timer_stop(&due);
    } else {
        uv_timer_start(&due, on_due, (uint64_t)deadline, 0);
    }
}

static void attach_group(uv_loop_t *loop)
{
    if (plx_group_handle(group) != PLX_NO_HANDLE) {
        uv_poll_init(loop, &readable, plx_group_handle(group));
        uv_poll_start(&readable, UV_READABLE, on_readable);
    }
    uv_timer_init(loop, &due);
    uv_prepare_init(loop, &before);
    uv_prepare_start(&before, on_before);
}

static void on_second(uv_timer_t *handle)
{
    (void)handle;
    say_count(); /* on_before learns that there is something to send */
}

static void close_handle(uv_handle_t *handle, void *user)
{
    (void)user;
    uv_close(handle, NULL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    uv_walk(handle->loop, close_handle, NULL); /* a loop without handles ends */
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t second;
    uv_signal_t interrupt, terminate;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a log is written line by line, also into a file */
    if (!open_room(argc > 1 ? argv[1] : "localhost:7777")) {
        close_room();
        return 1;
    }
    attach_group(loop);
    uv_timer_init(loop, &second);
    uv_timer_start(&second, on_second, 1000, 1000);
    uv_signal_init(loop, &interrupt);
    uv_signal_start(&interrupt, on_signal, SIGINT);
    uv_signal_init(loop, &terminate);
    uv_signal_start(&terminate, on_signal, SIGTERM);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    close_room();
    return 0;
}
