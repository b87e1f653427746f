/* tests/model/play.c -- plays programs of random calls by their seeds.
 *
 *     play [WAY] SEED           plays one program, with its trace if it has a fault
 *     play [WAY] FIRST COUNT    plays many
 *     play [WAY] shrink SEED    plays one again and again with fewer calls, as long as it fails
 *     play corpus FILE          plays the seeds of a file: lines of a way, a seed and a comment
 *     play hours N              plays new seeds for N hours; POLLUX_SEED is the first one
 *     play twice FIRST COUNT    plays each twice, with equal logs (play-sim only)
 *
 * `tls` behind WAY plays programs with TLS: those of the seeds from PROGRAM_TLS on, to which it
 * adds the numbers; `proxies` those with proxies, from PROGRAM_PROXIES on. Without them `hours`
 * plays all three.
 *
 * WAY is how groups poll: uring, epoll, poll, or lone for no groups; without it all that the kernel
 * has in turn. play-sim plays on the simulated kernel of tests/sim, which has poll and lone. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/tls.h"
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
static bool plays_twice;
static uint64_t base; /* of the seeds */

static uint64_t base_of(const char *word)
{
    if (strcmp(word, "tls") == 0)
        return PROGRAM_TLS;
    if (strcmp(word, "daemons") == 0)
        return PROGRAM_DAEMONS;
    return strcmp(word, "proxies") == 0 ? PROGRAM_PROXIES : 0;
}

static uint64_t seed_of(const char *word)
{
    return base + strtoull(word, NULL, 0);
}

static enum way way_of(const struct run *run, uint64_t seed)
{
    int way = run->way < WAYS ? (int)run->way : (int)(seed % WAYS);

    while (run->way == WAYS && !is_here[way])
        way = (way + 2) % WAYS;
    return (enum way)way;
}

static void report(const struct page *page, enum way way)
{
    printf("seed %llu (%s): %s\n", (unsigned long long)page->seed, program_way_name(way),
           page->fault);
    fflush(stdout);
}

/* Plays once more what had no fault, and compares the logs. */
static bool play_again(const struct program *program)
{
    uint64_t digest = trace_page()->digest;

    trace_begin(watchdog_page(), program->seed);
    if (player_play(program) && trace_page()->digest != digest)
        fault("the second log differs from the first");
    return !fault_found();
}

static void play_one(const struct program *program, bool quiet)
{
    bool works;

    trace_begin(watchdog_page(), program->seed);
    if (!is_here[program->way])
        return;
    if (program->tls && !tls_is_here())
        return;
    if (program->way != WAY_LONE)
        ground_set_variable("POLLUX_POLLER", program_way_name(program->way));
    works = player_play(program);
    trace_page()->log = (trace_page()->log ^ trace_page()->digest) * UINT64_C(0x100000001b3);
    if (works && plays_twice)
        works = play_again(program);
    if (!works && !quiet)
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
    uint64_t seed = given != NULL ? seed_of(given) : base + (uint64_t)time(NULL) * AT_ONCE;
    time_t end = time(NULL) + (time_t)(hours * 3600);

    printf("seeds from %llu on\n", (unsigned long long)seed);
    for (; time(NULL) < end; seed += AT_ONCE) {
        play_all((struct run){.way = way, .first = seed, .end = seed + AT_ONCE});
        if (seed < PROGRAM_TLS && tls_is_here())
            play_all((struct run){.way = way,
                                  .first = PROGRAM_TLS + seed,
                                  .end = PROGRAM_TLS + seed + AT_ONCE / 3});
        if (seed < PROGRAM_TLS)
            play_all((struct run){.way = way,
                                  .first = PROGRAM_PROXIES + seed,
                                  .end = PROGRAM_PROXIES + seed + AT_ONCE / 3});
        if (seed < PROGRAM_TLS)
            play_all((struct run){.way = way,
                                  .first = PROGRAM_DAEMONS + seed,
                                  .end = PROGRAM_DAEMONS + seed + AT_ONCE / 3});
    }
}

static void play_number(int count, char **words, enum way way)
{
    uint64_t first = seed_of(words[0]);
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
        if (!is_here[way] && !ground_is_simulated())
            fprintf(stderr, "LEFT OUT: %s is not here\n", program_way_name((enum way)way));
    }
    if (base == PROGRAM_TLS && !tls_is_here())
        fprintf(stderr, "LEFT OUT: TLS is not here\n");
}

static int sum_up(void)
{
    const struct page *page = watchdog_page();

    printf("%ld programs, %ld calls, %ld events, %ld requests for memory refused, %ld faults",
           page->programs, page->calls, page->events, page->refused, page->faults);
    if (ground_is_simulated())
        printf(", %.1f simulated hours, %llu faults of the kernel, log %016llx",
               (double)page->simulated / 3.6e12, (unsigned long long)page->played,
               (unsigned long long)page->log);
    printf("\n");
    return page->faults > 0;
}

int main(int count, char **words)
{
    enum way way = count > 1 ? program_way(words[1]) : WAYS;

    if (way < WAYS) {
        count--;
        words++;
    }
    base = count > 1 ? base_of(words[1]) : 0;
    if (base != 0) {
        count--;
        words++;
    }
    find_ways();
    tls_papers();
    plays_twice = count > 2 && strcmp(words[1], "twice") == 0;
    count -= plays_twice;
    words += plays_twice;
    if (count < 2)
        play_all((struct run){.way = way, .first = base + 1, .end = base + 101});
    else if (strcmp(words[1], "shrink") == 0 && count > 2)
        shrink(seed_of(words[2]), way);
    else if (strcmp(words[1], "corpus") == 0 && count > 2)
        play_corpus(words[2]);
    else if (strcmp(words[1], "hours") == 0 && count > 2)
        play_hours(strtod(words[2], NULL), way);
    else
        play_number(count - 1, words + 1, way);
    return sum_up();
}
