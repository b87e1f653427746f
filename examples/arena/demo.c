/* arena/demo.c -- runs it all: a server, bots and a spectator, each in a process of its own.
 *
 * The parent has no sockets. It starts the others, waits for them, prints what the server reported,
 * and prints whether everything arrived. Nothing is at a fixed place: the kernel chooses the ports,
 * the bots find the server in a group that has the name of the temporary folder, which no other
 * demo has, and the only file is in that folder, which is removed at the end. */
#define _POSIX_C_SOURCE 200809L

#include "arena.h"
#include "frame.h"
#include "guest.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define CHILDREN_MAX (PLAYERS_MAX + 2)
/* How much longer than the game everything may take, on a computer with other work. */
#define PATIENCE_SECONDS 45
/* And how long the server may take to open. */
#define OPENING_MS 20000

struct child {
    pid_t process;
    char role[NAME_SIZE + 8];
    bool has_ended;
    int status; /* as waitpid returns it */
};

struct demo {
    const struct settings *settings;
    const char *program;
    char folder[64], path[96]; /* of the spectators' socket */
    char *group;               /* in which the bots find the server: the name of the folder */
    struct child children[CHILDREN_MAX];
    int child_count;
    int pipe; /* what the server prints */
    char report[8192];
    size_t report_size;
};

/* ---- processes ------------------------------------------------------------------------------ */

/* A child never outlives its parent. Linux sends it a signal; elsewhere it ends with the server,
 * and the server with its time. */
static void end_with(pid_t parent)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    if (getppid() != parent) { /* the parent died before prctl was called */
        _exit(EXIT_FAILURE);
    }
}

/* Ctrl-C reaches the children, too, but only the parent reacts: it asks the server to end, and the
 * server sends END to the others. */
static void become(struct demo *demo, char **arguments, pid_t parent, int output)
{
    end_with(parent);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (output >= 0) {
        dup2(output, STDOUT_FILENO);
    }
    execvp(demo->program, arguments);
    fprintf(stderr, "arena: cannot run %s: %s\n", demo->program, strerror(errno));
    _exit(127);
}

static bool start_child(struct demo *demo, const char *role, char **arguments, int output)
{
    struct child *child = &demo->children[demo->child_count];
    pid_t parent = getpid();
    fflush(NULL); /* or the child would print what is buffered again */
    child->process = fork();
    if (child->process == 0) {
        become(demo, arguments, parent, output);
    }
    if (child->process < 0) {
        fprintf(stderr, "arena: cannot start %s: %s\n", role, strerror(errno));
        return false;
    }
    snprintf(child->role, sizeof child->role, "%s", role);
    demo->child_count++;
    return true;
}

static bool start_server(struct demo *demo)
{
    char seconds[16], bots[16], rate[16];
    int ends[2];
    snprintf(seconds, sizeof seconds, "%d", demo->settings->seconds);
    snprintf(bots, sizeof bots, "%d", demo->settings->bots);
    snprintf(rate, sizeof rate, "%d", demo->settings->frames_per_second);
    /* clang-format off */
    char *arguments[] = {"arena", "server", "--listen", ":0", "--group", demo->group,
                         "--watch-at", demo->path, "--seconds", seconds, "--bots", bots,
                         "--spectators", "1", "--frames-per-second", rate, NULL};
    /* clang-format on */
    if (pipe(ends) != 0) {
        perror("arena: pipe");
        return false;
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC); /* the copy on the standard output stays open */
    demo->pipe = ends[0];
    bool started = start_child(demo, "the server", arguments, ends[1]);
    close(ends[1]); /* else read would never return the end of the report */
    return started;
}

static bool start_spectator(struct demo *demo)
{
    char *arguments[] = {"arena", "spectator", demo->path, NULL};
    return start_child(demo, "the spectator", arguments, -1);
}

static bool start_bot(struct demo *demo, int number)
{
    static const char *const names[PLAYERS_MAX] = {
        "Ada", "Bea", "Cleo", "Dan",  "Eva",  "Finn", "Gus", "Hana", "Ida",
        "Jon", "Kim", "Leo",  "Mia",  "Ned",  "Olga", "Pia", "Quin", "Rosa",
        "Sam", "Tea", "Udo",  "Vera", "Will", "Xena", "Yan", "Zoe"};
    char name[NAME_SIZE], role[NAME_SIZE + 8];
    snprintf(name, sizeof name, "%s", names[number]);
    snprintf(role, sizeof role, "bot %s", name);
    char *arguments[] = {"arena", "bot", "--group", demo->group, "--name", name, NULL};
    return start_child(demo, role, arguments, -1);
}

/* ---- what the server prints ----------------------------------------------------------------- */

enum reading { NOTHING_YET, SOME, AT_END };

/* Reads from the pipe, and waits no longer than `timeout_ms` for it. */
static enum reading read_report(struct demo *demo, int timeout_ms)
{
    struct pollfd watched = {.fd = demo->pipe, .events = POLLIN};
    size_t room = sizeof demo->report - 1 - demo->report_size;
    if (demo->pipe < 0 || room == 0) {
        return AT_END;
    }
    if (poll(&watched, 1, timeout_ms) <= 0) {
        return NOTHING_YET;
    }
    ssize_t size = read(demo->pipe, demo->report + demo->report_size, room);
    if (size <= 0) {
        close(demo->pipe);
        demo->pipe = -1;
        return AT_END;
    }
    demo->report_size += (size_t)size;
    demo->report[demo->report_size] = '\0';
    return SOME;
}

/* The server prints a line when it is open. Only what follows, at the end, is for the person. */
static bool wait_until_open(struct demo *demo)
{
    bool is_open = read_report(demo, OPENING_MS) == SOME;
    demo->report_size = 0;
    return is_open;
}

/* ---- waiting -------------------------------------------------------------------------------- */

static int count_running(struct demo *demo)
{
    int running = 0;
    for (int i = 0; i < demo->child_count; i++) {
        struct child *child = &demo->children[i];
        if (!child->has_ended) {
            child->has_ended = waitpid(child->process, &child->status, WNOHANG) == child->process;
        }
        running += !child->has_ended;
    }
    return running;
}

static void signal_children(const struct demo *demo, int number)
{
    for (int i = 0; i < demo->child_count; i++) {
        if (!demo->children[i].has_ended) {
            kill(demo->children[i].process, number);
        }
    }
}

/* Waits until all processes have ended or the time is over; true if all have ended. */
static bool wait_for_all(struct demo *demo, int seconds)
{
    bool told = false;
    uint64_t end = now_ns() + (uint64_t)seconds * 1000000000U;
    while (count_running(demo) > 0) {
        if (now_ns() > end) {
            return false;
        }
        if (stop_is_wanted() && !told && demo->child_count > 0) {
            told = true;
            kill(demo->children[0].process, SIGTERM); /* the server, which sends END to all */
        }
        /* Reading the pipe empties it, and is the sleep of this loop as long as it is open. */
        if (read_report(demo, 20) == AT_END) {
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        }
    }
    while (read_report(demo, 0) == SOME) {
    }
    return true;
}

/* ---- the verdict ---------------------------------------------------------------------------- */

/* Prints how each process ended that did not end by itself with status 0. Returns their number. */
static int print_failures(const struct demo *demo)
{
    int failures = 0;
    for (int i = 0; i < demo->child_count; i++) {
        const struct child *child = &demo->children[i];
        if (WIFSIGNALED(child->status)) {
            printf("  not right: %s was ended by signal %d\n", child->role,
                   WTERMSIG(child->status));
        } else if (WEXITSTATUS(child->status) != 0) {
            printf("  not right: %s ended with status %d\n", child->role,
                   WEXITSTATUS(child->status));
        }
        failures += child->status != 0;
    }
    return failures;
}

static int give_verdict(const struct demo *demo, bool complete)
{
    fwrite(demo->report, 1, demo->report_size, stdout);
    int failures = print_failures(demo);
    putchar('\n');
    if (complete && failures == 0) {
        puts("everything arrived");
        return EXIT_SUCCESS;
    }
    puts(complete ? "not everything arrived: see \"not right\" above"
                  : "not everything arrived: the demo could not be run to its end");
    return EXIT_FAILURE;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool make_folder(struct demo *demo)
{
    /* The path of a Unix socket has to be short, which not every TMPDIR is. */
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] != '/' || strlen(parent) > 32) {
        parent = "/tmp";
    }
    snprintf(demo->folder, sizeof demo->folder, "%s/pollux-arena-XXXXXX", parent);
    if (mkdtemp(demo->folder) == NULL) {
        fprintf(stderr, "arena: cannot make %s: %s\n", demo->folder, strerror(errno));
        return false;
    }
    demo->group = strrchr(demo->folder, '/') + 1;
    snprintf(demo->path, sizeof demo->path, "%s/watch", demo->folder);
    return true;
}

static bool start_all(struct demo *demo)
{
    bool started = start_server(demo) && wait_until_open(demo) && start_spectator(demo);
    for (int i = 0; started && i < demo->settings->bots; i++) {
        started = start_bot(demo, i);
    }
    return started;
}

/* No process may be left, whatever happened: each is first asked to end, then killed. */
static void end_all(struct demo *demo)
{
    signal_children(demo, SIGTERM);
    if (!wait_for_all(demo, 10)) {
        signal_children(demo, SIGKILL);
        wait_for_all(demo, 10);
    }
}

int run_demo(const struct settings *settings, const char *program)
{
    static struct demo demo;
    demo.settings = settings;
    demo.program = program;
    demo.pipe = -1;
    if (!make_folder(&demo)) {
        return EXIT_FAILURE;
    }
    if (!isatty(STDOUT_FILENO)) {
        printf("Pollux arena: a server, %d bots and a spectator play for %d seconds.\n",
               settings->bots, settings->seconds);
    }
    bool complete = start_all(&demo) && wait_for_all(&demo, settings->seconds + PATIENCE_SECONDS);
    if (!complete) {
        end_all(&demo);
    }
    unlink(demo.path); /* the server has removed it, if it started */
    if (rmdir(demo.folder) != 0) {
        fprintf(stderr, "arena: cannot remove %s: %s\n", demo.folder, strerror(errno));
    }
    return give_verdict(&demo, complete);
}
