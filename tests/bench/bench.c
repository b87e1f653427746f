/* tests/bench/bench.c -- the harness: clocks, samples, medians. */
#include "config.h"

#include "tests/bench/bench.h"

#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_NANOSECONDS = 1000000, MAXIMUM_ITERATIONS = 1000000, LEAST_ROUNDS = 5 };

static const double LONGEST = 8e9; /* nanoseconds of one measurement */

_Noreturn void bench_fail(const char *step)
{
    fprintf(stderr, "bench: %s: %s\n", step, strerror(errno));
    exit(1);
}

/* ---- start and end --------------------------------------------------------------------------- */

static FILE *open_json(const struct bench *bench)
{
    char path[1024];
    FILE *file;

    (void)mkdir(bench->directory, 0777); /* it exists already, or else fopen says what is wrong */
    (void)snprintf(path, sizeof path, "%s/%s.jsonl", bench->directory, bench->program);
    file = fopen(path, "w");
    if (file == NULL)
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
    return file;
}

static void print_header(const struct bench *bench)
{
    printf("\n%s: each side beside the first\n", bench->program);
    printf("%-58s %-18s %-5s %11s %8s %9s %8s  %s\n", "what", "side", "unit", "value", "ratio",
           "target", "twice", "");
}

void bench_start(struct bench *bench, const char *program, int argc, char **argv)
{
    int option;

    memset(bench, 0, sizeof *bench);
    bench->program = program;
    bench->directory = ".";
    while ((option = getopt(argc, argv, "o:qs")) != -1) {
        if (option == 'o')
            bench->directory = optarg;
        else if (option == 'q')
            bench->quiet = true;
        else if (option == 's')
            bench->quick = true;
        else {
            fprintf(stderr, "usage: bench-%s [-o directory] [-q] [-s]\n", program);
            exit(2);
        }
    }
    bench->json = open_json(bench);
    if (!bench->quiet)
        print_header(bench);
    fflush(stdout); /* before any fork, or a child would print it again */
}

int bench_finish(struct bench *bench)
{
    if (bench->json != NULL)
        fclose(bench->json);
    bench->json = NULL;
    return 0;
}

size_t bench_rounds(const struct bench *bench, size_t count)
{
    size_t rounds = bench->quick ? count / 10 : count;

    return rounds < LEAST_ROUNDS ? LEAST_ROUNDS : rounds;
}

bool bench_goes_on(double begun, size_t round, size_t rounds)
{
    if (round < LEAST_ROUNDS)
        return true;
    return round < rounds && bench_now(BENCH_MONOTONIC) < begun + LONGEST;
}

void bench_settle(bool is_last)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t set;

    if (count < 2)
        return;
    CPU_ZERO(&set);
    CPU_SET(is_last ? (size_t)(count - 1) : 0, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

double bench_memory(void)
{
#ifdef HAVE_MALLINFO2
    struct mallinfo2 state = mallinfo2();

    return (double)state.uordblks + (double)state.hblkhd;
#else
    fprintf(stderr, "bench: this C library has no mallinfo2: memory is not measured\n");
    return -1;
#endif
}

/* The soft limit of descriptors is 1 024 in most places, the hard one far more. */
void bench_raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- clocks and samples ---------------------------------------------------------------------- */

double bench_now(enum bench_clock clock)
{
    static const clockid_t clocks[] = {CLOCK_THREAD_CPUTIME_ID, CLOCK_PROCESS_CPUTIME_ID,
                                       CLOCK_MONOTONIC};
    struct timespec time;

    clock_gettime(clocks[clock], &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

struct bench_samples bench_of_two(void)
{
    return (struct bench_samples){.sides = 2, .names = {"raw", "Pollux"}};
}

static void grow(struct bench_samples *samples)
{
    samples->room = samples->room == 0 ? 64 : samples->room * 2;
    for (size_t i = 0; i < samples->sides; i++) {
        samples->values[i] = realloc(samples->values[i], samples->room * sizeof(double));
        if (samples->values[i] == NULL)
            bench_fail("memory for the samples");
    }
}

void bench_samples_add(struct bench_samples *samples, const double *round)
{
    if (samples->rounds == samples->room)
        grow(samples);
    for (size_t i = 0; i < samples->sides; i++)
        samples->values[i][samples->rounds] = round[i];
    samples->rounds++;
}

void bench_samples_clear(struct bench_samples *samples)
{
    for (size_t i = 0; i < samples->sides; i++) {
        free(samples->values[i]);
        samples->values[i] = NULL;
    }
    samples->rounds = samples->room = 0;
}

void bench_samples_turn(struct bench_samples *samples, double amount)
{
    for (size_t i = 0; i < samples->sides; i++)
        for (size_t round = 0; round < samples->rounds; round++)
            samples->values[i][round] = amount / samples->values[i][round];
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_quantile(double *samples, size_t count, double share)
{
    if (count == 0)
        return 0;
    qsort(samples, count, sizeof *samples, compare_doubles);
    return samples[(size_t)(share * (double)(count - 1) + 0.5)];
}

double bench_ratio(const struct bench_samples *samples, size_t side, size_t reference)
{
    double *ratios = calloc(samples->rounds + 1, sizeof *ratios);
    size_t valid = 0;
    double median;

    if (ratios == NULL)
        bench_fail("memory for the ratios");
    for (size_t i = 0; i < samples->rounds; i++)
        if (samples->values[reference][i] > 0)
            ratios[valid++] = samples->values[side][i] / samples->values[reference][i];
    median = bench_quantile(ratios, valid, 0.5);
    free(ratios);
    return median;
}

/* ---- measuring ------------------------------------------------------------------------------- */

static double time_block(const struct bench_side *side, size_t iterations)
{
    double start = bench_now(side->clock);

    side->run(side->user, iterations);
    return (bench_now(side->clock) - start) / (double)iterations;
}

/* Doubles until a block lasts long enough that reading the clock (a system call for thread time)
 * does not show. */
static size_t calibrate(const struct bench_side *side)
{
    size_t iterations = 1;

    while (iterations < MAXIMUM_ITERATIONS &&
           time_block(side, iterations) * (double)iterations < BLOCK_NANOSECONDS)
        iterations *= 2;
    return iterations;
}

struct bench_samples bench_sample(size_t rounds, const struct bench_side *sides, size_t count)
{
    struct bench_samples samples = {.sides = count};
    size_t iterations[BENCH_SIDES];
    double begun = bench_now(BENCH_MONOTONIC);

    for (size_t i = 0; i < count; i++) {
        samples.names[i] = sides[i].name;
        iterations[i] = calibrate(&sides[i]);
    }
    for (size_t round = 0; bench_goes_on(begun, round, rounds); round++) {
        double times[BENCH_SIDES];

        for (size_t turn = 0; turn < count; turn++) {
            size_t i = (turn + round) % count;

            times[i] = time_block(&sides[i], iterations[i]);
        }
        bench_samples_add(&samples, times);
    }
    return samples;
}

void bench_compare(struct bench *bench, const struct bench_goal *goal, size_t rounds,
                   const struct bench_side *sides, size_t count)
{
    struct bench_samples samples = bench_sample(rounds, sides, count);

    bench_report(bench, goal, &samples);
}
