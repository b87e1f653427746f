/* tests/test-peers.c -- who is at the other end of a Unix socket: credentials and process
 * handles. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/sockets.h"
#include "tests/world.h"

/* The kind of the world, too, so that what makes pairs makes them of Unix sockets. */
static plx_socket *ipc(struct world *w, struct record *log)
{
    w->kind = &kinds[1];
    return world_socket_of(w, plx_ipc_new, log);
}

/* ---- processes ------------------------------------------------------------------------------- */

/* A process that connects, says who it is in its own way, and stays until it is killed. */
static pid_t fork_client(const char *where, const char *text)
{
    pid_t child = fork();
    int raw;

    ck_assert_int_ge(child, 0);
    if (child > 0)
        return child;
    raw = unix_raw_connect(where);
    if (raw < 0 || send(raw, text, strlen(text), 0) != (ssize_t)strlen(text))
        _exit(1);
    alarm(30); /* should nobody kill it */
    for (;;)
        pause();
}

static void end_child(pid_t child)
{
    int status = 0;

    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(!WIFEXITED(status), "the child ended by itself: %d", WEXITSTATUS(status));
}

static void expect_peer(plx_socket *socket, pid_t process)
{
    plx_credentials who = {0};

    ck_assert_int_eq(plx_ipc_peer_credentials(socket, &who), 0);
    ck_assert_int_eq(who.process, process);
    ck_assert_int_eq(who.user, getuid());
    ck_assert_int_eq(who.group, getgid());
}

enum refusal { REFUSE_NOT, REFUSE_ABORT, REFUSE_CLOSE, REFUSE_FREE, REFUSALS };

/* What a door knows: whom to expect, and how to refuse. */
struct door {
    pid_t child;
    enum refusal how;
    int accepted;
    struct record log; /* of the client */
};

static void on_accepted(plx_server *server, plx_socket *client, void *user)
{
    struct door *door = user;

    (void)server;
    door->accepted++;
    expect_peer(client, door->child);
    ck_assert_uint_eq(plx_socket_bytes_available(client), 0);
    ck_assert_int_eq(door->log.count[EVENT_CONNECTED], 0);
    if (door->how == REFUSE_ABORT)
        plx_socket_abort(client);
    else if (door->how == REFUSE_CLOSE)
        plx_socket_close(client);
    else if (door->how == REFUSE_FREE)
        plx_socket_free(client);
}

static const plx_server_events door_events = {.accepted = on_accepted};

static plx_server *open_door(struct world *w, struct door *door, char *ret_where)
{
    plx_server *server;

    memset(door, 0, sizeof *door);
    door->log.when = EVENT_NEVER;
    w->kind = &kinds[1];
    server = world_server(w);
    plx_server_set_events(server, &door_events, door);
    plx_server_set_client_events(server, &record_events, &door->log);
    world_serve(w, server, ret_where);
    return server;
}

MODE_CASE(credentials_of_a_client_in_accepted)
{
    struct door door;
    char where[WHERE_SIZE];
    plx_server *server = open_door(w, &door, where);

    door.child = fork_client(where, "hello");
    UNTIL(w, door.log.count[EVENT_DATA_AVAILABLE] == 1);
    ck_assert_int_eq(door.accepted, 1);
    expect_peer(plx_server_next_active(server, NULL), door.child);
    end_child(door.child);
    UNTIL(w, plx_server_active_count(server) == 0);
}

MODE_CASE(refused_in_accepted)
{
    for (enum refusal how = REFUSE_ABORT; how < REFUSALS; how++) {
        struct door door;
        char where[WHERE_SIZE], byte;
        plx_server *server = open_door(w, &door, where);
        ptrdiff_t got = -1;
        int raw = raw_connect(w, where);

        door.child = getpid();
        door.how = how;
        raw_say(raw, "let me in");
        UNTIL(w, (got = raw_take(raw, &byte, 1)) != -1);
        ck_assert(got == 0 || got == -2); /* the end; a reset where bytes were left unread */
        world_settle(w);
        ck_assert_int_eq(door.accepted, 1);
        ck_assert_str_eq(door.log.text, ""); /* nothing was reported, least of all the bytes */
        ck_assert_uint_eq(plx_server_active_count(server), 0);
        door.how = REFUSE_NOT;
        raw_say(raw_connect(w, where), "and me"); /* the next one comes in */
        UNTIL(w, door.log.count[EVENT_DATA_AVAILABLE] == 1);
        world_free_server(w, server);
    }
}

/* A process that listens and accepts one. */
static pid_t fork_listener(int raw)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child > 0)
        return child;
    if (listen(raw, 5) != 0) /* by the one who listens its credentials are known: unix(7) */
        _exit(1);
    if (accept(raw, NULL, NULL) < 0)
        _exit(2);
    alarm(30); /* should nobody kill it */
    for (;;)
        pause();
}

/* Connects to a process that listens; returns it. */
static pid_t connect_to_child(struct world *w, plx_socket *socket, struct record *log)
{
    char where[WHERE_SIZE];
    int raw = raw_refusing(w, where), refused;
    pid_t child = fork_listener(raw);

    raw_close(w, raw);
    for (int i = 0; log->count[EVENT_CONNECTED] == 0 && i < ROUNDS; i++) {
        refused = plx_socket_state(socket) == PLX_UNCONNECTED; /* it does not listen yet */
        if (refused)
            ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        world_turn(w, refused ? ROUNDS : 0);
    }
    ck_assert_int_eq(log->count[EVENT_CONNECTED], 1);
    return child;
}

MODE_CASE(credentials_of_a_listener)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    plx_credentials who = {.process = 77};
    pid_t child = connect_to_child(w, socket, &log);

    expect_peer(socket, child);
    end_child(child);
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(plx_ipc_peer_credentials(socket, &who), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_peer_credentials(NULL, &who), PLX_INVALID_STATE);
    ck_assert_int_eq(who.process, 77);
}

/* Prints loudly that the kernel gives no process handles (SO_PEERPIDFD, Linux 6.5). */
static bool has_process_handles(void)
{
#ifdef SO_PEERPIDFD
    enum { NAME = SO_PEERPIDFD };
#else
    enum { NAME = 77 }; /* of all but a few architectures, where it is not known to old headers */
#endif
    int ends[2], handle = -1;
    socklen_t size = sizeof handle;
    bool has;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    has = getsockopt(ends[0], SOL_SOCKET, NAME, &handle, &size) == 0;
    if (has)
        close(handle);
    else
        fprintf(stderr, "SKIP: this system has no SO_PEERPIDFD\n");
    close(ends[0]);
    close(ends[1]);
    return has;
}

MODE_CASE(a_process_handle_tells_the_end)
{
    struct door door;
    char where[WHERE_SIZE];
    plx_server *server = open_door(w, &door, where);
    int handle, second;

    if (!has_process_handles())
        return;
    door.child = fork_client(where, "hello");
    UNTIL(w, door.log.count[EVENT_DATA_AVAILABLE] == 1);
    handle = plx_ipc_peer_process_handle(plx_server_next_active(server, NULL));
    second = plx_ipc_peer_process_handle(plx_server_next_active(server, NULL));
    ck_assert_int_ge(handle, 0);
    ck_assert_int_ge(second, 0);
    ck_assert_int_ne(handle, second); /* each is the caller's own */
    ck_assert((fcntl(handle, F_GETFD) & FD_CLOEXEC) != 0);
    ck_assert(!is_readable(handle));
    kill(door.child, SIGKILL);
    world_readable(handle);
    close(handle);
    UNTIL(w, plx_server_active_count(server) == 0);
    ck_assert(is_readable(second)); /* it outlives the connection */
    close(second);
    end_child(door.child);
}

MODE_CASE(a_process_handle_of_a_listener)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    pid_t child;
    int handle;

    if (!has_process_handles())
        return;
    child = connect_to_child(w, socket, &log);
    handle = plx_ipc_peer_process_handle(socket);
    ck_assert_int_ge(handle, 0);
    ck_assert(!is_readable(handle));
    kill(child, SIGKILL);
    world_readable(handle);
    close(handle);
    end_child(child);
}

MODE_CASE(no_process_handle)
{
    struct record log, log_tcp;
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, &log_tcp), *socket = ipc(w, &log);
    char where[WHERE_SIZE];

    w->kind = &kinds[0];
    world_pair(w, tcp, &log_tcp);
    w->kind = &kinds[1];
    ck_assert_int_eq(plx_ipc_peer_process_handle(NULL), -1);
    ck_assert_int_eq(plx_ipc_peer_process_handle(tcp), -1);
    ck_assert_int_eq(plx_ipc_peer_process_handle(socket), -1);
    world_listen(w, socket, where);
    ck_assert_int_eq(plx_ipc_peer_process_handle(socket), -1);
}

WORLD_MAIN("peers")
