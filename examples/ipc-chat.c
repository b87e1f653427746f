/* ipc-chat -- two copies of one program talk to each other, as in the manual of Xojo's IPCSocket.
 *
 * It shows one IPC socket that listens or connects, and a group inside another event loop: here
 * poll(2) waits for the keyboard and for the group at the same time.
 *
 * Try it, in two terminals:
 *     ./ipc-chat /tmp/chat               the first copy finds no listener and listens
 *     ./ipc-chat /tmp/chat               the second copy connects
 * Lines typed here appear there. When one copy ends (Ctrl-D or Ctrl-C) the other prints Error 102.
 * The other end may be any program:
 *     socat - UNIX-CONNECT:/tmp/chat     or: nc -U /tmp/chat
 *     socat - UNIX-LISTEN:/tmp/chat      and then: ./ipc-chat --connect /tmp/chat
 * It writes the other's lines to the standard output and everything else to the standard error, so
 * it can be used in a pipe. The exit status is 0 after a conversation, 1 without one, 2 for bad
 * arguments. */
#define _POSIX_C_SOURCE 200809L

#include <pollux.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* While this many bytes wait to be sent, the keyboard (or the pipe) has to wait, too. */
#define ENOUGH_QUEUED 65536

struct chat {
    plx_socket *socket;
    bool may_listen;  /* if nobody listens, this copy is the first */
    bool has_talked;  /* there was a connection */
    bool input_ended; /* nothing more will be typed */
    bool is_over;
};

static plx_group *group;
static volatile sig_atomic_t stopping;

/* Becomes the first one of the two. */
static void become_listener(struct chat *chat)
{
    int code = plx_socket_listen(chat->socket);
    if (code == PLX_ADDRESS_IN_USE) {
        /* Another copy has begun to listen a moment ago. */
        code = plx_socket_connect(chat->socket);
    } else if (code == PLX_OK) {
        fprintf(stderr, "nobody is there yet: listening on %s\n", plx_socket_path(chat->socket));
    }
    chat->is_over = code != PLX_OK;
}

static void on_connected(plx_socket *socket, void *user)
{
    struct chat *chat = user;
    chat->has_talked = true;
    plx_credentials peer = {-1, -1, -1};
    plx_ipc_peer_credentials(socket, &peer);
    fprintf(stderr, "connected with process %lld: type lines, end with Ctrl-D\n",
            (long long)peer.process);
}

static void on_data_available(plx_socket *socket, void *user)
{
    (void)user;
    size_t size = 0;
    const void *data = plx_socket_read_all(socket, &size);
    fwrite(data, 1, size, stdout);
    fflush(stdout);
}

/* The socket can be used again in this handler: it is the place to try something else. */
static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    (void)socket;
    struct chat *chat = user;
    if (error->reason == PLX_REASON_CONNECTION_REFUSED && chat->may_listen) {
        become_listener(chat);
        return;
    }
    fprintf(stderr, "Error %d: %s\n", error->code, error->message);
    chat->is_over = true;
}

static void on_disconnected(plx_socket *socket, void *user)
{
    (void)socket;
    struct chat *chat = user;
    chat->is_over = true;
}

static const plx_events events = {
    .connected = on_connected,
    .data_available = on_data_available,
    .error = on_error,
    .disconnected = on_disconnected,
};

/* The keyboard is read only while the socket is connected; before, lines wait in the terminal. */
static bool wants_input(const struct chat *chat)
{
    return !chat->input_ended && plx_socket_is_connected(chat->socket) &&
           plx_socket_bytes_left_to_send(chat->socket) < ENOUGH_QUEUED;
}

/* Called when poll(2) has reported that reading will not block. O_NONBLOCK is avoided: the shell
 * shares the terminal, and O_NONBLOCK would apply to the shell, too. */
static void take_input(struct chat *chat)
{
    char text[4096];
    ssize_t size = read(STDIN_FILENO, text, sizeof text);
    if (size > 0) {
        plx_socket_write(chat->socket, text, (size_t)size);
    } else if (size == 0 || errno != EINTR) {
        chat->input_ended = true;
        plx_socket_disconnect(chat->socket); /* sends what was typed first */
    }
}

/* How long poll(2) may sleep. A group has time-outs of its own, and work that no descriptor shows;
 * a group without a descriptor is polled fifty times a second. */
static int sleep_time(void)
{
    int deadline = plx_group_deadline(group);
    if (plx_group_handle(group) != PLX_NO_HANDLE || (deadline >= 0 && deadline < 20)) {
        return deadline;
    }
    return 20;
}

static void talk(struct chat *chat)
{
    while (!chat->is_over && !stopping) {
        struct pollfd watched[2] = {
            {.fd = wants_input(chat) ? STDIN_FILENO : -1, .events = POLLIN}, /* -1 is skipped */
            {.fd = plx_group_handle(group), .events = POLLIN},
        };
        poll(watched, 2, sleep_time());
        if (watched[0].revents != 0) {
            take_input(chat);
        }
        plx_group_poll(group, 0); /* calls the handlers and sends what was written */
    }
}

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
    plx_group_wake(group); /* makes the group's descriptor readable, which ends poll(2) */
}

/* SIGHUP reports that the terminal was closed. */
static void set_signals(void (*handler)(int))
{
    signal(SIGINT, handler);
    signal(SIGTERM, handler);
    signal(SIGHUP, handler);
}

static int run(const char *mode, const char *path)
{
    struct chat chat = {.socket = plx_ipc_new(), .may_listen = mode[0] == '\0'};
    group = plx_group_new();
    set_signals(on_signal);
    plx_socket_set_events(chat.socket, &events, &chat);
    int code = plx_group_add(group, chat.socket);
    if (code == PLX_OK) {
        bool listens = strcmp(mode, "--listen") == 0;
        code = listens ? plx_socket_listen_on(chat.socket, path)
                       : plx_socket_connect_to(chat.socket, path);
        if (listens && code == PLX_OK) {
            fprintf(stderr, "listening on %s\n", path);
        }
    }
    /* on_error also reports a call that failed, so all errors are printed in one place. */
    talk(&chat);
    plx_socket_free(chat.socket);
    set_signals(SIG_DFL);
    plx_group_free(group);
    return code == PLX_OK && chat.has_talked ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const char *mode = argc == 3 ? argv[1] : "";
    const char *path = argc > 1 ? argv[argc - 1] : "-";
    bool is_mode = strcmp(mode, "--listen") == 0 || strcmp(mode, "--connect") == 0;
    if (argc > 3 || (argc == 3 && !is_mode) || path[0] == '-' || path[0] == '\0') {
        fputs("usage: ipc-chat [--listen | --connect] path\n"
              "Without an option it connects, or listens if nobody else listens.\n",
              stderr);
        return 2;
    }
    return run(mode, path);
}
