/* tests/test-ipc-names.c -- Unix sockets: names of every sort, and abstract ones to the byte.
 *
 * Relative and long paths are test-ipc-far.c's, where the sockets of one user belong is
 * test-ipc-place.c's. What becomes of the file is test-ipc.c's, what stands there already
 * test-ipc-lock.c's, what happens at one moment test-ipc-race.c's.
 *
 * The cases H of the list that test-qt-cases.c speaks of:
 *   H1   an empty name; 0, 1 and 5 peers   here             empty_names, so_many_peers
 *   H2   the whole path; names at the end  here             names_while_open
 *   H3   a path of 256 bytes               test-ipc-far.c   over_the_limit, far_paths
 *   H4   removing what stands there        test-ipc.c       a_live_one_is_refused_and_undisturbed,
 *                                          left_over_is_replaced: there is no call to remove it,
 *                                          listening does so where nobody listens any more
 *   H5   abstract names, and mixed         here             abstract_names_to_the_byte,
 *                                                           abstract_is_no_file
 *   H7   listeners adopted, unbound pair   here             adopted_names
 *   H8   a line of 50 KB, states           here             one_long_line
 *   H9   every call on a fresh socket      conform/          calls_while_unconnected,
 *                                                           waits_on_an_idle_socket_return_at_once
 *   H10  progress in another thread        here             progress_in_a_thread
 * H6 is not given. Of H3 only the end applies, a path that no system call takes (over_the_limit):
 * 256 bytes are no limit here, and listening and connecting work (far_paths). Of H8 the flush with
 * nothing to send applies the other way round: it is no error. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "tests/names.h"

/* ---- abstract names -------------------------------------------------------------------------- */

static const struct {
    const char *bytes;
    size_t size;
} tails[] = {{"", 0},   {"\0", 1}, {"\0\0", 2},    {"\0x", 2}, {"/", 1},
             {"/a", 2}, {"\n", 1}, {"\xff\0@", 3}, {"x", 1},   {"@", 1}};

enum { TAILS = sizeof tails / sizeof tails[0] };

/* Names of one test, which differ at their ends. */
static size_t abstract_of(const struct world *w, size_t number, char *ret_name)
{
    size_t size = (size_t)sprintf(ret_name, "pollux-%d-%d", (int)getpid(), (int)w->mode);

    memcpy(ret_name + size, tails[number].bytes, tails[number].size);
    return size + tails[number].size;
}

static void expect_bound_to(plx_socket *listener, const char *bytes, size_t size)
{
    struct sockaddr_un name;
    socklen_t length = sizeof name;

    ck_assert_int_eq(getsockname(plx_socket_handle(listener), (struct sockaddr *)&name, &length),
                     0);
    ck_assert_uint_eq(length, offsetof(struct sockaddr_un, sun_path) + 1 + size);
    ck_assert_int_eq(name.sun_path[0], 0);
    ck_assert_mem_eq(name.sun_path + 1, bytes, size);
}

/* H5: all of them at once, and each peer reaches the one whose name it has. */
MODE_CASE(abstract_names_to_the_byte)
{
    plx_socket *listeners[TAILS];
    struct record logs[TAILS];
    char name[64];

    for (size_t i = 0; i < TAILS; i++) {
        size_t size = abstract_of(w, i, name);

        listeners[i] = ipc(w, &logs[i]);
        ck_assert_int_eq(plx_ipc_set_abstract_name(listeners[i], name, size), 0);
        ck_assert_int_eq(plx_socket_listen(listeners[i]), 0);
        expect_bound_to(listeners[i], name, size);
        plx_socket_close(listeners[i]);
        ck_assert_int_eq(plx_socket_listen(listeners[i]), 0); /* it is kept to the byte */
        expect_bound_to(listeners[i], name, size);
    }
    for (size_t i = TAILS; i-- > 0;) {
        plx_socket *client = ipc(w, NULL);

        ck_assert_int_eq(plx_ipc_set_abstract_name(client, name, abstract_of(w, i, name)), 0);
        ck_assert_int_eq(plx_socket_connect(client), 0);
        UNTIL(w, logs[i].count[EVENT_CONNECTED] == 1);
        for (size_t j = 0; j < i; j++)
            ck_assert(plx_socket_is_listening(listeners[j]));
        expect_talk(w, listeners[i], client);
    }
}

MODE_CASE(abstract_names_as_text)
{
    plx_socket *socket = ipc(w, NULL), *tcp = world_socket_of(w, plx_tcp_new, NULL);
    char text[128], other[128];
    size_t size = abstract_of(w, 3, text + 1);

    text[0] = '@';
    ck_assert_int_eq(plx_ipc_set_abstract_name(socket, text + 1, size), 0);
    ck_assert_str_eq(plx_socket_path(socket), text); /* the bytes up to the zero */
    ck_assert_int_eq(plx_ipc_set_abstract_name(socket, NULL, 3), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_set_abstract_name(socket, text, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_set_abstract_name(NULL, text, 3), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_set_abstract_name(tcp, text, 3), PLX_INVALID_STATE);
    memset(other, 'a', sizeof other);
    memcpy(other + 20, text, strlen(text));
    ck_assert_int_eq(plx_ipc_set_abstract_name(socket, other, 108), ENAMETOOLONG);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_ADDRESS_NOT_AVAILABLE);
    ck_assert_int_eq(plx_socket_listen(socket), 0); /* nothing of that changed the name */
    expect_bound_to(socket, text + 1, size);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_set_path(socket, text), 0); /* text ends where the name does */
    ck_assert_int_eq(plx_socket_listen(socket), 0);
    expect_bound_to(socket, text + 1, strlen(text + 1));
    plx_socket_close(socket);
    other[0] = '\0'; /* a name that begins with one */
    ck_assert_int_eq(plx_ipc_set_abstract_name(socket, other, 90 + w->mode), 0);
    ck_assert_str_eq(plx_socket_path(socket), "@");
    ck_assert_int_eq(plx_socket_listen(socket), 0);
    expect_bound_to(socket, other, (size_t)(90 + w->mode));
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_set_path(socket, text), 0);
    memcpy(other, text, strlen(text));
    other[108] = '\0';
    expect_works(w, other);
    memcpy(other + 108, "a", 2);
    ck_assert_int_eq(plx_socket_set_path(socket, other), ENAMETOOLONG);
    ck_assert_str_eq(plx_socket_path(socket), text);
}

/* H5: an abstract name and a file of the same name have nothing to do with each other. */
MODE_CASE(abstract_is_no_file)
{
    struct record log;
    plx_socket *listener = ipc(w, NULL), *client = ipc(w, &log);
    char path[SIZE], name[SIZE + 1];

    path_of(w, "s", path);
    snprintf(name, sizeof name, "@%s", path);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(plx_socket_listen_on(listener, i == 0 ? name : path), 0);
        ck_assert_int_eq(exists(path), i);
        ck_assert_int_eq(plx_socket_connect_to(client, i == 0 ? path : name), 0);
        UNTIL(w, log.count[EVENT_ERROR] == i + 1);
        ck_assert_int_eq(log.code, i == 0 ? ENOENT : ECONNREFUSED);
        ck_assert_int_eq(log.reason, PLX_REASON_CONNECTION_REFUSED);
        plx_socket_close(listener);
    }
    expect_works(w, name);
    expect_works(w, path);
    expect_tidy(w);
}

/* ---- names of every sort --------------------------------------------------------------------- */

/* H1 */
MODE_CASE(empty_names)
{
    static const char *const names[] = {"", "@"};
    plx_socket *socket = ipc(w, NULL);

    ck_assert_int_eq(plx_socket_listen(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_ne(plx_socket_listen_on(socket, names[i]), 0);
        ck_assert_int_ne(plx_socket_connect_to(socket, names[i]), 0);
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    }
}

/* H1, and a server with more peers than Qt's tests have. */
MODE_CASE(so_many_peers)
{
    static const int counts[] = {0, 1, 5, 40};
    struct record logs[40];
    char path[WHERE_SIZE];

    w->kind = &kinds[1];
    for (int i = 0; i < 4; i++) {
        plx_server *server = world_server(w);
        plx_socket *clients[40], *served = NULL;

        world_serve(w, server, path);
        for (int k = 0; k < counts[i]; k++) {
            clients[k] = ipc(w, &logs[k]);
            ck_assert_int_eq(plx_socket_connect_to(clients[k], path), 0);
            ck_assert_int_eq(plx_socket_write(clients[k], "hello", 5), 5);
            UNTIL(w, plx_server_active_count(server) == (size_t)k + 1);
            ck_assert(!plx_socket_wait_for_data(clients[k], 0));
        }
        while ((served = plx_server_next_active(server, served)) != NULL) {
            UNTIL(w, plx_socket_bytes_available(served) == 5);
            ck_assert_int_eq(plx_socket_write(served, "you", 3), 3);
        }
        for (int k = 0; k < counts[i]; k++) {
            UNTIL(w, plx_socket_bytes_available(clients[k]) == 3);
            world_free(w, clients[k]);
            LOGGED(w, &logs[k],
                   "state:CONNECTING state:CONNECTED connected[CONNECTED] "
                   "send_progress(5,0)[CONNECTED] "
                   "send_complete(false)[CONNECTED] data_available[CONNECTED]");
        }
        w->sockets_used = 0;
        UNTIL(w, plx_server_active_count(server) == 0);
        ck_assert(exists(path));
        world_free_server(w, server);
    }
    expect_tidy(w);
}

/* H2: the path is reported as it was given, and no name once nothing is open. */
MODE_CASE(names_while_open)
{
    plx_socket *listener = ipc(w, NULL), *client = ipc(w, NULL);
    char path[SIZE];

    path_of(w, "./s", path);
    ck_assert_int_eq(plx_socket_listen_on(listener, path), 0);
    ck_assert_str_eq(plx_socket_local_address(listener), path);
    ck_assert_int_eq(plx_socket_connect_to(client, path), 0);
    UNTIL(w, plx_socket_is_connected(client) && plx_socket_is_connected(listener));
    ck_assert_str_eq(plx_socket_remote_address(client), path);
    plx_socket_close(client);
    UNTIL(w, plx_socket_state(listener) == PLX_UNCONNECTED);
    ck_assert_str_eq(plx_socket_remote_address(client), "");
    ck_assert_str_eq(plx_socket_local_address(listener), "");
    ck_assert_str_eq(plx_socket_path(client), path); /* a property stays */
    expect_tidy(w);
}

/* H7 */
MODE_CASE(adopted_names)
{
    plx_socket *socket = ipc(w, NULL), *client = ipc(w, NULL);
    char names[3][SIZE];
    int pair[2];

    path_of(w, "s", names[0]);
    snprintf(names[1], SIZE, "@pollux-%d-%d", (int)getpid(), (int)w->mode);
    snprintf(names[2], SIZE, "@/pollux/%d/%d", (int)getpid(), (int)w->mode);
    for (int i = 0; i < 3; i++) {
        int raw = unix_raw_bind_at(names[i]);

        ck_assert_int_eq(listen(raw, 5), 0);
        ck_assert_int_eq(plx_socket_adopt(socket, raw), 0);
        ck_assert_str_eq(plx_socket_local_address(socket), names[i]);
        ck_assert_int_eq(plx_socket_connect_to(client, names[i]), 0);
        UNTIL(w, plx_socket_is_connected(socket));
        expect_talk(w, socket, client);
    }
    unlink(names[0]); /* its maker's, who is no longer asked */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(plx_socket_adopt(socket, pair[0]), 0);
    world_free(w, client);
    client = ipc(w, NULL); /* to which no path was given */
    ck_assert_int_eq(plx_socket_adopt(client, pair[1]), 0);
    ck_assert_str_eq(plx_socket_local_address(socket), "");
    ck_assert_str_eq(plx_socket_remote_address(client), "");
    expect_talk(w, socket, client);
    expect_tidy(w);
}

/* H8 */
IPC_SOCKET_CASE(one_long_line)
{
    enum { LINE = 50 * 1024 };
    static char line[LINE + 1], got[LINE + 1];
    struct record log_other;
    plx_socket *other = ipc(w, &log_other);

    w->kind = &kinds[1];
    memset(line, 'l', LINE - 1);
    line[LINE - 1] = '\n';
    world_couple(w, socket, other);
    ck_assert_int_eq(plx_socket_flush(socket), 0);
    ck_assert_int_eq(plx_socket_write(socket, line, LINE), LINE);
    UNTIL(w, plx_socket_bytes_available(other) == LINE);
    world_settle(w);
    ck_assert_int_eq(log_other.count[EVENT_LINE_AVAILABLE], 1);
    ck_assert_int_eq(plx_socket_read_line(other, got, sizeof got), LINE);
    ck_assert_str_eq(got, line);
    plx_socket_disconnect(socket);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1 && log_other.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_STATE_CHANGED], 4);
    ck_assert_int_eq(log_other.count[EVENT_STATE_CHANGED], 3); /* LISTENING and so on */
}

static void *write_in_a_thread(void *path)
{
    struct record *log = malloc(sizeof *log);
    plx_socket *socket = plx_ipc_new();
    intptr_t progress;

    record_begin(log, socket);
    ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    for (int i = 0; i < ROUNDS && log->count[EVENT_SEND_COMPLETE] == 0; i++) {
        plx_socket_poll(socket);
        poll(NULL, 0, i < 20 ? 0 : 1);
    }
    progress = log->count[EVENT_SEND_PROGRESS];
    plx_socket_free(socket);
    free(log);
    return (void *)progress;
}

/* H10: in a thread that does nothing but poll. The main one does nothing meanwhile, for the tests'
 * counting of memory is not made for two at once. */
MODE_CASE(progress_in_a_thread)
{
    char path[WHERE_SIZE];
    int listener;
    void *progress = NULL;
    pthread_t thread;

    w->kind = &kinds[1];
    listener = raw_listen(w, 5, path);
    ck_assert_int_eq(pthread_create(&thread, NULL, write_in_a_thread, path), 0);
    ck_assert_int_eq(pthread_join(thread, &progress), 0);
    ck_assert_int_eq((intptr_t)progress, 1);
    raw_expect(w, raw_accept(w, listener), "hello");
}

WORLD_MAIN("ipc-names")
