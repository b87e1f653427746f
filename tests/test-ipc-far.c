/* tests/test-ipc-far.c -- Unix sockets: relative paths, and paths as long as the kernel has any,
 * which are longer than one system call takes.
 *
 * Names of other sorts are test-ipc-names.c's. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/names.h"
#include "tests/puppet.h"

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

/* ---- filters --------------------------------------------------------------------------------- */

/* A filter that asks for another connection gets one to the same path, although the listener was
 * bound to another, which is gone. */
MODE_CASE(another_connection_to_the_same_path)
{
    static const size_t lengths[] = {20, 200};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        plx_socket *socket = ipc(w, NULL);
        struct puppet *puppet = puppet_push(socket);
        char path[SIZE];
        int listener, peers[2];

        far_path(w, strlen(w->folder) + lengths[i], 5, path);
        listener = raw_listening(w, path, 5);
        ck_assert_int_eq(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
        puppet->establish = ERESTART;
        puppet->establish_times = 1;
        ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
        UNTIL(w, (peers[0] = accept(listener, NULL, NULL)) >= 0);
        UNTIL(w, (peers[1] = accept(listener, NULL, NULL)) >= 0);
        UNTIL(w, plx_socket_is_connected(socket));
        world_free(w, socket);
        close(listener);
        close(peers[0]);
        close(peers[1]);
    }
}

/* ---- a folder that has gone ------------------------------------------------------------------ */

/* Relative paths lead nowhere, and no call mistakes them for other ones. */
MODE_CASE(a_working_folder_that_has_gone)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    int before = open(".", O_PATH | O_CLOEXEC);
    char folder[WHERE_SIZE];

    snprintf(folder, sizeof folder, "%s/gone", w->folder);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_int_eq(plx_socket_listen_on(socket, "name"), ENOENT);
    plx_socket_connect_to(socket, "name");
    UNTIL(w, log.count[EVENT_ERROR] > 0);
    ck_assert_int_eq(log.os_error, ENOENT);
    ck_assert_int_eq(fchdir(before), 0);
    close(before);
    ck_assert_msg(rmdir(w->folder) == 0, "something is left in %s", w->folder);
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
        ck_assert(!plx_socket_wait_for_connected(client, 600000));
        ck_assert_int_eq(plx_socket_last_error(client), ECONNREFUSED);
        ck_assert_int_eq(plx_socket_listen_on(first, path), 0);
        world_settle(w);
        record_clear(&log);
        ck_assert_int_eq(plx_socket_listen_on(second, path), PLX_ADDRESS_IN_USE);
        SETTLED(w, &log, "");
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

/* A missing folder is reported the same way however long the path is. */
IPC_SOCKET_CASE(missing_folders)
{
    char path[SIZE];

    for (size_t i = 0; i < FAR + 1; i++) {
        strcpy(path, w->folder);
        if (i < FAR) {
            far_path(w, far[i][0], far[i][1], path);
            *strrchr(path, '/') = '\0';
        }
        strcat(path, "/missing/s");
        record_clear(log);
        ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
        UNTIL(w, log->count[EVENT_ERROR] > 0);
        LOGGED(w, log, "state:CONNECTING state:UNCONNECTED error(2,10)[UNCONNECTED]");
        ck_assert_int_eq(plx_socket_listen_on(socket, path), ENOENT);
        world_settle(w);
        ck_assert_int_eq(log->count[EVENT_ERROR], 2);
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

WORLD_MAIN("ipc-far")
