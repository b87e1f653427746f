/* tests/names.h -- what the tests of names and long paths share: paths in the world's folder, a
 * listener and a client that talk at a name, and what may be left of it all. */
#ifndef POLLUX_TESTS_NAMES_H
#define POLLUX_TESTS_NAMES_H

#include <ftw.h>
#include <limits.h>

#include "tests/paths.h"

enum { SIZE = 2 * PATH_MAX };

static inline void path_of(const struct world *w, const char *name, char *ret_path)
{
    snprintf(ret_path, SIZE, "%s/%s", w->folder, name);
}

static inline int remove_if_folder(const char *path, const struct stat *status, int type,
                                   struct FTW *at)
{
    (void)status;
    ck_assert_msg(type == FTW_DP, "left behind: %s", path);
    return at->level == 0 ? 0 : rmdir(path);
}

/* Nothing but folders may be left; these go. */
static inline void expect_tidy(const struct world *w)
{
    ck_assert_int_eq(nftw(w->folder, remove_if_folder, 20, FTW_DEPTH | FTW_PHYS), 0);
}

/* Writing straight after connect, both ways, then closing. */
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
