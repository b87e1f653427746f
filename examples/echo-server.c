/* echo-server -- sends back everything that it receives, to any number of clients at once.
 *
 * It shows a server, its clients' events, and back pressure: a client that sends but never reads
 * has to wait in its own kernel, and costs no more memory here than the two limits below.
 *
 * Try it:
 *     ./echo-server                      listens on 127.0.0.1:7777
 *     ./echo-server :0                   on every address, at a port the kernel chooses
 *     ./echo-server /tmp/echo            on a Unix socket; @echo is a name without a file
 *     ./echo-server --tls cert.pem key.pem :7777      encrypted, if it was built with TLS
 * and in another terminal, typing some lines:
 *     curl telnet://127.0.0.1:7777
 *     socat - TCP:127.0.0.1:7777
 *     socat - UNIX-CONNECT:/tmp/echo
 *     openssl s_client -quiet -connect localhost:7777
 * Ctrl-C ends it. The exit status is 0 then, 1 if it could not listen, 2 for bad arguments. */
#include <pollux.h>
#ifdef HAVE_POLLUX_TLS
#include <pollux/tls.h>
#endif

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many bytes of one client may wait here: received but not sent back yet, and queued for
 * sending. */
#define READ_LIMIT 65536
#define WRITE_LIMIT 65536

static plx_group *group;
static volatile sig_atomic_t stopping;

/* Moves as much as fits from the received bytes of a client to its queue. The rest stays in the
 * receive buffer: once the buffer is full the library stops reading, and the client has to wait. */
static void echo(plx_socket *client)
{
    if (plx_socket_state(client) != PLX_CONNECTED) {
        return;
    }
    size_t size = 0;
    const void *data = plx_socket_lookahead(client, &size);
    ptrdiff_t taken = plx_socket_write(client, data, size);
    if (taken > 0) {
        plx_socket_skip(client, (size_t)taken);
    }
    /* Everything is queued and nothing more will arrive: end after the queue has been sent. */
    if (plx_socket_end_of_file(client)) {
        plx_socket_disconnect(client);
    }
}

static void on_data_available(plx_socket *client, void *user)
{
    (void)user;
    echo(client);
}

/* Some of the queue has left, so there is room for bytes that had to wait. */
static bool on_send_progress(plx_socket *client, size_t sent, size_t left, void *user)
{
    (void)sent;
    (void)left;
    (void)user;
    echo(client);
    return false;
}

/* The client has ended its side; it still gets the bytes that were not sent back yet. */
static void on_end_of_input(plx_socket *client, void *user)
{
    (void)user;
    echo(client);
}

/* Every connection ends with Error 102, so only other errors are printed. */
static void on_error(plx_socket *client, const plx_error *error, void *user)
{
    (void)client;
    (void)user;
    if (error->reason != PLX_REASON_REMOTE_HOST_CLOSED) {
        fprintf(stderr, "echo-server: client: %s\n", error->message);
    }
}

static void on_disconnected(plx_socket *client, void *user)
{
    (void)client;
    (void)user;
    puts("a client has left");
}

static const plx_events client_events = {
    .data_available = on_data_available,
    .send_progress = on_send_progress,
    .error = on_error,
    .end_of_input = on_end_of_input,
    .disconnected = on_disconnected,
};

static void on_accepted(plx_server *server, plx_socket *client, void *user)
{
    (void)user;
    const char *address = plx_socket_remote_address(client);
    printf("a client has connected%s%s, there are %zu now\n", *address ? " from " : "", address,
           plx_server_active_count(server));
}

static void on_server_error(plx_server *server, const plx_error *error, void *user)
{
    (void)server;
    (void)user;
    fprintf(stderr, "echo-server: %s\n", error->message);
}

static const plx_server_events server_events = {
    .accepted = on_accepted,
    .error = on_server_error,
};

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
    plx_group_wake(group); /* else the poll would sleep after a signal just before it */
}

/* A string with a slash, or with an @ in front, names a Unix socket; any other is host:port. */
static bool is_path(const char *where)
{
    return where[0] == '@' || strchr(where, '/') != NULL;
}

static plx_server *server_new(const char *where)
{
    plx_server *server = plx_server_new(is_path(where) ? plx_ipc_new : plx_tcp_new);
    plx_server_set_events(server, &server_events, NULL);
    plx_server_set_client_events(server, &client_events, NULL);
    plx_server_set_option(server, PLX_OPTION_READ_LIMIT, READ_LIMIT);
    plx_server_set_option(server, PLX_OPTION_WRITE_LIMIT, WRITE_LIMIT);
    /* Without this option the end of a client's side would end the whole connection, and drop the
     * bytes that still wait in the receive buffer. */
    plx_server_set_option(server, PLX_OPTION_HALF_OPEN, 1);
    return server;
}

/* Lets the clients encrypt. From here on nothing else differs: what a handler reads and writes is
 * in clear, and `connected` follows the handshake. */
static bool encrypt(plx_server *server, const char *certificate, const char *key)
{
#ifdef HAVE_POLLUX_TLS
    plx_tls *tls = plx_tls_new_server();
    bool good =
        plx_tls_use_file(tls, certificate, key, NULL) == 0 && plx_server_set_tls(server, tls) == 0;
    if (!good) {
        fprintf(stderr, "echo-server: %s\n", plx_tls_error(tls)->message);
    }
    plx_tls_free(tls); /* the server has its own share */
    return good;
#else
    (void)server;
    fprintf(stderr, "echo-server: %s and %s: built without TLS\n", certificate, key);
    return false;
#endif
}

/* Prints the address of the server, with the port it is really bound to. */
static void announce(const plx_server *server, const char *where)
{
    if (is_path(where)) {
        printf("listening on %s\n", where);
    } else {
        const char *colon = strrchr(where, ':');
        int host = colon == NULL ? 0 : (int)(colon - where);
        printf("listening on %.*s:%d\n", host, where, plx_server_port(server));
    }
}

static int serve(plx_server *server, const char *where)
{
    if (server == NULL || plx_group_add_server(group, server) != 0) {
        fputs("echo-server: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    if (plx_server_listen_on(server, where) != 0) {
        fprintf(stderr, "echo-server: %s\n", plx_server_error(server)->message);
        return EXIT_FAILURE;
    }
    announce(server, where);
    while (!stopping) {
        plx_group_poll(group, -1);
    }
    puts("echo-server ends");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    char **tls = argc > 3 && strcmp(argv[1], "--tls") == 0 ? argv + 2 : NULL;
    int next = tls != NULL ? 4 : 1;
    const char *where = argc > next ? argv[next] : "127.0.0.1:7777";
    if (argc > next + 1 || where[0] == '-' || where[0] == '\0') {
        fputs("usage: echo-server [--tls certificate key] [host:port | :port | /path | @name]\n",
              stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a piped log is written line by line, too */
    group = plx_group_new();
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);

    plx_server *server = server_new(where);
    int status = EXIT_FAILURE;
    if (tls == NULL || encrypt(server, tls[0], tls[1])) {
        status = serve(server, where);
    }
    plx_server_free(server); /* frees its clients, too */
    signal(SIGINT, SIG_DFL); /* from here on there is no group to wake */
    signal(SIGTERM, SIG_DFL);
    plx_group_free(group);
    return status;
}
