/* http-get -- fetches one page: the body to the standard output, the status to the standard error.
 *
 * It shows a single socket without a group: lookup of the name, connecting and reading in one loop
 * of plx_socket_wait, lines and bytes read from the same stream, and a time-out for everything.
 *
 * Try it:
 *     python3 -m http.server 8000 &
 *     ./http-get http://localhost:8000/
 *     ./http-get --timeout 3 http://example.org/ | head
 *
 * It asks in HTTP/1.0, where the end of the connection is the end of the page, and follows no
 * redirections. The exit status is 0 for a status of 200 to 299, 1 for any other status, 2 for bad
 * arguments and 3 if no complete answer arrived. The program needs no signal handlers: the kernel
 * closes the socket of a process that ends. */
#define _POSIX_C_SOURCE 200809L

#include <pollux.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { EXIT_OTHER_STATUS = 1, EXIT_USAGE = 2, EXIT_NO_ANSWER = 3 };

/* The part of an answer that is next. */
enum part { STATUS_LINE, HEADERS, BODY };

struct fetch {
    const char *host; /* with its port, as in the URL */
    const char *path;
    enum part part;
    int status;      /* 200, 404 ..., 0 while unknown */
    bool has_length; /* the server sent the length of the body */
    unsigned long long length, received;
    bool has_failed; /* no complete answer arrived; the reason was printed */
    bool is_over;
};

static void give_up(struct fetch *fetch, const char *why)
{
    fprintf(stderr, "http-get: %s\n", why);
    fetch->has_failed = true;
    fetch->is_over = true;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void take_status_line(struct fetch *fetch, const char *line)
{
    if (sscanf(line, "HTTP/%*u.%*u %d", &fetch->status) != 1) {
        give_up(fetch, "this is not a web server");
        return;
    }
    fprintf(stderr, "%s\n", line);
    fetch->part = HEADERS;
}

static void take_header(struct fetch *fetch, const char *line)
{
    static const char length[] = "Content-Length:", encoding[] = "Transfer-Encoding:";
    if (line[0] == '\0') {
        fetch->part = BODY;
    } else if (strncasecmp(line, length, sizeof length - 1) == 0) {
        fetch->has_length = true;
        fetch->length = strtoull(line + sizeof length - 1, NULL, 10);
    } else if (strncasecmp(line, encoding, sizeof encoding - 1) == 0) {
        give_up(fetch, "the server sends the page in chunks, which HTTP/1.0 does not have");
    }
}

/* Takes one line before the body; false if no whole line has arrived yet. */
static bool take_line(struct fetch *fetch, plx_socket *socket)
{
    char line[8192];
    if (plx_socket_read_line(socket, line, sizeof line) <= 0) {
        return false;
    }
    line[strcspn(line, "\r\n")] = '\0';
    if (fetch->part == STATUS_LINE) {
        take_status_line(fetch, line);
    } else {
        take_header(fetch, line);
    }
    return !fetch->is_over;
}

static void take_body(struct fetch *fetch, plx_socket *socket)
{
    size_t size = 0;
    const void *data = plx_socket_read_all(socket, &size);
    fetch->received += size;
    if (size > 0 && fwrite(data, 1, size, stdout) != size) {
        give_up(fetch, "the standard output takes nothing more");
    } else if (fetch->has_length && fetch->received >= fetch->length) {
        fetch->is_over = true; /* some servers leave the connection open all the same */
    }
}

static void take(struct fetch *fetch, plx_socket *socket)
{
    while (fetch->part != BODY && take_line(fetch, socket)) {
    }
    if (fetch->part == BODY && !fetch->is_over) {
        take_body(fetch, socket);
    }
}

/* ---- events --------------------------------------------------------------------------------- */

static void on_connected(plx_socket *socket, void *user)
{
    struct fetch *fetch = user;
    char request[4096];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: pollux-http-get/%s\r\n"
                        "Accept: */*\r\nConnection: close\r\n\r\n",
                        fetch->path, fetch->host, plx_version());
    if (size < 0 || (size_t)size >= sizeof request) {
        give_up(fetch, "the URL is too long");
        return;
    }
    plx_socket_write(socket, request, (size_t)size);
}

static void on_data_available(plx_socket *socket, void *user)
{
    take(user, socket);
}

/* Error 102 is the end of a page. Any other error is a failure. */
static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct fetch *fetch = user;
    if (error->reason == PLX_REASON_REMOTE_HOST_CLOSED) {
        take(fetch, socket); /* a last line without a line end can be read now */
        if (!fetch->is_over && fetch->part != BODY) {
            give_up(fetch, "the server closed the connection before its answer was complete");
        } else if (fetch->has_length && fetch->received < fetch->length) {
            give_up(fetch, "the server closed the connection in the middle of the page");
        }
    } else {
        give_up(fetch, error->message);
    }
    fetch->is_over = true;
}

static const plx_events events = {
    .connected = on_connected,
    .data_available = on_data_available,
    .error = on_error,
};

/* ---- the fetch as a whole ------------------------------------------------------------------- */

static long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the answer is complete or the time is over. */
static void wait_for_answer(struct fetch *fetch, plx_socket *socket, int timeout_ms)
{
    long long end = milliseconds() + timeout_ms;
    while (!fetch->is_over) {
        long long left = end - milliseconds();
        if (left <= 0) {
            give_up(fetch, "no complete answer in time");
            return;
        }
        plx_socket_wait(socket, (int)left);
    }
}

static int fetch_page(struct fetch *fetch, const char *where, int timeout_ms)
{
    plx_socket *socket = plx_tcp_new();
    plx_socket_set_events(socket, &events, fetch);
    plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 65536); /* however long the page is */
    int code = plx_socket_connect_to(socket, where);
    if (code == PLX_OK) {
        wait_for_answer(fetch, socket, timeout_ms);
    } else {
        give_up(fetch, socket != NULL ? plx_socket_error(socket)->message : "out of memory");
    }
    plx_socket_free(socket);
    if (fflush(stdout) != 0 && !fetch->has_failed) {
        give_up(fetch, "the standard output takes nothing more");
    }
    if (fetch->has_failed) {
        return EXIT_NO_ANSWER;
    }
    return fetch->status / 100 == 2 ? EXIT_SUCCESS : EXIT_OTHER_STATUS;
}

/* Parses http://host:port/path; `where` gets "host:port". False for any other string. */
static bool parse_url(char *url, struct fetch *fetch, char *where, size_t size)
{
    static char host[256];
    static const char scheme[] = "http://";
    if (strncasecmp(url, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    char *start = url + sizeof scheme - 1;
    size_t length = strcspn(start, "/");
    if (length == 0 || length >= sizeof host || strcspn(url, " \r\n\t") != strlen(url)) {
        return false;
    }
    memcpy(host, start, length);
    fetch->host = host;
    fetch->path = start[length] == '/' ? start + length : "/";
    start[length + strcspn(start + length, "#")] = '\0'; /* a fragment is not sent */
    /* A colon inside the brackets of an IPv6 address does not begin a port. */
    const char *bracket = strrchr(host, ']');
    bool has_port = strchr(bracket != NULL ? bracket : host, ':') != NULL;
    return snprintf(where, size, "%s%s", host, has_port ? "" : ":80") < (int)size;
}

static int usage(void)
{
    fputs("usage: http-get [--timeout seconds] http://host[:port][/path]\n", stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    int timeout_ms = 10000;
    if (argc == 4 && strcmp(argv[1], "--timeout") == 0) {
        char *end;
        double seconds = strtod(argv[2], &end);
        if (end == argv[2] || *end != '\0' || !(seconds > 0 && seconds <= 86400)) {
            return usage();
        }
        timeout_ms = (int)(seconds * 1000);
    } else if (argc != 2) {
        return usage();
    }
    struct fetch fetch = {.part = STATUS_LINE};
    char where[300];
    if (!parse_url(argv[argc - 1], &fetch, where, sizeof where)) {
        return usage();
    }
    return fetch_page(&fetch, where, timeout_ms);
}
