/* tests/redis-client.c -- says inline commands to a redis server and prints its answers.
 *
 *     redis-client PLACE            reads commands from the standard input, one on each line
 *
 * PLACE is "127.0.0.1:6379" or the path of a Unix socket. For tests/test-interop.sh: the other side
 * is a program that nobody here wrote. Every command is sent as it is typed (redis takes such
 * "inline commands" beside its own protocol) and each answer is printed as it comes: a line, or for
 * an answer in bulk ("$5") the line with its length and the line itself. Exits 0 when the server
 * has answered everything and then closed the connection after QUIT. */
#include "config.h"

#include <pollux.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 5000 }; /* ms for any one answer */

static void die(const char *what, const plx_socket *socket)
{
    fprintf(stderr, "redis-client: %s: %s\n", what, plx_socket_error(socket)->message);
    exit(EXIT_FAILURE);
}

/* Prints one line of the answer; returns what its "$length" says, else -1. */
static long print_line(plx_socket *redis)
{
    char line[4096] = "";

    while (!plx_socket_can_read_line(redis)) {
        if (!plx_socket_wait(redis, PATIENCE))
            die("no answer", redis);
    }
    if (plx_socket_read_line(redis, line, sizeof line) <= 0)
        die("no line", redis);
    line[strcspn(line, "\r\n")] = '\0';
    puts(line);
    return line[0] == '$' ? strtol(line + 1, NULL, 10) : -1;
}

static void ask(plx_socket *redis, const char *command)
{
    if (plx_socket_write(redis, command, strlen(command)) != (ptrdiff_t)strlen(command))
        die("write", redis);
    if (print_line(redis) >= 0)
        print_line(redis);
}

int main(int count, char **arguments)
{
    plx_socket *redis;
    char command[4096];

    if (count != 2) {
        fprintf(stderr, "usage: redis-client HOST:PORT | /PATH\n");
        return 2;
    }
    redis = arguments[1][0] == '/' ? plx_ipc_new() : plx_tcp_new();
    if (plx_socket_connect_to(redis, arguments[1]) != 0 ||
        !plx_socket_wait_for_connected(redis, PATIENCE))
        die("connect", redis);
    while (fgets(command, sizeof command, stdin) != NULL)
        ask(redis, command);
    if (!plx_socket_wait_for_disconnected(redis, PATIENCE))
        die("the server does not close", redis);
    if (plx_socket_last_error(redis) != PLX_LOST_CONNECTION)
        die("the end", redis);
    plx_socket_free(redis);
    return EXIT_SUCCESS;
}
