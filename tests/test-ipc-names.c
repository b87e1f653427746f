/* tests/test-ipc-names.c -- Unix sockets: names of every sort and length, what stands there already,
 * and where the sockets of one user belong.
 *
 * What becomes of the file is test-ipc.c's, what happens at one moment test-ipc-race.c's.
 *
 * The cases H of the list that test-qt-cases.c speaks of:
 *   H1   an empty name; 0, 1 and 5 peers   here             empty_names, so_many_peers
 *   H2   the whole path; names at the end  here             names_while_open
 *   H4   removing what stands there        test-ipc.c       a_live_one_is_refused_and_undisturbed,
 *                                          left_over_is_replaced: there is no call to remove it,
 *                                          listening does so where nobody listens any more
 *   H5   abstract names, and mixed         here             abstract_names_to_the_byte,
 *                                                           abstract_is_no_file
 *   H7   listeners adopted, unbound pair   here             adopted_names
 *   H8   a line of 50 KB, states           here             one_long_line
 *   H9   every call on a fresh socket      conform.c        calls_while_unconnected,
 *                                                           waits_on_an_idle_socket_return_at_once
 *   H10  progress told in another thread   here             progress_in_a_thread
 * H6 is not given. Of H3 only the end applies, a path that no system call takes (over_the_limit):
 * 256 bytes are no limit here, and listening and connecting work (far_paths). Of H8 the flush with
 * nothing to send applies the other way round: it is no error. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "tests/world.h"

enum { SIZE = 2 * PATH_MAX };

static void path_of(const struct world *w, const char *name, char *ret_path)
{
    snprintf(ret_path, SIZE, "%s/%s", w->folder, name);
}

static bool exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

static plx_socket *ipc(struct world *w, struct record *log)
{
    return world_socket_of(w, plx_ipc_new, log);
}

/* Writes a path of `size` bytes whose last component has `last`, and makes the folders for it. */
static void far_path(const struct world *w, size_t size, size_t last, char *ret_path)
{
    size_t length = strlen(w->folder);

    strcpy(ret_path, w->folder);
    while (length < size - last - 1) {
        size_t left = size - last - 1 - length - 1;
        size_t piece = left > 101 ? 100 : left == 101 ? 90 : left;

        ret_path[length] = '/';
        memset(ret_path + length + 1, 'd', piece);
        length += piece + 1;
        ret_path[length] = '\0';
        ck_assert(mkdir(ret_path, 0700) == 0 || errno == EEXIST);
    }
    ret_path[length] = '/';
    memset(ret_path + length + 1, 'n', last);
    ret_path[size] = '\0';
}

static int remove_if_folder(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    ck_assert_msg(type == FTW_DP, "left behind: %s", path);
    return at->level == 0 ? 0 : rmdir(path);
}

/* Nothing but folders may be left; these go. */
static void expect_tidy(const struct world *w)
{
    ck_assert_int_eq(nftw(w->folder, remove_if_folder, 20, FTW_DEPTH | FTW_PHYS), 0);
}

/* Bound by way of a short name, so that the path may be long. */
static int raw_bound(const struct world *w, const char *path)
{
    char near[SIZE];
    int raw;

    path_of(w, "raw", near);
    raw = unix_raw_bind_at(near);
    ck_assert_int_eq(rename(near, path), 0);
    return raw;
}

static void leave_over(const struct world *w, const char *path)
{
    int raw = raw_bound(w, path);

    ck_assert_int_eq(listen(raw, 1), 0);
    close(raw);
    ck_assert(exists(path));
}

/* ---- talking --------------------------------------------------------------------------------- */

/* Writing straight after connect, both ways, then closing. */
static void expect_talk(struct world *w, plx_socket *listener, plx_socket *client)
{
    char got[8] = "";

    ck_assert_int_eq(plx_socket_write(client, "hello", 5), 5);
    UNTIL(w, plx_socket_bytes_available(listener) == 5);
    ck_assert_int_eq(plx_socket_read(listener, got, sizeof got), 5);
    ck_assert_str_eq(got, "hello");
    ck_assert_int_eq(plx_socket_write(listener, "you", 3), 3);
    UNTIL(w, plx_socket_bytes_available(client) == 3);
    plx_socket_close(client);
    plx_socket_close(listener);
}

static void expect_works(struct world *w, const char *path)
{
    struct record log_listener, log_client;
    plx_socket *listener = ipc(w, &log_listener), *client = ipc(w, &log_client);

    ck_assert_int_eq(plx_socket_listen_on(listener, path), 0);
    ck_assert_str_eq(plx_socket_path(listener), path);
    ck_assert_str_eq(plx_socket_local_address(listener), path);
    ck_assert(path[0] == '@' || exists(path));
    ck_assert_int_eq(plx_socket_connect_to(client, path), 0);
    expect_talk(w, listener, client);
    ck_assert(!exists(path));
    ck_assert_int_eq(log_listener.count[EVENT_ERROR] + log_client.count[EVENT_ERROR], 0);
    world_free(w, listener);
    world_free(w, client);
}

/* ---- abstract names -------------------------------------------------------------------------- */

static const struct {
    const char *bytes;
    size_t size;
} tails[] = {{"", 0},   {"\0", 1}, {"\0\0", 2},    {"\0x", 2}, {"/", 1},
             {"/a", 2}, {"\n", 1}, {"\xff\0@", 3}, {"x", 1},   {"@", 1}};

enum { TAILS = sizeof tails / sizeof tails[0] };

/* Names of one test, told apart by their ends. */
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

/* H5: all of them at once, and each peer comes to the one whose name it has. */
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

/* H2: the path is told as it was given, and no name once nothing is open. */
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
MODE_CASE(one_long_line)
{
    enum { LINE = 50 * 1024 };
    static char line[LINE + 1], got[LINE + 1];
    struct record log, log_other;
    plx_socket *socket = ipc(w, &log), *other = ipc(w, &log_other);

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
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1 && log_other.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log.count[EVENT_STATE_CHANGED], 4);
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

/* ---- relative and long paths ----------------------------------------------------------------- */

/* The file that goes is the one in the folder of then, and a stranger's of the same name in the
 * folder of now stays. Even then, and however long, is the name good for connecting. */
MODE_CASE(relative_paths_and_another_folder)
{
    static const size_t lengths[] = {1, 104, 107, 120, 200};
    int before = open(".", O_PATH | O_CLOEXEC);

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        plx_socket *listener = ipc(w, NULL), *client = ipc(w, NULL);
        char sub[SIZE], path[SIZE], stranger[SIZE];
        const char *name;

        path_of(w, "sub", sub);
        ck_assert(mkdir(sub, 0700) == 0 || errno == EEXIST);
        far_path(w, strlen(w->folder) + 1 + lengths[i], lengths[i], path);
        name = path + strlen(w->folder) + 1;
        snprintf(stranger, sizeof stranger, "%.100s/%s", sub, name);
        ck_assert_int_eq(chdir(w->folder), 0);
        ck_assert_int_eq(plx_socket_listen_on(listener, name), 0);
        ck_assert_str_eq(plx_socket_path(listener), name);
        ck_assert(exists(path));
        leave_over(w, stranger);
        ck_assert_int_eq(plx_socket_connect_to(client, name), 0);
        ck_assert_int_eq(chdir(sub), 0);
        UNTIL(w, plx_socket_is_connected(listener));
        ck_assert(!exists(path));
        ck_assert(exists(stranger));
        expect_talk(w, listener, client);
        ck_assert_int_eq(chdir(w->folder), 0);
        ck_assert_int_eq(plx_socket_listen_on(listener, name), 0);
        ck_assert_int_eq(chdir(sub), 0);
        plx_socket_close(listener);
        ck_assert(!exists(path));
        ck_assert_int_eq(unlink(stranger), 0);
    }
    ck_assert_int_eq(fchdir(before), 0);
    close(before);
    expect_tidy(w);
}

/* The kernel's limit lies between 107 and 108; a listener's lock has five bytes more. */
MODE_CASE(paths_at_the_limit)
{
    char path[SIZE];

    for (size_t size = 100; size < 115; size++) {
        far_path(w, size, size - strlen(w->folder) - 1, path);
        expect_works(w, path);
        far_path(w, size, 20, path);
        expect_works(w, path);
    }
    expect_tidy(w);
}

/* Size of the whole path and of its last component. With 92 the way there has just room. */
static const size_t far[][2] = {{300, 10},  {300, 200}, {230, 190}, {150, 50},
                                {300, 92},  {300, 95},  {280, 100}, {300, 250},
                                {400, 251}, {600, 255}, {4000, 30}, {4000, 255}};

enum { FAR = sizeof far / sizeof far[0] };

MODE_CASE(far_paths)
{
    char path[SIZE];

    for (size_t i = 0; i < FAR; i++) {
        far_path(w, far[i][0], far[i][1], path);
        expect_works(w, path);
    }
    expect_tidy(w);
}

/* Two whose names have everything in common but their last byte. */
MODE_CASE(far_neighbours)
{
    plx_socket *first = ipc(w, NULL), *second = ipc(w, NULL);
    char path[SIZE];

    for (size_t i = 0; i < FAR; i++) {
        far_path(w, far[i][0], far[i][1], path);
        ck_assert_int_eq(plx_socket_listen_on(first, path), 0);
        path[far[i][0] - 1] = 'm';
        ck_assert_int_eq(plx_socket_listen_on(second, path), 0);
        plx_socket_close(second);
        path[far[i][0] - 1] = 'n';
        ck_assert(exists(path));
        plx_socket_close(first);
    }
    expect_tidy(w);
}

MODE_CASE(far_left_overs)
{
    struct record log;
    plx_socket *first = ipc(w, &log), *second = ipc(w, NULL), *client = ipc(w, NULL);
    char path[SIZE];

    for (size_t i = 0; i < FAR; i++) {
        far_path(w, far[i][0], far[i][1], path);
        leave_over(w, path);
        ck_assert_int_eq(plx_socket_connect_to(client, path), 0);
        ck_assert(!plx_socket_wait_for_connected(client, 2000));
        ck_assert_int_eq(plx_socket_last_error(client), ECONNREFUSED);
        ck_assert_int_eq(plx_socket_listen_on(first, path), 0);
        world_settle(w);
        record_clear(&log);
        ck_assert_int_eq(plx_socket_listen_on(second, path), PLX_ADDRESS_IN_USE);
        world_settle(w);
        LOGGED(w, &log, "");
        ck_assert(exists(path));
        ck_assert_int_eq(plx_socket_connect_to(client, path), 0);
        UNTIL(w, plx_socket_is_connected(first));
        expect_talk(w, first, client);
    }
    expect_tidy(w);
}

MODE_CASE(far_modes)
{
    static const int modes[] = {0600, 0666, 0777, 0};
    plx_socket *socket = ipc(w, NULL);
    mode_t mask = umask(027);
    char path[SIZE];
    struct stat status;

    for (size_t i = 0; i < 4 * FAR; i++) {
        int mode = modes[i % 4];

        far_path(w, far[i / 4][0], far[i / 4][1], path);
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, mode), 0);
        ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
        ck_assert_int_eq(lstat(path, &status), 0);
        ck_assert_int_eq((int)(status.st_mode & 07777), mode == 0 ? 0750 : mode);
        ck_assert_uint_eq(status.st_nlink, 1);
        plx_socket_close(socket);
    }
    ck_assert_int_eq((int)umask(mask), 027);
    expect_tidy(w);
}

/* A missing folder is told the same way however long the path is. */
MODE_CASE(missing_folders)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    char path[SIZE];

    for (size_t i = 0; i < FAR + 1; i++) {
        strcpy(path, w->folder);
        if (i < FAR) {
            far_path(w, far[i][0], far[i][1], path);
            *strrchr(path, '/') = '\0';
        }
        strcat(path, "/missing/s");
        record_clear(&log);
        ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
        UNTIL(w, log.count[EVENT_ERROR] > 0);
        LOGGED(w, &log, "state:CONNECTING state:UNCONNECTED error(2,10)[UNCONNECTED]");
        ck_assert_int_eq(plx_socket_listen_on(socket, path), ENOENT);
        world_settle(w);
        ck_assert_int_eq(log.count[EVENT_ERROR], 2);
    }
    expect_tidy(w);
}

/* H3 */
MODE_CASE(over_the_limit)
{
    plx_socket *socket = ipc(w, NULL);
    char path[SIZE];

    memset(path, '/', sizeof path);
    for (size_t size = PATH_MAX; size < SIZE; size += 1000) {
        path[size] = '\0';
        ck_assert_int_eq(plx_socket_listen_on(socket, path), ENAMETOOLONG);
        ck_assert_int_eq(plx_socket_connect_to(socket, path), ENAMETOOLONG);
        ck_assert_int_eq(plx_socket_set_path(socket, path), ENAMETOOLONG);
        ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_ADDRESS_NOT_AVAILABLE);
        ck_assert_str_eq(plx_socket_path(socket), "");
        path[size] = '/';
    }
    path_of(w, "", path); /* one component longer than file systems take */
    memset(path + strlen(path), 'n', 256);
    path[strlen(w->folder) + 1 + 256] = '\0';
    ck_assert_int_eq(plx_socket_listen_on(socket, path), ENAMETOOLONG);
    expect_tidy(w);
}

/* ---- where the sockets of one user belong ---------------------------------------------------- */

/* What the environment says of folders; put back at the end, for other tests may follow in this
 * process. */
struct surroundings {
    char *runtime, *temporary;
    char folder[SIZE], runtime_folder[SIZE], fallback[SIZE]; /* of the test's own */
};

static char *copy_of(const char *variable)
{
    const char *value = getenv(variable);

    return value == NULL ? NULL : strdup(value);
}

static void set_variable(const char *variable, const char *value)
{
    ck_assert_int_eq(value == NULL ? unsetenv(variable) : setenv(variable, value, 1), 0);
}

static void begin_surroundings(const struct world *w, struct surroundings *here)
{
    here->runtime = copy_of("XDG_RUNTIME_DIR");
    here->temporary = copy_of("TMPDIR");
    path_of(w, "run", here->runtime_folder);
    snprintf(here->fallback, SIZE, "%s/pollux-%lu", w->folder, (unsigned long)getuid());
    ck_assert_int_eq(mkdir(here->runtime_folder, 0700), 0);
    set_variable("XDG_RUNTIME_DIR", here->runtime_folder);
    set_variable("TMPDIR", w->folder);
}

static void end_surroundings(const struct world *w, struct surroundings *here)
{
    set_variable("XDG_RUNTIME_DIR", here->runtime);
    set_variable("TMPDIR", here->temporary);
    free(here->runtime);
    free(here->temporary);
    expect_tidy(w);
}

/* `folder` NULL: that it is refused with this code. */
static void expect_private(const char *folder, int code)
{
    char path[SIZE], wanted[SIZE + 8];

    memset(path, 7, sizeof path);
    ck_assert_int_eq(plx_ipc_private_path("name", path, sizeof path), code);
    if (folder == NULL) {
        for (size_t i = 0; i < sizeof path; i++)
            ck_assert_int_eq(path[i], 7);
        return;
    }
    snprintf(wanted, sizeof wanted, "%s/name", folder);
    ck_assert_str_eq(path, wanted);
}

MODE_CASE(private_path_below_the_runtime_folder)
{
    struct surroundings here;
    char path[SIZE];

    begin_surroundings(w, &here);
    expect_private(here.runtime_folder, 0);
    ck_assert(!exists(here.fallback)); /* not made where it is not needed */
    ck_assert_int_eq(plx_ipc_private_path("name", path, sizeof path), 0);
    expect_works(w, path);
    end_surroundings(w, &here);
}

MODE_CASE(private_path_without_a_runtime_folder)
{
    struct surroundings here;
    char file[SIZE];
    int before = open(".", O_PATH | O_CLOEXEC);

    begin_surroundings(w, &here);
    path_of(w, "file", file);
    close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0700));
    ck_assert_int_eq(chdir(w->folder), 0); /* where the relative one is, and is not taken */
    for (int i = 0; i < 6; i++) {
        const char *const values[] = {
            NULL, "", "run", "/nowhere/at/all", file, here.runtime_folder};
        mode_t mask = umask(i % 2 == 0 ? 0 : 077);
        struct stat status;

        set_variable("XDG_RUNTIME_DIR", values[i]);
        ck_assert_int_eq(chmod(here.runtime_folder, i == 5 ? 0777 : 0700), 0);
        expect_private(here.fallback, 0);
        expect_private(here.fallback, 0); /* it is there now */
        ck_assert_int_eq(lstat(here.fallback, &status), 0);
        ck_assert_int_eq((int)status.st_mode, S_IFDIR | 0700);
        ck_assert_int_eq(rmdir(here.fallback), 0);
        umask(mask);
    }
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(fchdir(before), 0);
    close(before);
    end_surroundings(w, &here);
}

/* Somebody else may have been there first. */
MODE_CASE(private_path_is_refused)
{
    struct surroundings here;
    static const mode_t modes[] = {0755, 0701, 0710, 0777, 01777};

    begin_surroundings(w, &here);
    set_variable("XDG_RUNTIME_DIR", NULL);
    ck_assert_int_eq(mkdir(here.fallback, 0700), 0);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        ck_assert_int_eq(chmod(here.fallback, modes[i]), 0);
        expect_private(NULL, EACCES);
    }
    ck_assert_int_eq(chmod(here.fallback, 0700), 0);
    if (getuid() == 0) {
        ck_assert_int_eq(chown(here.fallback, 65534, 65534), 0);
        expect_private(NULL, EACCES);
    }
    ck_assert_int_eq(rmdir(here.fallback), 0);
    ck_assert_int_eq(symlink(here.runtime_folder, here.fallback), 0); /* our own, even */
    expect_private(NULL, EACCES);
    ck_assert_int_eq(unlink(here.fallback), 0);
    ck_assert_int_eq(mkfifo(here.fallback, 0700), 0);
    expect_private(NULL, EACCES);
    ck_assert_int_eq(unlink(here.fallback), 0);
    set_variable("TMPDIR", "/nowhere/at/all");
    expect_private(NULL, ENOENT);
    end_surroundings(w, &here);
}

MODE_CASE(private_path_and_bad_arguments)
{
    static const char *const names[] = {NULL, "", "/", "a/b", "/a", "a/", "..", "."};
    struct surroundings here;
    char path[SIZE], before[SIZE];
    size_t size;

    begin_surroundings(w, &here);
    memset(before, 7, sizeof before);
    memset(path, 7, sizeof path);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_int_eq(plx_ipc_private_path(names[i], path, sizeof path), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_private_path("name", NULL, sizeof path), PLX_INVALID_STATE);
    size = strlen(here.runtime_folder) + sizeof "/name";
    for (size_t few = 0; few < size; few++)
        ck_assert_int_eq(plx_ipc_private_path("name", path, few), ENAMETOOLONG);
    ck_assert_mem_eq(path, before, sizeof path);
    ck_assert_int_eq(plx_ipc_private_path("name", path, size), 0);
    ck_assert_uint_eq(strlen(path) + 1, size);
    ck_assert_mem_eq(path + size, before, sizeof path - size);
    end_surroundings(w, &here);
}

/* ---- the suite ------------------------------------------------------------------------------- */

int main(void)
{
    static const TTest *const *const cases[] = {
        &abstract_names_to_the_byte,
        &abstract_names_as_text,
        &abstract_is_no_file,
        &empty_names,
        &so_many_peers,
        &names_while_open,
        &adopted_names,
        &one_long_line,
        &progress_in_a_thread,
        &relative_paths_and_another_folder,
        &paths_at_the_limit,
        &far_paths,
        &far_neighbours,
        &far_left_overs,
        &far_modes,
        &missing_folders,
        &over_the_limit,
        &private_path_below_the_runtime_folder,
        &private_path_without_a_runtime_folder,
        &private_path_is_refused,
        &private_path_and_bad_arguments,
    };
    Suite *suite = suite_create("ipc-names");
    TCase *names = tcase_create("names of Unix sockets");

    tcase_set_timeout(names, 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ADD_MODE_CASE(names, *cases[i]);
    suite_add_tcase(suite, names);
    return world_run(suite);
}
