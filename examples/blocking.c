/* blocking -- a client that waits: no handlers, no loop of events, no group.
 *
 * It connects to a server of lines, sends the lines of its command line one after the other, and
 * prints what it hears until its own line has returned. Without a line it prints the first line
 * that it hears. It shows the calls that wait: each polls and sleeps until what it is named after
 * has happened, until that cannot happen any more, or until the time is over.
 *
 * Try it beside echo-server, or with others in the room of in-epoll, in-glib or in-libuv:
 *     ./blocking localhost:7777 hello "how are you"
 *
 * The exit status is 0, 1 if the server was not reached or did not answer within five seconds, 2
 * for bad arguments. */
#include <pollux.h>
#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 5000 };

/* Prints lines until one of them is `wanted`; NULL: any. False if it does not arrive. */
static bool hear(plx_socket *server, const char *wanted)
{
    char line[512];
    do {
        while (plx_socket_read_line(server, line, sizeof line) > 0) {
            fputs(line, stdout);
            line[strcspn(line, "\n")] = '\0';
            if (wanted == NULL || strcmp(line, wanted) == 0) {
                return true;
            }
        }
    } while (plx_socket_wait_for_data(server, PATIENCE_MS));
    return false;
}

static bool say(plx_socket *server, const char *line)
{
    plx_socket_write_text(server, line);
    plx_socket_write_text(server, "\n");
    return hear(server, line); /* a wait sends what was written, too */
}

int main(int count, char **arguments)
{
    if (count < 2) {
        fputs("usage: blocking HOST:PORT [LINE...]\n", stderr);
        return 2;
    }
    plx_socket *server = plx_tcp_new();
    plx_socket_connect_to(server, arguments[1]);
    bool good = plx_socket_wait_for_connected(server, PATIENCE_MS);
    if (good && count == 2) {
        good = hear(server, NULL);
    }
    for (int i = 2; good && i < count; i++) {
        good = say(server, arguments[i]);
    }
    if (!good) {
        const char *reason = plx_socket_error(server)->message;
        fprintf(stderr, "blocking: %s\n", reason[0] != '\0' ? reason : "no answer in time");
    }
    plx_socket_disconnect(server);
    plx_socket_wait_for_disconnected(server, PATIENCE_MS);
    plx_socket_free(server);
    return good ? 0 : 1;
}
