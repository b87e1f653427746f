/* in-epoll -- a room for chat inside a loop of epoll(7) that has work of its own.
 *
 * Each line that somebody sends goes to all. It shows how a loop serves a group of Pollux: it waits
 * for the descriptor of the group, but not longer than the deadline of the group, and then polls
 * the group with 0. The loop's own work is a timer, which counts the guests each second, and
 * signals. in-glib.c and in-libuv.c are the same room in other loops.
 *
 * Try it:
 *     ./in-epoll localhost:7777
 * and in other terminals:
 *     nc localhost 7777
 *     ./blocking localhost:7777 hello
 * Ctrl-C or SIGTERM ends it. The exit status is 0, or 1 if it could not listen. */
#include <pollux.h>

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

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

static int open_timer(void)
{
    struct itimerspec each_second = {.it_interval.tv_sec = 1, .it_value.tv_sec = 1};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    timerfd_settime(timer, 0, &each_second, NULL);
    return timer;
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void watch(int loop, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event); /* refuses PLX_NO_HANDLE, see patience */
}

static void run(int loop, int timer, int signals)
{
    for (;;) {
        struct epoll_event events[3];
        uint64_t seconds;
        int count = epoll_wait(loop, events, 3, patience());
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == signals) {
                return;
            }
            if (events[i].data.fd == timer && read(timer, &seconds, sizeof seconds) > 0) {
                say_count();
            }
        }
        plx_group_poll(group, 0); /* also sends what the loop's own work has written */
    }
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a log is written line by line, also into a file */
    if (!open_room(argc > 1 ? argv[1] : "localhost:7777")) {
        close_room();
        return 1;
    }
    int loop = epoll_create1(EPOLL_CLOEXEC), timer = open_timer(), signals = open_signals();
    watch(loop, plx_group_handle(group));
    watch(loop, timer);
    watch(loop, signals);
    run(loop, timer, signals);
    close(signals);
    close(timer);
    close(loop);
    close_room();
    return 0;
}
