/* tests/handle-peer.c -- talks to a program over a Unix socket and does what the program asks.
 *
 *     handle-peer bytes  listen|connect PLACE     sends back every byte that comes
 *     handle-peer frames listen|connect PLACE     answers messages with a length of 4 bytes before
 *
 * PLACE is a path or "@name". For tests/test-python.sh: the other side is a program that nobody
 * here wrote. Says "ready" when it listens. The messages it knows, and its answers:
 *
 *     echo TEXT           TEXT
 *     take                the texts of all files whose descriptors came with the message
 *     write TEXT          "written", once TEXT stands in the one file whose descriptor came
 *     give COUNT PATH     "given", and with it COUNT descriptors of that file
 *
 * Exits 0 when the other side has ended the connection. */
#include "config.h"

#include <fcntl.h>
#include <pollux.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 5000 }; /* ms for anything to come */

static void die(const char *what, const plx_socket *socket)
{
    fprintf(stderr, "handle-peer: %s: %s\n", what, plx_socket_error(socket)->message);
    exit(EXIT_FAILURE);
}

static void answer(plx_socket *socket, const char *text, size_t size)
{
    if (plx_socket_write_message(socket, text, size) != 0)
        die("answer", socket);
}

/* ---- the orders ------------------------------------------------------------------------------ */

static void take(plx_socket *socket)
{
    char text[32 * 1024];
    size_t size = 0;

    for (int handle; (handle = plx_ipc_receive_handle(socket)) >= 0; close(handle)) {
        ssize_t got = pread(handle, text + size, sizeof text - size, 0);

        if (got < 0)
            die("read what was taken", socket);
        size += (size_t)got;
    }
    answer(socket, text, size);
}

static void write_to(plx_socket *socket, const char *text, size_t size)
{
    int handle = plx_ipc_receive_handle(socket);

    if (handle < 0 || write(handle, text, size) != (ssize_t)size || close(handle) != 0)
        die("write to what was taken", socket);
    answer(socket, "written", 7);
}

static void give(plx_socket *socket, const char *what, size_t size)
{
    char text[4096] = "", *path;
    long count;

    memcpy(text, what, size < sizeof text ? size : 0);
    count = strtol(text, &path, 10);
    for (; count > 0; count--) {
        int handle = open(path + 1, O_RDONLY | O_CLOEXEC);

        if (handle < 0 || plx_ipc_send_handle(socket, handle) != 0)
            die("give", socket);
        close(handle); /* a copy is on its way */
    }
    answer(socket, "given", 5);
}

/* Whether the message begins with this word; *ret_rest is what stands behind it. */
static bool is_told(const char *message, size_t size, const char *word, const char **ret_rest)
{
    size_t length = strlen(word);

    *ret_rest = message + length;
    return size >= length && memcmp(message, word, length) == 0;
}

static void obey(plx_socket *socket, const char *message, size_t size)
{
    const char *rest;

    if (is_told(message, size, "echo ", &rest))
        answer(socket, rest, size - 5);
    else if (is_told(message, size, "take", &rest))
        take(socket);
    else if (is_told(message, size, "write ", &rest))
        write_to(socket, rest, size - 6);
    else if (is_told(message, size, "give ", &rest))
        give(socket, rest, size - 5);
    else
        die("a message that nobody knows", socket);
}

static void serve_messages(plx_socket *socket)
{
    const char *message;
    size_t size;

    while ((message = plx_socket_read_message(socket, &size)) != NULL)
        obey(socket, message, size);
}

static void serve_bytes(plx_socket *socket)
{
    size_t size;
    const void *bytes = plx_socket_read_all(socket, &size);

    if (size > 0 && plx_socket_write(socket, bytes, size) != (ptrdiff_t)size)
        die("write", socket);
}

/* ---- the connection -------------------------------------------------------------------------- */

static void begin(plx_socket *socket, bool listening, const char *place)
{
    int result =
        listening ? plx_socket_listen_on(socket, place) : plx_socket_connect_to(socket, place);

    if (result != 0)
        die(listening ? "listen" : "connect", socket);
    if (listening) {
        puts("ready");
        fflush(stdout);
    }
    if (!plx_socket_wait_for_connected(socket, PATIENCE))
        die("nobody there", socket);
}

int main(int count, char **arguments)
{
    static const plx_frame frame = {.length_size = 4};
    plx_socket *socket = plx_ipc_new();
    bool frames, listening;

    if (count != 4) {
        fprintf(stderr, "usage: handle-peer bytes|frames listen|connect PLACE\n");
        return 2;
    }
    frames = strcmp(arguments[1], "frames") == 0;
    listening = strcmp(arguments[2], "listen") == 0;
    if ((frames && plx_socket_set_frame(socket, &frame) != 0) ||
        plx_socket_set_option(socket, PLX_OPTION_RECEIVE_HANDLES, frames) != 0)
        die("set up", socket);
    begin(socket, listening, arguments[3]);
    for (;;) { /* what came together with the connection is there before the first wait */
        if (frames)
            serve_messages(socket);
        else
            serve_bytes(socket);
        if (plx_socket_state(socket) == PLX_UNCONNECTED)
            break;
        if (!plx_socket_wait(socket, PATIENCE))
            die("nothing comes", socket);
    }
    if (plx_socket_error(socket)->reason != PLX_REASON_REMOTE_HOST_CLOSED)
        die("the end", socket);
    plx_socket_free(socket);
    return EXIT_SUCCESS;
}
