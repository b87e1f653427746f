/* tests/paths.h -- Unix sockets at paths: ours, raw ones, and the files that they leave behind.
 *
 * Raw sockets are bound to a short path, which is then renamed, so that their paths may be longer
 * than a sockaddr_un. */
#ifndef POLLUX_TESTS_PATHS_H
#define POLLUX_TESTS_PATHS_H

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/sockets.h"
#include "tests/world.h"

static inline bool exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

static inline plx_socket *ipc(struct world *w, struct record *log)
{
    return world_socket_of(w, plx_ipc_new, log);
}

static inline int raw_bound(const struct world *w, const char *path, int type)
{
    struct sockaddr_un name;
    char near[WHERE_SIZE];
    int raw = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    snprintf(near, sizeof near, "%s/raw", w->folder);
    ck_assert_int_eq(bind(raw, (struct sockaddr *)&name, unix_name(near, &name)), 0);
    ck_assert_int_eq(rename(near, path), 0);
    return raw;
}

static inline int raw_listening(const struct world *w, const char *path, int backlog)
{
    int raw = raw_bound(w, path, SOCK_STREAM);

    ck_assert_int_eq(listen(raw, backlog), 0);
    return raw;
}

/* Makes a socket file whose listener has gone. */
static inline void leave_over(const struct world *w, const char *path)
{
    close(raw_listening(w, path, 5));
    ck_assert(exists(path));
}

/* Connects to a path of any length, without waiting; returns -1 if connect(2) fails. */
static inline int raw_reach(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int at = open(path, O_PATH | O_CLOEXEC);
    int raw = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(name.sun_path, sizeof name.sun_path, "/proc/self/fd/%d", at);
    if (connect(raw, (struct sockaddr *)&name, sizeof name) < 0) {
        close(raw);
        raw = -1;
    }
    close(at);
    return raw;
}

#endif
