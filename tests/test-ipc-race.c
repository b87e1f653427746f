/* tests/test-ipc-race.c -- Unix sockets and others at the same place or the same moment: what stands
 * there already, who gets a name that several want, who is killed, who looks on, who has to wait.
 *
 * Names themselves are test-ipc-names.c's. Moments are chosen by numbers that are the same in each
 * run; what the processes make of them is not, and holds all the same. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/world.h"

enum { SIZE = 512 };

/* Paths that the kernel takes, those that have to be reached through their folder, and those where
 * the last component alone is too long. */
enum sort { SHORT, FAR, LONG, SORTS };

static const int lasts[SORTS] = {1, 10, 200};

static void path_of(const struct world *w, enum sort sort, char *ret_path)
{
    int length = snprintf(ret_path, SIZE, "%s/", w->folder);

    if (sort == FAR) {
        length += snprintf(ret_path + length, SIZE, "%0120d", 0);
        ck_assert(mkdir(ret_path, 0700) == 0 || errno == EEXIST);
        ret_path[length++] = '/';
    }
    snprintf(ret_path + length, SIZE, "%0*d", lasts[sort], 1);
}

static bool exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

/* Nothing may be left at the end but the folder of far paths. */
static void expect_tidy(const struct world *w)
{
    char path[SIZE];

    path_of(w, FAR, path);
    *strrchr(path, '/') = '\0';
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_msg(rmdir(w->folder) == 0, "something is left in %s", w->folder);
}

static plx_socket *ipc(struct world *w, struct record *log)
{
    return world_socket_of(w, plx_ipc_new, log);
}

static int raw_bound(const struct world *w, const char *path, int type)
{
    struct sockaddr_un name;
    char near[SIZE];
    int raw = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    snprintf(near, sizeof near, "%s/raw", w->folder);
    ck_assert_int_eq(bind(raw, (struct sockaddr *)&name, unix_name(near, &name)), 0);
    ck_assert_int_eq(rename(near, path), 0);
    return raw;
}

static int raw_listening(const struct world *w, const char *path, int backlog)
{
    int raw = raw_bound(w, path, SOCK_STREAM);

    ck_assert_int_eq(listen(raw, backlog), 0);
    return raw;
}

static void leave_over(const struct world *w, const char *path)
{
    close(raw_listening(w, path, 5));
}

/* Connects to any path, without waiting; -1 where that is not possible. */
static int raw_reach(const char *path)
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
    for (int i = 0; i < THINGS * SORTS; i++) {
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
MODE_CASE(the_file_of_a_successor_stays)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
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

int flock(int descriptor, int operation)
{
    void (*act)(void) = before_flock;

    before_flock = NULL;
    if (act != NULL)
        act();
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

    for (int i = 0; i < 2 * SORTS; i++) {
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
MODE_CASE(a_lock_of_another_is_respected)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    char path[SIZE], lock[SIZE];

    for (int i = 0; i < 2 * SORTS; i++) {
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
    for (int i = 0; i < THINGS * SORTS; i++) {
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

static char moment_lock[SIZE]; /* for what happens at a moment, which is told nothing else */
static int moment_descriptor;

static int open_lock(void)
{
    return open(moment_lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
}

/* Whoever had it is done, and the next one begins. */
static void let_another_lock(void)
{
    ck_assert_int_eq(unlink(moment_lock), 0);
    moment_descriptor = open_lock();
    ck_assert_int_eq(flock(moment_descriptor, LOCK_EX | LOCK_NB), 0);
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

/* ---- several processes ----------------------------------------------------------------------- */

/* The same numbers in each run. */
static unsigned next_number(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void spin(unsigned turns)
{
    for (volatile unsigned i = 0; i < turns; i++)
        ;
}

enum { RACERS = 4 };

/* A byte in `go` lets a racer listen, one in `stop` lets it close; it answers both in `back`. */
struct track {
    char path[SIZE];
    int go[2], stop[2], back[2];
};

/* In a process of its own. Returns its exit status. */
static int race(const struct track *track, unsigned number)
{
    plx_socket *socket = plx_ipc_new();
    int before = count_descriptors();
    char byte;

    for (int round = 0; read(track->go[0], &byte, 1) == 1; round++) {
        int code = 0;

        plx_socket_set_option(socket, PLX_OPTION_MODE, round % 4 < 2 ? 0600 : 0);
        spin(next_number(&number) % 3000);
        code = plx_socket_listen_on(socket, track->path);
        if (write(track->back[1], &code, sizeof code) < 0 || read(track->stop[0], &byte, 1) != 1)
            return 2;
        plx_socket_close(socket);
        if (write(track->back[1], &code, sizeof code) < 0)
            return 3;
    }
    plx_socket_free(socket);
    return count_descriptors() == before ? 0 : 4;
}

/* How many of so many answers are 0; the others have to be 105. */
static int count_winners(const struct track *track, int racers)
{
    int winners = 0;

    for (int i = 0; i < racers; i++) {
        int code = -1;

        ck_assert_int_eq(read(track->back[0], &code, sizeof code), sizeof code);
        ck_assert_msg(code == 0 || code == PLX_ADDRESS_IN_USE, "listening failed: %d", code);
        winners += code == 0;
    }
    return winners;
}

static void expect_one_winner(const struct world *w, const struct track *track, int racers,
                              int round)
{
    int raw;

    if (round % 2 == 1)
        leave_over(w, track->path);
    ck_assert_int_eq(write(track->go[1], "gggg", (size_t)racers), racers);
    ck_assert_int_eq(count_winners(track, racers), 1);
    raw = raw_reach(track->path);
    ck_assert_msg(raw >= 0, "round %d: nobody listens at the name that somebody got", round);
    close(raw);
    ck_assert_int_eq(write(track->stop[1], "ssss", (size_t)racers), racers);
    count_winners(track, racers);
    ck_assert_msg(!exists(track->path), "round %d: the file is still there", round);
}

static void expect_exit(pid_t child)
{
    int status = 0;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a process ended by %#x", status);
}

static void run_race(const struct world *w, enum sort sort, int racers, int rounds)
{
    struct track track;
    pid_t children[RACERS];

    path_of(w, sort, track.path);
    ck_assert_int_eq(pipe(track.go) | pipe(track.stop) | pipe(track.back), 0);
    for (int i = 0; i < racers; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0) {
            close(track.go[1]);
            _exit(race(&track, 77u * (unsigned)i));
        }
    }
    for (int round = 0; round < rounds; round++)
        expect_one_winner(w, &track, racers, round);
    close(track.go[1]);
    for (int i = 0; i < racers; i++)
        expect_exit(children[i]);
    close(track.go[0]);
    for (int i = 0; i < 2; i++) {
        close(track.stop[i]);
        close(track.back[i]);
    }
}

MODE_CASE(two_want_one_name)
{
    char path[SIZE];

    run_race(w, SHORT, 2, 200);
    run_race(w, FAR, 2, 50);
    run_race(w, LONG, 2, 50);
    path_of(w, FAR, path);
    expect_tidy(w);
}

MODE_CASE(four_want_one_name)
{
    char path[SIZE];

    run_race(w, SHORT, RACERS, 50);
    run_race(w, LONG, RACERS, 50);
    path_of(w, FAR, path);
    expect_tidy(w);
}

/* Stops listening as one does who is killed: the file stays, unless somebody has made another. */
static void stop_and_leave(plx_socket *socket, const char *path, const char *keep)
{
    bool kept = link(path, keep) == 0;

    plx_socket_close(socket);
    if (kept && (link(keep, path) == 0 || errno == EEXIST))
        unlink(keep);
}

/* In a process of its own: whoever has the name has it alone, and can be reached by it. Every other
 * one leaves the file behind. */
static int come_and_go(const char *path, atomic_int *holders, unsigned number)
{
    plx_socket *socket = plx_ipc_new();
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    int before = count_descriptors();
    char keep[SIZE];

    snprintf(keep, sizeof keep, "%.*s/keep%u", (int)(strrchr(path, '/') - path), path, number);
    for (int round = 0; round < 300; round++) {
        int code = plx_socket_listen_on(socket, path), raw;

        if (code != 0 && code != PLX_ADDRESS_IN_USE)
            return 2;
        if (code == 0) {
            if (atomic_fetch_add(holders, 1) != 0)
                return 3;
            raw = raw_reach(path);
            if (raw < 0 || getsockopt(raw, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
                return 4;
            if (peer.pid != getpid())
                return 5;
            close(raw);
            atomic_fetch_sub(holders, 1);
            if (round % 2 == 0)
                stop_and_leave(socket, path, keep);
        }
        spin(next_number(&number) % 1000);
        plx_socket_close(socket);
    }
    plx_socket_free(socket);
    return count_descriptors() == before ? 0 : 6;
}

MODE_CASE(coming_and_going)
{
    atomic_int *holders =
        mmap(NULL, sizeof *holders, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[RACERS];
    char path[SIZE];

    for (int sort = SORTS; sort-- > 0;) {
        path_of(w, (enum sort)sort, path);
        atomic_store(holders, 0);
        for (int i = 0; i < RACERS; i++) {
            children[i] = fork();
            ck_assert_int_ge(children[i], 0);
            if (children[i] == 0)
                _exit(come_and_go(path, holders, 5u * (unsigned)i));
        }
        for (int i = 0; i < RACERS; i++)
            expect_exit(children[i]);
        unlink(path);
    }
    munmap(holders, sizeof *holders);
    expect_tidy(w);
}

/* In a process of its own, until it is killed; says by a byte that it has begun. Whatever its
 * forerunner has left, it must be able to listen. */
static int listen_until_killed(const char *path, int mode, unsigned number, int begun)
{
    plx_socket *socket = plx_ipc_new();

    if (plx_socket_set_option(socket, PLX_OPTION_MODE, mode) != 0 || write(begun, "b", 1) != 1)
        return 2;
    while (plx_socket_listen_on(socket, path) == 0) {
        spin(next_number(&number) % 4 == 0 ? 20000 : 0);
        plx_socket_close(socket);
    }
    return 3;
}

/* Returns whether it left its file. */
static bool kill_one(const char *path, int mode, unsigned turns)
{
    int begun[2], status = 0;
    pid_t child;
    char byte;

    ck_assert_int_eq(pipe(begun), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(listen_until_killed(path, mode, turns, begun[1]));
    ck_assert_int_eq(read(begun[0], &byte, 1), 1);
    spin(turns);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status), "could not listen after its forerunner: %#x", status);
    close(begun[0]);
    close(begun[1]);
    return exists(path);
}

MODE_CASE(killed_at_any_moment)
{
    plx_socket *socket = ipc(w, NULL);
    unsigned number = 1;
    char path[SIZE];
    int left = 0;

    for (int i = 0; i < 200; i++) {
        path_of(w, i % 2 == 0 ? LONG : (enum sort)(i / 2 % SORTS), path);
        left += kill_one(path, i % 4 < 2 ? 0600 : 0, next_number(&number) % 100000);
    }
    ck_assert(left > 0 || under_valgrind()); /* else nothing was shown */
    for (int sort = 0; sort < SORTS; sort++) {
        path_of(w, (enum sort)sort, path);
        ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
        plx_socket_close(socket);
    }
    expect_tidy(w);
}

/* ---- who looks on while the file gets its mode ------------------------------------------------ */

/* Looks at the path as fast as it can, and now and then makes a file of its own, for the umask
 * belongs to all threads. */
struct onlooker {
    char path[SIZE], own[SIZE];
    atomic_int allowed, wanted; /* modes: of the socket at most, of its own file exactly */
    atomic_int seen, too_wide, strange;
    atomic_bool stop;
};

static void look(struct onlooker *onlooker)
{
    struct stat status;
    int mode;

    if (lstat(onlooker->path, &status) != 0)
        return;
    mode = (int)(status.st_mode & 07777);
    if ((mode & ~atomic_load(&onlooker->allowed)) != 0)
        atomic_store(&onlooker->too_wide, mode);
    atomic_fetch_add(&onlooker->seen, 1);
}

static void make_own(struct onlooker *onlooker)
{
    int file = open(onlooker->own, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0777);
    struct stat status = {0};

    fstat(file, &status);
    if ((int)(status.st_mode & 07777) != atomic_load(&onlooker->wanted))
        atomic_store(&onlooker->strange, 1);
    close(file);
    unlink(onlooker->own);
}

static void *look_on(void *user)
{
    struct onlooker *onlooker = user;

    for (unsigned turn = 0; !atomic_load(&onlooker->stop); turn++)
        if (turn % 16 == 0)
            make_own(onlooker);
        else
            look(onlooker);
    return NULL;
}

/* Listens again and again under this umask, until the onlooker has seen the file often enough: mode
 * 0 leaves it to the umask. */
static void listen_looked_at(plx_socket *socket, int mode, int mask)
{
    struct onlooker onlooker;
    int before = (int)umask((mode_t)mask), exact = mode != 0 ? mode : 0777 & ~mask;
    struct stat status;
    pthread_t thread;

    memset(&onlooker, 0, sizeof onlooker);
    snprintf(onlooker.path, SIZE, "%s", plx_socket_path(socket));
    snprintf(onlooker.own, SIZE, "%.500s.own", plx_socket_path(socket));
    atomic_store(&onlooker.allowed, exact);
    atomic_store(&onlooker.wanted, 0777 & ~mask);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, mode), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, look_on, &onlooker), 0);
    for (int i = 0; i < 100 || (i < 20000 && atomic_load(&onlooker.seen) < 100); i++) {
        ck_assert_int_eq(plx_socket_listen(socket), 0);
        ck_assert_int_eq(lstat(onlooker.path, &status), 0);
        ck_assert_int_eq((int)(status.st_mode & 07777), exact);
        plx_socket_close(socket);
    }
    atomic_store(&onlooker.stop, true);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq((int)umask((mode_t)before), mask);
    ck_assert_int_gt(onlooker.seen, 0);
    ck_assert_msg(onlooker.too_wide == 0, "mode %#o, umask %#o: seen as %#o", exact, mask,
                  onlooker.too_wide);
    ck_assert_msg(onlooker.strange == 0, "another thread's file lost the umask %#o", mask);
}

MODE_CASE(no_moment_with_a_wider_mode)
{
    static const int modes[] = {0600, 0660, 0777, 0}, masks[] = {0, 077, 0177};
    plx_socket *socket = ipc(w, NULL);
    char path[SIZE];

    for (int i = 0; i < 12 * SORTS; i++) {
        path_of(w, (enum sort)(i / 12), path);
        ck_assert_int_eq(plx_socket_set_path(socket, path), 0);
        listen_looked_at(socket, modes[i % 4], masks[i / 4 % 3]);
    }
    ck_assert_int_eq(plx_ipc_set_abstract_name(socket, "nobody's", 8), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, 0600), 0);
    ck_assert_int_eq(plx_socket_listen(socket), PLX_INVALID_STATE);
    expect_tidy(w);
}

/* In a process of its own, below a root where there is no /proc to go by. */
static int listen_below(const char *folder, int mode, mode_t mask)
{
    plx_socket *socket = plx_ipc_new();
    struct stat status;

    umask(mask);
    if (chroot(folder) != 0 || chdir("/") != 0 ||
        plx_socket_set_option(socket, PLX_OPTION_MODE, mode) != 0)
        return 2;
    if (plx_socket_listen_on(socket, "/s") != 0 || lstat("/s", &status) != 0)
        return 3;
    plx_socket_free(socket);
    return (int)(status.st_mode & 07777) == mode ? 0 : 4;
}

MODE_CASE(mode_without_proc)
{
    if (getuid() != 0) {
        printf("# not root: mode_without_proc skipped\n");
        return;
    }
    for (int i = 0; i < 4; i++) {
        pid_t child = fork();

        ck_assert_int_ge(child, 0);
        if (child == 0)
            _exit(listen_below(w->folder, i / 2 == 0 ? 0600 : 0666, i % 2 == 0 ? 0 : 077));
        expect_exit(child);
    }
    ck_assert_int_eq(rmdir(w->folder), 0);
}

/* ---- one peer after another ------------------------------------------------------------------ */

static void act_listen_again(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_listen(socket), 0);
}

static void take_peers_in_turn(struct world *w, enum event event)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    char path[SIZE];

    path_of(w, event == EVENT_ERROR ? LONG : SHORT, path);
    record_on(&log, event, act_listen_again, NULL);
    log.always = true;
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    for (int i = 0; i < 30; i++) {
        int raw = raw_reach(path);

        ck_assert_int_ge(raw, 0);
        raw_say(raw, "hello");
        UNTIL(w, plx_socket_bytes_available(socket) == 5);
        ck_assert_int_eq(raw_reach(path), -1); /* it takes one, and is full then */
        ck_assert(!exists(path));
        close(raw);
        UNTIL(w, plx_socket_is_listening(socket));
        ck_assert_int_eq(log.count[EVENT_CONNECTED], i + 1);
        ck_assert_int_eq(log.count[EVENT_ERROR], i + 1);
        ck_assert_int_eq(log.count[EVENT_DISCONNECTED], event == EVENT_ERROR ? 0 : i + 1);
    }
    world_free(w, socket);
}

MODE_CASE(one_peer_after_another)
{
    char path[SIZE];

    take_peers_in_turn(w, EVENT_DISCONNECTED);
    take_peers_in_turn(w, EVENT_ERROR);
    path_of(w, FAR, path);
    expect_tidy(w);
}

/* ---- a full queue ---------------------------------------------------------------------------- */

/* Fills a listener's queue; returns how many wait in it. */
static int fill(const char *path, int *fillers)
{
    int count = 0;

    while (count < 10 && (fillers[count] = raw_reach(path)) >= 0)
        count++;
    ck_assert_int_lt(count, 10);
    ck_assert_int_gt(count, 0);
    return count;
}

static void close_all(const int *descriptors, int count)
{
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
}

static int take_peer(struct world *w, int listener)
{
    UNTIL(w, is_readable(listener));
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* What was written at once arrives when the queue has drained at last. */
MODE_CASE(a_full_queue_that_drains)
{
    char path[SIZE];

    for (int i = 0; i < 2 * SORTS; i++) {
        struct record log;
        plx_socket *socket = ipc(w, &log);
        int fillers[10], count, listener, raw;

        path_of(w, (enum sort)(i / 2), path);
        listener = raw_listening(w, path, i % 2);
        count = fill(path, fillers);
        ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
        ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
        world_settle(w);
        LOGGED(w, &log, "state:CONNECTING");
        for (int k = 0; k < count; k++)
            close(take_peer(w, listener));
        raw = world_raw(w, take_peer(w, listener));
        raw_expect(w, raw, "hello");
        ck_assert_int_eq(log.count[EVENT_CONNECTED], 1);
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        raw_close(w, raw);
        close_all(fillers, count);
        close(listener);
        unlink(path);
        world_free(w, socket);
    }
    expect_tidy(w);
}

/* A listener that goes away ends the waiting: without its file, and with it. */
MODE_CASE(a_full_queue_that_goes_away)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    char path[SIZE];

    for (int i = 0; i < 2 * SORTS; i++) {
        int fillers[10], count, listener;

        path_of(w, (enum sort)(i / 2), path);
        listener = raw_listening(w, path, 0);
        count = fill(path, fillers);
        record_clear(&log);
        ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
        world_settle(w);
        if (i % 2 == 0)
            unlink(path);
        close(listener);
        UNTIL(w, log.count[EVENT_ERROR] == 1);
        ck_assert_int_eq(log.code, i % 2 == 0 ? ENOENT : ECONNREFUSED);
        ck_assert_int_eq(log.reason, PLX_REASON_CONNECTION_REFUSED);
        unlink(path);
        close_all(fillers, count);
    }
    expect_tidy(w);
}

static int readings; /* of the clock, at least one for each turn of a wait or a poll */

static uint64_t counting_clock(void *user)
{
    struct timespec now;

    (void)user;
    readings++;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Waiting sleeps: of a queue that drains no readiness tells, and a socket that is not connected
 * counts as writable (unix(7)), so that whoever watches it spins. */
START_TEST(a_full_queue_for_too_long)
{
    struct world world, *w = &world;
    struct record log;
    plx_socket *socket;
    int fillers[10], count, listener, turns = 0;
    char path[SIZE];

    plx_clock_set(counting_clock, NULL);
    world_begin_plain(w, (enum mode)_i);
    socket = ipc(w, &log);
    path_of(w, FAR, path);
    listener = raw_listening(w, path, 0);
    count = fill(path, fillers);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 200), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
    readings = 0;
    if (w->group == NULL)
        ck_assert(!plx_socket_wait_for_connected(socket, -1));
    else
        for (; log.count[EVENT_ERROR] == 0 && turns < 1000; turns++)
            plx_group_poll(w->group, 10000);
    ck_assert_int_lt(turns, 60);
    ck_assert_int_lt(readings, 300);
    LOGGED(w, &log, "state:CONNECTING state:UNCONNECTED error(110,15)[UNCONNECTED]");
    ck_assert_int_eq(log.code, ETIMEDOUT);
    ck_assert_int_eq(log.reason, PLX_REASON_SOCKET_TIMEOUT);
    unlink(path);
    close(listener);
    close_all(fillers, count);
    expect_tidy(w);
    world_end(w);
    plx_clock_set(NULL, NULL);
}
END_TEST

/* ---- the suite ------------------------------------------------------------------------------- */

int main(void)
{
    static const TTest *const *const cases[] = {
        &signs_of_life,
        &what_is_no_socket_is_never_touched,
        &the_file_of_a_successor_stays,
        &an_empty_lock_is_taken_over,
        &a_lock_of_another_is_respected,
        &a_lock_that_is_none_is_never_touched,
        &a_lock_goes_with_its_file,
        &mode_without_proc,
        &one_peer_after_another,
        &a_full_queue_that_drains,
        &a_full_queue_that_goes_away,
        &a_full_queue_for_too_long,
    };
    /* Where it makes no difference how this process polls. */
    static const TTest *const *const races[] = {
        &two_want_one_name,    &four_want_one_name,          &coming_and_going,
        &killed_at_any_moment, &no_moment_with_a_wider_mode,
    };
    Suite *suite = suite_create("ipc-race");
    TCase *one = tcase_create("one process"), *several = tcase_create("several processes");

    tcase_set_timeout(one, 10);
    tcase_set_timeout(several, 60);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ADD_MODE_CASE(one, *cases[i]);
    for (size_t i = 0; i < sizeof races / sizeof races[0]; i++)
        tcase_add_test(several, *races[i]);
    suite_add_tcase(suite, one);
    suite_add_tcase(suite, several);
    return world_run(suite);
}
