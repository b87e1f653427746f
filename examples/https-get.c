/* https-get -- fetches one page by HTTPS: the body to the standard output, the rest to the standard
 * error.
 *
 * It shows a client of TLS: the settings, whom it trusts, the protocol by ALPN, what is known about
 * the connection, and the sentence of a connection that is refused.
 *
 * Try it:
 *     ./https-get https://example.org/
 *     ./https-get https://expired.badssl.com/       the certificate has expired
 *     ./https-get https://wrong.host.badssl.com/    ... is for another host
 *     ./https-get https://self-signed.badssl.com/   ... is trusted by nobody
 *     ./https-get --trust ca.pem https://localhost:8443/       trusts your own CA alone
 *     ./https-get --use me.pem https://localhost:8443/         has a certificate of its own
 *     ./https-get --proxy socks5h://localhost:1080 https://example.org/
 *     https_proxy=http://user:password@localhost:3128 ./https-get https://example.org/
 *
 * It asks in HTTP/1.0, where the end of the connection is the end of the page unless the server has
 * sent the length; TLS makes sure that the server has ended it, and nobody on the way. The exit
 * status is 0 for a status of 200 to 299, 1 for any other status, 2 for bad arguments and 3 if no
 * complete answer arrived. */
#define _POSIX_C_SOURCE 200809L

#include <pollux.h>
#include <pollux/tls.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { EXIT_OTHER_STATUS = 1, EXIT_USAGE = 2, EXIT_NO_ANSWER = 3, PATIENCE_MS = 10000 };

struct fetch {
    const char *trust, *use; /* files; NULL: not given */
    const char *proxy;       /* NULL: the one that the environment names */
    char host[256];          /* with its port, as in the URL */
    const char *path;
    bool in_body;
    int status;      /* 200, 404 ..., 0 while unknown */
    bool has_length; /* the server sent the length of the body */
    unsigned long long length, received;
    bool has_failed, is_over;
};

static void give_up(struct fetch *fetch, const char *why)
{
    fprintf(stderr, "https-get: %s\n", why);
    fetch->has_failed = true;
}

/* ---- events --------------------------------------------------------------------------------- */

/* What is written here, or before, leaves encrypted, and not before the server was checked. */
static void on_connected(plx_socket *socket, void *user)
{
    const struct fetch *fetch = user;
    plx_socket_write_text(socket, "GET ");
    plx_socket_write_text(socket, fetch->path);
    plx_socket_write_text(socket, " HTTP/1.0\r\nHost: ");
    plx_socket_write_text(socket, fetch->host);
    plx_socket_write_text(socket, "\r\nUser-Agent: pollux-https-get\r\nConnection: close\r\n\r\n");
}

static void on_encrypted(plx_socket *socket, void *user)
{
    plx_tls_info info;
    (void)user;
    if (plx_socket_tls_info(socket, &info)) {
        fprintf(stderr, "TLS 1.%d, %s, %s, %s\n", info.version % 10, info.cipher,
                info.protocol[0] == '\0' ? "no ALPN" : info.protocol, info.subject);
    }
}

static void take_line(struct fetch *fetch, const char *line)
{
    static const char length[] = "Content-Length:";
    fputs(line, stderr);
    if (strncasecmp(line, length, sizeof length - 1) == 0) {
        fetch->has_length = true;
        fetch->length = strtoull(line + sizeof length - 1, NULL, 10);
    } else if (fetch->status != 0) {
        fetch->in_body = line[strspn(line, "\r\n")] == '\0';
    } else if (sscanf(line, "HTTP/%*u.%*u %d", &fetch->status) != 1) {
        fetch->status = 999; /* which no server sends */
        give_up(fetch, "this is not a web server");
    }
}

static void take(struct fetch *fetch, plx_socket *socket)
{
    char line[8192];
    size_t size = 0;
    while (!fetch->in_body && plx_socket_read_line(socket, line, sizeof line) > 0) {
        take_line(fetch, line);
    }
    if (fetch->in_body) {
        const void *data = plx_socket_read_all(socket, &size);
        fetch->received += size;
        fetch->is_over = fetch->has_length && fetch->received >= fetch->length;
        if (fwrite(data, 1, size, stdout) != size && !fetch->has_failed) {
            give_up(fetch, "the standard output takes nothing more");
        }
    }
}

static void on_data_available(plx_socket *socket, void *user)
{
    take(user, socket);
}

/* An orderly end is the end of the page. Everything else is a failure: a lookup, a connect, a check
 * of the server, or an end without the goodbye of TLS, for which os_error is not 0. */
static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct fetch *fetch = user;
    take(fetch, socket);
    if (fetch->is_over) {
        return; /* many servers say no goodbye when they have sent the length */
    }
    if (error->reason != PLX_REASON_REMOTE_HOST_CLOSED || error->os_error != 0) {
        give_up(fetch, error->message);
    } else if (!fetch->in_body || fetch->has_length) {
        give_up(fetch, "the server closed the connection before its answer was complete");
    }
}

static const plx_events events = {
    .connected = on_connected,
    .data_available = on_data_available,
    .error = on_error,
    .encrypted = on_encrypted,
};

/* ---- the fetch as a whole ------------------------------------------------------------------- */

/* plx_tls_new_client reads the certificates of the CAs that are installed; a program does it once,
 * for all its sockets. */
static plx_tls *settings(struct fetch *fetch)
{
    static const char *const protocols[] = {"http/1.1"};
    plx_tls *tls = plx_tls_new_client();
    int code = plx_tls_set_protocols(tls, protocols, 1);
    if (code == 0 && fetch->trust != NULL) {
        code = plx_tls_trust_file(tls, fetch->trust);
    }
    if (code == 0 && fetch->use != NULL) {
        code = plx_tls_use_file(tls, fetch->use, NULL, NULL);
    }
    if (code != 0) {
        give_up(fetch, plx_tls_error(tls)->message);
        tls = plx_tls_free(tls);
    }
    return tls;
}

/* The proxy of the command line or of the environment; "" goes straight to the server. What is no
 * proxy is refused, which `error` reports: nothing may go past a proxy that somebody has set. */
static bool set_proxy(struct fetch *fetch, plx_socket *socket, const char *where)
{
    char proxy[1024], host[256];
    const char *colon = strrchr(where, ':');
    int bracket = where[0] == '[';
    snprintf(host, sizeof host, "%.*s", (int)(colon - where) - 2 * bracket, where + bracket);
    if (fetch->proxy != NULL) {
        return plx_socket_set_proxy(socket, fetch->proxy) == 0;
    }
    if (!plx_proxy_from_environment("https", host, atoi(colon + 1), proxy, sizeof proxy)) {
        give_up(fetch, "the proxy in the environment is too long");
        return false;
    }
    return plx_socket_set_proxy(socket, proxy) == 0;
}

static int fetch_page(struct fetch *fetch, const char *where)
{
    plx_tls *tls = settings(fetch);
    if (tls == NULL) {
        return EXIT_NO_ANSWER;
    }
    plx_socket *socket = plx_tcp_new();
    plx_socket_set_events(socket, &events, fetch);
    plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 65536); /* however long the page is */
    plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, PATIENCE_MS);
    plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, PATIENCE_MS);
    plx_socket_set_tls(socket, tls);
    plx_tls_free(tls); /* the socket has its own share */
    if (set_proxy(fetch, socket, where)) {
        plx_socket_connect_to(socket, where);
    }
    do {
        plx_socket_wait(socket, -1); /* `error` reports what connect_to has refused, too */
    } while (!fetch->has_failed && !fetch->is_over && plx_socket_state(socket) != PLX_UNCONNECTED);
    plx_socket_free(socket);
    if (fflush(stdout) != 0 && !fetch->has_failed) {
        give_up(fetch, "the standard output takes nothing more");
    }
    if (fetch->has_failed) {
        return EXIT_NO_ANSWER;
    }
    return fetch->status / 100 == 2 ? EXIT_SUCCESS : EXIT_OTHER_STATUS;
}

/* Parses https://host:port/path; `where` gets "host:port". False for any other string. */
static bool parse_url(const char *url, struct fetch *fetch, char *where, size_t size)
{
    static const char scheme[] = "https://";
    if (strncasecmp(url, scheme, sizeof scheme - 1) != 0 || strpbrk(url, " \r\n\t#") != NULL) {
        return false;
    }
    const char *start = url + sizeof scheme - 1;
    size_t length = strcspn(start, "/");
    if (length == 0 || length >= sizeof fetch->host) {
        return false;
    }
    memcpy(fetch->host, start, length);
    fetch->host[length] = '\0';
    fetch->path = start[length] == '/' ? start + length : "/";
    /* A colon inside the brackets of an IPv6 address does not begin a port. */
    const char *bracket = strrchr(fetch->host, ']');
    bool has_port = strchr(bracket != NULL ? bracket : fetch->host, ':') != NULL;
    return snprintf(where, size, "%s%s", fetch->host, has_port ? "" : ":443") < (int)size;
}

int main(int argc, char **argv)
{
    struct fetch fetch = {.path = "/"};
    char where[300];
    int next = 1;
    for (; next + 1 < argc && strncmp(argv[next], "--", 2) == 0; next += 2) {
        if (strcmp(argv[next], "--trust") == 0) {
            fetch.trust = argv[next + 1];
        } else if (strcmp(argv[next], "--use") == 0) {
            fetch.use = argv[next + 1];
        } else if (strcmp(argv[next], "--proxy") == 0) {
            fetch.proxy = argv[next + 1];
        } else {
            break;
        }
    }
    if (next + 1 != argc || !parse_url(argv[next], &fetch, where, sizeof where)) {
        fputs("usage: https-get [--trust file] [--use file] [--proxy scheme://host:port] "
              "https://host[:port][/path]\n",
              stderr);
        return EXIT_USAGE;
    }
    return fetch_page(&fetch, where);
}
