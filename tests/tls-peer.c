/* tests/tls-peer.c -- one side of TLS connections, for tests/test-tls-interop.sh.
 *
 *     tls-peer connect HOST:PORT [OPTION...]  sends the standard input and prints what arrives
 *     tls-peer listen [OPTION...]             sends back what arrives, at a port of 127.0.0.1
 *
 *     --tls 12|13          this version alone
 *     --trust FILE         trusts these certificates alone
 *     --use CERT KEY       has this certificate
 *     --verify 0|1|2       PLX_TLS_VERIFY
 *     --alpn NAME          offers this protocol
 *     --name NAME          expects this name
 *     --bytes N            ends a connection after N bytes have arrived
 *     --times N            connects N times, one after the other, with the same settings
 *     --page FILE          answers a request of HTTP by this file
 *     --smtp               encrypts by STARTTLS (RFC 3207)
 *     --plain              no TLS at all
 *
 * The standard error gets a line for each event: the port, what is known about each connection, and
 * each error with its message. `connect` ends with 0 if N bytes have arrived each time. */
#include "config.h"

#include <pollux.h>
#include <pollux/tls.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 30000 }; /* ms */

static struct {
    plx_tls *tls;
    bool is_server, is_plain, is_smtp;
    const char *page, *name;
    size_t bytes; /* 0: no limit */
    int times;
} settings = {.times = 1};

/* The program answers, or sends what it was given. */
struct text {
    char *data;
    size_t size;
};

static struct text input;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "tls-peer: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static struct text read_all(FILE *file)
{
    struct text text = {NULL, 0};
    size_t count;

    do {
        text.data = realloc(text.data, text.size + 65536);
        if (file == NULL || text.data == NULL)
            die("read", "no such file, or no memory");
        count = fread(text.data + text.size, 1, 65536, file);
        text.size += count;
    } while (count > 0);
    return text;
}

/* ---- STARTTLS -------------------------------------------------------------------------------- */

static bool start_tls(plx_socket *socket)
{
    if (plx_socket_start_tls(socket, settings.tls) != 0)
        die("start_tls", plx_tls_error(settings.tls)->message);
    return true;
}

/* Each returns whether TLS begins. */
static bool serve_smtp(plx_socket *socket, const char *line)
{
    if (strncmp(line, "EHLO", 4) == 0)
        plx_socket_write_text(socket, "250-here\r\n250 STARTTLS\r\n");
    if (strncmp(line, "STARTTLS", 8) != 0)
        return false;
    plx_socket_write_text(socket, "220 go on\r\n");
    return start_tls(socket);
}

static bool use_smtp(plx_socket *socket, const char *line)
{
    if (strncmp(line, "220 go", 6) == 0)
        return start_tls(socket);
    if (strncmp(line, "220 ", 4) == 0)
        plx_socket_write_text(socket, "EHLO there\r\n");
    else if (strncmp(line, "250 ", 4) == 0)
        plx_socket_write_text(socket, "STARTTLS\r\n");
    return false;
}

static void speak_smtp(plx_socket *socket)
{
    char line[512];

    while (plx_socket_read_line(socket, line, sizeof line) > 0) {
        if (settings.is_server ? serve_smtp(socket, line) : use_smtp(socket, line))
            return;
    }
}

/* ---- events ---------------------------------------------------------------------------------- */

static void begin(plx_socket *socket)
{
    if (!settings.is_server)
        plx_socket_write(socket, input.data, input.size);
}

static void on_connected(plx_socket *socket, void *user)
{
    (void)user;
    if (!settings.is_smtp)
        begin(socket);
    else if (settings.is_server)
        plx_socket_write_text(socket, "220 here\r\n");
}

static void on_encrypted(plx_socket *socket, void *user)
{
    plx_tls_info info;

    (void)user;
    if (plx_socket_tls_info(socket, &info))
        fprintf(stderr, "encrypted: version %d, cipher %s, protocol \"%s\", resumed %d, peer %s\n",
                info.version, info.cipher, info.protocol, info.resumed,
                info.peer_has_certificate ? info.subject : "without certificate");
    if (settings.is_smtp)
        begin(socket);
}

static void answer(plx_socket *socket, const void *data, size_t size)
{
    if (!settings.is_server) {
        fwrite(data, 1, size, stdout);
    } else if (settings.page == NULL) {
        plx_socket_write(socket, data, size);
    } else if (size >= 4 && memcmp((const char *)data + size - 4, "\r\n\r\n", 4) == 0) {
        plx_socket_write_text(socket, "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n");
        plx_socket_write(socket, input.data, input.size);
        plx_socket_disconnect(socket);
    }
}

static void on_data(plx_socket *socket, void *user)
{
    size_t *received = user, size = 0;
    const void *data;

    if (settings.is_smtp && !plx_socket_is_encrypted(socket)) {
        speak_smtp(socket);
        return;
    }
    data = plx_socket_read_all(socket, &size);
    *received += size;
    answer(socket, data, size);
    if (settings.bytes > 0 && *received >= settings.bytes)
        plx_socket_disconnect(socket);
}

static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    (void)socket;
    (void)user;
    fprintf(stderr, "error: code %d, reason %d, errno %d: %s\n", error->code, (int)error->reason,
            error->os_error, error->message);
}

static void on_disconnected(plx_socket *socket, void *user)
{
    (void)socket;
    fputs("disconnected\n", stderr);
    if (settings.is_server)
        free(user);
}

static const plx_events events = {
    .connected = on_connected,
    .encrypted = on_encrypted,
    .data_available = on_data,
    .error = on_error,
    .disconnected = on_disconnected,
};

/* ---- the two sides --------------------------------------------------------------------------- */

static void on_accepted(plx_server *server, plx_socket *client, void *user)
{
    size_t *received = calloc(1, sizeof *received);

    (void)server;
    (void)user;
    if (received == NULL)
        die("accepted", "no memory");
    plx_socket_set_user(client, received);
}

static _Noreturn void listen_for_ever(void)
{
    static const plx_server_events server_events = {.accepted = on_accepted};
    plx_group *group = plx_group_new();
    plx_server *server = plx_server_new(plx_tcp_new);

    if (settings.page != NULL)
        input = read_all(fopen(settings.page, "rb"));
    plx_server_set_events(server, &server_events, NULL);
    plx_server_set_client_events(server, &events, NULL);
    if (!settings.is_plain && !settings.is_smtp && plx_server_set_tls(server, settings.tls) != 0)
        die("set_tls", plx_tls_error(settings.tls)->message);
    if (plx_group_add_server(group, server) != 0 ||
        plx_server_listen_on(server, "127.0.0.1:0") != 0)
        die("listen", plx_server_error(server)->message);
    fprintf(stderr, "listening on %d\n", plx_server_port(server));
    for (;;)
        plx_group_poll(group, -1);
}

static bool connect_once(const char *where)
{
    plx_socket *socket = plx_tcp_new();
    size_t received = 0;

    plx_socket_set_events(socket, &events, &received);
    plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, PATIENCE);
    plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, PATIENCE);
    if (!settings.is_plain && !settings.is_smtp && plx_socket_set_tls(socket, settings.tls) != 0)
        die("set_tls", plx_tls_error(settings.tls)->message);
    if (plx_socket_set_tls_name(socket, settings.name) != 0)
        die("set_tls_name", plx_socket_error(socket)->message);
    plx_socket_connect_to(socket, where);
    do {
        plx_socket_wait(socket, PATIENCE);
    } while (plx_socket_state(socket) != PLX_UNCONNECTED);
    plx_socket_free(socket);
    return received > 0 && received >= settings.bytes;
}

static int connect_to(const char *where)
{
    bool good = true;

    input = read_all(stdin);
    for (int time = 0; time < settings.times; time++)
        good = connect_once(where) && good;
    return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the command line ------------------------------------------------------------------------ */

static void set(int code)
{
    if (code != 0)
        die("settings", plx_tls_error(settings.tls)->message);
}

static void set_version(int version)
{
    set(plx_tls_set_option(settings.tls, version == 12 ? PLX_TLS_MAXIMUM : PLX_TLS_MINIMUM,
                           version));
}

/* Takes one option; returns how many words it has. */
static int take_option(char **word)
{
    const char *value = word[1] == NULL ? "" : word[1];

    if (strcmp(word[0], "--plain") == 0)
        return settings.is_plain = true;
    if (strcmp(word[0], "--smtp") == 0)
        return settings.is_smtp = true;
    if (strcmp(word[0], "--tls") == 0)
        set_version(atoi(value));
    else if (strcmp(word[0], "--trust") == 0)
        set(plx_tls_trust_file(settings.tls, value));
    else if (strcmp(word[0], "--verify") == 0)
        set(plx_tls_set_option(settings.tls, PLX_TLS_VERIFY, atoi(value)));
    else if (strcmp(word[0], "--alpn") == 0)
        set(plx_tls_set_protocols(settings.tls, &value, 1));
    else if (strcmp(word[0], "--name") == 0)
        settings.name = value;
    else if (strcmp(word[0], "--bytes") == 0)
        settings.bytes = (size_t)atol(value);
    else if (strcmp(word[0], "--times") == 0)
        settings.times = atoi(value);
    else if (strcmp(word[0], "--page") == 0)
        settings.page = value;
    else if (strcmp(word[0], "--use") == 0 && word[1] != NULL && word[2] != NULL)
        set(plx_tls_use_file(settings.tls, value, word[2], NULL));
    else
        die(word[0], "no such option");
    return strcmp(word[0], "--use") == 0 ? 3 : 2;
}

int main(int count, char **arguments)
{
    int first = 2;

    if (count > 1 && strcmp(arguments[1], "listen") == 0)
        settings.is_server = true;
    else if (count > 2 && strcmp(arguments[1], "connect") == 0)
        first = 3;
    else
        die("usage", "tls-peer connect HOST:PORT | listen [OPTION...]");
    signal(SIGPIPE, SIG_DFL); /* as in every program: TLS must not raise it */
    settings.tls = settings.is_server ? plx_tls_new_server() : plx_tls_new_client();
    while (first < count)
        first += take_option(arguments + first);
    if (settings.is_server)
        listen_for_ever();
    return connect_to(arguments[2]);
}
