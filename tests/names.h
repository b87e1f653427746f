/* tests/names.h -- what the tests of names and long paths share: paths in the world's folder, a
 * listener and a client that talk at a name, and which files may be left. */
#ifndef POLLUX_TESTS_NAMES_H
#define POLLUX_TESTS_NAMES_H

#include <dirent.h>
#include <limits.h>

#include "tests/paths.h"

enum { SIZE = 2 * PATH_MAX };

static inline void path_of(const struct world *w, const char *name, char *ret_path)
{
    snprintf(ret_path, SIZE, "%s/%s", w->folder, name);
}

/* Removes the folders in a folder, and fails at anything else. openat(2) from folder to folder
 * handles paths longer than PATH_MAX, which musl's nftw(3) refuses. */
static inline void remove_folders_in(int at)
{
    DIR *folder = fdopendir(at);
    struct dirent *entry;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        int inner;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        inner = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        ck_assert_msg(inner >= 0, "left behind: %s", name);
        remove_folders_in(inner);
        ck_assert_int_eq(unlinkat(at, name, AT_REMOVEDIR), 0);
    }
    closedir(folder);
}

/* Expects that only folders are left, and removes them. */
static inline void expect_tidy(const struct world *w)
{
    int at = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert_int_ge(at, 0);
    remove_folders_in(at);
}

/* Writes immediately after connect, both ways, and closes both sockets. */
static inline void expect_talk(struct world *w, plx_socket *listener, plx_socket *client)
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

static inline void expect_works(struct world *w, const char *path)
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

#endif
