/* tests/model/watchdog.c -- watches the process that plays. */
#include "config.h"

#include "tests/model/watchdog.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A program writes a line at each call and event; none is slower than this, even under valgrind. */
enum { LIMIT_MS = 20000, LOOK_MS = 5 };

struct page *watchdog_page(void)
{
    static struct page *page;

    if (page != NULL)
        return page;
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return page;
}

static const char *last_line(const struct page *page)
{
    return page->next == 0 ? "" : page->lines[(page->next - 1) % TRACE_LINES];
}

static void record(struct page *page, const char *what)
{
    if (page->fault[0] != '\0')
        return;
    snprintf(page->fault, sizeof page->fault, "%s: %s", what, last_line(page));
    page->faults++;
}

static void pause_ms(int milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};

    nanosleep(&time, NULL);
}

/* Returns the status of the process; one that shows no life for too long is aborted. */
static int watch(pid_t player, struct page *page)
{
    unsigned long beat = page->beat;
    int status, silent = 0;

    while (waitpid(player, &status, WNOHANG) == 0) {
        pause_ms(LOOK_MS);
        silent = page->beat == beat ? silent + LOOK_MS : 0;
        beat = page->beat;
        if (silent < LIMIT_MS)
            continue;
        record(page, "a call does not return");
        kill(player, SIGABRT);
        waitpid(player, &status, 0);
        return status;
    }
    return status;
}

bool watchdog_run(void (*work)(void *user), void *user)
{
    struct page *page = watchdog_page();
    pid_t player;
    int status;

    fflush(NULL);
    player = fork();
    if (player < 0) {
        perror("fork");
        exit(1);
    }
    if (player == 0) {
        work(user);
        fflush(NULL);
        _exit(0);
    }
    status = watch(player, page);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    record(page, "a crash");
    return false;
}
