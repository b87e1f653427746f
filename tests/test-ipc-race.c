/* tests/test-ipc-race.c -- Unix sockets and others at the same place at the same moment: who gets a
 * name that several want, who is killed, who looks on.
 *
 * What stands there already is test-ipc-lock.c's, who has to wait test-ipc-queue.c's. Moments are
 * chosen by numbers that are the same in each run; what the processes make of them is not, and
 * holds all the same. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/sorts.h"

/* RACE_CASE runs once: it makes no difference to other processes how this one polls. */
#define RACE_CASE(name) WORLD_CASE(name, world_begin_plain(&world_, MODE_LONE), 1, NULL)

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

/* How many of the answers are 0; the others have to be 105. */
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

RACE_CASE(two_want_one_name)
{
    char path[SIZE];

    run_race(w, SHORT, 2, 200);
    run_race(w, FAR, 2, 50);
    run_race(w, LONG, 2, 50);
    path_of(w, FAR, path);
    expect_tidy(w);
}

RACE_CASE(four_want_one_name)
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

/* In a process of its own: the one that has the name has it alone, and can be reached by it. Every
 * other one leaves the file behind. */
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

RACE_CASE(coming_and_going)
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

/* In a process of its own, until it is killed; says by a byte that it has begun, every second time
 * only when it listens. Whatever its forerunner has left, it must be able to listen. */
static int listen_until_killed(const char *path, int mode, unsigned number, int begun)
{
    plx_socket *socket = plx_ipc_new();
    bool told = number % 2 == 0;

    if (plx_socket_set_option(socket, PLX_OPTION_MODE, mode) != 0 ||
        (told && write(begun, "b", 1) != 1))
        return 2;
    while (plx_socket_listen_on(socket, path) == 0) {
        if (!told && write(begun, "l", 1) != 1)
            return 2;
        spin(!told || next_number(&number) % 4 == 0 ? 20000 : 0);
        told = true;
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

RACE_CASE(killed_at_any_moment)
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

/* ---- who looks on while the file gets its mode ----------------------------------------------- */

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

RACE_CASE(no_moment_with_a_wider_mode)
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
        fprintf(stderr, "SKIP: not root: mode_without_proc\n");
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

WORLD_MAIN("ipc-race", .timeout = 180)
