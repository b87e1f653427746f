/* tests/test-process-exec.c -- a program that is started in each state of a socket inherits none of
 * the library's descriptors: not those of sockets, clients, lookups and rings, and not those that
 * were received or wait to be sent.
 *
 * The program is ls(1), which reports all descriptors that it has, not only known ones. What it has
 * without a socket is what the tests' own environment has. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/scenes.h"

enum { DESCRIPTORS = 1024 };

/* In the child. Only what the kernel does at exec closes anything. */
static void list(int output)
{
    dup2(output, STDOUT_FILENO);
    execlp("ls", "ls", "-l", "/proc/self/fd", (char *)NULL);
    _exit(127);
}

/* A line is "... 3 -> socket:[4711]". Returns the descriptor; -1: none, or ls's own, with which it
 * reads the folder. */
static int descriptor_of(const char *line)
{
    const char *arrow = strstr(line, " -> "), *number = arrow;

    if (arrow == NULL || strncmp(arrow, " -> /proc/", 10) == 0)
        return -1;
    while (number > line && number[-1] != ' ')
        number--;
    return atoi(number);
}

/* Sets an entry for each descriptor that a program has which is started now. */
static void inherit(bool ret_has[DESCRIPTORS])
{
    char line[500];
    int ends[2], status = 0;
    pid_t child;
    FILE *names;

    memset(ret_has, 0, DESCRIPTORS * sizeof *ret_has);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        list(ends[1]);
    close(ends[1]);
    names = fdopen(ends[0], "r");
    ck_assert_ptr_nonnull(names);
    while (fgets(line, sizeof line, names) != NULL) {
        int descriptor = descriptor_of(line);

        if (descriptor >= 0 && descriptor < DESCRIPTORS)
            ret_has[descriptor] = true;
    }
    fclose(names);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status == 0, "ls: status %d", status);
    ck_assert(ret_has[STDOUT_FILENO]);
}

static void name_of(int descriptor, char *ret_name, size_t size)
{
    char link[40];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, ret_name, size - 1);
    ret_name[length < 0 ? 0 : length] = '\0';
}

static void expect_no_more(const struct world *w, const bool before[DESCRIPTORS])
{
    bool has[DESCRIPTORS];
    char name[200];

    inherit(has);
    for (int i = 0; i < DESCRIPTORS; i++)
        if (has[i] && !before[i]) {
            name_of(i, name, sizeof name);
            ck_abort_msg("%s: a program inherits descriptor %d, %s", world_name(w), i, name);
        }
}

static void play(struct world *w, const struct scene *scene)
{
    struct stage *stage = calloc(1, sizeof *stage);
    bool before[DESCRIPTORS];

    inherit(before);
    scene->begin(w, stage);
    expect_no_more(w, before);
    scene->go_on(w, stage);
    expect_no_more(w, before);
    free(stage);
}

SCENES(CASE, nothing_is_inherited_while_, play)
SCENES_OF_ONE_KIND(MODE_CASE, nothing_is_inherited_while_, play)

/* What the program has got by a call is the program's, and is close-on-exec too. */
MODE_CASE(nothing_is_inherited_of_what_was_handed_out)
{
    struct stage *stage = calloc(1, sizeof *stage);
    bool before[DESCRIPTORS];
    int received, process;

    inherit(before);
    scene_with_handles.begin(w, stage);
    received = plx_ipc_receive_handle(stage->socket);
    ck_assert_int_ge(received, 0);
    process = plx_ipc_peer_process_handle(stage->socket);
    if (process < 0)
        fprintf(stderr, "SKIP: no descriptor of a process here (Linux 6.5)\n");
    expect_no_more(w, before);
    close(received);
    if (process >= 0)
        close(process);
    free(stage);
}

/* A leak is found, or the cases above would show nothing. */
MODE_CASE(a_descriptor_that_is_inherited_is_seen)
{
    bool before[DESCRIPTORS], has[DESCRIPTORS];
    int leak;

    (void)w;
    inherit(before);
    leak = dup(STDOUT_FILENO);
    inherit(has);
    ck_assert(has[leak] && !before[leak]);
    close(leak);
}

WORLD_MAIN("process-exec", .packets = true, .filtered = true)
