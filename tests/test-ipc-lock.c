/* tests/test-ipc-lock.c -- Unix sockets and what stands at their place already: what is alive or no
 * socket is never touched, what is left over is replaced, and the lock says who may.
 *
 * What several processes make of it is test-ipc-race.c's. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/sorts.h"

/* ---- what stands there already --------------------------------------------------------------- */

static void expect_untouched(const char *path, const struct stat *before)
{
    struct stat now;

    ck_assert_msg(lstat(path, &now) == 0, "gone: %s", path);
    ck_assert_uint_eq(now.st_ino, before->st_ino);
    ck_assert_uint_eq(now.st_mode, before->st_mode);
    ck_assert_uint_eq(now.st_nlink, before->st_nlink);
    ck_assert_int_eq(now.st_size, before->st_size);
    ck_assert_int_eq(now.st_mtim.tv_nsec, before->st_mtim.tv_nsec);
}

/* Listening is refused, with a mode and without, and what is there stays as it is. */
static void expect_refused(plx_socket *socket, const char *path)
{
    struct stat before;

    ck_assert_int_eq(lstat(path, &before), 0);
    for (int mode = 0; mode <= 0600; mode += 0600) {
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, mode), 0);
        ck_assert_int_eq(plx_socket_listen_on(socket, path), PLX_ADDRESS_IN_USE);
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
        expect_untouched(path, &before);
    }
}

/* Bound is alive, also where nobody listens yet, and whatever it is. */
MODE_CASE(signs_of_life)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    plx_socket *socket = ipc(w, NULL);
    char path[SIZE];

    for (int i = 0; i < 3 * SORTS; i++) {
        int raw;

        path_of(w, (enum sort)(i / 3), path);
        raw = raw_bound(w, path, types[i % 3]);
        expect_refused(socket, path);
        close(raw);
        ck_assert_int_eq(plx_socket_listen_on(socket, path), 0); /* nobody's now, and replaced */
        plx_socket_close(socket);
        ck_assert(!exists(path));
    }
    expect_tidy(w);
}

enum thing { DOCUMENT, FOLDER, PIPE, LINK_TO_DEAD, LINK_TO_LIVE, LINK_TO_NOTHING, THINGS };

static void put(const char *path, enum thing thing, const char *dead, const char *live)
{
    int file = -1;

    switch (thing) {
    case DOCUMENT:
        file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        ck_assert_int_eq(write(file, "precious", 8), 8);
        close(file);
        break;
    case FOLDER: ck_assert_int_eq(mkdir(path, 0700), 0); break;
    case PIPE: ck_assert_int_eq(mkfifo(path, 0600), 0); break;
    case LINK_TO_DEAD: ck_assert_int_eq(symlink(dead, path), 0); break;
    case LINK_TO_LIVE: ck_assert_int_eq(symlink(live, path), 0); break;
    default: ck_assert_int_eq(symlink("nothing", path), 0); break;
    }
}

/* A live listener and a dead one, to which links may lead. */
struct targets {
    char live[SIZE], dead[SIZE];
    struct stat live_before, dead_before;
    int raw;
};

static void begin_targets(struct world *w, struct targets *targets)
{
    snprintf(targets->live, SIZE, "%s/live", w->folder);
    snprintf(targets->dead, SIZE, "%s/dead", w->folder);
    targets->raw = raw_listening(w, targets->live, 5);
    leave_over(w, targets->dead);
    ck_assert_int_eq(lstat(targets->live, &targets->live_before), 0);
    ck_assert_int_eq(lstat(targets->dead, &targets->dead_before), 0);
}

static void end_targets(struct targets *targets)
{
    ck_assert(!is_readable(targets->raw)); /* nobody has connected */
    expect_untouched(targets->live, &targets->live_before);
    expect_untouched(targets->dead, &targets->dead_before);
    close(targets->raw);
    unlink(targets->live);
    unlink(targets->dead);
}

MODE_CASE(what_is_no_socket_is_never_touched)
{
    plx_socket *socket = ipc(w, NULL);
    struct targets targets;
    char path[SIZE];

    begin_targets(w, &targets);
    for (int i = 0; i < (int)THINGS * (int)SORTS; i++) {
        path_of(w, (enum sort)(i / THINGS), path);
        put(path, (enum thing)(i % THINGS), targets.dead, targets.live);
        expect_refused(socket, path);
        ck_assert_int_eq(remove(path), 0);
    }
    end_targets(&targets);
    expect_tidy(w);
}

/* One that was replaced leaves its successor's file alone: when it stops listening, and when the
 * connection that it became ends. */
IPC_SOCKET_CASE(the_file_of_a_successor_stays)
{
    char path[SIZE];

    for (int i = 0; i < 10 * SORTS; i++) {
        int raw = -1, peer;
        struct stat before;

        path_of(w, (enum sort)(i % SORTS), path);
        ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
        if (i % 2 == 0) {
            ck_assert_int_ge(raw = raw_reach(path), 0);
            UNTIL(w, plx_socket_is_connected(socket));
        } else if (i % 4 == 1) {
            ck_assert_int_eq(unlink(path), 0);
        }
        peer = raw_listening(w, path, 5); /* replaces what is there */
        ck_assert_int_eq(lstat(path, &before), 0);
        plx_socket_close(socket);
        expect_untouched(path, &before);
        close(peer);
        close(raw);
        unlink(path);
    }
    expect_tidy(w);
}

/* ---- the lock -------------------------------------------------------------------------------- */

/* What happens just before the library locks, and just before it removes a file: the moments at
 * which another process would have to act. The library's calls come here, for a program's own
 * functions come before those of the C library. */
static void (*before_flock)(void), (*before_unlink)(const char *path);
static int flock_error; /* 0, or with what flock fails */

int flock(int descriptor, int operation)
{
    void (*act)(void) = before_flock;

    before_flock = NULL;
    if (act != NULL)
        act();
    if (flock_error != 0) {
        errno = flock_error;
        return -1;
    }
    return (int)syscall(SYS_flock, descriptor, operation);
}

int unlink(const char *path)
{
    if (before_unlink != NULL)
        before_unlink(path);
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static void lock_of(const char *path, char *ret_lock)
{
    snprintf(ret_lock, SIZE, "%.500s.lock", path);
}

/* Of a process that was killed; with left-over and without. */
MODE_CASE(an_empty_lock_is_taken_over)
{
    plx_socket *socket = ipc(w, NULL);
    char path[SIZE], lock[SIZE];

    for (int i = 0; i < 2 * (int)SORTS; i++) {
        path_of(w, (enum sort)(i / 2), path);
        lock_of(path, lock);
        close(open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
        if (i % 2 == 1)
            leave_over(w, path);
        ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
        ck_assert(!exists(lock));
        plx_socket_close(socket);
    }
    expect_tidy(w);
}

/* The lock is one of an open file, so that another one in this process is as good as another
 * process. */
IPC_SOCKET_CASE(a_lock_of_another_is_respected)
{
    char path[SIZE], lock[SIZE];

    for (int i = 0; i < 2 * (int)SORTS; i++) {
        int held;

        path_of(w, (enum sort)(i / 2), path);
        lock_of(path, lock);
        held = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        ck_assert_int_eq(flock(held, LOCK_EX | LOCK_NB), 0);
        if (i % 2 == 1) {
            leave_over(w, path);
            expect_refused(socket, path);
        }
        ck_assert_int_eq(plx_socket_listen_on(socket, path), PLX_ADDRESS_IN_USE);
        ck_assert_ptr_nonnull(strstr(plx_socket_error(socket)->message, strrchr(lock, '/') + 1));
        ck_assert_ptr_nonnull(strstr(plx_socket_error(socket)->message, "is locked"));
        ck_assert_int_eq(exists(path), i % 2);
        ck_assert(exists(lock));
        close(held);
        ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
        plx_socket_close(socket);
        ck_assert(!exists(lock));
    }
    expect_tidy(w);
}

/* Somebody's own thing of that name stays as it is, and nothing behind a link is made or touched.
 * Listening works or says that it does not; it must not hang, as opening a FIFO may. */
MODE_CASE(a_lock_that_is_none_is_never_touched)
{
    plx_socket *socket = ipc(w, NULL);
    struct targets targets;
    char path[SIZE], lock[SIZE];

    begin_targets(w, &targets);
    for (int i = 0; i < (int)THINGS * (int)SORTS; i++) {
        struct stat before;
        int code;

        path_of(w, (enum sort)(i / THINGS), path);
        lock_of(path, lock);
        put(lock, (enum thing)(i % THINGS), targets.dead, targets.live);
        ck_assert_int_eq(lstat(lock, &before), 0);
        code = plx_socket_listen_on(socket, path);
        ck_assert_int_eq(plx_socket_last_error(socket), code);
        ck_assert_int_eq(exists(path), code == 0);
        ck_assert(code == 0 || i % THINGS != DOCUMENT);
        plx_socket_close(socket);
        expect_untouched(lock, &before);
        ck_assert_int_eq(remove(lock), 0);
        ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
        plx_socket_close(socket);
    }
    end_targets(&targets);
    expect_tidy(w);
}

static char moment_lock[SIZE]; /* for what happens at a moment, which gets no other argument */
static int moment_descriptor;

static int open_lock(void)
{
    return open(moment_lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
}

/* The process that had it is done, and the next one begins. */
static void let_another_lock(void)
{
    ck_assert_int_eq(unlink(moment_lock), 0);
    moment_descriptor = open_lock();
    ck_assert_int_eq(flock(moment_descriptor, LOCK_EX | LOCK_NB), 0);
}

static void let_go(void)
{
    close(moment_descriptor);
}

static void lock_for_a_moment(void)
{
    moment_descriptor = open_lock();
    ck_assert_int_eq(flock(moment_descriptor, LOCK_EX | LOCK_NB), 0);
    before_flock = let_go;
}

/* Another process that looks whether the name is free, and does not take it. */
MODE_CASE(a_lock_of_a_moment_is_outlived)
{
    plx_socket *socket = ipc(w, NULL);
    char path[SIZE];

    for (int i = 0; i < (int)SORTS; i++) {
        path_of(w, (enum sort)i, path);
        lock_of(path, moment_lock);
        before_flock = lock_for_a_moment;
        ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
        ck_assert(before_flock == NULL);
        plx_socket_close(socket);
    }
    expect_tidy(w);
}

static void expect_still_locked(const char *path)
{
    int other;

    if (strcmp(path, moment_lock) != 0)
        return;
    other = open_lock();
    ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), -1);
    close(other);
}

/* A lock is worth something while its file is there to be found by others: it is not when the file
 * has gone between opening and locking it, and it has to go before the lock does. */
MODE_CASE(a_lock_goes_with_its_file)
{
    plx_socket *socket = ipc(w, NULL);
    char path[SIZE];

    path_of(w, FAR, path);
    lock_of(path, moment_lock);
    before_flock = let_another_lock;
    ck_assert_int_eq(plx_socket_listen_on(socket, path), PLX_ADDRESS_IN_USE);
    ck_assert(before_flock == NULL);
    ck_assert(!exists(path));
    close(moment_descriptor);
    before_unlink = expect_still_locked;
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    before_unlink = NULL;
    plx_socket_close(socket);
    expect_tidy(w);
}

static void remove_each_time(void)
{
    ck_assert_int_eq(unlink(moment_lock), 0);
    before_flock = remove_each_time;
}

/* Somebody removes each lock before it is locked: it ends, and as if another one had the lock. */
MODE_CASE(a_lock_that_is_removed_each_time)
{
    plx_socket *socket = ipc(w, NULL);
    char path[SIZE];

    path_of(w, FAR, path);
    lock_of(path, moment_lock);
    before_flock = remove_each_time;
    ck_assert_int_eq(plx_socket_listen_on(socket, path), PLX_ADDRESS_IN_USE);
    before_flock = NULL;
    ck_assert(!exists(path));
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    plx_socket_close(socket);
    expect_tidy(w);
}

/* Where the kernel has no lock to give (ENOLCK), bind(2) alone decides, and replaces nothing. */
IPC_SOCKET_CASE(no_lock_to_be_had)
{
    char path[SIZE];

    path_of(w, FAR, path);
    flock_error = ENOLCK;
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    plx_socket_close(socket);
    leave_over(w, path);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), PLX_ADDRESS_IN_USE);
    flock_error = 0;
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    plx_socket_close(socket);
    expect_tidy(w);
}

WORLD_MAIN("ipc-lock")
