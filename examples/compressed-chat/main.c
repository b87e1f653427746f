/* compressed-chat -- a room in which people chat; everything on the wire is compressed.
 *
 * It shows a filter of one's own (deflate.c) on a server's clients and on a lone socket, messages
 * that are lines, and limits that hold however small the compressed bytes were.
 *
 * Build it outside Pollux with make in this folder, or
 *     cc main.c deflate.c -o compressed-chat $(pkg-config --cflags --libs pollux zlib)
 * Try it, each in a terminal of its own:
 *     ./compressed-chat --serve          the room, at 127.0.0.1:7778
 *     ./compressed-chat ann              somebody in it, and so on
 *     ./compressed-chat bob host:port
 * Lines typed in one terminal appear in the others. Ctrl-D leaves, and prints how much the filter
 * has saved. What others say is printed to the standard output, everything else to the standard
 * error. The exit status is 0 after a conversation, 1 without one or after an error, 2 for bad
 * arguments. */
#define _POSIX_C_SOURCE 200809L

#include "deflate.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The longest line, and how many bytes of one client may wait: received, and queued for it. */
#define LONGEST_LINE 4096
#define LIMIT 65536

static plx_group *group;
static volatile sig_atomic_t stopping;

static const plx_frame lines = {.delimiter = "\n", .delimiter_size = 1, .maximum = LONGEST_LINE};

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
    plx_group_wake(group);
}

/* ---- the room -------------------------------------------------------------------------------- */

/* A client that does not read misses what does not fit below its limit. */
static void say_to_others(plx_server *server, const plx_socket *speaker, const void *line,
                          size_t size)
{
    plx_socket *client = NULL;
    while ((client = plx_server_next_active(server, client)) != NULL) {
        if (client != speaker && plx_socket_is_connected(client)) {
            plx_socket_write_message(client, line, size);
        }
    }
}

static void on_line(plx_socket *client, void *user)
{
    size_t size;
    const void *line;
    while ((line = plx_socket_read_message(client, &size)) != NULL) {
        say_to_others(user, client, line, size);
    }
}

/* Error 102 without more to say is how every conversation ends. */
static void on_client_error(plx_socket *client, const plx_error *error, void *user)
{
    (void)client;
    (void)user;
    if (error->reason != PLX_REASON_REMOTE_HOST_CLOSED) {
        fprintf(stderr, "a client: Error %d: %s\n", error->code, error->message);
    }
}

static void on_client_gone(plx_socket *client, void *user)
{
    struct deflate_count count = deflate_count(plx_socket_filter(client, &deflate_filter));
    (void)user;
    fprintf(stderr, "a client has left: %lu bytes, %lu on the wire\n", count.program,
            count.network);
}

static int compress(plx_socket *client, void *user)
{
    (void)user;
    return plx_socket_push_filter(client, &deflate_filter) != NULL ? 0 : PLX_OUT_OF_MEMORY;
}

static plx_server *room_new(void)
{
    static const plx_events events = {
        .message_available = on_line,
        .error = on_client_error,
        .disconnected = on_client_gone,
    };
    plx_server *server = plx_server_new(plx_tcp_new);
    plx_server_set_client_events(server, &events, server);
    plx_server_set_frame(server, &lines);
    plx_server_set_option(server, PLX_OPTION_READ_LIMIT, LIMIT);
    plx_server_set_option(server, PLX_OPTION_WRITE_LIMIT, LIMIT);
    plx_server_add_filter(server, compress, NULL, NULL);
    return server;
}

static int serve(const char *where)
{
    plx_server *server = room_new();
    bool listens = plx_group_add_server(group, server) == PLX_OK &&
                   plx_server_listen_on(server, where) == PLX_OK;
    if (listens) {
        fprintf(stderr, "listening on port %d\n", plx_server_port(server));
    } else if (server != NULL) {
        fprintf(stderr, "compressed-chat: %s\n", plx_server_error(server)->message);
    }
    while (listens && !stopping) {
        plx_group_poll(group, -1);
    }
    plx_server_free(server);
    return listens ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- somebody in the room -------------------------------------------------------------------- */

struct guest {
    plx_socket *socket;
    bool input_ended, has_talked, has_failed, is_over;
};

static void on_connected(plx_socket *socket, void *user)
{
    struct guest *guest = user;
    (void)socket;
    guest->has_talked = true;
    fprintf(stderr, "connected: type lines, leave with Ctrl-D\n");
}

static void on_data_available(plx_socket *socket, void *user)
{
    size_t size;
    const void *data = plx_socket_read_all(socket, &size);
    (void)user;
    fwrite(data, 1, size, stdout);
    fflush(stdout);
}

static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct guest *guest = user;
    (void)socket;
    fprintf(stderr, "Error %d: %s\n", error->code, error->message);
    guest->is_over = guest->has_failed = true;
}

static void on_disconnected(plx_socket *socket, void *user)
{
    struct guest *guest = user;
    struct deflate_count count = deflate_count(plx_socket_filter(socket, &deflate_filter));
    fprintf(stderr, "%lu bytes, %lu on the wire\n", count.program, count.network);
    guest->is_over = true;
}

/* Called when poll(2) has reported that reading will not block. */
static void take_input(struct guest *guest)
{
    char text[LIMIT / 4];
    ssize_t size = read(STDIN_FILENO, text, sizeof text);
    if (size > 0) {
        plx_socket_write(guest->socket, text, (size_t)size);
    } else if (size == 0 || errno != EINTR) {
        guest->input_ended = true;
        plx_socket_disconnect(guest->socket); /* sends what was typed, and the filter's goodbye */
    }
}

static bool wants_input(const struct guest *guest)
{
    return !guest->input_ended && plx_socket_is_connected(guest->socket) &&
           plx_socket_bytes_left_to_send(guest->socket) < LIMIT;
}

static int sleep_time(void)
{
    int deadline = plx_group_deadline(group);
    bool is_blind = plx_group_handle(group) == PLX_NO_HANDLE && (deadline < 0 || deadline > 20);
    return is_blind ? 20 : deadline;
}

static void talk(struct guest *guest)
{
    while (!guest->is_over && !stopping) {
        struct pollfd watched[2] = {
            {.fd = wants_input(guest) ? STDIN_FILENO : -1, .events = POLLIN}, /* -1 is skipped */
            {.fd = plx_group_handle(group), .events = POLLIN},
        };
        poll(watched, 2, sleep_time());
        if (watched[0].revents != 0) {
            take_input(guest);
        }
        plx_group_poll(group, 0);
    }
}

static int visit(const char *name, const char *where)
{
    static const plx_events events = {
        .connected = on_connected,
        .data_available = on_data_available,
        .error = on_error,
        .disconnected = on_disconnected,
    };
    struct guest guest = {.socket = plx_tcp_new()};
    plx_socket_set_events(guest.socket, &events, &guest);
    plx_socket_set_option(guest.socket, PLX_OPTION_READ_LIMIT, LIMIT);
    plx_socket_push_filter(guest.socket, &deflate_filter);
    plx_group_add(group, guest.socket);
    /* on_error also reports a call that failed, so all errors are printed in one place. */
    if (plx_socket_connect_to(guest.socket, where) == PLX_OK) {
        plx_socket_write(guest.socket, name, strlen(name));
        plx_socket_write(guest.socket, " is here\n", 9);
    }
    talk(&guest);
    plx_socket_free(guest.socket);
    return guest.has_talked && !guest.has_failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const char *who = argc > 1 ? argv[1] : "-";
    const char *where = argc > 2 ? argv[2] : "127.0.0.1:7778";
    bool serves = strcmp(who, "--serve") == 0;
    if (argc > 3 || (who[0] == '-' && !serves)) {
        fputs("usage: compressed-chat --serve [host:port]\n"
              "       compressed-chat NAME [host:port]\n",
              stderr);
        return 2;
    }
    group = plx_group_new();
    if (group == NULL) {
        fputs("compressed-chat: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    int status = serves ? serve(where) : visit(who, where);
    signal(SIGINT, SIG_DFL); /* from here on there is no group to wake */
    signal(SIGTERM, SIG_DFL);
    plx_group_free(group);
    return status;
}
