/* tests/test-ipc.c -- Unix sockets: what becomes of the file, who the peer is, abstract names.
 *
 * That they carry bytes as every stream does is shown by tests/conform/. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/paths.h"

static void path_of(const struct world *w, const char *name, char *ret_path)
{
    snprintf(ret_path, WHERE_SIZE, "%s/%s", w->folder, name);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void expect_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "r");
    char got[64] = "";

    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(got, sizeof got, file));
    fclose(file);
    ck_assert_str_eq(got, text);
}

/* ---- the file -------------------------------------------------------------------------------- */

IPC_SOCKET_CASE(file_made_and_removed)
{
    char path[WHERE_SIZE];
    struct stat status;

    path_of(w, "s", path);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert(S_ISSOCK(status.st_mode));
    ck_assert_str_eq(plx_socket_path(socket), path);
    ck_assert_str_eq(plx_socket_local_address(socket), path);
    plx_socket_close(socket);
    ck_assert(!exists(path));
    ck_assert_str_eq(plx_socket_path(socket), path); /* kept as a property */
    ck_assert_int_eq(plx_socket_listen(socket), 0);
    ck_assert(exists(path));
    plx_socket_abort(socket);
    ck_assert(!exists(path));
    ck_assert_int_eq(plx_socket_listen(socket), 0);
    world_free(w, socket);
    ck_assert(!exists(path));
}

IPC_SOCKET_CASE(file_removed_when_the_peer_has_come)
{
    char path[WHERE_SIZE];
    int raw;

    path_of(w, "s", path);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    raw = world_raw(w, unix_raw_connect(path));
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    ck_assert(!exists(path)); /* the listener is closed; others are refused */
    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
}

MODE_CASE(file_removed_by_a_server)
{
    plx_server *server = plx_server_new(plx_ipc_new);
    char path[WHERE_SIZE];
    int raw;

    path_of(w, "s", path);
    ck_assert_int_eq(plx_server_listen_on(server, path), 0);
    ck_assert_int_eq(plx_server_port(server), 0);
    raw = world_raw(w, unix_raw_connect(path));
    for (int i = 0; i < 100 && plx_server_active_count(server) == 0; i++)
        plx_server_wait(server, 20);
    ck_assert_uint_eq(plx_server_active_count(server), 1);
    ck_assert(exists(path)); /* a server goes on listening */
    plx_server_stop_listening(server);
    ck_assert(!exists(path));
    ck_assert_uint_eq(plx_server_active_count(server), 1);
    ck_assert_int_eq(plx_server_listen_on(server, path), 0);
    plx_server_free(server);
    ck_assert(!exists(path));
    raw_expect_end(w, raw);
}

IPC_SOCKET_CASE(left_over_is_replaced)
{
    char path[WHERE_SIZE];
    int raw;

    path_of(w, "s", path);
    leave_over(w, path);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    raw = world_raw(w, unix_raw_connect(path));
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

IPC_SOCKET_CASE(left_over_of_a_killed_process)
{
    char path[WHERE_SIZE];
    int status = 0;
    pid_t child;

    path_of(w, "s", path);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (plx_socket_listen_on(plx_ipc_new(), path) == 0)
            raise(SIGKILL);
        _exit(1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert(exists(path));
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
}

MODE_CASE(a_live_one_is_refused_and_undisturbed)
{
    struct record log_first, log_second;
    plx_socket *first = ipc(w, &log_first), *second = ipc(w, &log_second);
    char path[WHERE_SIZE];
    int raw;

    path_of(w, "s", path);
    ck_assert_int_eq(plx_socket_listen_on(first, path), 0);
    world_settle(w);
    record_clear(&log_first);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(plx_socket_listen_on(second, path), PLX_ADDRESS_IN_USE);
        world_settle(w);
    }
    LOGGED(w, &log_first, ""); /* the question whether somebody listens is no connection */
    ck_assert(plx_socket_is_listening(first));
    ck_assert(exists(path));
    plx_socket_close(second);
    ck_assert(exists(path));
    raw = world_raw(w, unix_raw_connect(path));
    raw_say(raw, "real");
    UNTIL(w, log_first.count[EVENT_DATA_AVAILABLE] > 0);
    ck_assert_int_eq(log_first.count[EVENT_CONNECTED], 1);
}

MODE_CASE(a_live_server_is_undisturbed)
{
    plx_server *server = plx_server_new(plx_ipc_new);
    struct record log;
    plx_socket *socket = ipc(w, &log);
    char path[WHERE_SIZE];

    path_of(w, "s", path);
    ck_assert_int_eq(plx_server_listen_on(server, path), 0);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), PLX_ADDRESS_IN_USE);
    for (int i = 0; i < 5; i++)
        plx_server_poll(server);
    ck_assert_uint_eq(plx_server_active_count(server), 0); /* no ghost of a client */
    plx_server_free(server);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
}

IPC_SOCKET_CASE(a_live_one_of_another_program_is_refused)
{
    char path[WHERE_SIZE];
    int raw;

    path_of(w, "s", path);
    raw = world_raw(w, unix_raw_bind_at(path));
    ck_assert_int_eq(listen(raw, 0), 0);
    /* Its queue may be full: that is a sign of life, too. */
    world_raw(w, unix_raw_connect(path));
    ck_assert_int_eq(plx_socket_listen_on(socket, path), PLX_ADDRESS_IN_USE);
    ck_assert(exists(path));
}

IPC_SOCKET_CASE(a_regular_file_is_never_touched)
{
    char path[WHERE_SIZE];
    int code;

    path_of(w, "document", path);
    write_file(path, "precious");
    code = plx_socket_listen_on(socket, path);
    ck_assert_int_ne(code, 0);
    ck_assert_int_eq(plx_socket_last_error(socket), code);
    plx_socket_close(socket);
    expect_file(path, "precious");
    ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    world_free(w, socket);
    expect_file(path, "precious");
}

IPC_SOCKET_CASE(a_link_is_never_followed_to_a_file)
{
    char path[WHERE_SIZE], link[WHERE_SIZE];

    path_of(w, "document", path);
    path_of(w, "link", link);
    write_file(path, "precious");
    ck_assert_int_eq(symlink(path, link), 0);
    ck_assert_int_ne(plx_socket_listen_on(socket, link), 0);
    world_free(w, socket);
    expect_file(path, "precious");
    ck_assert(exists(link));
}

MODE_CASE(the_file_of_a_successor_is_not_removed)
{
    struct record log_old, log_new;
    plx_socket *old = ipc(w, &log_old), *new = ipc(w, &log_new);
    char path[WHERE_SIZE];

    path_of(w, "s", path);
    ck_assert_int_eq(plx_socket_listen_on(old, path), 0);
    ck_assert_int_eq(unlink(path), 0); /* somebody tidies up */
    ck_assert_int_eq(plx_socket_listen_on(new, path), 0);
    plx_socket_close(old);
    ck_assert(exists(path));
    world_raw(w, unix_raw_connect(path));
    UNTIL(w, log_new.count[EVENT_CONNECTED] > 0);
}

IPC_SOCKET_CASE(a_file_put_in_its_place_is_not_removed)
{
    char path[WHERE_SIZE];

    path_of(w, "s", path);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    ck_assert_int_eq(unlink(path), 0);
    write_file(path, "precious");
    plx_socket_close(socket);
    expect_file(path, "precious");
}

IPC_SOCKET_CASE(a_child_does_not_remove_the_file)
{
    char path[WHERE_SIZE];
    int status = 0;
    pid_t child;

    path_of(w, "s", path);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        plx_socket_free(socket);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(exists(path));
    world_raw(w, unix_raw_connect(path));
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
}

IPC_SOCKET_CASE(relative_path_and_another_folder)
{
    char path[WHERE_SIZE];

    path_of(w, "relative", path);
    ck_assert_int_eq(chdir(w->folder), 0);
    ck_assert_int_eq(plx_socket_listen_on(socket, "relative"), 0);
    ck_assert(exists(path));
    ck_assert_str_eq(plx_socket_path(socket), "relative");
    plx_socket_close(socket);
    ck_assert(!exists(path));
    ck_assert_int_eq(chdir("/"), 0);
}

/* ---- lengths and places ---------------------------------------------------------------------- */

IPC_SOCKET_CASE(path_lengths)
{
    char path[WHERE_SIZE];

    path_of(w, "", path);
    memset(path + strlen(path), 'n', 107 - strlen(path));
    path[107] = '\0';
    ck_assert_int_eq(plx_socket_listen_on(socket, path),
                     0); /* 107 bytes: the most there is room for */
    ck_assert(exists(path));
    world_raw(w, unix_raw_connect(path));
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    plx_socket_close(socket);
    path[107] = 'n';
    path[108] = '\0';
#ifdef __linux__
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0); /* by way of its folder */
    ck_assert(exists(path));
    plx_socket_close(socket);
    ck_assert(!exists(path));
#else
    ck_assert_int_eq(plx_socket_listen_on(socket, path), ENAMETOOLONG);
#endif
}

IPC_SOCKET_CASE(no_such_folder)
{
    char path[WHERE_SIZE];

    path_of(w, "missing/s", path);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), ENOENT);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, ENOENT);
}

IPC_SOCKET_CASE(connect_to_what_is_not_there)
{
    char path[WHERE_SIZE];

    path_of(w, "missing", path);
    ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    LOGGED(w, log, "state:CONNECTING state:UNCONNECTED error(2,10)[UNCONNECTED]");
    record_clear(log);
    leave_over(w, path);
    ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    LOGGED(w, log, "state:CONNECTING state:UNCONNECTED error(111,10)[UNCONNECTED]");
    ck_assert_ptr_nonnull(strstr(log->message, path));
    ck_assert(exists(path)); /* connecting tidies up nothing */
}

IPC_SOCKET_CASE(connect_waits_for_room_in_a_full_queue)
{
    char path[WHERE_SIZE];
    int listener, raw;

    /* The kernel says EAGAIN to a non-blocking connect while the queue is full (connect(2)): that
     * is "not now" and no failure. */
    path_of(w, "s", path);
    listener = world_raw(w, unix_raw_bind_at(path));
    ck_assert_int_eq(listen(listener, 0), 0);
    world_raw(w, unix_raw_connect(path));
    ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    LOGGED(w, log, "state:CONNECTING");
    world_raw(w, accept_closing(listener, 0));
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    raw = world_raw(w, accept_closing(listener, 0));
    raw_say(raw, "at last");
    UNTIL(w, plx_socket_bytes_available(socket) == 7);
}

IPC_SOCKET_CASE(connect_gives_up_a_full_queue)
{
    char path[WHERE_SIZE];
    int listener;

    path_of(w, "s", path);
    listener = world_raw(w, unix_raw_bind_at(path));
    ck_assert_int_eq(listen(listener, 0), 0);
    world_raw(w, unix_raw_connect(path));
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 60), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
    ck_assert(!plx_socket_wait_for_connected(socket, 600000));
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, ETIMEDOUT);
    ck_assert_int_eq(log->reason, PLX_REASON_SOCKET_TIMEOUT);
}

/* ---- who may, and who is it ------------------------------------------------------------------ */

IPC_SOCKET_CASE(mode_of_the_file)
{
    static const int modes[] = {0600, 0660, 0666, 0777};
    mode_t mask = umask(0077);
    char path[WHERE_SIZE];
    struct stat status;

    path_of(w, "s", path);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, modes[i]), 0);
        ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_MODE), modes[i]);
        ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_int_eq((int)(status.st_mode & 0777), modes[i]);
        plx_socket_close(socket);
    }
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, 0), 0);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq((int)(status.st_mode & 0777), 0700); /* what the umask leaves */
    ck_assert_int_eq((int)umask(mask), 0077);             /* which nobody else may lose */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, -1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, 01000000), PLX_INVALID_STATE);
}

/* Connects as user and group 65534 and waits to be let go. */
static pid_t connect_as_nobody(const char *path, int go)
{
    pid_t child = fork();
    char byte;

    ck_assert_int_ge(child, 0);
    if (child > 0)
        return child;
    if (setgid(65534) != 0 || setuid(65534) != 0)
        _exit(1);
    _exit(unix_raw_connect(path) < 0 ? 2 : read(go, &byte, 1) == 0 ? 0 : 3);
}

IPC_SOCKET_CASE(credentials)
{
    plx_credentials who = {.process = 77};
    char path[WHERE_SIZE];
    int raw;

    ck_assert_int_eq(plx_ipc_peer_credentials(socket, &who), PLX_INVALID_STATE);
    ck_assert_int_eq(who.process, 77);
    path_of(w, "s", path);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    raw = world_raw(w, unix_raw_connect(path));
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    ck_assert_int_eq(plx_ipc_peer_credentials(socket, &who), 0);
    ck_assert_int_eq(who.process, getpid());
    ck_assert_int_eq(who.user, getuid());
    ck_assert_int_eq(who.group, getgid());
    (void)raw;
}

IPC_SOCKET_CASE(credentials_of_another_user)
{
    plx_credentials who;
    char path[WHERE_SIZE];
    int go[2], status = 0;
    pid_t child;

    if (getuid() != 0) {
        fprintf(stderr, "SKIP: not root: credentials_of_another_user\n");
        return;
    }
    ck_assert_int_eq(chmod(w->folder, 0755), 0);
    ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
    path_of(w, "s", path);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, 0666), 0);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    child = connect_as_nobody(path, go[0]);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    ck_assert_int_eq(plx_ipc_peer_credentials(socket, &who), 0);
    ck_assert_int_eq(who.process, child);
    ck_assert_int_eq(who.user, 65534);
    ck_assert_int_eq(who.group, 65534);
    kill(child, SIGKILL); /* it holds both ends of the pipe and would wait for ever */
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(!WIFEXITED(status), "the child could not connect: %d", WEXITSTATUS(status));
    close(go[0]);
    close(go[1]);
}

IPC_SOCKET_CASE(mode_keeps_others_out)
{
    char path[WHERE_SIZE];
    int status = 0;
    pid_t child;

    if (getuid() != 0) {
        fprintf(stderr, "SKIP: not root: mode_keeps_others_out\n");
        return;
    }
    ck_assert_int_eq(chmod(w->folder, 0755), 0);
    path_of(w, "s", path);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, 0600), 0);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    child = connect_as_nobody(path, -1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 2);
    world_settle(w);
    ck_assert(plx_socket_is_listening(socket));
}

/* ---- abstract names -------------------------------------------------------------------------- */

IPC_SOCKET_CASE(abstract_name)
{
    struct record log_client, log_second;
    plx_socket *client = ipc(w, &log_client), *second = ipc(w, &log_second);
    char name[WHERE_SIZE];

    snprintf(name, sizeof name, "@pollux-test-%d-%d", (int)getpid(), (int)w->mode);
    ck_assert_int_eq(plx_socket_listen_on(socket, name), 0);
    ck_assert_str_eq(plx_socket_path(socket), name);
    ck_assert(!exists(name));
    ck_assert_int_eq(plx_socket_listen_on(second, name), PLX_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_socket_connect_to(client, name), 0);
    UNTIL(w, plx_socket_is_connected(client) && plx_socket_is_connected(socket));
    ck_assert_int_eq(plx_socket_write(client, "hello", 5), 5);
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    /* The listener is closed now, so the name is free. */
    ck_assert_int_eq(plx_socket_listen_on(second, name), 0);
    ck_assert_int_ge(world_raw(w, unix_raw_connect(name)), 0); /* as others spell it, unix(7) */
    UNTIL(w, plx_socket_is_connected(second));
}

IPC_SOCKET_CASE(abstract_names_have_no_mode)
{
    char name[WHERE_SIZE];

    snprintf(name, sizeof name, "@pollux-test-mode-%d-%d", (int)getpid(), (int)w->mode);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, 0600), 0);
    ck_assert_int_eq(plx_socket_listen_on(socket, name), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, 0), 0);
    ck_assert_int_eq(plx_socket_listen_on(socket, name), 0);
}

/* ---- descriptors that nobody asked for ------------------------------------------------------- */

/* Sends a descriptor along with a byte, as a stranger might. */
static void raw_send_descriptor(int raw, int descriptor)
{
    struct iovec byte = {.iov_base = "x", .iov_len = 1};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &byte,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    memset(&control, 0, sizeof control);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    ck_assert_int_eq(sendmsg(raw, &message, 0), 1);
}

IPC_SOCKET_CASE(descriptors_of_a_stranger_are_dropped)
{
    int raw, before;

    w->kind = &kinds[1];
    raw = world_pair(w, socket, log);
    before = count_descriptors();
    for (int i = 0; i < 10; i++)
        raw_send_descriptor(raw, raw);
    UNTIL(w, plx_socket_bytes_available(socket) == 10);
    ck_assert_int_eq(count_descriptors(), before);
}

WORLD_MAIN("ipc")
