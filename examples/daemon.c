/* daemon -- a service that lives in one group: clients, signals, a beat and its standard input.
 *
 * It counts the lines of its clients, and answers each with its number. It shows that a daemon needs
 * no event loop beside Pollux: a server, timers and watches are members of one group, and
 * plx_group_poll sleeps until one of them has work.
 *
 * Try it:
 *     ./daemon /tmp/daemon 1000          prints a line about the clients each 1000 milliseconds
 * and in another terminal:
 *     socat - UNIX-CONNECT:/tmp/daemon   or: nc -U /tmp/daemon
 * SIGHUP begins to count again. SIGTERM and Ctrl-C end it: the clients get what was queued for them,
 * for two seconds at most. A line on its standard input prints how many lines there were. The exit
 * status is 0, 1 if it could not begin, 2 for bad arguments. */
#include <pollux.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

static plx_group *group;
static plx_server *server;
static plx_watch *signals, *input;
static plx_timer *beat, *end;
static int signal_descriptor;
static unsigned long lines;
static bool stopping, is_over;

/* ---- clients, timers ------------------------------------------------------------------------- */

static void on_line_available(plx_socket *client, void *user)
{
    char line[100], answer[32];
    (void)user;
    while (plx_socket_can_read_line(client) &&
           plx_socket_read_line(client, line, sizeof line) > 0) {
        snprintf(answer, sizeof answer, "%lu\n", ++lines);
        plx_socket_write_text(client, answer);
    }
}

static const plx_events client_events = {.line_available = on_line_available};

/* A poll that is late calls this once, and the next beat stays where it was. */
static void on_beat(plx_timer *timer, void *user)
{
    (void)timer;
    (void)user;
    printf("%zu clients\n", plx_server_active_count(server));
    is_over = stopping && plx_server_active_count(server) == 0;
}

static void on_end(plx_timer *timer, void *user)
{
    (void)timer;
    (void)user;
    is_over = true;
}

/* ---- descriptors: a watch reports that a read does not block --------------------------------- */

/* No new clients; each one that is there is sent what is queued for it. */
static void stop(void)
{
    puts("stopping");
    stopping = true;
    plx_server_stop_listening(server);
    plx_socket *client = NULL;
    while ((client = plx_server_next_active(server, client)) != NULL) {
        plx_socket_disconnect(client);
    }
    plx_timer_set(end, 2000, false);
    plx_timer_set(beat, 10, true); /* looks for the last client */
}

static void on_signal(plx_watch *watch, unsigned ready, void *user)
{
    struct signalfd_siginfo what;
    (void)watch;
    (void)ready;
    (void)user;
    if (read(signal_descriptor, &what, sizeof what) != (ssize_t)sizeof what) {
        return;
    }
    if (what.ssi_signo == SIGHUP) {
        puts("counting again");
        lines = 0;
    } else if (!stopping) {
        stop();
    }
}

static void on_input(plx_watch *watch, unsigned ready, void *user)
{
    char line[100];
    (void)ready;
    (void)user;
    if (read(STDIN_FILENO, line, sizeof line) > 0) {
        printf("%lu lines\n", lines);
    } else {
        plx_watch_set(watch, PLX_WANT_NOTHING); /* the end stays ready for ever */
    }
}

/* The signals are blocked, so that they are read from a descriptor. */
static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* ---- begin and end --------------------------------------------------------------------------- */

/* Returns 0 or a code. A call with an object that could not be made returns one, too. */
static int begin(const char *place, int milliseconds)
{
    group = plx_group_new();
    server = plx_server_new(plx_ipc_new);
    beat = plx_timer_new(on_beat, NULL);
    end = plx_timer_new(on_end, NULL);
    signal_descriptor = open_signals();
    signals = plx_watch_new(signal_descriptor, on_signal, NULL);
    input = plx_watch_new(STDIN_FILENO, on_input, NULL);
    plx_server_set_client_events(server, &client_events, NULL);
    plx_watch_set(input, PLX_WANT_READ);
    plx_group_add_watch(group, input); /* fails for a file and /dev/null, which does no harm */
    int code = plx_server_listen_on(server, place);
    code = code != 0 ? code : plx_group_add_server(group, server);
    code = code != 0 ? code : plx_watch_set(signals, PLX_WANT_READ);
    code = code != 0 ? code : plx_group_add_watch(group, signals);
    code = code != 0 ? code : plx_timer_set(beat, milliseconds, true);
    code = code != 0 ? code : plx_group_add_timer(group, beat);
    return code != 0 ? code : plx_group_add_timer(group, end);
}

int main(int count, char **arguments)
{
    int milliseconds = count > 2 ? atoi(arguments[2]) : 1000;
    if (count < 2 || count > 3 || milliseconds <= 0) {
        fprintf(stderr, "usage: daemon PLACE [MILLISECONDS]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    int code = begin(arguments[1], milliseconds);
    puts(code == 0 ? "ready" : plx_code_text(code));
    while (code == 0 && !is_over) {
        plx_group_poll(group, -1);
    }
    plx_watch_free(input);
    plx_watch_free(signals);
    plx_timer_free(end);
    plx_timer_free(beat);
    plx_server_free(server);
    plx_group_free(group);
    close(signal_descriptor);
    return code == 0 ? 0 : 1;
}
