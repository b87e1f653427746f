/* tests/model/play.c -- plays programs of random calls by their seeds.
 *
 *     play [WAY] SEED           plays one program, with its trace if it has a fault
 *     play [WAY] FIRST COUNT    plays many
 *     play [WAY] shrink SEED    plays one again and again with fewer calls, as long as it fails
 *     play corpus FILE          plays the seeds of a file: lines of a way, a seed and a comment
 *     play hours N              plays new seeds for N hours; POLLUX_SEED is the first one
 *
 * WAY is how groups poll: uring, epoll, poll, or lone for no groups; without it all four in turn. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/watchdog.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A run of seeds, in the process that plays them. */
struct run {
    enum way way; /* WAYS: all in turn */
    uint64_t first, end;
    const struct program *program; /* instead of seeds; NULL: none */
    bool quiet;
};

static bool is_here[WAYS];

static enum way way_of(const struct run *run, uint64_t seed)
{
    return run->way < WAYS ? run->way : (enum way)(seed % WAYS);
}

static void report(const struct page *page, enum way way)
{
    printf("seed %llu (%s): %s\n", (unsigned long long)page->seed, program_way_name(way),
           page->fault);
    fflush(stdout);
}

static void play_one(const struct program *program, bool quiet)
{
    trace_begin(watchdog_page(), program->seed);
    if (!is_here[program->way])
        return;
    if (program->way != WAY_LONE)
        setenv("POLLUX_POLLER", program_way_name(program->way), 1);
    if (!player_play(program) && !quiet)
        report(trace_page(), program->way);
}

static void play_run(void *user)
{
    const struct run *run = user;
    struct program program;

    if (run->program != NULL) {
        play_one(run->program, run->quiet);
        return;
    }
    for (uint64_t seed = run->first; seed < run->end; seed++) {
        program_make(&program, seed, way_of(run, seed));
        play_one(&program, run->quiet);
    }
}

/* Plays a run; a program that crashes or hangs ends its process, and the next seed has another. */
static void play_all(struct run run)
{
    struct page *page = watchdog_page();

    while (run.first < run.end && !watchdog_run(play_run, &run)) {
        if (!run.quiet)
            report(page, way_of(&run, page->seed));
        run.first = page->seed + 1;
    }
}

/* ---- shrinking ------------------------------------------------------------------------------- */

static bool fails(const struct program *program, char *ret_fault)
{
    struct run run = {.way = program->way, .program = program, .quiet = true};
    struct page *page = watchdog_page();

    watchdog_run(play_run, &run);
    strcpy(ret_fault, page->fault);
    return page->fault[0] != '\0';
}

/* The same fault: the same words, up to the first number. */
static bool is_same(const char *one, const char *other)
{
    size_t words = strcspn(one, "0123456789:");

    return strncmp(one, other, words < 3 ? 3 : words) == 0;
}

/* Leaves out `count` calls from `at` on, if the program still has the fault. */
static bool leave_out(struct program *program, bool *list, int at, int count, const char *wanted)
{
    char got[sizeof watchdog_page()->fault];
    bool before[PROGRAM_CALLS + PROGRAM_INNER];

    memcpy(before, list + at, (size_t)count * sizeof *list);
    memset(list + at, true, (size_t)count * sizeof *list);
    if (fails(program, got) && is_same(wanted, got))
        return true;
    memcpy(list + at, before, (size_t)count * sizeof *list);
    return false;
}

static void shrink_list(struct program *program, bool *list, int size, const char *wanted)
{
    for (int count = size / 2; count > 0; count /= 2)
        for (int at = 0; at + count <= size; at += count)
            leave_out(program, list, at, count, wanted);
}

static void shrink(uint64_t seed, enum way way)
{
    struct program program;
    char wanted[sizeof watchdog_page()->fault];

    program_make(&program, seed, way < WAYS ? way : (enum way)(seed % WAYS));
    if (!fails(&program, wanted)) {
        printf("seed %llu has no fault\n", (unsigned long long)seed);
        return;
    }
    shrink_list(&program, program.left_out_inner, PROGRAM_INNER, wanted);
    shrink_list(&program, program.left_out, program.calls, wanted);
    shrink_list(&program, program.left_out_inner, PROGRAM_INNER, wanted);
    fails(&program, wanted);
    report(watchdog_page(), program.way);
    trace_print(watchdog_page());
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void play_corpus(const char *name)
{
    FILE *file = fopen(name, "r");
    char line[300], way[20];
    unsigned long long seed;

    if (file == NULL) {
        perror(name);
        exit(1);
    }
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%19s %llu", way, &seed) == 2 && program_way(way) < WAYS)
            play_all((struct run){.way = program_way(way), .first = seed, .end = seed + 1});
    fclose(file);
}

static void play_hours(double hours, enum way way)
{
    enum { AT_ONCE = 1000 };
    const char *given = getenv("POLLUX_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * AT_ONCE;
    uint64_t end = ground_now() + (uint64_t)(hours * 3600e9);

    printf("seeds from %llu on\n", (unsigned long long)seed);
    for (; ground_now() < end; seed += AT_ONCE)
        play_all((struct run){.way = way, .first = seed, .end = seed + AT_ONCE});
}

static void play_number(int count, char **words, enum way way)
{
    uint64_t first = strtoull(words[0], NULL, 0);
    uint64_t many = count > 1 ? strtoull(words[1], NULL, 0) : 1;

    play_all((struct run){.way = way, .first = first, .end = first + many});
    if (many == 1 && watchdog_page()->fault[0] != '\0')
        trace_print(watchdog_page());
}

static void look_at_ways(void *user)
{
    (void)user;
    for (int way = 0; way < WAYS; way++)
        if (way != WAY_LONE && !ground_mechanism(program_way_name((enum way)way)))
            watchdog_page()->lines[0][way] = 'n';
}

static void find_ways(void)
{
    watchdog_run(look_at_ways, NULL);
    for (int way = 0; way < WAYS; way++) {
        is_here[way] = watchdog_page()->lines[0][way] != 'n';
        if (!is_here[way])
            fprintf(stderr, "LEFT OUT: %s is not here\n", program_way_name((enum way)way));
    }
}

int main(int count, char **words)
{
    const struct page *page = watchdog_page();
    enum way way = count > 1 ? program_way(words[1]) : WAYS;

    if (way < WAYS) {
        count--;
        words++;
    }
    find_ways();
    setenv("POLLUX_NAMESERVERS", "127.0.0.1:1", 1);
    if (count < 2)
        play_all((struct run){.way = way, .first = 1, .end = 101});
    else if (strcmp(words[1], "shrink") == 0 && count > 2)
        shrink(strtoull(words[2], NULL, 0), way);
    else if (strcmp(words[1], "corpus") == 0 && count > 2)
        play_corpus(words[2]);
    else if (strcmp(words[1], "hours") == 0 && count > 2)
        play_hours(strtod(words[2], NULL), way);
    else
        play_number(count - 1, words + 1, way);
    printf("%ld programs, %ld calls, %ld events, %ld requests for memory refused, %ld faults\n",
           page->programs, page->calls, page->events, page->refused, page->faults);
    return page->faults > 0;
}
