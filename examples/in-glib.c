/* in-glib -- a room for chat inside the main loop of GLib (and so of GTK), which has work of its own.
 *
 * Each line that somebody sends goes to all. It shows a GSource that serves a group of Pollux: GLib
 * asks it before it sleeps (prepare) and after (check), and then lets it work (dispatch). The
 * loop's own work is a time-out, which counts the guests each second, and signals. in-epoll.c and
 * in-libuv.c are the same room in other loops.
 *
 * Try it:
 *     ./in-glib localhost:7777
 * and in other terminals:
 *     nc localhost 7777
 *     ./blocking localhost:7777 hello
 * Ctrl-C or SIGTERM ends it. The exit status is 0, or 1 if it could not listen. */
#include <pollux.h>

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>

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

static gpointer tag; /* of the descriptor in the source; NULL: there is none */

/* Before the loop sleeps: how long it may, and whether there is work already. */
static gboolean prepare(GSource *source, gint *ret_timeout)
{
    (void)source;
    *ret_timeout = patience();
    return *ret_timeout == 0;
}

/* After it slept: whether there is work. GLib wakes itself after it has dispatched a source that has
 * a descriptor, so a source that always has work would keep it awake. */
static gboolean check(GSource *source)
{
    return tag == NULL || g_source_query_unix_fd(source, tag) != 0 ||
           plx_group_deadline(group) == 0;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer user)
{
    (void)source;
    (void)callback;
    (void)user;
    plx_group_poll(group, 0);
    return G_SOURCE_CONTINUE;
}

static GSource *attach_group(void)
{
    static GSourceFuncs functions = {.prepare = prepare, .check = check, .dispatch = dispatch};
    GSource *source = g_source_new(&functions, sizeof *source);
    if (plx_group_handle(group) != PLX_NO_HANDLE) {
        tag = g_source_add_unix_fd(source, plx_group_handle(group), G_IO_IN);
    }
    g_source_attach(source, NULL);
    return source;
}

static gboolean on_second(gpointer user)
{
    (void)user;
    say_count(); /* prepare reports that there is something to send */
    return G_SOURCE_CONTINUE;
}

static gboolean on_signal(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a log is written line by line, also into a file */
    if (!open_room(argc > 1 ? argv[1] : "localhost:7777")) {
        close_room();
        return 1;
    }
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GSource *source = attach_group();
    g_timeout_add_seconds(1, on_second, NULL);
    g_unix_signal_add(SIGINT, on_signal, loop);
    g_unix_signal_add(SIGTERM, on_signal, loop);
    g_main_loop_run(loop);
    g_source_destroy(source); /* the descriptor is the group's, which is freed after it */
    g_source_unref(source);
    g_main_loop_unref(loop);
    close_room();
    return 0;
}
